"""Bidirectional LSTM and GRU."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from ner_registry.config.types import DropoutRate, LayerCount, PositiveInt
from ner_registry.encoders.base import Seq2SeqEncoder
from ner_registry.nn.recurrent import BidirectionalRecurrent, Connections


class _RecurrentEncoder(Seq2SeqEncoder):
    cell: ClassVar[Literal["lstm", "gru"]]

    def __init__(
        self,
        input_dim: int,
        *,
        hidden_size: PositiveInt,
        num_layers: LayerCount = 1,
        dropout: DropoutRate = 0.0,
        variational_dropout: bool = False,
        connections: Connections = "none",
    ) -> None:
        super().__init__()
        self.layers = BidirectionalRecurrent(
            self.cell,
            input_dim,
            hidden_size=hidden_size,
            num_layers=num_layers,
            dropout=dropout,
            variational_dropout=variational_dropout,
            connections=connections,
        )
        self.output_dim = self.layers.output_dim

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        outputs: Tensor = self.layers(inputs, mask)
        return outputs


@Seq2SeqEncoder.register("lstm")
class LstmEncoder(_RecurrentEncoder):
    """A bidirectional LSTM (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005).

    Its output is twice ``hidden_size`` wide, both directions side by side; with ``dense``
    connections that of every layer.

    Args:
        hidden_size: units per direction.
        num_layers: how many layers, each reading both directions of the one below.
        dropout: probability of dropping an output between two layers.
        variational_dropout: whether the same ones are dropped at every token of a sentence
            (Gal & Ghahramani 2016).
        connections: what a layer above the first gives on: its outputs (``none``), their sum
            with what it read (``residual``), or both side by side (``dense``).
    """

    cell = "lstm"


@Seq2SeqEncoder.register("gru")
class GruEncoder(_RecurrentEncoder):
    """A bidirectional GRU (Cho et al. 2014).

    Its output is twice ``hidden_size`` wide, both directions side by side; with ``dense``
    connections that of every layer.

    Args:
        hidden_size: units per direction.
        num_layers: how many layers, each reading both directions of the one below.
        dropout: probability of dropping an output between two layers.
        variational_dropout: whether the same ones are dropped at every token of a sentence
            (Gal & Ghahramani 2016).
        connections: what a layer above the first gives on: its outputs (``none``), their sum
            with what it read (``residual``), or both side by side (``dense``).
    """

    cell = "gru"
