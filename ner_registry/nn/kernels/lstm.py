"""One direction of an LSTM over a padded batch, forwards and backwards through time.

Each kernel does all that its direction needs in one call, products of matrices included: were
they left to PyTorch, two directions side by side would wait for Python's lock at every one.

Shapes: T steps, B rows, a multiple of :data:`ner_registry.nn.kernels.tiles.ROWS`, D inputs,
H units; the four gates of PyTorch's LSTM are side by side, 4H, in its order: input, forget, cell,
output. Numbers are float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled, fill, inner
from ner_registry.nn.kernels.tiles import ROWS, add_product, columns

Array = Any
TILE = columns(4)
_ONE, _TWO = np.float32(1), np.float32(2)
_LEAST, _MOST = np.float32(-87), np.float32(88)  # where exp leaves float32
_LOG2_E = np.float32(1.44269504)
_LOG_2_HIGH, _LOG_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_C2, _C3, _C4 = np.float32(0.5), np.float32(0.166666655), np.float32(4.16657959e-2)
_C5, _C6, _C7 = np.float32(8.33345205e-3), np.float32(1.39819994e-3), np.float32(1.98756912e-4)
_HALF = np.float32(0.5)


@inner
def _exp(x: np.float32) -> Any:
    """The exponential, by its series around the nearest power of two, to float32's accuracy.

    The mathematical library's takes one number at a time; this the compiler does for eight.
    """
    # written so that NaN stays NaN
    x = _LEAST if x < _LEAST else x
    x = _MOST if x > _MOST else x
    whole = np.floor(x * _LOG2_E + _HALF)
    rest = x - whole * _LOG_2_HIGH - whole * _LOG_2_LOW
    series = _C7
    series = series * rest + _C6
    series = series * rest + _C5
    series = series * rest + _C4
    series = series * rest + _C3
    series = series * rest + _C2
    series = series * rest * rest + rest + _ONE
    power = (np.int32(whole) + np.int32(127)) << np.int32(23)
    return series * np.int32(power).view(np.float32)


# Loops over few arrays, since the compiler won't use vectors where too many might overlap.


@inner
def _sigmoids(values: Array) -> None:
    for place in range(values.shape[0]):
        values[place] = _ONE / (_ONE + _exp(-values[place]))


@inner
def _tanhs(values: Array, results: Array) -> None:
    for place in range(values.shape[0]):
        results[place] = _TWO / (_ONE + _exp(-_TWO * values[place])) - _ONE


@inner
def _update(gates: Array, previous: Array, cell: Array) -> None:
    """What the forget gate leaves of a row's state, and what the input gate adds."""
    units = cell.shape[0]
    ingates, forgets, inputs = gates[:units], gates[units : 2 * units], gates[2 * units :]
    for unit in range(units):
        cell[unit] = forgets[unit] * previous[unit] + ingates[unit] * inputs[unit]


@inner
def _packed(matrix: Array) -> Any:
    """A matrix (steps, columns) in panels (panels, steps, TILE), the last one filled up with 0."""
    steps, count = matrix.shape
    panels = (count + TILE - 1) // TILE
    packed = np.zeros((panels, steps, TILE), np.float32)
    for panel in range(panels):
        for step in range(steps):
            for column in range(min(TILE, count - panel * TILE)):
                packed[panel, step, column] = matrix[step, panel * TILE + column]
    return packed


@inner
def _packed_transpose(matrix: Array) -> Any:
    """The same of the transpose of a matrix (columns, steps)."""
    count, steps = matrix.shape
    panels = (count + TILE - 1) // TILE
    packed = np.zeros((panels, steps, TILE), np.float32)
    for column in range(count):
        panel, place = column // TILE, column % TILE
        for step in range(steps):
            packed[panel, step, place] = matrix[column, step]
    return packed


@inner
def _multiply(
    left: Array, at: int, packed: Array, total: Array, total_at: int, total_row: int, rows: int
) -> None:
    """Adds ``left`` (rows, steps), from ``at`` on, times a packed matrix to ``total``.

    The rows of ``left`` lie as far apart as its last dimension is long, those of ``total`` as far
    as ``total_row`` says.
    """
    row, steps = left.shape[-1], packed.shape[1]
    for panel in range(packed.shape[0]):
        for first in range(0, rows, ROWS):
            there = total_at + first * total_row + panel * TILE
            right = panel * steps * TILE
            add_product(
                left, at + first * row, row, 1, packed, right, TILE, steps, total, there, total_row
            )


@inner
def _multiply_transposed(
    left: Array, packed: Array, left_first: int, first: int, steps: int, total: Array
) -> None:
    """Fills ``total`` (rows, columns) with the transpose of a matrix times a packed one.

    Args:
        left: (rows / ROWS, depth, ROWS), the matrix, (depth, rows), in panels.
        packed: (panels, depth, TILE).
        left_first: of the rows of ``left``'s matrix, the first to take.
        first: of those of the packed one, likewise.
        steps: how many to take.
        total: (rows, columns).
    """
    depth = packed.shape[1]
    tile = np.empty((ROWS, TILE), np.float32)
    for number in range(left.shape[0]):
        at = (number * depth + left_first) * ROWS
        for panel in range(packed.shape[0]):
            width = min(TILE, total.shape[1] - panel * TILE)
            right = (panel * depth + first) * TILE
            fill(tile, 0)
            add_product(left, at, 1, ROWS, packed, right, TILE, steps, tile, 0, TILE)
            for row in range(ROWS):
                for column in range(width):
                    total[number * ROWS + row, panel * TILE + column] = tile[row, column]


@compiled
def forward(
    steps: Array,
    real: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    gates: Array,
    cells: Array,
    squashed: Array,
    hidden: Array,
    side: int,
) -> None:
    """Reads the sentence, forwards for side 0 and backwards for side 1.

    Args:
        steps: (T, B, D), the inputs.
        real: (T, B), bool; a row's state is zero wherever it isn't.
        weight_ih: (4H, D).
        weight_hh: (4H, H).
        bias_ih: (4H,).
        bias_hh: (4H,).
        gates: (T, B, a multiple of TILE, 4H or more), filled with the gates' values.
        cells: (T, B, H), filled with the cells' states.
        squashed: (T, B, H), filled with their hyperbolic tangents.
        hidden: (2, T, B, H), whose half of this side is filled with the outputs.
        side: 0 or 1.
    """
    length, size, units = cells.shape
    width = gates.shape[2]
    bias = np.zeros(width, np.float32)
    for gate in range(4 * units):
        bias[gate] = bias_ih[gate] + bias_hh[gate]
    of_inputs, of_hidden = _packed_transpose(weight_ih), _packed_transpose(weight_hh)
    zeros = np.zeros(units, np.float32)
    for step in range(length):
        now = length - 1 - step if side else step
        before = now + 1 if side else now - 1
        there = now * size * width
        for row in range(size):
            for gate in range(width):
                gates[now, row, gate] = bias[gate]
        _multiply(steps, now * size * steps.shape[2], of_inputs, gates, there, width, size)
        if step:
            at = (side * length + before) * size * units
            _multiply(hidden, at, of_hidden, gates, there, width, size)
        for row in range(size):
            cell, output = cells[now, row], hidden[side, now, row]
            if not real[now, row]:
                fill(cell, 0)
                fill(output, 0)
                continue
            of_row = gates[now, row]
            _sigmoids(of_row[: 2 * units])
            _tanhs(of_row[2 * units : 3 * units], of_row[2 * units : 3 * units])
            _sigmoids(of_row[3 * units : 4 * units])
            previous = cells[before, row] if step else zeros
            _update(of_row, previous, cell)
            tanh, outgates = squashed[now, row], of_row[3 * units : 4 * units]
            _tanhs(cell, tanh)
            for unit in range(units):
                output[unit] = outgates[unit] * tanh[unit]


@inner
def _differentiate(
    gates: Array,
    tanh: Array,
    previous: Array,
    from_above: Array,
    from_later: Array,
    grad_state: Array,
    grads: Array,
) -> None:
    """The gradient of a row's gates at a step, and what its state passes on to the step before."""
    units = tanh.shape[0]
    ingates, forgets = gates[:units], gates[units : 2 * units]
    inputs, outgates = gates[2 * units : 3 * units], gates[3 * units : 4 * units]
    to_in, to_forget = grads[:units], grads[units : 2 * units]
    to_input, to_out = grads[2 * units : 3 * units], grads[3 * units :]
    for unit in range(units):
        ingate, forget, new = ingates[unit], forgets[unit], inputs[unit]
        outgate, tanh_state = outgates[unit], tanh[unit]
        output = from_above[unit] + from_later[unit]
        state = grad_state[unit] + output * outgate * (_ONE - tanh_state * tanh_state)
        to_out[unit] = output * tanh_state * outgate * (_ONE - outgate)
        to_in[unit] = state * new * ingate * (_ONE - ingate)
        to_input[unit] = state * ingate * (_ONE - new * new)
        to_forget[unit] = state * previous[unit] * forget * (_ONE - forget)
        grad_state[unit] = state * forget


@compiled
def backward(
    grad_hidden: Array,
    steps: Array,
    real: Array,
    weight_ih: Array,
    weight_hh: Array,
    gates: Array,
    cells: Array,
    squashed: Array,
    hidden: Array,
    side: int,
    grad_steps: Array,
    grad_weight_ih: Array,
    grad_weight_hh: Array,
    grad_bias: Array,
) -> None:
    """The way back.

    Args:
        grad_hidden: (2, T, B, H), the gradient of the outputs.
        steps: as :func:`forward` was given it.
        real: likewise.
        weight_ih: likewise.
        weight_hh: likewise.
        gates: as :func:`forward` left it.
        cells: likewise.
        squashed: likewise.
        hidden: likewise.
        side: 0 or 1.
        grad_steps: (T, B, a multiple of TILE, D or more), zeros, to which the inputs' gradient
            is added.
        grad_weight_ih: (4H, D), filled.
        grad_weight_hh: (4H, H), filled.
        grad_bias: (4H,), filled, for either bias.
    """
    length, size, units = cells.shape
    grad_gates = np.empty((length, size, 4 * units), np.float32)
    packed = _packed(weight_hh)
    grad_cell = np.zeros((size, units), np.float32)
    # as wide as the packed panels
    carried = np.zeros((size, packed.shape[0] * TILE), np.float32)
    zeros = np.zeros(units, np.float32)
    for step in range(length):
        now = step if side else length - 1 - step
        before = now + 1 if side else now - 1
        after = now - 1 if side else now + 1
        if step:
            fill(carried, 0)
            at = after * size * 4 * units
            _multiply(grad_gates, at, packed, carried, 0, carried.shape[1], size)
        for row in range(size):
            grads, grad_state = grad_gates[now, row], grad_cell[row]
            if not real[now, row]:
                fill(grads, 0)
                fill(grad_state, 0)
                continue
            previous = zeros if step == length - 1 else cells[before, row]
            from_above = grad_hidden[side, now, row]
            _differentiate(
                gates[now, row], squashed[now, row], previous, from_above, carried[row],
                grad_state, grads,
            )  # fmt: skip

    rows = length * size
    flat = grad_gates.reshape(rows, 4 * units)
    packed = _packed(weight_ih)
    _multiply(grad_gates, 0, packed, grad_steps, 0, grad_steps.shape[2], rows)
    panels = np.empty((units, rows, ROWS), np.float32)
    fill(grad_bias, 0)
    for row in range(rows):
        for gate in range(4 * units):
            grad_bias[gate] += flat[row, gate]
        for panel in range(units):
            for place in range(ROWS):
                panels[panel, row, place] = flat[row, panel * ROWS + place]
    packed = _packed(steps.reshape(rows, steps.shape[2]))
    _multiply_transposed(panels, packed, 0, 0, rows, grad_weight_ih)
    # each step's gates were given what the step read before it left
    packed = _packed(hidden[side].reshape(rows, units))
    later, earlier = (0, size) if side else (size, 0)
    _multiply_transposed(panels, packed, later, earlier, rows - size, grad_weight_hh)
