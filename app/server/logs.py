"""The log of the server: as Python writes it, or as JSON lines for a machine to read.

    set_up("json")

JSON lines hold no words of a person: of a message, the sentence in the code without what it was
filled with; of an exception, its kind and where it was raised, without its own words.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
FORMATS = ("text", "json")
OWN = ("lamplight", "uvicorn", "asyncio")
"""Loggers whose sentences are constant; others may have put a person's words into theirs."""
WITHHELD = "a library logged something; --log-format text shows it"

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; threads that work for it have it too."""


def set_up(form: str) -> None:
    """Have the process log in one of `FORMATS`, to standard error."""
    if form != "json":
        return  # Python prints warnings and errors, and uvicorn its own
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("lamplight").setLevel(logging.INFO)
    logging.captureWarnings(True)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time, level, logger, message, request, exception, and fields of its own."""
        own = record.name.partition(".")[0] in OWN
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": str(record.msg).partition("\n")[0] if own else WITHHELD,
            **getattr(record, "fields", {}),
        }
        if given := request_id.get():
            line["request"] = given
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["raised_at"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def _places(trace: TracebackType | None) -> list[str]:
    """The functions that an exception passed, innermost last."""
    found = []
    for frame in traceback.extract_tb(trace):
        path = Path(frame.filename)
        inside = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(path.name)
        found.append(f"{inside.as_posix()}:{frame.lineno} {frame.name}")
    return found
