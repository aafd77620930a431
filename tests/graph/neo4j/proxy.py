"""A proxy before a server, that can be slow, refuse, or lose replies."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

READING = b"\x84mode\x81r"  # in a statement that is a transaction of its own, and only reads
COMMIT = b"\x00\x02\xb0\x12\x00\x00"  # the whole message COMMIT of the Bolt protocol


class Proxy:
    """Listens on a port of its own and passes everything on to the server's."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.delay = (
            0.0  # seconds that each request is held back: a round trip takes so much longer
        )
        self.losing = 0  # commits of writes whose replies are still to be lost
        self.losing_reads = 0  # reads whose replies are
        self.lost = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"bolt://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                self._open += [client, server]
                losing = threading.Event()  # set once this connection's replies are to be lost
                for source, sink, out in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass, args=(source, sink, out, losing), daemon=True
                    ).start()

    def _pass(
        self, source: socket.socket, sink: socket.socket, out: bool, losing: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if out and self.losing_reads > 0 and READING in data:
                    self.losing_reads -= 1
                    losing.set()
                if out and self.losing > 0 and COMMIT in data:
                    self.losing -= 1
                    self.lost += 1
                    losing.set()
                if out:
                    time.sleep(self.delay)
                elif losing.is_set():
                    break  # the server has answered, so it is done; nobody learns of it
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Stop listening, and cut what is open."""
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut the connections that are open."""
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
