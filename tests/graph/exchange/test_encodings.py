"""The encoding of a file is established or asked for, and no character is ever replaced."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import pytest

from graph.core.errors import StoreError
from graph.core.import_rows import FactRow
from graph.exchange.encodings import UnknownEncoding, check_encoding
from graph.exchange.read_options import ReadOptions
from tests.graph.exchange.reading import CASES, read

pytestmark = pytest.mark.unit

TEXT = "entity,relation,value\nMühlgrün,river,Färse\nPeñarroya Baja,region,Castellón\n"
FACTS = [("Mühlgrün", "river", "Färse"), ("Peñarroya Baja", "region", "Castellón")]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace("\n", "\r").encode("utf-16"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-16-cr"],
)
def test_a_mark_or_utf_8_needs_no_word(data: bytes) -> None:
    assert read(data).facts == FACTS


FOREIGN = {
    "windows-1252": ("cp1252", "Mühlgrün", "Größe", "37,5 km² – “Färse”"),
    "mac_roman": ("mac_roman", "Mühlgrün", "Größe", "Färse, señor, café"),
    "windows-1250": ("cp1250", "Łódź", "województwo", "Łódzkie, Kraków, Wrocław, Poznań"),
    "windows-1251": ("cp1251", "Москва", "река", "Москва-река"),
    "koi8-r": ("koi8_r", "Москва", "река", "Москва-река"),
    "windows-1253": ("cp1253", "Αθήνα", "χώρα", "Ελλάδα"),
    "windows-1255": ("cp1255", "ירושלים", "מדינה", "ישראל"),
    "shift_jis": ("cp932", "東京都", "国", "日本のうみ"),
    "gb18030": ("gb18030", "北京市", "国家", "中华人民共和国"),
    "big5": ("big5", "臺北市", "國家", "中華民國"),
    "euc_kr": ("cp949", "서울특별시", "나라", "대한민국"),
}


@pytest.mark.parametrize("label", FOREIGN)
def test_the_likely_encoding_is_named_and_read_when_it_is_passed(label: str) -> None:
    encoding, *cells = FOREIGN[label]
    cells = [cell.replace(",", " ") for cell in cells]
    data = ("entity,relation,value\n" + ",".join(cells) + "\n").encode(encoding)
    with pytest.raises(UnknownEncoding, match=rf"not UTF-8 \(line 2 is not\).*--encoding {label}"):
        read(data)
    done = read(data, how=ReadOptions(encoding=label))
    assert done.facts == [tuple(cells)]
    assert not done.bad


def test_the_case_of_a_european_excel() -> None:
    path = CASES / "A1-semicolon-cp1252.csv"
    with pytest.raises(UnknownEncoding, match=r"probably Windows-1252: pass --encoding"):
        read(path)
    done = read(path, how=ReadOptions(encoding="windows-1252"))
    assert len(done.facts) == 4
    assert ("Mühlgrün", "area", "37,5 km²") in done.facts
    assert ("Peñarroya Baja", "region", "Castellón") in done.facts


@pytest.mark.parametrize(
    "name", ["facts.csv", "facts.jsonl", "facts.json", "facts.nt", "facts.ttl"]
)
def test_every_format_refuses_what_is_not_utf_8(name: str) -> None:
    text = {
        "facts.csv": "entity,relation,value\nMühlgrün,Fluß,Färse\n",
        "facts.jsonl": '{"entity": "Mühlgrün", "relation": "Fluß", "value": "Färse"}\n',
        "facts.json": '{"triplets": [["Mühlgrün", "Fluß", "Färse"]]}',
        "facts.nt": '<urn:a> <urn:b> "Mühlgrün, Färse" .\n',
        "facts.ttl": '<urn:a> <urn:b> "Mühlgrün, Färse" .\n',
    }[name]
    with pytest.raises(UnknownEncoding, match="probably Windows-1252"):
        read(text.encode("cp1252"), name)
    assert len(read(text.encode("cp1252"), name, ReadOptions(encoding="cp1252")).facts) == 1


def test_utf_16_without_a_mark_is_recognized() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        with pytest.raises(UnknownEncoding, match=f"--encoding {encoding}"):
            read(TEXT.encode(encoding))
        assert read(TEXT.encode(encoding), how=ReadOptions(encoding=encoding)).facts == FACTS
    with pytest.raises(StoreError, match="cut off or is not UTF-16"):
        read(TEXT.encode("utf-16")[:-1])


def test_a_damaged_line_of_a_utf_8_file_is_one_invalid_line() -> None:
    lines = [line.encode() for line in TEXT.splitlines()]
    done = read(b"\n".join([*lines, b"M\xfchlgr\xfcn,area,37", "Ötz,in,Tirol".encode()]))
    assert done.facts == [*FACTS, ("Ötz", "in", "Tirol")]
    assert list(done.bad) == [4]
    assert "0xFC is not UTF-8" in done.bad[4]


def test_what_an_earlier_conversion_lost_is_an_invalid_line() -> None:
    done = read("entity,relation,value\nM\ufffdhlgr\ufffdn,river,x\nOz,river,y\n")
    assert done.facts == [("Oz", "river", "y")]
    assert "U+FFFD" in done.bad[2]


@pytest.mark.parametrize("name", ["rot13", "base64", "nonsense", "utf-7", "idna", "x" * 500, "\0"])
def test_what_is_not_an_encoding_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match="is not known; use a name such as"):
        check_encoding(name)


def test_a_picture_is_not_a_text_file() -> None:
    with pytest.raises(StoreError, match="not a text file"):
        read(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 40)


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return file.getvalue()


def test_packed_files_are_read_as_what_they_hold() -> None:
    assert read(gzip.compress(TEXT.encode()), "facts.csv.gz").facts == FACTS
    assert read(zipped(facts_csv=TEXT), "some.zip").facts == FACTS
    with pytest.raises(UnknownEncoding, match="Windows-1252"):
        read(gzip.compress(TEXT.encode("cp1252")), "facts.csv.gz")


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "cut gz": (gzip.compress(TEXT.encode())[:-20], "a.csv.gz", "cannot be unpacked"),
    "not gz": (TEXT.encode(), "a.csv.gz", "cannot be unpacked"),
    "not zip": (TEXT.encode(), "a.zip", "cannot be unpacked"),
    "two kinds": (zipped(a_csv=TEXT, b_nt=TEXT), "a.zip", "only tables"),
    "no file": (zipped(), "a.zip", "holds 0 files"),
    "quads": (b"", "a.nq", "convert it to N-Triples"),
    "trig": (b"", "a.trig", "convert it to Turtle"),
    "gexf": (b"", "a.gexf", "export it from Gephi as GraphML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_read_gets_one_sentence(name: str) -> None:
    data, file, why = BROKEN[name]
    with pytest.raises(StoreError, match=why) as refused:
        read(data, file)
    assert str(refused.value).count("\n") == 0


def test_rows_name_no_byte_order_mark() -> None:
    row: Any = read(TEXT.encode("utf-8-sig")).rows[0]
    assert isinstance(row, FactRow)
    assert row.line == 2
