"""Documents from answers that somebody found wrong: the wording stays, names and values do not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator

from graph.core.names import fold
from training.case_file import Case
from training.corpus.questions.asked_relations import AskedRelation, without_names
from training.corpus.questions.asking import Asking
from training.corpus.questions.label_sentences import is_noun, plain_label
from training.corpus.questions.listing import Listing, listed
from training.corpus.questions.things import Things
from training.corpus.templates import fill_prompt


def template_of(case: Case) -> str:
    """The question with a gap for the name; "" if the name is not found in it.

    >>> template_of(Case("Who bosses Ada?", "Ada Osei", "reports to", "Jun"))
    'Who bosses {entity}?'
    """
    prompt = case.prompt.replace("{", "(").replace("}", ")")
    words = sorted(re.findall(r"\w+", case.entity), key=len, reverse=True)
    for name in (case.entity, *(word for word in words if len(word) > 2)):
        if fold(name) not in fold(prompt):
            continue
        found = re.search(rf"(?<!\w){re.escape(name)}(?P<s>'s)?(?!\w)", prompt, re.I)
        if found:
            gap = "{entity's}" if found["s"] else "{entity}"
            return prompt[: found.start()] + gap + prompt[found.end() :]
    return ""


class OwnCases:
    """Writes documents with the wordings of cases."""

    def __init__(
        self, cases: Iterable[Case], things: Things, asking: Asking, listing: Listing
    ) -> None:
        self.things, self.asking, self.listing = things, asking, listing
        self._cases = [(case, template) for case in cases if (template := template_of(case))]

    def __bool__(self) -> bool:
        return bool(self._cases)

    def compared(self) -> Iterator[str]:
        """What a list is ranked for, and the relations that are asked for."""
        for case, template in self._cases:
            yield without_names(template)
            if case.relation:
                yield plain_label(case.relation)

    def document(self, rng: random.Random) -> tuple[str, str]:
        """A question in the words of a case, about a made-up thing."""
        case, template = rng.choice(self._cases)
        seen, plain = without_names(template), plain_label(case.relation)
        draw = self.things.of_own_table if rng.random() < 0.6 else self.things.made_up
        labels: list[str] = []
        while not labels:
            thing, _ = draw(rng)
            labels = [
                label
                for label in thing.labels
                if not self.listing.means(plain_label(label), plain or seen, seen)
            ]
        thing.labels = labels
        prompt = self.asking.dress(rng, fill_prompt(template, thing.typed), thing.typed)
        if not case.relation:
            ranked = self.listing.relevance.ranked(rng, [seen], thing.labels)
            lookup = listed(thing.typed, thing.name, ranked)
            return prompt, f"{lookup} {self.listing.refusal(rng, thing.name, ranked, '')}"
        thing.labels.insert(rng.randint(0, len(thing.labels)), case.relation)
        nouns = (plain,) if is_noun(plain) else ()
        asked = AskedRelation(case.relation, (template,), nouns, source="cases")
        stated = self.things.state(rng, thing, asked, self.things.values(rng, thing, asked))
        text = self.listing.list_for(rng, thing, [seen], [asked.label])
        return prompt, f"{text}{stated.lookup} {stated.sentence}"
