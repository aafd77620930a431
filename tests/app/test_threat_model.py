"""Each fault in the table of docs/security.md is a test that exists and says that it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!fault|---)(.+?) \| .+ \| `(\w+\.py)::(\w+)` \|$", PAGE, re.MULTILINE)


def test_the_table_is_read_whole() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 2 > 10  # without its head


@pytest.mark.parametrize(("fault", "file", "name"), ROWS)
def test_a_fault_has_a_test(fault: str, file: str, name: str) -> None:
    tree = ast.parse((ROOT / "tests/app" / file).read_text("utf-8"))
    (test,) = [each for each in tree.body if getattr(each, "name", "") == name]
    assert any(isinstance(each, ast.Assert) for each in ast.walk(test)), fault
    marks = " ".join(ast.unparse(each) for each in test.decorator_list)  # type: ignore[attr-defined]
    assert "skip" not in marks
    assert "xfail" not in marks
