"""Tables as people have them: dialects, headers, years, quotations, and what is refused."""

from __future__ import annotations

import pytest

from graph.core.errors import StoreError
from graph.core.import_rows import FactRow, read_year
from graph.exchange.read_options import ReadOptions
from graph.exchange.table_columns import UnknownColumns
from tests.graph.exchange.reading import CASES, read

pytestmark = pytest.mark.unit

DEPTH = ("Gull Quay", "depth", "7 m")
MASTER = ("Gull Quay", "harbour master", "Ines Vole")


@pytest.mark.parametrize(
    "name", ["A3a-sep-line.csv", "A3b-head-relation-tail.csv", "A3c-subject-predicate-object.tsv"]
)
def test_the_cases_with_headers_of_other_tools(name: str) -> None:
    done = read(CASES / name)
    assert done.facts == [DEPTH, MASTER]
    assert not done.bad


def test_the_case_with_bare_returns_and_an_index() -> None:
    done = read(CASES / "A5-cr-only-index.csv")
    assert len(done.facts) == 3
    assert list(done.bad) == [4]


HEADERS = [
    "entity,relation,value",
    "Head,Relation,Tail",
    "subject,predicate,object",
    "Subject;Predicate;Object",
    "source\ttype\ttarget",
    "source,relation,target",
    "node_1,edge,node_2",
    "head_label,relation_label,tail_label",
    "h,r,t",
    "s,p,o",
    "from,relationship,to",
    ":START_ID,:TYPE,:END_ID",
    "name,property,value",
    "itemLabel,propertyLabel,valueLabel",
    '"entity","relation","value"',
    "sep=|\nentity|relation|value",
    "ENTITY ; RELATION ; VALUE",
    "Head Entity,Relation Type,Tail Entity",
]


@pytest.mark.parametrize("header", HEADERS)
def test_header_words_of_many_tools(header: str) -> None:
    first = header.splitlines()[-1]
    delimiter = next(d for d in "\t;|," if d in first)
    rows = [DEPTH, MASTER, ("Brill Cove", "depth", "3 m")]
    text = "\n".join([header, *(delimiter.join(row) for row in rows)])
    done = read(text)
    assert done.facts == rows
    assert not done.bad


def test_columns_stand_in_any_order_and_among_others() -> None:
    text = "Id,target,weight,label,source\n1,7 m,0.5,depth,Gull Quay\n2,4 m,0.5,depth,Brill Cove\n"
    done = read(text)
    assert done.facts == [DEPTH, ("Brill Cove", "depth", "4 m")]
    assert any("“weight”" in note and "“Id”" in note for note in done.notes)
    pandas = ",head,relation,tail\n0,Gull Quay,depth,7 m\n1,Gull Quay,harbour master,Ines Vole\n"
    assert read(pandas).facts == [DEPTH, MASTER]


REFUSED = [
    ("Source,Target,Type,weight\nAnn,Bob,Undirected,3\nAnn,Cid,Undirected,5\n", "without a rel"),
    ("Source,Target,Weight\nAnn,Bob,3\nBob,Cid,5\n", "links without a relation"),
    ("from,to\nAnn,Bob\nBob,Cid\n", "links without a relation"),
    ("Ann,Bob,3\nAnn,Cid,5\nBob,Cid,2\n", "entity,relation,value"),
    ("Ann,4,3\nAnn,4,5\nBob,4,2\n", "entity,relation,value"),
    ("name,role,team\n", "entity,relation,value"),
    ("Person,Role,Team\nAnn,dev,red\nBob,dev,blue\nCid,ops,red\n", "entity,relation,value"),
    ("just some words\nand more\n", "entity,relation,value"),
    ("", "entity,relation,value"),
    ("entity,value\nOz,green\n", "entity,relation,value"),
    (":START_ID,:TYPE,:END_ID\n1,KNOWS,2\n3,KNOWS,4\n", "by number"),
    ("_id,_labels,name,_start,_end,_type\n0,:P,Ann,,,\n,,,0,1,KNOWS\n", "mixes nodes"),
    ("entity,entity,relation,value\na,b,c,d\n", "Two columns"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_a_table_that_is_not_determined_is_refused(text: str, why: str) -> None:
    with pytest.raises(StoreError, match=why):
        read(text)


def test_a_person_names_the_columns() -> None:
    text = "Who,How,Whom\nAnn,knows,Bob\n"
    with pytest.raises(UnknownColumns) as refused:
        read(text)
    assert refused.value.header == ("Who", "How", "Whom")
    named = ReadOptions(columns=("who", "How", "Whom"))
    assert read(text, how=named).facts == [("Ann", "knows", "Bob")]
    numbered = ReadOptions(columns=("3", "2", "1"))
    assert read("Bob,knows,Ann\n", how=numbered).facts == [("Ann", "knows", "Bob")]
    assert read("tail,relation,head\nBob,knows,Ann\n", how=numbered).facts[0][0] in ("Ann", "head")
    for wrong in (("1", "2"), ("1", "1", "2"), ("1", "2", "9"), ("Who", "How", "Whose")):
        with pytest.raises(StoreError, match="column"):
            read(text, how=ReadOptions(columns=wrong))


TRIPLES = [
    ("uk", "exports", "ussr"),
    ("usa", "exports", "uk"),
    ("uk", "treaties", "usa"),
    ("cuba", "treaties", "ussr"),
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_triples_without_a_header(delimiter: str) -> None:
    lines = [delimiter.join(row) for row in TRIPLES]
    assert read("\n".join(lines), "facts.txt").facts == TRIPLES
    numbered = [f"{number}{delimiter}{line}" for number, line in enumerate(lines)]
    assert read("\n".join(numbered), "facts.tsv").facts == TRIPLES


def test_pasted_triples_are_what_was_asked_for() -> None:
    pasted = ReadOptions(is_pasted=True)
    row = "Halcyon Light,keeper,Odile Marsh"
    assert read(row, how=pasted).facts == [("Halcyon Light", "keeper", "Odile Marsh")]
    assert read("head,relation,tail\n" + row, how=pasted).facts[0][0] == "Halcyon Light"
    for edges in ("Ann,Bob,3\nAnn,Cid,5\nBob,Cid,2\n", "Ann,3,Bob"):
        with pytest.raises(StoreError):
            read(edges, how=pasted)


def test_one_entity_per_row() -> None:
    done = read("name;born;profession\nAda Quill;1815;engineer\nBo Tveit;;mayor\n")
    assert done.facts == [
        ("Ada Quill", "born", "1815"),
        ("Ada Quill", "profession", "engineer"),
        ("Bo Tveit", "profession", "mayor"),
    ]
    assert any("one entity per row" in note for note in done.notes)
    done = read("personId:ID,name,born:int,:LABEL\nkeanu,Keanu Reeves,1964,Actor\n")
    assert done.facts == [
        ("Keanu Reeves", "born", "1964"),
        ("Keanu Reeves", "instance of", "Actor"),
    ]
    frame = ",Country,Capital,Population,Area\n0,Brann,Rill,20,NaN\n1,Ost,Holm,30,4.5\n"
    with pytest.raises(StoreError):
        read(frame)  # nothing says that the first column names an entity
    plain = "Country,Capital,Population,Area\nBrann,Rill,20,NaN\nOst,Holm,30,4.5\n"
    assert ("Brann", "Capital", "Rill") in read(plain).facts
    assert not any(value == "NaN" for _, _, value in read(plain).facts)
    assert read("name,born\n,1815\nAda,1816\n").bad == {2: "It has no name."}


def test_years_of_data_frames() -> None:
    text = "entity,relation,value,year\nOz,ruler,A,1994.0\nOz,ruler,B,NaN\nOz,ruler,C,soon\n"
    done = read(text)
    rows = [row for row in done.rows if isinstance(row, FactRow)]
    assert [read_year(row.year) for row in rows[:2]] == [1994, None]
    assert list(done.bad) == [4]


def test_quotation_marks_in_a_table_with_tabs_are_text() -> None:
    lines = [
        "entity\trelation\tvalue",
        'Oz\tsays\t"Hello" and waves',
        'Oz\tsays\t"an open one',
        "Oz\tsays\tnext",
        'The "Gull\tsays\t6" of snow',
        'Oz\tsong\t"Over the ""rainbow"""',
        'Oz\ttitle\t"Onwards"',
    ]
    done = read("\n".join(lines), "facts.tsv")
    assert [value for _, _, value in done.facts] == [
        '"Hello" and waves',
        '"an open one',
        "next",
        '6" of snow',
        'Over the "rainbow"',
        '"Onwards"',
    ]
    assert not done.bad
    pasted = 'Oz\tsong\t"over\nthe rainbow"\nOz\tland\tyes\n'
    assert read(pasted, "facts.tsv").facts == [
        ("Oz", "song", "over\nthe rainbow"),
        ("Oz", "land", "yes"),
    ]
    quoted = '"entity"\t"relation"\t"value"\n"Oz"\t"motto"\t"Onwards"\n'
    assert read(quoted, "facts.tsv").facts == [("Oz", "motto", "Onwards")]


def test_an_open_quotation_is_reported_with_its_first_line_and_loses_no_row() -> None:
    rows = [f"e{n},r,v{n}" for n in range(500)]
    rows[10] = 'e10,r,"v10'
    done = read("\n".join(["entity,relation,value", *rows]))
    assert list(done.bad) == [12]
    assert "begins in line 12" in done.bad[12]
    assert len(done.facts) == 499
    rows[20] = 'e20,r,v20"'
    done = read("\n".join(["entity,relation,value", *rows]))
    assert len(done.facts) + len(done.bad) == 500
    assert not any("\n" in value for _, _, value in done.facts)


def test_a_cell_over_several_lines_is_one_cell() -> None:
    done = read('entity,relation,value\nOz,song,"over\nthe rainbow,\nway up"\nOz,land,yes\n')
    assert done.facts == [("Oz", "song", "over\nthe rainbow,\nway up"), ("Oz", "land", "yes")]


def test_rows_that_a_spreadsheet_left_empty_are_none() -> None:
    done = read("entity;relation;value;;\nOz;ruler;Wizard;;\n;;;;\n")
    assert done.facts == [("Oz", "ruler", "Wizard")]
    assert not done.bad


def test_json_lines_of_other_tools() -> None:
    lines = [
        '{"head": "Oz", "relation": "ruler", "tail": "Wizard"}',
        '{"source": "Oz", "type": "borders", "target": "Kansas"}',
        '{"entity": "Oz", "relation": "share", "value": 1.50E3}',
        '{"entity": "Oz", "relation": "towns", "value": ["A", "B"]}',
        '{"entity": "Oz", "relation": "free", "value": true}',
        '{"entity": "Oz", "relation": "patron", "value": null}',
        '{"entity": "Oz", "relation": "since", "value": "x", "year": 1994.0}',
        '{"name": "Oz"}',
    ]
    done = read("\n".join(lines), "facts.jsonl")
    assert done.facts == [
        ("Oz", "ruler", "Wizard"),
        ("Oz", "borders", "Kansas"),
        ("Oz", "share", "1.50E3"),
        ("Oz", "towns", "A"),
        ("Oz", "towns", "B"),
        ("Oz", "since", "x"),
    ]
    assert list(done.bad) == [5, 6, 8]
    assert "“true”" in done.bad[5]
