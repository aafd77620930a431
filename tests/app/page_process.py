"""A page in a process of its own, over the scripted model, to be killed and started again.

python -m tests.app.page_process STORE PORT
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field

from tests.handles import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "LAMPLIGHT_ENCODER": "off"}


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class PageProcess:
    """A server that can be killed; it comes back at the same address, over the same store."""

    store: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> PageProcess:
        """Start, and wait until the server answers."""
        command = [sys.executable, "-m", "tests.app.page_process", self.store, str(self.port)]
        self.process = subprocess.Popen(command, env=ENVIRONMENT)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=10).close()
                return self
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                time.sleep(0.1)
        raise AssertionError("the server did not answer")

    def kill(self) -> None:
        """End it at once, in the middle of its work."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def end(self) -> None:
        """Stop it, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


def main() -> None:
    """Serve the page until somebody ends it."""
    import torch

    from app.server.application import make_app
    from app.server.process import serve
    from app.state.service import Service
    from graph.opening import open_store
    from model.engine.decoder import Decoder
    from tests.app import scripted

    torch.set_num_threads(1)
    service = Service(open_store(sys.argv[1]), Decoder(scripted.checkpoint()))
    serve(make_app(service), "127.0.0.1", int(sys.argv[2]))


if __name__ == "__main__":
    main()
