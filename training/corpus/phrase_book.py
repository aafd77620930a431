"""The hand-written phrases of corpus/phrases/, and how a phrase becomes text with its lookups.

A template is English with placeholders: `{entity}`, `{entity's}`, `{value}`, `{a value}`,
`{RELATION}`, `{a RELATION}` and `{one|many}`, which agrees with the number of values of the next
value in the sentence. A sentence begins with the lookup of its first relation, so that its words
are chosen beside the name of that relation and its answer: where the lookup stood within, a model
began with "was discovered by" and then looked up `discovered`. The lookups of a joined sentence's
further relations are written where their answers are first needed: before the value, or before an
article, a plural or a verb whose form depends on it. So the model never writes a word that
presupposes a value which it has not been given, and never holds two values that it has not yet
said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from graph.core.facts import MAX_VALUES, join_values
from training.data.documents import write_lookup

FOLDER = Path(__file__).parent / "phrases"
ANY_TYPE = "default"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_AN = re.compile(
    r"(?!uni|eu|one\b|once|use|usu|ut[ei]|u\.)[aeiouáéíóàèöäåæø]|8|1[18]\b|hour|honou?r|heir", re.I
)


# Names that take "the" inside a sentence, told by how they are spelt; a made-up name may too.
_DEFINITE = re.compile(
    r"""^(?:
        United\ (?:States|Kingdom|Arab|Nations|Provinces)
        |(?:Netherlands|Bahamas|Philippines|Maldives|Comoros|Holy\ See|Caribbean|Balkans|Andes|Alps
            |Pyrenees|Himalayas|Rockies|Sahara|Middle\ East|Moon|Sun|euro|Great\ Lakes
            |(?:New|Old)\ Testament|Prophets|Apocrypha|Hagiographa|Torah|Tanakh|zodiac|Wise\ Men
            |Apennines|Catskills|Massif\ Central|Black\ Forest|Eurozone|Norman\ Conquest
            |Gestapo|Arctic|Antarctic|Levant|Midwest|Middle\ West|Great\ Rift\ Valley
            |Appalachians|Cascades|Karakoram|Hindu\ Kush|Tien\ Shan|Solomons|Sierra\ Nevada
            |British\ Isles|West\ Indies|Deep\ South|Maritime\ Provinces|Great\ Bear
            |(?:north|south|east|west)ern\ hemisphere
            |\S+ern\ United\ States|Mojave|Marine\ Biological\ Laboratory
            |(?:The\ )?Wellcome\ Research\ Laboratories|Moirai|Trimurti|Lake\ Poets|Marx\ Brothers
            |(?:Gold|Central|Sunshine)\ Coast|Veterans\ Administration\ Hospital
            |(?:Mormon|Unification|Armenian\ Apostolic)\ Church|Frankish\ monarchy
            |OSCE|OECD|OPEC|European\ Community|Black\ Hills|Far\ East|Near\ East)$
        |(?:Republic|Kingdom|Commonwealth|Principality|Sultanate|Federation|State|Union|University
            |Battle|Siege|Gulf|Bay|Strait|Sea|Council|Bank|Order|Treaty|House|War|Institute|Isle
            |Organisation|Organization|Laboratories|Academy|Society|Church|Congress|Community
            |Seven\ Wonders|School)\ of\ 
        |Institute\ for\ 
        |(?:MRC|IBM|US)\ .*Laboratory
        |Nobel\ .*Prize
        |.*\ (?:Islands|Republic|Republics|Kingdom|Union|Party|River|Sea|Ocean|Canal|Desert
            |Mountains|Alps|Archipelago|Peninsula|Empire|Organization|Organisation|Agency|Court
            |Nations|League|Commonwealth|Festival|Administration|Center|Centre|Wars?|Territories|Lagoon
            |Territory|Channel|Strait|Gulf|Basin|Group|Club|Lowlands|Highlands|Plains|Steppe
            |Institutes?|Institutet|Academy|Society|Council|Community|Forum|Area|Trinity
            |Campaign|Plateau|Range|Treaty|School\ of\ Economics)
            (?:\ (?:of|for|in|on)\ .*)?$
        |[A-Z]\S+\ Revolution$
        |\S+\ (?:\S+\ ){0,2}(?:dynasty|movement|sect|library|missions|ballet|order|school|skull
            |gun|engine|lens|chamber|pile|loom|gin|thermometer|barometer|machine|pendulum|scale
            |process|rifle|record|burner|flask|writing\ system|dome|alphabet|cycle)
            (?:\ of\ friars)?$
        |Vatican\ service\ for\ 
        |(?:airplane|saxophone|gyrocompass|astrolabe|bolometer|iconoscope|radiometer|electron|pion
            |balance\ spring|atomic\ nucleus|spinning\ jenny|red\ shift|wave\ equation)$
        |(?:cause|principles|precession|effects|anesthetic\ effects|cellular\ structure)\ of\ 
        |.*\ (?:dollar|pound|franc|peso|rupee|dinar|krone|krona|rand|yen|yuan|real|rial|ruble|shekel
            |shilling|baht|won|lira|zloty|forint)$
    )""",
    re.X,
)
_NO_ARTICLE = re.compile(
    r"^(?:[Tt]he|A|An|Le|La|Les|El|Los|Las|Il|Der|Die|Das|My|His|Her|Our|Open)\b"
    r"|^World War|[(,]|^G\d"
)


def definite(name: str) -> str:
    """`"the "` for names which English gives the article, such as United States; else nothing."""
    return "the " if _DEFINITE.match(name) and not _NO_ARTICLE.search(name) else ""


def article(noun: str) -> str:
    """The indefinite article that English wants before `noun`."""
    return "an" if _AN.match(noun) else "a"


_WORKS = frozenset({"appeared in", "directed"})
"""Relations to titles, which take no article of the sentence: a film may be called Mystic River."""


def enumerate_values(
    values: Sequence[str], *, indefinite: bool = False, titles: bool = False
) -> str:
    """Several values as a sentence lists them: `A, B and C`; beyond five, `… and 3 others`."""
    shown = [
        (f"{article(v)} " if indefinite else "" if titles else definite(v)) + v
        for v in values[:MAX_VALUES]
    ]
    if len(values) > MAX_VALUES:
        left = len(values) - MAX_VALUES
        shown.append(f"{left} other{'s' if left > 1 else ''}")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def with_article(name: str, possessive: bool = False) -> str:
    """A name as it stands inside a sentence: `the United States`, `France's`."""
    written = definite(name) + name
    if not possessive:
        return written
    return written + ("'" if definite(name) and name.endswith("s") else "'s")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a sentence is about, and whether "it" may stand for the name."""

    name: str
    pronoun: bool = False

    def written(self, possessive: bool) -> str:
        """The name or the pronoun, as it stands inside a sentence."""
        if self.pronoun:
            return "its" if possessive else "it"
        return with_article(self.name, possessive)


def render(
    template: str,
    subject: Subject,
    answers: Mapping[str, Sequence[str]],
    relation: str = "",
    first: Iterable[str] = (),
) -> str:
    """Fill a template and write its lookups where their answers are first needed.

    Args:
        template: the phrase.
        subject: what `{entity}` stands for; the lookups always ask by its name.
        answers: the values by relation.
        relation: the relation that `{value}` stands for.
        first: relations to look up before the sentence, since its wording was chosen by them.
    """
    # "The capital of it" and "It, with Austin as its capital," are nothing that anybody writes.
    if not template.startswith(("{entity} ", "{entity's} ")):
        subject = Subject(subject.name)
    parts = split_template(template)  # literal, placeholder, literal, ...
    meanings = [_meaning(part, relation) if i % 2 else "" for i, part in enumerate(parts)]
    needed_at = dict.fromkeys(first, 0)  # relation -> where in the sentence its answer is needed
    sentence = ""
    verbatim = False  # whether the sentence opens with a name or a value, which keeps its spelling
    for i, part in enumerate(parts):
        meaning = meanings[i]
        if meaning == "|":
            meaning = next(
                m
                for m in (*meanings[i + 1 :], *reversed(meanings[:i]))
                if m not in ("", "|", "entity")
            )
            written = part.split("|", 1)[len(answers[meaning]) > 1]
        elif meaning == "entity":
            written = subject.written(part.endswith("'s"))
        elif meaning:
            written = enumerate_values(
                answers[meaning], indefinite=part.startswith("a "), titles=meaning in _WORKS
            )
        else:
            written = part
        if meaning not in ("", "entity"):
            needed_at.setdefault(meaning, len(sentence))
        if meanings[i] not in ("", "|") and sentence.lower().endswith(("the ", " name ")):
            written = written.removeprefix("the ")
        if not sentence and written:
            verbatim = (
                meanings[i] not in ("", "|")
                and not written.startswith(("the ", "it ", "its ", "a ", "an "))
                and written not in ("it", "its")
            )
        if sentence.endswith(".") and written.startswith("."):
            written = written[1:]  # "Washington, D.C." closes a sentence by itself
        sentence += written
    if not verbatim:
        sentence = sentence[:1].upper() + sentence[1:]
    return _with_lookups(sentence, subject.name, needed_at, answers)


def _with_lookups(
    sentence: str, entity: str, needed_at: Mapping[str, int], answers: Mapping[str, Sequence[str]]
) -> str:
    """Insert the lookups before the words that need their answers, last one first."""
    starts = {r: sentence.rfind(" ", 0, at) + 1 for r, at in needed_at.items()}
    in_order = sorted(starts.items(), key=lambda item: item[1])  # stable: ties as they are asked
    for relation, start in in_order[::-1]:
        lookup = write_lookup(entity, relation, join_values(answers[relation]).text)
        after = sentence[start:]
        if not after.startswith("<|db_entity|>"):
            after = " " + after
        sentence = sentence[:start].rstrip(" ") + lookup + after
    return sentence


def opens_well(
    template: str, subject: Subject, answers: Mapping[str, Sequence[str]], relation: str = ""
) -> bool:
    """Whether a sentence would not begin with a name or value in lower case, such as "selenium"."""
    parts = split_template(template)
    if parts[0] or parts[1].startswith("a ") or "|" in parts[1]:
        return True
    meaning = _meaning(parts[1], relation)
    name = (
        subject.written(False)
        if meaning == "entity"
        else definite(answers[meaning][0]) + answers[meaning][0]
    )
    return not name[0].islower() or name.startswith(("the ", "it"))


def _meaning(placeholder: str, relation: str) -> str:
    """What a placeholder stands for: `entity`, `|` for an agreement, or a relation's name."""
    if placeholder in ("entity", "entity's"):
        return "entity"
    if "|" in placeholder:
        return "|"
    name = placeholder.removeprefix("a ")
    return relation if name == "value" else name


def split_template(template: str) -> list[str]:
    """Literals and placeholders of a template in turn, beginning and ending with a literal."""
    return _PLACEHOLDER.split(template)


@dataclass(frozen=True)
class RelationPhrases:
    """The wordings of one relation."""

    noun: str
    nouns: str
    reference: str | None
    """A noun phrase for the value, such as `the country where {entity} was born`; links only."""
    statements: Mapping[str, Sequence[str]]
    """By the type of the entity; `default` serves every other type."""
    questions: Mapping[str, Sequence[str]]

    def statements_for(self, entity_type: str) -> Sequence[str]:
        """The statements that fit an entity of this type."""
        return self.statements.get(entity_type) or self.statements[ANY_TYPE]

    def questions_for(self, entity_type: str) -> Sequence[str]:
        """The questions that fit an entity of this type."""
        return self.questions.get(entity_type) or self.questions[ANY_TYPE]


@dataclass(frozen=True)
class JoinedSentence:
    """A sentence that states two or three relations at once."""

    relations: tuple[str, ...]
    text: str
    same: str | None = None
    """The wording for the case that the first two relations have the same values."""

    def render(self, subject: Subject, answers: Mapping[str, Sequence[str]]) -> str:
        """The sentence, after all its lookups.

        Where a lookup stood within, its words were chosen before the model saw whether the list
        goes on with that relation: "was a native of" was followed by whatever was listed next.
        """
        a, b = self.relations[:2]
        template = self.same if self.same and answers[a] == answers[b] else self.text
        return render(template, subject, answers, first=self.order)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The relations in the order in which they are looked up: as the text needs them.

        Where the text has two wordings, the two relations that decide between them come first.
        """
        answers = {r: (str(i),) for i, r in enumerate(self.relations)}
        ahead = self.relations[:2] if self.same else ()
        sentence = render(self.text, Subject("x"), answers, first=ahead)
        asked = {
            r: sentence.index(write_lookup("x", r, str(i))) for i, r in enumerate(self.relations)
        }
        return tuple(sorted(asked, key=asked.__getitem__))

    def opens_well(self, subject: Subject, answers: Mapping[str, Sequence[str]]) -> bool:
        """Whether neither of its wordings would begin with a name in lower case."""
        return all(opens_well(t, subject, answers) for t in (self.text, self.same) if t)


@dataclass(frozen=True)
class Phrases:
    """All phrases of the folder."""

    relations: Mapping[str, RelationPhrases] = field(default_factory=dict)
    sentences: Sequence[JoinedSentence] = ()


def _by_type(given: Any) -> dict[str, list[str]]:
    return given if isinstance(given, dict) else {ANY_TYPE: given}


@cache
def load_phrases(folder: Path = FOLDER) -> Phrases:
    """Read every YAML file of the folder.

    Raises:
        ValueError: a relation is described in two files.
    """
    relations: dict[str, RelationPhrases] = {}
    sentences: list[JoinedSentence] = []
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, given in (content.get("relations") or {}).items():
            if name in relations:
                raise ValueError(f"{path.name} describes the relation {name!r} a second time.")
            relations[name] = RelationPhrases(
                given["noun"],
                given.get("nouns", given["noun"] + "s"),
                given.get("reference"),
                _by_type(given["statements"]),
                _by_type(given["questions"]),
            )
        for given in content.get("sentences") or ():
            sentences.append(
                JoinedSentence(tuple(given["relations"]), given["text"], given.get("same"))
            )
    return Phrases(relations, tuple(sentences))
