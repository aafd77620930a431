"""The world model is what its figures were measured on, and they keep to their bounds."""

from __future__ import annotations

import hashlib
import json

import pytest

from model.checkpoint import WORLD
from training.report.reader_verdicts import read_measures, read_verdicts

AT_LEAST = {
    "lookup_validity_held_out": 0.995,
    "coverage": 0.99,
    "faithfulness": 0.998,
    "edit_efficacy": 0.995,
    "edit_novel": 0.99,
    "edit_paraphrase": 0.98,
    "edit_paraphrase_unseen": 0.85,
    "specificity": 0.998,
    "propagation_2": 0.98,
    "propagation_3": 0.95,
    "forgotten_del_on": 0.99,
    "forgotten_del_off": 0.99,
    "retained": 0.98,
    "not_recorded": 0.95,
    "foreign_lookup_validity": 0.97,
    "foreign_faithfulness": 0.99,
    "foreign_edit_efficacy": 0.98,
    "readable": 0.97,
}
AT_MOST = {
    "closed_book_ratio": 1.1,
    "false_not_recorded": 0.01,
    "unsupported": 0.01,
    "adversarial_unsupported": 0.01,
}
LOOKUPS = 2000  # that the figures of lookups are of, at least


@pytest.fixture(scope="module")
def found():
    text = (WORLD / "evaluation.json").read_text("utf-8")
    return json.loads(text) | read_measures(WORLD)


def test_the_figures_were_measured_on_these_weights():
    run = json.loads((WORLD / "evaluation.run.json").read_text("utf-8"))
    weights = (WORLD / "model.safetensors").read_bytes()
    assert run["sha256"] == hashlib.sha256(weights).hexdigest()
    assert run["seconds"] < 30 * 60


@pytest.mark.parametrize("name", AT_LEAST)
def test_a_figure_is_high_enough(found, name):
    assert found[name]["value"] >= AT_LEAST[name]


@pytest.mark.parametrize("name", AT_MOST)
def test_a_figure_is_low_enough(found, name):
    assert found[name]["value"] <= AT_MOST[name]


@pytest.mark.parametrize("name", ["lookup_validity", "coverage", "faithfulness"])
def test_there_are_lookups_enough(found, name):
    assert found[f"{name}_held_out"]["n"] >= LOOKUPS


def test_two_hundred_distinct_paragraphs_were_read():
    verdicts = read_verdicts(WORLD)
    assert len({verdict.text for verdict in verdicts}) == len(verdicts) == 200
    lines = (WORLD / "natural.md").read_text("utf-8").splitlines()
    assert len([line for line in lines if line[:1].isdigit()]) == 200  # none was passed over
