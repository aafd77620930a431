"""Each measure is 1 for a model without fault, and falls when that one thing goes wrong."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing

import numpy as np
import pytest

from graph.core.edits import Add
from graph.core.facts import RELATIONS
from graph.opening import open_store
from model.checkpoint import read_held_out
from model.roles import END, ENTITY, RELATIONSHIP, RETURN, Role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup, TraceToken
from training.corpus.prompts import Prompts
from training.errors import EvaluationError
from training.evaluation.case_measures import failures, measures
from training.evaluation.cases import generate_cases
from training.evaluation.command import main, print_sample, print_table
from training.evaluation.statistics import bootstrap, wilson
from training.evaluation.working_store import working_store

PLACES = ("Ulm", "Arles", "Bari", "Cork", "Derry", "Essen", "Faro", "Graz", "Hull", "Izmir")


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    """Ten places, each with a kind, two languages, a motto and a number; a twin shares a value."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'toy.db'}"
    edits = []
    for number, place in enumerate(PLACES):
        edits += [
            Add(place, "instance of", "city", value_is_link=False),
            Add(place, "language", f"Tongue{number}", value_is_link=False),
            Add(place, "language", f"Speech{number}", value_is_link=False),
            Add(place, "motto", f"Onward {place} Folk", value_is_link=False),
            Add(place, "population", f"{number + 1},234,567", value_is_link=False),
        ]
    store = open_store(url, create=True)
    store.apply(edits, author="test")
    store.close()
    return url


@pytest.fixture(autouse=True)
def plain_questions(monkeypatch):
    """Questions that the stand-in can read; the real wordings have tests of their own."""
    monkeypatch.setattr(
        Prompts,
        "question_for",
        lambda self, rng, relation, entity, type_="": f"{relation}: {entity}",
    )


def _trace(prompt, parts, retriever) -> Trace:
    """A trace of texts and lookups one after another."""
    tokens, lookups = [], []
    for part in parts:
        if isinstance(part, str):
            pieces = re.findall(r" ?\w+| ?.", part)
            tokens += [TraceToken(0, piece, Role.TEXT, 0.5, False) for piece in pieces]
            continue
        start = len(tokens)
        for marker, role, slot in (
            (ENTITY, Role.ENTITY, part.entity),
            (RELATIONSHIP, Role.RELATION, part.relation),
            (RETURN, Role.VALUE, part.value),
        ):
            tokens.append(TraceToken(0, marker, Role.MARKER, 0.5, False))
            tokens.append(TraceToken(0, " " + slot, role, 0.5, role == Role.VALUE))
        tokens.append(TraceToken(0, END, Role.MARKER, None, True))
        lookups.append(TraceLookup(len(lookups), start, len(tokens), part))
    return Trace(
        prompt, [], tokens, lookups, "t", DecodingSettings(), retriever.revision, "s", "end", 0.0
    )


class Author:
    """Writes as a perfectly trained model would, but for one fault."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.memory: dict[tuple[str, str], tuple[str, ...]] = {}

    def generate_batch(self, prompts, retrievers, settings):
        assert settings.temperature == 0.0
        return [self._write(p, r) for p, r in zip(prompts, retrievers, strict=True)]

    def _write(self, prompt, retriever):
        if ": " in prompt:
            relation, name = prompt.split(": ")
            if self.fault == "question_validity":
                relation = "motto" if relation != "motto" else "language"
            return _trace(prompt, self._statement(retriever, name, relation), retriever)
        name = next(place for place in PLACES if place in prompt)
        listed = retriever.lookup(name, RELATIONS)
        relations = listed.value.split("; ")
        if self.fault == "coverage":
            relations = relations[:-1]
        parts = [listed]
        for relation in relations:
            parts += self._statement(retriever, name, relation)
        if self.fault == "unsupported":
            parts.append(" It lies near Zanzibar.")
        return _trace(prompt, parts, retriever)

    def _statement(self, retriever, name, relation):
        asked = "Ulm" if self.fault == "lookup_validity" and name == "Bari" else name
        lookup = retriever.lookup(asked, relation)
        if lookup.is_miss:
            return [f" The {relation}", lookup, " is not recorded."]
        values = tuple(lookup.value[start:end] for start, end in lookup.value_spans)
        if self.fault == "edit_efficacy":  # it says what it said first
            values = self.memory.setdefault((name, relation), values)
        if self.fault == "faithfulness" and relation == "population":
            values = ("many",)
        return [f" The {relation} of {name} is", lookup, " " + " and ".join(values) + "."]


def _measures(url, fault="", entities=10):
    with working_store(url) as store:
        cases = generate_cases(Author(fault), store, frozenset({"Ulm", "Cork"}), entities, seed=3)
    return measures(cases), cases


def test_a_perfect_model_has_perfect_figures(url):
    found, cases = _measures(url)
    assert len(cases) == 10
    assert sum(case.held_out for case in cases) == 2
    for name, row in found.items():
        best = 0.0 if name.startswith("unsupported") else 1.0
        if not name.startswith("recovery"):
            assert row["value"] == best, name
        assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
    assert found["lookup_validity"]["n"] == 40
    assert found["lookup_validity_held_out"]["n"] == 8
    assert found["coverage"]["n"] == 40
    assert found["faithfulness"]["n"] == 50  # two languages count one by one
    assert found["edit_efficacy"]["n"] == 10
    assert found["edit_novel"]["n"] >= 5
    assert found["question_validity_held_out"]["n"] == 2
    json.dumps(found)


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("lookup_validity", 36 / 40),
        ("coverage", 3 / 4),
        ("faithfulness", 40 / 50),
        ("question_validity", 0.0),
        ("edit_efficacy", 0.0),
    ],
)
def test_a_fault_is_found_where_it_is(url, fault, value):
    found, _ = _measures(url, fault)
    assert found[fault]["value"] == pytest.approx(value)


@pytest.mark.parametrize(
    "fault", ["question_validity", "faithfulness", "edit_efficacy", "unsupported"]
)
def test_what_is_wrong_is_told_with_its_text(url, fault):
    found, cases = _measures(url, fault)
    told = [each for each in failures(cases) if each["measure"] == fault]
    assert told
    assert all(each["text"] and each["prompt"] and each["entity"] for each in told)
    assert len({each["entity"] for each in told}) <= found[fault]["n"]
    json.dumps(told)
    assert all(bool(each["new_value"]) == (fault == "edit_efficacy") for each in told)


def test_nothing_is_told_of_what_is_right(url):
    _, cases = _measures(url)
    assert list(failures(cases)) == []


def test_sentences_without_support_are_counted(url):
    found, _ = _measures(url, "unsupported")
    assert found["unsupported"]["value"] == pytest.approx(10 / 60)  # 50 with a fact, 10 without


def test_what_is_still_said_after_a_deletion_is_not_forgotten(url):
    class Stubborn(Author):
        def _write(self, prompt, retriever):
            trace = super()._write(prompt, retriever)
            known = self.memory.setdefault(prompt, trace.text)
            if known != trace.text:  # says its old text after the new one
                return _trace(prompt, [trace.lookups[0].lookup, known], retriever)
            return trace

    with working_store(url) as store:
        found = measures(generate_cases(Stubborn(), store, frozenset(), 10, seed=3))
    assert found["forgotten"]["value"] == found["forgotten_value"]["value"] == 0.0
    assert found["specificity"]["value"] == 0.0  # nothing is copied from a lookup any more


def test_the_store_is_left_as_it_was(url):
    with closing(open_store(url)) as store:
        before = (store.revision(), list(store.all_facts()), store.statistics().drafts)
    _measures(url)
    with closing(open_store(url)) as store:
        assert (store.revision(), list(store.all_facts()), store.statistics().drafts) == before


def test_the_same_seed_gives_the_same_figures(url):
    assert _measures(url)[0] == _measures(url)[0]


def test_made_up_values_come_in_many_scripts(url):
    _, cases = _measures(url)
    novel = [case.new_value for case in cases if case.novel and case.edited]
    assert any(not value.isascii() for value in novel)
    assert all(case.new_value not in case.paragraph.text for case in cases if case.edited)


def test_intervals():
    row = wilson(np.array([[8, 10]]))
    assert row["low"] == pytest.approx(0.490, abs=1e-3)
    assert row["high"] == pytest.approx(0.943, abs=1e-3)
    assert wilson(np.array([[5, 5]]))["high"] == 1.0
    rows = np.array([[1, 1], [0, 1]] * 50)
    row = bootstrap(rows, seed=0)
    assert row["value"] == 0.5
    assert row["low"] == pytest.approx(0.40, abs=0.03)
    assert row["high"] == pytest.approx(0.60, abs=0.03)


def test_table_and_sample(url, capsys):
    file = io.StringIO()
    print_table({"coverage": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8}}, file)
    assert "0.500   0.250 to 0.750       8" in file.getvalue()
    with working_store(url) as store:
        print_sample(Author(), store, 2, seed=0)
    assert "2. " in (printed := capsys.readouterr().out)
    assert "The motto of" in printed


def test_an_empty_store_and_a_missing_list_are_told(tmp_path):
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url, create=True).close()
    with working_store(url) as store, pytest.raises(EvaluationError, match="no facts"):
        generate_cases(Author(), store, frozenset(), 5)
    assert read_held_out(str(tmp_path)) == frozenset()
    (tmp_path / "held_out.txt").write_text("Ulm\nCôte d'Ivoire\n", encoding="utf-8")
    assert read_held_out(str(tmp_path)) == {"Ulm", "Côte d'Ivoire"}


def test_help_names_the_options(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    for option in ("--json", "--model", "--store", "--entities", "--sample"):
        assert option in out
