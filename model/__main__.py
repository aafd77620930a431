"""The model on the command line.

python -m model generate "Tell me about France."
python -m model audit France capital
python -m model audit --prompt "Tell me about France."
python -m model replay TRACE.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph.core.errors import StoreError, UserError
from graph.core.names import fold
from graph.lookup.encoder import missing_encoder
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.version import VERSION
from graph.world import DEFAULT_STORE, make_world, store_url
from model.audit.closed_book import SIGN
from model.audit.statements import named
from model.audit.text_conditions import (
    WITH_FACTS,
    WITHOUT_FACTS,
    TextConditions,
    text_conditions,
)
from model.audit.verification import (
    ANSWER,
    COMPLETED,
    KINDS,
    NO_LOOKUPS,
    WITH_FACT,
    WITHOUT_CLOSURE,
    WITHOUT_FACT,
    Verification,
    canonical,
    verify,
)
from model.checkpoint import (
    DEFAULT_NAME,
    CheckpointError,
    load_checkpoint,
    shipped_checkpoints,
)
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, Event, LookupEvent, TokenEvent
from model.exported_trace import ExportedTrace, public_name
from model.grounding import FAITHFUL, ground
from model.prompts import clean_prompt
from model.replay import replay
from model.roles import Role
from model.settings import DecodingSettings
from model.trace import Trace, TraceError, TraceLookup

_LONGEST = 400  # tokens of a text, unless the command line says otherwise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Errors are one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.command is _replay:  # whose settings are those of the trace
            code: int = _replay(options)
            return code
        settings = DecodingSettings(
            temperature=options.temperature,
            top_p=options.top_p,
            seed=options.seed,
            max_tokens=options.max_tokens or _LONGEST,
            lookups=not options.no_lookups,
            guided=options.guided,
        )
        if options.command is _audit:
            _sort_words(options)
        if options.prompt is not None:
            clean_prompt(options.prompt)
        decoder = Decoder(load_checkpoint(options.model))
        store = _open(store_url(options.store))
        try:
            options.command(options, decoder, store, settings)
        finally:
            store.close()
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader closed the pipe, as `head` does
        sys.stderr.close()
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model", description="Write text whose facts are looked up in a graph."
    )
    parser.add_argument("--version", action="version", version=f"Lamplight {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    generate = commands.add_parser("generate", help="answer a prompt and list every lookup")
    generate.add_argument("prompt", help='such as "Tell me about France."')
    generate.set_defaults(command=_generate)

    audit = commands.add_parser(
        "audit",
        help="test whether a fact, or what a text says, is in the graph or in the weights",
        usage="%(prog)s [options] ([QUESTION] ENTITY RELATION | --prompt PROMPT)",
    )
    audit.add_argument(
        "words",
        nargs="*",
        metavar="[QUESTION] ENTITY RELATION",
        help="a fact, such as France capital; before it, what to ask (default: a neutral question)",
    )
    audit.add_argument(
        "--prompt",
        help='a text in place of a fact: all facts that it uses, such as "Tell me about France."',
    )
    audit.add_argument("--value", help="the fact's value, if the entity has several")
    audit.set_defaults(command=_audit)

    again = commands.add_parser(
        "replay", help="write an exported trace again, and say whether the same comes out"
    )
    again.add_argument("trace", metavar="TRACE", type=Path, help="a trace, exported as JSON")
    again.set_defaults(command=_replay)

    for command, default, shown in (
        (generate, DEFAULT_NAME, DEFAULT_NAME),
        (audit, DEFAULT_NAME, DEFAULT_NAME),
        (again, None, "the shipped one that the trace names"),
    ):
        command.add_argument(
            "--store",
            metavar="URL",
            help=f"the graph (default: $LAMPLIGHT_STORE, else {DEFAULT_STORE})",
        )
        command.add_argument(
            "--model",
            metavar="NAME",
            default=default,
            help=f"checkpoint: {', '.join(shipped_checkpoints())}, a folder, or a name on the Hub "
            f"(default: {shown})",
        )
    for command in (generate, audit):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
        command.add_argument(
            "--temperature",
            type=float,
            default=0.0,
            help="0 takes the most probable token; higher values sample (default: %(default)s)",
        )
        command.add_argument(
            "--top-p",
            type=float,
            default=1.0,
            help="sample only from the most probable tokens with this total probability "
            "(default: %(default)s)",
        )
        command.add_argument(
            "--seed", type=int, default=0, help="seed for random sampling (default: %(default)s)"
        )
        command.add_argument(
            "--max-tokens",
            type=int,
            help="stop after this many tokens of text and lookups "
            f"(default: {_LONGEST}{f', {ANSWER} for a fact' if command is audit else ''})",
        )
        command.add_argument("--no-lookups", action="store_true", help="forbid lookups")
        command.add_argument(
            "--guided",
            action="store_true",
            help="look up only what the prompt mentions and the graph holds",
        )
    return parser


def _open(url: str) -> Any:
    """The store; the default one is created from the shipped world if it does not exist yet."""
    if url == DEFAULT_STORE and not Path(url.removeprefix("sqlite:///")).exists():
        print("Creating the shipped world (once) ...", file=sys.stderr, flush=True)
        make_world(url)
    return open_store(url)


def _generate(
    options: argparse.Namespace, decoder: Decoder, store: Any, settings: DecodingSettings
) -> None:
    if settings.lookups and (sentence := missing_encoder()):
        print(sentence, file=sys.stderr)
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


def _sort_words(options: argparse.Namespace) -> None:
    """Find out whether a fact or a text is audited. Raises UserError if neither is clear."""
    options.question = options.entity = options.relation = None
    if options.prompt is not None:
        if options.words or options.value is not None:
            raise UserError("Name a fact, or give --prompt to audit a text, but not both.")
        return
    if len(options.words) not in (2, 3):
        raise UserError(
            "Name a fact by its entity and relation, such as France capital, or give --prompt "
            "to audit a text."
        )
    *question, options.entity, options.relation = options.words
    if question:
        options.question = clean_prompt(question[0])
    options.max_tokens = options.max_tokens or ANSWER


def _replay(options: argparse.Namespace) -> int:
    """Returns 0 if the same comes out, else 1."""
    exported = _read_trace(options.trace)
    name = options.model
    if name is None:
        name = public_name(exported.trace.model)
        if name not in shipped_checkpoints():
            raise CheckpointError(
                f"The trace is of the model {_printable(name)}, which is not a shipped one; name "
                "its folder with --model."
            )
    if exported.trace.settings.lookups and (sentence := missing_encoder()):
        print(sentence, file=sys.stderr)
    decoder = Decoder(load_checkpoint(name))
    store = _open(store_url(options.store))
    try:
        found = replay(decoder, store, exported)
    finally:
        store.close()
    print(_printable(found.sentence))
    return 0 if found.same else 1


def _read_trace(path: Path) -> ExportedTrace:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TraceError(f"The trace {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise TraceError(
            f"The file {path} is not JSON, so it is not a trace; export it again."
        ) from error
    return ExportedTrace.from_json(data)


_TITLES = {
    WITH_FACT: "FULL",
    WITHOUT_FACT: "DEL-ON",
    WITHOUT_CLOSURE: "DEL-ON, without its closure too",
    NO_LOOKUPS: "DEL-OFF",
    COMPLETED: "DEL-OFF, the statement completed",
    WITH_FACTS: "FULL",
    WITHOUT_FACTS: "DEL-ON",
}


def _audit(
    options: argparse.Namespace, decoder: Decoder, store: Any, settings: DecodingSettings
) -> None:
    guided = options.guided or decoder.checkpoint.ranked  # as the page starts
    settings = replace(settings, guided=guided)
    if options.prompt is not None:
        text = text_conditions(decoder, store, options.prompt, settings)
        assert text is not None  # nobody cancels it
        print(canonical(text.to_json())) if options.json else _print_text(text)
        return
    found = Retriever(store).lookup(options.entity, options.relation)
    facts, what = list(found.facts), options.relation
    if options.value is not None:
        facts = [fact for fact in facts if fold(fact.value) == fold(options.value)]
        what += f" {options.value}"
    if not facts:
        raise StoreError(
            f"The graph has no fact with the relation {what!r} for {options.entity!r}; "
            "list its facts with `python -m graph show`."
        )
    result = verify(decoder, store, facts[0].id, options.question, settings)
    if options.json:
        print(canonical(result.to_json()))
        return
    _print_audit(result)


def _print_audit(result: Verification) -> None:
    fact = result.fact
    print(f"{named(fact)} → {_printable(fact.value)}\n")
    for column in result.columns:
        states = "says the value" if column.states else "does not say the value"
        cut = f"{column.beginning} … " if column.beginning else ""
        print(f"{_TITLES[column.key]} ({states})\n{_printable(cut + column.text)}\n")
    for leak in result.leaks:
        print(f"Closure, {leak}")
    for other in dict.fromkeys(each for column in result.columns for each in column.through):
        print(f"Still returned by: {named(other)} → {_printable(other.value)}")
    if result.bar is not None:
        bar = result.bar
        print(
            f"Closed book: this name makes the value {bar.ratio:.3g} times as likely as "
            f"{len(bar.others)} others do; {SIGN:.0f} times would be a sign of memory."
        )
    print("Leaked from the weights." if result.leaked else "Not in the weights, by this prompt.")
    print(f"Verdict: {KINDS[result.verdict.kind]}. {_printable(result.verdict.sentence)}")


def _print_text(result: TextConditions) -> None:
    for column in result.columns:
        print(f"{_TITLES[column.key]}\n{_printable(column.trace.text)}\n")
    for fact in result.deleted:
        print(f"Deleted: {named(fact)} → {_printable(fact.value)}")
    for column in result.columns[1:]:
        for each in column.shown:
            by = "; ".join(named(fact) for fact in each.through) or "no lookup"
            print(f"{_TITLES[column.key]} says {_printable(each.value.text)}, returned by {by}")
    print(_printable(result.sentence))


def _finish(events: Iterable[Event], show: Callable[[str], None]) -> Trace:
    """Read events to the end; show text as it arrives and lookups as numbers in brackets."""
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
    """One lookup in one line: the query, the value, how it was found, and its grounding."""
    lookup = entry.lookup
    asked = f"{lookup.entity or '(nothing)'} · {lookup.relation or '(nothing)'}"
    line = f"{_dim(f'[{entry.index + 1}]')} {_printable(asked)} → {_printable(lookup.value)}"
    notes = [lookup.how] if lookup.how != "exact" else []
    if entry.closed != "model":
        notes.append(f"the query was malformed: {entry.closed}")
    if len(entry.considered) > 1:
        others = (f"{name} {probability:.0%}" for name, probability in entry.considered)
        notes.append(f"considered {', '.join(map(_printable, others))}")
    if verdict != FAITHFUL and not lookup.is_miss and lookup.facts:
        notes.append(verdict)
    return line + (f" ({', '.join(notes)})" if notes else "")


def _printable(text: str) -> str:
    """Text without control characters, which could send commands to a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if sys.stdout.isatty() else text


if __name__ == "__main__":
    sys.exit(main())
