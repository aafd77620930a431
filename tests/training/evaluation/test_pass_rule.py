"""The pass rule: what counts as an answer, on traces made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from graph.core.facts import Fact, join_values
from graph.lookup.result import Lookup
from model.roles import Role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup, TraceToken
from training.errors import EvaluationError
from training.evaluation.pass_rule import holds, judge, passes, says_not_held

pytestmark = pytest.mark.unit


def lookup(entity: str, relation: str, *values: str) -> Lookup:
    """A lookup that returned these values; a miss without any."""
    listed = relation == "relations"
    joined = join_values(list(values))
    return Lookup(
        entity=entity,
        relation=relation,
        how="exact" if values else "miss",
        score=1.0,
        threshold=0.6,
        runners_up=(),
        facts=()
        if listed
        else tuple(Fact(n, 7, entity, relation, value) for n, value in enumerate(values)),
        entity_id=7,
        resolved_entity=entity,
        resolved_relation=relation,
        value="; ".join(values) if listed else joined.text or "unknown",
        value_spans=() if listed else joined.spans,
    )


def trace(prompt: str, *parts: Lookup | str) -> Trace:
    """A trace of lookups and words in this order."""
    tokens: list[TraceToken] = []
    lookups = []
    for part in parts:
        start = len(tokens)
        if isinstance(part, str):
            tokens.append(TraceToken(9, part, Role.TEXT, 0.9, False))
            continue
        for role in (Role.MARKER, Role.MARKER):
            tokens.append(TraceToken(3, "<|db|>", role, None, True))
        lookups.append(TraceLookup(len(lookups), start, len(tokens), part))
    return Trace(
        prompt, [1], tokens, lookups, "made", DecodingSettings(), 1, "state", "end", 0.0
    )  # fmt: skip


CAPITAL = lookup("France", "capital", "Paris")
LIST = lookup("France", "relations", "capital", "currency")


@pytest.mark.parametrize(
    ("case", "parts", "right"),
    [
        ({"any": ["Paris"]}, [LIST, CAPITAL, "The capital of France is Paris."], True),
        ({"any": ["Lyon", "paris"]}, [CAPITAL, "It is Paris."], True),
        ({"any": ["Paris"]}, [CAPITAL, "The Parisian capital."], False),
        ({"any": ["Paris"]}, ["The capital of France is Paris."], False),  # nothing looked up
        ({"any": ["Paris"]}, [lookup("France", "capital"), "It is Paris."], False),  # a miss
        ({"any": ["capital"]}, [LIST, "It has a capital."], False),  # only in a list
        ({"any": ["Paris"]}, [CAPITAL, "It is not recorded."], False),
        ({"all": ["Paris", "euro"]}, [CAPITAL, "Paris, and the euro."], False),
        (
            {"all": ["Paris", "euro"]},
            [CAPITAL, "Paris, and", lookup("France", "currency", "euro"), " the euro."],
            True,
        ),
        ({"yes": True, "any": ["Paris"]}, [CAPITAL, "Yes, Paris is the capital."], True),
        ({"yes": True, "any": ["Paris"]}, [CAPITAL, "Paris is the capital."], False),
        ({"yes": True, "any": ["Paris"]}, [CAPITAL, "No, Paris is the capital."], False),
        ({"no": True, "any": ["Paris"]}, [CAPITAL, "No, it is Paris."], True),
        ({"no": True}, [CAPITAL, "No capital of it is recorded."], False),
        ({"no": True}, [CAPITAL, "No. It is Paris."], True),
        ({"any": ["84"]}, [lookup("G", "population", "84.0 million"), "84.0 million."], True),
        ({"any": ["84"]}, [lookup("G", "population", "840"), "It is 840."], False),
        ({"any": ["-140"]}, [lookup("S", "temperature", "-140 degrees"), "-140 degrees."], True),
        ({"any": [".de"]}, [lookup("G", "code", ".de"), "It is .de."], True),
    ],
)
def test_expected_strings(case: dict[str, Any], parts: list[Any], right: bool) -> None:
    assert passes({"q": "What is the capital of France?"} | case, trace("?", *parts)) is right


def test_an_echo_of_the_question_does_not_pass() -> None:
    case = {"q": "Is Rome the capital of Italy?", "yes": True, "any": ["Rome"]}
    echo = trace(case["q"], "Yes, Rome is the capital of Italy.")  # type: ignore[arg-type]
    verdict = judge(case, echo)
    assert not verdict.right
    assert verdict.reason == "lacks Rome in a value that a lookup returned"


def test_a_count_may_be_a_number_in_the_text() -> None:
    case = {"q": "How many countries border Portugal?", "any": ["1", "one"]}
    borders = lookup("Portugal", "borders", "Spain")
    assert passes(case, trace(str(case["q"]), borders, "One country borders Portugal: Spain."))
    assert passes(case, trace(str(case["q"]), borders, "Portugal borders 1 country."))
    assert not passes(case, trace(str(case["q"]), "One country borders Portugal."))
    two = lookup("Portugal", "borders", "Spain", "France")
    assert not passes(case, trace(str(case["q"]), two, "One country borders Portugal."))
    other = case | {"q": "Which countries border Portugal?"}
    assert not passes(other, trace("?", borders, "One country borders Portugal."))


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        ([LIST, "The mayor of France is not recorded."], True),
        ([LIST, "The graph records no mayor of France. It holds: capital; currency."], True),
        (["The graph does not hold anything about this."], True),
        (["Ask about a person, a place or a thing."], True),
        ([LIST, CAPITAL, "The mayor of France is not recorded; the capital is Paris."], False),
        ([LIST, CAPITAL, "The mayor of France is not recorded."], True),
        ([LIST, "The mayor of France is Anne Hidalgo."], False),
        ([LIST, "The mayor is not recorded, but Anne Hidalgo is known."], False),
        ([LIST, "France."], False),
    ],
)
def test_none_asserts_nothing_and_says_so(parts: list[Any], right: bool) -> None:
    prompt = "Who is the mayor of France?"
    assert passes({"q": prompt, "none": True}, trace(prompt, *parts)) is right


def test_a_case_without_an_expectation_is_refused() -> None:
    with pytest.raises(EvaluationError, match="does not say what"):
        judge({"q": "Why?"}, trace("Why?", "So."))


def test_whole_words() -> None:
    assert holds("He lives in New  York.", "new york")
    assert not holds("1,234", "234")
    assert not holds("12.5", "5")
    assert holds("55.84", "55.84")


@pytest.mark.parametrize(
    "text",
    [
        "The capital of Oz is not recorded.",
        "No capital is recorded for Oz.",
        "The graph records no capital for Oz.",
        "The capital of Oz is not in the graph.",
        "Nothing is recorded about Oz.",
        "There is no record of Oz in the graph.",
        "The graph does not say who rules Oz; it holds its capital and currency.",
        "I can't answer that from the graph.",
    ],
)
def test_ways_to_say_that_it_is_not_held(text: str) -> None:
    assert says_not_held(text)


@pytest.mark.parametrize(
    "text",
    ["The capital of Oz is Emerald City.", "No, it is Emerald City.", "Yes, Oz has three seas."],
)
def test_ordinary_answers_are_not_taken_as_that(text: str) -> None:
    assert not says_not_held(text)
