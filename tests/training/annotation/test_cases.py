"""What language models annotate: each call is read whole, or reported with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.annotation.annotated_text import parse
from training.annotation.articles import Article, Problems, read_articles
from training.errors import CorpusError

CASES = Path(__file__).parent / "cases"
FILES = [CASES / "G1-annotated-bom.json", CASES / "G1-annotated.jsonl"]


def articles(path: Path) -> tuple[list[Article], Problems]:
    problems = Problems()
    return list(read_articles(path, problems, drop=True)), problems


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.suffix)
def test_the_case_of_eleven_kinds_of_lookups(path: Path) -> None:
    documents, problems = articles(path)
    found = {
        article.number: [(p.entity, p.relation, p.value) for p in article.document.lookups]
        for article in documents
    }
    assert found == {
        1: [("Mara Quill", "Birth Date", "4 May 1931")],
        2: [("Mara Quill", "Written Work", "The Salt Road")],
        3: [("The Salt Road", "Copies Sold", "60 thousand")],
        4: [("The Salt Road", "Record", "Tides [EP]")],
        5: [("St George's Mill", "Owner's Name", "Nia Hart")],
        6: [],
        7: [],
        8: [("Brann", "Mayor", "Bo Tveit"), ("Brann", "Mayor Since", "2011")],
        9: [],
        10: [("Brann", "Motto", "Hold fast")],
        11: [("Brann", "Area", "9 km²")],
    }
    assert [number for number, _ in problems.found] == [6, 7, 9]
    for article in documents:
        text = article.document.text
        assert not set("[]") & set(text.replace("Tides [EP]", ""))
        assert "dblookup" not in text
        assert "->" not in text
    with pytest.raises(CorpusError, match="document 6, character"):
        list(read_articles(path, Problems()))


def test_both_files_say_the_same() -> None:
    first, second = (articles(path)[0] for path in FILES)
    assert [a.document for a in first] == [a.document for a in second]


BROKEN = [
    "By [Mara Quill](dblookup('Mara Quill', 'Born') -> 1931) here.",
    "By dblookup('Mara Quill', 'Born') here.",
    "By [dblookup(Mara Quill, Born) -> 1931] here.",
    "By [dblookup('Mara Quill') -> 1931] here.",
    "By [dblookup('A', 'B') -> {[x]3} y] z] here.",
    "By [dblookup('A', 'B') -> (x] y) z] here.",
    "By [dblookup('A', 'B')] here.",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_call_is_reported_and_leaves_no_trace(text: str) -> None:
    found = parse(text)
    assert not found.lookups
    assert len(found.problems) == 1
    assert not {"[", "]", "dblookup", "->"} & {p for p in ("[", "]", "dblookup", "->")
                                              if p in found.text}  # fmt: skip
    assert found.text.startswith("By ")


READ = [
    ("[dblookup(“A”, “B”) → C] C", ("A", "B", "C")),
    ("[ dblookup( 'A' , \"B\" ) => C ] C", ("A", "B", "C")),
    ("[DBLookup('A','B')->C]C", ("A", "B", "C")),
    ("[see [dblookup('A', 'B') -> C] C]", ("A", "B", "C")),
    ("[dblookup('A', 'B') -> x] y] x] y", ("A", "B", "x] y")),
]


@pytest.mark.parametrize(("text", "slots"), READ)
def test_calls_in_other_spellings_are_read(text: str, slots: tuple[str, str, str]) -> None:
    found = parse(text)
    assert [(p.entity, p.relation, p.value) for p in found.lookups] == [slots]
    assert not found.problems


def test_a_corpus_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes('{"annotated_text": "Mühlgrün"}\n'.encode("cp1252"))
    with pytest.raises(CorpusError, match="not UTF-8; it is probably cp1252"):
        list(read_articles(path, Problems()))
