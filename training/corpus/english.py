"""English articles, possessives and enumerations, as the sentences of the corpus need them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graph.core.facts import MAX_VALUES

_AN = re.compile(
    r"(?!uni|eu|one\b|once|use|usu|ut[ei]|u\.)[aeiouáéíóàèöäåæø]|8|1[18]\b|hour|honou?r|heir", re.I
)
# Names that take "the" inside a sentence, judged by spelling, so a made-up name may be one.
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


def definite_article(name: str) -> str:
    """`"the "` for names which English gives the article, such as United States; else nothing."""
    return "the " if _DEFINITE.match(name) and not _NO_ARTICLE.search(name) else ""


def indefinite_article(noun: str) -> str:
    """The indefinite article that English wants before `noun`."""
    return "an" if _AN.match(noun) else "a"


def enumerate_values(
    values: Sequence[str], *, indefinite: bool = False, titles: bool = False
) -> str:
    """Several values as a sentence lists them: `A, B and C`; beyond five, `… and 3 others`."""
    shown = [
        (f"{indefinite_article(v)} " if indefinite else "" if titles else definite_article(v)) + v
        for v in values[:MAX_VALUES]
    ]
    if len(values) > MAX_VALUES:
        left = len(values) - MAX_VALUES
        shown.append(f"{left} other{'s' if left > 1 else ''}")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def with_article(name: str, possessive: bool = False) -> str:
    """A name as it stands inside a sentence: `the United States`, `France's`."""
    written = definite_article(name) + name
    if not possessive:
        return written
    return written + ("'" if definite_article(name) and name.endswith("s") else "'s")
