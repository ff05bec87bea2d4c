"""One direction of an LSTM over a padded batch, forwards and backwards through time.

Each kernel does all that its direction needs in one call, products of matrices included: were
they left to PyTorch, two directions side by side would wait for Python's lock at every one.

Shapes: B rows, a multiple of :data:`ner_registry.nn.kernels.tiles.ROWS`, T steps, D inputs,
H units. What only kernels see has time first, so that the rows of a step lie together. The four
gates of PyTorch's LSTM are side by side, 4H, in its order: input, forget, cell, output. Numbers
are float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled, fill, inner
from ner_registry.nn.kernels.tiles import (
    ROWS,
    add_product,
    columns,
    copy_columns,
    copy_rows,
    product,
)

Array = Any
TILE = columns(4)
_TOGETHER = 32  # rows of a product that stay in the cache beside the matrix
_SAMPLED = 16  # numbers that tell most rows apart
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio (Knuth's multiplicative hashing)
_HIGH = np.uint64(32)
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


# Loops over few arrays, since the compiler won't use vectors where too many might overlap, nor
# where two do.


@inner
def _sigmoids(values: Array) -> None:
    for place in range(values.shape[0]):
        values[place] = _ONE / (_ONE + _exp(-values[place]))


@inner
def _tanhs(values: Array) -> None:
    for place in range(values.shape[0]):
        values[place] = _TWO / (_ONE + _exp(-_TWO * values[place])) - _ONE


@inner
def _update(gates: Array, previous: Array, cell: Array) -> None:
    """What the forget gate leaves of a row's state, and what the input gate adds."""
    units = cell.shape[0]
    ingates, forgets, inputs = gates[:units], gates[units : 2 * units], gates[2 * units :]
    for unit in range(units):
        cell[unit] = forgets[unit] * previous[unit] + ingates[unit] * inputs[unit]


@inner
def _packed(rows: Array, first: int, width: int) -> Any:
    """Columns from ``first`` on of rows (B, T, …), step by step, as a matrix (T * B, width).

    It is given in panels (panels, T * B, TILE), the last one filled up with 0.
    """
    size, length = rows.shape[:2]
    panels = (width + TILE - 1) // TILE
    packed = np.zeros((panels, length * size, TILE), np.float32)
    full = width // TILE
    for row in range(size):
        for step in range(length):
            place = step * size + row
            begin = (row * length + step) * rows.shape[2] + first
            for panel in range(full):
                there = (panel * length * size + place) * TILE
                copy_columns(rows, begin + panel * TILE, packed, there)
            for column in range(width - full * TILE):
                packed[full, place, column] = rows[row, step, first + full * TILE + column]
    return packed


@inner
def _packed_transpose(matrix: Array) -> Any:
    """The transpose of a matrix (columns, steps), in such panels."""
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
    left: Array,
    at: int,
    row: int,
    packed: Array,
    total: Array,
    total_at: int,
    total_row: int,
    rows: int,
) -> None:
    """Adds ``left`` (rows, steps) times a packed matrix to ``total``.

    Rows of ``left`` begin at ``at`` and lie ``row`` numbers apart, those of ``total`` likewise.
    """
    steps = packed.shape[1]
    for panel in range(packed.shape[0]):
        right = panel * steps * TILE
        for first in range(0, rows, ROWS):
            there = total_at + first * total_row + panel * TILE
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
            product(left, at, 1, ROWS, packed, right, TILE, steps, tile, 0, TILE)
            for row in range(ROWS):
                for column in range(width):
                    total[number * ROWS + row, panel * TILE + column] = tile[row, column]


@inner
def _is_alike(one: Array, other: Array) -> bool:
    differs = np.uint32(0)
    for place in range(one.shape[0]):
        differs |= one[place] ^ other[place]
    return bool(differs == 0)


@compiled
def distinct(inputs: Array, mask: Array, places: Array, firsts: Array) -> int:
    """Tells which tokens have the same inputs, bit for bit, as those of one word have.

    Args:
        inputs: (B, T, D).
        mask: (B, T), bool.
        places: (B, T), int32, filled with the number of each token's inputs, from 0; 0 where
            there is none.
        firsts: (B * T,), int32, filled: where each of them stands first, as row * T + step.

    Returns:
        How many different ones there are.
    """
    size, length, depth = inputs.shape
    bits = inputs.view(np.uint32)
    slots = 1
    while slots < 2 * size * length:
        slots *= 2
    number_in = np.empty(slots, np.int32)
    fill(number_in, -1)
    stride = max(1, depth // _SAMPLED)
    count = 0
    for row in range(size):
        for step in range(length):
            places[row, step] = 0
            if not mask[row, step]:
                continue
            mixed = np.uint64(0)
            for place in range(0, depth, stride):
                mixed = (mixed ^ np.uint64(bits[row, step, place])) * _MIX
            slot = np.int64(mixed >> _HIGH) & (slots - 1)
            number = number_in[slot]
            while number >= 0 and not _is_alike(
                bits[firsts[number] // length, firsts[number] % length], bits[row, step]
            ):
                slot = (slot + 1) & (slots - 1)
                number = number_in[slot]
            if number < 0:
                number = number_in[slot] = count
                firsts[number] = row * length + step
                count += 1
            places[row, step] = number
    return count


@compiled
def project(
    inputs: Array,
    firsts: Array,
    weight_ih: Array,
    bias_ih: Array,
    bias_hh: Array,
    projected: Array,
) -> None:
    """What some tokens' inputs add to the gates, biases included.

    Args:
        inputs: (B, T, D).
        firsts: (N,), int32, the tokens, as row * T + step.
        weight_ih: (4H, D).
        bias_ih: (4H,).
        bias_hh: (4H,).
        projected: (N or more, a multiple of ROWS; a multiple of TILE, 4H or more), filled.
    """
    length, depth = inputs.shape[1:]
    width = projected.shape[1]
    packed = _packed_transpose(weight_ih)
    read = np.zeros((_TOGETHER, depth), np.float32)
    for begin in range(0, projected.shape[0], _TOGETHER):
        rows = min(_TOGETHER, projected.shape[0] - begin)
        for row in range(min(rows, firsts.shape[0] - begin)):
            first = firsts[begin + row]
            for place in range(depth):
                read[row, place] = inputs[first // length, first % length, place]
        for row in range(rows):
            for gate in range(width):
                is_real = gate < bias_ih.shape[0]
                projected[begin + row, gate] = bias_ih[gate] + bias_hh[gate] if is_real else 0
        _multiply(read, 0, depth, packed, projected, begin * width, width, rows)


@compiled
def forward(
    inputs: Array,
    mask: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    places: Array,
    projected: Array,
    gates: Array,
    cells: Array,
    squashed: Array,
    outputs: Array,
    side: int,
) -> None:
    """Reads the sentence, forwards for side 0 and backwards for side 1.

    Where nothing is kept for the way back, a few rows at a time are read to their end, so that
    what a step needs stays in the cache.

    Args:
        inputs: (B, T, D).
        mask: (B, T), bool; a row's state is zero wherever it isn't.
        weight_ih: (4H, D).
        weight_hh: (4H, H).
        bias_ih: (4H,).
        bias_hh: (4H,).
        places: (B, T), int32, as :func:`distinct` gives them; or empty.
        projected: as :func:`project` gives it for them; or empty: it is worked out token by token.
        gates: (T, B, a multiple of TILE, 4H or more), filled with the gates' values; or of one
            step and fewer rows, a multiple of ROWS, where nothing is kept.
        cells: (T, B, H), filled with the cells' states; or of two steps and those rows.
        squashed: (T, B, H), filled with their hyperbolic tangents; or of one step and those.
        outputs: (B, T, 2H), whose half of this side is filled.
        side: 0 or 1.
    """
    size, length, depth = inputs.shape
    units = weight_hh.shape[1]
    kept, together, width = gates.shape
    bias = np.zeros(width, np.float32)
    for gate in range(4 * units):
        bias[gate] = bias_ih[gate] + bias_hh[gate]
    is_projected = projected.shape[0] > 0
    of_inputs = _packed_transpose(weight_ih[:0] if is_projected else weight_ih)
    of_outputs = _packed_transpose(weight_hh)
    # what a step reads, close together: rows as far apart as a batch has them evict each other
    read, left = np.empty((together, depth), np.float32), np.empty((together, units), np.float32)
    zeros = np.zeros(units, np.float32)
    for first in range(0, size, together):
        rows = min(together, size - first)
        longest = 0
        for row in range(first, first + rows):
            for step in range(length):
                longest = max(longest, step + 1 if mask[row, step] else 0)
            for step in range(longest, length):
                fill(outputs[row, step, side * units : (side + 1) * units], 0)
        for step in range(longest):
            now = longest - 1 - step if side else step
            before = now + 1 if side else now - 1
            of_step, cells_now = gates[now % kept], cells[now % cells.shape[0]]
            cells_before = cells[before % cells.shape[0]]
            there = (now % kept) * together * width
            if is_projected:
                for row in range(rows):
                    place = places[first + row, now]
                    for gate in range(width):
                        of_step[row, gate] = projected[place, gate]
            else:
                for row in range(rows):
                    for gate in range(width):
                        of_step[row, gate] = bias[gate]
                    for place in range(depth):
                        read[row, place] = inputs[first + row, now, place]
                _multiply(read, 0, depth, of_inputs, gates, there, width, rows)
            if step:
                _multiply(left, 0, units, of_outputs, gates, there, width, rows)
            for row in range(rows):
                cell = cells_now[row]
                output = outputs[first + row, now, side * units : (side + 1) * units]
                if not mask[first + row, now]:
                    fill(cell, 0)
                    fill(output, 0)
                    fill(left[row], 0)
                    continue
                of_row, tanh = of_step[row], squashed[now % kept, row]
                _sigmoids(of_row[: 2 * units])
                _tanhs(of_row[2 * units : 3 * units])
                _sigmoids(of_row[3 * units : 4 * units])
                _update(of_row, cells_before[row] if step else zeros, cell)
                for unit in range(units):
                    tanh[unit] = cell[unit]
                _tanhs(tanh)
                outgates = of_row[3 * units : 4 * units]
                for unit in range(units):
                    output[unit] = left[row, unit] = outgates[unit] * tanh[unit]


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
    grad_outputs: Array,
    inputs: Array,
    mask: Array,
    weight_ih: Array,
    weight_hh: Array,
    gates: Array,
    cells: Array,
    squashed: Array,
    outputs: Array,
    side: int,
    grad_inputs: Array,
    grad_weight_ih: Array,
    grad_weight_hh: Array,
    grad_bias: Array,
) -> None:
    """The way back.

    Args:
        grad_outputs: (B, T, 2H).
        inputs: as :func:`forward` was given it.
        mask: likewise.
        weight_ih: likewise.
        weight_hh: likewise.
        gates: as :func:`forward` left it, for all steps.
        cells: likewise.
        squashed: likewise.
        outputs: likewise.
        side: 0 or 1.
        grad_inputs: (B, T, a multiple of TILE, D or more), filled.
        grad_weight_ih: (4H, D), filled.
        grad_weight_hh: (4H, H), filled.
        grad_bias: (4H,), filled, for either bias.
    """
    size, length, depth = inputs.shape
    units = weight_hh.shape[1]
    grad_gates = np.empty((length, size, 4 * units), np.float32)
    packed = _packed(weight_hh.reshape(4 * units, 1, units), 0, units)
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
            at, row_length = after * size * 4 * units, 4 * units
            _multiply(grad_gates, at, row_length, packed, carried, 0, carried.shape[1], size)
        for row in range(size):
            grads, grad_state = grad_gates[now, row], grad_cell[row]
            if not mask[row, now]:
                fill(grads, 0)
                fill(grad_state, 0)
                continue
            is_first = step == length - 1 or not mask[row, before]
            previous = zeros if is_first else cells[before, row]
            from_above = grad_outputs[row, now, side * units : (side + 1) * units]
            _differentiate(
                gates[now, row], squashed[now, row], previous, from_above, carried[row],
                grad_state, grads,
            )  # fmt: skip

    rows, width = length * size, grad_inputs.shape[2]
    packed = _packed(weight_ih.reshape(4 * units, 1, depth), 0, depth)
    fill(grad_inputs, 0)
    for step in range(length):
        at, there = step * size * 4 * units, step * width
        _multiply(grad_gates, at, 4 * units, packed, grad_inputs, there, length * width, size)
    flat = grad_gates.reshape(rows, 4 * units)
    panels = np.empty((units, rows, ROWS), np.float32)
    fill(grad_bias, 0)
    for row in range(rows):
        for gate in range(4 * units):
            grad_bias[gate] += flat[row, gate]
    # a few rows at a time, so that what is read and what is written stays in the cache
    for first in range(0, rows, ROWS):
        for panel in range(units):
            for row in range(first, first + ROWS):
                copy_rows(flat, (row * units + panel) * ROWS, panels, (panel * rows + row) * ROWS)
    packed = _packed(inputs, 0, depth)
    _multiply_transposed(panels, packed, 0, 0, rows, grad_weight_ih)
    # each step's gates were given what the step read before it left
    packed = _packed(outputs, side * units, units)
    later, earlier = (0, size) if side else (size, 0)
    _multiply_transposed(panels, packed, later, earlier, rows - size, grad_weight_hh)
