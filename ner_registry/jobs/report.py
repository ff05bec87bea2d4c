"""Writes the report of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from ner_registry.archive import parse_recorded
from ner_registry.build import Experiment
from ner_registry.config.plan import Plan
from ner_registry.data import catalogue
from ner_registry.data.corpus import Corpus
from ner_registry.data.files import sha256_of, write_file
from ner_registry.errors import NerError
from ner_registry.jobs.prepare import read_data
from ner_registry.reports.run import SPLITS, Run, read_run

REPORT_NAME = "report.html"
_LIBRARIES = ("jinja2", "matplotlib")
NEEDS = "needs Jinja and matplotlib: pip install 'ner_registry[report]'"


def report(directory: str | Path, *, include_packages: Sequence[str] = ()) -> Path:
    """Writes ``report.html`` into a run's directory.

    Args:
        directory: the run's.
        include_packages: packages to import for the model's parts.

    Returns:
        the file.

    Raises:
        NerError: the directory is at fault, or Jinja or matplotlib isn't installed.
    """
    check_extra("report")
    run = read_run(directory)
    plan, experiment = parse_recorded(run.directory, run.config, run.meta, include_packages)
    return write_report(run.directory, plan, read_again(run, experiment))


def write_report(directory: Path, plan: Plan, corpora: Mapping[str, Corpus]) -> Path:
    """The same, with what the run has read; needs the extra, as :func:`has_extra` tells."""
    from ner_registry.reports.report import report_page

    path = directory / REPORT_NAME
    write_file(path, report_page(read_run(directory), plan, corpora))
    return path


def has_extra() -> bool:
    """Whether what pages are made with is installed."""
    return all(find_spec(name) is not None for name in _LIBRARIES)


def check_extra(what: str) -> None:
    """Refuses to begin without it.

    Raises:
        NerError: it isn't installed.
    """
    if not has_extra():
        raise NerError(f"{what} {NEEDS}")


def read_again(
    run: Run, experiment: Experiment, names: Sequence[str] = ("train", *SPLITS)
) -> dict[str, Corpus]:
    """The data files of a run that are on this machine and haven't changed since."""
    paths = {
        "train": experiment.train_data_path,
        "validation": experiment.validation_data_path,
        "test": experiment.test_data_path,
    }
    found = {}
    for name in names:
        path = paths[name]
        file = None if path is None else catalogue.find_here(path)
        if file is not None and sha256_of(file) == run.meta["data_sha256"].get(name):
            found[name] = read_data(experiment, name, file)
    return found
