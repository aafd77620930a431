"""Decoding with lookups: the model writes, the graph answers, one key-value cache throughout.

A `Row` chooses tokens one at a time; when it has chosen `<|db_return|>`, the graph is asked, and
the value and `<|db_end|>` are queued. Chosen and queued tokens go through the model together, in
one forward pass: nothing is decoded, tokenised again or pre-filled twice. The forced ids are those
to which the whole document would be encoded (the spacing rule of `Checkpoint.encode_value`). Each
pass also carries a guess at the tokens that follow (model/engine/speculation.py); of the guess, the
row keeps only what the model would have chosen. With the setting `guided`, the names in lookups are
those that `model.guided` allows, and each is chosen as a whole; `Row.allowed_tokens` is the hook.

    decoder = Decoder(load_checkpoint())
    for event in decoder.generate("Tell me about France.", Retriever(store)):
        ...  # TokenEvent, LookupEvent, at last one DoneEvent with the trace

Letters in tensor names: T tokens of a row, V vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from model.checkpoint import Checkpoint
from model.engine.batch import decode_batch
from model.engine.cache import GrowingCache, PrefixCache
from model.engine.events import DoneEvent, Event, LookupSource
from model.engine.reuse import reusable_part
from model.engine.row import Row
from model.engine.speculation import MAX_GUESS, Guesser
from model.guided.guide import Guide, Guides
from model.settings import DecodingSettings
from model.trace import Trace


class Decoder:
    """Writes texts with one checkpoint. Safe to use from several threads."""

    def __init__(self, checkpoint: Checkpoint, guess: bool = True, guided: bool = False) -> None:
        """Prepare to decode.

        Args:
            checkpoint: the model.
            guess: False takes one forward pass per chosen token; the texts are the same.
            guided: True guides the lookups of every text, whether its settings ask for it or not.
        """
        self.checkpoint, self._guess, self._guided = checkpoint, guess, guided
        self._prefixes = PrefixCache()
        self._guides = Guides(checkpoint)

    def generate(
        self,
        prompt: str,
        retriever: LookupSource,
        settings: DecodingSettings | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """Write an answer to `prompt`, as events; the last is a DoneEvent with the trace.

        `cancelled` is asked before each step.

        Raises:
            PromptError: in one sentence, for a prompt that cannot be answered, before the first
                event.
        """
        row = self._row(prompt, retriever, settings)
        return self._run(row, GrowingCache(), cancelled)

    def regenerate(
        self,
        previous: Trace,
        retriever: LookupSource,
        settings: DecodingSettings | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """Write a trace again, on another state of the graph.

        The previous lookups are asked again. The text before the first whose returned string
        differs cannot have changed: its tokens are copied (their events say `reused`), together
        with their key-value cache if it is still kept. If no string differs, the whole text is
        copied, with the facts as they are now. Of a guided text, a lookup whose names could now be
        others is chosen again too. With other settings, or another model, the whole
        text is written from the start.
        """
        row = self._row(previous.prompt, retriever, settings or previous.settings)
        comparable = (
            row.settings == previous.settings
            and self.checkpoint.name == previous.model
            and row.prompt_ids == previous.prompt_ids
        )
        if not comparable:
            return self._run(row, GrowingCache(), cancelled)

        part = reusable_part(previous, retriever, self.checkpoint, row.guide)
        row.replay(part.tokens, part.lookups)
        if part.changed is not None:
            cache = self._prefixes.get(previous.id, row.pending)
            row.answer(part.changed.lookup, considered=part.changed.considered)
        else:
            if part.is_whole and previous.finish != "cancelled":
                row.finish = previous.finish
            cache = self._prefixes.get(previous.id, row.pending[:-1])
        row.pending = row.pending[cache.length :]
        return self._run(row, cache, cancelled, part.expected_ids)

    def unchanged(self, previous: Trace, retriever: LookupSource) -> Trace | None:
        """A trace with its facts as they are now; None if its text may now be another."""
        guide = self._guide(previous.prompt, retriever) if previous.settings.guided else None
        part = reusable_part(previous, retriever, self.checkpoint, guide)
        if not part.is_whole:
            return None
        return replace(
            previous,
            lookups=part.lookups,
            revision=retriever.revision,
            state=retriever.state,
        )

    def generate_batch(
        self,
        prompts: Sequence[str],
        retrievers: Sequence[LookupSource],
        settings: DecodingSettings | None = None,
        batch_size: int = 64,
        beginnings: Sequence[str] = (),
    ) -> list[Trace]:
        """Write an answer to each prompt, many rows in one step; the traces are in their order.

        Each trace is that of `generate`, up to rounding. `seconds` of a trace is its share of the
        batch's time. `beginnings`, if given, has for each answer the words that it must begin with,
        or "".
        """
        rows = [
            self._row(prompt, retriever, settings)
            for prompt, retriever in zip(prompts, retrievers, strict=True)
        ]
        for row, words in zip(rows, beginnings or [""] * len(rows), strict=True):
            row.begin(words)
        traces: list[Trace] = []
        for first in range(0, len(rows), batch_size):
            batch, started = rows[first : first + batch_size], time.perf_counter()
            decode_batch(self.checkpoint, batch)
            share = (time.perf_counter() - started) / len(batch)
            traces += [row.trace(share) for row in batch]
        return traces

    def _row(self, prompt: str, retriever: LookupSource, settings: DecodingSettings | None) -> Row:
        settings = settings or DecodingSettings()
        if self._guided:
            settings = replace(settings, guided=True)
        row = Row(self.checkpoint, prompt, retriever, settings)
        if row.settings.guided:
            row.guide = self._guide(row.prompt, retriever)
        return row

    def _guide(self, prompt: str, retriever: LookupSource) -> Guide:
        return self._guides.guide(retriever, prompt)

    def _run(
        self,
        row: Row,
        cache: GrowingCache,
        cancelled: Callable[[], bool] | None,
        expected_ids: Sequence[int] = (),
    ) -> Iterator[Event]:
        """Run one row to its end; `expected_ids` is a guess at what it will write."""
        seconds, started = 0.0, time.perf_counter()
        guesser = Guesser(self.checkpoint.markers)
        guesser.follow(row.ids)
        guesser.expect(expected_ids)
        while True:
            row.check_limits()
            if row.finish is None and cancelled is not None and cancelled():
                row.finish = "cancelled"
            if row.finish is None:
                written = len(row.ids)
                self._advance(row, cache, self._guessed(row, guesser))
                guesser.follow(row.ids[written:])
            events, row.events = row.events, []
            seconds += time.perf_counter() - started
            yield from events  # the time that the caller takes is not the decoder's
            started = time.perf_counter()
            if row.finish is not None:
                break
        cache.drop(row.tried - len(row.pending) if row.tried else 0)  # cancelled in a choice
        trace = row.trace(seconds + time.perf_counter() - started)
        self._prefixes.put(trace.id, trace.ids[: cache.length], cache)
        yield DoneEvent(trace)

    def _guessed(self, row: Row, guesser: Guesser) -> list[int]:
        """What may follow the pending tokens: as the text repeats itself, or as a name goes on."""
        if not self._guess:
            return []
        allowed = row.allowed_tokens()
        if allowed is None:
            return guesser.guess()
        guess = [] if row.tried else guesser.guess()
        return guess if guess and guess[0] in allowed else row.likely_tokens()[:MAX_GUESS]

    def _advance(self, row: Row, cache: GrowingCache, guess: list[int]) -> None:
        """One pass: choose a token, and more as long as each is the one that was guessed."""
        guess = guess[: self.checkpoint.context - len(row.ids) - row.tried]
        logits_TV = self._forward([*row.pending, *guess], cache, keep=len(guess) + 1)
        row.pending = []
        row.step(logits_TV[0])
        confirmed = 0
        while confirmed < len(guess) and row.pending == [guess[confirmed]] and not row.rewind:
            row.check_limits()
            if row.finish is not None:
                break
            row.pending = []
            confirmed += 1
            row.step(logits_TV[confirmed])
        cache.drop(len(guess) - confirmed + row.rewind)
        row.rewind = 0

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
