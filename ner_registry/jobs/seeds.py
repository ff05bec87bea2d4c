"""Trains one config with several seeds."""

from __future__ import annotations

import logging
import re
import shutil
import statistics
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

from tabulate import tabulate

from ner_registry.archive import write_ensemble
from ner_registry.build import Experiment, parse_experiment
from ner_registry.data.files import write_json
from ner_registry.data.model_files import ARCHIVE_NAME, SEEDS_NAME
from ner_registry.errors import RunDirectoryError
from ner_registry.jobs.evaluate import evaluate
from ner_registry.jobs.locks import LOCK_NAME, SEEDS_LOCK_NAME, locked
from ner_registry.jobs.prepare import prepare
from ner_registry.jobs.train import train
from ner_registry.jobs.workers import side_by_side

logger = logging.getLogger(__name__)

_PREFIXES = ("best_validation_", "test_")


def train_seeds(
    config: dict[str, Any],
    directory: str | Path,
    *,
    seeds: int,
    workers: int = 1,
    include_packages: Sequence[str] = (),
    force: bool = False,
    recover: bool = False,
) -> dict[str, Any]:
    """Trains a declared experiment several times, and makes one model of all.

    The first run has the config's ``random_seed``, each next one the number after. Each has a
    directory of its own, ``seed_N``; beside them are ``seeds.json``, the summary, and
    ``model.tar.gz``, the ensemble.

    Args:
        config: what a config file evaluated to.
        directory: where everything about the runs goes.
        seeds: how many.
        workers: how many run side by side, on a share of the threads each.
        include_packages: as for :func:`ner_registry.jobs.train.train`.
        force: likewise.
        recover: likewise: those that are finished stay as they are.

    Returns:
        the summary: ``seeds``, ``best_seed`` by the validation metric, ``metrics`` (name ->
        ``mean``, ``standard_deviation`` of the sample, and the ``values`` in the order of the
        seeds), and the ``ensemble``'s metrics.

    Raises:
        NerError: the input is at fault, or a run failed.
    """
    directory = Path(directory)
    plan = parse_experiment(config, include_packages)
    _check(directory, force=force, recover=recover)
    # what is refused must not cost what is there
    experiment = prepare(plan).experiment
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory, SEEDS_LOCK_NAME):
        # again, now that nobody else can write to it
        _check(directory, force=force, recover=recover)
        if force:
            _clear(directory)
        first = experiment.random_seed
        numbers = list(range(first, first + seeds))
        job = partial(_run, config, directory, tuple(include_packages), recover)
        try:
            if workers == 1:
                runs = [job(number) for number in numbers]
            else:
                found = {}
                with closing(side_by_side(partial(job, quiet=True), numbers, workers)) as finished:
                    for seed, metrics in finished:
                        logger.info("seed %d: finished, best epoch %d", seed, metrics["best_epoch"])
                        found[seed] = metrics
                runs = [found[seed] for seed in numbers]
            return _finish(experiment, directory, numbers, runs, include_packages)
        except KeyboardInterrupt:
            logger.warning("interrupted: what was reached is in %s: --recover goes on", directory)
            raise


def _finish(
    experiment: Experiment,
    directory: Path,
    seeds: Sequence[int],
    runs: Sequence[dict[str, Any]],
    include_packages: Sequence[str],
) -> dict[str, Any]:
    """Makes the ensemble; the summary, which it writes."""
    summary = _summary(seeds, runs, experiment.trainer.validation_metric)
    write_ensemble(directory / ARCHIVE_NAME, [_directory_of(directory, seed) for seed in seeds])
    write_json(directory / SEEDS_NAME, summary)
    paths = {"best_validation": experiment.validation_data_path}
    if experiment.evaluate_on_test:
        paths["test"] = experiment.test_data_path
    for name, path in paths.items():
        if path is not None:
            found = evaluate(
                directory,
                path,
                include_packages=include_packages,
                device=experiment.trainer.device,
            )
            summary["ensemble"][f"{name}_f1-measure-overall"] = found["entities"]["overall"]["f1"]
    write_json(directory / SEEDS_NAME, summary)
    return summary


def as_text(summary: dict[str, Any]) -> str:
    """The summary as a table: a row per seed, then mean, deviation and ensemble."""
    names = [name for name in summary["metrics"] if name.endswith("f1-measure-overall")]
    metrics = [summary["metrics"][name] for name in names]
    rows: list[list[Any]] = [
        [f"seed {seed}", *(metric["values"][number] for metric in metrics)]
        for number, seed in enumerate(summary["seeds"])
    ]
    for name in ("mean", "standard_deviation"):
        rows.append([name.replace("_", " "), *(metric[name] for metric in metrics)])
    rows.append(["ensemble", *(summary["ensemble"].get(name) for name in names)])
    return tabulate(rows, ["", *names], floatfmt=".4f")


def _run(
    config: dict[str, Any],
    directory: Path,
    include_packages: Sequence[str],
    recover: bool,
    seed: int,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    own = _directory_of(directory, seed)
    logger.info("seed %d: %s", seed, own)
    return train(
        config | {"random_seed": seed},
        own,
        include_packages=include_packages,
        recover=recover,
        quiet=quiet,
    )


def _directory_of(directory: Path, seed: int) -> Path:
    return directory / f"seed_{seed}"


def _summary(seeds: Sequence[int], runs: Sequence[dict[str, Any]], metric: str) -> dict[str, Any]:
    names = [name for name in runs[0] if name.startswith(_PREFIXES)]
    metrics: dict[str, dict[str, Any]] = {}
    for name in names:
        values = [run[name] for run in runs]
        metrics[name] = {
            "mean": statistics.fmean(values),
            "standard_deviation": statistics.stdev(values) if len(values) > 1 else 0.0,
            "values": values,
        }
    judged = metrics.get(f"best_validation_{metric[1:]}")
    best = None
    if judged is not None:
        choose = max if metric[0] == "+" else min
        best = seeds[judged["values"].index(choose(judged["values"]))]
    return {"seeds": list(seeds), "best_seed": best, "metrics": metrics, "ensemble": {}}


def _check(directory: Path, *, force: bool, recover: bool) -> None:
    """Refuses a directory that holds something else than runs of several seeds."""
    if directory.exists() and not directory.is_dir():
        raise RunDirectoryError(f"{directory}: expected a directory, got a file")
    names = [path.name for path in directory.iterdir()] if directory.exists() else []
    foreign = [name for name in names if not _is_ours(directory / name)]
    if foreign:
        raise RunDirectoryError(
            f"{directory}: expected the runs of several seeds, got {sorted(foreign)[0]!r} in it: "
            "choose another directory"
        )
    if not force and not recover and names not in ([], [SEEDS_LOCK_NAME]):
        raise RunDirectoryError(
            f"{directory}: expected an empty directory, got a full one: --recover goes on, "
            "--force replaces it"
        )


def _is_ours(path: Path) -> bool:
    if path.name.removesuffix(".part") in (SEEDS_NAME, ARCHIVE_NAME, SEEDS_LOCK_NAME):
        return True
    return re.fullmatch(r"seed_\d+", path.name) is not None and (
        (path / LOCK_NAME).is_file() or not any(path.iterdir())
    )


def _clear(directory: Path) -> None:
    """Removes the runs, none of which may be at work."""
    with ExitStack() as locks:
        for path in directory.glob("seed_*"):
            locks.enter_context(locked(path))
        for path in directory.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != SEEDS_LOCK_NAME:
                path.unlink()
