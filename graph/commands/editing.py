"""Commands that edit a store: undo, closure, synonyms and settings."""

from __future__ import annotations

import argparse

from graph.commands.parser import Commands, add_signature, whole_number
from graph.commands.printing import counted, fact_line, find_entity
from graph.core.edits import AddSynonym, ChangeSetting, Delete, RemoveSynonym
from graph.core.errors import StoreError
from graph.core.names import fold, quoted
from graph.core.rules import SETTING, SETTINGS, SYNONYM
from graph.editing.closure import ELSEWHERE, KINDS, closure, elsewhere
from graph.opening import open_store

_DELETABLE = (*KINDS, "elsewhere")


def add_commands(commands: Commands) -> None:
    """Declare the commands of this module."""
    undo = commands.add(
        "undo",
        "take back the newest revision, or an earlier one by its number",
        _undo,
        'python -m graph undo --author Ada --reason "a typo"',
    )
    undo.add_argument(
        "revision",
        nargs="?",
        type=whole_number(1),
        help="the revision to take back (default: the newest that is not undone)",
    )
    add_signature(undo)

    closing = commands.add(
        "closure",
        "list the facts that would still give a value away once its fact is deleted",
        _closure,
        "python -m graph closure France capital",
    )
    closing.add_argument("entity", help="the entity that the fact is about")
    closing.add_argument("relation", help="the relation of the fact")
    closing.add_argument("value", nargs="?", help="the value, if the entity has several")
    closing.add_argument(
        "--delete",
        metavar="KINDS",
        help="delete the fact, and the listed facts of these kinds, separated by commas: "
        + ",".join(_DELETABLE),
    )
    add_signature(closing)

    synonyms = commands.add(
        "synonyms",
        "list, add or remove phrases that mean a relation",
        _synonyms,
        'python -m graph synonyms "seat of government" capital',
    )
    synonyms.add_argument("phrase", nargs="?", help="the phrase; without it, all are listed")
    synonyms.add_argument("relation", nargs="?", help="the relation that the phrase means")
    synonyms.add_argument(
        "--remove", action="store_true", help="remove the synonym instead of adding it"
    )
    add_signature(synonyms)

    settings = commands.add(
        "settings",
        "list the settings of the graph, or change one",
        _settings,
        "python -m graph settings refuse-lacking on",
    )
    settings.add_argument("name", nargs="?", help="the setting; without it, all are listed")
    settings.add_argument("value", nargs="?", help="the new value of the setting")
    add_signature(settings)


def _undo(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        if options.revision is None:
            revision = store.undo(author=options.author, reason=options.reason)
        else:
            revision = store.revert(options.revision, author=options.author, reason=options.reason)
        entry = store.history(limit=1)[0]
    print(f"Revision {revision} takes back revision {entry.edit['revision']}.")


def _closure(options: argparse.Namespace) -> None:
    kinds = options.delete.split(",") if options.delete else []
    if unknown := [kind for kind in kinds if kind not in _DELETABLE]:
        raise StoreError(
            f"There is no kind {quoted(unknown[0])}; choose from {', '.join(_DELETABLE)}."
        )
    with open_store(options.store) as store:
        entity = find_entity(store, options.entity)
        facts = store.facts(entity.id, options.relation)
        if options.value is not None:
            facts = [fact for fact in facts if fold(fact.value) == fold(options.value)]
        if not facts:
            raise StoreError(
                f"{quoted(entity.name)} has no such {quoted(options.relation)}; "
                "python -m graph show lists its facts."
            )
        edits = {fact.id: Delete(fact.id) for fact in facts}
        for fact in facts:
            print(fact_line(fact))
            leaks, others = closure(store, fact), elsewhere(store, fact)
            listed = {leak.facts[-1].id for leak in leaks}
            others = [leak for leak in others if leak.facts[-1].id not in listed]
            for leak in leaks:
                print(f"  {leak}")
            if others:
                most = f"at most {ELSEWHERE} are shown" if len(others) == ELSEWHERE else "all shown"
                print(f"  Other entities hold the value too ({most}):")
            for leak in others:
                print(f"  {leak}")
            for leak in (*leaks, *others):
                if leak.kind in kinds:
                    edits.update({edit.fact_id: edit for edit in leak.edits})
        if not kinds:
            print(
                f"To delete it with these facts, add --delete {','.join(KINDS)} or some of them. "
                "Add elsewhere if those of other entities say the same under another name."
            )
            return
        revision = store.apply(
            list(edits.values()), author=options.author, reason=options.reason or "closure"
        )
    print(f"Revision {revision}: deleted {counted(len(edits), 'fact')}.")


def _synonyms(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        if options.phrase is None:
            for rule in store.rules(SYNONYM):
                print(f"{rule.name} = {rule.value}")
            return
        if options.relation is None:
            raise StoreError(f"Name the relation that {quoted(options.phrase)} means as well.")
        make = RemoveSynonym if options.remove else AddSynonym
        edit = make(options.phrase, options.relation)
        revision = store.apply([edit], author=options.author, reason=options.reason)
    print(f"Revision {revision}: {options.phrase} {'≠' if options.remove else '='} {edit.relation}")


def _settings(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        if options.name is not None:
            edit = ChangeSetting(options.name, options.value or "")
            store.apply([edit], author=options.author, reason=options.reason)
        stored = {rule.name: rule.value for rule in store.rules(SETTING)}
    for name, (values, meaning) in SETTINGS.items():
        print(f"{name} = {stored.get(name, values[0])}   ({' or '.join(values)})\n    {meaning}")
