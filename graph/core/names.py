"""Names and literals as text: how they are cleaned, quoted and folded to lookup keys.

`fold` is the only function that makes a key: the stores, the corpus, the decoder and the grounding
share it. `plain` is the key in plain letters, by which misspelt names are searched.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from graph.core.errors import InvalidText

MAX_NAME = 512  # characters in the name of an entity, an alias or a relation
MAX_VALUE = 4096  # characters in a literal
# Characters that reorder the text around them: a value could disguise its context with them.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Characters without a width of their own, which make no difference between two names.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff]"
)
# Those that a stored text does without. Two others carry meaning: the selectors that follow a sign,
# and the joiners between letters that join (Persian, Hindi) or the parts of an emoji.
_NEEDLESS = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\ufeff]"
    "|(?<![\u0590-\U0001ffff])[\u200c\u200d]+|[\u200c\u200d]+(?![\u0590-\U0001ffff])"
)
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.I)
_LONGEST_KEY = 120  # characters of a literal's key; longer literals have a digest as their key
MONTH = (
    "(?:january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_NUMBER_OR_DATE = re.compile(
    rf"""[+\-−]?[\d][\d\s.,:/\-–−]*%?                      # 2012; 3,000.5; 1867-11-07; 12:30
       | (?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{MONTH}\.?(?:\s+\d{{1,2}}(?:st|nd|rd|th)?,?)?\s+\d{{1,4}}
       | \d{{1,2}}(?:st|nd|rd|th)?\s+{MONTH}              # 14 July
       | \d{{1,4}}\s*(?:bc|bce|ad|ce)""",
    re.VERBOSE | re.IGNORECASE,
)


def quoted(text: str, length: int = 60) -> str:
    """`text` in quotation marks for a message: shortened, with control characters escaped."""
    visible = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: length + 1])
    return f"“{visible[:length]}…”" if len(visible) > length else f"“{visible}”"


def _clean(text: str, what: str, longest: int) -> str:
    if not isinstance(text, str):
        raise InvalidText(f"The {what} {text!r:.60} is not text; give it as a string.")
    if len(text) > 4 * longest:  # refuse a megabyte before normalising it
        raise InvalidText(
            f"The {what} {quoted(text)} has {len(text):,} characters; "
            f"at most {longest:,} are allowed."
        )
    cleaned = _settled(text)
    if not (cleaned.isascii() and cleaned.isprintable()):
        for character in cleaned:
            if unicodedata.category(character) in ("Cc", "Cs") or character in _REORDERING:
                raise InvalidText(
                    f"The {what} {quoted(text)} contains the control character "
                    f"U+{ord(character):04X}; remove it."
                )
        if all(unicodedata.category(c) in ("Cf", "Mn", "Zs") for c in cleaned):
            cleaned = ""
    if not cleaned:
        raise InvalidText(f"The {what} is empty; type at least one visible character.")
    if len(cleaned) > longest:
        raise InvalidText(
            f"The {what} {quoted(cleaned)} has {len(cleaned):,} characters; "
            f"at most {longest:,} are allowed."
        )
    return cleaned


def _settled(text: str) -> str:
    """`text` in NFC, without needless characters, with single spaces.

    What one pass removes may leave a joiner at the end, or an accent after its letter, so passes
    go on until one changes nothing: a stored text that is read again has to be the same text.
    """
    if text.isascii() and text.isprintable():  # the common case, ten times as fast
        return " ".join(text.split())
    while True:
        visible = _NEEDLESS.sub("", unicodedata.normalize("NFC", text))
        settled = " ".join(visible.split())
        if settled == text:
            return settled
        text = settled


def clean_name(text: str, what: str = "name") -> str:
    """A name in its stored form: NFC, single spaces, stripped, 1 to 512 characters.

    Invisible characters are left out, except for joiners where they join letters.

    Raises `InvalidText` (a `ValueError`) if it is empty, too long or has control characters.
    """
    return _clean(text, what, MAX_NAME)


def clean_value(text: str) -> str:
    """A literal in its stored form: as `clean_name`, but up to 4,096 characters."""
    return _clean(text, "value", MAX_VALUE)


def clean_note(text: str, what: str, longest: int = 500) -> str:
    """A source, author or reason in its stored form; it may be empty."""
    return _clean(text, what, longest) if text and not text.isspace() else ""


def clean_signature(author: str, reason: str) -> tuple[str, str]:
    """The author and reason of an edit in their stored form; each may be empty."""
    return clean_note(author, "author"), clean_note(reason, "reason")


def clean_sources(text: str) -> str:
    """Any number of sources in their stored form, joined by "; ".

    Their number has no limit, because a fact of a large corpus names every passage in which it was
    looked up, and an import has to accept every export.
    """
    # Settled first: a line break, or what is invisible, must not hide where a source ends.
    parts = [clean_note(part, "source") for part in _settled(text).split("; ")]
    return "; ".join(part for part in parts if part)


def fold(text: str) -> str:
    """The key that all spellings of a name share: NFKC, case folded, `_` and spaces as one space.

    Invisible characters (zero-width, direction marks, soft hyphens) do not count.

    >>> fold("New_York  CITY")
    'new york city'
    """
    return _fold_short(text) if len(text) <= MAX_NAME else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        key = " ".join(text.lower().replace("_", " ").split())
    else:
        # Twice, because case folding can undo the normal form.
        visible = _INVISIBLE.sub("", text)
        once = unicodedata.normalize("NFKC", visible).casefold()
        key = " ".join(unicodedata.normalize("NFKC", once).replace("_", " ").split())
    return key or text  # a name of underscores alone is its own key


_fold_short = lru_cache(maxsize=65536)(_fold)  # not for long texts, as a model may write


def is_number_or_date(value: str) -> bool:
    """Whether a value looks like a number or a date: then it is a link only if declared so."""
    return _NUMBER_OR_DATE.fullmatch(value.strip()) is not None


def without_invisible(text: str) -> str:
    """The text without the invisible characters that a stored text does without."""
    return text if text.isascii() else _NEEDLESS.sub("", text)


def literal_key(value: str) -> str:
    """The key by which a literal is found: the folded value, or a digest of a long one.

    >>> literal_key("Na"), literal_key("68,400,000")
    ('na', '68,400,000')
    """
    key = _fold(value)  # past the cache, because most literals occur once
    if len(key) <= _LONGEST_KEY:
        return key
    return "#" + hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()


# Letters that Unicode does not decompose, as people write them who lack them.
_PLAIN = str.maketrans(
    {
        "æ": "ae",
        "ð": "d",
        "ø": "o",
        "þ": "th",
        "đ": "d",
        "ħ": "h",
        "ı": "i",
        "ĸ": "k",
        "ł": "l",
        "ŋ": "n",
        "œ": "oe",
        "ŧ": "t",
        "ƀ": "b",
        "ƙ": "k",
        "ƴ": "y",
        "ƶ": "z",
        "ǥ": "g",
        "ɓ": "b",
        "ɗ": "d",
        "ɨ": "i",
        "ɫ": "l",
        "ʉ": "u",
        "ʻ": "",
        "ʼ": "",
    }
)
# The other standard spelling of a letter, in the languages that have it.
_TRANSLITERATED = str.maketrans(
    {
        "ä": "ae",
        "å": "aa",
        "ð": "dh",
        "ö": "oe",
        "ø": "oe",
        "ü": "ue",
        "đ": "dj",
        "ŋ": "ng",
    }
)


def plain(text: str) -> str:
    """The folded key in plain letters, without accents, for searches.

    >>> plain("São Paulo"), plain("Łódź"), plain("Køge")
    ('sao paulo', 'lodz', 'koge')
    """
    key = fold(text)
    if key.isascii():
        return key
    decomposed = unicodedata.normalize("NFD", key)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return letters if letters.isascii() else letters.translate(_PLAIN)


def transliterated(text: str) -> str:
    """`plain`, with the letters that have one in their other standard spelling.

    >>> transliterated("München"), transliterated("Århus"), transliterated("Oslo")
    ('muenchen', 'aarhus', 'oslo')
    """
    key = fold(text)
    return key if key.isascii() else plain(key.translate(_TRANSLITERATED))


def without_article(name: str) -> str:
    """A name without the article that begins it.

    >>> without_article("the Danube"), without_article("Theodore")
    ('Danube', 'Theodore')
    """
    return _ARTICLE.sub("", name)
