"""One document while it is being written: a state machine with a queue of forced tokens.

A row chooses tokens one at a time. When it has chosen `<|db_return|>`, it asks the graph, and
queues the value and `<|db_end|>`. The row runs no model: a decoding loop feeds `pending` to the
model, and calls `step` with the logits that come back.

With a guide (model/guided/), names in lookups are chosen as a whole. Until one is chosen, `pending`
holds the beginnings that are tried, and `rewind` says how many tokens of the one before the loop
must forget first.
"""

from __future__ import annotations

import time

from tokenizers.decoders import DecodeStream
from torch import Tensor

from graph.core.facts import UNKNOWN
from graph.core.journal import iso_time
from graph.lookup.result import Lookup
from model.checkpoint import Checkpoint
from model.engine.events import LookupEvent, LookupSource, TokenEvent
from model.engine.sampling import sample_token
from model.engine.wording import Wording
from model.guided.guide import Guide
from model.guided.search import NameSearch
from model.guided.trie import NameTrie
from model.prompts import clean_prompt
from model.roles import Role, next_role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup, TraceToken


class Row:
    """What was written, what is queued, and what may come next."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        prompt: str,
        retriever: LookupSource,
        settings: DecodingSettings,
    ) -> None:
        """Raises PromptError, in one sentence, for a prompt that cannot be answered."""
        self.checkpoint, self.retriever, self.settings = checkpoint, retriever, settings
        self.prompt = clean_prompt(prompt, keep_lines=checkpoint.form.keep_lines)
        self.prompt_ids = checkpoint.encode_prompt(self.prompt)
        self.tokens: list[TraceToken] = []
        self.lookups: list[TraceLookup] = []
        self.ids: list[int] = list(self.prompt_ids)  # of the whole document
        self.events: list[TokenEvent | LookupEvent] = []  # not yet yielded
        self.pending: list[int] = list(self.prompt_ids)  # not yet in the cache
        self.finish: str | None = None
        self.reused = 0
        self.rewind = 0  # tokens at the end of the cache that were tried and not chosen
        self.guide: Guide | None = None
        self._search: NameSearch | None = None  # of the name that is being chosen
        self._considered: tuple[tuple[str, float], ...] = ()  # for the current lookup's relation
        self._refused = False  # no relation of the latest list fits the prompt
        self._role = Role.TEXT  # of the next token
        self._lookup_start = 0  # index of the marker that opened the current lookup
        self._since_lookup = 0  # tokens since the last lookup
        self._counted = 0  # tokens that count towards `max_tokens`
        self._restart_text_stream(self.prompt_ids)

    def begin(self, words: str) -> None:
        """Force the first words of the text; before any step."""
        if words:
            for token in self.checkpoint.encode_text(" " + words):
                self._append(token)

    # -- choosing tokens

    def step(self, logits_V: Tensor) -> None:
        """Choose the next token and queue what it forces; events and pending ids grow."""
        settings, markers = self.settings, self.checkpoint.markers
        if settings.temperature == 0 and (search := self._name_search()) is not None:
            self._step_in_search(search, logits_V)
            return
        may_look_up = settings.lookups and len(self.lookups) < settings.max_lookups
        opens = self._opens(logits_V)
        forbidden = [] if may_look_up and opens is not False else [markers.entity]
        if self.guide is not None and self._role == Role.TEXT:
            forbidden += [markers.relationship, markers.return_, markers.end]
        allowed = (markers.entity,) if opens and may_look_up else self.allowed_tokens()
        position = (len(self.lookups), self._since_lookup)
        token, probability = sample_token(logits_V, settings, position, forbidden, allowed)
        if self._role in (Role.ENTITY, Role.RELATION):
            self._step_in_lookup(token, probability)
        elif token in self.checkpoint.stop_ids and may_look_up and self._leads_on():
            self._append(markers.entity, float(logits_V.softmax(0)[markers.entity]))
        elif token in self.checkpoint.stop_ids:
            self._append(token, probability)
            self.finish = "end"
        else:
            if self.guide is not None and self.lookups:
                token, probability = self._wording(self.guide).choose(token, probability, logits_V)
            self._append(token, probability)
            if token in (markers.relationship, markers.return_):  # of a lookup never opened
                self._lookup_start = len(self.tokens) - 1
                self._close_as_miss("order")

    @property
    def _answered(self) -> list[Lookup]:
        """The lookups so far, as the guide reads them."""
        return [entry.lookup for entry in self.lookups]

    def _leads_on(self) -> bool:
        """Whether the guide knows that a text which would end is only half way."""
        return self.guide is not None and bool(self.guide.leads_on(self._answered))

    def _wording(self, guide: Guide) -> Wording:
        said = self.tokens[len(self.tokens) - self._since_lookup :]
        return Wording(self.checkpoint, guide, self.settings, self._answered, said, self._refused)

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
                self.answer(self._ask(entity, relation))
            else:
                self.answer(_miss(entity, relation), "order")
        elif len(self.tokens) - self._lookup_start > self.settings.max_lookup_tokens:
            self._close_as_miss("length")

    # -- names chosen by a guide

    def allowed_tokens(self) -> tuple[int, ...] | None:
        """What guidance allows as the next token; None if it allows everything."""
        if self._search is not None:
            return self._search.allowed_tokens()
        trie = self._name_trie()
        return trie.after(tuple(self._ids_of_place())) or None if trie else None

    def likely_tokens(self) -> list[int]:
        """A guess at the rest of the name that is being chosen; empty without a guide."""
        if self.settings.temperature > 0 or (search := self._name_search()) is None:
            return []
        return search.likely()

    @property
    def tried(self) -> int:
        """Tokens of the beginning that is being tried, those in `pending` included."""
        return len(self._search.path) if self._search else 0

    def _ids_of_place(self) -> list[int]:
        """What was written since the last marker."""
        ids: list[int] = []
        for token in reversed(self.tokens):
            if token.role == Role.MARKER:
                break
            ids.append(token.id)
        return ids[::-1]

    def _name_trie(self) -> NameTrie | None:
        """The names that are allowed at this place of a lookup; None if it is free text."""
        if self.guide is None or self._role not in (Role.ENTITY, Role.RELATION):
            return None
        written = len(self._ids_of_place())
        used = len(self.tokens) - self._lookup_start - written
        room = self.settings.max_lookup_tokens - used
        room = min(room, self.checkpoint.context - len(self.ids) + written - 1)
        answered = self._answered
        if self._role == Role.ENTITY:
            return self.guide.entity_trie(answered, room)
        return self.guide.relation_trie(self._query()[0], answered, room)

    def _name_search(self) -> NameSearch | None:
        """The search at this place; None if it is free text, or if a name was begun without it."""
        if self._search is None and not self._ids_of_place():
            trie = self._name_trie()
            self._search = NameSearch(trie, self._factors()) if trie else None
        return self._search

    def _factors(self) -> dict[str, float]:
        """By how much names count more at this place; see `Guide.factors`."""
        answered = self._answered
        if self.guide is None:
            return {}
        if self._role == Role.ENTITY:
            return self.guide.entity_factors(answered)
        return self.guide.factors(self._query()[0], answered)

    def _opens(self, logits_V: Tensor) -> bool | None:
        """Whether a lookup opens now; None if that is the model's choice.

        If the guide finds nothing in a list that fits the prompt, that holds until another lookup.
        """
        if self.guide is None or self._role != Role.TEXT:
            return None
        if self._since_lookup > 0:
            return False if self._refused else None
        answered = self._answered
        if self.guide.states_first(answered):
            return False
        opening = float(logits_V.softmax(0)[self.checkpoint.markers.entity])
        opens = self.guide.opens(answered, opening)
        self._refused = opens is False
        return opens

    def _step_in_search(self, search: NameSearch, logits_V: Tensor) -> None:
        """Try the next beginning, or append the name that was chosen."""
        tried = search.path
        search.read(logits_V)
        wanted = search.path if search.chosen is None else search.chosen.ids
        kept = 0
        while kept < min(len(tried), len(wanted)) and tried[kept] == wanted[kept]:
            kept += 1
        self.rewind = len(tried) - kept
        if search.chosen is None:
            self.pending = list(wanted[kept:])
            return
        self._search = None
        if self._role == Role.RELATION:
            self._considered = search.considered()
        for token, probability in zip(wanted, search.chosen.probabilities, strict=True):
            self._append(token, probability)
        self.pending = list(wanted[kept:])
        if wanted[-1] == self.checkpoint.markers.return_:
            self.answer(self._ask(*self._query()))

    # -- lookups

    def _query(self) -> tuple[str, str]:
        """Entity and relation of the current lookup, as the model wrote them."""
        written = {Role.ENTITY: "", Role.RELATION: ""}
        for token in self.tokens[self._lookup_start :]:
            if token.role in written:
                written[token.role] += token.text
        return written[Role.ENTITY].strip(), written[Role.RELATION].strip()

    def _ask(self, entity: str, relation: str) -> Lookup:
        if self.checkpoint.ranked:
            return self.retriever.lookup(entity, relation, self.prompt)
        return self.retriever.lookup(entity, relation)

    def _close_as_miss(self, reason: str) -> None:
        """Force the markers that the current lookup lacks, and answer it with a miss."""
        markers = self.checkpoint.markers
        if self._role == Role.ENTITY:
            self._append(markers.relationship)
        if self._role == Role.RELATION:
            self._append(markers.return_)
        self.answer(_miss(*self._query()), reason)

    def answer(
        self,
        lookup: Lookup,
        closed: str = "model",
        considered: tuple[tuple[str, float], ...] | None = None,
    ) -> None:
        """Complete the current lookup: queue the value and `<|db_end|>`."""
        value_ids = self.checkpoint.encode_value(lookup.value)
        end = len(self.tokens) + len(value_ids) + 1
        if len(self.prompt_ids) + end >= self.checkpoint.context:
            self.finish = "context"  # a value is written whole or not at all
            return
        entry = TraceLookup(
            len(self.lookups),
            self._lookup_start,
            end,
            lookup,
            closed,
            self._considered if considered is None else considered,
            self._guidance(lookup.entity),
        )
        self._considered = ()
        self.lookups.append(entry)
        self.events.append(LookupEvent(entry))
        for token in value_ids:
            self._append(token)
        self._append(self.checkpoint.markers.end)

    def _guidance(self, entity: str) -> str:
        """A key of the names that the current lookup could choose from; "" without a guide."""
        if self.guide is None:
            return ""
        return self.guide.digest(entity, self._answered)

    # -- appending

    def _append(self, token: int, probability: float | None = None) -> None:
        """Append a token to the trace; without a probability it is a forced one."""
        markers = self.checkpoint.markers
        if token in markers.as_tuple():
            self._restart_text_stream([token])
            role, text = Role.MARKER, self.checkpoint.tokenizer.convert_ids_to_tokens(token)
        elif token in self.checkpoint.stop_ids:
            role, text = self._role, ""
        else:
            role = self._role
            text = self._text_stream.step(self.checkpoint.tokenizer.backend_tokenizer, token) or ""
        entry = TraceToken(token, text, role, probability, forced=probability is None)
        self.events.append(TokenEvent(entry, len(self.tokens)))
        self.pending.append(token)
        self._record(entry)

    def _record(self, token: TraceToken) -> None:
        """Add a token to the document and move the state machine on."""
        markers = self.checkpoint.markers
        if token.id == markers.entity:
            self._lookup_start = len(self.tokens)
        self.tokens.append(token)
        self.ids.append(token.id)
        if not (token.forced and self.checkpoint.ranked):
            self._counted += 1
        self._role = next_role(self._role, token.id, markers)
        self._since_lookup = 0 if token.id == markers.end else self._since_lookup + 1

    def _restart_text_stream(self, ids: list[int]) -> None:
        """Turn ids into text from here on, after `ids`: no character spans a marker."""
        self._text_stream = DecodeStream(ids=ids, skip_special_tokens=False)

    # -- limits, reuse, result

    def check_limits(self) -> None:
        """Finish the row if there is no room for another token."""
        if self.finish is None:
            if self._counted >= self.settings.max_tokens:
                self.finish = "length"
            elif len(self.ids) >= self.checkpoint.context:
                self.finish = "context"

    def replay(self, tokens: list[TraceToken], lookups: list[TraceLookup]) -> None:
        """Copy the beginning of another trace, in which these lookups are complete."""
        waiting = list(lookups)
        for token in tokens:
            self.events.append(TokenEvent(token, len(self.tokens), reused=True))
            self._record(token)
            if token.id == self.checkpoint.markers.return_ and waiting:
                self.events.append(LookupEvent(waiting.pop(0), reused=True))
        self.lookups = list(lookups)
        self.reused = len(tokens)
        self.pending = list(self.ids)
        marked = [i for i, token in enumerate(tokens) if token.role == Role.MARKER]
        self._restart_text_stream(
            [token.id for token in tokens[marked[-1] :]] if marked else self.pending
        )

    def trace(self, seconds: float) -> Trace:
        """The record, once the row has finished."""
        return Trace(
            prompt=self.prompt,
            prompt_ids=self.prompt_ids,
            tokens=self.tokens,
            lookups=self.lookups,
            model=self.checkpoint.name,
            weights=self.checkpoint.weights,
            settings=self.settings,
            revision=self.retriever.revision,
            state=self.retriever.state,
            finish=self.finish or "cancelled",
            seconds=seconds,
            reused=self.reused,
            written=iso_time(time.time_ns() // 1_000_000),
        )


def _miss(entity: str, relation: str) -> Lookup:
    """The answer to a query that was never sent to the graph."""
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
