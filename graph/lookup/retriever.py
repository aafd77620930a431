"""How a lookup is answered: the entity first, then the relation among that entity's own.

A retriever reads one revision throughout, so the lookups of one generation never disagree. Names
that the graph has in this spelling are answered directly. Other names are guessed by spelling and
meaning. A lookup is a miss if nothing is near enough, or if it means something that the graph does
not record.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock

from graph.core.errors import StoreError
from graph.core.facts import (
    MAX_RANKED,
    MAX_RELATIONS,
    MAX_VALUES,
    RELATIONS,
    UNKNOWN,
    Entity,
    Fact,
    join_relations,
    join_values,
)
from graph.core.identifiers import looks_like_iri
from graph.core.inverse import inverse_name
from graph.core.names import MAX_NAME, MAX_VALUE, fold, without_article
from graph.core.protocol import TripletStore
from graph.core.rules import ON_MISS, REFUSE_LACKING, SETTING, SETTINGS, SYNONYM
from graph.lookup.contrasts import contrasts, is_other_form
from graph.lookup.distinctions import are_different
from graph.lookup.encoder import Encoder, installed_encoder, question_encoder
from graph.lookup.incoming import Incoming
from graph.lookup.mentions import (
    Mention,
    demonyms_of,
    find_mentions,
    people_called,
    short_form,
    unknown_names,
)
from graph.lookup.relation_paths import MOST_STEPS, RelationPath, best_path, steps_from
from graph.lookup.relevance import asks_for_paragraph, blank, rank, wants_a_kind
from graph.lookup.result import Askable, Lookup, RankedRelation, RunnerUp
from graph.lookup.spelling import near
from graph.lookup.vocabulary import Meaning, Vocabulary

HOMONYMS = 8  # entities of one name, distinguished by a qualifier, at most
RUNNERS_UP = 5  # listed for a guessed lookup or a miss, at most
_CANDIDATES = 50  # entities compared letter by letter, at most
_COUNTED = 200  # facts in each direction; more do not make an entity better known
_NOBODY = 0  # stands for the id of an entity where a literal is asked about
_LEAST = 0.5  # lower scores are neither shown nor taken as the nearest
_NEAREST = "nearest"
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The lowest score of each kind of guess that counts as a hit, calibrated by `make bench`."""

    entity: float = 0.8
    """An entity by the spelling of its name: `graph.lookup.spelling.likeness`."""
    spelling: float = 0.75
    """A relation by the spelling of its name, measured likewise."""
    meaning: float = 0.6
    """A relation by the cosine of its embedding, as in arXiv 2505.15962."""
    entity_meaning: float = 0.8
    """An entity by the cosine of its name's embedding, if names are embedded."""


THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class _Found:
    """What a lookup is about, and how it was found."""

    entity: Entity
    """The entity, or what stands in its place: a literal."""
    how: str
    by: str
    score: float

    @property
    def id(self) -> int | None:
        """The entity's id; None if it is a literal."""
        return None if self.by == "literal" else self.entity.id

    @property
    def value(self) -> Entity | str:
        """What facts have as their value that inverse lookups ask about."""
        return self.entity.name if self.by == "literal" else self.entity


_INITIALS = re.compile(r"\b[A-Z]{2,4}\b")
_CLEARLY = 0.1  # of relevance by which another entity of a name is rather meant
_VALUES_READ = 200  # facts of an entity whose values a ranking reads
_REMEMBERED = 64  # names whose entities a retriever remembers, at most

_Resolved = tuple[_Found | None, list[tuple[Entity, float]], str]
"""The entity that a name stands for, others with their scores, and how they were found."""


def other_forms(name: str) -> list[str]:
    """A name as a sentence may hold it: without its article or possessive, or with an article.

    >>> other_forms("the Danube"), other_forms("Japan's")
    (['Danube'], ['Japan', 'the Japan'])
    """
    words = _POSSESSIVE.sub("", name.strip()[:MAX_NAME])
    bare = without_article(words)
    forms = dict.fromkeys((words, bare, f"the {bare}") if bare == words else (words, bare))
    return [form for form in forms if form and fold(form) != fold(name)]


def initials_apart(name: str) -> str:
    """A name with each run of capitals as initials, as others write them.

    >>> initials_apart("JRR Tolkien"), initials_apart("USS Heron"), initials_apart("NASA")
    ('J R R Tolkien', 'U S S Heron', 'N A S A')
    """
    return _INITIALS.sub(lambda run: " ".join(run[0]), name)


class Retriever:
    """Answers lookups from one store or draft at one revision."""

    def __init__(
        self,
        store: TripletStore,
        at: int | None = None,
        *,
        policy: str | None = None,
        thresholds: Thresholds = THRESHOLDS,
        encoder: Encoder | None = None,
        embeddings: bool = True,
        context: str = "",
        ranked: bool = False,
    ) -> None:
        """Pin a revision.

        Args:
            store: the store or draft to read.
            at: the revision; None for the newest.
            policy: how a miss is answered, "unknown" or "nearest"; None for the graph's setting.
            thresholds: the lowest scores that count as hits.
            encoder: compares meanings; None for the installed one.
            embeddings: False to compare spellings only, unless an `encoder` is given.
            context: the prompt, to which `ranked` lists are relevant.
            ranked: True to answer `relations` in order of relevance to the context, inverse
                relations included; False for the first names in stored order.

        Raises:
            StoreError: for a revision that does not exist yet, or an unknown policy.
        """
        newest = store.revision()
        self.store = store
        self.revision = newest if at is None else at
        if not 0 <= self.revision <= newest:
            raise StoreError(f"There is no revision {at}; the newest is {newest}.")
        if policy not in (None, *SETTINGS[ON_MISS][0]):
            raise StoreError(f"There is no policy {policy}; choose unknown or nearest.")
        self.state = store.state(self.revision)
        self.thresholds = thresholds
        self._policy = policy
        self._encoder = encoder
        self._embeddings = embeddings
        self._context = context if ranked else None
        self._settings: dict[str, str] | None = None
        self._written: dict[tuple[str, str | None], _Resolved | None] = {}

    def lookup(self, entity: str, relation: str, context: str | None = None) -> Lookup:
        """Answer one query. A miss is an answer too; no text makes this raise an error.

        With a `context`, the prompt, `relations` is answered as by a retriever of that context
        whose lists are ranked.
        """
        context = self._context if context is None else context
        if context is None or fold(relation) != RELATIONS:
            return self._look_up(entity, relation, None)
        found = self._look_up(entity, relation, context)
        return found if found.ranking is not None else replace(found, ranking=())

    def mentioned(self, prompt: str) -> tuple[str, ...]:
        """The names that a prompt calls entities by, as it spells them, in the order of the text.

        Shorter names inside a longer one are among them, and names without their article. If there
        are any, so is what the prompt writes as names that the graph does not know.
        """
        names: dict[str, None] = {}

        def add(mention: Mention) -> None:
            names[mention.text] = None
            names[without_article(mention.text)] = None
            for shorter in mention.inner:
                add(shorter)

        found = find_mentions(self.store, prompt, self.revision)
        for mention in found:
            add(mention)
        unknown = unknown_names(self.store, prompt, found, self.revision) if found else ()
        return tuple(dict.fromkeys((*names, *unknown)))

    def askable(self, name: str, context: str | None = None) -> Askable | None:
        """What lookups find under a name of an entity; None if they find nothing.

        With a `context`, the prompt, `name` may be what the prompt calls the entity.
        """
        found = self._resolve(name, context)[0]
        if found is None or found.how == "fuzzy":
            literal = self._askable_literal(name, context)
            if found is None or literal is not None:
                return literal
        known = found.entity
        names = {fold(own): own for own in self.store.relation_names(known.id, at=self.revision)}
        listed, own = bool(names) or context is not None, len(names)
        for inverse in Incoming(self.store, self.revision, known).names():
            names.setdefault(fold(inverse), inverse)
        if not names:
            return self._askable_literal(name, context)
        if found.by in ("short", "demonym"):  # only a list is looked up in a context
            plain = self._resolve(name, None)[0]
            if plain is None or plain.entity.id != known.id:
                names, own = {}, 0
        literal = self._askable_literal(name, None)
        for inverse in literal.relations if literal else ():
            names.setdefault(fold(inverse), inverse)
        return Askable(known.id, known.name, tuple(names.values()), listed, own)

    def _askable_literal(self, name: str, context: str | None) -> Askable | None:
        found = self._literal(name)
        if found is None:
            return None
        names = Incoming(self.store, self.revision, found.value).names()
        return Askable(None, found.entity.name, tuple(names), context is not None)

    def path(self, name: str, context: str, asked: str) -> RelationPath | None:
        """Which two relations in a row a prompt asks for, from an entity that it names.

        Args:
            name: what the prompt calls the entity.
            context: the prompt.
            asked: the prompt without the thing that it describes by the name.
        """
        ranking, encoder = self.lookup(name, RELATIONS, context).ranking, self._question_encoder()
        found = self._resolve(name, context)[0]
        if not ranking or encoder is None or found is None or found.id is None:
            return None
        steps = steps_from(self.store, self.revision, found.entity, [one.name for one in ranking])
        called = self._called(found.entity, name, context)
        few = list(islice(steps, MOST_STEPS))
        return best_path(context, called, asked, few, encoder, ranking[0].score)

    def held(self, names: Sequence[str]) -> list[str]:
        """Those of the names that the graph has for entities."""
        known = self.store.find_names([n for n in names if len(n) <= MAX_NAME], at=self.revision)
        return [name for name in names if name in known]

    @property
    def compares_meaning(self) -> bool:
        """Whether lists are ranked by meaning, and not by shared words alone."""
        return self._installed_encoder() is not None

    def _look_up(self, entity: str, relation: str, context: str | None) -> Lookup:
        resolved = self._as_written(entity, context)
        if resolved is None:
            answer = self._by_literal(entity, relation, context)
            if answer is not None:
                return answer
            resolved = self._guess_entity(entity)
        found, others, by = resolved
        runners_up = tuple(self._runner_up(other, relation, score) for other, score in others)
        if found is None:
            best, least = others[0][1] if others else 0.0, self._entity_threshold(by)
            return self._miss(entity, relation, None, runners_up, best, least)
        return self._answer(found, runners_up, entity, relation, context)

    def _resolve(self, entity: str, context: str | None) -> _Resolved:
        """The entity that a name stands for, others with their scores, and how they were found."""
        return self._as_written(entity, context) or self._guess_entity(entity)

    def _as_written(self, entity: str, context: str | None) -> _Resolved | None:
        """As `_resolve`, without guesses; None if no entity has the name in a form of it.

        Some names are remembered, because a text looks up one entity again and again, and on a
        server each time costs a round trip.
        """
        key = entity, context
        if key in self._written:
            return self._written[key]
        found = self._find_as_written(entity, context)
        if len(self._written) >= _REMEMBERED:
            self._written.clear()
        self._written[key] = found
        return found

    def _find_as_written(self, entity: str, context: str | None) -> _Resolved | None:
        def sure(how: str, by: str, entities: Sequence[Entity]) -> _Resolved:
            others = [(other, 1.0) for other in entities[1:]]
            return _Found(entities[0], how, by, 1.0), others, by

        candidates = self.store.find_entities(entity, at=self.revision)
        if candidates:
            alias = candidates[0][1] == "alias"
            how, by = ("alias", "alias") if alias else ("exact", "name")
            named = [known for known, _ in candidates]
            also = [] if context is None else self._also_called(entity, named)
            meant = self._likeliest(entity, [*named, *(other for _, other in also)], context)
            for other_by, other in also:
                if other is meant[0]:
                    how, by = "alias", other_by
            return sure(how, by, meant)
        if looks_like_iri(entity):
            identified = self.store.identified(entity, at=self.revision)
            if identified is not None:
                return sure("alias", "identifier", [identified])
        homonyms = self._homonyms(entity)
        if homonyms:
            return sure("alias", "qualifier", self._likeliest(entity, homonyms, context))
        for form in other_forms(entity):
            forms = [known for known, _ in self.store.find_entities(form, at=self.revision)]
            if forms or (forms := self._homonyms(form)):
                return sure("alias", "form", self._likeliest(entity, forms, context))
        if context is not None:
            by, meant = self._as_in_prompt(entity)
            if meant:
                return sure("alias", by, meant[: RUNNERS_UP + 1])
        return None

    def _also_called(self, name: str, named: Sequence[Entity]) -> list[tuple[str, Entity]]:
        """Others than those `named` so that a prompt may mean by a name, and how they are found.

        "Lincoln" is a city, and people say it of a film and of a person too; French is a language,
        and "the French capital" that of France.
        """
        if "(" in name:
            return []
        others = [("demonym", entity) for entity in self._of_people(name)]
        if name[:1].isupper():
            others += [("qualifier", entity) for entity in self._homonyms(name)]
            others += [("short", e) for e in short_form(self.store, name, self.revision)]
        known = {entity.id for entity in named}
        return [other for other in others if other[1].id not in known][:RUNNERS_UP]

    def _likeliest(
        self, name: str, entities: Sequence[Entity], context: str | None
    ) -> list[Entity]:
        """The entities; the one that has what the prompt asks for comes first.

        Jupiter is a planet to those who ask how far away it is, and a god to those who ask who his
        father was. The order stays where the prompt says nothing, or little.
        """
        if context is None or len(entities) < 2:
            return list(entities)
        fits = []
        for entity in entities[: RUNNERS_UP + 1]:
            found = _Found(entity, "alias", "qualifier", 1.0)
            ranking = self._ranked_list(found, (), name, RELATIONS, context).ranking or ()
            fits.append(max((one.score for one in ranking), default=0.0))
        best = max(range(len(fits)), key=lambda i: fits[i])
        if fits[best] < fits[0] + _CLEARLY:
            return list(entities)
        return [entities[best], *(e for e in entities if e.id != entities[best].id)]

    def _as_in_prompt(self, name: str) -> tuple[str, list[Entity]]:
        """The entities that a short form or a demonym stands for, and which of them it is."""
        people = self._of_people(name)
        if people:
            return "demonym", people
        return "short", short_form(self.store, name, self.revision)

    def _of_people(self, name: str) -> list[Entity]:
        """The entities whose people are called so."""
        key = fold(name[:MAX_NAME]).removeprefix("the ")
        found = people_called(demonyms_of(self.store, self.revision), key)
        known = [self.store.entity(entity.id, at=self.revision) for entity in found]
        return [entity for entity in known if entity]

    def _guess_entity(self, entity: str) -> _Resolved:
        """As `_guess`; if it finds nothing, with initials as words of their own."""
        found = self._guess(entity)
        apart = initials_apart(entity)
        if found[0] is None and apart != entity and (other := self._guess(apart))[0] is not None:
            return other
        return found

    def _guess(self, entity: str) -> _Resolved:
        ranked = near(
            entity[:MAX_NAME],
            self.store.candidates(entity[:MAX_NAME], _CANDIDATES, at=self.revision),
            self._count,
        )
        ranked = _answers_first(entity, [pair for pair in ranked if pair[1] >= _LEAST])
        by, enough = "spelling", bool(ranked) and ranked[0][1] >= self.thresholds.entity
        if not enough:
            meant = _answers_first(entity, self._meant_entities(entity))
            if meant and (meant[0][1] >= self.thresholds.entity_meaning or not ranked):
                by, enough = "meaning", meant[0][1] >= self.thresholds.entity_meaning
                ranked = meant
        if ranked and _is_another(entity, ranked[0][0]):
            return None, ranked[:RUNNERS_UP], by
        if ranked and (enough or self.policy == _NEAREST):
            (first, score), others = ranked[0], ranked[1:]
            return _Found(first, "fuzzy", by, score), others[:RUNNERS_UP], by
        return None, ranked[:RUNNERS_UP], by

    def _meant_entities(self, name: str) -> list[tuple[Entity, float]]:
        """Entities whose name means nearly the same, if names are embedded; best first."""
        encoder = self._installed_encoder()
        if encoder is None or not name.strip() or not self.store.has_vectors():
            return []
        (vector_D,) = encoder.encode([name[:MAX_NAME]])
        found = self.store.near_names(vector_D, RUNNERS_UP + 1, at=self.revision)
        return [pair for pair in found if pair[1] >= _LEAST]

    def _installed_encoder(self) -> Encoder | None:
        return self._encoder or (installed_encoder() if self._embeddings else None)

    def _answer(
        self,
        found: _Found,
        runners_up: tuple[RunnerUp, ...],
        entity: str,
        relation: str,
        context: str | None,
    ) -> Lookup:
        """The entity's facts of the relation in this spelling, or else of the one that is meant."""
        if fold(relation) == RELATIONS and context is not None:
            return self._ranked_list(found, runners_up, entity, relation, context)
        if fold(relation) == RELATIONS:
            names = self.store.relation_names(found.entity.id, at=self.revision)[:MAX_RELATIONS]
            if not names:
                return self._miss(entity, relation, found, runners_up)
            return self._hit(found, None, (), "; ".join(names), runners_up, entity, relation)
        facts = self.store.facts(found.entity.id, relation, at=self.revision)
        if facts:
            return self._hit(found, None, facts, "", runners_up, entity, relation)
        own = self.store.relation_identified(relation) if looks_like_iri(relation) else None
        own = own or self._inverse_twice(found.entity.id, relation[:MAX_NAME])
        if own is not None:
            facts = self.store.facts(found.entity.id, own, at=self.revision)
        if own is not None and facts:
            meaning = Meaning(own, 1.0, "synonym")
            return self._hit(found, meaning, facts, "", runners_up, entity, relation)
        answer = self._inverse(found, runners_up, entity, relation)
        if answer is None and found.how != "fuzzy":  # a guess comes after every literal
            answer = self._by_literal(entity, relation, context)
        return answer or self._guess_relation(found, runners_up, entity, relation)

    def _inverse(
        self, found: _Found, runners_up: tuple[RunnerUp, ...], entity: str, relation: str
    ) -> Lookup | None:
        """The entities whose facts have this value, if the inverse of their relation is asked.

        None if there are none, or if the entity had a relation of this name and lost it.
        """
        incoming = Incoming(self.store, self.revision, found.value)
        stored, listed, count = incoming.asked(relation[:MAX_NAME])
        if not stored:
            return None
        joined = join_values([fact.entity for fact in listed[:MAX_VALUES]])
        more = f"; and {count - MAX_VALUES} more" if count > MAX_VALUES else ""
        return replace(
            self._hit(found, None, listed, joined.text + more, runners_up, entity, relation),
            how="fuzzy" if found.how == "fuzzy" else "inverse",
            resolved_relation=inverse_name(stored[0]),
            relation_by="inverse",
            value_spans=joined.spans,
        )

    def _by_literal(self, entity: str, relation: str, context: str | None) -> Lookup | None:
        """The answer if the entity's name is a literal that the relation's inverse is asked of."""
        found = self._literal(entity)
        if found is None:
            return None
        if fold(relation) == RELATIONS:
            if context is None:
                return None
            return self._ranked_list(found, (), entity, relation, context)
        return self._inverse(found, (), entity, relation)

    def _literal(self, text: str) -> _Found | None:
        """A literal of exactly this folded key, as some fact spells it."""
        if len(text) > MAX_VALUE:
            return None
        spelt = self.store.find_literals([text], at=self.revision).get(text)
        return None if spelt is None else _Found(Entity(_NOBODY, spelt), "inverse", "literal", 1.0)

    def _inverse_twice(self, entity_id: int, phrase: str) -> str | None:
        """The entity's own relation that is the inverse of the phrase's inverse, as `directed` is
        of `director of`."""
        names = self.store.relation_names(entity_id, at=self.revision)
        key = fold(phrase)
        return next((n for n in names if fold(inverse_name(inverse_name(n))) == key), None)

    def _ranked_list(
        self,
        found: _Found,
        runners_up: tuple[RunnerUp, ...],
        entity: str,
        relation: str,
        context: str,
    ) -> Lookup:
        """The relations that the prompt may ask for, own and inverse ones, the likeliest first."""
        known = found.entity
        own = [] if found.id is None else self.store.relation_names(known.id, at=self.revision)
        called = self._called(known, entity, context)
        paragraph = asks_for_paragraph(context, called)
        names = {fold(name): name for name in own}
        if not (paragraph and own):
            for inverse in Incoming(self.store, self.revision, found.value).names():
                names.setdefault(fold(inverse), inverse)
        if not names:
            literal = None if found.id is None else self._by_literal(entity, relation, context)
            return literal or self._miss(entity, relation, found, runners_up)
        listed, most = list(names.values()), MAX_RELATIONS
        ranking = [RankedRelation(name, 0.0) for name in listed]
        if not paragraph:
            most, encoder = MAX_RANKED, self._question_encoder()
            values = self._values(found) if wants_a_kind(context, called) else {}
            ranked = rank(context, called, listed, encoder, self._synonyms(listed), values)
            ranking = [RankedRelation(name, score) for name, score in ranked]
        value = join_relations(known.name, [ranked.name for ranked in ranking], most)
        return replace(
            self._hit(found, None, (), value, runners_up, entity, relation),
            ranking=tuple(ranking),
        )

    def _called(self, known: Entity, entity: str, context: str) -> list[str]:
        """The names that a prompt may call an entity by, of which a lookup has one."""
        called = [entity, *other_forms(entity), known.name, *known.aliases]
        if blank(context, called) == context:  # the prompt calls it otherwise
            called += [
                mention.text
                for mention in find_mentions(self.store, context, self.revision)
                if any(entity.id == known.id for entity in mention.entities)
            ]
        return called

    def _question_encoder(self) -> Encoder | None:
        return self._encoder or (question_encoder() if self._embeddings else None)

    def _values(self, found: _Found) -> dict[str, list[str]]:
        """What an entity's own relations hold, by folded key; of a hub only the first facts."""
        values: dict[str, list[str]] = {}
        if found.id is not None:
            for fact in self.store.facts(found.id, at=self.revision, limit=_VALUES_READ):
                values.setdefault(fold(fact.relation), []).append(fact.value)
        return values

    def _synonyms(self, relations: Sequence[str]) -> dict[str, list[str]]:
        """The other names of relations, by folded key."""
        synonyms: dict[str, list[str]] = {fold(relation): [] for relation in relations}
        for rule in self.store.rules(SYNONYM, at=self.revision):
            if (key := fold(rule.value)) in synonyms:
                synonyms[key].append(rule.name)
        return synonyms

    def _hit(
        self,
        found: _Found,
        meaning: Meaning | None,
        facts: Sequence[Fact],
        value: str,
        runners_up: tuple[RunnerUp, ...],
        entity: str,
        relation: str,
    ) -> Lookup:
        joined = join_values([fact.value for fact in facts])
        how, score, threshold = found.how, found.score, THRESHOLDS.meaning
        guessed = found.by in ("spelling", "meaning")
        if guessed:
            threshold = self._entity_threshold(found.by)
        if meaning is not None:
            if meaning.by == "synonym":
                how = "alias" if how == "exact" else how
            else:
                how = "fuzzy"
                least = self._threshold(meaning.by)
                if not guessed or meaning.score - least < score - threshold:
                    score, threshold = meaning.score, least
        return Lookup(
            entity=entity,
            relation=relation,
            how=how,
            score=score,
            threshold=threshold,
            runners_up=runners_up,
            facts=tuple(facts),
            entity_id=found.id,
            resolved_entity=found.entity.name,
            resolved_relation=facts[0].relation if facts else RELATIONS,
            value=value or joined.text,
            value_spans=joined.spans,
            policy=self.policy,
            entity_by=found.by,
            relation_by=meaning.by if meaning else "name",
        )

    def _entity_threshold(self, by: str) -> float:
        return self.thresholds.entity_meaning if by == "meaning" else self.thresholds.entity

    def _threshold(self, by: str) -> float:
        return self.thresholds.meaning if by == "meaning" else self.thresholds.spelling

    def _miss(
        self,
        entity: str,
        relation: str,
        found: _Found | None,
        runners_up: tuple[RunnerUp, ...],
        score: float = 0.0,
        threshold: float | None = None,
    ) -> Lookup:
        """The answer if nothing is near enough; `score` is that of the nearest, if there is any."""
        return Lookup(
            entity=entity,
            relation=relation,
            how="miss",
            score=score,
            threshold=self.thresholds.meaning if threshold is None else threshold,
            runners_up=runners_up,
            facts=(),
            entity_id=found.entity.id if found else None,
            resolved_entity=found.entity.name if found else None,
            resolved_relation=None,
            value=UNKNOWN,
            value_spans=(),
            policy=self.policy,
            entity_by=found.by if found else "",
        )

    # The relation in other words

    def _guess_relation(
        self, found: _Found, runners_up: tuple[RunnerUp, ...], entity: str, relation: str
    ) -> Lookup:
        entity_id, phrase = found.entity.id, relation[:MAX_NAME]
        names = self.store.relation_names(entity_id, at=self.revision)
        if not names:  # the name is only a value; a namesake may be meant
            others = [other for other in self._homonyms(entity) if other.id != entity_id]
            others = [
                other for other in others if other.id not in {r.entity_id for r in runners_up}
            ]
            more = tuple(self._runner_up(other, relation, 1.0) for other in others)
            return self._miss(entity, relation, found, runners_up + more)
        own = {fold(name): name for name in names}
        meaning, others_meant = self._meaning(phrase, entity_id, own)
        if meaning is not None:
            facts = self.store.facts(entity_id, meaning.relation, at=self.revision)
            if facts:
                also = self._relations_up(found, others_meant, own, meaning)
                return self._hit(
                    found, meaning, facts, "", (runners_up + also)[:RUNNERS_UP], entity, relation
                )
        also = self._relations_up(found, others_meant, own, None)
        best = others_meant[0] if others_meant else None
        return self._miss(
            entity,
            relation,
            found,
            (runners_up + also)[:RUNNERS_UP],
            best.score if best else 0.0,
            self._threshold(best.by if best else "meaning"),
        )

    def _meaning(
        self, phrase: str, entity_id: int, own: dict[str, str]
    ) -> tuple[Meaning | None, list[Meaning]]:
        """The entity's own relation that the phrase means, if any, and others near to it."""
        former = {
            fold(name): name for name in self.store.former_relations(entity_id, at=self.revision)
        }
        if fold(phrase) in former:
            return None, []
        # What is a relation of the graph is not an error for another.
        is_named = self.store.relation(phrase) is not None
        refuses = self.setting(REFUSE_LACKING) == "on"
        vocabulary = self._vocabulary((*own.values(), *former.values()), refuses)
        synonyms = vocabulary.synonyms(phrase)
        for relation in synonyms:
            if fold(relation) in former:
                return None, []
            if fold(relation) in own:
                return Meaning(own[fold(relation)], 1.0, "synonym"), []
        if refuses and (synonyms or self.store.relation(phrase) is not None):
            return None, []
        near_ones = vocabulary.by_spelling(phrase)
        if is_named:
            near_ones = [m for m in near_ones if is_other_form(phrase, m.relation)]
        if not near_ones or near_ones[0].score < self.thresholds.spelling:
            encoder = self._installed_encoder()
            if encoder is not None:
                near_ones = vocabulary.by_meaning(phrase, encoder)
        near_ones = [
            meaning
            for meaning in near_ones
            if meaning.score >= _LEAST and not contrasts(phrase, meaning.relation)
        ]
        if not near_ones:
            return None, []
        best = near_ones[0]
        enough = best.score >= self._threshold(best.by) or self.policy == _NEAREST
        if enough and fold(best.relation) in own:
            return replace(best, relation=own[fold(best.relation)]), near_ones[1:]
        return None, near_ones

    def _relations_up(
        self, found: _Found, near_ones: Sequence[Meaning], own: dict[str, str], chosen: object
    ) -> tuple[RunnerUp, ...]:
        entity = found.entity
        return tuple(
            RunnerUp(entity.id, entity.name, own[fold(meaning.relation)], meaning.score)
            for meaning in near_ones
            if meaning is not chosen and fold(meaning.relation) in own
        )[:RUNNERS_UP]

    def _vocabulary(self, relations: Sequence[str], whole: bool) -> Vocabulary:
        """The vocabulary of the given relations or, if `whole`, of all; cached by graph state.

        No store lists a relation that only a draft had and lost again, so a cached vocabulary that
        lacks a given relation is not used.
        """
        keys = {fold(relation) for relation in relations}
        if whole:
            vocabulary = _shared_vocabulary(self.store, self.state, self.revision)
            if keys <= vocabulary.keys:
                return vocabulary
            everything = (relation.name for relation in self.store.relations())
            relations = list(dict.fromkeys((*everything, *relations)))
        rules = self.store.rules(SYNONYM, at=self.revision)
        return Vocabulary(relations, [rule for rule in rules if whole or fold(rule.value) in keys])

    # Settings and neighbours

    @property
    def policy(self) -> str:
        """How a miss is answered: the given policy, or else the graph's setting."""
        return self._policy or self.setting(ON_MISS)

    def setting(self, name: str) -> str:
        """A setting of the graph at the retriever's revision; the default if it is not set."""
        if self._settings is None:
            rules = self.store.rules(SETTING, at=self.revision)
            self._settings = {rule.name: rule.value for rule in rules}
        return self._settings.get(name, SETTINGS[name][0][0])

    def _homonyms(self, name: str) -> list[Entity]:
        """Entities of that name with a qualifier, such as "Georgia (country)" for "Georgia".

        The best-known entity comes first; the others are the answer's runners-up.
        """
        opening = f"{fold(name)} ("
        found = self.store.search(f"{name} (", HOMONYMS, self.revision, guesses=False)
        return [entity for entity in found if fold(entity.name).startswith(opening)]

    def _runner_up(self, entity: Entity, relation: str, score: float) -> RunnerUp:
        facts = self.store.facts(entity.id, relation, at=self.revision, limit=1)
        return RunnerUp(entity.id, entity.name, facts[0].relation if facts else None, score)

    def _count(self, entity_id: int) -> int:
        ways = (self.store.facts, self.store.facts_to)
        return sum(len(way(entity_id, at=self.revision, limit=_COUNTED)) for way in ways)


def _is_another(asked: str, entity: Entity) -> bool:
    """Whether a number, an initial or a code says that another than this entity was asked for."""
    return all(are_different(asked, name) for name in (entity.name, *entity.aliases))


def _answers_first(
    asked: str, ranked: Sequence[tuple[Entity, float]]
) -> list[tuple[Entity, float]]:
    """The candidates that may be answers, then the others, which are only runners-up."""
    apart = [pair for pair in ranked if _is_another(asked, pair[0])]
    likely = [pair for pair in ranked if pair not in apart]
    return [*likely, *apart][: RUNNERS_UP + 1]


_vocabularies: OrderedDict[str, Vocabulary] = OrderedDict()
_vocabularies_lock = Lock()
_KEPT = 8  # vocabularies cached, one for each state of a graph


def _shared_vocabulary(store: TripletStore, state: str, at: int) -> Vocabulary:
    with _vocabularies_lock:
        vocabulary = _vocabularies.get(state)
        if vocabulary is not None:
            _vocabularies.move_to_end(state)
            return vocabulary
    relations = [relation.name for relation in store.relations()]
    vocabulary = Vocabulary(relations, store.rules(SYNONYM, at=at))
    with _vocabularies_lock:
        _vocabularies[state] = vocabulary
        while len(_vocabularies) > _KEPT:
            _vocabularies.popitem(last=False)
    return vocabulary
