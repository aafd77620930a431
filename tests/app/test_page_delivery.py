"""What a browser loads: compressed, kept by the hash of its content, under our own name."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.page_driver import Server
from tests.app.small_server import serve_small

GZIP = {"accept-encoding": "gzip"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_small(tmp_path_factory.mktemp("delivery")) as made:
        yield made


def fetch(url: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer and its bytes as they came over the line."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx.stream("GET", url, headers=given, timeout=60) as answer:
        return answer, b"".join(answer.iter_raw())


def test_scripts_are_compressed_and_kept_by_their_content(server: Server) -> None:
    page = httpx.get(server.url).text
    scripts = dict(re.findall(r"lamplight/([\w.]+)\?([0-9a-f]{16})", page))
    assert {"plotly.min.js", "panel.js", "trace.js", "channel.js"} <= set(scripts)
    for name, stamp in scripts.items():
        address = f"{server.url}/lamplight/{name}"
        answer, sent = fetch(f"{address}?{stamp}", accept_encoding="gzip")
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        plain, whole = fetch(address, accept_encoding="identity")
        assert "content-encoding" not in plain.headers
        assert plain.headers["cache-control"] == "no-cache"
        assert gzip.decompress(sent) == whole
        assert len(sent) < len(whole) / 2 or len(whole) < 3000
        again, nothing = fetch(address, if_none_match=answer.headers["etag"])
        assert (again.status_code, nothing) == (304, b"")


def test_pages_are_compressed_and_streams_are_not(server: Server) -> None:
    for path in ("/", "/verify", "/training", "/api", "/api/openapi.json", "/config"):
        answer, _ = fetch(server.url + path, accept_encoding="gzip")
        assert answer.headers.get("content-encoding") == "gzip", path
        plain, _ = fetch(server.url + path, accept_encoding="identity")
        assert "content-encoding" not in plain.headers, path
    with (
        httpx.Client(base_url=server.url, headers=GZIP, timeout=60) as client,
        client.stream("GET", "/api/events", params={"page": "abcdefgh"}) as stream,
    ):
        assert "content-encoding" not in stream.headers
        assert next(stream.iter_raw()).startswith(b"event: page")
    request = {"prompt": "Tell me about France.", "stream": True}
    with httpx.stream(
        "POST", f"{server.url}/api/v1/generate", json=request, headers=GZIP, timeout=60
    ) as stream:
        assert "content-encoding" not in stream.headers


def test_files_that_gradio_names_by_their_content_are_kept(server: Server) -> None:
    page = httpx.get(server.url).text
    found = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)
    assert found
    for path in found:
        answer, _ = fetch(f"{server.url}/{path}", accept_encoding="br, gzip")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] in ("br", "gzip")
    missing, _ = fetch(f"{server.url}/assets/index-AAAAAAAA.js")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("cache-control", "")


@pytest.mark.parametrize("path", ["/", "/verify", "/training"])
def test_a_page_goes_by_our_name(server: Server, path: str) -> None:
    page = httpx.get(server.url + path).text
    head = page.partition("<body")[0]
    described = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', head)
    assert "<title>Lamplight</title>" in head
    assert dict(described)["og:title"] == "Lamplight"
    assert "outside its weights" in dict(described)["description"]
    assert "gradio" not in " ".join(value for _, value in described).lower()
    assert "raw.githubusercontent.com" not in head
    assert "manifest.json" not in head
    assert not [name for name, _ in described if name.startswith("twitter")]
    icon = httpx.get(f"{server.url}/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.content == (Path("app/assets/favicon.svg")).read_bytes()
