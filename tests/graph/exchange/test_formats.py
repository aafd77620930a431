"""Facts in files: what is read, what is refused and why, and that nothing is lost on the way."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from graph.core.errors import StoreError
from graph.core.import_rows import AliasRow, BadLine, FactRow
from graph.exchange.csv_tables import read_csv
from graph.exchange.formats import FORMATS, format_of, read_rows
from graph.sqlite.store import SqliteStore
from tests.graph.helpers import fact_of, said


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_again(filled: SqliteStore, tmp_path: Path, name: str) -> None:
    rows = [
        FactRow(1, 'He said "so, and\tso"', "a, b", "x;\ty | z", "s", "1999"),
        FactRow(2, "=1+1", "@formula", "-2+3"),
        FactRow(3, "עברית", "日本", "é👩‍👧"),
        FactRow(4, "Saint George's", 'the "relation"', "it's"),
    ]
    filled.load(rows, author="Ada")
    text = io.StringIO()
    facts = list(filled.all_facts())
    assert FORMATS[name].write(facts, text) == len(facts)
    path = write(tmp_path / "facts", text.getvalue())
    store = SqliteStore(f"sqlite:///{tmp_path}/copy.db", create=True)
    report = store.load(read_rows(path, name), author="Ada")
    assert report.facts == len(facts)
    parts = ["entity", "relation", "value", *([] if name == "lmlm" else ["source", "year"])]
    read, expected = (
        [tuple(str(getattr(fact, part)) for part in parts) for fact in some]
        for some in (store.all_facts(), facts)
    )
    if name == "turtle":  # RDF has no order
        read, expected = sorted(read), sorted(expected)
    assert read == expected
    store.close()


def test_the_published_database_is_read(shared: SqliteStore, tmp_path: Path) -> None:
    """Its shape, on two of its own triplets: quotes in it are escaped with a backslash."""
    data = {
        "entities": ["Arthur John Grimshaw"],
        "relationships": ["Position at St George\\'s Cathedral, Perth"],
        "return_values": ["Precentor"],
        "triplets": [
            ["Arthur John Grimshaw", "Position at St George\\'s Cathedral, Perth", "Precentor"],
            ["Geri Halliwell", "Famous For", 'a \\"Spice\\" Girl'],
        ],
    }
    path = write(tmp_path / "database.json", json.dumps(data, indent=4))
    shared.load(read_rows(path), author="Ada")
    assert said(shared, "Arthur John Grimshaw", "position at st george's cathedral, perth") == [
        "Precentor"
    ]
    assert said(shared, "Geri Halliwell") == ['a "Spice" Girl']


BAD_CSV = [
    ("a,r,v,s,2024,more", "6 cells and the header has 5"),
    ("a,r", "no value"),
    (",r,v", "entity is empty"),
    ("a,,v", "relation is empty"),
    ("a,r,", "value is empty"),
    ("a,relations,v", "is reserved"),
    ("a,r,v,s,soon", "“soon” is not a year"),
    ("a,r,v,s,123456", "is not a year"),
    ("a\x07,r,v", "control character"),
    ("a\0,r,v", "control character"),
    ('a,"r"x,v', "not doubled"),
    ("a,r," + "v" * 5000, "5,000 characters; at most 4,096"),
    ("a,r," + "v" * 200_000, "field limit"),
    ("a,r," + "v" * 2_000_000, "more than 1,000,000 characters"),
    ("a,capital," + "v" * 600, "at most 512"),
    ("," * 100_000, "100001 cells"),
]


@pytest.mark.parametrize(("line", "why"), BAD_CSV, ids=[why for _, why in BAD_CSV])
def test_a_bad_line_keeps_everything_out(public: Any, tmp_path: Path, line: str, why: str) -> None:
    header = "entity,relation,value,source,year\n"
    path = write(tmp_path / "facts.csv", f"{header}Oz,ruler,Wizard\n{line}\nOz,land,yes\n")
    revision, facts = public.revision(), list(public.all_facts())
    told: list[BadLine] = []
    with pytest.raises(StoreError, match=r"Nothing was imported.*1 invalid line.*--skip-bad"):
        public.load(read_rows(path), author="Ada", on_bad=told.append)
    assert [bad.line for bad in told] == [3]
    assert why in told[0].reason
    assert len(str(told[0])) < 300
    assert public.revision() == revision
    assert list(public.all_facts()) == facts
    assert public.find_entities("Oz") == []
    report = public.load(read_rows(path), author="Ada", skip_bad=True)
    assert (report.bad, report.facts) == (1, 2)
    assert said(public, "Oz") == ["Wizard", "yes"]


def test_lines_that_are_not_utf_8(public: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "facts.csv", b"entity,relation,value\nOz,r,\xff\xfe\nOz,r,v\n")
    report = public.load(read_rows(path), author="Ada", skip_bad=True)
    assert (report.bad, report.facts) == (1, 1)


def test_json_lines(filled: SqliteStore, tmp_path: Path) -> None:
    lines = [
        '{"entity": "Oz", "relation": "ruler", "value": "Wizard", "year": 1900}',
        "",
        '{"entity": "Oz", "relation": "population", "value": 500000}',
        "{",
        "[1, 2, 3]",
        '{"entity": "Oz", "relation": "ruler"}',
        '{"entity": "Oz", "relation": "ruler", "value": {"a": 1}}',
        "[" * 100_000,
    ]
    path = write(tmp_path / "facts.jsonl", "\n".join(lines))
    told: list[BadLine] = []
    report = filled.load(read_rows(path), author="Ada", skip_bad=True, on_bad=told.append)
    assert [bad.line for bad in told] == [4, 5, 6, 7, 8]
    assert report.facts == 2
    assert fact_of(filled, "Oz", "ruler").year == 1900
    assert said(filled, "Oz", "population") == ["500000"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"triplets": 7}', "[" * 100_000])
def test_what_is_no_lmlm_database(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "database.json", text)
    with pytest.raises(StoreError, match=r"not JSON|no facts"):
        list(read_rows(path))


def test_bad_triplets_are_numbered(tmp_path: Path) -> None:
    data = {"triplets": [["a", "b", "c"], ["a", "b"], "abc", ["a", "b", 3], None]}
    path = write(tmp_path / "database.json", json.dumps(data))
    assert [row.line for row in read_rows(path) if isinstance(row, BadLine)] == [2, 3, 4, 5]


def test_headers_say_what_a_csv_file_holds(filled: SqliteStore, tmp_path: Path) -> None:
    rows = list(read_csv(io.StringIO("Alias, Entity\nHexagon,France\n")))
    assert rows == [AliasRow(2, "Hexagon", "France")]
    path = write(tmp_path / "aliases.csv", "alias,entity\nHexagon,France\nX,Atlantis\n")
    told: list[BadLine] = []
    filled.load(read_rows(path), author="Ada", skip_bad=True, on_bad=told.append)
    assert said(filled, "Hexagon", "capital") == ["Paris"]
    assert "no entity “Atlantis”" in told[0].reason
    path = write(tmp_path / "relations.csv", "relation,kind\nmotto,literal\nx,maybe\n")
    filled.load(read_rows(path), author="Ada", skip_bad=True, on_bad=told.append)
    assert filled.relation("Motto").kind == "literal"  # type: ignore[union-attr]
    assert "neither link nor literal" in told[1].reason
    for header in ("", "a,b,c\n1,2,3\n", '"', "x" * 200_000):
        with pytest.raises(StoreError, match=r"entity,relation,value|cannot be read"):
            list(read_csv(io.StringIO(header)))


def test_an_excel_export_is_read(filled: SqliteStore, tmp_path: Path) -> None:
    text = '\ufeffEntity,Relation,Value\r\nOz,ruler,"a\r\nb"\r\n\r\nOz,land,yes\r\n'
    report = filled.load(read_rows(write(tmp_path / "f.csv", text)), author="Ada")
    assert report.facts == 2
    assert said(filled, "Oz") == ["a b", "yes"]


@pytest.mark.parametrize("name", ["facts.ttl", "facts.graphml"])
def test_what_is_held_in_memory_has_a_stated_size(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.exchange.text_files.LARGEST_WHOLE", 1000)
    path = write(tmp_path / name, "# " + "x" * 999 + "\n")
    with pytest.raises(StoreError, match=r"is read whole, and this file has more than 1,000 char"):
        list(read_rows(path))
    path = write(tmp_path / name, "# " + "x" * 600 + "\n")
    if name == "facts.ttl":
        assert list(read_rows(path)) == []


@pytest.mark.parametrize("name", ["turtle", "graphml"])
def test_an_export_that_is_held_in_memory_has_a_limit(
    filled: SqliteStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = list(filled.all_facts())
    limit = "graph.exchange.text_files.MOST_FACTS_WHOLE"
    monkeypatch.setattr(limit, len(facts))
    assert FORMATS[name].write(facts, io.StringIO()) == len(facts)
    monkeypatch.setattr(limit, len(facts) - 1)
    with pytest.raises(StoreError, match=f"holds at most {len(facts) - 1} facts; use N-Triples"):
        FORMATS[name].write(facts, io.StringIO())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "none.csv", "No such file"),
        (tmp_path, "holds no files"),
        (tmp_path / "facts.xml", "format .* is not known"),
    ):
        with pytest.raises(StoreError, match=why):
            list(read_rows(path))
    assert format_of(tmp_path / "facts", "jsonl").name == "jsonl"


@pytest.mark.parametrize(
    ("value", "read"),
    [('"\\ud83d\\ude00"', "😀"), ('"\\\\ud800"', "\\ud800"), ('"a\\ud800"', ""), ('"\\udc00"', "")],
)
def test_half_of_a_character_is_an_invalid_triplet(tmp_path: Path, value: str, read: str) -> None:
    text = f'{{"triplets": [["A", "b", {value}], ["A", "c", "d"]]}}'
    first, second = read_rows(write(tmp_path / "database.json", text))
    assert isinstance(second, FactRow)
    if read:
        assert isinstance(first, FactRow)
        assert first.value == read
    else:
        assert isinstance(first, BadLine)
        assert "half of a character" in first.reason
    with pytest.raises(StoreError, match="goes on after its end"):
        list(read_rows(write(tmp_path / "database.json", text + '"')))
