"""Workbooks of spreadsheets: the first sheet that holds anything, with its cells as text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from html import escape

import pytest

from graph.core.errors import StoreError
from tests.graph.exchange.reading import read

pytestmark = pytest.mark.unit

Cell = str | int | float | bool | None
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACK = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def packed(members: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


def xlsx(**sheets: Sequence[Sequence[Cell]]) -> bytes:
    """A workbook of these sheets."""

    def cell(place: str, value: Cell) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    members = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACK}/content-types"><Default '
        'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACK}/relationships"><Relationship Id="r1" '
        f'Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    }
    names, targets = "", ""
    for number, (name, rows) in enumerate(sheets.items(), start=1):
        names += f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"/>'
        target = f'Target="worksheets/s{number}.xml"'
        targets += f'<Relationship Id="s{number}" Type="{REL}/worksheet" {target}/>'
        body = "".join(
            f'<row r="{r}">' + "".join(cell(f"{'ABCDEFGH'[c]}{r}", v) for c, v in enumerate(row))
            + "</row>"
            for r, row in enumerate(rows, start=1)
        )  # fmt: skip
        members[f"xl/worksheets/s{number}.xml"] = (
            f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
        )
    members["xl/workbook.xml"] = (
        f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{names}</sheets></workbook>'
    )
    members["xl/_rels/workbook.xml.rels"] = (
        f'{HEAD}<Relationships xmlns="{PACK}/relationships">{targets}</Relationships>'
    )
    return packed(members)


def test_the_first_sheet_that_holds_anything_is_read() -> None:
    facts = [
        ("Subject", "Predicate", "Object"),
        ("Gull Quay", "depth", 7),
        ("Mühlgrün", "area", 37.5),
    ]
    done = read(xlsx(Empty=[], Facts=facts, Notes=[("x",)]), "facts.xlsx")
    assert done.facts == [("Gull Quay", "depth", "7"), ("Mühlgrün", "area", "37.5")]
    assert any("“Notes”" in note for note in done.notes)


def test_one_entity_per_row_with_gaps_and_a_truth_value() -> None:
    rows = [
        (None, "name", "born", "town"),
        (),
        (None, "Ada", 1815, "Brann"),
        (None, "Bo", None, "Ost"),
        (None, "Cid", True, "Ost"),
    ]
    done = read(xlsx(People=rows), "people.xlsx")
    assert done.facts == [("Ada", "born", "1815"), ("Ada", "town", "Brann"), ("Bo", "town", "Ost")]
    assert list(done.bad) == [5]
    assert "TRUE" in done.bad[5]


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
 <table:table table:name="A">{}</table:table></office:spreadsheet></office:body>
 </office:document-content>"""


def test_an_open_document_is_read() -> None:
    rows = [("entity", "relation", "value"), ("Oz", "ruler", "Wizard & co")]
    body = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p>'
            "</table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    members = {"mimetype": mime, "META-INF/manifest.xml": manifest, "content.xml": ODS.format(body)}
    assert read(packed(members), "a.ods").facts == [("Oz", "ruler", "Wizard & co")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"not a workbook", "not a workbook"),
        (packed({"a.txt": "x"}), "not a workbook"),
        (xlsx(A=[("x", "y"), (1, 2)]), "entity,relation,value"),
        (xlsx(A=[]), "entity,relation,value"),
    ],
)
def test_what_is_not_such_a_workbook_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(StoreError, match=why):
        read(data, "a.xlsx")
