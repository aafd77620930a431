"""A query of another Neo4j database, with values of all its types."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.__main__ import main
from graph.sqlite.store import SqliteStore
from tools.neo4j_server.server import Server

CASE = Path(__file__).parents[1] / "exchange" / "cases" / "D1-types.cypher"


def test_the_case_of_types_that_are_not_text(
    server: Server, sqlite: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = CASE.read_text("utf-8").splitlines()
    query = "\n".join(line for line in lines if not line.startswith("//"))
    start = ["import", "--from", server.url, "--store", sqlite.url, "--author", "T"]
    assert main([*start, "--cypher", query]) == 2
    errors = capsys.readouterr().err
    assert "line 7: Its value is “true”" in errors
    assert "line 10: Its value is “null”" in errors
    assert "2 invalid lines" in errors
    assert main([*start, "--cypher", query, "--skip-bad"]) == 0
    assert {(fact.relation, fact.value) for fact in sqlite.all_facts()} == {
        ("first held", "1999-02-28"),
        ("opens at", "2024-06-01T09:30:00+02:00"),
        ("lasts", "P3DT2H"),
        ("daily from", "09:30:00+00:00"),
        ("place", "POINT(4.4 51.2)"),
        ("sponsors", "Tern Press"),
        ("sponsors", "Weaver Guild"),
        ("visitors", "12000"),
        ("share of ticket income", "0.25"),
        ("stalls", "3.0"),
    }
    nothing = "RETURN 'Fair' AS entity, 'patron' AS relation, null AS value"
    before = sqlite.revision()
    assert main([*start, "--cypher", nothing, "--skip-bad"]) == 1
    assert sqlite.revision() == before


def test_lines_that_are_all_invalid_make_no_revision(
    neo4j_store: SqliteStore, tmp_path: Path
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("entity,relation,value\n,b,c\na,,c\n")
    before = neo4j_store.revision()
    assert main(["import", str(path), "--store", neo4j_store.url, "--skip-bad"]) == 1
    path.write_text("entity,relation,value\n,b,c\na,b,c\n")
    assert main(["import", str(path), "--store", neo4j_store.url, "--skip-bad"]) == 0
    assert neo4j_store.revision() == before + 1
