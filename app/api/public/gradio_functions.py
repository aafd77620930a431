"""The operations as functions of `gradio_client`: named, without a session, on a page of their own.

    Client(address).predict("France", "capital", api_name="/lookup")

The page has no address that a browser can open; it keeps the functions out of what the other pages
load. Every other endpoint of Gradio is private.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Union, get_args, get_origin

import gradio as gr
from gradio.events import api
from pydantic import BaseModel

from app.access.middleware import client_of, visitor
from app.api.public.desk import Desk
from app.api.public.operations import OPERATIONS, Caller, Operation, call
from app.api.public.problems import Problem

PAGE = "functions"


def add_functions(blocks: gr.Blocks, desk: Desk) -> None:
    """Add the operations to an application."""
    with blocks.route("Functions", PAGE, show_in_navbar=False):
        for operation in OPERATIONS.values():
            api(
                _function(desk, operation),
                api_name=operation.name,
                api_description=operation.description,
                concurrency_limit=None,  # the desk bounds them
            )


def _function(desk: Desk, operation: Operation) -> Callable[..., Awaitable[dict[str, Any]]]:
    """A function with a parameter for each field; those that must be given come first."""
    fields = operation.asked.model_fields
    order = sorted(fields, key=lambda name: not fields[name].is_required())

    async def function(request: gr.Request, *given: Any) -> dict[str, Any]:
        assert request.request is not None
        scope = request.request.scope
        caller = Caller(visitor(scope).level, client_of(scope))
        named = zip(order, given, strict=True)
        try:
            return await call(
                desk, operation, caller, {name: each for name, each in named if each is not None}
            )
        except Problem as problem:
            raise gr.Error(problem.sentence, print_exception=False) from problem

    # Gradio reads what a function takes from its signature and its annotations.
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("request", kind, annotation=gr.Request)]
    for name in order:
        field = fields[name]
        default = inspect.Parameter.empty if field.is_required() else field.default
        if isinstance(default, BaseModel):
            default = None
        hint = plain_type(field.annotation)
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=hint))
    hints = {each.name: each.annotation for each in parameters}
    function.__name__ = operation.name
    function.__annotations__ = {**hints, "return": dict[str, Any]}
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=dict[str, Any]
    )
    return function


def plain_type(annotation: Any) -> Any:
    """The type of a field as Gradio shows it: without limits, None and models.

    >>> plain_type(int | None), plain_type(Annotated[str, "a limit"])
    (<class 'int'>, <class 'str'>)
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return plain_type(inner[0])
    if origin in (Union, types.UnionType):
        return plain_type(next(each for each in inner if each is not types.NoneType))
    if origin is list:
        return list[dict[str, Any]]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return dict[str, Any]
    return annotation
