"""Made-up names of entities and of relations, so that the model learns to copy any name.

Each function draws from a `random.Random` that the caller seeds.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from training.corpus.made_up_values import (
    ALPHABETS,
    MAX_CHARACTERS,
    made_up_value,
    made_up_word,
    spliced,
)

_NAMES = (  # forms of names, each up to its share: "" is any of the scripts
    ("symbolic", 0.08),
    ("", 0.15),
    ("accented", 0.21),
    ("any script", 0.24),
    ("spliced", 0.31),
    ("title", 0.45),
)


def made_up_name(rng: random.Random, words: Sequence[str] = ()) -> str:
    """The name of an entity that does not exist, with years, brackets and commas at times."""
    pool = words or [made_up_word(rng) for _ in range(8)]
    form = rng.random()
    for kind, share in _NAMES:
        if form < share:
            return made_up_value(rng, rng.choice(tuple(ALPHABETS)) if kind == "" else kind, pool)
    if form > 0.98:  # names that read like a question: "What is Miller's Crossing?"
        a, b = (rng.choice(pool).capitalize() for _ in range(2))
        c = rng.choice(pool)
        whole = rng.choice(
            (f"{a}'s {b}", f"{a}'s {c}", f"{a}s' {b}", f"{a} and {b}", f"{a} of {b}")
        )
        return whole[:MAX_CHARACTERS].strip()
    if form > 0.94:  # names that English gives the article
        a, b = ((made_up_word(rng) if rng.random() < 0.5 else rng.choice(pool)) for _ in range(2))
        A, B = a.capitalize(), b.capitalize()
        noun = rng.choice(("River", "Sea", "Ocean", "Islands", "Desert", "Mountains", "Peninsula"))
        of = rng.choice(("University", "Battle", "Sea", "Gulf", "Bay", "Republic", "Kingdom"))
        whole = rng.choice((f"{A} {noun}", f"{of} of {B}", f"{of} of {A} {B}", f"{A} {B} {noun}"))
        return whole[:MAX_CHARACTERS].strip()
    if form < 0.50:
        name = " ".join(rng.choice(pool) for _ in range(rng.randint(1, 3)))
        return name[:MAX_CHARACTERS].strip() or "thing"
    parts = [
        (made_up_word(rng) if rng.random() < 0.6 else rng.choice(pool)).capitalize()
        for _ in range(rng.choice((1, 2, 2, 2, 3)))
    ]
    name = " ".join(parts)
    tail = rng.random()
    if tail < 0.07:
        name += f" ({rng.randint(1500, 2040)})"
    elif tail < 0.14:
        name += f" ({rng.choice(pool)})"
    elif tail < 0.20:
        name += f", {made_up_word(rng).capitalize()}"
    elif tail < 0.24:
        name += f" {rng.randint(1, 2040)}"
    elif tail < 0.27:
        name = f"The {name}"
    return name[:MAX_CHARACTERS].strip().rstrip("(,")


def restyle(rng: random.Random, relation: str) -> str:
    """The same relation name in another spelling: Title Case, snake_case, camelCase and so on."""
    words = relation.replace("_", " ").split()
    form = rng.randrange(5)
    if form == 0:
        return " ".join(word[:1].upper() + word[1:] for word in words)
    if form == 1:
        return "_".join(word.lower() for word in words)
    if form == 2:
        first, *rest = words
        return first.lower() + "".join(word[:1].upper() + word[1:] for word in rest)
    if form == 3:
        return relation[:1].upper() + relation[1:]
    return relation.lower()


def made_up_relation(rng: random.Random, words: Sequence[str]) -> str:
    """A relation name that is not in the world: real and made-up words in many spellings."""
    if rng.random() < 0.08:
        return " ".join((spliced(rng, words), rng.choice(words)))[:MAX_CHARACTERS].strip()
    count = rng.choice((1, 1, 2, 2, 2, 3, 3, 4, 5))
    parts = [made_up_word(rng) if rng.random() < 0.3 else rng.choice(words) for _ in range(count)]
    if count > 1 and rng.random() < 0.25:
        parts.insert(
            rng.randint(1, count - 1), rng.choice(["of", "in", "by", "for", "at", "as", "to"])
        )
    if rng.random() < 0.15:
        parts[-1] += rng.choice([" of", " by", " in", " at"])
    tail = rng.random()
    if tail < 0.04:
        parts.append(str(rng.randint(1900, 2030)))
    elif tail < 0.07:
        parts[0] += "'s"
    elif tail < 0.09:
        parts.append(f"({rng.choice(words)})")
    elif tail < 0.10:
        parts[0] = f"{parts[0]}-{rng.choice(words)}"
    name = restyle(rng, " ".join(parts))[:MAX_CHARACTERS].strip().rstrip("(-_")
    return (
        name if name and name.casefold() not in ("relations", "unknown") else made_up_word(rng, 2)
    )


def relation_family(rng: random.Random, words: Sequence[str], number: int) -> list[str]:
    """Names of relations that share a word: `critical pressure`, `critical volume` and so on."""
    shared = [rng.choice(words) for _ in range(rng.choice((1, 1, 2)))]
    last = rng.random() < 0.3  # whether they share their end
    joint = rng.choice((" ", " ", " of ", "-"))
    names: list[str] = []
    known: list[str] = []  # words of the names so far
    for _ in range(number):
        # Of known words alone, "critical pressure" went on as "critical fressure": the end of a
        # name that begins like its neighbours is to be copied, not guessed. Some words are made of
        # a piece and a neighbour's end, as "compressibility" and "pressure" share one.
        own = []
        for _ in range(rng.choice((1, 1, 2))):
            draw = rng.random()
            if draw < 0.15 and known:
                own.append(rng.choice(words)[: rng.randint(1, 4)] + rng.choice(known)[1:])
            else:
                own.append(spliced(rng, words) if draw < 0.45 else rng.choice(words))
        known += own
        parts = (own, shared) if last else (shared, own)
        names.append(joint.join(" ".join(part) for part in parts)[:MAX_CHARACTERS].strip())
    return names
