"""The training loop: any model, any device."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor

from ner_registry.bars import progress_bar
from ner_registry.data.batches import LengthBatchSampler
from ner_registry.data.files import json_bytes, tensor_bytes, write_file
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.model_files import BEST_WEIGHTS
from ner_registry.errors import NerError, RunError
from ner_registry.training.adversarial import adversarial_backward
from ner_registry.training.callbacks import Callback
from ner_registry.training.checkpoints import checkpoint_name, newest_checkpoint, save_checkpoint
from ner_registry.training.gradient import (
    add_up_gradient,
    clip_gradient,
    warn_of_no_gradient,
)
from ner_registry.training.interruption import Interruption
from ner_registry.training.memory import freed_memory_kept, memory_for, peak_memory
from ner_registry.training.progress import Progress
from ner_registry.training.ranks import ALONE, Ranks
from ner_registry.training.schedulers import StepwiseScheduler, advance
from ner_registry.training.settings import TrainerSettings
from ner_registry.training.snapshot import restore_snapshot, take_snapshot
from ner_registry.training.state import TrainingState
from ner_registry.training.steps import Step, StepLog
from ner_registry.training.validation import Validation

logger = logging.getLogger(__name__)

_LOOK_EVERY = 50  # steps


class Trainer:
    """Trains a model, one epoch after the other, and keeps the best epoch's weights.

    Args:
        state: a model on its device, with its optimizer and its schedule; the model has a
            ``loss(batch)`` that gives a loss per sentence, (batch,); adversarial training also
            needs a Tagger's ``embed(batch)`` and ``loss(batch, embedded)``.
        settings: how.
        data: the training sentences.
        sampler: says which sentences make a batch, for a given epoch.
        validate: gives the validation metrics of the model as it is, as Validation takes it.
        directory: gets ``checkpoints/``, ``best.safetensors`` and the metrics files.
        places: tells where sentences are, given their numbers.
        callbacks: are told of it, by the first rank.
        ranks: train together, each on its share of every batch.

    Attributes:
        progress: how far training has come.
        saved: the newest checkpoint; None where there is none.
    """

    def __init__(
        self,
        state: TrainingState,
        settings: TrainerSettings,
        data: IndexedSentences,
        sampler: LengthBatchSampler,
        validate: Callable[[Callable[[], None]], dict[str, float]] | None,
        directory: Path,
        *,
        places: Callable[[Sequence[int]], str],
        callbacks: Callback,
        ranks: Ranks = ALONE,
    ) -> None:
        self.state = state
        self.model = state.model
        self.settings = settings
        self.sampler = sampler
        self.data = data
        self.validation = Validation(validate, settings.validation_metric, settings.patience)
        self.directory = directory
        self.places = places
        self.callbacks = callbacks
        self.ranks = ranks
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        if isinstance(state.scheduler, StepwiseScheduler):
            state.scheduler.plan(settings.num_epochs, len(sampler))
        self.saved: Path | None = None
        self.interruption = Interruption(ranks)
        self._go_on_from(Progress())

    def _go_on_from(self, progress: Progress) -> None:
        self.progress = progress
        skips = self.settings.max_skipped_steps
        at_once = skips > 0 or self.parameters[0].device.type == "cpu"
        self.steps = StepLog(
            progress,
            look_every=1 if at_once else _LOOK_EVERY,
            max_skipped=skips,
            places=self.places,
        )

    def recover(self) -> Path | None:
        """Goes back to the newest checkpoint that verifies; None where there is none."""
        found = self.ranks.first(partial(newest_checkpoint, self.directory / "checkpoints"))
        if found is None:
            return None
        self.saved, contents = found
        try:
            progress = restore_snapshot(contents, self.state, self.ranks)
        except NerError as error:
            raise NerError(f"{self.saved}: {error}") from None
        self._go_on_from(Progress(**progress))
        if self.state.best is not None:
            # a later epoch's may be there, which this run hasn't come to yet
            self._write(BEST_WEIGHTS, self.state.best)
        return self.saved

    def train(self) -> dict[str, Any]:
        """Trains to the end, or to the first SIGINT or SIGTERM, when it saves what it reached.

        Returns:
            The run's metrics: those of the last epoch, and of the best.

        Raises:
            RunError: a loss isn't finite, or there is too little memory.
            OSError: something can't be written.
        """
        progress = self.progress
        self._began = time.perf_counter() - progress.duration
        with freed_memory_kept(), self.interruption:
            begin = partial(self.callbacks.on_train_begin, self.directory, progress.history)
            self.ranks.first(begin)
            while progress.epoch < self.settings.num_epochs:
                if self.validation.ran_out_of_patience(progress):
                    logger.info("no better epoch in %d: stopping", self.settings.patience)
                    break
                self._train_epoch()
                self._finish_epoch()
        return progress.history[-1] | {"training_duration": self._elapsed()}

    def _train_epoch(self) -> None:
        """Takes the steps that are left of the epoch."""
        progress = self.progress
        if progress.steps == 0:
            progress.epoch_began = self._elapsed()
        self.model.train()
        self.sampler.epoch = progress.epoch
        bar = progress_bar(
            islice(self.sampler, progress.steps, None),
            f"epoch {progress.epoch}",
            len(self.sampler),
            initial=progress.steps,
            unit=" batches",
        )
        for numbers in bar:
            self._train_step(numbers)
            progress.steps += 1
            if progress.steps == len(self.sampler) and self.state.average is not None:
                self.state.average.after_epoch(progress.epoch)
            if not bar.disable:
                bar.set_postfix(self._postfix(), refresh=False)
            if self.interruption.pending or self._is_due():
                self._save(progress.epoch, progress.steps)
                self.interruption.let_through()

    def _train_step(self, numbers: list[int]) -> None:
        """Changes the weights once, by the sentences of all ranks."""
        self.state.optimizer.zero_grad()
        own_loss = self._gradient_of_share(numbers)
        loss = add_up_gradient(self.parameters, own_loss, self.ranks)
        if self.progress.epoch == self.progress.steps == 0 and self.ranks.is_first:
            warn_of_no_gradient(self.model)
        norm = clip_gradient(self.parameters, self.settings.grad_norm)
        step = Step(
            self.progress.steps,
            numbers,
            sum(self.data.lengths[number] for number in numbers),
            loss,
            norm,
            self.state.optimizer.param_groups[0]["lr"],
        )
        if not self.steps.add(step):
            # without a gradient nothing below changes a weight
            self.state.optimizer.zero_grad()
            self._settle()
        self.state.optimizer.step()
        if isinstance(self.state.scheduler, StepwiseScheduler):
            self.state.scheduler.step()
        if self.state.average is not None:
            self.state.average.after_step()

    def _gradient_of_share(self, numbers: list[int]) -> Tensor:
        """Computes the gradient of this rank's part of a batch; the part's loss, ()."""
        share = self.sampler.share(numbers, self.ranks.rank, self.ranks.size)
        # a rank with no part has a gradient all the same, of zeros: the ranks add up what all have
        batch = self.data.batch(share or numbers[:1])
        weight = bool(share) / len(numbers)
        done = self.progress.epoch * len(self.sampler) + self.progress.steps
        size = self.settings.perturbation_at(done)
        with memory_for(batch, self.progress, self.places):
            if size:
                loss = adversarial_backward(self.model, batch, size, weight)  # type: ignore[arg-type]  # as told above
            else:
                loss = self.model.loss(batch).sum()  # type: ignore[operator]  # as told above
                (loss * weight).backward()
        return loss.detach() * bool(share)

    def _settle(self) -> None:
        """Leaves nothing put off that ranks, which look up other rows, would do at other times.

        Rounding would take their weights apart.
        """
        if self.ranks.size > 1:
            self.state.settle()

    def _finish_epoch(self) -> None:
        """Validates, and writes everything that a stop must not lose."""
        progress = self.progress
        self.steps.look()
        self._settle()
        epoch, tokens = progress.epoch, progress.tokens
        metrics: dict[str, Any] = {
            "epoch": epoch,
            "training_loss": progress.mean_loss,
            "training_tokens_per_second": tokens / (self._elapsed() - progress.epoch_began),
        }
        try:
            with self.state.averaged():
                self.model.eval()
                is_best = self.validation.judge(metrics, progress, self._check_for_stop)
                if is_best:
                    self.state.best = tensor_bytes(self.model.state_dict())
                    self._write(BEST_WEIGHTS, self.state.best)
        except _StopAskedFor:
            self._save(epoch, progress.steps)
            self.interruption.let_through()
            return self._finish_epoch()  # whoever handled the signal wants to go on
        if self.state.scheduler is not None:
            advance(self.state.scheduler, self.validation.score(metrics))
        metrics["training_duration"] = self._elapsed()
        metrics["peak_memory_mb"] = peak_memory()
        progress.end_epoch(metrics)
        self._write(f"metrics_epoch_{epoch}.json", json_bytes(metrics))
        lines = [json.dumps(past, allow_nan=False) for past in progress.history]
        self._write("metrics.jsonl", "".join(f"{line}\n" for line in lines).encode())
        # last, since an epoch with a checkpoint is never run again
        self._save(epoch, None)
        _report(metrics, is_best, self._elapsed() - progress.epoch_began)
        self.ranks.first(partial(self.callbacks.on_epoch_end, metrics))
        return self.interruption.let_through()

    def _check_for_stop(self) -> None:
        if self.interruption.pending:
            raise _StopAskedFor

    def _is_due(self) -> bool:
        """Whether the epoch has come to a checkpoint."""
        every = self.settings.save_every_num_batches
        return every is not None and self.progress.steps % every == 0

    def _save(self, epoch: int, step: int | None) -> None:
        """Writes a checkpoint, unless the run has just come from it."""
        self.steps.look()
        path = self.directory / "checkpoints" / checkpoint_name(epoch, step)
        if path == self.saved:
            return
        for name, parameter in self.model.named_parameters():
            if not parameter.isfinite().all():
                raise RunError(f"{name} isn't finite any more {self.progress}")
        self.progress.duration = self._elapsed()
        files = take_snapshot(self.state, asdict(self.progress), self.ranks)
        self.ranks.first(partial(save_checkpoint, path, files))
        self.saved = path

    def _write(self, name: str, content: bytes) -> None:
        """Writes a file of the run's directory, which is the first rank's business."""
        self.ranks.first(partial(write_file, self.directory / name, content))

    def _elapsed(self) -> float:
        """Seconds of training so far, those before a recovery too."""
        return time.perf_counter() - self._began

    def _postfix(self) -> dict[str, float]:
        loss = {"loss": self.progress.mean_loss}
        if self.validation.measure is None or not self.progress.history:
            return loss
        return loss | {"f1": self.progress.history[-1]["validation_f1-measure-overall"]}


class _StopAskedFor(Exception):  # noqa: N818  # nothing went wrong
    """A signal waits for the run to stop."""


def _report(metrics: dict[str, Any], is_best: bool, seconds: float) -> None:
    parts = [f"epoch {metrics['epoch']}: loss {metrics['training_loss']:.4f}"]
    if "validation_loss" in metrics:
        parts.append(f"validation loss {metrics['validation_loss']:.4f}")
        f1, repaired = metrics["validation_f1-measure-overall"], metrics["validation_repaired_tags"]
        parts.append(f"F1 {100 * f1:.2f} ({repaired} tags repaired)")
    parts.append(f"{seconds:.1f} s" + (", the best so far" if is_best else ""))
    logger.info(", ".join(parts))
