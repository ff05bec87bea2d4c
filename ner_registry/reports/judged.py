"""Judged sentences, read back from a run's predictions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ner_registry.data.schemes import Span, tags_to_spans
from ner_registry.errors import DataError


@dataclass(frozen=True)
class Judged:
    """A sentence with its true and its predicted entities.

    Attributes:
        words: its tokens.
        gold: the true entities, in order.
        predicted: the predicted ones, in order.
        scores: the probability of each predicted one.
    """

    words: list[str]
    gold: list[Span]
    predicted: list[Span]
    scores: list[float]

    @classmethod
    def of(cls, prediction: dict[str, Any]) -> Judged:
        """The sentence of a prediction with ``gold_tags``."""
        entities = prediction["entities"]
        return cls(
            prediction["words"],
            tags_to_spans(prediction["gold_tags"]),
            [Span(entity["label"], entity["start"], entity["end"]) for entity in entities],
            [entity["score"] for entity in entities],
        )

    @cached_property
    def correct(self) -> frozenset[Span]:
        """The entities that were found exactly."""
        return frozenset(self.gold).intersection(self.predicted)

    def text(self, span: Span) -> str:
        """An entity's words."""
        return " ".join(self.words[span.start : span.end])


def read_judged(path: Path) -> list[Judged]:
    """The sentences of a file of predictions with ``gold_tags``.

    Raises:
        DataError: a line isn't one.
    """
    found = []
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                prediction = json.loads(line)
                if len(prediction["gold_tags"]) != len(prediction["words"]):
                    raise ValueError("it has another number of gold_tags than of words")
                found.append(Judged.of(prediction))
            except (LookupError, TypeError, ValueError) as error:
                message = f"expected a prediction with gold_tags, got another line: {error!r}"
                raise DataError(path, message, number) from None
    if not found:
        raise DataError(path, "expected predictions, got none: the file is empty")
    return found


def labels_of(sentences: Iterable[Judged]) -> list[str]:
    """Every label that is true or predicted somewhere, sorted."""
    return sorted({span.label for s in sentences for span in (*s.gold, *s.predicted)})
