"""Whether an archive gives what the model that was trained gave."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from ner_registry.archive import load_archive
from ner_registry.build import indexers_of
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.sentence import Sentence
from ner_registry.predictor import BATCH_SIZE, inference_batches
from ner_registry.tagger import Tagger

logger = logging.getLogger(__name__)

_SENTENCES = 100


def warn_of_differences(directory: Path, tagger: Tagger, sentences: Iterable[Sentence]) -> None:
    """Warns of an archive that judges otherwise than its model did, or otherwise in other batches.

    Args:
        directory: the run's, with its archive.
        tagger: the model as it was trained.
        sentences: tagged ones, a hundred of which are judged.
    """
    stored = cast(Tagger, load_archive(directory, device=tagger.device).tagger)
    documents = _documents(sentences)
    some = list(documents if tagger.reads_documents else islice(sentences, _SENTENCES))
    losses = _losses(stored, some, BATCH_SIZE)
    if differ := _count_of_others(losses, _losses(tagger, some, BATCH_SIZE)):
        logger.warning(
            "%s: judges %d of %d sentences otherwise than the model that was trained: a part keeps "
            "something that is neither a parameter, a buffer nor in its vocabulary, or draws at "
            "random",
            directory,
            differ,
            len(some),
        )
    elif differ := _count_of_others(losses, _losses(stored, some, 1)):
        logger.warning(
            "%s: judges %d of %d sentences otherwise where they are alone in their batch: a part "
            "lets padding change what it gives for real tokens",
            directory,
            differ,
            len(some),
        )


def _count_of_others(losses: Tensor, others: Tensor) -> int:
    return int((~torch.isclose(losses, others, rtol=1e-3, atol=1e-3)).sum())


def _documents(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """As many, up to the end of a document."""
    last = -1
    for number, sentence in enumerate(sentences):
        if number >= _SENTENCES and sentence.document != last:
            return
        last = sentence.document
        yield sentence


@torch.inference_mode()
def _losses(tagger: Tagger, sentences: list[Sentence], batch_size: int) -> Tensor:
    encode = tagger.tags.encode_sentence
    data = IndexedSentences.index(sentences, indexers_of(tagger), encode, tagger.device)
    losses = torch.empty(len(data))
    for numbers in inference_batches(tagger, data, batch_size):
        losses[numbers] = tagger.loss(data.batch(numbers)).cpu()
    return losses
