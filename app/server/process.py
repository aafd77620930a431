"""The process that serves the page, from its start to the signal that ends it."""

from __future__ import annotations

from types import FrameType

import fastapi
import uvicorn

GRACE = 3  # seconds that requests have to end after the signal


class PageServer(uvicorn.Server):
    """A web server that ends its streams first, which would last as long as the pages are open."""

    def __init__(self, app: fastapi.FastAPI, **options: object) -> None:
        super().__init__(uvicorn.Config(app, timeout_graceful_shutdown=GRACE, **options))  # type: ignore[arg-type]
        self._channel = app.state.channel

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._channel.close()
        super().handle_exit(sig, frame)


def serve(app: fastapi.FastAPI, host: str, port: int) -> None:
    """Serve the application until a signal ends it."""
    PageServer(app, host=host, port=port, log_level="warning").run()
