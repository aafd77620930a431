"""The connection to a Neo4j server: its address, its credentials, and its errors as sentences.

    neo4j://host:7687            a server or a cluster, by routing; TLS: neo4j+s:// or neo4j+ssc://
    bolt://host:7687/database    one server and no routing; TLS: bolt+s:// or bolt+ssc://

User and password come from the environment, NEO4J_USERNAME and NEO4J_PASSWORD, or from the file
that NEO4J_AUTH_FILE names (a line `user/password`, or one for each server with its host). They are
never part of a URL, which may be shown, logged, and listed among a machine's processes.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import neo4j
from neo4j import exceptions as errors

from graph.core.errors import StoreError
from graph.core.names import quoted

DEFAULT_DATABASE = "neo4j"
CONNECT_SECONDS = 5.0  # to open one connection
PATIENCE_SECONDS = 12.0  # how long a server that is away is waited for; a restart takes some five
READ_SECONDS = 30.0  # time limit that the server puts to one read
WRITE_SECONDS = 60.0  # and to one writing transaction, waiting for its turn included
_DATABASE = re.compile(r"[a-z][a-z0-9.-]{2,62}")

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is: the server as the driver takes it, and the database on it."""

    uri: str
    host: str
    database: str

    @property
    def url(self) -> str:
        """The store's URL in full."""
        return f"{self.uri}/{self.database}"


def address_of(url: str) -> Address:
    """The address in a URL; raises `StoreError` for an invalid one, without quoting secrets."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 7687
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise StoreError(
            "The store's URL contains a user or password, which others can read; remove it, and "
            "set NEO4J_USERNAME and NEO4J_PASSWORD, or NEO4J_AUTH_FILE, instead."
        )
    if not host or parts.query or parts.fragment:
        raise StoreError(f"{quoted(url)} names no Neo4j server; write neo4j://host:7687.")
    database = parts.path.strip("/") or DEFAULT_DATABASE
    if not _DATABASE.fullmatch(database):
        raise StoreError(
            f"{quoted(database)} is not a valid database name; write neo4j://host:7687/name with "
            "3 to 63 lower-case letters, digits, dots and dashes."
        )
    named = f"[{host}]" if ":" in host else host
    return Address(f"{parts.scheme.lower()}://{named}:{port}", f"{named}:{port}", database)


def credentials(host: str = "") -> tuple[str, str] | None:
    """User and password for a server, from the environment or a file; None if it asks for none.

    In the file a line `host:port user/password` is for that server, and one without a host for all
    others. Raises `StoreError` for a file that is none such, and quotes nothing of it.
    """
    path = os.environ.get("NEO4J_AUTH_FILE")
    if not path:
        password = os.environ.get("NEO4J_PASSWORD", "")
        return (os.environ.get("NEO4J_USERNAME") or "neo4j", password) if password else None
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not text"
        raise StoreError(
            f"The file {path} of NEO4J_AUTH_FILE cannot be read: {reason}."
        ) from problem
    known: dict[str, tuple[str, str]] = {}
    for line in filter(None, map(str.strip, lines)):
        named = re.fullmatch(r"(?:(\S+:\d+)\s+)?([^\s/]+)/(\S.*)", line)
        if named is None or (named[1] or "") in known:
            raise StoreError(
                f"The file {path} of NEO4J_AUTH_FILE has to hold one line, user/password, and for "
                "each server of its own another, host:port user/password."
            )
        known[named[1] or ""] = named[2], named[3]
    found = known.get(host) or known.get("")
    if found is None:
        raise StoreError(f"The file {path} of NEO4J_AUTH_FILE has no line for {host or 'all'}.")
    return found


# One driver, which is a pool of connections, for each server and user of this process.
_drivers: dict[tuple[str, tuple[str, str] | None], list[Any]] = {}
_drivers_lock = threading.Lock()


class Connection:
    """One store's use of the process's pool of connections; any thread may use it."""

    def __init__(self, address: Address, *, read_only: bool = False) -> None:
        self.address = address
        self.read_only = read_only
        self._key = (address.uri, credentials(address.host))
        with _drivers_lock:
            if self._key not in _drivers:
                try:
                    _drivers[self._key] = [_make_driver(*self._key), 0]
                except (errors.DriverError, ValueError) as problem:
                    raise self.explain(problem) from problem
            _drivers[self._key][1] += 1
            self._driver: neo4j.Driver | None = _drivers[self._key][0]

    def close(self) -> None:
        """Give the pool back; the last store to do so closes it."""
        with _drivers_lock:
            if self._driver is None:
                return
            self._driver = None
            _drivers[self._key][1] -= 1
            if _drivers[self._key][1] == 0:
                _drivers.pop(self._key)[0].close()

    @property
    def driver(self) -> neo4j.Driver:
        if self._driver is None:
            raise StoreError(f"The store {self.address.url} is closed.")
        return self._driver

    def read(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        """The rows of one statement, read in a transaction that sees our own writes.

        The transaction begins and ends with its statement, in one round trip to the server instead
        of three. The driver leaves it to us to read again where the server was away.
        """
        driver = self.driver
        query = neo4j.Query(cypher, timeout=READ_SECONDS)
        until = time.monotonic() + PATIENCE_SECONDS
        wait = 0.05
        while True:
            try:
                with driver.session(
                    database=self.address.database,
                    default_access_mode=neo4j.READ_ACCESS,
                    bookmark_manager=driver.execute_query_bookmark_manager,
                ) as session:
                    return session.run(query, parameters).values()
            except (errors.DriverError, errors.Neo4jError) as problem:
                lost = isinstance(problem, errors.IncompleteCommit)  # of a read: nothing is done
                if not (lost or problem.is_retryable()) or time.monotonic() > until:
                    raise self.explain(problem) from problem
                time.sleep(wait)
                wait = min(2 * wait, 1.0)

    def write(self, work: Callable[[neo4j.ManagedTransaction], Outcome]) -> Outcome:
        """Do `work` in a managed transaction, again where the server was away meanwhile.

        Where the reply to a commit is lost, nobody knows whether it was done; `work` is then run
        again, and has to notice by an id of its own that it was.
        """
        self._require_writing()
        driver = self.driver
        managed = neo4j.unit_of_work(timeout=WRITE_SECONDS)(work)
        until: float | None = None
        while True:
            try:
                with driver.session(
                    database=self.address.database,
                    bookmark_manager=driver.execute_query_bookmark_manager,
                ) as session:
                    return session.execute_write(managed)
            except errors.IncompleteCommit as problem:
                # Patience begins with the first loss: a commit that took long is tried again too.
                until = until or time.monotonic() + PATIENCE_SECONDS
                if time.monotonic() > until:
                    raise self.explain(problem) from problem
                time.sleep(0.2)
            except (errors.DriverError, errors.Neo4jError) as problem:
                raise self.explain(problem) from problem

    def run(self, cypher: str, **parameters: Any) -> None:
        """One statement on its own, which a change of the schema has to be."""
        self._require_writing()
        driver = self.driver
        try:
            driver.execute_query(cypher, parameters, database_=self.address.database)
        except (errors.DriverError, errors.Neo4jError) as problem:
            raise self.explain(problem) from problem

    def _require_writing(self) -> None:
        if self.read_only:
            raise StoreError(f"The store {self.address.url} is open for reading only.")

    def explain(self, problem: Exception) -> StoreError:
        """The error of the driver or the server as one sentence for the user."""
        return StoreError(_sentence(problem, self.address))


def run(tx: neo4j.ManagedTransaction, cypher: str, **parameters: Any) -> list[list[Any]]:
    """The rows of one statement of a transaction."""
    return tx.run(cypher, parameters).values()


def _make_driver(uri: str, auth: tuple[str, str] | None) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(
        uri,
        auth=auth,
        connection_timeout=CONNECT_SECONDS,
        connection_acquisition_timeout=PATIENCE_SECONDS,
        max_transaction_retry_time=PATIENCE_SECONDS,
        liveness_check_timeout=30.0,  # a connection idle for longer is tried before it is used
        max_connection_pool_size=100,
        keep_alive=True,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
        user_agent="lamplight",
    )


def _refuses_tls(address: Address) -> bool:
    """Whether somebody takes a connection there, and then TLS cannot be agreed upon."""
    context = ssl.create_default_context()
    if "+ssc" in address.uri:  # any certificate will do
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, _, port = address.host.rpartition(":")
    host = host.strip("[]")
    try:
        plain = socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS)
    except OSError:
        return False
    with plain:
        try:
            context.wrap_socket(plain, server_hostname=host).close()
        except (ssl.SSLError, ConnectionError):
            return True
        except OSError:  # too slow to say
            return False
    return False


def _sentence(problem: Exception, address: Address) -> str:
    server = f"The Neo4j server at {address.host}"
    code = getattr(problem, "code", None) or ""
    cause: BaseException | None = problem
    no_tls = (
        f"{server} cannot be reached over TLS; check its certificate, or whether it speaks TLS "
        "at all (neo4j+s:// and bolt+s:// need it)."
    )
    while cause is not None:  # a failure of TLS is reported only as the cause of "unavailable"
        if "SSL" in type(cause).__name__:
            return no_tls
        cause = cause.__cause__ or cause.__context__
    if "AuthenticationRateLimit" in code:
        return f"{server} refuses more logins after wrong passwords; wait a moment."
    if isinstance(problem, errors.AuthError) or "Security" in code:
        if credentials(address.host) is None:
            return (
                f"{server} asks for a password; set NEO4J_USERNAME and NEO4J_PASSWORD, or "
                "NEO4J_AUTH_FILE."
            )
        return (
            f"{server} does not accept the user and password; check NEO4J_USERNAME and "
            "NEO4J_PASSWORD, or the file of NEO4J_AUTH_FILE."
        )
    if "ReadOnly" in code or "WriteOnRead" in code:
        return f"{server} is read-only, so nothing was saved; ask its administrator."
    if isinstance(problem, errors.WriteServiceUnavailable) or "NotALeader" in code:
        return f"{server} cannot take edits at the moment; try again shortly."
    if "DatabaseNotFound" in code:
        return f"{server} has no database {quoted(address.database)}; make it, or name another."
    if "DatabaseUnavailable" in code:
        return f"The database {quoted(address.database)} of {address.host} is stopped; start it."
    if "TransactionTimedOut" in code or "LockAcquisitionTimeout" in code:
        return f"{server} took too long for this, and it was not done; try again in a moment."
    if "BookmarkTimeout" in code:
        return f"{server} lacks earlier writes (an older copy?); restart this program."
    if "OutOfMemory" in code:
        return f"{server} has too little memory for this; do it in smaller parts."
    if isinstance(problem, errors.IncompleteCommit):
        return (
            f"{server} went away while this was being saved, and may have saved it; reload to see."
        )
    if isinstance(problem, errors.ServiceUnavailable | errors.SessionExpired | OSError):
        if "+s" in address.uri.partition(":")[0] and _refuses_tls(address):
            return no_tls  # routing hides the cause
        return f"{server} does not answer; check that it runs and that the address is right."
    if isinstance(problem, errors.DriverError) and "acqui" in str(problem):
        return f"{server} is too busy: no connection became free; try again in a moment."
    if isinstance(problem, errors.TransientError):
        return f"{server} could not do this just now; try again in a moment."
    text = getattr(problem, "message", None) or str(problem)
    return f"{server} could not do this: {quoted(' '.join(text.split()), 200)}."
