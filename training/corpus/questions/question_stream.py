"""The endless stream of documents that answer questions list first, with some real prose."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from graph.core.facts import MAX_RELATIONS, RELATIONS, join_relations
from graph.lookup.encoder import Encoder
from training.case_file import Case
from training.corpus.document_stream import prose_documents
from training.corpus.held_out import NameFilter
from training.corpus.questions.asked_relations import (
    AskedRelation,
    PublishedMix,
    read_entries,
    read_formats,
    without_names,
    world_inverses,
    world_relations,
)
from training.corpus.questions.label_sentences import plain_label
from training.corpus.questions.listing import LOOKUP
from training.corpus.questions.question_writer import QuestionWriter
from training.corpus.questions.relation_lists import Relevance
from training.corpus.wordings import Wordings, forbidden_prompt
from training.corpus.writer import Writer
from training.data.documents import Document, write_lookup
from training.errors import CorpusError

LONGEST = 1900  # characters of a document; longer ones seldom fit a row of the training
PROSE_SHARE = 0.005  # of the documents
PLAIN_SHARE = 0.04  # of the documents, if there are passages of ordinary text


def question_writer(
    writer: Writer, wordings: Wordings, encoder: Encoder | None, cases: Sequence[Case] = ()
) -> QuestionWriter:
    """A writer over the same records as `writer`.

    Args:
        writer: draws, phrases and kinds of documents of the world.
        wordings: published wordings; without any, the other sources take their part.
        encoder: ranks the lists as a store would; None to rank by shared words.
        cases: answers that somebody found wrong; their wordings are asked too.
    """
    entries, formats = read_entries(), read_formats()
    world = world_relations(writer.phrases, entries)
    inverses = world_inverses(world, entries)
    published = PublishedMix(wordings) if wordings.properties else None
    relevance = Relevance(encoder)
    known = [*world.values(), *inverses.values(), *(published.relations if published else ())]
    relevance.learn(text for relation in known for text in _texts(relation))
    questions = QuestionWriter(writer, world, inverses, published, formats, relevance, cases)
    relevance.learn(questions.own_cases.compared())
    own = questions.things.everyday.all_asked()
    relevance.learn(text for relation in own for text in _texts(relation))
    for label, templates in questions.things.everyday.flags.items():
        relevance.learn([label, *map(without_names, templates)])
    relevance.learn(questions.several_facts.compared())
    relevance.learn(questions.comparisons_asked())
    return questions


def _texts(relation: AskedRelation) -> Iterator[str]:
    """What is ever compared of a relation: its names, and its wordings."""
    yield from map(plain_label, (relation.label, *relation.nouns))
    yield from relation.wordings()


def question_documents(
    questions: QuestionWriter,
    writer: Writer,
    held_out: NameFilter,
    seed: int,
    prose: bool = True,
    plain: Sequence[str] = (),
) -> Iterator[Document]:
    """Yield documents without end. The same seed yields the same documents in the same order.

    Args:
        questions: writes most of them.
        writer: knows the records that real prose is about.
        held_out: names that no document may hold.
        seed: of all draws.
        prose: whether passages with lookups are among them.
        plain: ordinary text, given as documents without a prompt, so that a pre-trained base keeps
            its English.
    """
    real = itertools.cycle(prose_documents(writer, held_out, seed) if prose else [None])
    ordinary = itertools.cycle(plain or [""])
    for number in itertools.count():
        rng = random.Random(f"{seed}:{number}")
        share = rng.random()
        if share < PROSE_SHARE and (passage := next(real)) is not None:
            yield _list_first(rng, passage, writer)
            continue
        if PROSE_SHARE <= share < PROSE_SHARE + PLAIN_SHARE and plain:
            yield Document("", next(ordinary), kind="plain")
            continue
        document = questions.document(rng)
        if len(document.text) + len(document.prompt) > LONGEST:
            continue
        if held_out.found(document.prompt) or held_out.found(document.text):
            continue
        if not forbidden_prompt(document.prompt, _names(document.text)):
            yield document


def _names(text: str) -> set[str]:
    """The names and values that a text looks up, to blank them in its prompt."""
    names = set()
    for entity, relation, value in LOOKUP.findall(text):
        names.add(entity)
        names |= {value.split(": ")[0]} if relation == RELATIONS else set(value.split("; "))
    return {name for name in names if len(name) > 1}


def _list_first(rng: random.Random, passage: Document, writer: Writer) -> Document:
    """A passage of prose with the list of relations in front."""
    match = LOOKUP.search(passage.text)
    assert match is not None
    name = match[1]
    labels = list(writer.draws.records[name].facts)
    rng.shuffle(labels)
    listed = write_lookup(name, RELATIONS, join_relations(name, labels, MAX_RELATIONS))
    joint = "" if passage.text.startswith("<|db_entity|>") else " "
    moved = len(listed + joint)
    untrained = tuple((start + moved, end + moved) for start, end in passage.untrained)
    return Document(passage.prompt, listed + joint + passage.text, untrained, kind="prose")


def read_plain_text(path: Path) -> list[str]:
    """Passages of ordinary text: JSON Lines with the key `text`, compressed or not.

    Raises:
        CorpusError: if the file is in another form.
    """
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "rt", encoding="utf-8") as lines:
        try:
            rows: Iterable[Mapping[str, str]] = [json.loads(line) for line in lines if line.strip()]
            return [row["text"] for row in rows if len(row["text"]) <= LONGEST]
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(f"{path} is not JSON Lines with the key text ({error!r}).") from error
