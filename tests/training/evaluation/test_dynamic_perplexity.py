"""The dynamic perplexity in a run's log is that of the evaluation, and changes no weight."""

from __future__ import annotations

import pytest
import torch

from model.checkpoint import make_checkpoint
from tests.training.fit.test_starting_model import _fit
from training.data.shards import Shard
from training.data.tokenizer import Encoded, load_tokenizer
from training.evaluation.dynamic_perplexity import DynamicPerplexity
from training.evaluation.suites.perplexity import perplexities
from training.fit.curve_log import read_curve
from training.fit.export import name_prompt_form
from training.fit.module import load_module

EVERY_STEP = (
    *("--trainer.limit_val_batches", "1", "--trainer.val_check_interval", "1"),
    *("--trainer.check_val_every_n_epoch", "null", "--trainer.max_steps", "3"),
)
CALLBACK = ("--trainer.callbacks+", "training.evaluation.dynamic_perplexity.DynamicPerplexity")


def test_it_is_what_the_evaluation_finds_and_changes_no_weight(toy_corpus, tmp_path):
    ours, theirs = tmp_path / "with", tmp_path / "without"
    more = [*EVERY_STEP, *CALLBACK, "--trainer.callbacks.documents", "4"]
    more += ["--trainer.callbacks.most_time", "1000"]
    assert _fit(ours, toy_corpus, *more) == 0
    assert _fit(theirs, toy_corpus, *EVERY_STEP) == 0
    logged = read_curve(ours)["validation/perplexity_dynamic"]
    assert len(logged) == 3
    assert "validation/perplexity_dynamic" not in read_curve(theirs)
    weights = load_module(theirs).state_dict()
    assert all(torch.equal(weights[n], w) for n, w in load_module(ours).state_dict().items())
    # The weights as trained: exported ones are rounded to bfloat16, which shifts the figure.
    module = load_module(ours)
    name_prompt_form(module.model.config, load_tokenizer(toy_corpus / "tokenizer"))
    checkpoint = make_checkpoint(module.model, load_tokenizer(toy_corpus / "tokenizer"), "run")
    shard = Shard(toy_corpus / "validation")
    documents = [
        Encoded(ids.tolist(), flags.tolist(), prompt)
        for ids, flags, prompt in map(shard.document, range(4))
    ]
    found = perplexities(checkpoint, documents)
    assert logged[max(logged)] == pytest.approx(found["dynamic"]["value"], rel=1e-4)


def test_what_takes_too_long_is_left_out(toy_corpus, tmp_path):
    more = [*EVERY_STEP, *CALLBACK, "--trainer.callbacks.most_time", "1e-6"]
    assert _fit(tmp_path, toy_corpus, *more) == 0
    assert len(read_curve(tmp_path)["validation/perplexity_dynamic"]) == 1


def test_a_corpus_without_lookups_has_none(toy_corpus, tmp_path):
    assert _fit(tmp_path, toy_corpus, *EVERY_STEP, *CALLBACK, "--data.lookups", "false") == 0
    assert "validation/perplexity_dynamic" not in read_curve(tmp_path)
    with pytest.raises(ValueError, match="give 1 or more"):
        DynamicPerplexity(0)
