"""Build the shipped world from the raw triplets: ``python -m tools.world.build FOLDER``.

FOLDER holds ``triplets_core.csv`` and ``triplets.csv.gz`` (columns entity, relation, value,
source). All of the first file is used. From the second, only entities are added that the first one
links to and that have enough facts. The command writes ``world.csv``, ``relations.csv`` and
``aliases.csv`` to graph/data. It is deterministic and needs only the standard library.

The rules are in this file, the exceptions in ``world/exceptions.py``, each with its reason.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graph.core.atomic_files import whole_file
from graph.data.relations import PERSONAL, RELATIONS
from tools.world import exceptions as known

DATA = Path(__file__).parents[2] / "graph" / "data"
LINKS = {name for name, (kind, _) in RELATIONS.items() if kind == "link"}
CINEMA_SHARE = 0.195  # of all facts; the test allows a fifth
FACTBOOK_YEAR = 2025  # the edition that the factbook package holds


@dataclass(frozen=True, slots=True)
class Row:
    """One raw or cleaned fact."""

    entity: str
    relation: str
    value: str
    source: str
    year: int | None = None


class World:
    """The facts while they are being cleaned, in reading order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)

    def map(self, change: Callable[[Row], Row | None]) -> None:
        """Replace each row by what ``change`` makes of it; None drops it."""
        self.rows = [new for row in self.rows if (new := change(row)) is not None]

    def values(self, relation: str) -> dict[str, list[str]]:
        """The values of one relation by entity."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.rows:
            if row.relation == relation:
                found[row.entity].append(row.value)
        return found

    def of_type(self, *types: str) -> set[str]:
        """The entities that are an instance of one of ``types``."""
        return {r.entity for r in self.rows if r.relation == "instance of" and r.value in types}


def fold(text: str) -> str:
    """The key under which a name is looked up (the same rule as ``graph.core.facts.fold``)."""
    return re.sub(r"[\s_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _rows(file: Iterable[str]) -> list[Row]:
    return [
        Row(line["entity"], line["relation"], line["value"], line["source"])
        for line in csv.DictReader(file)
    ]


def read(folder: Path) -> World:
    """The core, and what the core points at of the full table."""
    with open(folder / "triplets_core.csv", encoding="utf-8", newline="") as file:
        core = _rows(file)
    with gzip.open(folder / "triplets.csv.gz", "rt", encoding="utf-8", newline="") as file:
        full = _rows(file)
    inside = {row.entity for row in core}
    pointed = Counter(
        row.value
        for row in core
        if row.relation in LINKS - known.CINEMA_LINKS and row.value not in inside
    )
    wanted = {
        row.value
        for row in core
        if row.relation in known.WORTH_FOLLOWING and row.value not in inside
    }
    size = Counter(row.entity for row in full)
    extra = {
        row.entity
        for row in full
        if row.entity not in inside
        and (
            size[row.entity] >= (2 if row.entity in wanted else 3)
            or pointed[row.entity] >= 2  # a language, a currency: its countries lead back to it
        )
        and not row.source.startswith("bokeh")
    } - known.NOT_WORTH_ADDING
    bokeh = {row.entity for row in full if row.source.startswith("bokeh-wiki")}
    return World(core + [row for row in full if row.entity in extra - bokeh])


# ---------------------------------------------------------------- the steps, in order


def split_merged(world: World) -> None:
    """Two things under one name get two names."""

    def change(row: Row) -> Row:
        for (name, other), belongs in known.SPLITS.items():
            if row.entity == name and belongs(row.relation, row.value):
                return replace(row, entity=other)
            if row.value == name and (row.entity, row.relation) in known.SPLIT_LINKS.get(other, ()):
                return replace(row, value=other)
            if row.value == name and ("*", row.relation) in known.SPLIT_LINKS.get(other, ()):
                return replace(row, value=other)
        return row

    world.map(change)
    sources = {row.entity: row.source for row in world.rows}
    world.rows += [
        Row(name, "instance of", kind, sources[name]) for name, kind in known.SPLIT_TYPES.items()
    ]


def repair(world: World) -> None:
    """Drop whole relations and single facts, and correct single values."""

    def change(row: Row) -> Row | None:
        if row.relation == "founded" and row.value.isdigit():
            return None  # a year: elsewhere the relation leads to what a person founded
        if row.relation in known.DROPPED_RELATIONS or row.entity in known.DROPPED_ENTITIES:
            return None
        if (row.entity, row.relation, row.value) in known.DROPPED_FACTS:
            return None
        if row.value in known.DROPPED_VALUES.get(row.relation, ()):
            return None
        value = known.CORRECTED_FACTS.get((row.entity, row.relation, row.value), row.value)
        value = known.CORRECTED_VALUES.get(row.relation, {}).get(value, value)
        return replace(row, value=value)

    world.map(change)


def add(world: World) -> None:
    """Facts that the raw triplets lack."""
    world.rows += [Row(name, *fact) for name, facts in known.ADDED_FACTS.items() for fact in facts]


def rename(world: World) -> None:
    """Names that are titles, misspelt or one of two for the same thing, through links too."""

    def name(old: str) -> str:
        new = known.RENAMED.get(old, known.spell_out_place(old))
        # a family name in capitals, as the factbook writes some: al-RIFAI'
        return re.sub(r"(?<=-)[A-Z]{4,}", lambda match: match[0].capitalize(), new)

    def change(row: Row) -> Row:
        value = name(row.value) if row.relation in LINKS else row.value
        return replace(row, entity=name(row.entity), value=value)

    world.map(change)


def settle_types(world: World) -> None:
    """One or two plain types an entity; a person's office is an occupation, not a type."""
    types = world.values("instance of")

    def change(row: Row) -> Row | None:
        if row.relation != "instance of":
            return row
        kinds = set(types[row.entity])
        if row.value in known.OFFICES:
            return replace(row, relation="occupation")
        if row.entity in known.TYPES:
            return replace(row, value=known.TYPES[row.entity])
        for main, others in known.MAIN_TYPES:
            if main in kinds and row.value != main and (others is None or row.value in others):
                return None
        return row

    world.map(change)
    names = {r.entity for r in world.rows}
    world.map(lambda r: None if r.relation == "instance of" and r.value in names else r)
    people = {r.entity for r in world.rows if r.relation == "occupation"}
    typed = {r.entity for r in world.rows if r.relation == "instance of"}
    added: dict[str, Row] = {}
    for row in world.rows:
        if row.entity in people - typed:
            added.setdefault(row.entity, Row(row.entity, "instance of", "person", row.source))
    world.rows += added.values()
    typed |= set(added)
    world.map(lambda r: r if r.entity in typed else None)


def name_deities(world: World) -> None:
    """A deity of Roman mythology, not a Roman deity of Roman mythology."""
    described = world.values("mythology")

    def change(row: Row) -> Row:
        if (
            row.relation == "instance of"
            and row.value.endswith(" deity")
            and row.entity in described
        ):
            return replace(row, value="deity")
        return row

    world.map(change)


def spare_person(world: World) -> None:
    """Nobody writes "a person born in 434": a birth or an occupation says that it is one."""
    described = {row.entity for row in world.rows if row.relation in PERSONAL}
    world.map(
        lambda r: (
            None
            if (r.relation, r.value) == ("instance of", "person") and r.entity in described
            else r
        )
    )


def spare_country(world: World) -> None:
    """A region in Italy, not a region of Italy in Italy."""
    lies_in = {
        (row.entity, row.value) for row in world.rows if row.relation in ("country", "located in")
    }

    def change(row: Row) -> Row:
        kind, of, country = row.value.partition(" of ")
        if row.relation == "instance of" and of and (row.entity, country) in lies_in:
            return replace(row, value=kind)
        return row

    world.map(change)


def spare_height(world: World) -> None:
    """The height of a mountain in metres serves where another source gives it in feet too."""
    metric = {row.entity for row in world.rows if row.relation == "elevation"}
    world.map(lambda r: None if r.relation == "height" and r.entity in metric else r)


def spare_occupation(world: World) -> None:
    """What is stated twice: a head of state who heads Israel, Henry IV (king of France)."""
    others = {r.entity for r in world.rows if r.relation in PERSONAL - {"occupation"}}
    offices = {
        (row.entity, known.OFFICE_RELATIONS[row.relation])
        for row in world.rows
        if row.relation in known.OFFICE_RELATIONS
    }

    def change(row: Row) -> Row | None:
        if row.relation != "occupation" or row.entity not in others:
            return row
        title = not row.value.islower() and row.entity.endswith(f"({row.value})")
        return None if title or (row.entity, row.value) in offices else row

    world.map(change)


def phrase_fame(world: World) -> None:
    """What somebody is known for, as it stands in a sentence: "known for a history of Rome"."""

    def change(row: Row) -> Row:
        if row.relation != "known for":
            return row
        value = known.FAME.get(row.value, row.value)
        for article, openings in known.FAME_ARTICLES.items():
            if re.match(rf"(?:{'|'.join(openings)})\b", value):
                value = f"{article} {value}"
        return replace(row, value=value)

    world.map(change)


def settle_places(world: World) -> None:
    """A city has one country, and is not located in the country that it has."""
    by_geonames = {
        r.entity for r in world.rows if r.relation == "country" and r.source == "geonames"
    }
    countries = world.values("country")
    regions = world.values("region")

    places = world.of_type("city", "U.S. state") | known.PLACES

    def change(row: Row) -> Row | None:
        if row.relation == "part of" and row.value in places:
            row = replace(row, relation="located in")  # a university is not part of Pennsylvania
        if row.relation == "country" and row.source != "geonames" and row.entity in by_geonames:
            return None
        if row.relation == "located in":
            if row.value in countries.get(row.entity, ()) or row.entity in regions:
                return None
            if row.value in known.FORMER_STATES:
                return None
            if row.value in ("zodiac", "Argo"):  # a group of constellations
                return replace(row, relation="part of")
        if row.relation == "country" and row.value in known.BRITISH:
            return replace(row, value="United Kingdom")
        if (
            row.relation in ("nationality", "country of birth")
            and row.value in known.BRITISH
            and not known.before_union(born.get(row.entity, ""))
        ):
            return replace(row, value="United Kingdom")
        return row

    born = {
        row.entity: row.value for row in world.rows if row.relation in ("birth year", "birth date")
    }
    world.map(change)
    country_of = dict.fromkeys(world.of_type("U.S. state"), "United States")
    country_of |= dict.fromkeys(world.of_type("province of Canada"), "Canada")
    cities = world.of_type("city", "town") - set(world.values("country"))
    added = {
        row.entity: Row(row.entity, "country", country_of[row.value], row.source)
        for row in world.rows
        if row.relation == "located in" and row.entity in cities and row.value in country_of
    }
    world.rows += added.values()


def one_birth(world: World) -> None:
    """The birth date makes the birth year redundant."""
    dated = world.values("birth date")
    world.map(lambda r: None if r.relation == "birth year" and r.entity in dated else r)


def unique(world: World) -> None:
    """A value once for an entity and relation, also when it differs in case only."""
    seen: set[tuple[str, str, str]] = set()
    single: set[tuple[str, str]] = set()

    def change(row: Row) -> Row | None:
        if row.entity == row.value and row.relation not in known.MAY_NAME_ITSELF:
            return None
        key = (row.entity, row.relation, fold(row.value))
        if key in seen or (
            row.relation in known.FUNCTIONAL and (row.entity, row.relation) in single
        ):
            return None
        seen.add(key)
        single.add((row.entity, row.relation))
        return row

    world.map(change)


def cut_cinema(world: World) -> None:
    """Keep the best-known films, and the film people who then still have something to say.

    A film is known by how many facts it has, by Cannes, and by how many films its director
    and cast share with the others.
    """
    films = world.of_type("film")
    credits = Counter(
        row.value for row in world.rows if row.relation in ("director", "cast member")
    )
    score: Counter[str] = Counter()
    for row in world.rows:
        if row.entity in films:
            score[row.entity] += 1
            if row.relation in ("director", "cast member"):
                score[row.entity] += min(credits[row.value], 10)
            if row.relation == "competed at":
                score[row.entity] += 25
    ranked = sorted(films, key=lambda name: (-score[name], name))
    low, high = 0, len(ranked)
    while low < high:
        middle = (low + high + 1) // 2
        trial = World(world.rows)
        _keep_films(trial, films, set(ranked[:middle]))
        if len(cinema(trial.rows)) <= CINEMA_SHARE * len(trial.rows):
            low = middle
        else:
            high = middle - 1
    _keep_films(world, films, set(ranked[:low]))


def _keep_films(world: World, films: set[str], kept: set[str]) -> None:
    gone = films - kept
    world.map(
        lambda r: (
            None
            if r.entity in gone or (r.relation in ("appeared in", "directed") and r.value in gone)
            else r
        )
    )
    other = {r.entity for r in world.rows if not r.source.startswith("bokeh-wikidata")}
    roles = Counter(r.entity for r in world.rows if r.relation in ("appeared in", "directed"))
    small = {
        r.entity
        for r in world.rows
        if r.entity not in other and r.entity not in kept and roles[r.entity] < 2
    }
    world.map(lambda r: None if r.entity in small else r)


def cinema(rows: Sequence[Row]) -> list[Row]:
    """The facts about films, and about people of whom only film work is known."""
    films = {r.entity for r in rows if r.relation == "instance of" and r.value == "film"}
    other = {r.entity for r in rows if not r.source.startswith(("bokeh-wikidata", "great-tables"))}
    return [
        r
        for r in rows
        if r.entity in films or r.entity not in other or r.relation in ("appeared in", "directed")
    ]


def rename_films(world: World) -> None:
    """A film that shares its name with anything else is called ``Name (film)``."""
    films = world.of_type("film")
    to_films = {"appeared in", "directed"}
    used = {fold(r.entity) for r in world.rows if r.entity not in films}
    used |= {fold(r.value) for r in world.rows if r.relation not in to_films}
    taken = used | {fold(name) for name in films}
    new = {}
    for name in sorted(films):
        if fold(name) in used or re.fullmatch(r"[\d/½.:]+", name):
            new[name] = f"{name} (film)"
            assert fold(new[name]) not in taken, new[name]

    def change(row: Row) -> Row:
        value = new.get(row.value, row.value) if row.relation in to_films else row.value
        entity = new.get(row.entity, row.entity) if row.entity in films else row.entity
        return replace(row, entity=entity, value=value)

    world.map(change)


def both_ways(world: World) -> None:
    """Relations that have a counterpart say the same from both ends."""
    entities = {row.entity for row in world.rows}
    have = {(row.entity, row.relation, row.value) for row in world.rows}
    added = []
    for row in world.rows:
        back = known.INVERSE.get(row.relation)
        if back and row.value in entities and (row.value, back, row.entity) not in have:
            have.add((row.value, back, row.entity))
            added.append(Row(row.value, back, row.entity, row.source, row.year))
    world.rows += added
    world.map(
        lambda r: None if r.relation in known.NEEDS_BOTH_ENDS and r.value not in entities else r
    )


def date_facts(world: World) -> None:
    """Facts that age carry the year they are of, if the source gives it."""

    def change(row: Row) -> Row:
        if row.source == "factbook" and row.relation in known.AGEING:
            return replace(row, year=known.LATER.get((row.entity, row.relation), FACTBOOK_YEAR))
        return row

    world.map(change)


def drop_bare(world: World) -> None:
    """An entity of which only its type is left is none, unless several facts lead to it."""
    for _ in range(3):  # dropping one may leave another bare
        size = Counter(row.entity for row in world.rows)
        described = {
            row.entity for row in world.rows if row.relation not in ("instance of", "occupation")
        }
        pointed = Counter(row.value for row in world.rows if row.relation in LINKS)
        bare = {n for n in size if size[n] < 2 and n not in described and pointed[n] < 2}
        world.map(lambda r: None if r.entity in bare else r)  # noqa: B023


def order(world: World) -> None:
    """Entities by folded name, their facts by the order of relations.csv, values as read."""
    place = {name: number for number, name in enumerate(RELATIONS)}
    world.rows.sort(key=lambda r: (fold(r.entity), r.entity, place[r.relation]))


STEPS: tuple[Callable[[World], None], ...] = (
    split_merged,
    repair,
    add,
    rename,
    settle_types,
    name_deities,
    settle_places,
    one_birth,
    unique,
    both_ways,
    spare_person,
    spare_occupation,
    spare_height,
    phrase_fame,
    cut_cinema,
    rename_films,
    both_ways,
    unique,
    drop_bare,
    both_ways,
    spare_country,  # late: the steps before ask for the provinces of Canada
    date_facts,
    order,
)


def clean(folder: Path) -> list[Row]:
    """All facts of the shipped world, in their final order."""
    world = read(folder)
    for step in STEPS:
        before = len(world.rows)
        step(world)
        print(f"{step.__name__:15} {before:6} -> {len(world.rows):6}", file=sys.stderr)
    return world.rows


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file: UTF-8, line feeds."""
    with whole_file(path, made=_begins(header)) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _begins(header: Sequence[str]) -> Callable[[Path], bool]:
    """Recognises a file that an earlier run wrote, by its first line."""
    line = ",".join(header)
    return lambda path: path.open(encoding="utf-8", errors="replace").readline().rstrip() == line


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with triplets_core.csv")
    parser.add_argument("--out", type=Path, default=DATA, help="folder for the three files")
    arguments = parser.parse_args()
    rows = clean(arguments.folder)
    write(
        arguments.out / "world.csv",
        ("entity", "relation", "value", "source", "year"),
        ((r.entity, r.relation, r.value, r.source, r.year or "") for r in rows),
    )
    used = {row.relation for row in rows}
    write(
        arguments.out / "relations.csv",
        ("relation", "kind", "description"),
        ((name, *rest) for name, rest in RELATIONS.items() if name in used),
    )
    entities = {row.entity for row in rows}
    keys = {fold(name) for name in entities}
    write(
        arguments.out / "aliases.csv",
        ("alias", "entity"),
        sorted(
            (alias, name)
            for alias, name in known.aliases().items()
            if name in entities and fold(alias) not in keys
        ),
    )


if __name__ == "__main__":
    main()
