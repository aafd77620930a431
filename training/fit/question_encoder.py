"""`encoder`: train the adapter that brings questions and the relations they ask for together.

    python -m training encoder --wordings FOLDER --out graph/data/question_encoder.safetensors

all-MiniLM-L6-v2 knows which sentences are alike, and a question is not like the name of a column.
So each question of the corpus, with its names left out, is trained to be nearer to a name of its
relation than to those of the other questions in its batch (InfoNCE, arXiv 1807.03748), and nearer
than to a name that is near so far and of another relation. Relations that share a name or a wording
do not count as different. What the corpus holds out (`training.corpus.wordings`) is not read.

Lists often lack what is asked for, and then the best score has to say so. So one threshold for all
questions is trained with the adapter: the right name is above it, and without the right name all
others are below it.

A LoRA adapter (arXiv 2106.09685) changes the linear layers; the base stays as it is. The average of
two adapters, trained on different wordings or from different seeds, is better than either (arXiv
2203.05482).

Letters in tensor names: N texts, T tokens, D width of a vector, B questions of a batch, C names.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from graph.core.atomic_files import FORCE_HELP, check_output, whole_file
from graph.lookup.encoder import ADAPTER, INSTALL, weights_folder
from graph.lookup.relevance import readable
from training.corpus.phrase_book import load_phrases
from training.corpus.questions.asked_relations import (
    AskedRelation,
    published_relations,
    read_entries,
    without_names,
    world_inverses,
    world_relations,
)
from training.corpus.questions.everyday import Everyday
from training.corpus.wordings import DEFAULT_DATA, Wordings, prompt_key, read_wordings
from training.errors import TrainingError

RANK, ALPHA = 8, 16
TEMPERATURE = 0.05
BATCH = 48  # questions
STEPS = 800
RATE = 1e-3
NEAR = 24  # names nearest to a question, of which one that is wrong joins the batch
_HARDEST = 8
_LONGEST = 64  # tokens read of a text
_MOST = 40  # wordings for which a relation is drawn more often; as the square root of the number
_RENEWED = 150  # steps after which the vectors of all names are computed again
_BACKWARDS = 0.5  # weight of finding the question of a name
_NOTHING = 0.5  # weight of finding that nothing fits, where the right name is left out
_THRESHOLD = 0.6  # cosine, to begin with
_NOISE = 0.3  # share of the questions in lower case, and of those without marks at the end


@dataclass(frozen=True)
class Group:
    """Names of one relation, and the questions for it with their names left out."""

    labels: tuple[str, ...]
    questions: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Train the adapter and write it."""
    parser = argparse.ArgumentParser(prog="python -m training encoder", description=__doc__)
    parser.add_argument("--wordings", type=Path, default=DEFAULT_DATA, help="published wordings")
    parser.add_argument("--out", type=Path, default=ADAPTER, help="file to write (safetensors)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"batches of {BATCH} questions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--average-with",
        type=Path,
        nargs="+",
        default=[],
        metavar="ADAPTER",
        help="write the average of the trained adapter and these; with --steps 0 only of these",
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    if options.steps == 0 and not options.average_with:
        parser.error("--steps 0 trains nothing; give adapters to --average-with")
    check_output(options.out, force=options.force)  # before a quarter of an hour's work
    adapters = [load_file(path) for path in options.average_with]
    if options.steps:
        adapters.append(_trained(options))
    with whole_file(options.out, "wb", force=options.force) as file:
        file.write(save(average(adapters) if len(adapters) > 1 else adapters[0]))
    print(f"Wrote {options.out}.")
    return 0


def _trained(options: argparse.Namespace) -> dict[str, Tensor]:
    wordings = read_wordings(options.wordings)
    for missing in wordings.missing:
        print(f"{missing}, so its wordings are not read.", flush=True)
    groups = read_groups(wordings)
    print(f"{len(groups)} relations, {sum(len(g.questions) for g in groups):,} questions")
    return train(groups, options.steps, options.seed)


def average(adapters: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The adapter whose change is the mean of theirs; its rank is the sum of their ranks.

    Args:
        adapters: for each weight [O, I], `NAME.a` [R, I] and `NAME.b` [O, R].

    Raises:
        KeyError: if they are for different weights.
    """
    averaged = {}
    for name in adapters[0]:
        matrices = [adapter[name].float() for adapter in adapters]
        if name.endswith(".a"):
            mean = torch.cat(matrices, 0)
        else:
            mean = torch.cat(matrices, 1) / len(adapters)
        averaged[name] = mean.to(adapters[0][name].dtype)
    return averaged


def read_groups(wordings: Wordings) -> list[Group]:
    """All relations that documents ask for, with what training may read of each."""
    entries = read_entries()
    world = world_relations(load_phrases(), entries)
    asked: list[AskedRelation] = [*world.values(), *world_inverses(world, entries).values()]
    asked += published_relations(wordings)
    groups = [_group((one.label, *one.nouns), one.wordings()) for one in asked]
    everyday = Everyday(("word",), ("Name",))
    for relation in everyday.relations.values():
        forwards = relation.asked(relation.name)
        compared = [without_names(str(row["wording"])) for row in relation.compared]
        names = (relation.name, *relation.labels)
        groups.append(_group(names, [*forwards.wordings(), *compared]))
        backwards = [relation.asked_back(name) for name in names]
        groups.append(_group([one.label for one in backwards], backwards[0].wordings()))
    groups += [
        _group((flag,), map(without_names, questions)) for flag, questions in everyday.flags.items()
    ]
    return [group for group in groups if group.questions]


def _group(labels: Iterable[str], wordings: Iterable[str]) -> Group:
    """A group; each of several names also counts as a question, as in "Van 7 mass"."""
    names = tuple(dict.fromkeys(readable(label) for label in labels))
    asked = [text for text in dict.fromkeys(wordings) if len(text) > len("who")]
    return Group(names, (*asked, *(names if asked and len(names) > 1 else ())))


def alike(groups: Sequence[Group]) -> list[set[int]]:
    """For each group the places of those that share a name or a question with it, and its own."""
    having: dict[tuple[str, str], set[int]] = defaultdict(set)
    for place, group in enumerate(groups):
        for label in group.labels:
            having["label", prompt_key(label)].add(place)
        for question in group.questions:
            having["question", prompt_key(question)].add(place)
    found: list[set[int]] = [{place} for place in range(len(groups))]
    for places in having.values():
        for place in places:
            found[place] |= places
    return found


class _Trainee:
    """The base with an adapter to be trained."""

    def __init__(self) -> None:
        from peft import LoraConfig, get_peft_model
        from transformers import BertConfig, BertModel

        folder = weights_folder()
        if folder is None:
            raise TrainingError(f"The sentence encoder is not installed: `{INSTALL}`.")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding()
        base = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
        base.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        layers = ["query", "key", "value", "dense"]
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=layers)
        self.network: Any = get_peft_model(base, config)
        self.network.eval()  # no dropout

    def encode(self, texts: Sequence[str]) -> Tensor:
        """float32 [N, D], each row of length 1."""
        encodings = self._tokenizer.encode_batch(list(texts))
        ids_NT = torch.tensor([encoding.ids for encoding in encodings])
        shown_NT = torch.tensor([encoding.attention_mask for encoding in encodings])
        states_NTD = self.network(input_ids=ids_NT, attention_mask=shown_NT).last_hidden_state
        return functional.normalize((states_NTD * shown_NT[..., None]).sum(1), dim=-1)

    @torch.no_grad()
    def encode_all(self, texts: Sequence[str], batch: int = 256) -> Tensor:
        """The same in batches, without gradients."""
        parts = [texts[begin : begin + batch] for begin in range(0, len(texts), batch)]
        return torch.cat([self.encode(part) for part in parts])

    def adapter(self) -> dict[str, Tensor]:
        """The two matrices of each layer, as `graph.lookup.encoder.MiniLM.adapted` reads them."""
        found = {}
        for name, value in self.network.state_dict().items():
            stem, lora, _ = name.removeprefix("base_model.model.").partition(".lora_")
            if lora:
                b = ".lora_B." in name
                scaled = value * (ALPHA / RANK) if b else value
                found[f"{stem}.{'b' if b else 'a'}"] = scaled.to(torch.float16).contiguous()
        return found


def train(groups: Sequence[Group], steps: int = STEPS, seed: int = 0) -> dict[str, Tensor]:
    """The adapter after so many steps; the learning rate rises, and then falls to zero."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    trainee, same = _Trainee(), alike(groups)
    same_GG = torch.zeros(len(groups), len(groups), dtype=torch.bool)
    for place, others in enumerate(same):
        same_GG[place, list(others)] = True
    weights = [parameter for parameter in trainee.network.parameters() if parameter.requires_grad]
    threshold = torch.nn.Parameter(torch.tensor(_THRESHOLD))
    optimizer = torch.optim.AdamW([*weights, threshold], lr=RATE, weight_decay=0.01)
    begun, mean = time.monotonic(), 0.0
    for step, batch in enumerate(_batches(trainee, groups, same, rng, steps)):
        for options in optimizer.param_groups:
            options["lr"] = RATE * min(1.0, (step + 1) / 30) * (1 - step / steps)
        questions_BD, names_CD, owners = batch
        alike_BC = same_GG[owners[: len(questions_BD)]][:, owners]
        loss = choice_loss(questions_BD @ names_CD.T, threshold, alike_BC)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        mean = 0.95 * mean + 0.05 * loss.item() if step else loss.item()
        if step % 50 == 0 or step == steps - 1:
            seconds = time.monotonic() - begun
            at = f"threshold {threshold.item():.2f}"
            print(f"step {step}: loss {mean:.3f}, {at}, {seconds:.0f} s", flush=True)
    return trainee.adapter()


def choice_loss(cosines_BC: Tensor, threshold: Tensor, alike_BC: Tensor) -> Tensor:
    """How badly questions and names find each other, and the questions that nothing is there.

    Args:
        cosines_BC: of questions and names; the right names come first, in the questions' order.
        threshold: a cosine, of the answer that nothing fits.
        alike_BC: bool, whether a name is of a relation that does not count as wrong.
    """
    count = len(cosines_BC)
    right_B = torch.arange(count)
    others_BC = cosines_BC.masked_fill(alike_BC, -math.inf)  # wrong names only
    right_BC = others_BC.clone()
    right_BC[right_B, right_B] = cosines_BC.diagonal()
    nothing_B1 = threshold.expand(count, 1)
    chosen = functional.cross_entropy(torch.cat([right_BC, nothing_B1], 1) / TEMPERATURE, right_B)
    backwards = functional.cross_entropy(right_BC[:, :count].T / TEMPERATURE, right_B)
    nothing = functional.cross_entropy(
        torch.cat([others_BC, nothing_B1], 1) / TEMPERATURE,
        torch.full((count,), cosines_BC.shape[1]),
    )
    return chosen + _BACKWARDS * backwards + _NOTHING * nothing


def _batches(
    trainee: _Trainee,
    groups: Sequence[Group],
    same: Sequence[set[int]],
    rng: random.Random,
    steps: int,
) -> Iterator[tuple[Tensor, Tensor, list[int]]]:
    """Vectors of questions, of names (first the right ones, in order), and the names' groups."""
    names = [label for group in groups for label in group.labels]
    owner = [place for place, group in enumerate(groups) for _ in group.labels]
    often = [math.sqrt(min(len(group.questions), _MOST)) for group in groups]
    known_ND = trainee.encode_all(names)
    for step in range(steps):
        if step and step % _RENEWED == 0:
            known_ND = trainee.encode_all(names)
        drawn = rng.choices(range(len(groups)), often, k=BATCH)
        questions = [_noisy(rng.choice(groups[place].questions), rng) for place in drawn]
        batch, owners = [rng.choice(groups[place].labels) for place in drawn], list(drawn)
        questions_BD = trainee.encode(questions)
        near_BN = (questions_BD.detach() @ known_ND.T).topk(min(NEAR, len(names))).indices
        for place, near in zip(drawn, near_BN.tolist(), strict=True):
            wrong = [one for one in near if owner[one] not in same[place]][:_HARDEST]
            if wrong:
                chosen = rng.choice(wrong)
                batch.append(names[chosen])
                owners.append(owner[chosen])
        yield questions_BD, trainee.encode(batch), owners


def _noisy(question: str, rng: random.Random) -> str:
    """A question as people type it."""
    if rng.random() < _NOISE:
        question = question.lower()
    return question.rstrip("?. ") if rng.random() < _NOISE else question
