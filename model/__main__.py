"""The model on the command line.

python -m model generate "Tell me about France."
python -m model audit "Tell me about France." France capital
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from graph.core.errors import StoreError
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.world import DEFAULT_STORE, make_world, store_url
from model.audit import audit_fact
from model.checkpoint import DEFAULT_CHECKPOINT, CheckpointError, load_checkpoint
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, Event, LookupEvent, TokenEvent
from model.grounding import FAITHFUL, ground
from model.prompts import PromptError, clean_prompt
from model.roles import Role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Errors are one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        settings = DecodingSettings(
            temperature=options.temperature,
            top_p=options.top_p,
            seed=options.seed,
            max_tokens=options.max_tokens,
            lookups=not options.no_lookups,
        )
        clean_prompt(options.prompt)
        decoder = Decoder(load_checkpoint(options.model))
        store = _open(store_url(options.store))
        try:
            options.command(options, decoder, store, settings)
        finally:
            store.close()
    except (CheckpointError, PromptError, StoreError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has had enough, as `head` does
        sys.stderr.close()
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model", description="Write text whose facts are looked up in a graph."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    generate = commands.add_parser("generate", help="answer a prompt, with every lookup shown")
    generate.add_argument("prompt", help='such as "Tell me about France."')
    generate.set_defaults(command=_generate)

    audit = commands.add_parser(
        "audit", help="say whether a fact is in the graph or in the weights"
    )
    audit.add_argument("prompt", help='such as "Tell me about France."')
    audit.add_argument("entity", help="the fact's entity, such as France")
    audit.add_argument("relation", help="the fact's relation, such as capital")
    audit.set_defaults(command=_audit)

    for command in (generate, audit):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
        command.add_argument(
            "--store",
            metavar="URL",
            help=f"the graph (default: LAMPLIGHT_STORE, else {DEFAULT_STORE})",
        )
        command.add_argument(
            "--model",
            metavar="PATH",
            default=str(DEFAULT_CHECKPOINT),
            help="folder or Hub name of a checkpoint (default: the shipped one)",
        )
        command.add_argument(
            "--temperature", type=float, default=0.0, help="0 is greedy (default: %(default)s)"
        )
        command.add_argument(
            "--top-p", type=float, default=1.0, help="share of probability to draw from"
        )
        command.add_argument("--seed", type=int, default=0, help="of the draws")
        command.add_argument("--max-tokens", type=int, default=400, help="after the prompt")
        command.add_argument("--no-lookups", action="store_true", help="forbid lookups")
    return parser


def _open(url: str) -> Any:
    """The store; the shipped world is made first if its place is still empty."""
    if url == DEFAULT_STORE and not Path(url.removeprefix("sqlite:///")).exists():
        print("Making the shipped world (once) ...", file=sys.stderr, flush=True)
        make_world(url)
    return open_store(url)


def _generate(
    options: argparse.Namespace, decoder: Decoder, store: Any, settings: DecodingSettings
) -> None:
    events = decoder.generate(options.prompt, Retriever(store), settings)
    if options.json:
        trace = _finish(events, lambda text: None)
        print(json.dumps(trace.to_json(), ensure_ascii=False, indent=2))
        return
    trace = _finish(events, lambda text: print(text, end="", flush=True))
    print("\n")
    verdicts = ground(trace).by_lookup
    for entry, verdict in zip(trace.lookups, verdicts, strict=True):
        print(_described(entry, verdict))
    rate = len(trace.tokens) / trace.seconds if trace.seconds else 0.0
    print(
        f"\n{len(trace.lookups)} lookups at revision {trace.revision}, {len(trace.tokens)} tokens, "
        f"{rate:.0f} a second; finished: {trace.finish}.",
        file=sys.stderr,
    )


def _audit(
    options: argparse.Namespace, decoder: Decoder, store: Any, settings: DecodingSettings
) -> None:
    found = Retriever(store).lookup(options.entity, options.relation)
    if not found.facts:
        raise StoreError(
            f"The graph holds no {options.relation!r} of {options.entity!r}; see "
            f"`python -m graph show` for what it holds."
        )
    result = audit_fact(decoder, options.prompt, store, found.facts[0].id, settings)
    if options.json:
        print(json.dumps(result.to_json(), ensure_ascii=False, indent=2))
        return
    fact = result.fact
    print(f"{fact.entity} · {fact.relation} → {_printable(fact.value)}\n")
    for name, condition in (("FULL", "full"), ("DEL-ON", "del_on"), ("DEL-OFF", "del_off")):
        said = "says the value" if result.says(condition) else "does not say the value"
        print(f"{name} ({said})\n{_printable(getattr(result, condition).text)}\n")
    for other in result.recovered_through:
        print(f"Still returned by: {other.entity} · {other.relation} → {_printable(other.value)}")
    print("Leaked from the weights." if result.leaked else "Not in the weights, by this prompt.")


def _finish(events: Iterable[Event], show: Callable[[str], None]) -> Trace:
    """Read events to the end, showing text as it comes and lookups as numbers in brackets."""
    started = False
    for event in events:
        if isinstance(event, LookupEvent):
            show(_dim(f"[{event.lookup.index + 1}]"))
        elif isinstance(event, TokenEvent) and event.token.role == Role.TEXT:
            text = event.token.text if started else event.token.text.lstrip()
            started = started or bool(text)
            show(_printable(text))
        elif isinstance(event, DoneEvent):
            return event.trace
    raise AssertionError("a generation ends with a DoneEvent")


def _described(entry: TraceLookup, verdict: str) -> str:
    """One lookup in one line: what was asked, what came back, how, and what the text made of it."""
    lookup = entry.lookup
    asked = f"{lookup.entity or '(nothing)'} · {lookup.relation or '(nothing)'}"
    line = f"{_dim(f'[{entry.index + 1}]')} {_printable(asked)} → {_printable(lookup.value)}"
    notes = [lookup.how] if lookup.how != "exact" else []
    if entry.closed != "model":
        notes.append(f"the query was broken: {entry.closed}")
    if verdict != FAITHFUL and not lookup.is_miss and lookup.facts:
        notes.append(verdict)
    return line + (f" ({', '.join(notes)})" if notes else "")


def _printable(text: str) -> str:
    """Text that cannot steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if sys.stdout.isatty() else text


if __name__ == "__main__":
    sys.exit(main())
