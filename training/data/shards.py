"""Token shards: a corpus encoded once, checksummed, and read without loading it into memory.

A corpus folder holds ``tokenizer/``, ``manifest.json`` and one shard for each split (``train/``,
``validation/``). A shard is

- ``tokens.bin``: all documents one after another, uint16, or uint32 for more than 65,536 tokens;
- ``targets.bin``: uint8, 1 where the token may be trained, 0 where it is kept out (the prompt,
  untrained spans); the roles are applied on top of it while training;
- ``documents.npy``: int64 [N, 3]: offset, length and prompt length of each document;
- ``manifest.json``: counts and the sha256 of the three files.

Everything is written to a temporary folder next to the final one and renamed at the end: a corpus
is there completely or not at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from graph.core.atomic_files import whole_folder
from graph.core.file_hashes import file_sha256
from training.data.tokenizer import DocumentEncoder, check_markers, save_tokenizer
from training.errors import CorpusError

if TYPE_CHECKING:
    from training.data.documents import Document

CONTEXT = 1024  # tokens; a longer document is an error, never cut
FILES = ("tokens.bin", "targets.bin", "documents.npy")
_CHUNK = 512  # documents encoded at a time


def write_corpus(
    out: str | Path,
    splits: Mapping[str, Iterable[Document]],
    tokenizer: PreTrainedTokenizerFast,
    manifest: Callable[[], Mapping[str, Any]] | None = None,
    context: int = CONTEXT,
    force: bool = False,
) -> dict[str, Any]:
    """Write tokenizer, shards and manifest to the folder ``out``, replacing a corpus there.

    Args:
        out: folder to write.
        splits: documents of each split.
        tokenizer: tokenizer to encode with; it is saved with the corpus.
        manifest: called after the last document, for what else to record (seed, held-out
            entities, ...).
        context: tokens that a document may have at most.
        force: replace the folder even if it holds something other than a corpus.

    Returns:
        The manifest, with the counts under "splits".

    Raises:
        CorpusError: if a document is bad; ``out`` then stays as it was.
        OutputRefused: if ``out`` holds anything but a corpus, unless ``force`` is given.
    """
    out = Path(out)
    with whole_folder(out, made=is_corpus, force=force) as temporary:
        save_tokenizer(tokenizer, temporary / "tokenizer")
        counts = {}
        for split, documents in splits.items():
            (temporary / split).mkdir()
            counts[split] = _encode_into(temporary / split, split, documents, tokenizer, context)
            _write_json(temporary / split / "manifest.json", counts[split])
        whole = {**(manifest() if manifest else {}), "context": context, "splits": counts}
        _write_json(temporary / "manifest.json", whole)
    return whole


def is_corpus(folder: Path) -> bool:
    """Whether a folder holds a corpus and nothing else."""
    try:
        splits = json.loads((folder / "manifest.json").read_text("utf-8"))["splits"]
        return {path.name for path in folder.iterdir()} <= {"manifest.json", "tokenizer", *splits}
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _encode_into(
    folder: Path,
    split: str,
    documents: Iterable[Document],
    tokenizer: PreTrainedTokenizerFast,
    context: int,
) -> dict[str, Any]:
    """Write the three files of a split; returns its counts and checksums."""
    index: list[tuple[int, int, int]] = []
    kinds: Counter[str] = Counter()
    offset = trainable = 0
    encoder = DocumentEncoder(tokenizer)
    kind = "<u2" if len(tokenizer) <= 1 << 16 else "<u4"
    stream = iter(documents)
    with (folder / "tokens.bin").open("wb") as tokens, (folder / "targets.bin").open("wb") as flags:
        while chunk := list(islice(stream, _CHUNK)):
            for number, document in enumerate(chunk, start=len(index) + 1):
                _check(split, number, document)
                kinds[document.kind or "document"] += 1
            for ids, targets, prompt_length in encoder.encode_batch(chunk):
                if len(ids) > context:
                    raise CorpusError(
                        f"Document {len(index) + 1:,} of the {split} split has {len(ids):,} "
                        f"tokens, more than the context of {context:,}: shorten or split it."
                    )
                tokens.write(np.asarray(ids, dtype=kind).tobytes())
                flags.write(bytes(targets))
                index.append((offset, len(ids), prompt_length))
                offset += len(ids)
                trainable += sum(targets)
    if not index:
        raise CorpusError(f"The {split} split has no documents: nothing to train on.")
    np.save(folder / "documents.npy", np.asarray(index, dtype=np.int64))
    return {
        "documents": len(index),
        "tokens": offset,
        "token_type": kind,
        "trainable": trainable,
        "kinds": dict(sorted(kinds.items())),
        "sha256": {name: file_sha256(folder / name) for name in FILES},
    }


def _check(split: str, number: int, document: Document) -> None:
    where = f"Document {number:,} of the {split} split"
    if not document.text.strip():
        raise CorpusError(f"{where} is empty.")
    if wrong := check_markers(document.text):
        raise CorpusError(f"{where} {wrong}.")
    for start, end in document.untrained:
        if not 0 <= start <= end <= len(document.text):
            raise CorpusError(f"{where} has an untrained span ({start}, {end}) outside its text.")


class Shard:
    """One split of a corpus, memory-mapped. ``lengths_N`` and ``prompt_lengths_N`` are int64."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.manifest = json.loads((self.folder / "manifest.json").read_text("utf-8"))
            documents_N3 = np.load(self.folder / "documents.npy", allow_pickle=False)
            self.sizes = {name: (self.folder / name).stat().st_size for name in FILES}
        except FileNotFoundError as error:
            raise CorpusError(
                f"No corpus in {self.folder} ({Path(error.filename).name} is missing): build one "
                "with `python -m training corpus --out FOLDER`."
            ) from error
        except (ValueError, EOFError) as error:
            raise CorpusError(f"The shard {self.folder} cannot be read: {error}.") from error
        if documents_N3.ndim != 2 or documents_N3.shape[1] != 3 or not len(documents_N3):
            raise CorpusError(f"The shard {self.folder} has no documents: build the corpus again.")
        self.offsets_N, self.lengths_N, self.prompt_lengths_N = documents_N3.T
        tokens = int(self.lengths_N.sum())
        kind = np.dtype(self.manifest.get("token_type", "<u2"))
        wanted = kind.itemsize * tokens
        if self.sizes["tokens.bin"] != wanted or self.sizes["targets.bin"] != tokens:
            raise CorpusError(
                f"The shard {self.folder} is truncated: tokens.bin should have {wanted:,} "
                f"bytes and has {self.sizes['tokens.bin']:,}; build the corpus again."
            )
        self.tokens = np.memmap(self.folder / "tokens.bin", dtype=kind, mode="r")
        self.targets = np.memmap(self.folder / "targets.bin", dtype=np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self.lengths_N)

    def document(self, index: int) -> tuple[np.ndarray, np.ndarray, int]:
        """(ids uint16 or uint32 [T], trainable flags uint8 [T], prompt length) of one document."""
        start, length = int(self.offsets_N[index]), int(self.lengths_N[index])
        return (
            self.tokens[start : start + length],
            self.targets[start : start + length],
            int(self.prompt_lengths_N[index]),
        )

    def verify(self) -> None:
        """Compare the checksums. Raises `CorpusError` that names the file that changed."""
        for name, expected in self.manifest["sha256"].items():
            if file_sha256(self.folder / name) != expected:
                raise CorpusError(
                    f"{self.folder / name} does not match its checksum: build the corpus again."
                )


def read_manifest(corpus: str | Path) -> dict[str, Any]:
    """The manifest of a corpus folder. Raises `CorpusError` if there is none."""
    path = Path(corpus) / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise CorpusError(
            f"No corpus in {corpus}: build one with `python -m training corpus --out {corpus}`."
        ) from error
    except ValueError as error:
        raise CorpusError(f"{path} is not valid JSON: build the corpus again.") from error
    return manifest
