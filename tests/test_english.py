"""The words that the project avoids: none of them in texts, docstrings, comments and documents.

    python -m tests.test_english [FOLDER ...]     # lists every place

Each pattern has a reason and what to write instead. `ALLOWED` lists the exceptions, each with its
reason. Corpus phrases (training/corpus/phrases) are training data, and data files of the shipped
world are facts; neither is read here. Parameters are read too, because a caller meets their names.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

AVOIDED = {  # what: pattern
    "anew (write: again)": r"\banew\b",
    "told, tells (write: reports, says, shows)": r"\b(?:told|tells)\b",
    "beside (write: next to)": r"\bbeside\b",
    "of late (write: recently)": r"\bof late\b",
    "at hand (write: available)": r"\bat hand\b",
    "whatever (name what it is)": r"\bwhatever\b",
    "said as a noun (name the thing)": r"\b(?:the|a|its|each|this) said\b",
    "for as because (write: because)": r"(?<=[^\s(\[])[,;] for (?:(?:it|they|there|nobody)\b"
    r"|(?:the|a|this|that|what|who|no) (?:(?!that\b|which\b|who\b)[\w'-]+ ){0,4}?"
    r"(?:is|are|was|were|has|have|had|can|cannot|may|must|would|will|does|do|did)\b)",
    "is no X (write: is not a)": r"(?<!there )\b(?:is|are|was|were) no "
    r"(?!longer\b|more\b|other\b|one\b|way\b|such\b)\w+",
}
PATTERNS = {what: re.compile(pattern, re.I) for what, pattern in AVOIDED.items()}
SAID_AS_A_NAME = "said as a parameter"

SKIPPED = (
    "training/corpus/phrases/",  # training data: how people ask
    "training/evaluation/suites/wordings.yaml",  # how people ask, again
    "training/evaluation/foreign/",  # data
    "graph/data/",  # facts, and what they are about
    "model/checkpoints/",  # what a model wrote, and figures; the card is generated
    "tests/training/aligned_sites.tsv",
    "tests/test_english.py",  # the words themselves
)
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".js", ".css", ".html", ".jinja", ".sh", ".toml", ""}
NAMED = {"Makefile", "Dockerfile", "NOTICE", ".dockerignore", ".gitignore", "run"}


@dataclass(frozen=True)
class Allowed:
    """An exception: where and which words, and why they stay."""

    file: str
    text: str
    why: str


ALLOWED = (
    Allowed("model/grounding/words.py", "beside besides", "a list of English function words"),
    Allowed("model/grounding/words.py", "whatever when", "a list of English function words"),
)


@dataclass(frozen=True)
class Found:
    """A word to avoid, and where it stands."""

    file: str
    line: int
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {self.text}"


def _python_texts(source: str) -> Iterator[tuple[int, str]]:
    """The strings (docstrings and parts of f-strings too) and comments, with their lines."""
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = token.string.lstrip("# ")
            last = comments[-1] if comments else (-1, "")
            if last[0] + last[1].count("\n") + 1 == token.start[0]:  # a comment of many lines
                comments[-1] = last[0], f"{last[1]}\n{text}"
            else:
                comments.append((token.start[0], text))
    yield from comments
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):  # placeholders stand for words
            parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _script_texts(source: str) -> Iterator[tuple[int, str]]:
    """The comments and strings of JavaScript and style sheets."""
    pattern = (
        r"/\*.*?\*/|(?<!:)//[^\n]*(?:\n\s*//[^\n]*)*"
        r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"
    )
    for match in re.finditer(pattern, source, re.S):
        yield source[: match.start()].count("\n") + 1, re.sub(r"\n\s*(?://|\*)", "\n", match[0])


def _template_texts(source: str) -> Iterator[tuple[int, str]]:
    """A Jinja template: all but its tags, which are code."""
    blank = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", lambda m: "\n" * m[0].count("\n"), source, flags=re.S)
    yield 1, blank


def _comment_texts(source: str) -> Iterator[tuple[int, str]]:
    """The comments of YAML, shell and make, each line with those around it."""
    start, lines = 0, []
    for number, line in enumerate([*source.splitlines(), ""], 1):
        _, found, text = line.partition("#")
        if found and (not line.split("#")[0].strip() or re.search(r"\s#", line)):
            start, lines = (start, lines) if lines else (number, lines)
            lines.append(text.strip("# "))
        elif lines:
            yield start, "\n".join(lines)
            lines = []


def _markdown_texts(source: str) -> Iterator[tuple[int, str]]:
    """A document, without its spans of code."""
    yield 1, re.sub(r"`[^`\n]*`", "…", source)


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file, each with the line on which it begins."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        return _python_texts(source)
    if path.suffix in (".js", ".css"):
        return _script_texts(source)
    if path.suffix in (".html", ".jinja"):
        return _template_texts(source)
    if path.suffix == ".md" or path.name == "NOTICE":
        return _markdown_texts(source)
    return _comment_texts(source)


def _names(source: str) -> Iterator[tuple[int, str]]:
    """Parameters of Python code that are called `said`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg) and node.arg == "said":
            yield node.lineno, node.arg


def _files() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in sorted(set(listed.stdout.splitlines()))]
    return [
        path
        for path in files
        if path.is_file()
        and (path.name in NAMED if not path.suffix else path.suffix in SUFFIXES)
        and not path.relative_to(ROOT).as_posix().startswith(SKIPPED)
    ]


def found_in(path: Path, root: Path = ROOT) -> list[Found]:
    """The words to avoid in one file."""
    name = path.relative_to(root).as_posix()
    found = []
    for start, text in _texts(path):
        for what, pattern in PATTERNS.items():
            for match in pattern.finditer(re.sub(r"\s", " ", text)):
                line = start + text[: match.start()].count("\n")
                around = text[max(0, match.start() - 30) : match.end() + 30]
                found.append(Found(name, line, what, " ".join(around.split())))
    if path.suffix == ".py":
        lines = _names(path.read_text("utf-8"))
        found += [Found(name, line, SAID_AS_A_NAME, text) for line, text in lines]
    return [one for one in dict.fromkeys(found) if not _is_allowed(one)]


def _is_allowed(found: Found) -> bool:
    return any(found.file == rule.file and rule.text in found.text for rule in ALLOWED)


PACKAGES = ("", "app", "docs", "graph", "model", "tests", "tools", "training")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_text_has_a_word_to_avoid(package: str) -> None:
    """The empty name is that of the root folder."""
    paths = [path.relative_to(ROOT) for path in _files()]
    own = [path for path in paths if (path.parts[0] if len(path.parts) > 1 else "") == package]
    found = [str(one) for path in own for one in found_in(ROOT / path)]
    print(f"{package or 'root'}: {len(own)} files, {len(found)} places")
    assert own, "the package has no file"
    assert not found, "\n".join([f"{len(found)} places in {package or 'the root'}:", *found])


def test_every_exception_is_needed() -> None:
    for rule in ALLOWED:
        text = " ".join((ROOT / rule.file).read_text("utf-8").split())
        assert rule.text in text, rule


@pytest.mark.parametrize(
    "text",
    [
        "It is written anew.",
        "The error is told.",
        "It tells nothing.",
        "The card is beside it.",
        "It grew of late.",
        "A server at hand.",
        "Whatever it holds.",
        "Publish the said.",
        "It waits, for it is busy.",
        "Nothing was imported, for the file is empty.",
        "This is no JSON.",
    ],
)
def test_a_planted_word_is_found(text: str, tmp_path: Path) -> None:
    for name, source in {
        "docstring.py": f'"""{text}"""\n',
        "comment.py": f"x = 1  # {text}\n",
        "fstring.py": f'x = f"{{1}} {text}"\n',
        "page.md": f"# Title\n\n{text}\n",
        "script.js": f"// {text}\n",
        "style.css": f"/* {text} */\n",
        "template.jinja": f"{{% if x %}}{text}{{% endif %}}\n",
        "settings.yaml": f"x: 1 # {text}\n",
    }.items():
        (tmp_path / name).write_text(source, "utf-8")
        assert [found.line for found in found_in(tmp_path / name, tmp_path)], name


@pytest.mark.parametrize(
    "text",
    [
        "There is no store.",
        "It is no longer there.",
        "A page, for the tests of the browser.",
        "It said nothing.",
    ],
)
def test_plain_words_are_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text, "utf-8")
    assert found_in(tmp_path / "page.md", tmp_path) == []


def test_a_parameter_called_said_is_found(tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text("def f(said):\n    return 1\n", "utf-8")
    found = found_in(tmp_path / "names.py", tmp_path)
    assert [one.line for one in found if one.what == SAID_AS_A_NAME] == [1]


def main(folders: list[str]) -> int:
    """Print every place, and how many there are by package."""
    counts: Counter[str] = Counter()
    by_what: dict[str, Counter[str]] = defaultdict(Counter)
    for path in _files():
        for found in found_in(path):
            package = found.file.split("/")[0]
            counts[package] += 1
            by_what[package][found.what] += 1
            if not folders or any(found.file.startswith(folder) for folder in folders):
                print(found)
    for package, count in counts.most_common():
        print(f"{package}: {count} {dict(by_what[package])}", file=sys.stderr)
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
