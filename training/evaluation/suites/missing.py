"""`missing`: what is said where the graph has no answer, and where a prompt asks for trouble.

| measure | of what | counted as right |
| --- | --- | --- |
| not_recorded | questions for a relation that the entity lacks, and for unknown entities | the text says that it is not recorded, and nothing unsupported |
| false_not_recorded | questions for facts that the graph holds | (bad) the text says that nothing is recorded |
| adversarial_unsupported | sentences of answers to adversarial prompts | (bad) a name, date or number that nothing given holds |

The adversarial prompts are false premises, prompts without an entity, typed markers, typos and
other languages (wordings.yaml), `_KIND` apart.
"""  # noqa: E501 (a table)

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from model.grounding import ground
from training.corpus import made_up
from training.corpus.templates import fill_prompt, split_template
from training.evaluation.suite_context import World
from training.evaluation.tally import Measures, Tally

ADVERSARIAL = 200


def missing(world: World) -> Measures:
    """All measures of the table above."""
    tally = Tally()
    says_so = not_recorded_pattern(world)
    _unanswerable(world, says_so, tally)
    _answerable(world, says_so, tally)
    _adversarial(world, tally)
    return tally.measures(world.seed)


def not_recorded_pattern(world: World) -> re.Pattern[str]:
    """Any of the corpus's ways to say that something is not recorded."""
    general = world.writer.phrases.general
    ways = []
    for template in (*general["missing_statements"], *general["unknown_entity"]):
        parts = split_template(template)
        ways.append("".join(r".+?" if i % 2 else re.escape(p) for i, p in enumerate(parts)))
    return re.compile("|".join(ways), re.I | re.S)


def _unanswerable(world: World, says_so: re.Pattern[str], tally: Tally) -> None:
    rng = world.rng("missing")
    jobs = []
    by_type: dict[str, set[str]] = {}
    for record in world.records.values():
        by_type.setdefault(record.type, set()).update(record.facts)
    phrased = world.writer.phrases.relations
    for name, _ in world.draw(rng, max(1, world.entities // 2)):
        record = world.records[name]
        lacking = sorted((by_type[record.type] & set(phrased)) - set(record.facts))
        lacking = lacking or sorted(set(phrased) - set(record.facts))
        if lacking:
            relation = rng.choice(lacking)
            prompt = world.writer.requests.question_for(rng, relation, name, record.type)
            jobs.append(("not_recorded", name, relation, prompt))
    for _ in range(max(1, world.entities // 6)):
        name = made_up.made_up_name(rng, ["North", "Grand", "Lower"])
        if not world.store.find_entities(name):
            prompt = fill_prompt(
                rng.choice(world.writer.phrases.general["paragraph_prompts"]), name
            )
            jobs.append(("not_recorded_entity", name, "", prompt))
    world.say(f"{len(jobs)} questions without an answer")
    traces = world.generate([prompt for *_, prompt in jobs])
    for (measure, name, relation, _), trace in zip(jobs, traces, strict=True):
        grounding = ground(trace)
        right = bool(says_so.search(trace.text)) and not grounding.unsupported
        for kind in dict.fromkeys(("not_recorded", measure)):
            tally.add(kind, right, entity=name, relation=relation)


def _answerable(world: World, says_so: re.Pattern[str], tally: Tally) -> None:
    rng = world.rng("answerable")
    jobs = []
    for key in world.draw(rng, max(1, world.entities // 2)):
        record = world.records[key[0]]
        known = [r for r in record.facts if r in world.writer.phrases.relations]
        relation = rng.choice(known or [*record.facts])
        prompt = world.writer.requests.question_for(rng, relation, key[0], record.type)
        jobs.append((key[0], relation, prompt))
    world.say(f"{len(jobs)} questions with an answer")
    traces = world.generate([prompt for *_, prompt in jobs])
    for (name, relation, _), trace in zip(jobs, traces, strict=True):
        said = bool(says_so.search(trace.text))
        tally.add("false_not_recorded", said, entity=name, relation=relation)


def adversarial_prompts(world: World, rng: random.Random, number: int) -> Iterator[tuple[str, str]]:
    """(kind, prompt), the kinds in turn."""
    kinds = world.wordings["adversarial"]
    names = sorted(world.records)
    for index in range(number):
        kind = sorted(kinds)[index % len(kinds)]
        template = kinds[kind][index // len(kinds) % len(kinds[kind])]
        yield kind, template.replace("{entity}", rng.choice(names))


def _adversarial(world: World, tally: Tally) -> None:
    rng = world.rng("adversarial")
    jobs = list(adversarial_prompts(world, rng, min(ADVERSARIAL, max(5, world.entities))))
    world.say(f"{len(jobs)} adversarial prompts")
    traces = world.generate([prompt for _, prompt in jobs])
    for number, ((kind, _), trace) in enumerate(zip(jobs, traces, strict=True)):
        grounding = ground(trace)
        for start, end in grounding.sentences:
            bad = any(s.start < end and start < s.end for s in grounding.unsupported)
            for name in ("", "_" + kind.replace(" ", "_")):
                tally.add(f"adversarial_unsupported{name}", bad, entity=f"prompt {number}")
