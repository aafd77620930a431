"""Checkpoints: a causal language model and its tokenizer, by name, by folder or by Hub name.

Weights come from safetensors files only, code only from transformers. Computation is in float32
on the CPU: bfloat16 weights are converted when they are loaded.

`config.json` of a model trained here holds `"lamplight": {"prompt_form": {...}, "relations":
"ranked"}`: what surrounds a prompt, and that it was trained to ask for `relations`, whose lists are
ordered by relevance. Earlier ones have `"prompt_suffix": "\\n"` (the text between prompt and
answer) and `"relations": true` (lists in the stated order). Released LMLM checkpoints have no such
entry: no suffix, no `relations`, and an opening token only if their tokenizer adds one.

A folder with `adapter_config.json` is an adapter. It is merged into its base, and the linear layers
are then rounded to int8 (model/base/int8_layers.py).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
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
from model.base.adapter import is_adapter, load_with_adapter, read_base
from model.base.int8_layers import round_to_int8
from model.judgement import Judgement
from model.prompts import PromptError, PromptForm, split_control
from model.roles import RETURN, MarkerIds
from model.weight_hashes import weight_hashes

SHIPPED = Path(__file__).parent / "checkpoints"  # the folder of the checkpoints that come along
WORLD = SHIPPED / "world"  # the world model: its tokenizer and figures are those to compare with
DEFAULT_NAME = "questions"  # of the shipped checkpoint that is used if none is named
DEFAULT_CHECKPOINT = SHIPPED / DEFAULT_NAME


class CheckpointError(UserError):
    """A checkpoint that cannot be used."""


@dataclass
class Checkpoint:
    """A model that is ready to decode, and the encoding of text into its token ids."""

    model: Any  # a causal language model of transformers, in evaluation mode
    tokenizer: Any  # its fast tokenizer
    markers: MarkerIds
    name: str
    parameters: int  # of the model as it was loaded, in int8 or not; shared ones count once
    form: PromptForm = field(default_factory=PromptForm)
    relations: bool = True  # it was trained to ask for `relations`
    ranked: bool = False  # those lists were ordered by relevance to the prompt
    judgement: Judgement | None = None  # how guided decoding weighs that relevance
    weights: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of the files, by name
    base: str = ""  # the pre-trained base of an adapter, which has read about the world

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
    def yes_and_no(self) -> tuple[int, ...]:
        """The first tokens of an answer that begins with yes, and of one with no.

        Empty if they begin with the same token.
        """
        yes, no = (self.encode_text(f" {word}")[0] for word in ("Yes", "No"))
        return (yes, no) if yes != no else ()

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

    def _encode_control(self, text: str) -> list[int]:
        """The ids of a control string: special tokens are recognised in it."""
        added = self.tokenizer.get_added_vocab()
        ids: list[int] = []
        for piece in split_control(text, added):
            ids += [added[piece]] if piece in added else self.encode_text(piece)
        return ids

    def encode_prompt(self, prompt: str) -> list[int]:
        """The token ids that a document with this prompt starts with, including the separator.

        Raises:
            PromptError: if the prompt leaves no room in the context.
        """
        form, after = self.form, self._encode_control(self.form.after)
        if after == self.encode_text(form.after):  # plain text, so one piece with the prompt
            whole, after = form.lead + prompt + form.after, []
        else:
            whole = form.lead + prompt
        ids = [*self._encode_control(form.before), *self.encode_text(whole, at_start=True), *after]
        if len(ids) >= self.context:
            raise PromptError(
                f"The prompt has {len(ids):,} tokens and the model takes fewer than "
                f"{self.context:,}; shorten the prompt."
            )
        return ids

    def encode_value(self, value: str) -> list[int]:
        """The ids of a value inside a lookup: one space, the value (the spacing rule)."""
        return self.encode_text(" " + value)


def read_held_out(model: str | Path) -> frozenset[str]:
    """The names in `held_out.txt` next to a checkpoint; none if there is no such file."""
    path = Path(model) / "held_out.txt"
    return frozenset(path.read_text("utf-8").splitlines() if path.is_file() else ())


def shipped_checkpoints() -> list[str]:
    """The names of the checkpoints that come with Lamplight."""
    return sorted(
        path.name
        for path in SHIPPED.iterdir()
        if (path / "config.json").is_file() or is_adapter(path)
    )


def find_checkpoint(name: str | os.PathLike[str]) -> str:
    """The folder of a shipped checkpoint by its name; a folder or a Hub name stays as it is.

    Raises:
        CheckpointError: for a single word that is neither the name of a shipped checkpoint nor a
            folder.
    """
    name = os.fspath(name)
    if name in shipped_checkpoints():
        return str(SHIPPED / name)
    if re.fullmatch(r"[\w.-]+", name) and not os.path.isdir(name):
        raise CheckpointError(
            f"There is no checkpoint folder {name}, and no shipped checkpoint of that name; the "
            f"shipped ones are {' and '.join(shipped_checkpoints())}."
        )
    return name


def load_checkpoint(name: str | os.PathLike[str] = DEFAULT_CHECKPOINT) -> Checkpoint:
    """Load a checkpoint: a shipped one by its name, a folder, or `owner/name` on the Hub.

    Raises:
        CheckpointError: if there is none, if it is damaged, or if it lacks the four tokens of the
            lookup grammar.
        BaseModelError: if an adapter is damaged, or its base or packages are not installed.
    """
    name = find_checkpoint(name)
    if is_adapter(name):
        checkpoint = make_checkpoint(*load_with_adapter(name), name)
        round_to_int8(checkpoint.model)  # in place
        checkpoint.base = read_base(Path(name))
        checkpoint.weights = weight_hashes(Path(name))
        return checkpoint
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
    checkpoint = make_checkpoint(model, tokenizer, name)
    if os.path.isdir(name):
        checkpoint.weights = weight_hashes(Path(name))
    return checkpoint


def make_checkpoint(model: Any, tokenizer: Any, name: str) -> Checkpoint:
    """A checkpoint from a model and tokenizer in memory, such as during training."""
    ours = getattr(model.config, "lamplight", None)
    relations = (ours or {}).get("relations", ours is not None)
    model.eval()
    return Checkpoint(
        model=model,
        tokenizer=tokenizer,
        markers=MarkerIds.of(tokenizer),
        name=name,
        parameters=sum(weights.numel() for weights in model.parameters()),
        form=_form(ours, tokenizer),
        relations=bool(relations),
        ranked=relations == "ranked",
        judgement=_judgement(ours),
    )


def _judgement(ours: dict[str, Any] | None) -> Judgement | None:
    """Raises CheckpointError if the configuration says it in another form."""
    if not ours or "judgement" not in ours:
        return None
    try:
        return Judgement.from_json(ours["judgement"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"The judgement in the checkpoint's config.json cannot be read ({error!r}); "
            "run `python -m training calibrate` again."
        ) from error


def _form(ours: dict[str, Any] | None, tokenizer: Any) -> PromptForm:
    """The prompt form of a model, by the entry `lamplight` of its configuration."""
    if ours is not None and "prompt_form" in ours:
        return PromptForm.from_json(ours["prompt_form"])
    bos = tokenizer.bos_token_id
    opens = bos is not None and (ours is not None or tokenizer("")["input_ids"][:1] == [bos])
    return PromptForm(
        before=tokenizer.bos_token if opens else "",
        lead=(ours or {}).get("prompt_prefix", ""),
        after=(ours or {}).get("prompt_suffix", "\n" if ours is not None else ""),
        keep_lines=False,
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
