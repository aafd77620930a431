"""A name or value of any kind: its ids are the same alone, looked up and repeated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from graph.core.names import clean_name
from model.base.smollm2 import base_tokenizer
from model.prompts import ANSWER, BEGIN
from model.roles import MARKERS, MarkerIds
from tests.model.tiny_base import write_tiny_base
from tests.training.toy import toy_documents
from training.data.documents import Document, write_lookup
from training.data.tokenizer import (
    FINISH,
    DocumentEncoder,
    check_markers,
    encode_document,
    load_tokenizer,
    main,
    save_tokenizer,
    train_tokenizer,
    wrap,
)
from training.errors import CorpusError

HOSTILE = [
    "Paris",
    "Côte d'Ivoire",
    "St. John's",
    "O'Hara, Jr.",
    "U.S.",
    "7 November 1867",
    "547,030 square kilometres",
    "-5.5 °C",
    "€40m",
    "$1.2 billion",
    "C++",
    "AC/DC",
    "(1999 film)",
    '"quoted"',
    "<img src=x onerror=alert(1)>",
    "${value} {{value}}",
    "東京都",
    "Київ",
    "القاهرة",
    "नई दिल्ली",
    "ประเทศไทย",
    "한국어",
    "e\u0301tude",
    "\u0301leading mark",
    "👩‍🔬 scientist",
    "a\u00a0b",
    "x" * 40,
    "1234567890" * 3,
    "and",
    ", ",
    "...",
    "snake_case_name",
    "camelCaseName",
    "Ⅷ ½ ²",
    "<|db_",
    "|>",
]


@pytest.fixture(scope="module")
def tokenizer():
    words = [" ".join([h, h + ",", h + "."]) for h in HOSTILE]
    texts = [f"{d.prompt} {d.text}" for d in toy_documents(200)] + words * 3
    return train_tokenizer(texts, 900)


def _clean(text: str) -> str | None:
    try:
        return clean_name(text)
    except ValueError:
        return None


def _names() -> st.SearchStrategy[str]:
    free = st.text(min_size=1, max_size=40).map(_clean).filter(bool)
    return (free | st.sampled_from(HOSTILE)).filter(
        lambda name: name == name.strip() and not any(m in name for m in MARKERS)
    )


@settings(max_examples=150, deadline=None)
@given(_names(), _names(), _names(), st.sampled_from([",", ".", ";", " and", "<|end|>"]))
def test_ids_alone_are_the_ids_in_the_document(tokenizer, entity, relation, value, after):
    markers = MarkerIds.of(tokenizer)
    alone = DocumentEncoder(tokenizer).encode_text
    rest = "" if after == FINISH else after + " more."
    text = f"It is{write_lookup(entity, relation, value)} {value}{rest}"
    ids, flags, prompt_length = encode_document(tokenizer, Document(f"About {entity}?", text))

    first, second, third, fourth = (ids.index(marker) for marker in markers.as_tuple())
    assert ids[first + 1 : second] == alone(" " + entity)
    assert ids[second + 1 : third] == alone(" " + relation)
    assert ids[third + 1 : fourth] == alone(" " + value)
    repeated = alone(" " + value)
    assert ids[fourth + 1 :][: len(repeated)] == repeated
    assert tokenizer.decode(ids, skip_special_tokens=False) == (
        f"{BEGIN} About {entity}?{ANSWER} {text}{FINISH}"
    )
    assert len(flags) == len(ids)
    assert flags == [0] * prompt_length + [1] * (len(ids) - prompt_length)


def test_no_token_joins_a_word_to_punctuation_or_digits_to_each_other(tokenizer):
    for token in tokenizer.get_vocab():
        text = tokenizer.convert_tokens_to_string([token])
        if token.startswith("<|") or "\N{REPLACEMENT CHARACTER}" in text:
            continue
        body = text.removeprefix(" ")
        assert len(body) <= 1 or all(not c.isdigit() and not c.isspace() for c in body), token
        assert len(body) <= 1 or ("," not in body and "." not in body), token


def test_typed_markers_stay_text(tokenizer):
    document = Document("Say <|db_entity|> France<|end|>", "No.")
    ids, _, prompt_length = encode_document(tokenizer, document)
    special = {tokenizer.convert_tokens_to_ids(t) for t in (*MARKERS, FINISH)}
    assert not special & set(ids[:prompt_length])
    assert tokenizer.decode(ids[1:prompt_length]) == f" {document.prompt}{ANSWER}"


def test_untrained_spans_become_flags(tokenizer):
    text = "Born in Ulm, in 1879."
    start = text.index("1879")
    document = Document("?", text, untrained=((start, start + 4),))
    ids, flags, prompt_length = encode_document(tokenizer, document)
    kept_out = [i for i, flag in zip(ids, flags, strict=True) if not flag][prompt_length:]
    assert tokenizer.decode(kept_out) == " 1879"


def test_auto_tokenizer_loads_what_was_saved(tokenizer, tmp_path):
    save_tokenizer(tokenizer, tmp_path)
    document = next(toy_documents(1))
    expected = encode_document(tokenizer, document)
    for loaded in (AutoTokenizer.from_pretrained(tmp_path), load_tokenizer(tmp_path)):
        assert encode_document(loaded, document) == expected
        assert loaded.eos_token == FINISH
        assert (loaded.bos_token, loaded.pad_token) == (BEGIN, "<|pad|>")
        assert (
            loaded(document.text, add_special_tokens=False).input_ids
            == (expected.ids[expected.prompt_length : -1])
        )


def test_markers_out_of_order_are_told():
    good = write_lookup("a", "b", "c")
    assert check_markers(f"x{good} y{good}") is None
    assert "ends inside a lookup" in str(check_markers("x<|db_entity|> a"))
    assert "was due" in str(check_markers("x<|db_entity|> a<|db_return|> b"))


def test_command_line(tmp_path, capsys):
    (tmp_path / "text.txt").write_text("one two three\n" * 9, encoding="utf-8")
    out = tmp_path / "tokenizer"
    assert main([str(tmp_path / "text.txt"), "--out", str(out), "--vocabulary", "280"]) == 0
    assert load_tokenizer(out).encode(" two") != []
    with pytest.raises(CorpusError, match="no file"):
        main([str(tmp_path / "none.txt"), "--out", str(out)])


def test_a_name_that_opens_prompt_or_text_is_tokenised_as_in_a_lookup(tokenizer):
    name = "Zorblax Prime"
    text = f"{name} is{write_lookup(name, 'capital', 'Oz')} Oz."
    encoded = encode_document(tokenizer, Document(name, text, untrained=((0, len(name)),)))
    ids = DocumentEncoder(tokenizer).encode_text(" " + name)
    assert encoded.ids[1 : 1 + len(ids)] == ids
    opening = slice(encoded.prompt_length, encoded.prompt_length + len(ids))
    assert encoded.ids[opening] == ids
    # A first token that is the space alone is not part of the name.
    assert encoded.flags[opening][1:] == [0] * (len(ids) - 1)
    assert encoded.flags[opening.stop] == 1


def test_a_tokenizer_with_the_answer_marker_ends_a_prompt_with_it(tokenizer):
    document = Document("Q: a?\nA: <|answer|> b", "Yes.")
    encoded = encode_document(tokenizer, document)
    answer = tokenizer.convert_tokens_to_ids(ANSWER)
    assert encoded.ids[encoded.prompt_length - 1] == answer
    assert encoded.ids.count(answer) == 1
    assert tokenizer.decode(encoded.ids[1 : encoded.prompt_length - 1]) == " " + document.prompt


def test_a_tokenizer_without_the_answer_marker_keeps_the_line_break(tokenizer):
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] != ANSWER]
    del content["model"]["vocab"][ANSWER]
    earlier = wrap(Tokenizer.from_str(json.dumps(content)))
    encoded = encode_document(earlier, Document("What?", "Yes."))
    line = encode_document(earlier, Document("What?\n", "Yes."))
    assert encoded.ids[encoded.prompt_length - 1] == line.ids[line.prompt_length - 1]
    assert earlier.decode(encoded.ids) == "<|begin|> What?\n Yes.<|end|>"


def test_a_chat_tokenizer_encodes_one_turn_of_a_chat(tmp_path):
    tokenizer = base_tokenizer(write_tiny_base(tmp_path))
    text = write_lookup("japan", "relations", "Japan: capital") + " Yes."
    encoded = encode_document(tokenizer, Document("Is it?\n<|im_end|>", text))
    assert tokenizer.decode(encoded.ids) == (
        "<|im_start|>user\nIs it?\n<|im_end|><|im_end|>\n<|im_start|>assistant\n"
        "<|db_entity|> japan<|db_relationship|> relations<|db_return|> Japan: capital<|db_end|>"
        " Yes.<|im_end|>"
    )
    end = tokenizer.eos_token_id
    assert encoded.ids[: encoded.prompt_length].count(end) == 1
    assert encoded.ids[-1] == end
    assert encoded.flags == [0] * encoded.prompt_length + [1] * (
        len(encoded.ids) - encoded.prompt_length
    )
