"""Exports hold aliases, declared relations, synonyms and settings, or say what they leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graph.__main__ import main
from graph.core.edits import Add, AddAlias, AddSynonym, ChangeSetting
from graph.opening import open_store
from graph.sqlite.store import SqliteStore


def content(store: Any) -> tuple[Any, ...]:
    facts = {(f.entity, f.relation, f.value, f.source, f.year) for f in store.all_facts()}
    names = {fact[0] for fact in facts}
    aliases = {
        (name, alias)
        for name, found in store.find_names(sorted(names)).items()
        for entity, _ in found
        for alias in entity.aliases
    }
    relations = {(r.name, r.kind, r.description) for r in store.relations() if r.kind}
    rules = {(rule.kind, rule.name, rule.value) for rule in store.rules()}
    return facts, aliases, relations, rules


@pytest.mark.parametrize("ending", ["jsonl", "nt", "ttl", "csv"])
def test_an_export_holds_all_or_says_what_it_leaves_out(
    filled: SqliteStore, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (france, _), *_ = filled.find_entities("France")
    filled.apply(
        [
            AddAlias(france.id, 'L\'"Hexagone" \\ – ü'),
            Add("France", "motto", "Liberté", source="a; b", year=1789),
            AddSynonym("seat", "capital"),
            ChangeSetting("refuse-lacking", "on"),
        ],
        author="Ada",
    )
    path = tmp_path / f"all.{ending}"
    assert main(["export", str(path), "--store", filled.url]) == 0
    left_out = capsys.readouterr().err
    url = f"sqlite:///{tmp_path}/again.db"
    assert main(["init", "--empty", "--store", url]) == 0
    assert main(["import", str(path), "--store", url]) == 0
    with open_store(url) as again:
        facts, aliases, relations, rules = content(again)
    expected = content(filled)
    assert facts == expected[0]
    assert expected[1]
    assert expected[3]
    if ending == "jsonl":
        assert (aliases, relations, rules) == expected[1:]
        assert left_out == ""
        return
    assert "1 synonym, 1 setting; a .jsonl file holds all." in left_out
    if ending == "csv":
        assert "alias" in left_out
    else:
        assert aliases == expected[1]
