"""Searches for a better config, with Optuna."""

from __future__ import annotations

import csv
import fcntl
import json
import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from ner_registry.build import Experiment, parse_experiment
from ner_registry.config.jsonnet import replace_at
from ner_registry.data.files import write_file, write_json
from ner_registry.errors import ConfigError, Fault, NerError, RunDirectoryError, RunError
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
    quiet: bool = False,
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
        quiet: show no progress bar.

    Returns:
        a table of the trials, and what mattered.

    Raises:
        NerError: the input is at fault, or Optuna isn't installed.
    """
    optuna = _optuna()
    search = _Search(config, parse_experiment(config, include_packages)(), trials)
    metric = search.metric
    directory = Path(directory)
    _check_directory(directory, config)
    study = _study(optuna, directory, metric)
    try:
        _search(study, search, directory, include_packages, quiet=quiet)
    except KeyboardInterrupt:
        logger.warning("interrupted: the same command goes on; what was tried is in %s", directory)
        raise
    return _finish(study, search, directory, metric)


def _search(
    study: Study,
    search: _Search,
    directory: Path,
    include_packages: Sequence[str],
    *,
    quiet: bool,
) -> None:
    """Works on trials until there are as many as were asked for."""
    from optuna.trial import TrialState

    metric = search.metric
    while True:
        with _claimed(study, search, directory) as trial:
            if trial is None:
                break
            value = _run(search, trial, directory, metric, include_packages, quiet=quiet)
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


class _Search:
    """What is tried.

    Args:
        config: with its ``search``.
        experiment: the same, parsed.
        trials: how many.

    Raises:
        ConfigError: there is nothing to try, or nothing to judge by.
    """

    def __init__(self, config: dict[str, Any], experiment: Experiment, trials: int) -> None:
        self.base = {key: value for key, value in config.items() if key != "search"}
        self.experiment = experiment
        self.space = experiment.search or {}
        self.trials = trials
        faults = []
        if not self.space:
            message = "required by tune: expected what to try for which keys, got nothing"
            faults.append(Fault("search", message))
        if experiment.validation_data_path is None:
            message = "required by tune, which judges by it: expected a path, got no such key"
            faults.append(Fault("validation_data_path", message))
        if faults:
            raise ConfigError(faults)
        self._check_keys()

    @property
    def metric(self) -> str:
        """The validation metric, with its sign."""
        return self.experiment.trainer.validation_metric

    def _check_keys(self) -> None:
        """Refuses a key that the config can't have, or a value that the key can't."""
        faults = []
        for path, distribution in self.space.items():
            here = f"search.{path}"
            for example in distribution.examples:
                try:
                    parse_experiment(self.config_of({path: example}))
                except ConfigError as error:
                    told = [f.message if f.path == path else str(f) for f in error.faults]
                    faults += [Fault(here, message) for message in told]
        if faults:
            raise ConfigError(faults)

    def config_of(self, values: dict[str, Any]) -> dict[str, Any]:
        """The config with values for keys by path."""
        config = self.base
        for path, value in values.items():
            config = replace_at(config, path, value, f"search.{path}")
        return config

    def values(self, trial: FrozenTrial) -> dict[str, Any]:
        """What a trial has for each key."""
        return {path: self.space[path].value(chosen) for path, chosen in trial.params.items()}

    def told(self, trial: FrozenTrial) -> str:
        """The same in words."""
        return ", ".join(f"{path} = {json.dumps(v)}" for path, v in self.values(trial).items())


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
        elif any(directory.iterdir()):
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
def _claimed(study: Study, search: _Search, directory: Path) -> Iterator[FrozenTrial | None]:
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
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run(
    search: _Search,
    trial: FrozenTrial,
    directory: Path,
    metric: str,
    include_packages: Sequence[str],
    *,
    quiet: bool,
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
            quiet=quiet,
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


def _finish(study: Study, search: _Search, directory: Path, metric: str) -> str:
    """Writes what was found."""
    from optuna.trial import TrialState

    done = study.get_trials(states=(TrialState.COMPLETE,))
    if not done and study.get_trials(states=(TrialState.RUNNING,)):
        return f"{directory}: other processes work on the last trials, and will tell"
    if not done:
        raise RunError(f"{directory}: every trial failed")
    ordered = sorted(done, key=lambda trial: trial.value or 0.0, reverse=metric[0] == "+")
    paths = list(search.space)
    rows = [
        [trial.number, trial.value, *(json.dumps(search.values(trial)[p]) for p in paths)]
        for trial in ordered
    ]
    header = ["trial", metric[1:], *paths]
    with open(directory / "trials.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    best = ordered[0]
    config = json.dumps(search.config_of(search.values(best)), indent=2)
    note = f"// trial {best.number} of a search: {metric[1:]} {best.value}\n"
    note += "".join(f"// {line}\n" for line in search.told(best).split(", "))
    write_file(directory / "best.jsonnet", f"{note}{config}\n".encode())
    parts = [tabulate(rows, header, floatfmt=".4f")]
    values = {trial.value for trial in done}
    if len(values) > 1:
        parts.append(_importances(study, directory))
    return "\n\n".join([*parts, f"the best config: {directory / 'best.jsonnet'}"])


def _importances(study: Study, directory: Path) -> str:
    """How much each key matters to the scores, as Optuna judges, as a table and as plots."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot
    from optuna.exceptions import ExperimentalWarning
    from optuna.importance import get_param_importances
    from optuna.visualization import matplotlib as plots

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        found = get_param_importances(study)
        plots.plot_param_importances(study)
        pyplot.savefig(directory / "importances.svg", bbox_inches="tight")
        plots.plot_slice(study)
        pyplot.savefig(directory / "slices.svg", bbox_inches="tight")
        pyplot.close("all")
    return tabulate(found.items(), ["key", "importance"], floatfmt=".2f")
