"""Bidirectional recurrent layers over padded batches."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

_CELLS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class BidirectionalRecurrent(nn.Module):
    """Stacked layers, each of which reads the sentence forwards and backwards.

    The batch stays padded: packing it makes a training step on a CPU a third slower. The
    backward direction reads every row reversed within its own length, so that padding never
    comes before a real token and no output depends on it.

    Args:
        cell: ``lstm`` (Hochreiter & Schmidhuber 1997) or ``gru`` (Cho et al. 2014).
        input_dim: width of the inputs.
        hidden_size: units per direction.
        num_layers: how many layers.
        dropout: probability of dropping an output between layers.
    """

    def __init__(
        self,
        cell: Literal["lstm", "gru"],
        input_dim: int,
        *,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [input_dim] + [2 * hidden_size] * (num_layers - 1)
        recurrent = _CELLS[cell]
        self.forwards = nn.ModuleList(
            recurrent(width, hidden_size, batch_first=True) for width in widths
        )
        self.backwards = nn.ModuleList(
            recurrent(width, hidden_size, batch_first=True) for width in widths
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, input_dim) -> (batch, length, 2 * hidden_size), zero on padding."""
        real = mask.unsqueeze(2)
        last = mask.sum(1, keepdim=True) - 1
        steps = torch.arange(mask.shape[1], device=mask.device)
        mirror = torch.where(mask, last - steps, steps)  # shape: (batch, length)
        outputs = inputs
        for layer, (ahead, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if layer:
                outputs = self.dropout(outputs)
            forwards, _ = ahead(outputs)
            backwards, _ = back(_reorder(outputs, mirror))
            outputs = torch.cat([forwards, _reorder(backwards, mirror)], 2) * real
        return outputs


def _reorder(inputs: Tensor, order: Tensor) -> Tensor:
    """Rows of (batch, length, width) along the length, in the given order (batch, length)."""
    return inputs.gather(1, order.unsqueeze(2).expand(-1, -1, inputs.shape[2]))
