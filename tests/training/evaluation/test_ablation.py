"""Variants of the recipe: what is run for each, and what an interrupted run goes on with."""

from __future__ import annotations

import argparse
import itertools
import json
import random
from pathlib import Path

import pytest
import torch
import yaml

from model.roles import Role
from tests.training.conftest import FOUND
from training.corpus.document_stream import documents
from training.corpus.held_out import NameFilter
from training.corpus.phrase_book import load_phrases
from training.corpus.records import DEFAULT_FACTS, read_records
from training.corpus.writer import Writer
from training.errors import TrainingError
from training.evaluation.ablation import (
    CONFIG,
    VARIANTS,
    begin,
    gathered,
    main,
    measurements,
    trainings,
)
from training.fit.loss_mask import loss_mask
from training.report.model_card import write_card


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    return argparse.Namespace(
        tokens=1000,
        seed=3,
        entities=30,
        config=CONFIG,
        tokenizer="somewhere",
        out=tmp_path,
        annotated=None,
        force=False,
    )


def test_a_variant_differs_in_its_part(options: argparse.Namespace) -> None:
    todo = {v.name: trainings(v, options) for v in VARIANTS}
    for commands in todo.values():
        assert [command[0] for command in commands] == ["corpus", "fit", "export"]
    assert "--no-prose" in todo["no prose"][0]
    assert "--no-exchange" in todo["nothing exchanged"][0]
    assert todo["values trained"][1][-2:] == ["--model.train_values", "true"]
    assert todo["no lookups"][1][-2:] == ["--data.lookups", "false"]
    corpora = {name: commands[0][2] for name, commands in todo.items()}
    assert corpora["full"] == corpora["values trained"] == corpora["no lookups"]
    free = "values trained, nothing exchanged"
    assert corpora["nothing exchanged"] == corpora[free] != corpora["full"]
    assert todo[free][1][-2:] == ["--model.train_values", "true"]
    settings = yaml.safe_load((options.out / "run-no-prose.yaml").read_text("utf-8"))
    folders = [
        c["init_args"].get("dirpath") for c in settings["trainer"]["callbacks"] if "init_args" in c
    ]
    assert str(options.out / "run-no-prose" / "checkpoints") in folders
    assert "build/runs/world" not in (options.out / "run-no-prose.yaml").read_text("utf-8")


def test_all_are_measured_alike(options: argparse.Namespace) -> None:
    options.annotated = "wiki.json"
    exported(options, "no-lookups")
    suites = {v.name: [c[1] for c in measurements(v, options)] for v in VARIANTS}
    assert suites.pop("no lookups") == ["closed-book"]
    assert set(map(tuple, suites.values())) == {("lookup", "closed-book", "perplexity")}
    told = measurements(VARIANTS[0], options)[2]
    assert told[told.index("--baseline") + 1] == str(options.out / "model-no-lookups")
    assert told[told.index("--annotated") + 1] == "wiki.json"


def exported(options: argparse.Namespace, folder: str) -> None:
    model = options.out / f"model-{folder}"
    model.mkdir()
    (model / "config.json").write_text("{}")


def test_what_is_there_is_not_done_again(options: argparse.Namespace) -> None:
    full = VARIANTS[0]
    (options.out / "corpus").mkdir()
    (options.out / "corpus" / "manifest.json").write_text("{}")
    assert trainings(full, options)[0][0] == "fit"
    (options.out / "run-full" / "checkpoints").mkdir(parents=True)
    (options.out / "run-full" / "checkpoints" / "last.ckpt").write_text("")
    assert "--ckpt_path" in trainings(full, options)[0]
    exported(options, "full")
    (options.out / "corpus" / "manifest.json").unlink()  # it is not needed any more
    assert trainings(full, options) == []
    for suite in ("lookup", "perplexity"):
        (options.out / f"found-full-{suite}.json").write_text(json.dumps(FOUND))
    assert [c[1] for c in measurements(full, options)] == ["closed-book"]
    exported(options, "no-lookups")  # the perplexity that is there is without a baseline
    assert [c[1] for c in measurements(full, options)] == ["closed-book", "perplexity"]
    assert gathered(options.out) == {"full": FOUND}
    with pytest.raises(SystemExit):
        main(["no such variant"])


def test_variants_are_compared_at_equal_settings(options: argparse.Namespace) -> None:
    begin(options)
    begin(options)
    options.tokens = 2000
    with pytest.raises(TrainingError, match="was begun with --tokens 1000, not 2000"):
        begin(options)


def test_all_are_trained_before_any_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def run(command: list[str]) -> argparse.Namespace:
        done.append(command[3])
        return argparse.Namespace(returncode=0)

    monkeypatch.setattr("training.evaluation.ablation.subprocess.run", run)
    assert main(["full", "no prose", "--out", str(tmp_path)]) == 0
    training = ["corpus", "fit", "export"]
    assert done == [*training, *training, *["evaluate"] * 6]
    assert json.loads((tmp_path / "ablations.json").read_text())["tokens"] == 4_000_000
    monkeypatch.setattr(
        "training.evaluation.ablation.subprocess.run",
        lambda command: argparse.Namespace(returncode=3),
    )
    with pytest.raises(TrainingError, match="`corpus` of the variant 'full' ended with 3"):
        main(["full", "--out", str(tmp_path)])


def test_the_perplexity_of_the_baseline_is_told_once(options: argparse.Namespace) -> None:
    row = {"value": 3.0, "low": 2.0, "high": 4.0, "n": 9}
    both = {"perplexity_static": row, "perplexity_baseline": row | {"value": 5.0}}
    for name in ("full", "no-prose"):
        (options.out / f"found-{name}-perplexity.json").write_text(json.dumps(both))
    found = gathered(options.out)
    assert list(found) == ["full", "no prose", "no lookups"]
    assert found["full"] == found["no prose"] == {"perplexity_static": row}
    assert found["no lookups"] == {"perplexity_baseline": row | {"value": 5.0}}


def test_the_card_shows_them(model: Path) -> None:
    found = {"tokens": 4_000_000, "variants": {"full": FOUND, "no prose": {}}}
    (model / "ablations.json").write_text(json.dumps(found))
    card = write_card(model).read_text("utf-8")
    assert "4.0 million tokens each" in card
    assert "| measure | full | no prose |\n| --- | ---: | ---: |\n" in card
    assert "| `coverage` | 0.967 (0.950 to 0.980) |  |" in card


def test_values_are_trained_where_a_variant_says_so() -> None:
    roles_BT = torch.tensor([[Role.PROMPT, Role.TEXT, Role.MARKER, Role.VALUE, Role.MARKER]])
    ids_BT = torch.tensor([[5, 6, 3, 7, 4]])

    class Markers:
        end = 4

    kept = loss_mask(ids_BT, roles_BT, Markers())  # type: ignore[arg-type]
    assert kept.tolist() == [[False, True, True, False, False]]
    every = loss_mask(ids_BT, roles_BT, Markers(), values=True)  # type: ignore[arg-type]
    assert every.tolist() == [[False, True, True, True, True]]


def test_nothing_is_exchanged_where_a_variant_says_so() -> None:
    records = read_records(DEFAULT_FACTS)
    by_name = {name.lower(): record for name, record in records.items()}
    writer = Writer(records.values(), load_phrases(), exchange=False)
    for number in range(40):
        text = writer.document(random.Random(number), "question").text
        entity, rest = text.split("<|db_entity|> ")[1].split("<|db_relationship|> ")
        relation, rest = rest.split("<|db_return|> ")
        value = rest.split("<|db_end|>")[0].strip()
        assert value.split("; ")[0] in by_name[entity.strip().lower()].facts[relation.strip()]
    some = itertools.islice(documents(writer, NameFilter([]), 0, False), 300)
    assert "prose" not in {document.kind for document in some}
