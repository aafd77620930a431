"""Wordings by people for relations: read from published data sets when the corpus is built.

    wordings = read_wordings(Path("../shared/data"))
    for relation in wordings.properties:
        if not relation.held_out:
            prompts = [wording.question("Ulm") for wording in relation.trainable()]

The folder holds `kgconv` (KGConv: question wordings for Wikidata properties, with the labels of
properties and entities) and, if it is there, `pararel` (statement patterns). NOTICE names both.

What is held out is decided here, by hashes, so that the corpus and the evaluation agree: 40
properties with everything about them (`property_held_out`), and a tenth of the wordings of the
others (`wording_held_out`). `forbidden` finds the wordings that would put a prompt of the open
questions or of LMLMAudit into the training data.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from graph.core.inverse import inverse_name
from graph.world import DATA
from training.errors import CorpusError
from training.table_questions import MEASURED, read_tables

DEFAULT_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Where the data sets lie if no option says otherwise: in `shared/data` next to the repository."""
KEPT = Path(__file__).parent / "kept_prompts.yaml"
BLANK = "_"  # what stands for a name in a prompt with its names blanked

_HELD_OUT_OF_467 = 40  # of the published properties and inverse properties
_QUOTED = (  # prompts that were tried by hand and kept as a measure, names blanked
    "How long is _?",
    "Which oceans touch _?",
    "How do I dial _?",
    "What club is most associated with _?",
)
_ORDINARY = """
    about answer away blue born business capitale cold company complete countries country does ends
    find found from genre ground happen has have heavy high house internet its king largest last
    like live long many mayor moon moons national part pass people play played poem president
    queen question second sentence spoken symbol tell the what when where which who whom why with
    world write
"""  # words of names of the shipped world that name nothing in a question
_PLAIN = re.compile(r"^(?:what is the (?P<asked>[^_]+) of _|the (?P<stated>[^_]+) of _ is)$")
_PARAGRAPH = frozenset({BLANK, "tell me about _"})  # ask for a paragraph, not for a relation
_ASKING = re.compile(r"\b(?:what|whats|which|who|whos|whom|whose|where|when|how|why|name)\b", re.I)
_BROKEN = re.compile(r"[\[\]{}<>\\=_*|#]|\.\.\.|!!|!\?")


def property_held_out(p: str) -> bool:
    """Whether no training document may ask for a property or its inverse.

    Args:
        p: the property's id; a minus sign in front marks the inverse.
    """
    return _hash(p.lstrip("-")) % 467 < _HELD_OUT_OF_467


def wording_held_out(p: str, left: str, right: str) -> bool:
    """Whether no training document may use a wording of a property: a tenth of them.

    Wordings that differ in capitals or punctuation only are held out together.
    """
    words = re.findall(r"\w+", f"{left} {BLANK} {right}".casefold())
    return _hash(f"{p}|{' '.join(words)}") % 10 == 0


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


@dataclass(frozen=True)
class Wording:
    """A question of people's own, in two parts: the entity's name stands between them."""

    left: str
    right: str
    held_out: bool

    def question(self, name: str) -> str:
        """The question about one entity.

        >>> Wording("What is", "'s capital?", False).question("Norway")
        "What is Norway's capital?"
        """
        before = "" if not self.left or self.left[-1] in '"(' else " "
        after = "" if self.right[:1] in tuple("?'\",;") else " "
        return f"{self.left}{before}{name}{after}{self.right}".strip()


@dataclass(frozen=True)
class Property:
    """A relation between two kinds of things, and how people ask for it."""

    id: str
    """As Wikidata numbers it; a minus sign in front marks the inverse."""
    label: str
    """The relation's name; for an inverse, the name that `inverse_name` gives it."""
    inverse: bool
    subject_types: frozenset[str]
    """Classes of the entities that are asked about."""
    object_types: frozenset[str]
    """Classes of the answers."""
    wordings: tuple[Wording, ...]
    statements: tuple[str, ...]
    """Patterns such as "[X] was born in [Y].", where [X] is the entity asked about."""

    @property
    def held_out(self) -> bool:
        """Whether no training document may ask for it."""
        return property_held_out(self.id)

    def trainable(self) -> list[Wording]:
        """The wordings that a training document may use."""
        if self.held_out:
            return []
        return [w for w in self.wordings if not w.held_out and not forbidden(w.left, w.right)]


@dataclass(frozen=True)
class Wordings:
    """Everything that was read from a folder of data sets."""

    properties: tuple[Property, ...]
    entities: tuple[str, ...] = field(repr=False)
    """Labels of 70,000 entities."""
    missing: tuple[str, ...] = ()
    """What the folder lacks, in words."""


def read_wordings(folder: Path = DEFAULT_DATA) -> Wordings:
    """Read the data sets that lie in a folder, in the published formats.

    Args:
        folder: holds `kgconv` and `pararel`, either of which may be missing.

    Raises:
        CorpusError: if a file there is not in the published format.
    """
    absent = [name for name in ("kgconv", "pararel") if not _there(folder, name)]
    missing = [f"{folder / name} is not there" for name in absent]
    try:
        statements = _statements(folder / "pararel")
        if not _there(folder, "kgconv"):
            return Wordings((), (), tuple(missing))
        properties = tuple(_properties(folder / "kgconv", statements))
        entities = _json(folder / "kgconv" / "entity_labels.json").values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"The wordings in {folder} are not in their published format ({error!r})."
        ) from error
    return Wordings(properties, tuple(dict.fromkeys(entities)), tuple(missing))


def _there(folder: Path, name: str) -> bool:
    return (folder / name).is_dir()


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _properties(folder: Path, statements: dict[str, list[str]]) -> Iterator[Property]:
    """The labelled properties, each once, with the wordings of all its templates."""
    labels = _json(folder / "property_labels.json")
    merged: dict[str, list[dict[str, Any]]] = {}
    for row in _json(folder / "template_library.json"):
        merged.setdefault(row["template_key"]["p"], []).append(row)
    for p, rows in sorted(merged.items()):
        if p.lstrip("-") not in labels:
            continue
        label = labels[p.lstrip("-")].removesuffix(" (DEPRECATED)")
        inverse = p.startswith("-")
        pairs = ((t["left"], t["right"]) for row in rows for t in row["templates"])
        wordings = tuple(_cleaned(p, pairs))
        patterns = statements.get(p.lstrip("-"), [])
        if inverse:
            patterns = [swapped(text) for text in patterns]
        if wordings:
            keys = [row["template_key"] for row in rows]
            yield Property(
                id=p,
                label=inverse_name(label) if inverse else label,
                inverse=inverse,
                subject_types=frozenset(t for key in keys for t in key["s_types"]),
                object_types=frozenset(t for key in keys for t in key["o_types"]),
                wordings=wordings,
                statements=tuple(patterns),
            )


def _cleaned(p: str, pairs: Iterable[tuple[str, str]]) -> Iterator[Wording]:
    """Each wording once, without the broken ones."""
    seen = set()
    for parts in pairs:
        cleaned = clean_wording(*parts)
        if cleaned is not None and (key := " _ ".join(cleaned).casefold()) not in seen:
            seen.add(key)
            yield Wording(*cleaned, wording_held_out(p, *cleaned))


def clean_wording(left: str, right: str) -> tuple[str, str] | None:
    """Both parts without stray spaces and marks; None if the wording is broken.

    >>> clean_wording("what is ", "  's capital ?")
    ('what is', "'s capital?")
    """
    left, right = " ".join(left.split()), " ".join(right.split())
    right = re.sub(r"^(?:'s|’s|s'|') ", "'s ", right)
    right = re.sub(r"[\s.,?]*\?$", "?", right)
    both = f"{left} {right}"
    words = re.findall(r"[^\W_]+", re.sub(r"'s\b", "", both))
    broken = (
        not right.endswith("?")
        or _BROKEN.search(both)
        or left.endswith((":", "-"))
        or right.startswith((":", "-"))
        or both.count('"') % 2
        or len(words) < 2
        or (len(words) < 4 and not _ASKING.search(both))
    )
    return None if broken else (left, right)


def _statements(folder: Path) -> dict[str, list[str]]:
    """The patterns of each property that are whole sentences."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("P*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            pattern = " ".join(json.loads(line)["pattern"].split())
            pattern = re.sub(r"\s+([.,])", r"\1", pattern)
            sentence = (
                pattern.endswith(".")
                and pattern.count("[X]") == 1
                and pattern.count("[Y]") == 1
                and re.search(r"\b[a-z]{2,}", pattern)
                and not re.search(r", (?:who|which|that|a|an|the|from)\b", pattern)
                and not re.search(r"\] (?:owner|player|musicians?) \[|\] musicians? ", pattern)
            )
            if sentence and pattern not in found.setdefault(path.stem, []):
                found[path.stem].append(pattern)
    return found


def swapped(pattern: str) -> str:
    """A statement pattern read from its other end."""
    return "[Y]".join(part.replace("[Y]", "[X]") for part in pattern.split("[X]"))


def forbidden(left: str, right: str) -> bool:
    """Whether a wording reproduces a prompt of a measure, names blanked.

    These are the prompts kept for the evaluation (kept_prompts.yaml), the open questions, the
    prompts of LMLMAudit, and those quoted in the issue that asked for the measures. The plain
    forms "What is the R of X?" and "The R of X is", a bare name and "Tell me about X." are never
    forbidden. Without the data sets only the kept and the quoted ones are known.
    """
    return forbidden_prompt(f"{left} {BLANK} {right}")


def forbidden_prompt(prompt: str, names: Iterable[str] = ()) -> bool:
    """The same of a whole prompt, in which `names` are blanked first."""
    key = prompt_key(prompt, names)
    return key in measured_prompts() and not is_plain(key)


def is_plain(key: str) -> bool:
    """Whether a prompt (`prompt_key`) has one of the forms that training may share."""
    return key in _PARAGRAPH or _PLAIN.match(key) is not None


def prompt_key(prompt: str, names: Iterable[str] = ()) -> str:
    """A prompt with its names blanked and without capitals, spacing and marks at its end.

    >>> prompt_key("What's the capital of  France?", ["France"])
    'what is the capital of _'
    """
    for name in sorted(names, key=len, reverse=True):
        prompt = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", BLANK, prompt, flags=re.I)
    text = re.sub(r"(what|who|where|when|how)'s\b", r"\1 is", prompt.casefold().replace("’", "'"))
    text = re.sub(r"\s+(['?.,;:!])", r"\1", " ".join(text.split()))
    text = re.sub(rf"\b(?:the|an?) {BLANK}(?!\w)", BLANK, text)
    return re.sub(r"[\s.?!:]+$", "", text)


@cache
def kept_prompts() -> dict[str, Any]:
    """The prompts about the shipped world that are kept for the evaluation, as templates."""
    loaded: dict[str, Any] = yaml.safe_load(KEPT.read_text("utf-8"))
    return loaded


def templates_of(part: Any) -> Iterator[str]:
    """Every template in a part of a YAML file; the names of relations are not templates."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for key, below in part.items():
            if key != "relations" or isinstance(below, dict):
                yield from templates_of(below)
    elif isinstance(part, list):
        for below in part:
            yield from templates_of(below)


@cache
def measured_prompts(folder: Path = DEFAULT_DATA) -> frozenset[str]:
    """The kept, open, audit and quoted prompts and those about tables, names blanked."""
    found = {prompt_key(prompt) for prompt in _QUOTED}
    for template in templates_of(kept_prompts()):
        blanked = re.sub(r"\{entity's\}", f"{BLANK}'s", template)
        found.add(prompt_key(re.sub(r"\{\w+\}", BLANK, blanked)))
    questions = folder / "questions_open.jsonl"
    if questions.is_file():
        for line in questions.read_text("utf-8").splitlines():
            found.add(question_key(json.loads(line)["q"]))
    for path in sorted((folder / "lmlm-audit").glob("prompts-*/*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            found.add(prompt_key(row["prompt_text"], [row["subject"]]))
    for table in read_tables(MEASURED):
        names = {name for entity, _, value in table.facts for name in (entity, value)}
        found |= {prompt_key(case["q"], names) for case in table.cases}
    return frozenset(found - {""})


def question_key(question: str) -> str:
    """The key of a question about the shipped world: its names are blanked, parts of them too."""
    names, parts = _world_names()
    words = re.findall(r"\w+", question)
    spans = {
        " ".join(words[i:j]).casefold()
        for i in range(len(words))
        for j in range(i + 1, min(len(words), i + 6) + 1)
    }
    return prompt_key(question, [*(names & spans), *(parts & spans)])


@cache
def _world_names() -> tuple[frozenset[str], frozenset[str]]:
    """The names of the shipped world in lower case, and the words in them that name something."""
    names: set[str] = set()
    ordinary = set(_ORDINARY.split())
    for file, columns in (("world.csv", ("entity", "value")), ("aliases.csv", ("alias",))):
        with (DATA / file).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                ordinary |= set(row.get("relation", "").split())
                names |= {
                    row[column]
                    for column in columns
                    if (row[column][:1].isupper() or column == "entity") and len(row[column]) < 60
                }
    parts = {
        word.casefold()
        for name in names
        for word in re.findall(r"\w+", name)
        if word[:1].isupper() and len(word) > 3
    }
    whole = {name.casefold() for name in names if len(name) > 2 and name.split()[0] != "The"}
    return frozenset(whole - ordinary), frozenset(parts - ordinary)
