"""Counting what a tagger gets right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ner_registry.data.schemes import Span, TagScheme, spans_to_tags

MIN_SUPPORT = 10  # a tag rarer than that says little: token_macro_f1 leaves it out


class TaggingMetrics:
    """Entity-level scores by conlleval's definition, and token-level ones.

    Args:
        scheme: the tag scheme that tokens are compared in.
        labels: labels to report on even where no entity has them.
    """

    def __init__(self, scheme: TagScheme, labels: Iterable[str] = ()) -> None:
        self.scheme = scheme
        self.labels = set(labels)
        self._gold: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._correct: Counter[str] = Counter()
        self._tags: Counter[tuple[str, str]] = Counter()

    def add(self, gold: Sequence[Span], predicted: Sequence[Span], length: int) -> None:
        """Counts one sentence of ``length`` tokens."""
        self._gold.update(span.label for span in gold)
        self._predicted.update(span.label for span in predicted)
        self._correct.update(span.label for span in set(gold).intersection(predicted))
        gold_tags = spans_to_tags(gold, length, self.scheme)
        predicted_tags = spans_to_tags(predicted, length, self.scheme)
        self._tags.update(zip(gold_tags, predicted_tags, strict=True))

    def update(self, other: TaggingMetrics) -> None:
        """Adds what was counted elsewhere."""
        self._gold.update(other._gold)
        self._predicted.update(other._predicted)
        self._correct.update(other._correct)
        self._tags.update(other._tags)

    def results(self) -> dict[str, float]:
        """Scores from 0 to 1, by the names of the run's metrics."""
        precision, recall, f1 = _scores(
            self._correct.total(), self._predicted.total(), self._gold.total()
        )
        results = {
            "precision-overall": precision,
            "recall-overall": recall,
            "f1-measure-overall": f1,
        }
        for label in sorted(self.labels | self._gold.keys() | self._predicted.keys()):
            counts = self._correct[label], self._predicted[label], self._gold[label]
            results[f"f1-measure-{label}"] = _scores(*counts)[2]
        agreed = sum(count for (gold, found), count in self._tags.items() if gold == found)
        results["accuracy"] = _ratio(agreed, self._tags.total())
        results["token_macro_f1"] = self._token_macro_f1()
        return results

    def _token_macro_f1(self) -> float:
        gold: Counter[str] = Counter()
        predicted: Counter[str] = Counter()
        for (gold_tag, predicted_tag), count in self._tags.items():
            gold[gold_tag] += count
            predicted[predicted_tag] += count
        scores = [
            _scores(self._tags[tag, tag], predicted[tag], support)[2]
            for tag, support in gold.items()
            if support >= MIN_SUPPORT
        ]
        return _ratio(sum(scores), len(scores))


def _scores(correct: int, predicted: int, gold: int) -> tuple[float, float, float]:
    """Precision, recall and F1; 0 where nothing was there to find or found."""
    precision, recall = _ratio(correct, predicted), _ratio(correct, gold)
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
