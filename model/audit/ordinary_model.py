"""An ordinary model, to compare with: the pre-trained base without an adapter and without lookups.

    ordinary_answer(result, draft).text

What such a model says comes from its weights alone, so none of its words can be traced to a fact or
edited. To show it, the prompt is put to it twice: over the shared graph, and over the visitor's
draft without the facts that the verified text used. It reads neither.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from graph.core.protocol import Draft, TripletStore
from graph.editing.deletion import without
from graph.lookup.retriever import Retriever
from model.audit.text_conditions import Said, TextConditions, last_trace
from model.base.int8_layers import round_to_int8
from model.base.smollm2 import SMOLLM2, BaseModelError, base_tokenizer, find_base, load_base
from model.checkpoint import make_checkpoint
from model.engine.decoder import Decoder
from model.prompts import CHAT_FORM
from model.settings import DecodingSettings

MOST_TOKENS = 60
"""Of an answer. Where int8 cannot be computed, one core writes some 20 tokens a second."""
PACKAGE_NAME = "SmolLM2-135M-Instruct"
"""What the base of the package is called."""

_loaded: dict[str, Decoder] = {}
_loading = threading.Lock()


@dataclass(frozen=True)
class OrdinaryAnswer:
    """What an ordinary model answers, and what it answers after the facts were deleted."""

    model: str
    text: str
    again: str
    """The answer over the draft without the facts of the text."""
    said: tuple[Said, ...]
    """The values of the verified text that the answer says, from the weights."""
    cut: bool
    """Whether it was cut off at its limit."""

    @property
    def unchanged(self) -> bool:
        """Whether both answers are the same."""
        return self.text == self.again


@cache
def missing_base(base: str = SMOLLM2) -> str:
    """Why a base cannot be used, in one sentence with the command that installs it; "" if it can.

    The answer is kept: what is installed later takes effect after a restart.
    """
    try:
        path = find_base(base)
        if path.is_file() and importlib.util.find_spec("gguf") is None:
            base_tokenizer(base)  # which says that the reader of the file is missing
    except BaseModelError as problem:
        return str(problem)
    return ""


def base_name(base: str | os.PathLike[str] = SMOLLM2) -> str:
    """What a base is called."""
    return PACKAGE_NAME if str(base) == SMOLLM2 else Path(base).name


def ordinary_decoder(base: str = SMOLLM2) -> Decoder:
    """The base as an ordinary chat model; loaded when it is first asked for, once for a process.

    Raises BaseModelError, with the command that installs it, if it is missing.
    """
    with _loading:
        if base not in _loaded:
            tokenizer = base_tokenizer(base)
            checkpoint = make_checkpoint(load_base(torch.float32, base), tokenizer, base)
            round_to_int8(checkpoint.model)  # in place, as the base under an adapter is
            checkpoint.form = CHAT_FORM
            _loaded[base] = Decoder(checkpoint)
        return _loaded[base]


def ordinary_answer(
    result: TextConditions,
    store: TripletStore,
    base: str = SMOLLM2,
    cancelled: Callable[[], bool] | None = None,
) -> OrdinaryAnswer | None:
    """Put the prompt of a verified text to an ordinary model, twice; None if it was cancelled.

    Args:
        result: the verified text.
        store: the store or draft that it read.
        base: the base.
        cancelled: asked before each step.

    Raises:
        BaseModelError: if the base is missing.
        PromptError: if the prompt is too long for it.
        StoreError: if the store cannot be read.
    """
    decoder = ordinary_decoder(base)
    at = store.revision()
    gone = [fact.id for fact in result.deleted if store.fact(fact.id, at=at) is not None]
    shared: Any = store.base if isinstance(store, Draft) else store
    settings = DecodingSettings(lookups=False, max_tokens=MOST_TOKENS)
    traces = []
    for source in (Retriever(shared), Retriever(without(store, gone, at))):
        trace = last_trace(decoder.generate(result.prompt, source, settings, cancelled))
        if trace.finish == "cancelled":
            return None
        traces.append(trace)
    first, again = traces
    return OrdinaryAnswer(
        model=base_name(base),
        text=first.text,
        again=again.text,
        said=tuple(each for each in result.said_in(first) if not each.value.given),
        cut=first.finish == "length",
    )
