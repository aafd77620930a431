"""The operations as tools of an MCP server, and what can be read as its resources.

    server = mcp_server(desk, caller_of)

Each tool is one of `OPERATIONS`. A refusal is a result with `is_error` and one sentence, so that
the model on the other side can read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from mcp import types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError

from app.api.public.desk import Desk
from app.api.public.operations import OPERATIONS, Caller, Operation, call
from app.api.public.problems import Problem
from graph.version import VERSION

SCHEME = "lamplight"
JSON = "application/json"
INSTRUCTIONS = (
    "Lamplight is a small language model that keeps its facts in a graph. Look facts up in the "
    "graph, have the model write a text with its lookups, and edit facts: make a draft with "
    "create_draft, pass its id to edit_draft, read the text again with the draft, then publish."
)
Context = ServerRequestContext[Any, Any]


def mcp_server(desk: Desk, caller_of: Callable[[Any], Caller]) -> Server[Any]:
    """The server. `caller_of` says who sent an HTTP request; over stdio it gets None."""

    async def list_tools(_: Context, __: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_tool(each) for each in OPERATIONS.values()])

    async def call_tool(
        context: Context, asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        operation = OPERATIONS.get(asked.name)
        if operation is None:
            return _refused(f"There is no tool “{asked.name[:80]}”; list the tools.")
        try:
            answer = await call(desk, operation, caller_of(context.request), asked.arguments or {})
        except Problem as problem:
            return _refused(problem.sentence)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=_json(answer))],
            structured_content=answer,
        )

    async def list_resources(_: Context, __: object) -> types.ListResourcesResult:
        newest = types.Resource(
            uri=f"{SCHEME}://history",
            name="history",
            description="The newest revisions of the shared graph.",
            mime_type=JSON,
        )
        return types.ListResourcesResult(resources=[newest])

    async def list_templates(_: Context, __: object) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=f"{SCHEME}://{kind}/{{{field}}}",
                    name=kind,
                    description=description,
                    mime_type=JSON,
                )
                for kind, (_name, field, description) in RESOURCES.items()
            ]
        )

    async def read_resource(
        context: Context, asked: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        address = urlsplit(str(asked.uri))
        kind, value = address.netloc, unquote(address.path.removeprefix("/"))
        given: dict[str, Any] = {}
        if kind == "history":
            name = "history"
        elif kind in RESOURCES:
            name, field, _description = RESOURCES[kind]
            given = {field: value}
        else:
            raise MCPError(types.INVALID_PARAMS, f"There is no resource “{str(asked.uri)[:80]}”.")
        try:
            answer = await call(desk, OPERATIONS[name], caller_of(context.request), given)
        except Problem as problem:
            raise MCPError(types.INVALID_PARAMS, problem.sentence) from problem
        text = types.TextResourceContents(uri=asked.uri, mime_type=JSON, text=_json(answer))
        return types.ReadResourceResult(contents=[text])

    return Server(
        SCHEME,
        version=VERSION,
        title="Lamplight",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


RESOURCES = {  # kind of the address: the operation, its field, and what it is
    "entity": ("facts", "entity", "The facts of an entity, by its name."),
    "relation": ("facts", "relation", "The facts of a relation, by its name."),
    "fact": ("fact", "id", "One fact, by its id."),
    "draft": ("read_draft", "draft", "What a draft changes, by its id."),
}


def _tool(operation: Operation) -> types.Tool:
    return types.Tool(
        name=operation.name,
        description=operation.description,
        input_schema=operation.asked.model_json_schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=not operation.writes,
            destructive_hint=operation.name in ("discard", "publish"),
            open_world_hint=False,
        ),
    )


def _refused(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=sentence)], is_error=True
    )


def _json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)
