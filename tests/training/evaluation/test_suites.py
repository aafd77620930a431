"""The suites of the evaluation: a faultless model gets full marks, a fault lowers its measure."""

from __future__ import annotations

import csv
import json
import random
import re
from collections import Counter

import numpy as np
import pytest
import torch

from graph.core.edits import Add, AddAlias
from graph.core.facts import RELATIONS
from graph.core.names import fold
from graph.opening import open_store
from graph.world import DATA
from model.checkpoint import make_checkpoint
from model.engine.decoder import Decoder
from tests.training.evaluation.test_evaluate import _trace
from training.corpus.phrase_book import load_phrases
from training.corpus.prompts import Prompts
from training.corpus.records import DEFAULT_FACTS, read_records
from training.data.documents import Document, write_lookup
from training.data.tokenizer import encode_document, load_tokenizer
from training.errors import EvaluationError
from training.evaluation.command import main
from training.evaluation.runner import chosen_suites, run_suite
from training.evaluation.statistics import macro
from training.evaluation.suite_context import References, SuiteContext
from training.evaluation.suites.closed_book import Question, Statement, interval, measure
from training.evaluation.suites.completion import completes
from training.evaluation.suites.edit import _neighbour, choose
from training.evaluation.suites.foreign import COMPOUNDS, graph_store
from training.evaluation.suites.forget import forget
from training.evaluation.suites.missing import adversarial_prompts, not_recorded_pattern
from training.evaluation.suites.perplexity import (
    perplexities,
    plain_perplexity,
    with_own_lookups,
    without_lookups,
)
from training.evaluation.tally import Tally
from training.evaluation.working_store import working_store
from training.fit.module import new_model

CITIES = {"Avalon": "Bora", "Berolina": "Castra", "Corvo": "Dulce", "Dorado": "Esk"}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Four countries with a capital each, which lie in them, and a currency."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'small.db'}"
    with open_store(url, create=True) as store:
        edits = []
        for number, (country, city) in enumerate(CITIES.items()):
            edits += [
                Add(country, "instance of", "country"),
                Add(country, "capital", city, value_is_link=True),
                Add(country, "currency", f"{country[:3]} crown"),
                Add(city, "instance of", "city"),
                Add(city, "country", country, value_is_link=True),
                Add(city, "population", str(1234 * (number + 3))),
            ]
        store.apply(edits, author="test")
        avalon = store.find_entities("Avalon")[0][0]
        store.apply([AddAlias(avalon.id, "Isle of Apples")], author="test")
    return url


class Knower:
    """Answers every question as the graph has it, by finding names and relations in the prompt.

    `fault`: "stubborn" says what it said first, "forgetful" that nothing is recorded, "inventive"
    adds a name, "leaky" says the value without lookups too, "nickname" another name of one.
    """

    def __init__(self, fault: str = "") -> None:
        self.fault, self.first = fault, {}

    def generate_batch(self, prompts, retrievers, settings):
        return [self._write(p, r, settings) for p, r in zip(prompts, retrievers, strict=True)]

    def _write(self, prompt, retriever, settings):
        parts = self._parts(prompt, retriever, settings)
        if self.fault == "inventive":
            parts.append(" Zanzibar was there.")
        trace = _trace(prompt, parts, retriever)
        if self.fault == "stubborn":
            trace = self.first.setdefault((prompt, settings.lookups), trace)
        return trace

    def _parts(self, prompt, retriever, settings):
        known = [n for pair in CITIES.items() for n in pair] + ["Isle of Apples"]
        name = next((n for n in known if n in prompt), "")
        if not settings.lookups:
            leak = ""
            if self.fault == "leaky" and name:
                leak = " ".join(f.value for f in self._all(retriever, name))
            if self.fault == "nickname":
                leak = "It is in the Isle of Apples."
            return [f"Nothing can be looked up. {leak}"]
        if not name:
            lookup = retriever.lookup("Nowhere", RELATIONS)
            return [lookup, " Nothing is recorded about it."]
        if self.fault == "forgetful":
            return [f"No fact is recorded for {name}. The graph holds nothing about {name}."]
        way = self._way(prompt)
        if way is None:
            listed = retriever.lookup(name, RELATIONS)
            parts = [listed]
            for relation in listed.value.split("; "):
                parts += self._statement(retriever, name, relation)[0]
            return parts
        parts = []
        for relation in way:
            more, name = self._statement(retriever, name, relation)
            parts += more
            if not name:
                break
        return parts

    def _all(self, retriever, name):
        found = retriever.store.find_entities(name)
        whole = getattr(retriever.store, "base", retriever.store)  # of a draft, what is below
        return whole.facts(found[0][0].id) if found else []

    def _statement(self, retriever, name, relation):
        lookup = retriever.lookup(name, relation)
        if lookup.is_miss:
            return [f" The {relation} of {name}", lookup, " is not recorded."], ""
        return [f" The {relation} of {name} is", lookup, f" {lookup.value}."], lookup.value

    def _way(self, prompt):
        return WAYS.get(prompt)


WAYS: dict[str, list[str]] = {}


@pytest.fixture(autouse=True)
def readable_questions(monkeypatch):
    """Notes what each question asks for, so that the stand-in need not read English."""
    WAYS.clear()
    from training.evaluation.suites import edit as edit_suite

    def question_for(self, rng, relation, entity, type_=""):
        prompt = f"{relation}: {entity}"
        WAYS[prompt] = [relation]
        return prompt

    monkeypatch.setattr(Prompts, "question_for", question_for)
    asked, chained = edit_suite.fill_prompt, edit_suite._question

    def fill_prompt(template, entity, relation=""):
        prompt = asked(template, entity, relation)
        nouns = {described.noun: n for n, described in load_phrases().relations.items()}
        WAYS.setdefault(prompt, [nouns.get(relation, relation)])
        return prompt

    def chain(context, rng, first, relations):
        prompt = chained(context, rng, first, relations)
        WAYS[prompt] = [first.relation, *relations]
        return prompt

    monkeypatch.setattr(edit_suite, "fill_prompt", fill_prompt)
    monkeypatch.setattr(edit_suite, "_question", chain)


def run(url, suite, fault="", entities=8):
    with working_store(url) as store:
        context = SuiteContext(Knower(fault), store, frozenset({"Avalon"}), entities, seed=1)
        return run_suite(suite, context)


def test_edits_of_a_faultless_model(url):
    found = run(url, "edit")
    asked = ("question", "paraphrase", "paraphrase_unseen", "unrelated", "neighbour")
    for name in asked:
        assert found[f"edit_{name}"]["value"] == 1.0, name
    assert found["edit_paraphrase"]["n"] >= 8 * found["edit_question"]["n"]
    assert found["edit_question_macro"]["n"] >= 2  # relations
    assert found["propagation_2"]["value"] == found["propagation_3"]["value"] == 1.0
    assert found["edits_at_once_1"]["value"] == 1.0
    assert found["edits_at_once_1_others"]["value"] == 1.0
    assert "edits_at_once_1000" not in found  # there are not so many facts
    json.dumps(found)


def test_edits_of_a_model_that_says_what_it_said_first(url):
    found = run(url, "edit", "stubborn")
    # What is asked both of an edit and as a neighbour of another has two right answers.
    assert min(found[f"edit_{name}"]["value"] for name in ("question", "neighbour")) < 1.0
    forgot = run(url, "edit", "forgetful")
    assert forgot["edit_question"]["value"] == forgot["propagation_2"]["value"] == 0.0
    assert forgot["edit_neighbour"]["value"] == forgot["edit_unrelated"]["value"] == 0.0
    assert forgot["edits_at_once_1_others"]["value"] == 0.0


def test_a_neighbour_has_the_same_relation_and_value_if_any_has(url):
    with working_store(url) as store:
        context = SuiteContext(Knower(), store)
        alike = 0
        for one in choose(context, context.rng("edit")):
            near = _neighbour(context, context.rng("n"), one)
            assert near.relation == one.fact.relation
            assert near.entity != one.fact.entity
            shared = [f for f in context.single[near.relation] if f.value == one.fact.value]
            assert (near.value == one.fact.value) == (len(shared) > 1)
            alike += len(shared) > 1
        assert alike


def test_deletions_of_a_faultless_model(url):
    found = run(url, "forget", entities=16)
    assert found["forgotten_del_on"]["value"] == found["forgotten_del_off"]["value"] == 1.0
    assert found["retained"]["value"] == 1.0
    assert found["leakage"]["value"] == found["retrieval_recovery"]["value"] == 0.0
    assert found["retrieval_artifact"]["value"] == 0.0
    assert found["forgotten_del_on_alias"]["n"] == 1
    few = run(url, "forget", entities=2)  # entities with an alias are drawn apart
    assert few["forgotten_del_on_alias"]["n"] == 1


def test_what_is_said_after_a_deletion_is_told_from_where(url):
    leaky = run(url, "forget", "leaky", entities=16)
    assert leaky["leakage"]["value"] == 1.0
    assert leaky["forgotten_del_off"]["value"] == 0.0
    assert leaky["retrieval_recovery"]["value"] == 0.0  # it is not the lookups that give it back
    stubborn = run(url, "forget", "stubborn", entities=16)
    assert stubborn["retrieval_recovery"]["value"] == 1.0
    assert stubborn["forgotten_del_on"]["value"] == 0.0


def test_a_value_is_leaked_by_another_of_its_names_too(url):
    with working_store(url) as store:
        context = SuiteContext(Knower("nickname"), store, entities=16)
        city = store.find_entities("Bora")[0][0]
        lies_in = next(fact for fact in store.facts(city.id) if fact.relation == "country")
        context.by_entity = {("Bora", city.id): [lies_in]}  # it lies in Avalon, the Isle of Apples
        found = forget(context)
    assert found["leakage"]["value"] == 1.0
    assert found["forgotten_del_off"]["value"] == 0.0
    assert found["forgotten_del_on"]["value"] == 1.0


def test_the_measures_of_lookups_have_held_out_entities_and_relations_apart(url):
    found = run(url, "lookup")
    assert found["coverage_held_out"]["n"] < found["coverage"]["n"]
    assert found["coverage_held_out_macro"]["value"] == 1.0
    assert not [name for name in found if "macro_held_out" in name]


def test_missing_answers(url):
    found = run(url, "missing")
    assert found["not_recorded"]["value"] == 1.0
    assert found["not_recorded_entity"]["n"] == 1
    assert found["false_not_recorded"]["value"] == 0.0
    assert found["adversarial_unsupported"]["value"] == 0.0
    assert run(url, "missing", "forgetful")["false_not_recorded"]["value"] == 1.0
    inventive = run(url, "missing", "inventive")
    assert inventive["not_recorded"]["value"] == 0.0
    assert inventive["adversarial_unsupported"]["value"] > 0.2


def test_completion_with_and_without_the_graph(url):
    found = run(url, "completion")
    assert found["completion_closed"]["value"] == 0.0
    assert found["completion"]["n"] == 1  # the one held-out entity
    assert run(url, "completion", "leaky")["completion_closed"]["value"] == 1.0


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The capital of France is Paris.", True),
        ("Paris. It has a population of 2 million.", True),
        ("the Paris", True),
        ("The capital of France is a Paris.", True),
        ("The capital of France is Parisian.", False),
        ("The capital of France is Paris and Lyon.", False),
        ("The capital of France is Lyon. Paris.", False),
        ("The capital of France is", False),
        ("", False),
    ],
)
def test_a_completion_matches_exactly(text, right):
    assert completes(text, "The capital of France is", "Paris") is right


def test_a_foreign_graph_is_measured_by_all_of_lookup_edit_and_forget(url, tmp_path, monkeypatch):
    file = tmp_path / "strange lands.csv"
    lines = ["entity,relation,value"]
    for country, city in CITIES.items():
        lines += [f"{country},capital,{city}", f"{country},crest of,{country[:2]}x"]
    file.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr("training.evaluation.suites.foreign.COMPOUNDS", file)
    with working_store(url) as store:
        context = SuiteContext(
            Knower(), store, entities=48, against=References(graphs=(str(file),))
        )
        found = run_suite("foreign", context)
    for name in ("lookup_validity", "edit_efficacy", "edit_paraphrase", "edit_neighbour",
                 "forgotten_del_on", "forgotten_del_off", "retained"):  # fmt: skip
        for graph in ("foreign", "foreign_strange_lands"):
            assert found[f"{graph}_{name}"]["value"] == 1.0, name
    assert found["foreign_edit_paraphrase_unseen"]["n"] == 5 * len(CITIES)


def test_foreign_graph_is_foreign():
    with graph_store(str(COMPOUNDS)) as store:
        facts = list(store.all_facts())
    assert len({fact.entity for fact in facts}) >= 200
    relations = {fact.relation for fact in facts}
    assert len(relations) >= 20
    assert not {fold(r) for r in relations} & {fold(r) for r in load_phrases().relations}
    ours = {fold(name) for name in read_records(DEFAULT_FACTS)}
    assert not {fold(fact.entity) for fact in facts} & ours


def test_other_nouns_are_those_that_the_graph_takes_for_the_relation(url):
    with (DATA / "synonyms.csv").open(encoding="utf-8") as file:
        taken = {(row["relation"], row["phrase"]) for row in csv.DictReader(file)}
    phrases = load_phrases().relations
    with working_store(url) as store:
        synonyms = SuiteContext(Knower(), store).wordings["synonyms"]
    for relation, nouns in synonyms.items():
        for noun in nouns:
            assert (relation, noun) in taken
            assert noun not in (relation, phrases[relation].noun)


def test_unseen_wordings_are_in_no_document(url):
    with working_store(url) as store:
        context = SuiteContext(Knower(), store)
        unseen = context.wordings["questions"]
        assert len(set(unseen)) == len(unseen) == 100
        general = {q.casefold() for q in context.writer.phrases.general["general_questions"]}
        for described in context.writer.phrases.relations.values():
            for templates in described.questions.values():
                general |= {t.replace(described.noun, "{relation}").casefold() for t in templates}
        prompts, rng = context.writer.prompts.noise, random.Random(0)
        for _ in range(3000):
            frame = rng.choice(context.writer.phrases.general["general_questions"])
            general |= {
                prompts.filled(rng).casefold(),
                prompts.dressed(rng, frame).casefold(),
                prompts.with_slips(rng, frame).casefold(),
            }
        bare = {re.sub(r"\W+", " ", q).strip() for q in general}
        assert not bare & {re.sub(r"\W+", " ", q.casefold()).strip() for q in unseen}
        told = {re.sub(r"\W+", " ", prompts.premise(rng).casefold()) for _ in range(500)}
        told |= set(map(str.casefold, context.writer.phrases.general["no_entity_prompts"]))
        told |= {prompts.in_another_language(rng).casefold() for _ in range(500)}
        adversarial = [p for group in context.wordings["adversarial"].values() for p in group]
        assert not told & {p.casefold() for p in adversarial}
        kinds = Counter(kind for kind, _ in adversarial_prompts(context, context.rng("a"), 200))
        assert set(kinds.values()) == {40}
        assert not_recorded_pattern(context).search("The motto of X is not recorded.")
        assert not not_recorded_pattern(context).search("The motto of X is Y.")


def test_suites_are_named(capsys):
    assert chosen_suites(["forget", "edit", "edit"]) == ["edit", "forget"]
    assert len(chosen_suites(["all"])) == 29
    with pytest.raises(EvaluationError, match="no suite 'edits'; the suites are lookup, edit"):
        chosen_suites(["edits"])
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "closed-book" in capsys.readouterr().out


def test_macro_average_weighs_relations_alike():
    tally = Tally()
    for number in range(90):
        tally.add("m", True, entity=f"e{number}", relation="often")
    for number in range(10):
        tally.add("m", False, entity=f"f{number}", relation="seldom")
    found = tally.measures()
    assert found["m"]["value"] == 0.9
    assert found["m_macro"]["value"] == 0.5
    assert found["m_macro"]["n"] == 2
    pairs_ER2 = np.zeros((4, 2, 2))
    pairs_ER2[:, 0] = (1, 1)
    pairs_ER2[:, 1] = (1, 2)
    assert macro(pairs_ER2, 0)["value"] == 0.75


# -- probabilities -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(toy_corpus):
    torch.manual_seed(1)
    tokenizer = load_tokenizer(toy_corpus / "tokenizer")
    model = new_model(len(tokenizer), 32, 64, 2, 2, 256)
    model.config.lamplight = {"prompt_prefix": " ", "prompt_suffix": "\n", "relations": True}
    return make_checkpoint(model, tokenizer, "tiny")


TEXT = f"It is{write_lookup('France', 'capital', 'Paris')} Paris, and so on."


def test_perplexities_are_those_of_a_plain_computation(checkpoint):
    document = encode_document(checkpoint.tokenizer, Document("Where?", TEXT))
    found = perplexities(checkpoint, [document])
    ids = torch.tensor([document.ids])
    with torch.no_grad():
        logits_TV = checkpoint.model(ids).logits[0, :-1].log_softmax(-1)
    losses = [-logits_TV[i, t].item() for i, t in enumerate(document.ids[1:])]
    inside, text, trained = "", [], []
    names = dict(zip(checkpoint.markers.as_tuple(), ("e", "r", "v", ""), strict=True))
    for position, (token, loss) in enumerate(zip(document.ids[1:], losses, strict=True), start=1):
        if position < document.prompt_length:
            continue
        marker = token in names
        if not inside and not marker:
            text.append(loss)
        if token != checkpoint.markers.end and (inside != "v" or marker):
            trained.append(loss)
        inside = names.get(token, inside)
    assert found["static"]["value"] == pytest.approx(np.exp(np.mean(text)), rel=1e-4)
    expected = np.exp(sum(trained) / len(text))
    assert found["normalised"]["value"] == pytest.approx(expected, rel=1e-4)
    assert found["static"]["n"] == len(text)
    assert found["dynamic"]["n"] == len(text)  # the same words, in other lookups


def test_own_lookups_keep_the_text(checkpoint):
    document = encode_document(checkpoint.tokenizer, Document("Where?", TEXT))
    own = with_own_lookups(checkpoint, document)
    plain = without_lookups(document, checkpoint)
    assert without_lookups(own, checkpoint).ids == plain.ids
    markers = checkpoint.markers
    assert [t for t in own.ids if t in markers.as_tuple()].count(markers.end) == 1
    assert checkpoint.tokenizer.decode(plain.ids).endswith(" It is Paris, and so on.<|end|>")
    assert plain_perplexity(checkpoint, [plain])["n"] == len(plain.ids) - plain.prompt_length


def test_closed_book_finds_what_was_learnt_by_heart(checkpoint, url):
    with working_store(url) as store:
        context = SuiteContext(Decoder(checkpoint), store)
        facts = {key[0]: context.by_entity[key] for key in context.by_entity}
        statements = {
            name: Statement(
                f"What is the capital of {name}?", f"The capital of {name} is", CITIES[name]
            )
            for name in CITIES
        }
        questions = [
            Question(
                statements[name],
                tuple(statements[other] for other in CITIES if other != name),
                next(f for f in facts[name] if f.relation == "capital"),
                held_out=name in ("Corvo", "Dorado"),
            )
            for name in CITIES
        ]
    before = measure(checkpoint, questions, seed=0)
    for name in ("closed_book_ratio", "closed_book_trained", "closed_book_shuffled"):
        assert 0.2 < before[name]["value"] < 5  # nothing is known yet
    rows = [
        [
            *checkpoint.encode_prompt(q.own.prompt),
            *checkpoint.encode_text(" " + q.own.beginning),
            *checkpoint.encode_value(q.own.value),
        ]
        for q in questions
        if not q.held_out
    ]
    optimizer = torch.optim.Adam(checkpoint.model.parameters(), 5e-3)
    for _ in range(40):
        for row in rows:
            ids = torch.tensor([row])
            loss = checkpoint.model(input_ids=ids, labels=ids).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    after = measure(checkpoint, questions, seed=0)
    assert after["closed_book_ratio"]["value"] > 5 * before["closed_book_ratio"]["value"]
    assert after["closed_book_trained"]["value"] > 5 * before["closed_book_trained"]["value"]
    assert after["closed_book_rank_trained"]["value"] == 1.0
    assert after["closed_book_first_trained"]["value"] == 1.0
    probability = "closed_book_probability_trained"
    assert before[probability]["value"] < 0.1 < after[probability]["value"] <= 1.0


def test_an_interval_over_entities_counts_an_entity_once():
    alike = [(f"e{i % 4}", float(i % 4)) for i in range(400)]
    apart = [(f"e{i}", float(i % 4)) for i in range(400)]
    few, many = interval(alike, 0), interval(apart, 0)
    assert few["value"] == many["value"] == 1.5
    assert few["n"] == many["n"] == 400
    assert few["high"] - few["low"] > 5 * (many["high"] - many["low"])
    assert interval(apart, 0, below=alike)["value"] == 0.0


def test_options_name_what_is_compared_and_what_is_read(checkpoint, toy_corpus, url, tmp_path):
    """--corpus, --annotated and --baseline of perplexity, and --graph of foreign."""
    folder = tmp_path / "model"
    checkpoint.model.save_pretrained(folder)
    checkpoint.tokenizer.save_pretrained(folder)
    articles = [
        {"annotated_text": f"It is [dblookup('A{n}', 'seat') -> Bora] Bora, number {n}."}
        for n in range(3)
    ]
    annotated = tmp_path / "articles.json"
    annotated.write_text(json.dumps({"examples": articles}), encoding="utf-8")
    graph = tmp_path / "two things.csv"
    graph.write_text("entity,relation,value\nQuark,charm,beauty\nQuark,spin,1/2\n")
    given = ["--model", str(folder), "--store", url, "--entities", "2", "--out"]
    options = ["--corpus", str(toy_corpus), "--annotated", str(annotated)]
    out = tmp_path / "found.json"
    main(["perplexity", *given, str(out), *options, "--baseline", str(folder)])
    found = json.loads(out.read_text("utf-8"))
    for source in ("", "_corpus", "_annotated"):
        for kind in ("static", "normalised", "baseline"):
            assert found[f"perplexity_{kind}{source}"]["value"] > 1, (kind, source)
    main(["foreign", *given, str(out), "--graph", str(graph)])
    found = json.loads(out.read_text("utf-8"))
    assert found["foreign_two_things_coverage"]["n"] == 2  # charm and spin
    assert "foreign_coverage" in found
    main(["closed-book", *given, str(out), "--unmasked", str(folder), "--entities", "99"])
    found = json.loads(out.read_text("utf-8"))
    assert {n for n in found if n.endswith("_unmasked")} == {
        f"{n}_unmasked" for n in found if not n.endswith("_unmasked")
    }
