"""The documentation page of the published API, drawn from its OpenAPI document.

    html = render(document)

It needs no script and nothing from elsewhere. Every name and text of the document is escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.views.templates import render as render_template

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Field:
    """A parameter of an operation, or a field of a model."""

    name: str
    kind: str  # what it holds, with its limits
    model: str  # the model that it is made of, if any
    required: bool
    description: Markup


@dataclass(frozen=True)
class Operation:
    """One operation, as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    level: str
    description: tuple[Markup, ...]
    parameters: tuple[Field, ...]
    body: str  # the model of its request
    answers: tuple[tuple[str, Markup, str], ...]  # status, description, model
    example: str  # as a command


@dataclass(frozen=True)
class Model:
    """One model, as the page shows it."""

    name: str
    description: tuple[Markup, ...]
    fields: tuple[Field, ...]


def render(document: Mapping[str, Any], server: str = "http://127.0.0.1:7860") -> Markup:
    """The page, as HTML."""
    groups = [
        (
            tag["name"],
            tag["description"],
            [operation for operation, name in _operations(document, server) if name == tag["name"]],
        )
        for tag in document["tags"]
    ]
    models = [_model(name, each) for name, each in document["components"]["schemas"].items()]
    info = document["info"]
    return render_template(
        "api_page.html",
        title=info["title"],
        version=info["version"],
        description=_paragraphs(info["description"]),
        groups=groups,
        models=models,
    )


def _operations(document: Mapping[str, Any], server: str) -> Iterator[tuple[Operation, str]]:
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            body = each.get("requestBody", {}).get("content", {}).get("application/json", {})
            yield (
                Operation(
                    id=each["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=each["summary"],
                    level=each.get("x-level", ""),
                    description=_paragraphs(each["description"]),
                    parameters=tuple(
                        _field(part["name"], part["schema"], part["required"])
                        for part in each.get("parameters", ())
                    ),
                    body=_reference(body.get("schema", {})),
                    answers=tuple(
                        (status, _inline(answer["description"]), _answered(answer))
                        for status, answer in each["responses"].items()
                    ),
                    example=example(document, method, path, each, server),
                ),
                each["tags"][0],
            )


def _answered(answer: Mapping[str, Any]) -> str:
    return _reference(answer.get("content", {}).get("application/json", {}).get("schema", {}))


def _model(name: str, schema: Mapping[str, Any]) -> Model:
    required = schema.get("required", ())
    return Model(
        name,
        _paragraphs(schema.get("description", "")),
        tuple(
            _field(field, inner, field in required)
            for field, inner in schema.get("properties", {}).items()
        ),
    )


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:
    return Field(
        name, _kind(schema), _reference(schema), required, _inline(schema.get("description", ""))
    )


def _reference(schema: Mapping[str, Any]) -> str:
    """The name of the model that a schema refers to; of several, the first."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    inner = [schema["items"]] if "items" in schema else schema.get("anyOf", schema.get("oneOf", []))
    return next(filter(None, map(_reference, inner)), "")


def _kind(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in a few words."""
    if "$ref" in schema:
        return _reference(schema)
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is not None:
        return " or ".join(dict.fromkeys(map(_kind, choices)))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(map(json.dumps, schema["enum"]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema['items'])}{_limits(schema)}"
    return f"{kind}{_limits(schema)}"


def _limits(schema: Mapping[str, Any]) -> str:
    named = []
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("exclusiveMinimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if low in schema and high in schema:
            named.append(f"{schema[low]:,.10g} to {schema[high]:,.10g}{unit}")
        elif high in schema and "minimum" not in schema and "exclusiveMinimum" not in schema:
            named.append(f"at most {schema[high]:,.10g}{unit}")
    named = list(dict.fromkeys(named))
    if "pattern" in schema:
        named.append(schema["pattern"])
    if "default" in schema and schema["default"] not in ("", None, {}):
        named.append(f"default {json.dumps(schema['default'])}")
    return f" ({'; '.join(named)})" if named else ""


def example(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any], server: str
) -> str:
    """A command that does an operation, from the examples of its schema."""
    query = {}
    for part in operation.get("parameters", ()):
        given = part["schema"].get("examples")
        if given and part["in"] == "path":
            path = path.replace(f"{{{part['name']}}}", given[0])
        elif given:
            query[part["name"]] = given[0]
    address = f"{server}{path}" + ("?" if query else "")
    address += "&".join(f"{name}={value}" for name, value in query.items())
    if method == "get":
        return f"curl '{address}'"
    model = _reference(operation["requestBody"]["content"]["application/json"]["schema"])
    body = document["components"]["schemas"][model]["examples"][0]
    written = json.dumps(body, ensure_ascii=False)
    return f"curl '{address}' -H 'Content-Type: application/json' -d '{written}'"


def _paragraphs(text: str) -> tuple[Markup, ...]:
    return tuple(_inline(part) for part in text.split("\n\n") if part.strip())


def _inline(text: str) -> Markup:
    """A line of text, escaped, with code in backquotes."""
    pieces = _CODE.split(" ".join(text.split()))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )
