"""Text by role, as HTML: a document of a corpus as it is trained, or a sample of a run.

Each role has a colour and a second sign: italics, a line, dots, a frame, small letters. What is
out of the loss is hatched. The list says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from app.views.templates import macro
from model.roles import Role
from training.report.show_mask import Run

ROLES = tuple(role.name.lower() for role in Role)
_DOCUMENT = macro("role_text.html", "document")
_LISTED = macro("role_text.html", "listed")
_SHARE = macro("role_text.html", "share")


class Piece(NamedTuple):
    """Neighbouring tokens of one role.

    The white space before the first word is apart, so that lines and frames begin at the word.
    """

    space: str
    role: str
    words: str
    out_of_loss: bool


def pieces(runs: Iterable[tuple[str, str, bool]]) -> list[Piece]:
    """The pieces of a text, from role, text and whether it is trained.

    Of a role that is not known only the space is kept.
    """
    found = []
    for role, text, trained in runs:
        words = text.lstrip()
        space = text[: len(text) - len(words)]
        found.append(Piece(space, role, words if role in ROLES else "", not trained))
    return found


def document_html(runs: Sequence[Run]) -> Markup:
    """A document as one text."""
    return _DOCUMENT(pieces((run.role.name.lower(), run.text, run.trained) for run in runs), ROLES)


def list_html(runs: Sequence[Run]) -> Markup:
    """A document as a list of its pieces, for the keyboard and for screen readers."""
    return _LISTED(
        [
            {
                "trained": run.trained,
                "role": run.role.name.lower(),
                "tokens": run.tokens,
                "pieces": pieces([(run.role.name.lower(), run.text, True)]),
            }
            for run in runs
        ]
    )


def share_html(runs: Sequence[Run]) -> Markup:
    """How much of a document is in the loss, in all and by role."""
    tokens = sum(run.tokens for run in runs)
    trained = sum(run.tokens for run in runs if run.trained)
    by_role = []
    for role in Role:
        own = sum(run.tokens for run in runs if run.role == role)
        inside = sum(run.tokens for run in runs if run.role == role and run.trained)
        if own:
            share = f"{own}" if inside == own else f"{inside} of {own}"
            by_role.append(f"{role.name.lower()} {share}")
    return _SHARE(trained, tokens, 100 * trained / max(tokens, 1), by_role)
