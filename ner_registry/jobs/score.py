"""A model on a whole corpus: its metrics, its predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from ner_registry.data.batches import LengthBatchSampler
from ner_registry.data.corpus import Corpus, IndexedSentences, collate
from ner_registry.data.schemes import spans_to_tags
from ner_registry.predictor import record, tag_with_scores
from ner_registry.tagger import Tagger
from ner_registry.training.metrics import TaggingMetrics


def score(
    tagger: Tagger, corpus: Corpus, data: IndexedSentences, batch_size: int
) -> dict[str, float]:
    """The metrics of a model on a corpus: loss per sentence, and what it gets right."""
    sampler = LengthBatchSampler(data.lengths, batch_size=batch_size, shuffle=False)
    metrics = TaggingMetrics(corpus.scheme, tagger.tags.labels)
    loss = 0.0
    tagger.eval()
    with torch.inference_mode():
        for batch in DataLoader(data, batch_sampler=sampler, collate_fn=collate):
            losses, found = tagger.loss_and_tag(batch.to(tagger.device))
            loss += losses.sum().item()
            for number, spans in zip(batch.numbers, found, strict=True):
                metrics.add(corpus.spans[number], spans, data.lengths[number])
    return {"loss": loss / len(data)} | metrics.results()


def predictions(
    tagger: Tagger, corpus: Corpus, data: IndexedSentences, batch_size: int
) -> Iterator[dict[str, Any]]:
    """A prediction per sentence, with ``gold_tags`` beside it; all tags in IOB2."""
    found = tag_with_scores(tagger, data, batch_size)
    for sentence, gold, spans in zip(corpus.sentences, corpus.spans, found, strict=True):
        yield record(sentence, spans) | {"gold_tags": spans_to_tags(gold, len(sentence), "IOB2")}
