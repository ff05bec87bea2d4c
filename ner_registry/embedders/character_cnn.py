"""A vector per word from its characters, by a convolution."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, PositiveInt, Probability, Range
from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders.base import TokenEmbedder
from ner_registry.embedders.spelling import characters_of, dropped
from ner_registry.nn.dropout import Dropout
from ner_registry.nn.spelling import CharacterConvolution


@TokenEmbedder.register("character_cnn")
class CharacterCnn(TokenEmbedder):
    """Filters over a word's characters, each at the place where it fits best.

    (Chiu & Nichols 2016; Ma & Hovy 2016.)

    Args:
        embedding_dim: width of a character's vector.
        num_filters: how many filters of each width; the output has all of them side by side.
        widths: how many characters a filter sees at once.
        min_count: a character that is rarer in the training data is unknown.
        character_dropout: in training, the probability of showing a character as unknown.
        dropout: probability of dropping a number of the output, in training.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        *,
        embedding_dim: PositiveInt = 25,
        num_filters: PositiveInt = 50,
        widths: Annotated[tuple[PositiveInt, ...], Range(1)] = (3,),
        min_count: PositiveInt = 1,
        character_dropout: Probability = 0.0,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.vocab = vocab
        self.character_dropout = character_dropout
        vocab.build(lambda sentence: "".join(sentence.tokens), min_count=min_count)
        self.output_dim = num_filters * len(widths)
        self.layers = nn.ModuleList(
            CharacterConvolution(
                len(vocab), embedding_dim=embedding_dim, num_filters=num_filters, width=width
            )
            for width in widths
        )
        self.dropout = Dropout(dropout)
        self._rows = characters_of(vocab)

    def index(self, sentence: Sentence) -> Tensor:
        """(length, characters), int32."""
        return self._rows(sentence.tokens)

    def forward(self, view: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, characters) -> (batch, length, output_dim)."""
        words = view.flatten(0, 1)
        if self.training and self.character_dropout:
            words = dropped(words, self.character_dropout)
        vectors = torch.cat([layer(words) for layer in self.layers], 1)
        outputs: Tensor = self.dropout(vectors.view(*mask.shape, -1))
        return outputs
