"""A session: the private draft of one browser, and what one of its pages is showing.

The browser holds the id of its draft, so that it survives a reload and a restart of the server.
The id is made here and checked when it comes back. Everything else of a page lives in this object
on the server and is drawn anew from it.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app.state.comparison import Comparison
from app.state.examples import Example, examples_for
from app.state.graph_layout import GraphLayout
from app.state.marked_trace import MarkedTrace
from app.state.scene import Scene
from graph.core.deltas import Delta
from graph.core.errors import Conflict
from graph.core.facts import RELATIONS, Entity, Fact
from graph.core.names import fold
from graph.core.protocol import Draft, TripletStore
from model.engine.decoder import Decoder
from model.settings import DecodingSettings
from model.trace import Trace

if TYPE_CHECKING:
    from app.state.own_facts import ImportResult

SESSION_ID = re.compile(r"[0-9a-f]{32}")
NEIGHBOURS_READ = 120  # facts read around what was hit, of which the picture shows a few
EXPAND_BY = 8
HUB = 1000  # neighbours counted at most
AUTHOR = "page visitor"


@dataclass(frozen=True)
class Service:
    """What all sessions share."""

    store: TripletStore
    decoder: Decoder

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """What a newcomer can try on this graph."""
        return examples_for(self.store, self.asking)

    def asking(self, name: str) -> str:
        """A prompt about an entity: a request, or words to go on from where the model knows none.

        A model that was never taught to list relations, such as a released one, only goes on.
        """
        taught = self.decoder.checkpoint.relations
        return f"Tell me about {name}." if taught else f"{name} is"

    def draft(self, session_id: str) -> Draft:
        """The draft of a session."""
        return self.store.draft(session_id)  # type: ignore[attr-defined]


def new_session_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)


def checked_session_id(claimed: object) -> str:
    """The id that a browser sent if it can be one of ours, else a new one."""
    if isinstance(claimed, str) and SESSION_ID.fullmatch(claimed):
        return claimed
    return new_session_id()


@dataclass(frozen=True)
class Offer:
    """After a rename: the name that the prompt still has, and the prompt with the new one."""

    old: str
    prompt: str


@dataclass
class Selection:
    """What is opened: `kind` is "none", "fact", "entity" or "miss"."""

    kind: str = "none"
    id: int = 0


@dataclass(frozen=True)
class Sent:
    """The value of a part of the page as it was sent last."""

    number: int
    """Higher than that of any value before, of an earlier session too."""
    value: str
    at: float
    """Seconds of the monotonic clock."""


@dataclass
class Session:
    """One open page. Methods of `actions` change it; `views` draws it."""

    service: Service
    id: str
    draft: Draft
    prompt: str = ""
    settings: DecodingSettings = field(default_factory=DecodingSettings)
    # the text
    trace: Trace | None = None  # the last finished one
    reading: MarkedTrace | None = None  # of the trace that is shown, finished or not
    before: MarkedTrace | None = None
    comparison: Comparison | None = None
    deltas: list[Delta] = field(default_factory=list)  # what the last edit did
    raw: bool = False
    tab: str = "changes"
    stale: str = ""  # the rest of the old text, while it is rewritten
    unread: bool = False  # the last edit was read by no lookup of this text
    speed: str = ""  # time and tokens a second
    invented: tuple[str, int] | None = None  # what an example made up, and how many facts
    # the graph
    chart: GraphLayout = field(default_factory=GraphLayout)
    expanded: dict[int, int] = field(default_factory=dict)  # entity id -> neighbours shown
    # the card and its surroundings
    selection: Selection = field(default_factory=Selection)
    card_note: str = ""
    card_done: str = ""
    options: tuple[str, ...] = ()
    typing: str | None = None  # what an example types into the card
    acting: str = ""  # the button that it is about to press: "change" or "delete"
    offer: Offer | None = None
    own: ImportResult | None = None  # what became of the visitor's own facts
    prompt_note: str = ""
    trace_note: str = ""
    draft_note: str = ""
    draft_done: str = ""
    conflict: Conflict | None = None
    search_text: str = ""
    found: tuple[Entity, ...] = ()
    # running
    run: int = 0  # the number of the newest generation; an older one stops by itself
    writing: bool = False
    stopped: int = 0  # the generation that a person stopped
    status: str = ""
    box: str | None = None  # words on their way into the prompt box
    download: dict[str, str] | None = None  # a file on its way to the browser
    rewriting: bool = False  # what is being written is the old text over an edited graph
    sent: dict[str, Sent] = field(default_factory=dict)  # what the browser was sent, by part
    number: int = field(default_factory=lambda: int(time.time() * 1000))  # of the newest of it
    kept: str = ""  # what the browser keeps for the next visit
    drawn: tuple[Any, Scene, str, str] | None = None  # the last scene by its key, and as drawn
    drawn_at: float = 0.0  # when that was, in seconds of the monotonic clock
    lock: threading.RLock = field(default_factory=threading.RLock)
    _deltas: tuple[Any, list[Delta]] | None = None

    def clear_notes(self) -> None:
        """Forget messages about what was done before."""
        self.card_note = self.card_done = self.prompt_note = self.trace_note = ""
        self.draft_note = self.draft_done = ""
        self.conflict = self.offer = self.invented = self.typing = None
        self.acting = ""

    # -- what the graph and the draft say

    def deltas_now(self) -> list[Delta]:
        """What the draft changes in all; worked out once for each of its states."""
        state = (self.draft, self.draft.state(), self.draft.revision())
        if self._deltas is None or self._deltas[0] != state:
            self._deltas = (state, self.draft.deltas())
        return self._deltas[1]

    def edited(self) -> frozenset[int]:
        """The ids of facts that the draft adds or changes."""
        return frozenset(
            delta.after.id for delta in self.deltas_now() if isinstance(delta.after, Fact)
        )

    def deleted(self) -> list[Fact]:
        """The facts that the draft deletes."""
        return [
            delta.before
            for delta in self.deltas_now()
            if isinstance(delta.before, Fact) and delta.after is None
        ]

    def selected_facts(self) -> frozenset[int]:
        """The ids of the selected facts."""
        return frozenset({self.selection.id} if self.selection.kind == "fact" else ())

    def scene_key(self) -> Any:
        """What the scene depends on; while it is the same, nothing is read or drawn anew."""
        reading = self.reading
        return (
            None
            if reading is None
            else (
                tuple(reading.numbers),
                tuple(each.lookup.entity_id for each in reading.trace.lookups),
            ),
            self.draft.state(),
            self.writing,
            self.selection.kind,
            self.selection.id,
            tuple(self.expanded.items()),
            id(self.chart),
        )

    def scene(self) -> Scene:
        """The facts to draw: what was hit, what is listed, and what lies around."""
        reading = self.reading
        if reading is None:
            return Scene()
        hits = (
            tuple(self.draft.fact(fact.id) or fact for fact in reading.facts.values())
            if not self.writing
            else tuple(reading.facts.values())
        )
        expected = self._expected(reading)
        centres = list(
            dict.fromkeys(
                [each.lookup.entity_id for each in reading.trace.lookups if each.lookup.entity_id]
            )
        )
        neighbours: list[Fact] = []
        if centres:
            neighbours = self.draft.neighbourhood(centres, hops=1, limit=NEIGHBOURS_READ)
        shown: list[Fact] = []
        for entity_id, count in self.expanded.items():
            shown += self.around(entity_id, count)
        if self.selection.kind == "fact":
            fact = self.draft.fact(self.selection.id)
            if fact is not None:
                shown.append(fact)
        return Scene(
            hits=hits,
            centres=tuple(centres),
            numbers=reading.numbers,
            expected=tuple(expected),
            neighbours=tuple(neighbours),
            expanded=tuple(shown),
            selected=self.selected_facts(),
            selected_entity=self.selection.id if self.selection.kind == "entity" else None,
            edited=self.edited(),
        )

    def _expected(self, reading: MarkedTrace) -> list[Fact]:
        """The facts of the relations that the graph listed, in that order, not looked up so far."""
        facts: list[Fact] = []
        for each in reading.listed:
            entity_id = each.lookup.entity_id
            if entity_id is None:
                continue
            by_relation: dict[str, list[Fact]] = {}
            for fact in self.draft.facts(entity_id):
                by_relation.setdefault(fold(fact.relation), []).append(fact)
            for name in each.lookup.value.split("; "):
                if fold(name) != RELATIONS:
                    facts += by_relation.get(fold(name), [])[:5]
        return [fact for fact in facts if fact.id not in reading.numbers]

    def around(self, entity_id: int, count: int) -> list[Fact]:
        """The first facts of and to an entity."""
        facts = self.draft.facts(entity_id, limit=count)
        return facts + self.draft.facts_to(entity_id, limit=max(0, count - len(facts)))
