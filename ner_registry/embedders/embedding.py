"""A vector per word."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ner_registry.config.types import DropoutRate, PositiveInt, Probability
from ner_registry.data import catalogue
from ner_registry.data.sentence import Sentence
from ner_registry.data.vectors import Vectors, read_vectors
from ner_registry.data.vocabulary import PADDING, UNKNOWN, Vocabulary
from ner_registry.embedders.base import TokenEmbedder
from ner_registry.errors import DataError
from ner_registry.nn.dropout import Dropout
from ner_registry.nn.table import Table

logger = logging.getLogger(__name__)


@TokenEmbedder.register("embedding")
class Embedding(TokenEmbedder):
    """A table with a vector for each word of the training data, and one for all others.

    With pretrained vectors the table has a row for each of them too, and a word without a
    row of its own is looked up lower-cased.

    Args:
        embedding_dim: width of the vectors.
        pretrained_file: vectors to start from, in GloVe's or word2vec's text form, or in
            word2vec's binary one (``.bin``), plain, gz or zip: a path, a URL or a catalogue
            name; null starts from random ones.
        max_vectors: reads only so many from the top of the file; null reads them all.
        trainable: whether training changes the table.
        min_count: a word that is rarer in the training data is unknown.
        lowercase: whether words are lower-cased first.
        replace_singletons: in training, the probability of showing a word that occurs once
            in the training data as the unknown word (Lample et al. 2016), which is never
            trained otherwise.
        word_dropout: in training, the probability of showing any word as the unknown one.
        dropout: probability of dropping a number of the output, in training.
    """

    counts: Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        *,
        embedding_dim: PositiveInt,
        pretrained_file: str | None = None,
        max_vectors: PositiveInt | None = None,
        trainable: bool = True,
        min_count: PositiveInt = 1,
        lowercase: bool = False,
        replace_singletons: Probability = 0.0,
        word_dropout: Probability = 0.0,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.vocab = vocab
        self.output_dim = embedding_dim
        self.lowercase = lowercase
        self.replace_singletons = replace_singletons
        self.word_dropout = word_dropout
        self.dropout = Dropout(dropout)
        self.falls_back = pretrained_file is not None
        vectors = None
        if pretrained_file is not None and not vocab.is_built:
            vectors = _read(pretrained_file, max_vectors, embedding_dim)
        vocab.build(self._words, min_count=min_count, also=vectors.rows if vectors else ())

        # variance 1 / dim, as for a linear layer's inputs
        bound = math.sqrt(3 / embedding_dim)
        table = torch.empty(len(vocab), embedding_dim).uniform_(-bound, bound)
        table[PADDING] = 0
        if vectors is not None:
            self._copy(vectors, table)
        self.table = Table(len(vocab), embedding_dim, padding_idx=PADDING, _weight=table)
        self.table.weight.requires_grad_(trainable)
        counts = torch.tensor([0, 0, *vocab.counts.values()])
        self.register_buffer("counts", counts, persistent=False)

    @classmethod
    def check_files(cls, settings: Mapping[str, Any]) -> None:
        pretrained_file = settings.get("pretrained_file")
        if pretrained_file is not None:
            _read(pretrained_file, 1, settings["embedding_dim"])

    def index(self, sentence: Sentence) -> Tensor:
        """(length,), long."""
        words = self._words(sentence)
        if self.falls_back:
            words = [word if word in self.vocab else word.lower() for word in words]
        # by way of NumPy, which takes a list in a fifth of PyTorch's time
        return torch.from_numpy(np.array(self.vocab.indices(words), np.int64))

    def forward(self, view: Tensor, mask: Tensor) -> Tensor:
        """(batch, length) -> (batch, length, output_dim)."""
        if self.training and (self.replace_singletons or self.word_dropout):
            is_singleton = self.counts[view] == 1
            hidden = (
                self.word_dropout + is_singleton * (1 - self.word_dropout) * self.replace_singletons
            )
            draw = torch.rand(view.shape, device=view.device)
            view = view.masked_fill(mask & (draw < hidden), UNKNOWN)
        vectors: Tensor = self.dropout(self.table(view))
        return vectors

    def _words(self, sentence: Sentence) -> list[str]:
        if self.lowercase:
            return [token.lower() for token in sentence.tokens]
        return sentence.tokens

    def _copy(self, vectors: Vectors, table: Tensor) -> None:
        """Fills the table with what there are vectors for, and reports how much that is."""
        tokens = covered = types = covered_types = 0
        for index, (word, count) in enumerate(self.vocab.counts.items(), UNKNOWN + 1):
            row = vectors.rows.get(word, vectors.rows.get(word.lower()))
            if row is not None:
                table[index] = vectors.matrix[row]
            if count:
                tokens += count
                types += 1
                covered += count * (row is not None)
                covered_types += row is not None
        logger.info(
            "pretrained vectors: %d read; they cover %.1f %% of the tokens and %.1f %% of the "
            "types of the training data as it is shown",
            len(vectors.rows),
            100 * covered / max(tokens, 1),
            100 * covered_types / max(types, 1),
        )


def _read(pretrained_file: str, max_vectors: int | None, embedding_dim: int) -> Vectors:
    """Pretrained vectors, whose width must be ``embedding_dim``."""
    vectors = read_vectors(catalogue.find(pretrained_file), max_vectors)
    if vectors.width != embedding_dim:
        message = f"expected vectors of embedding_dim {embedding_dim}, got {vectors.width}"
        raise DataError(pretrained_file, message)
    return vectors
