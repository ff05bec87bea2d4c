"""A model on a whole corpus: its metrics, its predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ner_registry.bars import progress_bar
from ner_registry.data.corpus import Corpus
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.schemes import Span, spans_to_tags
from ner_registry.decoding import LEAST
from ner_registry.ensemble import AnyTagger
from ner_registry.nn.threads import each
from ner_registry.predictor import inference_batches, record, tag_with_scores
from ner_registry.tagger import Tagger
from ner_registry.training.calibration import expected_calibration_error
from ner_registry.training.metrics import TaggingMetrics
from ner_registry.training.ranks import ALONE, Ranks

_THRESHOLDS = [round(number * LEAST, 2) for number in range(1, 20)]


def score(
    tagger: Tagger,
    corpus: Corpus,
    data: IndexedSentences,
    batch_size: int,
    before_batch: Callable[[], None] = lambda: None,
    *,
    ranks: Ranks = ALONE,
) -> dict[str, float]:
    """The metrics of a model on a corpus: loss per sentence, and what it gets right.

    With them goes ``repaired_tags``, how many of the corpus can't stand where they do.
    ``before_batch`` is called before each batch, and may raise to stop. Several ranks take turns
    with the batches, and all of them get the metrics of the whole.
    """

    def judge(numbers: list[int]) -> tuple[list[int], Tensor, list[list[Span]]]:
        return numbers, *tagger.loss_and_tag(data.batch(numbers))

    def watched(batches: Sequence[list[int] | None]) -> Iterator[list[int]]:
        for numbers in progress_bar(batches, "evaluating", unit=" batches"):
            before_batch()
            if numbers is not None:
                yield numbers

    metrics = TaggingMetrics(corpus.scheme, tagger.tags.labels)
    losses = []
    tagger.eval()
    batches = list(ranks.turns(list(inference_batches(tagger, data, batch_size))))
    for numbers, of_batch, found in each(tagger, judge, watched(batches), len(batches)):
        losses.append(of_batch)
        for number, spans in zip(numbers, found, strict=True):
            metrics.add(corpus.spans[number], spans, data.lengths[number])
    loss = torch.cat(losses).sum(dtype=torch.float64).item() if losses else 0.0
    total = TaggingMetrics(corpus.scheme, tagger.tags.labels)
    for of_rank in ranks.gather(metrics):
        total.update(of_rank)
    mean_loss = sum(ranks.gather(loss)) / len(data)
    return {"loss": mean_loss} | total.results() | {"repaired_tags": corpus.repaired}


def choose_threshold(
    tagger: AnyTagger, corpus: Corpus, data: IndexedSentences, batch_size: int
) -> float:
    """Gives a tagger the threshold of the best entity F1 on a corpus, to a twentieth; that."""
    tagger.threshold = LEAST
    watch = partial(progress_bar, description="choosing a threshold", unit=" batches")
    found = tag_with_scores(tagger, data, batch_size, watch)
    judged = [
        (score, span in gold)
        for gold, of_sentence in zip(corpus.spans, found, strict=True)
        for span, score in of_sentence
    ]
    expected = sum(map(len, corpus.spans))

    def f1(threshold: float) -> float:
        kept = [is_right for score, is_right in judged if score >= threshold]
        return 2 * sum(kept) / max(1, len(kept) + expected)

    tagger.threshold = max(_THRESHOLDS, key=f1)
    return tagger.threshold


def predictions(
    tagger: AnyTagger, corpus: Corpus, data: IndexedSentences, batch_size: int
) -> Iterator[dict[str, Any]]:
    """A prediction per sentence, with ``gold_tags`` beside it; all tags in IOB2."""
    watch = partial(progress_bar, description="tagging", unit=" batches")
    found = tag_with_scores(tagger, data, batch_size, watch)
    for sentence, gold, spans in zip(corpus.sentences, corpus.spans, found, strict=True):
        yield record(sentence, spans) | {"gold_tags": spans_to_tags(gold, len(sentence), "IOB2")}


def calibration_error(found: Sequence[dict[str, Any]], corpus: Corpus) -> float:
    """The expected calibration error of the scores of predicted entities."""
    scores, is_right = [], []
    for prediction, gold in zip(found, corpus.spans, strict=True):
        for entity in prediction["entities"]:
            scores.append(entity["score"])
            is_right.append(Span(entity["label"], entity["start"], entity["end"]) in gold)
    return expected_calibration_error(scores, is_right)
