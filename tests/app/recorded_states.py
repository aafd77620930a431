"""States of the page as the views draw them, without a browser, recorded as outlines of the DOM.

    python -m tests.app.recorded_states        record all again, after a change that is meant

Each function below leads to one state; its recording is `recorded/NAME.txt`, which holds the parts
of the page that differ from a page just opened. Ids, times and speeds differ from run to run, so
they are replaced. Read the difference in git before you commit a new recording.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from app.pages.training import SENTENCE
from app.state import actions, generation, text_in_progress
from app.state.comparison import compare
from app.state.generation import Steps, Turn
from app.state.service import Service
from app.state.session import Session, new_session_id
from app.state.training_session import TrainingSession
from app.views import fixed_parts, masthead, page_parts, trace_text, training_parts
from graph.core.deltas import Delta
from graph.core.edits import Add
from graph.core.facts import Fact
from graph.opening import open_store
from graph.version import VERSION
from model.engine.decoder import Decoder
from model.roles import Role
from model.settings import DecodingSettings
from tests.app import scripted
from tests.app.dom import outline
from training.data.tokenizer import CorpusError
from training.fit.samples import Sample
from training.report.runs import Run
from training.report.show_mask import Run as Piece

FOLDER = Path(__file__).parent / "recorded"
HOSTILE = "<img src=x onerror=alert(1)> ${1} {{x}} {% x %} \" ' &amp;"
FACTS = (
    ("Paris", "instance of", "city", "cldr; geonames"),
    ("France", "instance of", "country", "test"),
    ("France", "capital", "Paris", "test"),
    ("France", "largest city", "Paris", "wikidata"),
    ("France", "currency", "euro", ""),
    ("France", "population", "68.5 million", "test"),
    ("Japan", "instance of", "country", "test"),
    ("Japan", "capital", "Tokyo", "test"),
)
FIGURES = ("graph", "download")  # data, not HTML
Parts = dict[str, str]


@dataclass
class Visit:
    """A page over a small graph, and what a person does on it."""

    session: Session
    stopped_on_the_way: Iterator[None] | None = None

    def do(self, steps: Steps, most: int | None = None) -> Visit:
        """Goes through the steps of an action; at most so many drawings, to stop on the way."""
        drawings = (step for step in steps if not isinstance(step, Turn))
        for number, _ in enumerate(drawings, start=1):
            if number == most:
                self.stopped_on_the_way = steps  # which would end if nobody held it
                break
        return self

    def ask(self, prompt: str, most: int | None = None, **settings: Any) -> Visit:
        return self.do(generation.ask(self.session, prompt, DecodingSettings(**settings)), most)

    def act(self, action: str, most: int | None = None, **data: Any) -> Visit:
        return self.do(actions.act(self.session, {"action": action, **data}), most)

    def fact(self, entity: str, relation: str) -> Fact:
        found, _ = self.session.draft.find_entities(entity)[0]
        return self.session.draft.facts(found.id, relation)[0]

    def entity(self, name: str) -> str:
        return str(self.session.draft.find_entities(name)[0][0].id)

    def open(self, entity: str, relation: str) -> Visit:
        return self.act("fact", id=str(self.fact(entity, relation).id))

    def change(self, entity: str, relation: str, value: str, **data: Any) -> Visit:
        fact = self.fact(entity, relation)
        return self.act("change", id=str(fact.id), fields={"value": value}, **data)

    def add(self, entity: str, relation: str, value: str) -> Visit:
        fields = {"entity": entity, "relation": relation, "value": value}
        return self.act("add", fields=fields)

    def other(self) -> Visit:
        """A page of somebody else, over the same graph."""
        session_id = new_session_id()
        service = self.session.service
        return Visit(Session.open(service, session_id))

    def parts(self) -> Parts:
        drawn = page_parts.parts(self.session)
        return {name: str(value or "") for name, value in drawn.items() if name not in FIGURES}


STATES: dict[str, Callable[[Visit], Parts | Visit]] = {}


def state(build: Callable[[Visit], Parts | Visit]) -> Callable[[Visit], Parts | Visit]:
    """Registers a state under the name of its function."""
    STATES[build.__name__.replace("_", "-")] = build
    return build


# -- the text


@state
def opened(page: Visit) -> Visit:
    return page


@state
def waiting(page: Visit) -> Visit:
    page.ask("Tell me about France.", 1)
    page.session.run.waiting = 2
    return page


@state
def first_step(page: Visit) -> Visit:
    return page.ask("Tell me about France.", 1)


@state
def writing(page: Visit) -> Visit:
    return page.ask("Tell me about France.", 12)


@state
def writing_raw(page: Visit) -> Visit:
    return page.act("raw").ask("Skip France.", 20)


@state
def written(page: Visit) -> Visit:
    return page.ask("Tell me about France.")


@state
def written_raw(page: Visit) -> Visit:
    return page.ask("Tell me about France.").act("raw")


@state
def contradicted(page: Visit) -> Visit:
    page.add("Japan", "motto", f"A value that is longer than forty characters, {HOSTILE}")
    return page.ask("Contradict Japan.")


@state
def of_another_relation(page: Visit) -> Visit:
    return page.ask("Mistake Japan.").open("Japan", "capital")


@state
def not_said(page: Visit) -> Visit:
    return page.ask("Skip France.").open("France", "population")


@state
def missed(page: Visit) -> Visit:
    return page.ask("Ask France for motto.").act("lookup", id="0")


@state
def entity_missed(page: Visit) -> Visit:
    return page.ask("Tell me about Nowhere.").act("miss", id="0")


@state
def unsupported(page: Visit) -> Visit:
    return page.ask("Ramble about France.")


@state
def cut_inside_a_lookup(page: Visit) -> Visit:
    return page.ask("Tell me about France.", max_tokens=4)


@state
def cut_at_the_limit(page: Visit) -> Visit:
    return page.ask("Tell me about France.", max_tokens=40)


@state
def asked_by_another_name(page: Visit) -> Visit:
    page.act("rename", id=page.entity("France"), fields={"name": "French Republic"})
    page.ask("Tell me about France.").open("French Republic", "capital")
    return page


@state
def asked_by_a_similar_name(page: Visit) -> Visit:
    return page.ask("Ask Farnce for curency.").open("France", "currency")


@state
def one_word_repeats_two_facts(page: Visit) -> Parts:
    reading = page.ask("Ask France for capital.").session.text.marked
    assert reading is not None
    (mark,) = reading.marks
    capital = reading.facts[mark.fact_id]
    city = page.fact("France", "largest city")
    two = replace(
        reading,
        marks=(mark, mark._replace(fact_id=city.id)),
        facts={capital.id: capital, city.id: city},
        numbers={capital.id: 1, city.id: 2},
        lookup_of={
            capital.id: reading.lookup_of[capital.id],
            city.id: reading.lookup_of[capital.id],
        },
    )
    views = {
        "plain": trace_text.View(),
        "first selected": trace_text.View(selected=frozenset({capital.id})),
        "second edited": trace_text.View(edited=frozenset({city.id})),
    }
    return {name: str(trace_text.render(two, view)) for name, view in views.items()}


# -- edits


@state
def changed(page: Visit) -> Visit:
    return page.ask("Tell me about France.").change("France", "currency", "gold florin")


@state
def changed_before(page: Visit) -> Visit:
    return changed(page).act("tab", tab="before")  # type: ignore[union-attr]


@state
def changed_after(page: Visit) -> Visit:
    return changed(page).act("tab", tab="after")  # type: ignore[union-attr]


@state
def changed_with_a_reason(page: Visit) -> Visit:
    page.ask("Tell me about France.").open("France", "currency")
    return page.change("France", "currency", "gold florin", reason="a new <mint>")


@state
def rewriting(page: Visit) -> Visit:
    page.ask("Tell me about France.")
    fact = page.fact("France", "currency")
    return page.act("change", 1, id=str(fact.id), fields={"value": "gold florin"})


@state
def deleted_and_still_said(page: Visit) -> Visit:
    page.ask("Tell me about France.").open("France", "capital")
    return page.act("delete", id=str(page.fact("France", "capital").id))


@state
def deleted_and_missed(page: Visit) -> Visit:
    page.ask("Ask France for currency.").open("France", "currency")
    return page.act("delete", id=str(page.fact("France", "currency").id))


@state
def restored(page: Visit) -> Visit:
    euro = page.ask("Ask France for currency.").fact("France", "currency")
    page.act("delete", id=str(euro.id))
    return page.act("restore", id=str(euro.id))


@state
def added(page: Visit) -> Visit:
    return page.ask("Tell me about France.").add("France", "motto", "Onwards")


@state
def renamed(page: Visit) -> Visit:
    page.ask("Tell me about france.")
    return page.act("rename", id=page.entity("France"), fields={"name": "Gallia <&>"})


@state
def renamed_through_links(page: Visit) -> Visit:
    page.ask("Tell me about France.")
    return page.act("rename", id=page.entity("Paris"), fields={"name": "Lutetia"})


@state
def merged(page: Visit) -> Visit:
    page.add("Lutetia", "river", "Seine").ask("Tell me about Paris.")
    return page.act("merge", id=page.entity("Paris"), fields={"other": "lutetia"})


@state
def read_by_no_lookup(page: Visit) -> Visit:
    return page.ask("Ask France for capital.").change("Japan", "capital", "Kyoto")


@state
def nothing_to_compare(page: Visit) -> Visit:
    page.ask("Ask France for capital.").change("France", "capital", "Lyon")
    return page.act("undo")


@state
def follows(page: Visit) -> Parts:
    before = page.ask("Tell me about France.").session.text.marked
    capital = page.fact("France", "capital")
    after = page.ask("Tell me about Japan.").session.text.marked
    assert before is not None
    assert after is not None
    deltas = [
        Delta(capital, None),
        *(Delta(None, Fact(i, 1, f"E{i}", "r", HOSTILE)) for i in range(900000001, 900000005)),
    ]
    compared = compare(before, after, deltas, 0.1)
    return {"trace": str(trace_text.render(after, trace_text.View(), before, compared))}


@state
def still_said_by_no_fact(page: Visit) -> Parts:
    reading = page.ask("Ramble about France.").session.text.marked
    assert reading is not None
    deltas = [Delta(Fact(900000001, 1, "France", "founder", "Baldric"), None)]
    compared = compare(reading, reading, deltas, 0.1)
    return {"trace": str(trace_text.render(reading, trace_text.View(), reading, compared))}


@state
def hostile(page: Visit) -> Visit:
    page.add(HOSTILE, HOSTILE, HOSTILE).ask(f"Tell me about {HOSTILE}.")
    page.open(HOSTILE, HOSTILE).change(HOSTILE, HOSTILE, f"{HOSTILE}2", reason=HOSTILE)
    page.act("search", text="img").act("suggest", text="img")
    return page


@state
def hostile_miss(page: Visit) -> Visit:
    page.ask(f"Ask France for {HOSTILE}.").act("miss", id="0")
    return page.add("France", f"other {HOSTILE}", HOSTILE)


@state
def hostile_entity(page: Visit) -> Visit:
    page.add(HOSTILE, HOSTILE, HOSTILE).ask(f"Tell me about {HOSTILE}.")
    return page.act("node", id=f"e{page.entity(HOSTILE)}")


# -- the card


@state
def fact_opened(page: Visit) -> Visit:
    return page.ask("Tell me about France.").open("France", "largest city")


@state
def fact_not_looked_up(page: Visit) -> Visit:
    return page.ask("Tell me about Japan.").open("Paris", "instance of")


@state
def dated_fact_opened(page: Visit) -> Visit:
    store = page.session.service.store
    store.apply([Add("Japan", "population", "123 million", "wikidata", 2024)], author="<someone>")
    return page.ask("Ask Japan for population.").open("Japan", "population")


@state
def entity_opened(page: Visit) -> Visit:
    page.ask("Tell me about France.")
    return page.act("expand", id=f"e{page.entity('France')}")


@state
def entity_with_more_facts(page: Visit) -> Visit:
    rows = "".join(f"Oz,part {n},gear {n}\n" for n in range(20))
    page.act("take-facts", text=rows, name="own.csv")
    page.act("rename", id=page.entity("Oz"), fields={"name": "Ozland"})
    return page.act("node", id=f"e{page.entity('Ozland')}")


@state
def entity_that_is_only_a_value(page: Visit) -> Visit:
    return page.ask("Tell me about Japan.").act("node", id=f"e{page.entity('Tokyo')}")


@state
def refused(page: Visit) -> Visit:
    page.ask("Tell me about France.").open("France", "currency")
    page.change("France", "currency", "euro").act("suggest", text="Par")
    return page


@state
def example_types(page: Visit) -> Visit:
    steps = _steps_of_an_example(page, "change")
    return page.act("example", steps - 6, name="change")


@state
def example_deletes(page: Visit) -> Visit:
    euro = page.ask("Tell me about France.").open("France", "currency").fact("France", "currency")
    page.session.example.button = "delete"
    assert page.session.selection.id == euro.id
    return page


@state
def example_invents(page: Visit) -> Visit:
    return page.act("example", name="invent")


def _steps_of_an_example(page: Visit, name: str) -> int:
    """How many times an example draws until it edits; its edit is not played."""
    other, count = page.other(), 0
    for _ in actions.act(other.session, {"action": "example", "name": name}):
        count += 1
        if other.session.run.rewriting:
            break
    other.session.draft.discard()
    return count


# -- prompt, search, draft, own facts


@state
def bad_prompt(page: Visit) -> Visit:
    return page.ask("x" * 50_000)


@state
def found(page: Visit) -> Visit:
    return page.act("search", text="a")


@state
def found_nothing(page: Visit) -> Visit:
    return page.act("search", text="zzzz")


@state
def published(page: Visit) -> Visit:
    return page.ask("Tell me about France.").change("France", "currency", "florin").act("publish")


@state
def conflict(page: Visit) -> Visit:
    other = page.other().ask("Tell me about France.")
    other.change("France", "currency", "shell <money>")
    other.act("delete", id=str(other.fact("France", "population").id))
    page.ask("Tell me about France.").change("France", "currency", "gold florin")
    page.act("delete", id=str(page.fact("France", "population").id)).act("publish")
    return other.act("publish")


@state
def undone(page: Visit) -> Visit:
    page.ask("Tell me about Paris.").change("France", "currency", "gold florin")
    return page.act("undo").act("undo")


@state
def discarded(page: Visit) -> Visit:
    return changed(page).act("discard")  # type: ignore[union-attr]


@state
def own_facts(page: Visit) -> Visit:
    return page.act("take-facts", example="yes")


@state
def own_facts_with_bad_lines(page: Visit) -> Visit:
    bad = "".join(f"Oz,,{n}\n" for n in range(120))
    good = "".join(f"Oz{n},ruler,<b>{n}\n" for n in range(6))
    return page.act("take-facts", text=good + bad, name="<own>.csv")


@state
def own_facts_refused(page: Visit) -> Visit:
    return page.act("take-facts", text="just some words", name="<b>.csv")


@state
def own_facts_in_a_guessed_encoding(page: Visit) -> Visit:
    data = base64.b64encode("entity;relation;value\nMühlgrün;Fluß;Färse\n".encode("cp1252"))
    return page.act("take-facts", data=data.decode(), name="<b>.csv")


@state
def own_facts_shown_first(page: Visit) -> Visit:
    text = "entity,relation,value,rank\n<b>Oz,ruler,the Wizard\nOz,,green\nOz,motto,Onwards\n"
    data = base64.b64encode(text.encode())
    return page.act("take-facts", data=data.decode(), name="<own>.csv")


@state
def own_facts_that_may_be_there(page: Visit) -> Visit:
    return page.act("take-facts", text="FRANCE,song,<b>x\nOz,ruler,y\nOz,at,z\n")


@state
def own_facts_without_known_columns(page: Visit) -> Visit:
    text = "Who,Whom,Weight\nAnn,Bob,3\nAnn,<b>Cid,5\n"
    return page.act("take-facts", text=text, name="<b>.csv")


@state
def without_session(page: Visit) -> Parts:
    return {
        **page_parts.without_session("The store <b> cannot be opened."),
        "stop": str(page_parts.stop_html(False)),
        "stop while writing": str(page_parts.stop_html(True)),
    }


@state
def constant_parts(page: Visit) -> Parts:
    return {
        # Without the version, because a release changes it and nothing else here.
        "header": str(fixed_parts.header()).replace(VERSION, "VERSION"),
        "legend": str(fixed_parts.legend(scripted.checkpoint())),
        "facts-head": str(fixed_parts.facts_head()),
        "training header": str(masthead.masthead("training", SENTENCE)).replace(VERSION, "VERSION"),
    }


# -- the page *Training*


NOW = 2_000_000_000.0
PROMPTS = ("Tell me about France.", "Who is <b>?")


def _bench(runs: Mapping[str, Run], corpora: Mapping[str, Any], **choices: Any) -> TrainingSession:
    workshop = SimpleNamespace(
        runs=SimpleNamespace(
            folder=Path("build/<runs>"),
            written=lambda: {name: run.written for name, run in runs.items()},
            run=runs.__getitem__,
        ),
        corpora=SimpleNamespace(
            folder=Path("build/<corpus>"), names=lambda: list(corpora), corpus=corpora.__getitem__
        ),
    )
    return TrainingSession(workshop, **choices)  # type: ignore[arg-type]


def _run(validated: bool = True, samples: int = 3) -> Run:
    steps = range(0, 1000, 50)
    stages = ("train", "validation") if validated else ("train",)
    curves = {
        f"{stage}/loss_{role}": {step: 5.0 - 0.2 * number - step / 400 for step in steps}
        for stage in stages
        for number, role in enumerate(("text", "entity", "relation", "marker"))
    }
    curves |= {
        "train/tokens": {step: 2048.0 * (step + 1) for step in steps},
        "train/tokens_per_second": {950: 12345.0},
        "train/loss": {950: 2.5},
        "validation/copy_accuracy": {950: 0.987},
        "train/lookups_per_100_tokens": {950: 4.25},
    }
    pieces = (("text", "It is"), ("value", " <Paris>"), ("marker", "  "), ("odd", " x"))
    answers = [
        Sample(step, 2048 * step, prompt, pieces, count, count // 2, finish)
        for prompt in PROMPTS
        for step, count, finish in zip(
            range(100, 100 * samples + 1, 100),
            (1, 2, 3, *(4,) * samples),
            ("end", "length", "context", *("end",) * samples),
            strict=False,
        )
    ]
    settings = {"data.corpus": "build/corpus/toy", "model.<name>": "a & b"}
    return Run("first <run>", NOW - 10, settings, curves, answers)


CORPUS = SimpleNamespace(
    shards={"train": range(1200), "validation": range(3)},
    runs=lambda split, number: [
        Piece("Tell me <b>", Role.PROMPT, False, 4),
        Piece(" of", Role.TEXT, True, 1),
        Piece(" France", Role.ENTITY, True, 2),
        Piece(" capital", Role.RELATION, True, 2),
        Piece(" Paris", Role.VALUE, False, 2),
        Piece("<|db_end|>", Role.MARKER, False, 1),
        Piece("<|db_entity|>", Role.MARKER, True, 1),
    ],
)


def _training(bench: TrainingSession) -> Parts:
    with patch.object(time, "time", lambda: NOW):
        bench.sent = {}
        values = training_parts._values(bench)
    return {name: str(value) for name, value in values.items() if name != "curves"}


@state
def training_without_runs(page: Visit) -> Parts:
    return _training(_bench({}, {}, run_note="<gone>", status="A <status>"))


@state
def training_live(page: Visit) -> Parts:
    run, old = _run(), replace(_run(), name="old", written=NOW - 3 * 86_400)
    older = replace(old, name="older", written=NOW - 3_700)
    runs = {run.name: run, "old": old, "older": older}
    return _training(_bench(runs, {"toy": CORPUS, "<odd>": CORPUS}, document_note="<No>."))


@state
def training_losses_and_list(page: Visit) -> Parts:
    run = replace(_run(False, 20), written=NOW - 130)
    choices: dict[str, Any] = {"measure": "loss", "listed": True, "document": 9_999_999}
    return _training(_bench({run.name: run}, {"toy": CORPUS}, prompt=PROMPTS[1], **choices))


@state
def training_with_nothing_logged(page: Visit) -> Parts:
    def broken(name: str) -> None:
        raise CorpusError("The corpus <toy> cannot be read.")

    bench = _bench({"new": Run("new", NOW - 30)}, {"toy": None})
    bench.folders.corpora.corpus = broken  # type: ignore[method-assign,assignment]
    return _training(bench)


# -- recording


def visit(folder: Path) -> Visit:
    """A page just opened, over a graph of its own."""
    store = open_store(f"sqlite:///{folder / 'small.db'}", create=True)
    for entity, relation, value, source in FACTS:
        edit = Add(entity, relation, value, source, value_is_link=value in ("Paris", "Tokyo"))
        store.apply([edit], author="test")
    service = Service(store, Decoder(scripted.checkpoint()))
    session_id = new_session_id()
    return Visit(Session.open(service, session_id))


def steady(lines: list[str], ids: dict[str, str]) -> list[str]:
    """The lines without what differs from run to run: ids, times, speeds."""

    def numbered(match: re.Match[str]) -> str:
        return ids.setdefault(match[0], f"ID{len(ids) + 1}")

    text = "\n".join(lines)
    text = re.sub(r"\b\d{4}-\d\d-\d\d(T[\d:.+]+Z?| \d\d:\d\d)", "WHEN", text)
    text = re.sub(r"\d+\.\d(?=\u00a0s\b)", "0.0", text)
    text = re.sub(r"\d+\.\d s: (\d+ tokens)(, \d+ (a|per) second)?", r"0.0 s: \1", text)
    text = re.sub(r"(0\.\d{4})\d+", r"\1", text)
    citation = r"Lamplight \S+, model (\w+), graph [0-9a-f]{12} at (.*?), [\d-]{10}\."
    text = re.sub(citation, r"Lamplight VERSION, model \1, graph STORE at \2, WHEN.", text)
    return re.sub(r"\d{9,}", numbered, text).split("\n")


def drawn(name: str) -> str:
    """A state as its recording would have it now."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.multiple(text_in_progress, REDRAW_EVERY=0.0, REDRAW_FIRST=0.0),
        patch.object(page_parts, "GRAPH_EVERY", 0.0),
        patch("time.sleep", lambda _: None),
    ):
        page = visit(Path(folder))
        fresh = {} if name == "opened" else page.parts()
        reached = STATES[name](page)
        parts = reached.parts() if isinstance(reached, Visit) else reached
        page.session.service.store.close()
    lines: list[str] = []
    ids: dict[str, str] = {}
    for part, html in parts.items():
        if fresh.get(part) != html:
            lines += [f"#{part}", *("  " + line for line in steady(outline(html), ids))]
    return "\n".join(lines) + "\n"


def recording(name: str) -> Path:
    """The file of a state."""
    return FOLDER / f"{name}.txt"


def main() -> None:
    """Records every state, and removes the recordings of those that are gone."""
    os.environ["LAMPLIGHT_ENCODER"] = "off"  # as in the test: a lookup must not go by meaning
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        if old.stem not in STATES:
            old.unlink()
    for name in STATES:
        recording(name).write_text(drawn(name), encoding="utf-8")


if __name__ == "__main__":
    main()
