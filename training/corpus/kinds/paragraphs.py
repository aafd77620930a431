"""What a graph holds about one entity, stated in the order of its list."""

from __future__ import annotations

import random

from graph.core.facts import MAX_RELATIONS
from training.corpus.kinds.kind import Kind
from training.corpus.material import Material
from training.corpus.records import TYPE, Record


def paragraph(material: Material, rng: random.Random) -> tuple[str, str]:
    """A paragraph of all relations that the lookup of `relations` lists, in that order."""
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    record = draws.record(rng)
    relations = list(record.facts)
    if len(relations) > MAX_RELATIONS and rng.random() < 0.5:
        weights = {r: rng.random() ** (draws.counts[r] ** 0.5 / 8) for r in relations}
        chosen = sorted(relations, key=weights.__getitem__)[-MAX_RELATIONS:]
        if TYPE in relations and rng.random() < 0.6:
            chosen[0] = TYPE
        relations = [r for r in relations if r in chosen]
    relations = relations[:MAX_RELATIONS]
    if len(relations) < MAX_RELATIONS and rng.random() < 0.2:  # somebody added facts
        other = draws.record(rng)
        added = [relation for relation in other.facts if relation not in relations]
        relations += added[: rng.randint(1, MAX_RELATIONS - len(relations))]
        record = Record(record.entity, {**other.facts, **record.facts})
    if rng.random() < 0.2:
        rng.shuffle(relations)
    if rng.random() < 0.1:
        relations = relations[: rng.randint(1, len(relations))]
    elif rng.random() < 0.4:  # usual relations may be missing, or have been deleted
        relations = [r for r in relations if rng.random() < 0.75] or relations[:1]
    topic = draws.topic(rng, record, relations)
    return prompts.paragraph_prompt(rng, topic.name), sentences.paragraph(rng, topic)


KINDS: tuple[Kind, ...] = (Kind("paragraph", 0.31, paragraph),)
