"""What a finished run says: scores, where things are, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from ner_registry.build import registered_modules
from ner_registry.config.registry import include_flags
from ner_registry.data.model_files import ARCHIVE_NAME
from ner_registry.jobs.prepare import Prepared


def ending(prepared: Prepared, directory: Path, metrics: dict[str, Any]) -> Iterator[str]:
    """The lines to end a run with.

    Args:
        prepared: what was trained.
        directory: the run's.
        metrics: as in its ``metrics.json``.
    """
    duration = timedelta(seconds=round(metrics["training_duration"]))
    yield f"done: {metrics['epoch'] + 1} epochs in {duration}, the best is {metrics['best_epoch']}"
    for name, prefix in (("validation", "best_validation_"), ("test", "test_")):
        if f"{prefix}loss" in metrics:
            yield f"{name}: {_scores(metrics, prefix)}"
    if "threshold" in metrics:
        yield f"entities are found from a probability of {metrics['threshold']:.2f} on"
    yield f"the model: {directory / ARCHIVE_NAME}, metrics and predictions beside it"
    experiment = prepared.experiment
    data = experiment.test_data_path or experiment.validation_data_path or "DATA"
    for command, operand in (("evaluate", data), ("predict", "TEXT_FILE")):
        words = shlex.join(["ner-run", command, str(directory), operand])
        yield f"next: {words} {include_flags(registered_modules(prepared.plan))}".rstrip()


def _scores(metrics: dict[str, Any], prefix: str) -> str:
    keys = {
        "F1": "f1-measure-overall",
        "precision": "precision-overall",
        "recall": "recall-overall",
        "token macro F1": "token_macro_f1",
    }
    scores = [f"{name} {100 * metrics[prefix + key]:.2f}" for name, key in keys.items()]
    return ", ".join([*scores, f"{metrics[f'{prefix}repaired_tags']} tags repaired"])
