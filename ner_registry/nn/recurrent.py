"""Bidirectional recurrent layers over padded batches."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ner_registry.nn.dropout import make_dropout
from ner_registry.nn.lstm import bidirectional_lstm, is_supported
from ner_registry.nn.parallel import parallel

Connections = Literal["none", "residual", "dense"]

_WASTE = 1.5  # numbers of a batch for each that isn't padding, above which it is taken apart
_TOGETHER = 16  # rows, then

_CELLS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class BidirectionalRecurrent(nn.Module):
    """Stacked layers, each of which reads the sentence forwards and backwards.

    The batch stays padded: packing it makes a training step on a CPU a third slower. No output
    depends on padding, which never comes before a real token in either direction. On a CPU the
    two directions run side by side where there are threads for it.

    Args:
        cell: ``lstm`` (Hochreiter & Schmidhuber 1997) or ``gru`` (Cho et al. 2014).
        input_dim: width of the inputs.
        hidden_size: units per direction.
        num_layers: how many layers.
        dropout: probability of dropping an output between layers.
        variational_dropout: whether the same ones are dropped at every token.
        connections: what a layer above the first gives on: its outputs (``none``), their sum
            with what it read (``residual``), or both side by side (``dense``).

    Attributes:
        output_dim: width of the outputs.
    """

    runs_side_by_side = True

    def __init__(
        self,
        cell: Literal["lstm", "gru"],
        input_dim: int,
        *,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        connections: Connections = "none",
    ) -> None:
        super().__init__()
        self.connections = connections
        grows = connections == "dense"
        above = [2 * hidden_size * (1 + grows * layer) for layer in range(num_layers)]
        self.output_dim = above[-1]
        recurrent = _CELLS[cell]
        self.forwards, self.backwards = (
            nn.ModuleList(
                recurrent(width, hidden_size, batch_first=True)
                for width in [input_dim, *above[:-1]]
            )
            for _ in range(2)
        )
        self.dropout = make_dropout(dropout, locked=variational_dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, input_dim) -> (batch, length, output_dim), zero on padding."""
        if inputs.device.type == "cpu" and mask.numel() > _WASTE * int(mask.sum()):
            return self._in_groups(inputs, mask)
        return self._layers(inputs, mask)

    def _in_groups(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """The same for rows of like length at a time, so that little is computed on padding."""
        lengths = mask.sum(1)
        order = lengths.argsort(descending=True, stable=True)
        groups = []
        for rows in order.split(_TOGETHER):
            longest = max(1, int(lengths[rows[0]]))
            outputs = self._layers(inputs[rows, :longest], mask[rows, :longest])
            groups.append(functional.pad(outputs, (0, 0, 0, mask.shape[1] - longest)))
        return torch.cat(groups)[order.argsort()]

    def _layers(self, inputs: Tensor, mask: Tensor) -> Tensor:
        outputs = _layer(inputs, mask, self.forwards[0], self.backwards[0])
        for ahead, back in zip(self.forwards[1:], self.backwards[1:], strict=True):
            above = _layer(self.dropout(outputs), mask, ahead, back)
            if self.connections == "residual":
                above = above + outputs
            elif self.connections == "dense":
                above = torch.cat([outputs, above], 2)
            outputs = above
        return outputs


def _layer(inputs: Tensor, mask: Tensor, ahead: nn.Module, back: nn.Module) -> Tensor:
    if isinstance(ahead, nn.LSTM) and isinstance(back, nn.LSTM) and is_supported(inputs):
        return bidirectional_lstm(inputs, mask, ahead, back)
    return _both_directions(inputs, mask, ahead, back)


def _both_directions(inputs: Tensor, mask: Tensor, ahead: nn.Module, back: nn.Module) -> Tensor:
    """Any layers' outputs side by side, zero on padding."""
    last = mask.sum(1, keepdim=True) - 1
    steps = torch.arange(mask.shape[1], device=mask.device)
    # each row reversed within its own length, shape: (batch, length)
    mirror = torch.where(mask, last - steps, steps)
    outputs = parallel([ahead, back], [inputs, _reorder(inputs, mirror)])
    return torch.cat([outputs[0], _reorder(outputs[1], mirror)], 2) * mask.unsqueeze(2)


def _reorder(inputs: Tensor, order: Tensor) -> Tensor:
    """Rows of (batch, length, width) along the length, in the given order (batch, length)."""
    return inputs.gather(1, order.unsqueeze(2).expand(-1, -1, inputs.shape[2]))
