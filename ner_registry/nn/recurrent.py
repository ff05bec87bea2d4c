"""Bidirectional recurrent layers over padded batches."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ner_registry.nn.dropout import Dropout
from ner_registry.nn.lstm import bidirectional_lstm, is_supported
from ner_registry.nn.parallel import parallel

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
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, input_dim) -> (batch, length, 2 * hidden_size), zero on padding."""
        outputs = inputs
        for layer, (ahead, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if layer:
                outputs = self.dropout(outputs)
            if isinstance(ahead, nn.LSTM) and isinstance(back, nn.LSTM) and is_supported(outputs):
                outputs = bidirectional_lstm(outputs, mask, ahead, back)
            else:
                outputs = _both_directions(outputs, mask, ahead, back)
        return outputs


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
