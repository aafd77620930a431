"""`python -m training annotate`: write lookups into plain text, with a graph or a causal LM.

    python -m training annotate texts.jsonl --out annotated.jsonl --align sqlite:///world.db
    python -m training annotate texts.jsonl --out annotated.jsonl --model Qwen/Qwen2.5-7B-Instruct
    python -m training annotate texts.jsonl --out annotated.jsonl --model … --ray auto

The input is .json or .jsonl, where each object has a `text` and may have a `title`, or a plain .txt
with one document a line; each may be compressed (.gz). The output is JSON Lines in the published
form, which `python -m training shards` and `extract` read. It is written to OUT.partial and renamed
when it is complete; after a kill the same command resumes there. What a model wrote and could not
be used is kept under "problems" of its document, and counted at the end. With --ray a Ray cluster
does the work (training/annotation/ray_annotator.py).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_output, put
from training.annotation.alignment import Text
from training.annotation.annotated_text import write_brackets
from training.annotation.annotators import Annotator, Chosen
from training.annotation.articles import read_objects
from training.errors import CorpusError

SHOWN = 10  # problems that are printed


def read_texts(path: Path) -> Iterator[Text]:
    """The texts of a file. Raises CorpusError for an object without a text."""
    if not path.is_file():
        raise CorpusError(f"There is no file {path}.")
    for number, item in enumerate(read_objects(path), start=1):
        text = item.get("text") if isinstance(item, dict) else None
        if not isinstance(text, str):
            raise CorpusError(
                f"Document {number:,} of {path} has no text: each object needs a string `text`."
            )
        yield Text(text, str(item.get("title") or ""))


def annotate_file(
    source: Path,
    out: Path,
    annotator: Annotator,
    batch_size: int = 16,
    say: Any = lambda done, lookups, rate: None,
    window: int | None = None,
    force: bool = False,
) -> tuple[int, int]:
    """Annotate a file in batches; returns the numbers of documents and lookups in `out`.

    The annotator gets `window` texts at a time, or else a batch; its results are flushed to disk
    after each batch. What an earlier run left in OUT.partial is kept, except a last line that was
    cut short.

    Raises:
        CorpusError: if OUT.partial was begun from another source.
        OutputRefused: if `out` exists already, unless `force` is given.
    """
    partial = out.with_name(out.name + ".partial")
    check_output(partial, made=Path.is_file)  # a store is never continued as a text
    done = _whole_lines(partial)
    texts = read_texts(source)
    lookups = 0
    for line in done:
        expected = next(texts, None)
        if expected is None or line.get("text") != expected.text:
            raise CorpusError(
                f"{partial} was begun from another file than {source}: remove it to start again."
            )
        lookups += int(line.get("lookups", 0))
    number, begun = len(done), time.perf_counter()
    before = number
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("a", encoding="utf-8") as file:
        while given := list(itertools.islice(texts, window or batch_size)):
            for text, annotated in zip(given, annotator.annotate(given), strict=True):
                if annotated.text != text.text:
                    raise CorpusError(f"{annotator.name} changed the text {text.text[:40]!r} ….")
                lookups += len(annotated.lookups)
                try:
                    written = write_brackets(annotated)
                except CorpusError as error:
                    raise CorpusError(f"Document {number + 1:,} of {source}: {error}") from error
                record = {
                    "annotated_text": written,
                    "text": text.text,
                    "title": text.title,
                    "lookups": len(annotated.lookups),
                    "annotator": annotator.name,
                }
                if annotated.problems:
                    record["problems"] = [str(problem) for problem in annotated.problems]
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                number += 1
                if (number - before) % batch_size == 0 or text is given[-1]:
                    file.flush()
                    os.fsync(file.fileno())
                    say(number, lookups, (number - before) / (time.perf_counter() - begun))
    if not number:
        raise CorpusError(f"{source} holds no text to annotate.")
    check_output(out, force=force, inputs=[source])
    put(partial, out, replace=force)
    return number, lookups


def unused(out: Path) -> Iterator[str]:
    """The parts of the annotator's answers that could not be used: the first few, and a count."""
    number = 0
    with out.open(encoding="utf-8") as file:
        for place, line in enumerate(file, start=1):
            for problem in json.loads(line).get("problems", ()):
                number += 1
                if number <= SHOWN:
                    yield f"Document {place:,}, its answer's {problem}"
    if number:
        yield (
            f"{number:,} parts of the answers could not be used; {out} has all of them under "
            '"problems".'
        )


def _whole_lines(partial: Path) -> list[dict[str, Any]]:
    """The records that are there; an incomplete last line is removed."""
    if not partial.is_file():
        return []
    data = partial.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
        if not all(isinstance(line, dict) for line in lines):
            raise ValueError("not a record")
    except ValueError as error:
        raise CorpusError(f"{partial} is damaged: remove it to start again.") from error
    if len(whole) < len(data):
        with partial.open("r+b") as file:
            file.truncate(len(whole))
    return lines


def _annotator(chosen: Chosen, address: str | None, batch_size: int) -> Any:
    """The annotator in this process, or on the cluster at an address, for use in a `with`."""
    if address:
        from training.annotation.ray_annotator import RayAnnotator

        return RayAnnotator(chosen, address, batch_size)
    annotator = chosen.open()
    return closing(annotator) if hasattr(annotator, "close") else nullcontext(annotator)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training annotate",
        description="Write lookups into plain text.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument(
        "source", type=Path, help="texts: .json, .jsonl, or .txt with one text a line"
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write, as JSON Lines")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--align", metavar="STORE", help="align the texts with this graph (store URL)")
    how.add_argument(
        "--model", help="annotate with this causal LM or instruction model (folder or Hub name)"
    )
    parser.add_argument("--batch", type=int, default=16, help="texts to annotate at a time")
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="annotate on a Ray cluster: its address, auto, or local"
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    check_output(options.out, force=options.force, inputs=[options.source, options.align])
    if options.batch < 1:
        raise CorpusError(f"--batch is {options.batch}; give 1 or more.")

    def say(done: int, lookups: int, rate: float) -> None:
        print(f"{done:,} texts, {lookups:,} lookups, {rate:.1f} texts a second", file=sys.stderr)

    chosen = Chosen(options.align or "", options.model or "")
    with _annotator(chosen, options.ray, options.batch) as annotator:
        documents, lookups = annotate_file(
            options.source,
            options.out,
            annotator,
            options.batch,
            say,
            getattr(annotator, "window", None),
            options.force,
        )
    print(f"{documents:,} texts with {lookups:,} lookups are in {options.out}.")
    for line in unused(options.out):
        print(line, file=sys.stderr)
    return 0
