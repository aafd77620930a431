"""What a client may ask for: each action with its fields and the level that it takes.

Ids come from what the server sent. Nothing here says that they exist: the action looks them up, and
one that is not there is one sentence on the page.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.access.levels import Level

LONGEST_NAME = 10_000  # characters of a name or a value as a form sends it; the graph takes fewer

ActionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
PageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Words = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
Coordinate = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
"""In the picture's own units: the ring around an entity has the radius 1."""


class Do(BaseModel):
    """An action. Fields that it does not have are ignored."""

    model_config = ConfigDict(extra="ignore")
    view: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    """What of the graph the page has in view: left, right, bottom, top. New nodes stand there."""
    level: ClassVar[Level] = Level.VIEWER
    writes: ClassVar[bool] = False
    """Whether it always asks for a new text, which may have to wait."""


class Settings(BaseModel):
    """Settings of the decoder; those that are left out are as the page starts with them."""

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: Annotated[int, Field(le=480)] | None = None
    guided: bool | None = None


class Ask(Do):
    """Write a text for a prompt."""

    writes: ClassVar[bool] = True
    action: Literal["ask"]
    prompt: str
    settings: Settings = Settings()


class AskAbout(Do):
    """Write a text about an entity, by the id of its node (`ask-about`) or by its name (`try`)."""

    writes: ClassVar[bool] = True
    action: Literal["ask-about", "try"]
    id: str = ""
    name: Words = ""


class AskOffered(Do):
    """Ask again with the new name of an entity in the prompt."""

    writes: ClassVar[bool] = True
    action: Literal["ask-offered"]


class Stop(Do):
    """Stop writing, and keep what is written."""

    action: Literal["stop"]


class Select(Do):
    """Open a fact, a lookup or a node; expand a node or collapse it."""

    action: Literal["fact", "miss", "lookup", "node", "expand", "collapse"]
    id: str


class Move(Do):
    """Move a node of the graph; this is not an edit."""

    action: Literal["move"]
    id: str
    at: tuple[Coordinate, Coordinate]


class Draw(Do):
    """Open the form for a fact that is drawn from a node, to another one or to a free place."""

    level: ClassVar[Level] = Level.EDITOR
    action: Literal["draw"]
    id: str
    target: str = ""
    at: tuple[Coordinate, Coordinate] | None = None


class DrawCancel(Do):
    """Close the form of a drawn fact."""

    action: Literal["draw-cancel"]


class View(Do):
    """Choose which text to see, or show the raw lookups."""

    action: Literal["tab", "raw"]
    tab: Literal["before", "changes", "after"] = "changes"


class Search(Do):
    """Find entities by typed text: for the prompt (`search`) or as a value (`suggest`)."""

    action: Literal["search", "suggest"]
    text: Words = ""


class Pick(Do):
    """Put a found entity into the prompt."""

    action: Literal["pick"]
    id: str


class Edit(Do):
    """Edit the draft, and rewrite the text."""

    level: ClassVar[Level] = Level.EDITOR
    action: Literal["change", "relation", "delete", "add", "rename", "merge", "restore"]
    id: str = ""
    fields: dict[str, Words] = Field(default_factory=dict, max_length=8)
    reason: Words = ""


class Undo(Do):
    """Undo an edit of the draft, redo it, or discard all edits."""

    level: ClassVar[Level] = Level.EDITOR
    action: Literal["undo", "redo", "discard"]


class Load(Do):
    """Add the facts of a file or a text to the draft, and ask about the first.

    `data` has the bytes of a file in base64. `again` reads the file that was only shown once more,
    with the encoding or the columns in `fields`.
    """

    level: ClassVar[Level] = Level.EDITOR
    action: Literal["take-facts"]
    name: Words | None = None
    text: str | None = None
    data: str | None = None
    again: str | None = None
    fields: dict[str, Words] | None = None
    example: str | None = None
    problem: str | None = None
    size: int | None = None


class Example(Do):
    """Play an example, which edits the draft."""

    level: ClassVar[Level] = Level.EDITOR
    writes: ClassVar[bool] = True
    action: Literal["example"]
    name: str


class Verify(Do):
    """Verify a fact, show the page *Verify* (`verify-open`), or take its verdict as a file."""

    action: Literal["verify-open", "verify", "verify-export"]
    id: str = ""


class VerifyText(Do):
    """Verify a whole text, ask an ordinary model the same, stop it, or take the result as a file.

    `fields` has a typed prompt; without them it is the text of this tab.
    """

    action: Literal["verify-text", "verify-ordinary", "verify-text-stop", "verify-text-export"]
    fields: dict[str, Words] = Field(default_factory=dict, max_length=8)
    how: Literal["", "again", "back"] = ""


class VerifyList(Do):
    """Verify listed facts or a random sample, stop it, or take the result as a file."""

    action: Literal["verify-list", "verify-stop", "verify-list-export"]
    fields: dict[str, Words] = Field(default_factory=dict, max_length=8)
    format: Literal["", "json", "csv", "html"] = ""


class DeleteSurvivor(Do):
    """Delete a fact that would give a verified value back, in the draft."""

    level: ClassVar[Level] = Level.EDITOR
    action: Literal["verify-delete"]
    id: str


class Wrong(Do):
    """Open the form for an answer that is wrong, or close it (`wrong`), or save what is right."""

    level: ClassVar[Level] = Level.EDITOR
    action: Literal["wrong", "wrong-save"]
    fields: dict[str, Words] = Field(default_factory=dict, max_length=8)


class Publish(Do):
    """Write the draft to the shared store."""

    level: ClassVar[Level] = Level.PUBLISHER
    action: Literal["publish"]


AnyDo = Annotated[
    Ask
    | AskAbout
    | AskOffered
    | Stop
    | Select
    | Move
    | Draw
    | DrawCancel
    | View
    | Search
    | Pick
    | Edit
    | Undo
    | Load
    | Example
    | Verify
    | VerifyText
    | VerifyList
    | DeleteSurvivor
    | Wrong
    | Publish,
    Field(discriminator="action"),
]


class Action(BaseModel):
    """One action of one page. Sent again with the same id, it is done once."""

    id: ActionId
    page: PageId
    do: AnyDo

    def event(self) -> dict[str, Any]:
        """As `app.state.actions.act` takes it."""
        return {**self.do.model_dump(exclude_none=True), "write_id": self.id}


class Reply(BaseModel):
    """What became of an action. The page itself is in the events."""

    id: str
    refused: str = ""
    """Why it changed nothing, in one sentence; the page shows the same."""
    before: int = 0
    """Texts that are written before the one that the action asked for."""
