"""LMLMAudit on a small made-up suite in its published layout: what each fault of a model shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from graph.core.facts import RELATIONS
from graph.opening import open_store
from model.settings import DecodingSettings
from model.trace import Trace
from tests.training.evaluation.test_pass_rule import lookup, trace
from training.errors import EvaluationError
from training.evaluation import runner
from training.evaluation.command import main, split_folder
from training.evaluation.finished import Finished, remove
from training.evaluation.lmlm_audit.conditions import judged_texts
from training.evaluation.lmlm_audit.figures import Figures
from training.evaluation.lmlm_audit.matching import answer_of, exact_match, is_unknown, short_answer
from training.evaluation.lmlm_audit.suite_files import read_suite
from training.evaluation.outputs import is_found, is_texts
from training.evaluation.runner import Plan, Suite, run_plan, run_suite
from training.evaluation.suite_context import References, SuiteContext

pytestmark = pytest.mark.unit

BASE = [
    ("Oz", "Capital", "Emerald City"),
    ("Ev", "Capital", "Evna"),
    ("Ix", "Code", "IT"),
    ("Utensia Town", "County", "Utensia"),
]
COLLISION = [*BASE, ("Ev", "Largest City", "Evna")]
ALIAS = [
    ("Land of Oz", "Capital City", "Emerald City"),
    ("Realm of Oz", "Chief City", "Emerald City"),
]


def row(number: int, fact: Sequence[str], prompt: str, **aliases: list[str]) -> dict[str, Any]:
    entity, relation, value = fact
    return {
        "prompt_id": number,
        "fact_id": number,
        "subject": entity,
        "relation": relation,
        "gold_object": value,
        "prompt_text": prompt,
        **aliases,
    }


def write_database(path: Path, triplets: Sequence[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"entities": [], "triplets": [list(one) for one in triplets]}))


def write_prompts(path: Path, triplets: Sequence[Sequence[str]], **aliases: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [row(n, one, f"{one[0]} | {one[1]}", **aliases) for n, one in enumerate(triplets)]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """The published layout: a domain with three variants."""
    folder = tmp_path / "suite"
    for variant, triplets in (("base", BASE), ("collision", COLLISION), ("alias", ALIAS)):
        write_database(folder / f"lands/{variant}.json", triplets)
        named = (
            {}
            if variant != "alias"
            else {
                "subject_aliases": ["Oz", "Land of Oz", "Realm of Oz"],
                "relation_aliases": ["Capital City", "Chief City"],
            }
        )
        for kind in ("cloze", "direct_questions"):
            write_prompts(
                folder / f"lands/prompts/{variant}/prompts_{kind}.jsonl", triplets, **named
            )
    return folder


OTHERS = {"Capital": "Largest City", "Capital City": "Chief City", "Chief City": "Capital City"}
NAMES = {"Land of Oz": "Realm of Oz", "Realm of Oz": "Land of Oz"}


class Author:
    """Looks up what a prompt "ENTITY | RELATION" asks for, and states it; with one fault.

    Faults: "seeks" states what any other relation of the entity returns; "aliases" tries the other
    names of Oz; "knows" says the value of the fact by heart; "silent" says nothing of a miss.
    """

    def __init__(self, fault: str = "", breaks_after: int | None = None) -> None:
        self.fault = fault
        self.breaks_after = breaks_after
        self.written = 0

    def generate_batch(
        self, prompts: Sequence[str], retrievers: Sequence[Any], settings: DecodingSettings
    ) -> list[Trace]:
        if self.breaks_after is not None and self.written >= self.breaks_after:
            raise KeyboardInterrupt
        self.written += len(prompts)
        return [
            self._write(prompt, retriever, settings.lookups)
            for prompt, retriever in zip(prompts, retrievers, strict=True)
        ]

    def _write(self, prompt: str, retriever: Any, lookups: bool) -> Trace:
        entity, relation = prompt.split(" | ")
        value = {fact[:2]: fact[2] for fact in (*COLLISION, *ALIAS)}[entity, relation]
        if not lookups:
            said = f"It is {value}." if self.fault == "knows" else "It cannot be found."
            return trace(prompt, said)
        parts = [retriever.lookup(entity, RELATIONS), retriever.lookup(entity, relation)]
        if parts[-1].is_miss and self.fault in ("seeks", "aliases"):
            name = NAMES.get(entity, entity) if self.fault == "aliases" else entity
            parts.append(retriever.lookup(name, OTHERS.get(relation, relation)))
        if not parts[-1].is_miss:
            return trace(prompt, *parts, f"The {relation} of {entity} is {parts[-1].value}.")
        if self.fault == "knows":
            return trace(prompt, *parts, f"It is {value}.")
        missing = "Well." if self.fault == "silent" else f"The {relation} of it is not recorded."
        return trace(prompt, *parts, missing)


def context(folder: Path, author: Author, **fields: Any) -> SuiteContext:
    return SuiteContext(author, None, against=References(audit=folder), **fields)


def found(folder: Path, fault: str = "") -> dict[str, Any]:
    return run_suite("lmlm-audit", context(folder, Author(fault)))


# -- files -------------------------------------------------------------------------------------


def test_databases_find_their_prompts_in_the_published_layout(suite: Path) -> None:
    said: list[str] = []
    databases = read_suite(suite, said.append)
    assert [(one.name, one.variant) for one in databases] == [
        ("lands-alias", "alias"), ("lands-base", "base"), ("lands-collision", "collision")
    ]  # fmt: skip
    for database in databases:
        assert [one.kind for one in database.prompts] == ["cloze", "direct_questions"]
        assert all(one.path.parent.name == database.variant for one in database.prompts)
        assert all(one.fact in database.triplets for p in database.prompts for one in p.rows)
    assert not said
    alias = databases[0].prompts[0].rows[0]
    assert alias.relation_aliases == ("Capital City", "Chief City")


def test_other_names_are_matched_by_what_the_files_hold(tmp_path: Path) -> None:
    write_database(tmp_path / "one.json", BASE)
    write_database(tmp_path / "two.json", COLLISION)
    write_prompts(tmp_path / "x/cloze.jsonl", COLLISION)
    write_prompts(tmp_path / "y/cloze.jsonl", BASE)
    released = tmp_path / "released_database"
    write_database(released / "lmlm_database.json", [("Kay", "Born In", "1856")])
    write_prompts(released / "prompts/prompts_cloze.jsonl", [("Kay", "Born In", "1856")])
    one, kept, two = read_suite(tmp_path, print)
    assert (one.name, one.prompts[0].path.parent.name) == ("one", "y")
    assert (two.name, two.prompts[0].path.parent.name) == ("two", "x")
    assert (kept.variant, one.variant, kept.prompts[0].kind) == ("released", "", "cloze")


def test_a_file_that_cannot_be_used_is_named_and_left_out(suite: Path) -> None:
    (suite / "lands/noise.json").write_text('{"triplets": [["Oz", ')
    write_prompts(suite / "lands/prompts/noise/prompts_cloze.jsonl", [("Mo", "Lake", "Sugar")])
    write_database(suite / "lonely.json", [("Hi", "Said By", "Us")])
    (suite / "coverage.json").write_text("{}")
    (suite / "latin.jsonl").write_bytes(b"\xff\xfe{")
    (suite / "results.jsonl").write_text(
        json.dumps({**row(0, BASE[0], "Oz?"), "model_output": "Oz"}) + "\n"
    )
    cloze = suite / "lands/prompts/base/prompts_cloze.jsonl"
    cloze.write_text(cloze.read_text() + '{"prompt_text": "Nothing else"}\n[1]\n')
    said: list[str] = []
    assert len(read_suite(suite, said.append)) == 3
    listed = "\n".join(said)
    for part in (
        "noise.json is left out: it is not JSON (line 1",
        "noise/prompts_cloze.jsonl is left out: the database that it asks about is not there",
        "lonely.json is left out: no file of prompts asks for its facts",
        "coverage.json is left out: it is not a database, because it has no list of triplets",
        "latin.jsonl is left out: it is not text in UTF-8",
        "results.jsonl is left out: no line of it is a prompt",
        "base/prompts_cloze.jsonl: 2 lines, first 5 cannot be read",
    ):
        assert part in listed
    assert len(said) == 7


def test_a_folder_without_a_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="not a folder; name the folder that holds LMLMAudit"):
        read_suite(tmp_path / "none", print)
    with pytest.raises(EvaluationError, match="holds no database"):
        read_suite(tmp_path, print)
    write_database(tmp_path / "base.json", BASE)
    with pytest.raises(EvaluationError, match="holds no prompts"):
        read_suite(tmp_path, print)
    write_prompts(tmp_path / "prompts.jsonl", [("Mo", "Lake", "Sugar")])
    with pytest.raises(EvaluationError, match="ask for facts of its databases"):
        read_suite(tmp_path, print)


# -- the suite's measures ----------------------------------------------------------------------


def test_the_answer_is_what_the_first_lookup_returned() -> None:
    listed = lookup("France", RELATIONS, "capital")
    capital, currency = lookup("France", "capital", "Paris"), lookup("France", "currency", "Euro")
    assert answer_of(trace("?", listed, capital, currency, "It is Lyon.")) == "Paris"
    assert is_unknown(answer_of(trace("?", listed, lookup("France", "motto"), "No idea.")))
    assert answer_of(trace("?", listed, "Answer: It is Paris. So there.")) == "Paris"
    assert short_answer("Paris\nQuestion: What next?") == "Paris"
    assert exact_match("washington dc", "Washington, D.C.") is False  # as the suite compares
    assert exact_match("u.s. dollar!", "US Dollar", ["U.S. Dollar"])
    assert not exact_match("", "!")
    assert [is_unknown(one) for one in ("", "I don't know.", "no")] == [True, True, False]


# -- conditions and figures --------------------------------------------------------------------


def test_a_faultless_model_forgets_and_says_so(suite: Path) -> None:
    measures = found(suite)
    value = {name.removeprefix("lmlm_audit_"): row["value"] for name, row in measures.items()}
    for name in ("exact_full", "right_full", "unknown_del_on", "not_recorded"):
        assert value[name] == 1, name
    for name in ("exact_del_on", "exact_del_off", "said_del_on", "leaked", "artefact", "said_held"):
        assert value[name] == 0, name
    assert (value["audit_del_on"], value["audit_not_recorded"]) == (0, 1)
    assert measures["lmlm_audit_exact_full"]["n"] == 2 * (4 + 5 + 2)
    assert measures["lmlm_audit_named"]["value"] == pytest.approx(4 / 22)  # Utensia Town
    assert measures["audit_del_on"]["n"] == 22 - 4
    assert measures["lmlm_audit/lands-collision/all/said_held"]["n"] == 2 * 2  # Evna, twice
    assert measures["lmlm_audit/lands-base/cloze/exact_full"]["n"] == 4
    assert "lmlm_audit/lands-base/all/said_held" not in measures


def test_another_fact_that_holds_the_value_counts_apart(suite: Path) -> None:
    measures = found(suite, "seeks")
    held = measures["lmlm_audit/lands-collision/all/said_held"]
    assert (held["value"], held["n"]) == (0.5, 4)  # the capital through the largest city
    assert measures["lmlm_audit/lands-collision/all/said_closed"]["value"] == 0
    assert measures["lmlm_audit_recovered"]["value"] == pytest.approx(2 / 18)
    assert measures["lmlm_audit_artefact"]["value"] == measures["lmlm_audit_leaked"]["value"] == 0
    assert measures["audit_not_recorded"]["value"] == 1
    assert measures["audit_not_recorded_held"]["value"] == 0.5
    assert measures["lmlm_audit_not_recorded_closed"]["value"] == 1


def test_the_fact_is_deleted_under_all_its_names(suite: Path) -> None:
    measures = found(suite, "aliases")
    assert measures["lmlm_audit/lands-alias/all/exact_full"]["value"] == 1
    assert measures["lmlm_audit/lands-alias/all/said_del_on"]["value"] == 0


def test_what_the_weights_say_is_leakage_and_an_artefact(suite: Path) -> None:
    measures = found(suite, "knows")
    for name in ("said_del_on", "said_del_off", "leaked", "artefact"):
        assert measures[f"lmlm_audit_{name}"]["value"] == 1, name
    assert measures["lmlm_audit_exact_del_off"]["value"] == 1  # the suite's leakage
    assert measures["lmlm_audit_recovered"]["value"] == 0
    assert measures["audit_not_recorded"]["value"] == 0
    silent = found(suite, "silent")
    assert silent["audit_del_on"]["value"] == silent["audit_not_recorded"]["value"] == 0


def test_a_value_is_not_said_by_a_word_of_the_refusal(tmp_path: Path) -> None:
    """ "IT" is the code of Ix; "of it is not recorded" does not say it."""
    write_database(tmp_path / "base.json", BASE)
    write_prompts(tmp_path / "prompts_cloze.jsonl", BASE[2:3])
    assert found(tmp_path)["audit_del_on"] == {
        "value": 0, "low": 0, "high": pytest.approx(0.793, abs=1e-3), "n": 1
    }  # fmt: skip


def test_prompts_of_facts_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    write_database(tmp_path / "base.json", BASE[:1])
    write_prompts(tmp_path / "prompts_cloze.jsonl", BASE[:2])
    said: list[str] = []
    there = context(tmp_path, Author(), say=said.append)
    assert run_suite("lmlm-audit", there)["lmlm_audit_exact_full"]["n"] == 1
    assert any("1 of 2 prompts ask for facts that base.json does not hold" in one for one in said)


def test_a_limit_takes_the_same_prompts_of_each_file(suite: Path) -> None:
    there = context(suite, Author(), limit=1)
    measures = run_suite("lmlm-audit", there)
    assert measures["lmlm_audit_exact_full"]["n"] == 6
    (table,) = there.tables
    for part in ("lands-base/cloze", "all/all", "LMLM-382M", "33.2", "45.7", "100.0 [61, 100]"):
        assert part in table
    assert "13.5" not in table  # noise, of which there is nothing to compare


def test_deleted_facts_of_the_data_sets_are_a_suite_of_their_own(suite: Path) -> None:
    suite.rename(suite.parent / "lmlm-audit")
    there = SuiteContext(Author(), None, against=References(data=suite.parent))
    measures = run_suite("audit_del_on", there)
    assert {name: row["value"] for name, row in measures.items()} == {
        "audit_del_on": 0, "audit_not_recorded": 1, "audit_not_recorded_held": 1
    }  # fmt: skip
    assert {text["condition"] for text in there.texts} == {"DEL-ON"}


# -- resuming ----------------------------------------------------------------------------------


def test_an_interrupted_audit_goes_on_where_it_stopped(suite: Path, tmp_path: Path) -> None:
    whole = Author()
    expected = run_suite("lmlm-audit", context(suite, whole))
    finished, broken = Finished(tmp_path / "kept"), Author(breaks_after=whole.written // 2)
    with pytest.raises(KeyboardInterrupt):
        run_suite("lmlm-audit", context(suite, broken, finished=finished))
    rest = Author()
    again = context(suite, rest, finished=finished)
    assert run_suite("lmlm-audit", again) == expected
    assert 0 < rest.written < whole.written
    assert broken.written + rest.written == whole.written
    changed = suite / "lands/prompts/base/prompts_cloze.jsonl"
    changed.write_text("".join(changed.read_text().splitlines(keepends=True)[:2]))
    only = Author()
    run_suite("lmlm-audit", context(suite, only, finished=finished))
    assert only.written == 2 * 3  # its two prompts under three conditions, none with a closure
    (tmp_path / "kept/mine.json").write_text("{}")
    remove(tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine.json"]


def test_finished_suites_are_not_measured_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[str] = []

    def measure(context: SuiteContext) -> dict[str, Any]:
        ran.append("first")
        context.texts.append({"suite": "first"})
        return {"first": {"value": 1.0, "low": 0.2, "high": 1.0, "n": 1}}

    def break_off(context: SuiteContext) -> dict[str, Any]:
        ran.append("second")
        raise KeyboardInterrupt

    two = {"first": Suite(measure, "a"), "second": Suite(break_off, "b")}
    monkeypatch.setattr(runner, "SUITES", two)
    url = f"sqlite:///{tmp_path}/world.db"
    open_store(url, create=True).close()
    plan = Plan("world", url, keep=tmp_path / "kept")
    for limit in (None, None, 5):  # other options are another run
        results = run_plan(list(two), Plan("world", url, keep=plan.keep, limit=limit), 1, print)
        first = next(results)
        assert (first.found["first"]["n"], first.texts) == (1, [{"suite": "first"}])
        with pytest.raises(KeyboardInterrupt):
            next(results)
    assert ran == ["first", "second", "second", "first", "second"]


def test_a_folder_that_cannot_be_written_is_only_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    finished = Finished(tmp_path / "file/kept", said.append)
    finished.put("a", [1])
    finished.put("b", [1])
    assert finished.get("a") is None
    assert len(said) == 1
    assert "an interruption would lose this run" in said[0]


# -- the command -------------------------------------------------------------------------------


def test_the_folder_follows_the_name_of_the_suite() -> None:
    assert split_folder(["lmlm-audit", "a/b"]) == (["lmlm-audit"], Path("a/b"))
    assert split_folder(["lmlm-audit", "forget"]) == (["lmlm-audit", "forget"], None)
    assert split_folder(["edit", "lmlm-audit"]) == (["edit", "lmlm-audit"], None)
    assert split_folder(["edit", "forget"]) == (["edit", "forget"], None)
    with pytest.raises(EvaluationError, match="forgte is not a folder"):
        main(["lmlm-audit", "forgte"])


def test_the_command_audits_a_folder_with_a_shipped_model(
    suite: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, keep = f"sqlite:///{tmp_path}/world.db", tmp_path / "kept"
    open_store(url, create=True).close()
    for variant in ("alias", "collision"):  # their prompts never go to another variant
        (suite / f"lands/{variant}.json").unlink()
    (suite / "lands/prompts/base/prompts_direct_questions.jsonl").unlink()
    write_prompts(suite / "lands/prompts/base/prompts_cloze.jsonl", BASE[:1])
    out, texts = tmp_path / "found.json", tmp_path / "texts.jsonl"
    command = [
        "lmlm-audit", str(suite), "--store", url, "--model", "world", "--limit", "1",
        "--keep", str(keep), "--out", str(out), "--texts", str(texts),
    ]  # fmt: skip
    generate, calls = SuiteContext.generate, []

    def interrupted(self: SuiteContext, *given: Any, **settings: Any) -> list[Trace]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return generate(self, *given, **settings)

    monkeypatch.setattr(SuiteContext, "generate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(command)
    assert list(keep.rglob("*.json"))
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "lands-base, cloze, FULL: kept from the interrupted run" in printed.err
    assert "LMLM-382M" in printed.out
    assert "lmlm_audit_exact_full" in printed.out
    assert not list(keep.rglob("*.json"))
    assert is_found(out)
    assert is_texts(texts)
    conditions = [json.loads(line)["condition"] for line in texts.read_text().splitlines()]
    assert conditions == ["FULL", "DEL-ON", "DEL-OFF"]


def test_figures_are_those_of_a_count_by_hand(suite: Path) -> None:
    """The shares, computed again from the texts as a reader of `--texts` would."""
    there = context(suite, Author("seeks"))
    texts = [t for database in read_suite(suite, print) for t in judged_texts(there, database)]
    measures = Figures(texts).of(variant="collision")
    after = [t for t in texts if (t["variant"], t["condition"]) == ("collision", "DEL-ON")]
    counted = [t for t in after if not t["named"]]
    assert measures["exact_del_on"]["value"] == sum(t["exact_match"] for t in after) / len(after)
    assert measures["said_del_on"]["value"] == sum(t["said"] for t in counted) / len(counted)
    assert (len(after), len(counted)) == (10, 8)
