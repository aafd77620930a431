"""The DOM of an HTML string as an outline: one line for each element and each text, in order.

    div class="row"
      button type="button"
        "Undo"

Attributes stand in alphabetical order, and texts keep their spaces. Two strings with one outline
are the same page to a browser.
"""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class _Outliner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def _write(self, line: str) -> None:
        self.lines.append("  " * len(self.open) + line)

    def _end_text(self) -> None:
        if self.text:
            self._write('"' + self.text.replace("\\", "\\\\").replace("\n", "\\n") + '"')
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_text()
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute: {names}"
        written = (f' {name}="{value or ""}"'.replace("\n", "\\n") for name, value in sorted(attrs))
        self._write(tag + "".join(written))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._end_text()
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment reached the page: {data}")

    def end(self) -> list[str]:
        self.close()
        self._end_text()
        assert not self.open, f"never closed: {self.open}"
        return self.lines


def outline(html: str) -> list[str]:
    """The lines of a piece of a page; elements that are not closed properly are an error."""
    outliner = _Outliner()
    outliner.feed(html)
    return outliner.end()
