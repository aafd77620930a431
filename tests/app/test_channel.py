"""The channel as a script uses it: actions in, events out, over real HTTP."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access import cookie
from app.access.levels import Level
from app.api import channel as channel_module
from app.api.turns import MOST_WAITING
from graph.core.edits import Add
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Server, serve_on
from tests.graph.helpers import fact_of, said
from tests.patience import PATIENCE

FACTS = [("capital", "Paris"), ("currency", "euro"), ("continent", "Europe")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("channel") / "small.db"
    with open_store(f"sqlite:///{path}", create=True) as store:
        for entity in ("France", "Japan"):
            for relation, value in FACTS:
                store.apply([Add(entity, relation, value)], author="test")
        made = serve_on(store, Decoder(scripted.checkpoint()))
        yield made
        made.end()


class Script:
    """A client without a browser."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=60 * PATIENCE)
        self.http.get("/health")  # which sets the cookie
        self.page = secrets.token_hex(8)
        self.parts: dict[str, str] = {}
        self.last = ""
        self.kinds: list[str] = []

    def send(self, action: str, page: str = "", **fields: Any) -> dict[str, Any]:
        return {
            "id": fields.pop("write_id", secrets.token_hex(16)),
            "page": page or self.page,
            "do": {"action": action, **fields},
        }

    def post(self, request: Any) -> httpx.Response:
        return self.http.post("/api/actions", json=request)

    def act(self, action: str, **fields: Any) -> dict[str, Any]:
        answer = self.post(self.send(action, **fields))
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    def events(self, page: str = "") -> Iterator[tuple[str, dict[str, str]]]:
        """The events from the last one on; each brings `parts` up to date."""
        query = {"page": page or self.page, **({"last": self.last} if self.last else {})}
        with self.http.stream("GET", "/api/events", params=query) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            kind = event_id = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    event_id = value
                elif name == "data":
                    data = json.loads(value)
                elif not line:
                    self.last = event_id or self.last
                    self.parts = {**({} if kind == "page" else self.parts), **data}
                    self.kinds.append(kind)
                    yield kind, data
                    kind = event_id = ""

    def watch(self, until: Any) -> Script:
        """Take events until the page is as it should be."""
        deadline = time.monotonic() + 60 * PATIENCE
        for _ in self.events():
            if until(self.parts):
                return self
            assert time.monotonic() < deadline, self.parts
        raise AssertionError("the stream ended")

    def written(self, words: str = "") -> Script:
        """Wait for a whole text that holds these words."""
        return self.watch(
            lambda parts: (
                'data-writing="no"' in parts["status"]
                and "reading" in parts["trace"]
                and words in parts["trace"]
                and 'aria-busy="false"' in parts["trace"]
            )
        )


def test_a_page_opens_with_a_text_and_an_action_changes_it(server: Server) -> None:
    script = Script(server).written("Paris")
    assert script.kinds[0] == "page"
    assert script.parts["prompt"].startswith("Tell me about")
    script.act("ask", prompt="Tell me about Japan.")
    script.written("Japan")
    assert script.kinds.count("page") == 1


def test_an_event_is_never_missed_or_sent_twice(server: Server) -> None:
    """However often the stream is cut, the parts are those of a page that was never cut."""
    script, whole = Script(server), Script(server)
    whole.http.cookies, whole.page = script.http.cookies, script.page
    script.written()
    script.act("ask", prompt="Slowly France")
    texts = []
    end = time.monotonic() + 20 * PATIENCE
    while time.monotonic() < end:
        kind, parts = next(iter(script.events()))
        if kind == "parts" and "trace" in parts:
            texts.append(parts["trace"])
        complete = bool(texts) and 'aria-busy="false"' in texts[-1]
        if complete and 'data-writing="no"' in script.parts["status"]:
            break
    assert script.kinds.count("page") == 1
    assert len(texts) > 5
    assert len(set(texts)) == len(texts)
    assert [len(text) for text in texts[:5]] == sorted(len(text) for text in texts[:5])
    whole.written()
    for name in ("trace", "status", "table", "card"):
        assert script.parts[name] == whole.parts[name]


def test_an_unknown_last_event_gets_the_whole_page_without_the_prompt_box(server: Server) -> None:
    script = Script(server).written()
    for unknown in ("x", "00000000-5", f"{script.last}0"):
        script.last = unknown
        kind, parts = next(iter(script.events()))
        assert kind == "page"
        assert "prompt" not in parts
    header = {"Last-Event-ID": script.last}
    with script.http.stream("GET", f"/api/events?page={script.page}", headers=header) as answer:
        first = next(answer.iter_lines())
    assert first in ("event: alive", "event: parts")  # as EventSource itself asks


def test_an_action_that_is_sent_again_takes_effect_once(server: Server) -> None:
    script = Script(server).written()
    continent = fact_of(server.store, "France", "continent")
    change = script.send("change", id=str(continent.id), fields={"value": "crown"})
    replies = [script.post(change).json() for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    assert not replies[0]["refused"]
    again = script.send("change", id=str(continent.id), fields={"value": "crown"})
    assert "unchanged" in script.post(again).json()["refused"]
    undo, publish = script.send("undo"), script.send("publish")
    script.act("add", fields={"entity": "France", "relation": "motto", "value": "Liberté"})
    for _ in range(2):
        script.post(undo)
    script.written("crown")
    for _ in range(2):
        assert not script.post(publish).json()["refused"]
    assert said(server.store, "France", "continent") == ["crown"]
    assert said(server.store, "France", "motto") == []
    kinds = [entry.kind for entry in server.store.history(limit=3)]
    assert kinds.count("change") == 1


def test_two_pages_of_a_browser_share_the_draft_and_not_the_text(server: Server) -> None:
    first = Script(server).written()
    second = Script(server)
    second.http.cookies = first.http.cookies
    second.written()
    second.act("ask", prompt="Tell me about Japan.")
    second.written("Japan")
    euro = fact_of(server.store, "Japan", "currency")
    done = threading.Event()

    def other() -> None:
        first.act("change", id=str(euro.id), fields={"value": "crown"})
        done.set()

    threading.Timer(0.5, other).start()
    second.watch(lambda parts: "crown" in parts["trace"] and "1 edit" in parts["draft"])
    assert done.wait(10 * PATIENCE)
    first.watch(lambda parts: "1 edit" in parts["draft"])
    assert "France" in first.parts["trace"]


def test_clicks_and_searches_do_not_wait_behind_texts(server: Server) -> None:
    script = Script(server).written()
    alone = quickest(script)
    for _ in range(6):
        script.post(script.send("ask", page=secrets.token_hex(8), prompt="Slowly Japan"))
    assert quickest(script) < 4 * alone + 0.2 * PATIENCE


def quickest(script: Script) -> float:
    """Seconds that a search takes, the least of five."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        script.act("search", text="Jap")
        taken.append(time.perf_counter() - begun)
    return min(taken)


def test_who_waits_sees_how_many_are_before_them_and_waiting_is_bounded(server: Server) -> None:
    script = Script(server).written()
    pages = [secrets.token_hex(8) for _ in range(MOST_WAITING + 8)]
    answers = [script.post(script.send("ask", page=page, prompt="Slowly Japan")) for page in pages]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 1 <= len(refused) <= 8
    assert "waiting already" in refused[0].json()["error"]
    assert any(answer.json()["before"] >= 2 for answer in answers if answer.status_code == 200)
    script.page, script.last = pages[6], ""
    kind, parts = next(iter(script.events()))
    assert kind == "page"
    assert "before you" in parts["trace"]
    script.act("stop")  # leaves the line at once
    script.watch(lambda parts: "Stopped" in parts["trace"])


def test_another_client_is_not_held_up_by_one_with_144_texts(server: Server) -> None:
    alone = min(first_word(server) for _ in range(3))
    flood = Script(server).written()
    for _ in range(144):
        flood.post(flood.send("ask", page=secrets.token_hex(8), prompt="Tell me about Japan."))
    late = min(first_word(server) for _ in range(3))
    print(f"first word alone {alone:.3f} s, next to 144 asks {late:.3f} s")
    assert late <= 1.5 * alone + 0.05 * PATIENCE


def first_word(server: Server) -> float:
    """Seconds from a new client's question to its first word."""
    script = Script(server).written()
    script.act("stop")
    begun = time.perf_counter()
    script.act("ask", prompt="Tell me about France.")
    script.watch(lambda parts: "The capital" in parts["trace"] and 'busy="true"' in parts["trace"])
    return time.perf_counter() - begun


def test_a_text_that_nobody_watches_is_stopped_and_goes_on_when_they_are_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_look = channel_module.LOOK_EVERY
    monkeypatch.setattr(channel_module, "GONE_AFTER", 0.2)
    monkeypatch.setattr(channel_module, "LOOK_EVERY", 0.05)
    script = Script(server).written()
    time.sleep(last_look + 0.5)  # until the server looks that often
    script.act("ask", prompt="Slowly France")
    session_id = cookie.session_id(script.http.cookies[cookie.NAME])
    page = server.channel.browsers[session_id].pages[script.page]
    deadline = time.monotonic() + 20 * PATIENCE
    while page.session.run.writing and time.monotonic() < deadline:
        time.sleep(0.05)
    assert page.session.text.trace.finish == "cancelled"
    script.written("continent")
    assert "Stopped" not in script.parts["trace"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": "short"}, "id"),
        ({"page": "../../etc"}, "page"),
        ({"do": {"action": "drop-tables"}}, "do"),
        ({"do": {"action": "change", "fields": {"value": "x" * 20_000}}}, "do.change.fields.value"),
        ({"do": {"action": "ask", "prompt": 7}}, "do.ask.prompt"),
        (
            {"do": {"action": "ask", "prompt": "", "settings": {"seed": "x"}}},
            "do.ask.settings.seed",
        ),
    ],
)
def test_a_bad_request_is_one_sentence(server: Server, change: dict[str, Any], place: str) -> None:
    script = Script(server)
    answer = script.post({**script.send("stop"), **change})
    assert answer.status_code == 422
    assert f"“{place}" in answer.json()["error"]
    assert len(answer.json()["error"].splitlines()) == 1


def test_without_its_cookie_and_from_a_form_nothing_is_done(server: Server) -> None:
    script = Script(server).written()
    request = script.send("discard")
    stranger = httpx.post(f"{server.url}/api/actions", json=request)
    assert stranger.status_code == 401
    assert "cookie" in stranger.json()["error"]
    body = json.dumps(request).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = script.http.post("/api/actions", content=body, headers={"content-type": kind})
        assert answer.status_code == 422, kind
    assert script.http.get("/api/actions").status_code == 404


def test_a_page_id_opens_nothing_of_another_browser(server: Server) -> None:
    one, other = Script(server).written(), Script(server)
    one.act("ask", prompt="Tell me about Japan.")
    one.written("Japan")
    other.page = one.page
    other.written()
    assert "Japan" not in other.parts["trace"]


@pytest.mark.parametrize(
    ("level", "allowed"),
    [("VIEWER", set()), ("EDITOR", {"undo"}), ("PUBLISHER", {"undo", "publish"})],
)
def test_a_level_decides_which_actions_are_done(
    tmp_path: Path, level: str, allowed: set[str]
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        server = serve_on(store, Decoder(scripted.checkpoint()), grant=lambda _: Level[level])
        script = Script(server).written()
        for action in ("undo", "publish"):
            answer = script.post(script.send(action))
            assert answer.status_code == (200 if action in allowed else 403)
        assert script.post(script.send("ask", prompt="Tell me about Oz.")).status_code == 200
        server.end()


def test_a_page_that_is_being_kept_is_not_rebuilt(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that loads acts and listens at once. What it acts on is what it listens to."""
    script = Script(server).written()
    session_id = cookie.session_id(script.http.cookies[cookie.NAME])
    page = server.channel.browsers[session_id].pages[script.page]
    while page.streams or page.keeping.locked():
        time.sleep(0.01)
    keep, written = server.store.keep_draft_notes, threading.Event()

    def slowly(*given: Any) -> None:
        keep(*given)
        written.set()
        time.sleep(1)  # it is in the store, and the channel does not know yet

    monkeypatch.setattr(server.store, "keep_draft_notes", slowly)
    script.act("ask", prompt="Tell me about Japan.")
    assert written.wait(10 * PATIENCE)
    script.written("Japan")
    assert server.channel.browsers[session_id].pages[script.page] is page


def test_a_page_is_rebuilt_by_another_process(server: Server, tmp_path: Path) -> None:
    """Two servers on one store: when one is gone, the other goes on with its pages."""
    script = Script(server).written()
    euro = fact_of(server.store, "France", "currency")
    script.act("fact", id=str(euro.id))
    script.act("change", id=str(euro.id), fields={"value": "crown"})
    script.written("crown")
    time.sleep(0.5)
    with open_store(server.store.url) as store:
        second = serve_on(store, Decoder(scripted.checkpoint()))
        moved = Script(second)
        moved.http.cookies.clear()
        moved.http.headers["cookie"] = f"{cookie.NAME}={script.http.cookies[cookie.NAME]}"
        moved.page, moved.last = script.page, script.last
        moved.written("crown")
        assert moved.kinds[0] == "page"
        assert "prompt" not in moved.parts
        assert f"card-{euro.id}" in moved.parts["card"]
        assert "1 edit" in moved.parts["draft"]
        moved.act("undo")
        moved.written("euro")
        time.sleep(0.5)
        second.end()
    script.written("euro")  # back at the first, which sees that another went on
    assert "No edits" in script.parts["draft"]
