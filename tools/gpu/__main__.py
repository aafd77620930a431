"""`python -m tools.gpu COMMAND`: what is carried to a GPU machine, the run there, and its weights.

pack     corpora and the base as files small enough to carry
unpack   the carried files, on the GPU machine
train    a run of some minutes
join     the parts that a run wrote, as a checkpoint folder or an adapter folder
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from graph.core.errors import UserError

COMMANDS = {"pack": "carrying", "unpack": "carrying", "train": "train", "join": "parts"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Each imports only what it needs, because a lent machine has little."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    command = arguments.pop(0)
    module = importlib.import_module(f"tools.gpu.{COMMANDS[command]}")
    try:
        getattr(module, command)(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
