"""Products of small matrices that another kernel can call.

A recurrence multiplies a few dozen rows by the same matrix at every step. A BLAS would pack that
matrix anew each time and can't be called from within a kernel; this reaches the machine's speed
on it (105 GFLOP/s where MKL gets 80, one core of an AMD EPYC of the fourth generation).

LLVM is told the vectors by hand, because it won't keep a tile of sums in registers by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

ROWS = 4  # of a tile; with two vectors a row, the sums, factors and one more fill 11 registers
_ROW_BYTES = 64
# one vector of AVX-512 is a tenth faster than two of AVX2; narrower registers take one in parts
_VECTOR_BYTES = 64 if get_host_cpu_features().get("avx512f") else 32
_VECTORS = _ROW_BYTES // _VECTOR_BYTES
_INDEX = ir.IntType(64)


def columns(itemsize: int) -> int:
    """How many columns a tile has, for numbers of so many bytes."""
    return _ROW_BYTES // itemsize


def _add_product(builder: Any, factor: Any, other: Any, total: Any) -> Any:
    product = builder.fmul(factor, other, flags=["contract"])
    return builder.fadd(total, product, flags=["contract"])


def _max_sum(builder: Any, term: Any, other: Any, total: Any) -> Any:
    value = builder.fadd(term, other)
    return builder.select(builder.fcmp_ordered(">", value, total), value, total)


def _tile(update: Callable[[Any, Any, Any, Any], Any], held: float | None = None) -> Any:
    """Code that brings a tile, or one full of a number, up to date, step after step."""

    @intrinsic
    def of_arrays(
        context: Any,
        left: Any,
        left_at: Any,
        left_row: Any,
        left_step: Any,
        right: Any,
        right_at: Any,
        right_step: Any,
        steps: Any,
        total: Any,
        total_at: Any,
        total_row: Any,
    ) -> tuple[Signature, Any]:
        number, place = left.dtype, types.intp
        signature = types.void(left, *[place] * 3, right, *[place] * 2, place, total, *[place] * 2)
        width = _VECTOR_BYTES * 8 // number.bitwidth

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            vector = ir.VectorType(context.get_value_type(number), width)
            starts = range(0, _VECTORS * width, width)
            left_row, left_step = arguments[2:4]
            right_step, steps, total_row = arguments[6], arguments[7], arguments[10]

            def pointer(index: int) -> Any:
                kind = context.make_array(signature.args[index])
                array = kind(context, builder, arguments[index])
                return builder.gep(array.data, [arguments[index + 1]])

            lefts, rights, totals = pointer(0), pointer(4), pointer(8)

            def vector_at(base: Any, offset: Any, column: int) -> Any:
                place = builder.gep(base, [builder.add(offset, _INDEX(column))])
                return builder.bitcast(place, vector.as_pointer())

            def loaded(place: Any) -> Any:
                value = builder.load(place)
                value.align = number.bitwidth // 8
                return value

            def spread(value: Any) -> Any:
                empty = ir.Constant(vector, ir.Undefined)
                single = builder.insert_element(empty, value, ir.IntType(32)(0))
                order = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
                return builder.shuffle_vector(single, empty, order)

            places = [
                vector_at(totals, builder.mul(total_row, _INDEX(row)), column)
                for row in range(ROWS)
                for column in starts
            ]
            if held is None:
                before = [loaded(place) for place in places]
            else:
                before = [ir.Constant(vector, [held] * width)] * len(places)
            entry = builder.block
            loop, end = builder.append_basic_block("step"), builder.append_basic_block("end")
            builder.cbranch(builder.icmp_signed("<", steps, _INDEX(1)), end, loop)

            builder.position_at_end(loop)
            step = builder.phi(_INDEX)
            sums = [builder.phi(vector) for _ in before]
            base = builder.mul(step, right_step)
            others = [loaded(vector_at(rights, base, column)) for column in starts]
            after = []
            for row in range(ROWS):
                at = builder.add(builder.mul(left_row, _INDEX(row)), builder.mul(step, left_step))
                factor = spread(builder.load(builder.gep(lefts, [at])))
                of_row = sums[row * _VECTORS : (row + 1) * _VECTORS]
                after += [
                    update(builder, factor, other, total)
                    for other, total in zip(others, of_row, strict=True)
                ]
            following = builder.add(step, _INDEX(1))
            builder.cbranch(builder.icmp_signed("<", following, steps), loop, end)
            step.add_incoming(_INDEX(0), entry)
            step.add_incoming(following, loop)

            builder.position_at_end(end)
            results = [builder.phi(vector) for _ in before]
            for start, new, total, result in zip(before, after, sums, results, strict=True):
                for value in (total, result):
                    value.add_incoming(start, entry)
                    value.add_incoming(new, loop)
            for place, result in zip(places, results, strict=True):
                builder.store(result, place).align = number.bitwidth // 8
            return context.get_dummy_value()

        return signature, generate

    return of_arrays


add_product = _tile(_add_product)
"""Adds a product to a tile of :data:`ROWS` by :func:`columns` numbers.

``add_product(left, left_at, left_row, left_step, right, right_at, right_step, steps, total,
total_at, total_row)`` does ``total[r, c] += left[r, k] * right[k, c]`` for every ``k < steps``,
where the numbers lie, counted in memory from the array's first, at ``total_at + r * total_row +
c``, ``left_at + r * left_row + k * left_step`` and ``right_at + k * right_step + c``. All three
arrays have one type, float32 or float64.
"""

product = _tile(_add_product, 0.0)
"""The same, but that what the tile held doesn't count."""

max_sum = _tile(_max_sum, -inf)
"""The same as that with ``total[r, c] = max(left[r, k] + right[k, c])`` over ``k``."""


def _copy(count: Callable[[int], int]) -> Any:
    """Code that copies so many numbers, of so many bytes each."""

    @intrinsic
    def of_arrays(
        context: Any, source: Any, source_at: Any, target: Any, target_at: Any
    ) -> tuple[Signature, Any]:
        number, place = source.dtype, types.intp

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            itemsize = number.bitwidth // 8
            vector = ir.VectorType(context.get_value_type(number), count(itemsize))

            def vector_at(index: int) -> Any:
                kind = context.make_array(signature.args[index])
                array = kind(context, builder, arguments[index])
                at = builder.gep(array.data, [arguments[index + 1]])
                return builder.bitcast(at, vector.as_pointer())

            value = builder.load(vector_at(0))
            value.align = itemsize
            builder.store(value, vector_at(2)).align = itemsize
            return context.get_dummy_value()

        return types.void(source, place, target, place), generate

    return of_arrays


copy_columns = _copy(columns)
"""``copy_columns(source, source_at, target, target_at)`` copies a row of a tile.

In a loop the compiler would take its numbers one by one, since the two arrays might overlap. Both
have one type; where the numbers lie is counted as for :data:`add_product`.
"""

copy_rows = _copy(lambda _: ROWS)
"""The same for a column."""
