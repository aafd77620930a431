"""Starts the page and prints its address.

python -m app [--store URL] [--model PATH] [--runs FOLDER] [--port N] [--host ADDRESS] [--read-only]
"""

from __future__ import annotations

import argparse
import socket
import sys

from graph.core.errors import StoreError
from graph.core.protocol import SharedStore
from graph.opening import on_server, open_store
from graph.version import VERSION
from graph.world import DEFAULT_STORE, make_world, store_url

RUNS, CORPORA = "build/runs", "build/corpus"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m app", description="Read, edit and rewrite with the facts in view."
    )
    parser.add_argument("--version", action="version", version=f"Lamplight {VERSION}")
    parser.add_argument(
        "--store",
        metavar="URL",
        help=f"the store of facts (default: $LAMPLIGHT_STORE, else {DEFAULT_STORE}, made from the "
        "shipped world where it does not exist)",
    )
    parser.add_argument(
        "--model", default=None, metavar="PATH", help="a checkpoint folder or Hub name"
    )
    parser.add_argument(
        "--runs",
        default=RUNS,
        metavar="FOLDER",
        help="the runs that the page Training shows (default: %(default)s)",
    )
    parser.add_argument(
        "--corpora",
        default=CORPORA,
        metavar="FOLDER",
        help="the corpora that it shows documents of (default: %(default)s)",
    )
    parser.add_argument("--read-only", action="store_true", help="show the graph; refuse edits")
    parser.add_argument("--port", type=int, default=7860, help="0 takes a free one (default: 7860)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s, this machine alone)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        help="of the model (default: 1 for a small one, whose products are not worth sharing)",
    )
    return parser.parse_args(arguments)


SMALL = 50_000_000  # parameters; below, a second thread slows the page down more than it helps


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next that is free. Raises OSError if none of the next 20 is."""
    for port in range(wanted, wanted + 20) if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port from {wanted} to {wanted + 19} on {host}; name another by --port")


def open_or_make(given: str | None, *, read_only: bool = False) -> SharedStore:
    """The store that was named; a file that is the default is made from the shipped world.

    For reading alone nothing is made: the disk may be one that cannot be written to.
    """
    url = store_url(given)
    if given is None and not on_server(url) and not read_only:
        make_world(url)
    return open_store(url, read_only=read_only)


def main(arguments: list[str] | None = None) -> int:
    """Returns 0, or 1 after one sentence about what is wrong."""
    options = parse(arguments)
    try:
        store = open_or_make(options.store, read_only=options.read_only)
    except StoreError as problem:
        return _refuse(str(problem))
    import torch

    from model.checkpoint import DEFAULT_CHECKPOINT, CheckpointError, load_checkpoint
    from model.engine.decoder import Decoder

    try:
        checkpoint = load_checkpoint(options.model or DEFAULT_CHECKPOINT)
        port = free_port(options.host, options.port)
    except (CheckpointError, OSError) as problem:
        return _refuse(str(problem))

    parameters = sum(weights.numel() for weights in checkpoint.model.parameters())
    if options.threads or parameters < SMALL:
        torch.set_num_threads(options.threads or 1)

    import uvicorn

    from app.server.application import make_app
    from app.state.session import Service
    from app.state.training_session import TrainingFolders

    workshop = TrainingFolders(options.runs, options.corpora)
    app = make_app(Service(store, Decoder(checkpoint)), workshop)
    shown = "localhost" if options.host in ("127.0.0.1", "0.0.0.0") else options.host  # noqa: S104
    print(f"Lamplight is at http://{shown}:{port} (Ctrl+C ends it)", flush=True)
    uvicorn.run(app, host=options.host, port=port, log_level="warning")
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
