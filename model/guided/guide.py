"""Which names the lookups of one text may hold.

    guide = Guides(checkpoint).guide(Retriever(store), "what's the capital of japan")
    guide.entities([])              # ("japan",)
    guide.relations("japan", [])    # ("relations", "capital", "currency", ...)

At the entity's place only names count that the prompt mentions, as it spells them, and those that
earlier lookups returned. At the relation's place it is `relations`, until the entity's list was
looked up, or any relation of the entity, inverse ones and those left out of the list included. If
the graph knows nothing that the prompt mentions, the entity is free text, and so is the relation
of an entity that the graph does not hold. Whether a lookup opens is the
model's choice. Only right after a list that is ranked for the prompt, a checkpoint that was
calibrated lets that choice depend on the ranking too (model/judgement.py), and it states a value
before it looks up the next. It also begins with the list of an entity if the prompt plainly asks
for one of its relations.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Protocol

from graph.core.facts import MAX_RANKED, RELATIONS
from graph.core.inverse import inverse_name
from graph.core.names import fold, without_article
from graph.lookup.mentions import DEMONYM
from graph.lookup.relation_paths import RelationPath
from graph.lookup.relevance import asks_for_work, asks_yes_or_no, clauses
from graph.lookup.result import Askable, Lookup, RankedRelation
from model.checkpoint import Checkpoint
from model.guided.description import asked_of_described
from model.guided.stated_name import NO_END, is_listed, spellings
from model.guided.trie import NameTrie, Path, Tries
from model.guided.word_check import WordCheck
from model.judgement import Judgement

FITTING = 40.0  # nats that a name loses for each unit of score by which another fits better
PLAINLY = 0.62  # score of a relation that a prompt plainly asks for
_TRUE, _FALSE = frozenset({"yes", "true", "y"}), frozenset({"no", "false", "n"})
_ASKS = re.compile(r"\b(?:what|which|who|whose|whom|where|when|how)\b", re.I)
PART_OF_A_NAME = 4.0  # nats that a name loses if it is only a part of another one


def _words(text: str) -> str:
    """The words and numbers of a text, folded, with one space between them."""
    return " ".join(re.findall(r"\d[\d.,]*\d|[^\W_]+", fold(text)))


def _parts_of_others(names: Sequence[str]) -> list[str]:
    """The names whose words are a part of another name."""
    words = {name: f" {fold(without_article(name))} " for name in names}
    return [
        name
        for name in names
        if any(words[name] != other and words[name] in other for other in words.values())
    ]


def _said_of_another(prompt: str, names: Sequence[str]) -> str:
    """The name that a question ends in, right after another: "Is Macron French?"; "" if none is.

    It is what the question says of the other, and not what it asks about.
    """
    words = prompt.rstrip(" ?.!").replace("\n", " ")
    for last in names:
        before = words.removesuffix(last).rstrip()
        if before == words.rstrip():
            continue
        before = before.removesuffix(" the").removesuffix(" a").removesuffix(" an").rstrip()
        if any(before.endswith(name) for name in names if name != last and name not in last):
            return last
    return ""


class GuideSource(Protocol):
    """What guidance needs of a graph, all from one revision; `Retriever` has it."""

    def mentioned(self, prompt: str) -> Sequence[str]:
        """The names that a prompt calls entities by, as it spells them."""
        ...

    def askable(self, name: str, context: str | None = None) -> Askable | None:
        """What lookups find under a name of an entity; None if they find nothing."""
        ...

    def lookup(self, entity: str, relation: str, context: str | None = None) -> Lookup:
        """Answer one query; with a `context`, the prompt, `relations` is ranked by relevance."""
        ...

    def path(self, name: str, context: str, asked: str) -> RelationPath | None:
        """Which two relations in a row the prompt asks for, from an entity that it names."""
        ...

    def held(self, names: Sequence[str]) -> list[str]:
        """Those of the names that the graph has for entities."""
        ...

    @property
    def compares_meaning(self) -> bool:
        """Whether lists are ranked by meaning, and not by shared words alone."""
        ...


class Guides:
    """Makes the guides of one checkpoint, which share the encoded names."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint, self._tries = checkpoint, Tries(checkpoint)

    def guide(self, source: GuideSource, prompt: str) -> Guide:
        """The guide of one text."""
        return Guide(self._checkpoint, source, prompt, self._tries)


class Guide:
    """The names that the lookups of one text may hold, on one state of the graph."""

    def __init__(
        self, checkpoint: Checkpoint, source: GuideSource, prompt: str, tries: Tries
    ) -> None:
        self._checkpoint, self._source, self._tries = checkpoint, source, tries
        self._prompt = prompt
        self._context = prompt if checkpoint.ranked else None
        self._judged_yes_or_no = checkpoint.judgement is not None and asks_yes_or_no(prompt)
        self._mentioned: tuple[str, ...] | None = None
        self._askable: dict[str, Askable | None] = {}
        self._fitting: dict[str, float] | None = None  # of the names mentioned
        self._plainly: bool | None = None
        self._best: dict[str, tuple[str, float]] = {}  # by name, what `_best_own` found
        self._returned: dict[int, list[str]] = {}  # by the id of a lookup that is kept in it
        self._kept: list[Lookup] = []
        self._checked: tuple[int, WordCheck] | None = None  # for that many lookups
        self._leading: dict[str, bool] = {}  # by name, what `leads_on` found
        self._paths: dict[str, RelationPath | None] = {}  # by name in the prompt
        self._parts: dict[tuple[str, str], Sequence[RankedRelation]] = {}  # by part and entity

    def entities(self, lookups: Sequence[Lookup]) -> tuple[str, ...]:
        """The names that the next lookup may ask about; none if it is free text."""
        if self._mentioned is None:
            self._mentioned = tuple(self._source.mentioned(self._prompt))
        names = dict.fromkeys(self._mentioned)
        for lookup in lookups:
            names.update(dict.fromkeys(self._names_of(lookup)))
        return tuple(name for name in names if self.relations(name, lookups))

    def relations(self, entity: str, lookups: Sequence[Lookup]) -> tuple[str, ...]:
        """What the next lookup may ask about an entity; none if it is free text.

        In the order of the entity's list, once it was looked up.
        """
        askable = self._askable_as(entity)
        if askable is None:  # a name that the graph does not know, or no name
            named = bool(lookups) or self._mentioned is None or entity not in self._mentioned
            return () if named or not self._checkpoint.relations else (RELATIONS,)
        names = dict.fromkeys(askable.relations)
        listed = self._list_of(entity, lookups)
        if listed is None and askable.listed and self._checkpoint.relations:
            return (RELATIONS, *names)
        if listed is not None:
            ranked = [one.name for one in listed.ranking or () if one.name in names]
            names = dict.fromkeys([*ranked, *names])
        own = [one for one in lookups if one.entity_id == askable.entity_id]
        asked = {fold(name) for one in own for name in (one.relation, one.resolved_relation or "")}
        asked |= self._ways_back(askable, lookups)
        return tuple(name for name in names if fold(name) not in asked) or tuple(names)

    def _ways_back(self, askable: Askable, lookups: Sequence[Lookup]) -> set[str]:
        """The relations that lead from an entity only to where a lookup has just found it.

        Whoever asks how high the highest point of France is does not ask what it is that of.
        """
        back = {
            fold(inverse_name(lookup.resolved_relation))
            for lookup in lookups
            if lookup.resolved_relation and lookup.entity_id != askable.entity_id
            if any(
                askable.entity_id in fact.entity_ids or fold(fact.value) == fold(askable.entity)
                for fact in lookup.facts
            )
        }
        if not back:
            return back
        mentioned = (self._askable_as(name) for name in self._mentioned or ())
        asked_for = any(one and one.entity_id == askable.entity_id for one in mentioned)
        return set() if asked_for else back

    def entity_trie(self, lookups: Sequence[Lookup], room: int) -> NameTrie | None:
        """The names for the entity's place, if they and a relation take at most `room` tokens."""
        markers = self._checkpoint.markers
        fitting = []
        for name in self.entities(lookups):
            shortest = min(len(self._tries.encode(r)) for r in self.relations(name, lookups))
            if len(self._tries.encode(name)) + 1 + shortest <= room:
                fitting.append(name)
        return self._tries.trie(fitting, markers.relationship, room)

    def relation_trie(self, entity: str, lookups: Sequence[Lookup], room: int) -> NameTrie | None:
        """The names for the relation's place, those of at most `room` tokens."""
        markers = self._checkpoint.markers
        return self._tries.trie(self.relations(entity, lookups), markers.return_, room)

    def stated_trie(self, lookups: Sequence[Lookup], text: str) -> NameTrie | None:
        """How a sentence may call what was looked up last: one relation, or those of a list.

        Of a list, those that the `text` since then has not named yet.
        """
        last = lookups[-1] if lookups else None
        if last is None or last.is_miss:
            return None
        if fold(last.relation) == RELATIONS:
            listed = [one.name for one in (last.ranking or ())[:MAX_RANKED]]
            names = [name for name in listed if not is_listed(name, text)]
        else:
            names = [last.relation]
        forms = dict.fromkeys(form for name in names for form in spellings(name))
        return self._tries.trie(tuple(forms), NO_END, self._checkpoint.context)

    def word_check(self, lookups: Sequence[Lookup]) -> WordCheck:
        """The words that a sentence may hold after these lookups, besides those of English."""
        if self._checked is None or self._checked[0] != len(lookups):
            given = (text for one in lookups for text in (one.entity, one.relation, one.value))
            names = (one.resolved_entity or "" for one in lookups)
            self._checked = len(lookups), WordCheck((self._prompt, *given, *names))
        return self._checked[1]

    def value_ids(self, lookups: Sequence[Lookup]) -> list[Path]:
        """What the last lookup found and of whom, in tokens, as a sentence states it."""
        last = lookups[-1]
        values = [last.value[begin:end] for begin, end in last.value_spans]
        return [self._tries.encode(text) for text in (*values, last.resolved_entity) if text]

    def factors(self, entity: str, lookups: Sequence[Lookup]) -> dict[str, float]:
        """By how much a relation counts more because it is relevant: logarithms, by name."""
        judgement, listed = self._judgement(), self._list_of(entity, lookups)
        if judgement is None or listed is None:
            return {}
        ranking: Sequence[RankedRelation] = listed.ranking or ()
        if part := self._part_left(entity, lookups):
            ranking = self._ranked_for(part, entity) or ranking
        factors = {one.name: judgement.relevance * one.score for one in ranking}
        if (step := self._step(entity, lookups)) in factors:
            factors[step] += FITTING
        return factors

    def _part_left(self, entity: str, lookups: Sequence[Lookup]) -> str:
        """The part of a prompt that no lookup about an entity has answered yet; "" if none is left.

        Of "Who publishes Locus Iste and in what language is it sung?", the second relation has to
        fit the second part, and not just be the next best for any part.
        """
        askable = self._askable_as(entity)
        own = [
            fold(one.resolved_relation or "")
            for one in lookups
            if askable and one.entity_id == askable.entity_id and not one.is_miss
            if fold(one.relation) != RELATIONS
        ]
        if not own:
            return ""
        called = [n for n in self._mentioned or () if self._askable_as(n) == askable]
        _, *parts = clauses(self._prompt, [entity, *called]) or [""]
        if len(parts) < 2:
            return ""
        for relation in own[: len(parts)]:
            scores = [
                {fold(one.name): one.score for one in self._ranked_for(part, entity)}
                for part in parts
            ]
            fits = [found.get(relation, 0.0) for found in scores]
            del parts[fits.index(max(fits))]
        return parts[0] if parts else ""

    def _ranked_for(self, part: str, entity: str) -> Sequence[RankedRelation]:
        """An entity's relations as they fit a part of the prompt; read once."""
        if (part, entity) not in self._parts:
            self._parts[part, entity] = self._source.lookup(entity, RELATIONS, part).ranking or ()
        return self._parts[part, entity]

    def _step(self, entity: str, lookups: Sequence[Lookup]) -> str:
        """The relation of an entity that is a step of the path the prompt asks for; "" if none."""
        if path := self._path_from(entity):
            return path.relation
        for lookup in lookups:
            path = self._path_from(lookup.entity)
            if path and self._is_step(path, lookup) and self._leads_to(lookup) == entity:
                return path.following
        return ""

    def _is_step(self, path: RelationPath, lookup: Lookup) -> bool:
        return not lookup.is_miss and fold(lookup.resolved_relation or "") == fold(path.relation)

    def _leads_to(self, lookup: Lookup) -> str:
        """The only thing that a lookup returned, if the graph holds it; else ""."""
        found = [name for name in self._names_of(lookup) if name != lookup.resolved_entity]
        return found[0] if len(found) == 1 == len(lookup.value_spans) else ""

    def _path_from(self, entity: str) -> RelationPath | None:
        """The path that the prompt asks for from an entity, however the prompt calls it."""
        askable = self._askable_as(entity)
        if self._judgement() is None or askable is None or self._mentioned is None:
            return None
        if self._judged_yes_or_no and not _ASKS.search(self._prompt):
            return None  # it names the value, not only what to look up
        for name in self._mentioned:
            meant = self._askable_as(name)
            if meant is None or meant.entity_id != askable.entity_id:
                continue
            if name not in self._paths:
                asked = asked_of_described(self._prompt, name)
                path = self._source.path(name, self._prompt, asked) if asked else None
                self._paths[name] = path
            if self._paths[name]:
                return self._paths[name]
        return None

    def entity_factors(self, lookups: Sequence[Lookup]) -> dict[str, float]:
        """By how much a name counts less: logarithms, by name.

        It does if it is a part of another, and in a question for yes or no if another one has a
        relation that fits better. In "Was Isaac Newton French?", Isaac is hardly meant.
        """
        names = self.entities(lookups) if self._checkpoint.judgement else ()
        factors = dict.fromkeys(_parts_of_others(names), -PART_OF_A_NAME)
        if lead := self.leads_on(lookups):
            factors |= {name: -FITTING for name in names if name != lead}
        if not lookups:
            if self._judged_yes_or_no and (said := _said_of_another(self._prompt, names)):
                factors[said] = factors.get(said, 0.0) - FITTING
            for name, factor in self._fit_of(names).items():
                if factor:
                    factors[name] = factors.get(name, 0.0) + factor
        return factors

    def _fit_of(self, names: Sequence[str]) -> dict[str, float]:
        """By how much a name counts less because another has a relation that fits better.

        A question for yes or no names a value too: "Is Lyon the capital of France?" asks for the
        capital of France, although Lyon is a major city of it. Only what is stated of an entity
        counts, because that gives the right value where the answer is no.
        """
        if self._judgement() is None or not self._judged_yes_or_no or len(names) < 2:
            return {}
        if self._fitting is None or self._fitting.keys() != set(names):
            best = {name: self._best_own(name) for name in names}
            backwards = {fold(inverse_name(relation)) for relation, _ in best.values()}
            scores = {
                # "capital of" may be stated too, but no city has it if the answer is no.
                name: 0.0 if fold(relation) in backwards and relation.endswith(" of") else score
                for name, (relation, score) in best.items()
            }
            most = max(scores.values())
            self._fitting = {
                name: FITTING * (score - most) if self._askable_as(name) else 0.0
                for name, score in scores.items()
            }
        return self._fitting

    def _best_own(self, name: str) -> tuple[str, float]:
        """The relation stated of an entity that fits best, and its score; read once a name."""
        if name not in self._best:
            self._best[name] = self._read_best_own(name)
        return self._best[name]

    def _read_best_own(self, name: str) -> tuple[str, float]:
        askable = self._askable_as(name)
        if askable and not askable.own:  # known by a short form: what its own name has
            askable = self._askable_as(askable.entity)
        own = set(askable.relations[: askable.own]) if askable else set()
        ranking = self._source.lookup(name, RELATIONS, self._prompt).ranking or ()
        found = [(one.name, one.score) for one in ranking if one.name in own]
        return max(found, key=lambda pair: pair[1], default=("", 0.0))

    def affirms(self, lookups: Sequence[Lookup]) -> bool | None:
        """Whether the prompt names one of the values of the last lookup.

        A text that answers with yes or no says yes if it does. None if the lookup found nothing, if
        yes or no is not what the prompt asks for, and where two things are compared.
        """
        lookup = lookups[-1]
        if lookup.is_miss or not self._judged_yes_or_no:
            return None
        others = (one for one in lookups[:-1] if one.entity_id != lookup.entity_id)
        if any(one.resolved_relation == lookup.resolved_relation != RELATIONS for one in others):
            return None
        values = [lookup.value[begin:end] for begin, end in lookup.value_spans]
        for fact in lookup.facts:
            values.append(fact.entity if lookup.how == "inverse" else fact.value)
        values += [part for value in values if ";" in value for part in value.split(";")]
        values = [value for value in values if value.strip()]
        said = f" {_words(self._prompt)} "
        if any(f" {_words(value)} " in said for value in values):
            return True
        if any(f" {_words(people)} " in said for people in self._peoples(values)):
            return True
        keys = {fold(value) for value in values}
        if self.found_a_flag(lookups):
            return keys <= _TRUE
        meant = (self._askable_as(name) for name in self.entities(()))
        return any(fold(one.entity) in keys for one in meant if one is not None)

    def found_a_flag(self, lookups: Sequence[Lookup]) -> bool:
        """Whether the last lookup found yes or no: "Is Van 7 refrigerated?"."""
        lookup = lookups[-1]
        if lookup.is_miss or fold(lookup.relation) == RELATIONS or not lookup.value_spans:
            return False
        values = {fold(lookup.value[begin:end]) for begin, end in lookup.value_spans}
        return values <= _TRUE or values <= _FALSE

    def _peoples(self, values: Sequence[str]) -> list[str]:
        """What the people of places among the values are called: German, for Germany."""
        found = []
        for place in self._source.held(list(dict.fromkeys(values))):
            called = self._source.lookup(place, DEMONYM)
            if not called.is_miss and called.entity_id is not None and called.how != "fuzzy":
                found += [called.value[begin:end] for begin, end in called.value_spans]
        return found

    def opens(self, lookups: Sequence[Lookup], opening: float) -> bool | None:
        """Whether a lookup follows right after these; None if that is the model's choice.

        After a list that is ranked for the prompt, it does if one of its relations fits the prompt,
        or if the list is that of a value, of which nothing else can be asked. A text begins with
        one if the prompt plainly asks for something.

        Args:
            lookups: those so far.
            opening: the model's probability to open a lookup now.
        """
        judgement = self._judgement()
        if not lookups:  # the model's own choice, unless it is against what is plain
            return True if opening < 0.5 and self.asks_plainly() else None
        if judgement is None or fold(lookups[-1].relation) != RELATIONS:
            return None
        if lookups[-1].entity_by == "literal":  # a prompt names a value to ask what has it
            return True
        if self._step(lookups[-1].resolved_entity or "", lookups):
            return True
        best = max((one.score for one in lookups[-1].ranking or ()), default=0.0)
        return judgement.fits(opening, best) > 0 if best else None  # 0: in stated order

    def asks_plainly(self) -> bool:
        """Whether a relation stated of an entity that the prompt mentions clearly fits the prompt.

        Nobody who asks "Is Van 7 refrigerated?" wants to hear that the model does not judge.
        """
        if self._plainly is None:
            judged = self._judgement() is not None and not asks_for_work(self._prompt)
            self._plainly = judged and any(
                self._best_own(name)[1] >= PLAINLY or self._path_from(name)
                for name in self.entities(())
            )
        return self._plainly

    def leads_on(self, lookups: Sequence[Lookup]) -> str:
        """The name of the thing that the prompt asks about by describing it; "" if there is none.

        "How big is the tank Lockkeeper is in?" asks about the tank, once it is found, if something
        that the graph has of it fits "How big is".
        """
        judgement, last = self._judgement(), lookups[-1] if lookups else None
        if judgement is None or last is None or last.is_miss or fold(last.relation) == RELATIONS:
            return ""
        if len({lookup.entity_id for lookup in lookups}) > 1:
            return ""
        found = self._leads_to(last)
        if not found:
            return ""
        if found not in self._leading:
            path = self._path_from(last.entity)
            on_path = path is not None and self._is_step(path, last)
            self._leading[found] = on_path or self._fits_described(found, last, lookups)
        return found if self._leading[found] else ""

    def _fits_described(self, found: str, last: Lookup, lookups: Sequence[Lookup]) -> bool:
        """Whether a relation of what was found fits what the prompt asks about it."""
        judgement, asked = self._judgement(), asked_of_described(self._prompt, last.entity)
        if judgement is None:
            return False
        own = set(self.relations(found, lookups)) if asked else set()
        ranking = self._source.lookup(found, RELATIONS, asked).ranking if asked else None
        best = max((one.score for one in ranking or () if one.name in own), default=0.0)
        return judgement.fits(0.5, best) > 0

    def states_first(self, lookups: Sequence[Lookup]) -> bool:
        """Whether the text states the value of the last lookup before it looks up anything else.

        It does if the prompt asks for it: if the list that it was chosen from is ranked for the
        prompt, and nothing else that the prompt mentions is still to be looked up, as in a
        comparison.
        """
        if self._judgement() is None or not lookups or lookups[-1].is_miss:
            return False
        last = lookups[-1]
        listed = self._list_of(last.entity, lookups)
        if fold(last.relation) == RELATIONS or listed is None:
            return False
        known = {fold(name) for lookup in lookups for name in self._names_of(lookup)}
        mentioned = self.entities(())
        parts = _parts_of_others(mentioned)
        for name in mentioned:
            meant = self._askable_as(name)
            if name not in parts and meant and fold(meant.entity) not in known:
                return False
        return any(one.score for one in listed.ranking or ())  # 0: in stated order

    def _judgement(self) -> Judgement | None:
        return self._checkpoint.judgement if self._source.compares_meaning else None

    def _list_of(self, entity: str, lookups: Sequence[Lookup]) -> Lookup | None:
        """The latest list of an entity's relations; None if there is none."""
        askable = self._askable_as(entity)
        lists = [one for one in lookups if fold(one.relation) == RELATIONS]
        about = (askable.entity_id, askable.entity) if askable else None
        lists = [one for one in lists if (one.entity_id, one.resolved_entity) == about]
        return lists[-1] if lists else None

    def _askable_as(self, entity: str) -> Askable | None:
        if entity not in self._askable:
            self._askable[entity] = self._source.askable(entity, self._context)
        return self._askable[entity]

    def digest(self, entity: str, lookups: Sequence[Lookup]) -> str:
        """A key of all names that the next lookup could choose from, if it is about `entity`."""
        names: tuple[tuple[object, ...], ...]
        names = (self.entities(lookups), self.relations(entity, lookups))
        if not lookups and self.asks_plainly():
            names = (*names, (PLAINLY,))
        for factors in (self.factors(entity, lookups), self.entity_factors(lookups)):
            if factors:
                names = (*names, tuple(factors.values()))
        return hashlib.blake2b(repr(names).encode(), digest_size=8).hexdigest()

    def _names_of(self, lookup: Lookup) -> list[str]:
        """The names of entities that a lookup returned: in front of a list, and its values."""
        if id(lookup) not in self._returned:
            values = [lookup.value[begin:end] for begin, end in lookup.value_spans]
            names = [*([lookup.resolved_entity] if lookup.resolved_entity else []), *values]
            held = [] if lookup.is_miss else self._source.held(names)
            if lookup.entity_by == "literal" and lookup.resolved_entity not in held:
                held = [*names[:1], *held]
            self._returned[id(lookup)] = held
            self._kept.append(lookup)
        return self._returned[id(lookup)]
