"""Requests: how a document asks for a relation, and what people put around a question."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from training.corpus.material import Material
from training.corpus.prompts import drops_article
from training.corpus.questions.asked_relations import AskedRelation, without_names
from training.corpus.questions.filling import fill
from training.corpus.questions.label_sentences import plain_label
from training.corpus.questions.things import Thing, Things
from training.corpus.templates import fill_prompt


class Asking:
    """Puts requests into words: a relation's own wordings, general frames, keywords, gaps."""

    def __init__(self, material: Material, things: Things, formats: Mapping[str, Any]) -> None:
        self.material, self.things, self.formats = material, things, formats
        general = material.phrases.general["general_questions"]
        self.frames = [t.replace("{relation}", "{noun}") for t in general] + list(
            formats["indirect"]
        )

    def ask(
        self,
        rng: random.Random,
        thing: Thing,
        asked: AskedRelation,
        typed: str = "",
        whole: bool = False,
    ) -> tuple[str, str]:
        """A question for the relation, and what of it the ranking sees.

        A `whole` one is neither unfinished nor has a gap.
        """
        typed = typed or thing.typed
        draw = rng.random()
        own = [*asked.by_type.get(thing.type, ()), *asked.questions]
        if asked.inverse_of:
            own = list(asked.questions)
        frame, noun = "", ""
        if own and draw < (0.58 if asked.source != "made up" else 0.0):
            frame = rng.choice(own)
        elif asked.nouns and draw < 0.74 and not asked.inverse_of:
            frame = rng.choice(self.frames)
        elif asked.nouns and draw < 0.82 and not asked.inverse_of:
            frame = rng.choice(self.formats["keyword"])
        elif asked.nouns and not asked.inverse_of and draw < 0.86:
            prompt = fill_prompt(
                self.material.prompts.noise.filled(rng), typed, self.noun(rng, asked), True
            )
            return prompt, without_names(self.noun(rng, asked))
        elif (
            not whole and (asked.unfinished or asked.nouns) and draw < 0.94 and not asked.inverse_of
        ):
            return self._unfinished(rng, thing, asked, typed)
        elif own:
            frame = rng.choice(own)
        else:
            noun = plain_label(asked.label)
            frame = rng.choice(
                ("{entity} {noun}", "{entity}: {noun}", "{noun} {entity}", "{entity} {noun}?")
            )
            if asked.source == "made up" and rng.random() < 0.5:
                frame = rng.choice(self.frames)
        noun = noun or self.noun(rng, asked)
        frame = frame.replace("{noun}", noun.replace("{", "").replace("}", ""))
        seen = without_names(frame)
        if rng.random() < 0.06:
            frame = self.material.prompts.noise.with_slips(rng, frame)
        prompt = fill_prompt(frame, typed, noun, drops_article(rng))
        if rng.random() < 0.04:  # "How high is the Everest?"
            prompt = prompt.replace(f" {typed}", f" the {typed}", 1).replace(" the the ", " the ")
        style = rng.random()
        if style < 0.08:
            prompt = prompt.rstrip("?.")
        elif style < 0.14 and typed.islower():
            prompt = prompt.lower().rstrip("?.")
        elif style < 0.2:
            prompt = prompt[:1].upper() + prompt[1:]
        return prompt, seen

    def noun(self, rng: random.Random, asked: AskedRelation) -> str:
        if not asked.nouns:
            return plain_label(asked.label)
        if rng.random() < 0.15:
            return asked.label
        return asked.nouns[0] if rng.random() < 0.4 else rng.choice(asked.nouns)

    def _unfinished(
        self, rng: random.Random, thing: Thing, asked: AskedRelation, typed: str
    ) -> tuple[str, str]:
        """The beginning of a statement, or a statement with a gap."""
        noun = self.noun(rng, asked)
        if rng.random() < 0.55:
            begun = [*asked.unfinished]
            if asked.nouns:
                begun += [
                    "The {noun} of {entity} is",
                    "{entity's} {noun} is",
                    "The {noun} of {entity} is",
                ]
            template = rng.choice(begun).replace("{noun}", noun)
            beginning = fill_prompt(template, typed, bare=drops_article(rng))
            draw = rng.random()
            if draw < 0.25:
                header = rng.choice(self.formats["completion_headers"])
                beginning = fill(header, beginning=beginning, entity=typed)
            elif draw < 0.4:
                before = fill_prompt(rng.choice(self.formats["paragraph"]), typed)
                beginning = f"{before} {beginning}"
            elif draw < 0.5:
                beginning += rng.choice((" ", "...", " ...", ":", " _"))
            return beginning, without_names(template)
        gaps = [*asked.cloze]
        if asked.nouns:
            gaps += ["The {noun} of {entity} is ____.", "____ is the {noun} of {entity}."]
        template = (rng.choice(gaps) if gaps else asked.unfinished[0] + " ____.").replace(
            "{noun}", noun
        )
        cloze = fill_prompt(template, typed, bare=drops_article(rng))
        if rng.random() < 0.3:
            cloze = cloze.replace("____", rng.choice(("...", "___", "_____", "[blank]", "?")))
        if rng.random() < 0.6:
            cloze = fill(rng.choice(self.formats["cloze_headers"]), cloze=cloze)
        return cloze, without_names(template).replace("____", "")

    def dress(self, rng: random.Random, question: str, entity: str) -> str:
        """A question as it is, or with what people put around it."""
        draw = rng.random()
        if draw < 0.58:
            return question
        if draw < 0.72:
            return fill(rng.choice(self.formats["chatter"]), question=question)
        if draw < 0.80:
            return fill(rng.choice(self.formats["context"]), question=question, entity=entity)
        if draw < 0.82:
            return self.material.prompts.noise.dressed(
                rng, question.replace("{", "").replace("}", "")
            )
        return self._with_examples(rng, question)

    def _with_examples(self, rng: random.Random, question: str) -> str:
        """Question-answer pairs about other facts, then the question."""
        layout = rng.choice(self.formats["question_answer"])
        blocks = []
        if layout["header"] and rng.random() < 0.7:
            blocks.append(layout["header"])
        for _ in range(rng.choice((0, 1, 1, 2, 2, 3))):
            thing, asked = self.things.draw(rng)
            frames = [*asked.questions] or self.frames
            template = rng.choice(frames).replace("{noun}", self.noun(rng, asked))
            values = self.things.values(rng, thing, asked, 2)
            if values:
                blocks.append(
                    fill(
                        layout["example"],
                        example_question=fill_prompt(template, thing.name),
                        example_answer=values[0],
                    )
                )
        blocks.append(fill(layout["last"], question=question))
        return str(layout["separator"]).join(blocks)

    def paragraph_prompt(self, rng: random.Random, typed: str) -> str:
        if rng.random() < 0.08:  # the bare name
            return rng.choice((typed, f"{typed}?", f"{typed}."))
        if rng.random() < 0.35:
            return fill_prompt(
                rng.choice(self.formats["paragraph"]), typed, bare=drops_article(rng)
            )
        general = self.material.phrases.general["paragraph_prompts"]
        template = self.material.prompts.retyped(rng, rng.choice(general))
        return fill_prompt(template, typed, bare=drops_article(rng))
