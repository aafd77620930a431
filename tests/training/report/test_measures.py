"""The tables of measures: what stands in which, and what each row says."""

from __future__ import annotations

import json

import pytest

from model.checkpoint import WORLD
from tests.training.conftest import FOUND
from training.report.measures import KEY_FIGURES, about, key_figures, measure_tables

ROW = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("coverage", "relations listed by the graph"),
        ("edit_question_novel", "`edit_question`, of edits to made-up values"),
        ("adversarial_unsupported_no_entity", "`adversarial_unsupported`, prompts about nothing"),
        ("not_recorded_entity", "`not_recorded`, of an entity that the graph lacks"),
        ("perplexity_static_annotated", "`perplexity_static`, on an annotated corpus"),
        ("closed_book_ratio_unmasked", "`closed_book_ratio`, of a model trained on the values"),
        ("something_else", ""),
    ],
)
def test_a_measure_says_what_it_is(name, says):
    assert about(name).startswith(says)
    assert bool(about(name)) == bool(says)


def test_each_section_has_the_columns_that_it_has_figures_for():
    tables = measure_tables(FOUND)
    says, weights = tables.split("### ")[1:]
    assert says.startswith("What it looks up and says\n")
    assert "| all | each relation alike | held-out entities |\n" in says
    assert "n = 100) |  |  |" in says  # no reader separated held-out paragraphs
    assert weights.startswith("What the weights hold\n")
    assert "| all |\n" in weights  # `closed_book_held_out` is no other's held-out column


def test_other_graphs_stand_beside_each_other():
    found = {
        "foreign_coverage": ROW,
        "foreign_coverage_macro": ROW | {"value": 0.25},
        "foreign_edit_paraphrase_unseen": ROW,
        "foreign_big_stars_coverage": ROW | {"value": 0.75},
        "foreign_big_stars_coverage_macro": ROW | {"value": 0.625},
        "foreign_big_stars_forgotten_del_on_neighbour": ROW | {"value": 0.125},
    }
    lines = measure_tables(found).split("On graphs that no training saw\n\n")[1].splitlines()
    cells = [[cell.split(" (")[0].strip() for cell in line.split("|")[1:-1]] for line in lines]
    head = ["measure", "chemical compounds", "each relation alike", "big_stars"]
    assert cells[0] == [*head, "each relation alike"]
    assert cells[2:] == [
        ["`coverage`", "0.500", "0.250", "0.750", "0.625"],
        ["`edit_paraphrase_unseen`", "0.500", "", "", ""],
        ["`forgotten_del_on_neighbour`", "", "", "0.125", ""],
    ]


def test_every_measure_of_the_shipped_model_is_told_and_has_a_section():
    found = json.loads((WORLD / "evaluation.json").read_text("utf-8"))
    tables = measure_tables(found)
    own, _foreign = tables.split("### On graphs")
    assert "### Others" not in own
    assert not [line for line in own.splitlines() if "` |  |" in line]  # nothing in "what"
    figures = sum(line.count("; n = ") for line in tables.splitlines())
    assert figures == len(found)


def test_the_shipped_model_has_every_key_figure_that_a_suite_measures():
    found = json.loads((WORLD / "evaluation.json").read_text("utf-8"))
    table = key_figures(found).splitlines()
    assert len(KEY_FIGURES) == 12
    assert len(table) == 2 + len(found.keys() & set(KEY_FIGURES))
    assert set(KEY_FIGURES) - found.keys() == {"natural"}  # a reader's verdict, not a suite's
