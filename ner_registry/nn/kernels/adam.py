"""Adam's steps for the rows of a table that are owed some.

Shapes: N rows of W numbers, float32.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled

Array = Any
_PART = 16  # of all steps so far: within one such part corrections, too, hardly change


@compiled
def catch_up(
    rows: Array,
    taken: Array,
    last: int,
    weight: Array,
    mean: Array,
    square: Array,
    rates: Array,
    epsilons: Array,
    decays: Array,
    betas: Array,
    together: int,
    most: int,
    memory: int,
) -> None:
    """Takes the steps that rows are owed, in each of which their gradient was zero.

    Such a step moves a row by what is left of its mean gradient, and shrinks both means. Of a
    few steps' moves the denominators hardly differ: they are taken as one, with the mean of their
    epsilons, which changes nothing but the rounding. Each group is as long as all before it, up
    to a bound, since later moves weigh less.

    Args:
        rows: which rows; one may stand there several times.
        taken: (N,), the last step that each row has taken; becomes ``last``.
        last: the step to catch up with.
        weight: (N, W).
        mean: (N, W), the running mean of the gradient.
        square: (N, W), that of its square.
        rates: for each step, the learning rate, both means' corrections included.
        epsilons: for each step, what is added to the root of ``square``, correction included.
        decays: for each step, the logarithm of what weight decay has left of a weight since the
            first one.
        betas: (2,), how much of the means a step keeps.
        together: how many steps the first group has.
        most: how many a group may have.
        memory: steps after which what is left of a mean moves nothing any more.
    """
    width = weight.shape[1]
    root = np.empty(width, np.float32)
    # a step is rate * left * mean / (root + epsilon * growth), so many steps after the first
    left, growth = np.empty(memory + 1), np.empty(memory + 1)
    for steps in range(memory + 1):
        growth[steps] = sqrt(betas[1]) ** -steps
        left[steps] = (betas[0] / sqrt(betas[1])) ** steps
    for row in rows:
        first = taken[row]
        if first == last:
            continue
        taken[row] = last
        of_weight, of_mean, of_square = weight[row], mean[row], square[row]
        has_moved = False
        for place in range(width):
            root[place] = np.sqrt(of_square[place])
            has_moved |= root[place] > 0
        before = first
        if has_moved:
            stop = min(last, first + memory)
            while before < stop:
                alike = min(max(together, before - first), most, before // _PART)
                end = min(stop, before + max(1, alike))
                by, epsilon = 0.0, 0.0
                for step in range(before + 1, end + 1):
                    # of a move, too, later decays leave only so much: exp, nearly
                    decay = decays[end] - decays[step]
                    rate = rates[step] * left[step - first] * (1 + decay * (1 + decay / 2))
                    by += rate
                    epsilon += rate * epsilons[step] * growth[step - first]
                kept = np.float32(exp(decays[end] - decays[before]))
                before = end
                # without a rate, as in a schedule's first step, there is no mean epsilon
                factor, added = np.float32(by), np.float32(epsilon / by if by else 1)
                for place in range(width):
                    move = factor * of_mean[place] / (root[place] + added)
                    of_weight[place] = kept * of_weight[place] - move
            left_of_mean = np.float32(betas[0] ** (last - first))
            left_of_square = np.float32(betas[1] ** (last - first))
            for place in range(width):
                of_mean[place] *= left_of_mean
                of_square[place] *= left_of_square
        if decays[last] != decays[before]:
            kept = np.float32(exp(decays[last] - decays[before]))
            for place in range(width):
                of_weight[place] *= kept


@compiled
def step(
    rows: Array,
    grads: Array,
    taken: Array,
    now: int,
    weight: Array,
    mean: Array,
    square: Array,
    rate: float,
    epsilon: float,
    kept: float,
    betas: Array,
) -> None:
    """One step of the rows that have a gradient.

    Args:
        rows: which rows, each of which has taken all steps before; each only once.
        grads: (rows, W).
        taken: (N,); becomes ``now``.
        now: the number of the step.
        weight: (N, W).
        mean: (N, W).
        square: (N, W).
        rate: as in :func:`catch_up`.
        epsilon: likewise.
        kept: what weight decay leaves of a weight.
        betas: (2,).
    """
    first, second = np.float32(betas[0]), np.float32(betas[1])
    gain_first, gain_second = np.float32(1 - betas[0]), np.float32(1 - betas[1])
    by, least, share = np.float32(rate), np.float32(epsilon), np.float32(kept)
    for number, row in enumerate(rows):
        taken[row] = now
        of_weight, of_mean, of_square, grad = weight[row], mean[row], square[row], grads[number]
        for place in range(weight.shape[1]):
            of_mean[place] = first * of_mean[place] + gain_first * grad[place]
            of_square[place] = second * of_square[place] + gain_second * grad[place] * grad[place]
            move = by * of_mean[place] / (np.sqrt(of_square[place]) + least)
            of_weight[place] = share * of_weight[place] - move
