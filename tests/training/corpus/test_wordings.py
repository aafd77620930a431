"""Wordings by people: how they are read, which are held out, and which training may not use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.corpus import wordings
from training.corpus.wordings import (
    DEFAULT_DATA,
    Wording,
    clean_wording,
    forbidden,
    forbidden_prompt,
    prompt_key,
    property_held_out,
    read_wordings,
    swapped,
    wording_held_out,
)
from training.errors import CorpusError

pytestmark = pytest.mark.unit


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder in the published formats."""
    (tmp_path / "kgconv").mkdir()
    (tmp_path / "pararel").mkdir()
    key = {"p": "P19", "s_types": ["Q5"], "o_types": ["Q515"]}
    library = [
        {"template_key": key, "templates": [{"left": "where was ", "right": " born ?"}]},
        {
            "template_key": key | {"o_types": ["Q6256"]},
            "templates": [
                {"left": "Where was ", "right": " born?"},
                {"left": "what is ", "right": "  's place of birth?"},
                {"left": "what is ", "right": " place>?"},
                {"left": " ", "right": "Beast Boy?"},
            ],
        },
        {
            "template_key": {"p": "-P19", "s_types": ["Q515"], "o_types": ["Q5"]},
            "templates": [{"left": "Which people are natives of ", "right": "?"}],
        },
        {
            "template_key": {"p": "P9", "s_types": [], "o_types": []},
            "templates": [{"left": "what is the nine of ", "right": "?"}],
        },
    ]
    (tmp_path / "kgconv/template_library.json").write_text(json.dumps(library))
    (tmp_path / "kgconv/property_labels.json").write_text('{"P19": "place of birth"}')
    (tmp_path / "kgconv/entity_labels.json").write_text('{"Q64": "Berlin", "Q3012": "Ulm"}')
    patterns = ["[X] was born in [Y] .", "[X], a native of [Y]", "[Y] is where [X] was born."]
    (tmp_path / "pararel/P19.jsonl").write_text(
        "\n".join(json.dumps({"pattern": pattern}) for pattern in patterns)
    )
    return tmp_path


def test_templates_of_a_property_are_merged_and_cleaned(published: Path) -> None:
    found = {one.id: one for one in read_wordings(published).properties}
    assert set(found) == {"P19", "-P19"}  # a property without a label is left out
    birth = found["P19"]
    assert [w.question("Ada") for w in birth.wordings] == [
        "where was Ada born?",
        "what is Ada's place of birth?",
    ]
    assert birth.label == "place of birth"
    assert birth.object_types == {"Q515", "Q6256"}
    assert birth.statements == ("[X] was born in [Y].", "[Y] is where [X] was born.")
    assert found["-P19"].label == "place of birth of"
    assert found["-P19"].statements[0] == "[Y] was born in [X]."
    assert read_wordings(published).entities == ("Berlin", "Ulm")


def test_says_what_is_missing(tmp_path: Path, published: Path) -> None:
    assert len(read_wordings(tmp_path / "nothing").missing) == 2
    (published / "kgconv/template_library.json").write_text("{}{}")
    with pytest.raises(CorpusError, match="published format"):
        read_wordings(published)


@pytest.mark.parametrize(
    ("left", "right", "cleaned"),
    [
        ("what is ", " 's sport ?", ("what is", "'s sport?")),
        ("What is ", "' genre?", ("What is", "'s genre?")),
        ("who is  in ", ".?", ("who is in", "?")),
        ("", " died here?", None),
        ('Who directed "', '"?', ('Who directed "', '"?')),
        ('Who directed "', "?", None),
        ("what is", "", None),
    ],
)
def test_a_wording_is_cleaned_or_dropped(
    left: str, right: str, cleaned: tuple[str, str] | None
) -> None:
    assert clean_wording(left, right) == cleaned


def test_the_name_stands_between_the_parts() -> None:
    assert Wording('Who directed "', '"?', False).question("Jaws") == 'Who directed "Jaws"?'
    assert Wording("", "is where?", False).question("Ulm") == "Ulm is where?"
    assert swapped("[X] was born in [Y].") == "[Y] was born in [X]."


def test_held_out_is_the_same_for_a_property_and_its_inverse() -> None:
    assert property_held_out("P26")
    assert property_held_out("-P26")
    assert not property_held_out("P19")
    one = wording_held_out("P19", "Where was", "born?")
    assert one == wording_held_out("P19", "where was", "born ?")


def test_names_are_blanked() -> None:
    assert prompt_key("What's the capital of the  Netherlands?", ["Netherlands"]) == (
        "what is the capital of _"
    )


def test_plain_forms_are_never_forbidden() -> None:
    assert not forbidden("What is the capital of", "?")
    assert not forbidden_prompt("The capital of Ulm is", ["Ulm"])
    assert not forbidden_prompt("Tell me about Ulm.", ["Ulm"])
    assert forbidden("How do I dial", "?")


needs_data = pytest.mark.skipif(
    not DEFAULT_DATA.is_dir(), reason=f"the data sets are not in {DEFAULT_DATA}"
)


@needs_data
def test_the_published_data_sets() -> None:
    found = read_wordings()
    assert len(found.properties) == 467
    assert len({p.id.lstrip("-") for p in found.properties if p.held_out}) == 40
    number = sum(len(one.wordings) for one in found.properties)
    apart = sum(w.held_out for one in found.properties for w in one.wordings)
    assert number > 9000
    assert 0.08 < apart / number < 0.12
    for one in found.properties:
        assert not any(forbidden(w.left, w.right) for w in one.trainable())


@needs_data
def test_prompts_of_measures_are_forbidden() -> None:
    assert forbidden("What do people in", "pay with?")
    assert forbidden("which continent is", "in?")  # an audit prompt
    assert forbidden_prompt("How many countries border Oz?", ["Oz"])
    assert forbidden_prompt("Oz capital", ["Oz"])
    assert not forbidden_prompt("Oz currency", ["Oz"])
    assert not forbidden("What is the currency of", "?")
    assert "what is the internet code of _" in wordings.measured_prompts()
