"""Values of Neo4j, JSON and spreadsheets as text."""

from __future__ import annotations

import datetime
from typing import Any

import neo4j.spatial
import neo4j.time
import pytest

from graph.core.import_rows import BadLine, FactRow
from graph.exchange.value_texts import fact_rows, text_of

pytestmark = pytest.mark.unit

VALUES: list[tuple[Any, str | None]] = [
    ("Oz", "Oz"),
    (12000, "12000"),
    (0.25, "0.25"),
    (3.0, "3.0"),
    (float("nan"), None),
    (float("inf"), None),
    (True, None),
    (None, None),
    ({"a": 1}, None),
    (b"x", None),
    (datetime.date(1999, 2, 28), "1999-02-28"),
    (datetime.datetime(1999, 2, 28), "1999-02-28"),
    (datetime.datetime(1999, 2, 28, 9, 30), "1999-02-28T09:30:00"),
    (neo4j.time.Date(1999, 2, 28), "1999-02-28"),
    (neo4j.time.Time(9, 30), "09:30:00"),
    (neo4j.time.Duration(days=3, hours=2), "P3DT2H"),
    (neo4j.spatial.WGS84Point((4.4, 51.2)), "POINT(4.4 51.2)"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=repr)
def test_a_value_has_one_text_or_none(value: Any, text: str | None) -> None:
    assert text_of(value) == text


def test_a_list_is_several_facts_and_one_type_stops_nothing_else() -> None:
    rows = list(fact_rows(6, ["Fair", "sponsors", ["Tern Press", None, 3], None, float("nan")]))
    assert rows[0] == FactRow(6, "Fair", "sponsors", "Tern Press")
    assert isinstance(rows[1], BadLine)
    assert rows[2] == FactRow(6, "Fair", "sponsors", "3")
    assert [type(row) for row in fact_rows(1, ["a", "b", [], None, None])] == [BadLine]
    assert [type(row) for row in fact_rows(1, ["a", "b", [["c"]], None, None])] == [BadLine]
