"""Who may do what: the ways in, the levels, and the session cookie."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from app.access import cookie
from app.access.doors import DOORS, door
from app.access.levels import Level
from app.server.application import make_app
from app.state.service import Service
from graph.core.edits import Add
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Inspect, Server

ADDRESS = "http://localhost"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[FastAPI]:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        yield make_app(Service(store, Decoder(scripted.checkpoint())))


def ways(application: FastAPI) -> set[tuple[str, str]]:
    """Every method and path of the server and of the mounted Gradio, parameters filled in."""
    found = set()
    routers: list[Any] = [application]
    while routers:
        for route in routers.pop().routes:
            inner = getattr(route, "app", None) if isinstance(route, Mount) else None
            inner = inner or getattr(route, "original_router", None)
            if inner is not None:
                routers.append(inner)
            elif isinstance(route, APIRoute | Route):
                path = re.sub(r"{[^}]*}", "x", route.path)
                found |= {(method, path) for method in route.methods or ()}
    return found


def test_every_way_in_that_no_page_uses_is_closed(application: FastAPI) -> None:
    client = TestClient(application, base_url=ADDRESS)
    closed = {way for way in ways(application) if door(*way) is None}
    assert len(closed) > 60, "Gradio's routes were not found"
    for method, path in sorted(closed):
        assert client.request(method, path).status_code == 404, f"{method} {path} is open"
    for path in ("upload", "proxy=http://x", "component_server", "run/predict", "call/x", "cancel"):
        assert ("POST", f"/gradio_api/{path}") not in {
            way for way in ways(application) if door(*way)
        }
        assert client.post(f"/gradio_api/{path}", json={}).status_code == 404


def test_each_door_is_used_by_a_page(visit: Callable[..., Inspect], server: Server) -> None:
    """What a browser asks for on both pages opens every door that is not listed here."""
    page = visit(server.url).open()
    page.after(lambda: page.click("#ask"))
    with page.page.expect_request(re.compile("/queue/data")):
        page.page.goto(f"{server.url}/training")
    page.page.wait_for_function("document.querySelector('#run-head')?.textContent")
    asked = [urlparse(url).path for url in page.requests if url.startswith(server.url)]
    unused = {
        pattern for pattern, _, _ in DOORS if not any(re.fullmatch(pattern, p) for p in asked)
    }
    published = {pattern for pattern in unused if pattern.startswith("/api/v1/")}
    assert len(published) == 4  # for scripts; tests/app/test_api.py comes through each
    assert unused - published == {
        r"/api/exports/[^/]+",  # what a person saves; tests/app/test_exports.py saves each
        r"/(health|ready|metrics)",  # for whoever watches the server
        r"/api(/openapi\.json)?",  # the API's own page; tests/app/test_api_document.py opens it
        r"/mcp",  # for MCP clients; tests/app/test_mcp.py comes through it
        r"/config",  # for gradio_client; tests/app/test_gradio_client.py comes through both
        r"/gradio_api/info",
        r"/gradio_api/app_id/?",  # after *Training* lost its connection
    }


def test_a_level_that_is_too_low_is_one_sentence(application: FastAPI, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'other.db'}", create=True) as store:
        service = Service(store, Decoder(scripted.checkpoint()))
        refusing = make_app(service, grant=lambda _: Level(1) - 1)  # type: ignore[arg-type, return-value]
        nobody = TestClient(refusing, base_url=ADDRESS)
        answer = nobody.get("/")
        assert answer.status_code == 403
        assert answer.json() == {
            "error": "This takes the permission level “viewer”, which you do not have."
        }
        viewing = make_app(service, grant=lambda _: Level.VIEWER)
        assert TestClient(viewing, base_url=ADDRESS).get("/").status_code == 200


def cookie_of(header: str) -> tuple[str, dict[str, str]]:
    morsel = SimpleCookie(header)[cookie.NAME]
    return morsel.value, {name: str(value) for name, value in morsel.items() if value}


def test_the_server_sets_a_random_cookie_that_no_script_reads(application: FastAPI) -> None:
    secrets = set()
    for scheme in ("http", "https"):
        client = TestClient(application, base_url=f"{scheme}://localhost")
        secret, attributes = cookie_of(client.get("/").headers["set-cookie"])
        assert len(secret) == 43
        assert attributes["httponly"] == "True"
        assert attributes["samesite"] == "Lax"
        assert attributes.get("secure", "") == ("True" if scheme == "https" else "")
        secrets.add(secret)
        again, _ = cookie_of(client.get("/").headers["set-cookie"])
        assert again == secret
        assert "set-cookie" not in client.get("/lamplight/panel.js").headers
    assert len(secrets) == 2


@pytest.mark.parametrize(
    "made_up", ["", "short", "x" * 44, "a b", "%00", '"' + "x" * 41 + '"', ";;;"]
)
def test_a_cookie_that_the_server_never_made_is_replaced(
    application: FastAPI, made_up: str
) -> None:
    client = TestClient(application, base_url=ADDRESS)
    answer = client.get("/", headers={"cookie": f"{cookie.NAME}={made_up}"})
    secret, _ = cookie_of(answer.headers["set-cookie"])
    assert secret != made_up
    assert len(secret) == 43


def test_a_session_id_does_not_show_its_secret() -> None:
    secret = cookie.new_secret()
    assert re.fullmatch("[0-9a-f]{32}", cookie.session_id(secret))
    assert cookie.session_id(secret) not in secret
