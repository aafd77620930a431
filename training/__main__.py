"""Training from the command line: `python -m training COMMAND --help`."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "corpus": ("training.corpus.command", "write annotated documents from a graph as token shards"),
    "annotate": (
        "training.annotation.annotate",
        "write lookups into plain text, by a graph or a model",
    ),
    "shards": ("training.annotation.article_shards", "turn an annotated corpus into token shards"),
    "extract": (
        "training.annotation.extraction",
        "load the facts that an annotated corpus looks up",
    ),
    "tokenizer": ("training.data.tokenizer", "train a tokenizer on text files"),
    "show-mask": ("training.report.show_mask", "show what of a document is trained, in colour"),
    "fit": ("training.fit.command", "pre-train: fit --config training/configs/world.yaml"),
    "validate": ("training.fit.command", "loss by role and copy accuracy of a checkpoint"),
    "export": ("training.fit.export", "write a run's checkpoint in Hugging Face format"),
    "evaluate": ("training.evaluation.command", "measure a checkpoint on a graph"),
    "ablate": (
        "training.evaluation.ablation",
        "train variants of the recipe and measure what each part does",
    ),
    "card": ("training.report.model_card", "write the model card of an exported checkpoint"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; 2 for a wrong command line, 1 for an error, told in one sentence."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m training COMMAND [OPTIONS]\n\ncommands:")
        print("\n".join(f"  {name:10} {about}" for name, (_, about) in COMMANDS.items()))
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"There is no command {name!r}; there are {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    # Heavy imports wait until a command is known, so that help comes at once.
    module = importlib.import_module(COMMANDS[name][0])
    if name in ("fit", "validate"):
        rest = [name, *rest]
    try:
        return int(module.main(rest) or 0)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        # Errors meant for people are one sentence; anything else keeps its traceback.
        if EXPECTED & {kind.__name__ for kind in type(error).__mro__}:
            print(f"Error: {error}", file=sys.stderr)
            return 1
        raise


EXPECTED = {"CorpusError", "TrainingError", "EvaluationError", "StoreError", "CheckpointError"}

if __name__ == "__main__":
    sys.exit(main())
