"""What an operator sees of a running server: health, readiness, counts and the log."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.access.doors import CLOSED, DOORS, route
from app.server.application import make_app
from app.server.logs import JsonLines
from app.state.metrics import OUTCOMES
from app.state.service import Service
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted

SECRET = "Zanzibar Quux"  # what a visitor types, and nobody who watches may read


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        yield Service(store, Decoder(scripted.checkpoint()))


@pytest.fixture
def client(service: Service) -> TestClient:
    return TestClient(make_app(service), base_url="http://localhost", raise_server_exceptions=False)


def counts(client: TestClient) -> dict[str, float]:
    """What `/metrics` says, by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_server_whose_store_is_away_is_alive_and_not_ready(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert ready.json()["revision"] == 1

    def away() -> int:
        raise StoreError("The store at /secret/place does not answer; start it.")

    monkeypatch.setattr(service.store, "revision", away)
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["error"] == "The store does not answer; the log of the server says why."
    assert client.get("/health").json() == {"status": "ok"}


def test_texts_lookups_edits_and_publishes_are_counted(client: TestClient) -> None:
    before = counts(client)
    assert all(before[f"lamplight_lookups_total {outcome}"] == 0 for outcome in OUTCOMES)
    assert before["process_resident_memory_bytes"] > 1_000_000
    assert before["lamplight_texts_waiting"] == 0

    text = client.post("/api/v1/generate", json={"prompt": "Tell me about France."}).json()
    draft = client.post("/api/v1/drafts", json={}).json()["id"]
    edits = [{"edit": "add", "entity": SECRET, "relation": "motto", "value": "Liberty"}]
    assert client.post(f"/api/v1/drafts/{draft}/edits", json={"edits": edits}).status_code == 200
    assert client.post(f"/api/v1/drafts/{draft}/publish", json={}).status_code == 200

    after = counts(client)
    assert after["lamplight_texts_total"] == 1
    assert after["lamplight_tokens_total"] == text["tokens"]
    for outcome in OUTCOMES:
        made = sum(lookup["how"] == outcome for lookup in text["lookups"])
        assert after[f"lamplight_lookups_total {outcome}"] == made
    assert len(text["lookups"]) >= 2
    assert after["lamplight_edits_total"] == 1
    assert after["lamplight_publishes_total"] == 1
    assert after["lamplight_requests_total /api/v1/drafts/{id}/publish 200"] == 1


def test_no_label_holds_what_a_visitor_sent(client: TestClient) -> None:
    client.get(f"/{SECRET}")
    client.get(f"/api/v1/facts/{SECRET}")
    client.get("/api/v1/lookup", params={"entity": SECRET, "relation": SECRET})
    client.get(f"/lamplight/{SECRET}")
    client.post("/api/v1/generate", json={"prompt": f"Tell me about {SECRET}."})
    found = counts(client)
    assert not [name for name in found if "Zanzibar" in name or "Quux" in name]
    assert found[f"lamplight_requests_total {CLOSED} 404"] == 1
    routes = {name.split()[1] for name in found if name.startswith("lamplight_requests_total")}
    assert routes <= {CLOSED, *(route("GET", path) for path in EVERY), "/api/v1/generate"}


EVERY = ("/metrics", "/api/v1/facts/7", "/api/v1/lookup", "/lamplight/panel.js")


def test_a_way_in_is_counted_under_few_names() -> None:
    for pattern, methods, _ in DOORS:
        path = re.sub(r"\[\^/\]\+|\.\+", "SECRET", pattern)
        path = re.sub(r"\(([^()|]*)[^()]*\)\??", r"\1", re.sub(r"\(([^()|]*)[^()]*\)", r"\1", path))
        path = path.replace("?", "").replace("\\", "")
        assert "SECRET" not in route(methods[0], path)


def test_the_log_has_the_way_in_and_an_id_and_nobody_s_words(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError(f"cannot do {SECRET}")

    caplog.set_level(logging.INFO, "lamplight")
    answer = client.get("/api/v1/lookup", params={"entity": SECRET, "relation": "capital"})
    client.post("/api/v1/generate", json={"prompt": SECRET})
    monkeypatch.setattr("app.api.public.facts.lookup", broken)
    failed = client.get("/api/v1/lookup", params={"entity": SECRET, "relation": "capital"})
    logging.getLogger("some.library").warning("could not read %s", SECRET)
    logging.getLogger("lamplight").warning("the store refused a request: %s", SECRET)
    try:
        broken()
    except RuntimeError:
        logging.getLogger("lamplight").exception("an action failed")

    lines = [JsonLines().format(record) for record in caplog.records]
    assert all("Zanzibar" not in line and "\n" not in line for line in lines)
    read = [json.loads(line) for line in lines]
    requests = [line for line in read if line["message"] == "request"]
    assert [line["route"] for line in requests][:2] == ["/api/v1/lookup", "/api/v1/generate"]
    assert requests[0]["status"] == 200
    assert failed.status_code == 500
    assert failed.json()["error"].startswith("This failed because of a defect")
    assert "frame-ancestors" in failed.headers["content-security-policy"]
    assert answer.headers["x-request-id"] != failed.headers["x-request-id"]
    (raised,) = [line for line in read if line["message"] == "an action failed"]
    assert raised["exception"] == "RuntimeError"
    assert raised["raised_at"][0].startswith("tests/app/test_watching.py:")
    assert not any(str(Path(__file__).parents[2]) in line for line in lines)


def test_a_function_that_gradio_does_not_have_is_one_sentence(
    client: TestClient, capfd: pytest.CaptureFixture[str]
) -> None:
    call: dict[str, object] = {"fn_index": 0, "data": [], "session_hash": "abcdefgh"}
    for number in (9999, -1, 10**30):
        answer = client.post("/gradio_api/queue/join", json={**call, "fn_index": number})
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("There is no such function")
    for wrong in ({}, [], {**call, "fn_index": None}, {**call, "fn_index": "0"}, {"fn_index": 0}):
        assert client.post("/gradio_api/queue/join", json=wrong).status_code == 422
    assert client.post("/gradio_api/queue/join", content=b"[" * 100_000).status_code == 422
    large = client.post("/gradio_api/queue/join", content=iter([b"x" * (1 << 20)] * 3))
    assert large.status_code == 413
    assert "Traceback" not in "".join(capfd.readouterr())


def test_no_visitor_reads_where_the_store_lies(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = service.store.url.partition("///")[2]

    def away(*_: object) -> object:
        raise StoreError(f"The store at {place} is locked; try again.")

    client.get("/health")
    monkeypatch.setattr(service.store, "draft", away)
    monkeypatch.setattr(service.store, "draft_notes", away)
    asked = {"id": "a" * 20, "page": "b" * 10, "do": {"action": "ask", "prompt": "France"}}
    with client:
        answer = client.post("/api/actions", json=asked)
    assert answer.status_code == 503
    assert place not in answer.text
    assert answer.json()["error"] == f"The store at {Path(place).name} is locked; try again."
