"""Encoders one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, Range
from ner_registry.encoders.base import Seq2SeqEncoder, encode
from ner_registry.encoders.context import Context
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
        made: list[Seq2SeqEncoder] = []
        self.output_dim = input_dim
        for make in encoders:
            encoder = make(input_dim=self.output_dim)
            made.append(encoder)
            self.output_dim = encoder.output_dim
            self.reads_documents |= encoder.reads_documents
        self.encoders = nn.ModuleList(made)
        self._in_order = tuple(made)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor, context: Context | None = None) -> Tensor:
        """As any encoder's; the context goes to those that read it."""
        first, *others = self._in_order
        outputs = encode(first, inputs, mask, context)
        for encoder in others:
            outputs = encode(encoder, self.dropout(outputs), mask, context)
        return outputs
