"""The hand-written phrases of training/corpus/phrases/, read into one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from training.corpus.templates import Subject, opens_well, render
from training.data.documents import write_lookup

FOLDER = Path(__file__).parent / "phrases"
ANY_TYPE = "default"


@dataclass(frozen=True)
class RelationPhrases:
    """The wordings of one relation."""

    noun: str
    nouns: str
    reference: str | None
    """A noun phrase for the value, such as `the country where {entity} was born`; links only."""
    statements: Mapping[str, Sequence[str]]
    """By type of entity; `default` serves every other type."""
    questions: Mapping[str, Sequence[str]]

    def statements_for(self, entity_type: str) -> Sequence[str]:
        """The statements that fit an entity of this type."""
        return self.statements.get(entity_type) or self.statements[ANY_TYPE]

    def questions_for(self, entity_type: str) -> Sequence[str]:
        """The questions that fit an entity of this type."""
        return self.questions.get(entity_type) or self.questions[ANY_TYPE]


@dataclass(frozen=True)
class JoinedSentence:
    """A sentence that states two or three relations at once."""

    relations: tuple[str, ...]
    text: str
    same: str | None = None
    """The wording for the case that the first two relations have the same values."""

    def render(self, subject: Subject, answers: Mapping[str, Sequence[str]]) -> str:
        """The sentence, after all its lookups.

        With a lookup inside the sentence, the model chose the words before it saw whether that
        relation comes next in the list: it wrote "was a native of" and then looked up another one.
        """
        a, b = self.relations[:2]
        template = self.same if self.same and answers[a] == answers[b] else self.text
        return render(template, subject, answers, first=self.order)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The relations in the order in which they are looked up: as the text needs them.

        Where the text has two wordings, the two relations that decide between them come first.
        """
        answers = {r: (str(i),) for i, r in enumerate(self.relations)}
        ahead = self.relations[:2] if self.same else ()
        sentence = render(self.text, Subject("x"), answers, first=ahead)
        asked = {
            r: sentence.index(write_lookup("x", r, str(i))) for i, r in enumerate(self.relations)
        }
        return tuple(sorted(asked, key=asked.__getitem__))

    def opens_well(self, subject: Subject, answers: Mapping[str, Sequence[str]]) -> bool:
        """Whether neither of its wordings would begin with a name in lower case."""
        return all(opens_well(t, subject, answers) for t in (self.text, self.same) if t)


@dataclass(frozen=True)
class Phrases:
    """All phrases of the folder."""

    relations: Mapping[str, RelationPhrases] = field(default_factory=dict)
    sentences: Sequence[JoinedSentence] = ()
    general: Mapping[str, Any] = field(default_factory=dict)
    """Wordings that fit every relation: general.yaml."""
    prompt_noise: Mapping[str, Any] = field(default_factory=dict)
    """What people type around a request: prompt_noise.yaml."""


def _by_type(given: Any) -> dict[str, list[str]]:
    return given if isinstance(given, dict) else {ANY_TYPE: given}


@cache
def load_phrases(folder: Path = FOLDER) -> Phrases:
    """Read every YAML file of the folder.

    Raises:
        ValueError: a relation is described in two files.
    """
    relations: dict[str, RelationPhrases] = {}
    sentences: list[JoinedSentence] = []
    files = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.yaml"))
    }
    general, prompt_noise = files.pop("general"), files.pop("prompt_noise")
    for file, content in files.items():
        for name, given in (content.get("relations") or {}).items():
            if name in relations:
                raise ValueError(f"{file}.yaml describes the relation {name!r} a second time.")
            relations[name] = RelationPhrases(
                given["noun"],
                given.get("nouns", given["noun"] + "s"),
                given.get("reference"),
                _by_type(given["statements"]),
                _by_type(given["questions"]),
            )
        for given in content.get("sentences") or ():
            sentences.append(
                JoinedSentence(tuple(given["relations"]), given["text"], given.get("same"))
            )
    return Phrases(relations, tuple(sentences), general, prompt_noise)
