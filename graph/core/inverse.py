"""Names of inverse relations: what `(Ulm, birthplace of)` asks for is the inverse of `birthplace`.

The inverse of R is "R of" where R names a thing (`capital of`, `birthplace of`). English says it
otherwise where R ends in a preposition: the inverse of `capital of` is `capital`, of `directed by`
it is `directed`, of `located in` it is `located there`. `INVERSES` names the pairs that no rule
gives. The corpus, the retriever and the decoder share this module.
"""

from __future__ import annotations

import re

INVERSES = {
    "located in": "contains",
    "part of": "has part",
    "instance of": "example",
    "subclass of": "has subclass",
    "music by": "composed music for",
    "lyrics by": "wrote lyrics for",
    "based on": "basis for",
    "named after": "namesake of",
    "followed by": "follows",
    "follows": "followed by",
    "preceded by": "precedes",
    "replaces": "replaced by",
    "replaced by": "replaces",
    "flows into": "inflow",
    "flows through": "river through it",
    "rises in": "source of river",
    "appeared in": "cast member",
    "directed": "director",
    "discovered": "discovered by",
    "invented": "invented by",
    "orbits": "orbited by",
    "borders": "borders",
    "spouse": "spouse",
    "sibling": "sibling",
    "married to": "married to",
    "parent of": "child of",
    "child of": "parent of",
    "occupation": "occupation of",
}
"""Inverse names that no rule gives; each is read in its own direction only."""

_NOUN_OF = re.compile(r"^(?P<noun>.+?)[ _]of$", re.I)
_BY = re.compile(
    r"^(?P<verb>\w+ed|written|made|built|known|won|run|led|sung|held|owned)[ _]by$", re.I
)
_THERE = re.compile(r"^(?P<stem>.+?)[ _](?:in|at|on)$", re.I)
_OTHER = re.compile(r"^(?P<stem>.+?)[ _](?P<word>to|from|with|for|as|by|into|through|after)$", re.I)


def inverse_name(relation: str) -> str:
    """What the inverse of `relation` is called, in the same spelling as far as possible.

    >>> [inverse_name(r) for r in ("birthplace", "capital of", "directed by", "educated at")]
    ['birthplace of', 'capital', 'directed', 'educated there']
    """
    plain = relation.replace("_", " ").strip()
    if plain.lower() in INVERSES:
        return INVERSES[plain.lower()]
    joint = "_" if "_" in relation else " "
    if match := _NOUN_OF.match(relation):
        return match["noun"]
    if match := _BY.match(relation):
        return match["verb"]
    if match := _THERE.match(relation):
        return f"{match['stem']}{joint}there"
    if match := _OTHER.match(relation):
        return f"{match['stem']}{joint}{match['word']}{joint}it"
    if re.search(r"[a-z][A-Z]", relation) and " " not in relation:  # camelCase
        return f"{relation}Of"
    return f"{relation}{joint}of"
