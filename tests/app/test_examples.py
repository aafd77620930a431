"""The examples: of the shipped world where the graph has it, else of what the graph has."""

from __future__ import annotations

from pathlib import Path

from app.state.examples import EXAMPLES, by_name, examples_for
from app.views.example_cards import render
from graph.core.edits import Add
from graph.sqlite.store import SqliteStore


def asking(name: str) -> str:
    return f"Tell me about {name}."


def test_the_shipped_world_has_all_four(world: Path) -> None:
    with SqliteStore(f"sqlite:///{world}") as store:
        chosen = examples_for(store, asking)
    assert [one.about for one in chosen] == ["France", "Japan", "Albert Einstein", "Zubrowka"]
    assert [one.words for one in chosen] == [one.words for one in EXAMPLES]
    assert chosen[0].prompt == "Tell me about France."


def test_another_graph_has_its_own(tmp_path: Path) -> None:
    with SqliteStore(f"sqlite:///{tmp_path}/stars.db", create=True) as store:
        assert [one.about for one in examples_for(store, asking)] == [one.about for one in EXAMPLES]
        stars = [("Sirius", "A1V", "Canis Major"), ("Vega", "A0V", "Lyra"), ("Deneb", "A2I", "Cyg")]
        store.apply(
            [
                edit
                for star, kind, place in stars
                for edit in (Add(star, "spectral class", kind), Add(star, "constellation", place))
            ]
            + [Add("Sirius", "also <called>", name) for name in ("Dog Star", "Canicula")],
            author="test",
        )
        chosen = examples_for(store, lambda name: f"{name} is")
    read, change, forget, invent = chosen
    assert (read.about, read.prompt) == ("Sirius", "Sirius is")
    assert invent.edits == EXAMPLES[3].edits
    assert len({read.about, change.about, forget.about}) == 3
    ((kind, entity, relation, value),) = change.edits
    assert (kind, entity) == ("change", change.about)
    assert value in {"A1V", "A0V", "A2I"}
    assert change.words == f"See {entity} get another {relation}."
    assert forget.edits[0][0] == "delete"
    html = render(chosen, read.prompt)
    assert html.count('aria-pressed="true"') == 1
    assert by_name(chosen, "forget") is forget
    assert by_name(chosen, "none") is None


def test_words_of_a_graph_are_text(tmp_path: Path) -> None:
    with SqliteStore(f"sqlite:///{tmp_path}/odd.db", create=True) as store:
        store.apply([Add("<b>A", "<i>r", "x"), Add("<b>B", "<i>r", "y")], author="test")
        assert "<b>A" not in render(examples_for(store, asking))
