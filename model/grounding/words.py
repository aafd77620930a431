"""The words of a text, and runs of them that may be a name, a date or a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graph.lookup.relevance import word_set
from model.grounding.marks import Mark
from model.grounding.scripts import ALONE

# Words that may start a sentence, and so have a capital, but name nothing.
ORDINARY = word_set(
    """
    a about above abroad according across add after again against agriculture all along already
    also although always am among an and another answer any anyone apart are area around as ask
    at audiences available awards away back based because been before behind being below beneath
    beside besides best better between beyond born both build built but by called calls can
    chemists children close compare compared composed continue could counted counting created credit
    currently dated describe despite did died directed discovered do does doing done down due
    during each eight either elections element elsewhere even every everyone everything except
    explain facts fame farmers farms few fewer film films finally first five for formally
    formerly found founded four from further geographically give given go good goodbye goods had
    half has have having he hello help hence her here hers hi his home how however i if ignore
    in inaugurated including independence industry inside instead into introduce invented is it
    its itself just kept known large larger largest later latest least less let life like
    likewise list listed lists little local locally located long look looking lookups made main
    mainly many married me measured member members membership million more moreover most much my
    name named natural nature near nearly neither never nevertheless next nine no nobody none
    nor not nothing now number observers of off official officially often old on once one only
    onto opened or originally other others otherwise our out outside over overall part payments
    people perhaps please politically population previously produced published put rather read
    readers records released remains same say science second seven several she should show
    similarly since sing situated six small smaller smallest so some someone something sometimes
    soon sorted space speakers spoken spread still such summarise telephone tell temperatures
    ten than thank thanks that the their theirs them then there therefore these they third this
    those though three through throughout thus to today together too toward towards tradition
    traditionally translate try twice two under unfortunately unless unlike until up upon us use
    used usually various very via viewers voters was watching we web were what whatever when
    where whereas whether which while who whom whose why wide will with within without women
    work world would write written year years yes yet you your
    """
)
_LETTER = rf"(?!{ALONE})[^\W\d_]"
_WORD = re.compile(
    rf"{ALONE}|\d+(?:[.,:/]\d+)*(?:(?:{_LETTER})+\d*)*"
    rf"|(?:{_LETTER}|\d)+(?:['’.](?:{_LETTER}|\d)+)*"
)
_JOINTS = (" ", "-", "–", "")  # between words of one name; "" in scripts without spaces
_POSSESSIVE = re.compile(r"['’]s$")


class Word(NamedTuple):
    """A word, `text[start:end]`."""

    start: int
    end: int
    key: str  # case-folded, without a possessive "'s"


def words_of(text: str, begin: int = 0, end: int | None = None) -> list[Word]:
    """The words of `text[begin:end]`."""
    words = []
    for match in _WORD.finditer(text, begin, len(text) if end is None else end):
        written = _POSSESSIVE.sub("", match[0])
        words.append(Word(match.start(), match.start() + len(written), written.casefold()))
    return words


def is_item(text: str, word: Word) -> bool:
    """Whether a word may belong to a name or number: a capital, a digit, a script without case."""
    return any(
        c.isupper() or c.isdigit() or (c.isalpha() and not c.islower())
        for c in text[word.start : word.end]
    )


def items(text: str, begin: int, end: int, marks: Sequence[Mark] = ()) -> Iterator[list[Word]]:
    """Runs of names and numbers separated by one space or hyphen each, without marked words.

    An ordinary word cannot start a run, but may be inside one ("Cannes Film Festival").
    """
    run: list[Word] = []
    for word in words_of(text, begin, end):
        marked = any(word.start < mark.end and mark.start < word.end for mark in marks)
        if run and (
            marked or not is_item(text, word) or text[run[-1].end : word.start] not in _JOINTS
        ):
            yield run
            run = []
        if not marked and is_item(text, word) and (run or word.key not in ORDINARY):
            run.append(word)
    if run:
        yield run
