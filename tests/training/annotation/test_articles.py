"""Annotated corpora: read as published, turned into shards and into a graph."""

from __future__ import annotations

import gzip
import json

import pytest
from transformers import AutoTokenizer

from graph.__main__ import main as graph
from graph.opening import open_store
from model.roles import MARKERS
from tests.training.released import released_tokenizer
from training.__main__ import main
from training.annotation.annotated_text import Annotated, Placed, parse
from training.annotation.article_shards import ArticleWriter, split
from training.annotation.articles import Problems, read_articles
from training.data.shards import Shard
from training.data.tokenizer import load_tokenizer, train_tokenizer
from training.errors import CorpusError

SENTENCE = "{0} was born in [dblookup('{0}', 'Birth Place') -> {1}] {1}, [Sic] of course."
PEOPLE = {"Ada Lovelace": "London", "Alan Turing": "Maida Vale", "Emmy Noether": "Erlangen"}


def examples(count: int = 12) -> list[dict]:
    people = [*PEOPLE.items()]
    made = []
    for number in range(count):
        annotated = "\n".join(SENTENCE.format(*people[(number + i) % 3]) for i in range(2))
        made.append({"annotated_text": annotated, "text": f"Title {number}\n\nbody"})
    return made


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"examples": examples(), "metadata": {}}), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".jsonl", ".jsonl.gz"])
def test_every_form_of_file_holds_the_same_articles(tmp_path, ending):
    path = tmp_path / f"people{ending}"
    lines = "\n".join(json.dumps(example) for example in examples())
    text = lines if ".jsonl" in ending else json.dumps({"examples": examples()})
    data = text.encode()
    path.write_bytes(gzip.compress(data) if ending.endswith(".gz") else data)
    problems = Problems()
    articles = list(read_articles(path, problems))
    assert (problems.documents, problems.lookups) == (12, 24)
    assert articles[3].title == "Title 3"
    assert articles[0].document.lookups[1].value == "Maida Vale"


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ("", "is not JSON"),
        ('{"examples": []}', "holds no document"),
        ('{"texts": []}', 'no list "examples"'),
        ('{"examples": [{"text": "a"}]}', "Document 1 of .* has no annotated_text"),
    ],
)
def test_a_file_that_is_no_corpus_is_told(tmp_path, content, reported):
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=reported):
        list(read_articles(path, Problems()))
    with pytest.raises(CorpusError, match="no file"):
        list(read_articles(tmp_path / "none.json", Problems()))


def test_broken_lookups_are_told_and_dropped_only_on_request(corpus, tmp_path, capsys):
    broken = examples()
    broken[4]["annotated_text"] += " And [dblookup('Ada Lovelace') -> x] x."
    corpus.write_text(json.dumps({"examples": broken}), encoding="utf-8")
    offset = len(examples()[4]["annotated_text"]) + len(" And ")
    out = tmp_path / "out"
    command = ["shards", str(corpus), "--out", str(out), "--vocabulary", "400"]
    assert main(command) == 1
    reported = capsys.readouterr().err
    assert f"document 5, character {offset}" in reported
    assert "--drop-broken" in reported
    assert not out.exists()
    assert main([*command, "--drop-broken"]) == 0
    assert "Left out: 1" in capsys.readouterr().out
    assert json.loads((out / "manifest.json").read_text())["lookups"] == 24


def test_shards_hold_the_articles_in_our_spacing(corpus, tmp_path):
    out = tmp_path / "out"
    assert main(["shards", str(corpus), "--out", str(out), "--vocabulary", "400"]) == 0
    tokenizer = load_tokenizer(out / "tokenizer")
    shard = Shard(out / "train")
    shard.verify()
    assert len(shard) + len(Shard(out / "validation")) == 12
    ids, flags, prompt_length = shard.document(0)
    text = tokenizer.decode(ids[1:-1])
    assert text.startswith(" Ada Lovelace was born in<|db_entity|> Ada Lovelace<|db_relationship|>")
    assert parse(text.lstrip()).text == parse(examples()[0]["annotated_text"]).text
    assert prompt_length == 1
    assert flags[1:].all()


def test_shards_with_a_released_tokenizer_have_the_spacing_of_the_reference(corpus, tmp_path):
    released_tokenizer().save_pretrained(tmp_path / "llama")
    out = tmp_path / "out"
    named = ["--tokenizer", str(tmp_path / "llama"), "--context", "256"]
    assert main(["shards", str(corpus), "--out", str(out), *named]) == 0
    tokenizer = load_tokenizer(out / "tokenizer")
    ids, _, prompt_length = Shard(out / "train").document(0)
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id
    assert prompt_length == 1
    # This tokenizer reads one space more after each marker, as the released ones do.
    decoded = tokenizer.decode(ids[1:-1]).replace("|>  ", "|> ")
    expected = "Ada Lovelace was born in <|db_entity|> Ada Lovelace<|db_relationship|> Birth Place"
    assert decoded.startswith(expected)
    plain = AutoTokenizer.from_pretrained(tmp_path / "llama")
    assert len(plain) == len(tokenizer)
    again = ["shards", str(corpus), "--out", str(tmp_path / "raw"), *named, "--without-lookups"]
    assert main(again) == 0
    raw_ids, _, _ = Shard(tmp_path / "raw" / "train").document(0)
    assert parse(examples()[0]["annotated_text"]).text.startswith(tokenizer.decode(raw_ids[1:-1]))


def test_long_articles_are_cut_between_sentences_and_nothing_is_lost():
    tokenizer = train_tokenizer([examples()[0]["annotated_text"]] * 3, 400)
    sentences = [SENTENCE.format(f"Person {n}", f"Town {n}") for n in range(30)]
    document = parse(" ".join(sentences))
    writer = ArticleWriter(tokenizer, context=128)
    parts = split(document, 128, writer._length)
    assert len(parts) > 3
    assert " ".join(piece.text for piece in parts) == document.text
    assert sum(len(piece.lookups) for piece in parts) == 30
    for piece in parts:
        assert writer._length(piece) <= 128
        for lookup in piece.lookups:
            assert piece.text[lookup.position :].startswith(lookup.value)
    words = Annotated("word " * 400 + "end", (Placed(5, "a", "b", "word"),))
    assert all(writer._length(piece) <= 128 for piece in split(words, 128, writer._length))
    with pytest.raises(CorpusError, match="no space to cut"):
        split(Annotated("x7" * 400), 128, writer._length)


def test_the_graph_of_a_corpus_knows_its_passages(corpus, tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'people.db'}"
    assert main(["extract", str(corpus), "--store", url, "--author", "test"]) == 0
    assert "24 lookups: 3 facts are new" in capsys.readouterr().out
    with open_store(url) as store:
        (ada, _), *_ = store.find_entities("Ada Lovelace")
        (fact,) = store.facts(ada.id)
        assert (fact.relation, fact.value) == ("Birth Place", "London")
        passages = fact.source.split("; ")
        assert len(passages) == 8
        name, _, place = passages[1].partition("#")
        number, _, position = place.partition(":")
        assert name == "people.json"
        article = next(a for a in read_articles(corpus, Problems()) if a.number == int(number))
        assert article.document.text[int(position) :].startswith("London")


def test_a_graph_with_many_passages_can_be_written_out_and_read_in(tmp_path):
    corpus, facts = tmp_path / "people-with-a-long-name.jsonl", tmp_path / "facts.csv"
    corpus.write_text((json.dumps(examples()[0]) + "\n") * 60)
    url, copy = (f"sqlite:///{tmp_path / name}.db" for name in ("first", "second"))
    assert main(["extract", str(corpus), "--store", url]) == 0
    assert graph(["export", str(facts), "--store", url]) == 0
    open_store(copy, create=True).close()
    assert graph(["import", str(facts), "--store", copy]) == 0
    with open_store(url) as first, open_store(copy) as second:
        (one,), (other,) = ([f.source for f in s.all_facts()][:1] for s in (first, second))
    assert one == other
    assert len(one) > 500


def test_markers_are_added_in_the_order_of_the_released_checkpoints():
    tokenizer = released_tokenizer()
    assert tokenizer.convert_tokens_to_ids(list(MARKERS)) == list(
        range(len(tokenizer) - 4, len(tokenizer))
    )
