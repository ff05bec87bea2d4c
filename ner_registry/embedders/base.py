"""What every TokenEmbedder is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ner_registry.config.registry import Registrable
from ner_registry.data.sentence import Sentence


class TokenEmbedder(nn.Module, ABC, Registrable):
    """Turns tokens into vectors, by way of a view: the numbers that stand for a sentence.

    It is given ``vocab``, a :class:`ner_registry.data.vocabulary.Vocabulary` of its own.

    Attributes:
        output_dim: width of the vectors.
    """

    supplied = ("vocab",)
    output_dim: int

    @classmethod
    def check_files(cls, settings: Mapping[str, Any]) -> None:
        """Looks into the head of files that the config names, for ``ner-run check --data``.

        Args:
            settings: what the config sets of the constructor's parameters.

        Raises:
            DataError: one isn't there, or isn't what the settings say.
        """

    @abstractmethod
    def index(self, sentence: Sentence) -> Tensor:
        """The view of a sentence, (length, …); called once per sentence.

        What stands for a token must follow from the token (and its other columns) alone: with
        ``data_loader.mention_replacement`` it is shown in other sentences too.
        """

    @abstractmethod
    def forward(self, view: Tensor, mask: Tensor) -> Tensor:
        """Vectors (batch, length, output_dim) for views (batch, length, …), padded with 0.

        ``mask`` is (batch, length), bool, true on real tokens.
        """
