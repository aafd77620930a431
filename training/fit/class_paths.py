"""Class paths of earlier versions, mapped to where the classes are now.

A run's `config.yaml`, and any configuration that somebody wrote, names classes by path
(`class_path: training.samples.SampleWriter`). When a class moves, its old path goes into `MOVED`,
so runs that began before the move still resume and display.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsonargparse
import yaml

MOVED = {
    "training.checkpoints.WholeCheckpoints": "training.fit.run_checkpoints.WholeCheckpoints",
    "training.data.LookupDataModule": "training.data.batches.LookupDataModule",
    "training.dynamic_perplexity.DynamicPerplexity": (
        "training.evaluation.dynamic_perplexity.DynamicPerplexity"
    ),
    "training.logs.CurveLogger": "training.fit.curve_log.CurveLogger",
    "training.memory.TrimMemory": "training.fit.memory.TrimMemory",
    "training.module.LookupLanguageModule": "training.fit.module.LookupLanguageModule",
    "training.samples.SampleWriter": "training.fit.samples.SampleWriter",
}
PARSER_MODE = "yaml with moved classes"


def with_present_paths(loaded: Any) -> Any:
    """A loaded configuration in which each class that moved is named by its present path."""
    if isinstance(loaded, dict):
        return {key: with_present_paths(value) for key, value in loaded.items()}
    if isinstance(loaded, list):
        return [with_present_paths(value) for value in loaded]
    return MOVED.get(loaded, loaded) if isinstance(loaded, str) else loaded


def arguments_with_present_paths(arguments: Sequence[str]) -> list[str]:
    """A command line (`--trainer.logger training.logs.CurveLogger`) with present paths."""
    present = []
    for argument in arguments:
        option, equals, value = argument.rpartition("=")
        present.append(f"{option}{equals}{MOVED.get(value, value)}")
    return present


def add_parser_mode() -> str:
    """Make jsonargparse map old class paths in configuration files before it resolves classes.

    Returns:
        The `parser_mode` to give to a parser. It reads YAML like the usual one.
    """
    read_yaml = jsonargparse.get_loader("yaml")

    def read(text: str) -> Any:
        return with_present_paths(read_yaml(text))

    jsonargparse.set_loader(PARSER_MODE, read, exceptions=(yaml.YAMLError,))
    return PARSER_MODE
