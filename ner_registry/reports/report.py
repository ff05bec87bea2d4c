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
from ner_registry.data.schemes import TagScheme
from ner_registry.reports.bootstrap import Units, units_of
from ner_registry.reports.breakdown import (
    Row,
    by_entities_seen,
    by_entity_length,
    by_sentence_length,
    by_words_seen,
)
from ner_registry.reports.calibration import Calibration, calibration
from ner_registry.reports.charts import Line, curves, reliability
from ner_registry.reports.heat import HeatMap, entity_heat, token_heat
from ner_registry.reports.judged import Judged, labels_of
from ner_registry.reports.known import Known, known_to
from ner_registry.reports.marked import Piece, pieces
from ner_registry.reports.mistakes import KINDS, Kind, Repeated, repeated_mistakes
from ner_registry.reports.page import HUES, render
from ner_registry.reports.run import Run
from ner_registry.reports.scores import entity_scores, token_scores
from ner_registry.reports.statistics import data_statistics

_CONFUSIONS = 10  # as many as the study has in its table
_CARDS = 30  # mistakes of each kind on the page
_EXAMPLES = 4  # sentences that a repeated one is shown in


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


@dataclass(frozen=True)
class Card:
    """A mistake on the page, in some of the sentences that it was made in."""

    mistake: Repeated
    examples: list[tuple[list[Piece], list[Piece]]]


@dataclass(frozen=True)
class Analysis:
    """What the predictions of one file show."""

    name: str
    scheme: TagScheme
    units: Units
    tokens: dict[str, Any]
    confusions: list[dict[str, Any]]
    heats: list[HeatMap]
    breakdowns: list[tuple[str, list[Row]]]
    calibration: Calibration
    reliability: Markup | None
    counts: dict[Kind, int]
    cards: dict[Kind, list[Card]]


def report_page(run: Run, plan: Plan, corpora: Mapping[str, Corpus]) -> bytes:
    """The page.

    Args:
        run: the run.
        plan: its config, checked.
        corpora: ``train``, ``validation`` and ``test``, as far as they are there.

    Raises:
        NerError: a file of the run is broken.
    """
    config = plan.filled()
    known = known_to(run.directory, config, corpora.get("train"))
    labels = labels_of([sentence for found in run.predictions.values() for sentence in found])
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
        hues={label: number % HUES for number, label in enumerate(labels)},
        kinds=KINDS,
        cards=_CARDS,
        curves=_curves(run.history, run.metrics.get("best_epoch")),
        entities={name: entity_scores(found) for name, found in run.predictions.items()},
        analysis=None
        if split is None
        else _analysis(split, run.predictions[split], corpora.get(split), config, known),
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


def _curves(history: Sequence[Mapping[str, Any]], best: int | None) -> list[Markup]:
    if not history:
        return []
    names = ("training_loss", "validation_loss")
    losses = [
        Line(name.replace("_loss", ""), [epoch.get(name) for epoch in history], number)
        for number, name in enumerate(names)
        if name in history[0]
    ]
    prefix = "validation_f1-measure-"
    found = [name for name in history[0] if name.startswith(prefix)]
    found.sort(key=lambda name: name != f"{prefix}overall")
    scores = [
        Line(
            name.removeprefix(prefix),
            [100 * epoch[name] for epoch in history],
            number,
            heavy=not number,
        )
        for number, name in enumerate(found)
    ]
    charts = [curves("loss by epoch", losses, best)]
    return (
        [*charts, curves("F1 on the validation data by epoch", scores, best)] if scores else charts
    )


def _analysis(
    name: str,
    sentences: Sequence[Judged],
    corpus: Corpus | None,
    config: dict[str, Any],
    known: Known | None,
) -> Analysis:
    scheme: TagScheme = corpus.scheme if corpus else "IOB2"
    documents = [sentence.document for sentence in corpus.sentences] if corpus else None
    units = units_of(documents, len(sentences))
    tokens = token_scores(sentences, scheme)
    found = calibration(sentences)
    mistakes = repeated_mistakes(sentences)
    breakdowns = [("By the entity's length, in tokens", by_entity_length(sentences, units))]
    if known is not None:
        title = "By whether the entity's words were seen in training"
        breakdowns.append((title, by_words_seen(sentences, units, known)))
    if known is not None and known.entities is not None:
        title = "By whether the entity was seen in training"
        breakdowns.append((title, by_entities_seen(sentences, units, known)))
    breakdowns.append(("By the sentence's length, in tokens", by_sentence_length(sentences, units)))
    return Analysis(
        name,
        scheme,
        units,
        tokens,
        tokens["confusions"][:_CONFUSIONS],
        [entity_heat(sentences), token_heat(sentences, scheme)],
        breakdowns,
        found,
        reliability(found) if found.bins else None,
        {kind: sum(len(m.places) for m in of_kind) for kind, of_kind in mistakes.items()},
        {
            kind: [_card(mistake, sentences) for mistake in of_kind[:_CARDS]]
            for kind, of_kind in mistakes.items()
        },
    )


def _card(repeated: Repeated, sentences: Sequence[Judged]) -> Card:
    examples = []
    for number, mistake in repeated.places[:_EXAMPLES]:
        sentence = sentences[number]
        around = mistake.gold or mistake.predicted
        assert around is not None
        examples.append(
            (
                pieces(sentence.words, sentence.gold, mistake.gold, around),
                pieces(sentence.words, sentence.predicted, mistake.predicted, around),
            )
        )
    return Card(repeated, examples)
