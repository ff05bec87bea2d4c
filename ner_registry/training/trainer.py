"""The training loop: any model, any device."""

from __future__ import annotations

import json
import logging
import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ner_registry.data.batches import LengthBatchSampler
from ner_registry.data.files import tensor_bytes, write_file, write_json
from ner_registry.data.indexed import Batch, IndexedSentences
from ner_registry.errors import RunError
from ner_registry.training.checkpoints import load_checkpoint, save_checkpoint
from ner_registry.training.schedulers import (
    StepwiseScheduler,
    advance,
)
from ner_registry.training.settings import TrainerSettings
from ner_registry.training.state import TrainingState

logger = logging.getLogger(__name__)

_LOOK_EVERY = 50  # steps


class Trainer:
    """Trains a model, one epoch after the other, and keeps the best epoch's weights.

    Args:
        state: a model on its device, with its optimizer and its schedule; the model has a
            ``loss(batch)`` that gives a loss per sentence, (batch,).
        settings: how.
        data: the training sentences.
        sampler: says which sentences make a batch, for a given epoch.
        validate: gives the validation metrics of the model as it is; None: no validation,
            and the last epoch is the best.
        directory: gets ``checkpoints/``, ``best.safetensors`` and the metrics files.
        quiet: shows no progress bar.
    """

    def __init__(
        self,
        state: TrainingState,
        settings: TrainerSettings,
        data: IndexedSentences,
        sampler: LengthBatchSampler,
        validate: Callable[[], dict[str, float]] | None,
        directory: Path,
        *,
        quiet: bool = False,
    ) -> None:
        self.state = state
        self.model = state.model
        self.settings = settings
        self.sampler = sampler
        self.data = data
        self.validate = validate
        self.directory = directory
        self.quiet = quiet
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.device = self.parameters[0].device
        if isinstance(state.scheduler, StepwiseScheduler):
            state.scheduler.plan(settings.num_epochs, len(sampler))
        self.duration = 0.0
        self.history: list[dict[str, Any]] = []

    @property
    def best(self) -> dict[str, Any]:
        """The metrics of the best epoch so far."""
        return next(m for m in self.history if m["epoch"] == self.history[-1]["best_epoch"])

    def recover(self) -> int | None:
        """Goes back to the newest checkpoint; its epoch, or None where there is none."""
        progress = load_checkpoint(self.directory / "checkpoints", self.state)
        if progress is None:
            return None
        self.history = progress["history"]
        self.duration = progress["duration"]
        return int(self.history[-1]["epoch"])

    def train(self) -> dict[str, Any]:
        """Trains to the end.

        Returns:
            The run's metrics: those of the last epoch, and of the best.

        Raises:
            RunError: the loss isn't finite.
        """
        for epoch in range(len(self.history), self.settings.num_epochs):
            if self._ran_out_of_patience():
                logger.info("no better epoch in %d: stopping", self.settings.patience)
                break
            began = time.perf_counter()
            metrics = self._train_epoch(epoch)
            with self.state.averaged():
                is_best = self._judge(metrics)
            self._finish_epoch(epoch, metrics, is_best, began)
        return self.history[-1] | {"training_duration": self.duration}

    def _train_epoch(self, epoch: int) -> dict[str, Any]:
        self.model.train()
        self.sampler.epoch = epoch
        total, sentences, tokens = 0.0, 0, 0
        pending: list[Tensor] = []
        # looking at a loss makes the program wait for a GPU
        patience = 1 if self.device.type == "cpu" else _LOOK_EVERY
        began = time.perf_counter()
        bar = tqdm(self.sampler, f"epoch {epoch}", disable=self.quiet or None, leave=False)
        for step, numbers in enumerate(bar, 1):
            batch = self.data.batch(numbers)
            pending.append(self._train_step(batch))
            sentences += len(numbers)
            tokens += sum(batch.lengths)
            if step % patience == 0 or step == len(self.sampler):
                losses = torch.stack(pending).tolist()
                self._check(losses, epoch, step - len(losses))
                total += sum(losses)
                pending.clear()
                if not bar.disable:
                    bar.set_postfix(self._postfix(total / sentences), refresh=False)
        if self.state.average is not None:
            self.state.average.after_epoch(epoch)
        return {
            "epoch": epoch,
            "training_loss": total / sentences,
            "training_tokens_per_second": tokens / (time.perf_counter() - began),
        }

    def _train_step(self, batch: Batch) -> Tensor:
        """Changes the weights once; the sum of the sentences' losses, ()."""
        self.state.optimizer.zero_grad()
        loss: Tensor = self.model.loss(batch).sum()  # type: ignore[operator]  # as told above
        (loss / len(batch.numbers)).backward()
        if self.settings.grad_norm is not None:
            clip_gradient(self.parameters, self.settings.grad_norm)
        self.state.optimizer.step()
        if isinstance(self.state.scheduler, StepwiseScheduler):
            self.state.scheduler.step()
        if self.state.average is not None:
            self.state.average.after_step()
        return loss.detach()

    def _check(self, losses: list[float], epoch: int, first: int) -> None:
        """Stops the run at the first step whose loss isn't finite."""
        for step, loss in enumerate(losses, first):
            if not math.isfinite(loss):
                rate = self.state.optimizer.param_groups[0]["lr"]
                raise RunError(
                    f"the loss became {loss} in epoch {epoch}, step {step}, at learning rate "
                    f"{rate:g}: lower trainer.optimizer.lr or set trainer.grad_norm"
                )

    def _postfix(self, loss: float) -> dict[str, float]:
        if self.validate is None or not self.history:
            return {"loss": loss}
        return {"loss": loss, "f1": self.history[-1]["validation_f1-measure-overall"]}

    def _judge(self, metrics: dict[str, Any]) -> bool:
        """Validates; keeps the weights where the epoch is the best so far, which it returns."""
        if self.validate is not None:
            self.model.eval()
            for name, value in self.validate().items():
                metrics[f"validation_{name}"] = value
        is_best = not self.history or self._score(metrics) > self._score(self.best)
        best = metrics if is_best else self.best
        metrics["best_epoch"] = best["epoch"]
        for name in [name for name in metrics if name.startswith("validation_")]:
            metrics[f"best_{name}"] = best[name]
        if is_best:
            weights = tensor_bytes(self.model.state_dict())
            write_file(self.directory / "best.safetensors", weights)
        return is_best

    def _finish_epoch(
        self, epoch: int, metrics: dict[str, Any], is_best: bool, began: float
    ) -> None:
        """Writes everything that a stop must not lose."""
        if self.state.scheduler is not None:
            advance(self.state.scheduler, self._score(metrics))
        self.history.append(metrics)
        elapsed = self.duration + time.perf_counter() - began
        metrics["training_duration"] = elapsed
        metrics["peak_memory_mb"] = peak_memory()
        write_json(self.directory / f"metrics_epoch_{epoch}.json", metrics)
        lines = [json.dumps(past, allow_nan=False) for past in self.history]
        write_file(self.directory / "metrics.jsonl", "".join(f"{x}\n" for x in lines).encode())
        # last, since an epoch with a checkpoint is never run again
        progress = {"history": self.history, "duration": elapsed}
        save_checkpoint(self.directory / "checkpoints", epoch, self.state, progress)
        self.duration += time.perf_counter() - began
        _report(metrics, is_best, time.perf_counter() - began)

    def _score(self, metrics: dict[str, Any]) -> float:
        """The validation metric, turned so that more is better; rising without validation."""
        if self.validate is None:
            return float(metrics["epoch"])
        name = self.settings.validation_metric
        # a label that isn't in the validation data was found nowhere
        value = float(metrics.get(f"validation_{name[1:]}", 0.0))
        return value if name[0] == "+" else -value

    def _ran_out_of_patience(self) -> bool:
        patience = self.settings.patience
        if patience is None or not self.history:
            return False
        last = self.history[-1]
        return bool(last["epoch"] - last["best_epoch"] >= patience)


def clip_gradient(parameters: Sequence[nn.Parameter], norm: float) -> None:
    """Scales the gradient of all parameters together down to a norm, where it is longer.

    As ``torch.nn.utils.clip_grad_norm_``, for sparse gradients too.
    """
    values = []
    for parameter in parameters:
        if parameter.grad is not None:
            if parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
            values.append(parameter.grad.values() if parameter.grad.is_sparse else parameter.grad)
    scale = (norm / (nn.utils.get_total_norm(values) + 1e-6)).clamp(max=1)
    torch._foreach_mul_(values, scale)


def _report(metrics: dict[str, Any], is_best: bool, seconds: float) -> None:
    parts = [f"epoch {metrics['epoch']}: loss {metrics['training_loss']:.4f}"]
    if "validation_loss" in metrics:
        parts.append(f"validation loss {metrics['validation_loss']:.4f}")
        f1, repaired = metrics["validation_f1-measure-overall"], metrics["validation_repaired_tags"]
        parts.append(f"F1 {100 * f1:.2f} ({repaired} tags repaired)")
    parts.append(f"{seconds:.1f} s" + (", the best so far" if is_best else ""))
    logger.info(", ".join(parts))


def peak_memory() -> float:
    """The most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
