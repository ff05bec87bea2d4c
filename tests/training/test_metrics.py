"""Our counting against seqeval's and scikit-learn's."""

from __future__ import annotations

import random

import pytest
from seqeval.metrics import classification_report as entity_report
from sklearn.metrics import accuracy_score, f1_score

from ner_registry.data.schemes import Span, spans_to_tags
from ner_registry.training.metrics import TaggingMetrics


def random_spans(generator: random.Random, length: int) -> list[Span]:
    spans = []
    position = generator.randrange(3)
    while position < length:
        end = min(length, position + generator.randrange(1, 4))
        spans.append(Span(generator.choice(["LOC", "PER", "ORG"]), position, end))
        position = end + generator.randrange(3)
    return spans


@pytest.mark.parametrize("seed", range(50))
def test_scores_equal_seqevals(seed: int) -> None:
    generator = random.Random(seed)
    metrics = TaggingMetrics("IOB2")
    gold_tags, predicted_tags = [], []
    for _ in range(20):
        length = generator.randrange(1, 15)
        gold, predicted = random_spans(generator, length), random_spans(generator, length)
        predicted = sorted(
            {*generator.sample(gold, len(gold) // 2)} or predicted, key=lambda s: s.start
        )
        metrics.add(gold, predicted, length)
        gold_tags.append(spans_to_tags(gold, length, "IOB2"))
        predicted_tags.append(spans_to_tags(predicted, length, "IOB2"))
    results = metrics.results()
    report = entity_report(gold_tags, predicted_tags, output_dict=True, zero_division=0)
    overall = report["micro avg"]
    assert results["precision-overall"] == pytest.approx(overall["precision"])
    assert results["recall-overall"] == pytest.approx(overall["recall"])
    assert results["f1-measure-overall"] == pytest.approx(overall["f1-score"])
    for label in ("LOC", "PER", "ORG"):
        if label in report:
            assert results[f"f1-measure-{label}"] == pytest.approx(report[label]["f1-score"])
    flat_gold = [tag for tags in gold_tags for tag in tags]
    flat_predicted = [tag for tags in predicted_tags for tag in tags]
    assert results["accuracy"] == pytest.approx(accuracy_score(flat_gold, flat_predicted))
    frequent = [tag for tag in sorted(set(flat_gold)) if flat_gold.count(tag) >= 10]
    expected = f1_score(
        flat_gold, flat_predicted, labels=frequent, average="macro", zero_division=0
    )
    assert results["token_macro_f1"] == pytest.approx(expected)


def test_nothing_to_find() -> None:
    metrics = TaggingMetrics("IOB1")
    metrics.add([], [], 12)
    results = metrics.results()
    assert results["f1-measure-overall"] == 0.0
    assert results["accuracy"] == 1.0
    assert results["token_macro_f1"] == 1.0
