"""The corpus says what the graph says, asks before it says it, and names nobody who is held out."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from graph.core.facts import MAX_RELATIONS, RELATIONS, UNKNOWN
from graph.core.names import fold
from training.corpus.document_stream import documents
from training.corpus.draws import Topic
from training.corpus.english import definite_article, enumerate_values, indefinite_article
from training.corpus.held_out import (
    NameFilter,
    chain_pair_held_out,
    frame_held_out,
    held_out_entities,
    without,
)
from training.corpus.kinds.chains import draw_path
from training.corpus.kinds.registry import KINDS
from training.corpus.made_up_names import made_up_name, made_up_relation
from training.corpus.made_up_values import MAX_CHARACTERS, SCRIPTS, made_up_value
from training.corpus.phrase_book import ANY_TYPE, FOLDER, load_phrases
from training.corpus.prose import annotate
from training.corpus.records import DEFAULT_FACTS, Record, read_records, words_of
from training.corpus.templates import Subject, fill_prompt, opens_well, render, split_template
from training.corpus.writer import Writer
from training.data.tokenizer import check_markers

LOOKUP = re.compile(
    r"<\|db_entity\|> (.+?)<\|db_relationship\|> (.+?)<\|db_return\|> (.+?)<\|db_end\|>"
)
GENDERED = re.compile(r"\b(he|she|his|her|hers|him|himself|herself)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    return read_records(DEFAULT_FACTS)


@pytest.fixture(scope="module")
def held_out(records) -> list[str]:
    return held_out_entities(records)


@pytest.fixture(scope="module")
def writer(records, held_out) -> Writer:
    return Writer(without(records, NameFilter(held_out)), load_phrases())


# ---- phrases ------------------------------------------------------------------------------------


def test_a_question_belongs_to_one_relation():
    owners: dict[str, set[str]] = {}
    for relation, described in load_phrases().relations.items():
        for questions in described.questions.values():
            for question in questions:
                owners.setdefault(question, set()).add(relation)
    general = yaml.safe_load((FOLDER / "general.yaml").read_text("utf-8"))
    for given in general["either_questions"]:  # of two, by way of the list
        for question in given["questions"]:
            owners.setdefault(question, set()).add("either")
    assert {q: sorted(names) for q, names in owners.items() if len(names) > 1} == {}


def test_every_relation_of_the_world_has_phrases(records):
    used = {relation for record in records.values() for relation in record.facts}
    phrases = load_phrases().relations
    assert used <= set(phrases)
    for relation in used:
        assert len(phrases[relation].statements[ANY_TYPE]) >= 8, relation
        assert len(phrases[relation].questions[ANY_TYPE]) >= 6, relation


def test_a_statement_names_its_entity_and_its_value_once_and_nobody_s_gender():
    for relation, phrases in load_phrases().relations.items():
        for template in [t for ts in phrases.statements.values() for t in ts]:
            marks = [p for i, p in enumerate(split_template(template)) if i % 2]
            assert sum(m in ("entity", "entity's") for m in marks) == 1, (relation, template)
            assert sum(m in ("value", "a value") for m in marks) == 1, (relation, template)
            assert not GENDERED.search(template), (relation, template)


def test_a_lookup_stands_right_before_the_first_word_that_needs_its_answer():
    assert render(
        "The {language|languages} of {entity} {is|are} {value}.",
        Subject("Peru"),
        {"language": ["Spanish", "Quechua"]},
        "language",
    ) == (
        "The<|db_entity|> Peru<|db_relationship|> language<|db_return|> Spanish; Quechua<|db_end|>"
        " languages of Peru are Spanish and Quechua."
    )
    assert render("{entity} is {a value}.", Subject("Etna"), {"t": ["island"]}, "t") == (
        "Etna is<|db_entity|> Etna<|db_relationship|> t<|db_return|> island<|db_end|> an island."
    )


def test_names_take_the_article_that_english_gives_them():
    assert definite_article("United States") == "the "
    assert definite_article("Danube River") == "the "
    assert definite_article("The Gambia") == ""
    assert definite_article("France") == ""
    assert indefinite_article("U.S. state") == "a"
    assert indefinite_article("island") == "an"
    assert fill_prompt("What is the capital of {entity}?", "Netherlands") == (
        "What is the capital of the Netherlands?"
    )


def test_a_full_stop_that_belongs_to_the_value_closes_the_sentence():
    text = render("{entity} is in {value}.", Subject("X"), {"in": ["Washington, D.C."]}, "in")
    assert text.endswith(" Washington, D.C.")


def test_more_than_five_values_are_counted():
    assert enumerate_values(list("ABCDEFG")) == "A, B, C, D, E and 2 others"
    assert enumerate_values(list("ABCDEF")) == "A, B, C, D, E and 1 other"


def test_a_sentence_does_not_open_in_lower_case():
    assert not opens_well("{entity} is {a value}.", Subject("gold"), {"t": ["metal"]}, "t")
    assert opens_well("The name {entity} is {a value}.", Subject("gold"), {"t": ["metal"]}, "t")


# ---- documents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_documents_of_each_kind_keep_the_grammar_and_the_spacing_rule(writer, kind):
    for seed in range(150):
        document = writer.document(random.Random(seed), kind)
        assert document.prompt.strip(), seed
        assert check_markers(document.text) is None, (seed, document.text)
        assert not re.search(r" <\|db_", document.text), (seed, document.text)
        assert not re.search(r"<\|db_\w+\|>(?! |<\|db_entity|$)", document.text), document.text
        assert "  " not in document.text, (seed, document.text)


def test_every_value_is_repeated_whole_after_its_lookup(writer):
    for seed in range(300):
        document = writer.document(random.Random(seed), "paragraph")
        for match in LOOKUP.finditer(document.text):
            _, relation, value = match.groups()
            rest = LOOKUP.sub("", document.text[match.end() :])
            if relation == RELATIONS or value == UNKNOWN:
                continue
            for one in value.split("; ")[:5]:
                assert one.rstrip(".") in rest, (seed, one, document.text)


def test_a_paragraph_looks_up_the_listed_relations_in_their_order_and_no_others(writer):
    for seed in range(300):
        document = writer.document(random.Random(seed), "paragraph")
        lookups = LOOKUP.findall(document.text)
        assert lookups[0][1] == RELATIONS
        listed = lookups[0][2].split("; ")
        assert len(listed) <= MAX_RELATIONS
        assert listed == [relation for _, relation, _ in lookups[1:]]


def test_a_question_that_two_relations_answer_looks_at_the_list_first(writer):
    asked = Counter()
    for seed in range(200):
        document = writer.document(random.Random(seed), "either question")
        (_, first, listed), (_, second, value) = LOOKUP.findall(document.text)
        assert first == RELATIONS
        there = [r for r in ("birth date", "birth year") if r in listed.split("; ")]
        assert second == (there[0] if there else "birth date")
        assert (value == UNKNOWN) == (not there)
        asked[second, bool(there)] += 1
    assert min(asked.values()) >= 10
    assert len(asked) == 3


def test_no_document_names_an_entity_that_is_held_out(writer, held_out):
    names = [(name, words_of(name)) for name in held_out]
    stream = documents(writer, NameFilter(held_out), seed=7)
    words = " ".join(
        " ".join(["", *words_of(f"{d.prompt} . {d.text}"), ""])
        for _, d in zip(range(2000), stream, strict=False)
    )
    assert [name for name, parts in names if f" {' '.join(parts)} " in words] == []


def test_held_out_entities_are_a_twentieth_and_do_not_depend_on_the_order(records, held_out):
    assert len(held_out) == round(len(records) * 0.05)
    reversed_records = dict(reversed(records.items()))
    assert held_out_entities(reversed_records) == held_out


def test_no_name_stands_beside_its_own_values(writer, records):
    named = [
        (name, writer.draws.name(random.Random(seed), name)) for seed, name in enumerate(records)
    ]
    assert len(named) > 1000
    assert not [real for real, name in named if fold(real) == fold(name)]
    known = {fold(name) for name in records}
    assert sum(fold(name) in known for _, name in named) > len(named) / 2  # mostly another's
    plain = Writer(records.values(), writer.phrases, exchange=False)
    assert fold(plain.draws.name(random.Random(0), "France")) == "france"


def test_half_of_the_values_are_counterfactual(writer):
    real = Counter()
    for seed in range(1500):
        rng = random.Random(seed)
        relation = writer.draws.relation(rng)
        record = rng.choice(writer.draws.by_relation[relation])
        value = record.facts[relation][0]
        real[writer.draws.value(rng, relation, value) == value] += 1
    assert (
        0.42 <= real[True] / real.total() <= 0.60
    )  # a value drawn again may be the same by chance


def test_no_chain_uses_a_pair_of_relations_that_is_held_out(writer):
    pairs = Counter()
    for seed in range(600):
        path = draw_path(writer, random.Random(seed), 1 + seed % 2)
        for (first, _), (second, _) in zip(path or (), (path or ())[1:], strict=False):
            pairs[chain_pair_held_out(first, second)] += 1
    assert pairs[True] == 0 < pairs[False]
    drawn = [chain_pair_held_out(a, b) for a in writer.draws.counts for b in writer.draws.counts]
    assert 0.15 < sum(drawn) / len(drawn) < 0.25


def test_what_lies_between_in_a_chain_may_have_any_name(writer):
    """Else two relations that were never chained are read as one ("country of birth")."""
    odd = Counter()
    for seed in range(300):
        document = writer.document(random.Random(seed), "chain of two")
        lookups = LOOKUP.findall(document.text)
        for (_, relation, value), following in itertools.pairwise(lookups):
            known = relation in writer.phrases.relations
            odd[known] += 1
            assert value == following[0]  # the next lookup asks about what this one gave
            assert known or f"the {relation} of " in document.prompt
    assert 0.05 < odd[False] / odd.total() < 0.30
    drawn = {writer.draws.new_relation(random.Random(seed)) for seed in range(2000)}
    assert not drawn & set(writer.phrases.relations)


def test_a_miss_is_said_plainly_and_is_a_tenth_of_the_documents(writer):
    assert KINDS["missing relation"].weight + KINDS["unknown entity"].weight == pytest.approx(
        0.1, abs=0.02
    )
    for seed in range(100):
        document = writer.document(random.Random(seed), "missing relation")
        assert LOOKUP.search(document.text).group(3) == UNKNOWN
        assert re.search(r"\b(not|no|nothing)\b", document.text, re.IGNORECASE), document.text


@pytest.mark.parametrize("kind", ["question", "missing relation", "general question", "completion"])
def test_an_answer_knows_its_value_before_it_begins(writer, kind):
    for seed in range(100):
        document = writer.document(random.Random(seed), kind)
        assert document.text.startswith("<|db_entity|>"), document.text


def test_a_sentence_begins_with_all_its_lookups_and_its_words_are_chosen_by_them(writer):
    """So the list, and not the wording, says which relation comes next."""
    phrases = load_phrases()
    for sentence in phrases.sentences:
        answers = {relation: (f"v{i}",) for i, relation in enumerate(sentence.relations)}
        text = sentence.render(Subject("Nobody"), answers)
        asked = re.findall(r"<\|db_relationship\|> (.*?)<\|db_return\|>", text)
        assert tuple(asked) == sentence.order, text
        assert "<|db_entity|>" not in text.rsplit("<|db_end|>", 1)[1]
        assert text.count("<|db_end|> ") == 1, text  # no word stands between two of them
    rng = random.Random(5)
    for _ in range(300):
        text = writer.document(rng, "paragraph").text
        words = re.sub(r"<\|db_entity\|>.*?<\|db_end\|>", "\N{BULLET}", text)
        assert words.startswith("\N{BULLET}\N{BULLET}"), text


def test_half_of_the_requests_leave_out_the_article_that_the_text_has(writer):
    name = "Danube River"
    rng = random.Random(6)
    prompts = [writer.prompts.paragraph_prompt(rng, name) for _ in range(400)]
    with_article = sum("the Danube" in prompt or "The Danube" in prompt for prompt in prompts)
    assert 120 < with_article < 280
    record = writer.draws.records[name]
    for _ in range(20):
        text = writer.sentences.paragraph(
            rng, Topic(name, dict(record.facts), {r: r for r in record.facts})
        )
        words = re.sub(r"<\|db_entity\|>.*?<\|db_end\|>", "", text)
        assert not re.search(r"(?<![Tt]he )Danube River", words), words


def test_a_fifth_of_the_frames_is_held_out_for_each_relation(writer):
    general = writer.phrases.general["general_questions"]
    for relation, frames in writer.prompts.frames.items():
        apart = [frame for frame in general if frame_held_out(relation, frame)]
        assert len(apart) + len(frames) == len(general) >= 50
        assert apart, relation
        assert frames, relation
    noun = writer.phrases.relations["capital"].noun
    own = writer.phrases.relations["capital"].questions[ANY_TYPE]
    apart = {f for f in general if frame_held_out("capital", f)}
    apart = {
        fill_prompt(f, "Peru", noun) for f in apart if f.replace("{relation}", noun) not in own
    }
    asked = {
        writer.prompts.fact_prompt(random.Random(seed), "capital", "Peru") for seed in range(3000)
    }
    assert len(asked) > 500
    assert not apart & asked


def test_typed_markers_change_nothing_and_a_premise_is_denied(writer):
    denials = set(writer.prompts.noise.premise_answers)
    kinds = Counter()
    for seed in range(200):
        document = writer.document(random.Random(seed), "odd prompt")
        before = document.text.partition("<|db_entity|>")[0]
        denied = before in denials
        typed = any(piece in document.prompt for piece in ("<|", "|>", "dblookup", "->", "<", "{{"))
        assert denied or (not before and typed), (document.prompt, document.text)
        kinds[denied] += 1
        spoken = LOOKUP.sub("", document.text)
        assert not any(marker in spoken for marker in ("<|db", "dblookup"))
    assert min(kinds.values()) > 50


def test_the_mode_without_lookups_states_nothing(writer):
    for seed in range(50):
        document = writer.document(random.Random(seed), "lookups off")
        assert "<|" not in document.text
    assert KINDS["lookups off"].weight == 0.03


def test_the_same_seed_gives_the_same_documents(writer, held_out):
    names = NameFilter(held_out)
    first = [d for _, d in zip(range(30), documents(writer, names, 1), strict=False)]
    again = [d for _, d in zip(range(30), documents(writer, names, 1), strict=False)]
    other = [d for _, d in zip(range(30), documents(writer, names, 2), strict=False)]
    assert first == again != other


TOY = Path(__file__).parent / "toy_corpus"
DIGESTS = {
    "paragraph": "65017fb2e2abd1d8d278e8d58250ea5e506bb2a2159c65a2ee55f472f3c03d08",
    "question": "2cb41e545738fa81e05fa9fe6c5964fe8d9b81d1bcf3f4037c22d41abf42cab2",
    "completion": "0130c1586de9f7a27ea0596d59964902f6935e6fb640afc3b2a6acf776a71275",
    "general question": "04f5591a0ce5d14209c8b2d1c6b4645b2d6bd0c8cf0cc3ddba01b343f5b937c1",
    "either question": "f122c9ec5f3a3921ca6e9d641aac1d9abdca3772b5720211a29c71cb9e3e260f",
    "two questions": "67bab12203944231e5c569fb6a0274bd7fc50355719457516d8d2f732bd388f2",
    "comparison": "18e150347bfc0f2c1a12bb41f6669fa60b18a7d5d1bfa1cfbc5e4a8508bf9923",
    "chain of two": "36919eef4618e1776412212b11661b76510fee0bd2f6718162caa7e71969e411",
    "chain of three": "6eb0ebb0641f669cffed056599db63b8beac5234dcb5963737c5a5be1fc3cece",
    "missing relation": "6469dc549319a7946ce51d8930ef27090600c2e206d5158f62a0c7f556029a50",
    "unknown entity": "68519e4cba7bd9baf8dc2a8ad029d884d94cc84b78bb42f1d782ab74cf9394f6",
    "odd prompt": "66c287f2054cdab2845c5a917982d73ce02c9fd046b971a6d23b5ce6f2221bda",
    "lookups off": "dc9cf526a19dc1d3c84dd7c4b7ff70659627ab83fc4ac42ab7e0f712b4f2a201",
    "no entity": "0a1d6a2e9dd88029e8c8895c71b24accac5b33b348a743158acb077c02bab68c",
}


@pytest.fixture(scope="module")
def toy_writer() -> Writer:
    return Writer(read_records(TOY / "facts.csv").values(), load_phrases(TOY / "phrases"))


def test_there_is_a_digest_for_every_kind():
    assert set(DIGESTS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_documents_of_a_seed_are_the_same_as_before(toy_writer, kind):
    """A change of code that should not change the corpus keeps these digests.

    The graph and the phrases are toys of their own, so new facts and wordings in the shipped files
    do not matter. After a change that means to write other documents, copy the new digest of
    each kind from the failure into `DIGESTS`, and say in the commit which kinds changed and why.
    """
    digest = hashlib.sha256()
    for seed in range(60):
        document = toy_writer.document(random.Random(seed), kind)
        digest.update(f"{document.prompt}\n{document.text}\n".encode())
    found = digest.hexdigest()
    assert found == DIGESTS.get(kind), f"{kind!r} now writes other documents: {found}"


# ---- made-up strings ----------------------------------------------------------------------------


def test_made_up_strings_are_short_and_of_many_scripts():
    rng = random.Random(0)
    scripts = Counter()
    for _ in range(5000):
        for text in (
            made_up_value(rng),
            made_up_name(rng),
            made_up_relation(rng, ["head", "coach", "seats"]),
        ):
            assert 1 <= len(text) <= MAX_CHARACTERS
            assert "; " not in text
            assert text == text.strip()
        scripts.update({_script(c) for c in made_up_value(rng) if c.isalpha()})
    assert len([s for s, n in scripts.items() if n > 20]) >= 6, scripts
    assert len(SCRIPTS) >= 6


def _script(character: str) -> str:
    import unicodedata

    return unicodedata.name(character).split()[0]


# ---- prose --------------------------------------------------------------------------------------


def test_prose_is_annotated_where_it_says_a_value_and_not_trained_on_other_names():
    record = Record("Chile", {"capital": ("Santiago",), "instance of": ("country",)})
    passage = "Most people live near Santiago, as Pedro de Valdivia wrote in 1541."
    document = annotate(record, passage, "From the handbook: Chile")
    assert (
        "near<|db_entity|> Chile<|db_relationship|> capital<|db_return|> Santiago<|db_end|>"
        " Santiago," in document.text
    )
    assert LOOKUP.sub("", document.text) == passage
    kept_out = [document.text[a:b] for a, b in document.untrained]
    assert "1541." in kept_out
    assert any("Valdivia" in text for text in kept_out)
    assert not any("Santiago" in text for text in kept_out)


def test_an_empty_facts_file_is_refused(tmp_path: Path):
    path = tmp_path / "facts.csv"
    path.write_text("entity,relation,value\n")
    with pytest.raises(ValueError, match="holds no facts"):
        read_records(path)
