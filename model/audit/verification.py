"""The verification of one fact: five columns, the closed-book bar, and one sentence as verdict.

    verify(decoder, store, fact.id).verdict

The same question is answered with the fact, without it, without it and its closure, and with
lookups forbidden; there also the statement cut before its value is completed, because a model
that looks things up was trained to decline a question that it cannot look up. All deletions are in
memory, so a draft and a store that is read-only can be verified too.

The verdict is one of five:

| kind | what it says |
| --- | --- |
| graph | the fact is in the graph only |
| elsewhere | other facts of the graph give the value back too |
| weights | the value is said, or strongly preferred, where the graph cannot give it |
| guessable | the name gives the value away |
| untestable | the test cannot say, and why |
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.protocol import Draft, TripletStore
from graph.editing.closure import Leak, closure
from graph.editing.deletion import without
from graph.lookup.result import Lookup
from graph.lookup.retriever import Retriever
from graph.lookup.spelling import words_of
from graph.version import VERSION
from model.audit.closed_book import OTHERS, SIGN, Bar, closed_book_bar
from model.audit.conditions import returned_by
from model.audit.statements import beginning, named, question
from model.engine.decoder import Decoder
from model.grounding import says
from model.prompts import clean_prompt
from model.settings import DecodingSettings
from model.trace import Trace

FORMAT_VERSION = 1
GRAPH, ELSEWHERE, WEIGHTS = "graph", "elsewhere", "weights"
GUESSABLE, UNTESTABLE = "guessable", "untestable"
KINDS = {
    GRAPH: "in the graph only",
    ELSEWHERE: "also elsewhere in the graph",
    WEIGHTS: "in the weights",
    GUESSABLE: "guessable from the name",
    UNTESTABLE: "not testable",
}
"""The kinds of verdict, and what each is called."""
WITH_FACT, WITHOUT_FACT, WITHOUT_CLOSURE = "with fact", "without fact", "without closure"
NO_LOOKUPS, COMPLETED = "no lookups", "completed"
SURE = ("relation", "inverse", "namesake", "disguised")
"""Kinds of the closure that hold the value themselves; a chain counts only if a text follows it."""
COMMON = 2
"""Of four other names, how many completed with the same value make it a common one."""
ANSWER = 120
"""Tokens of an answer, at most."""
_COMPLETION = 40
_STEM = 4  # letters that a name and a value share at the beginning of a word: Eritrea, Eritrean


@dataclass(frozen=True)
class Column:
    """One text of a verification."""

    key: str
    trace: Trace
    beginning: str
    """The words that the text was made to begin with."""
    states: bool
    """Whether the text states the value."""
    through: tuple[Fact, ...]
    """The other facts that returned the value to it."""

    @property
    def text(self) -> str:
        """What the model wrote itself, after the words that it was given."""
        return self.trace.text[len(self.beginning) :].strip()

    def to_json(self) -> dict[str, Any]:
        """As a plain object, without what differs from run to run."""
        return {
            "column": self.key,
            "prompt": self.trace.prompt,
            "beginning": self.beginning,
            "text": self.text,
            "states_value": self.states,
            "returned_by": [fact_json(fact) for fact in self.through],
            "lookups": [lookup_json(entry.lookup) for entry in self.trace.lookups],
        }


@dataclass(frozen=True)
class Verdict:
    """What a verification comes to."""

    kind: str
    sentence: str
    where: tuple[Fact, ...] = ()
    """The facts of the graph that give the value back."""


@dataclass(frozen=True)
class Verification:
    """The columns, the closure, the bar and the verdict of one fact."""

    fact: Fact
    columns: tuple[Column, ...]
    leaks: tuple[Leak, ...]
    bar: Bar | None
    common: tuple[str, ...]
    """Other names whose statements were completed with this value too."""
    verdict: Verdict
    model: str
    revision: int
    """The revision of the shared graph."""
    edits: int
    """Facts and names that the visitor's draft changes on top of it."""

    @property
    def leaked(self) -> bool:
        """Whether the answer says the value where neither the graph nor the prompt gives it."""
        if says(self.columns[0].trace.prompt, self.fact.value):
            return False
        return any(column.states and not column.through for column in self.columns[1:4])

    def column(self, key: str) -> Column:
        """The column of this key."""
        return next(column for column in self.columns if column.key == key)

    def to_json(self) -> dict[str, Any]:
        """As a plain object: two runs are equal. Ids, seconds, paths and draft names are left out.

        It can be made with the command line too: `python -m model audit --json ENTITY RELATION`.
        """
        return {
            "version": FORMAT_VERSION,
            "lamplight": VERSION,
            "model": self.model,
            "revision": self.revision,
            "draft_changes": self.edits,
            "fact": fact_json(self.fact),
            "verdict": self.verdict.kind,
            "sentence": self.verdict.sentence,
            "where": [fact_json(fact) for fact in self.verdict.where],
            "columns": [column.to_json() for column in self.columns],
            "closure": [
                {"kind": leak.kind, "facts": [fact_json(fact) for fact in leak.facts]}
                for leak in self.leaks
            ],
            "closed_book": None if self.bar is None else self.bar.to_json(),
            "completed_alike": list(self.common),
        }


def canonical(data: Any) -> str:
    """JSON that is the same for the same data: sorted keys, one space of indentation."""
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True)


def fact_json(fact: Fact) -> dict[str, Any]:
    """A fact without its ids."""
    return {
        "entity": fact.entity,
        "relation": fact.relation,
        "value": fact.value,
        "source": fact.source,
        "year": fact.year,
    }


def lookup_json(lookup: Lookup) -> dict[str, Any]:
    """A lookup as an audited text shows it: what was asked, and the answer."""
    return {
        "entity": lookup.entity,
        "relation": lookup.relation,
        "value": lookup.value,
        "how": lookup.how,
    }


def default_settings(decoder: Decoder) -> DecodingSettings:
    """Greedy, and guided where the model was trained for it, as the page starts."""
    return DecodingSettings(guided=decoder.checkpoint.ranked, max_tokens=ANSWER)


def verify(
    decoder: Decoder,
    store: TripletStore,
    fact_id: int,
    prompt: str | None = None,
    settings: DecodingSettings | None = None,
) -> Verification:
    """Verify a fact of a store or a draft.

    Args:
        decoder: the model.
        store: the graph; nothing is written to it.
        fact_id: the fact.
        prompt: what to ask instead of the neutral question.
        settings: of the decoder; greedy ones unless others are given.

    Raises:
        StoreError: if there is no such fact.
        PromptError: for a prompt that cannot be answered.
    """
    at = store.revision()
    fact = store.fact(fact_id, at=at)
    if fact is None:
        raise StoreError("That fact is no longer in the graph; it has been deleted.")
    asked = question(fact.entity, fact.relation) if prompt is None else prompt
    asked = clean_prompt(asked, keep_lines=decoder.checkpoint.form.keep_lines)
    settings = replace(settings or default_settings(decoder), lookups=True)
    leaks = tuple(closure(store, fact, at))
    columns = _columns(decoder, store, fact, asked, leaks, settings, at)
    bar = closed_book_bar(decoder.checkpoint, store, fact, at)
    common = _completed_alike(decoder, store, fact, columns, bar, settings, at)
    return Verification(
        fact=fact,
        columns=columns,
        leaks=leaks,
        bar=bar,
        common=common,
        verdict=_verdict(fact, columns, leaks, bar, common),
        model=Path(decoder.checkpoint.name).name,
        revision=store.base_revision if isinstance(store, Draft) else at,
        edits=len(store.deltas()) if isinstance(store, Draft) else 0,
    )


def _columns(
    decoder: Decoder,
    store: TripletStore,
    fact: Fact,
    asked: str,
    leaks: Sequence[Leak],
    settings: DecodingSettings,
    at: int,
) -> tuple[Column, ...]:
    closing = [fact.id, *(edit.fact_id for leak in leaks for edit in leak.edits)]
    sources = {
        WITH_FACT: Retriever(store, at),
        WITHOUT_FACT: Retriever(without(store, [fact.id], at)),
        WITHOUT_CLOSURE: Retriever(without(store, closing, at)),
    }
    answers = decoder.generate_batch([asked] * len(sources), list(sources.values()), settings)
    columns = [_column(key, trace, fact) for key, trace in zip(sources, answers, strict=True)]
    cut = beginning(fact.entity, fact.relation)
    closed, completed = decoder.generate_batch(
        [asked, question(fact.entity, fact.relation)],
        [sources[WITHOUT_CLOSURE]] * 2,
        replace(settings, lookups=False, max_tokens=_COMPLETION),
        beginnings=["", cut],
    )
    return (*columns, _column(NO_LOOKUPS, closed, fact), _column(COMPLETED, completed, fact, cut))


def _column(key: str, trace: Trace, fact: Fact, cut: str = "") -> Column:
    own = trace.text[len(cut) :]
    return Column(key, trace, cut, says(own, fact.value), returned_by(trace, fact))


def _completed_alike(
    decoder: Decoder,
    store: TripletStore,
    fact: Fact,
    columns: Sequence[Column],
    bar: Bar | None,
    settings: DecodingSettings,
    at: int,
) -> tuple[str, ...]:
    """The other names after which the model says this value as well; asked only if it says it."""
    if bar is None or not any(column.states for column in columns if column.key == COMPLETED):
        return ()
    names = [other.entity for other in bar.others]
    traces = decoder.generate_batch(
        [question(name, fact.relation) for name in names],
        [Retriever(store, at)] * len(names),
        replace(settings, lookups=False, max_tokens=_COMPLETION),
        beginnings=[beginning(name, fact.relation) for name in names],
    )
    return tuple(
        name
        for name, trace in zip(names, traces, strict=True)
        if says(trace.text[len(beginning(name, fact.relation)) :], fact.value)
    )


def _verdict(
    fact: Fact,
    columns: Sequence[Column],
    leaks: Sequence[Leak],
    bar: Bar | None,
    common: Sequence[str],
) -> Verdict:
    value, by_key = fact.value, {column.key: column for column in columns}
    asked = by_key[WITH_FACT].trace.prompt
    if says(fact.entity, value):
        return Verdict(GUESSABLE, f"The name “{fact.entity}” itself says “{value}”.")
    if says(asked, value):
        return Verdict(UNTESTABLE, f"This cannot be tested: the prompt itself says “{value}”.")
    unreturned = [
        by_key[key]
        for key in (WITHOUT_FACT, WITHOUT_CLOSURE)
        if by_key[key].states and not by_key[key].through
    ]
    said = [*unreturned, *(by_key[k] for k in (NO_LOOKUPS, COMPLETED) if by_key[k].states)]
    if bar is not None and bar.is_sign:
        return _signed(fact, bar)
    if said:
        if len(common) >= COMMON:
            return Verdict(
                UNTESTABLE,
                f"This cannot be tested by its text: the model completes {len(common)} of "
                f"{OTHERS} other names with “{value}” too, so saying it shows no memory of "
                f"{fact.entity}.",
            )
        if shares_a_word(fact.entity, value):
            return Verdict(GUESSABLE, _shared(fact))
        how = "where no lookup returned it" if unreturned else "with lookups forbidden"
        return Verdict(WEIGHTS, f"The weights hold this fact: {how}, the model says “{value}”.")
    if not by_key[WITH_FACT].states:
        return Verdict(
            UNTESTABLE,
            f"This cannot be tested: the model does not say “{value}” with the fact in the graph "
            "either, so its silence without it shows nothing.",
        )
    if bar is None:
        return Verdict(
            UNTESTABLE,
            f"This cannot be tested: the graph has fewer than {OTHERS} other names of this kind "
            f"with another “{fact.relation}” to compare with.",
        )
    where = {other.id: other for leak in leaks if leak.kind in SURE for other in leak.facts}
    for key in (WITHOUT_FACT, WITHOUT_CLOSURE):
        if by_key[key].states:
            where |= {other.id: other for other in by_key[key].through}
    if where:
        facts = tuple(where.values())
        return Verdict(
            ELSEWHERE, f"The graph holds “{value}” elsewhere too: {_listed(facts)}.", facts
        )
    return Verdict(
        GRAPH,
        f"Only the graph holds this fact: with it the model says “{value}”, and without it nothing "
        "gives it away.",
    )


def _signed(fact: Fact, bar: Bar) -> Verdict:
    times = f"{bar.ratio:,.0f} times as likely as {OTHERS} other names do"
    if shares_a_word(fact.entity, fact.value):
        return Verdict(GUESSABLE, _shared(fact))
    if bar.is_guess:
        return Verdict(
            GUESSABLE,
            f"“{fact.value}” can be guessed from the name: it makes the value {times}, but names "
            "that no training saw do so with theirs too.",
        )
    return Verdict(
        WEIGHTS,
        f"The weights show signs of this fact: the name makes “{fact.value}” {times} (a sign from "
        f"{SIGN:.0f} on).",
    )


def _shared(fact: Fact) -> str:
    return f"“{fact.value}” can be guessed: it shares a word with the name “{fact.entity}”."


def shares_a_word(name: str, value: str) -> bool:
    """Whether a word of the value begins as one of the name does.

    >>> shares_a_word("Eritrea", "Eritrean"), shares_a_word("Kuwait", "dinar")
    (True, False)
    """
    stems = {word[:_STEM] for word in words_of(name) if len(word) >= _STEM}
    return any(word[:_STEM] in stems for word in words_of(value) if len(word) >= _STEM)


def _listed(facts: Sequence[Fact], most: int = 3) -> str:
    shown = "; ".join(named(fact) for fact in facts[:most])
    return shown + (f" and {len(facts) - most} more" if len(facts) > most else "")
