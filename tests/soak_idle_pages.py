"""The memory that open pages take, and whether it is given back: a command.

    python -m tests.soak_idle_pages --pages 200 --minutes 10

Each page belongs to a browser of its own, reads its first text and then stays open. The command
prints the server's resident memory before, with all pages open, at the end of the time, and after
the last page was closed and forgotten, in MiB.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from graph.world import make_world
from tests.app.page_process import PageProcess

PATIENCE = 600.0  # seconds for the first texts
MINUTE = 60


def resident(process: int) -> float:
    """The resident memory of a process, in MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process has no memory")


async def page(url: str, number: int, ready: asyncio.Semaphore, close: asyncio.Event) -> None:
    """One page: open until `close`; `ready` counts those that have their text."""
    limits = httpx.Timeout(30, read=None)
    async with httpx.AsyncClient(base_url=url, timeout=limits) as client:
        await client.get("/health")
        address = f"/api/events?page=idle-page-{number}"
        async with client.stream("GET", address) as answer:
            answer.raise_for_status()
            leaving = asyncio.create_task(close.wait())
            lines = answer.aiter_lines()
            reading = asyncio.create_task(anext(lines))
            waiting = True
            while not leaving.done():
                await asyncio.wait({leaving, reading}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    continue
                if waiting and "copied from the graph" in reading.result():
                    waiting = False
                    ready.release()
                reading = asyncio.create_task(anext(lines))
            reading.cancel()


async def measure(process: PageProcess, pages: int, minutes: float, forget: float) -> list[float]:
    """The memory at the four moments."""
    ready, close = asyncio.Semaphore(0), asyncio.Event()
    figures = [resident(process.server)]
    tasks = [asyncio.create_task(page(process.url, n, ready, close)) for n in range(pages)]
    for _ in range(pages):
        await asyncio.wait_for(ready.acquire(), PATIENCE)
    figures.append(resident(process.server))
    await asyncio.sleep(minutes * MINUTE)
    figures.append(resident(process.server))
    close.set()
    await asyncio.gather(*tasks)
    await asyncio.sleep(forget)
    figures.append(resident(process.server))
    return figures


def main(argv: Sequence[str] | None = None) -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak_idle_pages", description="Measure the memory of open pages."
    )
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--forget",
        type=float,
        default=630,
        help="seconds to wait after the pages were closed (default: until they are forgotten)",
    )
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/world.db"
        make_world(url)
        process = PageProcess(url).start()
        try:
            begun = time.monotonic()
            before, opened, idle, after = asyncio.run(
                measure(process, options.pages, options.minutes, options.forget)
            )
        finally:
            process.end()
    print(f"{options.pages} pages, {time.monotonic() - begun:.0f} s")
    print(f"before {before:.0f} MiB, open {opened:.0f}, idle {idle:.0f}, closed {after:.0f}")
    print(f"per open page {(idle - before) / options.pages:.2f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
