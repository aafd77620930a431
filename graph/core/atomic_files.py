"""Write a file or a folder completely or not at all, and never over somebody else's file.

Everything that a command writes goes through here. It is written under a temporary name in the same
folder and renamed once it is complete. One rule decides what may be replaced (`check_output`).
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from graph.core.database_files import is_database, is_open
from graph.core.errors import StoreError

FORCE_HELP = "replace what is there, unless it is a store in use"
OUTPUT_RULE = (
    "Without --force, no output replaces a store, the command's own input, or a file that the "
    "command did not write. With --force it does, but never a store that is in use."
)

Made = Callable[[Path], bool]
"""Whether what is at a path was written by this very command, which may then write it again."""


class OutputRefused(StoreError):
    """An output that would replace what must stay; nothing was written."""


def never(path: Path) -> bool:
    """What no command can know as its own: people keep and edit such files themselves."""
    return False


def check_output(
    path: Path,
    *,
    made: Made = never,
    force: bool = False,
    inputs: Iterable[str | Path | None] = (),
) -> None:
    """Raise `OutputRefused` if a file must not be written at `path`.

    Args:
        path: where the file is to go; links are followed.
        made: recognises an output of the same command. It is asked about existing files only, and
            never about a database.
        force: replace the file anyway. A database that any process has open stays all the same.
        inputs: what the command reads. Names of other things than files are passed over.
    """
    place = Path(os.path.realpath(path))
    if is_database(place):
        if is_open(place):
            raise OutputRefused(
                f"{path} is, or belongs to, a store that is in use, and is never replaced; give "
                "the path of another file."
            )
        if not force:
            raise OutputRefused(
                f"{path} is, or belongs to, a database that is there already; give the path of "
                "another file, or replace it with --force."
            )
    if place.is_dir():
        raise OutputRefused(f"{path} is a folder; give the path of a file.")
    if not place.exists() or _is_stream(place) or force:
        return
    _refuse_inputs(path, place, inputs, "file")
    if not made(place):
        raise OutputRefused(
            f"{path} is there already, and was not written by this command or may have been "
            "changed; give the path of another file, or replace it with --force."
        )


def _refuse_inputs(path: Path, place: Path, inputs: Iterable[str | Path | None], what: str) -> None:
    """Raise `OutputRefused` if the file or folder at `place` is one that the command reads."""
    if any(given is not None and _is_same(place, given) for given in inputs):
        raise OutputRefused(
            f"{path} is what the command reads; give the path of another {what}, or replace it "
            "with --force."
        )


def check_folder(
    path: Path,
    names: Collection[str] | None = None,
    *,
    made: Made = never,
    force: bool = False,
    inputs: Iterable[str | Path | None] = (),
) -> None:
    """Raise `OutputRefused` if a folder must not be written at `path`.

    Args:
        path: where the folder is to go.
        names: the files that are written into it, where the others stay; None if the folder is
            replaced with all that is in it.
        made, force, inputs: as for `check_output`, of the folder.
    """
    place = Path(os.path.realpath(path))
    if not place.exists():
        return
    if not place.is_dir():
        raise OutputRefused(f"{path} is a file; give the path of a folder.")
    if not force:
        _refuse_inputs(path, place, inputs, "folder")
        there = {file.name for file in place.iterdir()}
        if (there if names is None else there.intersection(names)) and not made(place):
            raise OutputRefused(
                f"{path} holds files that this command did not write; give the path of another "
                "folder, or replace them with --force."
            )
    for file in place.rglob("*"):
        if is_database(file) and (not force or is_open(file)):
            raise OutputRefused(
                f"{file} is, or belongs to, a store, which stays where it is; give the path of "
                "another folder."
            )


@contextmanager
def whole_file(
    path: Path,
    mode: str = "w",
    *,
    made: Made = never,
    force: bool = False,
    inputs: Iterable[str | Path | None] = (),
    partial: Path | None = None,
) -> Iterator[IO[Any]]:
    """A file to write, which takes its place at the end; raises `OutputRefused` first.

    If the block raises an error, `path` stays as it was. A pipe or a terminal is written
    to directly. `partial` names the file until then, where a kill may leave it.
    """
    check_output(path, made=made, force=force, inputs=inputs)
    how: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    place = Path(os.path.realpath(path))
    if _is_stream(place):
        with place.open(mode, **how) as file:
            yield file
        return
    there = place.exists()
    making = partial or _beside(place, "writing")
    try:
        with making.open(mode, **how) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if there:  # it may have changed since
            check_output(place, made=made, force=force, inputs=inputs)
        put(making, place, replace=there or force)
    except FileExistsError as problem:
        raise OutputRefused(f"{path} was written by another process at the same time.") from problem
    finally:
        with suppress(OSError):
            making.unlink(missing_ok=True)


@contextmanager
def whole_folder(
    path: Path,
    names: Collection[str] | None = None,
    *,
    made: Made = never,
    force: bool = False,
    inputs: Iterable[str | Path | None] = (),
) -> Iterator[Path]:
    """An empty folder to write into, which takes the place of `path` at the end.

    With `names`, other files of an earlier folder are carried over into the new one. If the block
    raises an error, `path` stays as it was. Raises `OutputRefused` first.
    """
    check_folder(path, names, made=made, force=force, inputs=inputs)
    place = Path(os.path.realpath(path))
    making, replaced = _beside(place, "tmp", hidden=True), _beside(place, "old", hidden=True)
    making.mkdir(parents=True)
    try:
        yield making
        check_folder(path, names, made=made, force=force, inputs=inputs)
        stay = place.iterdir() if names is not None and place.exists() else ()
        for other in stay:
            if other.name not in (names or ()) and not (making / other.name).exists():
                copy = shutil.copytree if other.is_dir() else shutil.copy2
                copy(other, making / other.name)
        if place.exists():
            place.rename(replaced)
        making.rename(place)
        _sync(place.parent)
    finally:
        shutil.rmtree(making, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def put(making: Path, path: Path, *, replace: bool = False) -> None:
    """Give a file that is whole its name, so that even a loss of power leaves it whole.

    Raises `FileExistsError`, and leaves both files, where another is at `path` and `replace` is not
    given.
    """
    if replace:
        os.replace(making, path)
    else:
        try:
            os.link(making, path)  # fails where another was first; a rename would replace it
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if path.exists():
                raise FileExistsError(path) from None
            os.rename(making, path)
        making.unlink(missing_ok=True)
    _sync(path.parent)


def _beside(place: Path, word: str, *, hidden: bool = False) -> Path:
    """A unique temporary name in the same folder, so that one rename puts the file in place."""
    name = f"{place.name}.{word}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return place.with_name(f".{name}" if hidden else name)


def _sync(folder: Path) -> None:
    """Let the names in a folder outlive a loss of power."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_stream(place: Path) -> bool:
    """Whether a path is a pipe, a terminal or another device: writing to it replaces nothing."""
    with suppress(OSError):
        kind = place.stat().st_mode
        return stat.S_ISFIFO(kind) or stat.S_ISCHR(kind)
    return False


def _is_same(place: Path, given: str | Path) -> bool:
    name = os.fspath(given).removeprefix("sqlite:///")
    try:
        return os.path.samefile(place, name)
    except (OSError, ValueError):  # no file, such as a name on a hub
        return False
