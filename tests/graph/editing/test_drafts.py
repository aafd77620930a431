"""Drafts: private, pinned to their base, kept in the store, and published whole or not at all."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from graph.core.draft_record import Step
from graph.core.edits import Add, Change, Delete, Merge, Rename
from graph.core.errors import Conflict, StoreError
from graph.core.import_rows import BadLine, FactRow, Row
from graph.lookup.retriever import Retriever
from graph.sqlite.store import SqliteStore
from tests.graph.conftest import Clock
from tests.graph.helpers import fact_of, id_of, said


def reopened(store: Any, clock: Clock) -> Any:
    """The store as another process would open it."""
    store.close()
    gc.collect()
    return type(store)(store.url, clock=clock)


def test_two_drafts_and_the_store_do_not_see_each_other(public: Any) -> None:
    first, second = public.draft("one"), public.draft("two")
    capital = fact_of(public, "France", "capital").id
    first.apply([Change(capital, "Lyon")], author="Ada")
    second.apply([Change(capital, "Nice"), Add("Oz", "capital", "Emerald City")], author="Bob")
    values = [said(store, "France", "capital") for store in (public, first, second)]
    assert values == [["Paris"], ["Lyon"], ["Nice"]]
    assert public.find_entities("Oz") == first.find_entities("Oz") == []
    assert public.draft("one") is first
    assert public.statistics().drafts == 2


def test_a_draft_takes_in_a_file_line_by_line(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    bad: list[BadLine] = []
    rows: list[Row] = [
        FactRow(2, "Oz", "capital", "Emerald City"),
        FactRow(3, "Oz", "", "green"),
        BadLine(4, "It has no value."),
        FactRow(5, "Oz", "capital", "Emerald City"),
        FactRow(6, "Oz", "founded", "1900", year="soon"),
        FactRow(7, "France", "greets", "Oz", source="a letter", year="1901"),
    ]
    assert draft.load(rows, author="Ada", source="oz.csv", on_bad=bad.append) == 2
    assert [line.line for line in bad] == [3, 4, 5, 6]
    assert "already has" in bad[2].reason
    assert "soon" in bad[3].reason
    assert said(draft, "Oz") == ["Emerald City"]
    letter = fact_of(draft, "France", "greets")
    assert (letter.source, letter.year, letter.is_link) == ("a letter", 1901, True)
    assert fact_of(draft, "Oz", "capital").source == "oz.csv"
    assert filled.find_entities("Oz") == []
    draft.undo(author="Ada")
    assert draft.find_entities("Oz") == []
    assert draft.load([BadLine(1, "It is odd.")], author="Ada") == 0
    assert not draft.edits()


def test_thousands_of_lines_are_taken_in_as_if_one_by_one(filled: SqliteStore) -> None:
    """Entities, relations and values of a big file find each other, and it takes seconds."""
    rows = [
        FactRow(n, f"robot {n // 4}", f"part {n % 4}", f"Robot {n // 4 - 1}") for n in range(5000)
    ]
    rows += [FactRow(5000 + n, f"Robot {n}", "also called", f"No. {n}") for n in range(0, 1250, 50)]
    begun = time.process_time()
    draft = filled.draft("one")
    assert draft.load(rows, author="Ada") == 5025
    assert time.process_time() - begun < 30
    (robot, _), (again, _) = draft.find_entities("robot 50")
    assert {robot.name, again.name} == {"robot 50", "Robot 50"}
    one_by_one = filled.draft("two")
    for row in rows[:9]:
        one_by_one.apply([Add(row.entity, row.relation, row.value)], author="Ada")
    for name in ("robot 0", "robot 1"):
        assert said(one_by_one, name) == said(draft, name)


def test_a_draft_is_pinned_to_its_base(public: Any) -> None:
    draft = public.draft("one")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    public.apply([Change(fact_of(public, "Spain", "capital").id, "Seville")], author="Bob")
    public.apply([Add("Portugal", "capital", "Lisbon")], author="Bob")
    assert said(draft, "Spain", "capital") == ["Madrid"]
    assert draft.find_entities("Portugal") == draft.search("portu") == []
    assert draft.base_revision == public.revision() - 2


def test_an_empty_draft_opens_at_the_newest_revision(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    filled.apply([Add("Portugal", "capital", "Lisbon")], author="Bob")
    before = draft.revision()
    assert filled.draft("one") is draft
    assert said(draft, "Portugal") == ["Lisbon"]
    assert draft.revision() > before
    assert draft.find_entities("Portugal", at=before) == []


def test_a_draft_survives_a_restart_with_its_undos(public: Any, clock: Clock) -> None:
    draft = public.draft("one")
    capital = fact_of(draft, "France", "capital").id
    draft.apply([Change(capital, "Lyon")], author="Ada", reason="a try")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada", write_id="w")
    draft.apply([Rename(id_of(draft, "Spain"), "España")], author="Ada")
    draft.undo(author="Ada")
    state, revision, edits = draft.state(), draft.revision(), draft.edits()
    deltas, history = draft.deltas(), draft.history()
    del draft
    with reopened(public, clock) as store:
        draft = store.draft("one")
        assert (draft.state(), draft.revision(), draft.edits()) == (state, revision, edits)
        assert draft.deltas() == deltas
        assert draft.history() == history
        assert said(draft, "France", "capital") == ["Lyon"]
        assert said(draft, "France", "capital", at=0) == ["Paris"]
        draft.redo(author="Ada")
        assert said(draft, "France", "borders") == ["España", "Italy"]
        assert draft.apply([Add("France", "motto", "x")], author="Ada", write_id="w") == 2


def test_a_draft_opens_where_nothing_can_be_written(filled: SqliteStore, clock: Clock) -> None:
    """As on a full disk: that it was used today is not noted, and what it holds is there."""
    filled.draft("old").apply([Add("Oz", "capital", "Emerald City")], author="Ada")
    clock.now += 6 * 24 * 3600
    filled.draft("one").apply([Add("Oz", "motto", "Onwards")], author="Ada")
    clock.now += 2 * 24 * 3600
    store = reopened(filled, clock)
    store._writer.execute("PRAGMA query_only = ON")
    assert said(store.draft("one"), "Oz", "motto") == ["Onwards"]
    assert store.draft("two").edits() == []
    with pytest.raises(StoreError):
        store.draft("one").apply([Add("Oz", "river", "Rainbow")], author="Ada")
    assert said(store.draft("one"), "Oz") == ["Onwards"]


def test_a_draft_expires_after_seven_idle_days(public: Any, clock: Clock) -> None:
    day = 24 * 3600
    draft = public.draft("one")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    clock.now += 6 * day
    assert said(public.draft("one"), "France", "motto") == ["Liberté"]  # opening it counts as use
    clock.now += 6 * day
    assert said(public.draft("one"), "France", "motto") == ["Liberté"]
    clock.now += 8 * day
    assert said(public.draft("one"), "France", "motto") == []
    del draft
    with reopened(public, clock) as store:
        assert store.statistics().drafts == 0
        assert store.draft("one").edits() == []


def test_publish_is_one_revision_journalled_edit_by_edit(public: Any) -> None:
    draft = public.draft("one")
    capital = fact_of(draft, "France", "capital").id
    draft.apply([Change(capital, "Lyon")], author="Ada")
    draft.apply([Add("Oz", "capital", "Emerald City")], author="Ada")
    draft.apply([Rename(id_of(draft, "Oz"), "Land of Oz")], author="Ada")
    draft.apply([Delete(fact_of(draft, "France", "population").id)], author="Ada")
    draft.undo(author="Ada")
    ids = {f.id for f in draft.all_facts()}
    before, seen, number = public.revision(), draft.revision(), draft.revision()
    published = draft.publish(author="Ada", reason="as agreed")
    assert published == public.revision() == before + 1
    assert {f.id for f in public.all_facts()} == ids
    assert said(public, "Land of Oz", "capital") == ["Emerald City"]
    assert said(public, "oz", "capital") == ["Emerald City"]
    entries = [e for e in public.history() if e.revision == published]
    assert [e.kind for e in entries] == ["rename", "add", "change"]
    assert all(e.published and e.author == "Ada" and e.reason == "as agreed" for e in entries)
    # The draft is empty now, over the new revision; a reader of before reads on.
    assert draft.edits() == []
    assert draft.base_revision == published
    assert draft.revision() > number
    assert said(draft, "France", "capital") == said(draft, "France", "capital", at=seen) == ["Lyon"]
    with pytest.raises(StoreError, match="nothing to publish"):
        draft.publish(author="Ada")
    public.undo(author="Ada")
    assert said(public, "France", "capital") == ["Paris"]
    assert public.find_entities("Oz") == []


def test_a_publish_is_written_once(public: Any) -> None:
    draft = public.draft("one")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    first = draft.publish(author="Ada", write_id="p1")
    draft.apply([Add("France", "motto", "Égalité")], author="Ada")
    assert draft.publish(author="Ada", write_id="p2") == first + 1
    assert public.draft("two").publish(author="Ada", write_id="p1") == first


def test_each_step_of_a_draft_is_written_once(public: Any, clock: Clock) -> None:
    draft = public.draft("one")
    rows: list[Row] = [FactRow(1, "Oz", "capital", "Emerald City")]
    draft.apply([Add("France", "motto", "Liberté")], author="Ada", write_id="w1")
    assert draft.load(rows, author="Ada", write_id="w2") == 1
    for write_id in ("w3", "w3"):  # the reply to the first was lost
        draft.undo(author="Ada", write_id=write_id)
    assert said(draft, "Oz") == []
    assert said(draft, "France", "motto") == ["Liberté"]
    for write_id in ("w4", "w4"):
        draft.redo(author="Ada", write_id=write_id)
    del draft
    with reopened(public, clock) as store:
        again = store.draft("one")
        assert [again.has_step(f"w{n}") for n in range(6)] == [False, *[True] * 4, False]
        assert again.load(rows, author="Ada", write_id="w2") == 1
        again.undo(author="Ada", write_id="w3")
        assert said(again, "Oz") == ["Emerald City"]
        assert again.revision() == 4


def test_a_repeated_publish_leaves_later_edits_in_the_draft(public: Any) -> None:
    draft = public.draft("one")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    first = draft.publish(author="Ada", write_id="p1")
    draft.apply([Add("France", "anthem", "La Marseillaise")], author="Ada")
    assert draft.publish(author="Ada", write_id="p1") == first
    assert said(draft, "France", "anthem") == ["La Marseillaise"]
    assert said(public, "France", "anthem") == []


def test_notes_are_kept_next_to_a_draft_until_it_expires(public: Any, clock: Clock) -> None:
    assert public.draft_notes("one") == {}
    public.keep_draft_notes("one", {"a": "1", "b": "Ünï"})
    public.draft("one").apply([Add("France", "motto", "Liberté")], author="Ada")
    public.keep_draft_notes("one", {"a": "2", "b": None, "c": ""})
    public.keep_draft_notes("two", {"a": "3"})
    with reopened(public, clock) as store:
        assert store.draft_notes("one") == {"a": "2", "c": ""}
        assert said(store.draft("one"), "France", "motto") == ["Liberté"]
        clock.now += 8 * 24 * 3600
        store.keep_draft_notes("two", {"a": "4"})
        assert said(store.draft("three"), "France", "motto") == []
        assert store.draft_notes("one") == {}
        assert store.draft_notes("two") == {"a": "4"}


def test_a_purge_drops_the_notes_of_all_drafts(public: Any) -> None:
    public.keep_draft_notes("one", {"page": "it says Paris"})
    public.purge([fact_of(public, "France", "capital").id], author="Ada")
    assert public.draft_notes("one") == {}


Make = Callable[[Any], Any]
CONFLICTS: dict[str, tuple[Make, Make]] = {
    "both change a fact": (
        lambda s: Change(fact_of(s, "France", "capital").id, "Lyon"),
        lambda s: Change(fact_of(s, "France", "capital").id, "Nice"),
    ),
    "changed here, deleted there": (
        lambda s: Change(fact_of(s, "France", "capital").id, "Lyon"),
        lambda s: Delete(fact_of(s, "France", "capital").id),
    ),
    "deleted here, changed there": (
        lambda s: Delete(fact_of(s, "France", "capital").id),
        lambda s: Change(fact_of(s, "France", "capital").id, "Lyon"),
    ),
    "both add to one relation": (
        lambda s: Add("France", "borders", "Belgium"),
        lambda s: Add("France", "borders", "Germany"),
    ),
    "a source is added there": (
        lambda s: Change(fact_of(s, "France", "capital").id, "Lyon"),
        lambda s: Add("France", "capital", "Paris", source="atlas"),
    ),
    "both make an entity of one name": (
        lambda s: Add("Oz", "capital", "Emerald City"),
        lambda s: Add("Oz", "ruler", "the Wizard"),
    ),
    "both rename an entity": (
        lambda s: Rename(id_of(s, "Spain"), "España"),
        lambda s: Rename(id_of(s, "Spain"), "Espagne"),
    ),
    "renamed to a name taken there": (
        lambda s: Rename(id_of(s, "Spain"), "España"),
        lambda s: Add("España", "instance of", "country"),
    ),
    "linked here, merged away there": (
        lambda s: Add("Gibraltar", "borders", "Spain"),
        lambda s: Merge(id_of(s, "Spain"), id_of(s, "Italy")),
    ),
    "merged here, linked there": (
        lambda s: Merge(id_of(s, "Spain"), id_of(s, "Italy")),
        lambda s: Add("Gibraltar", "borders", "Spain"),
    ),
    "merged here, described there": (
        lambda s: Merge(id_of(s, "Spain"), id_of(s, "Italy")),
        lambda s: Add("Spain", "motto", "Plus ultra"),
    ),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_conflict_publishes_nothing_and_shows_both(public: Any, case: str) -> None:
    mine, theirs = CONFLICTS[case]
    draft = public.draft("one")
    edit = mine(public)
    draft.apply([Add("Andorra", "capital", "Andorra la Vella"), edit], author="Ada")
    public.apply([theirs(public)], author="Bob")
    revision, facts, own = public.revision(), list(public.all_facts()), list(draft.all_facts())
    with pytest.raises(Conflict, match=r"^Nothing was published: .*\.$") as caught:
        draft.publish(author="Ada")
    assert caught.value.differences
    assert public.revision() == revision
    assert list(public.all_facts()) == facts
    assert list(draft.all_facts()) == own
    assert draft.edits()[-1] == edit
    assert public.find_entities("Andorra") == []
    draft.discard()
    assert list(draft.all_facts()) == facts


def test_a_conflict_names_base_mine_and_theirs(public: Any) -> None:
    capital = fact_of(public, "France", "capital").id
    draft = public.draft("one")
    draft.apply([Change(capital, "Lyon")], author="Ada")
    public.apply([Change(capital, "Nice")], author="Bob")
    with pytest.raises(Conflict) as caught:
        draft.publish(author="Ada")
    (difference,) = caught.value.differences
    assert (difference.what, difference.relation) == ("capital of France", "capital")
    assert (difference.base, difference.mine, difference.theirs) == (
        ("Paris",),
        ("Lyon",),
        ("Nice",),
    )
    for value in ("Paris", "Lyon", "Nice"):
        assert f"“{value}”" in str(caught.value)


def test_what_others_did_elsewhere_is_no_conflict(public: Any) -> None:
    draft = public.draft("one")
    draft.apply([Change(fact_of(public, "France", "capital").id, "Lyon")], author="Ada")
    draft.apply([Rename(id_of(public, "Italy"), "Italia")], author="Ada")
    public.apply([Add("France", "motto", "Liberté"), Add("Italy", "capital", "Rome")], author="Bob")
    public.apply([Rename(id_of(public, "Spain"), "España")], author="Bob")
    draft.publish(author="Ada")
    assert said(public, "France") == ["Lyon", "68,400,000", "España", "Italia", "Liberté"]
    assert said(public, "Italia", "capital") == ["Rome"]


def test_whether_there_is_something_to_undo(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    assert (draft.can_undo(), draft.can_redo()) == (False, False)
    draft.apply([Add("France", "motto", "x")], author="Ada")
    assert (draft.can_undo(), draft.can_redo()) == (True, False)
    draft.undo(author="Ada")
    assert (draft.can_undo(), draft.can_redo()) == (False, True)


def test_discard_drops_everything(public: Any) -> None:
    draft = public.draft("one")
    facts = list(draft.all_facts())
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    number = draft.revision()
    assert draft.discard() > number
    assert list(draft.all_facts()) == facts
    assert draft.edits() == draft.deltas() == draft.history() == []
    assert said(draft, "France", "motto", at=number) == ["Liberté"]
    with pytest.raises(StoreError, match="nothing to undo"):
        draft.undo(author="Ada")


def test_a_retriever_reads_on_while_the_draft_is_edited(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    draft.apply([Change(fact_of(draft, "France", "capital").id, "Lyon")], author="Ada")
    before = Retriever(draft)
    draft.undo(author="Ada")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    after = Retriever(draft)
    assert before.lookup("France", "capital").value == "Lyon"
    assert after.lookup("France", "capital").value == "Paris"
    assert before.state != after.state
    draft.publish(author="Ada")
    assert before.lookup("France", "relations").value == "capital; population; borders"
    assert before.lookup("France", "capital").value == "Lyon"


def test_a_drafts_own_facts_come_first_in_relations(filled: SqliteStore) -> None:
    edits = [Add("France", f"relation {i}", str(i)) for i in range(9)]
    filled.apply(edits, author="Bob")
    draft = filled.draft("one")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    capital = fact_of(draft, "France", "capital").id
    draft.apply([Change(capital, "Lyon")], author="Ada")  # a changed fact keeps its place
    names = Retriever(draft).lookup("France", "relations").value.split("; ")
    assert names[:3] == ["motto", "capital", "population"]
    assert len(names) == 8


def test_deltas_are_what_the_draft_changes_in_all(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    capital = fact_of(draft, "France", "capital")
    draft.apply([Change(capital.id, "Lyon")], author="Ada")
    draft.apply([Change(capital.id, "Nice")], author="Ada")
    draft.apply([Add("France", "motto", "x")], author="Ada")
    draft.apply([Delete(fact_of(draft, "France", "motto").id)], author="Ada")
    facts = [(d.before.value, d.after.value) for d in draft.deltas() if d.id == capital.id]  # type: ignore[union-attr]
    assert facts == [("Paris", "Nice")]
    assert len([d for d in draft.deltas() if hasattr(d.before or d.after, "relation")]) == 1


def test_steps_go_through_json(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    draft.apply([Add("Oz", "capital", "Emerald City", year=1900)], author="Ada", reason="why")
    draft.apply([Merge(id_of(draft, "Oz"), id_of(draft, "Spain"))], author="Ada")
    record = filled.load_draft("one")
    assert record is not None
    for step in record.steps:
        assert Step.from_json(json.loads(json.dumps(step.to_json()))) == step


def test_edits_from_another_process_are_taken_up(public: Any, clock: Clock) -> None:
    draft = public.draft("one")
    draft.apply([Add("France", "motto", "Liberté")], author="Ada")
    with type(public)(public.url, clock=clock) as other:
        other.draft("one").apply([Add("France", "anthem", "La Marseillaise")], author="Ada")
    with pytest.raises(StoreError, match="edited elsewhere in the meantime"):
        draft.apply([Add("France", "motto", "Égalité")], author="Ada")
    assert said(public.draft("one"), "France", "anthem") == ["La Marseillaise"]
    draft.apply([Add("France", "motto", "Égalité")], author="Ada")
    assert said(draft, "France", "motto") == ["Liberté", "Égalité"]


@pytest.mark.parametrize("made_up", ["", "../x", "a b", "x" * 65, "é", "a\n", None, 7])
def test_made_up_draft_ids_are_refused(filled: SqliteStore, made_up: Any) -> None:
    with pytest.raises(StoreError, match="is not a draft"):
        filled.draft(made_up)


def test_a_revision_the_draft_never_had_is_refused(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    with pytest.raises(StoreError, match="has no revision 99"):
        draft.facts(1, at=99)
    with pytest.raises(StoreError, match="no revision 99"):
        Retriever(draft, at=99)
    with pytest.raises(StoreError, match="undo or discard"):
        draft.revert(1, author="Ada")
