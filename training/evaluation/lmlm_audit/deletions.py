"""What is deleted for a prompt of LMLMAudit: its fact in every spelling, and what else holds it.

The suite deletes each triplet whose entity, relation and value are those of the prompt's row or
listed there as aliases (`database_states.py` of https://github.com/raeesiarya/LMLMAudit). This does
the same, in memory. What of the graph would still give the value back is the closure
(graph/editing/closure.py); such rows are counted apart, with and without their closure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graph.core.facts import Fact
from graph.core.protocol import TripletStore
from graph.editing.closure import closure
from graph.editing.deletion import without
from graph.lookup.retriever import Retriever
from model.audit.verification import SURE
from model.grounding import says
from training.annotation.alignment import spellings
from training.evaluation.lmlm_audit.matching import exact_match, words
from training.evaluation.lmlm_audit.suite_files import PromptRow


@dataclass(frozen=True)
class Deletion:
    """The facts of one prompt."""

    facts: tuple[Fact, ...]
    """The prompt's fact, in each spelling that the graph holds."""
    closure: tuple[int, ...]
    """Ids of the other facts that give its value back; none if `held` is false."""
    values: tuple[str, ...]
    """The value and its aliases. An alias that is a name of the entity is not among them: the
    suite lists "Canada" for the ISO code "CA" of Canada."""
    spellings: tuple[str, ...]
    """How a text may write any of `values`."""
    named: bool
    """Whether the entity's name says the value, so that saying it shows nothing."""

    @property
    def held(self) -> bool:
        """Whether another fact holds the value."""
        return bool(self.closure)


class Deletions:
    """The deletions of the prompts of one graph.

    Args:
        store: the graph; nothing is written to it.
    """

    def __init__(self, store: TripletStore) -> None:
        self._store = store
        self._facts: dict[str, list[Fact]] = {}
        self._found: dict[PromptRow, Deletion | None] = {}
        for fact in store.all_facts():
            self._facts.setdefault(words(fact.entity), []).append(fact)

    def of(self, row: PromptRow) -> Deletion | None:
        """What is deleted for a prompt; None if the graph does not hold its fact."""
        if row not in self._found:
            self._found[row] = self._deletion(row)
        return self._found[row]

    def intact(self) -> Retriever:
        """Lookups with all facts."""
        return Retriever(self._store)

    def deleted(self, deletion: Deletion, *, closed: bool = False) -> Retriever:
        """Lookups without the facts of a prompt, and without their closure if `closed`."""
        ids = [fact.id for fact in deletion.facts]
        return Retriever(without(self._store, [*ids, *(deletion.closure if closed else ())]))

    def _deletion(self, row: PromptRow) -> Deletion | None:
        facts = tuple(self._facts_of(row))
        if not facts:
            return None
        ids = {fact.id for fact in facts}
        leaks = [leak for fact in facts for leak in closure(self._store, fact)]
        sure = [leak for leak in leaks if leak.kind in SURE and leak.facts[-1].id not in ids]
        held = {leak.facts[-1].id for leak in leaks} - ids if sure else set()
        names = {words(name) for name in (row.entity, *row.entity_aliases)}
        aliases = [alias for alias in row.value_aliases if words(alias) not in names]
        values = tuple(dict.fromkeys((row.value, *aliases)))
        written = (one for fact in facts for one in spellings(self._store, fact))
        known = tuple(dict.fromkeys((*values, *written)))
        named = any(says(row.entity, one) for one in known)
        return Deletion(facts, tuple(sorted(held)), values, known, named)

    def _facts_of(self, row: PromptRow) -> Iterable[Fact]:
        keys = {words(name) for name in (row.entity, *row.entity_aliases)}
        for fact in (fact for name in keys for fact in self._facts.get(name, ())):
            if fact.entity == row.entity and (fact.relation, fact.value) == row.fact[1:]:
                yield fact  # also of names that hold no words
            elif exact_match(fact.relation, row.relation, row.relation_aliases) and exact_match(
                fact.value, row.value, row.value_aliases
            ):
                yield fact
