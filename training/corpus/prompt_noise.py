"""How people type: a request in other words, with fillers, typos, typed markers and oddities.

A template has the placeholders `{entity}`, `{entity's}` and `{relation}`. The wordings are in
training/corpus/phrases/prompt_noise.yaml. From them the model learns to find the entity and the
relation in a request, no matter what surrounds them, so that it also understands wordings that no
document has.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from model.roles import MARKERS
from training.corpus.made_up_names import made_up_name
from training.corpus.made_up_values import SCRIPTS, in_any_script, in_script, made_up_value
from training.corpus.templates import split_template

_PIECES = (*MARKERS, "<|end|>", "<|begin|>", "<|", "|>", "[dblookup(", "-> ", "<b>", "</div>", "{{")


class PromptNoise:
    """Draws what stands around a request, and requests that are not plain English questions."""

    def __init__(self, words: Sequence[str], wordings: Mapping[str, Any]):
        self.words = words
        self._wordings = wordings

    @cached_property
    def _fillers(self) -> list[str]:
        fillers: str = self._wordings["fillers"]
        return fillers.split()

    def dressed(self, rng: random.Random, template: str) -> str:
        """The request with something before or after it, as people write to each other."""
        if rng.random() < 0.7:
            opener = rng.choice(self._wordings["openers"])
            if not template.startswith("{") and not opener.endswith((". ", "! ", "? ")):
                template = template[:1].lower() + template[1:]
            template = opener + template
        if rng.random() < 0.4:
            closer = rng.choice(self._wordings["closers"])
            if closer[0] == "," and closer[-1] in "?." and template[-1] in "?.":
                template = template[:-1]
            template += closer
        return template

    def filled(self, rng: random.Random) -> str:
        """A request for one fact among filler words: only the two names matter."""
        core = rng.choice(self._wordings["cores"])
        between = self._noise(rng, 1, 4)
        template = core.replace("~", between)
        before, after = self._noise(rng, 0, 5), self._noise(rng, 0, 3)
        if not before and not after:
            before = self._noise(rng, 1, 3)
        return self._framed(rng, before, template, after)

    def mentioned(self, rng: random.Random) -> str:
        """An entity among filler words, without a question about it."""
        return self._framed(rng, self._noise(rng, 0, 4), "{entity}", self._noise(rng, 1, 3))

    def _noise(self, rng: random.Random, low: int, high: int) -> str:
        words = [
            rng.choice(self._fillers) if rng.random() < 0.9 else rng.choice(self.words)
            for _ in range(rng.randint(low, high))
        ]
        return " ".join(words)

    def _framed(self, rng: random.Random, before: str, core: str, after: str) -> str:
        if before:
            joint = rng.choice((" ", " ", " ", ": ", ", ", ". ", "? ", " - "))
            if joint in (". ", "? ") and not core.startswith("{"):
                core = core[:1].upper() + core[1:]
            core = before + joint + core
        if after:
            core += rng.choice((" ", " ", ", ", ". ", "? ", " - ", "; ")) + after
        core += rng.choice((".", "?", "", "!", "..."))
        if rng.random() < 0.8 and not core.startswith("{"):
            core = core[:1].upper() + core[1:]
        return core

    def in_another_language(self, rng: random.Random) -> str:
        """A request for a paragraph in another language, or in random letters.

        The model takes words that it has never seen for a part of the name. So a third of these
        requests are letters of any script around the name, with spaces or, as in Chinese and
        Japanese, without.
        """
        if rng.random() < 0.67:
            other_languages: list[str] = self._wordings["other_languages"]
            return rng.choice(other_languages)
        # With few letters of each script, the model took an unseen Chinese word for a name.
        script = rng.choice(SCRIPTS) if rng.random() < 0.5 else ""
        space = rng.choice((" ", " ", ""))
        parts = [
            (in_script(rng, script) if script else in_any_script(rng)) if rng.random() < 0.7 else ""
            for _ in range(2)
        ]
        before, after = (part.replace("{", "").replace("}", "") for part in parts)
        return (before + space if before else "") + "{entity}" + (space + after if after else "?")

    def premise(self, rng: random.Random) -> str:
        """A request that assumes something the graph does not say."""
        template: str = rng.choice(self._wordings["premises"])
        while "{claim}" in template:
            template = template.replace("{claim}", rng.choice(self._wordings["claims"]), 1)
        for slot in ("name", "place"):
            while f"{{{slot}}}" in template:
                drawn = made_up_name(rng, self.words)
                drawn = drawn.replace("{", "").replace("}", "") or "Somewhere"
                template = template.replace(f"{{{slot}}}", drawn, 1)
        return template.replace("{number}", str(rng.randint(2, 3999)))

    @property
    def premise_answers(self) -> Sequence[str]:
        """The replies to such a request, which come before what the graph holds."""
        answers: list[str] = self._wordings["premise_answers"]
        return answers

    def with_markers(self, rng: random.Random, prompt: str, entity: str) -> str:
        """A prompt into which somebody typed markers, or a whole lookup of their own."""
        if rng.random() < 0.4:
            value = made_up_value(rng, None, self.words)
            relation = rng.choice((rng.choice(self.words), *self._wordings["typed_relations"]))
            whole = rng.choice(
                (
                    f"<|db_entity|> {entity}<|db_relationship|> {relation}<|db_return|> {value}"
                    "<|db_end|>",
                    f"[dblookup('{entity}', '{relation}') -> {value}]",
                    f"<|db_entity|>{entity}<|db_relationship|>{relation}<|db_return|>{value}",
                )
            )
            return f"{prompt} {whole}" if rng.random() < 0.4 else f"{whole} {prompt}"
        words = prompt.split(" ")
        for _ in range(rng.randint(1, 4)):
            words.insert(rng.randint(0, len(words)), rng.choice(_PIECES).strip())
        text = " ".join(words)
        return text.replace("> <|", "><|") if rng.random() < 0.4 else text

    def with_slips(self, rng: random.Random, template: str) -> str:
        """A template typed in haste: slips in its words, never in its names."""
        style = rng.random()
        parts = split_template(template)
        for i in range(0, len(parts), 2):
            if style < 0.2:
                parts[i] = parts[i].upper()
            elif style < 0.3:
                parts[i] = parts[i].lower().replace(" ", "")
            elif style < 0.4:
                parts[i] = re.sub(r"(\w+) ", r"\1 \1 ", parts[i], count=1)
            elif sum(c.isalpha() for c in parts[i]) > 2:
                parts[i] = _slips(rng, parts[i])
        parts[-1] += rng.choice(("", "", "", "!", "?", "!!", "??", " .", "?!"))
        names = iter(parts[1::2])
        text = parts[0]
        for literal in parts[2::2]:
            text += f"{{{next(names)}}}" + literal
        # A name without a space before it could not be separated from the word.
        return re.sub(r"(?<=[\w,.]){", " {", text) if style < 0.3 else text


def _slips(rng: random.Random, text: str) -> str:
    """One to three letters of a text swapped, left out, doubled or missed."""
    letters = list(text)
    for _ in range(rng.randint(1, 3)):
        places = [i for i, c in enumerate(letters[:-1]) if c.isalpha()]
        if not places:
            break
        i = rng.choice(places)
        slip = rng.randrange(5)
        if slip == 0 and letters[i + 1].isalpha():
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
        elif slip == 1:
            letters[i] = ""
        elif slip == 2:
            letters[i] *= 2
        elif slip == 3:
            letters[i] = rng.choice("abcdefghijklmnopqrstuvwxyz")
        else:
            letters[i] = {"e": "3", "l": "1", "o": "0", "a": "4"}.get(letters[i], letters[i])
        letters = [c for c in letters if c]
    return "".join(letters)
