"""`train`: a run of a set number of minutes on one GPU, with the project's Lightning module.

    python -m tools.gpu train --config world --corpus /tmp/gpu/world --minutes 8 --out $OUT
    python -m tools.gpu train --config adapter --corpus /tmp/gpu/adapter \\
        --base /tmp/gpu/base.gguf --minutes 8 --out $OUT

The minutes count from the start of the command, so what compiling takes is taken from training. The
rate falls with the time that passes and has reached its end when the time is over. Documents are
packed into rows of one length that stay on the GPU. Before training, the command tries the fastest
way to compute a step and falls back on slower ones if it fails: FlexAttention compiled, a dense
mask compiled, a dense mask as it is. If the memory does not suffice, it halves the batch.

Weights are saved every two minutes in parts (see `tools.gpu.parts`). At the end the last weights
and their running average are measured on the validation split, and the better ones are saved.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from graph.version import VERSION
from model.roles import MarkerIds
from tools.gpu.parts import write_parts
from training.data.packed_rows import PackedLoader, PackedRows, pack_shards
from training.data.shards import Shard, read_manifest
from training.data.tokenizer import load_tokenizer
from training.errors import TrainingError
from training.fit.export import runs_before, save_model
from training.fit.module import LookupLanguageModule
from training.fit.packed_attention import DENSE, FLEX, use_attention

WORLD = {
    "hidden_size": 320,
    "intermediate_size": 896,
    "layers": 9,
    "heads": 5,
    "max_positions": 1024,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "world": {
        "model": {**WORLD, "learning_rate": 3e-3, "weight_decay": 0.1, "warmup_steps": 100},
        "batch_tokens": 131072,
    },
    "adapter": {
        "model": {
            "adapter_rank": 32,
            "adapter_alpha": 64,
            "learning_rate": 8e-4,
            "weight_decay": 0.0,
            "warmup_steps": 50,
        },
        "batch_tokens": 32768,
    },
}
AVERAGE = 0.995  # share of the running average that stays at each step
END_SECONDS = 15.0  # kept back to measure and save at the end
TRIAL_STEPS = 3
MEASURED_ROWS = 32  # rows of a batch when the losses are measured


def train(argv: Sequence[str]) -> None:
    """Train for a set number of minutes, and write the weights in parts."""
    begun = time.perf_counter()
    options = _parser().parse_args(argv)
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    say = _Printer(options.name or options.config, begun)
    say(f"torch {torch.__version__}, {_device_name(device)}")

    tokenizer_folder = options.corpus[0] / "tokenizer"
    tokenizer = load_tokenizer(tokenizer_folder)
    markers, pad_id = MarkerIds.of(tokenizer), int(tokenizer.pad_token_id)
    shards = {
        split: [Shard(corpus / split) for corpus in options.corpus]
        for split in ("train", "validation")
    }
    options.width = options.width or _width([shard for both in shards.values() for shard in both])
    rows = {}
    for split in shards:
        limit = None if split == "train" else options.validation_documents
        rows[split] = pack_shards(
            shards[split], options.width, pad_id, markers, options.seed, limit
        )
        rows[split] = rows[split].to(device)
        filled = rows[split].tokens / rows[split].ids_RT.numel()
        say(
            f"{split}: {rows[split].tokens:,} tokens in {len(rows[split]):,} rows of "
            f"{options.width} ({filled:.1%} filled)"
        )

    settings = {**CONFIGS[options.config]["model"], **json.loads(options.model)}
    for name in ("learning_rate", "warmup_steps", "final_rate"):
        if (value := getattr(options, name)) is not None:
            settings[name] = value
    if options.config == "adapter":
        settings["base"] = options.base
    module = LookupLanguageModule(
        tokenizer=str(tokenizer_folder),
        relation_weight=options.relation_weight,
        decision_weight=options.decision_weight,
        start_from=options.start_from,
        seconds=60.0 * options.minutes,
        **settings,
    )
    if options.start_from:
        from training.fit.starting_weights import take_weights

        take_weights(module, options.start_from, str(tokenizer_folder))
        module.hparams["start_from"] = ""  # they are taken
    module.to(device)
    if options.config == "adapter":  # frozen weights take no steps, so they need no fp32
        for parameter in module.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(torch.bfloat16)
    counted = sum(p.numel() for p in module.parameters() if p.requires_grad)
    say(f"{sum(p.numel() for p in module.parameters()):,} parameters, {counted:,} of them trained")

    batch_tokens = options.batch_tokens or CONFIGS[options.config]["batch_tokens"]
    batch_rows = max(1, batch_tokens // options.width)
    batch_rows = prepare(module, rows["train"], batch_rows, options.attention, say)

    run = _Run(options, module, tokenizer, say)
    seconds = 60 * options.minutes - (time.perf_counter() - begun) - options.end_seconds
    if seconds <= 0:
        raise TrainingError("The minutes were over before training began; give more.")
    module.hparams["seconds"] = seconds
    loader: Any = PackedLoader(rows["train"], batch_rows, options.seed)
    say(f"training for {seconds:.0f} s, {batch_rows * options.width:,} tokens a step")
    progress = _Progress(run, batch_rows * options.width, options.log_every, options.save_minutes)
    average = _Average(module)
    trainer = L.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed" if computes_bfloat16(device) else "32-true",
        max_epochs=-1,
        max_steps=options.steps or -1,
        accumulate_grad_batches=options.accumulate,
        gradient_clip_val=1.0,
        callbacks=[progress, average],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        log_every_n_steps=options.log_every,
        default_root_dir=tempfile.gettempdir(),
    )
    trainer.fit(module, loader)
    module.to(device)
    run.finish(trainer, progress, average, rows["validation"], batch_rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.gpu train", description=train.__doc__)
    add = parser.add_argument
    add("--config", choices=sorted(CONFIGS), required=True)
    add("--corpus", type=Path, action="append", required=True, help="corpus folder; may repeat")
    add("--minutes", type=float, required=True, help="from the start of the command to its end")
    add("--out", type=Path, required=True, help="folder for the parts")
    add("--name", default="", help="name of the parts (that of the configuration)")
    add("--base", default="smollm2", help="base of an adapter: smollm2, a GGUF file or a folder")
    add("--start-from", default="", help="checkpoint folder or adapter folder to continue")
    add("--model", default="{}", help="further settings of the module, as JSON")
    add("--width", type=int, help="tokens of a row (512, or more if a document is longer)")
    add("--batch-tokens", type=int, help="tokens of a step")
    add("--accumulate", type=int, default=1, help="batches of a step")
    add("--attention", choices=("auto", "flex", "dense", "eager"), default="auto")
    add("--relation-weight", type=float, default=3.0)
    add("--decision-weight", type=float, default=3.0)
    add("--learning-rate", type=float)
    add("--final-rate", type=float, default=0.02)
    add("--warmup-steps", type=int)
    add("--steps", type=int, help="stop after so many steps, if the minutes are not over before")
    add("--save-minutes", type=float, default=2.0)
    add("--end-seconds", type=float, default=END_SECONDS, help="kept back to measure and save")
    add("--validation-documents", type=int, default=2000, help="of each corpus, at most")
    add("--part-size", type=float, default=15.0, help="MiB of a part, at most")
    add("--log-every", type=int, default=50, help="steps")
    add("--seed", type=int, default=0)
    return parser


def _width(shards: Sequence[Shard]) -> int:
    """The tokens of a row that holds any document; FlexAttention likes multiples of 128."""
    longest = max(int(shard.lengths_N.max()) for shard in shards)
    return max(512, -(-longest // 128) * 128)


class _Printer:
    """Prints lines with the name of the run and the seconds since its start."""

    def __init__(self, name: str, begun: float) -> None:
        self.name, self.begun = name, begun

    def __call__(self, line: str) -> None:
        print(f"[{self.name} {time.perf_counter() - self.begun:6.1f}] {line}", flush=True)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else "CPU"


def computes_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is quicker than float32 there; other processors emulate it, at a tenth."""
    if device.type != "cpu":
        return True
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _autocast(device: torch.device) -> torch.autocast:
    """As Lightning computes a step there."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device))


# -- how a step is computed ----------------------------------------------------------------------


def prepare(
    module: LookupLanguageModule, rows: PackedRows, batch_rows: int, wanted: str, say: _Printer
) -> int:
    """Choose how steps are computed, by trying; returns the rows of a batch that fit."""
    ways = [(FLEX, True), (DENSE, True), (DENSE, False)]
    if wanted != "auto":
        ways = ways[("flex", "dense", "eager").index(wanted) :]
    elif module.device.type != "cuda":
        ways = ways[2:]
    module.train()
    batch_rows = min(batch_rows, len(rows))
    for attention, compiled in ways:
        name = f"{attention.removeprefix('lamplight_')}, {'compiled' if compiled else 'as it is'}"
        use_attention(module.model, attention)
        _compile_layers(module, compiled)
        while True:
            try:
                first, rate = _trial(module, rows, batch_rows)
            except torch.OutOfMemoryError:
                _forget(module)
                if batch_rows == 1:
                    raise
                batch_rows = max(1, batch_rows // 2)
                say(f"{name}: not enough memory, so {batch_rows} rows a batch")
            except Exception as error:
                _forget(module)
                say(f"{name}: failed: {type(error).__name__}: {str(error)[:600]}")
                traceback.print_exc(limit=-4)
                break
            else:
                memory = torch.cuda.max_memory_allocated() / 2**30 if rows.ids_RT.is_cuda else 0.0
                say(
                    f"{name}: first step {first:.1f} s, then {rate:,.0f} tokens/s; "
                    f"{memory:.1f} GiB at most"
                )
                return batch_rows
    raise TrainingError("No way to compute a step worked.")


def _trial(module: LookupLanguageModule, rows: PackedRows, batch_rows: int) -> tuple[float, float]:
    """Seconds of the first step, and tokens a second afterwards."""
    on_gpu = rows.ids_RT.is_cuda
    places = torch.arange(len(rows), device=rows.ids_RT.device)
    seconds = []
    for step in range(1 + TRIAL_STEPS):
        begun = time.perf_counter()
        start = (step * batch_rows) % max(1, len(rows) - batch_rows + 1)
        with _autocast(module.device):
            batch = rows.batch(places[start : start + batch_rows])
            loss = module.model_step(batch, details=False)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        module.zero_grad(set_to_none=True)
        if not math.isfinite(loss.item()):
            raise TrainingError("The loss of a trial step is not finite.")
        if on_gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    width = rows.ids_RT.shape[1]
    return seconds[0], TRIAL_STEPS * batch_rows * width / sum(seconds[1:])


def _compile_layers(module: LookupLanguageModule, compiled: bool) -> None:
    """Compile each layer by itself: they share their code, so it is compiled once."""
    torch._dynamo.reset()
    for layer in module.decoder.layers:
        layer._compiled_call_impl = None
        if compiled:
            layer.compile(dynamic=False)


def _forget(module: LookupLanguageModule) -> None:
    """Free what a failed step left behind."""
    module.zero_grad(set_to_none=True)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


# -- during the run ------------------------------------------------------------------------------


class _Average(L.Callback):
    """A running average of the trained weights."""

    def __init__(self, module: nn.Module) -> None:
        self.weights = [p.detach().clone() for p in module.parameters() if p.requires_grad]

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        own = [p.detach() for p in module.parameters() if p.requires_grad]
        torch._foreach_lerp_(self.weights, own, 1 - AVERAGE)

    def swap(self, module: nn.Module) -> None:
        """Exchange the module's weights and the average."""
        own = [p for p in module.parameters() if p.requires_grad]
        with torch.no_grad():
            for parameter, average in zip(own, self.weights, strict=True):
                kept = parameter.detach().clone()
                parameter.copy_(average)
                average.copy_(kept)


class _Progress(L.Callback):
    """Prints the losses, and saves the weights now and then."""

    def __init__(self, run: _Run, step_tokens: int, every: int, save_minutes: float) -> None:
        self.run, self.step_tokens, self.every = run, step_tokens, every
        self.save_seconds = 60 * save_minutes
        self.steps = self._steps_then = 0
        self._then = self._saved = self.begun = time.perf_counter()

    def on_train_start(self, trainer: Any, module: Any) -> None:
        self._then = self._saved = self.begun = time.perf_counter()

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        self.steps += 1
        if self.steps % self.every:
            return
        metrics = {
            name.removeprefix("train/"): float(value)
            for name, value in trainer.callback_metrics.items()
        }
        now = time.perf_counter()
        rate = (self.steps - self._steps_then) * self.step_tokens / (now - self._then)
        self._then, self._steps_then = now, self.steps
        parts = " ".join(
            f"{name.removeprefix('loss_')} {metrics[name]:.4f}"
            for name in (
                "loss",
                "loss_text",
                "loss_entity",
                "loss_relation",
                "loss_marker",
                "copy_accuracy",
                "gradient_norm",
            )
            if name in metrics
        )
        learning_rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.run.say(f"step {self.steps}: {parts}, rate {learning_rate:.2e}, {rate:,.0f} tokens/s")
        if now - self._saved >= self.save_seconds:
            self._saved = now
            self.run.save(self, {})

    @property
    def seconds(self) -> float:
        """Of training so far."""
        return time.perf_counter() - self.begun


class _Run:
    """Measures and saves."""

    def __init__(
        self, options: Any, module: LookupLanguageModule, tokenizer: Any, say: _Printer
    ) -> None:
        self.options, self.module, self.tokenizer, self.say = options, module, tokenizer, say
        self.name = options.name or options.config

    def finish(
        self,
        trainer: L.Trainer,
        progress: _Progress,
        average: _Average,
        validation: PackedRows,
        batch_rows: int,
    ) -> None:
        """Save the better ones of the last weights and their average."""
        rate = progress.steps * progress.step_tokens / progress.seconds
        self.say(f"{progress.steps} steps, {rate:,.0f} tokens/s over all")
        self.save(progress, {})
        found = {"last": measure(self.module, validation, batch_rows)}
        average.swap(self.module)
        found["average"] = measure(self.module, validation, batch_rows)
        for name, losses in found.items():
            parts = " ".join(f"{role} {loss:.4f}" for role, loss in losses.items())
            self.say(f"validation, {name} weights: {parts}")
        better = min(found, key=lambda name: found[name]["loss"])
        if better == "last":
            average.swap(self.module)
        self.save(progress, {"validation": found, "weights": better})

    def save(self, progress: _Progress, facts: dict[str, Any]) -> None:
        """Write the present weights in parts."""
        begun = time.perf_counter()
        manifest = read_manifest(self.options.corpus[0])
        hparams = dict(self.module.hparams)
        training = {
            "lamplight": VERSION,
            "parameters": sum(p.numel() for p in self.module.parameters()),
            "steps": progress.steps,
            "tokens_seen": progress.steps * progress.step_tokens,
            "seconds": progress.seconds,
            "settings": {
                k: v
                for k, v in hparams.items()
                if k not in ("tokenizer", "base", "base_config", "seconds")
            },
            "last_run": {
                "device": _device_name(self.module.device),
                "hours": progress.seconds / 3600,
                "tokens_per_second": progress.steps * progress.step_tokens / progress.seconds,
            },
            "before": runs_before(self.options.start_from),
            "corpus": {
                "seed": manifest.get("seed"),
                "splits": {
                    name: {k: v for k, v in split.items() if k != "sha256"}
                    for name, split in manifest.get("splits", {}).items()
                },
            },
            **facts,
        }
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            save_model(self.module, folder, self.tokenizer)
            (folder / "training.json").write_text(json.dumps(training, indent=1) + "\n", "utf-8")
            if held_out := manifest.get("held_out", []):
                names = "".join(f"{name}\n" for name in held_out)
                (folder / "held_out.txt").write_text(names, "utf-8")
            files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        written = write_parts(
            files, self.options.out, self.name, {"training": training}, self.options.part_size
        )
        self.say(f"saved {len(written)} files in {time.perf_counter() - begun:.1f} s")


@torch.no_grad()
def measure(module: LookupLanguageModule, rows: PackedRows, batch_rows: int) -> dict[str, float]:
    """Mean loss, and loss by role, over all rows."""
    module.eval()
    use_attention(module.model, DENSE)  # as it is: another shape would have to be compiled first
    _compile_layers(module, False)
    batch_rows = min(batch_rows, MEASURED_ROWS)
    places = torch.arange(len(rows), device=rows.ids_RT.device)
    sums: dict[str, Tensor] = {}
    for start in range(0, len(rows), batch_rows):
        with _autocast(module.device):
            batch = rows.batch(places[start : start + batch_rows])
            result = module.model_step(batch, details=True)
        for name, pair in result.items():
            if name.startswith("loss_") or name == "copy_accuracy":
                sums[name] = sums.get(name, torch.zeros(2, device=pair.device)) + pair
    whole = torch.stack([pair for name, pair in sums.items() if name.startswith("loss_")]).sum(0)
    means = {"loss": whole, **sums}
    return {
        name.removeprefix("loss_"): float(total / number) if number else 0.0
        for name, (total, number) in means.items()
    }
