"""GraphML of Gephi, yEd, LightRAG, Neo4j and NetworkX: names, relations, directions, places."""

from __future__ import annotations

import pytest

from graph.core.errors import StoreError
from graph.exchange.read_options import ReadOptions
from tests.graph.exchange.reading import CASES, Read, read

pytestmark = pytest.mark.unit

XMLNS = 'xmlns="http://graphml.graphdrawing.org/xmlns"'


def graphml(body: str, keys: str = "", directed: str = "directed", head: str = "") -> str:
    return (
        f'{head}<graphml {XMLNS}>\n{keys}\n<graph edgedefault="{directed}">\n{body}\n'
        "</graph></graphml>"
    )


def parse(text: str, **how: str) -> Read:
    return read(text, "graph.graphml", ReadOptions(**how))  # type: ignore[arg-type]


def test_the_case_of_gephi() -> None:
    done = read(CASES / "C1-gephi.graphml")
    assert done.facts == [
        ("Ruth Aldane", "publishes with", "Tern Press"),
        ("Tern Press", "has its seat in", "Fellbridge"),
    ]
    assert done.bad == {14: "The edge has no relation."}
    assert any("“weight”" in note for note in done.notes)


def test_the_case_of_yed(capfd: pytest.CaptureFixture[str]) -> None:
    done = read(CASES / "C3-yed.graphml")
    assert done.facts == [
        ("Weaver Guild", "meets at", "Loom Row"),
        ("Weaver Guild", "chartered by", "Fellbridge"),
        ("n2", "founded", "Weaver Guild"),
    ]
    assert len(done.bad) == 1
    assert capfd.readouterr() == ("", "")


def test_the_case_of_lightrag() -> None:
    done = read(CASES / "C5-lightrag.graphml")
    assert done.facts == [
        ("RUTH ALDANE", "publishing, maps", "TERN PRESS"),
        ("TERN PRESS", "seat", "Fellbridge"),
    ]
    assert not done.bad
    chosen = read((CASES / "C5-lightrag.graphml").read_bytes(), "g.graphml",
                  ReadOptions(relation_key="description"))  # fmt: skip
    assert chosen.facts[1][1] == "Tern Press sits in Fellbridge."


NODES = '<node id="a"><data key="l">Brann</data></node><node id="b"><data key="l">Ost</data></node>'
KEYS = '<key id="l" for="node" attr.name="label"/><key id="r" for="edge" attr.name="relation"/>'


def test_an_undirected_edge_keeps_the_order_of_the_file() -> None:
    edges = '<edge source="b" target="a"><data key="r">is capital of</data></edge>'
    for directed in ("undirected", "directed"):
        for body in (NODES + edges, edges + NODES):
            assert parse(graphml(body, KEYS, directed)).facts == [("Ost", "is capital of", "Brann")]


@pytest.mark.parametrize(
    ("key", "relation"),
    [("Edge Label", "x"), ("edgelabel", "x"), ("type", "x"), ("Relation", "x"), ("predicate", "x")],
)
def test_keys_of_relations(key: str, relation: str) -> None:
    keys = KEYS.replace('"relation"', f'"{key}"')
    body = f'{NODES}<edge source="a" target="b"><data key="r">{relation}</data></edge>'
    assert parse(graphml(body, keys)).facts == [("Brann", relation, "Ost")]


def test_neo4js_own_attributes() -> None:
    body = '<node id="n0" labels=":Person"><data key="name">Ann</data></node><node id="n1"/>'
    body += '<edge id="e0" source="n0" target="n1" label="KNOWS"><data key="since">1</data></edge>'
    assert parse(graphml(body)).facts == [("Ann", "KNOWS", "n1")]


def test_two_nodes_of_one_name_stay_two() -> None:
    keys = KEYS + '<key id="t" for="node" attr.name="type"/>'
    body = "".join(
        f'<node id="{i}"><data key="l">Heron</data><data key="t">{t}</data></node>'
        for i, t in (("a", "film"), ("b", "species"))
    )
    edge = '<edge source="a" target="b"><data key="r">shows</data></edge>'
    done = parse(graphml(body + edge, keys))
    assert done.facts == [("Heron (film)", "shows", "Heron (species)")]
    assert any("“Heron”" in note for note in done.notes)
    body = body.replace("species", "film")
    assert parse(graphml(body + edge, keys)).facts == [("Heron (a)", "shows", "Heron (b)")]


def test_edges_with_a_description_alone_are_counted_once() -> None:
    keys = KEYS + '<key id="d" for="edge" attr.name="description"/>'
    only = '<edge source="a" target="b"><data key="d">They trade.</data></edge>\n'
    with pytest.raises(StoreError, match=r"None of the 9 edges has a relation.*“description”"):
        parse(graphml(NODES + only * 9, keys))
    good = '<edge source="a" target="b"><data key="r">near</data></edge>\n'
    done = parse(graphml(NODES + good + only * 9, keys))
    assert done.facts == [("Brann", "near", "Ost")]
    assert list(done.bad.values()) == [
        "9 edges have a description and no relation; this is the first."
    ]


def test_a_declared_encoding_holds_and_another_is_refused() -> None:
    head = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    body = NODES.replace("Brann", "Mühlgrün") + '<edge source="a" target="b" label="in"/>'
    text = graphml(body, KEYS, head=head)
    assert read(text.encode("latin-1"), "g.graphml").facts == [("Mühlgrün", "in", "Ost")]
    japanese = text.replace("ISO-8859-1", "Shift_JIS").replace("Mühlgrün", "東京")
    assert read(japanese.encode("cp932"), "g.graphml").facts == [("東京", "in", "Ost")]
    with pytest.raises(StoreError, match="declares the encoding “x-none”, which is not known"):
        read(text.replace("ISO-8859-1", "x-none").encode("latin-1"), "g.graphml")
    with pytest.raises(StoreError, match="probably Windows-1252"):
        read(text.replace("ISO-8859-1", "UTF-8").encode("latin-1"), "g.graphml")


REFUSED = {
    "cut off": (graphml(NODES)[:-20], "not XML: .*, line 4, column"),
    "other root": ("<gexf/>", "not GraphML: its root element is “gexf”"),
    "empty": ("", "not XML: no element found, line 1"),
    "no key": (graphml(NODES + '<edge source="a" target="b"/>' * 2, KEYS), "they have no keys"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_where(name: str) -> None:
    text, why = REFUSED[name]
    with pytest.raises(StoreError, match=why):
        parse(text)


def test_bad_edges_have_their_line() -> None:
    body = (
        NODES + '\n<edge source="a" target="c" label="x"/>\n<edge source="a" target="b" label="y"/>'
    )
    done = parse(graphml(body, KEYS))
    assert done.bad == {5: "There is no node “c”."}
    assert done.facts == [("Brann", "y", "Ost")]
    with pytest.raises(StoreError, match="--name-key is “nick”; the file has “label”"):
        parse(graphml(body, KEYS), name_key="nick")
