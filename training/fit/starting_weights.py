"""The weights that training starts from: random ones, an earlier run, or any causal LM.

Tokens of the corpus's tokenizer that a causal LM lacks, the markers among them, get embeddings near
the mean of its own. So no new token is much more or much less probable than the known ones at first
(after the note of Hewitt 2021 on new embeddings).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from model.base.adapter import is_adapter, take_adapter
from training.data.tokenizer import load_tokenizer
from training.errors import CorpusError, TrainingError
from training.fit.run_checkpoints import checkpoint_of, fingerprint

NOISE = 0.1  # share of the embeddings' spread, so that new rows differ
_SCALED = (
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
)  # our loss does not apply them


def base_config_of(base: str) -> dict[str, Any]:
    """The configuration of a causal LM, as a plain object. Raises TrainingError."""
    try:
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        raise TrainingError(f"{base} is not a causal LM to start from ({reason}).") from error
    if scaled := next((name for name in _SCALED if getattr(config, name, None)), None):
        raise TrainingError(
            f"{base} scales its logits ({scaled}), which this loss does not support: start from "
            "a model of Llama or GPT-2 architecture."
        )
    return dict(config.to_dict())


def model_of_config(config: dict[str, Any], vocab_size: int) -> Any:
    """A model of that shape with random weights and room for `vocab_size` tokens."""
    config = {k: v for k, v in config.items() if k not in ("dtype", "torch_dtype")}
    kind = config.pop("model_type")
    config["vocab_size"] = max(vocab_size, int(config["vocab_size"]))
    return AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
        AutoConfig.for_model(kind, **config), dtype=torch.float32, attn_implementation="sdpa"
    )


def take_base_weights(model: Any, base: str) -> None:
    """Copy the weights of a causal LM into a model of its shape with more tokens."""
    known = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )
    weights = known.state_dict()
    ours = model.state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, theirs in weights.items():
        if ours[name].shape != theirs.shape:
            weights[name] = _with_more_rows(theirs, len(ours[name]), generator)
    model.load_state_dict(weights)
    model.tie_weights()


def _with_more_rows(rows_VD: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """The rows, followed by new ones near their mean."""
    mean_D = rows_VD.mean(dim=0)
    spread_D = rows_VD.std(dim=0)
    noise_ND = torch.randn((number - len(rows_VD), *rows_VD.shape[1:]), generator=generator)
    return torch.cat([rows_VD, mean_D + NOISE * spread_D * noise_ND])


def take_weights(module: Any, start_from: str, tokenizer: str) -> tuple[int, float]:
    """Copy the weights of an exported checkpoint or of a run into a module.

    Returns:
        The tokens and the seconds that the weights were trained for.

    Raises:
        TrainingError: if the weights have another architecture or another tokenizer.
    """
    folder = Path(start_from)
    if is_adapter(folder):
        take_adapter(module.model, folder)
        return _behind(folder)
    if (folder / "model.safetensors").is_file():
        _check_tokenizer(folder, tokenizer)
        weights = folder / "model.safetensors"
        try:
            loaded = module.model.load_state_dict(load_file(weights), strict=False)
        except RuntimeError as error:
            raise TrainingError(f"{weights} has another shape: {_first(error)}.") from error
        wrong = {*loaded.missing_keys, *loaded.unexpected_keys} - {"lm_head.weight"}
        if wrong:  # the head is the embedding, and is stored once
            raise TrainingError(f"{weights} has another architecture: {min(wrong)} differs.")
        module.model.tie_weights()
        return _behind(folder)
    path = checkpoint_of(start_from)
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    # The checkpoint records its tokenizer, because that folder may have changed since.
    if checkpoint.get("tokenizer") != fingerprint(load_tokenizer(tokenizer)):
        raise TrainingError(
            f"{path} was trained with another tokenizer than the corpus's ({tokenizer}): build the "
            "corpus with the run's tokenizer (--tokenizer)."
        )
    try:
        module.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        raise TrainingError(f"{path} has another shape: {_first(error)}.") from error
    return int(checkpoint.get("tokens_seen", 0)), float(checkpoint.get("seconds", 0.0))


def _behind(folder: Path) -> tuple[int, float]:
    """The tokens and seconds of training that an exported checkpoint records, or 0."""
    path = folder / "training.json"
    facts = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return int(facts.get("tokens_seen", 0)), float(facts.get("seconds", 0.0))


def _check_tokenizer(folder: Path, tokenizer: str) -> None:
    try:
        theirs = load_tokenizer(folder).get_vocab()
    except CorpusError:
        return  # weights alone: only their shape is compared
    if theirs != load_tokenizer(tokenizer).get_vocab():
        raise TrainingError(
            f"{folder} was trained with another tokenizer than the corpus's ({tokenizer}): build "
            f"the corpus with `--tokenizer {folder}`."
        )


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
