"""A page in a process of its own, over the scripted model, to be killed and started again.

python -m tests.app.page_process STORE PORT

The process loads everything once. Each line "start" on its input makes it fork a server, whose
number it prints. So a server that was killed is back as fast as one of a real installation.
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
    loader: subprocess.Popen[str] | None = None
    server: int = 0

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> PageProcess:
        """Start, and wait until the server answers."""
        if self.loader is None:
            command = [sys.executable, "-m", "tests.app.page_process", self.store, str(self.port)]
            self.loader = subprocess.Popen(
                command,
                env=ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self.loader.stdin is not None
        assert self.loader.stdout is not None
        self.loader.stdin.write("start\n")
        self.loader.stdin.flush()
        self.server = int(self.loader.stdout.readline())
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=10).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not answer")

    def kill(self) -> None:
        """End it at once, in the middle of its work."""
        os.kill(self.server, signal.SIGKILL)
        self.server = 0

    def stop(self) -> float:
        """Ask it to end, as Ctrl+C and a container do; returns the seconds that it took."""
        begun = time.monotonic()
        os.kill(self.server, signal.SIGTERM)
        while time.monotonic() - begun < 60:
            try:
                os.kill(self.server, 0)
            except ProcessLookupError:
                self.server = 0
                return time.monotonic() - begun
            time.sleep(0.05)
        raise AssertionError("the server did not end")

    def end(self) -> None:
        """Stop everything."""
        if self.server:
            self.kill()
        if self.loader is not None:
            self.loader.kill()
            self.loader.wait(30)


def main() -> None:
    """Fork servers until the input ends."""
    import torch

    import app.server.application  # noqa: F401  (before the fork, as it takes the longest)
    from tests.app import scripted

    torch.set_num_threads(1)
    checkpoint = scripted.checkpoint()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps what was killed
    for _ in sys.stdin:
        number = os.fork()
        if number == 0:
            serve(checkpoint)
        print(number, flush=True)


def serve(checkpoint: object) -> None:
    """Serve the page until somebody kills this process."""
    from app.server.application import make_app
    from app.server.process import serve
    from app.state.service import Service
    from graph.opening import open_store
    from model.engine.decoder import Decoder

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.stdout = sys.stderr
    try:
        service = Service(open_store(sys.argv[1]), Decoder(checkpoint))  # type: ignore[arg-type]
        serve(make_app(service), "127.0.0.1", int(sys.argv[2]))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
