"""`missing`: what the text says if the graph has no answer, and how it takes adversarial prompts.

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
from training.corpus.made_up_names import made_up_name
from training.corpus.templates import fill_prompt, split_template
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext
from training.evaluation.tally import Tally

ADVERSARIAL = 200


def missing(context: SuiteContext) -> Measures:
    """All measures of the table above."""
    tally = Tally()
    says_so = not_recorded_pattern(context)
    _unanswerable(context, says_so, tally)
    _answerable(context, says_so, tally)
    _adversarial(context, tally)
    return tally.measures(context.seed)


def not_recorded_pattern(context: SuiteContext) -> re.Pattern[str]:
    """Any of the corpus's ways to say that something is not recorded."""
    general = context.writer.phrases.general
    ways = []
    for template in (*general["missing_statements"], *general["unknown_entity"]):
        parts = split_template(template)
        ways.append("".join(r".+?" if i % 2 else re.escape(p) for i, p in enumerate(parts)))
    return re.compile("|".join(ways), re.I | re.S)


def _unanswerable(context: SuiteContext, says_so: re.Pattern[str], tally: Tally) -> None:
    rng = context.rng("missing")
    jobs = []
    by_type: dict[str, set[str]] = {}
    for record in context.records.values():
        by_type.setdefault(record.type, set()).update(record.facts)
    phrased = context.writer.phrases.relations
    for name, _ in context.draw(rng, max(1, context.entities // 2)):
        record = context.records[name]
        lacking = sorted((by_type[record.type] & set(phrased)) - set(record.facts))
        lacking = lacking or sorted(set(phrased) - set(record.facts))
        if lacking:
            relation = rng.choice(lacking)
            prompt = context.writer.prompts.question_for(rng, relation, name, record.type)
            jobs.append(("not_recorded", name, relation, prompt))
    for _ in range(max(1, context.entities // 6)):
        name = made_up_name(rng, ["North", "Grand", "Lower"])
        if not context.store.find_entities(name):
            prompt = fill_prompt(
                rng.choice(context.writer.phrases.general["paragraph_prompts"]), name
            )
            jobs.append(("not_recorded_entity", name, "", prompt))
    context.say(f"{len(jobs)} questions without an answer")
    traces = context.generate([prompt for *_, prompt in jobs])
    for (measure, name, relation, _), trace in zip(jobs, traces, strict=True):
        grounding = ground(trace)
        right = bool(says_so.search(trace.text)) and not grounding.unsupported
        for kind in dict.fromkeys(("not_recorded", measure)):
            tally.add(kind, right, entity=name, relation=relation)


def _answerable(context: SuiteContext, says_so: re.Pattern[str], tally: Tally) -> None:
    rng = context.rng("answerable")
    jobs = []
    for key in context.draw(rng, max(1, context.entities // 2)):
        record = context.records[key[0]]
        known = [r for r in record.facts if r in context.writer.phrases.relations]
        relation = rng.choice(known or [*record.facts])
        prompt = context.writer.prompts.question_for(rng, relation, key[0], record.type)
        jobs.append((key[0], relation, prompt))
    context.say(f"{len(jobs)} questions with an answer")
    traces = context.generate([prompt for *_, prompt in jobs])
    for (name, relation, _), trace in zip(jobs, traces, strict=True):
        said = bool(says_so.search(trace.text))
        tally.add("false_not_recorded", said, entity=name, relation=relation)


def adversarial_prompts(
    context: SuiteContext, rng: random.Random, number: int
) -> Iterator[tuple[str, str]]:
    """(kind, prompt), the kinds in turn."""
    kinds = context.wordings["adversarial"]
    names = sorted(context.records)
    for index in range(number):
        kind = sorted(kinds)[index % len(kinds)]
        template = kinds[kind][index // len(kinds) % len(kinds[kind])]
        yield kind, template.replace("{entity}", rng.choice(names))


def _adversarial(context: SuiteContext, tally: Tally) -> None:
    rng = context.rng("adversarial")
    jobs = list(adversarial_prompts(context, rng, min(ADVERSARIAL, max(5, context.entities))))
    context.say(f"{len(jobs)} adversarial prompts")
    traces = context.generate([prompt for _, prompt in jobs])
    for number, ((kind, _), trace) in enumerate(zip(jobs, traces, strict=True)):
        grounding = ground(trace)
        for start, end in grounding.sentences:
            bad = any(s.start < end and start < s.end for s in grounding.unsupported)
            for name in ("", "_" + kind.replace(" ", "_")):
                tally.add(f"adversarial_unsupported{name}", bad, entity=f"prompt {number}")
