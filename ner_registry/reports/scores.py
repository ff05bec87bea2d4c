"""The tables of entities and of tokens, by seqeval and by scikit-learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from seqeval.metrics.sequence_labeling import precision_recall_fscore_support
from sklearn.metrics import classification_report as token_report

from ner_registry.data.schemes import TagScheme, spans_to_tags
from ner_registry.reports.judged import Judged
from ner_registry.training.metrics import MIN_SUPPORT

OVERALL = "overall"  # in the place of a label: all entities
SCORES = ("precision", "recall", "f1", "support")


def entity_scores(sentences: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each label, and ``overall``."""
    gold = [spans_to_tags(s.gold, len(s.words), "IOB2") for s in sentences]
    predicted = [spans_to_tags(s.predicted, len(s.words), "IOB2") for s in sentences]
    labels = sorted({span.label for s in sentences for span in (*s.gold, *s.predicted)})
    if not labels:
        return {OVERALL: dict.fromkeys(SCORES, 0)}
    # its classification_report makes averages that nobody reads, and takes twice as long
    count = partial(precision_recall_fscore_support, gold, predicted, zero_division=0)
    of_labels = zip(labels, *count(average=None), strict=True)
    rows = [*of_labels, (OVERALL, *count(average="micro"))]
    return {name: _row(*scores) for name, *scores in rows}


def token_scores(sentences: Sequence[Judged], scheme: TagScheme) -> dict[str, Any]:
    """``tokens``, the same of each tag of a scheme; ``token_macro_f1``; ``confusions``."""
    gold, predicted = token_tags(sentences, scheme)
    tags = sorted({*gold, *predicted})
    report = token_report(gold, predicted, labels=tags, output_dict=True, zero_division=0)
    keys = ("precision", "recall", "f1-score", "support")
    rows = {tag: _row(*(report[tag][key] for key in keys)) for tag in tags}
    counted = [row["f1"] for row in rows.values() if row["support"] >= MIN_SUPPORT]
    pairs = Counter(pair for pair in zip(gold, predicted, strict=True) if pair[0] != pair[1])
    return {
        "tokens": rows,
        "token_macro_f1": sum(counted) / len(counted) if counted else 0.0,
        "confusions": [
            {"gold": gold_tag, "predicted": found_tag, "count": count}
            for (gold_tag, found_tag), count in pairs.most_common()
        ],
    }


def token_tags(sentences: Sequence[Judged], scheme: TagScheme) -> tuple[list[str], list[str]]:
    """The true and the predicted tag of every token, in a scheme."""
    gold: list[str] = []
    predicted: list[str] = []
    for sentence in sentences:
        gold += spans_to_tags(sentence.gold, len(sentence.words), scheme)
        predicted += spans_to_tags(sentence.predicted, len(sentence.words), scheme)
    return gold, predicted


def _row(precision: float, recall: float, f1: float, support: int) -> dict[str, float]:
    """As Python's own numbers."""
    found = (float(precision), float(recall), float(f1), int(support))
    return dict(zip(SCORES, found, strict=True))
