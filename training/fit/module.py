"""The training task: a causal language model that learns to look facts up, not to know them.

Values and ``<|db_end|>`` are fed by the graph when the model writes, so they are context and never
targets (LMLM, arXiv 2505.15962). Prompt tokens and what the corpus marks as untrained are not in
the loss either. The loss is summed over the trained tokens and divided once by their number.

Tensor names carry their shape: B rows, T tokens, N trained tokens, M copied tokens, D hidden
width, V vocabulary.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from model.base.adapter import add_adapter, embeddings_of
from model.base.smollm2 import SMOLLM2, load_base
from model.roles import MARKERS, MarkerIds, Role, token_roles
from training.data.batches import Batch, LookupDataModule
from training.data.packed_rows import PackedBatch
from training.data.tokenizer import load_tokenizer
from training.errors import TrainingError
from training.fit.loss_mask import loss_mask
from training.fit.packed_attention import document_mask
from training.fit.run_checkpoints import checkpoint_of, fingerprint
from training.fit.sliced_cross_entropy import sliced_cross_entropy
from training.fit.starting_weights import (
    base_config_of,
    model_of_config,
    take_base_weights,
    take_weights,
)

COPY_TOKENS = 12  # of a value, at most, that copy accuracy looks at
LOWER = (  # what to do when training diverges
    "the last checkpoint is kept; continue from it with a lower learning rate (--model.start_from, "
    "--model.learning_rate)."
)
UNIT = 1024  # tokens; divides the loss of a part of a step until the step's tokens are counted


def new_model(
    vocab_size: int,
    hidden_size: int,
    intermediate_size: int,
    layers: int,
    heads: int,
    max_positions: int,
    pad_id: int | None = None,
    begin_id: int | None = None,
    end_id: int | None = None,
    architecture: str = "llama",
    tied: bool = True,
) -> Any:
    """A causal LM of Llama or GPT-2 architecture from random initialisation."""
    if architecture not in ("llama", "gpt2"):
        raise TrainingError(
            f"There is no architecture {architecture!r}; --model.architecture is llama or gpt2."
        )
    ids: dict[str, Any] = {
        "pad_token_id": pad_id,
        "bos_token_id": begin_id,
        "eos_token_id": end_id,
    }
    config: Any
    if architecture == "gpt2":
        config = GPT2Config(
            vocab_size=vocab_size,
            n_embd=hidden_size,
            n_inner=intermediate_size,
            n_layer=layers,
            n_head=heads,
            n_positions=max_positions,
            tie_word_embeddings=tied,
            resid_pdrop=0.0,  # each document is seen few times
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            **ids,
        )
    else:
        config = LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=hidden_size,
            intermediate_size=intermediate_size,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=max_positions,
            tie_word_embeddings=tied,
            **ids,
        )
    return AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
        config, dtype=torch.float32, attn_implementation="sdpa"
    )


def copied_tokens(ids_BT: Tensor, roles_BT: Tensor, markers: MarkerIds) -> Tensor:
    """bool [B, T]: text tokens right after ``<|db_end|>`` while they repeat the value's tokens.

    Only the first `COPY_TOKENS` tokens of each value count.
    """
    width = ids_BT.shape[1]
    positions_T = torch.arange(width, device=ids_BT.device)
    is_return_BT = (ids_BT == markers.return_) & (roles_BT == Role.MARKER)
    is_end_BT = (ids_BT == markers.end) & (roles_BT == Role.MARKER)
    return_at_BT = torch.where(is_return_BT, positions_T, -1).cummax(dim=1).values
    copied_BT = torch.zeros_like(ids_BT, dtype=torch.bool)
    row_L, end_L = is_end_BT.nonzero(as_tuple=True)  # L lookups that closed
    return_L = return_at_BT[row_L, end_L]
    alive_L = return_L >= 0
    for step in range(1, COPY_TOKENS + 1):
        source_L, target_L = return_L + step, end_L + step
        alive_L = alive_L & (source_L < end_L) & (target_L < width)
        safe_source_L, safe_target_L = source_L.clamp(0, width - 1), target_L.clamp(max=width - 1)
        alive_L = alive_L & (ids_BT[row_L, safe_source_L] == ids_BT[row_L, safe_target_L])
        copied_BT[row_L[alive_L], safe_target_L[alive_L]] = True
    return copied_BT & (roles_BT == Role.TEXT)


class LookupLanguageModule(L.LightningModule):
    """Pre-trains a causal LM on documents with lookups.

    Args:
        tokenizer: folder of the corpus's tokenizer (the command fills it in).
        hidden_size: width of the residual stream.
        intermediate_size: width of the feed-forward layers.
        layers: number of transformer layers.
        heads: attention heads in each layer.
        max_positions: longest document, in tokens.
        learning_rate: highest rate, reached after the warm-up.
        final_rate: last rate, as a share of the highest.
        warmup_steps: steps of linear warm-up; the cosine follows.
        weight_decay: weight decay of matrices; norms have none.
        threads: CPU threads for tensor operations (0: PyTorch's default).
        start_from: run, checkpoint file or exported checkpoint whose weights to start from, with a
            new schedule; the tokenizer must be the same. To resume an interrupted run, name its
            checkpoint with --ckpt_path instead.
        architecture: llama or gpt2.
        tied: whether the output layer is the input embedding.
        base: folder or Hub name of a causal LM to start from; it sets the shape, and tokens that
            only the corpus's tokenizer has (the markers) get new embeddings.
        base_config: shape taken from `base`; filled in, so a checkpoint does not need `base`.
        gradient_checkpointing: compute activations twice instead of storing them, to save memory.
        compile: compile the layers with torch.compile (worth it on an accelerator).
        train_values: train the looked-up values too; an ablation that puts facts into the weights.
        peak_teraflops: peak of the hardware in this precision, to log the utilisation.
        relation_weight: how many times each token of a relation counts in the loss.
        decision_weight: how many times a token counts in the loss where the model decides: the
            first token of a text, the one right after a returned value ("Yes", or that nothing
            fits), each opening of a lookup, and the end.
        adapter_rank: if above 0, train an adapter of this rank (LoRA) and keep the base frozen;
            `base` is then `smollm2`, a GGUF file, or the folder of a causal LM.
        adapter_alpha: the adapter's output is scaled by this over its rank (0: twice the rank).
        seconds: if above 0, train for so long; the rate then falls with the time that passes.
    """

    def __init__(
        self,
        tokenizer: str,
        hidden_size: int = 256,
        intermediate_size: int = 704,
        layers: int = 6,
        heads: int = 4,
        max_positions: int = 1024,
        learning_rate: float = 2e-3,
        final_rate: float = 0.05,
        warmup_steps: int = 100,
        weight_decay: float = 0.1,
        threads: int = 0,
        start_from: str = "",
        architecture: str = "llama",
        tied: bool = True,
        base: str = "",
        base_config: dict[str, Any] | None = None,
        gradient_checkpointing: bool = False,
        compile: bool = False,
        train_values: bool = False,
        peak_teraflops: float = 0.0,
        relation_weight: float = 1.0,
        decision_weight: float = 1.0,
        adapter_rank: int = 0,
        adapter_alpha: int = 0,
        seconds: float = 0.0,
    ) -> None:
        super().__init__()
        if adapter_rank:
            base, self.strict_loading = base or SMOLLM2, False  # checkpoints hold no base
        elif base and base_config is None:
            base_config = base_config_of(base)
        self.save_hyperparameters()
        loaded = load_tokenizer(tokenizer)
        self.markers = MarkerIds.of(loaded)
        self._end_id = int(loaded.eos_token_id)
        self._fingerprint = fingerprint(loaded)
        self.model: Any
        if adapter_rank:
            self.model = add_adapter(
                load_base(base=base), adapter_rank, adapter_alpha or 2 * adapter_rank, base
            )
        elif base_config is not None:
            self.model = model_of_config(base_config, len(loaded))
        else:
            self.model = new_model(
                len(loaded),
                hidden_size,
                intermediate_size,
                layers,
                heads,
                max_positions,
                loaded.pad_token_id,
                loaded.bos_token_id,
                loaded.eos_token_id,
                architecture,
                tied,
            )
        if gradient_checkpointing:
            self.model.gradient_checkpointing_enable({"use_reentrant": False})
        if compile:
            self.decoder.compile(dynamic=True)
        if threads:
            torch.set_num_threads(threads)
        # Decided before a strategy wraps them: FSDP flattens what it shards into vectors.
        self._matrices = {name for name, p in self.named_parameters() if p.ndim >= 2}
        self._trained = 0.0  # tokens of the present step, on this rank, as often as they count
        self._sums: dict[str, Tensor] = {}  # of a validation: [sum of losses, number]
        self._tokens_seen = 0
        self._seconds = 0.0  # of training before the present start
        self._begun = time.perf_counter()
        self._clock: tuple[float, int] | None = None

    @property
    def tokens_seen(self) -> int:
        """Tokens of all batches on all ranks so far, padding included."""
        return self._tokens_seen

    # -- the model ---------------------------------------------------------------------------

    @property
    def decoder(self) -> Any:
        """The model without its output layer."""
        model = self.model.get_base_model() if self.hparams["adapter_rank"] else self.model
        return model.base_model

    def forward(self, ids_BT: Tensor) -> Tensor:
        """logits_BTV of all positions; training computes only those that it needs."""
        logits_BTV: Tensor = self.model(input_ids=ids_BT, use_cache=False).logits
        return logits_BTV

    def _hidden(self, batch: Batch | PackedBatch, sources_N: Tensor) -> Tensor:
        """hidden_ND before the vocabulary, at the flat positions ``sources_N`` only."""
        packed: dict[str, Any] = {}
        if "documents_BT" in batch:
            rows = cast(PackedBatch, batch)
            packed["position_ids"] = rows["positions_BT"]
            packed["attention_mask"] = document_mask(rows["documents_BT"], self.decoder.config)
        output = self.decoder(input_ids=batch["ids_BT"], use_cache=False, **packed)
        hidden_BTD: Tensor = output.last_hidden_state
        return hidden_BTD.flatten(0, 1).index_select(0, sources_N)

    def model_step(self, batch: Batch | PackedBatch, details: bool) -> dict[str, Tensor]:
        """Loss of one batch, and with ``details`` loss by role and copy accuracy.

        Returns:
            "loss" (mean over trained tokens), "trained" (their number, as often as they count)
            and, as pairs of sum and number, "loss_ROLE", "copy_accuracy" and "lookups_per_token".
        """
        ids_BT, flags_BT = batch["ids_BT"], batch["flags_BT"]
        if "roles_BT" in batch:
            roles_BT = cast(PackedBatch, batch)["roles_BT"]
        else:
            lengths_B = batch["prompt_lengths_B"]
            roles_BT = token_roles(ids_BT, self.markers, lengths_B)
        train_values = bool(self.hparams["train_values"])
        mask_BT = loss_mask(ids_BT, roles_BT, self.markers, train_values) & flags_BT
        mask_BT[:, 0] = False  # nothing stands before the first token to predict it from
        targets_at_N = mask_BT.flatten().nonzero().squeeze(1)
        if not len(targets_at_N):
            raise TrainingError(
                "A batch has no token to train: all tokens are prompt, values or untrained. "
                "Build the corpus again."
            )
        targets_N = ids_BT.flatten()[targets_at_N]
        hidden_ND = self._hidden(batch, targets_at_N - 1)
        if self._low_precision():
            hidden_ND = hidden_ND.to(torch.bfloat16)
        head = self.model.get_output_embeddings()
        adapted = bool(self.hparams["adapter_rank"])
        embeddings_VD = embeddings_of(self.model) if adapted else head.weight
        if not adapted and head.bias is not None:  # as one more column, multiplied by one
            embeddings_VD = torch.cat([embeddings_VD, head.bias[:, None]], dim=1)
            hidden_ND = torch.cat([hidden_ND, torch.ones_like(hidden_ND[:, :1])], dim=1)
        counts_N, trained = None, torch.tensor(len(targets_N))
        relation_weight = float(self.hparams["relation_weight"])
        decision_weight = float(self.hparams["decision_weight"])
        if (relation_weight, decision_weight) != (1.0, 1.0):
            is_relation_N = roles_BT.flatten()[targets_at_N] == int(Role.RELATION)
            before_N = targets_at_N - 1
            decides_N = ids_BT.flatten()[before_N] == self.markers.end
            decides_N |= roles_BT.flatten()[before_N] == int(Role.PROMPT)
            decides_N |= (targets_N == self.markers.entity) | (targets_N == self._end_id)
            counts_N = 1.0 + (relation_weight - 1.0) * is_relation_N
            counts_N = counts_N + (decision_weight - 1.0) * decides_N
            trained = counts_N.sum()
        first_trained = len(embeddings_VD) - len(MARKERS) if adapted else 0
        loss, losses_N = sliced_cross_entropy(
            hidden_ND, embeddings_VD, targets_N, counts_N, first_trained
        )
        result = {"loss": loss / trained, "trained": trained}
        if details:
            with torch.no_grad():
                roles_N = roles_BT.flatten()[targets_at_N]
                for role in (Role.TEXT, Role.ENTITY, Role.RELATION, Role.MARKER):
                    chosen_N = roles_N == role
                    pair = torch.stack([losses_N[chosen_N].sum(), chosen_N.sum().float()])
                    result[f"loss_{role.name.lower()}"] = pair
                copied_N = copied_tokens(ids_BT, roles_BT, self.markers).flatten()[targets_at_N]
                logits_MV = hidden_ND[copied_N] @ embeddings_VD.to(hidden_ND.dtype).T
                right_M = logits_MV.argmax(dim=-1) == targets_N[copied_N]
                result["copy_accuracy"] = torch.stack(
                    [right_M.sum().float(), copied_N.sum().float()]
                )
                lookups = (ids_BT == self.markers.entity) & (roles_BT == Role.MARKER)
                words = ((roles_BT == Role.TEXT) & flags_BT).sum()
                result["lookups_per_token"] = torch.stack([lookups.sum().float(), words.float()])
        return result

    # -- Lightning ---------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        """Load the weights of `start_from`; a resumed run loads its own after this."""
        if stage != "fit":
            return
        self._check_lengths()
        if self.trainer.ckpt_path:
            return
        adapted = bool(self.hparams["adapter_rank"])
        if not adapted and (base := str(self.hparams["base"])):
            take_base_weights(self.model, base)
        if start_from := str(self.hparams["start_from"]):
            seen = take_weights(self, start_from, str(self.hparams["tokenizer"]))
            self._tokens_seen, self._seconds = seen

    def _check_lengths(self) -> None:
        """Raise TrainingError if a document is longer than the model's context."""
        data = getattr(self.trainer, "datamodule", None)
        longest = data.longest() if isinstance(data, LookupDataModule) else 0
        context = int(getattr(self.model.config, "max_position_embeddings", 0) or longest)
        if longest > context:
            raise TrainingError(
                f"The corpus has a document of {longest:,} tokens, and the model sees {context:,}: "
                "raise --model.max_positions, or build the corpus with shorter documents."
            )

    def on_train_start(self) -> None:
        self._begun = time.perf_counter()

    def training_step(self, batch: Batch | PackedBatch, batch_index: int) -> Tensor:
        due = (self.global_step + 1) % max(1, self._log_every()) == 0
        result = self.model_step(batch, details=due)
        loss = result["loss"]
        # Reading the loss makes the program wait for the GPU, so there it is read now and then.
        if (due or not loss.is_cuda) and not math.isfinite(loss.item()):
            raise TrainingError(f"The loss is {loss.item()} at step {self.global_step}: {LOWER}")
        whole_step = self._parts() == (1, 1)
        trained = 0.0 if whole_step else float(result["trained"])
        self._trained += trained
        tokens = int(batch["flags_BT"].shape[0] * batch["flags_BT"].shape[1])
        self._tokens_seen += tokens * self._parts()[1]
        self.log("train/loss", loss, prog_bar=True)
        if due:
            self._log_details("train", result)
            self.log("train/tokens", float(self._tokens_seen))
            now = time.perf_counter()
            if self._clock is not None:
                before, seen = self._clock
                rate = (self._tokens_seen - seen) / (now - before)
                self.log("train/tokens_per_second", rate, prog_bar=True)
                if peak := float(self.hparams["peak_teraflops"]):
                    # Six operations for each weight and token (arXiv 2001.08361).
                    done = 6 * sum(p.numel() for p in self.parameters()) * rate / 1e12
                    self.log("train/model_flops_utilisation", done / (peak * self._parts()[1]))
            self._clock = (now, self._tokens_seen)
        # Each part of a step counts by its number of tokens; see on_before_optimizer_step.
        return loss if whole_step else loss * (trained / UNIT)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_index: int) -> None:
        if (seconds := float(self.hparams["seconds"])) and self._passed() >= seconds:
            self.trainer.should_stop = True

    def _passed(self) -> float:
        """Seconds of training since the present start."""
        return time.perf_counter() - self._begun

    def _parts(self) -> tuple[int, int]:
        """The number of batches in a row, and of ranks, that make up one step."""
        trainer = self._trainer
        if trainer is None:
            return 1, 1
        return int(trainer.accumulate_grad_batches), int(trainer.world_size)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the gradient once, by the number of trained tokens of the whole step.

        Lightning has divided by the number of batches and averaged over ranks, as if each had the
        same number of tokens. This correction makes the gradient independent of how a step is cut.
        """
        batches, ranks = self._parts()
        trained, self._trained = self._trained, 0.0
        if (batches, ranks) == (1, 1):
            return
        total = torch.tensor(trained, device=self.device)
        if ranks > 1:
            total = self.trainer.strategy.reduce(total, reduce_op="sum")
        scale = UNIT * batches * ranks / total.item()
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(scale)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        result = self.model_step(batch, details=True)
        trained = float(result["trained"])
        self.log(
            "validation/loss",
            result["loss"],
            prog_bar=True,
            batch_size=int(trained),
            sync_dist=True,
        )
        self._log_details("validation", result)
        pairs = {name: pair for name, pair in result.items() if name.startswith("loss_")}
        whole = torch.stack([result["loss"] * trained, result["loss"].new_tensor(trained)])
        for name, pair in {**pairs, "trained": whole}.items():
            self._sums[name] = self._sums.get(name, 0) + pair.detach().double()

    def on_validation_epoch_end(self) -> None:
        """Perplexity by role, and the static and normalised one of arXiv 2505.15962.

        Normalised: the losses of all trained tokens, divided by the number of text tokens. The
        dynamic perplexity needs the model's own lookups: see evaluation/dynamic_perplexity.py.
        """
        sums, self._sums = self._sums, {}
        if self._parts()[1] > 1:
            sums = {n: self.trainer.strategy.reduce(s, reduce_op="sum") for n, s in sums.items()}
        for name, (total, number) in sums.items():
            if name.startswith("loss_") and number > 0:
                role = name.removeprefix("loss_")
                self.log(f"validation/perplexity_{role}", (total / number).exp().float())
        if sums and sums["loss_text"][1] > 0:
            words = sums["loss_text"][1]
            self.log("validation/perplexity_static", (sums["loss_text"][0] / words).exp().float())
            normalised = (sums["trained"][0] / words).exp().float()
            self.log("validation/perplexity_normalised", normalised)

    def _low_precision(self) -> bool:
        """Whether the forward pass runs under bfloat16 autocast."""
        kind = self.device.type
        return torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.bfloat16

    def _log_every(self) -> int:
        return int(getattr(self.trainer, "log_every_n_steps", 1))

    def _log_details(self, stage: str, result: dict[str, Tensor]) -> None:
        """Log each pair of sum and number as a mean, weighted by the numbers over an epoch."""
        for name, pair in result.items():
            if name == "lookups_per_token" and pair[1] > 0:
                rate = 100 * pair[0] / pair[1]
                number = int(pair[1])
                self.log(f"{stage}/lookups_per_100_tokens", rate, batch_size=number)
            elif name not in ("loss", "trained") and pair[1] > 0:
                number = int(pair[1])
                self.log(f"{stage}/{name}", pair[0] / pair[1], batch_size=number)

    def on_validation_end(self) -> None:
        self._clock = None  # time spent validating is not training

    def on_train_end(self) -> None:
        """Keep the last weights even if the number of steps is not a multiple of the interval."""
        keeper = self.trainer.checkpoint_callback
        if isinstance(keeper, ModelCheckpoint) and keeper.dirpath and keeper.save_last:
            self.trainer.save_checkpoint(Path(keeper.dirpath) / "last.ckpt", weights_only=False)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights that are not finite, so the last good checkpoint stays."""
        broken = torch.tensor(float(not weights_are_finite(self)), device=self.device)
        if self._parts()[1] > 1:  # all ranks stop, or none
            broken = self.trainer.strategy.reduce(broken, reduce_op="sum")
        if broken:
            raise TrainingError(
                f"The weights are not finite after step {self.global_step}: {LOWER}"
            )
        checkpoint["tokenizer"] = self._fingerprint
        if self.hparams["adapter_rank"]:  # the base never changes
            checkpoint["state_dict"] = self._own_weights(checkpoint["state_dict"])
        checkpoint["tokens_seen"] = self._tokens_seen
        checkpoint["seconds"] = self._seconds + time.perf_counter() - self._begun
        checkpoint["device"] = self._device_in_words()

    def _device_in_words(self) -> str:
        """The hardware, for the model card: "2 CPU threads", "4 x NVIDIA H100"."""
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        else:
            threads = torch.get_num_threads()
            name = f"{threads} CPU thread{'s' if threads > 1 else ''}"
        ranks = self._parts()[1]
        return f"{ranks} x {name}" if ranks > 1 else name

    def _own_weights(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Those of the weights that this module trains."""
        if not self.hparams["adapter_rank"]:
            return weights
        trained = {name for name, p in self.named_parameters() if p.requires_grad}
        return {name: tensor for name, tensor in weights.items() if name in trained}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint.get("tokenizer", self._fingerprint) != self._fingerprint:
            raise TrainingError(
                "The checkpoint was trained with another tokenizer than "
                f"{self.hparams['tokenizer']}: use the corpus that it was trained on, or build "
                "one with its tokenizer."
            )
        own = self._own_weights(self.state_dict())
        ours = {name: tensor.shape for name, tensor in own.items()}
        theirs = {name: tensor.shape for name, tensor in checkpoint.get("state_dict", {}).items()}
        if theirs and ours != theirs:
            name = next(n for n in (ours | theirs) if ours.get(n) != theirs.get(n))
            raise TrainingError(
                f"The checkpoint has another shape ({name} differs): give the --model "
                "settings that it was trained with."
            )
        self._tokens_seen = int(checkpoint.get("tokens_seen", 0))
        self._seconds = float(checkpoint.get("seconds", 0.0))
        # Lightning restores a loader's position only if the loader does not exist yet. Ours does,
        # because the rate schedule asks for the number of steps. So it is restored here.
        data = getattr(self._trainer, "datamodule", None)
        states = checkpoint["loops"]["fit_loop"]["state_dict"].get("combined_loader")
        if states and isinstance(data, LookupDataModule):
            data.resume_from(states[0])

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the global norm, which Lightning refuses for fused optimisers without need."""
        sharded: Any = self.trainer.model
        if gradient_clip_val and hasattr(sharded, "clip_grad_norm_"):  # FSDP
            sharded.clip_grad_norm_(gradient_clip_val)
        elif gradient_clip_val:
            norm = nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val, foreach=True)
            self.log("train/gradient_norm", norm)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        trained = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        matrices = [p for name, p in trained if _own_name(name) in self._matrices]
        vectors = [p for name, p in trained if _own_name(name) not in self._matrices]
        optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": self.hparams["weight_decay"]},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=self.hparams["learning_rate"],
            betas=(0.9, 0.95),
            fused=True,
        )
        warmup: int = self.hparams["warmup_steps"]
        final: float = self.hparams["final_rate"]
        seconds = float(self.hparams["seconds"])
        total = warmup + 1
        if not seconds:  # a run by the clock has no known number of steps
            total = max(int(self.trainer.estimated_stepping_batches), total)

        def rate(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            done = self._passed() / seconds if seconds else (step - warmup) / (total - warmup)
            progress = min(1.0, done)
            return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def _own_name(name: str) -> str:
    """A parameter's name before a strategy or the compiler wrapped its module."""
    wrappers = ("_fsdp_wrapped_module", "_orig_mod", "_checkpoint_wrapped_module")
    return ".".join(part for part in name.split(".") if part not in wrappers)


def weights_are_finite(module: nn.Module) -> bool:
    """Whether every weight is finite."""
    return all(bool(torch.isfinite(p).all()) for p in module.parameters())


def load_module(run_or_checkpoint: str | Path) -> LookupLanguageModule:
    """The module of a run's folder (its last checkpoint) or of one checkpoint file."""
    path = checkpoint_of(run_or_checkpoint)
    return LookupLanguageModule.load_from_checkpoint(path, map_location="cpu", weights_only=True)
