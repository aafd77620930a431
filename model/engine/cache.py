"""The key-value cache of the decoder.

transformers' own cache copies all keys and values at every token. This one writes into buffers
that double when they are full and returns views of them, so a step costs the same at every
length, and the cache of a kept text can be copied up to any token.

Letters in tensor names: B rows, H heads, T tokens, D width of a head.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

FIRST_CAPACITY = 128  # tokens that a new buffer holds


class _GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer, [B, H, T, D] each, as views of larger buffers."""

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        self._buffers = [states[..., :0, :] for states in (key_states, value_states)]
        self._length = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, end = self._length, self._length + key_states.shape[-2]
        if end > self._buffers[0].shape[-2]:
            self._grow(max(end, 2 * self._buffers[0].shape[-2], FIRST_CAPACITY))
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., start:end, :] = states
        self._set_length(end)
        return self.keys, self.values  # type: ignore[return-value]

    def _grow(self, capacity: int) -> None:
        for index, old in enumerate(self._buffers):
            shape = (*old.shape[:-2], capacity, old.shape[-1])
            self._buffers[index] = new = torch.empty(shape, dtype=old.dtype, device=old.device)
            new[..., : self._length, :] = old[..., : self._length, :]

    def _set_length(self, length: int) -> None:
        self._length = length
        self.keys, self.values = (buffer[..., :length, :] for buffer in self._buffers)

    def drop(self, count: int) -> None:
        """Forget the last `count` tokens."""
        self._set_length(self._length - count)

    def select(self, rows_B: Tensor | slice, length: int) -> _GrowingLayer:
        """A copy of some rows up to `length` tokens."""
        other = type(self)()
        other.dtype, other.device, other.is_initialized = self.dtype, self.device, True
        capacity = max(length, FIRST_CAPACITY)
        other._buffers = [
            torch.empty((*kept.shape[:-2], capacity, kept.shape[-1]), dtype=kept.dtype)
            for kept in (buffer[rows_B] for buffer in self._buffers)
        ]
        for new, old in zip(other._buffers, self._buffers, strict=True):
            new[..., :length, :] = old[rows_B][..., :length, :]
        other._set_length(length)
        return other


class GrowingCache(Cache):
    """The cache of a batch of rows, one growing layer for each layer of the model."""

    def __init__(self, layers: Sequence[_GrowingLayer] = ()) -> None:
        super().__init__(layer_class_to_replicate=_GrowingLayer)
        self.layers = list(layers)

    @property
    def _growing(self) -> list[_GrowingLayer]:
        return cast(list[_GrowingLayer], self.layers)

    @property
    def length(self) -> int:
        """Tokens that each row holds."""
        return self.get_seq_length()

    def drop(self, count: int) -> None:
        """Forget the last `count` tokens."""
        if count:
            for layer in self._growing:
                layer.drop(count)

    def copy(self, length: int) -> GrowingCache:
        """A separate cache with the first `length` tokens."""
        return GrowingCache([layer.select(slice(None), length) for layer in self._growing])

    def rows(self, rows_B: Tensor) -> GrowingCache:
        """A cache of only the rows with these indices."""
        return GrowingCache([layer.select(rows_B, self.length) for layer in self._growing])

    def bytes(self) -> int:
        """Memory of the buffers."""
        return sum(b.numel() * b.element_size() for layer in self._growing for b in layer._buffers)


class PrefixCache:
    """The caches of the most recent traces, by trace id, within a memory limit; thread-safe."""

    def __init__(self, max_bytes: int = 256 << 20) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, tuple[list[int], GrowingCache]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, trace_id: str, ids: list[int], cache: GrowingCache) -> None:
        """Keep a cache that holds the tokens `ids`; the least recently used make room."""
        with self._lock:
            self._kept[trace_id] = ids, cache
            while sum(kept.bytes() for _, kept in self._kept.values()) > self._max_bytes:
                self._kept.popitem(last=False)

    def get(self, trace_id: str, ids: list[int]) -> GrowingCache:
        """A copy of the trace's cache up to its longest common prefix with `ids`."""
        with self._lock:
            kept_ids, cache = self._kept.get(trace_id, ([], None))
            if cache is not None:
                self._kept.move_to_end(trace_id)
        length = 0
        for kept_id, wanted_id in zip(kept_ids, ids, strict=False):
            if kept_id != wanted_id:
                break
            length += 1
        return cache.copy(length) if cache is not None and length else GrowingCache()
