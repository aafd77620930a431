"""`perplexity`: the three perplexities of arXiv 2505.15962, against a model without lookups.

All are per token of the plain text (the words that a reader sees), in the documents' own lookups:

- static: of those tokens, with the documents' lookups and values in the context;
- dynamic: of the same tokens, but in place of each lookup the model writes its own query, which the
  document's facts answer;
- normalised: the queries count too: the summed loss of all trained tokens (text, entity, relation,
  markers), divided by the number of the text's tokens.

The documents are samples of a hundred: paragraphs and questions on held-out entities, the
validation split of a corpus (--corpus), and parts of an annotated corpus (--annotated); a baseline
(--baseline) reads the same texts without lookups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graph.core.facts import UNKNOWN
from graph.core.names import fold
from model.audit.scoring import token_losses
from model.checkpoint import Checkpoint, load_checkpoint
from model.engine.cache import GrowingCache
from model.roles import Role, token_roles
from training.annotation.article_shards import ArticleWriter
from training.annotation.articles import Problems, read_articles
from training.corpus.writer import Writer
from training.data.shards import Shard
from training.data.tokenizer import DocumentEncoder, Encoded
from training.errors import EvaluationError
from training.evaluation.statistics import Measures, percentiles, resampled_sums
from training.evaluation.suite_context import SuiteContext

DOCUMENTS = 100  # of each source
LONGEST_QUERY = 64  # tokens


def perplexity(context: SuiteContext) -> Measures:
    """The perplexities of each source of documents."""
    checkpoint = getattr(context.decoder, "checkpoint", None)
    if not isinstance(checkpoint, Checkpoint):
        raise EvaluationError("The suite perplexity needs a checkpoint, to see its probabilities.")
    baseline = load_checkpoint(context.against.baseline) if context.against.baseline else None
    if baseline and baseline.tokenizer.get_vocab() != checkpoint.tokenizer.get_vocab():
        raise EvaluationError(
            f"The baseline {context.against.baseline} has another tokenizer, and perplexities of a "
            "text are compared token by token: train the baseline on the same corpus with "
            "--data.lookups false."
        )
    found: Measures = {}
    for suffix, documents in sources(context, checkpoint):
        context.say(f"perplexity{suffix} of {len(documents)} documents")
        if not documents:
            continue
        found |= {
            f"perplexity_{name}{suffix}": row
            for name, row in perplexities(checkpoint, documents, context.seed).items()
        }
        if baseline is not None:
            without = [without_lookups(document, checkpoint) for document in documents]
            found[f"perplexity_baseline{suffix}"] = plain_perplexity(
                baseline, without, context.seed
            )
    return found


def sources(context: SuiteContext, checkpoint: Checkpoint) -> Iterator[tuple[str, list[Encoded]]]:
    """(suffix of the measures, documents)."""
    number = max(2, min(DOCUMENTS, context.entities))
    encoder = DocumentEncoder(checkpoint.tokenizer)
    fitting = checkpoint.context
    if encoder.ours:  # the writer's documents are made for our own models
        records = [r for r in context.records.values() if r.entity in context.held_out]
        writer = Writer(records or context.records.values(), context.writer.phrases)
        rng = context.rng("perplexity")
        kinds = ("paragraph", "question") if records else ("paragraph",)
        made = [writer.document(rng, kinds[i % len(kinds)]) for i in range(number)]
        yield "", [one for one in encoder.encode_batch(made) if len(one.ids) <= fitting]
    if context.against.corpus:
        shard = Shard(Path(context.against.corpus) / "validation")
        held = (shard.document(i) for i in range(min(number, len(shard))))
        rows = [Encoded(i.tolist(), f.tolist(), p) for i, f, p in held]
        if any(token >= len(checkpoint.tokenizer) for row in rows for token in row.ids):
            raise EvaluationError(f"{context.against.corpus} was encoded with another tokenizer.")
        yield "_corpus", [row for row in rows if len(row.ids) <= fitting]
    if context.against.annotated:
        articles = ArticleWriter(checkpoint.tokenizer, min(fitting, 1024))
        documents = [
            document
            for article in read_articles(context.against.annotated, Problems(), drop=True)
            for document in articles.documents(article)
        ]
        drawn = context.rng("annotated").sample(documents, min(number, len(documents)))
        yield "_annotated", list(articles.encoder.encode_batch(drawn))


# -- scores ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """The losses of one document, summed."""

    text: float
    text_tokens: int
    trained: float


def roles_of(encoded: Encoded, checkpoint: Checkpoint) -> np.ndarray:
    """The role of each token."""
    lengths = torch.tensor([encoded.prompt_length])
    return token_roles(torch.tensor([encoded.ids]), checkpoint.markers, lengths)[0].numpy()


def score(checkpoint: Checkpoint, documents: Sequence[Encoded]) -> list[Sums]:
    """The sums of each document."""
    found = []
    losses = token_losses(checkpoint, [document.ids for document in documents])
    for document, loss_T in zip(documents, losses, strict=True):
        roles_T = roles_of(document, checkpoint)
        ids_T = np.array(document.ids)
        scored_T = np.arange(len(ids_T)) > 0
        text_T = (roles_T == Role.TEXT) & scored_T
        trained_T = ~np.isin(roles_T, (Role.PROMPT, Role.VALUE)) & scored_T
        trained_T &= ids_T != checkpoint.markers.end
        found.append(Sums(loss_T[text_T].sum(), int(text_T.sum()), loss_T[trained_T].sum()))
    return found


def perplexities(checkpoint: Checkpoint, documents: Sequence[Encoded], seed: int = 0) -> Measures:
    """static, dynamic and normalised, each with a bootstrap interval over documents."""
    static = score(checkpoint, documents)
    found = {
        "static": _perplexity([s.text for s in static], static, seed),
        "normalised": _perplexity([s.trained for s in static], static, seed),
    }
    if (dynamic := dynamic_perplexity(checkpoint, documents, seed)) is not None:
        found["dynamic"] = dynamic
    return found


def dynamic_perplexity(
    checkpoint: Checkpoint, documents: Sequence[Encoded], seed: int = 0
) -> dict[str, float] | None:
    """Of the text with the model's own lookups; None if no document fits the context with them."""
    own = [with_own_lookups(checkpoint, document) for document in documents]
    fitting = [one for one in own if len(one.ids) <= checkpoint.context]
    if not fitting:
        return None
    sums = score(checkpoint, fitting)
    return _perplexity([s.text for s in sums], sums, seed)


def plain_perplexity(
    checkpoint: Checkpoint, documents: Sequence[Encoded], seed: int = 0
) -> dict[str, float]:
    """Of documents that have no lookups."""
    sums = score(checkpoint, documents)
    return _perplexity([s.text for s in sums], sums, seed)


def _perplexity(losses: Iterable[float], sums: Sequence[Sums], seed: int) -> dict[str, float]:
    """exp of the summed losses over the text's tokens; n is the number of those tokens."""
    pairs_D2 = np.array([(loss, one.text_tokens) for loss, one in zip(losses, sums, strict=True)])
    sums_S2 = resampled_sums(pairs_D2, np.random.default_rng(seed), by_index=True)
    low, high = percentiles(np.exp(sums_S2[:, 0] / np.maximum(sums_S2[:, 1], 1)))
    total, tokens = pairs_D2.sum(axis=0)
    return {"value": float(np.exp(total / tokens)), "low": low, "high": high, "n": int(tokens)}


# -- documents with other lookups --------------------------------------------------------------


def without_lookups(document: Encoded, checkpoint: Checkpoint) -> Encoded:
    """The tokens of prompt and text alone."""
    roles_T = roles_of(document, checkpoint)
    kept = np.isin(roles_T, (Role.PROMPT, Role.TEXT)).nonzero()[0]
    return Encoded(
        [document.ids[i] for i in kept], [document.flags[i] for i in kept], document.prompt_length
    )


def with_own_lookups(checkpoint: Checkpoint, document: Encoded) -> Encoded:
    """The same text, with queries that the model writes itself where the document has lookups.

    There the model gets `<|db_entity|>` and continues greedily to `<|db_return|>`. The document's
    facts answer; what they do not contain is "unknown".
    """
    facts = _facts(checkpoint, document)
    roles = roles_of(document, checkpoint)
    markers = checkpoint.markers
    cache, ids, pending = GrowingCache(), list[int](), list[int]()
    place = 0
    while place < len(document.ids):
        token = document.ids[place]
        if roles[place] != Role.MARKER or token != markers.entity:
            pending.append(token)
            place += 1
            continue
        while place < len(document.ids) and document.ids[place] != markers.end:
            place += 1
        place += 1  # the end itself
        pending.append(markers.entity)
        query, relation_at = list[int](), -1
        while len(query) < LONGEST_QUERY:
            if len(ids) + len(pending) >= checkpoint.context:
                break
            chosen = _next(checkpoint, pending, cache, markers.end)
            ids, pending = ids + pending, [chosen]
            if chosen == markers.return_:
                pending = []
                break
            if chosen == markers.relationship and relation_at < 0:
                relation_at = len(query)
            query.append(chosen)
        entity = _decoded(checkpoint, query[: max(relation_at, 0)])
        relation = _decoded(checkpoint, query[relation_at + 1 :] if relation_at >= 0 else [])
        if relation_at < 0:
            pending.append(markers.relationship)
        value = facts.get((fold(entity), fold(relation)), UNKNOWN)
        pending += [markers.return_, *checkpoint.encode_value(value), markers.end]
    ids += pending
    return Encoded(ids, [1] * len(ids), document.prompt_length)


@torch.inference_mode()
def _next(checkpoint: Checkpoint, pending: list[int], cache: Any, forbidden: int) -> int:
    output = checkpoint.model(
        input_ids=torch.tensor([pending]), past_key_values=cache, use_cache=True, logits_to_keep=1
    )
    logits_V = output.logits[0, -1]
    logits_V[forbidden] = -torch.inf
    return int(logits_V.argmax())


def _decoded(checkpoint: Checkpoint, ids: list[int]) -> str:
    special = set(checkpoint.markers.as_tuple())
    return str(checkpoint.tokenizer.decode([i for i in ids if i not in special])).strip()


def _facts(checkpoint: Checkpoint, document: Encoded) -> dict[tuple[str, str], str]:
    """What the document's own lookups returned, by folded entity and relation."""
    slots: dict[Role, list[int]] = {Role.ENTITY: [], Role.RELATION: [], Role.VALUE: []}
    facts: dict[tuple[str, str], str] = {}
    for token, role in zip(document.ids, roles_of(document, checkpoint).tolist(), strict=True):
        if role in slots:
            slots[Role(role)].append(token)
        elif token == checkpoint.markers.end:
            entity, relation, value = (_decoded(checkpoint, ids) for ids in slots.values())
            facts.setdefault((fold(entity), fold(relation)), value)
        elif token == checkpoint.markers.entity:
            slots = {role_: [] for role_ in slots}
    return facts
