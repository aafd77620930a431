"""The trace: the record of one generation, as plain data, versioned, to and from JSON.

The page, the export, the tests and the evaluation all read it. `tokens` follow the prompt; the ids
of the whole document are `prompt_ids` and then the ids of `tokens`.
"""

from __future__ import annotations

import math
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graph.core.errors import UserError
from graph.lookup.result import Lookup
from graph.version import VERSION
from model.roles import Role
from model.settings import DecodingSettings

FORMAT_VERSION = 1


class TraceError(UserError, ValueError):
    """JSON that is not a trace, or not one of this version."""


@dataclass(frozen=True, slots=True)
class TraceToken:
    """One token. `probability` is the model's own, at temperature 1, before any token was
    forbidden; a forced token has none."""

    id: int
    text: str  # "" while the bytes of a character are incomplete, and for the end of the document
    role: Role
    probability: float | None
    forced: bool

    def to_json(self) -> dict[str, Any]:
        """As a plain object, the role by its name."""
        return {
            "id": self.id,
            "text": self.text,
            "role": self.role.name.lower(),
            "probability": self.probability,
            "forced": self.forced,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TraceToken:
        """From `to_json`."""
        probability = data["probability"]
        return cls(
            id=int(data["id"]),
            text=str(data["text"]),
            role=Role[data["role"].upper()],
            probability=None if probability is None else float(probability),
            forced=bool(data["forced"]),
        )


@dataclass(frozen=True, slots=True)
class TraceLookup:
    """One lookup and its position: `tokens[start:end]`, both outer markers included.

    `closed` is how the query ended: "model" (the model wrote it up to `<|db_return|>`), "length"
    (it exceeded the limit) or "order" (a marker out of order, or the document ended inside it).
    The last two were never sent to the graph and count as a miss.

    Of a guided lookup, `considered` has the likeliest names for the relation's place, each with the
    model's probability of the whole name, and `guidance` is a key of all names that were allowed.
    """

    index: int  # from 0, in the order of the text
    start: int
    end: int
    lookup: Lookup
    closed: str = "model"
    considered: tuple[tuple[str, float], ...] = ()
    guidance: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a plain object."""
        data: dict[str, Any] = {
            "index": self.index,
            "start": self.start,
            "end": self.end,
            "lookup": self.lookup.to_json(),
            "closed": self.closed,
        }
        if self.considered:
            data["considered"] = [list(pair) for pair in self.considered]
        if self.guidance:
            data["guidance"] = self.guidance
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TraceLookup:
        """From `to_json`."""
        return cls(
            index=int(data["index"]),
            start=int(data["start"]),
            end=int(data["end"]),
            lookup=Lookup.from_json(data["lookup"]),
            closed=str(data["closed"]),
            considered=tuple(
                (str(name), float(probability)) for name, probability in data.get("considered", ())
            ),
            guidance=str(data.get("guidance", "")),
        )


class TracedText:
    """Tokens and lookups, and what a reader sees of them; the text may still be in progress."""

    prompt: str
    tokens: list[TraceToken]
    lookups: list[TraceLookup]

    @cached_property
    def _visible_texts(self) -> list[str]:
        """The part of each token that a reader sees.

        A lookup disappears and leaves one space. Released LMLM checkpoints write one space before
        it and, because of their tokenizer, two after it.
        """
        visible: list[str] = []
        last = " "  # visible character; the text begins without white space
        started = False  # whether any text is visible yet
        leading = True  # whether only spaces came since the start or since a lookup
        for token in self.tokens:
            text = token.text if token.role == Role.TEXT else ""
            if token.role == Role.MARKER:
                leading = True
            elif text and leading:
                words = text.lstrip(" ") if started else text.lstrip()
                leading = not words
                text = words if last.isspace() or text[0] != " " else " " + words
            if text:
                started, last = True, text[-1]
            visible.append(text)
        return visible

    @cached_property
    def token_spans(self) -> list[tuple[int, int]]:
        """Start and end of each token in `text`; a token of a lookup has an empty span."""
        spans, position = [], 0
        for text in self._visible_texts:
            spans.append((position, position + len(text)))
            position += len(text)
        return spans

    @cached_property
    def text(self) -> str:
        """What a reader sees: the text without lookups and without leading white space."""
        return "".join(self._visible_texts)

    @property
    def raw(self) -> str:
        """The text with its lookups, as the model wrote them."""
        return "".join(token.text for token in self.tokens)

    def position(self, lookup: TraceLookup) -> int:
        """The position of a lookup in `text`: the words after it begin there."""
        return self.token_spans[lookup.end - 1][1]

    def probability(self, start: int, end: int) -> float | None:
        """The model's probability of `text[start:end]`: the product over its tokens."""
        spans = self.token_spans
        first = bisect_right(spans, start, key=lambda span: span[1])
        beyond = bisect_left(spans, end, key=lambda span: span[0])
        product = [
            token.probability
            for token in self.tokens[first:beyond]
            if token.probability is not None
        ]
        return math.prod(product) if product else None


@dataclass
class Trace(TracedText):
    """The record of one generation."""

    prompt: str
    prompt_ids: list[int]
    tokens: list[TraceToken]
    lookups: list[TraceLookup]
    model: str  # name of the checkpoint
    settings: DecodingSettings
    revision: int  # of the graph that was read
    state: str  # key of store, revision and draft
    finish: str  # "end" (of the document), "length", "context" (full) or "cancelled"
    seconds: float  # of computation in the decoder
    reused: int = 0  # tokens copied from the trace that this one regenerates
    version: int = FORMAT_VERSION
    weights: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of the model's files
    program: str | None = VERSION  # version of Lamplight that wrote it; None in older traces
    written: str | None = None  # when it was finished: ISO 8601, UTC; None in older traces
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def ids(self) -> list[int]:
        """The ids of the whole document, the prompt's first."""
        return self.prompt_ids + [token.id for token in self.tokens]

    def to_json(self) -> dict[str, Any]:
        """As a plain object that `json` can write."""
        return {
            "version": self.version,
            "lamplight": self.program,
            "id": self.id,
            "written": self.written,
            "prompt": self.prompt,
            "text": self.text,
            "model": self.model,
            "weights": dict(self.weights),
            "revision": self.revision,
            "state": self.state,
            "finish": self.finish,
            "seconds": self.seconds,
            "reused": self.reused,
            "settings": self.settings.to_json(),
            "prompt_ids": self.prompt_ids,
            "tokens": [token.to_json() for token in self.tokens],
            "lookups": [lookup.to_json() for lookup in self.lookups],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trace:
        """From `to_json`.

        Raises:
            TraceError: if this is not a trace.
        """
        version = data.get("version") if isinstance(data, dict) else None
        if version != FORMAT_VERSION:
            raise TraceError(
                f"This is not a trace of version {FORMAT_VERSION} (its version is {version}); "
                "write the text again and export its trace."
            )
        try:
            return cls(
                id=str(data["id"]),
                prompt=str(data["prompt"]),
                prompt_ids=[int(token) for token in data["prompt_ids"]],
                tokens=[TraceToken.from_json(token) for token in data["tokens"]],
                lookups=[TraceLookup.from_json(lookup) for lookup in data["lookups"]],
                model=str(data["model"]),
                settings=DecodingSettings.from_json(data["settings"]),
                revision=int(data["revision"]),
                state=str(data["state"]),
                finish=str(data["finish"]),
                seconds=float(data["seconds"]),
                reused=int(data["reused"]),
                weights={str(k): str(v) for k, v in data.get("weights", {}).items()},
                program=data.get("lamplight"),
                written=None if data.get("written") is None else str(data["written"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TraceError(f"The trace cannot be read ({error!r}); export it again.") from error
