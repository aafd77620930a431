"""The suites of natural prompts: full marks for a faultless model; skipped without their data."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from graph.core.facts import RELATIONS
from graph.lookup.retriever import Retriever
from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from model.settings import DecodingSettings
from model.trace import Trace
from tests.training.evaluation.test_pass_rule import trace
from training.case_file import Case, append_case
from training.corpus import wordings
from training.corpus.made_up_values import made_up_word
from training.corpus.wordings import (
    forbidden,
    kept_prompts,
    prompt_key,
    property_held_out,
    read_wordings,
    templates_of,
)
from training.evaluation.command import main
from training.evaluation.natural import store_of
from training.evaluation.outputs import is_texts, write_texts
from training.evaluation.pass_rule import holds
from training.evaluation.runner import SUITES, chosen_suites, run_suite
from training.evaluation.suite_context import References, SuiteContext
from training.evaluation.suites import kept_prompts as kept
from training.evaluation.suites.relation_choice import FEWEST, MOST, draw_choices

pytestmark = pytest.mark.unit

Writer = Callable[[str, Any], list[Any]]


class Scripted:
    """Answers each prompt with the parts that a function gives for it."""

    def __init__(self, parts: Writer) -> None:
        self._parts = parts

    def generate_batch(
        self, prompts: Sequence[str], retrievers: Sequence[Any], settings: DecodingSettings
    ) -> list[Trace]:
        return [
            trace(prompt, *self._parts(prompt, retriever))
            for prompt, retriever in zip(prompts, retrievers, strict=True)
        ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets in the published formats, made up."""
    folder = tmp_path_factory.mktemp("data")
    rng = random.Random(5)
    (folder / "kgconv").mkdir()
    labels = {f"P{n}": f"{made_up_word(rng, 3)} {made_up_word(rng, 3)}" for n in range(200)}
    frames = [("what is the {} of ", "?"), ("", " has what {}?"), ("which {} does ", " have?")]
    frames += [(f"{verb} the {{}} of ", "?") for verb in ("name", "say which is", "what may be")]
    library = [
        {
            "template_key": {"p": p, "s_types": [f"Q{n % 5}"], "o_types": [f"Q{100 + n % 9}"]},
            "templates": [
                {"left": left.format(label), "right": right.format(label)} for left, right in frames
            ],
        }
        for n, (p, label) in enumerate(labels.items())
    ]
    (folder / "kgconv/template_library.json").write_text(json.dumps(library))
    (folder / "kgconv/property_labels.json").write_text(json.dumps(labels))
    names = {f"Q{n}": f"{made_up_word(rng, 2).capitalize()} Hill" for n in range(900)}
    (folder / "kgconv/entity_labels.json").write_text(json.dumps(names))
    questions = [
        {"q": "france capital", "kind": "telegraphic and typing errors", "any": ["Paris"]},
        {"q": "Is Lyon the capital of France?", "kind": "yes or no", "no": True, "any": ["Paris"]},
        {"q": "Tell me about Atlantis.", "kind": "not recorded", "none": True},
    ]
    (folder / "questions_open.jsonl").write_text("\n".join(map(json.dumps, questions)) + "\n")
    audit = folder / "lmlm-audit"
    (audit / "prompts-released").mkdir(parents=True)
    triplets = [["Oz", "Famous For", "Emerald City"], ["Oz", "Famous For", "Emerald City"]]
    (audit / "released.json").write_text(json.dumps({"triplets": triplets}))
    row = {
        "prompt_id": 0,
        "fact_id": 0,
        "subject": "Oz",
        "relation": "Famous For",
        "gold_object": "Emerald Town",
        "object_aliases": ["Emerald City"],
        "prompt_text": "Oz is famous for ____. ",
    }
    (audit / "prompts-released/prompts_cloze.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def context(data: Path, parts: Writer, store: Any = None, limit: int | None = None) -> SuiteContext:
    return SuiteContext(Scripted(parts), store, against=References(data=data), limit=limit)


def test_natural_open_counts_each_kind(data: Path) -> None:
    def parts(prompt: str, retriever: Retriever) -> list[Any]:
        if "Atlantis" in prompt:
            return [retriever.lookup("Atlantis", RELATIONS), "Atlantis is not in the graph."]
        return [retriever.lookup("France", "capital"), "The capital of France is Paris."]

    with store_of([("France", "capital", "Paris")]) as store:
        there = context(data, parts, store)
        found = run_suite("natural_open", there)
    assert found["natural_open"]["n"] == 3
    assert found["natural_open"]["value"] == pytest.approx(2 / 3)  # it does not say "no"
    assert found["natural_open_yes_or_no"]["value"] == 0
    assert found["natural_open_telegraphic_and_typing_errors"]["value"] == 1
    assert found["natural_open_unshared"]["n"] == 2  # without "Tell me about X."
    kept = {text["prompt"]: text for text in there.texts}
    assert kept["france capital"]["lookups"] == ["France · capital → Paris"]
    assert kept["Is Lyon the capital of France?"]["reason"] == "does not begin with no"


def test_cases_of_wrong_answers_are_judged_by_the_same_rule(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    with store_of([("France", "capital", "Paris")]) as store:

        def parts(prompt: str, retriever: Retriever) -> list[Any]:
            if "head" in prompt:
                return ["The graph does not record that."]
            return [retriever.lookup("France", "capital"), "The capital of France is Paris."]

        there = SuiteContext(Scripted(parts), store, against=References(cases=path))
        assert run_suite("cases", there) == {}
        append_case(path, Case("Where does France sit?", "France", "capital", "Paris"))
        append_case(path, Case("Who is the head of France?", "France"))
        append_case(path, Case("What does France pay with?", "France", "currency", "euro"))
        found = run_suite("cases", there)
    assert found["cases"]["n"] == 3
    assert found["cases"]["value"] == pytest.approx(2 / 3)


def test_an_audit_asks_a_store_of_its_triplets(data: Path) -> None:
    def parts(prompt: str, retriever: Retriever) -> list[Any]:
        return [retriever.lookup("Oz", "Famous For"), "Oz is famous for Emerald City."]

    found = run_suite("audit_released_cloze", context(data, parts))
    assert found["audit_released_cloze"]["value"] == 1
    without = run_suite(
        "audit_released_cloze", context(data, lambda prompt, retriever: ["Emerald City."])
    )
    assert without["audit_released_cloze"]["value"] == 0
    assert without["audit_released_cloze_contains"]["value"] == 1


@pytest.mark.parametrize("suite", ["natural_open", "relation_choice", "audit_countries_direct"])
def test_a_suite_without_its_data_is_skipped(suite: str, tmp_path: Path) -> None:
    said: list[str] = []
    there = context(tmp_path, lambda prompt, retriever: [])
    there.say = said.append
    assert run_suite(suite, there) == {}
    assert "is skipped" in said[-1]


def test_the_right_relation_gets_full_marks(data: Path) -> None:
    asked = {
        one.question: one
        for one in draw_choices(read_wordings(data), random.Random("relation_choice:0"), 12)
    }

    def parts(prompt: str, retriever: Retriever) -> list[Any]:
        one = asked[prompt]
        listed = retriever.lookup(one.entity, RELATIONS)
        if not one.value:
            return [listed, f"The graph holds no {one.asked.label} of {one.entity}."]
        return [listed, retriever.lookup(one.entity, one.asked.label), f"It is {one.value}."]

    found = run_suite("relation_choice", context(data, parts, limit=12))
    for name in ("properties", "wordings", "properties_said", "wordings_said"):
        assert found[f"relation_choice_{name}"] == found["relation_choice_properties"]
    assert found["relation_choice_properties"]["value"] == 1
    assert found["none_fits_found"]["value"] == found["none_fits"]["value"] == 1
    assert found["false_none_fits"]["value"] == 0
    wrong = run_suite("relation_choice", context(data, lambda p, r: ["No such."], limit=12))
    assert wrong["relation_choice_wordings"]["value"] == 0


def test_questions_ask_for_what_training_never_sees(data: Path) -> None:
    for one in draw_choices(read_wordings(data), random.Random(3), 20):
        assert FEWEST - 1 <= len(one.facts) <= MOST
        assert one.question.count(one.entity) == 1
        lacks = one.measure == "none_fits"
        assert (one.asked.label in one.facts) is not lacks
        if one.measure == "relation_choice_properties":
            assert property_held_out(one.asked.id)
        assert not forbidden(*one.question.split(one.entity))


def test_a_limit_draws_the_same_prompts_again(data: Path) -> None:
    one = context(data, lambda prompt, retriever: [], limit=5)
    assert len(one.some(range(20))) == 5
    assert one.some(range(20)) == one.some(range(20))
    assert one.some(range(3)) == [0, 1, 2]


def test_a_pattern_names_several_suites() -> None:
    assert len(chosen_suites(["audit_*"])) == 13
    assert chosen_suites(["all"]) == [
        name for name in SUITES if name not in ("audit_del_on", "lmlm-audit")
    ]
    assert chosen_suites(["lmlm*"]) == ["lmlm-audit"]


def test_texts_are_recognised_before_they_are_written_again(tmp_path: Path) -> None:
    text = {"suite": "a", "measure": "b", "right": True, "prompt": "c", "text": "d"}
    write_texts([text], tmp_path / "texts.jsonl")
    assert is_texts(tmp_path / "texts.jsonl")
    write_texts([text, text], tmp_path / "texts.jsonl")
    assert len((tmp_path / "texts.jsonl").read_text().splitlines()) == 2


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(Exception, match="--limit is 0"):
        main(["natural_open", "--limit", "0"])


def test_guided_measures_guide_whatever_the_settings_say() -> None:
    checkpoint = load_checkpoint("world")
    with store_of([("France", "capital", "Paris")]) as store:
        for guided in (False, True):
            decoder = Decoder(checkpoint, guided=guided)
            (trace,) = decoder.generate_batch(
                ["Tell me about France."], [Retriever(store)], DecodingSettings(max_tokens=5)
            )
            assert trace.settings == DecodingSettings(max_tokens=5, guided=guided)


WORLD = [
    (name, relation, value)
    for number, name in enumerate(("Oz", "Ev", "Ix", "Mo"))
    for relation, value in {
        "instance of": "country",
        "capital": f"{name} City",
        "currency": f"{name} crown",
        "population": f"{number + 3} million",
        "calling code": f"+99{number}",
    }.items()
]
WORLD += [
    (f"{name} City", "population", f"{n + 1}00,000")
    for n, name in enumerate(("Oz", "Ev", "Ix", "Mo"))
]


@pytest.fixture(scope="module")
def made() -> dict[str, list[dict[str, Any]]]:
    """The cases of each suite on a small world."""
    makers = {
        "yes_no": kept._yes_no,
        "two_part": kept._two_part,
        "reverse": kept._reverse,
        "chain_2": kept._chain_2,
        "out_of_scope": kept._out_of_scope,
    }
    with store_of(WORLD) as store:
        there = SuiteContext(Scripted(lambda prompt, retriever: []), store)
        return {
            name: list(
                kept.draw_cases(list(make(kept.World(there, there.rng(name)))), 40, there.rng(name))
            )
            for name, make in makers.items()
        }


def test_yes_or_no_follows_from_the_graph(made: dict[str, list[dict[str, Any]]]) -> None:
    kinds = {case["kind"] for case in made["yes_no"]}
    assert kinds == {"yes", "no"}
    for case in made["yes_no"]:
        assert all(holds(case["q"], one) is (case["kind"] == "yes") for one in case["any"]), case


def test_two_parts_expect_both_values(made: dict[str, list[dict[str, Any]]]) -> None:
    assert {case["kind"] for case in made["two_part"]} == {"relations", "entities"}
    for case in made["two_part"]:
        assert len(case["all"]) == 2
        assert not any(holds(case["q"], one) for one in case["all"])


def test_reverse_and_chains_follow_from_the_graph(made: dict[str, list[dict[str, Any]]]) -> None:
    asked = {case["q"]: case["any"] for case in made["reverse"]}
    assert asked["Oz City serves as capital, but of what?"] == ["Oz"]
    chains = {case["q"]: case["any"] for case in made["chain_2"]}
    assert chains["How many people live in the capital of Oz?"] == ["100,000"]
    assert all(case["none"] for case in made["out_of_scope"])
    assert len(made["out_of_scope"]) == 40


def test_a_suite_of_kept_prompts_counts_its_kinds() -> None:
    def parts(prompt: str, retriever: Retriever) -> list[Any]:
        name = next(one for one in ("Oz", "Ev", "Ix", "Mo") if one in re.findall(r"\w+", prompt))
        return [retriever.lookup(name, "capital"), f"Yes, {name} City is the capital of {name}."]

    with store_of(WORLD) as store:
        there = SuiteContext(Scripted(parts), store, limit=8)
        found = run_suite("yes_no", there)
    assert found["yes_no"]["n"] == 8
    assert found["yes_no_no"]["value"] == 0


def test_no_phrase_of_the_corpus_is_a_kept_prompt() -> None:
    def key(template: str) -> str:
        possessive = re.sub(r"\{\w+'s\}", "_'s", template)
        return prompt_key(re.sub(r"\{[^{}]*\}", "_", possessive))

    corpus = Path(wordings.__file__).parent
    files = [*corpus.glob("phrases/*.yaml"), *corpus.glob("questions/own_wordings/*.yaml")]
    phrases = {
        key(template): file.name
        for file in files
        for template in templates_of(yaml.safe_load(file.read_text("utf-8")))
    }
    kept_ones = list(templates_of(kept_prompts()))
    assert len(phrases) > 1000
    assert [one for one in kept_ones if key(one) in phrases] == []
    assert len(kept_ones) == len(set(kept_ones)) > 100
