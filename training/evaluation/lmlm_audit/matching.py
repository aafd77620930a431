"""LMLMAudit's own measures of a text: its short answer, exact match and "unknown".

They follow `metrics.py`, `equivalence.py` and `run_audit.py` of
https://github.com/raeesiarya/LMLMAudit, so that the figures can be put next to its published ones.

- Two strings match exactly if they have the same words, regardless of case and punctuation, or if
  one is an alias that the prompt's row lists.
- The answer is the value that the first lookup returned, or "unknown" if it found nothing; without
  a lookup it is the first sentence of the text. Lists of `relations`, which LMLMAudit does not
  know, are passed over. Several values that a lookup joins are one answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from graph.core.facts import RELATIONS
from graph.core.names import fold
from model.trace import Trace

_WORD = re.compile(r"\d+\.\d+|\w+(?:[-']\w+)*")
_OPENING = re.compile(r"^(?:answer:\s*)*(?:the answer is |it is |it's )?", re.I)
_NEXT_BLOCK = re.compile(r"\n(?:Question|Context|Fact|Prompt|Answer):|\n\n")
_NEXT_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])")
_UNKNOWN = {"", "unknown", "n a", "na", "none", "no answer", "i do not know"} | {
    f"i don{apostrophe}t know" for apostrophe in "' "
}


def words(text: str) -> str:
    """A string as it is compared.

    >>> words("Spice  Girls!"), words("$69.7 million")
    ('spice girls', '69.7 million')
    """
    return " ".join(_WORD.findall(text.casefold()))


def exact_match(answer: str, value: str, aliases: Iterable[str] = ()) -> bool:
    """Whether an answer is the value, or an alias of it.

    >>> exact_match("usd", "US Dollar", ["USD"]), exact_match("It is Paris", "Paris")
    (True, False)
    """
    wanted = {words(one) for one in (value, *aliases)} - {""}
    return words(answer) in wanted


def is_unknown(answer: str) -> bool:
    """Whether an answer is one of the suite's ways to say nothing: "", "unknown", "n/a" ..."""
    return words(answer) in _UNKNOWN


def answer_of(trace: Trace) -> str:
    """What counts as the answer of a text."""
    for entry in trace.lookups:
        if fold(entry.lookup.relation) != RELATIONS:
            return entry.lookup.value
    return short_answer(trace.text)


def short_answer(text: str) -> str:
    """The first sentence of a text without what leads up to it.

    >>> short_answer("Answer: it is Paris. It lies on the Seine.")
    'Paris'
    """
    text = _OPENING.sub("", text.strip(), count=1).strip()
    text = " ".join(_NEXT_BLOCK.split(text, maxsplit=1)[0].split()).strip("\"'` ")
    return _NEXT_SENTENCE.split(text, maxsplit=1)[0].strip("\"'`,;:. ")
