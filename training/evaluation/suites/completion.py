"""`completion`: facts completed as in T-REx, with the graph and without.

A prompt is the beginning of a sentence that states a fact ("The capital of France is"). The answer
is right if it ends this sentence with the value and nothing else (exact match; an article before
the value, or a repeated beginning, does not matter). With lookups forbidden, a model that keeps no
facts in its weights should complete almost none; there an answer counts if it says the value
anywhere. If the checkpoint lists held-out entities, only those are used.
"""

from __future__ import annotations

import re

from model.grounding import says
from training.corpus.templates import fill_prompt
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext
from training.evaluation.tally import Tally

_ARTICLE = re.compile(r"^(?:the|an|a) ")


def completion(context: SuiteContext) -> Measures:
    """`completion` with the graph, `completion_closed` with lookups forbidden."""
    rng = context.rng("completion")
    phrases = context.writer.phrases.relations
    keys = [key for key in context.by_entity if key[0] in context.held_out] or list(
        context.by_entity
    )
    jobs = []
    for key in rng.sample(sorted(keys), min(len(keys), context.entities)):
        facts = context.by_entity[key]
        fitting = []
        for fact in facts:
            if fact.relation not in phrases or sum(f.relation == fact.relation for f in facts) > 1:
                continue
            templates = phrases[fact.relation].statements_for(context.records[key[0]].type)
            fitting += [(fact, t) for t in templates if is_completable(t)]
        if fitting:
            fact, template = rng.choice(fitting)
            prompt = fill_prompt(template.removesuffix(" {value}."), key[0])
            prompt = prompt if template.startswith("{") else prompt[:1].upper() + prompt[1:]
            if not says(prompt, fact.value):
                jobs.append((fact, prompt))
    context.say(f"{len(jobs)} completions, with the graph and without")
    prompts = [prompt for _, prompt in jobs]
    tally = Tally()
    for measure, lookups in (("completion", True), ("completion_closed", False)):
        for (fact, prompt), trace in zip(
            jobs, context.generate(prompts, lookups=lookups), strict=True
        ):
            text = trace.text
            right = completes(text, prompt, fact.value) if lookups else says(text, fact.value)
            tally.add(measure, right, entity=fact.entity, relation=fact.relation)
    return tally.measures(context.seed)


def completes(text: str, prompt: str, value: str) -> bool:
    """Whether a text continues a prompt with the value and ends the sentence there."""
    text, prompt, value = (" ".join(part.split()).casefold() for part in (text, prompt, value))
    said, value = (_ARTICLE.sub("", part) for part in (text.removeprefix(prompt).strip(), value))
    value = value.removesuffix(".")
    if not said.startswith(value):
        return False
    rest = said[len(value) :]
    ended = rest.startswith(". ") and len(value.split()[-1]) > 1  # and not an initial
    return rest in ("", ".") or ended


def is_completable(template: str) -> bool:
    """Whether a statement has one entity, then ends with the value."""
    return (
        template.endswith(" {value}.")
        and template.count("{") == 2
        and ("{entity}" in template or "{entity's}" in template)
    )
