"""The way to say that an answer is wrong, below the text: a button, a form, what was saved."""

from __future__ import annotations

from itertools import groupby

from markupsafe import Markup

from app.state.session import Session
from app.state.wrong_answer import NOT_HELD
from app.views.templates import macro

_BUTTON, _FORM = (macro("wrong_answer.html", name) for name in ("offer", "form"))


def render(session: Session) -> Markup:
    """The button or the form; nothing while a text is written, or if there is no file for it."""
    trace = session.text.trace
    if session.service.cases is None or session.run.writing or trace is None:
        return Markup()
    wrong = session.notes.wrong
    if wrong.facts is None:
        return _BUTTON(wrong.saved)
    groups = [
        (entity, tuple(facts)) for entity, facts in groupby(wrong.facts, lambda fact: fact.entity)
    ]
    return _FORM(groups, NOT_HELD, session.notes.wrong_refused)
