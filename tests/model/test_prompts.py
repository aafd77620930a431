"""Prompts are cleaned, and joined to their answers as the corpus joins them."""

from __future__ import annotations

import pytest

from model.prompts import (
    ANSWER_FORM,
    CHAT_FORM,
    LINE_FORM,
    PromptError,
    PromptForm,
    clean_prompt,
    form_of,
)


@pytest.mark.parametrize("form", [LINE_FORM, ANSWER_FORM, CHAT_FORM, PromptForm("a", "b", "c")])
def test_a_form_survives_its_json(form):
    assert PromptForm.from_json(form.to_json()) == form


def test_the_tokenizer_decides_the_form():
    assert form_of({"<|begin|>": 0, "<|answer|>": 7}) == ANSWER_FORM
    assert form_of({"<|begin|>": 0}) == LINE_FORM
    assert form_of({"<|im_start|>": 1, "<|im_end|>": 2}) == CHAT_FORM
    assert form_of({"<s>": 1}) == PromptForm(keep_lines=False)


def test_line_breaks_are_kept_only_where_the_form_asks_for_it():
    prompt = "  Q: a? \r\nA:  b\n\n\n\nQ: c?\n"
    assert clean_prompt(prompt) == "Q: a? A: b Q: c?"
    assert clean_prompt(prompt, keep_lines=True) == "Q: a?\nA: b\n\nQ: c?"


@pytest.mark.parametrize("keep_lines", [False, True])
def test_control_characters_and_empty_prompts_are_refused(keep_lines):
    for prompt in ("a\x00b", "a\x1b\nb", " \n\t "):
        with pytest.raises(PromptError):
            clean_prompt(prompt, keep_lines=keep_lines)
