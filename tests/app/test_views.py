"""What the page shows, without a browser: the text, the diff, the graph, the table, the session."""

from __future__ import annotations

import base64
import csv
import json
import math
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from app.state import actions, generation
from app.state.comparison import compare, describe, diff_deltas
from app.state.graph_layout import GraphLayout, nearest_distance
from app.state.marked_trace import mark_trace
from app.state.outbox import ONCE, Outbox
from app.state.scene import MAX_FAINT_NODES, MAX_HIT_NODES, Scene, bounded
from app.state.service import Service
from app.state.session import Session, new_session_id
from app.state.text_in_progress import TextInProgress
from app.state.word_diff import word_diff, words_changed
from app.views import (
    draft_bar,
    edit_summary,
    fact_table,
    graph_figure,
    page_parts,
    trace_text,
    weaving,
)
from app.views.masthead import masthead
from graph.core.deltas import Delta
from graph.core.edits import Add
from graph.core.errors import Conflict, Difference
from graph.core.facts import Fact
from graph.lookup.result import Lookup
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.version import VERSION
from graph.world import SOURCES, source_names
from model.engine.decoder import Decoder
from model.settings import DecodingSettings
from model.trace import Trace
from tests.app import scripted
from tests.model.model_fakes import answer, trace_of

ASK = "Tell me about X."
HOSTILE = "<img src=x onerror=alert(1)> ${1} {{x}} \" ' &amp;"
FACTS = [
    ("Paris", "instance of", "city"),
    ("France", "instance of", "country"),
    ("France", "capital", "Paris"),
    ("France", "largest city", "Paris"),
    ("France", "currency", "euro"),
    ("France", "population", "68.5 million"),
    ("Japan", "instance of", "country"),
    ("Japan", "capital", "Tokyo"),
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    store = open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True)
    for entity, relation, value in FACTS:
        store.apply(
            [Add(entity, relation, value, "test", value_is_link=value in ("Paris", "Tokyo"))],
            author="test",
        )
    service = Service(store, Decoder(scripted.checkpoint()))
    session_id = new_session_id()
    yield Session.open(service, session_id)
    store.close()


def do(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def ask(session: Session, prompt: str) -> Session:
    do(generation.ask(session, prompt, DecodingSettings()))
    return session


def act(session: Session, **event: Any) -> Session:
    do(actions.act(session, event))
    return session


def shown(session: Session) -> dict[str, Any]:
    return page_parts.parts(session)


def fact(session: Session, entity: str, relation: str) -> Fact:
    found, _ = session.draft.find_entities(entity)[0]
    return session.draft.facts(found.id, relation)[0]


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


# -- diff


def test_the_pieces_of_a_diff_give_both_texts_back() -> None:
    before = "The capital of France is Paris. Its currency is the euro."
    after = "The capital of France is Port Said, Lyon. Its currency is the euro."
    segments = word_diff(before, after)
    assert "".join(before[slice(*each.before)] for each in segments) == before
    assert "".join(after[slice(*each.after)] for each in segments) == after
    changes = [each for each in segments if each.kind == "change"]
    assert [before[slice(*each.before)].strip() for each in changes] == ["Paris"]
    assert [after[slice(*each.after)].strip() for each in changes] == ["Port Said, Lyon"]
    assert words_changed(segments, before, after) == 3


def test_a_value_is_never_cut_by_a_change() -> None:
    before, after = "It has 3,475 kilometres, or more.", "It has 4,475 kilometres, or more."
    whole = [(before.index("3,"), before.index(", or")), (after.index("4,"), after.index(", or"))]
    (change,) = (
        each for each in word_diff(before, after, ([whole[0]], [whole[1]])) if each.kind == "change"
    )
    assert before[slice(*change.before)] == "3,475 kilometres"
    assert after[slice(*change.after)] == "4,475 kilometres"


@pytest.mark.parametrize("seed", range(20))
def test_changes_keep_values_whole_and_give_both_texts_back(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        texts, spans = [], []
        for _ in range(2):
            words = [
                rng.choice(("a", "b", "c", "of", "d,", "e.")) for _ in range(rng.randint(0, 9))
            ]
            text = " ".join(words)
            cuts = sorted(rng.sample(range(len(text) + 1), min(4, len(text) + 1)))
            texts.append(text)
            spans.append(list(zip(cuts[::2], cuts[1::2], strict=False)))
        segments = word_diff(texts[0], texts[1], (spans[0], spans[1]))
        for side, text in enumerate(texts):
            at = 0
            for each in segments:
                begin, end = (each.before, each.after)[side]
                assert begin == at, seed
                assert end >= begin, seed
                at = end
                if each.kind == "change":
                    assert not any(s < cut < e for s, e in spans[side] for cut in (begin, end)), (
                        seed
                    )
            assert at == len(text), seed
        for each in segments:
            if each.kind == "same":
                assert texts[0][slice(*each.before)] == texts[1][slice(*each.after)], seed


def test_equal_texts_have_no_change() -> None:
    assert [each.kind for each in word_diff("One two.", "One two.")] == ["same"]
    assert word_diff("", "") == []


# -- the text


def test_marks_are_the_models_words_with_numbers_in_order_of_use(session: Session) -> None:
    reading = ask(session, "Tell me about France.").text.marked
    assert reading is not None
    assert [reading.words(mark) for mark in reading.marks] == [
        "country",
        "Paris",
        "Paris",
        "euro",
        "68.5 million",
    ]
    assert list(reading.numbers.values()) == [1, 2, 3, 4, 5]
    html = shown(session)["trace"]
    assert 'data-number="2"' in html
    assert plain(html).count("Paris") >= 2


def test_a_partial_text_is_drawn_while_it_is_written(session: Session) -> None:
    states = []
    for _ in generation.ask(session, "Tell me about France.", DecodingSettings()):
        states.append((session.run.writing, shown(session)["trace"]))
    assert states[0][0]
    assert not states[-1][0]
    assert 'class="caret"' not in states[-1][1]


def test_everything_in_the_text_is_escaped(session: Session) -> None:
    ask(session, "Tell me about France.")
    euro = fact(session, "France", "currency")
    act(session, action="fact", id=str(euro.id))
    act(session, action="change", id=str(euro.id), fields={"value": HOSTILE})
    assert session.notes.card == ""
    outputs = shown(session)
    for name in ("trace", "card", "draft", "table"):
        assert "<img" not in outputs[name], name
    assert HOSTILE in plain(outputs["trace"])
    assert "<img" not in outputs["graph"]
    assert "&lt;img" in outputs["graph"]


def test_a_word_that_repeats_two_facts_has_both_numbers() -> None:
    layers = [weaving.Layer(), weaving.Layer()]
    layers[1].add(4, 9, Markup("<b>{}</b>").format)
    layers[1].add(6, 12, Markup("<i>{}</i>").format)  # would cross the first
    html = weaving.weave("The <euro> coin", 0, 15, layers, [(9, Markup("[chip]"))])
    assert html == "The <b>&lt;euro</b>[chip]&gt; coin"


def ids_of(html: str) -> list[str]:
    return re.findall(r' id="([^"]*)"', html)


def one_lookup(document: str, *values: str) -> Trace:
    """The trace of a document with one lookup, which returns these values."""
    trace = trace_of("Tell me about X.", document)
    (entry,) = trace.lookups
    found = answer(entry.lookup.entity, entry.lookup.relation, list(values))
    return replace(trace, lookups=[replace(entry, lookup=found)])


def test_a_value_that_holds_a_semicolon_is_one_value() -> None:
    marked = mark_trace(one_lookup("It is[X|cast|?] Tom; Jerry and Spike.", "Tom; Jerry", "Spike"))
    assert [marked.words(mark) for mark in marked.marks] == ["Tom; Jerry", "Spike"]
    assert [each.value for each in marked.facts.values()] == ["Tom; Jerry", "Spike"]
    html = trace_text.render(marked, trace_text.View())
    assert html.count("data-mark") == 2
    assert ">Tom; Jerry<" in html


def test_a_value_that_ends_like_a_count_is_one_value() -> None:
    marked = mark_trace(one_lookup("It is[X|cast|?] Tom; and 3 more.", "Tom; and 3 more"))
    assert [marked.words(mark) for mark in marked.marks] == ["Tom; and 3 more"]
    assert not mark_trace(
        one_lookup("It is[X|cast|?] Tom; and 3 more and 3.", "Tom; and 3 more")
    ).unsupported


def diffed(old: Trace, new: Trace) -> str:
    before, after = mark_trace(old), mark_trace(new)
    compared = compare(before, after, (), 0.1)
    return str(trace_text.diff_html(before, after, compared, trace_text.View()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # a value of which one part changes, at either end and in the middle
        ("It is[X|d|3,475 km] 3,475 km wide.", "It is[X|d|4,475 km] 4,475 km wide."),
        ("It is[X|c|New York] New York.", "It is[X|c|New Delhi] New Delhi."),
        ("[X|c|Old Town Road] Old Town Road it is.", "[X|c|Old Mill Road] Old Mill Road it is."),
        # the same words before and after, of which the change cuts off some
        ("It is[X|c|Guinea] Guinea.", "It is[X|c|Equatorial Guinea] Equatorial Guinea."),
        ("A is b.[X|c|b c] B c is so.", "[X|c|b c] B c is so."),
        # what stands before the first word
        ("So A is.[X|c|Ulm] No.", "[X|c|Ulm][X|d|unknown] A is. No."),
        ("It is[X|c|Ulm] Lyon then.", "It is[X|c|Ulm] Lyon now, Ulm."),
        ("It is[X|c|Ulm] Paris.", "It is[X|c|Ulm] Bad Paris."),
        # a contradiction that stands on a mark
        ("[X|a|Czech koruna] It.", "[X|a|Czech koruna] It is Czech koruna[X|b|Ulm] Czech."),
    ],
)
def test_two_marks_never_share_an_id_and_no_value_is_cut(old: str, new: str) -> None:
    for html in (diffed(trace_of(ASK, old), trace_of(ASK, new)),
                 diffed(trace_of(ASK, new), trace_of(ASK, old))):  # fmt: skip
        ids = ids_of(html)
        assert len(ids) == len(set(ids)), html
    after = mark_trace(trace_of(ASK, new))
    html = diffed(trace_of(ASK, old), trace_of(ASK, new))
    for mark in after.marks:
        assert f">{after.words(mark)}</bdi>" in html


@pytest.mark.parametrize("value", ["القاهرة", "שלום (1)", "קהיר 7"])
def test_values_from_right_to_left_keep_their_order(session: Session, value: str) -> None:
    ask(session, "Tell me about Japan.")
    capital = fact(session, "Japan", "capital")
    act(session, action="fact", id=str(capital.id))
    act(session, action="change", id=str(capital.id), fields={"value": value})
    outputs = shown(session)
    isolated = f"<bdi>{value}</bdi>"
    for part in ("trace", "draft", "table"):
        assert isolated in outputs[part], part
    assert f"is now {isolated}, was Tokyo" in outputs["draft"]
    assert 'dir="auto"' in outputs["card"]
    visible = re.sub(r'(title|data-[a-z]+|aria-label|value)="[^"]*"', "", outputs["trace"])
    assert visible.count(value) == visible.count(isolated)
    assert "\u2068" not in visible


def test_names_from_right_to_left_keep_their_order_in_a_conflict() -> None:
    difference = Difference("مصر · عاصمة", 1, None, ("القاهرة", "a; b"), ("c",), ())
    conflict = Conflict("", (difference,))
    html = draft_bar.render([], can_undo=False, can_redo=False, conflict=conflict)
    assert "<td><bdi>القاهرة</bdi><br><bdi>a; b</bdi></td>" in html
    assert "<bdi>مصر · عاصمة</bdi>" in html


def test_chips_stand_where_the_lookup_stood(session: Session) -> None:
    ask(session, "Ask France for motto.")
    html = shown(session)["trace"]
    assert "not recorded" in html
    assert 'data-action="miss"' in html
    act(session, action="miss", id="0")
    assert session.selection.kind == "miss"
    assert "Add a fact about France" in plain(shown(session)["card"])


def test_contradiction_is_flagged_with_what_the_graph_says(session: Session) -> None:
    ask(session, "Contradict Japan.")
    html = shown(session)["trace"]
    assert 'class="contradicted"' in html
    assert "graph says Tokyo" in plain(html)


def test_a_value_of_another_relation_is_flagged_in_text_and_cards(session: Session) -> None:
    ask(session, "Mistake Japan.")
    words = "asked for capital, and the sentence says area"
    html = shown(session)["trace"]
    assert "≠ asked for capital, says area" in plain(html)
    assert words in plain(html)  # on the card that opens on hover
    assert 'title="The model looked up capital. This sentence says area."' in html
    assert len(ids_of(html)) == len(set(ids_of(html)))
    act(session, action="lookup", id="2")
    assert words in plain(shown(session)["card"])
    ask(session, "Tell me about Japan.")
    assert "≠" not in plain(shown(session)["trace"])


def test_a_sentence_in_progress_is_not_judged() -> None:
    trace = trace_of(ASK, "X is a thing. The area of X is[X|weight|3 kg] 3 kg.")
    for finished in (False, True):
        marked = mark_trace(trace, finished)
        assert bool(marked.other_relations) is finished


def test_a_text_without_lookups_gets_a_banner(session: Session) -> None:
    ask(session, "Ramble about France.")
    assert "Nothing here comes from the graph" in plain(shown(session)["trace"])


# -- edits


def test_an_edit_is_compared_and_names_its_cause(session: Session) -> None:
    ask(session, "Tell me about France.")
    euro = fact(session, "France", "currency")
    act(session, action="change", id=str(euro.id), fields={"value": "gold florin"})
    comparison = session.text.comparison
    assert comparison is not None
    changes = [change for change in comparison.changes if change.kind == "change"]
    assert [change.cause for change in changes] == [
        "because currency of France is now gold florin, was euro"
    ]
    assert comparison.unchanged == 4
    assert comparison.words == 2
    html = shown(session)["trace"]
    assert "<del>" in html
    assert "<ins>" in html


def test_a_deleted_value_still_said_names_the_other_fact(session: Session) -> None:
    ask(session, "Tell me about France.")
    capital = fact(session, "France", "capital")
    act(session, action="delete", id=str(capital.id))
    assert session.text.comparison is not None
    (still,) = session.text.comparison.still_said
    assert still.value == "Paris"
    assert still.fact is not None
    assert still.fact.relation == "largest city"
    assert "you deleted this" in plain(shown(session)["trace"])
    act(session, action="restore", id=str(capital.id))
    assert session.text.marked is not None
    assert "capital of France is Paris" in session.text.marked.text


def test_undo_redo_and_discard(session: Session) -> None:
    ask(session, "Tell me about France.")
    euro = fact(session, "France", "currency")
    act(session, action="change", id=str(euro.id), fields={"value": "gold florin"})
    for action, expected in (("undo", False), ("redo", True), ("discard", False)):
        act(session, action=action)
        assert session.text.marked is not None
        assert ("gold florin" in session.text.marked.text) is expected, action
    act(session, action="undo")
    assert session.notes.draft


def test_publish_and_conflict(session: Session) -> None:
    other_id = new_session_id()
    other = Session.open(session.service, other_id)
    for each, value in ((session, "gold florin"), (other, "shell money")):
        ask(each, "Tell me about France.")
        euro = fact(each, "France", "currency")
        act(each, action="change", id=str(euro.id), fields={"value": value})
    act(session, action="publish")
    assert "Published as revision" in session.notes.draft_done
    act(other, action="publish")
    assert other.notes.conflict is not None
    html = plain(shown(other)["draft"])
    assert "gold florin" in html
    assert "shell money" in html


def test_delta_between_two_states_of_a_draft() -> None:
    one = Fact(1, 2, "France", "capital", "Paris")
    two = Fact(1, 2, "France", "capital", "Lyon")
    three = Fact(1, 2, "France", "capital", "Nice")
    assert diff_deltas([], [Delta(one, two)]) == [Delta(one, two)]
    assert diff_deltas([Delta(one, two)], [Delta(one, three)]) == [Delta(two, three)]
    assert diff_deltas([Delta(one, two)], []) == [Delta(two, one)]
    assert describe(Delta(one, None)) == "capital of France was deleted (it was Paris)"


def test_an_edit_asks_the_graph_each_lookup_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(session, "Tell me about France.")
    asked: Counter[tuple[str, str]] = Counter()
    lookup = Retriever.lookup

    def counted(self: Retriever, entity: str, relation: str, context: str | None = None) -> Lookup:
        asked[entity, relation] += 1
        return lookup(self, entity, relation, context)

    monkeypatch.setattr(Retriever, "lookup", counted)
    euro = fact(session, "France", "currency")
    act(session, action="change", id=str(euro.id), fields={"value": "gold florin"})
    assert session.text.trace is not None
    assert "gold florin" in session.text.trace.text
    assert set(asked) == {
        (each.lookup.entity, each.lookup.relation) for each in session.text.trace.lookups
    }
    assert set(asked.values()) == {1}
    asked.clear()
    japan = fact(session, "Japan", "capital")
    act(session, action="change", id=str(japan.id), fields={"value": "Kyoto"})
    assert session.text.unread
    assert set(asked.values()) == {1}


def test_a_page_is_rebuilt_from_plain_data_and_its_draft(session: Session) -> None:
    ask(session, "Tell me about France.")
    euro = fact(session, "France", "currency")
    act(session, action="change", id=str(euro.id), fields={"value": "gold florin"})
    act(session, action="fact", id=str(euro.id))
    paris, _ = session.draft.find_entities("Paris")[0]
    act(session, action="expand", id=f"e{paris.id}")
    act(session, action="tab", tab="after")
    before = shown(session)
    saved = json.loads(json.dumps(session.to_json()))
    rebuilt = Session.from_json(session.service, saved)
    after = shown(rebuilt)
    for part in ("graph", "table", "card", "draft", "examples"):
        assert after[part] == before[part], part
    assert rebuilt.text.marked is not None
    assert rebuilt.text.marked == replace(
        session.text.marked,
        trace=rebuilt.text.marked.trace,  # type: ignore[type-var]
    )
    assert rebuilt.to_json() == saved
    act(rebuilt, action="undo")
    assert rebuilt.text.trace is not None
    assert "euro" in rebuilt.text.trace.text
    empty = Session.open(session.service, new_session_id())
    assert Session.from_json(session.service, empty.to_json()).to_json() == empty.to_json()


def test_a_text_in_progress_is_not_a_trace(session: Session) -> None:
    kinds = []
    for _ in generation.ask(session, "Tell me about France.", DecodingSettings()):
        if session.text.marked is not None:
            kinds.append((session.run.writing, type(session.text.marked.trace)))
    assert (True, TextInProgress) in kinds
    assert all(writing == (kind is TextInProgress) for writing, kind in kinds)


# -- what comes back from a browser


@pytest.mark.parametrize("action", sorted({*actions.ACTIONS} - {"example", "try"}))  # take a name
def test_made_up_ids_end_in_a_sentence_or_nothing(session: Session, action: str) -> None:
    ask(session, "Ask Japan for capital.")
    edits = len(session.draft.edits())
    for claimed in ("", "12345", "-1", "9" * 400, "e", "ezz", None, [], {}):
        act(session, action=action, id=claimed, fields=claimed, text=claimed, name=claimed)
        assert len(session.draft.edits()) == edits
        notes = session.notes.card + session.notes.draft + session.notes.prompt
        assert "\n" not in notes
        assert "did not work" not in notes
        shown(session)


def test_unknown_actions_and_odd_data_do_nothing(session: Session) -> None:
    for event in (None, 3, [], {"action": "drop"}, {"action": None}, {}):
        do(actions.act(session, event))
    assert session.run.number == 0


@pytest.mark.parametrize("prompt", ["", " \n ", "x" * 50_000, "a\x00b", None, 5])
def test_bad_prompts_get_one_sentence(session: Session, prompt: object) -> None:
    do(generation.ask(session, prompt, DecodingSettings()))
    assert session.notes.prompt
    assert "\n" not in session.notes.prompt
    assert session.run.number == 0


# -- graph and table


def test_the_graph_is_json_with_one_badge_for_each_fact(session: Session) -> None:
    ask(session, "Tell me about France.")
    figure = json.loads(shown(session)["graph"])
    badges = next(each for each in figure["data"] if each["meta"] == "badges")
    assert sorted(badges["text"]) == ["1", "2", "3", "4", "5"]
    assert len(set(map(tuple, badges["customdata"]))) == len(badges["customdata"])
    places = list(zip(badges["x"], badges["y"], strict=True))
    assert len(set(places)) == len(places)


def test_facts_stand_clockwise_from_the_top() -> None:
    facts = tuple(Fact(10 + i, 1, "France", f"r{i}", f"value {i}") for i in range(8))
    layout = GraphLayout()
    graph_figure.draw(Scene(facts, {f.id: i + 1 for i, f in enumerate(facts)}), layout)
    assert layout.positions["e1"] == (0.0, 0.0)
    assert layout.positions["f10"] == (0.0, 1.0)
    assert layout.positions["f12"] == (1.0, 0.0)
    assert layout.positions["f16"] == (-1.0, 0.0)


def test_nothing_moves_on_selection_or_edit() -> None:
    facts = [Fact(10 + i, 1, "France", f"r{i}", f"value {i}", 50 + i) for i in range(6)]
    numbers = {f.id: i + 1 for i, f in enumerate(facts)}
    layout = GraphLayout()
    graph_figure.draw(Scene(tuple(facts), numbers), layout)
    before = dict(layout.positions)
    graph_figure.draw(Scene(tuple(facts), numbers, selected=frozenset({12})), layout)
    assert layout.positions == before
    facts[2] = Fact(12, 1, "France", "r2", "another", 99)
    graph_figure.draw(Scene(tuple(facts), numbers, edited=frozenset({12})), layout)
    assert {key: layout.positions[key] for key in before} == before
    assert layout.positions["e99"] == before["e52"]  # it stands where the old value stood


def test_the_picture_is_bounded_and_says_what_it_leaves_out() -> None:
    hits = tuple(Fact(100 + i, 1, "Hub", f"r{i}", f"v{i}") for i in range(30))
    around = tuple(Fact(500 + i, 900 + i, f"n{i}", "of", "Hub", 1) for i in range(40))
    scene = Scene(hits, {f.id: i + 1 for i, f in enumerate(hits)}, neighbours=around)
    strong, faint, left_out = bounded(scene)
    assert len(strong) == MAX_HIT_NODES
    assert len(faint) == MAX_FAINT_NODES
    assert left_out == 30 - 12 + 40 - 12
    assert fact_table.render(scene).count("<tr id=") == 30 + 12


def test_no_two_nodes_stand_on_each_other() -> None:
    hits = tuple(Fact(100 + i, 1, "Hub", f"r{i}", f"v{i}", 200 + i) for i in range(12))
    around = tuple(Fact(500 + i, 900 + i, f"n{i}", "of", "Hub", 1) for i in range(12))
    more = tuple(Fact(700 + i, 200, "v0", "of", f"m{i}", 800 + i) for i in range(8))
    numbers = {f.id: i + 1 for i, f in enumerate(hits)}
    layout = GraphLayout()
    graph_figure.draw(Scene(hits, numbers, neighbours=around, expanded=more), layout)
    places = list(layout.positions.values())
    assert len(places) == 1 + 12 + 12 + 8
    assert min(nearest_distance(p, [q for q in places if q is not p]) for p in places) > 0.15


def test_an_edge_goes_around_a_node_that_is_not_its_end() -> None:
    near, far = Fact(1, 1, "A", "r", "near", 50), Fact(2, 1, "A", "s", "far", 51)
    layout = GraphLayout()
    layout.positions = {"e1": (0.0, 0.0), "e50": (1.0, 0.0), "e51": (1.5, 0.0)}
    edges = {
        edge.fact.id: edge.points
        for edge in graph_figure._edges(
            layout.arrange([near, far], []), layout, Scene((near, far), numbers={1: 1, 2: 2})
        )
    }
    assert min(math.dist(point, (1.0, 0.0)) for point in edges[2]) > 0.08
    assert all(y == 0 for _, y in edges[1])


def test_a_chain_reads_as_a_path() -> None:
    chain = (Fact(1, 10, "A", "born in", "B", 20), Fact(2, 20, "B", "country", "C", 30))
    layout = GraphLayout()
    graph_figure.draw(Scene(chain, {1: 1, 2: 2}), layout)
    a, b, c = (layout.positions[key] for key in ("e10", "e20", "e30"))
    assert a[0] < b[0] < c[0]


def test_a_miss_still_shows_the_entity_that_was_asked_about(session: Session) -> None:
    ask(session, "Ask France for motto.")
    figure = json.loads(shown(session)["graph"])
    nodes = next(each for each in figure["data"] if each["meta"] == "nodes")
    assert "France" in nodes["hovertext"]
    assert "Paris" in nodes["hovertext"]
    ask(session, "Tell me about Nowhere.")
    assert "No fact in the graph was hit" in shown(session)["graph-note"]


def test_a_rename_shows_through_links_and_is_named_as_the_cause(session: Session) -> None:
    ask(session, "Tell me about France.")
    paris, _ = session.draft.find_entities("Paris")[0]
    act(session, action="node", id=f"e{paris.id}")
    assert f'data-id="{paris.id}"' in shown(session)["card"]
    act(session, action="rename", id=str(paris.id), fields={"name": "Lutetia"})
    assert session.notes.card == ""
    assert session.text.marked is not None
    assert "capital of France is Lutetia" in session.text.marked.text
    assert session.text.comparison is not None
    causes = {change.cause for change in session.text.comparison.changes if change.kind == "change"}
    assert causes == {"because Paris is now called Lutetia"}


def test_an_edit_that_no_lookup_read_leaves_the_text_and_says_so(session: Session) -> None:
    ask(session, "Ask France for capital.")
    assert session.text.trace is not None
    words, drawn = session.text.trace.text, []
    euro = fact(session, "France", "currency")
    event = {"action": "change", "id": str(euro.id), "fields": {"value": "gold florin"}}
    for _ in actions.act(session, event):
        drawn.append(session.run.writing)
    assert not any(drawn)  # nothing was written again
    assert session.text.trace.text == words
    html = shown(session)["trace"]
    assert "No lookup of this text read the edited fact" in plain(html)
    assert "tab-changes" not in html
    japan = fact(session, "Japan", "capital")
    act(session, action="change", id=str(japan.id), fields={"value": "Kyoto"})
    assert "Ask about Japan" in plain(shown(session)["trace"])
    act(session, action="undo")
    assert session.text.unread
    capital = fact(session, "France", "capital")
    act(session, action="change", id=str(capital.id), fields={"value": "Lyon"})
    assert not session.text.unread
    assert "Lyon" in session.text.trace.text


def test_each_change_names_its_cause_or_that_it_follows(session: Session) -> None:
    ask(session, "Tell me about France.")
    act(session, action="add", fields={"entity": "France", "relation": "motto", "value": "Onwards"})
    added = fact(session, "France", "motto")
    assert session.selection.id == added.id
    tags = re.findall(r'class="(cause[^"]*)" data-cause="([^"]*)"', shown(session)["trace"])
    assert ("cause", "motto") in tags
    act(session, action="delete", id=str(added.id))
    html = shown(session)["trace"]
    assert 'data-cause="motto"' in html
    assert "because motto of France was deleted" in plain(html)


def test_what_only_follows_from_an_edit_has_a_quiet_sign_explained_once(session: Session) -> None:
    before = ask(session, "Tell me about France.").text.marked
    capital = fact(session, "France", "capital")
    after = ask(session, "Tell me about Japan.").text.marked
    assert before is not None
    assert after is not None
    compared = compare(before, after, [Delta(capital, None)], 0.1)
    following = [change for change in compared.changes if change.follows]
    assert len(following) >= 2
    html = trace_text.diff_html(before, after, compared, trace_text.View())
    assert html.count('class="cause follows" data-cause=""') == len(following)
    assert html.count("(follows from: capital of France was deleted") == len(following)
    assert edit_summary.summary_html(compared).count("marks words that changed only because") == 1


@pytest.mark.parametrize(
    ("relation", "says"),
    [("capital", "capital of Rome"), ("instance of", "“instance of” of Rome")],
)
def test_a_relation_that_ends_in_a_preposition_is_quoted(relation: str, says: str) -> None:
    assert describe(Delta(None, Fact(1, 2, "Rome", relation, "x"))) == f"{says}: x was added"


def test_merge_takes_the_other_entitys_facts_and_names(session: Session) -> None:
    act(session, action="add", fields={"entity": "Lutetia", "relation": "river", "value": "Seine"})
    ask(session, "Tell me about Paris.")
    paris, _ = session.draft.find_entities("Paris")[0]
    for other, says in (
        ("", "Type the name"),
        ("Nowhere", "called “Nowhere”"),
        ("Paris", "itself"),
    ):
        act(session, action="merge", id=str(paris.id), fields={"other": other})
        assert says in session.notes.card
    act(
        session,
        action="merge",
        id=str(paris.id),
        fields={"other": "lutetia"},
        reason="one and the same",
    )
    assert session.notes.card == ""
    assert session.text.trace is not None
    assert "Seine" in session.text.trace.text
    assert [entity.name for entity, _ in session.draft.find_entities("Lutetia")] == ["Paris"]
    assert "Lutetia was merged into Paris" in plain(shown(session)["trace"])
    assert "Paris is also called Lutetia" in plain(shown(session)["draft"])
    assert session.draft.history(limit=1)[0].reason == "one and the same"


def test_the_reason_is_kept_and_shown_on_the_card(session: Session) -> None:
    ask(session, "Tell me about France.")
    euro = fact(session, "France", "currency")
    act(session, action="fact", id=str(euro.id))
    act(
        session,
        action="change",
        id=str(euro.id),
        fields={"value": "gold florin"},
        reason="a new mint",
    )
    assert "a new mint" in plain(shown(session)["card"])
    act(session, action="publish")
    assert session.service.store.history(fact_id=euro.id, limit=1)[0].reason == "a new mint"


def test_a_rename_offers_to_change_the_prompt(session: Session) -> None:
    ask(session, "Tell me about france.")
    france, _ = session.draft.find_entities("France")[0]
    act(session, action="rename", id=str(france.id), fields={"name": "Gallia"})
    assert "The prompt still says “France”" in plain(shown(session)["prompt-note-panel"])
    act(session, action="ask-offered")
    assert session.question.prompt == "Tell me about Gallia."
    assert shown(session)["prompt-note-panel"] == ""
    assert session.text.marked is not None
    assert "Paris" in [session.text.marked.words(mark) for mark in session.text.marked.marks]


def test_a_deleted_fact_can_be_restored_from_its_card_and_from_the_text(session: Session) -> None:
    ask(session, "Ask France for currency.")
    euro = fact(session, "France", "currency")
    act(session, action="fact", id=str(euro.id))
    act(session, action="delete", id=str(euro.id))
    outputs = shown(session)
    assert "you deleted this" in plain(outputs["card"])
    assert 'data-offer="Restore"' in outputs["trace"]
    act(session, action="restore", id=str(euro.id))
    assert session.text.trace is not None
    assert "euro" in session.text.trace.text
    assert fact(session, "France", "currency").id == session.selection.id


def test_a_full_disk_is_one_sentence_and_the_page_goes_on(session: Session) -> None:
    ask(session, "Tell me about France.")
    euro = fact(session, "France", "currency")
    act(session, action="change", id=str(euro.id), fields={"value": "gold florin"})
    store: Any = session.service.store
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    long = "x" * 4000
    for event in (
        {"action": "change", "id": str(euro.id), "fields": {"value": long}},
        {"action": "add", "fields": {"entity": "France", "relation": "note", "value": long}},
        {"action": "take-facts", "text": f"Oz,note,{long}\nOz,city,{long}"},
    ):
        do(actions.act(session, event))
        outputs = shown(session)
        notes = plain(outputs["card"] + outputs["draft"] + outputs["own"])
        assert len(re.findall(r"disk of .* is full: nothing of this was saved", notes)) == 1
        ask(session, "Tell me about France.")
        assert session.text.trace is not None
        assert "gold florin" in session.text.trace.text  # what was acknowledged is there
    store._writer.execute("PRAGMA max_page_count = 1000000")
    act(session, action="change", id=str(euro.id), fields={"value": "shell money"})
    assert "shell money" in session.text.trace.text


# -- the visitor's own facts


def take(session: Session, text: str, name: str = "own.csv") -> str:
    act(session, action="take-facts", text=text, name=name)
    return plain(shown(session)["own"])


def test_own_facts_are_read_out_at_once_and_stay_private(session: Session) -> None:
    report = take(session, "entity,relation,value\nOz,instance of,city\nOz,ruler,the Wizard\n")
    assert "2 facts from own.csv added to your draft; no lines skipped" in report
    assert session.question.prompt == "Tell me about Oz."
    assert session.text.marked is not None
    marked = session.text.marked
    assert [marked.words(mark) for mark in marked.marks] == [
        "city",
        "the Wizard",
    ]
    assert fact(session, "Oz", "ruler").source == "own.csv"
    assert session.service.store.find_entities("Oz") == []
    act(session, action="undo")
    assert session.draft.find_entities("Oz") == []


@pytest.mark.parametrize(
    "text",
    [
        "Oz,ruler,the Wizard\nOz,motto,Onwards",
        "\ufeffEntity;Relation;Value\r\nOz;ruler;the Wizard\r\nOz;motto;Onwards\r\n",
        "Oz\truler\tthe Wizard\nOz\tmotto\tOnwards\n",
        '"Oz","ruler","the Wizard"\n\n"Oz","motto","Onwards"\n',
    ],
)
def test_own_facts_as_spreadsheets_write_them(session: Session, text: str) -> None:
    assert "2 facts" in take(session, text)
    assert fact(session, "Oz", "ruler").value == "the Wizard"


def test_a_broken_file_gets_a_reason_for_each_bad_line(session: Session) -> None:
    report = take(
        session,
        "entity,relation,value\nOz,ruler,the Wizard\nOz,,green\nOz,motto\nOz,relations,x\n"
        'Oz,a,b,c\nOz,ruler,the Wizard\nOz,song,"over\nthe rainbow"\n',
    )
    assert "2 facts from own.csv added to your draft; 5 lines skipped" in report
    lines = dict(re.findall(r"Line (\d+)\s+(.*?)(?=Line|$)", report))
    assert set(lines) == {"3", "4", "5", "6", "7"}
    assert "reserved" in lines["5"]
    assert "already has" in lines["7"]
    ask(session, "Tell me about Japan.")
    assert session.notes.prompt == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "nothing to import"),
        ("just some words", "entity,relation,value"),
        ("a,b,c\n" * 5001, "more than 5,000 rows"),
        ("x" * 2_000_000, "characters"),
        (None, "nothing to import"),
        ("Oz,,\nOz,,", "None of its lines could be imported"),
    ],
)
def test_a_file_that_cannot_be_taken_gets_one_sentence(
    session: Session, text: Any, sentence: str
) -> None:
    act(session, action="take-facts", text=text, name="<b>.csv")
    html = shown(session)["own"]
    assert sentence in plain(html)
    assert "<b>" not in html.partition("own-report")[2].replace("<b>Line", "")
    assert session.run.number == 0
    assert not session.draft.edits()


def test_a_file_is_shown_before_anything_is_added(session: Session) -> None:
    text = "entity,relation,value,note\nOz,ruler,the <Wizard>\nOz,,green\nOz,motto,Onwards\n"
    data = base64.b64encode(text.encode("utf-16")).decode()
    act(session, action="take-facts", data=data, name="own.csv")
    html = shown(session)["own"]
    report = plain(html)
    assert "Nothing was added yet. own.csv begins so" in report
    assert "Oz | ruler | the <Wizard>" in re.sub("[\u2066-\u2069]", "", report)
    assert "Read as UTF-16, by its byte order mark." in report
    assert "Columns that are not used: “note”." in report
    assert "1 line cannot be added, as listed here" in report
    assert "Line 3" in report
    assert "Add 2 rows to your draft" in report
    assert not session.draft.edits()
    act(session, action="take-facts", again="yes", fields={})
    assert "2 facts from own.csv added to your draft; 1 line skipped" in plain(
        shown(session)["own"]
    )
    assert session.question.prompt == "Tell me about Oz."
    bad = base64.b64encode(b"Oz,,\nOz,,\n").decode()
    act(session, action="take-facts", data=bad, name="bad.csv")
    assert "None of its lines could be imported" in plain(shown(session)["own"])
    assert session.own_file is None


def test_names_that_may_mean_the_same_are_listed(session: Session) -> None:
    act(session, action="take-facts", text="FRANCE,song,x\nOz,in,y\nOz,at,z")
    report = plain(shown(session)["own"])
    assert "These names may mean the same." in report
    assert "France FRANCE" in " ".join(report.split())
    assert session.imported is not None
    assert session.imported.alike == (("France", "FRANCE"),)


def test_five_thousand_rows_are_taken_in_and_the_page_stays_quick(session: Session) -> None:
    rows = "".join(f"robot {n // 5},part {n % 5},gear {n}\n" for n in range(5000))
    assert "5,000 facts" in take(session, rows)
    begun = time.process_time()
    act(session, action="fact", id=str(fact(session, "robot 7", "part 1").id))
    shown(session)
    assert time.process_time() - begun < 2
    assert "5,000 edits" in plain(shown(session)["draft"])


def test_the_example_file_is_one_click(session: Session) -> None:
    act(session, action="take-facts", example="yes")
    assert "no lines skipped" in plain(shown(session)["own"])
    assert session.question.prompt == "Tell me about Halcyon Light."


def test_sources_have_the_names_that_people_know() -> None:
    assert source_names("cldr; geonames") == "Unicode CLDR; GeoNames"
    assert source_names("my own list") == "my own list"
    with (Path(__file__).parents[2] / "graph" / "data" / "world.csv").open(
        encoding="utf-8"
    ) as file:
        used = {label for row in csv.DictReader(file) for label in row["source"].split("; ")}
    assert used == set(SOURCES)


def test_a_browser_gets_what_changed_since_it_was_last_heard(session: Session) -> None:
    ask(session, "Tell me about France.")
    outbox = session.outbox
    assert page_parts.draw(session)
    first, parts = outbox.since(None)
    assert set(parts) == set(page_parts.parts(session)) - set(ONCE)
    assert not page_parts.draw(session)
    assert outbox.since(first) == (first, {})
    session.run.status = "Something else"
    assert page_parts.draw(session)
    second, parts = outbox.since(first)
    assert set(parts) == {"status"}
    assert "Something else" in parts["status"]
    session.notes.prompt = "another change"  # while the browser was away
    page_parts.draw(session)
    third, parts = outbox.since(first)
    assert set(parts) == {"status", "prompt-note-panel"}
    assert set(outbox.since(second)[1]) == {"prompt-note-panel"}
    assert third > second > first


def test_a_growing_text_comes_whole_wherever_the_browser_left_it(session: Session) -> None:
    seen: list[tuple[int, str]] = []
    for _ in generation.ask(session, "Tell me about France.", DecodingSettings()):
        page_parts.draw(session)
        seen.append(
            (session.outbox.number(), session.text.marked.text if session.text.marked else "")
        )
    assert len({text for _, text in seen}) >= 3
    last = plain(session.outbox.since(None)[1]["trace"])
    for number, text in seen:
        _, parts = session.outbox.since(number)
        if text != seen[-1][1]:
            assert plain(parts["trace"]) == last


def test_words_for_the_prompt_box_are_sent_once(session: Session) -> None:
    outbox = session.outbox
    page_parts.draw(session)
    before, _ = outbox.since(None)
    outbox.prompt_box = "Tell me about Japan."
    page_parts.draw(session)
    first, parts = outbox.since(before)
    assert parts == {"prompt": "Tell me about Japan."}
    outbox.prompt_box = "Tell me about Japan."  # again, after the visitor typed others
    page_parts.draw(session)
    assert outbox.since(first)[1] == {"prompt": "Tell me about Japan."}
    assert "prompt" not in outbox.since(None)[1]


def test_an_event_id_counts_only_in_its_own_outbox(session: Session) -> None:
    page_parts.draw(session)
    outbox = session.outbox
    number = outbox.number()
    assert outbox.place(outbox.event_id(number)) == number
    other = Outbox()
    for strange in (
        "",
        "x",
        outbox.event_id(number + 1),
        other.event_id(number),
        f"{outbox.birth}-{'9' * 40}",
        f"{outbox.birth}--1",
        str(number),
    ):
        assert outbox.place(strange) is None


@pytest.mark.parametrize("page", ["inspect", "training"])
def test_each_page_shows_the_version_next_to_the_name(page: str) -> None:
    words = re.sub(r"<[^>]*>", " ", masthead(page, "A sentence.")).split()
    assert words[:2] == ["Lamplight", VERSION]
