"""Sentences about a relation that nobody wrote phrases for: it is stated under its own name.

"The weight of Widget 0 is 3 kg." The name of the relation decides the shape of the sentence: a
noun, a participle with a preposition (`founded by`), or the inverse of either (`weight of`,
`founded`, `located there`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from training.corpus.english import enumerate_values, with_article

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BY = re.compile(
    r"^(?P<verb>.+)\s(?P<word>by|in|at|on|from|to|with|for|as|after|into|through|until)$"
)
_PARTICIPLE = re.compile(
    r"(?:^|\s)(?:\w+ed|written|made|built|known|won|run|led|sung|held|owned|born|worn|given|taken"
    r"|spoken|found|set|shown|drawn|sent|kept)$"
)
_OPENS = re.compile(
    r"^(?:\w+ed|made|set|known|written|built|born|held|taken|found|shown|sent|given)\s"
    r"(?:in|from|by|on|at|for|to|with|as|of)\b"
)
_VERB = re.compile(
    r"^(?:has|takes|shares|contains|includes|replaces|follows|precedes|depicts|borders|orbits|owns|uses|plays"
    r"|orbited|directed|discovered|invented|founded|wrote|composed|developed|designed|produced)\b"
)
_ACTS = re.compile(
    r"^(?:run|employ|manage|serve|teache|require|provide|affect|inhibit|eat|own|contain|supplie|advise"
    r"|write|treat|like|need|speciali[sz]e|translate|deliver|represent|operate|connect|speak|know|activate|encode|publishe)s$"
)
"""Relations that are a verb in the present and hardly a noun: what one thing does to another."""
_LASTS = re.compile(
    r"^(?:owned|led|run|held|used|managed|taught|treated|funded|financed|sponsored|supplied|handled|operated"
    r"|maintained|coached|headed|supported|kept)$"
)
"""Participles of what goes on, so that "is owned by" says it."""
_DOES = re.compile(r"^(?:studied|worked|lived|graduated|moved|died|retired|arrived|played|served)$")
"""Participles of what somebody did, so that "studied at" says it."""
_IS = re.compile(
    r"^(?:from|(?:allergic|on loan|similar|next|close) to|valid until|made of|in charge of)$"
)
_FLAGS = frozenset({"yes", "no", "true", "false"})
_THIRD = re.compile(r"^(?:\w+[^s]s|\w+sses|does|goes)$")
_NO_VERBS = frozenset({"sales", "news", "series", "species", "headquarters", "always", "hours"})
_SINGLE = re.compile(r"^(?:\w+ed|built|born|made|written|opened|sold|bought|won|sent)$")
_YEAR = re.compile(r"^(?:c\. ?)?\d{3,4}$")
_DATE = re.compile(r"^\d{1,2} \w+ \d{4}$|^\d{4}-\d\d-\d\d$")
_PLURAL = re.compile(r"(?:[^s]s|children|people|members|data)$")


def plain_label(label: str) -> str:
    """A relation's name in words: `birth_date`, `birthDate` and `Birth Date` are "birth date".

    Words in capitals (ISO) and words that are names in the middle (`Nobel Prize year`) stay.
    """
    spaced = _CAMEL.sub(" ", label.replace("_", " ")).strip()
    words = spaced.split()
    camel = bool(_CAMEL.search(label)) and " " not in label
    title = len(words) > 1 and all(w[:1].isupper() or len(w) < 4 for w in words)
    names = any(w[:1].isupper() for w in words[1:])  # "Nobel Prize year"
    out = []
    for i, word in enumerate(words):
        capitals = word.isupper() and len(word) > 1
        lower = ((i == 0 and not names) or camel or title) and not capitals and word[1:].islower()
        out.append(word[:1].lower() + word[1:] if lower else word)
    return " ".join(out)


def is_noun(label: str) -> bool:
    """Whether a relation's name can follow "the": `capital`, not `founded by` or `capital of`."""
    plain = plain_label(label)
    return not (
        plain.endswith((" of", " there", " it"))
        or _VERB.match(plain)
        or _ACTS.match(plain)
        or _OPENS.match(plain)
        or _BY.match(plain)
        or _IS.match(plain)
        or _PARTICIPLE.search(plain)
    )


def label_sentence(
    rng: random.Random, name: str, label: str, values: Sequence[str], varied: bool = True
) -> str:
    """A sentence that states a fact under the relation's own name."""
    plain = plain_label(label)
    stated = enumerate_values(values)
    many = len(values) > 1
    subject = with_article(name)
    if all(value.lower() in _FLAGS for value in values):
        return f"Under {plain}, the graph has {stated} for {subject}."
    if _IS.match(plain):
        return _opening(f"{subject} is {plain} {stated}.")
    if plain.endswith(" of"):
        noun = plain.removesuffix(" of")
        if _ACTS.match(noun):  # "Server db-01 runs PostgreSQL."
            return _opening(f"{stated} {_without_s(noun) if many else noun} {subject}.")
        if _PARTICIPLE.search(noun) or _BY.match(noun):
            return _capital(f"what is recorded under {plain} for {subject}: {stated}.")
        article = "" if noun.startswith(("the ", "a ", "an ")) else "the "
        return _opening(f"{subject} is {article}{noun} of {stated}.")
    if plain.endswith(" there"):
        verb = "are" if many else "is"
        return _opening(f"{stated} {verb} {plain.removesuffix(' there')} in {subject}.")
    if match := _BY.match(plain):
        if _DOES.match(match["verb"]):
            return _opening(f"{subject} {plain} {stated}.")
        if _PARTICIPLE.search(match["verb"]):
            past = match["word"] in ("by", "at", "from", "after") or match["verb"] == "born"
            past = past and not _LASTS.match(match["verb"])
            return _opening(f"{subject} {'was' if past else 'is'} {plain} {stated}.")
        if _THIRD.match(match["verb"]) and match["verb"] not in _NO_VERBS:
            return _opening(f"{subject} {plain} {stated}.")
        return _opening(f"{with_article(name, True)} {plain}: {stated}.")
    when = "in" if _YEAR.match(values[0]) else "on" if _DATE.match(values[0]) else ""
    if _SINGLE.match(plain) and (when or plain == "born"):
        return _opening(f"{subject} was {plain} {when or 'in'} {stated}.")
    if _VERB.match(plain) or _ACTS.match(plain):
        return _opening(f"{subject} {plain} {stated}.")
    if plain.endswith(" it"):
        verb = ("are " if many else "is ") if _OPENS.match(plain) else ""
        return _opening(f"{stated} {verb}{plain.removesuffix(' it')} {subject}.")
    if _OPENS.match(plain):
        return _opening(f"{subject} is {plain} {stated}.")
    if _PARTICIPLE.search(plain) and plain != "known":
        verb = "were" if _PLURAL.search(name) else "was"
        return _opening(f"{subject} {verb} {plain}: {stated}." if len(plain.split()) > 1
                        else f"{subject} {plain} {stated}.")  # fmt: skip
    if many:
        return f"The graph lists {stated} as the {plain} of {subject}."
    plural = (
        bool(_PLURAL.search(plain)) and plain.endswith("s") and not plain.endswith(("ss", "us"))
    )
    verb = "are" if plural else "is"
    possessive = with_article(name, True)
    draw = rng.random() if varied else 0.0
    if draw < 0.62:
        return _capital(f"the {plain} of {subject} {verb} {stated}.")
    if draw < 0.9:
        return _opening(f"{possessive} {plain} {verb} {stated}.")
    return _capital(f"for {subject}, the {plain} {verb} {stated}.")


def _without_s(verb: str) -> str:
    """The plural of a verb: run, for runs."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if verb.endswith(("ches", "shes", "sses")) else verb[:-1]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _opening(sentence: str) -> str:
    """The sentence; an article at its start gets its capital, a name keeps its spelling."""
    return _capital(sentence) if sentence.startswith(("the ", "a ", "an ", "what ")) else sentence
