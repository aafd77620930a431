"""For whoever watches the server: `/health`, `/ready` and `/metrics`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.responses import Response

from app.api.channel import Channel
from app.api.public.problems import ENDING
from app.state.metrics import CONTENT_TYPE
from app.state.service import Service
from graph.core.errors import StoreError

log = logging.getLogger("lamplight")
PATIENCE = 4.0  # seconds that the store has to answer
STORE_AWAY = "The store does not answer; the log of the server says why."


def add_watching(app: FastAPI, service: Service, channel: Channel) -> None:
    """Add the three addresses to an application."""
    service.metrics.waiting(channel.turns.waiting)
    reading = anyio.CapacityLimiter(2)  # of its own: busy readers do not make a server unready

    @app.get("/health")
    async def health() -> JSONResponse:
        """Whether the process is alive. Asks neither the store nor the model."""
        return JSONResponse({"status": "ok"})

    @app.get("/ready")
    async def ready() -> JSONResponse:
        """Whether the server can do its work: the store answers, and the model is loaded."""
        if channel.closing:
            return _unready(ENDING)
        try:
            with anyio.fail_after(PATIENCE):
                revision = await anyio.to_thread.run_sync(
                    service.store.revision, limiter=reading, abandon_on_cancel=True
                )
        except (StoreError, TimeoutError, OSError) as problem:
            log.warning("the store does not answer: %s", problem)
            return _unready(STORE_AWAY)
        answer: dict[str, Any] = {"status": "ready", "revision": revision}
        return JSONResponse({**answer, "model": Path(service.decoder.checkpoint.name).name})

    @app.get("/metrics")
    async def metrics() -> Response:
        """What the server counted, for Prometheus."""
        return Response(service.metrics.exposition(), media_type=CONTENT_TYPE)


def _unready(sentence: str) -> JSONResponse:
    return JSONResponse({"status": "not ready", "error": sentence}, 503)
