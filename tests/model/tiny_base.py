"""A made-up chat model of a few thousand weights, as a folder that stands for the base."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from model.prompts import CHAT_END, CHAT_START

TEXTS = (
    "user assistant What is the capital of France? The capital of France is Paris.",
    "relations: capital; currency; area; and 17 more. Q: a? A: b",
)


def write_tiny_base(folder: Path) -> Path:
    """Write a random Llama and its chat tokenizer, without the markers, to `folder`."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        TEXTS * 3,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<|endoftext|>", CHAT_START, CHAT_END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=CHAT_START,
        eos_token=CHAT_END,
        pad_token=CHAT_END,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
        )
    ).save_pretrained(folder)
    return folder
