"""Verbs that read a store: lookup, show, history and stats."""

from __future__ import annotations

import argparse

from graph.commands.parser import Verbs, add_revision, whole_number
from graph.commands.printing import check_revision, fact_line, find_entity
from graph.core.facts import Fact
from graph.core.journal import JournalEntry
from graph.lookup.retriever import Retriever
from graph.opening import open_store


def add_verbs(verbs: Verbs) -> None:
    """Declare the verbs of this module."""
    lookup = verbs.add(
        "lookup",
        "answer one lookup as the model would get it",
        _lookup,
        "python -m graph lookup France capital",
    )
    lookup.add_argument("entity", help="the entity, spelt as the model would spell it")
    lookup.add_argument(
        "relation", help='the relation, or "relations" to list those that the entity has'
    )
    lookup.add_argument(
        "--prompt", help="answer relations in order of relevance to this prompt, with inverse ones"
    )
    add_revision(lookup)

    show = verbs.add(
        "show",
        "list an entity's facts, and the facts that link to it",
        _show,
        "python -m graph show France",
    )
    show.add_argument("entity", help="the entity's name or alias")
    show.add_argument(
        "--limit",
        type=whole_number(1),
        default=50,
        metavar="N",
        help="facts on a page, in each direction (default: 50)",
    )
    show.add_argument(
        "--page",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="the page to show, counted from 1 (default: 1)",
    )
    add_revision(show)

    history = verbs.add(
        "history",
        "list edits with author, time and reason, newest first",
        _history,
        "python -m graph history France",
    )
    history.add_argument("entity", nargs="?", help="list only the edits of this entity")
    history.add_argument(
        "--limit",
        type=whole_number(1),
        default=20,
        metavar="N",
        help="list about this many edits (default: 20)",
    )
    history.add_argument(
        "--before",
        type=whole_number(1),
        metavar="REVISION",
        help="list only edits older than this revision",
    )

    verbs.add(
        "stats",
        "count the entities, facts and relations of the store",
        _stats,
        "python -m graph stats",
    )


def _lookup(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        retriever = Retriever(store, at=options.at)
        lookup = retriever.lookup(options.entity, options.relation, options.prompt)
    print(lookup.value)
    found = f"{lookup.how}: {lookup.resolved_entity or 'no such entity'}"
    if lookup.resolved_relation:
        found += f", {lookup.resolved_relation}"
    print(f"  ({found}; score {lookup.score:.2f}, threshold {lookup.threshold:.2f})")
    for runner_up in lookup.runners_up:
        relation = runner_up.relation or "which lacks the relation"
        print(f"  or: {runner_up.entity}, {relation} ({runner_up.score:.2f})")


def _show(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        check_revision(store, options.at)
        entity = find_entity(store, options.entity, options.at)
        print(f"{entity.name}  #{entity.id}")
        if entity.aliases:
            print("also called " + ", ".join(entity.aliases))
        begin, end = (options.page - 1) * options.limit, options.page * options.limit
        for facts in (
            store.facts(entity.id, at=options.at, limit=end + 1),
            store.facts_to(entity.id, at=options.at, limit=end + 1),
        ):
            for fact in facts[begin:end]:
                print("  " + fact_line(fact))
            if len(facts) > end:
                print(f"  … and more: --page {options.page + 1}")


def _describe(entry: JournalEntry) -> str:
    """What an edit did: the fact with its values before and after, or what the edit asked for."""
    facts = [d for d in entry.deltas if isinstance(d.before or d.after, Fact)]
    if entry.kind in ("add", "change", "delete") and facts:
        before, after = facts[-1].before, facts[-1].after
        fact = after or before
        assert isinstance(fact, Fact)
        values = [v.value for v in (before, after) if isinstance(v, Fact)]
        return f"{fact.entity} | {fact.relation} | {' → '.join(dict.fromkeys(values))}"
    return ", ".join(
        f"{name} {value}" for name, value in entry.edit.items() if name != "kind" and value
    )


def _history(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        entity_id = None if options.entity is None else find_entity(store, options.entity).id
        for entry in store.history(entity_id=entity_id, limit=options.limit, before=options.before):
            reason = f": {entry.reason}" if entry.reason else ""
            print(f"{entry.revision}  {entry.time}  {entry.author or 'nobody'}{reason}")
            print(f"    {entry.kind} {_describe(entry)}")


def _stats(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        statistics = store.statistics()
    for name in ("entities", "aliases", "facts", "links", "relations", "revision", "drafts"):
        print(f"{name:10}{getattr(statistics, name):>12,}")
