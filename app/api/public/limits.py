"""How much one request of the published API may ask for. docs/api.md has the same numbers."""

from __future__ import annotations

MOST_TOKENS = 480  # of a text
MOST_FOUND = 50  # names of a search
MOST_FACTS = 500  # facts of an answer
FURTHEST = 10_000  # facts that are passed over for a later page
MOST_CHANGES = 500  # changes of a draft that an answer lists
MOST_ENTRIES = 200  # journal entries of an answer, before its last revision is completed
MOST_SHOWN = 20  # changes that are listed of each revision
MOST_EDITS = 100  # edits of one request
MOST_RUNNERS_UP = 10
READS_AT_ONCE = 8  # requests that read or write the graph at the same time; more wait
READS_WAITING = 64  # requests that may wait
