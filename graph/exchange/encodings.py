"""Which encoding a file has: by its byte order mark, its XML declaration, or because it is UTF-8.

Any other encoding is a guess, and a guess is never used in silence: the file is refused with one
sentence that names the likely encoding, and `--encoding` settles it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from graph.core.errors import StoreError
from graph.core.names import quoted

_CHUNK = 1 << 16  # bytes read at a time
_SAMPLE = 1 << 18  # bytes of the lines by which an encoding is guessed
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_NOT_FOR_FILES = {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined"}
_NOT_FOR_FILES |= {"unicode-escape", "utf-7"}
_LOST = "\ufffd".encode()
_TWICE = re.compile(rb"\xc3[\x82-\x85\x8e-\x91][\xc2\xc5\xc6\xcb\xe2]")

# What is tried, with the name that people know, the scripts that it is for, and how many bytes
# outside ASCII it takes to believe in it. Scripts are the first words of Unicode names.
_CANDIDATES = (
    ("cp1252", "Windows-1252", ("LATIN",), 1),
    ("cp1250", "Windows-1250", ("LATIN",), 1),
    ("mac_roman", "mac_roman", ("LATIN",), 1),
    ("cp850", "cp850", ("LATIN",), 1),
    ("cp1251", "Windows-1251", ("CYRILLIC",), 4),
    ("koi8_r", "koi8-r", ("CYRILLIC",), 4),
    ("cp866", "cp866", ("CYRILLIC",), 4),
    ("cp1253", "Windows-1253", ("GREEK",), 4),
    ("cp1255", "Windows-1255", ("HEBREW",), 4),
    ("cp1256", "Windows-1256", ("ARABIC",), 4),
    ("cp932", "shift_jis", ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"), 4),
    ("euc_jp", "euc_jp", ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"), 4),
    ("gb18030", "gb18030", ("CJK",), 4),
    ("big5", "big5", ("CJK",), 4),
    ("cp949", "euc_kr", ("HANGUL", "CJK"), 4),
)
# Letters outside ASCII that are common in the languages written with each encoding.
_COMMON = {
    "cp1252": frozenset("äöüßÄÖÜéèêëàâáãåæçñóòôõøúùûíìîïœÉÈÀÁÅÆÇÑÓØÚÍÎÔŠšŽž"),
    "cp1250": frozenset("ąćęłńóśźżŁŚŻČčĎďĚěŇňŘřŠšŤťŮůŽžýáéíúőűŐŰăâîşţđĐäöüßÁÉÍÓÖÚÜ"),
    "mac_roman": frozenset("äöüßÄÖÜéèêëàâáãåæçñóòôõøúùûíìîïœÉÀÅÆÇÑØ"),
    "cp850": frozenset("äöüßÄÖÜéèêëàâáãåæçñóòôõøúùûíìîïÉÅÆÇÑØ"),
}
_SIGNS = frozenset("“”„‘’‚–—…€«»°²³½¼¾´·¡¿§£©®™×±µºª\u00a0")  # at home in texts of any language
_VOWELS = frozenset("аеёиоуыэюяіїєў")
_GREEK_ACCENTS = frozenset("άέήίόύώΐΰΆΈΉΊΌΎΏ")
# The first bytes of the characters that are common, in encodings of two bytes a character.
_COMMON_LEADS = {
    "cp932": (*range(0x82, 0x84), *range(0x88, 0x98)),
    "euc_jp": (*range(0xA4, 0xA6), *range(0xB0, 0xD0)),
    "gb18030": range(0xB0, 0xD8),
    "big5": range(0xA4, 0xC7),
    "cp949": range(0xB0, 0xC9),
}


class UnknownEncoding(StoreError):
    """The encoding of a file is not established.

    Args:
        message: the sentence for the person.
        likely: the encoding that fits best, by a name that Python knows; empty if none does.
    """

    def __init__(self, message: str, likely: str = "") -> None:
        super().__init__(message)
        self.likely = likely


@dataclass(frozen=True, slots=True)
class Established:
    """The encoding of a file, and what is wrong with its bytes."""

    name: str
    """By a name that Python knows."""
    label: str
    """By a name that people know."""
    is_damaged: bool = False
    """Whether some bytes are not of this encoding; they are read as lone surrogates."""
    has_lost: bool = False
    """Whether an earlier conversion left U+FFFD in place of characters."""
    may_be_twice: bool = False
    """Whether some characters look like UTF-8 that was read as Windows-1252 and saved again."""


def check_encoding(name: str) -> str:
    """An encoding by the name that Python has for it; raises `StoreError` if there is none."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding or found.name in _NOT_FOR_FILES:
        raise StoreError(
            f"The encoding {quoted(name)} is not known; use a name such as utf-8, windows-1252, "
            "utf-16 or shift_jis."
        )
    return found.name


def establish(file: BinaryIO, name: str, *, is_xml: bool, wanted: str = "") -> Established:
    """The encoding of a file, which is read from where it stands to its end.

    Args:
        file: the file, as bytes.
        name: what the file is called, for messages.
        is_xml: whether an XML declaration counts.
        wanted: the encoding that a person has named; empty to go by the file alone.

    Raises:
        UnknownEncoding: if the file has none of the signs, with the likely encoding.
        StoreError: if it is not a text file, or a named encoding is not known.
    """
    scan = _Scan()
    first = b""
    while chunk := file.read(_CHUNK):
        first = first or chunk
        scan.add(chunk)
    scan.end()
    mark = next((encoding for begin, encoding in _MARKS if first.startswith(begin)), "")
    if wanted:
        encoding = check_encoding(wanted)
        if encoding == "utf-8" and mark == "utf-8-sig":
            encoding = mark
        is_utf_8 = encoding.startswith("utf-8")
        return Established(encoding, wanted, not is_utf_8 or scan.is_damaged, scan.has_lost)
    if mark in ("utf-16", "utf-32"):
        return Established(mark, f"{mark.upper()}, by its byte order mark")
    if is_xml and not mark and (found := _DECLARED.match(first[:1024])):
        declared = found[1].decode("ascii")
        try:
            encoding = check_encoding(declared)
        except StoreError:
            raise UnknownEncoding(
                f"{name} declares the encoding {quoted(declared)}, which is not known; pass its "
                "true encoding with --encoding, or save the file as UTF-8.",
                likely_encoding(scan.sample)[0],
            ) from None
        # A declaration that can be read byte by byte shows that the file is not UTF-16.
        if not encoding.startswith(("utf-8", "utf-16", "utf-32")):
            return Established(encoding, f"{declared}, as it declares", True, scan.has_lost)
    if wide := _without_mark(first):
        raise UnknownEncoding(
            f"{name} is not UTF-8; it is probably {wide.upper()} without a byte order mark: pass "
            f"--encoding {wide}, or save it as UTF-8.",
            wide,
        )
    encoding = mark or "utf-8"
    if not scan.is_damaged:
        return Established(encoding, "UTF-8", False, scan.has_lost, scan.may_be_twice)
    likely, label = likely_encoding(scan.sample)
    if not mark and b"\0" in first:
        raise StoreError(f"{name} is not a text file.")
    if mark or not likely or scan.valid >= scan.invalid > 0:
        return Established(encoding, "UTF-8, with damaged lines", True, scan.has_lost)
    raise UnknownEncoding(
        f"{name} is not UTF-8 (line {scan.first_line:,} is not); it is probably {label}: pass "
        f"--encoding {label.lower()}, or save it as UTF-8.",
        likely,
    )


class _Scan:
    """Looks through a file's bytes for what is not UTF-8. Lines end at a newline byte here."""

    def __init__(self) -> None:
        self.valid = 0
        """Lines outside ASCII that are UTF-8, among those in the sample."""
        self.invalid = 0
        self.first_line = 0
        """The number of the first line that is not UTF-8."""
        self.is_damaged = False
        self.has_lost = False
        self.may_be_twice = False
        self.sample = b""
        """Lines that are not UTF-8."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0
        self._rest = b""
        self._seen = 0
        self._returns = False

    def add(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        if chunk.isascii() and not self._rest:
            self._lines += _line_ends(chunk)
            return
        # Whole lines only, unless one is longer than anything that is read as a line.
        lines, newline, rest = (self._rest + chunk).rpartition(b"\n")
        if not newline and len(rest) < _SAMPLE:
            self._rest = rest
            return
        whole = lines + newline or rest
        self._rest = rest if newline else b""
        self._look(whole)

    def end(self) -> None:
        """Look at the last line."""
        self._look(self._rest)

    def _look(self, lines: bytes) -> None:
        self.has_lost = self.has_lost or _LOST in lines
        self.may_be_twice = self.may_be_twice or _TWICE.search(lines) is not None
        try:
            lines.decode("utf-8")
            if self.is_damaged and self._seen < _SAMPLE:
                self._count(lines)
            elif not lines.isascii():
                self.valid += 1
        except UnicodeDecodeError as problem:
            if not self.is_damaged:
                self.first_line = self._lines + 1 + _line_ends(lines[: problem.start])
            self.is_damaged = True
            if self._seen < _SAMPLE:
                self._count(lines)
        self._lines += _line_ends(lines)

    def _count(self, lines: bytes) -> None:
        """Count the lines outside ASCII, and keep those that are not UTF-8."""
        self._seen += len(lines)
        kept = []
        for line in re.split(rb"[\r\n]+", lines):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                self.valid += 1
            except UnicodeDecodeError:
                self.invalid += 1
                kept.append(line)
        self.sample = (self.sample + b"\n".join(kept) + b"\n")[:_SAMPLE]


def _line_ends(data: bytes) -> int:
    newlines = data.count(b"\n")
    return newlines or data.count(b"\r")


def _without_mark(first: bytes) -> str:
    """The encoding of two bytes a character whose zero bytes a beginning shows; empty if none."""
    pairs = len(first[:4096]) // 2
    if pairs < 4:
        return ""
    even, odd = (first[start : 2 * pairs : 2].count(0) for start in (0, 1))
    if odd > 0.4 * pairs and even < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * pairs and odd < 0.1 * pairs else ""


def read_once(text: str) -> str:
    """A text as it was before it was saved as UTF-8 twice; empty if it was not.

    `MÃ¼hlgrün` is not such a text: all characters outside ASCII must fit. One pair that does not
    begin with Ã or Â may be chance, as in `CAFÉ–BAR`.
    """
    if text.isascii():
        return ""
    try:
        data = b"".join(c.encode("latin-1" if ord(c) < 256 else "cp1252") for c in text)
        found = data.decode("utf-8")
    except UnicodeError:
        return ""
    count = sum(not c.isascii() for c in found)
    certain = count > 1 or re.search("[ÃÂ]", text) is not None
    return found if certain and found.isprintable() else ""


def likely_encoding(sample: bytes) -> tuple[str, str]:
    """The encoding in which some bytes look most like words, and its usual name; or two empty.

    A candidate gains by letters that its languages use, and loses by control characters, by signs
    inside words, by words of two scripts, and by capital letters after small ones.
    """
    outside = sum(byte > 127 for byte in sample)
    best, found = 0.0, ("", "")
    for encoding, label, scripts, least in _CANDIDATES:
        if outside < least:
            continue
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError as problem:
            if problem.end < len(sample) - 4 or problem.start < 8:
                continue
            text = sample[: problem.start].decode(encoding)  # the sample ends inside a character
        score = _score(text, encoding, scripts)
        if score > best * 1.02:  # of two that are alike, the first
            best, found = score, (encoding, label)
    return found


def _score(text: str, encoding: str, scripts: tuple[str, ...]) -> float:
    score = 0.0
    for character in text:
        if character.isascii() or character.isalpha() or unicodedata.combining(character):
            continue
        if character in _SIGNS:
            score += 0.5
        else:
            score -= 5 if unicodedata.category(character) == "Cc" else 1
    for word in re.findall(r"[^\W\d_]+", text):
        if not word.isascii():
            score += _word_score(word, encoding, scripts)
    if "HIRAGANA" in scripts and not re.search("[\u3041-\u30ff]", text):
        score *= 0.5  # Japanese without kana is short or something else
    return score


def _word_score(word: str, encoding: str, scripts: tuple[str, ...]) -> float:
    outside = [c for c in word if not c.isascii()]
    cases = sum(a.islower() and b.isupper() for a, b in pairwise(word))
    if scripts == ("LATIN",):
        usual = _COMMON[encoding]
        score = sum(1.0 if c in usual else -1.0 for c in outside) - 2 * cases
        return score - len(outside) if len(outside) > max(1, 0.5 * len(word)) else score
    if len(outside) < len(word):
        return -2.0 * len(word)
    found = {unicodedata.name(c, "").split(" ")[0].split("-")[0] for c in word}
    if not found <= set(scripts) or {"HANGUL", "CJK"} <= found:
        return -float(len(word))
    if scripts == ("CYRILLIC",) and len(word) > 2:
        vowels = sum(c in _VOWELS for c in word.lower())
        if vowels < 0.2 * len(word):
            return -float(len(word))
    if scripts == ("GREEK",) and len(word) > 3 and not _GREEK_ACCENTS & set(word):
        return 0.5 * len(word)
    leads = _COMMON_LEADS.get(encoding)
    if leads is None:
        score = len(word) - 2.0 * cases
        return 0.5 * score if word.isupper() and len(word) > 2 else score
    common = 2.2 if "HANGUL" in found else 2.0  # a Chinese word that would do is rarer
    return sum(common if c.encode(encoding)[0] in leads else -0.5 for c in word)
