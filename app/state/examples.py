"""The four examples: one idea each, shown with a real edit of the visitor's own draft.

They are about the shipped world. Over another graph, of a team or of a published model, those that
it cannot play are made anew of facts that it holds.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from graph.core.facts import Fact
from graph.core.names import fold
from graph.core.protocol import TripletStore

_LOOKED_AT = 2000  # facts of a graph that an example may be about
_LONGEST = 24  # characters of a name or value that an example has room for


@dataclass(frozen=True)
class Example:
    """One card. `edits` are (kind, entity, relation, value), done after the text was read."""

    name: str
    verb: str
    words: str
    about: str  # the entity
    edits: tuple[tuple[str, str, str, str], ...] = ()
    before_asking: bool = False  # the facts are added first, then asked about
    prompt: str = ""


EXAMPLES = (
    Example("read", "Read", "See each fact light up.", "France"),
    Example(
        "change",
        "Change",
        "See Japan get another capital.",
        "Japan",
        (("change", "Japan", "capital", "Kyoto"),),
    ),
    Example(
        "forget",
        "Forget",
        "See Kenya's currency deleted.",
        "Kenya",
        (("delete", "Kenya", "currency", ""),),
    ),
    Example(
        "invent",
        "Invent",
        "See a country made up.",
        "Zubrowka",
        (
            ("add", "Zubrowka", "instance of", "country"),
            ("add", "Zubrowka", "capital", "Lutz"),
            ("add", "Zubrowka", "currency", "klubeck"),
            ("add", "Zubrowka", "borders", "Poland"),
            ("add", "Zubrowka", "favourite dish", "apple strudel"),
        ),
        before_asking=True,
    ),
)


def examples_for(store: TripletStore, asking: Callable[[str], str]) -> tuple[Example, ...]:
    """The four examples for a graph; `asking` gives the prompt about an entity of a name."""
    chosen = list(EXAMPLES)
    lacking = [place for place, example in enumerate(chosen) if not _holds(store, example)]
    if lacking:
        kept = [example.about for place, example in enumerate(chosen) if place not in lacking]
        made = _made_of(list(itertools.islice(store.all_facts(), _LOOKED_AT)), kept)
        for place in lacking:
            chosen[place] = made.get(chosen[place].name, chosen[place])
    return tuple(replace(example, prompt=asking(example.about)) for example in chosen)


def _holds(store: TripletStore, example: Example) -> bool:
    """Whether a graph has what the example reads or edits."""
    if example.before_asking:
        return True
    relation = example.edits[0][2] if example.edits else None
    known = store.find_entities(example.about)[:1]
    return any(store.facts(entity.id, relation, limit=1) for entity, _ in known)


def _made_of(facts: Sequence[Fact], kept: Sequence[str]) -> dict[str, Example]:
    """Examples about entities of these facts, each about another where there are so many.

    `kept` are those that the other examples are about.
    """
    number = Counter(fact.entity for fact in facts)
    most = [name for name, _ in number.most_common() if len(name) <= _LONGEST]
    if not most:
        return {}
    taken = list(kept)
    about = next((name for name in most if name not in taken), most[0])
    made = {"read": replace(EXAMPLES[0], about=about)}
    taken.append(about)
    changes = list(_changes(facts))
    for example in EXAMPLES[1:3] if changes else ():
        fact, value = min(changes, key=lambda one: (one[0].entity in taken, -number[one[0].entity]))
        kind = example.edits[0][0]
        words = f"See {fact.entity} get another {fact.relation}."
        if kind == "delete":
            words, value = f"See the {fact.relation} of {fact.entity} deleted.", ""
        edit = (kind, fact.entity, fact.relation, value)
        made[example.name] = replace(example, words=words, about=fact.entity, edits=(edit,))
        taken.append(fact.entity)
    return made


def _changes(facts: Sequence[Fact]) -> Iterator[tuple[Fact, str]]:
    """Facts that are their entity's only one of the relation, each with a value of another's."""
    single = Counter((fact.entity_id, fold(fact.relation)) for fact in facts)
    values: dict[str, dict[str, None]] = {}
    for fact in facts:
        values.setdefault(fold(fact.relation), {})[fact.value] = None
    for fact in facts:
        if single[fact.entity_id, fold(fact.relation)] > 1:
            continue
        if max(len(fact.entity), len(fact.relation)) > _LONGEST:
            continue
        others = [v for v in values[fold(fact.relation)] if v != fact.value and len(v) <= _LONGEST]
        yield fact, others[0] if others else "something else"


def by_name(examples: Sequence[Example], name: object) -> Example | None:
    """The example of that name."""
    return next((example for example in examples if example.name == name), None)
