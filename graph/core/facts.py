"""What a fact is: names and their folded keys, entities, facts, ids, and values as one string.

Everything here is plain data and pure functions; no store is needed. `fold` is the only function
that makes a key, and `join_values` the only one that makes one string of several values: the
corpus, the decoder and the grounding share them.
"""

from __future__ import annotations

import random
import re
import threading
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graph.core.errors import InvalidText, StoreError

RELATIONS = "relations"  # the reserved relation: answered with the names of an entity's relations
UNKNOWN = "unknown"  # what a lookup that finds nothing is answered with
MAX_VALUES = 5  # values shown of one entity and relation; the rest is counted
_UNSHOWN = re.compile(r"and \d+ more")
MAX_RELATIONS = 8  # names in the answer to `relations`
MAX_NAME = 512  # characters of an entity's, an alias's or a relation's name
MAX_VALUE = 4096  # characters of a literal
LARGEST_ID = 2**63 - 1

# Characters that reorder the text around them: they let a value disguise what stands beside it.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MONTH = (
    "(?:january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_NUMBER_OR_DATE = re.compile(
    rf"""[+\-−]?[\d][\d\s.,:/\-–−]*%?                      # 2012; 3,000.5; 1867-11-07; 12:30
       | (?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{_MONTH}\.?(?:\s+\d{{1,2}}(?:st|nd|rd|th)?,?)?\s+\d{{1,4}}
       | \d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}              # 14 July
       | \d{{1,4}}\s*(?:bc|bce|ad|ce)""",
    re.VERBOSE | re.IGNORECASE,
)


def shown(text: str, length: int = 60) -> str:
    """`text` as a sentence may quote it: shortened, with nothing in it that acts on a terminal."""
    visible = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: length + 1])
    return f"“{visible[:length]}…”" if len(visible) > length else f"“{visible}”"


def _clean(text: str, what: str, longest: int) -> str:
    if not isinstance(text, str):
        raise InvalidText(f"The {what} {text!r:.60} is not text; give it as a string.")
    if len(text) > 4 * longest:  # do not normalise a megabyte only to refuse it
        raise InvalidText(
            f"The {what} {shown(text)} has {len(text):,} characters; at most {longest:,} are kept."
        )
    if text.isascii() and text.isprintable():  # the common case, ten times as fast
        cleaned = " ".join(text.split())
    else:
        cleaned = " ".join(unicodedata.normalize("NFC", text).split())
        for character in cleaned:
            if unicodedata.category(character) in ("Cc", "Cs") or character in _REORDERING:
                raise InvalidText(
                    f"The {what} {shown(text)} has the control character "
                    f"U+{ord(character):04X} in it; remove it."
                )
        if all(unicodedata.category(c) in ("Cf", "Mn", "Zs") for c in cleaned):
            cleaned = ""
    if not cleaned:
        raise InvalidText(f"The {what} is empty; type at least one visible character.")
    if len(cleaned) > longest:
        raise InvalidText(
            f"The {what} {shown(cleaned)} has {len(cleaned):,} characters; "
            f"at most {longest:,} are kept."
        )
    return cleaned


def clean_name(text: str, what: str = "name") -> str:
    """A name as it is kept: NFC, runs of white space as one space, stripped, 1 to 512 characters.

    Raises `InvalidText` (a `ValueError`) in one sentence: empty, too long, control characters.
    """
    return _clean(text, what, MAX_NAME)


def clean_value(text: str) -> str:
    """A literal as it is kept: as `clean_name`, but up to 4,096 characters."""
    return _clean(text, "value", MAX_VALUE)


def clean_note(text: str, what: str, longest: int = 500) -> str:
    """A source, author or reason as it is kept; may be empty."""
    return _clean(text, what, longest) if text and not text.isspace() else ""


def clean_sources(text: str) -> str:
    """Sources as a fact keeps them, joined by "; "; each is a note, and there may be any number.

    A fact of a large corpus names every passage in which it was looked up, and what is written out
    has to be read in again.
    """
    parts = [clean_note(part, "source") for part in text.split("; ")] if text else []
    return "; ".join(part for part in parts if part)


def fold(text: str) -> str:
    """The key that spellings of one name share: NFKC, case fold, `_` and spaces as one space.

    >>> fold("New_York  CITY")
    'new york city'
    """
    return _fold_short(text) if len(text) <= MAX_NAME else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        key = " ".join(text.lower().replace("_", " ").split())
    else:
        once = unicodedata.normalize("NFKC", text).casefold()  # folding can undo normal form,
        key = " ".join(unicodedata.normalize("NFKC", once).replace("_", " ").split())  # so twice
    return key or text  # a name of underscores alone keeps itself as its key


_fold_short = lru_cache(maxsize=65536)(_fold)  # what a model rambles is not kept


def is_number_or_date(value: str) -> bool:
    """Whether a value reads as a number or a date: such a value is never a link by accident."""
    return _NUMBER_OR_DATE.fullmatch(value.strip()) is not None


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that facts are about. Its name is unique; keys and aliases may be shared."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data, the id as text (63 bits do not survive a browser's numbers)."""
        return {"id": str(self.id), "name": self.name, "aliases": list(self.aliases)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entity:
        return cls(parse_id(data["id"]), data["name"], tuple(data.get("aliases", ())))


@dataclass(frozen=True, slots=True)
class Fact:
    """One triplet, as it stands at the revision that was read."""

    id: int
    entity_id: int
    entity: str
    relation: str
    value: str
    """The literal, or the linked entity's name at the revision that was read."""
    value_id: int | None = None
    """The linked entity's id; None for a literal."""
    source: str = ""
    """Where the fact comes from; several sources are joined by "; "."""
    year: int | None = None
    """The year the value is of, where it ages (a population, a head of state)."""
    since: int = 0
    """The shared store's revision that wrote it so; 0 where a draft added it."""

    @property
    def is_link(self) -> bool:
        """Whether the value is another entity."""
        return self.value_id is not None

    def to_json(self) -> dict[str, Any]:
        """Plain data, ids as text."""
        return {
            "id": str(self.id),
            "entity_id": str(self.entity_id),
            "entity": self.entity,
            "relation": self.relation,
            "value": self.value,
            "value_id": None if self.value_id is None else str(self.value_id),
            "source": self.source,
            "year": self.year,
            "since": self.since,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fact:
        value_id = data.get("value_id")
        return cls(
            id=parse_id(data["id"]),
            entity_id=parse_id(data["entity_id"]),
            entity=data["entity"],
            relation=data["relation"],
            value=data["value"],
            value_id=None if value_id is None else parse_id(value_id),
            source=data.get("source", ""),
            year=data.get("year"),
            since=data.get("since", 0),
        )


@dataclass(frozen=True, slots=True)
class JoinedValues:
    """Several values as one string, and where each shown one stands in it."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """Begin and end in `text` of each shown value, at most `MAX_VALUES`."""


def join_values(values: Sequence[str], most: int = MAX_VALUES) -> JoinedValues:
    """Values as one string: joined by "; ", at most five, then "and N more".

    >>> join_values(["A", "B", "C", "D", "E", "F", "G"]).text
    'A; B; C; D; E; and 2 more'
    """
    spans: list[tuple[int, int]] = []
    begin = 0
    for value in values[:most]:
        spans.append((begin, begin + len(value)))
        begin += len(value) + 2
    text = "; ".join(values[:most])
    if len(values) > most:
        text += f"; and {len(values) - most} more"
    return JoinedValues(text, tuple(spans))


def split_values(text: str) -> list[str]:
    """The values that `join_values` joined; those that it only counted are left out.

    >>> split_values("A; B; C; D; E; and 2 more")
    ['A', 'B', 'C', 'D', 'E']
    """
    values = text.split("; ")
    if len(values) == MAX_VALUES + 1 and _UNSHOWN.fullmatch(values[-1]):
        values.pop()
    return values


def parse_id(text: object) -> int:
    """The id that came back as text from a page; raises `StoreError` for a made-up one."""
    number = str(text)
    if not (number.isascii() and number.isdigit() and 0 < int(number[:20]) <= LARGEST_ID):
        raise StoreError(f"{shown(number)} is no id of this store; choose from what it shows.")
    return int(number)


def is_id(number: object) -> bool:
    """Whether a number can be an id at all; what is asked for any other is simply not there."""
    return type(number) is int and 0 < number <= LARGEST_ID


_last_id = 0
_id_lock = threading.Lock()


def new_id() -> int:
    """A 63-bit id, later ones larger: 42 bits of milliseconds, then 21 that tell apart.

    The first id of a millisecond starts at a random place, so two processes do not meet.
    """
    return new_ids(1)[0]


def new_ids(count: int) -> range:
    """So many ids in a row, as `new_id` gives them one by one."""
    global _last_id
    with _id_lock:
        fresh = (time.time_ns() // 1_000_000 << 21) | random.getrandbits(20)
        first = max(fresh, _last_id + 1)
        _last_id = first + count - 1
        return range(first, first + count)
