"""Templates, and how one becomes a prompt or a sentence with its lookups.

A template is English with placeholders: `{entity}`, `{entity's}`, `{value}`, `{a value}`,
`{RELATION}`, `{a RELATION}` and `{one|many}`, which agrees with the number of values of the next
value in the sentence. A sentence begins with the lookup of its first relation, so that its words
follow from the name of that relation and its answer. With the lookup inside, a model began with
"was discovered by" and then looked up `discovered`. A joined sentence looks up its further
relations where their answers are first needed: before the value, or before an article, a plural or
a verb whose form depends on it. So the model never writes a word that depends on a value it does
not have, and never holds two values that it has not yet written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graph.core.facts import join_values
from training.corpus.english import definite_article, enumerate_values, with_article
from training.data.documents import write_lookup

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WORKS = frozenset({"appeared in", "directed"})
"""Relations to titles, which take no article of the sentence: a film may be called Mystic River."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a sentence is about, and whether "it" may stand for the name."""

    name: str
    pronoun: bool = False

    def written(self, possessive: bool) -> str:
        """The name or the pronoun, as it stands inside a sentence."""
        if self.pronoun:
            return "its" if possessive else "it"
        return with_article(self.name, possessive)


def render(
    template: str,
    subject: Subject,
    answers: Mapping[str, Sequence[str]],
    relation: str = "",
    first: Iterable[str] = (),
) -> str:
    """Fill a template and write its lookups where their answers are first needed.

    Args:
        template: the phrase.
        subject: what `{entity}` stands for; the lookups always ask by its name.
        answers: the values by relation.
        relation: the relation that `{value}` stands for.
        first: relations to look up before the sentence, because its wording depends on them.
    """
    # "The capital of it" and "It, with Austin as its capital," are not English.
    if not template.startswith(("{entity} ", "{entity's} ")):
        subject = Subject(subject.name)
    parts = split_template(template)  # literal, placeholder, literal, ...
    meanings = [_meaning(part, relation) if i % 2 else "" for i, part in enumerate(parts)]
    needed_at = dict.fromkeys(first, 0)  # relation -> where in the sentence its answer is needed
    sentence = ""
    verbatim = False  # whether the sentence opens with a name or a value, which keeps its spelling
    for i, part in enumerate(parts):
        meaning = meanings[i]
        if meaning == "|":
            meaning = next(
                m
                for m in (*meanings[i + 1 :], *reversed(meanings[:i]))
                if m not in ("", "|", "entity")
            )
            written = part.split("|", 1)[len(answers[meaning]) > 1]
        elif meaning == "entity":
            written = subject.written(part.endswith("'s"))
        elif meaning:
            written = enumerate_values(
                answers[meaning], indefinite=part.startswith("a "), titles=meaning in _WORKS
            )
        else:
            written = part
        if meaning not in ("", "entity"):
            needed_at.setdefault(meaning, len(sentence))
        if meanings[i] not in ("", "|") and sentence.lower().endswith(("the ", " name ")):
            written = written.removeprefix("the ")
        if not sentence and written:
            verbatim = (
                meanings[i] not in ("", "|")
                and not written.startswith(("the ", "it ", "its ", "a ", "an "))
                and written not in ("it", "its")
            )
        if sentence.endswith(".") and written.startswith("."):
            written = written[1:]  # "Washington, D.C." closes a sentence by itself
        sentence += written
    if not verbatim:
        sentence = sentence[:1].upper() + sentence[1:]
    return _with_lookups(sentence, subject.name, needed_at, answers)


def _with_lookups(
    sentence: str, entity: str, needed_at: Mapping[str, int], answers: Mapping[str, Sequence[str]]
) -> str:
    """Insert the lookups before the words that need their answers, last one first."""
    starts = {r: sentence.rfind(" ", 0, at) + 1 for r, at in needed_at.items()}
    in_order = sorted(starts.items(), key=lambda item: item[1])  # stable: ties as they are asked
    for relation, start in in_order[::-1]:
        lookup = write_lookup(entity, relation, join_values(answers[relation]).text)
        after = sentence[start:]
        if not after.startswith("<|db_entity|>"):
            after = " " + after
        sentence = sentence[:start].rstrip(" ") + lookup + after
    return sentence


def opens_well(
    template: str, subject: Subject, answers: Mapping[str, Sequence[str]], relation: str = ""
) -> bool:
    """Whether a sentence would not begin with a name or value in lower case, such as "selenium"."""
    parts = split_template(template)
    if parts[0] or parts[1].startswith("a ") or "|" in parts[1]:
        return True
    meaning = _meaning(parts[1], relation)
    name = (
        subject.written(False)
        if meaning == "entity"
        else definite_article(answers[meaning][0]) + answers[meaning][0]
    )
    return not name[0].islower() or name.startswith(("the ", "it"))


def _meaning(placeholder: str, relation: str) -> str:
    """What a placeholder stands for: `entity`, `|` for an agreement, or a relation's name."""
    if placeholder in ("entity", "entity's"):
        return "entity"
    if "|" in placeholder:
        return "|"
    name = placeholder.removeprefix("a ")
    return relation if name == "value" else name


def split_template(template: str) -> list[str]:
    """Literals and placeholders of a template in turn, beginning and ending with a literal."""
    return _PLACEHOLDER.split(template)


def fill_prompt(template: str, entity: str, relation: str = "", bare: bool = False) -> str:
    """A question or prompt, its names filled in; a name is never read as a template.

    `bare` leaves out the article that English gives some names: people type "Kura River".
    """
    out = []
    for i, part in enumerate(split_template(template)):
        if i % 2 == 0:
            out.append(part)
        elif part in ("entity", "entity's"):
            if bare:
                name = entity + ("'s" if part == "entity's" else "")
            else:
                name = with_article(entity, part == "entity's")
            out.append(name.removeprefix("the ") if "".join(out).lower().endswith("the ") else name)
        elif part == "relation":
            out.append(relation)
        else:
            raise ValueError(
                f"The question {template!r} has the placeholder {{{part}}}, which none can."
            )
    question = "".join(out)
    if template.startswith("{entity") and question.startswith("the "):
        return "T" + question[1:]
    return question


def fill_names(template: str, **names: str) -> str:
    """Put plain names into a template; braces in them would be read as placeholders, so they go."""
    for key, name in names.items():
        template = template.replace(f"{{{key}}}", name.replace("{", "").replace("}", ""))
    return template
