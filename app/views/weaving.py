"""Weaves a text and the elements around its words, which may begin and end anywhere in it.

marks = Layer()
marks.add(begin, end, wrap)
html = weave(text, 0, len(text), (flags, marks), chips)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from app.views.templates import joined

Wrap = Callable[[Markup], Markup]  # puts an element around HTML


@dataclass
class Layer:
    """Pieces of the text that get an element around them; none overlaps another."""

    pieces: list[tuple[int, int, Wrap]] = field(default_factory=list)

    def add(self, begin: int, end: int, wrap: Wrap) -> None:
        """Put an element around `begin:end`, unless it would cross one that is there."""
        if begin < end and all(end <= b or e <= begin for b, e, _ in self.pieces):
            self.pieces.append((begin, end, wrap))


def weave(
    text: str,
    begin: int,
    end: int,
    layers: Sequence[Layer],
    inserts: Sequence[tuple[int, Markup]],
) -> Markup:
    """`text[begin:end]` escaped, the elements of the layers around it, outermost first."""
    while layers and not layers[0].pieces:
        layers = layers[1:]
    if not layers and not inserts:
        return escape(text[begin:end])
    out: list[Markup] = []
    at = begin
    if not layers:
        for offset, html in inserts:
            if begin < offset <= end:
                out += [escape(text[at:offset]), html]
                at = offset
        return joined([*out, escape(text[at:end])])
    for first, last, wrap in sorted(layers[0].pieces, key=lambda piece: piece[:2]):
        b, e = max(first, begin), min(last, end)
        if b >= e:
            continue
        out.append(weave(text, at, b, layers[1:], inserts))
        out.append(wrap(weave(text, b, e, layers[1:], ())))
        # What would stand inside the element stands right behind it.
        out += [html for offset, html in inserts if b < offset <= e]
        at = e
    out.append(weave(text, at, end, layers[1:], inserts))
    return joined(out)
