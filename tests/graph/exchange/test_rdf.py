"""Linked data: names by language and IRI, blank nodes, spelling of literals, places of errors."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from graph.__main__ import main
from graph.core.errors import StoreError
from graph.core.import_rows import FactRow
from graph.exchange.read_options import ReadOptions
from graph.opening import open_store
from tests.graph.exchange.reading import CASES, read

PREFIX = "@prefix ex: <http://example.org/m#> .\n@prefix rdfs: "
PREFIX += "<http://www.w3.org/2000/01/rdf-schema#> .\n"


def imported(url: str, path: Path, *options: str) -> int:
    return main(["import", str(path), "--store", url, "--author", "T", *options])


@pytest.mark.parametrize("name", ["B1-blank.ttl", "B1-blank.nt"])
def test_the_case_of_blank_nodes(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url, again = (f"sqlite:///{tmp_path}/{n}.db" for n in ("one", "two"))
    for each in (url, again):
        assert main(["init", "--empty", "--store", each]) == 0
    assert imported(url, CASES / name) == 0
    capsys.readouterr()
    assert imported(url, CASES / name) == 0
    assert "0 new facts, 0 new entities" in capsys.readouterr().out
    exported = tmp_path / "t.ttl"
    assert main(["export", str(exported), "--store", url]) == 0
    assert imported(again, exported) == 0
    with open_store(url) as one, open_store(again) as two:
        counts: list[Any] = [store.statistics() for store in (one, two)]
        assert counts[0].facts == counts[1].facts == (3 if name.endswith(".nt") else 6)
        assert counts[0].entities == counts[1].entities
        names = {fact.entity for fact in one.all_facts()}
    if name.endswith(".nt"):
        assert "_:a1" in names
    else:
        assert "[street Loom Row 4, town Fellbridge]" in names


def test_the_case_of_languages_and_of_two_things_with_one_label() -> None:
    done = read(CASES / "B3-languages.ttl")
    assert set(done.facts) == {
        ("Gull Lighthouse", "located in", "Mouette-Port"),
        ("Plain Rock", "located in", "Mouette-Port"),
        ("Gull Rock (Q900004)", "P2044", "12"),
        ("Gull Rock (Q900005)", "P2044", "31"),
    }
    assert ("Leuchtturm Möwe", "Gull Lighthouse") in done.aliases
    assert any("“Gull Rock”" in note for note in done.notes)
    german = read((CASES / "B3-languages.ttl").read_bytes(), "b.ttl", ReadOptions(language="de"))
    assert ("Leuchtturm Möwe", "liegt in", "Hafen Möwe") in german.facts


def test_the_order_of_the_file_does_not_count() -> None:
    labels = ['"B"@fr', '"A"@fr', '"D"@de', '"C"@en-GB', '"E"@en', '"Q"', '"M"@mul']
    order = random.Random(7)
    for count, best in ((7, "E"), (4, "C"), (3, "D")):
        found = set()
        for _ in range(9):
            some = labels[:count]
            order.shuffle(some)
            text = f"{PREFIX}ex:x rdfs:label {', '.join(some)} ; ex:p 1 ."
            found.add(read(text, "a.ttl").facts[0][0])
        assert found == {best}


def test_the_case_of_bad_lines() -> None:
    done = read(CASES / "B5-bad-lines.nt")
    assert [row.line for row in done.rows if row.line not in done.bad] == [1, 10, 12]
    assert sorted(done.bad) == [2, 3, 4, 5, 6, 7, 8, 9, 11]
    assert all("\n" not in reason and len(reason) < 200 for reason in done.bad.values())
    assert "column" in done.bad[8]
    with pytest.raises(StoreError, match=r"N-Quads.*convert it to N-Triples"):
        read(CASES / "B5-quads.nq")
    done = read((CASES / "B5-quads.nq").read_bytes(), "quads.nt")
    assert (list(done.bad), done.facts) == ([1], [("A", "q", "x")])


def test_iris_with_one_last_part_stay_two() -> None:
    lines = [
        "<http://e.org/film/Heron> <http://e.org/p> <http://e.org/x/A> .",
        "<http://e.org/species/Heron> <http://e.org/p> <http://e.org/x/B> .",
        "<http://dbpedia.org/resource/AC/DC> <http://e.org/p> <http://e.org/x/C> .",
        "<http://e.org/band/AC%2FDC> <http://e.org/p> <http://e.org/x/D> .",
        '<http://e.org/x/A> <http://xmlns.com/foaf/0.1/name> "a" .',
        '<http://e.org/x/A> <http://schema.org/name> "b" .',
        "<http://e.org/x/M%FChl> <http://e.org/p> <http://e.org/x/Gr%C3%BCn_Au> .",
    ]
    facts = read("\n".join(lines), "a.nt").facts
    assert [fact[0] for fact in facts[:4]] == [
        "Heron (film)",
        "Heron (species)",
        "AC/DC (AC)",
        "AC/DC (band)",
    ]
    assert facts[4:] == [
        ("A", "name (foaf)", "a"),
        ("A", "name (schema)", "b"),
        ("M%FChl", "p", "Grün Au"),
    ]
    turtle = "@prefix e: <http://e.org/> .\n" + "\n".join(lines)
    assert len({fact[0] for fact in read(turtle, "a.ttl").facts}) == 6


def test_literals_keep_their_spelling() -> None:
    text = """ex:a ex:p 007, 1.50E3, true, "2024-01-01T00:00:00Z"^^xsd:dateTime,
        "x"^^xsd:integer, "2024-13-99"^^xsd:date, -0.0, "a"@en, "a"@de ."""
    head = PREFIX + "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    values = [value for _, _, value in read(head + text, "a.ttl").facts]
    assert values == ["007", "1.50E3", "true", "2024-01-01T00:00:00Z", "x", "2024-13-99", "-0.0",
                      "a", "a"]  # fmt: skip


def test_a_turtle_file_cut_off_anywhere_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    text = (CASES / "B3-languages.ttl").read_text("utf-8")
    text += 'wd:x wdt:y [ wdt:z ( 1 "two" ) ] ; a """long\ntext""" .'
    refused = []
    for end in range(len(text)):
        try:
            read(text[:end], "a.ttl")
        except StoreError as problem:
            refused.append(str(problem))
    assert len(refused) > 0.5 * len(text)
    assert all("line " in sentence and "\n" not in sentence for sentence in refused)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ex:a ex:p ?x .", "line 3, column 11: .*not a valid RDF object"),
        ("nope:a ex:p 1 .", "line 3, column 1: The prefix nope: has not been declared"),
        ("<<ex:a ex:p 1>> ex:q 2 .", "RDF 1.2"),
        ('ex:a ex:p "x"@he--rtl .', "RDF 1.2"),
        ("ex:g { ex:a ex:p 1 . }", "not Turtle: line 3"),
        ("[" * 100_000, "not Turtle"),
    ],
)
def test_what_is_not_turtle_says_where(text: str, why: str) -> None:
    with pytest.raises(StoreError, match=why):
        read(PREFIX + text, "a.ttl")


def test_deeply_nested_nodes_and_long_lists() -> None:
    deep = "ex:a ex:p " + "[ ex:q " * 3000 + "1" + " ]" * 3000 + " ."
    assert len(read(PREFIX + deep, "a.ttl").facts) == 3001
    listed = "ex:a ex:p ( " + " ".join(map(str, range(3000))) + " ) ."
    assert len(read(PREFIX + listed, "a.ttl").facts) == 6001


def test_rdf_xml_and_json_ld() -> None:
    rdf_xml = """<?xml version="1.0" encoding="ISO-8859-1"?>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">
        <rdf:Description rdf:about="http://e.org/a"><e:p>Mühlgrün</e:p></rdf:Description>
        </rdf:RDF>"""
    assert read(rdf_xml.encode("latin-1"), "a.rdf").facts == [("a", "p", "Mühlgrün")]
    json_ld = '{"@context": {"@vocab": "http://e.org/"}, "@id": "http://e.org/a", "p": ["x", 1.50]}'
    assert read(json_ld, "a.jsonld").facts == [("a", "p", "x"), ("a", "p", "1.50")]
    with pytest.raises(StoreError, match="put the context into the file"):
        read('{"@context": "http://e.org/c.json", "p": "x"}', "a.jsonld")
    bomb = '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><r>&b;</r>'
    with pytest.raises(StoreError, match="XML entities"):
        read(bomb, "a.rdf")


def test_a_label_without_facts_adds_no_alias() -> None:
    text = PREFIX + 'ex:a rdfs:label "A"@en, "Ä"@de . ex:b ex:p ex:a .'
    done = read(text, "a.ttl")
    assert (done.facts, done.aliases) == ([("b", "p", "A")], [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_rejected_triple_has_its_line(end: str) -> None:
    lines = [
        "@prefix : <http://x.org/> .",
        "",
        ':a :b "" ; # the first',
        '   :c "fine" ,',
        "   :also ,",
        '   ""',
        "",
        "# not yet",
        '   ; :d """two',
        'lines""" ;',
        '   :e [ :f "" ] .',
        ':g :h ""@en.',
        ":i :j 5.",
        ':k :l ""',
        ".",
        ':m :n "" .',
    ]
    done = read(end.join(lines), "a.ttl")
    assert list(done.bad) == [3, 6, 11, 12, 14, 16]
    assert [row.line for row in done.rows if isinstance(row, FactRow) and row.value == "5"] == [13]


def test_a_rejected_triple_of_rdf_xml_has_its_line() -> None:
    text = (
        '<?xml version="1.0"?>\n<rdf:RDF xmlns="http://x.org/"\n'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '<rdf:Description rdf:about="http://x.org/a">\n<b>c</b>\n<d></d>\n</rdf:Description>\n'
        "</rdf:RDF>\n"
    )
    assert list(read(text, "a.rdf").bad) == [6]
