"""Adam's steps for the rows of a table that are owed some.

Shapes: N rows of W numbers, float32.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled

Array = Any


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
    apart: int,
    memory: int,
) -> None:
    """Takes the steps that rows are owed, in each of which their gradient was zero.

    Such a step moves a row by what is left of its mean gradient, and shrinks both means. Steps
    beyond the first few dozen weigh so little together that taking them as one, with the mean
    of their epsilons, changes nothing but the rounding.

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
        apart: how many steps to take one by one.
        memory: steps after which what is left of a mean moves nothing any more.
    """
    width = weight.shape[1]
    root_decay = sqrt(betas[1])
    root = np.empty(width, np.float32)
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
        if has_moved:
            share_mean, share_root = 1.0, 1.0
            by, epsilon = 0.0, 0.0
            before = first
            stop = min(last, first + memory)
            for step in range(first + 1, stop + 1):
                share_mean *= betas[0]
                share_root *= root_decay
                # a step is rate * share_mean * mean / (share_root * root + epsilon)
                rate = rates[step] * share_mean / share_root
                by += rate
                epsilon += rate * epsilons[step] / share_root
                if step - first > apart and step < stop:
                    continue
                factor, added = np.float32(by), np.float32(epsilon / by)
                kept = np.float32(exp(decays[step] - decays[before]))
                for place in range(width):
                    move = factor * of_mean[place] / (root[place] + added)
                    of_weight[place] = kept * of_weight[place] - move
                by, epsilon = 0.0, 0.0
                before = step
            left_of_mean = np.float32(betas[0] ** (last - first))
            left_of_square = np.float32(betas[1] ** (last - first))
            for place in range(width):
                of_mean[place] *= left_of_mean
                of_square[place] *= left_of_square
            first = before
        if decays[last] != decays[first]:
            kept = np.float32(exp(decays[last] - decays[first]))
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
