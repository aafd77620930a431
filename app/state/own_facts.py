"""*Your facts*: imports a CSV into the visitor's draft, and asks about it at once.

Nobody else sees any of it before *Publish*.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.state.csv_import import ImportResult, import_csv
from app.state.editing import write_id
from app.state.generation import Steps, ask_for
from app.state.service import AUTHOR
from app.state.session import Session

EXAMPLE = Path(__file__).parents[1] / "assets" / "example.csv"


def take_facts(session: Session, event: dict[str, Any]) -> Steps:
    """Import a file or pasted text, report on its lines, and ask about its first entity."""
    session.clear_notes()
    name, text = str(event.get("name") or "the pasted text")[:80], event.get("text")
    if "example" in event:
        name, text = EXAMPLE.name, EXAMPLE.read_text("utf-8")
    if "problem" in event:  # the browser could not read the file
        text, size = "", event.get("size")
        problem = f"{name} is not a text file"
        if isinstance(size, int):
            problem = f"{name} has {size:,} bytes"
        session.imported = ImportResult(
            name, 0, problem=f"{problem}; choose a CSV file of at most 1.5 MB."
        )
        yield None
        return
    session.imported = import_csv(
        session.draft, name, text if isinstance(text, str) else "", AUTHOR, write_id(event)
    )
    if session.imported.facts:
        yield from ask_for(session, session.service.prompt_about(session.imported.entities[0]))
    yield None
