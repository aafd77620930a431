"""The measures of an evaluation as a model card shows them: a description and the figures.

`key_figures` is a short table of the most important ones. `measure_tables` makes a table for each
section, and one for other graphs with columns for each graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Row = Mapping[str, float]
"""value, low, high, n; "low" and "high" bound the 95 % interval."""

ABOUT = {
    "lookup_validity": "lookups, except `relations`, that resolve exactly to a fact of the entity",
    "coverage": "relations listed by the graph that the paragraph then looks up",
    "faithfulness": "returned values that the text repeats in full",
    "unsupported": "sentences with a name or number not from prompt or lookups (less is better)",
    "edit_efficacy": "texts that say the new value after a random edit",
    "edit_novel": "those edits whose new value is made up, in many scripts",
    "specificity": "other facts that the text still says after the edit",
    "question_validity": "questions whose first lookup finds the fact that was asked for",
    "forgotten": "deletions after which the value is gone and every other fact is still there",
    "forgotten_value": "deletions after which the value is gone",
    "recovery": "deleted values still said, where the name or another fact contains them too",
    "natural": "paragraphs, read by eye, in which every sentence is one that a person would write",
    "readable": "paragraphs, read by eye, without a loop or a broken sentence",
    "edit_question": "a changed fact, asked for in a wording of the corpus",
    "edit_paraphrase": "a changed fact, in frames that the corpus never combines with its noun",
    "edit_paraphrase_synonym": "a changed fact, in such frames with another noun for it",
    "edit_paraphrase_unseen": "a changed fact, asked for in 100 wordings that are in no document",
    "edit_unrelated": "another fact of the entity, asked for after the edit",
    "edit_neighbour": "the same relation of another entity, with the same value if there is one",
    "edit_seconds": "seconds from an edit until the changed text is complete",
    "edits_at_once_1": "a changed fact, asked for; one edit in the draft",
    "edits_at_once_10": "a changed fact among 10 edits at once",
    "edits_at_once_100": "a changed fact among 100 edits at once",
    "edits_at_once_1000": "a changed fact among 1,000 edits at once",
    "propagation_2": "questions through two lookups, after a change to the first fact",
    "propagation_2_unseen": "those whose two relations are chained in no document",
    "propagation_3": "questions through three lookups, after a change to the first fact",
    "propagation_3_unseen": "those with two successive relations that are chained in no document",
    "forgotten_del_on": "deleted facts that are no longer said, lookups allowed",
    "forgotten_del_off": "deleted facts that are no longer said, lookups forbidden",
    "retained": "facts that were not deleted and are still said",
    "leakage": "deleted facts said without lookups: L of arXiv 2607.00605 (less is better)",
    "retrieval_recovery": "deleted facts that lookups gave back: R there (less is better)",
    "retrieval_artifact": "deleted facts said though no lookup returned them (less is better)",
    "not_recorded": "questions without an answer: the text says so and invents nothing",
    "false_not_recorded": "facts in the graph that the text calls not recorded (less is better)",
    "adversarial_unsupported": "unsupported sentences on adversarial prompts (less is better)",
    "closed_book_ratio": "p(true) / p(another value) without lookups, trained over held-out",
    "closed_book_trained": "p(true) / p(another value) without lookups, trained entities",
    "closed_book_held_out": "p(true) / p(another value) without lookups, held-out entities",
    "closed_book_shuffled": "the ratio of trained entities, with another value for the true one",
    "closed_book_first_trained": "true value the likeliest of five: share of trained entities",
    "closed_book_first_held_out": "true value the likeliest of five: share of held-out entities",
    "closed_book_rank_trained": "mean rank of the true value among five, trained entities",
    "closed_book_rank_held_out": "mean rank of the true value among five, held-out entities",
    "closed_book_probability_trained": "geometric mean of p(token) of the true value, trained",
    "closed_book_probability_held_out": "geometric mean of p(token) of the true value, held out",
    "perplexity_static": "perplexity of the text, lookups given (arXiv 2505.15962)",
    "perplexity_dynamic": "perplexity of the text, with queries that the model writes itself",
    "perplexity_normalised": "losses of all trained tokens, per token of the text",
    "perplexity_baseline": "perplexity of the text by a model without lookups",
    "completion": "statements of held-out facts completed, T-REx style",
    "completion_closed": "the same with lookups forbidden (less is better)",
}

SUFFIXES = {
    "_novel": "of edits to made-up values",
    "_alias": "asked for by another name of the entity",
    "_neighbour": "of entities with a name like another entity's",
    "_annotated": "on an annotated corpus (`--annotated`)",
    "_corpus": "on a corpus's validation documents (`--corpus`)",
    "_unmasked": "of a model trained on the values too (`--unmasked`)",
    "_entity": "of an entity that the graph lacks",
    "_others": "facts that these edits do not touch, said as before",
    "_elsewhere": "where the value can be known without the fact",
    "_false_premise": "prompts with a false premise",
    "_no_entity": "prompts about nothing in the graph",
    "_other_languages": "prompts in other languages",
    "_typed_markers": "prompts with markers typed into them",
    "_typos": "prompts with typing errors",
}
"""What a measure is restricted to, by the suffix of its name."""

SECTIONS = {
    "What it looks up and says": (
        *("lookup_validity", "faithfulness", "coverage", "question_validity", "unsupported"),
        *("readable", "natural", "completion"),
    ),
    "After a fact was changed": ("edit", "specificity", "propagation"),
    "After a fact was deleted": ("forgotten", "leakage", "retrieval", "retained", "recovery"),
    "What the graph does not hold": ("not_recorded", "false_not_recorded", "adversarial"),
    "What the weights hold": ("closed_book",),
    "How well it predicts text": ("perplexity",),
    "Others": ("",),
}
"""Each section's measures, by the prefixes of their names; the first section that fits."""

KEY_FIGURES = (
    *("lookup_validity", "coverage", "faithfulness", "unsupported", "natural", "edit_efficacy"),
    *("edit_paraphrase_unseen", "propagation_3", "not_recorded", "forgotten_del_on", "leakage"),
    "closed_book_ratio",
)
"""The dozen measures that a reader should see first."""

MACRO, HELD_OUT = "_macro", "_held_out"  # suffixes of the names of measures
FOREIGN = "foreign_"
CHEMICALS = "chemical compounds"  # the graph of another domain that comes with the evaluation


def key_figures(found: Mapping[str, Row]) -> str:
    """The most important measures as one Markdown table; those that are missing are left out."""
    names = [name for name in KEY_FIGURES if name in found]
    return _section_table(names, {n: row for n, row in found.items() if not n.endswith(MACRO)})


def measure_tables(found: Mapping[str, Row]) -> str:
    """All measures as Markdown: a heading and a table for each section that has any."""
    sections: dict[str, list[str]] = {title: [] for title in SECTIONS}
    for name in found:
        if not name.startswith(FOREIGN) and not _in_row_of_another(name, found):
            sections[_section(name)].append(name)
    parts = [
        f"### {title}\n\n{_section_table(names, found)}"
        for title, names in sections.items()
        if names
    ]
    if foreign := _foreign_table(found):
        parts.append(f"### On graphs that no training saw\n\n{foreign}")
    return "\n\n".join(parts)


def about(name: str) -> str:
    """What a measure is, in one line; empty if there is no description."""
    if name in ABOUT:
        return ABOUT[name]
    for suffix, where in SUFFIXES.items():
        if (kind := name.removesuffix(suffix)) != name and about(kind):
            return f"`{kind}`, {where}"
    return ""


def shown(value: float) -> str:
    """Three digits after the point; very small values in scientific notation."""
    return f"{value:.1e}" if 0 < abs(value) < 0.0005 else f"{value:,.3f}"


def interval(row: Row) -> str:
    """The bounds of the 95 % interval."""
    return f"{shown(row['low'])} to {shown(row['high'])}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False) -> str:
    """A Markdown table; `right` aligns all columns but the first to the right."""
    rule = ["---", *(["---:" if right else "---"] * (len(head) - 1))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _in_row_of_another(name: str, found: Mapping[str, Row]) -> bool:
    """Whether a measure is a column of another's row: its macro average, its held-out entities."""
    if name.endswith(MACRO):
        return True
    return name.endswith(HELD_OUT) and name.removesuffix(HELD_OUT) in found


def _section(name: str) -> str:
    return next(title for title, starts in SECTIONS.items() if name.startswith(starts))


def _section_table(names: Sequence[str], found: Mapping[str, Row]) -> str:
    """A table with columns for macro averages and held-out entities, if any measure has them."""
    columns = {"": "all", MACRO: "each relation alike"}
    columns |= {HELD_OUT: "held-out entities", HELD_OUT + MACRO: "held out, each relation alike"}
    columns = {end: title for end, title in columns.items() if any(n + end in found for n in names)}
    rows = [
        [f"`{name}`", about(name), *(_cell(found.get(name + end)) for end in columns)]
        for name in names
    ]
    return table(["measure", "what", *columns.values()], rows)


def _foreign_table(found: Mapping[str, Row]) -> str:
    """The measures on other graphs, a pair of columns for each graph."""
    cells: dict[str, dict[str, Row]] = {}  # by measure, then by graph
    for name, row in found.items():
        if name.startswith(FOREIGN) and not name.endswith(MACRO):
            measure, graph = _measure_and_graph(name)
            cells.setdefault(measure, {})[graph] = row
    graphs = list(dict.fromkeys(graph for by_graph in cells.values() for graph in by_graph))
    head = ["measure"]
    for graph in graphs:
        head += [graph or CHEMICALS, "each relation alike"]
    rows = []
    for measure, by_graph in cells.items():
        line = [f"`{measure}`"]
        for graph in graphs:
            whole = f"{FOREIGN}{graph}_{measure}" if graph else f"{FOREIGN}{measure}"
            line += [_cell(by_graph.get(graph)), _cell(found.get(whole + MACRO))]
        rows.append(line)
    return table(head, rows) if rows else ""


def _measure_and_graph(name: str) -> tuple[str, str]:
    """Measure and graph of `foreign_GRAPH_MEASURE`; the longest suffix that is a measure wins."""
    words = name.removeprefix(FOREIGN).split("_")
    for place in range(len(words)):
        if about(measure := "_".join(words[place:])):
            return measure, "_".join(words[:place])
    return "_".join(words), ""


def _cell(row: Row | None) -> str:
    if not row:
        return ""
    return f"{shown(row['value'])} ({interval(row)}; n = {int(row['n']):,})"
