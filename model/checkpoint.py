"""Checkpoints: a causal language model and its tokenizer, by folder or by Hub name.

Weights come from safetensors files only, code only from transformers. Computation is in float32
on the CPU: bfloat16 weights are converted when they are loaded.

`config.json` of a model trained here holds `"lamplight": {"prompt_suffix": "\\n", "relations":
true}`: the text between prompt and answer, and that it was trained to ask for `relations`.
Released LMLM checkpoints have no such entry: no suffix, no `relations`, and an opening token only
if their tokenizer adds one.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from graph.core.errors import UserError
from model.prompts import PromptError
from model.roles import RETURN, MarkerIds

DEFAULT_CHECKPOINT = Path(__file__).parent / "checkpoints" / "world"


class CheckpointError(UserError):
    """A checkpoint that cannot be used."""


@dataclass
class Checkpoint:
    """A model that is ready to decode, and the encoding of text into its token ids."""

    model: Any  # a causal language model of transformers, in evaluation mode
    tokenizer: Any  # its fast tokenizer
    markers: MarkerIds
    name: str
    prompt_prefix: str = ""
    prompt_suffix: str = "\n"
    relations: bool = True
    ranked: bool = False  # whether `relations` is answered in order of relevance to the prompt
    opening: tuple[int, ...] = field(default=())  # ids before the prompt: the bos token, or none

    @cached_property
    def context(self) -> int:
        """The longest document that the model can process, in tokens."""
        config = self.model.config
        return int(getattr(config, "max_position_embeddings", 0) or 1 << 30)

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """The ids that end a document."""
        generation = getattr(self.model, "generation_config", None)
        found: set[int] = set()
        for ids in (getattr(generation, "eos_token_id", None), self.tokenizer.eos_token_id):
            found.update([ids] if isinstance(ids, int) else ids or [])
        return frozenset(found)

    @cached_property
    def _special_text(self) -> re.Pattern[str]:
        special = [text for text in self.tokenizer.get_added_vocab() if len(text) > 1]
        # A look-ahead also finds overlapping occurrences.
        return re.compile("(?=" + "|".join(map(re.escape, special)) + ")" if special else r"(?!)")

    def encode_text(self, text: str, *, at_start: bool = False) -> list[int]:
        """The ids of `text` as plain text: special tokens are never recognised in it.

        Where a marker is spelt out, the text is cut after its first character, so the tokenizer
        never sees a whole marker. With `at_start` the text begins a document; otherwise it
        is encoded as text after a marker, which some tokenizers treat differently.
        """
        cuts = [match.start() + 1 for match in self._special_text.finditer(text)]
        edges = [0, *cuts, len(text)]
        ids: list[int] = []
        for start, end in pairwise(edges):
            piece = text[start:end]
            if at_start and start == 0:
                ids += self.tokenizer.encode(piece, add_special_tokens=False)
            else:
                encoded = self.tokenizer.encode(RETURN + piece, add_special_tokens=False)
                ids += encoded[encoded.index(self.markers.return_) + 1 :]
        return ids

    def encode_prompt(self, prompt: str) -> list[int]:
        """The token ids that a document with this prompt starts with, including the separator.

        Raises:
            PromptError: if the prompt leaves no room in the context.
        """
        whole = self.prompt_prefix + prompt + self.prompt_suffix
        ids = [*self.opening, *self.encode_text(whole, at_start=True)]
        if len(ids) >= self.context:
            raise PromptError(
                f"The prompt has {len(ids):,} tokens and the model takes fewer than "
                f"{self.context:,}; shorten the prompt."
            )
        return ids

    def encode_value(self, value: str) -> list[int]:
        """The ids of a value inside a lookup: one space, the value (the spacing rule)."""
        return self.encode_text(" " + value)


def load_checkpoint(name: str | os.PathLike[str] = DEFAULT_CHECKPOINT) -> Checkpoint:
    """Load a checkpoint from a folder, or from the Hugging Face Hub by its name.

    Raises:
        CheckpointError: if there is none, if it is damaged, or if it lacks the four tokens of the
            lookup grammar.
    """
    name = os.fspath(name)
    if os.path.isdir(name):
        _check_folder(Path(name))
    elif _looks_like_path(name):
        raise CheckpointError(
            f"There is no checkpoint folder at {name}; train one with `python -m training fit` "
            "or name another with --model."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except Exception as error:
        raise CheckpointError(
            f"The tokenizer of {name} cannot be loaded ({_brief(error)}); the checkpoint needs "
            "a tokenizer.json."
        ) from error
    try:
        MarkerIds.of(tokenizer)
    except ValueError as error:
        raise CheckpointError(f"{name} is not a checkpoint with lookups. {error}") from error
    try:
        silence: Any = disable_progress_bar  # untyped
        silence()  # loading takes a second; a progress bar only clutters the output
        loader: Any = AutoModelForCausalLM
        model, info = loader.from_pretrained(
            name,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:
        raise CheckpointError(
            f"The weights of {name} cannot be loaded ({_brief(error)}); export or fetch the "
            "checkpoint again."
        ) from error
    if info["missing_keys"]:
        raise CheckpointError(
            f"The weights of {name} are incomplete: {len(info['missing_keys'])} tensors such as "
            f"{min(info['missing_keys'])} are missing; export the checkpoint again."
        )
    if model.get_input_embeddings().num_embeddings < len(tokenizer):
        raise CheckpointError(
            f"The tokenizer of {name} has {len(tokenizer):,} tokens and its model only "
            f"{model.get_input_embeddings().num_embeddings:,}; they do not belong together."
        )
    return make_checkpoint(model, tokenizer, name)


def make_checkpoint(model: Any, tokenizer: Any, name: str) -> Checkpoint:
    """A checkpoint from a model and tokenizer in memory, such as during training."""
    ours = getattr(model.config, "lamplight", None)
    opening: tuple[int, ...] = ()
    bos = tokenizer.bos_token_id
    if bos is not None and (ours is not None or tokenizer("")["input_ids"][:1] == [bos]):
        opening = (bos,)
    model.eval()
    return Checkpoint(
        model=model,
        tokenizer=tokenizer,
        markers=MarkerIds.of(tokenizer),
        name=name,
        prompt_prefix=(ours or {}).get("prompt_prefix", ""),
        prompt_suffix=(ours or {}).get("prompt_suffix", "\n" if ours is not None else ""),
        relations=bool((ours or {}).get("relations", ours is not None)),
        ranked=(ours or {}).get("relations") == "ranked",
        opening=opening,
    )


def _looks_like_path(name: str) -> bool:
    """Whether a name that is not a folder was meant as one; a Hub name is `owner/name`."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or name.startswith("."):
        return True
    return os.path.isdir(name.split("/")[0])


def _check_folder(folder: Path) -> None:
    """Check the files before transformers does, because its messages are long."""
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"The folder {folder} has no readable config.json, so it is not a checkpoint."
        ) from error
    except ValueError as error:
        raise CheckpointError(
            f"The config.json in {folder} is not valid JSON; export the checkpoint again."
        ) from error
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise CheckpointError(
            f"The folder {folder} has no .safetensors file (weights in pickle files are not "
            "loaded); export the checkpoint with save_pretrained."
        )
    for path in weights:
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"The file {path} is damaged or truncated; fetch or export it again."
            ) from error


def _brief(error: Exception) -> str:
    """The first line of an error's message, without its full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
