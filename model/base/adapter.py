"""Adapters: low-rank changes of a frozen base, with the embeddings of the four markers.

An adapter's folder holds `adapter_config.json` and `adapter_model.safetensors` (bfloat16), in the
format of the package `peft`, which trains and merges them. The base is named in the configuration.
What Lamplight needs to know besides (see model/checkpoint.py) is in `lamplight.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.base.smollm2 import INSTALL, SMOLLM2, BaseModelError, base_tokenizer, load_base
from model.prompts import CHAT_FORM
from model.roles import MARKERS, MarkerIds

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
SETTINGS = "lamplight.json"
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LAMPLIGHT = {"prompt_form": CHAT_FORM.to_json(), "relations": "ranked"}


def is_adapter(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds an adapter rather than a whole model."""
    return (Path(folder) / CONFIG).is_file()


def add_adapter(model: Any, rank: int = 32, alpha: int = 64, base: str = SMOLLM2) -> Any:
    """`model` with a new adapter on all linear layers, its own weights frozen.

    The last four embeddings, those of the markers, are trained whole, at the output too.
    """
    peft = _peft()
    vocab = model.get_input_embeddings().num_embeddings
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=alpha,
        target_modules=LINEAR,
        trainable_token_indices=list(range(vocab - len(MARKERS), vocab)),
    )
    # The file of the package has a pinned hash, so its name says enough, wherever it lies.
    # peft writes this name to the configuration.
    model.name_or_path = SMOLLM2 if base.endswith(".gguf") else base
    adapted = peft.get_peft_model(model, config)
    _compute_merged(adapted)
    return adapted


def _compute_merged(model: Any) -> None:
    """Let each adapted layer multiply by the sum of its weight and the adapter's product.

    The result is that of two paths that are added, but the activations pass one product instead of
    three, and no sum. On a CPU a step of training takes two thirds of the time.
    """
    linear = _peft().tuners.lora.Linear

    class MergedLinear(linear):  # type: ignore[misc, valid-type]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            base = self.base_layer.weight
            low = self.lora_A["default"].weight * self.scaling["default"]
            change = (self.lora_B["default"].weight @ low).to(base.dtype)
            return torch.nn.functional.linear(x, base + change)

    for module in model.modules():
        if type(module) is linear:
            if module.base_layer.bias is not None:
                raise BaseModelError("A base whose linear layers have a bias cannot be adapted.")
            module.__class__ = MergedLinear


def embeddings_of(model: Any) -> Any:
    """The embedding matrix that a model computes with: an adapter's markers stand in it."""
    embedding = model.get_input_embeddings()
    tokens = getattr(embedding, "token_adapter", None)
    if tokens is None:
        return embedding.weight
    return tokens.get_merged_weights(tokens.active_adapters)


def adapter_weights(model: Any) -> dict[str, torch.Tensor]:
    """The trained tensors of an adapted model by their names in the file."""
    weights = _peft().get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tensor.detach().cpu() for name, tensor in weights.items()}


def save_adapter(model: Any, folder: str | os.PathLike[str]) -> Path:
    """Write the adapter of `model` to a folder, in bfloat16."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    weights = {n: t.to(torch.bfloat16).contiguous() for n, t in adapter_weights(model).items()}
    save_file(weights, out / WEIGHTS, metadata={"format": "pt"})
    settings = model.peft_config["default"].to_dict()
    settings["inference_mode"] = True
    (out / CONFIG).write_text(
        json.dumps(settings, indent=1, default=_plain) + "\n", encoding="utf-8"
    )
    (out / SETTINGS).write_text(json.dumps(LAMPLIGHT, indent=1) + "\n", encoding="utf-8")
    return out


def take_adapter(model: Any, folder: str | os.PathLike[str]) -> None:
    """Copy a saved adapter's weights into an adapted model, to continue its training."""
    weights = load_file(Path(folder) / WEIGHTS)
    ours = adapter_weights(model)
    if wrong := sorted(
        name
        for name in ours.keys() | weights.keys()
        if name not in ours or name not in weights or ours[name].shape != weights[name].shape
    ):
        raise BaseModelError(f"The adapter in {folder} has another shape ({wrong[0]} differs).")
    _peft().set_peft_model_state_dict(model, weights)


def load_with_adapter(
    folder: str | os.PathLike[str], base: str | os.PathLike[str] | None = None
) -> tuple[Any, Any]:
    """The model with the adapter merged into its base, in float32, and the tokenizer.

    `base` names the base if it is elsewhere than the adapter says. Raises BaseModelError.
    """
    path = Path(folder)
    base = base or read_base(path)
    if not (path / WEIGHTS).is_file():
        raise BaseModelError(f"The adapter in {path} has no {WEIGHTS}; fetch it again.")
    tokenizer = base_tokenizer(base)
    model = load_base(torch.float32, base)
    peft = _peft()
    try:
        adapted = peft.PeftModel.from_pretrained(model, path)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise BaseModelError(
            f"The adapter in {path} is damaged or belongs to another base; fetch it again."
        ) from error
    merged = adapted.merge_and_unload()
    merged.tie_weights()
    merged.config.lamplight = read_settings(path)
    MarkerIds.of(tokenizer)
    return merged.eval(), tokenizer


def read_base(folder: Path) -> str:
    """What an adapter's configuration names as its base. Raises BaseModelError if it is damaged."""
    try:
        settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return str(settings.get("base_model_name_or_path") or SMOLLM2)
    except (OSError, ValueError, AttributeError) as error:
        raise BaseModelError(f"The adapter in {folder} has no readable {CONFIG}.") from error


def read_settings(folder: Path) -> dict[str, Any]:
    """What surrounds a prompt, and the rest. Raises BaseModelError if it cannot be read."""
    path = folder / SETTINGS
    if not path.is_file():
        return LAMPLIGHT
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BaseModelError(f"{path} is not readable JSON; fetch the adapter again.") from error
    return found


def _plain(value: Any) -> Any:
    """Sets and enumerations of a peft configuration as JSON has them."""
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise BaseModelError(
            f"The package peft is missing; install it with `{INSTALL}`."
        ) from error
    return peft
