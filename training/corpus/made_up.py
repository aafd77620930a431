"""Made-up values, names and relation names, so that copying is learnt and not the world's facts.

Each function draws from a `random.Random` that the caller seeds. Strings are 1 to 40 characters,
in many scripts, with digits, symbols and punctuation, and never have a `; ` inside, which separates
the values of one answer. They reach every piece of the tokenizer's vocabulary, since a piece that
no document holds cannot be copied: hence spliced words, formulas and characters of any script.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

MAX_CHARACTERS = 40

_ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "br",
    "ch",
    "cl",
    "dr",
    "fl",
    "gr",
    "kr",
    "pl",
    "pr",
    "sh",
    "st",
    "th",
    "tr",
    "vl",
    "zh",
]
_NUCLEI = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ai", "ea", "ia", "oo", "ou", "y"]
_CODAS = ["", "", "", "", "l", "m", "n", "r", "s", "t", "ck", "nd", "rn", "ss", "x"]
_ACCENTED = "áàâäãåçéèêëíìîïñóòôöõøúùûüýčďěňřšťžąęłńśźżăîșțğışőűþðæœß"
_SCRIPTS = {
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщыьэюя",
    "greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "devanagari": "अआइईउकखगघचछजझटडणतथदधनपफबभमयरलवशसह",
    "han": "山水火木金土日月人大小中国北京東西南學生天地海川田林石空風雨花龍馬鳥魚",
    "kana": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほアイウエオカキクケコ",
    "hangul": "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "thai": "กขคงจชซญดตถทธนบปผพฟภมยรลวศสหอ",
}
SCRIPTS = ("latin", "accented", *_SCRIPTS)
_BLOCKS = (  # of Unicode, first and last character: for strings in any script
    (0x4E00, 0x9FFF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x3041, 0x3096), (0x30A1, 0x30FA),
    (0x0400, 0x045F), (0x0391, 0x03C9), (0x05D0, 0x05EA), (0x0621, 0x064A), (0x0904, 0x0939),
    (0x0985, 0x09B9), (0x0B85, 0x0BB9), (0x0E01, 0x0E30), (0x10D0, 0x10F0), (0x0531, 0x0556),
    (0x1200, 0x1248), (0x1EA0, 0x1EF9), (0x00C0, 0x017F), (0x2190, 0x21FF), (0x2200, 0x22FF),
    (0x1F300, 0x1F5FF), (0x1F600, 0x1F64F),
)  # fmt: skip
_FORMULA = ["C", "C", "H", "N", "O", "S", "F", "Cl", "Br", "c", "n", "(", ")", "[", "]", "=", "#",
            "+", "-", "/", "@", ".", "*", "^", "{", "}", "<", ">", "_", "&", "%", "$", "~", "|",
            "1", "2", "3", "0", "x", "y"]  # fmt: skip
_UNITS = [
    "km",
    "kg",
    "m",
    "cm",
    "ha",
    "mph",
    "kWh",
    "litres",
    "tonnes",
    "kilometres",
    "metres",
    "years",
    "hours",
    "days",
    "percent",
    "feet",
]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SYMBOLS = ["&", "/", "+", "-", "–", "'", "’", "·", ":", "@", "#", "_", "*", "=", "~", "|", "!"]


def made_up_word(rng: random.Random, syllables: int | None = None) -> str:
    """One pronounceable word in lower-case Latin letters."""
    count = syllables or rng.choice((1, 2, 2, 2, 3, 3, 4))
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_NUCLEI) + (rng.choice(_CODAS) if i == count - 1 else "")
        for i in range(count)
    )


def _letters(rng: random.Random, alphabet: str, low: int, high: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def in_script(rng: random.Random, script: str) -> str:
    """One to three made-up words in one of `SCRIPTS`."""
    if script == "latin":
        words = [made_up_word(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    elif script == "accented":
        words = []
        for _ in range(rng.choice((1, 1, 2))):
            letters = list(made_up_word(rng))
            for _ in range(rng.randint(1, 3)):
                letters[rng.randrange(len(letters))] = rng.choice(_ACCENTED)
            words.append("".join(letters))
    else:
        longest = 5 if script in ("han", "kana", "hangul") else 9
        alphabet = _SCRIPTS[script]
        words = [_letters(rng, alphabet, 1, longest) for _ in range(rng.choice((1, 1, 2)))]
    if rng.random() < 0.75:
        words = [word[:1].upper() + word[1:] for word in words]
    return " ".join(words)


def number(rng: random.Random) -> str:
    """A number, an amount, a date or a code, often with repeated digits."""
    digits = str(rng.randint(0, 10 ** rng.randint(1, 9)))
    if rng.random() < 0.3:
        digits = "".join(rng.choice("0123456789") * rng.randint(1, 4) for _ in range(3))
    form = rng.randrange(12)
    if form == 0:
        return digits
    if form == 1:
        return f"{rng.randint(1000, 10 ** rng.randint(4, 10)):,}"
    if form == 2:
        return f"{rng.randint(0, 9999)}.{rng.randint(0, 999)}"
    if form == 3:
        return f"{rng.randint(1, 99999):,} {rng.choice(_UNITS)}"
    if form == 4:
        tail = rng.choice(["", ".5", ".75", " million", " billion"])
        return f"{rng.choice('$€£¥')}{rng.randint(1, 999)}{tail}"
    if form == 5:
        return f"{rng.randint(1, 28)} {rng.choice(_MONTHS)} {rng.randint(1000, 2999)}"
    if form == 6:
        return str(rng.randint(1000, 2999))
    if form == 7:
        return f"{rng.randint(0, 100)}{rng.choice(['%', '°', ' °C', 'th', 'nd', 's', 'k', 'm'])}"
    if form == 8:
        code = "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
        return f"{code}{rng.choice(['-', '', ' ', '/'])}{digits[:6]}"
    if form == 9:
        between = rng.choice(["–", " to ", "-", " and "])
        return f"{rng.randint(1000, 2999)}{between}{rng.randint(1000, 2999)}"
    if form == 10:
        return f"{rng.choice('+-−~<>')}{digits[:8]}"
    return f"{rng.choice(_MONTHS)} {rng.randint(1, 28)}, {rng.randint(1000, 2999)}"


def symbolic(rng: random.Random, words: Sequence[str]) -> str:
    """Words with punctuation and symbols, as titles, firms and formulas have them."""
    a, b = rng.choice(words), rng.choice(words)
    A, B = a[:1].upper() + a[1:], b[:1].upper() + b[1:]
    n = rng.randint(1, 2999)
    return rng.choice(
        [
            f"{A} & {B}",
            f"{A}'s {B}",
            f"{A}’s {b}",
            f"{A}, {B}",
            f"{A} ({b})",
            f"{A} ({n})",
            f"{A}/{B}",
            f"{A}-{b}",
            f"{A} – {B}",
            f"“{A} {b}”",
            f'"{A}" {b}',
            f"{A}: {B}",
            f"{A}! {B}?",
            f"St. {A}",
            f"{A} {B}, Jr.",
            f"{A[:1]}. {B}",
            f"O'{A}",
            f"{A}{n}",
            f"{n} {a} {b}",
            f"{a}@{b}",
            f"#{a}_{n}",
            f"{A}+{B}",
            f"{a}{rng.choice(_SYMBOLS)}{b}",
            f"{A[:2].upper()}{rng.choice(_SYMBOLS)}{n}",
            f"[{A}] {b}",
            f"{A} No. {n}",
        ]
    )


def in_any_script(rng: random.Random) -> str:
    """Characters of one block of Unicode, drawn from all of its letters or signs."""
    first, last = rng.choice(_BLOCKS)
    drawn = "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 8)))
    return "".join(c for c in drawn if unicodedata.category(c)[0] in "LSN") or "字"


def formula(rng: random.Random) -> str:
    """Signs as chemistry, mathematics and programs string them together, with runs."""
    if rng.random() < 0.3:  # long runs of few signs: how many there are has to be copied
        signs = rng.choice(("C", "CC", "C", "N", "0", "ab"))
        branch = rng.choice(("(C)", "(CC)", "=C", "1", "N", "(O)", "0"))
        text = "".join(
            signs * rng.randint(1, 6) + (branch if rng.random() < 0.5 else "")
            for _ in range(rng.randint(1, 4))
        )
        return text[:MAX_CHARACTERS]
    parts = []
    for _ in range(rng.randint(2, 14)):
        part = rng.choice(_FORMULA)
        parts.append(part * rng.choice((1, 1, 1, 1, 2, 3, 6)))
    return "".join(parts)


def spliced(rng: random.Random, words: Sequence[str]) -> str:
    """Slices of real words glued to one: letters in the order of words, but no known word."""
    parts = []
    for _ in range(rng.randint(2, 4)):
        word = rng.choice(words)
        start = rng.randrange(max(1, len(word) - 2))
        parts.append(word[start : start + rng.randint(2, 6)])
    text = rng.choice(("", "", "", "-", "'", "/", "_")).join(parts)
    return text[:1].upper() + text[1:] if rng.random() < 0.5 else text


def title(rng: random.Random, words: Sequence[str]) -> str:
    """A title or a name of several parts, whose words may come twice."""
    a, b, c = (rng.choice(words) for _ in range(3))
    if rng.random() < 0.15:
        c = a
    A, B, C = (word[:1].upper() + word[1:] for word in (a, b, c))
    return rng.choice(
        [
            f"{A} and {B}",
            f"{A} and {B}",
            f"{A} of {B}",
            f"The {A} of the {B}",
            f"{A} of the {B} of the {C}",
            f"The {A}, the {B} and the {C}",
            f"{A}: {B} {C}",
            f"{A} {B}: {C} and {B}",
            f"{A}: Part {rng.choice(('I', 'II', 'III', 'IV', '2', '3'))} – {B}",
            f"{A} {rng.choice(('I', 'II', 'III', 'IV', 'VI', 'IX'))}",
            f"{A} the {B}",
            f"{A} in the {B}",
            f"{A} {A}",
            f"{A} or {B}",
            f"{A} with {b} and {c}",
            f"{A}-{B}-{C}",
            f"{A} for {B}",
            f"{A} – {b} of {c}",
        ]
    )


def siblings(rng: random.Random, words: Sequence[str], number: int) -> list[str]:
    """Values that share their beginning or their end, as the parts of a series do."""
    stem = title(rng, words)[:22].rstrip(" :,–-")
    glue = rng.choice((" ", ": ", " and ", " of the ", ", "))
    ends = [rng.choice(words).capitalize() for _ in range(number)]
    pairs = ((stem, end) if rng.random() < 0.8 else (end, stem) for end in ends)
    return [f"{first}{glue}{second}"[:MAX_CHARACTERS].strip() for first, second in pairs]


def made_up_value(rng: random.Random, kind: str | None = None, words: Sequence[str] = ()) -> str:
    """A made-up value of at most 40 characters.

    `kind` is one of `SCRIPTS`, `number`, `symbolic`, `words`, `character`, `any script`, `formula`,
    `spliced` or `title`; without one, any.
    `words` are real words to build from; made-up ones stand in for them where there are none.
    """
    pool = words or [made_up_word(rng) for _ in range(8)]
    if kind is None:
        kind = rng.choices(
            (
                "latin",
                "accented",
                "other",
                "any script",
                "number",
                "symbolic",
                "words",
                "character",
                "formula",
                "spliced",
                "title",
            ),
            (0.15, 0.08, 0.12, 0.06, 0.16, 0.11, 0.09, 0.02, 0.06, 0.07, 0.08),
        )[0]
        if kind == "other":
            kind = rng.choice(tuple(_SCRIPTS))
    if kind == "number":
        value = number(rng)
    elif kind == "symbolic":
        value = symbolic(rng, pool)
    elif kind == "words":
        value = " ".join(rng.choice(pool) for _ in range(rng.randint(1, 5)))
        if rng.random() < 0.5:
            value = value[:1].upper() + value[1:]
    elif kind == "any script":
        value = in_any_script(rng)
    elif kind == "formula":
        value = formula(rng)
    elif kind == "spliced":
        value = spliced(rng, pool)
    elif kind == "title":
        value = title(rng, pool)
    elif kind == "character":
        value = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    else:
        value = in_script(rng, kind)
    value = value[:MAX_CHARACTERS].strip()
    if value.casefold() in (
        "unknown",
        "relations",
        "",
    ):  # these two words have a meaning of their own
        return made_up_word(rng, 3)
    return value


def alike(rng: random.Random, value: str) -> str:
    """A string with the same beginning as `value`, so that a copy must be read to its end."""
    stem = value[: max(1, len(value) - rng.randint(0, 3))]
    if any(c.isdigit() for c in value[-2:]):
        return (stem + rng.choice("0123456789"))[:MAX_CHARACTERS]
    return (stem + rng.choice(["a", "e", "o", "in", "ar", "ius", "ov", "s", " II"]))[
        :MAX_CHARACTERS
    ]


_NAMES = (  # forms of names, each up to its share: "" is any of the scripts
    ("symbolic", 0.08),
    ("", 0.15),
    ("accented", 0.21),
    ("any script", 0.24),
    ("spliced", 0.31),
    ("title", 0.45),
)


def made_up_name(rng: random.Random, words: Sequence[str] = ()) -> str:
    """The name of an entity that does not exist, with years, brackets and commas at times."""
    pool = words or [made_up_word(rng) for _ in range(8)]
    form = rng.random()
    for kind, share in _NAMES:
        if form < share:
            return made_up_value(rng, rng.choice(tuple(_SCRIPTS)) if kind == "" else kind, pool)
    if form > 0.98:  # names that read like a question: "What is Miller's Crossing?"
        a, b = (rng.choice(pool).capitalize() for _ in range(2))
        c = rng.choice(pool)
        whole = rng.choice(
            (f"{a}'s {b}", f"{a}'s {c}", f"{a}s' {b}", f"{a} and {b}", f"{a} of {b}")
        )
        return whole[:MAX_CHARACTERS].strip()
    if form > 0.94:  # names that English gives the article
        a, b = ((made_up_word(rng) if rng.random() < 0.5 else rng.choice(pool)) for _ in range(2))
        A, B = a.capitalize(), b.capitalize()
        noun = rng.choice(("River", "Sea", "Ocean", "Islands", "Desert", "Mountains", "Peninsula"))
        of = rng.choice(("University", "Battle", "Sea", "Gulf", "Bay", "Republic", "Kingdom"))
        whole = rng.choice((f"{A} {noun}", f"{of} of {B}", f"{of} of {A} {B}", f"{A} {B} {noun}"))
        return whole[:MAX_CHARACTERS].strip()
    if form < 0.50:
        name = " ".join(rng.choice(pool) for _ in range(rng.randint(1, 3)))
        return name[:MAX_CHARACTERS].strip() or "thing"
    parts = [
        (made_up_word(rng) if rng.random() < 0.6 else rng.choice(pool)).capitalize()
        for _ in range(rng.choice((1, 2, 2, 2, 3)))
    ]
    name = " ".join(parts)
    tail = rng.random()
    if tail < 0.07:
        name += f" ({rng.randint(1500, 2040)})"
    elif tail < 0.14:
        name += f" ({rng.choice(pool)})"
    elif tail < 0.20:
        name += f", {made_up_word(rng).capitalize()}"
    elif tail < 0.24:
        name += f" {rng.randint(1, 2040)}"
    elif tail < 0.27:
        name = f"The {name}"
    return name[:MAX_CHARACTERS].strip().rstrip("(,")


def restyle(rng: random.Random, relation: str) -> str:
    """The same relation name in another spelling: Title Case, snake_case, camelCase and so on."""
    words = relation.replace("_", " ").split()
    form = rng.randrange(5)
    if form == 0:
        return " ".join(word[:1].upper() + word[1:] for word in words)
    if form == 1:
        return "_".join(word.lower() for word in words)
    if form == 2:
        first, *rest = words
        return first.lower() + "".join(word[:1].upper() + word[1:] for word in rest)
    if form == 3:
        return relation[:1].upper() + relation[1:]
    return relation.lower()


def made_up_relation(rng: random.Random, words: Sequence[str]) -> str:
    """A relation name that is not in the world: real and made-up words in many spellings."""
    if rng.random() < 0.08:
        return " ".join((spliced(rng, words), rng.choice(words)))[:MAX_CHARACTERS].strip()
    count = rng.choice((1, 1, 2, 2, 2, 3, 3, 4, 5))
    parts = [made_up_word(rng) if rng.random() < 0.3 else rng.choice(words) for _ in range(count)]
    if count > 1 and rng.random() < 0.25:
        parts.insert(
            rng.randint(1, count - 1), rng.choice(["of", "in", "by", "for", "at", "as", "to"])
        )
    if rng.random() < 0.15:
        parts[-1] += rng.choice([" of", " by", " in", " at"])
    tail = rng.random()
    if tail < 0.04:
        parts.append(str(rng.randint(1900, 2030)))
    elif tail < 0.07:
        parts[0] += "'s"
    elif tail < 0.09:
        parts.append(f"({rng.choice(words)})")
    elif tail < 0.10:
        parts[0] = f"{parts[0]}-{rng.choice(words)}"
    name = restyle(rng, " ".join(parts))[:MAX_CHARACTERS].strip().rstrip("(-_")
    return (
        name if name and name.casefold() not in ("relations", "unknown") else made_up_word(rng, 2)
    )


def relation_family(rng: random.Random, words: Sequence[str], number: int) -> list[str]:
    """Names of relations that share a word: `critical pressure`, `critical volume` and so on."""
    shared = [rng.choice(words) for _ in range(rng.choice((1, 1, 2)))]
    last = rng.random() < 0.3  # whether they share their end
    joint = rng.choice((" ", " ", " of ", "-"))
    names: list[str] = []
    known: list[str] = []  # words of the names so far
    for _ in range(number):
        # Of known words alone, "critical pressure" went on as "critical fressure": the end of a
        # name that begins like its neighbours is to be copied, not guessed. Some words are made of
        # a piece and a neighbour's end, as "compressibility" and "pressure" share one.
        own = []
        for _ in range(rng.choice((1, 1, 2))):
            draw = rng.random()
            if draw < 0.15 and known:
                own.append(rng.choice(words)[: rng.randint(1, 4)] + rng.choice(known)[1:])
            else:
                own.append(spliced(rng, words) if draw < 0.45 else rng.choice(words))
        known += own
        parts = (own, shared) if last else (shared, own)
        names.append(joint.join(" ".join(part) for part in parts)[:MAX_CHARACTERS].strip())
    return names
