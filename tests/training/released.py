"""A small checkpoint in the layout of the released ones (kilian-group/LMLM-llama2-382M).

Llama weights, untied and in float32; a Llama 2 tokenizer (byte-level fallback, "▁" for a space, an
opening <s> by itself) with the four markers added at its end; no padding token, no `lamplight`
entry in config.json, no taught `relations`.
"""

from __future__ import annotations

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

from training.tokenizer import with_markers

WORDS = (
    "Geri Halliwell is an English singer and author. Tell me about her: she is famous for",
    "The Unfairground is an album by Kevin Ayers. Who is the artist of The Unfairground?",
    "Famous For Spice Girls Artist Birth Name Richard Mthetwa Nozinja unknown was born in 1972",
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
