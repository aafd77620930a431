"""The OpenAPI document and its page: valid, complete, and every example of it works."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from app.access.levels import Level
from app.api.public import schema
from app.api.public.document import LEVEL, openapi
from app.api.public.routes import PREFIX, public_router
from app.views import api_page
from graph.version import VERSION
from model.engine.decoder import Decoder
from tests.app.page_driver import Inspect, Server, serve_on
from tests.app.small_server import serve_small
from tests.graph.helpers import fact_of

DOCUMENT = openapi(public_router(None))  # type: ignore[arg-type]
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_small(tmp_path_factory.mktemp("document")) as made:
        yield made


def test_the_document_is_served_and_valid(server: Server) -> None:
    document = httpx.get(f"{server.url}/api/openapi.json").json()
    assert document == DOCUMENT
    validate(document)
    assert document["info"]["version"] == VERSION


def test_every_route_is_in_it_with_its_errors_limits_and_level() -> None:
    routes = {
        (route.path, method.lower())
        for route in public_router(None).routes  # type: ignore[arg-type]
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert routes == {(path, method) for path, method, _ in OPERATIONS}
    for path, _, operation in OPERATIONS:
        assert path.startswith(PREFIX)
        assert operation["summary"]
        assert operation["description"]
        assert operation[LEVEL] in {level.name.lower() for level in Level}
        for status, answer in operation["responses"].items():
            if status >= "400":
                ((_, content),) = answer["content"].items()
                assert content["schema"]["$ref"].endswith("/Error")
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_every_text_number_and_list_of_a_request_has_a_limit() -> None:
    def unlimited(inner: dict[str, Any]) -> bool:
        if "anyOf" in inner:
            return any(unlimited(each) for each in inner["anyOf"])
        bound = {
            "string": ("maxLength", "pattern", "const", "enum"),
            "integer": ("maximum",),
            "number": ("maximum",),
            "array": ("maxItems",),
        }.get(inner.get("type", ""))
        return bound is not None and not any(name in inner for name in bound)

    models = DOCUMENT["components"]["schemas"]
    asked = [each for each in vars(schema).values() if isinstance(each, type)]
    for model in (each for each in asked if issubclass(each, schema.Asked)):
        for name, inner in models.get(model.__name__, {}).get("properties", {}).items():
            assert not unlimited(inner), f"{model.__name__}.{name}"
    for path, _, operation in OPERATIONS:
        for part in operation.get("parameters", ()):
            assert not unlimited(part["schema"]), f"{path} {part['name']}"


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method, _ in OPERATIONS])
def test_each_example_works(
    server: Server, checkpoint: Any, path: str, method: str, tmp_path: Path
) -> None:
    """The command that the page shows for each operation, with ids that are there."""
    shown = api_page.render(DOCUMENT)
    operation = DOCUMENT["paths"][path][method]
    command = api_page.example(DOCUMENT, method, path, operation, server.url)
    draft = httpx.post(f"{server.url}{PREFIX}/drafts", json={}).json()["id"]
    fact = str(fact_of(server.store, "France", "capital").id)
    words = shlex.split(command.replace(schema.EXAMPLE_DRAFT, draft))
    words = [word.replace(schema.EXAMPLE_FACT, fact) for word in words]
    assert operation["summary"] in shown
    if any(word in path for word in ("undo", "redo", "publish")):
        edits = {"edits": [{"edit": "change", "id": fact, "value": f"{tmp_path.name} {draft}"}]}
        httpx.post(f"{server.url}{PREFIX}/drafts/{draft}/edits", json=edits).raise_for_status()
    if path.endswith("redo"):
        undo = httpx.post(f"{server.url}{PREFIX}/drafts/{draft}/undo", json={})
        undo.raise_for_status()
    other = None
    if path.endswith("audit"):  # the scripted model answers one prompt at a time
        other = serve_on(server.store, Decoder(checkpoint))
        words = [word.replace(server.url, other.url) for word in words]
    assert words[0] == "curl"
    if method == "get":
        answer = httpx.get(words[1], timeout=120)
    else:
        assert words[2:4] == ["-H", "Content-Type: application/json"]
        answer = httpx.post(words[1], json=json.loads(words[5]), timeout=120)
    if other is not None:
        other.end()
    assert str(answer.status_code) in operation["responses"], answer.text
    assert answer.is_success, answer.text


def test_the_page_escapes_what_the_document_holds() -> None:
    planted = json.loads(json.dumps(DOCUMENT).replace("Write a text", "<script>x</script>"))
    html = api_page.render(planted)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_page_is_complete_accessible_and_fits_a_narrow_screen(
    visit: Callable[..., Inspect], server: Server
) -> None:
    for width in (320, 1440):
        for scheme in ("light", "dark"):
            page = visit(
                server.url,
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
            )
            page.page.goto(f"{server.url}/api")
            for path, _, operation in OPERATIONS:
                article = page.page.locator(f"#{operation['operationId']}")
                assert path in (article.text_content() or "")
            links = page.page.locator("a[href^='#']").evaluate_all(
                "all => all.filter(a => !document.querySelector(a.getAttribute('href')))"
                ".map(a => a.href)"
            )
            assert links == []
            assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            found = Axe().run(page.page).response["violations"]
            assert [each["id"] for each in found] == []
