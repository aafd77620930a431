"""The page while its server is killed, the stream is cut and the network is gone: it goes on."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from graph.opening import open_store
from tests.app.page_driver import Inspect, Server
from tests.app.page_process import PageProcess
from tests.patience import PATIENCE

pytestmark = pytest.mark.timeout(900)  # the server of its own loads everything once more
LOST = "The connection to the server is lost"


@pytest.fixture(scope="module")
def process(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProcess]:
    """A server that the tests kill and start again."""
    path = tmp_path_factory.mktemp("killed") / "world.db"
    shutil.copy(world, path)
    made = PageProcess(f"sqlite:///{path}")
    yield made
    made.end()


@pytest.fixture
def page(process: PageProcess, visit: Callable[..., Inspect]) -> Inspect:
    """A page of that server; it must never be loaded a second time."""
    if not process.server:
        process.start()
    made = visit(process.url).open()
    made.page.evaluate("window.loadedOnce = true")
    return made


def line(page: Inspect) -> str:
    """What the page says of its connection."""
    return page.page.locator("[data-connection]").text_content() or ""


def is_back(page: Inspect) -> None:
    """The page was not loaded again, and no sentence is left."""
    expect(page.page.locator("[data-connection]")).to_have_text("", timeout=60_000 * PATIENCE)
    assert page.page.evaluate("window.loadedOnce") is True
    expect(page.page.locator("text=Connection Lost")).to_have_count(0)  # Gradio's own


def speaks(page: Inspect) -> None:
    expect(page.page.locator("[data-connection]")).to_contain_text(LOST)


def test_a_restart_while_a_person_types(page: Inspect, process: PageProcess) -> None:
    page.open_fact("euro")
    page.page.locator("#prompt textarea").fill("Tell me about Jap")
    page.page.locator("#card-value").fill("Kraken cr")
    process.kill()
    speaks(page)
    page.page.keyboard.type("own")  # the field still has the focus
    process.start()
    is_back(page)
    expect(page.page.locator("#card-value")).to_have_value("Kraken crown")
    expect(page.page.locator("#card-value")).to_be_focused()
    expect(page.page.locator("#prompt textarea")).to_have_value("Tell me about Jap")
    expect(page.mark("euro").first).to_have_class("mark selected")
    page.after(lambda: page.click("#save"))
    expect(page.page.locator("#draft-bar")).to_contain_text("1 edit")
    page.page.reload()
    page.wait_for_run(0)
    expect(page.page.locator("#prompt textarea")).to_have_value("Tell me about France.")


def lose_the_reply(page: Inspect, process: PageProcess, action: str) -> threading.Event:
    """Kill the server when it has done an action and before the browser hears so."""
    lost = threading.Event()

    def lose(route: Route) -> None:
        if f'"{action}"' in (route.request.post_data or "") and not lost.is_set():
            lost.set()
            route.fetch()
            process.kill()
            route.abort()
        else:
            route.continue_()

    page.page.route("**/api/actions", lose)
    return lost


def test_a_restart_in_the_middle_of_a_click(page: Inspect, process: PageProcess) -> None:
    """Two clicks: one whose answer was lost, and one that did not reach the server."""
    page.open_fact("euro")
    page.page.locator("#card-value").fill("Kraken crown")
    lost = lose_the_reply(page, process, "change")
    page.click("#save")
    speaks(page)
    assert lost.is_set()
    page.click("#raw-switch")
    process.start()
    is_back(page)
    expect(page.page.locator("#raw-switch")).to_have_attribute("aria-pressed", "true")
    expect(page.page.locator("#reading")).to_contain_text("Kraken crown")
    expect(page.page.locator("#draft-bar")).to_contain_text("1 edit")
    page.after(lambda: page.click("#undo"))
    expect(page.page.locator("#draft-bar")).to_contain_text("No edits")  # it was made once
    expect(page.page.locator("#undo")).to_be_disabled()


def holds(page: Inspect, words: str, end: float) -> None:
    """Wait until the text that a reader sees holds the words."""
    while words not in page.text() and time.monotonic() < end:
        page.page.wait_for_timeout(100)
    assert words in page.text()


def is_written(page: Inspect, words: str) -> None:
    """A text is complete that holds the words; the server may first say that it rests."""
    end = time.monotonic() + 90 * PATIENCE
    holds(page, words, end)
    expect(page.page.locator("#status-words")).to_have_attribute(
        "data-writing", "no", timeout=90_000 * PATIENCE
    )


def test_a_restart_in_the_middle_of_a_text(page: Inspect, process: PageProcess) -> None:
    # Another text than the first one of the page, which stays until this one begins.
    page.page.locator("#prompt textarea").fill("Slowly Japan")
    page.click("#ask")
    holds(page, "of Japan is", time.monotonic() + 30 * PATIENCE)
    expect(page.page.locator("#caret")).to_be_visible()
    process.kill()
    speaks(page)
    assert "of Japan is" in page.text()  # what was there stays
    process.start()
    is_back(page)
    is_written(page, "The capital of Japan is Tokyo.")
    assert page.text().count("The currency of Japan is Japanese yen.") == 1


def test_a_restart_in_the_middle_of_a_publish(page: Inspect, process: PageProcess) -> None:
    page.change("euro", "Kraken crown")
    with open_store(process.store) as store:
        before = store.revision()
    lost = lose_the_reply(page, process, "publish")
    page.click("#publish")
    speaks(page)
    assert lost.is_set()
    process.start()
    is_back(page)
    done = page.page.locator("#draft-done")
    expect(done).to_contain_text(f"Published as revision {before + 1};")
    with open_store(process.store) as store:
        assert store.revision() == before + 1


def test_a_signal_ends_the_server_while_pages_are_open(page: Inspect, process: PageProcess) -> None:
    page.page.locator("#prompt textarea").fill("Slowly France")
    page.click("#ask")
    expect(page.page.locator("#caret")).to_be_visible()
    assert process.stop() < 5 * PATIENCE
    speaks(page)
    process.start()
    is_back(page)
    is_written(page, "The capital of France is Paris.")


class CuttingProxy:
    """Passes bytes on, and cuts each connection after some seconds."""

    def __init__(self, url: str, seconds: float) -> None:
        self.seconds, self.cuts = seconds, 0
        host, port = url.removeprefix("http://").split(":")
        self.target = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()
            threading.Timer(self.seconds, self._cut, (client, server)).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass

    def _cut(self, *ends: socket.socket) -> None:
        self.cuts += 1
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self.listener.close()


def test_a_proxy_that_cuts_every_stream(
    visit: Callable[..., Inspect], scripted_server: Server
) -> None:
    proxy = CuttingProxy(scripted_server.url, 3 * PATIENCE)
    page = visit(proxy.url).open()
    page.page.evaluate("window.loadedOnce = true")
    cuts = proxy.cuts
    page.ask("Slowly France")
    page.change("euro", "Kraken crown")
    page.page.wait_for_timeout(4000 * PATIENCE)
    assert proxy.cuts > cuts
    is_back(page)
    page.ask("Tell me about Japan.")
    assert "Tokyo" in page.marks()
    expect(page.page.locator("#draft-bar")).to_contain_text("1 edit")
    proxy.close()


def test_offline_and_online_again(visit: Callable[..., Inspect], scripted_server: Server) -> None:
    page = visit(scripted_server.url).open()
    page.page.evaluate("window.loadedOnce = true")
    page.open_fact("euro")
    page.context.set_offline(True)
    speaks(page)
    page.page.locator("#card-value").fill("Kraken crown")
    before = page.run()
    page.click("#save")
    time.sleep(1)
    assert page.run() == before
    page.context.set_offline(False)
    page.wait_for_run(before)
    is_back(page)
    expect(page.page.locator("#draft-bar")).to_contain_text("1 edit")
    assert page.page.locator("#reading ins").first.text_content() == "added: Kraken crown"


def test_a_stream_that_falls_silent_is_opened_again(
    visit: Callable[..., Inspect], scripted_server: Server
) -> None:
    """As after a sleep of the machine: no error comes, and no event either."""
    page = visit(scripted_server.url)
    page.page.add_init_script(
        """const real = Date.now; window.asleep = 0; Date.now = () => real() + window.asleep;"""
    )
    page.open()
    streams = [url for url in page.requests if "/api/events" in url]
    page.page.evaluate("window.asleep = 300_000")
    page.page.wait_for_timeout(6500)
    again = [url for url in page.requests if "/api/events" in url]
    assert len(again) > len(streams)
    assert "last=" in again[-1]
    expect(page.page.locator("[data-connection]")).to_have_text("")
    page.ask("Tell me about Japan.")
    assert "Tokyo" in page.marks()
