"""What a model met in training: words, and entities with their labels."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ner_registry.data.corpus import Corpus
from ner_registry.data.schemes import tags_to_spans
from ner_registry.errors import RunDirectoryError


@dataclass(frozen=True)
class Known:
    """What is known of the training data.

    Attributes:
        words: its words.
        normalize: what a word is looked up as.
        source: where the words are from, for people.
        entities: the labels of the entities of each text; None where the data isn't there.
    """

    words: Collection[str]
    normalize: Callable[[str], str]
    source: str
    entities: dict[str, set[str]] | None

    def has_word(self, word: str) -> bool:
        """Whether a word is in the training data."""
        return self.normalize(word) in self.words

    def labels_of(self, text: str) -> Collection[str]:
        """The labels that the entities of a text have in the training data."""
        return (self.entities or {}).get(text, ())


def known_to(directory: Path, config: dict[str, Any], train: Corpus | None) -> Known | None:
    """What the model of a run met in training.

    Words are those of the vocabulary of its embedder ``embedding``; where it has none, those of
    the training data. None where that isn't there either.

    Args:
        directory: the run's.
        config: the run's.
        train: the training data, if it is there.

    Raises:
        RunDirectoryError: the vocabulary can't be read.
    """
    entities: defaultdict[str, set[str]] = defaultdict(set)
    if train is not None:
        for sentence in train.sentences:
            for span in tags_to_spans(sentence.tags or []):
                entities[" ".join(sentence.tokens[span.start : span.end])].add(span.label)
    found = None if train is None else dict(entities)
    for name, embedder in config["model"]["embedders"].items():
        path = directory / "vocabulary" / "embedders" / f"{name}.json"
        if embedder["type"] == "embedding" and path.is_file():
            normalize = str.lower if embedder["lowercase"] else str
            # a pretrained vector's word that the data doesn't have is counted 0 times
            words = {word for word, count in _counts(path).items() if count > 0}
            return Known(words, normalize, f"the vocabulary of the embedder {name!r}", found)
    if train is None:
        return None
    words = {token for sentence in train.sentences for token in sentence.tokens}
    return Known(words, str, "the training data", found)


def _counts(path: Path) -> dict[str, int]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (TypeError, ValueError) as error:
        raise RunDirectoryError(f"{path}: expected what a run wrote, got {error}") from None
