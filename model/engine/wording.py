"""How a guided text words what its lookups found, token by token.

The model writes the text; a token of it is exchanged only where it is plainly wrong: yes where the
values say no, another word in the place of the relation's name, a word that there is not, a value
that is broken off or said twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from graph.core.facts import RELATIONS
from graph.core.names import fold
from graph.lookup.result import Lookup
from model.checkpoint import Checkpoint
from model.engine.sampling import sample_token
from model.guided.guide import Guide
from model.guided.stated_name import (
    NO_END,
    begins_word,
    begun_name,
    is_begun,
    is_inflected,
    is_sure,
    names_one,
    opens_statement,
)
from model.guided.word_check import MOST_TRIED, begun_value, says_twice
from model.settings import DecodingSettings
from model.trace import TraceToken

_GUESS = 0.2  # probability of a token that breaks a value off, at least


@dataclass(frozen=True)
class Wording:
    """One place of a text, after at least one lookup."""

    checkpoint: Checkpoint
    guide: Guide
    settings: DecodingSettings
    lookups: Sequence[Lookup]
    """Those so far."""
    said: Sequence[TraceToken]
    """The tokens since the last of them."""
    refused: bool
    """Whether nothing in the last list fits the prompt."""

    def choose(self, token: int, probability: float, logits_V: Tensor) -> tuple[int, float]:
        """The token to write instead of the one that the model chose, mostly the same.

        Args:
            token: the model's choice, no marker.
            probability: of it.
            logits_V: float [V], of all tokens.
        """
        if token in self.checkpoint.markers.as_tuple():
            return token, probability
        if not self.said:
            token, probability = self._yes_or_no(token, probability, logits_V)
        named, chance = self._as_named(token, probability, logits_V)
        goes_on = self._goes_on
        if goes_on is not None and named == token != goes_on and probability < _GUESS:
            return self._sample(logits_V, (), (goes_on,))  # it knows no rare name's middle
        if named == token and probability < _GUESS and (begun := self._begun_instead(token)):
            return self._sample(logits_V, (), begun)  # nor its beginning
        return self._as_spelt(named, chance, logits_V)

    def _yes_or_no(self, token: int, probability: float, logits_V: Tensor) -> tuple[int, float]:
        """The token, or the other of yes and no, where the values say otherwise.

        A text that says yes or no does so right after a lookup, and then states the fact. It always
        does if the value itself is yes or no.
        """
        words = self.checkpoint.yes_and_no
        if token not in words and not (words and self.guide.found_a_flag(self.lookups)):
            return token, probability
        affirms = self.guide.affirms(self.lookups)
        if affirms is None:
            return token, probability
        token = words[0 if affirms else 1]
        return token, float(logits_V.softmax(0)[token])

    def _as_named(self, token: int, probability: float, logits_V: Tensor) -> tuple[int, float]:
        """The token, or the likeliest that goes on with the name of a relation.

        See model/guided/stated_name.py.
        """
        trie = self.guide.stated_trie(self.lookups, "".join(self._texts))
        if trie is None:
            return token, probability
        path = begun_name(self._ids, self._texts, trie)
        after = trie.after(path) if path is not None else ()
        if self.refused and NO_END in after and token not in after:
            return self._after_listed(token, probability, logits_V)
        if path is None or not after or token in after or NO_END in after:
            return token, probability
        article = len(self.said) - len(path)
        begun = is_begun(self._texts[article:])
        if not begun and not self._names_relation(article, token, probability):
            return token, probability
        written = self.checkpoint.tokenizer.decode([*path, token])
        if any(is_inflected(written, name) for name in trie.below(path)):
            return token, probability
        return self._sample(logits_V, (), after)

    def _after_listed(self, token: int, probability: float, logits_V: Tensor) -> tuple[int, float]:
        """The token after a name of what one may ask about: the list goes on or ends."""
        follow = [self.checkpoint.encode_text(text)[0] for text in (",", " and", ".")]
        if token in follow or not (self._piece(token)[:1].isalnum() or probability < _GUESS):
            return token, probability
        return self._sample(logits_V, (), tuple(follow))

    def _names_relation(self, article: int, token: int, probability: float) -> bool:
        """Whether a relation's name follows where the model has another word, the token.

        Args:
            article: where the tokens after an article begin: a letter or two, or none.
            token: the model's choice.
            probability: of it.
        """
        last, before = self.lookups[-1], self._texts[:article]
        if fold(last.relation) == RELATIONS:
            return self.refused and names_one(before)
        if is_sure(probability, before, last.relation):
            return False
        if not opens_statement(before, last.resolved_entity or last.entity):
            return False
        if token == self._goes_on:
            return False
        return begins_word("".join(self._texts[article:]), self._piece(token))

    def _begun_instead(self, token: int) -> tuple[int, ...]:
        """What begins the values not stated yet, if the token begins a name that nobody gave.

        "Kadee is the couplings of", and then " Located" where the value is Rusty Shunter.
        """
        last, text, piece = self.lookups[-1], "".join(self._texts).rstrip(), self._piece(token)
        word = piece.strip()
        if last.is_miss or fold(last.relation) == RELATIONS or text[-1:] in ("", ".", "!", "?"):
            return ()
        if not piece[:1].isspace() or not (word[:1].isupper() or word[:1].isdigit()):
            return ()
        if self.guide.word_check(self.lookups).is_given(word):
            return ()
        values = self.guide.value_ids(self.lookups)[: len(last.value_spans)]
        spans = [last.value[begin:end] for begin, end in last.value_spans]
        pairs = zip(spans, values, strict=False)
        return tuple(dict.fromkeys(ids[0] for value, ids in pairs if ids and value not in text))

    def _as_spelt(self, token: int, probability: float, logits_V: Tensor) -> tuple[int, float]:
        """The token, or another that leaves each word one that there is.

        See model/guided/word_check.py.
        """
        values, check = self.guide.value_ids(self.lookups), self.guide.word_check(self.lookups)
        goes_on, text = self._goes_on, "".join(self._texts)
        twice = token != goes_on and says_twice(self._ids, token, values)
        if not twice and not check.breaks(text, self._piece(token), in_value=goes_on is not None):
            return token, probability
        if goes_on is not None:
            return self._sample(logits_V, (), (goes_on,))
        never = [*self.checkpoint.markers.as_tuple(), *self.checkpoint.stop_ids, token]
        for _ in range(MOST_TRIED):
            other, chance = self._sample(logits_V, never, None)
            broken = check.breaks(text, self._piece(other))
            if not broken and not says_twice(self._ids, other, values):
                return other, chance
            never.append(other)
        return token, probability

    @cached_property
    def _goes_on(self) -> int | None:
        """The token that goes on with a value that the text ends in the beginning of."""
        values = self.guide.value_ids(self.lookups)
        begun = begun_value(self._ids, values)
        return None if begun is None else values[begun[0]][begun[1]]

    def _sample(
        self, logits_V: Tensor, never: Sequence[int], allowed: Sequence[int] | None
    ) -> tuple[int, float]:
        place = (len(self.lookups), len(self.said))
        return sample_token(logits_V, self.settings, place, never, allowed)

    def _piece(self, token: int) -> str:
        """What a token adds to a text."""
        return str(self.checkpoint.tokenizer.decode([token]))

    @cached_property
    def _ids(self) -> list[int]:
        return [token.id for token in self.said]

    @cached_property
    def _texts(self) -> list[str]:
        return [token.text for token in self.said]
