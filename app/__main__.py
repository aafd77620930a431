"""Starts the web server and prints the address of the page.

python -m app [--store URL] [--model NAME] [--runs FOLDER] [--port N] [--read-only]
python -m app --host ADDRESS --open [--allowed-host NAME] ...     # for others too
python -m app mcp [--store URL] [--model NAME] [--read-only]      # an MCP server over stdio instead
"""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from pathlib import Path

from app.access.exposure import Exposure, ExposureError, is_loopback, is_unspecified
from graph.core.errors import StoreError, UserError
from graph.core.protocol import SharedStore
from graph.lookup.encoder import missing_encoder
from graph.opening import on_server, open_store
from graph.version import VERSION
from graph.world import DEFAULT_STORE, make_world, store_url
from training.case_file import DEFAULT_CASES

INTERRUPTED = 130  # the exit status after Ctrl+C
CLOSED = (
    "Others can reach {host}, and the page has no sign-in: pass --open if everybody who reaches it "
    "may read, edit and publish, or leave --host out."
)
WARNING = "Warning: everybody who reaches this page may {what}, under any name."
RUNS, CORPORA = "build/runs", "build/corpus"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Start the web page: read a text with its facts, edit them, see it rewritten.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("page", "mcp"),
        default="page",
        help="page: the web page (default); mcp: tools for an MCP client, over standard input and "
        "output",
    )
    parser.add_argument("--version", action="version", version=f"Lamplight {VERSION}")
    parser.add_argument(
        "--store",
        metavar="URL",
        help=f"URL of the fact store (default: $LAMPLIGHT_STORE, or else {DEFAULT_STORE}, which is "
        "created from the shipped world if it does not exist)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="shipped checkpoint by its name, checkpoint folder or Hugging Face Hub name (default: "
        "questions)",
    )
    parser.add_argument(
        "--runs",
        default=RUNS,
        metavar="FOLDER",
        help="folder of training runs to show on the Training page (default: %(default)s)",
    )
    parser.add_argument(
        "--corpora",
        default=CORPORA,
        metavar="FOLDER",
        help="folder of corpora to show on the Training page (default: %(default)s)",
    )
    parser.add_argument(
        "--cases",
        default=DEFAULT_CASES,
        metavar="FILE",
        help='file for answers that you call wrong on the page; "" offers no such thing (default: '
        "%(default)s)",
    )
    parser.add_argument("--read-only", action="store_true", help="show the graph and refuse edits")
    parser.add_argument(
        "--port",
        type=int,
        default=7860,
        help="port to listen on, or the next free one; 0 picks any (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, which only this machine can reach)",
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help="let everybody who reaches --host read, edit and publish; needed for an address that "
        "other machines reach",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="name under which browsers reach the page, if it is not this machine's; repeatable",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address or network of a proxy whose X-Forwarded-* headers count; repeatable",
    )
    parser.add_argument(
        "--embed",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin whose pages may show this one in a frame, such as https://example.org; "
        "repeatable",
    )
    parser.add_argument(
        "--no-publish",
        action="store_true",
        help="refuse to publish drafts; everything else works",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="json: one line of JSON for each request and problem, without anybody's words "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        help="CPU threads for the model (default: 1 for a small model, else PyTorch's choice)",
    )
    return parser.parse_args(arguments)


def may(options: argparse.Namespace) -> str:
    """What everybody may do on a page that is open."""
    if options.read_only:
        return "read the graph and have texts written"
    return "read and edit the graph" if options.no_publish else "read, edit and publish"


SMALL = 50_000_000  # parameters; below, a second thread costs the page more than it gains


def free_port(host: str, wanted: int) -> int:
    """The first free port of the 20 from `wanted` on. Raises OSError if all are taken."""
    for port in range(wanted, wanted + 20) if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(
        f"No port from {wanted} to {wanted + 19} is free on {host}; choose another with --port."
    )


def open_or_make(given: str | None, *, read_only: bool = False) -> SharedStore:
    """Open the store; the default file is created from the shipped world if it does not exist.

    With `read_only` nothing is created, because the disk may not be writable.
    """
    url = store_url(given)
    if given is None and not on_server(url) and not read_only:
        make_world(url)
    return open_store(url, read_only=read_only)


def main(arguments: list[str] | None = None) -> int:
    """Start the server.

    Returns 0, 1 after printing one sentence about what is wrong, or 130 after Ctrl+C.
    """
    try:
        return _start(parse(arguments))
    except KeyboardInterrupt:  # while it loads; later the server itself takes the signal
        return INTERRUPTED


def _start(options: argparse.Namespace) -> int:
    page = options.what == "page"
    if page and not options.open and not is_loopback(options.host):
        return _refuse(CLOSED.format(host=options.host))
    try:
        exposure = Exposure.of(
            options.host,
            allowed=options.allowed_host,
            proxies=options.trusted_proxy,
            embed=options.embed,
        )
    except ExposureError as problem:
        return _refuse(str(problem))
    if page and options.open:
        print(WARNING.format(what=may(options)), file=sys.stderr)
    try:
        store = open_or_make(options.store, read_only=options.read_only)
    except StoreError as problem:
        return _refuse(str(problem))
    import torch

    from model.checkpoint import DEFAULT_CHECKPOINT, load_checkpoint
    from model.engine.decoder import Decoder

    try:
        checkpoint = load_checkpoint(options.model or DEFAULT_CHECKPOINT)
        port = free_port(options.host, options.port) if page else 0
    except (UserError, OSError) as problem:
        return _refuse(str(problem))
    if sentence := missing_encoder():
        print(sentence, file=sys.stderr)

    if options.threads or checkpoint.parameters < SMALL:
        torch.set_num_threads(options.threads or 1)

    from app.state.service import Service

    cases = Path(options.cases) if options.cases else None
    service = Service(store, Decoder(checkpoint), cases, publishes=not options.no_publish)
    if not page:  # whose output is the protocol's, so nothing is printed
        import anyio

        from app.api.public.mcp_transports import serve_stdio

        anyio.run(serve_stdio, service)
        return 0
    from app.server import logs
    from app.server.application import make_app
    from app.server.process import serve
    from app.state.training_session import TrainingFolders

    logs.set_up(options.log_format)
    folders = TrainingFolders(options.runs, options.corpora)
    app = make_app(service, folders, exposure=exposure)
    local = options.host == "127.0.0.1" or is_unspecified(options.host)
    shown = "localhost" if local else options.host
    shown = f"[{shown}]" if ":" in shown else shown
    print(f"Lamplight is running at http://{shown}:{port} (press Ctrl+C to stop it)", flush=True)
    # The store stays open: a thread that still writes a text reads it until the process ends.
    return serve(app, options.host, port, options.log_format)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    # While it loads; in a container, a first process that names no handler is never ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(main())
