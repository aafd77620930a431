"""Embedded names: which entity a name means that is spelt like none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from graph.__main__ import main
from graph.core.edits import Add, Rename
from graph.core.vectors import Vectors
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests.graph.helpers import id_of

PLACES = {"France": 0, "La République": 0, "Paris": 1, "Spain": 2, "Italy": 3}


class Fake:
    """Means by words: names of one place are near, all others far from each other."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors_ND = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(vectors_ND, texts, strict=True):
            row[PLACES.get(text, 10 + len(text))] = 1
            row[200 + len(text)] = 0.3  # so that no two names are wholly alike
        return vectors_ND / np.linalg.norm(vectors_ND, axis=1, keepdims=True)


def embed(store: Any) -> int:
    """Embed what is not yet; how many names that were."""
    names = store.unembedded()
    if names:
        store.embed(names, Fake().encode([name for _, name in names]))
    return len(names)


def near(store: Any, name: str, at: int | None = None) -> list[tuple[str, float]]:
    (vector_D,) = Fake().encode([name])
    return [(e.name, round(c, 2)) for e, c in store.near_names(vector_D, limit=2, at=at)]


def test_nothing_is_near_before_names_are_embedded(public: Any) -> None:
    assert not public.has_vectors()
    assert near(public, "La République") == []
    assert Retriever(public, encoder=Fake()).lookup("La République", "capital").is_miss


def test_a_name_spelt_like_none_is_found_by_meaning(public: Any) -> None:
    assert embed(public) == 5  # France, Paris, Spain, Italy, Madrid
    assert public.has_vectors()
    assert embed(public) == 0
    assert near(public, "La République")[0] == ("France", 0.92)
    lookup = Retriever(public, encoder=Fake()).lookup("La République", "capital")
    assert (lookup.value, lookup.how, lookup.entity_by) == ("Paris", "fuzzy", "meaning")
    assert (round(lookup.score, 2), lookup.threshold) == (0.92, 0.8)
    assert Retriever(public, embeddings=False).lookup("La République", "capital").is_miss
    missed = Retriever(public, encoder=Fake()).lookup("nobody knows this one", "capital")
    assert missed.is_miss
    # Spelling goes first.
    assert Retriever(public, encoder=Fake()).lookup("Frence", "capital").entity_by == "spelling"


def test_a_vector_is_of_the_name_that_was_embedded(public: Any) -> None:
    embed(public)
    before = public.revision()
    france = id_of(public, "France")
    public.apply([Rename(france, "Gallia")], author="Ada")
    assert "France" not in dict(near(public, "La République"))
    assert "Gallia" not in dict(near(public, "La République"))
    assert near(public, "La République", at=before)[0] == ("France", 0.92)
    assert [name for _, name in public.unembedded()] == ["Gallia"]
    (vector_D,) = Fake().encode(["France"])
    public.embed([(france, "France")], vector_D[None])  # it has another name by now
    assert [name for _, name in public.unembedded()] == ["Gallia"]
    assert public.unembedded(after=france) == []


def test_a_draft_sees_what_it_has_not_renamed(public: Any) -> None:
    embed(public)
    draft = public.draft("one")
    assert draft.has_vectors()
    draft.apply([Add("Utopia", "capital", "Nowhere")], author="Ada")
    assert near(draft, "La République")[0] == ("France", 0.92)
    assert Retriever(draft, encoder=Fake()).lookup("La République", "capital").value == "Paris"
    draft.apply([Rename(id_of(draft, "France"), "Gallia")], author="Ada")
    assert "France" not in dict(near(draft, "La République"))
    assert near(public, "La République")[0] == ("France", 0.92)


def test_the_nearest_is_taken_where_the_graph_says_so(public: Any) -> None:
    embed(public)
    retriever = Retriever(public, encoder=Fake(), policy="nearest")
    assert retriever.lookup("La République", "capital").value == "Paris"


def test_names_are_embedded_by_a_command(
    filled: SqliteStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMPLIGHT_ENCODER", "off")
    assert main(["embed", "--store", filled.url]) == 2
    assert "requirements-embeddings.txt" in capsys.readouterr().err
    monkeypatch.delenv("LAMPLIGHT_ENCODER")
    assert main(["embed", "--store", filled.url]) == 0
    assert "Embedded 5 names" in capsys.readouterr().out
    assert main(["lookup", "The French Republic", "capital", "--store", filled.url]) == 0
    assert "Paris" in capsys.readouterr().out
    assert main(["embed", "--store", filled.url]) == 0
    assert "Embedded 0 names" in capsys.readouterr().out
    with open_store(filled.url, read_only=True) as store:
        assert store.has_vectors()
