"""A corpus is there whole or not at all, and says what is wrong with it."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from tests.training.toy import FACTS, paragraph, toy_documents
from training.data.documents import Document
from training.data.shards import Shard, read_manifest, write_corpus
from training.data.tokenizer import encode_document, load_tokenizer
from training.errors import CorpusError


@pytest.fixture(scope="module")
def tokenizer(toy_corpus):
    return load_tokenizer(toy_corpus / "tokenizer")


def test_reads_back_what_was_written(tmp_path, tokenizer):
    documents = list(toy_documents(40))
    manifest = write_corpus(tmp_path / "c", {"train": documents}, tokenizer, lambda: {"seed": 3})
    shard = Shard(tmp_path / "c" / "train")
    shard.verify()
    assert len(shard) == len(documents)
    for number, document in enumerate(documents):
        ids, flags, prompt_length = shard.document(number)
        assert (ids.tolist(), flags.tolist(), prompt_length) == encode_document(tokenizer, document)
    assert read_manifest(tmp_path / "c") == manifest
    assert manifest["seed"] == 3
    assert manifest["splits"]["train"]["documents"] == 40
    assert isinstance(shard.tokens, np.memmap)
    # The contract's layout: any reader of these types can use it.
    raw = np.fromfile(tmp_path / "c" / "train" / "tokens.bin", dtype=np.uint16)
    assert raw[:5].tolist() == shard.document(0)[0][:5].tolist()


def test_a_large_vocabulary_takes_four_bytes_a_token(tmp_path, tokenizer):
    large = copy.deepcopy(tokenizer)
    large.add_tokens([f"<|{number}|>" for number in range(70_000 - len(large))])
    write_corpus(tmp_path / "c", {"train": [Document("Which?", "It is <|69000|>.")]}, large)
    ids, _, _ = Shard(tmp_path / "c" / "train").document(0)
    assert large.convert_tokens_to_ids("<|69000|>") in ids.tolist()
    assert max(ids) > 1 << 16


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (Document("?", "Paris<|db_entity|> France"), "Document 3 .* ends inside a lookup"),
        (Document("?", "A<|db_return|> b"), "Document 3 .* has <|db_return|> at character 1"),
        (Document("?", "  "), "Document 3 .* is empty"),
        (Document("?", "word " * 2000), "Document 3 .* more than the context of 1,024"),
        (Document("?", "word", untrained=((2, 9),)), "Document 3 .* outside its text"),
    ],
)
def test_a_bad_document_is_named_and_nothing_is_replaced(tmp_path, tokenizer, bad, says):
    good = paragraph("France", FACTS["France"])
    write_corpus(tmp_path / "c", {"train": [good]}, tokenizer)
    with pytest.raises(CorpusError, match=says.replace("|", r"\|")):
        write_corpus(tmp_path / "c", {"train": [good, good, bad, good]}, tokenizer)
    assert len(Shard(tmp_path / "c" / "train")) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_an_empty_or_missing_corpus_is_told(tmp_path, tokenizer):
    with pytest.raises(CorpusError, match="no documents"):
        write_corpus(tmp_path / "c", {"train": []}, tokenizer)
    with pytest.raises(CorpusError, match="build one with"):
        Shard(tmp_path / "none" / "train")
    with pytest.raises(CorpusError, match="build one with"):
        read_manifest(tmp_path / "none")


def test_damage_is_noticed(tmp_path, tokenizer):
    write_corpus(tmp_path / "c", {"train": toy_documents(5)}, tokenizer)
    tokens = tmp_path / "c" / "train" / "tokens.bin"
    content = bytearray(tokens.read_bytes())
    content[8] ^= 1
    tokens.write_bytes(content)
    with pytest.raises(CorpusError, match="checksum"):
        Shard(tmp_path / "c" / "train").verify()
    tokens.write_bytes(content[:-2])
    with pytest.raises(CorpusError, match="truncated"):
        Shard(tmp_path / "c" / "train")
    (tmp_path / "c" / "train" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(CorpusError, match="cannot be read"):
        Shard(tmp_path / "c" / "train")


def test_manifest_is_readable_json(toy_corpus):
    text = (toy_corpus / "manifest.json").read_text("utf-8")
    assert json.loads(text)["held_out"] == ["Kraków"]
    assert "Kraków" in text
