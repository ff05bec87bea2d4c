"""A vector for what another column of the data says of a token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, PositiveInt
from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import PADDING, Vocabulary
from ner_registry.embedders.base import TokenEmbedder
from ner_registry.errors import NerError
from ner_registry.nn.dropout import Dropout


@TokenEmbedder.register("column")
class Column(TokenEmbedder):
    """A vector for each value of a column that the reader keeps, such as parts of speech.

    (Huang et al. 2015 used those and chunks.) A model that reads a column can only tag data
    that has it.

    Args:
        column: its name, as in ``columns`` of the dataset reader.
        embedding_dim: width of the vectors.
        min_count: a value that is rarer in the training data is unknown.
        dropout: probability of dropping a number of the output, in training.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        *,
        column: str,
        embedding_dim: PositiveInt = 20,
        min_count: PositiveInt = 1,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.vocab = vocab
        self.column = column
        self.output_dim = embedding_dim
        vocab.build(self._values, min_count=min_count)
        self.table = nn.Embedding(len(vocab), embedding_dim, padding_idx=PADDING)
        self.dropout = Dropout(dropout)

    def index(self, sentence: Sentence) -> Tensor:
        """(length,), long."""
        return torch.tensor(self.vocab.indices(self._values(sentence)), dtype=torch.long)

    def forward(self, view: Tensor, mask: Tensor) -> Tensor:
        """(batch, length) -> (batch, length, output_dim)."""
        outputs: Tensor = self.dropout(self.table(view))
        return outputs

    def _values(self, sentence: Sentence) -> list[str]:
        try:
            return sentence.columns[self.column]
        except KeyError:
            known = ", ".join(sorted(sentence.columns)) or "none"
            raise NerError(
                f"expected sentences with a column {self.column!r}, got {known}: "
                "name it in columns of the dataset reader"
            ) from None
