"""Speed, as ratios of two things measured in turn in one run: `make bench`.

    python -m tools.benchmarks.bench [--model NAME] [--store URL] [NAME ...]

Prints a table and writes `build/bench.json`, one object of `{name: {"ratio", "low", "high",
"runs"}}`; what other benchmarks wrote there stays. The interval is a bootstrap over the runs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from graph.core.edits import Change
from graph.core.facts import RELATIONS
from graph.lookup.retriever import Retriever
from graph.world import DEFAULT_STORE, store_url
from model.checkpoint import WORLD, load_checkpoint
from model.engine.decoder import Decoder
from model.engine.events import Event
from model.settings import DecodingSettings
from tools.benchmarks import training_speed
from tools.benchmarks.page import edit_to_first_word, page_overhead
from tools.benchmarks.results import write_results
from tools.benchmarks.runs import ROUNDS, Pair, Setting, finish
from tools.benchmarks.stores import neo4j_batch_vs_unwind, reads_under_writes
from training.evaluation.working_store import working_store

PROMPTS = 12


def decode_vs_generate(setting: Setting) -> Iterator[Pair]:
    """Tokens a second: the decoder with lookups over `transformers` generate without them.

    Both write the same number of tokens after each prompt, greedily; for generate,
    ``<|db_entity|>`` and the end of the document are suppressed.
    """
    decoder, retriever = setting.decoder, Retriever(setting.store)
    checkpoint = decoder.checkpoint
    forbidden = [checkpoint.markers.entity, *checkpoint.stop_ids]
    for _ in range(ROUNDS):
        for prompt in setting.prompts:
            begun = time.perf_counter()
            trace = finish(decoder.generate(prompt, retriever))
            ours = len(trace.tokens) / (time.perf_counter() - begun)
            ids_BT = torch.tensor([trace.prompt_ids])
            begun = time.perf_counter()
            written_BT = checkpoint.model.generate(
                ids_BT,
                attention_mask=torch.ones_like(ids_BT),
                max_new_tokens=len(trace.tokens),
                do_sample=False,
                suppress_tokens=forbidden,
            )
            seconds = time.perf_counter() - begun
            number = written_BT.shape[1] - ids_BT.shape[1]
            assert number == len(trace.tokens)
            yield Pair(ours, number / seconds)


def regenerate_vs_generate(setting: Setting) -> Iterator[Pair]:
    """Seconds: regeneration after an edit over a full generation on the edited graph.

    The edited fact is the one whose lookup stands in the middle of the text's lookups.
    """
    decoder, rng = setting.decoder, random.Random(0)
    for run in range(ROUNDS):
        for number, prompt in enumerate(setting.prompts):
            before = finish(decoder.generate(prompt, Retriever(setting.store)))
            asked = [e.lookup for e in before.lookups if e.lookup.relation != RELATIONS]
            if not asked or not asked[len(asked) // 2].facts:
                continue
            fact = asked[len(asked) // 2].facts[0]
            draft = setting.store.draft(f"bench-{run}-{number}")
            draft.apply([Change(fact.id, f"Norveld {rng.randint(10, 99)}")], author="bench")
            retriever = Retriever(draft)
            seconds = {}
            ways: dict[str, Callable[[], Iterator[Event]]] = {
                "again": lambda: decoder.regenerate(before, retriever),  # noqa: B023
                "full": lambda: decoder.generate(prompt, retriever),  # noqa: B023
            }
            texts = set()
            for way in rng.sample(sorted(ways), 2):  # in either order
                begun = time.perf_counter()
                texts.add(finish(ways[way]()).text)
                seconds[way] = time.perf_counter() - begun
            draft.discard()
            assert len(texts) == 1, "regeneration and generation differ"
            yield Pair(seconds["again"], seconds["full"])


def guided_vs_unguided(setting: Setting) -> Iterator[Pair]:
    """Seconds: with guided lookups over without, of texts that are the same both ways."""
    decoder, rng = setting.decoder, random.Random(0)
    for _ in range(ROUNDS):
        for prompt in setting.prompts:
            seconds, texts = {}, set()
            for guided in rng.sample([False, True], 2):  # in either order
                settings, retriever = DecodingSettings(guided=guided), Retriever(setting.store)
                begun = time.perf_counter()
                texts.add(finish(decoder.generate(prompt, retriever, settings)).raw)
                seconds[guided] = time.perf_counter() - begun
            if len(texts) == 1:
                yield Pair(seconds[True], seconds[False])


BENCHMARKS: dict[str, Callable[[Setting], Iterator[Pair]]] = {
    "decode_vs_generate": decode_vs_generate,
    "regenerate_vs_generate": regenerate_vs_generate,
    "guided_vs_unguided": guided_vs_unguided,
    "page_overhead": page_overhead,
    "edit_to_first_word": edit_to_first_word,
    "neo4j_batch_vs_unwind": neo4j_batch_vs_unwind,
    "reads_under_writes": reads_under_writes,
    **training_speed.BENCHMARKS,
}


def summarise(pairs: Sequence[Pair], seed: int = 0) -> dict[str, float]:
    """The ratio of the means, with a bootstrap interval over the runs."""
    values_R2 = np.array([(pair.ours, pair.theirs) for pair in pairs])
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(pairs), (1000, len(pairs)))
    means_S2 = values_R2[drawn].mean(axis=1)
    low, high = np.percentile(means_S2[:, 0] / means_S2[:, 1], [2.5, 97.5])
    ours, theirs = values_R2.mean(axis=0)
    return {"ratio": ours / theirs, "low": float(low), "high": float(high), "runs": len(pairs)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.bench", description="Measure the speed ratios."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--model",
        default=WORLD.name,
        help="shipped checkpoint by its name, or a folder (default: %(default)s)",
    )
    parser.add_argument(
        "--store", help=f"URL of the graph (default: $LAMPLIGHT_STORE, else {DEFAULT_STORE})"
    )
    options = parser.parse_args(argv)
    if unknown := set(options.names) - set(BENCHMARKS):
        print(f"There is no benchmark {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    decoder = Decoder(load_checkpoint(options.model))
    found = {}
    with working_store(store_url(options.store)) as store:
        names = sorted({fact.entity for fact in store.all_facts()})
        drawn = random.Random(0).sample(names, min(PROMPTS, len(names)))
        setting = Setting(decoder, store, [f"Tell me about {name}." for name in drawn])
        finish(decoder.generate(setting.prompts[0], Retriever(store)))  # the first is slower
        for name in options.names or BENCHMARKS:
            if pairs := list(BENCHMARKS[name](setting)):
                found[name] = summarise(pairs)
            else:
                print(f"{name}: no run could be made on this graph.", file=sys.stderr)
    print(f"{'benchmark':28} {'ratio':>7}   {'95 % interval':16} {'runs':>5}")
    for name, row in found.items():
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        print(f"{name:28} {row['ratio']:7.3f}   {interval:16} {row['runs']:5}")
    write_results(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
