"""The four examples: one idea each, shown with a real edit of the visitor's own draft.

They are about the shipped world. Another graph, of a team or of a published model, may lack what an
example needs. That example is then replaced by one about facts that the graph holds.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from graph.core.facts import Fact
from graph.core.names import fold
from graph.core.protocol import TripletStore

_FACTS_READ = 2000  # facts of a graph among which examples are chosen
_LONGEST = 24  # characters of a name or value that an example has room for


@dataclass(frozen=True)
class Example:
    """One card. `edits` are (kind, entity, relation, value) and follow once the text is written."""

    name: str
    verb: str
    words: str
    about: str  # the entity
    edits: tuple[tuple[str, str, str, str], ...] = ()
    before_asking: bool = False  # whether the edits come first and the question after them
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
        "See Einstein's birthplace deleted.",
        "Albert Einstein",
        (("delete", "Albert Einstein", "birthplace", ""),),
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


def examples_for(store: TripletStore, prompt_about: Callable[[str], str]) -> tuple[Example, ...]:
    """The four examples for a graph; `prompt_about` gives the prompt for an entity's name."""
    chosen = list(EXAMPLES)
    lacking = [place for place, example in enumerate(chosen) if not _holds(store, example)]
    if lacking:
        kept = [example.about for place, example in enumerate(chosen) if place not in lacking]
        made = _made_of(list(itertools.islice(store.all_facts(), _FACTS_READ)), kept)
        for place in lacking:
            chosen[place] = made.get(chosen[place].name, chosen[place])
    return tuple(replace(example, prompt=prompt_about(example.about)) for example in chosen)


def _holds(store: TripletStore, example: Example) -> bool:
    """Whether a graph holds what the example reads or edits."""
    if example.before_asking:
        return True
    relation = example.edits[0][2] if example.edits else None
    known = store.find_entities(example.about)[:1]
    return any(store.facts(entity.id, relation, limit=1) for entity, _ in known)


def _made_of(facts: Sequence[Fact], kept: Sequence[str]) -> dict[str, Example]:
    """Examples about entities of these facts, each about a different one if there are enough.

    `kept` are the entities of the examples that stay.
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
    """Facts whose entity has one value for the relation, each with another entity's value."""
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
