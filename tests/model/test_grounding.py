"""Grounding: marks, verdicts on lookups, and what nothing supports, on hand-made documents."""

from __future__ import annotations

import itertools

import pytest

from model.grounding import Grounding, ground
from model.trace import Trace
from tests.model.frozen_texts import frozen_texts
from tests.model.model_fakes import trace_of

ASK = "Tell me about France."


def marked(document: str, prompt: str = ASK) -> list[tuple[int, str]]:
    """The marks as (index of the lookup, words)."""
    trace = trace_of(prompt, document)
    return [(mark.lookup, trace.text[mark.start : mark.end]) for mark in ground(trace).marks]


def unsupported(document: str, prompt: str = ASK) -> list[str]:
    return [stretch.text for stretch in ground(trace_of(prompt, document)).unsupported]


def verdicts(document: str, prompt: str = ASK) -> list[str]:
    return list(ground(trace_of(prompt, document)).by_lookup)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("The capital is[France|capital|Paris] Paris.", ["Paris"]),
        ("[Georgia|capital|Tbilisi] Tbilisi is the capital.", ["Tbilisi"]),
        ("It is[France|type|country] a country in Europe.", ["country"]),
        ("[France|type|republic] Republic is what it is.", ["Republic"]),
        # never in the name of what it is about
        ("[Danube River|type|river] The Danube River is a river.", ["river"]),
        ("[Danube River|type|river] The Danube River[Danube River|length|9] is a river of 9.",
         ["river", "9"]),
        ("[Danube River|type|river] The Danube River.", []),
        ("The name is[France|name|France] France.", ["France"]),
        ("Paris is large.[France|capital|Paris] The capital is small.", []),  # before the lookup
        # whole words and whole numbers only
        ("[France|capital|Paris] Parisians and comparisons.", []),
        ("It has[France|rivers|1,234] 1,234,567 rivers.", []),
        ("It has[France|rivers|234] 1,234 rivers.", []),
        ("It has[France|rivers|3] 3.5 rivers.", []),
        ("It has[France|rivers|3.5] 3.5 % rivers.", ["3.5"]),
        ("It has[France|rivers|12] 12.", ["12"]),
        ("It has[France|rivers|12] 12, not 120.", ["12"]),
        ("[France|code|FR] FRA and then FR.", ["FR"]),
        # full stops that belong to the value
        ("It is[US|capital|Washington, D.C.] Washington, D.C.", ["Washington, D.C."]),
        ("It is[US|capital|Washington, D.C.] Washington, D.C., today.", ["Washington, D.C."]),
        ("[US|capital|Washington, D.C.] Washington, D.C. is it.", ["Washington, D.C."]),
        ("[US|capital|Washington, D.C.] Washington, D.C is it.", []),
        # several values
        (
            "It borders[France|borders|Spain; Italy; Monaco] Spain, Italy and Monaco.",
            ["Spain", "Italy", "Monaco"],
        ),
        (
            "[X|borders|Guinea; Equatorial Guinea] Equatorial Guinea and Guinea.",
            ["Equatorial Guinea", "Guinea"],
        ),
        ("By[X|borders|Guinea; Equatorial Guinea] Equatorial Guinea.", ["Equatorial Guinea"]),
        ("[X|m|A1; B2; C3; D4; E5; and 2 more] A1, B2, C3, D4, E5 and 2 more.",
         ["A1", "B2", "C3", "D4", "E5"]),
        # scripts
        ("首都は[日本|首都|東京] 東京です。", ["東京"]),
        ("[Ελλάδα|πρωτεύουσα|Αθήνα] Αθήνα.", ["Αθήνα"]),
        ("[Ελλάδα|πρωτεύουσα|Αθήνα] Αθήνας.", []),
        ("[भारत|राजधानी|दिल्ल] दिल्ली", []),  # a vowel sign would be cut off
        ("[भारत|राजधानी|दिल्ली] दिल्ली है", ["दिल्ली"]),
        ("[مصر|عاصمة|القاهرة] القاهرة.", ["القاهرة"]),
        ("[Korea|capital|서울] 서울은", ["서울"]),
        ("It is[X|name|🙂🙂] 🙂🙂.", ["🙂🙂"]),
        ("It is[X|name|a+b (c)] a+b (c).", ["a+b (c)"]),  # nothing is read as a pattern
        ("It is[X|name|<img onerror=x>] <img onerror=x>.", ["<img onerror=x>"]),
        # never the graph quoting itself
        ("It is so.[France|relations|capital; currency] France is.", []),
        ("Its mayor is[France|mayor|unknown] not known, unknown.", []),
    ],
)  # fmt: skip
def test_marks(document: str, expected: list[str]) -> None:
    assert [words for _, words in marked(document)] == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        # the name of the entity that was asked about, in any case, and while the text is written
        ("[New York City|type|city] New York City", ""),
        ("[New York City|type|city] New York City is a city.", "New York City is a [city]."),
        ("[Widget 0|type|widget] Widget 0 is a widget.", "Widget 0 is a [widget]."),
        ("[Widget 0|type|widget] The widget 0 is a widget.", "The widget 0 is a [widget]."),
        ("[Widget 0|size|0] The size of Widget 0 is 0.", "The size of Widget 0 is [0]."),
        ("[Moon|type|moon] Moon", ""),
        ("[Moon|type|moon] The Moon is a moon.", "The Moon is a [moon]."),
        ("[Czech Republic|language|Czech] The Czech Republic is Czech.",
         "The Czech Republic is [Czech]."),
        ("[Ulm Minster|place|Ulm] Ulm Minster is in Ulm Minster.", ""),
        ("[Guinea-Bissau|capital|Bissau] Guinea-Bissau's capital is Bissau.",
         "Guinea-Bissau's capital is [Bissau]."),
        ("[Brest, Belarus|country|Belarus] Brest, Belarus lies in Belarus.",
         "Brest, Belarus lies in [Belarus]."),
        # a short form of it, or the same name
        ("[New York City|state|New York] New York is in New York.",
         "New York is in [New York]."),
        ("[Mexico (film)|country|Mexico] Mexico comes from Mexico.",
         "Mexico comes from [Mexico]."),
        ("[Luxembourg|capital|Luxembourg] The capital of Luxembourg is Luxembourg.",
         "The capital of Luxembourg is [Luxembourg]."),
        ("[Luxembourg|capital|Luxembourg] Luxembourg is the capital of Luxembourg.",
         "[Luxembourg] is the capital of Luxembourg."),
        ("[Luxembourg|capital|Luxembourg] The capital of Luxembourg", ""),
        ("[1984|year|1984] 1984 is from 1984. It is long.", "1984 is from [1984]. It is long."),
        ("[Tesla S|maker|Tesla] Tesla's maker is Tesla.", "Tesla's maker is [Tesla]."),
        ("[Boeing 747|maker|Boeing] Boeing makes the Boeing 747.",
         "[Boeing] makes the Boeing 747."),
        # the value twice, the first in the place of the subject
        ("[Mexico|capital|Mexico City] The capital of Mexico City is Mexico City.",
         "The capital of Mexico City is [Mexico City]."),
        ("[X|place|Ulm] In Ulm it is, in Ulm.", "In [Ulm] it is, in Ulm."),
        ("[Ulm|country|Germany][Ulm|borders|Germany] It is part of Germany and borders Germany.",
         "It is part of [Germany] and borders [Germany]."),
        # names of other entities, longer names and longer values
        ("[Ada|born in|Ulm][Ulm Minster|height|9] Ada, of Ulm Minster, was of Ulm, 9.",
         "Ada, of Ulm Minster, was of [Ulm], [9]."),
        ("[Ada|born in|Ulm] Ada of Neu-Ulm is Ulm-born.", "Ada of Neu-Ulm is [Ulm]-born."),
        ("[Ada|home|Paris][Ada|club|Paris FC] Ada is at Paris FC and in Paris.",
         "Ada is at [Paris FC] and in [Paris]."),
        ("[Ada|home|Paris][Ada|club|Paris FC] Ada is at Paris FC.", "Ada is at [Paris FC]."),
        # numbers
        ("[X|low|20] From -20 to 20.", "From -20 to [20]."),
        ("[X|low|-20] From -20 to 20.", "From [-20] to 20."),
        ("[X|hour|12] At 12:30 it is 12.", "At 12:30 it is [12]."),
        ("[X|born|7 May 1867][X|room|7] Born on 7 May 1867, room 7.",
         "Born on [7 May 1867], room [7]."),
        ("[X|from|1914] In 1914-1918 and 1914–1915.", "In [1914]-1918 and 1914–1915."),
    ],
)  # fmt: skip
def test_the_words_that_the_sentence_is_about_are_marked(document: str, expected: str) -> None:
    trace = trace_of(ASK, document)
    text, marks = trace.text, ground(trace).marks
    shown, at = "", 0
    for mark in marks:
        shown += f"{text[at : mark.start]}[{text[mark.start : mark.end]}]"
        at = mark.end
    assert (shown + text[at:] if marks else "") == expected


def test_marks_of_frozen_texts_are_right() -> None:
    """At least 99 % of the marks of 338 texts are right, and 98 % of the right ones are there."""
    right = marked_values = labelled = 0
    for text in frozen_texts("marks"):
        places = {
            fact.id: (entry.index, place)
            for entry in text.trace.lookups
            for place, fact in enumerate(entry.lookup.facts)
        }
        found = {places[m.fact_id]: [m.start, m.end] for m in ground(text.trace).marks}
        wanted = {place: label for place, label in text.labels.items() if label is not None}
        right += sum(wanted.get(place) == span for place, span in found.items())
        marked_values += len(found)
        labelled += len(wanted)
    assert labelled > 600
    assert right / marked_values >= 0.99
    assert right / labelled >= 0.98


def test_a_mark_is_looked_for_up_to_the_next_lookup_then_to_the_end_of_the_sentence() -> None:
    assert marked(
        "Born[M|date|7 May 1867] on a day,[M|place|Warsaw] in Warsaw, 7 May 1867. Then died."
    ) == [(1, "Warsaw"), (0, "7 May 1867")]
    assert marked("It is[M|place|Warsaw] where?[M|date|1867] In 1867. Warsaw is far.") == [
        (1, "1867")
    ]


def test_each_lookup_marks_words_of_its_own() -> None:
    document = "Its capital is[F|capital|Paris] Paris. Its largest city is[F|largest|Paris] Paris."
    trace = trace_of(ASK, document)
    first, second = ground(trace).marks
    assert (first.lookup, second.lookup) == (0, 1)
    assert first.end <= second.start


def test_two_lookups_may_share_the_words_that_say_both() -> None:
    document = "Its capital and largest city is[F|capital|Paris][F|largest|Paris] Paris."
    trace = trace_of(ASK, document)
    first, second = ground(trace).marks
    assert (first.start, first.end) == (second.start, second.end)
    assert first.fact_id != second.fact_id
    assert list(ground(trace).by_lookup) == ["faithful", "faithful"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("It is[France|capital|Paris] Paris.", ["faithful"]),
        ("It is[France|capital|Paris] Lyon.", ["contradicted"]),
        ("It is[France|capital|Zürich] Paris, in France.", ["contradicted"]),
        ("It has[France|population|68 million] 67 million people.", ["contradicted"]),
        ("It was born on[X|date|7 May 1867] 8 May 1867.", ["contradicted"]),
        ("It is[France|capital|Paris] a nice place.", ["unused"]),
        ("It is[France|capital|Paris] a nice place. Lyon is one too.", ["unused"]),
        ("[France|relations|capital; type] France is[France|type|country] a country.",
         ["unused", "faithful"]),
        ("It is[France|mayor|unknown] not recorded.", ["miss"]),
        ("[Curie|born in|Warsaw][Warsaw|country|Poland] Curie was born in Poland.",
         ["unused", "faithful"]),
        ("[F|capital|Paris][F|largest|Lyon] The largest city is Lyon.", ["unused", "faithful"]),
        ("It borders[F|borders|Spain; Italy] Spain and Malta.", ["faithful"]),
        # an edited fact next to one that still holds the old value
        ("It is[F|largest city|Paris] Paris. Its capital is[F|capital|Ulm] Paris.",
         ["faithful", "contradicted"]),
        ("Its capital is[F|capital|Ulm] Paris.[F|largest|Paris] Paris is the largest city.",
         ["contradicted", "faithful"]),
    ],
)  # fmt: skip
def test_verdicts(document: str, expected: list[str]) -> None:
    assert verdicts(document) == expected


def test_a_contradiction_says_what_stands_there_instead() -> None:
    trace = trace_of(ASK, "It is[France|capital|Paris] the city of Lyon, they say.")
    found = ground(trace).contradictions[0]
    assert found is not None
    assert trace.text[found.start : found.end] == found.text == "Lyon"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("France is[France|type|country] a country.", []),
        ("France's capital is[France|capital|Paris] Paris; Paris is in France.", []),
        ("Its capital is Lyon.", ["Lyon"]),
        ("Lyon is its capital.", ["Lyon"]),
        ("The capital is Saint-Denis near Lyon.", ["Saint-Denis", "Lyon"]),
        ("It has 67,413,000 inhabitants.", ["67,413,000"]),
        ("It has[F|population|67,413,000] 67,413,000 inhabitants, 3 of them kings.", ["3"]),
        ("Founded in 843, it is old.", ["843"]),
        # a date counts as a whole, not by its words
        ("[C|born|7 May 1867][C|died|4 July 1934] From 7 May 1867 to 4 July 1934.", []),
        ("[C|born|7 May 1867][C|died|4 July 1934] From 7 July 1867 on.", ["7 July"]),
        # a part of a name is fine, a mixture of two is not
        ("[F|mayor|Anne Hidalgo] Hidalgo is mayor.", []),
        ("[F|mayor|Anne Hidalgo][F|king|Louis Philippe] Anne Philippe is mayor.", ["Anne"]),
        ("[F|mayor|Anne Hidalgo] In 1999 Anne Hidalgo won.", ["1999"]),
        ("[F|capital|Paris] Paris Lyon", ["Lyon"]),
        # said before it was looked up
        ("Paris is the capital,[France|capital|Paris] Paris.", ["Paris"]),
        # openings and function words are not names; neither is "I"
        ("However, there is nothing. Its people I like. Among others, Both.", []),
        ("The Republic is one.", ["Republic"]),
        ("[F|relations|capital; World Heritage site] World Heritage sites are listed.", []),
        ("[F|joinedTheUnion|unknown] When it joined the Union is not recorded.", []),
        ("[F|films|Cannes Film Festival] At the Cannes Film Festival France won.", []),
        # other scripts, letters with digits
        ("Its capital is 東京.", ["東京"]),
        ("[X|name|東京] Its 東京市 is 東京.", ["市"]),  # without spaces, each letter is a word
        ("[X|name|東京] It is 西南市.", ["西南市"]),
        ("In[X|year|1990年] 1990年 or 1991年.", ["1991"]),
        ("It is made of x7 and iPhone.", ["x7", "iPhone"]),
        ("Столица – Київ.", ["Столица", "Київ"]),
        ("[F|capital|Київ] It is Київ.", []),
        # a miss returns nothing
        ("The mayor is[Atlantis|mayor|unknown] Poseidon of Atlantis.", ["Poseidon", "Atlantis"]),
        ("It holds[F|m|A1; B2; C3; D4; E5; and 2 more] A1, B2, C3, D4, E5 and 2 more.", []),
        ("It holds[F|m|A1; B2; C3; D4; E5; and 2 more] A1 and 3 more.", ["3"]),
    ],
)
def test_unsupported(document: str, expected: list[str]) -> None:
    assert unsupported(document) == expected


def test_the_prompt_supports_its_own_names_whatever_their_case() -> None:
    assert unsupported("Anne Hidalgo is not recorded.", "who is anne hidalgo?") == []


def test_a_prompt_without_spaces_supports_any_part_of_it() -> None:
    assert unsupported("介绍 is not in the graph.", "介绍一下Paris。") == []
    assert unsupported("介一 is not in the graph.", "介绍一下Paris。") == ["介"]


def sentences(document: str) -> list[str]:
    trace = trace_of(ASK, document)
    return [trace.text[start:end] for start, end in ground(trace).sentences]


def test_sentences_do_not_end_inside_values_and_initials() -> None:
    assert sentences(
        "[U|capital|Washington, D.C.] Washington, D.C. is it. By J. R. R. Tolkien. "
        "It has 3.5 million. Is it? Yes!"
    ) == [
        "Washington, D.C. is it.",
        "By J. R. R. Tolkien.",
        "It has 3.5 million.",
        "Is it?",
        "Yes!",
    ]
    assert sentences("It is[U|capital|Washington, D.C.] Washington, D.C. The next.") == [
        "It is Washington, D.C.",
        "The next.",
    ]


def test_marks_and_stretches_are_offsets_into_the_text() -> None:
    trace = trace_of(ASK, " France has[France|capital|Paris] Paris and Lyon.")
    found: Grounding = ground(trace)
    assert trace.text == "France has Paris and Lyon."
    assert [trace.text[m.start : m.end] for m in found.marks] == ["Paris"]
    assert [trace.text[s.start : s.end] for s in found.unsupported] == ["Lyon"]
    assert found.marks[0].fact_id == trace.lookups[0].lookup.facts[0].id
    assert trace.probability(found.marks[0].start, found.marks[0].end) == 0.5


def test_a_text_without_anything() -> None:
    found = ground(trace_of(ASK, ""))
    assert found == Grounding((), (), (), (), ())


def test_the_corpus_is_grounded() -> None:
    """What the model is trained to write is all faithful and supported; so a text that is not
    was not written as taught."""
    import random

    from training.corpus.phrase_book import load_phrases
    from training.corpus.records import DEFAULT_FACTS, read_records
    from training.corpus.writer import Writer

    writer = Writer(read_records(DEFAULT_FACTS).values(), load_phrases())
    bad: list[tuple[str, object]] = []
    values = marked = 0
    for seed in range(250):
        document = writer.document(random.Random(seed))
        if "[" in document.text or "|" in document.text.replace("<|", "").replace("|>", ""):
            continue
        trace: Trace = trace_of(document.prompt, document.text)
        found = ground(trace)
        values += sum(len(entry.lookup.value_spans) for entry in trace.lookups)
        marked += len(found.marks)
        if found.unsupported or "contradicted" in found.by_lookup:
            bad.append((trace.text, found))
    assert values > 300
    assert marked / values > 0.995
    assert len(bad) <= 2, list(itertools.islice(bad, 5))
