"""The test suites of the W3C for RDF 1.1, N-Triples and Turtle, read from outside the project.

They are looked for in the folder that LAMPLIGHT_TEST_DATA names, or in `shared` next to the
checkout. Where they are absent, the tests are skipped with the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat

from graph.core.errors import StoreError
from graph.exchange.rdf import parse_whole
from tests.graph.exchange.reading import read

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("LAMPLIGHT_TEST_DATA") or ROOT.parent / "shared")
SUITES = DATA / "cases" / "real" / "w3c-rdf11"
WEB = "https://w3c.github.io/rdf-tests/rdf/rdf11/rdf-turtle/"

# What a triplet store cannot hold, and the number of rows that are reported because of it.
REPORTED = {"is empty", "control character", "U+FFFD", "at most", "reserved", "about the file"}


def listed_tests(suite: str) -> list[tuple[Path, Path | None]]:
    """The tests that a suite lists, each with its result; none where the suite is absent."""
    listed = SUITES / suite / "manifest.ttl"
    text = listed.read_text("utf-8") if listed.exists() else ""
    found = re.findall(r"mf:action\s+<([^>]+)>\s*;(?:\s*mf:result\s+<([^>]+)>)?", text)
    return [
        (listed.with_name(action), listed.with_name(result) if result else None)
        for action, result in found
    ]


def is_negative(path: Path) -> bool:
    return "-bad-" in path.name


ALL = [*listed_tests("rdf-turtle"), *listed_tests("rdf-n-triples")]


def test_the_suites_are_there() -> None:
    if not ALL:
        pytest.skip("there is no cases/real/w3c-rdf11 in the folder that LAMPLIGHT_TEST_DATA names")
    assert len(ALL) > 350
    assert sum(is_negative(path) for path, _ in ALL) == 123
    assert sum(result is not None for _, result in ALL) > 140


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=lambda path: path.name)
def test_positive_tests_are_taken_and_negative_ones_refused(path: Path) -> None:
    if is_negative(path):
        if path.suffix == ".ttl":
            with pytest.raises(StoreError, match=r"not Turtle: line \d+|not UTF-8"):
                read(path)
        else:
            assert read(path).bad
        return
    done = read(path)
    for reason in done.bad.values():
        assert any(known in reason for known in REPORTED), reason


def canonical(triples: Iterable[tuple[object, ...]]) -> Dataset:
    dataset = Dataset(Quad(*triple[1:]) for triple in triples)  # type: ignore[arg-type]
    dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return dataset


@pytest.mark.parametrize(
    ("turtle", "path"),
    [(path, result) for path, result in ALL if result is not None and not is_negative(path)],
    ids=lambda path: path.name,
)
def test_evaluation_tests_give_their_results(turtle: Path, path: Path) -> None:
    text, expected = (each.read_bytes().decode() for each in (turtle, path))
    ours, _ = parse_whole(text, RdfFormat.TURTLE, "Turtle", WEB + turtle.name)
    theirs, _ = parse_whole(expected, RdfFormat.N_TRIPLES, "N-Triples")
    assert canonical(ours) == canonical(theirs)
