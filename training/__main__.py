"""Training from the command line: `python -m training COMMAND --help`."""

from __future__ import annotations

import importlib
import sys

from graph.core.errors import UserError
from graph.version import VERSION

COMMANDS = {
    "corpus": ("training.corpus.command", "write annotated documents from a graph as token shards"),
    "annotate": (
        "training.annotation.annotate",
        "write lookups into plain text, with a graph or a language model",
    ),
    "shards": ("training.annotation.article_shards", "turn an annotated corpus into token shards"),
    "extract": (
        "training.annotation.extraction",
        "load the facts that an annotated corpus looks up into a store",
    ),
    "tokenizer": ("training.data.tokenizer", "train a tokenizer on text files"),
    "show-mask": ("training.report.show_mask", "show which tokens of a document are trained"),
    "fit": ("training.fit.command", "train: fit --config training/configs/world.yaml"),
    "validate": ("training.fit.command", "loss by role and copy accuracy of a checkpoint"),
    "export": ("training.fit.export", "write a run's checkpoint in Hugging Face format"),
    "evaluate": ("training.evaluation.command", "measure a checkpoint on a graph"),
    "calibrate": (
        "training.evaluation.calibration",
        "fit how far guided decoding trusts a checkpoint and the ranking of its lists",
    ),
    "encoder": (
        "training.fit.question_encoder",
        "train how questions are compared with the names of relations",
    ),
    "ablate": (
        "training.evaluation.ablation",
        "train variants of the recipe and measure what each part does",
    ),
    "card": ("training.report.model_card", "write the model card of an exported checkpoint"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0; 1 for an error of the user's, which is one sentence on standard error; 2 for a wrong
        command line; 130 if it was interrupted.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m training COMMAND [OPTIONS]\n\ncommands:")
        print("\n".join(f"  {name:10} {about}" for name, (_, about) in COMMANDS.items()))
        print("\n`python -m training COMMAND --help` lists the options of a command.")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"Lamplight {VERSION}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(
            f"There is no command {name!r}; the commands are {', '.join(COMMANDS)}.",
            file=sys.stderr,
        )
        return 2
    # The command's module is imported only now, so help does not wait for torch.
    module = importlib.import_module(COMMANDS[name][0])
    if name in ("fit", "validate"):
        rest = [name, *rest]
    try:
        return int(module.main(rest) or 0)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except UserError as error:  # anything else is a defect and keeps its traceback
        print(f"Error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
