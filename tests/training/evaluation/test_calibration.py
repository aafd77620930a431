"""What `calibrate` reads from a model, and what it makes of it."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
import torch

from graph.core.facts import RELATIONS, join_relations
from graph.lookup.relevance import rank
from model.base.adapter import LAMPLIGHT, read_settings
from model.judgement import Judgement
from tests.model.guided.test_guided_decoding import WordVectors, ranked
from training.evaluation.calibration import Question, Reading, fit, read, report, write_judgement


def test_a_reading_is_what_the_whole_text_says() -> None:
    """Against forward passes over whole texts."""
    checkpoint, encoder = ranked(3), WordVectors()
    question = Question("capital of France?", "France", ("area", "capital city", "capital"), "area")
    reading = read(checkpoint, encoder, question)
    scored = rank(question.prompt, ["France"], question.relations, encoder, {})
    assert list(zip(reading.names, reading.scores, strict=True)) == scored

    markers, encode = checkpoint.markers, checkpoint.encode_value
    opened = [markers.entity, *encode("France"), markers.relationship]
    listed = join_relations("France", reading.names)
    before = checkpoint.encode_prompt(question.prompt) + opened + encode(RELATIONS)
    before += [markers.return_, *encode(listed), markers.end]
    for name, log in zip(reading.names, reading.logs, strict=True):
        tail = [*encode(name), markers.return_]
        with torch.inference_mode():
            logs_TV = checkpoint.model(torch.tensor([before + opened + tail])).logits[0]
        logs_TV = logs_TV.log_softmax(-1)
        start = len(before + opened) - 1
        assert log == pytest.approx(
            sum(float(logs_TV[start + i, token]) for i, token in enumerate(tail)), abs=1e-3
        )
        opening = float(logs_TV[len(before) - 1, markers.entity].exp())
        assert reading.opening == pytest.approx(opening, abs=1e-4)


def made_up(number: int, rng: random.Random) -> list[Reading]:
    """Readings of a model that prefers wrong names, and of a ranking that does not."""
    readings = []
    for place in range(number):
        fits = place % 3 > 0
        scores = [rng.uniform(0.1, 0.4) for _ in range(5)]
        right = rng.randrange(5)
        if fits:
            scores[right] = rng.uniform(0.5, 0.8)
        logs = [math.log(rng.uniform(0.01, 1.0)) for _ in range(5)]
        opening = rng.uniform(0.5, 0.999) if fits else rng.uniform(0.2, 0.9)
        names = tuple("abcde")
        readings.append(
            Reading(opening, names, tuple(logs), tuple(scores), names[right] if fits else None)
        )
    return readings


def test_the_fitted_judgement_is_right_about_other_readings() -> None:
    rng = random.Random(4)
    judgement = fit(made_up(300, rng))
    assert judgement.relevance > 4
    assert judgement.opening > 0
    assert judgement.best > 0
    others = made_up(200, rng)
    agreed = [
        (judgement.fits(r.opening, max(r.scores)) > 0) == (r.right is not None) for r in others
    ]
    assert sum(agreed) > 190
    right = [r.choice(judgement.relevance) == r.right for r in made_up(300, rng) if r.right]
    assert sum(right) / len(right) > 0.9
    lines = report(made_up(60, rng), judgement).splitlines()
    assert lines[1].startswith("people, opened where one fits: 40 of 40")
    assert int(lines[2].removeprefix("people, refused where none does: ").split()[0]) >= 15
    assert Judgement.from_json(json.loads(lines[3])) == judgement


def test_the_judgement_goes_into_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"a": 1, "lamplight": {"relations": "ranked"}}), "utf-8")
    judgement = Judgement(8.0, 0.3, 9.5, -3.2)
    write_judgement(tmp_path, judgement)
    data = json.loads(config.read_text("utf-8"))
    assert data["a"] == 1
    assert data["lamplight"]["relations"] == "ranked"
    assert Judgement.from_json(data["lamplight"]["judgement"]) == judgement


def test_an_adapter_keeps_its_judgement_beside_its_weights(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", "utf-8")
    judgement = Judgement(8.0, 0.3, 9.5, -3.2)
    write_judgement(tmp_path, judgement)
    settings = read_settings(tmp_path)
    assert settings["relations"] == "ranked"
    assert settings["prompt_form"] == LAMPLIGHT["prompt_form"]
    assert Judgement.from_json(settings["judgement"]) == judgement
    assert "judgement" not in LAMPLIGHT
