"""The page *Training* over a tiny real run and its corpus."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from app.api.public.operations import OPERATIONS
from app.server.application import make_app
from app.state.service import Service
from app.state.training_session import TrainingFolders, TrainingSession
from app.views import curves_figure, role_text, training_parts
from graph.core.edits import Add
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Inspect, Server, serve_on
from tests.app.test_access import everywhere
from tests.training.toy import FACTS, paragraph, toy_documents, write_toy_corpus
from training.__main__ import main
from training.data.shards import write_corpus
from training.data.tokenizer import load_tokenizer
from training.fit.curve_log import CurveLogger
from training.fit.line_files import append_lines
from training.fit.samples import SampleReader
from training.report.runs import Run, Runs
from training.report.show_mask import Corpora

ROOT = Path(__file__).parents[2]
PROMPTS = ("Tell me about France.", "What is the capital of Japan?")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of toys, another with a hostile value, and a run that learns sixteen documents."""
    folder = tmp_path_factory.mktemp("folders")
    toy = write_toy_corpus(folder / "corpus" / "toy")
    tokenizer = load_tokenizer(toy / "tokenizer")
    hostile = [paragraph("France", {"capital": HOSTILE}), *toy_documents(3, 5)]
    write_corpus(folder / "corpus" / "hostile", {"train": hostile}, tokenizer)
    with open_store(f"sqlite:///{folder / 'toy.db'}", create=True) as store:
        edits = [Add(e, r, v) for e, facts in FACTS.items() for r, v in facts.items()]
        store.apply(edits, author="test")
    config = (ROOT / "training" / "configs" / "debug.yaml").read_text("utf-8")
    config = config.replace("build/runs/debug", str(folder / "runs" / "first"))
    config = config.replace("build/corpus/debug", str(toy))
    (folder / "debug.yaml").write_text(config, encoding="utf-8")
    torch.set_num_threads(1)
    samples = {
        "folder": folder / "runs" / "first",
        "store": f"sqlite:///{folder / 'toy.db'}",
        "prompts": list(PROMPTS),
        "every_n_steps": 20,
        "max_tokens": 60,
        "most_time": 1.0,
    }
    options = ["--trainer.callbacks+=training.fit.samples.SampleWriter"]
    options += [f"--trainer.callbacks.{name}={value}" for name, value in samples.items()]
    options += ["--trainer.max_steps", "60", "--trainer.enable_progress_bar", "false"]
    options += ["--trainer.limit_val_batches", "1", "--trainer.check_val_every_n_epoch", "10"]
    assert main(["fit", "--config", str(folder / "debug.yaml"), *options]) == 0
    return folder


@pytest.fixture(scope="module")
def folders(folder: Path) -> TrainingFolders:
    """The folders as the page reads them."""
    return TrainingFolders(folder / "runs", folder / "corpus")


@pytest.fixture(scope="module")
def trained(folder: Path, folders: TrainingFolders) -> Iterator[Server]:
    """A server over the run."""
    with open_store(f"sqlite:///{folder / 'toy.db'}") as store:
        server = serve_on(store, Decoder(scripted.checkpoint()), folders)
        yield server
        server.end()


@pytest.fixture
def training(visit: Callable[..., Inspect], trained: Server) -> Inspect:
    """The page, opened."""
    return open_training(visit(trained.url))


def open_training(page: Inspect) -> Inspect:
    page.page.goto(f"{page.url}/training")
    expect(page.page.locator("#run-name, #no-runs")).to_be_visible()
    return page


def lines(page: Inspect) -> dict[str, list[float]]:
    """The lines that Plotly drew: name and values."""
    page.page.wait_for_function("document.querySelector('.curves-host').data?.length")
    drawn = page.page.evaluate(
        "document.querySelector('.curves-host').data.map(line => [line.name, [...line.y]])"
    )
    return dict(drawn)


def test_a_run_is_shown_with_curves_settings_and_samples(
    training: Inspect, folders: TrainingFolders
) -> None:
    run = folders.runs.run("first")
    page = training.page
    expect(page).to_have_title("Lamplight: Training")
    expect(page.locator("#run-name")).to_have_text("first")
    expect(page.locator("#run-facts")).to_contain_text("step 60")
    expect(page.locator("#run-facts")).to_contain_text("tokens per second")
    drawn = lines(training)
    roles = ("text", "entity", "relation", "marker")
    stages = ("training", "validation")
    assert set(drawn) == {f"{role}, {stage}" for role in roles for stage in stages}
    assert drawn["text, training"][-1] < drawn["text, training"][0] / 5  # it learnt
    perplexity = run.by_role("train", perplexity=True)["text"][-1][1]
    assert drawn["text, training"][-1] == pytest.approx(perplexity, rel=1e-3)
    expect(page.locator(".curves-host .annotation")).to_have_count(4)  # each line is named
    page.click("[data-measure=loss]")
    expect(page.locator("[data-measure=loss]")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("document.querySelector('.curves-host').layout.yaxis.type === 'linear'")
    loss = run.by_role("train", perplexity=False)["text"][-1][1]
    assert lines(training)["text, training"][-1] == pytest.approx(loss, rel=1e-3)

    page.click("#all-values summary")
    expect(page.locator("#all-values th[scope=row]").last).to_be_visible()
    page.click("#settings summary")
    expect(page.locator("#settings")).to_contain_text("model.hidden_size")
    expect(page.locator("#settings dd").filter(has_text=re.compile("^64$"))).to_be_visible()

    shown = page.locator(".samples li")
    expect(shown).to_have_count(3)
    expect(shown.first).to_contain_text("step 60")
    expect(shown.last).to_contain_text("step 20")
    expect(shown.first.locator(".piece.value").first).to_be_visible()
    page.get_by_role("button", name=PROMPTS[1]).click()
    japan = [sample for sample in run.samples if sample.prompt == PROMPTS[1]]
    words = "".join(text for _, text in japan[-1].pieces)
    expect(page.locator(".samples li").first.locator(".masked")).to_have_text(words.strip())


def test_the_page_follows_a_run_that_trains(
    visit: Callable[..., Inspect], folder: Path, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{folder / 'toy.db'}") as store:
        runs = tmp_path / "runs"
        server = serve_on(
            store, Decoder(scripted.checkpoint()), TrainingFolders(runs, tmp_path / "none")
        )
        page = open_training(visit(server.url))
        sentence = page.page.locator("#no-runs")
        expect(sentence).to_contain_text("python -m training fit")
        expect(page.page.locator("#no-corpora")).to_be_visible()
        # Somebody starts one; its files are as new as the copy.
        shutil.copytree(folder / "runs" / "first", runs / "first", copy_function=shutil.copy)
        expect(page.page.locator("#run-facts")).to_contain_text("step 60")
        expect(sentence).to_have_count(0)
        expect(page.page.locator("#run-facts .live")).to_be_visible()
        assert len(lines(page)["text, training"]) == 60
        second = page.page.get_by_role("button", name=PROMPTS[1])
        second.click()
        expect(second).to_have_attribute("aria-pressed", "true")
        second.focus()

        tokens = Runs(runs).run("first").tokens or 0
        CurveLogger(str(runs / "first")).log_metrics(
            {"train/tokens": 2.0 * tokens, "train/loss_text": 0.25, "train/loss": 0.125}, 99
        )
        newest = SampleReader(runs / "first").read()[-1]
        later = replace(newest, step=100, pieces=(("text", HOSTILE),))
        append_lines(runs / "first" / "samples.jsonl", json.dumps(asdict(later)) + "\n")
        expect(page.page.locator("#run-facts")).to_contain_text("step 100")
        expect(page.page.locator("#run-facts")).to_contain_text("loss 0.125")
        assert len(lines(page)["text, training"]) == 61
        expect(page.page.locator("#sample-100 .masked")).to_have_text(HOSTILE)
        expect(page.page.locator("#samples img")).to_have_count(0)
        expect(second).to_be_focused()
        expect(second).to_have_attribute("aria-pressed", "true")
        page.page.goto("about:blank")
        server.end()


def test_documents_show_what_is_trained(training: Inspect, folders: TrainingFolders) -> None:
    page = training.page
    corpus = folders.corpora.corpus("toy")
    count = len(corpus.shards["train"])
    expect(page.locator("[data-corpus=toy]")).to_have_attribute("aria-pressed", "true")  # its own
    expect(page.locator("#document-count")).to_have_text(f"of {count}")
    page.click("#next-document")
    expect(page.locator("#document-number")).to_have_value("2")
    runs = corpus.runs("train", 1)
    trained = sum(run.tokens for run in runs if run.trained)
    expect(page.locator("#share")).to_contain_text(
        f"{trained} of {sum(run.tokens for run in runs)} tokens are in the loss"
    )
    text = "".join(run.text for run in runs)
    assert page.locator("#masked").evaluate("element => element.textContent") == text
    seen = page.locator("#masked .piece").evaluate_all(
        """pieces => pieces.map(piece => [piece.classList[1], piece.textContent,
        !piece.classList.contains('out')])"""
    )
    wanted = [[run.role.name.lower(), run.text.lstrip(), run.trained] for run in runs]
    assert seen == [piece for piece in wanted if piece[1]]

    page.click("[data-view=list]")
    rows = page.locator("#masked-list tbody tr")
    expect(rows).to_have_count(len(runs))
    value = next(place for place, run in enumerate(runs) if run.role.name == "VALUE")
    expect(rows.nth(value).locator("td").nth(0)).to_have_text("no")
    expect(rows.nth(value).locator("td").nth(1)).to_have_text("value")

    page.locator("#document-number").fill("99999")
    page.locator("#document-number").press("Enter")
    expect(page.locator("#document-number")).to_have_value(str(count))
    expect(page.locator("#next-document")).to_be_disabled()
    page.locator("#document-number").fill("first")
    page.click("#go")
    expect(page.locator("#document-note")).to_contain_text("Enter the number of a document")
    page.click("[data-split=validation]")
    expect(page.locator("#document-note")).to_have_count(0)
    expect(page.locator("#document-count")).to_have_text("of 16")

    page.click("[data-corpus=hostile]")
    page.click("[data-view=text]")
    expect(page.locator("#masked")).to_contain_text(HOSTILE)
    expect(page.locator("#mask img")).to_have_count(0)


def test_the_two_pages_link_to_each_other(visit: Callable[..., Inspect], trained: Server) -> None:
    page = visit(trained.url).open()
    assert page.page.title() == "Lamplight: Inspect"
    expect(page.page.locator(".nav-holder:visible")).to_have_count(0)  # Gradio's own
    assert not any("curves.js" in url for url in page.requests)
    page.page.get_by_role("link", name="Training").click()
    expect(page.page.locator("#run-name")).to_have_text("first")
    expect(page.page.locator(".nav-holder:visible")).to_have_count(0)
    expect(page.page.get_by_role("link", name="Training")).to_have_attribute("aria-current", "page")
    page.page.get_by_role("link", name="Inspect").click()
    page.wait_for_run(0)


def test_axe_finds_nothing_serious(training: Inspect) -> None:
    lines(training)
    training.click("#all-values summary")
    training.click("#settings summary")
    everywhere(training, "a run")
    training.click("[data-view=list]")
    expect(training.page.locator("#masked-list")).to_be_visible()
    everywhere(training, "the list of a document's pieces")


def test_the_curves_follow_the_theme(training: Inspect) -> None:
    lines(training)
    colours = []
    for scheme in ("light", "dark"):
        training.page.emulate_media(color_scheme=scheme)
        training.page.wait_for_timeout(300)
        colours.append(
            training.page.evaluate("document.querySelector('.curves-host').data[0].line.color")
        )
    assert colours == ["#211E1A", "#ECE8E1"]


# -- without a browser


@pytest.mark.parametrize(
    "event",
    [
        {"action": "run", "run": "../first"},
        {"action": "run", "run": "/etc"},
        {"action": "run"},
        {"action": "measure", "measure": "<b>"},
        {"action": "prompt", "number": "-1"},
        {"action": "prompt", "number": "9" * 40},
        {"action": "corpus", "corpus": "../corpus/toy"},
        {"action": "corpus", "corpus": ["toy"]},
        {"action": "split", "split": "tokenizer"},
        {"action": "document", "number": "-3"},
        {"action": "document", "number": "0"},
        {"action": "document", "fields": {"number": "1e9"}},
        {"action": "document", "fields": ["1"]},
        {"action": "nothing of the kind"},
        {},
        "run",
        None,
    ],
)
def test_what_the_browser_sends_is_looked_up(folders: TrainingFolders, event: Any) -> None:
    session, fresh = TrainingSession(folders), TrainingSession(folders)
    session.act(event)
    chosen = ("run_name", "measure", "prompt", "corpus_name", "split", "document", "listed")
    assert [getattr(session, name) for name in chosen] == [getattr(fresh, name) for name in chosen]
    assert all(isinstance(value, str) for value in training_parts.updates(session))


def test_only_what_changed_is_sent(folders: TrainingFolders) -> None:
    session = TrainingSession(folders)
    assert all(isinstance(value, str) for value in training_parts.updates(session))
    assert not any(isinstance(value, str) for value in training_parts.updates(session))
    session.act({"action": "document", "number": "2"})
    changed = [
        name
        for name, value in zip(training_parts.OUTPUTS, training_parts.updates(session), strict=True)
        if isinstance(value, str)
    ]
    assert changed == ["mask", "status"]


def test_names_at_the_ends_of_lines_stand_apart() -> None:
    curves = {
        f"train/loss_{role}": {0: 5.0, 9: 0.001 * place}
        for place, role in enumerate(("text", "entity", "relation", "marker"))
    }
    run = Run("run", 0.0, curves={**curves, "train/tokens": {0: 10.0, 9: 100.0}})
    for measure in ("perplexity", "loss"):
        figure = curves_figure.figure(run, measure)
        assert figure is not None
        places = sorted(name["y"] for name in figure["layout"]["annotations"])
        inner = curves_figure.HEIGHT - curves_figure.MARGIN["t"] - curves_figure.MARGIN["b"]
        gaps = [inner * (b - a) for a, b in pairwise(places)]
        assert min(gaps) >= 16
        assert -0.05 <= places[0] <= places[-1] <= 1.05
    assert curves_figure.figure(Run("empty", 0.0), "loss") is None


def test_one_value_has_an_axis_too() -> None:
    """Of a run that goes on from another, whose tokens count."""
    run = Run("run", 0.0, curves={"train/loss_text": {9: 1.0}, "train/tokens": {9: 1e7}})
    figure = curves_figure.figure(run, "loss")
    assert figure is not None
    for axis in ("xaxis", "yaxis"):
        low, high = figure["layout"][axis]["range"]
        assert low < high


def test_text_of_a_document_is_escaped(folders: TrainingFolders) -> None:
    runs = folders.corpora.corpus("hostile").runs("train", 0)
    for html in (role_text.document_html(runs), role_text.list_html(runs)):
        assert "<img" not in html
        assert HOSTILE in unescape(re.sub("<[^>]*>", "", html))


def test_corpora_are_listed_by_name_and_read_anew(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "corpus", tmp_path / "corpus")
    corpora = Corpora(tmp_path / "corpus")
    assert corpora.names() == ["hostile", "toy"]
    before = corpora.corpus("hostile")
    assert corpora.corpus("hostile") is before
    shutil.rmtree(tmp_path / "corpus" / "hostile")
    shutil.copytree(tmp_path / "corpus" / "toy", tmp_path / "corpus" / "hostile")
    assert len(corpora.corpus("hostile").shards["train"]) != len(before.shards["train"])


def test_the_page_adds_no_public_endpoint_and_no_second_way_in(
    folder: Path, folders: TrainingFolders
) -> None:
    with open_store(f"sqlite:///{folder / 'toy.db'}") as store:
        application = make_app(Service(store, Decoder(scripted.checkpoint())), folders)
        client = TestClient(application, base_url="http://localhost")
        answer = client.get("/training")
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        info = client.get("/gradio_api/info").json()
        assert set(info["named_endpoints"]) == {f"/{name}" for name in OPERATIONS}
        assert info["unnamed_endpoints"] == {}
        assert client.get("/training/gradio_api/info").status_code == 404
        assert client.get("/lamplight/curves.js").status_code == 200
