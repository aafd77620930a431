"""Linked data and GraphML in and out, imports that go on after a stop, and hostile files."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import networkx
import pytest
import rdflib

from graph.__main__ import main
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.core.import_rows import AliasRow, BadLine, FactRow
from graph.exchange.formats import read_rows
from graph.exchange.resumable import load_in_parts
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests.graph.helpers import said

ODD = [
    Add("France", "motto", 'Liberté, "égalité" \\ <fraternité> & co', source='a "b"; c\\d'),
    Add("<|db_entity|> x", "a/b#c%20", "100 %", value_is_link=False),
    Add("שלום", "日本", "👩‍👩‍👧", year=-44, value_is_link=False),
    Add("urn:x:y", "http://example.org/r", "http://example.org/v#w", value_is_link=False),
    Add("Robert'); DROP TABLE fact;--", "MATCH (n) DETACH DELETE n", "/.*/ AND *"),
]


@pytest.mark.parametrize("ending", ["nt", "ttl", "graphml"])
def test_what_is_written_is_read_again(
    filled: SqliteStore, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.apply(ODD, author="Ada")
    path = tmp_path / f"facts.{ending}"
    assert main(["export", str(path), "--store", filled.url]) == 0
    target = f"sqlite:///{tmp_path}/again.db"
    assert main(["init", "--empty", "--store", target]) == 0
    assert main(["import", str(path), "--store", target]) == 0
    assert "12 new facts" in capsys.readouterr().out

    def content(store: Any) -> set[tuple[Any, ...]]:
        return {(f.entity, f.relation, f.value, f.source, f.year) for f in store.all_facts()}

    with open_store(target) as store:
        assert content(store) == content(filled)
        assert store.statistics().links >= 4


def test_other_tools_read_what_is_written(filled: SqliteStore, tmp_path: Path) -> None:
    for name in ("facts.nt", "facts.ttl", "facts.graphml"):
        assert main(["export", str(tmp_path / name), "--store", filled.url]) == 0
    france, paris = (rdflib.URIRef(f"urn:lamplight:entity:{name}") for name in ("France", "Paris"))
    for name in ("facts.nt", "facts.ttl"):
        graph = rdflib.Graph().parse(tmp_path / name)
        assert (france, rdflib.URIRef("urn:lamplight:relation:capital"), paris) in graph
    drawn = networkx.read_graphml(tmp_path / "facts.graphml")
    assert "France" in {data["name"] for _, data in drawn.nodes(data=True)}


def test_other_peoples_linked_data(tmp_path: Path) -> None:
    path = tmp_path / "theirs.ttl"
    path.write_text(
        """@prefix : <http://example.org/id/> . @prefix p: <http://example.org/prop#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
        :Q142 rdfs:label "France" ; skos:altLabel "Hexagon" ; p:capital_city :Paris ; a :Country .
        """
    )
    rows = list(read_rows(path))
    facts = {(r.entity, r.relation, r.value) for r in rows if isinstance(r, FactRow)}
    assert facts == {("France", "capital city", "Paris"), ("France", "instance of", "Country")}
    assert [(r.alias, r.entity) for r in rows if isinstance(r, AliasRow)] == [("Hexagon", "France")]
    lines = tmp_path / "theirs.nt"
    lines.write_text(
        "# a comment\n\n<http://e.org/id/Paris> <http://e.org/p#country> <http://e.org/id/France> ."
        '\nnonsense\n_:b <http://e.org/p#name> "x"@en .\n' + "x" * 2_000_000 + "\n"
    )
    read = list(read_rows(lines))
    assert [type(row) for row in read] == [FactRow, BadLine, FactRow, BadLine]
    assert read[0] == FactRow(3, "Paris", "country", "France")
    assert [row.line for row in read] == [3, 4, 5, 6]


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;"> <!ENTITY file SYSTEM "file:///etc/passwd">]>
<graphml><graph><node id="&c;"/><node id="&file;"/></graph></graphml>"""
HOSTILE = {
    "bomb.graphml": (BOMB, "declares a document type"),
    "cut.graphml": ("<graphml><graph><node id='a'", "is not XML"),
    "other.graphml": ("<svg></svg>", "is not GraphML"),
    "edge.graphml": (
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
        '<node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>',
        "1 invalid line",
    ),
    "bad.ttl": ("<a> <b> .", "is not Turtle"),
    "bad.nt": ("a b c", "1 invalid line"),
    "columns.csv": ("entity,relation,value\n" + "x," * 500_001 + "\n", "1 invalid line"),
    "wide.csv": ("entity,relation,value\n" + "x," * 10_000_000 + "\n", "1 invalid line"),
    "wide header.csv": (
        "entity,relation,value" + ",x" * 10_000_000 + "\n",
        "must name the columns",
    ),
    "header.csv": ("entity,relation,value," * 10_000 + "\n", "imported"),
    "cut.json": ('{"triplets": [["a", "b", "c"], ["a"', "is not JSON"),
    "none.json": ('{"entities": []}', "holds no facts"),
    "list.json": ("[]", "holds no facts"),
    "deep.json": ('{"triplets": ' + "[" * 100_000, "is not JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence_and_no_harm(
    public: Any, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text, message = HOSTILE[name]
    path = tmp_path / name
    path.write_text(text)
    before = list(public.all_facts())
    code = main(["import", str(path), "--store", public.url])
    errors = capsys.readouterr().err
    if name == "header.csv":
        assert code in (0, 2)
    else:
        assert code == 2
        assert message in errors
    assert len(errors) < 1000
    assert list(public.all_facts()) == before


def test_formula_cells_are_only_text(public: Any, tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text('entity,relation,value\nSheet,cell,"=HYPERLINK(""x"")"\nSheet,cell,@SUM(1)\n')
    assert main(["import", str(path), "--store", public.url]) == 0
    assert said(public, "Sheet", "cell") == ['=HYPERLINK("x")', "@SUM(1)"]


def many(path: Path, number: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for i in range(number):
            file.write(json.dumps({"entity": f"e{i // 3}", "relation": "r", "value": f"v{i}"}))
            file.write("\n")


def test_an_import_goes_on_where_it_was_stopped(public: Any, tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    many(path, 1000)
    before = public.statistics().facts

    def stop(rows: int) -> None:
        if rows >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_in_parts(public, path, author="Ada", reason="mine", part=200, on_part=stop)
    assert public.statistics().facts == before + 400
    public.apply([Add("France", "motto", "Liberté")], author="Bob")  # others go on meanwhile
    told: list[int] = []
    report, passed = load_in_parts(public, path, author="Ada", part=200, on_part=told.append)
    assert (passed, report.facts, told) == (400, 600, [600, 800, 1000])
    assert public.statistics().facts == before + 1001
    assert load_in_parts(public, path, author="Ada", part=200)[1] == 1000
    public.undo(author="Ada")  # of the last part
    report, passed = load_in_parts(public, path, author="Ada", part=200)
    assert (passed, report.facts) == (800, 200)
    assert public.statistics().facts == before + 1001
    with path.open("a") as file:
        file.write("no json\n")
    with pytest.raises(StoreError, match="1 invalid line"):  # another file: its facts are there
        load_in_parts(public, path, author="Ada", part=2000)
    assert public.statistics().facts == before + 1001


def test_a_large_lmlm_database_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "database.json"
    with path.open("w") as file:
        file.write('{"entities": ["' + '", "'.join(f"e{i}" for i in range(1000)) + '"], ')
        file.write('"triplets": [["e0", "r", "St George\\\\\'s"]')
        for i in range(20_000):
            file.write(f',\n["entity {i}", "relation", "{"value " * 20}{i}"]')
        file.write("]}")
    script = f"""
import resource
from pathlib import Path
from graph.exchange.formats import read_rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in read_rows(Path({str(path)!r})))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    count, grown = done.stdout.split()
    assert int(count) == 20_001
    assert float(grown) < 2 < path.stat().st_size / 1e6
    first = next(islice(read_rows(path), 1))
    assert isinstance(first, FactRow)
    assert first.value == "St George's"


def test_an_import_needs_a_file_or_a_query(
    filled: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in ([], ["x.csv", "--cypher", "RETURN 1"], ["--cypher", "RETURN 1"]):
        assert main(["import", *wrong, "--store", filled.url]) == 2
        assert capsys.readouterr().err.count("\n") == 1
