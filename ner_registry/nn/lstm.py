"""A bidirectional LSTM layer on a CPU: both directions at once, each a kernel of its own.

PyTorch's LSTM does one direction after the other, and on a CPU prepares itself anew for every
shape of batch (20 ms each, and there are dozens of lengths in a corpus). With one thread this
takes two thirds of its time, with two half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ner_registry.nn.kernels import HAS_NUMBA, as_array
from ner_registry.nn.threads import side_by_side, thread_count

_ROWS, _TILE = 4, 16  # rows and columns that kernels take at a time, as tiles.py has them
_TOGETHER = 32  # rows whose gates at one step a core's cache holds beside the weights
_LEAST_SHARE = 8  # rows: below, the weights' gradients cost more than the rows
_FEW = 256  # tokens: so few repeat little
_WORTH_A_LOOK_UP = 0.75  # of the tokens, inputs that are different
_NONE: tuple[Any, Any] = np.zeros((0, 0), np.int32), np.zeros(0, np.int32)


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

    Raises:
        ValueError: the inputs' shape isn't that of the mask and the weights, which kernels trust.
    """
    expected = (*mask.shape, ahead.input_size)
    if inputs.shape != expected:
        raise ValueError(
            f"expected inputs (batch, length, width) {expected}, got {(*inputs.shape,)}"
        )
    weights = [*_weights(ahead), *_weights(back)]
    keeps = torch.is_grad_enabled() and any(t.requires_grad for t in (inputs, *weights))
    outputs: Tensor = _BidirectionalLstm.apply(  # type: ignore[no-untyped-call]  # of torch
        keeps, inputs, mask, *weights
    )
    return outputs


def _weights(layer: nn.LSTM) -> Iterator[Tensor]:
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        yield getattr(layer, name)


class _BidirectionalLstm(torch.autograd.Function):
    """Each direction of each share of the batch is a task of its own."""

    @staticmethod
    def forward(ctx: Any, keeps: bool, inputs: Tensor, mask: Tensor, *weights: Tensor) -> Tensor:
        ctx.size = len(inputs)
        saved = inputs, *weights
        inputs, mask = _filled_up(inputs), _filled_up(mask)
        outputs = inputs.new_empty(*mask.shape, 2 * weights[1].shape[1])
        arrays = [as_array(tensor) for tensor in weights]
        ctx.shares = [
            _Share(inputs[rows], mask[rows], outputs[rows], arrays, keeps=keeps)
            for rows in _shared(len(inputs))
        ]
        side_by_side([partial(share.forward, side) for side in (0, 1) for share in ctx.shares])
        outputs = outputs[: ctx.size]
        ctx.save_for_backward(*saved, outputs)
        return outputs

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        _ = ctx.saved_tensors  # raises where one of them, which shares read, was changed since
        shares: list[_Share] = ctx.shares
        rows = [len(share.mask) for share in shares]
        grads = _filled_up(grad).split(rows)
        width = shares[0].inputs.shape[2]
        # a tile may reach beyond the inputs
        of_inputs = grad.new_empty(2, sum(rows), grad.shape[1], width + -width % _TILE)
        found = side_by_side(
            [
                partial(share.backward, side, *parts)
                for side in (0, 1)
                for share, *parts in zip(shares, grads, of_inputs[side].split(rows), strict=True)
            ]
        )
        # each of the shape of its weight, summed in the order of the shares
        of_weights = [
            sum(parts[1:], start=parts[0])
            for of_side in (found[: len(shares)], found[len(shares) :])
            for parts in zip(*of_side, strict=True)
        ]
        ahead, back = of_inputs[:, : ctx.size, :, :width]
        return None, ahead + back, None, *of_weights


class _Share:
    """Some rows of a batch, from their inputs to their outputs and back.

    Args:
        inputs: (rows, length, width).
        mask: (rows, length).
        outputs: (rows, length, 2H), to be filled.
        weights: for each side, of inputs (4H, width) and of outputs (4H, H), and their biases.
        keeps: whether there will be a way back.
    """

    def __init__(
        self,
        inputs: Tensor,
        mask: Tensor,
        outputs: Tensor,
        weights: Sequence[Any],
        *,
        keeps: bool,
    ) -> None:
        self.inputs, self.mask, self.outputs = map(as_array, (inputs, mask, outputs))
        self.weights = weights[:4], weights[4:]
        # shape: (rows, length) and (different inputs,)
        self.places, self.firsts = _NONE if keeps else _repeats(self.inputs, self.mask)
        rows, length = mask.shape
        units = weights[1].shape[1]
        # a tile may reach beyond the gates, where the units aren't a multiple of four
        width = 4 * units + -4 * units % _TILE
        together = max(1, rows if keeps else min(rows, _TOGETHER))
        # made by PyTorch, whose memory begins where a vector register's does
        self.gates = as_array(inputs.new_empty(2, length if keeps else 1, together, width))
        self.cells = as_array(inputs.new_empty(2, length if keeps else 2, together, units))
        self.squashed = as_array(inputs.new_empty(2, length if keeps else 1, together, units))

    def forward(self, side: int) -> None:
        """Fills the outputs' half of a side, and keeps what the way back needs."""
        from ner_registry.nn.kernels import lstm as kernels

        weight_ih, weight_hh, bias_ih, bias_hh = self.weights[side]
        count = len(self.firsts)
        projected = np.empty((count + -count % _ROWS, self.gates.shape[3]), np.float32)
        if count:
            kernels.project(self.inputs, self.firsts, weight_ih, bias_ih, bias_hh, projected)
        kernels.forward(
            self.inputs, self.mask, weight_ih, weight_hh, bias_ih, bias_hh, self.places, projected,
            self.gates[side], self.cells[side], self.squashed[side], self.outputs, side,
        )  # fmt: skip

    def backward(self, side: int, grad: Tensor, of_inputs: Tensor) -> tuple[Tensor, ...]:
        """Gradients of the side's weights.

        Args:
            side: 0 or 1.
            grad: (rows, length, 2H), of the outputs.
            of_inputs: (rows, length, width or more), filled with those of the inputs.
        """
        from ner_registry.nn.kernels import lstm as kernels

        weight_ih, weight_hh, bias, _ = self.weights[side]
        found = tuple(grad.new_empty(weight.shape) for weight in (weight_ih, weight_hh, bias))
        kernels.backward(
            as_array(grad), self.inputs, self.mask, weight_ih, weight_hh,
            self.gates[side], self.cells[side], self.squashed[side], self.outputs, side,
            as_array(of_inputs), *map(as_array, found),
        )  # fmt: skip
        return *found, found[2]


def _repeats(inputs: Any, mask: Any) -> tuple[Any, Any]:
    """Which tokens have the same inputs, as the kernel gives them, if many do.

    Of 128 sentences' words half are repeated, and without dropout, in a first layer, a word is
    the same numbers each time: what they add to the gates is worked out once.
    """
    if mask.size < _FEW:
        return _NONE
    from ner_registry.nn.kernels import lstm as kernels

    places, firsts = np.empty(mask.shape, np.int32), np.empty(mask.size, np.int32)
    count = kernels.distinct(inputs, mask, places, firsts)
    is_worth_it = count <= _WORTH_A_LOOK_UP * int(mask.sum())
    return (places, firsts[:count]) if is_worth_it else _NONE


def _filled_up(rows: Tensor) -> Tensor:
    """With rows of zeros up to as many as kernels take."""
    missing = -len(rows) % _ROWS
    if missing:
        rows = torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])])
    return rows.contiguous()


def _shared(rows: int) -> Iterator[slice]:
    """How a batch is shared, where there are threads beyond one per direction."""
    count = max(1, min(thread_count() // 2, rows // _LEAST_SHARE))
    edges = [rows * share // count // _ROWS * _ROWS for share in range(count + 1)]
    return (slice(*ends) for ends in pairwise(edges))
