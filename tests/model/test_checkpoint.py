"""Checkpoints: what is loaded, and what is refused with one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from model.checkpoint import (
    DEFAULT_CHECKPOINT,
    DEFAULT_NAME,
    CheckpointError,
    find_checkpoint,
    load_checkpoint,
    shipped_checkpoints,
)
from model.engine.decoder import Decoder
from model.roles import END, ENTITY, MARKERS, RELATIONSHIP, RETURN
from model.settings import DecodingSettings
from tests.model.model_fakes import Graph, random_llama, tokenizer


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint of our own kind, in bfloat16, on disk."""
    folder = tmp_path_factory.mktemp("checkpoint")
    random_llama().model.to(torch.bfloat16).save_pretrained(folder)
    random_llama.cache_clear()
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def refused(path: Path | str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


def test_a_checkpoint_of_ours(saved: Path) -> None:
    checkpoint = load_checkpoint(saved)
    assert checkpoint.model.dtype == torch.float32
    assert not checkpoint.model.training
    assert (checkpoint.form.after, checkpoint.relations) == ("\n", True)
    assert checkpoint.form.before == tokenizer().bos_token
    assert checkpoint.stop_ids == {tokenizer().eos_token_id}
    assert checkpoint.context == 512
    assert checkpoint.name == str(saved)
    settings = DecodingSettings(max_tokens=20)
    *_, last = Decoder(checkpoint).generate("Tell me about France.", Graph({}), settings)
    assert len(last.trace.tokens) >= 1


def test_a_shipped_checkpoint_is_found_by_its_name() -> None:
    assert {"questions", "smol", "world"} <= set(shipped_checkpoints())
    assert Path(find_checkpoint(DEFAULT_NAME)) == DEFAULT_CHECKPOINT
    for name in shipped_checkpoints():
        assert (Path(find_checkpoint(name)) / "README.md").is_file()


def test_an_unknown_name_lists_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused("wrold", "wrold, and no shipped checkpoint of that name; the shipped ones are .*world")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrold").mkdir()
    assert find_checkpoint("wrold") == "wrold"  # a folder of one's own
    assert find_checkpoint("owner/name") == "owner/name"  # on the Hub


def test_the_suffix_is_read_from_the_configuration(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["lamplight"] = {"prompt_suffix": " ==> ", "relations": False}
    (folder / "config.json").write_text(json.dumps(config))
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.form.after, checkpoint.relations) == (" ==> ", False)


def test_a_checkpoint_in_the_layout_of_the_released_ones(tmp_path: Path) -> None:
    """Llama weights and a sentencepiece-like tokenizer to which the four tokens were added, no
    `lamplight` entry: no suffix, no `relations`; the spacing of the grammar is the same."""
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    texts = ["The capital of France is Paris.", "Napoleon was born in Ajaccio."] * 5
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    wrapped.add_tokens(list(MARKERS), special_tokens=True)
    config = LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    wrapped.save_pretrained(tmp_path)

    checkpoint = load_checkpoint(tmp_path)
    assert (checkpoint.form.after, checkpoint.relations) == ("", False)
    assert checkpoint.stop_ids == {2}
    document = f"Napoleon{ENTITY} Napoleon{RELATIONSHIP} born in{RETURN} Ajaccio é{END} Ajaccio é"
    ids = checkpoint.tokenizer.encode(document, add_special_tokens=False)
    start = ids.index(checkpoint.markers.return_) + 1
    end = ids.index(checkpoint.markers.end)
    assert checkpoint.encode_value("Ajaccio é") == ids[start:end]

    decoder = Decoder(checkpoint, guess=False)
    prompt = len(checkpoint.encode_prompt("Napoleon"))
    chosen = ids[prompt:start] + ids[end + 1 :]
    script = iter([*chosen, 2])

    def scripted_forward(**kwargs: object) -> object:
        output = forward(**kwargs)
        output.logits[:] = 0
        output.logits[0, -1, next(script)] = 5
        return output

    forward = checkpoint.model.forward
    checkpoint.model.forward = scripted_forward
    graph = Graph({"Napoleon": {"born in": "Ajaccio é"}})
    *_, last = decoder.generate("Napoleon", graph)
    assert last.trace.ids == [*ids, 2]
    assert last.trace.raw == document.removeprefix("Napoleon")
    assert last.trace.text == "Ajaccio é"
    assert graph.asked == [("Napoleon", "born in")]


def test_no_folder(tmp_path: Path) -> None:
    refused(tmp_path / "missing", "no checkpoint folder at .*missing; train one")
    refused("model/checkpoints/nothing-here", "no checkpoint folder")
    refused("nothing-here", "no checkpoint folder")


def test_an_empty_folder(tmp_path: Path) -> None:
    refused(tmp_path, "no readable config.json")


def test_a_configuration_that_is_no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    refused(folder, "not valid JSON")


def test_pickle_is_never_loaded(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    refused(folder, "weights in pickle files are not loaded")


@pytest.mark.parametrize("keep", [0, 5, 1000, -100])
def test_truncated_weights(folder: Path, keep: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    refused(folder, "damaged or truncated")


def test_weights_that_lack_tensors(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights.pop("model.norm.weight")
    save_file(weights, path, metadata={"format": "pt"})
    refused(folder, "1 tensors such as model.norm.weight are missing")


def test_weights_of_another_size(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["hidden_size"] = 64
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "weights of .* cannot be loaded")


def test_no_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()
    refused(folder, "tokenizer")


def test_a_checkpoint_without_the_four_tokens(folder: Path) -> None:
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel()
    plain.train_from_iterator(["some text"], trainers.BpeTrainer(show_progress=False))
    PreTrainedTokenizerFast(tokenizer_object=plain).save_pretrained(folder)
    refused(folder, r"lacks <\|db_entity\|>, .*add the four tokens with tokenizer.add_tokens")


def test_a_tokenizer_of_another_checkpoint(folder: Path) -> None:
    larger = PreTrainedTokenizerFast.from_pretrained(folder)
    larger.add_tokens(["one", "more"])
    larger.save_pretrained(folder)
    refused(folder, "do not belong together")
