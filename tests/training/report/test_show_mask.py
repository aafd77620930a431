"""The mask viewer shows what the module trains."""

from __future__ import annotations

import json

import pytest
import torch

from model.roles import Role
from tests.training.toy import paragraph
from training.__main__ import main
from training.data.documents import Document, write_lookup
from training.data.tokenizer import encode_document, load_tokenizer
from training.fit.module import LookupLanguageModule
from training.report.show_mask import coloured, plain, runs_of


@pytest.fixture(scope="module")
def tokenizer(toy_corpus):
    return load_tokenizer(toy_corpus / "tokenizer")


def test_runs_are_the_roles_and_what_the_module_trains(tokenizer, toy_corpus):
    text = f"It is{write_lookup('France', 'capital', 'Paris')} Paris in 1879."
    start = text.index("1879")
    document = Document("Where?", text, untrained=((start, start + 4),))
    encoded = encode_document(tokenizer, document)
    runs = runs_of(encoded, tokenizer)
    assert "".join(run.text for run in runs) == tokenizer.decode(encoded.ids)
    assert sum(run.tokens for run in runs) == len(encoded.ids)
    shown = {(run.text.strip(), run.role, run.trained) for run in runs}
    assert {
        ("France", Role.ENTITY, True),
        ("capital", Role.RELATION, True),
        ("Paris", Role.VALUE, False),
        ("<|db_end|>", Role.MARKER, False),
        ("<|db_entity|>", Role.MARKER, True),
        ("1879", Role.TEXT, False),
    } <= shown
    module = LookupLanguageModule(
        str(toy_corpus / "tokenizer"), hidden_size=16, intermediate_size=16, layers=1, heads=2
    )
    batch = {
        "ids_BT": torch.tensor([encoded.ids]),
        "flags_BT": torch.tensor([encoded.flags], dtype=torch.bool),
        "prompt_lengths_B": torch.tensor([encoded.prompt_length]),
    }
    trained = int(module.model_step(batch, details=False)["trained"])
    assert trained == sum(run.tokens for run in runs if run.trained)
    assert json.loads(json.dumps([run.to_json() for run in runs]))[0]["role"] == "prompt"


def test_colours_in_a_terminal_and_lines_elsewhere(tokenizer):
    document = paragraph("France", {"capital": "x\x1b[31m"})
    runs = runs_of(encode_document(tokenizer, document), tokenizer)
    shown = coloured(runs)
    assert "\x1b[36m" in shown
    assert "\x1b[33m\x1b[2m" in shown  # a value, faint
    assert "x\x1b[31m" not in shown  # the text does not steer the terminal
    lines = plain(runs).splitlines()
    assert all(line[0] in "+-" for line in lines)
    assert "+ entity    France" in lines
    assert "\x1b" not in plain(runs)


def test_command_line(toy_corpus, tmp_path, capsys):
    assert main(["show-mask", str(toy_corpus), "--document", "3", "--count", "2"]) == 0
    out = capsys.readouterr().out
    assert "Document 3: " in out
    assert "Document 4: " in out
    assert "- prompt" in out
    assert main(["show-mask", str(toy_corpus / "validation"), "--colour", "always"]) == 0
    assert "faint: out of the loss" in capsys.readouterr().out
    annotated = tmp_path / "a.json"
    annotated.write_text(
        json.dumps([{"annotated_text": "Ada, [dblookup('Ada', 'Birth') -> 1815] 1815."}])
    )
    named = ["--tokenizer", str(toy_corpus / "tokenizer")]
    assert main(["show-mask", str(annotated), *named]) == 0
    assert "- value     1815" in capsys.readouterr().out
    assert main(["show-mask", str(annotated), *named, "--document", "9"]) == 1
    assert "has no document 9" in capsys.readouterr().err
