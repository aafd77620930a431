"""A session: the private draft of one browser, and what one of its pages is showing.

    session = Session.open(service, session_id)

A session consists of a few small objects: what is asked (`Question`), what is shown (`ShownText`,
`Picture`), what is selected (`Selection`), what is reported (`Notes`) and what the browser was sent
(`Outbox`). The id is made from the browser's cookie (`app.access`), so the draft survives a reload
and a restart of the server.

What a page shows is drawn from this object alone, and the object can be rebuilt from `to_json`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from app.state.comparison import Comparison
from app.state.fact_list import FactList
from app.state.file_import import ImportResult
from app.state.graph_layout import GraphLayout, KeptLayouts
from app.state.marked_trace import MarkedTrace, mark_trace
from app.state.outbox import Outbox
from app.state.service import AUTHOR, Service
from app.state.verified_text import VerifiedText
from graph.core.deltas import Delta
from graph.core.errors import Conflict
from graph.core.facts import Entity, Fact
from graph.core.protocol import Draft
from graph.exchange.source_files import SourceBytes
from model.audit.verification import Verification
from model.settings import DecodingSettings
from model.trace import Trace

VERSION = 2  # of `Session.to_json`


def new_session_id() -> str:
    """The id of a session that no cookie opens."""
    return secrets.token_hex(16)


@dataclass
class Question:
    """What is asked: a prompt and the settings to answer it with."""

    prompt: str = ""
    settings: DecodingSettings = field(default_factory=DecodingSettings)


@dataclass
class Run:
    """The newest generation. An older one stops once it sees that `number` has moved on."""

    number: int = 0
    stopped: int = 0  # the number of the generation that a person stopped
    writing: bool = False
    rewriting: bool = False  # the old text is being written again over an edited graph
    waiting: int = 0  # texts that are written before this one; 0 once it is being written
    status: str = ""  # a few words for screen readers


@dataclass(frozen=True)
class MadeUp:
    """Facts that an example made up about an entity."""

    entity: str
    facts: int


@dataclass
class ShownText:
    """What is shown of the text: the newest one, the one before an edit, and how they are read."""

    trace: Trace | None = None  # the last finished one
    marked: MarkedTrace | None = None  # what the page shows, finished or not
    before: MarkedTrace | None = None  # the text before the last edit
    comparison: Comparison | None = None
    deltas: list[Delta] = field(default_factory=list)  # what the last edit did to the graph
    unread: bool = False  # no lookup of this text read the last edit
    stale: str = ""  # the rest of the old text, while it is rewritten
    speed: str = ""  # time, and tokens per second
    made_up: MadeUp | None = None
    tab: str = "changes"  # which text to see: "before", "changes" or "after"
    raw: bool = False  # whether the lookups are shown as the model wrote them


@dataclass(frozen=True)
class Selection:
    """What is open on the card: `kind` is "none", "fact", "entity" or "miss"."""

    kind: str = "none"
    id: int = 0


@dataclass(frozen=True)
class DrawnFact:
    """A fact that a person draws from one node to another, or to a free place of the picture."""

    subject: Entity
    target: str = ""  # the key of the other node
    words: str = ""  # what that node is called
    at: tuple[float, float] | None = None  # where a new node will stand
    relations: tuple[str, ...] = ()  # to choose from; the subject's own come first


@dataclass
class Picture:
    """How the graph is looked at: where its nodes stand, and which a person expanded."""

    layout: GraphLayout = field(default_factory=GraphLayout)
    expanded: dict[int, int] = field(default_factory=dict)  # entity id -> neighbours shown
    drawn: DrawnFact | None = None  # the fact that is being drawn
    read: dict[Hashable, list[Fact]] = field(default_factory=dict)
    """What was read of one state of the draft, so that each new word reads only what is new."""


@dataclass
class Search:
    """What a person types to find an entity, and what was found."""

    text: str = ""
    found: tuple[Entity, ...] = ()
    suggestions: tuple[str, ...] = ()  # entities to choose as a value on the card


@dataclass
class ExampleStep:
    """What a playing example shows on the card at this moment."""

    typing: str | None = None  # what it has typed into *Value* so far
    button: str = ""  # the button that it is about to press: "change" or "delete"


@dataclass(frozen=True)
class Offer:
    """After a rename: the name that the prompt still has, and the prompt with the new one."""

    old: str
    prompt: str


@dataclass(frozen=True)
class WrongAnswer:
    """What a person says of an answer that is wrong."""

    facts: tuple[Fact, ...] | None = None
    """What may be right, while the form is open."""
    saved: str = ""
    """That it was saved, and where."""


@dataclass
class Notes:
    """Sentences about what was done or refused, each next to the part of the page it is about."""

    prompt: str = ""
    text: str = ""
    card: str = ""
    card_done: str = ""
    draft: str = ""
    draft_done: str = ""
    verify: str = ""
    wrong: WrongAnswer = WrongAnswer()
    wrong_refused: str = ""
    conflict: Conflict | None = None
    offer: Offer | None = None


@dataclass
class Verifying:
    """What *Verify* shows: a fact or a text, and what its verification found."""

    shown: bool = False  # whether this tab has opened the page
    fact_id: int = 0
    number: int = 0  # of the newest verification; an older one is dropped
    running: bool = False
    waiting: int = 0  # texts that are written before it
    result: Verification | None = None
    graph: str = ""  # the state of the graph that it read
    seconds: float = 0.0
    text: VerifiedText = field(default_factory=VerifiedText)
    many: FactList = field(default_factory=FactList)
    export: str = ""  # the format in which the list is on its way to the browser


@dataclass
class Session:
    """One open page. The functions in `actions` change it; `views` draws it."""

    service: Service
    id: str
    draft: Draft
    question: Question = field(default_factory=Question)
    run: Run = field(default_factory=Run)
    text: ShownText = field(default_factory=ShownText)
    selection: Selection = Selection()
    picture: Picture = field(default_factory=Picture)
    layouts: KeptLayouts = field(default_factory=KeptLayouts)
    search: Search = field(default_factory=Search)
    example: ExampleStep = field(default_factory=ExampleStep)
    imported: ImportResult | None = None  # the last file of *Your facts*
    own_file: SourceBytes | None = None  # that file, while the person chooses how to read it
    notes: Notes = field(default_factory=Notes)
    verifying: Verifying = field(default_factory=Verifying)
    outbox: Outbox = field(default_factory=Outbox)
    author: str = AUTHOR  # of its edits
    page_id: str = ""  # of the tab, for the addresses of its files; "" where there is none
    unfinished: bool = False  # the text was ended by the server, and is to be written on return
    pace: Callable[[], None] = field(default=lambda: None)
    """Called before each step of the decoder; may wait for other texts."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _deltas: tuple[Any, list[Delta]] | None = None  # the draft's deltas by its state

    @classmethod
    def open(cls, service: Service, session_id: str) -> Session:
        """A new page over the draft of this id. Raises `StoreError` if it cannot be opened."""
        draft = service.draft(session_id)
        return cls(service, session_id, draft, Question(settings=service.settings))

    def clear_notes(self) -> None:
        """Forget messages about what was done before."""
        self.notes = Notes()
        self.example = ExampleStep()
        self.text.made_up = None

    # -- to and from plain data

    def to_json(self) -> dict[str, Any]:
        """Plain data from which the page can be rebuilt, together with the draft in the store."""
        trace = self.text.trace
        return {**self.view_to_json(), "trace": None if trace is None else trace.to_json()}

    def view_to_json(self) -> dict[str, Any]:
        """The part of `to_json` that is small and changes often: everything but the trace."""
        return {
            "version": VERSION,
            "id": self.id,
            "prompt": self.question.prompt,
            "settings": self.question.settings.to_json(),
            "run": self.run.number,
            "writing": self.run.writing or self.unfinished,
            "tab": self.text.tab,
            "raw": self.text.raw,
            "selection": {"kind": self.selection.kind, "id": str(self.selection.id)},
            "expanded": {str(entity): count for entity, count in self.picture.expanded.items()},
            "layout": self.picture.layout.to_json(),
            "layouts": self.layouts.to_json(),
        }

    @classmethod
    def from_json(cls, service: Service, data: dict[str, Any]) -> Session:
        """The page of `to_json`, over its draft as it is now.

        What compares two texts is not kept: the text is shown as it was last written. Raises
        `ValueError` for data of another version.
        """
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        session = cls.open(service, str(data["id"]))
        session.unfinished = bool(data["writing"])
        session.run.number = int(data["run"])
        session.question = Question(
            str(data["prompt"]), DecodingSettings.from_json(data["settings"])
        )
        if data["trace"] is not None:
            session.text.trace = Trace.from_json(data["trace"])
            session.text.marked = mark_trace(session.text.trace)
        session.text.tab, session.text.raw = str(data["tab"]), bool(data["raw"])
        chosen = data["selection"]
        session.selection = Selection(str(chosen["kind"]), int(chosen["id"]))
        session.picture = Picture(
            GraphLayout.from_json(data["layout"]),
            {int(entity): int(count) for entity, count in data["expanded"].items()},
        )
        session.layouts = KeptLayouts.from_json(data.get("layouts", {}))
        return session

    # -- what the draft says

    def deltas(self) -> list[Delta]:
        """What the draft changes in all; read once for each of its states."""
        state = (self.draft, self.draft.state(), self.draft.revision())
        if self._deltas is None or self._deltas[0] != state:
            self._deltas = (state, self.draft.deltas())
        return self._deltas[1]

    def edited_ids(self) -> frozenset[int]:
        """The ids of facts that the draft adds or changes."""
        return frozenset(delta.after.id for delta in self.deltas() if isinstance(delta.after, Fact))

    def deleted_facts(self) -> list[Fact]:
        """The facts that the draft deletes."""
        return [
            delta.before
            for delta in self.deltas()
            if isinstance(delta.before, Fact) and delta.after is None
        ]

    def selected_ids(self) -> frozenset[int]:
        """The ids of the selected facts."""
        return frozenset({self.selection.id} if self.selection.kind == "fact" else ())
