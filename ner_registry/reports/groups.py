"""Runs to compare: one, or those of one config with several seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ner_registry.config.defaults import leaves
from ner_registry.data.model_files import SEEDS_NAME
from ner_registry.errors import RunDirectoryError
from ner_registry.reports.run import Run, read_run

# what the metrics of the kept model begin with
PREFIXES = {"validation": "best_validation_", "test": "test_"}


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seeds alone.

    Attributes:
        name: what they are called.
        runs: one or more.
    """

    name: str
    runs: list[Run]

    def values(self, metric: str) -> list[float]:
        """A metric of each run that has it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    @property
    def settings(self) -> dict[str, Any]:
        """The config's values by dotted path; the seed is a list where there are several."""
        found = dict(leaves(self.runs[0].config))
        if len(self.runs) > 1:
            found["random_seed"] = [run.config["random_seed"] for run in self.runs]
        return found


def read_groups(paths: Sequence[str | Path]) -> list[Group]:
    """The runs of each directory, named by the ends of the directories' paths that differ.

    Raises:
        RunDirectoryError: a directory isn't that of a run or of several seeds.
    """
    parts = [Path(path).resolve().parts for path in paths]
    names = [str(path) for path in paths]
    for length in range(max(map(len, parts)), 0, -1):
        ends = ["/".join(of[-length:]) for of in parts]
        if len(set(ends)) == len(ends):
            names = ends
    return [Group(name, _runs(Path(path))) for name, path in zip(names, paths, strict=True)]


def _runs(directory: Path) -> list[Run]:
    summary = directory / SEEDS_NAME
    if not summary.is_file():
        return [read_run(directory)]
    try:
        seeds = list(json.loads(summary.read_bytes())["seeds"])
    except (LookupError, TypeError, ValueError) as error:
        raise RunDirectoryError(f"{summary}: expected what a run wrote, got {error!r}") from None
    if not seeds:
        raise RunDirectoryError(f"{summary}: expected seeds, got none")
    return [read_run(directory / f"seed_{seed}") for seed in seeds]


def config_differences(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """The values of each group for the keys in which they differ; None where it has no such key."""
    settings = [group.settings for group in groups]
    paths = dict.fromkeys(path for found in settings for path in found)
    rows = {path: [found.get(path) for found in settings] for path in paths}
    return {path: row for path, row in rows.items() if any(value != row[0] for value in row)}


def metrics_side_by_side(groups: Sequence[Group]) -> dict[str, list[dict[str, Any] | None]]:
    """Mean, deviation and values of each group, by metric; None where it has no such metric."""
    names = dict.fromkeys(
        name
        for group in groups
        for run in group.runs
        for name in run.metrics
        if name.startswith(tuple(PREFIXES.values()))
    )
    return {name: [_summary(group.values(name)) for group in groups] for name in names}


def costs(groups: Sequence[Group]) -> dict[str, list[dict[str, Any] | None]]:
    """Likewise what training took and how large the model is."""
    found: dict[str, list[dict[str, Any] | None]] = {
        "training seconds": [_summary(group.values("training_duration")) for group in groups],
        "seconds an epoch": [
            _summary([r.metrics["training_duration"] / len(r.history) for r in group.runs])
            if all(run.history for run in group.runs)
            else None
            for group in groups
        ],
        "best epoch": [_summary(group.values("best_epoch")) for group in groups],
    }
    for name, metric in {
        "training tokens a second": "training_tokens_per_second",
        "peak memory, MB": "peak_memory_mb",
    }.items():
        found[name] = [_summary(group.values(metric)) for group in groups]
    sizes: dict[str, list[list[float | None]]] = {
        "weights": [[run.weights for run in group.runs] for group in groups],
        "archive, MB": [[run.archive_megabytes for run in group.runs] for group in groups],
        "threads": [[run.meta.get("threads") for run in group.runs] for group in groups],
    }
    for name, values in sizes.items():
        found[name] = [_summary([v for v in of if v is not None]) for of in values]
    return {name: row for name, row in found.items() if any(row)}


def _summary(values: Sequence[float]) -> dict[str, Any] | None:
    if not values:
        return None
    return {
        "mean": statistics.fmean(values),
        "standard_deviation": statistics.stdev(values) if len(values) > 1 else None,
        "values": list(values),
    }
