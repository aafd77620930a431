"""Decoding with lookups: the model writes, the graph answers, one key-value cache throughout.

A row is a small state machine with a queue of forced tokens. It chooses tokens one at a time;
when it has chosen `<|db_return|>`, the graph is asked and the value and `<|db_end|>` are queued.
Chosen and queued tokens go through the model together, in one forward pass: nothing is decoded,
tokenised again or pre-filled twice. The forced ids are those to which the whole document would be
encoded (the spacing rule of `Checkpoint.encode_value`). A guess at what follows goes along
(model/engine/speculation.py), of which only what the model would have chosen is kept.

    decoder = Decoder(load_checkpoint())
    for event in decoder.generate("Tell me about France.", Retriever(store)):
        ...  # TokenEvent, LookupEvent, at last one DoneEvent with the trace

Letters in tensor names: B rows of a batch, T tokens of a row, V vocabulary.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from graph.core.facts import UNKNOWN
from graph.lookup.result import Lookup
from model.checkpoint import Checkpoint
from model.engine.cache import CacheShelf, GrowingCache
from model.engine.sampling import choose
from model.engine.speculation import Guesser
from model.prompts import clean_prompt
from model.roles import Role, next_role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup, TraceToken

__all__ = ["Decoder", "DecodingSettings", "DoneEvent", "Event", "LookupEvent", "TokenEvent"]


class LookupSource(Protocol):
    """What the decoder needs of a graph: answers, all from one revision."""

    @property
    def revision(self) -> int: ...

    @property
    def state(self) -> str: ...

    def lookup(self, entity: str, relation: str) -> Lookup: ...


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A token was appended to the trace, at `index`; `reused` if taken over from another trace."""

    token: TraceToken
    index: int
    reused: bool = False


@dataclass(frozen=True, slots=True)
class LookupEvent:
    """The graph has answered; comes after the query's tokens and before the value's."""

    lookup: TraceLookup
    reused: bool = False


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The last event."""

    trace: Trace


Event = TokenEvent | LookupEvent | DoneEvent


class _Row:
    """One document in the making: what was written, what is queued, and what may come next."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        prompt: str,
        retriever: LookupSource,
        settings: DecodingSettings,
    ) -> None:
        self.checkpoint, self.retriever, self.settings = checkpoint, retriever, settings
        self.prompt = clean_prompt(prompt)
        self.prompt_ids = checkpoint.encode_prompt(self.prompt)
        self.tokens: list[TraceToken] = []
        self.lookups: list[TraceLookup] = []
        self.ids: list[int] = list(self.prompt_ids)  # of the whole document
        self.events: list[TokenEvent | LookupEvent] = []  # not yet handed out
        self.pending: list[int] = list(self.prompt_ids)  # not yet in the cache
        self.finish: str | None = None
        self.reused = 0
        self._role = Role.TEXT  # of the next token
        self._start = 0  # index of the marker that opened the present lookup
        self._since_lookup = 0  # tokens chosen since the last lookup
        self._detokenise_after(self.prompt_ids)

    # -- choosing

    def step(self, logits_V: Tensor) -> None:
        """Choose the next token and queue what it forces; events and pending ids grow."""
        settings, markers = self.settings, self.checkpoint.markers
        may_look_up = settings.lookups and len(self.lookups) < settings.max_lookups
        token, probability = choose(
            logits_V,
            settings,
            (len(self.lookups), self._since_lookup),
            None if may_look_up else markers.entity,
        )
        if self._role in (Role.ENTITY, Role.RELATION):
            self._step_in_lookup(token, probability)
        elif token in self.checkpoint.stop_ids:
            self._append(token, probability)
            self.finish = "end"
        else:
            self._append(token, probability)
            if token in (markers.relationship, markers.return_):  # of a lookup never opened
                self._start = len(self.tokens) - 1
                self._close_as_miss("order")

    def _step_in_lookup(self, token: int, probability: float) -> None:
        markers = self.checkpoint.markers
        expected = markers.relationship if self._role == Role.ENTITY else markers.return_
        if token in (*markers.as_tuple(), *self.checkpoint.stop_ids) and token != expected:
            self._close_as_miss("order")
            return
        self._append(token, probability)
        if token == markers.return_:
            entity, relation = self._query()
            if entity and relation:
                self.answer(self.retriever.lookup(entity, relation))
            else:
                self.answer(_unasked(entity, relation), "order")
        elif len(self.tokens) - self._start > self.settings.max_lookup_tokens:
            self._close_as_miss("length")

    def _query(self) -> tuple[str, str]:
        """Entity and relation of the present lookup, as the model wrote them."""
        written = {Role.ENTITY: "", Role.RELATION: ""}
        for token in self.tokens[self._start :]:
            if token.role in written:
                written[token.role] += token.text
        return written[Role.ENTITY].strip(), written[Role.RELATION].strip()

    def _close_as_miss(self, why: str) -> None:
        """Force what is missing of the present lookup, and answer it with a miss."""
        markers = self.checkpoint.markers
        if self._role == Role.ENTITY:
            self._append(markers.relationship)
        if self._role == Role.RELATION:
            self._append(markers.return_)
        self.answer(_unasked(*self._query()), why)

    def answer(self, lookup: Lookup, closed: str = "model") -> None:
        """Queue the value and `<|db_end|>`; the present lookup is then complete."""
        value_ids = self.checkpoint.encode_value(lookup.value)
        end = len(self.tokens) + len(value_ids) + 1
        if len(self.prompt_ids) + end >= self.checkpoint.context:
            self.finish = "context"  # a value is written whole or not at all
            return
        entry = TraceLookup(len(self.lookups), self._start, end, lookup, closed)
        self.lookups.append(entry)
        self.events.append(LookupEvent(entry))
        for token in value_ids:
            self._append(token)
        self._append(self.checkpoint.markers.end)

    def _append(self, token: int, probability: float | None = None) -> None:
        """Put a token into the trace, forced if it has no probability."""
        markers = self.checkpoint.markers
        if token in markers.as_tuple():
            self._detokenise_after([token])
            role, text = Role.MARKER, self.checkpoint.tokenizer.convert_ids_to_tokens(token)
        elif token in self.checkpoint.stop_ids:
            role, text = self._role, ""
        else:
            role = self._role
            text = self._stream.step(self.checkpoint.tokenizer.backend_tokenizer, token) or ""
        entry = TraceToken(token, text, role, probability, forced=probability is None)
        self.events.append(TokenEvent(entry, len(self.tokens)))
        self.pending.append(token)
        self._keep(entry)

    def _keep(self, token: TraceToken) -> None:
        markers = self.checkpoint.markers
        if token.id == markers.entity:
            self._start = len(self.tokens)
        self.tokens.append(token)
        self.ids.append(token.id)
        self._role = next_role(self._role, token.id, markers)
        self._since_lookup = 0 if token.id == markers.end else self._since_lookup + 1

    def _detokenise_after(self, ids: list[int]) -> None:
        """Begin to decode anew after these ids: no character spans a marker."""
        self._stream = DecodeStream(ids=ids, skip_special_tokens=False)

    # -- limits, reuse, result

    def check_limits(self) -> None:
        """Finish the row if there is no room for another token."""
        if self.finish is None:
            if len(self.tokens) >= self.settings.max_tokens:
                self.finish = "length"
            elif len(self.ids) >= self.checkpoint.context:
                self.finish = "context"

    def replay(self, tokens: list[TraceToken], lookups: list[TraceLookup]) -> None:
        """Take over the beginning of another trace, in which these lookups are complete."""
        waiting = list(lookups)
        for token in tokens:
            self.events.append(TokenEvent(token, len(self.tokens), reused=True))
            self._keep(token)
            if token.id == self.checkpoint.markers.return_ and waiting:
                self.events.append(LookupEvent(waiting.pop(0), reused=True))
        self.lookups = list(lookups)
        self.reused = len(tokens)
        self.pending = list(self.ids)
        marked = [i for i, token in enumerate(tokens) if token.role == Role.MARKER]
        self._detokenise_after(
            [token.id for token in tokens[marked[-1] :]] if marked else self.pending
        )

    def trace(self, seconds: float) -> Trace:
        """The record, when the row has finished."""
        return Trace(
            prompt=self.prompt,
            prompt_ids=self.prompt_ids,
            tokens=self.tokens,
            lookups=self.lookups,
            model=self.checkpoint.name,
            settings=self.settings,
            revision=self.retriever.revision,
            state=self.retriever.state,
            finish=self.finish or "cancelled",
            seconds=seconds,
            reused=self.reused,
        )


def _unasked(entity: str, relation: str) -> Lookup:
    """The answer to a query that never reached the graph."""
    return Lookup(
        entity=entity,
        relation=relation,
        how="miss",
        score=0.0,
        threshold=0.0,
        runners_up=(),
        facts=(),
        entity_id=None,
        resolved_entity=None,
        resolved_relation=None,
        value=UNKNOWN,
        value_spans=(),
    )


def _replaced(ids: list[int], old: list[int], new: list[int]) -> list[int]:
    """`ids` with `new` wherever they hold `old`."""
    result, place = [], 0
    while place < len(ids):
        if old and ids[place : place + len(old)] == old:
            result += new
            place += len(old)
        else:
            result.append(ids[place])
            place += 1
    return result


class Decoder:
    """Writes texts with one checkpoint. Safe to use from several threads."""

    def __init__(self, checkpoint: Checkpoint, guess: bool = True) -> None:
        """`guess=False` takes one pass for each token chosen; the texts are the same."""
        self.checkpoint, self._guess = checkpoint, guess
        self._shelf = CacheShelf()

    def generate(
        self,
        prompt: str,
        retriever: LookupSource,
        settings: DecodingSettings | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """Write an answer to `prompt`, as events; the last is a DoneEvent with the trace.

        `cancelled` is asked before each step. Raises PromptError, in one sentence, for a prompt
        that cannot be answered, before the first event.
        """
        row = _Row(self.checkpoint, prompt, retriever, settings or DecodingSettings())
        return self._run(row, GrowingCache(), cancelled)

    def regenerate(
        self,
        previous: Trace,
        retriever: LookupSource,
        settings: DecodingSettings | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """Write a trace again, on another state of the graph.

        The previous lookups are asked anew. The text before the first whose returned string
        differs cannot have changed: its tokens are taken over (their events say `reused`), with
        their cache if it is still kept. If no string differs, all of the text is taken over, with
        the facts as they are now. Other settings, or another model, write all of it anew.
        """
        settings = settings or previous.settings
        row = _Row(self.checkpoint, previous.prompt, retriever, settings)
        same = (
            settings == previous.settings
            and self.checkpoint.name == previous.model
            and row.prompt_ids == previous.prompt_ids
        )
        if not same:
            return self._run(row, GrowingCache(), cancelled)

        lookups: list[TraceLookup] = []
        changed: Lookup | None = None
        expected: list[int] = []
        tokens = previous.tokens
        for entry in previous.lookups:
            lookup = entry.lookup
            if entry.closed == "model":
                lookup = retriever.lookup(lookup.entity, lookup.relation)
            if lookup.value != entry.lookup.value:
                changed = lookup
                returned = range(entry.start, entry.end)
                cut = next(i for i in returned if tokens[i].id == self.checkpoint.markers.return_)
                expected = [token.id for token in tokens[entry.end :]]
                old = [token.id for token in tokens[cut + 1 : entry.end - 1]]
                expected = _replaced(expected, old, self.checkpoint.encode_value(lookup.value))
                tokens = tokens[: cut + 1]
                break
            lookups.append(dataclasses.replace(entry, lookup=lookup))
        row.replay(tokens, lookups)
        if changed is not None:
            cache = self._shelf.get(previous.id, row.pending)
            row.answer(changed)
        else:
            row.finish = None if previous.finish == "cancelled" else previous.finish
            cache = self._shelf.get(previous.id, row.pending[:-1])
        row.pending = row.pending[cache.length :]
        return self._run(row, cache, cancelled, expected)

    def generate_batch(
        self,
        prompts: Sequence[str],
        retrievers: Sequence[LookupSource],
        settings: DecodingSettings | None = None,
        batch_size: int = 64,
    ) -> list[Trace]:
        """Write an answer to each prompt, many rows in one step; the traces are in their order.

        Rows are padded on the left and numbered by their own positions, so each trace is that of
        `generate`, up to rounding. `seconds` of a trace is its share of the time.
        """
        settings = settings or DecodingSettings()
        rows = [
            _Row(self.checkpoint, prompt, retriever, settings)
            for prompt, retriever in zip(prompts, retrievers, strict=True)
        ]
        traces: list[Trace] = []
        for start in range(0, len(rows), batch_size):
            batch, begun = rows[start : start + batch_size], time.perf_counter()
            self._run_batch(batch)
            share = (time.perf_counter() - begun) / len(batch)
            traces += [row.trace(share) for row in batch]
        return traces

    def _run(
        self,
        row: _Row,
        cache: GrowingCache,
        cancelled: Callable[[], bool] | None,
        expected: Sequence[int] = (),
    ) -> Iterator[Event]:
        seconds, begun = 0.0, time.perf_counter()
        guesser = Guesser(self.checkpoint.markers)
        guesser.follow(row.ids)
        guesser.expect(expected)
        while True:
            row.check_limits()
            if row.finish is None and cancelled is not None and cancelled():
                row.finish = "cancelled"
            if row.finish is None:
                written = len(row.ids)
                self._advance(row, cache, guesser.guess() if self._guess else [])
                guesser.follow(row.ids[written:])
            events, row.events = row.events, []
            seconds += time.perf_counter() - begun
            yield from events  # the time that the reader takes is not the decoder's
            begun = time.perf_counter()
            if row.finish is not None:
                break
        trace = row.trace(seconds + time.perf_counter() - begun)
        self._shelf.put(trace.id, trace.ids[: cache.length], cache)
        yield DoneEvent(trace)

    def _advance(self, row: _Row, cache: GrowingCache, guess: list[int]) -> None:
        """One pass: choose a token, and more as long as each is the one that was guessed."""
        guess = guess[: self.checkpoint.context - len(row.ids)]
        logits_TV = self._forward([*row.pending, *guess], cache, keep=len(guess) + 1)
        row.pending = []
        row.step(logits_TV[0])
        confirmed = 0
        while confirmed < len(guess) and row.pending == [guess[confirmed]]:
            row.check_limits()
            if row.finish is not None:
                break
            row.pending = []
            confirmed += 1
            row.step(logits_TV[confirmed])
        cache.drop(len(guess) - confirmed)

    def _forward(self, ids: list[int], cache: GrowingCache, keep: int) -> Tensor:
        """Append tokens to a cache of one row; the logits after the last `keep` of them, [T, V]."""
        with torch.inference_mode():
            output = self.checkpoint.model(
                input_ids=torch.tensor([ids]),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=keep,
            )
            logits_TV: Tensor = output.logits[0, -keep:]
            return logits_TV

    @torch.inference_mode()
    def _run_batch(self, rows: list[_Row]) -> None:
        """Run rows until all have finished. Each step appends one token to every row."""
        longest = max(len(row.pending) for row in rows)
        ids_BT = torch.zeros((len(rows), longest), dtype=torch.long)
        mask_BT = torch.zeros((len(rows), longest), dtype=torch.long)
        for index, row in enumerate(rows):
            ids_BT[index, longest - len(row.pending) :] = torch.tensor(row.pending)
            mask_BT[index, longest - len(row.pending) :] = 1
            row.pending = []
        positions_BT = (mask_BT.cumsum(1) - 1).clamp(min=0)
        cache, alive = GrowingCache(), list(rows)
        while alive:
            logits_BV = self.checkpoint.model(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                position_ids=positions_BT,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            for row, logits_V in zip(alive, logits_BV, strict=True):
                if not row.pending:
                    row.check_limits()
                    if row.finish is None:
                        row.step(logits_V)
                row.events.clear()
            going = [i for i, row in enumerate(alive) if row.finish is None]
            if len(going) < len(alive):
                kept_B = torch.tensor(going, dtype=torch.long)
                alive = [alive[i] for i in going]
                cache, mask_BT = cache.rows(kept_B), mask_BT[kept_B]
                positions_BT = positions_BT[kept_B]
            ids_BT = torch.tensor([[row.pending.pop(0)] for row in alive], dtype=torch.long)
            positions_BT = positions_BT[:, -1:] + 1
            mask_BT = torch.cat([mask_BT, mask_BT.new_ones((len(alive), 1))], dim=1)
