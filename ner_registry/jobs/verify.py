"""Whether an archive holds all of the model that was trained."""

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


def warn_of_what_is_lost(directory: Path, tagger: Tagger, sentences: Iterable[Sentence]) -> None:
    """Warns where an archive judges some sentences otherwise than the model that it was made of.

    Args:
        directory: the run's, with its archive.
        tagger: the model as it was trained.
        sentences: tagged ones, a hundred of which are judged.
    """
    stored = cast(Tagger, load_archive(directory, device=tagger.device).tagger)
    documents = _documents(sentences)
    some = list(documents if tagger.reads_documents else islice(sentences, _SENTENCES))
    are_alike = torch.isclose(_losses(tagger, some), _losses(stored, some), rtol=1e-3, atol=1e-3)
    if not are_alike.all():
        logger.warning(
            "%s: judges %d of %d sentences otherwise than the model that was trained: a part keeps "
            "something that is neither a parameter, a buffer nor in its vocabulary, or draws at "
            "random",
            directory,
            int((~are_alike).sum()),
            len(some),
        )


def _documents(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """As many, up to the end of a document."""
    last = -1
    for number, sentence in enumerate(sentences):
        if number >= _SENTENCES and sentence.document != last:
            return
        last = sentence.document
        yield sentence


@torch.inference_mode()
def _losses(tagger: Tagger, sentences: list[Sentence]) -> Tensor:
    encode = tagger.tags.encode_sentence
    data = IndexedSentences.index(sentences, indexers_of(tagger), encode, tagger.device)
    batches = inference_batches(tagger, data, BATCH_SIZE)
    return torch.cat([tagger.loss(data.batch(numbers)) for numbers in batches]).cpu()
