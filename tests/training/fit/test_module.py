"""The module: what is trained, what is not, and that training goes on exactly where it stopped."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import lightning as L
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint

from model.roles import MarkerIds, Role, token_roles
from tests.training.toy import FACTS, paragraph
from training.data.batches import LookupDataModule, collate
from training.data.documents import Document, write_lookup
from training.data.shards import Shard
from training.data.tokenizer import encode_document, load_tokenizer
from training.errors import TrainingError
from training.fit.module import LookupLanguageModule, copied_tokens, load_module

TINY = {"hidden_size": 32, "intermediate_size": 64, "layers": 2, "heads": 2, "warmup_steps": 2}


@pytest.fixture
def module(toy_corpus) -> LookupLanguageModule:
    torch.manual_seed(0)
    return LookupLanguageModule(str(toy_corpus / "tokenizer"), **TINY)


@pytest.fixture
def batch(toy_corpus):
    return collate(Shard(toy_corpus / "train"), np.arange(6), pad_id=2)


def trained_labels(batch, markers):
    """labels_BT, -100 where nothing is trained: a second reader of the grammar, in plain Python."""
    ids_BT = batch["ids_BT"]
    labels_BT = ids_BT.clone()
    for row in range(len(ids_BT)):
        inside_value = False
        for position, token in enumerate(ids_BT[row].tolist()):
            if position < batch["prompt_lengths_B"][row] or token in (2, markers.end):
                labels_BT[row, position] = -100
            if position >= batch["prompt_lengths_B"][row]:
                inside_value = inside_value and token != markers.end
                if inside_value:
                    labels_BT[row, position] = -100
                inside_value = inside_value or token == markers.return_
    return labels_BT


def test_loss_equals_the_full_computation(module, batch, toy_corpus):
    """Projecting only trained positions changes nothing: values, prompts and ends are out."""
    ids_BT = batch["ids_BT"]
    markers = MarkerIds.of(load_tokenizer(toy_corpus / "tokenizer"))
    logits_BTV = module(ids_BT)
    labels_BT = trained_labels(batch, markers)
    full = F.cross_entropy(logits_BTV[:, :-1].flatten(0, 1), labels_BT[:, 1:].flatten())
    result = module.model_step(batch, details=True)
    assert result["loss"].item() == pytest.approx(full.item(), rel=1e-5)
    assert result["trained"] == (labels_BT[:, 1:] != -100).sum()
    by_role = sum(result[f"loss_{r}"][0] for r in ("text", "entity", "relation", "marker"))
    assert by_role.item() / int(result["trained"]) == pytest.approx(full.item(), rel=1e-5)

    full.backward()
    expected = {n: p.grad.clone() for n, p in module.named_parameters()}
    module.zero_grad()
    result["loss"].backward()
    for name, parameter in module.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-6, rtol=1e-4)


def test_decisions_and_relations_count_as_often_as_their_weights_say(module, batch):
    """The first token, the one after a value, openings and ends, counted one by one."""
    ids_BT, markers = batch["ids_BT"], module.markers
    end_id = module._end_id
    log_probs_BTV = module(ids_BT).log_softmax(-1)
    roles_BT = token_roles(ids_BT, module.markers, batch["prompt_lengths_B"])
    total, counted, decisions = 0.0, 0.0, Counter()
    for row, position in (trained_labels(batch, module.markers) != -100).nonzero().tolist():
        weight = 1.0
        if roles_BT[row, position] == int(Role.RELATION):
            weight += 2.0
        target, before = int(ids_BT[row, position]), int(ids_BT[row, position - 1])
        kinds = {
            "first": roles_BT[row, position - 1] == int(Role.PROMPT),
            "after a value": before == markers.end,
            "opening": target == markers.entity,
            "end": target == end_id,
        }
        if any(kinds.values()):
            weight += 4.0
            decisions.update(kind for kind, holds in kinds.items() if holds)
        total -= weight * log_probs_BTV[row, position - 1, ids_BT[row, position]].item()
        counted += weight
    assert len(decisions) == 4
    assert min(decisions.values()) >= 3
    module.hparams.update(relation_weight=3.0, decision_weight=5.0)
    result = module.model_step(batch, details=False)
    assert result["loss"].item() == pytest.approx(total / counted, rel=1e-5)


def test_values_and_untrained_spans_do_not_reach_the_loss(module, toy_corpus, tmp_path):
    """Another value changes no target: its own tokens have no gradient at the last layer."""
    tokenizer = load_tokenizer(toy_corpus / "tokenizer")
    text = f"It is{write_lookup('France', 'capital', 'Paris')} said in 1879."
    plain = encode_document(tokenizer, Document("?", text))
    start = text.index("1879")
    spans = ((start, start + 4),)
    kept = encode_document(tokenizer, Document("?", text, untrained=spans))

    def trained(encoded):
        batch = {
            "ids_BT": torch.tensor([encoded.ids]),
            "flags_BT": torch.tensor([encoded.flags], dtype=torch.bool),
            "prompt_lengths_B": torch.tensor([encoded.prompt_length]),
        }
        return int(module.model_step(batch, details=False)["trained"])

    assert trained(plain) - trained(kept) == 4  # digits are single tokens
    value = len(tokenizer(" Paris", add_special_tokens=False).input_ids)
    assert trained(plain) == len(plain.ids) - plain.prompt_length - value - 1


def test_no_logit_depends_on_another_document(module, toy_corpus):
    """Neither the other rows of a batch nor its padding reach a document's logits."""
    shard = Shard(toy_corpus / "train")
    together = collate(shard, np.arange(6), pad_id=2)["ids_BT"]
    other = together.clone()
    other[1:] = torch.randint(7, 300, other[1:].shape)
    module.eval()
    with torch.no_grad():
        length = int(shard.lengths_N[0])
        in_batch_TV = module(together)[0, :length]
        beside_others_TV = module(other)[0, :length]
        alone_TV = module(together[:1, :length])[0]
        longer_TV = module(F.pad(together[:1, :length], (0, 50), value=2))[0, :length]
    for found_TV in (beside_others_TV, alone_TV, longer_TV):
        torch.testing.assert_close(found_TV, in_batch_TV, atol=1e-5, rtol=1e-5)
    with torch.no_grad():  # the test can fail: a token of its own does reach it
        changed = together[:1].clone()
        changed[0, 0] += 1
        assert not torch.allclose(module(changed)[0, :length], in_batch_TV, atol=1e-5)


def test_copied_tokens_are_the_repetition_of_the_value(toy_corpus):
    tokenizer = load_tokenizer(toy_corpus / "tokenizer")
    markers = MarkerIds.of(tokenizer)
    text = paragraph("France", {"capital": "Paris"}).text
    text += f" Its river{write_lookup('France', 'river', 'Seine')} is Seine."
    ids, _, prompt_length = encode_document(tokenizer, Document("?", text))
    ids_BT = torch.tensor([ids, ids])
    roles_BT = token_roles(ids_BT, markers, torch.tensor([prompt_length] * 2))
    copied_BT = copied_tokens(ids_BT, roles_BT, markers)
    assert tokenizer.decode(ids_BT[1][copied_BT[1]]) == " Paris"
    assert (roles_BT[copied_BT] == Role.TEXT).all()


def _trainer(folder, steps, **options):
    return L.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=4,
        max_steps=steps,
        precision=options.pop("precision", "32-true"),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        log_every_n_steps=1,
        default_root_dir=folder,
        gradient_clip_val=1.0,
        callbacks=[
            ModelCheckpoint(
                folder,
                every_n_train_steps=5,
                save_last=True,
                save_top_k=1,
                monitor="step",
                mode="max",
                enable_version_counter=False,
            )
        ],
        **options,
    )


def _module(corpus) -> LookupLanguageModule:
    L.seed_everything(0, verbose=False)
    return LookupLanguageModule(str(corpus / "tokenizer"), **TINY)


def test_resumption_is_bit_equal_to_an_uninterrupted_run(toy_corpus, tmp_path):
    data = {"corpus": str(toy_corpus), "batch_tokens": 1024}
    # The schedule's end depends on the planned steps, so both runs plan 12 of them.
    straight = _module(toy_corpus)
    _trainer(tmp_path / "a", 12).fit(straight, datamodule=LookupDataModule(**data))

    class Interrupted(L.Callback):
        def on_train_batch_end(self, trainer, *_):
            if trainer.global_step == 7:
                raise KeyboardInterrupt

    first = _trainer(tmp_path / "b", 12)
    first.callbacks.insert(0, Interrupted())
    with pytest.raises(SystemExit):
        first.fit(_module(toy_corpus), datamodule=LookupDataModule(**data))
    torch.manual_seed(99)
    resumed = LookupLanguageModule(str(toy_corpus / "tokenizer"), **TINY)
    second = _trainer(tmp_path / "b", 12)
    second.fit(resumed, datamodule=LookupDataModule(**data), ckpt_path="last", weights_only=True)
    assert second.global_step == 12
    for ours, theirs in zip(resumed.parameters(), straight.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    loaded = load_module(tmp_path / "b")
    assert torch.equal(next(loaded.parameters()), next(resumed.parameters()))


def test_bf16_learns_one_batch_by_heart(toy_corpus, tmp_path):
    module = _module(toy_corpus)
    module.hparams["learning_rate"] = 2e-2
    losses = []

    class Losses(L.Callback):
        def on_train_batch_end(self, trainer, *_):
            losses.append(trainer.callback_metrics["train/loss"].item())

    trainer = _trainer(tmp_path, 60, precision="bf16-mixed")
    trainer.fit_loop.max_epochs = -1
    trainer.callbacks.append(Losses())
    data = LookupDataModule(str(toy_corpus), batch_tokens=4096, limit_documents=8)
    trainer.fit(module, datamodule=data)
    assert losses[0] == pytest.approx(math.log(600), rel=0.1)
    assert losses[-1] < 1.0


def test_nan_loss_stops_with_a_sentence(toy_corpus, tmp_path):
    module = _module(toy_corpus)
    with torch.no_grad():
        next(module.parameters()).fill_(math.nan)
    with pytest.raises(TrainingError, match=r"loss is nan at step 0: .*learning_rate"):
        _trainer(tmp_path, 2).fit(module, datamodule=LookupDataModule(str(toy_corpus)))


def test_a_batch_without_targets_is_told(module, batch):
    batch["flags_BT"][:] = False
    with pytest.raises(TrainingError, match="no token to train"):
        module.model_step(batch, details=False)


def test_matrices_only_decay_and_the_rate_warms_up_and_falls(toy_corpus, tmp_path):
    module = _module(toy_corpus)
    trainer = _trainer(tmp_path, 8)
    rates = []

    class Rates(L.Callback):
        def on_train_batch_start(self, trainer, *_):
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    trainer.callbacks.append(Rates())
    trainer.fit(module, datamodule=LookupDataModule(str(toy_corpus), batch_tokens=1024))
    decayed, plain = trainer.optimizers[0].param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)
    assert all(p.ndim >= 2 for p in decayed["params"])
    assert rates[:2] == [pytest.approx(1e-3), pytest.approx(2e-3)]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] < 4e-4


def test_no_checkpoint_is_told(tmp_path):
    with pytest.raises(TrainingError, match="train first"):
        load_module(tmp_path)
    with pytest.raises(TrainingError, match="train first"):
        load_module(tmp_path / "none.ckpt")


def test_paragraph_of_the_toy_corpus_is_in_the_grammar(toy_corpus):
    tokenizer = load_tokenizer(toy_corpus / "tokenizer")
    ids = encode_document(tokenizer, paragraph("France", FACTS["France"])).ids
    markers = MarkerIds.of(tokenizer)
    assert ids.count(markers.entity) == ids.count(markers.end) == 4


def test_weights_decay_by_what_they_were_before_a_strategy_flattened_them(module, monkeypatch):
    """As FSDP does with what it shards: one row each, under the name of its wrapper."""
    matrices = {name for name, p in module.named_parameters() if p.ndim >= 2}
    flat = [
        (name.replace("model.", "model._fsdp_wrapped_module.", 1), torch.nn.Parameter(p.flatten()))
        for name, p in module.named_parameters()
    ]
    monkeypatch.setattr(module, "named_parameters", lambda: iter(flat))
    module._trainer = SimpleNamespace(estimated_stepping_batches=10)
    optimizer = module.configure_optimizers()["optimizer"]
    decayed, free = (group["params"] for group in optimizer.param_groups)
    names = {id(p): name.replace("._fsdp_wrapped_module", "") for name, p in flat}
    assert {names[id(p)] for p in decayed} == matrices
    assert {names[id(p)] for p in free} == set(names.values()) - matrices
    assert optimizer.param_groups[0]["weight_decay"] > optimizer.param_groups[1]["weight_decay"]
