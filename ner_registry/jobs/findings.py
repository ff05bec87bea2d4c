"""What a search found."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from ner_registry.data.files import write_file
from ner_registry.data.model_files import ARCHIVE_NAME
from ner_registry.errors import RunError
from ner_registry.jobs.search import Search

if TYPE_CHECKING:
    from optuna import Study


def write_findings(study: Study, search: Search, directory: Path) -> str:
    """Writes the best config, a table of the trials and plots of what mattered.

    Returns:
        the table, to print.

    Raises:
        RunError: every trial failed.
    """
    from optuna.trial import TrialState

    metric = search.metric
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
    parts.append(
        f"the best config: {directory / 'best.jsonnet'}\n"
        f"its model: {directory / f'trial_{best.number}' / ARCHIVE_NAME}"
    )
    return "\n\n".join(parts)


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
        # of a key that all trials had the same value of
        warnings.filterwarnings("ignore", "Attempting to set identical")
        found = get_param_importances(study)
        plots.plot_param_importances(study)
        pyplot.savefig(directory / "importances.svg", bbox_inches="tight")
        plots.plot_slice(study)
        pyplot.savefig(directory / "slices.svg", bbox_inches="tight")
        pyplot.close("all")
    return tabulate(found.items(), ["key", "importance"], floatfmt=".2f")
