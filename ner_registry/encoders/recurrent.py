"""Bidirectional LSTM and GRU."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from ner_registry.config.types import DropoutRate, PositiveInt
from ner_registry.encoders.base import Seq2SeqEncoder
from ner_registry.nn.recurrent import BidirectionalRecurrent


class _RecurrentEncoder(Seq2SeqEncoder):
    cell: ClassVar[Literal["lstm", "gru"]]

    def __init__(
        self,
        input_dim: int,
        *,
        hidden_size: PositiveInt,
        num_layers: PositiveInt = 1,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.output_dim = 2 * hidden_size
        self.layers = BidirectionalRecurrent(
            self.cell,
            input_dim,
            hidden_size=hidden_size,
            num_layers=num_layers,
            dropout=dropout,
        )

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        outputs: Tensor = self.layers(inputs, mask)
        return outputs


@Seq2SeqEncoder.register("lstm")
class LstmEncoder(_RecurrentEncoder):
    """A bidirectional LSTM (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005).

    Its output is twice ``hidden_size`` wide: both directions side by side.

    Args:
        hidden_size: units per direction.
        num_layers: how many layers, each reading both directions of the one below.
        dropout: probability of dropping an output between two layers.
    """

    cell = "lstm"


@Seq2SeqEncoder.register("gru")
class GruEncoder(_RecurrentEncoder):
    """A bidirectional GRU (Cho et al. 2014).

    Its output is twice ``hidden_size`` wide: both directions side by side.

    Args:
        hidden_size: units per direction.
        num_layers: how many layers, each reading both directions of the one below.
        dropout: probability of dropping an output between two layers.
    """

    cell = "gru"
