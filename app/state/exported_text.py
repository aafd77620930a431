"""The text of a page as it is handed to somebody else: with its edits, a citation and file names.

text = exported_text(session)      # raises `NothingToExport`
text.to_json(), text.citation, text.file_name("json")
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.state.comparison import visible_deltas
from app.state.marked_trace import MarkedTrace, mark_trace, marks_json
from app.state.session import Session
from graph.core.deltas import Delta, net
from graph.core.errors import StoreError
from graph.core.facts import Entity, Fact
from graph.core.protocol import Draft
from graph.lookup.retriever import Retriever
from graph.version import VERSION
from model.exported_trace import ExportedTrace, public_name
from model.trace import Trace
from model.weight_hashes import checkpoint_hash

SHORT = 12  # characters of a hash or an id in a citation
LONGEST_SLUG = 48
MOST_EDITS = 100_000  # of a draft that an export holds
HEAD = ("entity", "relation", "value", "source", "year", "edit", "before")


class NothingToExport(StoreError):
    """There is no finished text, or the graph moved on since; the message says what to do."""


@dataclass(frozen=True)
class ExportedText:
    """A finished text, and the edits that it was written over."""

    exported: ExportedTrace
    marked: MarkedTrace

    @property
    def trace(self) -> Trace:
        """The trace of the text."""
        return self.exported.trace

    @property
    def deltas(self) -> list[Delta]:
        """What a person would name of the edits."""
        return visible_deltas(net(delta for step in self.exported.edits for delta in step))

    @property
    def citation(self) -> str:
        """What wrote the text, and from what, in one line."""
        return citation(self.trace, bool(self.deltas))

    def file_name(self, ending: str) -> str:
        """A name for a file, of plain letters."""
        return file_name(self.trace.prompt, self.trace.id, ending)

    def to_json(self) -> dict[str, Any]:
        """The trace with its marks, hashes and edits, as a plain object."""
        return {
            **self.exported.to_json(),
            "citation": self.citation,
            **marks_json(self.marked),
        }


def citation(trace: Trace, edited: bool) -> str:
    """What wrote a text, and from what, in one line; `edited`: over a draft with edits."""
    graph = ExportedTrace(trace).graph
    checkpoint = checkpoint_hash(trace.weights)
    parts = [
        f"Lamplight {trace.program or VERSION}",
        f"model {public_name(trace.model)}"
        + (f" (SHA-256 {checkpoint[:SHORT]})" if checkpoint else ""),
    ]
    if graph is not None:
        over = " with edits of a draft" if edited else ""
        parts.append(f"graph {graph.store_id[:SHORT]} at revision {graph.revision}{over}")
    if trace.written:
        parts.append(trace.written[:10])
    return ", ".join(parts) + "."


def file_name(prompt: str, trace_id: str, ending: str) -> str:
    """A name for a file, of plain letters: `lamplight-tell-me-about-france-1a2b3c4d.json`."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_SLUG].strip("-")
    part = re.sub(r"[^A-Za-z0-9]", "", trace_id)[:8]
    return "-".join(each for each in ("lamplight", slug, part) if each) + f".{ending}"


def exported_text(session: Session) -> ExportedText:
    """The text of a page. Raises `NothingToExport`, or `StoreError` if the store cannot be read."""
    trace, draft = session.text.trace, session.draft
    if trace is None or session.run.writing:
        raise NothingToExport("There is no finished text to export; ask something first.")
    exported = ExportedTrace(trace)
    if exported.graph is not None and exported.graph.over and trace.state != draft.state():
        # The draft was published or edited elsewhere. If it answers the same, the text stands.
        unchanged = session.service.decoder.unchanged(trace, Retriever(draft))
        if unchanged is None:
            raise NothingToExport(
                "The graph has changed since this text was written; ask again, then export."
            )
        trace = unchanged
    if trace.state == draft.state():
        exported = ExportedTrace(trace, steps_of(draft))
    else:
        exported = ExportedTrace(trace)  # of an earlier revision, without edits
    return ExportedText(exported, mark_trace(trace))


def steps_of(draft: Draft) -> list[list[Delta]]:
    """What each standing step of a draft did, oldest first."""
    steps: dict[int, list[Delta]] = {}
    for entry in reversed(draft.history(limit=MOST_EDITS)):
        steps.setdefault(entry.revision, []).extend(entry.deltas)
    return [net(deltas) for deltas in steps.values()]


def draft_csv(deltas: Sequence[Delta]) -> str:
    """The edits of a draft as a table.

    The first five columns are those of an import: it takes each fact that was added or changed. A
    deleted fact has no value, so that an import with `--skip-bad` leaves it out; `before` has it.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEAD)
    for delta in visible_deltas(list(deltas)):
        before, after = delta.before, delta.after
        if isinstance(after, Fact):
            edit = "add" if before is None else "change"
            year = "" if after.year is None else after.year
            was = before.value if isinstance(before, Fact) else ""
            rows.writerow(
                (after.entity, after.relation, after.value, after.source, year, edit, was)
            )
        elif isinstance(before, Fact):
            rows.writerow((before.entity, before.relation, "", "", "", "delete", before.value))
        elif isinstance(before, Entity) and isinstance(after, Entity):
            edit, was = "merge" if before.id != after.id else "rename", before.name
            if before.id == after.id and before.name == after.name:
                gained = [name for name in after.aliases if name not in before.aliases]
                edit, was = "alias", "; ".join(gained)
            rows.writerow((after.name, "", "", "", "", edit, was))
    return out.getvalue()
