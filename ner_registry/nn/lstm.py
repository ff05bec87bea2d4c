"""A bidirectional LSTM layer on a CPU: both directions at once, each a kernel of its own.

PyTorch's LSTM does one direction after the other, and on a CPU prepares itself anew for every
shape of batch (20 ms each, and there are dozens of lengths in a corpus). With one thread this
takes two thirds of its time, with two a third.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ner_registry.nn.kernels import HAS_NUMBA
from ner_registry.nn.threads import side_by_side, thread_count

_ROWS, _TILE = 4, 16  # rows and columns that kernels take at a time
_LEAST_SHARE = 8  # rows: below, the weights' gradients cost more than the rows


def is_supported(inputs: Tensor) -> bool:
    """Whether :func:`bidirectional_lstm` takes such inputs here."""
    return HAS_NUMBA and inputs.device.type == "cpu" and inputs.dtype == torch.float32


def bidirectional_lstm(inputs: Tensor, mask: Tensor, ahead: nn.LSTM, back: nn.LSTM) -> Tensor:
    """(batch, length, width) -> (batch, length, 2 * units), zero on padding.

    Args:
        inputs: (batch, length, width), float32 on a CPU.
        mask: (batch, length), bool.
        ahead: the weights of the direction that reads forwards; of one layer.
        back: those of the other.
    """
    outputs: Tensor = _BidirectionalLstm.apply(  # type: ignore[no-untyped-call]  # of torch
        inputs, mask, *_weights(ahead), *_weights(back)
    )
    return outputs


def _weights(layer: nn.LSTM) -> Iterator[Tensor]:
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        yield layer.get_parameter(name)


class _BidirectionalLstm(torch.autograd.Function):
    """Each direction of each share of the batch is a task of its own.

    In a share time comes first, so that the rows of a step lie together: (T, B, …).
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, mask: Tensor, *weights: Tensor) -> Tensor:
        shares = [_Share(*ends, inputs, mask, weights) for ends in _shared(len(inputs))]
        side_by_side([partial(share.forward, side) for share in shares for side in (0, 1)])
        ctx.shares = shares
        return torch.cat([share.outputs for share in shares])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        shares: list[_Share] = ctx.shares
        # shape of each: (2, length, batch, H)
        grads = [
            _time_major(grad[share.rows]).unflatten(2, (2, -1)).permute(2, 0, 1, 3).contiguous()
            for share in shares
        ]
        found = side_by_side(
            [
                partial(share.backward, side, of_share)
                for side in (0, 1)
                for share, of_share in zip(shares, grads, strict=True)
            ]
        )
        ahead, back = found[: len(shares)], found[len(shares) :]
        inputs = [one[0] + other[0] for one, other in zip(ahead, back, strict=True)]
        # shape of each: as the weight; summed in the order of the shares
        of_weights = [
            sum(of_share, start=torch.zeros(()))
            for side in (ahead, back)
            for of_share in zip(*(found[1:] for found in side), strict=True)
        ]
        return torch.cat(inputs), None, *of_weights


class _Share:
    """Some rows of a batch, from their inputs to their outputs and back.

    Args:
        begin: the first row.
        stop: the one after the last.
        inputs: (batch, length, width), the whole batch.
        mask: (batch, length).
        weights: for each side, of inputs (4H, width) and of outputs (4H, H), and their biases.
    """

    def __init__(
        self, begin: int, stop: int, inputs: Tensor, mask: Tensor, weights: Sequence[Tensor]
    ) -> None:
        self.rows = slice(begin, stop)
        self.size = stop - begin
        self.weights = weights[:4], weights[4:]
        self.steps = _time_major(inputs[self.rows])
        self.real = _time_major(mask[self.rows])
        units = weights[1].shape[1]
        # a tile may reach beyond the gates, where the units aren't a multiple of four
        gates = 4 * units + -4 * units % _TILE
        self.hidden = self.steps.new_empty(2, *self.real.shape, units)
        self.gates = self.steps.new_empty(2, *self.real.shape, gates)
        self.cells, self.squashed = self.steps.new_empty(2, 2, *self.real.shape, units)

    @property
    def outputs(self) -> Tensor:
        """(batch, length, 2H)."""
        return self.hidden[:, :, : self.size].permute(2, 1, 0, 3).flatten(2)

    def forward(self, side: int) -> None:
        """Fills the outputs' half of a side, and keeps what the way back needs."""
        from ner_registry.nn.kernels import lstm as kernels

        kernels.forward(
            *_arrays(self.steps, self.real, *self.weights[side]),
            *_arrays(self.gates[side], self.cells[side], self.squashed[side], self.hidden),
            side,
        )

    def backward(self, side: int, grad: Tensor) -> tuple[Tensor, ...]:
        """Gradients of the inputs, (batch, length, width), and of the side's four weights.

        Args:
            side: 0 or 1.
            grad: (2, length, batch, H), of the outputs.
        """
        from ner_registry.nn.kernels import lstm as kernels

        weight_ih, weight_hh, bias, _ = self.weights[side]
        width = self.steps.shape[2]
        inputs = self.steps.new_zeros(*self.real.shape, width + -width % _TILE)
        found = torch.empty_like(weight_ih), torch.empty_like(weight_hh), torch.empty_like(bias)
        kernels.backward(
            *_arrays(grad, self.steps, self.real, weight_ih, weight_hh),
            *_arrays(self.gates[side], self.cells[side], self.squashed[side], self.hidden),
            side,
            *_arrays(inputs, *found),
        )
        return inputs[:, : self.size, :width].transpose(0, 1), *found, found[2]


def _time_major(rows: Tensor) -> Tensor:
    """(batch, length, …) -> (length, batch, …), filled up with rows of zeros."""
    size, length, *rest = rows.shape
    padded = rows.new_zeros(length, size + -size % _ROWS, *rest)
    padded[:, :size] = rows.transpose(0, 1)
    return padded


def _arrays(*tensors: Tensor) -> Iterator[Any]:
    for tensor in tensors:
        yield tensor.detach().numpy()


def _shared(rows: int) -> Iterator[tuple[int, int]]:
    """How a batch is shared, where there are threads beyond one per direction."""
    count = max(1, min(thread_count() // 2, rows // _LEAST_SHARE))
    return pairwise(rows * share // count for share in range(count + 1))
