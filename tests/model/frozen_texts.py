"""Texts that the checkpoint `questions` wrote, kept with what a reader saw in them.

    texts = frozen_texts("marks")

`data/NAME.jsonl.gz` has one text per line: the prompt, the text, and each lookup with its position,
its answer and the reader's labels. Tokens and probabilities are left out.

- `marks`: 338 texts about the shipped world and about a made-up graph whose values are parts of
  names ("Widget 0" is a widget). The label of a value is the words that answer the lookup as
  [start, end], or null if the text does not say the value there.
- `other_relations`: 648 texts about 38 made-up graphs, whose relations no training saw, in two
  halves of 19 graphs each: the group begins with "tune" or "report". The label of a value is
  "asked" (the sentence states the relation that was asked for, or nothing recognisable), "other: "
  and what it states instead, "unclear" (garbled), or null if the value is not in the text.

Both were labelled by reading the texts, before the code that is measured with them was written, and
by the author of that code.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.core.facts import Fact
from graph.lookup.result import Lookup
from model.roles import Role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup, TraceToken

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True)
class FrozenText:
    """A trace without tokens, and the labels of its values by (lookup, place in the answer)."""

    group: str  # which graph it is about
    trace: Trace
    labels: dict[tuple[int, int], Any]


def frozen_texts(name: str) -> Iterator[FrozenText]:
    """The texts of `data/NAME.jsonl.gz`."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield _read(json.loads(line))


def _read(data: dict[str, Any]) -> FrozenText:
    tokens: list[TraceToken] = []
    lookups: list[TraceLookup] = []
    labels: dict[tuple[int, int], Any] = {}
    at = fact_id = 0
    for index, each in enumerate(data["lookups"]):
        tokens.append(TraceToken(0, data["text"][at : each["at"]], Role.TEXT, 0.5, False))
        at = each["at"]
        start = len(tokens)
        tokens.append(TraceToken(0, "", Role.MARKER, None, True))
        facts = []
        for entity, relation, value in each["facts"]:
            fact_id += 1
            facts.append(Fact(fact_id, 1, entity, relation, value))
        hit = each["how"] != "miss"
        lookups.append(
            TraceLookup(
                index,
                start,
                len(tokens),
                Lookup(
                    entity=each["entity"],
                    relation=each["relation"],
                    how=each["how"],
                    score=1.0 if hit else 0.0,
                    threshold=0.6,
                    runners_up=(),
                    facts=tuple(facts),
                    entity_id=1 if hit else None,
                    resolved_entity=each["resolved_entity"],
                    resolved_relation=each["resolved_relation"],
                    value=each["value"],
                    value_spans=tuple((begin, end) for begin, end in each["spans"]),
                ),
            )
        )
        for place, label in enumerate(each["labels"]):
            labels[index, place] = label
    tokens.append(TraceToken(0, data["text"][at:], Role.TEXT, 0.5, False))
    trace = Trace(
        prompt=data["prompt"],
        prompt_ids=[],
        tokens=tokens,
        lookups=lookups,
        model="questions",
        settings=DecodingSettings(),
        revision=1,
        state="test@1",
        finish="end",
        seconds=0.0,
    )
    assert trace.text == data["text"]
    return FrozenText(data["group"], trace, labels)
