"""The files of LMLMAudit in a folder, recognised by what they hold.

    for database in read_suite(folder, say=print):
        for prompts in database.prompts:
            prompts.kind, prompts.rows

A database is a JSON object with a list of `triplets`. Prompts are JSON Lines, an object for each
prompt. LMLMAudit keeps `DOMAIN/VARIANT.json` next to `DOMAIN/prompts/VARIANT/prompts_KIND.jsonl`,
and its released database next to a plain `prompts` folder. Neither is relied on: a file of prompts
belongs to the database that holds most of its facts. Several may hold all of them, because the
variants `collision` and `noise` contain `base`; then the words of the paths decide, and prompts in
a folder of one variant never belong to another one. No two files of one kind belong to the same
database.

A file that cannot be used is named in one sentence and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import EvaluationError

Say = Callable[[str], None]
Triplet = tuple[str, str, str]

VARIANTS = ("base", "alias", "collision", "noise", "released")
"""How the suite names what was done to a database."""
_VALUE_ALIASES = ("object_aliases", "gold_object_aliases", "answer_aliases")
_KIND = re.compile(r"prompts?[_-]+(\w[\w-]*)$", re.I)
_SUBJECT, _RELATION = ("subject", "entity"), ("relation", "relationship")
_VALUE = ("gold_object", "object", "value", "return_value")


@dataclass(frozen=True)
class PromptRow:
    """One prompt, and the fact that answers it."""

    number: int
    """Its line in the file, from 1."""
    prompt: str
    entity: str
    relation: str
    value: str
    entity_aliases: tuple[str, ...] = ()
    relation_aliases: tuple[str, ...] = ()
    value_aliases: tuple[str, ...] = ()

    @property
    def fact(self) -> Triplet:
        """The triplet that answers it."""
        return self.entity, self.relation, self.value


@dataclass(frozen=True)
class PromptFile:
    """The prompts of one kind for one database."""

    path: Path
    kind: str
    """As the file's name has it after `prompts_`: "cloze", "direct_questions"."""
    rows: tuple[PromptRow, ...]


@dataclass
class Database:
    """A graph of the suite, with its prompts."""

    path: Path
    name: str
    variant: str
    """One of `VARIANTS`; "" if the path names none."""
    triplets: tuple[Triplet, ...]
    prompts: list[PromptFile] = field(default_factory=list)


def read_suite(folder: Path, say: Say) -> list[Database]:
    """The databases in a folder that have prompts, sorted by name, each with its prompts.

    Args:
        folder: a checkout of LMLMAudit, or any folder with such files at any depth.
        say: gets one sentence for each file that is left out.

    Raises:
        EvaluationError: if there is no folder, or no database with prompts in it.
    """
    check_folder(folder)
    databases = list(_databases(folder, say))
    files = list(_prompt_files(folder, say))
    if not databases or not files:
        lacks = "prompts (JSON Lines with prompt_text)" if databases else "database of LMLMAudit"
        raise EvaluationError(f"{folder} holds no {lacks}; name the folder that holds the suite.")
    _match(folder, databases, files, say)
    for database in databases:
        database.prompts.sort(key=lambda one: one.kind)
        if not database.prompts:
            say(f"{database.path} is left out: no file of prompts asks for its facts")
    found = sorted((one for one in databases if one.prompts), key=lambda one: one.name)
    if not found:
        raise EvaluationError(f"No prompts in {folder} ask for facts of its databases.")
    return found


def check_folder(folder: Path) -> None:
    """Raise `EvaluationError` if there is no such folder, which may be a misspelt suite."""
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not a folder; name the folder that holds LMLMAudit.")


def _databases(folder: Path, say: Say) -> Iterator[Database]:
    read: dict[Path, tuple[Triplet, ...]] = {}
    for path in _files(folder, ".json"):
        try:
            read[path] = _triplets(path, say)
        except (OSError, ValueError, RecursionError) as error:
            say(f"{path} is left out: {_why(error)}")
    names = _names(folder, list(read))
    for path, triplets in read.items():
        yield Database(path, names[path], _variant(folder, path), triplets)


def _triplets(path: Path, say: Say) -> tuple[Triplet, ...]:
    data = json.loads(path.read_text("utf-8-sig"))
    stated = data.get("triplets") if isinstance(data, dict) else None
    if not isinstance(stated, list):
        raise ValueError("it is not a database, because it has no list of triplets")
    triplets = [triplet for one in stated if (triplet := _triplet(one))]
    if not triplets:
        raise ValueError("it has no triplets of entity, relation and value")
    if bad := len(stated) - len(triplets):
        say(f"{path}: {bad} of {len(stated)} triplets cannot be read and are left out")
    return tuple(dict.fromkeys(triplets))


def _triplet(one: Any) -> Triplet | None:
    if isinstance(one, Mapping):
        one = [_first(one, keys) for keys in (_SUBJECT, _RELATION, _VALUE)]
    if not isinstance(one, list) or len(one) != 3:
        return None
    entity, relation, value = (_text(part) for part in one)
    return (entity, relation, value) if entity and relation and value else None


def _prompt_files(folder: Path, say: Say) -> Iterator[PromptFile]:
    for path in _files(folder, ".jsonl"):
        try:
            rows, bad = _rows(path)
        except (OSError, ValueError) as error:
            say(f"{path} is left out: {_why(error)}")
            continue
        if not rows:
            say(f"{path} is left out: no line of it is a prompt with subject, relation and value")
            continue
        if bad:
            number = f"line {bad[0]}" if len(bad) == 1 else f"{len(bad)} lines, first {bad[0]}"
            say(f"{path}: {number} cannot be read and is left out")
        named = _KIND.search(path.stem)
        yield PromptFile(path, named[1] if named else path.stem, tuple(rows))


def _rows(path: Path) -> tuple[list[PromptRow], list[int]]:
    """The prompts of a file, and the lines that are none."""
    rows: list[PromptRow] = []
    bad: list[int] = []
    for number, line in enumerate(path.read_text("utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _row(number, json.loads(line))
        except (ValueError, RecursionError):
            row = None
        rows += [row] if row else []
        bad += [] if row else [number]
    return rows, bad


def _row(number: int, data: Any) -> PromptRow | None:
    if not isinstance(data, Mapping) or "model_output" in data:  # the result of a run
        return None
    triplet = _triplet(data)
    prompt = data.get("prompt_text", data.get("prompt"))
    if triplet is None or not isinstance(prompt, str) or not prompt.strip():
        return None
    aliases = (
        tuple(dict.fromkeys(alias for key in keys for alias in _flat(data.get(key))))
        for keys in (("subject_aliases",), ("relation_aliases",), _VALUE_ALIASES)
    )
    return PromptRow(number, prompt.strip(), *triplet, *aliases)


def _match(folder: Path, databases: list[Database], files: list[PromptFile], say: Say) -> None:
    """Give each file of prompts to its database, the surest pairs first."""
    held = [frozenset(database.triplets) for database in databases]
    pairs: list[tuple[tuple[float, int, float], int, int]] = []
    for place, file in enumerate(files):
        asked = {row.fact for row in file.rows}
        where = file.path.relative_to(folder)
        variants = _words(where).intersection(VARIANTS)
        for number, database in enumerate(databases):
            if variants and database.variant and database.variant not in variants:
                continue
            if both := len(asked & held[number]):
                alike = _alike(where, database.path.relative_to(folder))
                overlap = both / len(asked | held[number])
                pairs.append(((both / len(asked), alike, overlap), place, number))
    matched: set[int] = set()
    for _, place, number in sorted(pairs, key=lambda pair: pair[0], reverse=True):
        there = {one.kind for one in databases[number].prompts}
        if place not in matched and files[place].kind not in there:
            matched.add(place)
            databases[number].prompts.append(files[place])
    for place, file in enumerate(files):
        if place not in matched:
            say(f"{file.path} is left out: the database that it asks about is not there")


def _alike(prompts: Path, database: Path) -> int:
    """How many words of a database's path are in a prompt file's, less those that are not."""
    there, words = _words(prompts), _words(database.with_suffix(""))
    return len(words & there) - len(words - there)


def _words(path: Path) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9]+", path.as_posix().casefold()) if word}


def _variant(folder: Path, path: Path) -> str:
    inside, root = path.relative_to(folder).with_suffix(""), Path(folder.resolve().name)
    for words in (_words(inside), _words(root)):
        for variant in VARIANTS:
            if variant in words:
                return variant
    return ""


def _names(folder: Path, paths: list[Path]) -> dict[Path, str]:
    """Names of databases: that of the folder and the file, or the whole path if two are alike."""
    whole = {path: path.relative_to(folder).with_suffix("").parts for path in paths}
    short = {path: "-".join(parts[-2:]) for path, parts in whole.items()}
    alike = [name for name in short.values() if list(short.values()).count(name) > 1]
    return {p: "-".join(whole[p]) if name in alike else name for p, name in short.items()}


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    for path in sorted(folder.rglob(f"*{suffix}")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _first(data: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((data[key] for key in keys if key in data), None)


def _text(part: Any) -> str:
    number = isinstance(part, (int, float)) and not isinstance(part, bool)
    return " ".join(str(part).split()) if isinstance(part, str) or number else ""


def _flat(aliases: Any) -> list[str]:
    if isinstance(aliases, list):
        return [alias for one in aliases for alias in _flat(one)]
    return [text] if (text := _text(aliases)) else []


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON (line {error.lineno}, column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return "it is not text in UTF-8"
    if isinstance(error, RecursionError):
        return "its JSON is nested too deeply"
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or error})"
    return str(error)
