"""*Your facts*: imports a file into the visitor's draft, and asks about it at once.

Nobody else sees any of it before *Publish*. The browser sends the bytes of a file, and its encoding
is established here, as for the command.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

from app.state.editing import write_id
from app.state.file_import import (
    ENCODINGS,
    INSTEAD,
    MOST_BYTES,
    ImportResult,
    import_file,
    show_file,
)
from app.state.generation import Steps, ask_for
from app.state.session import Session
from graph.exchange.read_options import ReadOptions
from graph.exchange.source_files import SourceBytes

EXAMPLE = Path(__file__).parents[1] / "assets" / "example.csv"
PASTED = "the pasted text"


def take_facts(session: Session, event: dict[str, Any]) -> Steps:
    """Show a file first; import what was confirmed or pasted, and ask about its first entity."""
    session.clear_notes()
    name = str(event.get("name") or PASTED)[:80]
    if "problem" in event:  # the browser could not read the file
        size = event.get("size")
        problem = f"{name} cannot be read; choose a file of at most 1.5 MB."
        if isinstance(size, int):
            problem = f"{name} has {size:,} bytes, and a draft takes at most 1.5 MB. {INSTEAD}"
        session.imported = ImportResult(name, 0, problem=problem)
        yield None
        return
    text = event.get("text")
    if isinstance(text, str) and len(text) > MOST_BYTES:
        problem = (
            f"It has {len(text):,} characters, and a draft takes at most {MOST_BYTES:,} at once."
        )
        session.imported = ImportResult(name, 0, problem=f"{problem} {INSTEAD}")
        yield None
        return
    options = ReadOptions(is_pasted=not event.get("name"))
    if "again" in event and session.own_file is not None:
        source, options = session.own_file, _chosen(event.get("fields"))
    else:
        source = SourceBytes(name, _content(event))
    if "example" in event:
        source = SourceBytes(EXAMPLE.name, EXAMPLE.read_bytes())
    if "again" not in event and isinstance(event.get("data"), str):
        session.imported = show_file(source)
    else:
        session.imported = import_file(
            session.draft, source, session.author, options, write_id(event)
        )
    asks = session.imported.encoding or session.imported.header or session.imported.ready
    session.own_file = source if asks else None
    if session.imported.facts:
        yield from ask_for(session, session.service.prompt_about(session.imported.entities[0]))
    yield None


def _content(event: dict[str, Any]) -> bytes:
    """The bytes of a file, or of a text that was pasted."""
    data, text = event.get("data"), event.get("text")
    if isinstance(data, str):
        try:
            return base64.b64decode(data, validate=True)
        except (ValueError, binascii.Error):
            return b""
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""


def _chosen(fields: object) -> ReadOptions:
    """What the person chose for a file that was shown first."""
    fields = fields if isinstance(fields, dict) else {}
    encoding = str(fields.get("encoding", ""))
    columns = tuple(str(fields.get(part, "")) for part in ("entity", "relation", "value"))
    return ReadOptions(
        encoding=encoding if encoding in ENCODINGS else "",
        columns=columns if all(column.isdigit() for column in columns) else (),
        is_headed=fields.get("headed") == "yes",
    )
