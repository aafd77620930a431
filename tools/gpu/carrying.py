"""`pack` and `unpack`: corpora and the base as chunks of a set size, for several transfers.

    python -m tools.gpu pack --corpus build/corpus/world --base smollm2 --out build/carry
    python -m tools.gpu unpack build/carry/1 --into /tmp/gpu

`pack` writes one folder for each transfer: `1`, `2`, ... A corpus is named by its tokenizer,
`world` or `adapter`, and compressed with xz; the base is called `base.gguf`. `unpack` puts each of
them together as soon as all its chunks have arrived.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import lzma
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from graph.core.errors import UserError

MEBIBYTE = 1 << 20
INDEX = "index.json"


class CarryError(UserError):
    """Files that cannot be carried, or arrived damaged."""


def pack(argv: Sequence[str]) -> None:
    """Write what a GPU machine needs in folders of at most a set size."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu pack", description=pack.__doc__)
    parser.add_argument("--corpus", type=Path, action="append", default=[], help="corpus folder")
    parser.add_argument("--base", default="", help="smollm2 or a GGUF file, to carry it too")
    parser.add_argument("--file", type=Path, action="append", default=[], help="any other file")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--call-size", type=float, default=40, help="MiB of one transfer, at most")
    parser.add_argument("--first-size", type=float, help="MiB of the first transfer (the same)")
    parser.add_argument("--preset", type=int, default=4, help="strength of xz, 0 to 9")
    options = parser.parse_args(argv)
    items: list[tuple[str, bytes]] = []
    for corpus in options.corpus:
        name = _free_name(_kind(corpus), {name for name, _ in items})
        items.append((name, _packed_corpus(corpus, options.preset)))
    for path in options.file:
        items.append((path.name, path.read_bytes()))
    if options.base:
        from model.base.smollm2 import find_base

        items.append(("base.gguf", find_base(options.base).read_bytes()))
    # The world's corpus first, because the first transfer can then try its training.
    items.sort(key=lambda item: (not item[0].startswith("world"), item[0] == "base.gguf"))
    if options.out.exists():
        shutil.rmtree(options.out)
    sizes = [int((options.first_size or options.call_size) * MEBIBYTE)]
    folder, room = 1, sizes[0]
    index = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in items
    }
    for name, content in items:
        start = number = 0
        while start < len(content):
            if room < MEBIBYTE // 4:
                folder, room = folder + 1, int(options.call_size * MEBIBYTE)
            chunk = content[start : start + room]
            into = options.out / str(folder)
            into.mkdir(parents=True, exist_ok=True)
            (into / INDEX).write_text(json.dumps(index), encoding="utf-8")
            (into / f"{name}.{number:03}").write_bytes(chunk)
            start, number, room = start + len(chunk), number + 1, room - len(chunk)
    for name, content in items:
        print(f"{name}: {len(content) / MEBIBYTE:.1f} MiB")
    for made in sorted(options.out.iterdir()):
        size = sum(path.stat().st_size for path in made.iterdir()) / MEBIBYTE
        print(f"{made}: {size:.1f} MiB, {', '.join(sorted(p.name for p in made.glob('*.*')))}")


def unpack(argv: Sequence[str]) -> None:
    """Collect the chunks of one transfer, and put together what is complete."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu unpack", description=unpack.__doc__)
    parser.add_argument("folder", type=Path, help="folder that pack wrote, such as build/carry/1")
    parser.add_argument("--into", type=Path, required=True, help="folder that all calls share")
    options = parser.parse_args(argv)
    chunks = options.into / "chunks"
    chunks.mkdir(parents=True, exist_ok=True)
    for path in options.folder.iterdir():
        shutil.copyfile(path, chunks / path.name)
    for name, facts in json.loads((chunks / INDEX).read_text("utf-8")).items():
        content = b"".join(_chunks(chunks, name))
        if len(content) < facts["bytes"]:
            print(f"{name}: {len(content):,} of {facts['bytes']:,} bytes so far")
            continue
        if hashlib.sha256(content).hexdigest() != facts["sha256"]:
            raise CarryError(f"{name} arrived damaged; pack and carry it again.")
        target = options.into / name
        if target.exists():
            continue
        if name.rstrip("0123456789") in ("world", "adapter"):
            with tarfile.open(fileobj=io.BytesIO(lzma.decompress(content))) as archive:
                archive.extractall(target, filter="data")
        else:
            target.write_bytes(content)
        print(f"{target} is complete")


def _chunks(folder: Path, name: str) -> Iterator[bytes]:
    number = 0
    while (path := folder / f"{name}.{number:03}").is_file():
        yield path.read_bytes()
        number += 1


def _kind(corpus: Path) -> str:
    """`world` or `adapter`, by the tokenizer of a corpus."""
    from model.prompts import BEGIN
    from training.data.tokenizer import load_tokenizer

    return "world" if BEGIN in load_tokenizer(corpus / "tokenizer").get_vocab() else "adapter"


def _free_name(name: str, taken: set[str]) -> str:
    number = 1
    while (free := name if number == 1 else f"{name}{number}") in taken:
        number += 1
    return free


def _packed_corpus(corpus: Path, preset: int) -> bytes:
    """A corpus folder as tar.xz."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path in sorted(corpus.rglob("*")):
            if path.is_file():
                tar.add(path, path.relative_to(corpus).as_posix())
    return lzma.compress(archive.getvalue(), preset=preset)
