"""Files that grow by lines: a kill damages at most one line, and readers follow as they grow."""

from __future__ import annotations

import os
from pathlib import Path


def append_lines(path: Path, lines: str) -> None:
    """Append whole lines, after ending a line that a kill left incomplete."""
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
            lines = "\n" + lines
        file.write(lines.encode("utf-8"))


class GrowingFile:
    """Reads what was appended since the last call; an incomplete last line waits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode = self._offset = 0

    def new_lines(self) -> tuple[list[str], bool]:
        """The new lines, and whether they start a file: one that is new, or replaced the old one.

        A missing file has no lines.
        """
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                again = status.st_ino != self._inode or status.st_size < self._offset
                if again:
                    self._inode, self._offset = status.st_ino, 0
                file.seek(self._offset)
                whole = file.read(status.st_size - self._offset).rpartition(b"\n")
        except FileNotFoundError:
            again, self._inode, self._offset = self._inode != 0, 0, 0
            return [], again
        self._offset += len(whole[0]) + len(whole[1])
        return whole[0].decode("utf-8", "replace").splitlines() if whole[1] else [], again
