"""The entities that a prompt mentions, and where.

    find_mentions(store, "Who was Einstein's wife?")

Names are found as the graph has them (any case, with aliases), by their possessive, without a
qualifier ("Georgia" for "Georgia (country)"), in plain letters ("Lodz"), as short forms
("Einstein", "the Nile") and as demonyms ("Norwegian", "Kenyans"). The longest name wins; the names
inside it are its alternatives. Other words count if they are a value that is not an entity ("Na",
"79"), spelt as in the graph, of two characters or more, or in quotation marks. Only if a prompt
mentions no entity are its other words taken for slips.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graph.core.facts import Entity
from graph.core.names import MAX_NAME, MAX_VALUE, fold
from graph.core.protocol import TripletStore
from graph.lookup.english import is_english
from graph.lookup.relevance import readable, word_set
from graph.lookup.spelling import alike, near, near_words, words_of

DEMONYM = "demonym"  # the relation whose values are what the people of a place are called
LONGEST = 8  # words of a name in a prompt, at most
MOST_WORDS = 80  # of a prompt that are looked at, the last ones
MOST_GUESSES = 6  # words looked at for a short form or a slip, at most
_SEARCHED = 12  # entities that a short form may stand for, at most
_COUNTED = 200  # facts in each direction; more do not make an entity better known
_LARGEST = 500_000  # facts of a graph whose demonyms are all read
_LIKENESS = 0.8  # of a slip and the name that is meant

_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(
    r"[\"“”„«‹](?P<text>[^\"“”„«»‹›\n]+)[\"”“»›]|(?<!\w)['‘](?P<other>[^'‘’\n]+)['’](?!\w)"
)
_UNIT = re.compile(r"\s?[%°$€£¥+′″)\]]")  # what a literal may end in and a name does not
_NAMES = re.compile(r"[A-Z][^\W_]+(?: [A-Z][^\W_]+)+")  # capitalised words in a row
_CODE = re.compile(r"[^\W\d_]{2,}[-_./]\d|[^\W\d_]+\d+|\d+[^\W\d_]\b")  # "web-03", "b52", "4B"
_NUMERAL = re.compile(r"[ivx]+")
_PERSON = re.compile(
    r"birth|born|occupation|profession|nationality|citizen|spouse|head of (?:state|government) of"
)
_COLLEAGUE = re.compile(
    r"\b(?:job|role|e-?mail|phone|mobile|birthday|salary|hired|hobby|hobbies|(?:reports|married) to"
    r"|(?:lives|works) (?:in|at)|joined)\b"
)
"""Relations of people whom one calls by their first names."""
_QUALIFIER = re.compile(r"\s*\([^()]*\)$")


_IDLE = word_set(
    "a about above according after all also am an and another answer any are around as ask at be "
    "because been before being below between both but by can complete could d did do does doing "
    "done during each either else ever every few first for from get give given go got had has "
    "have having he hello help her here hers hey hi him his hold how i if in into is it its just "
    "know known last let like list ll made make many may me might mine more most much must my "
    "name named near no none not now of off on one only or other our out over own please put q re "
    "s said same say second see sentence she should since so some such t tell than thank thanks "
    "that the their them then there these they thing things third this those three to too true "
    "two under until up us use used ve very want was way we well went were what when where which "
    "while who whom whose why will with within without would yes you your"
)
"""Words that name nothing unless they are written as a name."""
_COMMON = word_set(
    "big biggest body born call called city cities cold come comes common correct countries "
    "country deep describe died die dies explain far fast fact facts find found great happen hard "
    "heavy high hot idea large larger largest live lives living long longest look lot mean means "
    "men most old older own paragraph part parts pass pay people person place places play played "
    "poem question read right short size small speak spoken start story tall taller text time "
    "today town towns wife win wins woman women word work world write wrong year years young"
)
"""Words of questions that in lower case stand for no name."""
_GENERIC = word_set(
    "river lake ocean mount mountain mountains desert falls republic kingdom of de la saint st sir "
    "king queen emperor pope president dr"
)
"""Words that a short form of a name leaves out."""
_TITLES = word_set(
    "king queen emperor empress tsar pope president chancellor minister sir dr dame lord lady mr "
    "mrs ms miss professor prof general captain saint st prince princess director composer "
    "painter author actor actress singer poet"
)
"""Words that people put before a person's name."""
_PARTICLES = word_set("van von der den de da di del la le du dos bin ibn al of")
"""Words in lower case inside a person's name."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A part of a prompt that names entities: `prompt[start:end]`."""

    start: int
    end: int
    text: str
    entities: tuple[Entity, ...]
    """What it may mean, the likeliest first; several of them are ambiguous. None for a literal."""
    by: str
    """"name", "alias", "qualifier", "short", "demonym", "spelling" or "literal"."""
    inner: tuple[Mention, ...] = ()
    """The shorter names that overlap with it and mean something else."""


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    key: str
    opens: bool
    """Whether it opens a sentence, where a capital says nothing."""


def find_mentions(store: TripletStore, prompt: str, at: int | None = None) -> list[Mention]:
    """The entities that a prompt mentions, in the order of the text; the longest names win.

    Costs one query for all names as the graph has them, one for all literals, and a few searches
    for short forms.
    """
    at = store.revision() if at is None else at
    words = _words_in(prompt)
    found = _by_name(store, prompt, words, at)
    demonyms = demonyms_of(store, at)
    for word in words:
        people = people_called(demonyms, word.key)
        if people and len(word.key) > 3 and word.key not in _IDLE:
            found.append(_mention(prompt, [word], people, "demonym"))
    lowercase = _relation_words(store) if any(m.text.islower() for m in found) else frozenset()
    found = [m for m in found if not _is_common(m, lowercase)] or found
    runs = _runs(prompt, words, demonyms)
    found += _whole_runs(store, prompt, runs, found, at)
    found += _short_forms(store, prompt, _uncovered(words, found), at, any_case=not found)
    found = _without_parts(runs, store, found)
    literals = [
        literal
        for literal in _literals(store, prompt, words, found, at)
        if not any(_is_within(literal, run) for run in runs)  # "President Lincoln", "Star Wars"
    ]
    if not found:
        found = _slips(store, prompt, _uncovered(words, literals), at)
    return _longest([*found, *literals])


def unknown_names(
    store: TripletStore, prompt: str, found: Sequence[Mention], at: int | None = None
) -> list[str]:
    """What a prompt writes as names besides the mentions `found`: the graph does not know them.

    "Did Ada Lovelace teach at Oxford?" is not about Oxford, whether or not the graph knows her.
    """
    words = _words_in(prompt)
    free = _uncovered(words, found)
    strange = _strange(store, free)
    return [
        prompt[run[0].start : run[-1].end]
        for run in _runs(prompt, words, demonyms_of(store, at))
        if all(word in free for word in run) and any(word in strange for word in run)
    ]


def _runs(
    prompt: str, words: Sequence[_Word], demonyms: Mapping[str, list[Entity]]
) -> list[list[_Word]]:
    """The capitalised words in a row, particles between them included: "Guido van Rossum".

    Demonyms end a name: "Is Penelope Cruz Spanish?".
    """
    runs: list[list[_Word]] = []
    for word in words:
        follows = bool(runs) and prompt[runs[-1][-1].end : word.start] == " "
        capital = word.text[:1].isupper() and word.key not in _IDLE
        capital = capital and not people_called(demonyms, word.key)
        if follows and (capital or word.text in _PARTICLES):
            runs[-1].append(word)
        elif capital:
            runs.append([word])
    for run in runs:
        while run[-1].text in _PARTICLES:
            run.pop()
    return runs


def _lies_in(mention: Mention, run: Sequence[_Word]) -> bool:
    return run[0].start <= mention.start and mention.end <= run[-1].end


def _is_within(mention: Mention, run: Sequence[_Word]) -> bool:
    """Whether a mention is a part of a longer name, and not the whole of it."""
    whole = (mention.start, mention.end) == (run[0].start, run[-1].end)
    return _lies_in(mention, run) and not whole


def _whole_runs(
    store: TripletStore,
    prompt: str,
    runs: Sequence[Sequence[_Word]],
    found: Sequence[Mention],
    at: int,
) -> list[Mention]:
    """Names of several words, a part of which is another name.

    They are found in plain letters ("Penelope Cruz") and as short forms ("Van Gogh").
    """
    more = []
    for run in runs:
        inside = [m for m in found if _lies_in(m, run)]
        if len(run) > 1 and inside and all(_is_within(m, run) for m in inside):
            text = prompt[run[0].start : run[-1].end]
            meant = _in_plain_letters(text, store.search(text, _SEARCHED, at))
            by = "spelling" if meant else "short"
            meant = meant or short_form(store, text, at)
            if meant:
                more.append(_mention(prompt, run, meant, by))
    return more


def _in_plain_letters(text: str, entities: Iterable[Entity]) -> list[Entity]:
    """The entities with a name that differs from a text in accents or the like alone."""
    return [e for e in entities if any(alike(text, name) for name in (e.name, *e.aliases))]


def _strange(store: TripletStore, words: Iterable[_Word]) -> list[_Word]:
    """The words that are neither English nor (nearly) of a relation's name: of names, if capital.

    The names of relations are read once, and only if some word needs them.
    """
    found = [
        word
        for word in words
        if not (word.text.isupper() or word.text in _PARTICLES or word.key in _GENERIC)
        and not is_english(word.key)
    ]
    relation_words = _relation_words(store) if found else frozenset()
    return [word for word in found if not near_words(word.key, relation_words)]


def _without_parts(
    runs: Sequence[Sequence[_Word]], store: TripletStore, found: Sequence[Mention]
) -> list[Mention]:
    """The mentions without those that are a part of somebody else's name.

    The film Frida is not meant by "Frida Kahlo", but Marie Curie is by "Marie Curie Sklodowska".
    """
    inside_of = [(run, [m for m in found if _lies_in(m, run)]) for run in runs]
    inside_of = [(run, inside) for run, inside in inside_of if inside]
    free = _uncovered([word for run, _ in inside_of for word in run], found)
    strange = _strange(store, free)
    parts: list[Mention] = []
    for run, inside in inside_of:
        if not any(word in strange for word in run):
            continue
        said = {word.key for word in run}
        for mention in inside:
            names = [words_of(n) for e in mention.entities for n in (e.name, *e.aliases)]
            if not any(said <= {*n} or (len(n) > 1 and {*n} <= said) for n in names):
                parts.append(mention)
    return [mention for mention in found if mention not in parts]


def demonyms_of(store: TripletStore, at: int | None = None) -> dict[str, list[Entity]]:
    """The entities by the folded names of their people; cached by the state of the graph.

    Empty for a very large graph, because finding them means reading every fact.
    """
    state = store.state(at)
    with _demonyms_lock:
        if (known := _demonyms.get(state)) is not None:
            _demonyms.move_to_end(state)
            return known
    people: dict[str, list[Entity]] = {}
    if store.relation(DEMONYM) is not None and store.statistics().facts <= _LARGEST:
        for fact in store.facts_of(DEMONYM, at):
            entity = Entity(fact.entity_id, fact.entity)
            for name in re.split(r"[,;/]| or ", fact.value):
                if key := fold(name.strip()).replace("(s)", ""):
                    people.setdefault(key, []).append(entity)
    with _demonyms_lock:
        _demonyms[state] = people
        while len(_demonyms) > _KEPT:
            _demonyms.popitem(last=False)
    return people


def people_called(demonyms: Mapping[str, list[Entity]], key: str) -> list[Entity]:
    """The entities whose people are called so, in the singular or the plural."""
    return demonyms.get(key) or demonyms.get(key.removesuffix("s")) or []


_demonyms: OrderedDict[str, dict[str, list[Entity]]] = OrderedDict()
_demonyms_lock = threading.Lock()
_KEPT = 8  # states of graphs whose demonyms are cached


def short_form(store: TripletStore, name: str, at: int | None = None) -> list[Entity]:
    """The entities that a short form stands for, the best known first.

    It is the end of a person's name ("Einstein"), or a name without a word that says what it is
    ("the Nile" for "Nile River", "Everest" for "Mount Everest") or without a number ("Napoleon").
    Where several names begin with the same common word, that word is left out too ("web-03" for
    "Server web-03" next to "Server db-01"), if one entity alone can be meant. A first name is
    enough for one of somebody's own people, if no other name begins so.
    """
    asked = words_of(name[:MAX_NAME])
    asked = asked[1:] if asked[:1] == ("the",) else asked
    while len(asked) > 1 and asked[0] in _TITLES:  # "President Macron"
        asked = asked[1:]
    code = len(asked) > 1 and any(word.isdigit() for word in asked)  # "db-01"
    code = code or any(word.isalnum() and re.search(r"\d", word) for word in asked)  # "4B"
    code = code and not all(map(str.isdigit, asked))
    telling = [word for word in asked if word not in _GENERIC and word not in _IDLE]
    if not any(len(word) > 2 or code for word in telling):
        return []
    fitting, ending = [], []
    for entity in store.search(" ".join(asked), _SEARCHED, at, guesses=False):
        fit = max(_fit(asked, known) for known in (entity.name, *entity.aliases))
        if fit == 2 or (fit == 1 and _is_person(store, entity, at)):
            fitting.append(entity)
        elif fit == 1:
            ending.append(entity)
    if not fitting and len(ending) == 1 and _is_one_of_a_kind(store, asked, ending[0], at):
        return ending
    named = name[:1].isupper() or (len(asked) == 1 and not is_english(asked[0]))
    if not fitting and not ending and len(asked) == 1 and named:
        return _by_first_name(store, asked[0], at)
    if len(fitting) > 1:
        fitting.sort(key=lambda entity: -_count(store, entity.id, at))
    return fitting


def _fit(asked: Sequence[str], name: str) -> int:
    """2 if a name has only generic words besides those asked, 1 if it ends in them, else 0."""
    words = words_of(_QUALIFIER.sub("", name))
    length = len(asked)
    if length >= len(words):
        return 0
    starts, ends = words[:length] == tuple(asked), words[-length:] == tuple(asked)
    rest = words[length:] if starts else words[:-length]
    if (starts or ends) and all(word in _GENERIC or _NUMERAL.fullmatch(word) for word in rest):
        return 2
    return 1 if ends else 0


def _by_first_name(store: TripletStore, asked: str, at: int | None) -> list[Entity]:
    """The person of somebody's own whose name alone begins with a word.

    Not so for the famous: "Marie" is not enough for Marie Curie, nor "Kuwait" for Kuwait City.
    """
    found = store.search(asked, _SEARCHED, at, guesses=False)
    if len(found) != 1 or words_of(found[0].name)[:1] != (asked,):
        return []
    relations = [readable(name).casefold() for name in store.relation_names(found[0].id, at)]
    return found if any(map(_COLLEAGUE.search, relations)) else []


def _is_one_of_a_kind(
    store: TripletStore, asked: Sequence[str], entity: Entity, at: int | None
) -> bool:
    """Whether the words before those asked say what an entity is, because others have them too."""
    words = words_of(entity.name)
    kind = words[: len(words) - len(asked)]
    if not kind or words[len(kind) :] != tuple(asked) or not all(map(is_english, kind)):
        return False
    found = store.search(" ".join(kind), _SEARCHED, at, guesses=False)
    return sum(words_of(other.name)[: len(kind)] == kind for other in found) > 1


def _is_person(store: TripletStore, entity: Entity, at: int | None) -> bool:
    return any(_PERSON.search(fold(name)) for name in store.relation_names(entity.id, at))


def _count(store: TripletStore, entity_id: int, at: int | None) -> int:
    ways = (store.facts, store.facts_to)
    return sum(len(way(entity_id, at=at, limit=_COUNTED)) for way in ways)


def _words_in(prompt: str) -> list[_Word]:
    words = []
    for match in _WORD.finditer(prompt):
        before = prompt[: match.start()].rstrip(" \"'“‘(¿¡")
        opens = not before or before[-1] in ".!?:;\n"
        words.append(_Word(match.start(), match.end(), match[0], fold(match[0]), opens))
    return words[-MOST_WORDS:]


def _mention(prompt: str, words: Sequence[_Word], entities: Iterable[Entity], by: str) -> Mention:
    start, end = words[0].start, words[-1].end
    return Mention(start, end, prompt[start:end], tuple(entities), by)


def _by_name(store: TripletStore, prompt: str, words: list[_Word], at: int) -> list[Mention]:
    """The names as the graph has them, longer and shorter ones."""
    spans: dict[tuple[int, int], str] = {}
    for first in range(len(words)):
        for last in range(first, min(first + LONGEST, len(words))):
            start, end = words[first].start, words[last].end
            if "\n" in prompt[start:end] or end - start > MAX_NAME:
                break
            if _may_be_name(prompt, words[first : last + 1]):
                spans[start, end] = prompt[start:end]
                if prompt[end : end + 1] in (".", ")", "!", "?"):
                    spans[start, end + 1] = prompt[start : end + 1]
    named = store.find_names(list(dict.fromkeys(spans.values())), at)
    found = []
    for (start, end), text in spans.items():
        if text in named:
            by = "alias" if named[text][0][1] == "alias" else "name"
            entities = tuple(entity for entity, _ in named[text])
            found.append(Mention(start, end, text, entities, by))
    return found


def _may_be_name(prompt: str, words: Sequence[_Word]) -> bool:
    if any(word.key not in _IDLE for word in words):
        return True
    return all(word.text[:1].isupper() and not word.opens and len(word.text) > 1 for word in words)


def _relation_words(store: TripletStore) -> frozenset[str]:
    names = [relation.name for relation in store.relations()[:2000]]
    return frozenset(word for name in names for word in words_of(readable(name)))


def _is_common(mention: Mention, relation_words: frozenset[str]) -> bool:
    """Whether a name in lower case is rather a word of the question."""
    words = words_of(mention.text)
    return mention.text.islower() and all(
        word in _IDLE or word in _COMMON or word in relation_words for word in words
    )


def _uncovered(words: Sequence[_Word], found: Sequence[Mention]) -> list[_Word]:
    return [w for w in words if not any(m.start < w.end and w.start < m.end for m in found)]


def _short_forms(
    store: TripletStore, prompt: str, words: list[_Word], at: int, any_case: bool
) -> list[Mention]:
    """Short forms and names without their qualifier, of the words that no name covers."""
    relation_words = _relation_words(store) if words and any_case else frozenset()
    runs: list[list[_Word]] = []
    for word in words:
        between = prompt[runs[-1][-1].end : word.start] if runs else ""
        digits = bool(runs) and any(c.isdigit() for c in runs[-1][-1].text + word.text)
        if between in ("-", "_", ".", "/") and digits:  # a code: "web-03"
            runs[-1].append(word)
            continue
        capital = word.text[:1].isupper() and word.key not in _IDLE
        plain = any_case and not (word.key in _IDLE | _COMMON or word.key in relation_words)
        code = _CODE.match(prompt, word.start) is not None
        if not (capital or plain or code) or len(word.text) < (2 if capital or code else 3):
            continue
        joined = runs and capital and runs[-1][-1].text[:1].isupper()
        if joined and prompt[runs[-1][-1].end : word.start] == " ":
            runs[-1].append(word)
        else:
            runs.append([word])
    found = []
    runs = [r for r in runs if r[-1].end - r[0].start > 2 or _CODE.match(prompt, r[0].start)]
    for run in sorted(runs, key=lambda run: run[0].opens)[:MOST_GUESSES]:
        text = prompt[run[0].start : run[-1].end]
        opening = f"{fold(text)} ("
        near_ones = store.search(f"{text} (", _SEARCHED, at)
        ways = {
            "qualifier": [e for e in near_ones if fold(e.name).startswith(opening)],
            "spelling": _in_plain_letters(text, near_ones),
        }
        by = next((by for by, entities in ways.items() if entities), "short")
        entities = ways.get(by) or short_form(store, text, at)
        if entities:
            found.append(_mention(prompt, run, entities, by))
    return found


def _literals(
    store: TripletStore, prompt: str, words: list[_Word], found: Sequence[Mention], at: int
) -> list[Mention]:
    """The values in a prompt that are not entities, where it mentions none in the same words."""
    named = {(mention.start, mention.end) for mention in found}
    quoted: dict[tuple[int, int], str] = {}
    for match in _QUOTED.finditer(prompt):
        start, end = match.span("text" if match["text"] else "other")
        if end - start <= MAX_VALUE and (start, end) not in named:
            quoted[start, end] = prompt[start:end]
    spans: dict[tuple[int, int], list[_Word]] = {}
    free = {word.start for word in _uncovered(words, found)}
    for first, opening in enumerate(words):
        for last in range(first, min(first + LONGEST, len(words))):
            start, end = opening.start, words[last].end
            if not {start, words[last].start} <= free or "\n" in prompt[start:end]:
                break
            run = words[first : last + 1]
            if end - start >= 2 and _may_be_name(prompt, run):
                spans[start, end] = run
                if unit := _UNIT.match(prompt, end):
                    spans[start, unit.end()] = run
    texts = dict.fromkeys([*quoted.values(), *(prompt[start:end] for start, end in spans)])
    known = store.find_literals(list(texts), at) if texts else {}
    likely = [(span, run) for span, run in spans.items() if prompt[span[0] : span[1]] in known]
    lowercase = any(word.text.islower() for _, run in likely for word in run)
    relation_words = _relation_words(store) if lowercase else frozenset()
    meant = [span for span, text in quoted.items() if text in known]
    casual = not any(word.text[:1].isupper() and not word.opens for word in words)
    meant += [
        span
        for span, run in likely
        if not _says_little(run, relation_words)
        and (casual or not _is_code(text := prompt[span[0] : span[1]]) or text == known[text])
    ]
    return [Mention(*span, prompt[span[0] : span[1]], (), "literal") for span in meant]


def _is_code(text: str) -> bool:
    """Whether a text is so short that its case matters: in "la capitale de", "de" is not "DE"."""
    return len(text) <= 3 and text.isalpha()


def _says_little(words: Sequence[_Word], relation_words: frozenset[str]) -> bool:
    """Whether words in lower case are rather those of the question."""
    return all(
        word.text.islower()
        and (word.key in _IDLE or word.key in _COMMON or word.key in relation_words)
        for word in words
    )


def _slips(store: TripletStore, prompt: str, words: list[_Word], at: int) -> list[Mention]:
    """Names with wrong letters, of one or two words."""
    relation_words = _relation_words(store)
    asked = [
        word
        for word in words
        if word.key not in _IDLE | _COMMON
        and word.key not in relation_words
        and not near_words(word.key, relation_words)
    ]
    names = _NAMES.findall(prompt)
    found, tried = [], 0
    for length in (2, 1):
        for first in range(len(asked) - length + 1):
            run = asked[first : first + length]
            text = prompt[run[0].start : run[-1].end]
            if len(text) < 5 or len(text.split()) != length or tried == 2 * MOST_GUESSES:
                continue
            if length == 1 and any(text in name for name in names):
                continue  # a part of somebody else's name
            tried += 1
            likely = near(text, store.candidates(text, at=at), lambda i: _count(store, i, at))
            entities = [entity for entity, score in likely if score >= _LIKENESS]
            if entities:
                found.append(_mention(prompt, run, entities, "spelling"))
    return found


def _longest(found: Iterable[Mention]) -> list[Mention]:
    """The longest mentions that do not overlap, each with the others that it overlaps."""
    ranked = sorted(found, key=lambda mention: (mention.start - mention.end, mention.start))
    chosen: list[Mention] = []
    for mention in ranked:
        over = [i for i, m in enumerate(chosen) if m.start < mention.end and mention.start < m.end]
        if not over:
            chosen.append(mention)
            continue
        outer = chosen[over[0]]
        new = tuple(e for e in mention.entities if e.id not in {k.id for k in outer.entities})
        if (outer.start, outer.end) == (mention.start, mention.end):
            chosen[over[0]] = replace(outer, entities=outer.entities + new)
        elif new:
            chosen[over[0]] = replace(outer, inner=(*outer.inner, mention))
    return sorted(chosen, key=lambda mention: mention.start)
