"""`python -m training export`: a run's checkpoint as a folder that `transformers` loads.

    python -m training export --run build/runs/world --out model/checkpoints/world

It writes config.json, generation_config.json, model.safetensors (bfloat16), the tokenizer,
held_out.txt (the entities that the corpus held out, one per line), training.json (how the model was
trained) and curve.png (the run's curves). Other files in the folder, such as the model card, stay.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig
from transformers.utils.logging import disable_progress_bar

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_folder, whole_folder
from graph.version import VERSION
from model.base.adapter import save_adapter
from model.prompts import LINE_FORM, form_of
from training.data.shards import read_manifest
from training.data.tokenizer import load_tokenizer, save_tokenizer
from training.fit.curve_log import CURVE, read_curve
from training.fit.curves import PICTURE, Curves, draw_curves, median_rate, training_hours
from training.fit.module import LookupLanguageModule, load_module
from training.fit.run_checkpoints import checkpoint_of

UNUSUAL = ("start_from", "base", "gradient_checkpointing", "compile", "peak_teraflops")  # if set
RATES = ("learning_rate", "final_rate", "warmup_steps")  # the schedule of a run, in its settings
WRITTEN = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "held_out.txt",
    "training.json",
    PICTURE,
)
LARGEST = 40 * 2**20  # bytes of the weights that may be shipped


def export(run: str | Path, out: str | Path, *, force: bool = False) -> Path:
    """Write the last checkpoint of ``run`` (or one checkpoint file) to the folder ``out``.

    Raises TrainingError if there is no checkpoint, CorpusError if its tokenizer is gone, and
    OutputRefused if a file that no export wrote would be replaced, unless ``force`` is given.
    """
    out = Path(out)
    check_folder(out, WRITTEN, made=is_export, force=force, inputs=[run])
    path = checkpoint_of(run)
    module = load_module(path)
    tokenizer_folder = Path(module.hparams["tokenizer"])
    tokenizer = load_tokenizer(tokenizer_folder)
    # The folder is replaced as a whole: a kill never leaves new settings with old weights.
    with whole_folder(out, WRITTEN, made=is_export, force=force, inputs=[run]) as temporary:
        save_model(module, temporary, tokenizer)
        manifest = read_manifest(tokenizer_folder.parent)
        held_out = manifest.get("held_out", [])
        (temporary / "held_out.txt").write_text(
            "".join(f"{name}\n" for name in held_out), encoding="utf-8"
        )
        facts = _facts(module, path, manifest)
        if curves := _curves(path, facts["steps"]):
            facts["last_run"]["hours"] = training_hours(curves)
            facts["last_run"]["tokens_per_second"] = median_rate(curves)
            draw_curves(curves, temporary / PICTURE)
        (temporary / "training.json").write_text(
            json.dumps(facts, indent=1) + "\n", encoding="utf-8"
        )
    return out


def is_export(folder: Path) -> bool:
    """Whether a folder holds an export, which its training.json shows."""
    try:
        facts = json.loads((folder / "training.json").read_text("utf-8"))
        return isinstance(facts, dict) and {"parameters", "tokens_seen", "settings"} <= facts.keys()
    except (OSError, ValueError):
        return False


def name_prompt_form(config: Any, tokenizer: Any) -> None:
    """Record in a model's configuration how our corpora join a prompt and its answer."""
    form = form_of(tokenizer.get_vocab())
    if form == LINE_FORM:  # the form of earlier corpora, whose lists are in the stated order
        config.lamplight = {
            "prompt_prefix": form.lead,
            "prompt_suffix": form.after,
            "relations": True,
        }
    elif form.before:  # any other is read like a released LMLM checkpoint
        config.lamplight = {"prompt_form": form.to_json(), "relations": "ranked"}


def save_model(module: LookupLanguageModule, folder: Path, tokenizer: Any) -> None:
    """Write a module's weights in bfloat16, with tokenizer; only the adapter, if it trains one."""
    if module.hparams["adapter_rank"]:
        save_adapter(module.model, folder)
        return
    _save_model(copy.deepcopy(module.model).cpu().to(torch.bfloat16), folder, tokenizer)
    save_tokenizer(tokenizer, folder)


def _save_model(model: Any, folder: Path, tokenizer: Any) -> None:
    name_prompt_form(model.config, tokenizer)
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
    )
    disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # the library makes the weights readable by their owner only


def _facts(module: LookupLanguageModule, path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """What the model card says about the training."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    splits = manifest.get("splits", {})
    return {
        "lamplight": VERSION,
        "parameters": sum(p.numel() for p in module.model.parameters()),
        "steps": int(checkpoint["global_step"]),
        "tokens_seen": int(checkpoint.get("tokens_seen", 0)),
        "seconds": float(checkpoint.get("seconds", 0.0)),
        "settings": {
            name: value
            for name, value in module.hparams.items()
            if name not in ("tokenizer", "base_config") and (value or name not in UNUSUAL)
        },
        "last_run": {"device": checkpoint["device"]} if "device" in checkpoint else {},
        "before": runs_before(module.hparams["start_from"]),
        "corpus": {
            "seed": manifest.get("seed"),
            "splits": {
                name: {k: v for k, v in split.items() if k != "sha256"}
                for name, split in splits.items()
            },
        },
    }


def runs_before(start_from: str) -> list[dict[str, Any]]:
    """The runs that led to the weights a run started from, as far as they are on record."""
    path = Path(start_from or "none") / "training.json"
    if not path.is_file():
        return []
    theirs = json.loads(path.read_text("utf-8"))
    settings = theirs.get("settings", {})
    record = {"tokens_seen": theirs["tokens_seen"], "steps": theirs["steps"]}
    record["corpus_seed"] = theirs.get("corpus", {}).get("seed")
    record |= {name: settings[name] for name in RATES if name in settings}
    return [*theirs.get("before", []), record]


def _curves(checkpoint: Path, steps: int) -> Curves:
    """What a run logged before `steps`, the step of its checkpoint; {} without a log."""
    log = next((at for at in checkpoint.parents[:2] if (at / CURVE).exists()), None)
    if log is None:
        return {}
    return {
        name: {step: value for step, value in curve.items() if step < steps}
        for name, curve in read_curve(log).items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training export",
        description="Write a run's last checkpoint in Hugging Face format.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument("--run", required=True, help="folder of a run, or a .ckpt file")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("model/checkpoints/world"),
        help="folder to write (default model/checkpoints/world)",
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    out = export(options.run, options.out, force=options.force)
    size = (out / "model.safetensors").stat().st_size
    print(f"{out}: {size / 2**20:.1f} MiB of weights in bfloat16.")
    if size > LARGEST:
        print(
            f"That is more than the {LARGEST / 2**20:.0f} MiB that a shipped checkpoint may have."
        )
    return 0
