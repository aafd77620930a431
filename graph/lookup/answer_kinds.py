"""Whether the values of a relation can answer a question at all.

"When did Iggy Marsk join?" wants a time, and `post: treasurer` holds none, however near its name
is. The names of relations do not show this, so the ranking of a list reads values too. Only plain
cases count: most questions want any kind of answer, and most values contradict none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from graph.core.names import MONTH, is_number_or_date


class Wanted(StrEnum):
    """The kind of answer that a question wants."""

    TIME = "time"
    DURATION = "duration"
    AGE = "age"
    AMOUNT = "amount"
    COUNT = "count"
    PERSON = "person"
    PLACE = "place"


_READ = 200  # characters of one value
_NUMBERS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"
    "|fifty|hundred|thousand|million|half|dozen|none|no|nil|several|both|single|double|free|full"
    "|unlimited|few|many|all"
)
_AMOUNT = re.compile(rf"\d|[£$€¥]|\b(?:{_NUMBERS})\b", re.I)
_TIME = re.compile(
    rf"\d|\b(?:{MONTH}|mon|tues?|wed|thu|thurs|fri|sat|sun"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun|birth|holi|week)days?"
    r"|noon|midday|midnight|dawn|dusk|sunrise|sunset|mornings?|afternoons?|evenings?|nights?"
    r"|spring|summer|autumn|fall|winter|christmas|easter|michaelmas|whitsun|lent|term|tide"
    r"|today|yesterday|tomorrow|tonight|now|never|always|often|rarely|once|twice|soon|late|later"
    r"|early|mid|last|next|every|each|after|before|during|since|until|till|when|while|whenever"
    r"|hourly|daily|nightly|weekly|fortnightly|monthly|quarterly|termly|yearly|annual(?:ly)?"
    r"|seconds?|minutes?|mins?|hours?|days?|weeks?|weekends?|fortnights?|months?|seasons?|years?"
    r"|decades?|century|centuries|age|ages|era|period|epoch|reign|dynasty|war"
    r"|ongoing|immediate(?:ly)?|due|overdue|expired|unknown|permanent(?:ly)?|lifetime)\b",
    re.I,
)
_DATE = re.compile(
    rf"(?:\d{{1,2}}\s+)?{MONTH}\.?\s+(?:\d{{1,2}},\s+)?\d{{4}}|\d{{4}}-\d\d(?:-\d\d)?",
    re.I,
)
_MONEY = re.compile(r"\s*[£$€¥]\s?\d[\d.,]*\s*(?:[a-z]{0,2}|(?:per|a|an|each)\s\w+)\s*", re.I)
_FLAG = re.compile(r"\W*(?:yes|no|true|false)\W*", re.I)

_OF = r"(?:['’]s|\s+is|\s+was|\s+are|\s+were)?(?:\s+(?:the|its|his|her|their|your|our))?"
_WORDS = re.compile(
    rf"""
      (?P<time>      \b(?:when|how\s+(?:recent|soon|late|often|frequent)\w*)\b
                   | \b(?:what|which){_OF}\s+(?:time|date|day|year|month|hour|season)\b )
    | (?P<age>       \bhow\s+(?:old|long\s+(?:has|have|had|ago|since))\b )
    | (?P<duration>  \bhow\s+long\b )
    | (?P<count>     \bhow\s+many\b )
    | (?P<amount>    \bhow\s+(?:much|far|deep|tall|high|heavy|wide|thick|fast)\b
                   | \bwhat{_OF}\s+(?:price|fee|cost|fare|height|weight|depth|width|speed)\b
                   | \bwhat\s+(?:do|does|did|will|would)\b.*
                     \b(?:cost|weigh|pay|charge|bill)s?\b(?!\s+(?:with|in|by)\b) )
    | (?P<person>    \b(?:who|whom)\b )
    | (?P<place>     \b(?:where|whereabouts)\b )
    | (?P<other>     \b(?:what|which|whose|why|how)\b )
    """,
    re.I | re.X,
)


@lru_cache(maxsize=4096)
def wanted(question: str) -> Wanted | None:
    """The kind of answer that a question plainly wants, by its first question word; None if any.

    >>> wanted("Who covers for her when she is away?"), wanted("by when must he pay")
    (<Wanted.PERSON: 'person'>, <Wanted.TIME: 'time'>)
    >>> wanted("What does he do when it rains?"), wanted("opening time")
    (None, None)
    >>> wanted("what do we pay them"), wanted("What do people there pay with?")
    (<Wanted.AMOUNT: 'amount'>, None)
    """
    found = _WORDS.search(question)
    if found is None or found.lastgroup is None or found.lastgroup == "other":
        return None
    return Wanted(found.lastgroup)


def contradicts(kind: Wanted, values: Sequence[str]) -> bool:
    """Whether none of a relation's values can be an answer of that kind.

    Args:
        kind: what a question wants.
        values: some of the relation's values; without any, nothing is contradicted.

    >>> contradicts(Wanted.TIME, ["treasurer"]), contradicts(Wanted.TIME, ["after milking"])
    (True, False)
    >>> contradicts(Wanted.DURATION, ["Oct 2023"]), contradicts(Wanted.AGE, ["Oct 2023"])
    (True, False)
    >>> contradicts(Wanted.PERSON, ["yes"]), contradicts(Wanted.COUNT, ["Ada", "Bob"])
    (True, False)
    """
    if kind == Wanted.COUNT and len(values) > 1:
        return False  # they can be counted
    return bool(values) and not any(_can_be(kind, value[:_READ]) for value in values)


def _can_be(kind: Wanted, value: str) -> bool:
    if kind == Wanted.TIME:
        return _TIME.search(value) is not None and not _MONEY.fullmatch(value)
    if kind == Wanted.DURATION and _DATE.fullmatch(value):
        return False
    if kind in (Wanted.DURATION, Wanted.AGE):
        return _TIME.search(value) is not None or _AMOUNT.search(value) is not None
    if _FLAG.fullmatch(value):
        return kind == Wanted.COUNT and value.lower() == "no"
    if kind in (Wanted.AMOUNT, Wanted.COUNT):
        return _AMOUNT.search(value) is not None
    if _MONEY.fullmatch(value):
        return False
    return kind == Wanted.PLACE or not is_number_or_date(value)
