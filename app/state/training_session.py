"""What the page *Training* shows: a folder of runs and one of corpora, and what is chosen in them.

The browser sends names and numbers, never paths. Each is looked up in the folders, and one that is
not there changes nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.report.runs import Run, Runs
from training.report.show_mask import Corpora, Corpus

MEASURES = ("perplexity", "loss")


class TrainingFolders:
    """The two folders. All visitors share them, so a growing run is read once for all."""

    def __init__(
        self, runs: str | Path = "build/runs", corpora: str | Path = "build/corpus"
    ) -> None:
        self.runs = Runs(runs)
        self.corpora = Corpora(corpora)


@dataclass
class TrainingSession:
    """What one open page shows. What was not chosen follows what the folders hold."""

    folders: TrainingFolders
    run_name: str = ""  # until one is chosen, the first in the list
    measure: str = MEASURES[0]
    prompt: str = ""
    corpus_name: str = ""  # until one is chosen, the run's own
    split: str = "train"
    document: int = 1
    listed: bool = False  # whether the document is shown as a list of its pieces
    run_note: str = ""  # what is wrong with the run that was asked for
    document_note: str = ""
    status: str = ""  # for screen readers
    sent: dict[str, Any] = field(default_factory=dict)  # what the browser shows, by output
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what there is

    def run(self) -> Run | None:
        """The run that is shown."""
        names = self.folders.runs.written()
        name = self.run_name if self.run_name in names else next(iter(names), None)
        try:
            return None if name is None else self.folders.runs.run(name)
        except TrainingError:  # it was removed in the meantime
            return None

    def corpus(self, run: Run | None) -> tuple[str, Corpus] | None:
        """The corpus that is shown, with its name. Raises CorpusError if it cannot be read."""
        names = self.folders.corpora.names()
        own = Path(run.settings.get("data.corpus", "")).name if run is not None else ""
        name = next((name for name in (self.corpus_name, own, *names) if name in names), None)
        return None if name is None else (name, self.folders.corpora.corpus(name))

    # -- what a person does

    def act(self, event: object) -> None:
        """Do the action that the browser reported."""
        if not isinstance(event, dict):
            return
        action = self._ACTIONS.get(str(event.get("action")))
        if action is None:
            return
        with self.lock:
            self.run_note = self.document_note = ""
            action(self, event)

    def _choose_run(self, event: dict[str, Any]) -> None:
        name = str(event.get("run"))
        if name not in self.folders.runs.written():
            self.run_note = "That run is no longer in the folder."
            return
        self.run_name, self.prompt = name, ""
        self.status = f"Run {name}."

    def _choose_measure(self, event: dict[str, Any]) -> None:
        if event.get("measure") in MEASURES:
            self.measure = str(event["measure"])
            self.status = f"Curves: {self.measure}."

    def _choose_prompt(self, event: dict[str, Any]) -> None:
        run, number = self.run(), str(event.get("number"))
        prompts = prompts_of(run)
        if number.isdecimal() and int(number[:6]) < len(prompts):
            self.prompt = prompts[int(number)]
            self.status = f"Samples of: {self.prompt}"

    def _choose_corpus(self, event: dict[str, Any]) -> None:
        name = str(event.get("corpus"))
        if name in self.folders.corpora.names():
            self.corpus_name, self.document = name, 1
            self.status = f"Corpus {name}."

    def _choose_split(self, event: dict[str, Any]) -> None:
        if event.get("split") in ("train", "validation"):
            self.split, self.document = str(event["split"]), 1
            self.status = f"Documents of the {self.split} split."

    def _choose_document(self, event: dict[str, Any]) -> None:
        fields = event.get("fields")
        wanted = fields.get("number") if isinstance(fields, dict) else event.get("number")
        number = str(wanted).strip().replace(",", "")
        if not number.isdecimal() or not int(number[:12]):
            self.document_note = "Enter the number of a document, starting at 1."
            return
        self.document = int(number[:12])  # the view keeps it within the corpus
        self.status = f"Document {self.document:,}."

    def _list(self, event: dict[str, Any]) -> None:
        self.listed = event.get("view") == "list"

    _ACTIONS = {  # noqa: RUF012 (never changed)
        "run": _choose_run,
        "measure": _choose_measure,
        "prompt": _choose_prompt,
        "corpus": _choose_corpus,
        "split": _choose_split,
        "document": _choose_document,
        "view": _list,
    }


def prompts_of(run: Run | None) -> list[str]:
    """The prompts that a run was sampled with, in the order in which they were first asked."""
    return [] if run is None else list(dict.fromkeys(sample.prompt for sample in run.samples))
