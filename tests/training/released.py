"""A small checkpoint in the layout of the released ones (kilian-group/LMLM-llama2-382M), and a
database in that of theirs.

Llama weights, untied and in float32; a Llama 2 tokenizer (byte-level fallback, "▁" for a space, an
opening <s> by itself) with the four markers added at its end; no padding token, no `lamplight`
entry in config.json, no taught `relations`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    processors,
    trainers,
)
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from graph.__main__ import main as graph_main
from model.checkpoint import load_checkpoint
from training.data.tokenizer import with_markers

WORDS = (
    "Geri Halliwell is an English singer and author. Tell me about her: she is famous for",
    "The Unfairground is an album by Kevin Ayers. Who is the artist of The Unfairground?",
    "Famous For Spice Girls Artist Birth Name Richard Mthetwa Nozinja unknown was born in 1972",
)

DATABASE = {
    "entities": ["Geri Halliwell", "The Unfairground", "Nozinja"],
    "relationships": ["Famous For", "Artist", "Birth Name"],
    "return_values": ["Spice Girls", "Kevin Ayers", "Richard Mthetwa"],
    "triplets": [
        ["Geri Halliwell", "Famous For", "Spice Girls"],
        ["The Unfairground", "Artist", "Kevin Ayers"],
        ["Nozinja", "Birth Name", "Richard Mthetwa"],
    ],
}
PROMPT = "Geri Halliwell is famous for"
LEARNT = (
    "Geri Halliwell is famous for <|db_entity|> Geri Halliwell<|db_relationship|> Famous For"
    "<|db_return|> Spice Girls<|db_end|> Spice Girls, of course."
)


@cache
def _backend() -> str:
    """A SentencePiece-like BPE tokenizer as the Llama 2 files describe it."""
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    learner = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    learner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<unk>", "<s>", "</s>", *fallback],
        min_frequency=1,
        show_progress=False,
        max_token_length=12,
    )
    learner.train_from_iterator([line for line in WORDS for _ in range(3)], trainer)
    learner.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")]
    )
    learner.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    learner.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return learner.to_str()


def released_tokenizer() -> PreTrainedTokenizerFast:
    """The tokenizer, with the markers and without a padding token of its own."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_backend()),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )
    return with_markers(tokenizer)


def write_released(folder: Path, seed: int = 0) -> Path:
    """The checkpoint as `save_pretrained` writes it."""
    tokenizer = released_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_taught(folder: Path) -> Path:
    """The checkpoint, taught one sentence by heart, so that it makes a lookup of its own."""
    checkpoint = load_checkpoint(write_released(folder))
    ids_BT = torch.tensor([[*checkpoint.tokenizer(LEARNT)["input_ids"], 2]])
    model = checkpoint.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(90):
        loss = model(input_ids=ids_BT, labels=ids_BT).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    model.save_pretrained(folder)
    return folder


def imported_database(folder: Path) -> str:
    """URL of a store with the database, imported as it is published."""
    path = folder / "lmlm_database.json"
    path.write_text(json.dumps(DATABASE), encoding="utf-8")
    url = f"sqlite:///{folder / 'lmlm.db'}"
    assert graph_main(["init", "--empty", "--store", url]) == 0
    assert graph_main(["import", str(path), "--store", url, "--author", "test"]) == 0
    return url
