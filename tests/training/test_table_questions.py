"""Tables with questions: their answers are in them, and the corpus never asks what is measured."""

from __future__ import annotations

from collections import Counter

import pytest

from graph.lookup.relevance import readable
from training.corpus.questions.everyday import Everyday
from training.corpus.wordings import forbidden_prompt, is_plain, prompt_key
from training.table_questions import CALIBRATION, MEASURED, QuestionedTable, read_tables


@pytest.mark.parametrize("folder", [CALIBRATION, MEASURED], ids=["calibration", "measured"])
def test_answers_are_in_the_tables(folder: object) -> None:
    tables = read_tables(CALIBRATION if folder == CALIBRATION else MEASURED)
    assert len(tables) == (12 if folder == CALIBRATION else 6)
    for table in tables:
        values = {value for _, _, value in table.facts} | {entity for entity, _, _ in table.facts}
        for case in table.cases:
            assert case["kind"], case
            for wanted in (*case.get("any", ()), *case.get("all", ())):
                assert wanted in values, (table.name, case)
        kinds = Counter(case["kind"] for case in table.cases)
        assert kinds["direct"] == 14
        assert kinds["none"] >= 4
        direct = [case for case in table.cases if case["kind"] == "direct" and "any" in case]
        named = [(case, table.about(case)) for case in direct]
        assert sum(bool(name and table.answering(case, name)) for case, name in named) > 8


def test_a_table_knows_what_a_case_is_about() -> None:
    facts = (("Van 7", "driver", "Ada"), ("Van 7", "seats", "3"), ("Van 71", "seats", "5"))
    table = QuestionedTable("vans", facts, ())
    case = {"q": "who drives van 7?", "any": ["Ada"]}
    assert table.about(case) == "Van 7"
    assert table.about({"q": "Who drives?"}) is None
    assert table.relations_of("Van 7") == ("driver", "seats")
    assert table.answering(case, "Van 7") == ["driver"]
    assert table.answering({"q": "", "none": True}, "Van 7") == []


def test_the_corpus_may_not_ask_what_is_measured() -> None:
    for table in read_tables(MEASURED):
        names = {name for entity, _, value in table.facts for name in (entity, value)}
        for case in table.cases:
            plain = is_plain(prompt_key(case["q"], names))
            assert plain or forbidden_prompt(case["q"], names), case


def test_people_s_own_relations_are_many_and_each_is_described_once() -> None:
    own = Everyday(("word",), ("Name",))
    assert len(own.relations) > 480
    questions = [text for relation in own.relations.values() for text in relation.questions]
    assert len(questions) > 4000
    # Most questions do not use the relation's own words.
    apart = [
        text
        for name, relation in own.relations.items()
        for text in relation.questions
        if not any(word in text.lower() for word in readable(name).lower().split())
    ]
    assert len(apart) > len(questions) / 2
