"""How all readers open a file: unpacked, its encoding established, its text checked.

A file is a path, or bytes that a page received. `.gz` and `.zip` are unpacked as they are read.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from graph.core.database_files import refuse_database
from graph.core.errors import StoreError
from graph.core.import_rows import BadLine, Row
from graph.core.names import quoted
from graph.exchange.encodings import Established, establish, read_once
from graph.exchange.read_options import ReadOptions

_CHUNK = 1 << 16  # bytes
_PACKED = (".gz", ".zip")


@dataclass(frozen=True, slots=True)
class SourceBytes:
    """A file that is in memory."""

    name: str
    data: bytes

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a folder, or in a `.zip` with several files."""

    whole: Path | SourceBytes
    name: str

    def __str__(self) -> str:
        return f"{self.name} in {self.whole}"


Source = Path | SourceBytes | Member


def is_set(source: Source) -> bool:
    """Whether a source is a folder, or a `.zip` with several files."""
    if isinstance(source, Member):
        return False
    if isinstance(source, Path) and source.is_dir():
        return True
    return PurePath(source.name).suffix.lower() == ".zip" and len(member_names(source)) > 1


def member_names(source: Source) -> list[str]:
    """The files of a folder or a `.zip`, but for those that systems put there."""
    if isinstance(source, Path) and source.is_dir():
        return sorted(p.name for p in source.iterdir() if p.is_file() and p.name[0] != ".")
    with _reporting(source), _zip(source) as archive:
        return [
            name
            for name in archive.namelist()
            if not name.endswith("/")
            and not name.startswith("__MACOSX/")
            and PurePath(name).name != ".DS_Store"
        ]


def inner_name(source: Source) -> str:
    """The name of a file without the ending of a packed one; of the file in a `.zip`, its own."""
    name = PurePath(source.name)
    if name.suffix.lower() == ".gz":
        return name.stem
    if name.suffix.lower() == ".zip":
        with _reporting(source), _zip(source) as archive:
            return PurePath(_only_member(archive, source)).name
    return name.name


@contextmanager
def open_bytes(source: Source) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked. Raises `StoreError` if it cannot be read."""
    if isinstance(source, Path):
        refuse_database(source)
    if isinstance(source, Member):
        whole = source.whole
        if isinstance(whole, Path) and whole.is_dir():
            with open_bytes(whole / source.name) as file:
                yield file
            return
        with _reporting(source), _zip(whole) as archive, archive.open(source.name) as member:
            yield cast(BinaryIO, member)
        return
    with _reporting(source):
        ending = PurePath(source.name).suffix.lower()
        if ending == ".zip":
            with _zip(source) as archive, archive.open(_only_member(archive, source)) as member:
                yield cast(BinaryIO, member)
            return
        opened = source.open("rb") if isinstance(source, Path) else io.BytesIO(source.data)
        with opened as file:
            if ending == ".gz":
                with gzip.open(file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield cast(BinaryIO, file)


@contextmanager
def open_text(
    source: Source, options: ReadOptions, is_xml: bool = False
) -> Iterator[tuple[io.TextIOWrapper, Established]]:
    """The text of a file, with its line ends as they are, and its encoding.

    Bytes that are not of the encoding become lone surrogates; `checked` reports them.
    """
    with open_bytes(source) as file:
        limited = cast(BinaryIO, _Limited(file, options.largest)) if options.largest else file
        found = establish(limited, str(source), is_xml=is_xml, wanted=options.encoding)
    with open_bytes(source) as file:
        # The codecs of two or more bytes a character cannot keep what they cannot read.
        errors = "strict" if found.name.startswith(("utf-16", "utf-32")) else "surrogateescape"
        text = io.TextIOWrapper(file, encoding=found.name, errors=errors, newline="")
        try:
            yield text, found
        except UnicodeDecodeError as problem:
            raise StoreError(
                f"{source} is cut off or is not {found.label}: {problem.reason}; pass its true "
                "encoding with --encoding."
            ) from problem
        finally:
            text.detach()


def checked(rows: Iterator[Row], found: Established) -> Iterator[Row]:
    """The rows of a file; one with a character that was lost is an invalid line."""
    if not (found.is_damaged or found.has_lost or found.may_be_twice):
        yield from rows
        return
    for row in rows:
        texts = [str(getattr(row, field.name)) for field in fields(row)]
        text = "\n".join(texts)
        if isinstance(row, BadLine):
            yield row
        elif any("\ud800" <= c <= "\udfff" for c in text):
            yield BadLine(
                row.line,
                f"{_place(text)} is not {found.label.split(',')[0]}; fix it, or pass the file's "
                "true encoding with --encoding.",
            )
        elif "\ufffd" in text:
            yield BadLine(
                row.line,
                "It has U+FFFD, which stands for a character that an earlier conversion lost; "
                "export the file again.",
            )
        elif found.may_be_twice and (twice := next(filter(read_once, texts), "")):
            yield BadLine(
                row.line,
                f"{quoted(twice, 60)} was saved as UTF-8 twice and should be "
                f"{quoted(read_once(twice), 60)}; export the file again.",
            )
        else:
            yield row


def _place(text: str) -> str:
    """The byte that could not be read, for a message."""
    byte = next(ord(c) - 0xDC00 for c in text if "\ud800" <= c <= "\udfff")
    return f"The byte 0x{byte:02X}" if 0 <= byte < 256 else "A character"


class _Limited:
    """A file that is refused once more than some number of bytes were read from it."""

    def __init__(self, file: BinaryIO, largest: int) -> None:
        self._file, self._largest, self._read = file, largest, 0

    def read(self, size: int) -> bytes:
        """As the file's own `read`; raises `StoreError` at the limit."""
        data = self._file.read(size)
        self._read += len(data)
        if self._read > self._largest:
            raise StoreError(
                f"It has more than {self._largest:,} bytes, the most that can be imported at once. "
                "Split it."
            )
        return data


def _zip(source: Source) -> zipfile.ZipFile:
    if isinstance(source, Member):
        raise StoreError(f"{source} is packed inside a packed file; unpack it.")
    return zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source.data))


def _only_member(archive: zipfile.ZipFile, source: Source) -> str:
    names = member_names(source)
    if len(names) != 1 or PurePath(names[0]).suffix.lower() in _PACKED:
        held = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        raise StoreError(
            f"{source} holds {len(names):,} files ({quoted(held, 120)}); unpack it, and import "
            "them one by one."
        )
    return names[0]


@contextmanager
def _reporting(source: Source) -> Iterator[None]:
    """Turn what unpacking and the file system raise into one sentence."""
    try:
        yield
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as problem:
        raise StoreError(f"{source} cannot be unpacked: {_reason(problem)}.") from problem
    except (RuntimeError, NotImplementedError) as problem:
        if not isinstance(problem, NotImplementedError) and "encrypted" not in str(problem):
            raise
        raise StoreError(
            f"{source} cannot be unpacked: it is encrypted or packed in a rare way; unpack it "
            "yourself."
        ) from problem
    except OSError as problem:
        reason = problem.strerror or _reason(problem)
        raise StoreError(f"{source} cannot be read: {reason}.") from problem


def _reason(problem: Exception) -> str:
    return " ".join(str(problem).split())[:100].rstrip(".") or "it is damaged"
