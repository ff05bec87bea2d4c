"""What the predictions of one file show, as the report has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

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
from ner_registry.reports.charts import reliability
from ner_registry.reports.heat import HeatMap, entity_heat, token_heat
from ner_registry.reports.judged import Judged
from ner_registry.reports.known import Known
from ner_registry.reports.marked import Piece, pieces
from ner_registry.reports.mistakes import Kind, Repeated, repeated_mistakes
from ner_registry.reports.scores import token_scores

_CONFUSIONS = 10  # as many as the study has in its table
CARDS = 30  # mistakes of each kind on the page
_EXAMPLES = 4  # sentences that a repeated one is shown in


@dataclass(frozen=True)
class Card:
    """A mistake on the page, in some of the sentences that it was made in."""

    mistake: Repeated
    examples: list[tuple[list[Piece], list[Piece]]]


@dataclass(frozen=True)
class Analysis:
    """What the predictions of one file show.

    Attributes:
        name: ``validation`` or ``test``.
        scheme: that of the file's tags, or IOB2 where the file isn't there to tell.
        units: what the bootstrap draws.
        tokens: the token table.
        confusions: the most frequent ones of tokens.
        heats: confusions of entities and of tokens, as tables.
        breakdowns: F1 by group, each with a title.
        calibration: how scores and truth agree.
        reliability: the same as a chart; None where nothing was predicted.
        counts: how many mistakes there are of each kind.
        cards: the costliest of them.
    """

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


def analyse(
    name: str, sentences: Sequence[Judged], corpus: Corpus | None, known: Known | None
) -> Analysis:
    """What the predictions of one file show.

    Args:
        name: ``validation`` or ``test``.
        sentences: what was predicted.
        corpus: the file, if it is there.
        known: what is known of the training data.

    Raises:
        NerError: the file has another number of sentences.
    """
    scheme: TagScheme = corpus.scheme if corpus else "IOB2"
    documents = [sentence.document for sentence in corpus.sentences] if corpus else None
    units = units_of(documents, len(sentences))
    tokens = token_scores(sentences, scheme)
    found = calibration(sentences)
    mistakes = repeated_mistakes(sentences)
    return Analysis(
        name,
        scheme,
        units,
        tokens,
        tokens["confusions"][:_CONFUSIONS],
        [entity_heat(sentences), token_heat(sentences, scheme)],
        _breakdowns(sentences, units, known),
        found,
        reliability(found) if found.bins else None,
        {kind: sum(len(m.places) for m in of_kind) for kind, of_kind in mistakes.items()},
        {
            kind: [_card(mistake, sentences) for mistake in of_kind[:CARDS]]
            for kind, of_kind in mistakes.items()
        },
    )


def _breakdowns(
    sentences: Sequence[Judged], units: Units, known: Known | None
) -> list[tuple[str, list[Row]]]:
    found = [("By the entity's length, in tokens", by_entity_length(sentences, units))]
    if known is not None:
        title = "By whether the entity's words were seen in training"
        found.append((title, by_words_seen(sentences, units, known)))
    if known is not None and known.entities is not None:
        title = "By whether the entity was seen in training"
        found.append((title, by_entities_seen(sentences, units, known)))
    return [*found, ("By the sentence's length, in tokens", by_sentence_length(sentences, units))]


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
