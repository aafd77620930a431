"""Made-up words and values, so that the model learns to copy instead of learning facts.

Each function draws from a `random.Random` that the caller seeds. A value has 1 to 40 characters, in
one of many scripts, with digits, symbols and punctuation. It never contains `; `, which separates
the values of one answer. Together the values reach every piece of the tokenizer's vocabulary,
because the model cannot copy a piece that no document holds: hence the spliced words, the formulas
and the characters of any script.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

MAX_CHARACTERS = 40

_ONSETS = [
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z",
    "br", "ch", "cl", "dr", "fl", "gr", "kr", "pl", "pr", "sh", "st", "th", "tr", "vl", "zh",
]  # fmt: skip
_NUCLEI = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ai", "ea", "ia", "oo", "ou", "y"]
_CODAS = ["", "", "", "", "l", "m", "n", "r", "s", "t", "ck", "nd", "rn", "ss", "x"]
_ACCENTED = "áàâäãåçéèêëíìîïñóòôöõøúùûüýčďěňřšťžąęłńśźżăîșțğışőűþðæœß"
ALPHABETS = {
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
SCRIPTS = ("latin", "accented", *ALPHABETS)
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
    "km", "kg", "m", "cm", "ha", "mph", "kWh", "litres", "tonnes", "kilometres", "metres",
    "years", "hours", "days", "percent", "feet",
]  # fmt: skip
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
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
        alphabet = ALPHABETS[script]
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
    """Slices of real words joined into one string that reads like a word but is unknown."""
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
    `words` are real words to build from; if there are none, made-up ones are used.
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
            kind = rng.choice(tuple(ALPHABETS))
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
    stem = value[: max(1, len(value) - rng.randint(0, 3))].rstrip()
    if any(c.isdigit() for c in value[-2:]):
        return (stem + rng.choice("0123456789"))[:MAX_CHARACTERS]
    return (stem + rng.choice(["a", "e", "o", "in", "ar", "ius", "ov", "s", " II"]))[
        :MAX_CHARACTERS
    ]
