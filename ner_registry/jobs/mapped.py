"""Training data that stays on disk."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from ner_registry.bars import progress_bar
from ner_registry.build import indexers_of, registered_modules
from ner_registry.data.arrays import Arrays
from ner_registry.data.files import json_bytes, sha256_of
from ner_registry.data.indexed import IndexedSentences, index_into
from ner_registry.data.memory_map import open_or_build
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.errors import DataError
from ner_registry.jobs.prepare import Prepared

# to be raised whenever the same data and config come to be indexed otherwise
_FORMAT = 1


def map_training_data(prepared: Prepared) -> IndexedSentences:
    """The training data as the model sees it, mapped into memory from files in the cache.

    Raises:
        DataError: the data has changed since it was read first.
        RunError: the files can't be written.
    """
    tagger, corpus = prepared.tagger, prepared.corpora["train"]
    path = Path(corpus.path)

    def build(arrays: Arrays) -> None:
        bar = progress_bar(corpus.sentences, "indexing", len(corpus), unit=" sentences")
        shown = chain(bar, prepared.augmentation.variants)
        index_into(arrays, shown, indexers_of(tagger), tagger.tags.encode_sentence)
        if sha256_of(path) != corpus.sha256:
            raise DataError(path, "it has changed while it was read: start again")

    arrays = open_or_build(_key(prepared), build)
    if len(arrays["lengths"]) != prepared.augmentation.indexed:
        raise DataError(path, "it has changed while it was read: start again")
    home = torch.device("cpu")
    return IndexedSentences(arrays, tagger.device, home, prepared.augmentation)


def _key(prepared: Prepared) -> str:
    """Of all that decides what the training data looks like to the model."""
    config, tags = prepared.plan.filled(), prepared.tagger.tags
    parts = {
        "format": _FORMAT,
        "version": version("ner_registry"),
        "data": prepared.corpora["train"].sha256,
        "reader": config["dataset_reader"],
        "embedders": config["model"]["embedders"],
        "capitals": config["data_loader"]["capitals"] > 0,
        "vocabularies": {n: _digest_of(v) for n, v in sorted(prepared.vocabularies.items())},
        "tags": tags.tags,
        "scheme": tags.scheme,
        "sources": list(_sources(prepared)),
    }
    return hashlib.sha256(json_bytes(parts)).hexdigest()


def _digest_of(vocabulary: Vocabulary) -> str:
    digest = hashlib.sha256()
    for symbol, count in vocabulary.counts.items():
        digest.update(json.dumps([symbol, count]).encode())
    return digest.hexdigest()


def _sources(prepared: Prepared) -> Iterator[tuple[str, Any]]:
    """The files of the user's own parts, which may index otherwise after an edit."""
    for name in sorted(registered_modules(prepared.plan)):
        file = getattr(sys.modules.get(name, sys.modules["__main__"]), "__file__", None)
        yield name, sha256_of(Path(file)) if file else None
