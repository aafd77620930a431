"""The graph of an annotated corpus, in a store of each kind."""

from __future__ import annotations

import json
from pathlib import Path

from graph.core.protocol import SharedStore
from training.annotation.extraction import extract

TEXTS = (
    "She was born in [dblookup('Ada Lovelace', 'Birth Place') -> London] London.",
    "From [dblookup('Ada Lovelace', 'Birth Place') -> London] London she wrote to "
    "[dblookup('Ada Lovelace', 'Friend') -> Charles Babbage] Charles Babbage.",
)


def test_a_fact_knows_the_passages_that_look_it_up(public: SharedStore, tmp_path: Path) -> None:
    corpus = tmp_path / "people.jsonl"
    plain = "not looked at"
    corpus.write_text(
        "".join(json.dumps({"annotated_text": t, "text": plain}) + "\n" for t in TEXTS)
    )
    report, problems, bad = extract(str(corpus), public, author="test")
    assert (report.facts, problems.lookups, bad) == (2, 3, [])
    ((ada, _),) = public.find_entities("Ada Lovelace")
    birth, friend = sorted(public.facts(ada.id), key=lambda fact: fact.relation)
    assert (birth.value, friend.value) == ("London", "Charles Babbage")
    assert birth.source == "people.jsonl#1:16; people.jsonl#2:5"
    again, *_ = extract(str(corpus), public, author="test")
    assert (again.facts, again.sources) == (0, 0)
