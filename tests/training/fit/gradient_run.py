"""One optimiser step, whose gradient is written to a file: run as `python -m` by a test.

python -m tests.training.fit.gradient_run CORPUS OUT BATCH_TOKENS ACCUMULATE DEVICES
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import lightning as L
import torch

from training.data.batches import LookupDataModule
from training.fit.module import LookupLanguageModule

DOCUMENTS = 16


class Recording(LookupLanguageModule):
    """Keeps the gradient as the optimiser gets it, and what each rank read."""

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        self.gradient = {
            name: parameter.grad.clone()
            for name, parameter in self.named_parameters()
            if parameter.grad is not None
        }

    def training_step(self, batch: Any, batch_index: int) -> torch.Tensor:
        self.read = [*getattr(self, "read", []), batch["ids_BT"]]
        return super().training_step(batch, batch_index)


def run(
    corpus: Path, out: Path, batch_tokens: int, accumulate: int, devices: int
) -> tuple[dict[str, torch.Tensor], int]:
    """The gradient of one step over all documents, and the number of batches of this rank."""
    torch.set_num_threads(1)
    L.seed_everything(0, verbose=False)
    module = Recording(
        str(corpus / "tokenizer"), hidden_size=32, intermediate_size=64, layers=2, heads=2
    )
    data = LookupDataModule(str(corpus), batch_tokens, limit_documents=DOCUMENTS, verify=False)
    trainer = L.Trainer(
        accelerator="cpu",
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        max_epochs=1,
        accumulate_grad_batches=accumulate,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        default_root_dir=out,
    )
    trainer.fit(module, datamodule=data)
    assert trainer.global_step == 1
    torch.save(module.read, out / f"read-{trainer.global_rank}.pt")
    if trainer.global_rank == 0:
        torch.save(module.gradient, out / "gradient.pt")
    return module.gradient, len(module.read)


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), *(int(number) for number in sys.argv[3:6]))
