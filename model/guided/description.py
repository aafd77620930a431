"""Questions about a thing that they describe by another: "the firm that supplies the olive tree".

    asked_of_described("What day does the firm that supplies the Olive Tree come?", "Olive Tree")
    # 'What day does'

Such a question takes two steps: to the firm, and to what it is asked for. Without the description
it still asks for something; "Which firm supplies the Olive Tree?" does not.
"""

from __future__ import annotations

import re

from graph.lookup.relevance import is_request, word_set

_ENDS = re.compile(r"[,;:?!]|\.(?=\s|$)")
_NOUN = re.compile(r"\b(?:the|a|an|whichever)\s+(?=\w)|\b(?:whoever|somebody|someone)\b", re.I)
_RELATIVE = re.compile(r"\b(?:who|whom|whose|that|which|where|whoever)\b", re.I)
_POSSESSIVE = re.compile(r"['’]s?\s+[\w-]+")
_SEVERAL = re.compile(r"\b(?:and|or)\b", re.I)
_LINKS = word_set("about above at behind below by for from in inside near next of on to under with")
_NAMING = word_set("actually call called exactly full name named names title")


def asked_of_described(prompt: str, name: str) -> str | None:
    """What a prompt asks about the thing that it describes by its relation to `name`.

    >>> asked_of_described("How big is the tank Lockkeeper is in?", "Lockkeeper")
    'How big is'
    >>> asked_of_described("which days is Hana Sato's teacher in school?", "Hana Sato")
    'which days is in school'
    >>> asked_of_described("What is the population of the capital of France?", "France")
    'What is the population of'
    >>> asked_of_described("where is the van that Ada Reed drives kept", "Ada Reed")
    'where is drives kept'
    >>> asked_of_described("Who is the keeper of Orchard 2?", "Orchard 2") is None
    True
    """
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", prompt, re.I)
    if match is None:
        return None
    before, after = prompt[: match.start()], prompt[match.end() :]
    if possessive := _POSSESSIVE.match(after):
        rest = f"{_without_article(before)} {after[possessive.end() :].lstrip()}"
    elif (start := _described_from(before)) is not None:
        words = _without_article(before).split()
        linked = bool(words) and words[-1].lower() in _LINKS
        end = _ENDS.search(after)
        rest = f"{before[:start]} {after if linked else after[end.end() if end else len(after) :]}"
        named = not _NAMING.isdisjoint(re.findall(r"\w+", after.lower()))
        if not linked and not named and not _asks(rest) and len(after.split()) > 1:
            rest = f"{before[:start]} {after}"  # no mark says where the description ends
    else:
        return None
    rest = " ".join(rest.split()).rstrip(" ?.!")
    if _SEVERAL.search(rest):  # the other part is about the same thing
        return None
    return rest if _asks(rest) else None


def _asks(text: str) -> bool:
    """Whether a text asks for anything in particular."""
    words = (word for word in re.findall(r"[^\W_]+", text) if word.lower() not in _NAMING | _LINKS)
    return any(not is_request(word) for word in words)


def _described_from(before: str) -> int | None:
    """Where the description begins: at the last noun with a relative clause, or the last noun."""
    ends = [match.end() for match in _ENDS.finditer(before)]
    words = _without_article(before)
    nouns = [match.start() for match in _NOUN.finditer(words, ends[-1] if ends else 0)]
    of_clauses = [start for start in nouns if _RELATIVE.search(words, start)]
    return max(of_clauses or nouns, default=None)


def _without_article(before: str) -> str:
    return re.sub(r"\b(?:the|a|an)\s*$", "", before, flags=re.I)
