"""Which relations of an entity a prompt asks about: their names in order of relevance.

    rank("what do people in Japan pay with", ["Japan"], ["capital", "currency"], encoder, {})

The prompt, with the entity's name blanked, is compared with each name in two ways: by meaning (the
cosine of sentence embeddings) and by the words they share. Synonyms of a relation count as names of
it. Without an encoder only the words count. A relation whose values cannot be an answer counts less
(graph/lookup/answer_kinds.py).

Letters in array names: C clauses, N texts, D width of a vector.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from graph.core.names import fold, plain
from graph.lookup.answer_kinds import contradicts, wanted
from graph.lookup.encoder import Encoder
from graph.lookup.spelling import near_words

MOST_CLAUSES = 4  # parts of a prompt that are compared
_NAME_WEIGHT = 0.12  # of shared words next to the cosine
_SYNONYM_WEIGHT = 0.3  # of a synonym that the prompt has, next to the cosine
_CONTRADICTION = 0.1  # of values that cannot be an answer, next to the cosine
_SYNONYM = 0.9  # of a synonym that the prompt has, where only words are compared
_CLAUSE_READ = 120  # characters of one clause, the last ones
_GUESSED = 6  # letters of a word that may be misspelt, at least
_READ = 600  # characters of the prompt that are read, the last ones

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TOKEN = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\n+")
_CLAUSE = re.compile(r",\s+(?:and\s+|but\s+|or\s+)?|\s+(?:and|but|or)\s+")
_YES_OR_NO = re.compile(
    r"(?:^|[.!?:;,\n]\s*|\b(?:and|so|but|or|then|hi|hey|hello|ok|okay|well|if|whether|that)\s+)"
    r"(?:is|are|am|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)"
    r"(?:n['’]t)?\b"
    r"|\b(?:whether|true|false|correct|right|isn['’]t it|yes or no)\b",
    re.I,
)


_TASK = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you|will you|now|hey|ok)\W+)*"
    r"(?:make up|make|write|draw|paint|sketch|compose|sing|invent|imagine|book|buy|order|reserve"
    r"|translate|recommend|suggest|plan|send|play|rewrite|shorten)"
    r"\s+(?:up|me|us|a|an|some|this|['\"“‘])",
    re.I,
)


def word_set(text: str) -> frozenset[str]:
    """The words of a text that only lists words."""
    return frozenset(text.split())


_REQUEST = word_set(
    "a about all am an and anything are be bit brief briefly by can could describe description "
    "detail details do does everything explain fact facts for give good have hello hey hi i "
    "id in info information introduce is it just know like little me more of on outline overview "
    "paragraph please profile regarding s say short something summarise summarize summary tell "
    "text thanks that the there this to up us want was were what whats who whos would write you "
    "your"
)
"""Words that ask for a text, and for nothing particular in it."""
_IDLE = word_set(
    "a about an and are as at be by did do does for from had has have he her his how i in is it "
    "its me my of on or she some that the their there they this to was we were what when where "
    "which who whom whose will with you your"
)
"""Words that say little about what is asked."""


def readable(name: str) -> str:
    """A relation's name as words: without underscores and camel case.

    >>> readable("birthDate"), readable("head_of_state")
    ('birth date', 'head of state')
    """
    words = _CAMEL.sub(" ", name).replace("_", " ").split()
    return " ".join(words).lower() if _CAMEL.search(name) else " ".join(words)


@lru_cache(maxsize=65536)
def stems(text: str) -> tuple[str, ...]:
    """The words of a text without their endings, and without those that say little.

    >>> stems("Which countries did she border?")
    ('countr', 'border')
    """
    words = _TOKEN.findall(plain(readable(text)))
    telling = [word for word in words if word not in _IDLE]
    return tuple(_stem(word) for word in telling or words)


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "es", "ed", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def blank(prompt: str, entity_names: Sequence[str]) -> str:
    """The prompt without the entity's name, however it is capitalised; as it is if none is in it.

    >>> blank("What's JAPAN's currency?", ["Japan"])
    "What's currency?"
    """
    for name in sorted({name.strip() for name in entity_names if name.strip()}, key=len)[::-1]:
        words = r"[\s_]+".join(map(re.escape, re.split(r"[\s_]+", name)))
        mention = re.compile(rf"(?<!\w)(?:(?:the|a|an)\s+)?{words}(?:['’]s?)?(?!\w)", re.I)
        blanked, found = mention.subn("", prompt)
        if found:
            return " ".join(blanked.split())
    return prompt


def asks_for_paragraph(prompt: str, entity_names: Sequence[str]) -> bool:
    """Whether a prompt asks for a text about the entity and not for anything particular.

    >>> asks_for_paragraph("Tell me about Japan.", ["Japan"])
    True
    """
    rest = blank(prompt, entity_names)
    return all(word in _REQUEST for word in _TOKEN.findall(plain(rest)))


def is_request(word: str) -> bool:
    """Whether a word asks, and says little about what for: "what", "is", "tell"."""
    return plain(word) in _REQUEST or plain(word) in _IDLE


def asks_for_work(prompt: str) -> bool:
    """Whether a prompt wants something made or done, which no graph holds.

    >>> asks_for_work("Make up a story about Japan."), asks_for_work("Book 7 due date")
    (True, False)
    """
    return _TASK.search(prompt) is not None


def asks_yes_or_no(prompt: str) -> bool:
    """Whether a prompt may be answered with yes or no: a question or a statement to check.

    >>> asks_yes_or_no("Is Rome in Italy?"), asks_yes_or_no("Paris is in Spain, right?")
    (True, True)
    >>> asks_yes_or_no("Where is Rome?")
    False
    """
    return _YES_OR_NO.search(prompt) is not None


def clauses(prompt: str, entity_names: Sequence[str]) -> list[str]:
    """The parts of a prompt that may ask about the entity, each with its name blanked.

    The sentences before the first that names the entity are left out: examples, or a context. Of
    the others, the last ones count, whole and cut at commas and conjunctions.
    """
    sentences = [part.strip() for part in _SENTENCE.split(prompt[-_READ:]) if part.strip()]
    blanked = [blank(sentence, entity_names) for sentence in sentences]
    named = [i for i, pair in enumerate(zip(sentences, blanked, strict=True)) if pair[0] != pair[1]]
    parts: list[str] = []
    for sentence in blanked[named[0] if named else 0 :][::-1]:
        cut = [part.strip() for part in _CLAUSE.split(sentence)]
        parts += [sentence[-_CLAUSE_READ:]]
        parts += [part[-_CLAUSE_READ:] for part in cut if len(cut) > 1 and stems(part)]
    asked = [part for part in dict.fromkeys(parts) if _TOKEN.search(part)]
    return asked[:MOST_CLAUSES]


def wants_a_kind(prompt: str, entity_names: Sequence[str]) -> bool:
    """Whether the ranking for a prompt depends on values: only then do they have to be read."""
    return any(wanted(clause) for clause in clauses(prompt, entity_names))


def rank(
    prompt: str,
    entity_names: Sequence[str],
    relation_names: Sequence[str],
    encoder: Encoder | None,
    synonyms: Mapping[str, Sequence[str]],
    values: Mapping[str, Sequence[str]] | None = None,
) -> list[tuple[str, float]]:
    """Names of relations with their relevance to a prompt, the most relevant first.

    Of equals, the order given stays.

    Args:
        prompt: what a person asked.
        entity_names: the names that the prompt may call the entity by.
        relation_names: the names to order.
        encoder: compares meanings; None to compare words only.
        synonyms: other names of relations, by the folded key of the relation.
        values: some values of relations, by the folded key of the relation.
    """
    asked = clauses(prompt, entity_names) if relation_names else []
    if not asked:
        return [(name, 0.0) for name in relation_names]
    asked += _corrected(asked, relation_names)
    heard = [frozenset(stems(clause)) for clause in asked]
    shared = [max(_share(stems(name), words) for words in heard) for name in relation_names]
    meant = [_has_synonym(synonyms.get(fold(name), ()), heard) for name in relation_names]
    if encoder is None:
        scores = [max(s, _SYNONYM * m) for s, m in zip(shared, meant, strict=True)]
    else:
        asked_CD = encoder.encode(asked)
        names_ND = encoder.encode([readable(name) for name in relation_names])
        against_CN = [_contradicting(clause, relation_names, values or {}) for clause in asked]
        cosines_CN = asked_CD @ names_ND.T - _CONTRADICTION * np.array(against_CN, np.float32)
        cosines_N = cosines_CN.max(0).tolist()
        scores = [
            cosine + max(_NAME_WEIGHT * s, _SYNONYM_WEIGHT * m)
            for cosine, s, m in zip(cosines_N, shared, meant, strict=True)
        ]
    ranked = sorted(range(len(scores)), key=lambda i: -scores[i])
    return [(relation_names[i], round(scores[i], 4)) for i in ranked]


def _contradicting(
    clause: str, relation_names: Sequence[str], values: Mapping[str, Sequence[str]]
) -> list[bool]:
    """Of each relation, whether its values cannot answer the clause."""
    kind = wanted(clause) if values else None
    if kind is None:
        return [False] * len(relation_names)
    return [contradicts(kind, values.get(fold(name), ())) for name in relation_names]


def _share(words: Sequence[str], heard: frozenset[str]) -> float:
    return sum(word in heard for word in words) / len(words) if words else 0.0


def _has_synonym(synonyms: Sequence[str], heard: Sequence[frozenset[str]]) -> bool:
    """Whether one clause has all words of a synonym."""
    return any(_share(stems(synonym), words) == 1 for synonym in synonyms for words in heard)


def _corrected(asked: Sequence[str], relation_names: Sequence[str]) -> list[str]:
    """The clauses that hold a word of a name misspelt, with that word as the name has it."""
    names = {word for name in relation_names for word in _TOKEN.findall(plain(readable(name)))}
    known = {_stem(word) for word in names}

    def correct(match: re.Match[str]) -> str:
        word = plain(match[0])
        if len(word) < _GUESSED or word in _IDLE or _stem(word) in known:
            return match[0]
        near = [other for other in near_words(word, names) if other[:1] == word[:1]]
        return near[0] if near else match[0]

    corrected = [_TOKEN.sub(correct, clause) for clause in asked]
    return [text for text in dict.fromkeys(corrected) if text not in asked]
