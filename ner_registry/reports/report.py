"""The report of a run: one page with all that is to be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ner_registry.config.defaults import defaults_of, leaves
from ner_registry.config.plan import Plan
from ner_registry.data.corpus import Corpus
from ner_registry.reports.analysis import CARDS, analyse
from ner_registry.reports.charts import Line, curves, percentages
from ner_registry.reports.judged import labels_of
from ner_registry.reports.known import known_to
from ner_registry.reports.mistakes import KINDS
from ner_registry.reports.page import HUES, render
from ner_registry.reports.run import Run
from ner_registry.reports.scores import OVERALL, entity_scores
from ner_registry.reports.statistics import data_statistics

_F1 = "validation_f1-measure-"


@dataclass(frozen=True)
class Setting:
    """A key of the config, its value, and its default where it has one, as JSON."""

    path: str
    value: str
    default: str | None

    @property
    def is_changed(self) -> bool:
        """Whether it was chosen: it isn't the default, or there is none."""
        return self.value != self.default


def report_page(run: Run, plan: Plan, corpora: Mapping[str, Corpus]) -> bytes:
    """The page.

    Args:
        run: the run.
        plan: its config, checked.
        corpora: ``train``, ``validation`` and ``test``, as far as they are there.

    Raises:
        NerError: a file of the run is broken.
    """
    known = known_to(run.directory, plan.filled(), corpora.get("train"))
    labels = labels_of([sentence for found in run.predictions.values() for sentence in found])
    hues = {label: number % HUES for number, label in enumerate(labels)}
    split = next(iter(run.predictions), None)
    return render(
        "report.html",
        run=run,
        title=_title(run.directory.resolve()),
        settings=_settings(run.config, plan),
        statistics=data_statistics(corpora, run.predictions, known),
        corpora=corpora,
        known=known,
        labels=labels,
        hues=hues,
        kinds=KINDS,
        cards=CARDS,
        curves=_curves(run.history, run.metrics.get("best_epoch"), hues),
        entities={name: entity_scores(found) for name, found in run.predictions.items()},
        analysis=None
        if split is None
        else analyse(split, run.predictions[split], corpora.get(split), known),
    )


def _title(directory: Path) -> str:
    """Its name; that of a seed's run says little by itself."""
    is_seed = directory.name.startswith("seed_")
    return f"{directory.parent.name}/{directory.name}" if is_seed else directory.name


def _settings(config: dict[str, Any], plan: Plan) -> list[Setting]:
    defaults = defaults_of(plan)
    return [
        Setting(path, _json(value), _json(defaults[path]) if path in defaults else None)
        for path, value in leaves(config)
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _curves(
    history: Sequence[Mapping[str, Any]], best: int | None, hues: Mapping[str, int]
) -> list[Markup]:
    """Losses, and F1 where there is validation data, by epoch; labels have their colours."""
    if not history:
        return []
    losses = [
        Line(name.removesuffix("_loss"), [epoch.get(name) for epoch in history], number)
        for number, name in enumerate(("training_loss", "validation_loss"))
        if name in history[0]
    ]
    charts = [curves("loss by epoch", losses, best)]
    labels = [name.removeprefix(_F1) for name in history[0] if name.startswith(_F1)]
    if labels:
        scores = [
            Line(
                label,
                percentages(history, f"{_F1}{label}"),
                None if label == OVERALL else hues.get(label, HUES - 1),
                heavy=label == OVERALL,
            )
            for label in labels
        ]
        charts.append(curves("F1 on the validation data by epoch", scores, best))
    return charts
