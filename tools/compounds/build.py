"""Make compounds.csv from the ChemSep data of the Python package `chemicals`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from xml.etree import ElementTree

from graph.core.atomic_files import whole_file

OUT = Path(__file__).parents[2] / "training" / "evaluation" / "foreign" / "compounds.csv"
SOURCE = "ChemSep 8.32"
COMPOUNDS = 240
RELATIONS = {
    "SMILES": "SMILES notation",
    "Structure": "structural formula",
    "CAS number": "CAS registry number",
    "Molecular weight": "molecular weight",
    "Critical temperature": "critical temperature",
    "Critical pressure": "critical pressure",
    "Critical volume": "critical volume",
    "Critical compressibility factor": "critical compressibility",
    "Normal boiling point": "normal boiling point",
    "Triple point temperature": "triple point temperature",
    "Triple point pressure": "triple point pressure",
    "Acentric factor": "acentric factor",
    "Solubility parameter": "solubility parameter",
    "IG heat of formation": "heat of formation",
    "IG Gibbs energy of formation": "Gibbs energy of formation",
    "IG absolute entropy": "absolute entropy",
    "Standard net heat of combustion LHV": "net heat of combustion",
    "Heat of fusion at melting point": "heat of fusion",
    "Van der Waals volume": "van der Waals volume",
    "Van der Waals area": "van der Waals area",
    "Radius of gyration": "radius of gyration",
    "Lennard Jones diameter": "Lennard-Jones diameter",
    "Lennard Jones energy": "Lennard-Jones energy",
    "Parachor": "parachor",
    "Rackett parameter": "Rackett parameter",
    "UNIQUAC r": "UNIQUAC volume parameter",
}


WORLD = Path(__file__).parent.parent.parent / "graph" / "data" / "world.csv"


def rows(path: Path) -> list[tuple[str, str, str]]:
    """Entity, relation and value, of the first compounds that have most of the relations.

    What the shipped world knows by the same name (the elements) is left out.
    """
    found: list[tuple[str, str, str]] = []
    with WORLD.open(encoding="utf-8", newline="") as file:
        known = {row["entity"].casefold() for row in csv.DictReader(file)}
    names: set[str] = set()
    for compound in ElementTree.parse(path).getroot():
        given = {field.get("name"): field for field in compound if field.get("value") is not None}
        name = (given["Name"].get("value") or "").strip()
        facts = []
        for label, relation in RELATIONS.items():
            field = given.get(label)
            value = (field.get("value") or "").strip() if field is not None else ""
            unit = (field.get("units") or "") if field is not None else ""
            if unit not in ("", "_"):
                value = value and f"{value} {unit}"
            if value and not value.startswith("0 ") and value != "0" and ";" not in value:
                facts.append((name, relation, value))
        if len(facts) >= 20 and name.casefold() not in names | known:
            names.add(name.casefold())
            found += facts
        if len(names) == COMPOUNDS:
            break
    return found


def main() -> int:
    """Write the CSV."""
    if len(sys.argv) != 2:
        print(__doc__, "Give the path of ChemSep8.32.xml.", file=sys.stderr)
        return 2
    with whole_file(OUT, made=OUT.samefile) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("entity", "relation", "value", "source"))
        writer.writerows((*row, SOURCE) for row in rows(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
