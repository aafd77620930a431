"""Every test says what it needs."""

from __future__ import annotations

import pytest

from tests.conftest import kinds


def test_every_test_has_one_marker_of_unit_browser_and_neo4j(request: pytest.FixtureRequest):
    wrong = {item.nodeid: kinds(item) for item in request.session.items if len(kinds(item)) != 1}
    assert wrong == {}
