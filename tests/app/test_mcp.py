"""MCP with the SDK's own client: over HTTP at a real server, and over stdio with a real process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import types
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

from app.access.levels import Level
from app.api.public.operations import OPERATIONS
from graph.core.edits import Add
from graph.opening import open_store
from model.checkpoint import DEFAULT_CHECKPOINT
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Server, serve_on
from tests.app.small_server import serve_small
from tests.graph.helpers import said

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_small(tmp_path_factory.mktemp("mcp")) as made:
        yield made


def run(to: Any, work: Callable[[Client], Awaitable[None]], mode: str = "auto") -> None:
    """In a thread of its own, because a browser of another test may run a loop in this one."""

    async def connected() -> None:
        async with Client(to() if callable(to) else to, mode=mode) as client:
            await work(client)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(anyio.run, connected).result()


async def ask(client: Client, name: str, **given: Any) -> Any:
    result = await client.call_tool(name, given)
    assert isinstance(result, types.CallToolResult)
    (text,) = result.content
    assert isinstance(text, types.TextContent)
    assert not result.is_error, text.text
    assert json.loads(text.text) == result.structured_content
    return result.structured_content


async def refusal(client: Client, name: str, **given: Any) -> str:
    result = await client.call_tool(name, given)
    assert isinstance(result, types.CallToolResult)
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, types.TextContent)
    assert len(text.text.splitlines()) == 1
    return text.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_are_the_operations_with_their_schemas(server: Server, mode: str) -> None:
    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == set(OPERATIONS)
        for name, tool in tools.items():
            assert tool.description
            assert set(tool.input_schema.get("properties", {})) == set(
                OPERATIONS[name].asked.model_fields
            )
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint != OPERATIONS[name].writes

    run(f"{server.url}/mcp", work, mode)


def test_a_text_a_lookup_and_a_draft_that_is_published(server: Server) -> None:
    async def work(client: Client) -> None:
        text = await ask(client, "generate", prompt="Tell me about France.")
        assert "The capital of France is Paris." in text["text"]
        answer = await ask(client, "lookup", entity="France", relation="capital")
        assert answer["lookup"]["value"] == "Paris"
        draft = (await ask(client, "create_draft"))["id"]
        motto = {"edit": "add", "entity": "France", "relation": "motto", "value": "Liberté"}
        await ask(client, "edit_draft", draft=draft, edits=[motto], reason="a test")
        text = await ask(client, "generate", prompt="Tell me about France.", draft=draft)
        assert "Liberté" in text["text"]
        assert said(server.store, "France", "motto") == []
        read = await client.read_resource(f"lamplight://draft/{draft}")
        assert json.loads(read.contents[0].text)["changes_in_all"] == 1  # type: ignore[union-attr]
        await ask(client, "publish", draft=draft)
        assert said(server.store, "France", "motto") == ["Liberté"]

    run(f"{server.url}/mcp", work)


def test_the_resources(server: Server) -> None:
    async def work(client: Client) -> None:
        (history,) = (await client.list_resources()).resources
        read = await client.read_resource(str(history.uri))
        assert json.loads(read.contents[0].text)["revisions"]  # type: ignore[union-attr]
        templates = (await client.list_resource_templates()).resource_templates
        assert {each.name for each in templates} == {"entity", "relation", "fact", "draft"}
        for address in ("lamplight://entity/France", "lamplight://relation/capital"):
            read = await client.read_resource(address)
            facts = json.loads(read.contents[0].text)["facts"]  # type: ignore[union-attr]
            assert facts[0]["value"] == "Paris"
        for unknown in ("lamplight://entity/Oz", "lamplight://secrets", "file:///etc/passwd"):
            with pytest.raises(MCPError, match=r"Nothing in the graph|There is no resource"):
                await client.read_resource(unknown)

    run(f"{server.url}/mcp", work)


def test_a_refusal_is_one_sentence(server: Server) -> None:
    async def work(client: Client) -> None:
        assert "“prompt”" in await refusal(client, "generate", prompt=7)
        assert "no draft" in await refusal(client, "publish", draft="api-" + "x" * 32)
        assert "no tool" in await refusal(client, "drop_tables")
        assert "no revision 99" in await refusal(client, "facts", entity="France", revision=99)

    run(f"{server.url}/mcp", work)


def test_the_same_access_rules_hold(server: Server, tmp_path: Path) -> None:
    address = f"{server.url}/mcp"
    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}
    foreign = httpx.post(address, json=listed, headers=headers | {"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert httpx.get(address, headers=headers).status_code == 405
    large = httpx.post(address, content=b"x" * (3 << 20), headers=headers)
    assert large.status_code == 413
    assert "set-cookie" not in httpx.post(address, json=listed, headers=headers).headers
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        viewing = serve_on(store, Decoder(scripted.checkpoint()), grant=lambda _: Level.VIEWER)

        async def work(client: Client) -> None:
            assert (await ask(client, "facts", entity="France"))["facts"]
            assert "“editor”" in await refusal(client, "create_draft")

        run(f"{viewing.url}/mcp", work)
        viewing.end()


def test_over_stdio_with_the_command_of_the_documentation(tmp_path: Path) -> None:
    """The configuration of docs/api.md, with a store of the test and this Python."""
    shown = (ROOT / "docs" / "api.md").read_text("utf-8").partition("```json\n")[2]
    (configured,) = json.loads(shown.partition("```")[0])["mcpServers"].values()
    assert configured["args"][:3] == ["-m", "app", "mcp"]
    url = f"sqlite:///{tmp_path / 'small.db'}"
    with open_store(url, create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
    process = StdioServerParameters(
        command=sys.executable,
        args=[*configured["args"], "--store", url, "--read-only"],
        cwd=ROOT,
        env={**os.environ, "LAMPLIGHT_ENCODER": "off", "OMP_NUM_THREADS": "1"},
    )

    async def work(client: Client) -> None:
        answer = await ask(client, "lookup", entity="France", relation="capital")
        assert answer["lookup"]["value"] == "Paris"
        text = await ask(client, "generate", prompt="Tell me about France.")
        assert text["model"] == DEFAULT_CHECKPOINT.name
        assert text["lookups"]
        sentence = await refusal(client, "create_draft")
        assert "read-only" in sentence
        assert str(tmp_path) not in sentence

    run(lambda: stdio_client(process), work)
