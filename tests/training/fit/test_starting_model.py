"""What a training begins with, what a baseline reads, and what ends it early."""

from __future__ import annotations

import json
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
)

from model.checkpoint import load_checkpoint
from model.roles import MARKERS, MarkerIds, Role, token_roles
from tests.training.annotation.test_articles import examples
from training.__main__ import main
from training.annotation.annotated_text import parse
from training.data.batches import collate
from training.data.shards import Shard
from training.data.tokenizer import load_tokenizer
from training.errors import TrainingError
from training.fit.loss_mask import loss_mask
from training.fit.module import LookupLanguageModule, load_module, new_model
from training.fit.starting_weights import take_base_weights, take_weights

CONFIGS = Path("training") / "configs"
TINY = {"hidden_size": 32, "intermediate_size": 64, "layers": 2, "heads": 2}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A causal LM that has never heard of lookups, in GPT-2's layout."""
    folder = tmp_path_factory.mktemp("base") / "gpt2-tiny"
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator([parse(e["annotated_text"]).text for e in examples()], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learner, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )
    torch.manual_seed(0)
    model = new_model(len(tokenizer), 32, 64, 2, 2, 256, architecture="gpt2")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(base, tmp_path_factory) -> Path:
    """The annotated articles in the base's tokens."""
    folder = tmp_path_factory.mktemp("corpus")
    source = folder / "people.json"
    source.write_text(json.dumps({"examples": examples()}), encoding="utf-8")
    command = ["shards", str(source), "--out", str(folder / "people"), "--tokenizer", str(base)]
    assert main([*command, "--context", "256"]) == 0
    return folder / "people"


def test_a_causal_lm_gets_markers_near_the_mean_of_its_embeddings(base, corpus):
    module = LookupLanguageModule(str(corpus / "tokenizer"), base=str(base))
    take_base_weights(module.model, str(base))
    known = AutoModelForCausalLM.from_pretrained(base)
    ids_BT = torch.tensor([[5, 9, 200, 31]])
    with torch.no_grad():
        theirs_V = known(ids_BT).logits[0, -1]
        ours_V = module.model(ids_BT).logits[0, -1]
    number = len(theirs_V)
    torch.testing.assert_close(ours_V[:number], theirs_V)  # it reads as before
    tokenizer = load_tokenizer(corpus / "tokenizer")
    assert list(MarkerIds.of(tokenizer).as_tuple()) == list(range(number, number + 4))
    assert len(ours_V) == number + len(MARKERS)
    assert (ours_V[number:] < theirs_V.max()).all()  # no marker is at once the likeliest
    rows_VD = module.model.get_input_embeddings().weight.detach()
    assert len(torch.unique(rows_VD[number:], dim=0)) == 4
    # A checkpoint is loaded without the base: its shape is kept.
    assert module.hparams["base_config"]["n_embd"] == 32


def test_training_on_from_a_causal_lm_and_export_in_the_released_layout(
    base, corpus, tmp_path, capsys
):
    text = (CONFIGS / "debug.yaml").read_text("utf-8").replace("build/runs/debug", str(tmp_path))
    config = yaml.safe_load(text)
    config["data"] = {"corpus": str(corpus), "batch_tokens": 2048}
    config["model"] = {"base": str(base), "learning_rate": 1e-3, "warmup_steps": 2}
    config["trainer"] |= {"max_steps": 4, "limit_val_batches": 1, "val_check_interval": 1}
    config["trainer"]["enable_progress_bar"] = False
    config["trainer"]["callbacks"].append(
        {
            "class_path": "training.evaluation.dynamic_perplexity.DynamicPerplexity",
            "init_args": {"documents": 2},
        }
    )
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["fit", "--config", str(path)]) == 0
    curve = (tmp_path / "curve.csv").read_text("utf-8")
    for name in ("static", "normalised", "dynamic", "text", "entity"):
        assert f"validation/perplexity_{name}," in curve
    assert "lookups_per_100_tokens" in curve
    assert main(["export", "--run", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    checkpoint = load_checkpoint(tmp_path / "out")
    assert not checkpoint.relations
    assert checkpoint.form.after == ""
    assert checkpoint.model.config.model_type == "gpt2"
    # What was trained here is refused where the tokenizer is another.
    module = LookupLanguageModule(str(corpus / "tokenizer"), **TINY)
    with pytest.raises(TrainingError, match=r"another (architecture|shape)"):
        take_weights(module, str(tmp_path / "out"), str(corpus / "tokenizer"))


def test_a_bias_of_the_output_layer_counts(toy_corpus):
    """Phi and GPT-J have one."""
    module = LookupLanguageModule(str(toy_corpus / "tokenizer"), **TINY)
    torch.manual_seed(1)
    config = PhiConfig(
        vocab_size=module.model.config.vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        resid_pdrop=0.0,
    )
    module.model = PhiForCausalLM(config)
    torch.nn.init.normal_(module.model.lm_head.bias)
    batch = collate(Shard(toy_corpus / "train"), np.arange(4), 2)
    result = module.model_step(batch, details=True)
    ids_BT = batch["ids_BT"]
    roles_BT = token_roles(ids_BT, module.markers, batch["prompt_lengths_B"])
    mask_BT = loss_mask(ids_BT, roles_BT, module.markers) & batch["flags_BT"]
    logits_NV = module(ids_BT)[:, :-1][mask_BT[:, 1:]]
    expected = torch.nn.functional.cross_entropy(logits_NV, ids_BT[:, 1:][mask_BT[:, 1:]])
    torch.testing.assert_close(result["loss"], expected)
    (gradient_V,) = torch.autograd.grad(result["loss"], [module.model.lm_head.bias])
    assert gradient_V.abs().sum() > 0


def test_a_run_is_refused_where_its_tokenizers_folder_was_made_anew(toy_corpus, tmp_path):
    module = LookupLanguageModule(str(toy_corpus / "tokenizer"), **TINY)
    run = tmp_path / "last.ckpt"
    state = {"state_dict": module.state_dict(), "tokenizer": "another fingerprint"}
    torch.save({**state, "hyper_parameters": {"tokenizer": str(toy_corpus / "tokenizer")}}, run)
    with pytest.raises(TrainingError, match="another tokenizer"):
        take_weights(module, str(run), str(toy_corpus / "tokenizer"))


def test_weights_of_another_tokenizer_are_refused(base, corpus, toy_corpus):
    module = LookupLanguageModule(str(toy_corpus / "tokenizer"), **TINY)
    with pytest.raises(TrainingError, match=r"another tokenizer .*--tokenizer"):
        take_weights(module, str(base), str(toy_corpus / "tokenizer"))
    with pytest.raises(TrainingError, match="not a causal LM"):
        LookupLanguageModule(str(toy_corpus / "tokenizer"), base=str(toy_corpus))
    with pytest.raises(TrainingError, match="no architecture 'mamba'"):
        LookupLanguageModule(str(toy_corpus / "tokenizer"), architecture="mamba")


def test_the_baseline_reads_the_same_words_without_lookups(toy_corpus):
    shard = Shard(toy_corpus / "train")
    tokenizer = load_tokenizer(toy_corpus / "tokenizer")
    markers = MarkerIds.of(tokenizer)
    indices = np.arange(8)
    batch = collate(shard, indices, 2)
    plain = collate(shard, indices, 2, without=markers)
    assert plain["ids_BT"].shape[1] < batch["ids_BT"].shape[1]
    for row in range(8):
        ids = batch["ids_BT"][row, : shard.lengths_N[row]].tolist()
        whole = parse(tokenizer.decode(ids)).text
        words = tokenizer.decode(plain["ids_BT"][row]).replace("<|pad|>", "")
        assert words.split() == whole.split()
    roles_BT = token_roles(plain["ids_BT"], markers, plain["prompt_lengths_B"])
    assert set(roles_BT.unique().tolist()) == {Role.PROMPT, Role.TEXT}
    module = LookupLanguageModule(str(toy_corpus / "tokenizer"), **TINY)
    assert module.model_step(plain, details=False)["trained"] == plain["flags_BT"].sum()


@pytest.mark.parametrize(
    ("name", "millions", "vocabulary"),
    [
        ("llama2-176M", 176, 32004),
        ("llama2-382M", 382, 32004),
        ("gpt2-124M", 124, 50261),
        ("gpt2-355M", 355, 50261),
    ],
)
def test_configurations_of_the_paper_have_its_sizes(name, millions, vocabulary):
    given = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text("utf-8"))["model"]
    with torch.device("meta"):
        model = new_model(
            vocabulary,
            given["hidden_size"],
            given["intermediate_size"],
            given["layers"],
            given["heads"],
            given["max_positions"],
            architecture=given["architecture"],
            tied=given["tied"],
        )
    assert round(model.num_parameters() / 1e6) == pytest.approx(millions, abs=1)


def _fit(folder: Path, corpus: Path, *options: str) -> int:
    text = (CONFIGS / "debug.yaml").read_text("utf-8").replace("build/runs/debug", str(folder))
    config = yaml.safe_load(text.replace("build/corpus/debug", str(corpus)))
    config["trainer"]["enable_progress_bar"] = False
    config["trainer"]["callbacks"][0]["init_args"]["every_n_train_steps"] = 2
    path = folder / "config.yaml"
    folder.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return main(["fit", "--config", str(path), *options])


def test_a_document_longer_than_the_model_sees_is_told(toy_corpus, tmp_path, capsys):
    assert _fit(tmp_path, toy_corpus, "--model.max_positions", "16") == 1
    assert "the model sees 16: raise --model.max_positions" in capsys.readouterr().err


def test_a_full_disk_keeps_the_last_checkpoint(toy_corpus, tmp_path, capsys):
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "2") == 0
    kept = (tmp_path / "checkpoints" / "last.ckpt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing past the limit is an error
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
        more = ["--trainer.max_steps", "6", "--ckpt_path", "last"]
        assert _fit(tmp_path, toy_corpus, *more) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert "The disk is full" in capsys.readouterr().err
    assert (tmp_path / "checkpoints" / "last.ckpt").read_bytes() == kept
    assert load_module(tmp_path)  # it can be gone on with
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "4", "--ckpt_path", "last") == 0
