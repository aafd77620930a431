"""Annotation on many machines or cores through Ray Data: `annotate … --ray ADDRESS`.

The texts are sent in windows, so a corpus may be larger than memory. Within a window each worker
keeps its annotator (an open store, a loaded model) and takes the next batch when it is free.
Results come back in the order of the texts, so an annotation can be resumed after a kill.

Every machine needs this checkout at the same path, and what the annotator reads: the store's
file, or the model. `--ray local` starts Ray on this machine, `auto` joins the cluster that this
machine belongs to; anything else is the address of a cluster.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from graph.core.errors import UserError
from training.annotation.alignment import Text
from training.annotation.annotated_text import Annotated, Placed, Unparsable
from training.annotation.annotators import Annotator, Chosen
from training.errors import CorpusError

WINDOW = 50_000  # texts sent at a time
STARTS = 3  # tries to start a local Ray, which gives up on a busy machine
ROOT = Path(__file__).parents[2]


class _Worker:
    """One annotator on one worker; an error for the user comes back as a row of its own."""

    def __init__(self, chosen: Chosen) -> None:
        self.chosen = chosen
        self.annotator: Annotator | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        texts = [Text(*pair) for pair in zip(batch["text"], batch["title"], strict=True)]
        try:
            if self.annotator is None:
                self.annotator = self.chosen.open()
            found = list(self.annotator.annotate(texts))
        except UserError as error:
            return {"text": [""], "lookups": [""], "problems": [""], "error": [str(error)]}
        return {
            "text": [document.text for document in found],
            "lookups": [json.dumps([astuple(p) for p in document.lookups]) for document in found],
            "problems": [json.dumps([astuple(p) for p in document.problems]) for document in found],
            "error": [""] * len(found),
        }


class RayAnnotator:
    """An annotator that works on a Ray cluster; use it in a `with`."""

    window = WINDOW

    def __init__(self, chosen: Chosen, address: str, batch_size: int) -> None:
        """Join the cluster. Raises CorpusError if Ray is not installed or does not answer."""
        try:
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is reported to anyone
            import ray
            import ray.data
        except ImportError as error:
            raise CorpusError(
                "--ray needs the package ray: pip install -r requirements-ray.txt."
            ) from error
        self.chosen, self.batch_size = chosen.anywhere(), batch_size
        self.name = chosen.name
        self._ray = ray
        _join(ray, address)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        resources = ray.cluster_resources()
        self._gpu = bool(chosen.model and resources.get("GPU"))
        self._workers = max(1, int(resources["GPU" if self._gpu else "CPU"]))

    def __enter__(self) -> RayAnnotator:
        return self

    def __exit__(self, *_: Any) -> None:
        self._ray.shutdown()

    def annotate(self, texts: Sequence[Text]) -> Iterable[Annotated]:
        """Each text with its lookups, in order. Raises CorpusError."""
        data = self._ray.data
        workers = min(self._workers, -(-len(texts) // self.batch_size))
        rows = data.from_items([{"text": text.text, "title": text.title} for text in texts])
        done = rows.map_batches(
            _Worker,
            fn_constructor_args=(self.chosen,),
            batch_size=self.batch_size,
            compute=data.ActorPoolStrategy(size=workers),
            num_gpus=1 if self._gpu else None,
        )
        for row in done.iter_rows():
            if row["error"]:
                raise CorpusError(row["error"])
            lookups = (Placed(*slots) for slots in json.loads(row["lookups"]))
            problems = (Unparsable(*fields) for fields in json.loads(row["problems"]))
            yield Annotated(row["text"], tuple(lookups), tuple(problems))


def _join(ray: Any, address: str) -> None:
    """Start Ray here, or join a cluster. Raises CorpusError."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    local = address == "local"
    for left in range(STARTS - 1 if local else 0, -1, -1):
        try:
            ray.init(
                address=address,
                include_dashboard=False if local else None,
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": {"PYTHONPATH": path}},
            )
            return
        except Exception as error:
            ray.shutdown()
            if not left:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise CorpusError(f"Ray at {address} does not answer: {reason}") from error
