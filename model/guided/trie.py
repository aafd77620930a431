"""Whole names as token ids: which token may come next, so that a name of the list is written.

Names are encoded as in training: one space, the name, then the marker that ends its place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from model.checkpoint import Checkpoint

Path = tuple[int, ...]
"""Token ids from the beginning of a name."""

_KEPT = 512  # tries
_KEPT_NAMES = 65536  # encoded names


class NameTrie:
    """Names by their token ids; `end` follows each of them."""

    def __init__(self, names: dict[Path, str], end: int) -> None:
        """`names` by their ids, without the marker, in order of preference."""
        self.end = end
        self.names = names
        self._after: dict[Path, dict[int, None]] = {}
        self._below: dict[Path, list[str]] = {}
        for ids, name in names.items():
            for length, token in enumerate((*ids, end)):
                self._after.setdefault(ids[:length], {})[token] = None
                self._below.setdefault(ids[:length], []).append(name)
            self._below[(*ids, end)] = [name]

    def after(self, path: Path) -> tuple[int, ...]:
        """The tokens that may follow `path`, in the order of the names; none after the marker."""
        return tuple(self._after.get(path, ()))

    def below(self, path: Path) -> Sequence[str]:
        """The names that begin with `path`."""
        return self._below.get(path, ())

    def first_below(self, path: Path) -> Path:
        """What follows `path` in the first name that begins with it, the marker included."""
        following: Path = ()
        while after := self.after(path + following):
            following = (*following, after[0])
        return following


class Tries:
    """Makes tries with one checkpoint's tokenizer, and keeps the latest; thread-safe.

    A trie is kept by its names, so one of an entity lasts as long as its relations stay the same,
    and an edit that changes them gets another.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._ids: dict[str, Path] = {}
        self._kept: OrderedDict[tuple[tuple[str, ...], int, int], NameTrie] = OrderedDict()
        self._lock = Lock()

    def encode(self, name: str) -> Path:
        """The ids of a name in a lookup, without the marker after it."""
        ids = self._ids.get(name)
        if ids is None:
            if len(self._ids) >= _KEPT_NAMES:
                self._ids = {}
            ids = self._ids[name] = tuple(self._checkpoint.encode_value(name))
        return ids

    def trie(self, names: Sequence[str], end: int, room: int) -> NameTrie | None:
        """The trie of the names of at most `room` tokens, or None if there are none."""
        key = (tuple(names), end, room)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        encoded: dict[Path, str] = {}
        for name in names:
            ids = self.encode(name)
            if ids and len(ids) <= room:
                encoded.setdefault(ids, name)
        if not encoded:
            return None
        trie = NameTrie(encoded, end)
        with self._lock:
            self._kept[key] = trie
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return trie
