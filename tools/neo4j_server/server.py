"""A real Neo4j server from Maven Central, for the tests and for a person: `make neo4j`.

    python -m tools.neo4j_server.server [--port N] [--home FOLDER]

Needs a JDK of 17 or later and Maven; the server's jars (118 MB) are fetched once, into
build/neo4j/lib. It listens on loopback alone and asks for a password.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import neo4j
from neo4j import exceptions

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "neo4j"
JARS = BUILD / "lib"
VERSION = re.search(r"<neo4j.version>(.*?)<", (HERE / "pom.xml").read_text("utf-8"))[1]  # type: ignore[index]
FETCHED = JARS / f".neo4j-{VERSION}"  # there once all jars of this version are
START_SECONDS = float(os.environ.get("LAMPLIGHT_TEST_PATIENCE", "1")) * 120


@lru_cache
def lacks() -> str | None:
    """What this machine lacks to run the server; None if nothing."""
    printed = ""
    if shutil.which("javac"):  # a bare runtime cannot start a source file
        done = subprocess.run(["javac", "-version"], capture_output=True, text=True)
        printed = done.stderr + done.stdout
    found = re.search(r"javac (\d+)", printed)
    if not found or int(found[1]) < 17:
        return "a JDK of 17 or later"
    if not FETCHED.exists() and not shutil.which("mvn"):
        return "Maven"
    return None


def missing() -> str | None:
    """What this machine lacks to run the server, as one line that says what to do; or None."""
    found = lacks()
    return found and (
        f"A Neo4j server needs {found}: run apt-get install default-jdk-headless maven"
    )


class FetchError(RuntimeError):
    """The server's jars could not be fetched; the message is one sentence for the user."""


def fetch() -> None:
    """Get the server's jars from Maven Central, unless they are there.

    Raises `FetchError` where Maven cannot get them; it prints why.
    """
    if FETCHED.exists():
        return
    with locked(BUILD / "fetch.lock"):  # two test runs may start at once
        if FETCHED.exists():
            return
        shutil.rmtree(JARS, ignore_errors=True)
        print("Fetching the Neo4j server (once, 118 MB) ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies",
             f"-DoutputDirectory={JARS}"],
            check=False, stdout=sys.stderr,
        )  # fmt: skip
        if done.returncode:
            raise FetchError(
                "Maven could not fetch the Neo4j server (its error is above): check the network "
                "and ~/.m2/settings.xml, or run `make test ARGS='-m unit'`, which needs no server."
            )
        FETCHED.touch()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock `path`, which no other process then holds; it ends with this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server that can be stopped, killed and started again on the same data and port."""

    def __init__(self, home: Path, port: int = 0, password: str = "") -> None:
        self.home = home
        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(12)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"neo4j://127.0.0.1:{self.port}"

    def start(self, settings: dict[str, str] | None = None) -> None:
        """Start it, with settings as in neo4j.conf, and wait until it answers."""
        fetch()
        self.home.mkdir(parents=True, exist_ok=True)
        conf = self.home / "settings.conf"
        conf.write_text("".join(f"{name}={value}\n" for name, value in (settings or {}).items()))
        command = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command += ["-cp", f"{JARS}/*", str(HERE / "Neo4jServer.java")]
        log = (self.home / "server.log").open("ab")
        # Its standard input is our pipe, so it ends with us, even if we are killed.
        self.process = subprocess.Popen(
            [*command, str(self.home), str(self.port), str(conf)],
            stdin=subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                if self._answers():
                    return
            time.sleep(0.2)
        tail = (self.home / "server.log").read_text("utf-8", "replace")[-2000:]
        raise RuntimeError(f"The Neo4j server did not come up:\n{tail}")

    def _answers(self) -> bool:
        """Whether it takes our password; sets it where the server is new."""
        try:
            with self._driver(self.password) as driver:
                driver.verify_connectivity()
                return True
        except exceptions.AuthError:
            with self._driver("neo4j") as driver:
                driver.execute_query(
                    "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password",
                    password=self.password,
                    database_="system",
                )
            return True
        except (exceptions.ServiceUnavailable, exceptions.TransientError):
            return False

    def _driver(self, password: str) -> neo4j.Driver:
        return neo4j.GraphDatabase.driver(
            f"bolt://127.0.0.1:{self.port}", auth=("neo4j", password), telemetry_disabled=True
        )

    def stop(self) -> None:
        """Let it shut down in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process = None


def main() -> int:
    """Run a server until Ctrl+C."""
    parser = argparse.ArgumentParser(description="Run a Neo4j server on this machine.")
    parser.add_argument("--port", type=int, default=7687)
    parser.add_argument("--home", type=Path, default=BUILD / "home")
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print(lacking, file=sys.stderr)
        return 1
    auth = options.home.parent / f"{options.home.name}.auth"  # outside what the server owns
    if not auth.exists():
        auth.parent.mkdir(parents=True, exist_ok=True)
        password = os.environ.get("NEO4J_PASSWORD") or secrets.token_urlsafe(12)
        with os.fdopen(os.open(auth, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(f"neo4j/{password}\n")
    password = auth.read_text("utf-8").strip().partition("/")[2]
    server = Server(options.home, options.port, password)
    try:
        server.start()
    except RuntimeError as problem:
        print(problem, file=sys.stderr)
        return 1
    shown = auth.relative_to(Path.cwd()) if auth.is_relative_to(Path.cwd()) else auth
    print(
        f"Neo4j is at {server.url} (Ctrl+C ends it). In another terminal:\n"
        f"  export NEO4J_URI={server.url} NEO4J_AUTH_FILE={shown}\n"
        f"  .venv/bin/python -m graph init --store {server.url}   (once: the shipped world)\n"
        "  make app",
        flush=True,
    )
    try:
        assert server.process is not None
        server.process.wait()
    except KeyboardInterrupt:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
