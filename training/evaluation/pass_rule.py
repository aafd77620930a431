"""When a text answers a question as it should: one rule for every suite of natural prompts.

    judge({"q": "Who found oxygen?", "any": ["Priestley", "Scheele"]}, trace).right

A case is a mapping with the question `q` and what a right answer holds:

| key | the text is right if |
| --- | --- |
| any | it holds one of these strings, and a lookup returned that string inside a value |
| all | the same for each of these strings |
| yes, no | it begins with yes, or with no |
| none | it asserts no value, and says that the graph does not hold it, or what may be asked |

Strings are whole words, regardless of case; "84" is also in "84.0 million", but not in "840" or
"84,000". An echo of the question does not pass, because the string must be in a value that a
lookup other than `relations` returned. A count is the exception: the answer to "How many ...?" may
be the number of values that a lookup returned, as a figure or as a word.

A value is asserted if the text repeats what a lookup other than `relations` returned, or holds a
name, date or number that nothing given supports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graph.core.facts import RELATIONS
from graph.core.names import fold
from graph.lookup.result import Lookup
from model.grounding import ground
from model.trace import Trace
from training.errors import EvaluationError

_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)  # fmt: skip
_HOW_MANY = re.compile(r"\bhow many\b|\b(?:number|count) of\b|^count\b", re.I)
_YES = re.compile(r"\W*yes\b", re.I)
_NO = re.compile(r"\W*no\b(?=[^\w ]|$| (?:it|he|she|they|that|this|there)\b)", re.I)
_HOLDS = "holds?|held|records?|recorded|knows?|known|says?|states?|lists?|listed"
_IN_GRAPH = r"in\ (?:the|this|its|my)\ graph"
_NOT_HELD = re.compile(
    rf"""
    \b(?:not|cannot|never|\w+n't|\w+n’t)\b [^.?!]{{0,60}}
        \b(?:{_HOLDS}|stated|{_IN_GRAPH}|looked?\ up|answer\w*|found|tell)\b
    | \b(?:no|nothing|none|neither)\b [^.?!]{{0,80}} \b(?:{_HOLDS}|{_IN_GRAPH}|look\ up)\b
    | \b(?:{_HOLDS}|has|have|is|there\ is)\s+(?:no|nothing|neither|none)\b
    | \b(?:lacks?|unrecorded|missing\ from|unknown\ to)\b
    """,
    re.I | re.X,
)
_MAY_ASK = re.compile(
    r"""
    \b(?:ask|try)\b
    | \b(?:can|could)\ (?:only\ )?(?:answer|look\ up|write\ about|tell|say)
    | \banswers?\ (?:only\ )?(?:questions|from)
    | \bdo\ you\ mean\b
    """,
    re.I | re.X,
)


@dataclass(frozen=True)
class Verdict:
    """Whether a text passed, and what it lacks if it did not."""

    right: bool
    reason: str = ""


def judge(case: Mapping[str, Any], trace: Trace) -> Verdict:
    """Judge a text by its case.

    Raises:
        EvaluationError: for a case that expects nothing.
    """
    if not any(case.get(key) for key in ("any", "all", "yes", "no", "none")):
        raise EvaluationError(f"The case {case.get('q')!r} does not say what a right answer holds.")
    text, given = trace.text, values_of(trace)
    if case.get("yes") and not _YES.match(text):
        return Verdict(False, "does not begin with yes")
    if case.get("no") and not _NO.match(text):
        return Verdict(False, "does not begin with no")
    if case.get("none"):
        return _judge_none(trace)
    counted = numbers_of(trace) if _HOW_MANY.search(str(case.get("q", ""))) else frozenset()

    def answered(expected: str) -> bool:
        count = fold(expected) in counted
        return holds(text, expected) and (count or any(holds(value, expected) for value in given))

    missing = [one for one in case.get("all", ()) if not answered(one)]
    if missing:
        return Verdict(False, f"lacks {missing[0]}" + _why(text, missing[0]))
    wanted = list(case.get("any", ()))
    if wanted and not any(map(answered, wanted)):
        return Verdict(False, f"lacks {' or '.join(wanted)}" + _why(text, *wanted))
    return Verdict(True)


def passes(case: Mapping[str, Any], trace: Trace) -> bool:
    """Whether a text answers its case as it should (see the module's table)."""
    return judge(case, trace).right


def holds(text: str, expected: str) -> bool:
    """Whether `text` has `expected` as whole words, regardless of case.

    >>> holds("84.0 million", "84"), holds("84,000", "84"), holds("Romely", "Rome")
    (True, False, False)
    """
    text, expected = (" ".join(part.casefold().split()) for part in (text, expected))
    before = r"(?<!\w)(?<!\d[.,])" if expected[:1].isdigit() else r"(?<!\w)"
    after = r"(?!\w)(?!,\d)" if expected[-1:].isdigit() else r"(?!\w)"
    if not expected[:1].isalnum():
        before = ""
    if not expected[-1:].isalnum():
        after = ""
    return re.search(before + re.escape(expected) + after, text) is not None


def says_not_held(text: str) -> bool:
    """Whether a text says that the graph does not hold something, in any of many ways."""
    return _NOT_HELD.search(text) is not None


def says_what_to_ask(text: str) -> bool:
    """Whether a text says what may be asked instead."""
    return _MAY_ASK.search(text) is not None


def values_of(trace: Trace) -> list[str]:
    """What the lookups returned, except the lists of `relations` and misses."""
    return [lookup.value for lookup in _answers(trace)]


def numbers_of(trace: Trace) -> frozenset[str]:
    """How many facts each lookup found, as figures and as words."""
    counts = {len(lookup.facts) for lookup in _answers(trace)}
    words = {_NUMBERS[count] for count in counts if count < len(_NUMBERS)}
    return frozenset({*map(str, counts), *words})


def _answers(trace: Trace) -> Iterable[Lookup]:
    for entry in trace.lookups:
        if fold(entry.lookup.relation) != RELATIONS and not entry.lookup.is_miss:
            yield entry.lookup


def _judge_none(trace: Trace) -> Verdict:
    text = trace.text
    for lookup in _answers(trace):
        for start, end in lookup.value_spans or [(0, len(lookup.value))]:
            if holds(text, value := lookup.value[start:end]):
                return Verdict(False, f"asserts {value}")
    listed = [entry.lookup.value for entry in trace.lookups]
    for stretch in ground(trace).unsupported:
        words = text[stretch.start : stretch.end]
        if not any(holds(value, words) for value in (*listed, trace.prompt)):
            return Verdict(False, f"asserts {words} without support")
    if says_not_held(text) or says_what_to_ask(text):
        return Verdict(True)
    return Verdict(False, "does not say that the graph does not hold it")


def _why(text: str, *expected: str) -> str:
    said = any(holds(text, one) for one in expected)
    return " in a value that a lookup returned" if said else ""
