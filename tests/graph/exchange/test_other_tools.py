"""Files as other tools write them: read as they were meant, reported, or refused."""

from __future__ import annotations

import json

import pytest

from graph.core.errors import StoreError
from graph.exchange.encodings import read_once
from tests.graph.exchange.reading import read

pytestmark = pytest.mark.unit

Triplet = tuple[str, str, str]
ADA, BOB = ("Ada", "knows", "Bob"), ("Bob", "knows", "Cy")
PEOPLE = [
    {"identity": 0, "elementId": "4:x:0", "labels": ["Person"], "properties": {"name": "Ada"}},
    {"identity": 1, "elementId": "4:x:1", "labels": ["Person"], "properties": {"title": "Bob"}},
]
KNOWS = {"identity": 0, "start": 0, "end": 1, "type": "knows", "properties": {}}
GIVEN: list[tuple[str, object, list[Triplet], list[int]]] = [
    # a title, a note, or empty rows above the header of a spreadsheet
    ("a.csv", "Exported in May,,\n,,\nentity,relation,value\nAda,knows,Bob\n", [ADA], []),
    ("a.csv", "# triples\nentity,relation,value\nAda,knows,Bob\n", [ADA], []),
    ("a.csv", "sep=;\nMy list;;\nentity;relation;value\nAda;knows;Bob\n", [ADA], []),
    # two files put together
    ("a.csv", "entity,relation,value\nAda,knows,Bob\nentity,relation,value\nBob,knows,Cy\n",
     [ADA, BOB], [3]),
    # Markdown
    ("a.csv", "| entity | relation | value |\n| --- | :---: | --- |\n| Ada | knows | Bob |\n",
     [ADA], []),
    # what a spreadsheet leaves of a broken formula
    ("a.csv", "entity,relation,value\nAda,knows,#REF!\nAda,knows,Bob\n", [ADA], [2]),
    ("a.csv", "name,job,town\nAda,pilot,#N/A\nBob,cook,Ulm\n",
     [("Bob", "job", "cook"), ("Bob", "town", "Ulm")], [2]),
    # a cell with quotation marks that are not doubled
    ("a.csv", 'entity,relation,value\nAda,nick,"The "Big" A"\nAda,knows,Bob\n', [ADA], [2]),
    # text that was saved as UTF-8 twice, and text that only looks so
    ("a.csv", "entity,relation,value\nMÃ¼hl,in,EspaÃ±a\nÐœÐ¾Ñ€Ðµ,in,X\nAda,knows,Bob\n",
     [ADA], [2, 3]),
    ("a.csv", "entity,relation,value\nSÃO,em,CAFÉ–BAR\nÃ,é,Â\n",
     [("SÃO", "em", "CAFÉ–BAR"), ("Ã", "é", "Â")], []),
    # Wikidata's query service
    ("q.csv", "item,itemLabel,capital,capitalLabel\nhttp://x/Q1,France,http://x/Q9,Paris\n",
     [("France", "capital", "Paris")], []),
    ("q.csv", "item,itemLabel,prop,propLabel,value,valueLabel\nu:1,Ada,u:2,knows,u:3,Bob\n",
     [ADA], []),
    ("q.csv", "person,personLabel,born\nu:1,Ada,1901\nu:2,Bob,1920\n",
     [("Ada", "born", "1901"), ("Bob", "born", "1920")], []),
    # the Neo4j browser, and APOC
    ("n.csv", "a.name,type(r),b.name\nAda,knows,Bob\nBob,knows,Cy\n", [ADA, BOB], []),
    ("n.csv", "p.name,type(rel),m.title\nAda,knows,Bob\n", [ADA], []),
    ("n.json", [{"n": PEOPLE[0], "r": KNOWS, "m": PEOPLE[1]}], [ADA], []),
    ("n.json", [{"p": {"start": PEOPLE[0], "end": PEOPLE[1], "segments": [
        {"start": PEOPLE[0], "relationship": KNOWS, "end": PEOPLE[1]}]}}], [ADA], []),
    ("n.json", [{"n": PEOPLE[0]}], [], [1]),
    ("n.json", [{"n": PEOPLE[0], "r": KNOWS}], [], [1]),
    ("apoc.jsonl", '{"type":"node","id":"0","labels":["P"],"properties":{"name":"Ada"}}\n'
     '{"type":"node","id":"1","labels":["P"],"properties":{"name":"Bob"}}\n'
     '{"type":"relationship","id":"0","label":"knows","start":{"id":"0","labels":["P"]},'
     '"end":{"id":"1","labels":["P"]}}\n'
     '{"type":"relationship","id":"1","label":"knows","start":{"id":"0","labels":["P"]},'
     '"end":{"id":"7","labels":["P"]}}\n', [ADA], [4]),
    # LightRAG
    ("l.json", {"entities": [{"entity_name": "Ada"}], "relationships": [
        {"src_id": "Ada", "tgt_id": "Bob", "keywords": "knows", "description": "x"}]}, [ADA], []),
    ("l.csv", "src_id,tgt_id,keywords,description\nAda,Bob,knows,x\n", [ADA], []),
    # LangChain
    ("c.json", [{"nodes": [{"id": "Ada", "type": "P"}], "relationships": [
        {"source": {"id": "Ada", "type": "P"}, "target": {"id": "Bob"}, "type": "knows"}]}],
     [ADA], []),
    ("c.jsonl", '{"source":{"id":"Ada"},"target":{"id":"Bob"},"type":"knows"}\n', [ADA], []),
    # LlamaIndex
    ("i.json", {"graph_dict": {"Ada": [["knows", "Bob"]], "Bob": [["knows", "Cy"]]}},
     [ADA, BOB], []),
    ("i.jsonl", '["Ada","knows","Bob"]\n["Bob","knows","Cy"]\n["Bob","Cy"]\n', [ADA, BOB], [3]),
    # networkx, Cytoscape
    ("x.json", {"directed": True, "nodes": [{"id": 0, "name": "Ada"}, {"id": 1, "name": "Bob"}],
     "links": [{"source": 0, "target": 1, "relation": "knows"},
               {"source": 0, "target": 8, "relation": "knows"}]}, [ADA], [2]),
    ("x.json", {"nodes": [{"id": 0, "name": "Ada"}, {"id": 1, "name": "Ada"}],
     "links": [{"source": 0, "target": 1, "relation": "knows"}]},
     [("Ada", "knows", "Ada (1)")], []),
    ("x.json", {"elements": {"nodes": [{"data": {"id": "0", "name": "Ada"}}], "edges": [
        {"data": {"source": "0", "target": "Bob", "interaction": "x", "label": "knows"}}]}},
     [ADA], []),
    # lists, and objects about one thing each
    ("o.json", [{"subject": "Ada", "predicate": "knows", "object": "Bob"}, "Cy"], [ADA], [2]),
    ("o.json", [["Ada", "knows", "Bob"], ["Bob", "knows", ["Cy", "Di"]]],
     [ADA, BOB, ("Bob", "knows", "Di")], []),
    ("o.json", '{"entity":"Ada","relation":"knows","value":"Bob"}\n'
     '{"entity":"Bob","relation":"knows","value":"Cy"}\n', [ADA, BOB], []),
    ("o.json", [{"name": "Ada", "born": 1901, "child_of": ["Di", "Ed"], "alive": False}],
     [("Ada", "born", "1901"), ("Ada", "child of", "Di"), ("Ada", "child of", "Ed")], [1]),
    ("o.jsonl", '{"name":"Ada","born":1901}\n{"name":"Bob"}\n', [("Ada", "born", "1901")], [2]),
    # a bare `entity` of another shape
    ("o.jsonl", '{"entity":{"labels":["P"],"id":3},"relation":"knows","value":"Bob"}\n', [], [1]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "facts", "bad"), GIVEN)
def test_a_file_of_another_tool_is_read_as_it_was_meant(
    name: str, content: object, facts: list[Triplet], bad: list[int]
) -> None:
    done = read(content if isinstance(content, str) else json.dumps(content), name)
    assert done.facts == facts
    assert list(done.bad) == bad


REFUSED: list[tuple[str, str | bytes, str]] = [
    ("a.csv", b"%PDF-1.4\n%\xe2\xe3", "PDF document"),
    ("a.csv", b"PK\x03\x04\x14\0\6\0", "its own ending"),
    ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1", "old Office document"),
    ("a.csv", b"\x1f\x8b\x08\0", "ending .gz"),
    ("a.csv", "<!DOCTYPE html><html>Sign in</html>", "web page"),
    ("a.rdf", "<html><body>404</body></html>", "web page"),
    ("a.csv", '[{"entity": "Ada"}]', "It is JSON"),
    ("a.ttl", '{"@id": "http://x.org/a"}', "It is JSON"),
    ("a.txt", "@prefix : <http://x.org/> .\n:a :b :c .\n", "ending .ttl"),
    ("a.owl", "PREFIX : <http://x.org/>\n:a :b :c .\n", "ending .ttl"),
    ("a.txt", "<http://x.org/a> <http://x.org/b> <http://x.org/c> .\n", "ending .nt"),
    ("a.ttl", '<?xml version="1.0"?><rdf:RDF/>', "It is XML"),
    ("a.owl", '<?xml version="1.0"?>\n<Ontology xmlns="http://x.org/"/>', "OWL/XML"),
    ("a.owl", "Prefix(:=<http://x.org/>)\nOntology(<http://x.org/o>)", "functional syntax"),
    ("a.omn", "Prefix: : <http://x.org/>", "Manchester"),
    ("a.tgf", "1 Ada\n#\n", "GraphML"),
    ("a.sif", "Ada\tknows\tBob\n", "GraphML"),
    ("a.graphml", "<graphml><graph><node id='a'/></graph></graphml>", "no edges"),
    ("a.tsv", '?s\t?p\t?o\n<http://x/a>\t<http://x/b>\t"c"@en\n', "as CSV"),
    ("a.json", '{"head": {"vars": ["s"]}, "results": {"bindings": []}}', "as CSV"),
    ("a.json", '{"@context": {}, "@id": "http://x.org/a"}', "ending .jsonld"),
    ("a.json", '{"version": 3, "data": {}}', "“version, data”"),
    ("a.json", '"Ada"', "no facts"),
    ("a.json", "[1, 2", "not JSON: line 1"),
    ("a.json", "[" * 99999, "nested too deep"),
    ("a.tsv", "Q42\tP31\tQ5\nCREATE\nLAST\tP31\tQ5\n", "QuickStatements"),
    ("a.csv", "SUID,interaction,name,shared name\n1,knows,Ada (knows) Bob,x\n", "Cytoscape"),
    ("a.csv", 'n,r,m\n"(:P {name: ""Ada""})",[:KNOWS],"(:P {name: ""Bob""})"\n', "return names"),
    ("a.csv", "Source,Target,Type,Id,Label\n0,1,Directed,0,knows\n1,2,Directed,1,x\n", "number"),
    ("a.csv", "", "nothing in the table"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "why"), REFUSED)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    name: str, content: str | bytes, why: str
) -> None:
    with pytest.raises(StoreError, match=why) as refused:
        read(content, name)
    assert len(str(refused.value).splitlines()) == 1


def test_what_was_read_as_relations_or_left_out_is_stated_once() -> None:
    things = [{"name": "Ada", "born": 1}, {"name": "Bob", "born": 2}]
    assert [n for n in read(json.dumps(things), "a.json").notes if "“born”" in n]
    graph = {"nodes": [{"id": "Ada", "age": 3}], "links": [["Ada", "knows", "Bob"]]}
    assert [n for n in read(json.dumps(graph), "a.json").notes if "“age”" in n]


def test_text_that_was_saved_twice() -> None:
    for text in ("Mühlgrün", "España", "Łódź", "Море", "25 °C", "naïve – “so”"):
        twice = "".join(
            bytes([b]).decode("cp1252") if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b)
            for b in text.encode()
        )
        assert read_once(twice) == text
        assert read_once(text) == ""
