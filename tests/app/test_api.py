"""The published API over real HTTP, with a store on disk: what a script sends and gets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access import cookie
from app.access.doors import door
from app.access.levels import Level
from app.api.public import limits
from app.api.public.operations import OPERATIONS
from app.api.public.routes import PREFIX, public_router
from app.api.turns import MOST_WAITING
from app.server.request_limits import LARGEST_BODY
from graph.core.edits import Add, Change
from graph.core.names import MAX_VALUE
from graph.opening import open_store
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from model.prompts import MAX_PROMPT_CHARACTERS
from tests.app import scripted
from tests.app.page_driver import Server, serve_on
from tests.graph.helpers import fact_of, said
from tests.patience import PATIENCE

FACTS = [("capital", "Paris"), ("currency", "euro"), ("continent", "Europe")]
NOWHERE = "api-" + "x" * 32


class Script:
    """A client of the API."""

    def __init__(self, url: str, **options: Any) -> None:
        self.http = httpx.Client(base_url=f"{url}{PREFIX}", timeout=60 * PATIENCE, **options)

    def get(self, path: str, **query: Any) -> Any:
        return done(self.http.get(path, params=query))

    def post(self, path: str, **body: Any) -> Any:
        return done(self.http.post(path, json=body))

    def draft(self) -> str:
        return str(self.post("/drafts")["id"])

    def edit(self, draft: str, *edits: dict[str, Any], **more: Any) -> Any:
        return self.post(f"/drafts/{draft}/edits", edits=list(edits), **more)

    def events(self, prompt: str, **body: Any) -> Iterator[tuple[str, Any]]:
        asked = {"prompt": prompt, "stream": True, **body}
        with self.http.stream("POST", "/generate", json=asked) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            kind = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    yield kind, json.loads(value)


def done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, words: str) -> str:
    """The one sentence of a refusal."""
    assert answer.status_code == status, answer.text
    sentence = str(answer.json()["error"])
    assert words in sentence
    assert len(sentence.splitlines()) == 1
    assert "Traceback" not in sentence
    return sentence


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with open_store(f"sqlite:///{folder / 'small.db'}", create=True) as store:
        for entity in ("France", "Japan"):
            for relation, value in FACTS:
                store.apply([Add(entity, relation, value)], author="test", reason="to begin")
        made = serve_on(store, Decoder(scripted.checkpoint()))
        yield made
        made.end()


@pytest.fixture
def script(server: Server) -> Script:
    return Script(server.url)


def test_a_text_comes_with_its_lookups_marks_and_end(script: Script) -> None:
    text = script.post("/generate", prompt="Tell me about France.")
    assert "The capital of France is Paris." in text["text"]
    (paris,) = [mark for mark in text["marks"] if mark["words"] == "Paris"]
    assert text["text"][paris["start"] : paris["end"]] == "Paris"
    lookup = text["lookups"][paris["lookup"]]
    assert (lookup["relation"], lookup["value"]) == ("capital", "Paris")
    assert lookup["facts"][0]["id"] == paris["fact_id"]
    assert text["text"][: lookup["position"]].endswith("is")
    assert text["finish"] == "end"
    assert text["graph"]["draft"] is None


def test_a_streamed_text_is_the_same_in_pieces(script: Script) -> None:
    whole = script.post("/generate", prompt="Tell me about Japan.")
    events = list(script.events("Tell me about Japan."))
    kinds = [kind for kind, _ in events if kind != "waiting"]
    assert kinds[-2:] == ["marks", "end"]
    assert kinds.count("text") >= 1
    assert "".join(data["text"] for kind, data in events if kind == "text") == whole["text"]
    lookups = [data for kind, data in events if kind == "lookup"]
    assert lookups == whole["lookups"]
    marks = dict(events)["marks"]
    parts = ("marks", "contradicted", "other_relations", "unsupported")
    assert marks == {name: whole[name] for name in parts}
    assert dict(events)["end"]["finish"] == "end"


def test_a_contradiction_is_reported(script: Script) -> None:
    text = script.post("/generate", prompt="Contradict France.")
    assert [each["words"] for each in text["contradicted"]] == ["Atlantis"]


def test_a_sentence_about_another_relation_is_reported(script: Script) -> None:
    text = script.post("/generate", prompt="Mistake France.")
    (other,) = text["other_relations"]
    assert other["says"] == "area"
    assert text["text"][other["start"] : other["end"]] == other["words"]
    assert text["lookups"][other["lookup"]]["relation"] != "area"


def test_names_facts_and_lookups_are_read(script: Script, server: Server) -> None:
    (france,) = script.get("/search", text="Fran")["entities"]
    page = script.get("/facts", entity="france", limit=2)
    assert page["entity"] == france
    assert [fact["relation"] for fact in page["facts"]] == ["capital", "currency"]
    assert page["next_offset"] == 2
    rest = script.get("/facts", entity_id=france["id"], limit=2, offset=2)
    assert [fact["value"] for fact in rest["facts"]] == ["Europe"]
    assert rest["next_offset"] is None
    capitals = script.get("/facts", relation="capital")["facts"]
    assert {fact["entity"] for fact in capitals} == {"France", "Japan"}
    first = page["facts"][0]
    assert script.get(f"/facts/{first['id']}") == first
    answer = script.get("/lookup", entity="France", relation="capital")
    assert (answer["lookup"]["how"], answer["lookup"]["value"]) == ("exact", "Paris")
    assert answer["lookup"]["facts"] == [first]
    listed = script.get("/lookup", entity="France", relation="relations", prompt="What is spent?")
    assert {each["name"] for each in listed["lookup"]["ranking"]} >= {"capital", "currency"}
    assert script.get("/lookup", entity="Oz", relation="capital")["lookup"]["how"] == "miss"


def test_an_earlier_revision_is_read_as_it_was(script: Script, server: Server) -> None:
    before = server.store.revision()
    euro = fact_of(server.store, "Japan", "currency")
    server.store.apply([Change(euro.id, "yen")], author="test")
    asked = {"entity": "Japan", "relation": "currency"}
    assert script.get("/lookup", **asked)["lookup"]["value"] == "yen"
    earlier = script.get("/lookup", **asked, revision=before)
    assert (earlier["lookup"]["value"], earlier["graph"]["revision"]) == ("euro", before)
    text = script.post("/generate", prompt="Tell me about Japan.", revision=before)
    assert "The currency of Japan is euro." in text["text"]
    assert script.get("/facts", **asked, revision=before)["facts"][0]["value"] == "euro"


def test_a_draft_is_edited_read_and_published(script: Script, server: Server) -> None:
    draft = script.draft()
    (capital,) = script.get("/facts", entity="France", relation="capital")["facts"]
    (japan,) = script.get("/search", text="Japan")["entities"]
    step = script.edit(
        draft,
        {"edit": "change", "id": capital["id"], "value": "Lyon"},
        {"edit": "add", "entity": "France", "relation": "motto", "value": "Liberté", "year": 1790},
        {"edit": "rename", "id": japan["id"], "name": "Nippon"},
        reason="to try",
    )
    kinds = [(each["kind"], each["before"] is None) for each in step["changed"]]
    assert sorted(kinds) == [("entity", False), ("fact", False), ("fact", True)]
    assert said(server.store, "France", "capital") == ["Paris"]
    text = script.post("/generate", prompt="Tell me about France.", draft=draft)
    assert "The capital of France is Lyon." in text["text"]
    assert text["graph"]["draft"] == draft
    motto = script.get("/facts", entity="France", relation="motto", draft=draft)["facts"][0]
    assert (motto["year"], motto["since"]) == (1790, 0)
    script.edit(draft, {"edit": "delete", "id": motto["id"]})
    undone = script.post(f"/drafts/{draft}/undo")
    assert undone["draft"]["can_redo"]
    script.post(f"/drafts/{draft}/redo")
    assert script.get(f"/drafts/{draft}")["changes_in_all"] == 2
    published = script.post(f"/drafts/{draft}/publish")
    assert published["revision"] == server.store.revision()
    assert published["draft"]["changes"] == []
    assert said(server.store, "France", "capital") == ["Lyon"]
    newest = script.get("/history", limit=1)["revisions"][0]
    assert newest["revision"] == published["revision"]
    assert (newest["author"], newest["reason"]) == ("API client", "to try")
    assert newest["published"]
    assert {each["kind"] for each in newest["changes"]} == {"fact", "entity"}
    script.edit(draft, {"edit": "rename", "id": japan["id"], "name": "Japan"})
    script.edit(draft, {"edit": "change", "id": capital["id"], "value": "Paris"})
    script.post(f"/drafts/{draft}/publish")
    script.edit(draft, {"edit": "delete", "id": capital["id"]})
    assert script.post(f"/drafts/{draft}/discard")["draft"]["edits"] == 0


def test_the_history_is_read_page_by_page(script: Script, server: Server) -> None:
    seen: list[int] = []
    page = script.get("/history", limit=2)
    while True:
        seen += [each["revision"] for each in page["revisions"]]
        if page["next_before"] is None:
            break
        page = script.get("/history", limit=2, before=page["next_before"])
    assert seen == sorted(set(seen), reverse=True)
    assert seen[0] == server.store.revision()
    (capital,) = script.get("/facts", entity="Japan", relation="capital")["facts"]
    about = script.get("/history", fact_id=capital["id"])["revisions"]
    assert [(each["author"], each["reason"]) for each in about] == [("test", "to begin")]


def test_a_request_that_is_sent_again_takes_effect_once(script: Script, server: Server) -> None:
    draft = script.draft()
    body = {
        "edits": [{"edit": "add", "entity": "France", "relation": "anthem", "value": "Song"}],
        "write_id": "w" * 20,
        "revision": 0,
    }
    first, again = (script.post(f"/drafts/{draft}/edits", **body) for _ in range(2))
    assert first["draft"] == again["draft"]
    sent = {"write_id": "p" * 20, "revision": first["draft"]["revision"]}
    once, twice = (script.post(f"/drafts/{draft}/publish", **sent) for _ in range(2))
    assert once["revision"] == twice["revision"] == server.store.revision()


def test_two_users_who_change_one_fact_see_both_versions(script: Script, server: Server) -> None:
    (continent,) = script.get("/facts", entity="Japan", relation="continent")["facts"]
    first, second = script.draft(), script.draft()
    for draft, value in ((first, "Asia"), (second, "Oceania")):
        script.edit(draft, {"edit": "change", "id": continent["id"], "value": value})
    script.post(f"/drafts/{first}/publish")
    answer = script.http.post(f"/drafts/{second}/publish", json={})
    refused(answer, 409, "continent")
    (different,) = answer.json()["differences"]
    assert [different[name] for name in ("base", "mine", "theirs")] == [
        ["Europe"],
        ["Oceania"],
        ["Asia"],
    ]
    assert said(server.store, "Japan", "continent") == ["Asia"]


def test_two_users_of_one_draft_do_not_overwrite_each_other(script: Script) -> None:
    draft = script.draft()
    seen = script.get(f"/drafts/{draft}")["revision"]
    statuses: list[int] = []

    def add(value: str) -> None:
        edits = [{"edit": "add", "entity": "Oz", "relation": "ruler", "value": value}]
        answer = httpx.post(
            f"{script.http.base_url}drafts/{draft}/edits", json={"edits": edits, "revision": seen}
        )
        statuses.append(answer.status_code)

    users = [threading.Thread(target=add, args=(f"ruler {n}",)) for n in range(6)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert sorted(statuses) == [200, *[409] * 5]
    assert script.get(f"/drafts/{draft}")["edits"] == 1
    stale = {"edits": [{"edit": "add", "entity": "Oz", "relation": "x", "value": "y"}]}
    refused(
        script.http.post(f"/drafts/{draft}/edits", json={**stale, "revision": seen}),
        409,
        f"not {seen}",
    )


def test_two_users_write_at_the_same_time(server: Server) -> None:
    texts: dict[str, str] = {}

    def write(about: str) -> None:
        script = Script(server.url)
        script.http.get(f"{server.url}/health")  # which sets the cookie: a client of its own
        texts[about] = script.post("/generate", prompt=f"Slowly {about}")["text"]

    users = [threading.Thread(target=write, args=(about,)) for about in ("France", "Japan")]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert all(about in text for about, text in texts.items())
    assert len(texts) == 2


@pytest.fixture(scope="module")
def reading(folder: Path, checkpoint: Checkpoint, server: Server) -> Iterator[Server]:
    """A server that is read-only, with the shipped model."""
    with open_store(server.store.url, read_only=True) as store:
        made = serve_on(store, Decoder(checkpoint))
        yield made
        made.end()


def test_a_verdict_on_a_fact(reading: Server) -> None:
    script = Script(reading.url)
    verdict = script.post("/audit", entity="Japan", relation="capital")
    assert verdict["fact"]["value"] == "Paris"
    assert verdict["columns"][0]["column"] == "with fact"
    assert verdict["sentence"]
    (fact,) = script.get("/facts", entity="Japan", relation="capital")["facts"]
    assert script.post("/audit", id=fact["id"]) == verdict
    refused(script.http.post("/audit", json={}), 422, "Give the id")
    answer = script.http.post("/audit", json={"entity": "Oz", "relation": "capital"})
    refused(answer, 404, "no fact")


def test_a_text_without_its_facts(reading: Server) -> None:
    script = Script(reading.url)
    text = script.post("/audit-text", prompt="What is the capital of Japan?")
    assert [column["column"] for column in text["columns"]] == [
        "with facts",
        "without facts",
        "no lookups",
    ]
    assert [fact["relation"] for fact in text["deleted"]] == ["capital"]
    assert text["columns"][0]["says"][0]["returned_by"] == text["deleted"]
    assert text["columns"][2]["lookups"] == []
    assert script.post("/audit-text", prompt="What is the capital of Japan?") == text
    refused(script.http.post("/audit-text", json={"prompt": " "}), 422, "empty")


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/generate", {"prompt": 7}, "prompt"),
        ("/generate", {"prompt": "x" * (MAX_PROMPT_CHARACTERS + 1)}, "prompt"),
        ("/generate", {"prompt": "x", "settings": {"max_tokens": 481}}, "settings.max_tokens"),
        ("/generate", {"prompt": "x", "setings": {}}, "setings"),
        ("/audit", {"id": "abc"}, "id"),
        ("/drafts", {"id": "mine"}, "id"),
        (f"/drafts/{NOWHERE}/edits", {"edits": []}, "edits"),
        (f"/drafts/{NOWHERE}/edits", {"edits": [{"edit": "drop"}]}, "edits.0"),
        (
            f"/drafts/{NOWHERE}/edits",
            {"edits": [{"edit": "delete", "id": "5"}] * (limits.MOST_EDITS + 1)},
            "edits",
        ),
        (
            f"/drafts/{NOWHERE}/edits",
            {"edits": [{"edit": "change", "id": "5", "value": "x" * (MAX_VALUE + 1)}]},
            "edits.0.change.value",
        ),
    ],
)
def test_a_bad_body_is_one_sentence(
    script: Script, path: str, body: dict[str, Any], place: str
) -> None:
    refused(script.http.post(path, json=body), 422, f"“{place}")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": limits.MOST_FACTS + 1},
        {"offset": limits.FURTHEST + 1},
        {"limit": 0},
        {"entity": "x" * 513},
        {"revision": -1},
    ],
)
def test_a_query_over_the_limits_is_one_sentence(script: Script, query: dict[str, Any]) -> None:
    refused(script.http.get("/facts", params={"relation": "x", **query}), 422, next(iter(query)))


def test_a_body_over_the_limit_is_refused_with_or_without_a_length(script: Script) -> None:
    large = json.dumps({"prompt": "x" * LARGEST_BODY}).encode()
    headers = {"content-type": "application/json"}
    refused(script.http.post("/generate", content=large, headers=headers), 413, "at most 2 MiB")
    pieces = iter([large[: 1 << 20], large[1 << 20 :]])
    refused(script.http.post("/generate", content=pieces, headers=headers), 413, "at most 2 MiB")


def test_what_is_not_there_is_one_sentence(script: Script, server: Server) -> None:
    beyond = server.store.revision() + 90
    edits = {"edits": [{"edit": "delete", "id": "12345"}]}
    for answer, words in (
        (script.http.get(f"/drafts/{NOWHERE}"), "There is no draft"),
        (script.http.post(f"/drafts/{NOWHERE}/publish", json={}), "There is no draft"),
        (script.http.post(f"/drafts/{script.draft()}/edits", json=edits), "no longer in the graph"),
        (script.http.post("/generate", json={"prompt": "x", "draft": NOWHERE}), "no draft"),
        (script.http.get("/facts", params={"entity": "Oz the lost"}), "Nothing in the graph"),
        (script.http.get("/facts/12345"), "no fact 12345"),
        (
            script.http.get("/facts", params={"relation": "capital", "revision": beyond}),
            f"no revision {beyond}",
        ),
    ):
        refused(answer, 404, words)
    for answer, words in (
        (script.http.get("/facts"), "Give an entity"),
        (script.http.post("/generate", json={"prompt": "  "}), "empty"),
        (script.http.post(f"/drafts/{script.draft()}/undo", json={}), "nothing to undo"),
        (script.http.post(f"/drafts/{script.draft()}/publish", json={}), "nothing to publish"),
    ):
        refused(answer, 422, words)


def test_the_draft_of_a_page_cannot_be_reached(script: Script, server: Server) -> None:
    page = httpx.Client(base_url=server.url)
    page.get("/health")
    session_id = cookie.session_id(page.cookies[cookie.NAME])
    server.store.keep_draft_notes(session_id, {"page.x": "{}"})
    assert server.store.load_draft(session_id) is not None
    refused(script.http.get(f"/drafts/{session_id}"), 404, "There is no draft")


def test_another_site_and_a_form_get_nothing(script: Script, server: Server) -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
    ):
        for method, path in (("POST", "/drafts"), ("GET", "/search?text=Fra")):
            answer = script.http.request(method, path, json={}, headers=headers)
            refused(answer, 403, "other sites")
    own = {"origin": server.url, "sec-fetch-site": "same-origin"}
    assert script.http.post("/drafts", json={}, headers=own).status_code == 201
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert script.http.post("/drafts", content=b"{}", headers=form).status_code == 422
    assert script.http.options("/drafts").status_code == 404
    assert "set-cookie" not in script.http.get("/search?text=Fra").headers


@pytest.mark.parametrize("level", ["VIEWER", "EDITOR", "PUBLISHER"])
def test_a_level_decides_what_a_script_may_do(tmp_path: Path, level: str) -> None:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        server = serve_on(store, Decoder(scripted.checkpoint()), grant=lambda _: Level[level])
        script = Script(server.url)
        assert script.get("/search", text="Fra")["entities"]
        assert script.post("/generate", prompt="Tell me about France.")["text"]
        if level == "VIEWER":
            refused(script.http.post("/drafts", json={}), 403, "“editor”")
        else:
            draft = script.draft()
            script.edit(draft, {"edit": "add", "entity": "Ulm", "relation": "x", "value": "y"})
            answer = script.http.post(f"/drafts/{draft}/publish", json={})
            if level == "PUBLISHER":
                assert done(answer)["revision"] == 2
            else:
                refused(answer, 403, "“publisher”")
        server.end()


def test_a_read_only_server_reads_and_names_no_path(reading: Server, folder: Path) -> None:
    script = Script(reading.url)
    assert script.get("/facts", entity="France")["facts"]
    assert script.post("/generate", prompt="Tell me about France.")["text"]
    sentence = refused(script.http.post("/drafts", json={}), 403, "read-only")
    assert str(folder) not in sentence


def test_a_store_that_is_away_is_one_sentence_without_its_path(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True)
    store.apply([Add("France", "capital", "Paris")], author="test")
    server = serve_on(store, Decoder(scripted.checkpoint()))
    store.close()
    script = Script(server.url)
    for answer in (
        script.http.get("/search?text=Fra"),
        script.http.post("/drafts", json={}),
        script.http.post("/generate", json={"prompt": "Tell me about France."}),
    ):
        assert str(tmp_path) not in refused(answer, 503, "The store cannot do this now")
        assert "small.db" not in answer.text
    server.end()


def test_waiting_is_bounded_and_a_client_that_leaves_stops_its_text(server: Server) -> None:
    script = Script(server.url)
    kinds: list[str] = []
    streams = [script.events("Slowly France and Japan") for _ in range(MOST_WAITING + 1)]
    first, *others = streams
    begun = next(kind for kind, _ in first if kind != "waiting")
    assert begun in ("lookup", "text")
    kinds = [next(iter(stream))[0] for stream in others]
    assert set(kinds) == {"waiting"}
    answer = script.http.post("/generate", json={"prompt": "Tell me about Japan."})
    refused(answer, 429, "waiting already")
    assert answer.headers["retry-after"]
    for stream in streams:
        stream.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10 * PATIENCE
    turns = server.channel.turns
    while (turns._running or turns._waiting) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not turns._running
    assert not turns._waiting


def test_every_route_has_a_door_with_its_level(server: Server) -> None:
    """HTTP has as many operations as the other surfaces, and asks the same levels."""
    needed = {"publish": Level.PUBLISHER, "drafts": Level.EDITOR}
    routes = public_router(None).routes  # type: ignore[arg-type]
    doors = [
        door(method, route.path.replace("{draft}", NOWHERE).replace("{id}", "5"))  # type: ignore[attr-defined]
        for route in routes
        for method in route.methods  # type: ignore[attr-defined]
    ]
    assert sorted(map(str, doors)) == sorted(str(each.level) for each in OPERATIONS.values())
    for route in routes:
        (method,) = route.methods  # type: ignore[attr-defined]
        path = route.path.replace("{draft}", NOWHERE).replace("{id}", "5")  # type: ignore[attr-defined]
        level = Level.VIEWER
        if method == "POST":
            level = next((each for word, each in needed.items() if word in path), Level.VIEWER)
        assert door(method, path) == level, path
