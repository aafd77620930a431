"""The operations as Gradio's own client calls them, on a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from app.access.levels import Level
from app.api.public.operations import OPERATIONS
from graph.core.edits import Add
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Server, serve_on
from tests.app.small_server import serve_small
from tests.graph.helpers import said


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_small(tmp_path_factory.mktemp("client")) as made:
        yield made


def connect(server: Server) -> Client:
    return Client(server.url, verbose=False, analytics_enabled=False)


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return connect(server)


def test_only_the_operations_are_public_with_their_parameters(client: Client) -> None:
    named = client.view_api(print_info=False, return_format="dict")
    assert isinstance(named, dict)
    assert set(named["named_endpoints"]) == {f"/{name}" for name in OPERATIONS}
    assert named["unnamed_endpoints"] == {}
    for name, operation in OPERATIONS.items():
        shown = named["named_endpoints"][f"/{name}"]["parameters"]
        assert {each["parameter_name"] for each in shown} == set(operation.asked.model_fields)
        needed = {each["parameter_name"] for each in shown if not each["parameter_has_default"]}
        fields = operation.asked.model_fields.items()
        assert needed == {field for field, each in fields if each.is_required()}


def test_a_text_a_lookup_and_facts(client: Client) -> None:
    text = client.predict("Tell me about France.", api_name="/generate")
    assert "The capital of France is Paris." in text["text"]
    assert [mark["words"] for mark in text["marks"]] == ["Paris", "euro"]
    answer = client.predict(entity="France", relation="capital", api_name="/lookup")
    assert answer["lookup"]["value"] == "Paris"
    page = client.predict(entity="France", limit=1, api_name="/facts")
    assert page["next_offset"] == 1
    settings = {"max_tokens": 4}
    short = client.predict(prompt="Tell me about France.", settings=settings, api_name="/generate")
    assert short["finish"] == "length"


def test_a_draft_by_its_id_from_two_clients(server: Server, client: Client) -> None:
    draft = client.predict(api_name="/create_draft")["id"]
    motto: dict[str, Any] = {
        "edit": "add",
        "entity": "France",
        "relation": "motto",
        "value": "Liberté",
    }
    client.predict(draft=draft, edits=[motto], reason="a test", api_name="/edit_draft")
    other = connect(server)
    assert other.predict(draft=draft, api_name="/read_draft")["changes_in_all"] == 1
    text = other.predict(prompt="Tell me about France.", draft=draft, api_name="/generate")
    assert "Liberté" in text["text"]
    assert said(server.store, "France", "motto") == []
    revision = other.predict(draft=draft, api_name="/publish")["revision"]
    assert said(server.store, "France", "motto") == ["Liberté"]
    newest = client.predict(limit=1, api_name="/history")["revisions"][0]
    assert (newest["revision"], newest["author"]) == (revision, "API client")
    with pytest.raises(AppError, match="nothing to publish"):
        client.predict(draft=draft, api_name="/publish")


def test_a_refusal_is_one_sentence(client: Client) -> None:
    for given, words in (
        ({"text": "x" * 600, "api_name": "/search"}, "not valid at “text”"),
        ({"draft": "api-" + "x" * 32, "api_name": "/undo"}, "There is no draft"),
        ({"prompt": "", "api_name": "/generate"}, "not valid at “prompt”"),
        ({"entity": "France", "revision": 99, "api_name": "/facts"}, "no revision 99"),
    ):
        with pytest.raises(AppError, match=words) as refused:
            client.predict(**given)
        assert len(str(refused.value).splitlines()) == 1


def test_a_page_of_another_site_calls_nothing(server: Server, client: Client) -> None:
    """A browser sends such a body without asking first only as a form or as text."""
    create = next(each for each in client.endpoints.values() if each.api_name == "/create_draft")
    body = json.dumps({"data": [], "fn_index": create.fn_index, "session_hash": "x"})
    join = f"{server.url}/gradio_api/queue/join"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert httpx.post(join, content=body, headers={"content-type": kind}).status_code == 422
    assert httpx.options(join).status_code == 404  # what it asks before it sends JSON


def test_a_level_decides_what_a_client_may_do(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        decoder = Decoder(scripted.checkpoint())
        server = serve_on(store, decoder, grant=lambda _: Level.VIEWER)
        client = connect(server)
        assert client.predict(entity="France", api_name="/facts")["facts"]
        with pytest.raises(AppError, match="“editor”"):
            client.predict(api_name="/create_draft")
        server.end()
