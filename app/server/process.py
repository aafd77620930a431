"""The process that serves the page, from its start to the signal that ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

import fastapi
import uvicorn

GRACE = 2  # seconds that requests have to end after the signal
LONGEST_END = 3.5  # seconds after the signal at which the process ends, busy threads or not
STOPPED, INTERRUPTED = 0, 130
"""Exit status after SIGTERM and after Ctrl+C, as of the other commands."""

CUTTING = ("uvicorn.error", "asyncio", "lamplight", "lamplight.requests")
"""Who would report each request that is cut off at the end, in lines that nobody can act on."""


class PageServer(uvicorn.Server):
    """A web server that ends its streams first, which would last as long as the pages are open."""

    def __init__(self, app: fastapi.FastAPI, **options: object) -> None:
        super().__init__(uvicorn.Config(app, timeout_graceful_shutdown=GRACE, **options))  # type: ignore[arg-type]
        self._channel = app.state.channel
        self.status = STOPPED
        for name in CUTTING:
            logging.getLogger(name).addFilter(lambda _: not self.should_exit)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the streams and texts, then the server; a second signal waits for no request."""
        if self.should_exit:
            self.force_exit = True
            return
        self.should_exit = True
        self.status = INTERRUPTED if sig == signal.SIGINT else STOPPED
        end_at_last(self.status)
        self._channel.close()


def end_at_last(status: int) -> None:
    """End the process `LONGEST_END` seconds from now, even if a thread still computes.

    Nothing is lost: what a draft holds was written to the store, in a transaction, before its
    action was acknowledged.
    """

    def end() -> None:
        time.sleep(LONGEST_END)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    threading.Thread(target=end, daemon=True, name="end at last").start()


def serve(app: fastapi.FastAPI, host: str, port: int, log_format: str = "text") -> int:
    """Serve the application until a signal ends it. Returns the exit status."""
    server = PageServer(
        app,
        host=host,
        port=port,
        proxy_headers=False,  # `app.access.hosts` reads them
        server_header=False,
        **({"log_config": None} if log_format == "json" else {"log_level": "warning"}),
    )
    server.run()
    return server.status
