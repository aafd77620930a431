"""The dynamic perplexity of arXiv 2505.15962 while a model is trained.

    trainer:
      callbacks:
        - class_path: training.evaluation.dynamic_perplexity.DynamicPerplexity

Static and normalised perplexity come from the losses of a validation (fit/module.py). For the
dynamic one the model has to write the queries itself, token by token, which is too slow for all
validation documents: it is measured on a few.
"""

from __future__ import annotations

import lightning as L

from training.data.batches import LookupDataModule
from training.data.shards import Shard
from training.data.tokenizer import Encoded
from training.evaluation.suites.perplexity import dynamic_perplexity
from training.fit.module import LookupLanguageModule
from training.fit.samples import decodable
from training.fit.time_share import TimeShare


class DynamicPerplexity(L.Callback):
    """Logs ``validation/perplexity_dynamic`` at each validation; draws no random numbers.

    Args:
        documents: how many of the first validation documents to use. At the shipped size each
            takes some 0.3 s; they are decoded on the CPU even if the model trains elsewhere.
        most_time: largest share of the run's time that this may take; some validations are
            skipped to stay within it.

    Nothing is logged if the corpus has no lookups, or if the weights are sharded over processes.
    """

    def __init__(self, documents: int = 16, most_time: float = 0.02) -> None:
        if documents < 1:
            raise ValueError(f"documents is {documents}; give 1 or more.")
        self.documents, self._time = documents, TimeShare(most_time)

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._time.begin()

    def on_validation_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        data = getattr(trainer, "datamodule", None)
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        if not isinstance(data, LookupDataModule) or not data.lookups:
            return
        if hasattr(trainer.model, "clip_grad_norm_") or not self._time.allows():  # FSDP
            return
        assert isinstance(module, LookupLanguageModule)
        shard = Shard(data.corpus / "validation")
        rows = (shard.document(index) for index in range(min(self.documents, len(shard))))
        documents = [Encoded(ids.tolist(), flags.tolist(), prompt) for ids, flags, prompt in rows]
        with self._time.spending(), decodable(module) as checkpoint:
            found = dynamic_perplexity(checkpoint, documents)
        if found is not None:
            module.log("validation/perplexity_dynamic", found["value"], rank_zero_only=True)
