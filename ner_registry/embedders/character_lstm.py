"""A vector per word from its characters, by an LSTM."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, PositiveInt, Probability
from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import PADDING, Vocabulary
from ner_registry.embedders.base import TokenEmbedder
from ner_registry.embedders.spelling import characters_of, dropped
from ner_registry.nn.dropout import Dropout
from ner_registry.nn.recurrent import BidirectionalRecurrent


@TokenEmbedder.register("character_lstm")
class CharacterLstm(TokenEmbedder):
    """What a bidirectional LSTM knows of a word after its last and its first character.

    (Lample et al. 2016; Ling et al. 2015.)

    Args:
        embedding_dim: width of a character's vector.
        hidden_size: units per direction; the output is twice as wide.
        min_count: a character that is rarer in the training data is unknown.
        character_dropout: in training, the probability of showing a character as unknown.
        dropout: probability of dropping a number of the output, in training.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        *,
        embedding_dim: PositiveInt = 25,
        hidden_size: PositiveInt = 25,
        min_count: PositiveInt = 1,
        character_dropout: Probability = 0.0,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.vocab = vocab
        self.hidden_size = hidden_size
        self.character_dropout = character_dropout
        vocab.build(lambda sentence: "".join(sentence.tokens), min_count=min_count)
        self.output_dim = 2 * hidden_size
        self.symbols = nn.Embedding(len(vocab), embedding_dim, padding_idx=PADDING)
        self.layer = BidirectionalRecurrent("lstm", embedding_dim, hidden_size=hidden_size)
        self.dropout = Dropout(dropout)
        self._rows = characters_of(vocab)

    def index(self, sentence: Sentence) -> Tensor:
        """(length, characters), int32."""
        return self._rows(sentence.tokens)

    def forward(self, view: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, characters) -> (batch, length, output_dim)."""
        # words of real tokens alone, the same word once; shape: (words, characters)
        words, of_token = view[mask].unique(dim=0, return_inverse=True)
        if self.training and self.character_dropout:
            words = dropped(words, self.character_dropout)
        real = words != PADDING
        outputs: Tensor = self.layer(self.symbols(words), real)
        last = (real.sum(1) - 1).clamp(min=0)
        ahead = outputs[torch.arange(len(words)), last, : self.hidden_size]
        back = outputs[:, 0, self.hidden_size :]
        vectors = torch.cat([ahead, back], 1)[of_token]
        placed = vectors.new_zeros(*mask.shape, self.output_dim)
        placed[mask] = vectors
        dropped_vectors: Tensor = self.dropout(placed)
        return dropped_vectors
