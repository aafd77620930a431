"""Documents that answer list first: the list, then a fact of it, or a refusal that names others."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Callable

import pytest
import yaml

from graph.core.facts import MAX_RANKED, RELATIONS, join_relations
from training.case_file import Case
from training.corpus.held_out import NameFilter, held_out_entities, without
from training.corpus.phrase_book import load_phrases
from training.corpus.questions.asked_relations import FOLDER, read_entries, read_formats
from training.corpus.questions.filling import about_both, one_sentence
from training.corpus.questions.label_sentences import is_noun, label_sentence, plain_label
from training.corpus.questions.listing import LOOKUP
from training.corpus.questions.question_stream import question_documents, question_writer
from training.corpus.questions.question_writer import QuestionWriter
from training.corpus.questions.relation_lists import Relevance
from training.corpus.records import DEFAULT_FACTS, read_records
from training.corpus.templates import split_template
from training.corpus.wordings import (
    Property,
    Wording,
    Wordings,
    measured_prompts,
    prompt_key,
)
from training.corpus.writer import Writer
from training.data.documents import Document
from training.data.tokenizer import check_markers
from training.evaluation.pass_rule import says_not_held, says_what_to_ask

SLOTS = frozenset({"entity", "entity's", "value", "a value"})


def _published() -> Wordings:
    """A few properties in the published form, so that no test needs the data sets."""
    made = [
        ("P1", "place of birth", "Where did", "come into the world?"),
        ("P2", "located in the administrative territorial entity", "In what district is", "?"),
        ("P3", "founded by", "Who set up", "?"),
        ("P4", "number of pages", "How many pages does", "have?"),
        ("-P5", "screenwriter of", "Which film has a script by", "?"),
    ]
    return Wordings(
        tuple(
            Property(
                p, label, p.startswith("-"), frozenset({"Q5"}), frozenset(),
                (Wording(left, right, False),), ("[X] was born in [Y].",) if p == "P1" else (),
            )
            for p, label, left, right in made
        ),
        ("Bramble Lane Bakery", "Widget 0", "Ada Osei", "Mount Tarn", "Neva"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def names() -> NameFilter:
    return NameFilter(held_out_entities(read_records(DEFAULT_FACTS)))


@pytest.fixture(scope="module")
def world(names: NameFilter) -> Writer:
    return Writer(without(read_records(DEFAULT_FACTS), names), load_phrases())


@pytest.fixture(scope="module")
def questions(world: Writer) -> QuestionWriter:
    return question_writer(world, _published(), None)


@pytest.fixture(scope="module")
def sample(
    questions: QuestionWriter,
) -> Callable[[str, int], list[Document]]:
    def write(kind: str, number: int) -> list[Document]:
        return [questions.document(random.Random(f"{kind}{i}"), kind) for i in range(number)]

    return write


def test_every_lookup_is_of_a_list_that_stands_before_it(
    questions: QuestionWriter, sample: Callable[[str, int], list[Document]]
) -> None:
    counted: Counter[str] = Counter()
    for kind in questions.kinds:
        for document in sample(kind, 40):
            assert check_markers(document.text) is None, document
            assert not re.search(r"\{\w|\w\}", re.sub(r"<\|.*", "", document.text)), document.text
            listed: dict[str, list[str]] = {}
            for entity, relation, value in LOOKUP.findall(document.text):
                counted[kind] += 1
                if relation == RELATIONS:
                    name = next((n for n in (entity, value) if value.startswith(f"{n}: ")), "")
                    listed[value] = value.removeprefix(f"{name}: ").split("; ")
                    continue
                of_entity = [w for w in listed if w.startswith(f"{entity}: ")]
                assert of_entity, (kind, document)
                assert any(f" {relation};" in f"{whole};" for whole in of_entity), (
                    kind,
                    relation,
                    document,
                )
    assert all(counted[kind] > 20 for kind in questions.kinds if kind != "out of scope")


@pytest.mark.parametrize("kind", ["none fits", "qualified", "absent"])
def test_where_none_fits_nothing_more_is_looked_up(
    sample: Callable[[str, int], list[Document]], kind: str
) -> None:
    for document in sample(kind, 60):
        lookups = LOOKUP.findall(document.text)
        assert [relation for _, relation, _ in lookups] == [RELATIONS]
        said = document.text[LOOKUP.search(document.text).end() :]
        assert len(said) > 15
        assert said.rstrip().endswith(".")


def test_a_yes_or_no_is_what_the_value_says(sample: Callable[[str, int], list[Document]]) -> None:
    heads = Counter()
    for document in sample("yes or no", 80):
        said = document.text.rsplit("<|db_end|>", 1)[1]
        heads[said.split()[0]] += 1
    assert set(heads) == {"Yes.", "No."}
    assert min(heads.values()) > 20


def test_what_no_graph_answers_gets_no_lookup(
    sample: Callable[[str, int], list[Document]],
) -> None:
    for document in sample("out of scope", 60):
        assert "<|" not in document.text
        assert document.text.endswith((".", "!", "?"))


def test_a_seed_draws_the_same_documents(
    questions: QuestionWriter, world: Writer, names: NameFilter
) -> None:
    plain = ["A plain text."]
    first, second = (
        list(itertools.islice(question_documents(questions, world, names, 3, False, plain), 120))
        for _ in range(2)
    )
    assert first == second
    assert {document.kind for document in first} > {"single", "none fits", "plain"}
    for document in first:
        assert not names.found(document.prompt)
        assert not names.found(document.text)


def test_no_prompt_is_one_of_a_measure(questions: QuestionWriter) -> None:
    measured = measured_prompts()
    asked = [*questions.world.values(), *(r for r in questions.things.inverses.values())]
    for relation in asked:
        for template in (*relation.questions, *relation.yes_no, *relation.unfinished):
            blanked = re.sub(r"\{(?:entity|value|a value)\}", "_", template)
            key = prompt_key(blanked.replace("{entity's}", "_'s"))
            plain = re.fullmatch(r"(?:what is )?the [^_]+ of _(?: is)?", key)
            assert key not in measured or plain, template


def test_own_wordings_have_their_slots() -> None:
    entries = read_entries()
    assert len(entries) > 110
    for name, entry in entries.items():
        lists = {
            "questions": {"entity"},
            "unfinished": {"entity"},
            "cloze": {"entity"},
            "yes_no": {"entity", "value"},
            "reverse": {"value"},
        }
        for key, wanted in lists.items():
            for template in entry.get(key) or ():
                slots = list(split_template(template)[1::2])
                assert set(slots) <= SLOTS, (name, template)
                found = {slot.removeprefix("a ").removesuffix("'s") for slot in slots}
                assert (found, len(slots)) == (wanted, len(wanted)), (name, template)
                assert template == " ".join(template.split()), (name, template)
        assert 3 <= len(entry["keywords"]) <= 9, name
    for path in FOLDER.glob("*.yaml"):
        assert yaml.safe_load(path.read_text("utf-8"))


def test_formats_are_complete() -> None:
    formats = read_formats()
    for key in ("chatter", "context"):
        assert all("{question}" in text for text in formats[key])
    assert set(formats["out_of_scope"]) == set(formats["out_of_scope_answers"])
    for templates in formats["qualified"].values():
        assert all("{noun}" in text and "{entity" in text for text in templates)


def test_several_facts_are_asked_of_what_the_world_holds(questions: QuestionWriter) -> None:
    formats = read_formats()
    asked = [relation for row in formats["pairs"] for relation in row["relations"]]
    for relation in (*asked, *formats["references"], *formats["counted"]):
        assert relation in questions.world, relation
    templates = [
        *(t for row in formats["pairs"] for t in row["prompts"]),
        *(
            t
            for own in (formats["references"], formats["counted"])
            for ts in own.values()
            for t in ts
        ),
        *(t for frames in formats["absent_frames"].values() for t in frames),
    ]
    for template in templates:
        assert template.count("{entity") == 1, template
    for row in formats["pairs"]:
        for template in row["prompts"]:
            key = prompt_key(template.replace("{entity's}", "_'s").replace("{entity}", "_"))
            assert key not in measured_prompts(), template
    held: dict[str, set[str]] = {}
    for record in questions.material.draws.records.values():
        held.setdefault(record.type, set()).update(record.facts)
    for kind, nouns in formats["absent"].items():
        assert set(nouns) == set(formats["absent_frames"]), kind
        # A list that holds the noun would make the refusal untrue.
        assert held[kind].isdisjoint(itertools.chain(*nouns.values())), kind


def test_a_woven_chain_looks_up_both_steps(
    sample: Callable[[str, int], list[Document]],
) -> None:
    refused = 0
    for document in sample("woven chain", 60):
        lookups = LOOKUP.findall(document.text)
        if len(lookups) == 1:  # the graph does not hold the first step
            refused += 1
            assert document.text.endswith("."), document
            continue
        assert [r == RELATIONS for _, r, _ in lookups] == [True, False, True, False], document
        first, second = lookups[1], lookups[3]
        assert first[2] == second[0]
        assert second[0] not in document.prompt or second[0] == first[0]
    assert 1 <= refused <= 20


def test_a_polar_comparison_says_whether_it_holds(
    sample: Callable[[str, int], list[Document]], questions: QuestionWriter
) -> None:
    smaller = {  # by wordings of people's own relations
        re.sub(r"\{\w+\}", ".+", row["wording"].rstrip("?")): row["which"] == "smaller"
        for relation in questions.things.everyday.relations.values()
        for row in relation.compared
        if row.get("polar")
    }
    said = Counter()
    for document in sample("comparison", 250):
        found = [row for row in LOOKUP.findall(document.text) if row[1] != RELATIONS]
        values = [value for _, _, value in found]
        in_years = any(re.search("year|date|birth|born", relation) for _, relation, _ in found)
        sentence = LOOKUP.sub("", document.text).strip()
        polar = re.match(r"(?:Is|Are|Was|Does|Do|Did|Has) (?!.* or )|.*, right\?", document.prompt)
        if len(values) != 2 or not polar:
            continue
        first, second = (float(re.search(r"-?\d[\d.,]*", v)[0].replace(",", "")) for v in values)
        asked = document.prompt.rstrip("?")
        own = [less for wording, less in smaller.items() if re.fullmatch(wording, asked, re.I)]
        less = re.search(
            r"smaller|fewer|below|lower|shorter|lighter|closer|nearer|before|not as|cheaper|less",
            asked,
        ) or ("older" in asked and (in_years or min(first, second) > 120))  # not by age
        less = own[0] if own and "older" not in asked else less
        holds = first < second if less else first > second
        assert sentence.startswith("Yes. " if holds else "No. "), document
        said[holds] += 1
    assert min(said[True], said[False]) > 5


def test_things_of_own_tables_are_asked_for_in_many_ways(questions: QuestionWriter) -> None:
    """Each label of a relation has wordings, and each kind of thing has names and values."""
    own = questions.things.everyday
    rng = random.Random(0)
    assert len(own.relations) > 90
    for relation in own.relations.values():
        assert len(relation.questions) >= 3, relation.name
        assert all("{entity" in text for text in relation.questions), relation.name
        assert all("{value}" in text for text in relation.yes_no), relation.name
        for _ in range(20):
            assert 0 < len(own.value(rng, relation.name)) < 60
        if relation.compared:
            (one, first), (other, second) = next(
                pair for _ in range(9) if (pair := own.amounts(rng, relation.name))
            )
            assert one != other, relation.name
            assert first != second, relation.name
    used = {name for thing in own.things.values() for name in thing["relations"]}
    assert used == set(own.relations)
    for kind in own.things:
        names = {own.name(rng, kind) for _ in range(20)}
        assert len(names) > 15, kind
        assert not any("{" in name for name in names), kind
        held = [each.everyday for each in own.some(rng, kind, 6)]
        for name in own.things[kind]["relations"]:  # though another may have the same label
            assert own.some(rng, kind, 8, name)[0].everyday == name, kind
        missing = own.other(rng, kind, held)
        assert missing is not None, kind
        assert missing.everyday not in held, kind


def test_a_case_is_asked_in_its_own_words_about_something_else(world: Writer) -> None:
    cases = [
        Case("Who bosses Ada's cat around?", "Ada Osei", "reports_to", "Jun"),
        Case("What colour is the hat of ADA OSEI?", "Ada Osei"),
        Case("A question without the name?", "Ada Osei", "reports_to", "Jun"),
    ]
    questions = question_writer(world, Wordings((), ()), None, cases)
    asked = Counter()
    for number in range(60):
        document = questions.document(random.Random(number), "case")
        assert "Ada" not in document.prompt
        assert not re.search(r"\bJun\b", document.text)
        relations = [relation for _, relation, _ in LOOKUP.findall(document.text)]
        bossed = "cat around" in document.prompt
        assert relations == ([RELATIONS, "reports_to"] if bossed else [RELATIONS]), document
        asked[bossed] += 1
    assert min(asked[True], asked[False]) > 10
    assert "case" not in question_writer(world, Wordings((), ()), None).kinds


def test_a_flag_is_what_the_answer_begins_with(questions: QuestionWriter) -> None:
    said = Counter()
    for number in range(40):
        prompt, text = questions._flagged(random.Random(number))
        (_, (_, relation, value)) = LOOKUP.findall(text)
        flags = {name.lower() for name in questions.things.everyday.flags}
        assert plain_label(relation).lower() in flags
        right = value.lower() in ("yes", "true")
        assert (">" + (" Yes. " if right else " No. ")) in text, (prompt, text)
        said[right] += 1
    assert min(said.values()) > 10


def test_how_many_is_answered_by_a_figure_that_says_it(
    sample: Callable[[str, int], list[Document]],
) -> None:
    for document in sample("count", 200):
        assert not re.search(r"There is one: [€$£]?\d+\b", document.text), document


def test_a_chain_in_an_own_table_goes_on_from_the_first_value(
    sample: Callable[[str, int], list[Document]],
) -> None:
    refused = 0
    for document in sample("own chain", 80):
        lookups = LOOKUP.findall(document.text)
        if len(lookups) == 1:
            refused += 1
            assert not document.text.endswith(": .")
            continue
        assert [r == RELATIONS for _, r, _ in lookups] == [True, False, True, False], document
        assert lookups[1][2] == lookups[3][0], document
    assert 1 <= refused <= 20


def test_a_question_for_a_state_is_right_or_wrong(questions: QuestionWriter) -> None:
    said = Counter()
    for number in range(40):
        prompt, text = questions._in_a_state(random.Random(number))
        (_, (_, relation, value)) = LOOKUP.findall(text)
        assert relation in questions.formats["states"]
        right = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", prompt, re.I) is not None
        assert (">" + (" Yes. " if right else " No. ")) in text, (prompt, text)
        said[right] += 1
    assert min(said.values()) > 10


def test_what_comes_near_is_not_taken_for_the_same(questions: QuestionWriter) -> None:
    means = questions.listing.means
    assert not means("birth year", "birthplace", "Where was born?")
    assert not means("death year", "place of death", "Where did die?")
    assert means("birth date", "birth year", "When was born?")
    assert means("developer", "developed", "Who developed ?")


def test_a_list_counts_what_it_leaves_out() -> None:
    labels = [f"r{i}" for i in range(15)]
    assert join_relations("Ulm", labels[:2]) == "Ulm: r0; r1"
    assert join_relations("Ulm", labels).endswith("; r11; and 3 more")


def test_the_needed_relation_is_always_listed() -> None:
    relevance = Relevance(None)
    labels = [f"word{i} number" for i in range(30)]
    for i in range(50):
        ranked = relevance.ranked(random.Random(i), ["a number"], labels, ["word29 number"])
        assert sorted(ranked) == sorted(labels)
        assert ranked.index("word29 number") < MAX_RANKED


@pytest.mark.parametrize(
    ("label", "plain"),
    [
        ("birth_date", "birth date"),
        ("birthDate", "birth date"),
        ("Birth Date", "birth date"),
        ("ISO code", "ISO code"),
        ("Nobel Prize year", "Nobel Prize year"),
    ],
)
def test_labels_in_words(label: str, plain: str) -> None:
    assert plain_label(label) == plain


@pytest.mark.parametrize(
    ("label", "values", "sentence"),
    [
        ("weight", ["3 kg"], "The weight of Widget 0 is 3 kg."),
        ("founded_by", ["Ada Osei"], "Widget 0 was founded by Ada Osei."),
        ("capital of", ["Peru"], "Widget 0 is the capital of Peru."),
        ("located there", ["Ulm"], "Ulm is located in Widget 0."),
        ("directed", ["Jaws"], "Widget 0 directed Jaws."),
        ("colour", ["red", "blue"], "The graph lists red and blue as the colour of Widget 0."),
        ("born", ["1961"], "Widget 0 was born in 1961."),
        ("born", ["Ulm"], "Widget 0 was born in Ulm."),
        ("founded", ["1987"], "Widget 0 was founded in 1987."),
        ("founded", ["4 May 1987"], "Widget 0 was founded on 4 May 1987."),
        ("founded", ["Acme"], "Widget 0 founded Acme."),
        ("lives in", ["Ulm"], "Widget 0 lives in Ulm."),
        ("depends_on", ["db-1"], "Widget 0 depends on db-1."),
        ("owned by", ["Team A"], "Widget 0 is owned by Team A."),
        ("studied at", ["Ulm"], "Widget 0 studied at Ulm."),
        ("allergic to", ["nuts"], "Widget 0 is allergic to nuts."),
        ("kept in", ["Drawer 2"], "Widget 0 is kept in Drawer 2."),
        ("made of", ["oak"], "Widget 0 is made of oak."),
        ("refrigerated", ["no"], "Under refrigerated, the graph has no for Widget 0."),
        ("runs", ["nginx"], "Widget 0 runs nginx."),
        ("runs of", ["Server a"], "Server a runs Widget 0."),
        ("suppliesOf", ["Acme", "Apex"], "Acme and Apex supply Widget 0."),
        ("opening hours", ["7 to 3"], "The opening hours of Widget 0 are 7 to 3."),
    ],
)
def test_a_relation_without_phrases_is_stated_under_its_name(
    label: str, values: list[str], sentence: str
) -> None:
    assert label_sentence(random.Random(0), "Widget 0", label, values, varied=False) == sentence


def test_what_follows_the() -> None:
    assert all(map(is_noun, ("capital", "place of birth", "ISO code", "birthDate")))
    assert not any(map(is_noun, ("founded by", "capital of", "located there", "has part")))


def test_two_questions_become_one_sentence_and_one_is_about_two() -> None:
    joined = one_sentence("How long is the Nile?", "Where does it end?")
    assert joined == "How long is the Nile, and where does it end?"
    kept = one_sentence("What is a?", "X is what?")  # a name keeps its capital
    assert kept == "What is a, and X is what?"
    asked = "Which currency does {entity} use?"
    assert about_both(asked, "Chad", "Peru") == "Which currency do Chad and Peru use?"
    assert about_both("Where is {entity}?", "Chad", "Peru") == "Where are Chad and Peru?"
    assert about_both("How many has {entity} got?", "A", "B") == "How many have A and B got?"


def test_every_refusal_says_what_may_be_asked_or_that_the_graph_lacks_it() -> None:
    for answers in read_formats()["out_of_scope_answers"].values():
        for answer in answers:
            assert says_not_held(answer) or says_what_to_ask(answer), answer
