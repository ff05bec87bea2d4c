"""Encoders one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, Range
from ner_registry.encoders.base import Seq2SeqEncoder
from ner_registry.nn.dropout import Dropout


@Seq2SeqEncoder.register("stack")
class StackEncoder(Seq2SeqEncoder):
    """Encoders, each of which reads what the one before gives.

    Args:
        encoders: from the first to the last.
        dropout: probability of dropping a number between two of them, in training.
    """

    def __init__(
        self,
        input_dim: int,
        *,
        encoders: Annotated[list[Callable[..., Seq2SeqEncoder]], Range(1)],
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList()
        self.output_dim = input_dim
        for make in encoders:
            encoder = make(input_dim=self.output_dim)
            self.encoders.append(encoder)
            self.output_dim = encoder.output_dim
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        outputs: Tensor = self.encoders[0](inputs, mask)
        for encoder in self.encoders[1:]:
            outputs = encoder(self.dropout(outputs), mask)
        return outputs
