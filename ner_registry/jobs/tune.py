"""Searches for a better config, with Optuna."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ner_registry.build import parse_experiment
from ner_registry.data.files import write_json
from ner_registry.errors import NerError, RunDirectoryError
from ner_registry.jobs.findings import write_findings
from ner_registry.jobs.locks import try_lock
from ner_registry.jobs.search import Search
from ner_registry.jobs.train import train

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

logger = logging.getLogger(__name__)


def tune(
    config: dict[str, Any],
    directory: str | Path,
    *,
    trials: int,
    include_packages: Sequence[str] = (),
) -> str:
    """Trains configs of a search space, each chosen with an eye to those before.

    The study is kept in ``study.log``, which several processes may share and which a killed one
    leaves whole; ``trial_N`` is the run of a trial. One that was cut off is gone on with by
    whoever comes next. When all are done, ``best.jsonnet`` is the best config, ``trials.csv``
    what was tried, and ``importances.svg`` and ``slices.svg`` show what mattered.

    Args:
        config: what a config file with a ``search`` evaluated to.
        directory: where everything about the search goes.
        trials: how many configs to train, all processes and calls together.
        include_packages: packages to import for the parts that they register.

    Returns:
        a table of the trials, and what mattered.

    Raises:
        NerError: the input is at fault, or Optuna isn't installed.
    """
    optuna = _optuna()
    search = Search(config, parse_experiment(config, include_packages)(), trials)
    metric = search.metric
    directory = Path(directory)
    _check_directory(directory, config)
    study = _study(optuna, directory, metric)
    try:
        _search(study, search, directory, include_packages)
    except KeyboardInterrupt:
        logger.warning("interrupted: the same command goes on; what was tried is in %s", directory)
        raise
    return write_findings(study, search, directory)


def _search(
    study: Study,
    search: Search,
    directory: Path,
    include_packages: Sequence[str],
) -> None:
    """Works on trials until there are as many as were asked for."""
    from optuna.trial import TrialState

    metric = search.metric
    while True:
        with _claimed(study, search, directory) as trial:
            if trial is None:
                break
            value = _run(search, trial, directory, metric, include_packages)
            if value is None:
                study.tell(trial.number, state=TrialState.FAIL)
                continue
            study.tell(trial.number, value)
            best = study.best_trial
            logger.info(
                "trial %d: %s %.4f; the best so far is trial %d with %.4f",
                trial.number,
                metric[1:],
                value,
                best.number,
                best.value,
            )


def _optuna() -> Any:
    try:
        import matplotlib  # noqa: F401  # needed in the end, so missed at once
        import optuna
    except ImportError:
        raise NerError(
            "tune needs Optuna and matplotlib: pip install 'ner_registry[tune]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _check_directory(directory: Path, config: dict[str, Any]) -> None:
    """Refuses a directory that holds another search, or something else."""
    directory.mkdir(parents=True, exist_ok=True)
    written = directory / "search.json"
    with ExitStack() as stack:
        # processes that begin together must not see each other's half a search
        descriptor = os.open(directory, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if written.is_file():
            if json.loads(written.read_bytes()) != config:
                raise RunDirectoryError(
                    f"{directory}: holds a search with another config: choose another directory"
                )
        elif any(path.name != "search.json.part" for path in directory.iterdir()):
            raise RunDirectoryError(
                f"{directory}: expected an empty directory or a search, got something else"
            )
        else:
            write_json(written, config)


def _study(optuna: Any, directory: Path, metric: str) -> Study:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    study: Study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(directory / "study.log"))),
        study_name="tune",
        direction="maximize" if metric[0] == "+" else "minimize",
        load_if_exists=True,
    )
    return study


@contextmanager
def _claimed(study: Study, search: Search, directory: Path) -> Iterator[FrozenTrial | None]:
    """A trial that nobody else works on while the context lasts: one cut off, or a new one.

    None where there are as many trials as were asked for.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    (directory / "claims").mkdir(exist_ok=True)
    with ExitStack() as claim:
        with _locked(directory / "claims" / "all"):
            for trial in study.get_trials(states=(TrialState.RUNNING,)):
                if not _try_lock(claim, directory / "claims" / str(trial.number)):
                    continue
                if study.trials[trial.number].state != TrialState.RUNNING:
                    continue  # it was finished in the meantime
                if trial.params.keys() == search.space.keys():
                    break
                study.tell(trial.number, state=TrialState.FAIL)  # cut off while it was chosen
            else:
                trial = None
                count = len(study.trials)
                if count < search.trials:
                    # by the trial's number, so that no process chooses what another did
                    study.sampler = TPESampler(seed=search.experiment.random_seed + count)
                    space = {path: d.as_optuna() for path, d in search.space.items()}
                    number = study.ask(space).number
                    _try_lock(claim, directory / "claims" / str(number))
                    trial = study.trials[number]
        yield trial


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _try_lock(stack: ExitStack, path: Path) -> bool:
    """Locks a file until the stack closes, or the process ends; False where another has it."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    stack.callback(os.close, descriptor)
    return try_lock(descriptor)


def _run(
    search: Search,
    trial: FrozenTrial,
    directory: Path,
    metric: str,
    include_packages: Sequence[str],
) -> float | None:
    """Trains a trial's config; its best validation score, or None where it fails."""
    own = directory / f"trial_{trial.number}"
    logger.info("trial %d of %d: %s", trial.number, search.trials, search.told(trial))
    try:
        metrics = train(
            search.config_of(search.values(trial)),
            own,
            include_packages=include_packages,
            recover=own.exists(),
        )
    except NerError as error:
        logger.warning("trial %d failed: %s", trial.number, " ".join(error.lines()))
        return None
    except (
        ArithmeticError,
        LookupError,
        MemoryError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        # a config that takes too much memory, or that a part can't work with
        reason = " ".join(str(error).split())[:200]
        logger.warning("trial %d failed: %s: %s", trial.number, type(error).__name__, reason)
        return None
    shutil.rmtree(own / "checkpoints", ignore_errors=True)  # a finished trial needs none
    return float(metrics[f"best_validation_{metric[1:]}"])
