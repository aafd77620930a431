"""Filling templates: names, values and whole questions; pronouns and plurals."""

from __future__ import annotations

import random
import re

from training.corpus.english import indefinite_article, with_article
from training.corpus.questions.asked_relations import AskedRelation
from training.corpus.questions.things import Thing
from training.corpus.templates import split_template


def fill(template: str, **given: str) -> str:
    """Put texts into a template in one pass, so that braces in them are never read."""
    return re.sub(r"\{(\w+)\}", lambda m: given[m[1]] if m[1] in given else m[0], template)


def fill_value(template: str, typed: str, value: str, bare: bool) -> str:
    """A template with an entity and a value."""
    parts = split_template(template)
    out = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            out += part
        elif part in ("entity", "entity's"):
            name = typed + ("'s" if part == "entity's" else "")
            if not bare:
                name = with_article(typed, part == "entity's")
            out += name
        elif part == "value":
            out += value
        elif part == "a value":
            out += f"{indefinite_article(value)} {value}"
    return out[:1].upper() + out[1:] if parts[0] == "" and out.startswith("the ") else out


_OF_BOTH = {"does": "do", "is": "are", "was": "were", "has": "have"}


def fill_two(template: str, entity: str, other: str) -> str:
    """A template with two entities."""
    given = {
        "entity": with_article(entity),
        "entity's": with_article(entity, True),
        "other": with_article(other),
        "other's": with_article(other, True),
    }
    text = re.sub(r"\{(entity's|entity|other's|other)\}", lambda m: given[m[1]], template)
    return text[:1].upper() + text[1:] if text.startswith("the ") else text


def one_sentence(first: str, second: str) -> str:
    """Two questions as one: "How long is it, and where does it end?"."""
    second = second[:1].lower() + second[1:] if second[1:2].islower() else second
    return f"{first.rstrip('?.! ')}, and {second}"


def about_both(template: str, entity: str, other: str) -> str:
    """A question about one thing, put to two: "How long do the Nile and the Rhine run?"."""
    for verb, verbs in _OF_BOTH.items():
        template = re.sub(rf"\b{verb}(?= (?:the )?{{entity}})", verbs, template, flags=re.I)
        template = re.sub(rf"(?<={{entity}} ){verb}\b", verbs, template)
    pair = template.replace("{entity}", "{entity} and {other}", 1)
    return fill_two(pair, entity, other)


def opening(sentence: str) -> str:
    """The sentence; an article or pronoun at its start gets its capital."""
    return sentence[:1].upper() + sentence[1:] if sentence[:4] in ("the ", "its ") else sentence


def plural(noun: str) -> str:
    """Several of what a noun names; of "number of people", the numbers."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun if noun.endswith("s") else noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    head, of, rest = noun.partition(" of ")
    return f"{plural(head)}{of}{rest}" if of else noun + "s"


def with_pronouns(rng: random.Random, template: str, thing: Thing) -> str:
    """A question whose name is replaced by a pronoun."""
    he, his = (
        rng.choice((("he", "his"), ("she", "her"))) if thing.type == "person" else ("it", "its")
    )
    text = re.sub(r"\b[Tt]he (?=\{entity)", "", template)
    text = text.replace("{entity's}", his).replace("{entity}", he)
    return text[:1].upper() + text[1:]


def asked_again(
    rng: random.Random, thing: Thing, asked: AskedRelation, noun: str, question: str
) -> str:
    """The question again with a pronoun, if the relation has wordings that allow it."""
    if asked.questions and rng.random() < 0.6:
        return with_pronouns(rng, rng.choice(asked.questions), thing)
    if asked.nouns:
        return rng.choice(
            ("And its {n}?", "What is its {n}?", "Also the {n}.", "And the {n}?")
        ).replace("{n}", noun)
    return question
