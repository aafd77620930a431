"""Each state of the page has the DOM that was recorded of it; see `recorded_states`."""

from __future__ import annotations

import pytest

from tests.app.dom import outline
from tests.app.recorded_states import FOLDER, STATES, drawn, recording


@pytest.mark.parametrize("name", STATES)
def test_a_state_looks_as_recorded(name: str) -> None:
    assert drawn(name).split("\n") == recording(name).read_text("utf-8").split("\n"), (
        "If the change is meant, record it: python -m tests.app.recorded_states"
    )


def test_every_recording_has_its_state() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(STATES)


def test_the_outline_sees_attributes_text_and_order() -> None:
    one = "<p id='a' class=b>x &amp; <b>y</b> z</p>"
    assert outline(one) == outline('<p class="b" id="a">x &#38; <b>y</b> z</p>')
    for other in (
        '<p class="b" id="a">x &amp;<b>y</b> z</p>',
        '<p class="c" id="a">x &amp; <b>y</b> z</p>',
        '<p class="b" id="a">x &amp; z<b>y</b> </p>',
    ):
        assert outline(other) != outline(one)
    with pytest.raises(AssertionError, match="closes"):
        outline("<p><b></p>")
