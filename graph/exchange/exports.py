"""Writing a whole graph to a file, a folder or a `.zip`, and saying what it leaves out."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from graph.core.atomic_files import whole_file, whole_folder
from graph.core.errors import StoreError
from graph.core.import_rows import AliasRow, RelationRow, SettingRow, SynonymRow
from graph.core.protocol import TripletReads
from graph.exchange.formats import Format, format_of
from graph.exchange.other_rows import OtherRows
from graph.exchange.table_sets import NAMES, FolderOpener, ZipOpener, write_set

_COUNTED = (
    (AliasRow, "alias", "aliases"),
    (RelationRow, "declared relation", "declared relations"),
    (SynonymRow, "synonym", "synonyms"),
    (SettingRow, "setting", "settings"),
)


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    facts: int
    left_out: tuple[str, ...] = ()
    """What the file does not hold, or an import would not give back: a sentence each."""


def export(
    store: TripletReads,
    path: Path,
    format_: str | None = None,
    *,
    at: int | None = None,
    force: bool = False,
) -> Exported:
    """Write all facts of a store, and what else the format holds.

    Args:
        store: the store.
        path: the file to write. A folder that exists, or without a format a new name without an
            ending, gets one table of each kind, as a `.zip` does.
        format_: the name of the format; None for the one that the ending stands for.
        at: the revision; None for the newest.
        force: replace what is there.

    Raises:
        StoreError: if the format is not known or the file cannot be written.
    """
    others = OtherRows(store, at)
    facts = others.noting(store.all_facts(at))
    known = None
    try:
        new_folder = format_ is None and not path.suffix and not path.exists()
        if format_ in (None, "csv") and (path.is_dir() or new_folder):
            with whole_folder(path, NAMES, force=force) as folder:
                count = write_set(facts, others.relations(), others.later, FolderOpener(folder))
        elif format_ in (None, "csv") and path.suffix.lower() == ".zip":
            with (
                whole_file(path, "wb", force=force) as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            ):
                count = write_set(facts, others.relations(), others.later, ZipOpener(archive))
        else:
            known = format_of(path, format_)
            with whole_file(path, force=force) as opened_:
                count = _write(known, facts, others, cast(TextIO, opened_))
    except OSError as problem:
        raise StoreError(f"{path} cannot be written: {problem.strerror}.") from problem
    return Exported(count, tuple(_left_out(others, known)))


def _write(format_: Format, facts: Any, others: OtherRows, file: TextIO) -> int:
    if format_.write_all is not None:
        return format_.write_all(facts, file, lambda: [*others.relations(), *others.later()])
    if format_.write_others is not None:
        format_.write_others(others.relations(), file)
    count = format_.write(facts, file)
    if format_.write_others is not None:
        format_.write_others(others.later(), file)
    return count


def _left_out(others: OtherRows, format_: Format | None) -> list[str]:
    """What a file does not hold, and what an import would take otherwise."""
    sentences = []
    if format_ is not None and format_.holds != "all":
        kinds = others.counts()
        parts = [_counted(kinds[kind], *words) for kind, *words in _COUNTED if kinds[kind]]
        if format_.holds == "triplets" and others.noted:
            parts.insert(0, _counted(others.noted, "source or year", "sources and years"))
        if parts:
            sentences.append(
                f"It holds {format_.holds}, and leaves out {', '.join(parts)}; a .zip or .jsonl "
                "file holds all."
            )
    if count := others.ambiguous():
        sentences.append(
            f"{_counted(count, 'value')} of relations that declare no kind will be read as links "
            "where they are texts here, or the other way round; declare the relations to keep them."
        )
    return sentences


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
