"""How a word begins, ends and is written, as rows of a hashed table."""

from __future__ import annotations

import re
from zlib import crc32

import torch
from torch import Tensor

from ner_registry.config.types import DropoutRate, PositiveInt, Probability
from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import PADDING, Vocabulary
from ner_registry.data.word_rows import WordRows
from ner_registry.embedders.base import TokenEmbedder
from ner_registry.nn.dropout import Dropout
from ner_registry.nn.table import Table

_RUNS = re.compile(r"(.)\1{2,}")


@TokenEmbedder.register("subwords")
class SubwordFeatures(TokenEmbedder):
    """A vector for each of a word's features, side by side; features are rows of one table.

    A feature's row is chosen by hashing (Weinberger et al. 2009), so that there is no list of
    known ones. Rows begin as zeros: a feature that was never seen in training says nothing.

    Args:
        embedding_dim: width of each feature's vector.
        table_size: rows that all features share.
        prefixes: lengths, in characters, of beginnings of the word.
        suffixes: lengths, in characters, of its ends.
        shape: the word with ``X`` for capitals, ``x`` for small letters and ``d`` for digits,
            runs cut at three.
        case: whether it is written small, with a capital, in capitals, mixed, without letters.
        norm: the word lower-cased, its digits all as 0.
        feature_dropout: in training, the probability of hiding a feature.
        dropout: probability of dropping a number of the output, in training.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        *,
        embedding_dim: PositiveInt = 20,
        table_size: PositiveInt = 2**16,
        prefixes: tuple[PositiveInt, ...] = (1, 2, 3, 4),
        suffixes: tuple[PositiveInt, ...] = (1, 2, 3, 4),
        shape: bool = True,
        case: bool = True,
        norm: bool = True,
        feature_dropout: Probability = 0.0,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.prefixes, self.suffixes = tuple(prefixes), tuple(suffixes)
        self.features = {
            name: feature
            for name, feature, is_wanted in (
                ("shape", shape_of, shape),
                ("case", case_of, case),
                ("norm", norm_of, norm),
            )
            if is_wanted
        }
        count = len(self.prefixes) + len(self.suffixes) + len(self.features)
        if count == 0:
            raise ValueError("expected a feature, got none: every one is switched off")
        self.table_size = table_size
        self.feature_dropout = feature_dropout
        self.output_dim = count * embedding_dim
        rows = 1 + table_size
        weight = torch.zeros(rows, embedding_dim)
        self.table = Table(rows, embedding_dim, padding_idx=PADDING, _weight=weight)
        self.dropout = Dropout(dropout)
        self._rows = WordRows(self._rows_of)

    def index(self, sentence: Sentence) -> Tensor:
        """(length, features), int32: rows of the table."""
        return self._rows(sentence.tokens)

    def forward(self, view: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, features) -> (batch, length, output_dim)."""
        if self.training and self.feature_dropout:
            draw = torch.rand(view.shape, device=view.device)
            view = view.masked_fill(draw < self.feature_dropout, PADDING)
        outputs: Tensor = self.dropout(self.table(view.long()).flatten(2))
        return outputs

    def _rows_of(self, word: str) -> list[int]:
        keys = [f"<{length}{word[:length]}" for length in self.prefixes]
        keys += [f">{length}{word[-length:]}" for length in self.suffixes]
        keys += [f"{name} {feature(word)}" for name, feature in self.features.items()]
        return [1 + crc32(key.encode("utf-8", "surrogatepass")) % self.table_size for key in keys]


def shape_of(word: str) -> str:
    """Which kinds of characters follow each other, such as ``X.X.`` for ``U.N.``."""
    kinds = "".join(
        "X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word
    )
    return _RUNS.sub(r"\1\1\1", kinds)


def case_of(word: str) -> str:
    """How a word is written."""
    letters = [c for c in word if c.isalpha()]
    if not letters:
        return "digits" if any(c.isdigit() for c in word) else "none"
    if all(c.isupper() for c in letters):
        return "letter" if len(letters) == 1 else "capitals"
    if any(c.isupper() for c in letters[1:]):
        return "mixed"
    return "capital" if letters[0].isupper() else "small"


def norm_of(word: str) -> str:
    """What it is but for how it is written."""
    return "".join("0" if c.isdigit() else c for c in word.lower())
