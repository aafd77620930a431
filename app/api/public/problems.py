"""Why a request was refused: one sentence with an HTTP status, on every surface the same.

    with explained(service.store):
        ...  # a StoreError becomes a Problem

No sentence names a file, a server or an address of the store. Where the store's own sentence does,
the client gets a general one, and the server's log has the other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from app.access.levels import Level
from app.api.turns import TooMany
from app.state.store_sentences import UNAVAILABLE, names_the_store
from graph.core.errors import AlreadyThere, Conflict, Difference, EditedElsewhere, StoreError
from graph.core.protocol import SharedStore
from model.prompts import PromptError
from model.settings import SettingsError

log = logging.getLogger("lamplight")

REFUSED, UNKNOWN, CONFLICT, INVALID = 403, 404, 409, 422
BUSY, DEFECT, AWAY = 429, 500, 503
READ_ONLY = "This server is read-only: nothing can be edited or published."
ENDING = "The server is being stopped; ask again in a minute."


class Problem(Exception):
    """A refused request: one sentence, and its HTTP status."""

    def __init__(
        self, status: int, sentence: str, differences: tuple[Difference, ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.differences = status, sentence, differences


@contextmanager
def explained(store: SharedStore) -> Iterator[None]:
    """Turns what an operation raises for its caller into a `Problem`."""
    try:
        yield
    except Conflict as problem:
        raise Problem(CONFLICT, str(problem), problem.differences) from problem
    except (AlreadyThere, EditedElsewhere) as problem:
        raise Problem(CONFLICT, str(problem)) from problem
    except TooMany as problem:
        raise Problem(BUSY, str(problem)) from problem
    except (PromptError, SettingsError) as problem:
        raise Problem(INVALID, str(problem)) from problem
    except StoreError as problem:
        if names_the_store(str(problem), store):
            log.warning("the store refused a request: %s", problem)
            raise Problem(AWAY, UNAVAILABLE) from problem
        raise Problem(INVALID, str(problem)) from problem


def require_level(level: Level, needed: Level) -> None:
    """Raises a `Problem` if a client may not do something."""
    if level < needed:
        raise Problem(
            REFUSED,
            f"This takes the permission level “{needed.name.lower()}”, which you do not have.",
        )
