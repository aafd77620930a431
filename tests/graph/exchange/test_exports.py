"""Exports hold a whole graph and give it back, or say what they leave out."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from graph.__main__ import main
from graph.core.edits import Add, AddAlias, AddSynonym, ChangeSetting
from graph.core.import_rows import AliasRow, FactRow, RelationRow, Row, SettingRow, SynonymRow
from graph.editing.loading import NothingImported
from graph.exchange.exports import export
from graph.exchange.formats import read_rows
from graph.opening import open_store
from graph.sqlite.store import SqliteStore

LOSSLESS = ["whole.jsonl", "whole.nt", "whole.ttl", "whole.graphml", "whole.zip", "folder"]


def content(store: Any) -> tuple[Any, ...]:
    """Facts, with whether their values are links; aliases, declared relations, and rules."""
    facts = {
        (f.entity, f.relation, f.value, f.is_link, f.source, f.year) for f in store.all_facts()
    }
    names = {fact[0] for fact in facts} | {fact[2] for fact in facts if fact[3]}
    aliases = {
        (name, alias)
        for name, found in store.find_names(sorted(names)).items()
        for entity, _ in found
        for alias in entity.aliases
        if entity.name == name
    }
    relations = {(r.name, r.kind, r.description) for r in store.relations() if r.kind}
    rules = {(rule.kind, rule.name, rule.value) for rule in store.rules()}
    return facts, aliases, relations, rules


def with_all(store: Any) -> None:
    """Add what is not a fact, and facts with sources and years."""
    (france, _), *_ = store.find_entities("France")
    (paris, _), *_ = store.find_entities("Paris")
    store.apply(
        [
            AddAlias(france.id, 'L\'"Hexagone" \\ – ü'),
            AddAlias(paris.id, "Lutetia, once"),
            Add("France", "motto", "Liberté", source="a; b", year=1789),
            Add("France", "note", 'two\nlines; "quoted"', year=-44),
            AddSynonym('the "seat"', "capital"),
            ChangeSetting("refuse-lacking", "on"),
        ],
        author="Ada",
    )


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_graph_is_the_same_after_export_and_import(
    public: Any, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with_all(public)
    path = tmp_path / name
    assert main(["export", str(path), "--store", public.url]) == 0
    assert capsys.readouterr().err == ""
    url = f"sqlite:///{tmp_path}/again.db"
    assert main(["init", "--empty", "--store", url]) == 0
    assert main(["import", str(path), "--store", url]) == 0
    with open_store(url) as again:
        assert content(again) == content(public)
        assert all(content(again))
    capsys.readouterr()
    assert main(["import", str(path), "--store", url]) == 0  # adds nothing again
    assert "0 new facts, 0 new entities" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "sources"), [("some.csv", False), ("some.json", True)])
def test_an_export_says_what_it_leaves_out(
    filled: SqliteStore, tmp_path: Path, name: str, sources: bool
) -> None:
    with_all(filled)
    (sentence,) = export(filled, tmp_path / name).left_out
    assert "2 aliases, 4 declared relations, 1 synonym, 1 setting" in sentence
    assert "a .zip or .jsonl file holds all" in sentence
    assert ("sources and years" in sentence) == sources


def test_values_that_an_import_would_take_otherwise_are_counted(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    sqlite.apply(
        [Add("Oz", "like", "Rome", value_is_link=False), Add("Rome", "in", "Italy")], author="Ada"
    )
    (sentence,) = export(sqlite, tmp_path / "a.zip").left_out
    assert sentence.startswith("1 value of relations that declare no kind")


def test_a_set_of_tables_is_a_table_of_each_kind(filled: SqliteStore, tmp_path: Path) -> None:
    with_all(filled)
    export(filled, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        heads = {name: archive.read(name).decode().splitlines()[0] for name in archive.namelist()}
    assert heads == {
        "relations.csv": "relation,kind,description",
        "facts.csv": "entity,relation,value,source,year",
        "aliases.csv": "alias,entity",
        "synonyms.csv": "phrase,relation",
        "settings.csv": "setting,value",
    }


def test_an_invalid_row_of_a_set_names_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "facts.csv").write_text("entity,relation,value\nOz,,x\n")
    (folder / "aliases.csv").write_text("alias,entity\nOzzie,Nobody\n")
    url = f"sqlite:///{tmp_path}/own.db"
    assert main(["init", "--empty", "--store", url]) == 0
    assert main(["import", str(folder), "--store", url]) == 2
    printed = capsys.readouterr().err
    assert "line 2 of facts.csv: The relation is empty" in printed
    assert "line 2 of aliases.csv: There is no entity" in printed
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert main(["import", str(folder), "--store", url]) == 2
    assert "photo.png; only tables" in capsys.readouterr().err


def test_an_export_never_replaces_tables_that_are_there(
    filled: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "facts.csv").write_text("mine")
    assert main(["export", str(tmp_path / "set"), "--store", filled.url]) == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "set" / "facts.csv").read_text() == "mine"
    assert main(["export", str(tmp_path / "set"), "--store", filled.url, "--force"]) == 0


WORDS = st.text(
    st.sampled_from("aB1éßŁ日ا'\"\\,;|\t\n<>&%{}[]()#@_:/.-–“”  \u200d\u0301\U0001f680"),
    min_size=1,
    max_size=10,
)
NAMES = st.one_of(st.sampled_from(["Oz", "Rome", "2012", "Oz (film)", "label", "directed"]), WORDS)
YEARS = st.one_of(st.just(""), st.integers(-3000, 3000).map(str))


@st.composite
def graphs(draw: st.DrawFn) -> list[Row]:
    """The rows of a graph, some of them invalid."""
    kinds = st.sampled_from(["link", "literal"])
    rows: list[Row] = [
        RelationRow(0, draw(NAMES), draw(kinds), draw(st.sampled_from(["", 'a "b", c'])))
        for _ in range(draw(st.integers(0, 2)))
    ]
    relations = [row.relation for row in rows if isinstance(row, RelationRow)]
    named = st.sampled_from([*relations, "in", "Edge Label", "DIRECTED"])
    for _ in range(draw(st.integers(1, 8))):
        sources = draw(st.one_of(st.just(""), WORDS))
        rows.append(FactRow(0, draw(NAMES), draw(named), draw(NAMES), sources, draw(YEARS)))
    entities = [row.entity for row in rows if isinstance(row, FactRow)]
    for _ in range(draw(st.integers(0, 3))):
        rows.append(AliasRow(0, draw(WORDS), draw(st.sampled_from(entities))))
    if draw(st.booleans()):
        rows.append(SynonymRow(0, draw(WORDS), draw(named)))
        rows.append(SettingRow(0, "on-miss", "nearest"))
    return rows


@settings(max_examples=12, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(graphs())
def test_any_graph_is_the_same_in_every_format(rows: list[Row]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteStore(f"sqlite:///{folder}/first.db", create=True) as store,
    ):
        try:
            store.load(rows, author="Ada", skip_bad=True)
        except NothingImported:
            reject()  # every row is invalid
        expected = content(store)
        for name in LOSSLESS:
            path = Path(folder) / name
            changed = export(store, path).left_out
            with SqliteStore(f"sqlite:///{folder}/{name}.db", create=True) as again:
                again.load(read_rows(path), author="Ada")
                if changed:
                    assert len(content(again)[0]) == len(expected[0])
                else:
                    assert content(again) == expected, name


def test_json_lines_of_an_export_are_objects(filled: SqliteStore, tmp_path: Path) -> None:
    export(filled, tmp_path / "a.jsonl")
    assert all(isinstance(json.loads(line), dict) for line in (tmp_path / "a.jsonl").open())
