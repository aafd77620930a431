"""What the published API takes and answers: the models from which its schema is made.

Ids are text, because 63 bits do not fit into a number of JavaScript. Offsets count characters
(Unicode code points) of a text, from 0; an end is the first character after.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.public import limits
from graph.core.names import MAX_NAME, MAX_VALUE
from model.prompts import MAX_PROMPT_CHARACTERS

EXAMPLE_FACT = "3765345365958657743"  # ids that examples have; a client puts its own in their place
EXAMPLE_ENTITY = "3765345365958657000"
EXAMPLE_DRAFT = "api-Zm9yIHRoZSBleGFtcGxlcyBvbmx5ISEh"
LONGEST_REASON = 500

Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=MAX_VALUE)]
Source = Annotated[str, StringConstraints(max_length=500)]
Year = Annotated[int, Field(ge=-9999, le=9999)]
Reason = Annotated[str, StringConstraints(max_length=LONGEST_REASON)]
DraftId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Revision = Annotated[int, Field(ge=0, le=10**12)]
WriteId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]


class Answer(BaseModel):
    """An answer."""


class Asked(BaseModel):
    """A request. A field that it does not have is an error, because it may be misspelt."""

    model_config = ConfigDict(extra="forbid")


# -- facts


class Fact(Answer):
    """One triplet: an entity, a relation and a value."""

    id: str
    entity: str
    entity_id: str
    relation: str
    value: str = Field(description="The literal, or the name of the linked entity.")
    value_id: str | None = Field(description="The linked entity's id; null for a literal.")
    source: str = Field(description="Where the fact comes from; several are joined by “; ”.")
    year: int | None = Field(description="The year that the value is from, if it ages.")
    since: int = Field(description="The revision that wrote this version; 0 if a draft added it.")


class Entity(Answer):
    """Something that facts are about."""

    id: str
    name: str
    aliases: list[str]


class Rule(Answer):
    """A synonym of a relation, or a setting of the graph."""

    id: str
    kind: str
    name: str
    value: str


class Graph(Answer):
    """What was read: the shared graph at a revision, or a draft over it."""

    revision: int = Field(description="The revision of the shared graph.")
    draft: str | None = Field(description="The draft over it; null for the shared graph alone.")
    draft_revision: int | None = Field(description="The number of the draft's newest step.")


class Facts(Answer):
    """A page of facts, in stored order."""

    graph: Graph
    entity: Entity | None = Field(description="The entity that was asked about.")
    namesakes: list[Entity] = Field(description="Other entities of this name, best known first.")
    facts: list[Fact]
    next_offset: int | None = Field(description="Where the next page begins; null if none does.")


class Found(Answer):
    """Entities whose names match a text, best first."""

    graph: Graph
    entities: list[Entity]


# -- lookups


class RunnerUp(Answer):
    """What a lookup could have meant instead."""

    entity: str
    entity_id: str
    relation: str | None
    score: float


class RankedRelation(Answer):
    """A relation in the answer to `relations`, with its relevance to the prompt."""

    name: str
    score: float


class Lookup(Answer):
    """One lookup, as the model makes it, and how the graph answered it."""

    entity: str = Field(description="The entity as it was asked for.")
    relation: str
    how: Literal["exact", "alias", "inverse", "fuzzy", "miss"]
    score: float = Field(description="From 0 to 1; 1 if nothing was guessed.")
    threshold: float = Field(description="The lowest score that counts as a hit.")
    value: str = Field(description="The words that the model is fed: values, names, or “unknown”.")
    facts: list[Fact] = Field(description=f"The facts it hit, at most {limits.MOST_FACTS}.")
    facts_found: int = Field(description="How many facts it hit in all.")
    entity_id: str | None
    resolved_entity: str | None
    resolved_relation: str | None
    entity_by: str
    relation_by: str
    policy: str
    runners_up: list[RunnerUp]
    ranking: list[RankedRelation] | None = None


class LookupAnswer(Answer):
    """The answer to a lookup."""

    graph: Graph
    lookup: Lookup


class GraphQuery(Asked):
    """Which graph to read; the newest revision unless one is named."""

    draft: DraftId | None = Field(default=None, description="Read this draft.")
    revision: Revision | None = Field(
        default=None,
        description="Read the shared graph as it was at this revision; not with a draft.",
    )


class FactQuery(GraphQuery):
    """A fact by its id."""

    id: Id


class LookupQuery(GraphQuery):
    """A lookup. The relation `relations` lists what the graph holds about the entity."""

    entity: Name = Field(examples=["France"])
    relation: Name = Field(examples=["capital"])
    prompt: Annotated[str, StringConstraints(max_length=MAX_PROMPT_CHARACTERS)] | None = Field(
        default=None, description="Rank the answer to `relations` by this prompt."
    )


class SearchQuery(Asked):
    """What a name begins with or contains, or a misspelling of it."""

    text: Name = Field(examples=["Fra"])
    limit: Annotated[int, Field(ge=1, le=limits.MOST_FOUND)] = 10
    draft: DraftId | None = Field(default=None, description="Read this draft.")


class FactsQuery(GraphQuery):
    """An entity by its name or its id, a relation, or both."""

    entity: Name | None = Field(default=None, examples=["France"])
    entity_id: Id | None = None
    relation: Name | None = None
    limit: Annotated[int, Field(ge=1, le=limits.MOST_FACTS)] = 100
    offset: Annotated[int, Field(ge=0, le=limits.FURTHEST)] = 0


# -- texts


class Settings(Asked):
    """Settings of the decoder; those that are left out are as the page starts with them."""

    temperature: Annotated[float, Field(ge=0, le=10)] | None = Field(
        default=None, description="0 takes the likeliest token."
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="Sample only from the likeliest tokens that have this probability.",
    )
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, description="The same seed gives the same text."
    )
    max_tokens: Annotated[int, Field(ge=1, le=limits.MOST_TOKENS)] | None = Field(
        default=None, description="Tokens of the text, at most."
    )
    guided: bool | None = Field(
        default=None, description="Look up only what the prompt mentions and the graph holds."
    )


class Prompted(GraphQuery):
    """A prompt, and over which graph to answer it."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_CHARACTERS)]
    settings: Settings = Settings()


class Generate(Prompted):
    """A prompt, over which graph to answer it, and whether the answer is streamed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"prompt": "Tell me about France."}]},
    )
    stream: bool = Field(
        default=False,
        description="Answer with server-sent events, as the model writes; else with JSON.",
    )


class MadeLookup(Lookup):
    """A lookup that the model made, and where in the text."""

    index: int = Field(description="Its number, from 0, to which marks refer.")
    position: int = Field(description="Where in the text the words after it begin.")


class Mark(Answer):
    """Words of the model that repeat a value which a lookup returned."""

    start: int
    end: int
    words: str
    lookup: int = Field(description="The index of the lookup.")
    fact_id: str


class Contradiction(Answer):
    """Words that say something else than the lookup before them returned."""

    start: int
    end: int
    words: str
    lookup: int


class OtherRelation(Answer):
    """A marked value in a sentence about another relation than was looked up."""

    start: int
    end: int
    words: str
    lookup: int
    says: str = Field(description="The relation that the sentence speaks of.")


class Unsupported(Answer):
    """A name, a number or a date that no lookup returned."""

    start: int
    end: int
    words: str


class Marks(Answer):
    """Which words come from the graph. Marked does not mean true."""

    marks: list[Mark]
    contradicted: list[Contradiction]
    other_relations: list[OtherRelation]
    unsupported: list[Unsupported]


class End(Answer):
    """How a text ended, and what it was written with."""

    finish: Literal["end", "length", "context", "cancelled"]
    tokens: int
    seconds: float = Field(description="Computation in the decoder, in seconds.")
    model: str
    weights: dict[str, str] = Field(description="The SHA-256 of each file of the model.")
    settings: dict[str, Any]
    graph: Graph


class Text(Marks, End):
    """A finished text, with its lookups and what they hit."""

    prompt: str
    text: str
    lookups: list[MadeLookup]


# -- drafts


class AddFact(Asked):
    """Add a fact, and its entity if there is none of this name."""

    edit: Literal["add"]
    entity: Name
    relation: Name
    value: Value
    source: Source = ""
    year: Year | None = None


class ChangeFact(Asked):
    """Give a fact another value. Its source and year belonged to the old one."""

    edit: Literal["change"]
    id: Id
    value: Value
    source: Source = ""
    year: Year | None = None


class DeleteFact(Asked):
    """Take a fact out of every lookup; the history keeps it."""

    edit: Literal["delete"]
    id: Id


class RenameEntity(Asked):
    """Rename an entity; the old name stays as an alias."""

    edit: Literal["rename"]
    id: Id
    name: Name


class MergeEntity(Asked):
    """Move all facts and names of an entity to another one."""

    edit: Literal["merge"]
    id: Id
    into: Id


AnyEdit = Annotated[
    AddFact | ChangeFact | DeleteFact | RenameEntity | MergeEntity, Field(discriminator="edit")
]


class Step(Asked):
    """What every change of a draft may say."""

    revision: Revision | None = Field(
        default=None,
        description="The draft revision that you have seen. If the draft has moved on, nothing is "
        "done and the status is 409.",
    )
    write_id: WriteId | None = Field(
        default=None,
        description="A new random text. A request that is sent again with it is done once.",
    )


class NewDraft(Asked):
    """A request for a draft; it has no fields."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class Edits(Step):
    """Edits that are made all or none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "edits": [
                        {"edit": "change", "id": EXAMPLE_FACT, "value": "Lyon"},
                        {
                            "edit": "add",
                            "entity": "France",
                            "relation": "motto",
                            "value": "Liberté, égalité, fraternité",
                            "source": "the constitution",
                        },
                    ],
                    "reason": "an experiment",
                }
            ]
        },
    )
    edits: Annotated[list[AnyEdit], Field(min_length=1, max_length=limits.MOST_EDITS)]
    reason: Reason = Field(default="", description="Why, for the history.")


class PlainStep(Step):
    """An undo, a redo, a discard or a publish."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class OfDraft(Asked):
    """A draft by its id."""

    draft: DraftId


class EditsOfDraft(Edits, OfDraft):
    """Edits that are made in a draft, all or none."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={})


class StepOfDraft(PlainStep, OfDraft):
    """An undo, a redo, a discard or a publish of a draft."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={})


class Change(Answer):
    """A fact, an entity or a rule before and after; null where it does not exist."""

    kind: Literal["fact", "entity", "rule"]
    before: Fact | Entity | Rule | None
    after: Fact | Entity | Rule | None


class Draft(Answer):
    """A draft: private edits over the shared graph."""

    id: str = Field(description="Whoever knows it can read, edit and publish the draft.")
    revision: int = Field(description="The number of its newest step.")
    base_revision: int = Field(description="The revision of the shared graph under it.")
    edits: int = Field(description="How many edits stand.")
    can_undo: bool
    can_redo: bool
    changes: list[Change] = Field(
        description=f"What it changes in all, at most {limits.MOST_CHANGES}."
    )
    changes_in_all: int


class DoneStep(Answer):
    """What a step did to the draft, and the draft after it."""

    changed: list[Change] = Field(
        description=f"What this step changed, at most {limits.MOST_CHANGES}."
    )
    draft: Draft


class Published(Answer):
    """A published draft."""

    revision: int = Field(description="The revision that everybody reads from now on.")
    draft: Draft


# -- the audit


class Audit(Asked):
    """Which fact to verify: by its id, or by entity and relation, and value if there are many."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"entity": "France", "relation": "capital"}]},
    )
    id: Id | None = None
    entity: Name | None = None
    relation: Name | None = None
    value: Value | None = None
    prompt: Annotated[str, StringConstraints(max_length=MAX_PROMPT_CHARACTERS)] | None = Field(
        default=None, description="Ask this in place of the neutral question."
    )
    draft: DraftId | None = None


class Statement(Answer):
    """A fact without its ids."""

    entity: str
    relation: str
    value: str
    source: str
    year: int | None


class AuditedLookup(Answer):
    """A lookup of an audited text."""

    entity: str
    relation: str
    value: str
    how: str


class Column(Answer):
    """One of the texts on which a verdict rests."""

    column: str
    prompt: str
    beginning: str
    text: str
    states_value: bool
    returned_by: list[Statement]
    lookups: list[AuditedLookup]


class Leak(Answer):
    """Facts that would still give the value back."""

    kind: str
    facts: list[Statement]


class OtherName(Answer):
    """A name that the audited one was compared with."""

    entity: str
    value: str
    ratio: float


class Bar(Answer):
    """How many times likelier this name makes the value than other names do."""

    ratio: float
    sign_from: float
    is_sign: bool
    kind: str
    others: list[OtherName]
    control: float | None
    controls: list[str]


class AuditAnswer(Answer):
    """The verdict on a fact: the JSON of `python -m model audit --json`."""

    version: int
    lamplight: str
    model: str
    revision: int
    draft_changes: int
    fact: Statement
    verdict: Literal["graph", "elsewhere", "weights", "guessable", "untestable"]
    sentence: str
    where: list[Statement]
    columns: list[Column]
    closure: list[Leak]
    closed_book: Bar | None
    completed_alike: list[str]


class AuditText(Asked):
    """The prompt of a text to verify, and the draft that it reads."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"prompt": "Tell me about Japan."}]},
    )
    prompt: Annotated[str, StringConstraints(max_length=MAX_PROMPT_CHARACTERS)]
    draft: DraftId | None = None


class TakenValue(Answer):
    """A value that lookups returned to a text, and that the text says."""

    value: str
    given: bool = Field(description="Whether the prompt, or the name asked about, says it too.")
    facts: list[Statement]


class StatedValue(Answer):
    """A value that a text states."""

    value: str
    returned_by: list[Statement] = Field(
        description="The facts that returned it to this text; empty if no lookup did."
    )


class TextColumn(Answer):
    """The text under one condition."""

    column: Literal["with facts", "without facts", "no lookups"]
    text: str
    finish: str
    says: list[StatedValue]
    lookups: list[AuditedLookup]


class TextAuditAnswer(Answer):
    """A text without its facts: the JSON of `python -m model audit --json --prompt`."""

    version: int
    lamplight: str
    model: str
    revision: int
    draft_changes: int
    prompt: str
    settings: dict[str, Any]
    sentence: str
    deleted: list[Statement]
    values: list[TakenValue]
    columns: list[TextColumn]


# -- the history


class HistoryQuery(Asked):
    """Which part of the history; `limit` counts edits, and no revision is cut."""

    limit: Annotated[int, Field(ge=1, le=limits.MOST_ENTRIES)] = 20
    before: Annotated[int, Field(ge=1, le=10**12)] | None = Field(
        default=None, description="Only revisions before this one."
    )
    entity_id: Id | None = None
    fact_id: Id | None = None


class RevisionEntry(Answer):
    """One revision of the shared graph: who wrote it, when and why."""

    revision: int
    kinds: list[str] = Field(description="The kinds of its edits: “add”, “change”, “import” …")
    author: str
    time: str = Field(description="ISO 8601, UTC.")
    reason: str
    published: bool = Field(description="Whether it is a published draft.")
    changes: list[Change] = Field(
        description=f"What it changed, at most {limits.MOST_SHOWN}; an import lists nothing."
    )
    changes_in_all: int


class History(Answer):
    """Revisions, newest first."""

    revisions: list[RevisionEntry]
    next_before: int | None = Field(
        description="Ask for the revisions before this one for more; null if there are none."
    )


# -- errors


class Different(Answer):
    """One place where somebody else changed what a draft touches."""

    what: str
    base: list[str]
    mine: list[str]
    theirs: list[str]


class Error(Answer):
    """Why a request was refused."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "There is no revision 99; the newest is 3."}]}
    )
    error: str = Field(description="One sentence: what is wrong, and what to do.")
    differences: list[Different] | None = Field(
        default=None, description="After a conflict: each place with the value that everybody has."
    )
