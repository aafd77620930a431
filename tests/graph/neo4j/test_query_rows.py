"""A query of another Neo4j database, with values of all its types."""

from __future__ import annotations

import re
from pathlib import Path

import neo4j
import pytest

from graph.__main__ import main
from graph.sqlite.store import SqliteStore
from tools.neo4j_server.server import Server

DOCS = Path(__file__).parents[3] / "docs" / "importing.md"
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


MOVIES = """
CREATE (matrix:Film {title: 'The Matrix', released: 1999, tagline: 'Welcome to the Real World'})
CREATE (keanu:Person {name: 'Keanu Reeves', born: 1964})
CREATE (lilly:Person {name: 'Lilly Wachowski', born: 1967})
CREATE (james:Person {name: 'James Thompson'})
CREATE (keanu)-[:ACTED_IN {roles: ['Neo']}]->(matrix)
CREATE (lilly)-[:DIRECTED]->(matrix)
CREATE (james)-[:REVIEWED {rating: 95}]->(matrix)
CREATE (james)-[:FOLLOWS]->(keanu)
"""


def test_the_documented_queries_read_the_movies_example(
    server: Server, neo4j_store: SqliteStore, sqlite: SqliteStore
) -> None:
    auth = ("neo4j", server.password)
    documented = re.findall(r'--cypher "(.*)"', DOCS.read_text("utf-8"))
    assert len(documented) == 2
    with neo4j.GraphDatabase.driver(server.url, auth=auth) as driver:
        driver.execute_query(MOVIES, database_="neo4j")
        try:
            for query in documented:  # only the example's nodes, next to those of the store
                own = query.replace("MATCH (a)-", "MATCH (a:Film|Person)-", 1).replace(
                    "MATCH (a) ", "MATCH (a:Film|Person) ", 1
                )
                assert own != query
                start = ["import", "--from", server.url, "--store", sqlite.url, "--author", "T"]
                assert main([*start, "--cypher", own]) == 0
        finally:
            driver.execute_query("MATCH (n:Film|Person) DETACH DELETE n", database_="neo4j")
    assert {(fact.entity, fact.relation, fact.value) for fact in sqlite.all_facts()} == {
        ("Keanu Reeves", "ACTED_IN", "The Matrix"),
        ("Lilly Wachowski", "DIRECTED", "The Matrix"),
        ("James Thompson", "REVIEWED", "The Matrix"),
        ("James Thompson", "FOLLOWS", "Keanu Reeves"),
        ("The Matrix", "released", "1999"),
        ("The Matrix", "tagline", "Welcome to the Real World"),
        ("Keanu Reeves", "born", "1964"),
        ("Lilly Wachowski", "born", "1967"),
    }


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
