"""Annotators: alignment finds what the graph holds, a model's lookups fit the text it was given."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from graph.core.edits import Add, AddAlias
from graph.opening import open_store
from tests.training.released import write_released
from training.__main__ import main
from training.annotation.alignment import AlignmentAnnotator, Text, dates, demonyms, numbers
from training.annotation.annotate import annotate_file, read_texts, unused
from training.annotation.annotated_text import parse
from training.annotation.causal_annotator import CausalAnnotator, graft
from training.errors import CorpusError

CURIE = (
    "Marie Curie\nMarie Curie (November 7, 1867 – 1934) was a Polish physicist. She was married to "
    "P. Curie, lived among 67.4 million people, and died on 4 July 1934."
)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'world.db'}"
    with open_store(url, create=True) as store:
        store.apply(
            [
                Add("Poland", "demonym", "Pole, Polish"),
                Add("Pierre Curie", "occupation", "physicist"),
                Add("Marie Curie", "country", "Poland", value_is_link=True),
                Add("Marie Curie", "spouse", "Pierre Curie", value_is_link=True),
                Add("Marie Curie", "occupation", "physicist"),
                Add("Marie Curie", "birth date", "7 November 1867"),
                Add("Marie Curie", "date of death", "4 July 1934"),
                Add("Marie Curie", "neighbours", "67,413,000"),
                Add("Marie Curie", "motto", "of"),
            ],
            author="test",
        )
        pierre = store.find_entities("Pierre Curie")[0][0]
        store.apply([AddAlias(pierre.id, "P. Curie")], author="test")
    return url


def test_alignment_finds_values_in_other_spellings(url):
    with open_store(url) as store:
        (found,) = AlignmentAnnotator(store).annotate([Text(CURIE)])
    assert found.text == CURIE
    values = {lookup.relation: found.text[lookup.position :] for lookup in found.lookups}
    assert values["birth date"].startswith("November 7, 1867")
    assert values["country"].startswith("Polish")
    assert values["occupation"].startswith("physicist")
    assert values["spouse"].startswith("P. Curie")
    assert values["neighbours"].startswith("67.4 million")
    assert values["date of death"].startswith("4 July 1934")
    assert "motto" not in values  # two letters stand everywhere
    values = {lookup.relation: lookup.value for lookup in found.lookups}
    assert values["birth date"] == "7 November 1867"  # what the graph answers


def test_alignment_leaves_alone_what_it_does_not_know(url):
    with open_store(url) as store:
        annotator = AlignmentAnnotator(store)
        unknown, part = annotator.annotate(
            [Text("Nobody. Nobody was a physicist."), Text("A geophysicist.", "Marie Curie")]
        )
    assert unknown.lookups == part.lookups == ()


def test_notations():
    assert "1867-11-07" in set(dates("7 November 1867"))
    assert set(dates("1867")) == set()
    assert {"67,413,000", "67413000", "67 million"} <= set(numbers("67,413,000"))
    assert set(numbers("1867 men")) == set()
    assert {"Frenchman", "French"} <= set(demonyms("Frenchman"))
    assert set(demonyms("Pole")) == {"Pole", "Poles"}


def test_a_model_cannot_change_the_text():
    text = "The Elbe is 1,094 km long and ends in Cuxhaven."
    answer = (
        "The Elbe, is [dblookup('Elbe', 'Length') -> 1,094 km] 1,094 km long and ENDS in "
        "[dblookup('Elbe', 'Mouth') -> Cuxhaven] Cuxhaven. [dblookup('Elbe', 'x') -> Mars] Mars"
    )
    found = graft(text, answer)
    assert found.text == text
    assert [(p.relation, text[p.position :][: len(p.value)]) for p in found.lookups] == [
        ("Length", "1,094 km"),
        ("Mouth", "Cuxhaven"),
    ]
    (lost,) = found.problems
    assert str(lost) == ("character 49: its place is not in the text ('Elbe · x -> Mars')")


def test_what_a_model_wrote_in_vain_is_told():
    text = "The Elbe is long."
    found = graft(text, "The Elbe is [dblookup('Elbe' -> long] long and", "the answer was cut off")
    assert found.text == text
    assert not found.lookups
    broken, cut = map(str, found.problems)
    assert broken.startswith("character 12: it has no relation")
    assert cut.startswith("character 46: the answer was cut off")


def test_what_could_not_be_used_is_kept_with_its_document(tmp_path, capsys):
    class Careless:
        name = "careless"

        def annotate(self, texts):
            return [graft(text.text, f"[dblookup( {text.text}") for text in texts]

    source = tmp_path / "texts.txt"
    source.write_text("".join(f"Text {number}.\n" for number in range(12)))
    annotate_file(source, tmp_path / "out.jsonl", Careless(), 5)
    lines = list(unused(tmp_path / "out.jsonl"))
    assert lines[1].startswith("Document 2, its answer's character 0: its entity is not quoted")
    assert len(lines) == 11
    assert lines[-1].startswith("12 parts of the answers could not be used; ")


def test_a_causal_lm_annotates_in_batches(tmp_path):
    """An untrained model writes no lookup, but its answers are read and the texts kept."""
    annotator = CausalAnnotator(str(write_released(tmp_path / "model")))
    annotator.model.config.max_position_embeddings = 2048
    texts = [Text("Geri Halliwell is an English singer."), Text("Nozinja was born in 1972.")]
    annotator.tokenizer.model_max_length = 2048
    found = annotator.annotate(texts)
    assert [one.text for one in found] == [text.text for text in texts]
    with pytest.raises(CorpusError, match="cut the texts into paragraphs"):
        annotator.annotate([Text("word " * 3000)])
    with pytest.raises(CorpusError, match="no causal LM"):
        CausalAnnotator(str(tmp_path / "none"))


CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def test_an_instruction_model_is_asked_in_its_chat_form(tmp_path, monkeypatch):
    annotator = CausalAnnotator(str(write_released(tmp_path / "model")))
    plain = annotator._prompt("The Elbe.")
    assert plain.endswith("Text: The Elbe.\nWith calls:")
    annotator.tokenizer.chat_template = CHAT
    chat = annotator._prompt("The Elbe.")
    assert chat.startswith("<system>Copy the text word for word.")
    assert chat.endswith("</assistant><user>The Elbe.</user><assistant>")
    annotator.model.config.max_position_embeddings = annotator.tokenizer.model_max_length = 2048
    generate, seen = annotator.model.generate, {}

    def watched(**inputs):
        seen.update(inputs)
        return generate(**inputs)

    monkeypatch.setattr(annotator.model, "generate", watched)
    answer = (
        "The [dblookup('Elbe', 'Kind') -> river] river Elbe."  # not by a model of random weights
    )
    monkeypatch.setattr(annotator.tokenizer, "batch_decode", lambda ids, **_: [answer] * len(ids))
    (found,) = annotator.annotate([Text("The river Elbe.")])
    assert [(p.entity, p.relation, p.position) for p in found.lookups] == [("Elbe", "Kind", 4)]
    begin = annotator.tokenizer.bos_token_id  # which a chat form has itself, where it wants one
    assert seen["input_ids"][0, 0].item() != begin
    assert seen["do_sample"] is False


class Killed(Exception):
    pass


class Slow:
    """Annotates nothing, and is killed after some batches."""

    name = "slow"

    def __init__(self, batches: int = 99) -> None:
        self.batches, self.seen = batches, []

    def annotate(self, texts):
        if not self.batches:
            raise Killed
        self.batches -= 1
        self.seen += [text.text for text in texts]
        return [parse(text.text) for text in texts]


def test_annotation_goes_on_after_a_kill(tmp_path):
    source, out = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
    lines = [json.dumps({"text": f"Text {n}.", "title": f"T{n}"}) for n in range(10)]
    source.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(Killed):
        annotate_file(source, out, Slow(2), batch_size=3)
    assert not out.exists()
    partial = tmp_path / "out.jsonl.partial"
    with partial.open("a") as file:
        file.write('{"annotated_text": "cut sho')  # the kill came while a line was written
    rest = Slow()
    assert annotate_file(source, out, rest, batch_size=3) == (10, 0)
    assert rest.seen == [f"Text {n}." for n in range(6, 10)]
    assert [text.text for text in read_texts(out)] == [f"Text {n}." for n in range(10)]
    assert not partial.exists()
    partial.write_text(json.dumps({"text": "Another."}) + "\n")
    with pytest.raises(CorpusError, match="begun from another file"):
        annotate_file(source, tmp_path / "out.jsonl", Slow())


def test_command_line_to_shards(url, tmp_path, capsys):
    source, out = tmp_path / "texts.json", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"examples": [{"text": CURIE}] * 3}), encoding="utf-8")
    command = ["annotate", str(source), "--out", str(out), "--align", url]
    assert main(command) == 0
    assert "3 texts with 18 lookups" in capsys.readouterr().out
    assert main(command) == 1
    assert "there already" in capsys.readouterr().err
    named = ["--out", str(tmp_path / "shards"), "--vocabulary", "400", "--validation", "0.5"]
    assert main(["shards", str(out), *named]) == 0
    source.write_text("[1]")
    assert main(["annotate", str(source), "--out", str(tmp_path / "x"), "--align", url]) == 1
    assert "has no text" in capsys.readouterr().err


def test_several_values_are_several_facts_again(url, tmp_path):
    with open_store(url) as store:
        (grace,) = [Text("Grace Hopper was a physicist and writer.", "Grace Hopper")]
        store.apply(
            [Add("Grace Hopper", "occupation", value) for value in ("writer", "physicist")],
            author="test",
        )
        source, out = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
        source.write_text(json.dumps({"text": grace.text, "title": grace.title}))
        assert annotate_file(source, out, AlignmentAnnotator(store)) == (1, 1)
    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    assert main(["extract", str(out), "--store", copy]) == 0
    with open_store(copy) as store:
        entity = store.find_entities("Grace Hopper")[0][0]
        assert [fact.value for fact in store.facts(entity.id)] == ["writer", "physicist"]


@pytest.mark.parametrize("sign", ["[dblookup(", "<|db_end|>"])
def test_a_text_that_holds_a_marker_is_refused_before_it_is_written(url, tmp_path, sign):
    source, out = tmp_path / "texts.txt", tmp_path / "out.jsonl"
    source.write_text(f"Fine.\nNot {sign} fine.\n")
    with open_store(url) as store, pytest.raises(CorpusError, match=r"Document 2 .*marker"):
        annotate_file(source, out, AlignmentAnnotator(store))
    assert not out.exists()


def test_texts_are_read_packed_and_what_is_no_text_is_told(tmp_path):
    packed = tmp_path / "texts.jsonl.gz"
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"text": "Ü.", "title": "T"}) + "\n")
    assert list(read_texts(packed)) == [Text("Ü.", "T")]
    latin = tmp_path / "latin.txt"
    latin.write_bytes("Ü\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"latin\.txt is not UTF-8; .*: save it as UTF-8"):
        list(read_texts(latin))


def test_the_docs_have_the_precision_that_was_read_by_hand():
    with (Path(__file__).parent / "aligned_sites.tsv").open(encoding="utf-8") as file:
        sites = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    right = {True: 0, False: 0}  # in Wikipedia, and elsewhere
    for site in sites:
        right[site["corpus"] == "dwiki-eval1k"] += site["right"] == "yes"
        assert (site["right"] == "yes") == (not site["why not"])
    assert len({tuple(site.values())[:5] for site in sites}) == len(sites) == 200
    page = " ".join(Path("docs/training.md").read_text("utf-8").split())
    assert f"read by hand, {sum(right.values())} tell the fact" in page
    assert f"{right[True]} of 100 in Wikipedia" in page
    assert f"{right[False]} of 100 in encyclopaedia prose" in page
