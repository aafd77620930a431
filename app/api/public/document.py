"""The OpenAPI document of the published API, made from its routes, models and doors."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from app.access.doors import door
from app.api.public import limits
from app.api.turns import MOST_WAITING
from graph.core.draft_record import IDLE_DAYS
from graph.version import VERSION

ADDRESS = "/api/openapi.json"
LEVEL = "x-level"  # of an operation: the permission level that it takes
_UNNAMED = "Successful Response"  # as FastAPI describes what no route describes
DESCRIPTION = f"""
A script can do what the page does: ask, look up, edit in a draft, publish, and verify.

Requests and answers are JSON. A refusal is `{{"error": "one sentence"}}` with a status. A field
that a request does not have is an error. Ids are text. Offsets in a text count Unicode characters.

Without `draft` or `revision`, an operation reads the newest revision. Each answer names the
revision that it read.

A client writes one text at a time, and {MOST_WAITING} more may wait. An answer has at most
{limits.MOST_FACTS} facts, a request at most {limits.MOST_EDITS} edits and 2 MiB. A draft is dropped
after {IDLE_DAYS} days without use.
"""
TAGS = [
    {"name": "Texts", "description": "What needs the model: texts and verdicts."},
    {"name": "Graph", "description": "What is read: names, facts, lookups, the history."},
    {"name": "Drafts", "description": "What is written: edits in a draft, and publishing it."},
]


def openapi(router: APIRouter) -> dict[str, Any]:
    """The document, as plain data. Each operation names its level."""
    made = get_openapi(
        title="Lamplight",
        version=VERSION,
        summary="A language model that keeps its facts in a graph, and the graph.",
        description=DESCRIPTION.strip(),
        routes=router.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            level = door(method.upper(), path)
            if level is not None:
                operation[LEVEL] = level.name.lower()
            for answer in operation["responses"].values():
                if answer["description"] == _UNNAMED:
                    answer["description"] = "Done."
    return made
