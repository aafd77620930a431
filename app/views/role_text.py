"""Text by role, as escaped HTML: a document of a corpus as it is trained, or a sample of a run.

A role has a colour and a way of its own beside it: italics, a line, dots, a frame, small letters.
What is out of the loss is hatched. The list says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from model.roles import Role
from training.report.show_mask import Run

ROLES = tuple(role.name.lower() for role in Role)


def pieces_html(pieces: Iterable[tuple[str, str, bool]]) -> str:
    """Role, text and whether it is trained, one after another.

    White space before a word is left outside, so that lines and frames begin at the word.
    """
    out = []
    for role, text, trained in pieces:
        word = text.lstrip()
        out.append(escape(text[: len(text) - len(word)]))
        if word and role in ROLES:
            hatched = "" if trained else " out"
            out.append(f'<span class="piece {role}{hatched}">{escape(word)}</span>')
    return "".join(out)


def legend(out: bool) -> str:
    """How the roles look; `out` where there is text that is not trained."""
    roles = " ".join(f'<span class="piece {role}">{role}</span>' for role in ROLES)
    hatched = ' <span class="piece out">hatched: out of the loss</span>' if out else ""
    return f'<p class="role-legend">{roles}{hatched}</p>'


def document_html(runs: Sequence[Run]) -> str:
    """A document as one text."""
    pieces = ((run.role.name.lower(), run.text, run.trained) for run in runs)
    return f'<p class="masked" id="masked">{pieces_html(pieces)}</p>{legend(out=True)}'


def list_html(runs: Sequence[Run]) -> str:
    """A document as a list of its pieces, for the keyboard and for screen readers."""
    rows = "".join(
        f"<tr><td>{'yes' if run.trained else 'no'}</td><td>{run.role.name.lower()}</td>"
        f"<td>{run.tokens}</td><td>{pieces_html([(run.role.name.lower(), run.text, True)])}</td>"
        "</tr>"
        for run in runs
    )
    return (
        '<div class="masked-list" id="masked-list" tabindex="0" role="region" '
        'aria-label="The pieces of the document"><table class="numbers"><thead><tr>'
        '<th scope="col">In the loss</th><th scope="col">Role</th><th scope="col">Tokens</th>'
        f'<th scope="col">Text</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def share_html(runs: Sequence[Run]) -> str:
    """How much of a document is in the loss, in all and by role."""
    tokens = sum(run.tokens for run in runs)
    trained = sum(run.tokens for run in runs if run.trained)
    parts = []
    for role in Role:
        own = sum(run.tokens for run in runs if run.role == role)
        inside = sum(run.tokens for run in runs if run.role == role and run.trained)
        if own:
            said = f"{own}" if inside == own else f"{inside} of {own}" if inside else f"0 of {own}"
            parts.append(f"{role.name.lower()} {said}")
    percent = 100 * trained / max(tokens, 1)
    return (
        f'<p class="share" id="share"><b>{trained:,} of {tokens:,} tokens are in the loss '
        f"({percent:.0f} %)</b>: {', '.join(parts)}.</p>"
        '<div class="share-bar" aria-hidden="true">'
        f'<span style="width:{percent:.1f}%"></span></div>'
    )
