"""What an evaluation has measured so far, kept so that an interrupted run goes on from there.

    finished = Finished(folder / key(plan, store.state()))
    data = finished.get("forget") or finished.put("forget", measured())

Each suite is one JSON file, and a long suite keeps its parts the same way. The folder's name is a
key of all that decides the figures: weights, code, graph, seed and options. So a run with other
options never reads these files. A run that gets to its end removes its folder.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from graph.core.atomic_files import whole_file
from graph.core.errors import StoreError
from model.weight_hashes import weight_hashes

DEFAULT_FOLDER = Path("build/evaluation")
_MADE = "lamplight evaluation"  # marks the files of this module
_ROOT = Path(__file__).parents[2]
_CODE = ("graph", "model", "training")
_SUFFIXES = {".py", ".yaml", ".csv", ".gz", ".safetensors"}


class Finished:
    """Finished suites and parts of suites by name, in a folder.

    Args:
        folder: where they are kept; None to keep nothing.
        say: where to report that nothing can be kept.
    """

    def __init__(
        self, folder: Path | None = None, say: Callable[[str], None] = lambda message: None
    ) -> None:
        self.folder = folder
        self._say = say

    def get(self, name: str) -> Any:
        """What is kept under a name; None if there is nothing, or nothing that can be read."""
        if self.folder is None:
            return None
        try:
            kept = json.loads(self._path(name).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return kept.get("data") if isinstance(kept, dict) and kept.get("name") == name else None

    def put(self, name: str, data: Any) -> None:
        """Keep something; if the folder cannot be written, say so once and go on without."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path(name), made=_is_kept) as file:
                json.dump({"made": _MADE, "name": name, "data": data}, file, ensure_ascii=False)
        except (OSError, StoreError) as error:
            self._say(f"an interruption would lose this run, because nothing can be kept: {error}")
            self.folder = None

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self.folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', name)[:80]}-{digest}.json"


def remove(folder: Path) -> None:
    """Remove a folder of finished suites; what else is in it stays."""
    for path in folder.glob("*.json"):
        if _is_kept(path):
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)


def key(plan: Any, state: str) -> str:
    """The name of the folder for a plan over a graph in this state.

    Args:
        plan: a dataclass with the model's folder as `model`, and all options.
        state: of the graph, as `store.state()` gives it.
    """
    model = Path(plan.model)
    about = {
        "plan": asdict(plan),
        "state": state,
        "weights": weight_hashes(model) if model.is_dir() else {},
        "code": _code_hash(),
    }
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _code_hash() -> str:
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((_ROOT / package).rglob("*")):
            if path.suffix in _SUFFIXES and "checkpoints" not in path.parts:
                digest.update(path.relative_to(_ROOT).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_kept(path: Path) -> bool:
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(kept, dict) and kept.get("made") == _MADE
