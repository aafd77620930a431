"""What a person does who finds an answer wrong: say what is right, and save it as a case.

The case goes into a file on the server's disk (`training.case_file`). The graph stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.state.editing import fact_of, field
from app.state.generation import Steps
from app.state.session import Session, WrongAnswer
from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.lookup.mentions import find_mentions
from training.case_file import Case, append_case
from training.errors import TrainingError

NOT_HELD = "none"  # what the form sends if the graph does not hold the answer
_ENTITIES, _FACTS = 3, 60  # that the form offers, at most


def open_form(session: Session, event: dict[str, Any]) -> Steps:
    """Ask what the right answer is, or close the form again."""
    closed = session.notes.wrong.facts is None
    session.notes.wrong_refused = ""
    session.notes.wrong = WrongAnswer(facts=_choices(session) if closed else None)
    yield None


def _choices(session: Session) -> tuple[Fact, ...]:
    """The facts of what the text looked up and of what the prompt mentions."""
    trace = session.text.trace
    if trace is None:
        return ()
    about = [each.lookup.entity_id for each in trace.lookups]
    for mention in find_mentions(session.draft, trace.prompt):
        about += [entity.id for entity in mention.entities[:1]]
    known = [entity_id for entity_id in dict.fromkeys(about) if entity_id is not None]
    facts: list[Fact] = []
    for entity_id in known[:_ENTITIES]:
        facts += session.draft.facts(entity_id, limit=_FACTS)
    return tuple(facts)


def save(session: Session, event: dict[str, Any]) -> Steps:
    """Save the question with the right answer."""
    trace, path = session.text.trace, session.service.cases
    answer = field(event, "answer")
    if trace is None or path is None or not answer:
        raise StoreError("Choose the right answer.")
    fact = None if answer == NOT_HELD else fact_of(session, answer)
    offered = session.notes.wrong.facts
    about = fact or (offered[0] if offered else None)
    case = Case(
        prompt=trace.prompt,
        entity=about.entity if about else "",
        relation=fact.relation if fact else "",
        value=fact.value if fact else "",
        text=trace.text.strip(),
        model=Path(session.service.decoder.checkpoint.name).name,
    )
    try:
        count = append_case(path, case)
    except TrainingError as problem:
        raise StoreError(str(problem).replace(str(path), path.name)) from problem
    cases = "1 case" if count == 1 else f"{count:,} cases"
    session.notes.wrong = WrongAnswer(saved=f"Saved to {path.name}, which has {cases} now.")
    yield None
