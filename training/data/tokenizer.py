"""The tokenizer: byte-level BPE in which no token crosses from a word into punctuation.

    python -m training tokenizer --out FOLDER FILE ...

Text is first cut into pieces, and merges happen inside a piece only:

- a run of letters and combining marks, with the one space before it;
- one digit, with the one space before it;
- one character of any other kind (punctuation, symbol), with the one space before it;
- one white-space character (a line break never joins anything).

A space belongs to what follows it and nothing reaches over a piece's end, so the ids of
``" " + value`` are the same wherever they stand: alone, between two markers, and repeated in a
sentence before a comma, a full stop or the next word. The decoder relies on this when it feeds a
looked-up value: the ids it forces are the ids that training saw.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from tokenizers import Encoding, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_folder, whole_folder
from graph.core.database_files import refuse_database
from model.prompts import ANSWER, BEGIN, CHAT_END, form_of
from model.roles import END, ENTITY, RELATIONSHIP, RETURN, add_markers
from training.data.documents import Document, with_opening_space
from training.errors import CorpusError

FINISH, PAD = "<|end|>", "<|pad|>"
MARKERS = (ENTITY, RELATIONSHIP, RETURN, END)
SPECIALS = (BEGIN, FINISH, PAD, *MARKERS, ANSWER)

PIECES = r"\n| ?[\p{L}\p{M}]+| ?\p{N}| ?[^\s\p{L}\p{M}\p{N}]|\s"
FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_MARKER = re.compile("|".join(map(re.escape, MARKERS)))


def train_tokenizer(texts: Iterable[str], vocab_size: int = 8192) -> PreTrainedTokenizerFast:
    """Learn a vocabulary of ``vocab_size`` from ``texts``; markers in them are left out."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((_MARKER.sub("", text) for text in texts), trainer)
    return wrap(tokenizer)


def wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """The same tokenizer as ``AutoTokenizer`` loads it."""
    answer = [] if tokenizer.token_to_id(ANSWER) is None else [ANSWER]  # earlier ones lack it
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=FINISH,
        pad_token=PAD,
        additional_special_tokens=[*MARKERS, *answer],
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
        padding_side="right",
    )


class Encoded(NamedTuple):
    """A document as tokens."""

    ids: list[int]
    flags: list[int]  # 0 where the token is never in the loss, else 1: then its role decides
    prompt_length: int  # tokens, the opening one and the line break included


class DocumentEncoder:
    """Encodes documents: markers count in ``text``, and are plain characters in ``prompt``.

    What surrounds a prompt is the form that belongs to the tokenizer (`model.prompts.form_of`): a
    tokenizer trained here has its own, and that of a chat model has one turn of a chat. With any
    other (a Llama's with the markers added, say) a document is as published LMLM corpora have it:
    no space or line break is added, it opens with the tokenizer's opening token if that adds one by
    itself, and ends with its closing token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        serialised = tokenizer.backend_tokenizer.to_str()
        self._with_markers = Tokenizer.from_str(serialised)
        self._plain = Tokenizer.from_str(serialised)
        self._plain.encode_special_tokens = True  # despite its name: treats them as text
        for encoder in (self._with_markers, self._plain):
            encoder.no_padding()
            encoder.no_truncation()
        vocabulary: dict[str, int] = self._plain.get_vocab()
        self.ours = is_ours(vocabulary)
        if missing := [token for token in MARKERS if token not in vocabulary]:
            raise CorpusError(
                f"The tokenizer lacks {', '.join(missing)}: train one with "
                "`python -m training tokenizer`."
            )
        self.form = form_of(vocabulary)
        self._opening: list[int] = []  # of every document, also of one without a prompt
        self._before, self._after = map(self._encode_control, (self.form.before, self.form.after))
        self._suffix = ""
        after = self.form.after
        if self._after == self.encode_text(after):  # plain text is one piece with the prompt
            self._suffix, self._after = after, []
        if self.ours:
            self._opening, self._before, finish = self._before, [], vocabulary[FINISH]
        elif self.form.before:
            finish = vocabulary[CHAT_END]
        else:
            finish = tokenizer.eos_token_id
            if finish is None:
                raise CorpusError("The tokenizer has no closing token (eos_token); set one.")
            bos = tokenizer.bos_token_id
            adds_one = bos is not None and tokenizer("")["input_ids"][:1] == [bos]
            self._opening = [bos] if adds_one else []
        self.finish = finish

    def encode_batch(self, documents: Sequence[Document]) -> Iterator[Encoded]:
        """The documents, each with its opening and closing token.

        A flag is 0 for the prompt and for every token that touches an untrained span.
        """
        if self.ours:
            documents = [with_opening_space(document) for document in documents]
        lead, suffix = self.form.lead, self._suffix
        prompts = self._plain.encode_batch_fast(
            [lead + d.prompt + suffix if d.prompt else "" for d in documents],
            add_special_tokens=False,
        )
        texts = self._encode_texts(documents)
        for document, prompt, text in zip(documents, prompts, texts, strict=True):
            flags = [1] * len(text.ids)
            if document.untrained:
                for position, (start, end) in enumerate(text.offsets):
                    if any(start < stop and first < end for first, stop in document.untrained):
                        flags[position] = 0
            opening = list(self._opening)
            if document.prompt:
                opening += [*self._before, *prompt.ids, *self._after]
            yield Encoded(
                [*opening, *text.ids, self.finish],
                [0] * len(opening) + [*flags, 1],
                len(opening),
            )

    def _encode_texts(self, documents: Sequence[Document]) -> list[Encoding]:
        """Encodings of the texts; character offsets only where a document needs them."""
        fast = iter(
            self._with_markers.encode_batch_fast(
                [d.text for d in documents if not d.untrained], add_special_tokens=False
            )
        )
        slow = iter(
            self._with_markers.encode_batch(
                [d.text for d in documents if d.untrained], add_special_tokens=False
            )
        )
        return [next(slow) if d.untrained else next(fast) for d in documents]

    def _encode_control(self, text: str) -> list[int]:
        """The ids of a control string: special tokens are recognised in it."""
        return self._with_markers.encode(text, add_special_tokens=False).ids

    def encode_text(self, text: str) -> list[int]:
        """The ids of plain text; markers in it stay characters."""
        return self._plain.encode(text, add_special_tokens=False).ids


def is_ours(vocabulary: Mapping[str, int]) -> bool:
    """Whether a vocabulary belongs to a tokenizer trained here, with its own begin and pad."""
    return all(token in vocabulary for token in (BEGIN, FINISH, PAD))


def with_markers(tokenizer: Any) -> PreTrainedTokenizerFast:
    """Add the four markers to the tokenizer of a causal LM, which is changed in place.

    They come after its own tokens, in the order of the released LMLM checkpoints.
    """
    add_markers(tokenizer)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    extended: PreTrainedTokenizerFast = tokenizer
    return extended


def encode_document(tokenizer: PreTrainedTokenizerFast, document: Document) -> Encoded:
    """One document as tokens; see `DocumentEncoder`."""
    if tokenizer not in _ENCODERS:
        _ENCODERS[tokenizer] = DocumentEncoder(tokenizer)
    return next(_ENCODERS[tokenizer].encode_batch([document]))


_ENCODERS: WeakKeyDictionary[PreTrainedTokenizerFast, DocumentEncoder] = WeakKeyDictionary()


def check_markers(text: str) -> str | None:
    """What is wrong with the markers of ``text``, as the end of a sentence, or None."""
    expected = 0
    for match in _MARKER.finditer(text):
        if match.group() != MARKERS[expected]:
            return (
                f"has {match.group()} at character {match.start()}, where {MARKERS[expected]}"
                " was due"
            )
        expected = (expected + 1) % len(MARKERS)
    return f"ends inside a lookup, before its {MARKERS[expected]}" if expected else None


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> Path:
    """Write ``tokenizer.json`` and its settings to ``folder``, for ``AutoTokenizer``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    return folder


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerFast:
    """The tokenizer in ``folder``, with the markers. Raises `CorpusError` if there is none."""
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        raise CorpusError(
            f"No tokenizer in {folder}: build the corpus first (`python -m training corpus`)."
        )
    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower class
        raise CorpusError(f"The tokenizer {path} is damaged: build the corpus again.") from error
    if is_ours(backend.get_vocab()):
        return wrap(backend)
    return with_markers(AutoTokenizer.from_pretrained(folder, trust_remote_code=False))


def _is_tokenizer_alone(folder: Path) -> bool:
    """Whether a folder holds a tokenizer trained here, and is not that of a model."""
    if not {path.name for path in folder.iterdir()} <= set(FILES):
        return False
    try:
        return is_ours(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab())
    except Exception:  # the library raises no narrower class
        return False


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: train on text files, one document per line."""
    parser = argparse.ArgumentParser(
        prog="python -m training tokenizer",
        description="Train a tokenizer on text files.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument(
        "files", nargs="+", type=Path, help="UTF-8 text files, one document per line"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write tokenizer.json to")
    parser.add_argument("--vocabulary", type=int, default=8192, help="number of tokens to learn")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    check_folder(options.out, FILES, made=_is_tokenizer_alone, force=options.force)
    for path in options.files:
        if not path.is_file():
            raise CorpusError(f"There is no file {path}.")
        refuse_database(path)
    if not any(line.strip() for path in options.files for line in path.open(encoding="utf-8")):
        raise CorpusError(f"{', '.join(map(str, options.files))}: no text to learn from.")
    lines = (line for path in options.files for line in path.open(encoding="utf-8"))
    tokenizer = train_tokenizer(lines, options.vocabulary)
    with whole_folder(
        options.out, FILES, made=_is_tokenizer_alone, force=options.force
    ) as temporary:
        save_tokenizer(tokenizer, temporary)
    print(f"{len(tokenizer):,} tokens in {options.out}.")
    return 0
