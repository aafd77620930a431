"""`python -m training fit` and `validate`: LightningCLI over the lookup module and its data.

Every setting of the module, the data and the trainer is an option (`--model.learning_rate 1e-3`).
A YAML file of `training/configs` holds the settings of a run.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import warnings
from pathlib import Path

# Libraries read this when they are imported.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from training.data.batches import LookupDataModule
from training.errors import TrainingError
from training.fit.class_paths import add_parser_mode, arguments_with_present_paths
from training.fit.module import LookupLanguageModule, weights_are_finite
from training.fit.run_checkpoints import WholeCheckpoints

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)

_EXPECTED_WARNINGS = (
    ".*does not have many workers.*",
    ".*LeafSpec.*",
    ".*exists and is not empty.*",
    ".*args parameter is intended.*",
)


def _tokenizer_folder(corpus: str) -> str:
    return str(Path(corpus) / "tokenizer")


class TrainingCLI(LightningCLI):
    """LightningCLI whose defaults follow from the data, and whose checkpoints survive a kill."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("data.corpus", "model.tokenizer", compute_fn=_tokenizer_folder)

    def before_instantiate_classes(self) -> None:
        """Load no pickle: a checkpoint holds tensors and plain values only."""
        self.config[self.subcommand]["weights_only"] = True

    def _parse_ckpt_path(self) -> None:
        """Keep the settings as given; Lightning would let those of the checkpoint override them."""

    def before_fit(self) -> None:
        if type(self.trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            self.trainer.strategy.checkpoint_io = WholeCheckpoints()

    before_validate = before_fit


def main(argv: list[str] | None = None) -> int:
    """Run `fit` or `validate` with the options of LightningCLI."""
    for message in _EXPECTED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    try:
        cli = TrainingCLI(
            LookupLanguageModule,
            LookupDataModule,
            args=arguments_with_present_paths(sys.argv[1:] if argv is None else argv),
            seed_everything_default=0,
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"parser_mode": add_parser_mode()},
            run=True,
        )
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise TrainingError(
            f"The disk is full ({error.strerror or error}): the last checkpoint is kept; "
            "free some space and resume with --ckpt_path last."
        ) from error
    if cli.subcommand == "fit" and not weights_are_finite(cli.model):
        raise TrainingError("The weights are not finite: train again with a lower learning rate.")
    return 0
