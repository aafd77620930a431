"""From where the server may be reached: hosts, origins, proxies, frames, and what starts it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.__main__ import main
from app.access import cookie
from app.access.exposure import Exposure, ExposureError, is_loopback
from app.server import process
from app.server.application import make_app
from app.state.service import Service
from graph.core.edits import Add
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted

Connect = Callable[..., TestClient]
CALL = {"fn_index": 0, "data": [], "session_hash": "abcdefgh"}


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'small.db'}"
    with open_store(url, create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
    return url


@pytest.fixture
def connect(store_url: str) -> Iterator[Connect]:
    """A client of a server with this exposure, from a machine at `peer`."""
    with open_store(store_url) as store:

        def made(
            exposure: Exposure | None = None,
            url: str = "http://localhost:7860",
            peer: str = "127.0.0.1",
            publishes: bool = True,
        ) -> TestClient:
            service = Service(store, Decoder(scripted.checkpoint()), publishes=publishes)
            app = make_app(service, exposure=exposure)
            return TestClient(app, base_url=url, client=(peer, 5000))

        yield made


def test_a_request_for_another_host_is_refused(connect: Connect) -> None:
    client = connect()
    for host in ("localhost", "localhost:7860", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST."):
        assert client.get("/health", headers={"host": host}).status_code == 200, host
    for host in ("rebound.example", "localhost.example", "192.168.1.5", "", "[::1", "127.0.0.1.x"):
        answer = client.get("/", headers={"host": host})
        assert answer.status_code == 421, host
        assert "--allowed-host" in answer.json()["error"]
        assert "set-cookie" not in answer.headers
    actions = client.post("/api/actions", json={}, headers={"host": "rebound.example"})
    assert actions.status_code == 421


def test_what_an_operator_allows(connect: Connect) -> None:
    listening = Exposure.of("192.168.1.5", allowed=["Inspect.Example.org"])
    for host in ("192.168.1.5:7860", "inspect.example.org", "localhost"):
        assert listening.accepts(host)
    assert not listening.accepts("192.168.1.6")
    everywhere = Exposure.of("0.0.0.0")
    assert everywhere.accepts("192.168.1.6:7860")  # which no name server can redirect
    assert not everywhere.accepts("rebound.example")
    assert is_loopback("127.0.0.2")
    assert not is_loopback("0.0.0.0")
    for wrong in (
        {"allowed": ["two words"]},
        {"proxies": ["nginx"]},
        {"embed": ["example.org"]},
        {"embed": ["https://example.org/path"]},
        {"embed": ["https://a.example; script-src *"]},
    ):
        with pytest.raises(ExposureError, match="not “"):
            Exposure.of("127.0.0.1", **wrong)  # type: ignore[arg-type]


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:3000"},  # another page of this machine
    {"origin": "null"},
    {"origin": "http://["},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("host", ["localhost:7860", "inspect.example.org"])
def test_no_other_origin_reads_or_acts(
    connect: Connect, headers: dict[str, str], host: str
) -> None:
    """Gradio lets every origin read where the host is not this machine, and others where it is."""
    client = connect(Exposure.of("127.0.0.1", allowed=["inspect.example.org"]), f"http://{host}")
    client.get("/health")
    requests = [
        ("GET", "/config"),
        ("GET", "/api/events?page=abcdefgh"),
        ("GET", "/gradio_api/info"),
        ("GET", "/metrics"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/api/actions"),
        ("POST", "/api/v1/drafts"),
        ("POST", "/mcp"),
    ]
    for headers in FOREIGN:
        for method, path in requests:
            body = CALL if method == "POST" else None
            answer = client.request(method, path, headers=headers, json=body)
            assert answer.status_code == 403, (path, headers)
            assert not [name for name in answer.headers if name.startswith("access-control-")]
        preflight = {**headers, "access-control-request-method": "POST"}
        answer = client.options("/gradio_api/queue/join", headers=preflight)
        assert answer.status_code == 404
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_page_itself_and_links_to_it_are_answered(connect: Connect) -> None:
    client = connect()
    own = {"origin": "http://localhost:7860", "sec-fetch-site": "same-origin"}
    answer = client.get("/config", headers=own)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    assert (
        client.get("/api/v1/lookup?entity=France&relation=capital", headers=link).status_code == 403
    )
    assert client.post("/api/actions", json={}, headers=link).status_code == 403


FORWARDED = {
    "x-forwarded-host": "inspect.example.org",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "6.6.6.6, 203.0.113.7",
    "x-gradio-server": "https://evil.example",
    "forwarded": "host=evil.example",
}


def test_only_a_named_proxy_speaks_for_a_client(connect: Connect) -> None:
    exposure = Exposure.of("127.0.0.1", allowed=["inspect.example.org"], proxies=["10.0.0.0/8"])
    trusted = connect(exposure, peer="10.0.0.2").get("/config", headers=FORWARDED)
    assert trusted.json()["root"] == "https://inspect.example.org"
    assert "Secure" in trusted.headers["set-cookie"]
    for peer in ("127.0.0.1", "192.168.1.9", "not an address"):
        answer = connect(exposure, peer=peer).get("/config", headers=FORWARDED)
        assert answer.json()["root"] == "http://localhost:7860"
        assert "Secure" not in answer.headers["set-cookie"]
    evil = {**FORWARDED, "x-forwarded-host": "evil.example"}
    assert connect(exposure, peer="10.0.0.2").get("/", headers=evil).status_code == 421


def test_no_site_frames_the_page_unless_it_is_named(connect: Connect) -> None:
    answer = connect().get("/")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert "SameSite=Lax" in answer.headers["set-cookie"]
    embedded = Exposure.of("127.0.0.1", embed=["https://Docs.example.org/"])
    answer = connect(embedded, "https://localhost").get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://docs.example.org")
    assert "x-frame-options" not in answer.headers
    assert answer.headers["set-cookie"].endswith("SameSite=None; Secure; Partitioned")
    assert "SameSite=Lax" in connect(embedded).get("/").headers["set-cookie"]  # without TLS
    assert cookie.read_secret(answer.headers["set-cookie"].partition(";")[0]) is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_an_address_that_others_reach_needs_a_word(
    host: str, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", store_url, "--host", host]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert host in error
    assert "--open" in error


def test_an_open_page_warns_in_one_line(
    store_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "serve", lambda *arguments: 0)
    monkeypatch.setenv("LAMPLIGHT_ENCODER", "off")
    everyone = ["--store", store_url, "--host", "0.0.0.0", "--open"]
    for more, may in (
        ([], "read, edit and publish"),
        (["--no-publish"], "read and edit the graph"),
        (["--read-only"], "read the graph and have texts written"),
    ):
        assert main([*everyone, *more]) == 0
        assert capsys.readouterr().err.splitlines() == [
            f"Warning: everybody who reaches this page may {may}, under any name."
        ]
    assert main([*everyone, "--embed", "no origin"]) == 1
    assert "--embed takes an origin" in capsys.readouterr().err


def test_the_container_says_that_it_is_open() -> None:
    root = Path(__file__).parents[2]
    image = (root / "Dockerfile").read_text("utf-8")
    assert '"--host", "0.0.0.0"' in image
    assert re.search(r'^CMD \["--open"\]$', image, re.MULTILINE)
    services = (root / "docker-compose.yml").read_text("utf-8")
    assert services.count('command: ["--open"]') == 2
    assert "/health" in image
    assert services.count("/health") == 1


def test_a_server_that_does_not_publish(connect: Connect) -> None:
    client = connect(publishes=False)
    draft = client.post("/api/v1/drafts", json={}).json()["id"]
    edits = [{"edit": "add", "entity": "France", "relation": "motto", "value": "Liberty"}]
    edited = client.post(f"/api/v1/drafts/{draft}/edits", json={"edits": edits})
    assert edited.status_code == 200, edited.text
    refused = client.post(f"/api/v1/drafts/{draft}/publish", json={})
    assert refused.status_code == 403
    assert "publisher" in refused.json()["error"]
    assert client.get("/api/v1/history").json()["revisions"][0]["revision"] == 1
