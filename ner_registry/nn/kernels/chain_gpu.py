"""Sums over the paths of a linear chain, and its best path, on a GPU: a program per sentence.

In log space, each step's sums less their greatest: so nothing is lost to the length of a sentence,
and scores may be of any size or minus infinity. What is taken off adds up in float64, one number
per step, which a GPU made for float32 can spare.

Shapes: B sentences, T tokens, K tags, padded to a power of two with tags that no path enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

MOST_TAGS = 64  # a program holds K * K numbers, several times over


def _compiled(function: Callable[..., Any]) -> Any:
    return triton.jit(function)


@_compiled
def _less_greatest(sums: tl.tensor) -> tl.tensor:
    """Sums (K,) less their greatest, and that; unchanged where all are minus infinity."""
    top = tl.max(sums, 0)
    top = tl.where(top > float("-inf"), top, 0.0)
    return sums - top, top


@_compiled
def _log_sum(sums: tl.tensor) -> tl.tensor:
    """Log of the summed exponentials of (K,)."""
    less, top = _less_greatest(sums)
    return top + tl.log(tl.sum(tl.exp(less), 0))


@_compiled
def _log_sums(scores: tl.tensor, axis: tl.constexpr) -> tl.tensor:
    """The same along an axis of (K, K)."""
    top = tl.max(scores, axis)
    top = tl.where(top > float("-inf"), top, 0.0)
    return top + tl.log(tl.sum(tl.exp(scores - tl.expand_dims(top, axis)), axis))


@_compiled
def _row(rows: tl.tensor, at: tl.tensor, tags: tl.tensor, count: tl.constexpr) -> tl.tensor:
    """Row ``at`` of (rows, K), minus infinity beyond K."""
    return tl.load(rows + at * count + tags, tags < count, float("-inf"))


@_compiled
def _square(rows: tl.tensor, tags: tl.tensor, count: tl.constexpr) -> tl.tensor:
    """The matrix (K, K), minus infinity beyond K."""
    inside = (tags[:, None] < count) & (tags[None, :] < count)
    return tl.load(rows + tags[:, None] * count + tags[None, :], inside, float("-inf"))


@_compiled
def _forward(
    emissions: tl.tensor,
    moves: tl.tensor,
    first: tl.tensor,
    last: tl.tensor,
    alphas: tl.tensor,
    length: tl.tensor,
    tags: tl.tensor,
    count: tl.constexpr,
) -> tl.tensor:
    """Keeps the forward sums of a sentence, each step's less their greatest; the log-partition."""
    alpha, top = _less_greatest(first + _row(emissions, 0, tags, count))
    taken = top.to(tl.float64)
    tl.store(alphas + tags, alpha, tags < count)
    for step in range(1, length):
        sums = _log_sums(alpha[:, None] + moves, 0) + _row(emissions, step, tags, count)
        alpha, top = _less_greatest(sums)
        taken += top
        tl.store(alphas + step * count + tags, alpha, tags < count)
    tl.debug_barrier()  # what one thread has stored, others will load
    return taken + _log_sum(alpha + last)


@_compiled
def _log_likelihood(
    emissions: tl.tensor,
    transitions: tl.tensor,
    start: tl.tensor,
    end: tl.tensor,
    lengths: tl.tensor,
    gold: tl.tensor,
    alphas: tl.tensor,
    likelihoods: tl.tensor,
    of_emissions: tl.tensor,
    of_steps: tl.tensor,
    longest: tl.tensor,
    count: tl.constexpr,
    width: tl.constexpr,
) -> None:
    sentence = tl.program_id(0).to(tl.int64)
    tags = tl.arange(0, width)
    length = tl.load(lengths + sentence)
    emissions += sentence * longest * count
    alphas += sentence * longest * count
    of_emissions += sentence * longest * count
    gold += sentence * longest
    of_steps += sentence * (count + 2) * count
    moves = _square(transitions, tags, count)
    first = _row(start, 0, tags, count)
    last = _row(end, 0, tags, count)
    if length > 0:
        log_z = _forward(emissions, moves, first, last, alphas, length, tags, count)
        beta = last
        of_moves = tl.zeros_like(moves)
        tag = tl.load(gold + length - 1)
        score = tl.sum(tl.where(tags == tag, last, 0.0), 0).to(tl.float64)
        for back in range(1, length):
            step = length - back
            before = tl.load(gold + step - 1)
            emission = _row(emissions, step, tags, count)
            # of the tag: shape (K,)
            less, _ = _less_greatest(_row(alphas, step, tags, count) + beta)
            shares = tl.exp(less)
            gradient = tl.where(tags == tag, 1.0, 0.0) - shares / tl.sum(shares, 0)
            tl.store(of_emissions + step * count + tags, gradient, tags < count)
            if back == 1:
                tl.store(of_steps + (count + 1) * count + tags, gradient, tags < count)
            score += tl.sum(tl.where(tags == tag, emission, 0.0), 0)
            # of the step into it: shape (K, K)
            onward = moves + (emission + beta)[None, :]
            joint = _row(alphas, step - 1, tags, count)[:, None] + onward
            top = tl.max(tl.max(joint, 0), 0)
            shares_of_moves = tl.exp(joint - tl.where(top > float("-inf"), top, 0.0))
            taken = (tags[:, None] == before) & (tags[None, :] == tag)
            expected = shares_of_moves / tl.sum(tl.sum(shares_of_moves, 0), 0)
            of_moves += tl.where(taken, 1.0, 0.0) - expected
            score += tl.sum(tl.sum(tl.where(taken, moves, 0.0), 0), 0)
            beta, _ = _less_greatest(_log_sums(onward, 1))
            tag = before
        less, _ = _less_greatest(_row(alphas, 0, tags, count) + beta)
        shares = tl.exp(less)
        gradient = tl.where(tags == tag, 1.0, 0.0) - shares / tl.sum(shares, 0)
        tl.store(of_emissions + tags, gradient, tags < count)
        tl.store(of_steps + count * count + tags, gradient, tags < count)
        if length == 1:
            tl.store(of_steps + (count + 1) * count + tags, gradient, tags < count)
        inside = (tags[:, None] < count) & (tags[None, :] < count)
        tl.store(of_steps + tags[:, None] * count + tags[None, :], of_moves, inside)
        emission = _row(emissions, 0, tags, count)
        score += tl.sum(tl.where(tags == tag, first + emission, 0.0), 0)
        tl.store(likelihoods + sentence, score - log_z)


@_compiled
def _viterbi(
    emissions: tl.tensor,
    transitions: tl.tensor,
    start: tl.tensor,
    end: tl.tensor,
    lengths: tl.tensor,
    pointers: tl.tensor,
    paths: tl.tensor,
    longest: tl.tensor,
    count: tl.constexpr,
    width: tl.constexpr,
) -> None:
    sentence = tl.program_id(0).to(tl.int64)
    tags = tl.arange(0, width)
    length = tl.load(lengths + sentence)
    emissions += sentence * longest * count
    pointers += sentence * longest * count
    paths += sentence * longest
    moves = _square(transitions, tags, count)
    if length > 0:
        best = _row(start, 0, tags, count) + _row(emissions, 0, tags, count)
        for step in range(1, length):
            scores, pointer = tl.max(best[:, None] + moves, 0, return_indices=True)
            best, _ = _less_greatest(scores + _row(emissions, step, tags, count))
            tl.store(pointers + step * count + tags, pointer.to(tl.int8), tags < count)
        tl.debug_barrier()  # what one thread has stored, others will load
        tag = tl.argmax(best + _row(end, 0, tags, count), 0).to(tl.int64)
        for back in range(1, length):
            step = length - back
            tl.store(paths + step, tag)
            tag = tl.load(pointers + step * count + tag).to(tl.int64)
        tl.store(paths, tag)


@_compiled
def _sums(
    emissions: tl.tensor,
    transitions: tl.tensor,
    start: tl.tensor,
    end: tl.tensor,
    lengths: tl.tensor,
    alphas: tl.tensor,
    betas: tl.tensor,
    longest: tl.tensor,
    count: tl.constexpr,
    width: tl.constexpr,
) -> None:
    sentence = tl.program_id(0).to(tl.int64)
    tags = tl.arange(0, width)
    length = tl.load(lengths + sentence)
    emissions += sentence * longest * count
    alphas += sentence * longest * count
    betas += sentence * longest * count
    moves = _square(transitions, tags, count)
    last = _row(end, 0, tags, count)
    if length > 0:
        first = _row(start, 0, tags, count)
        _forward(emissions, moves, first, last, alphas, length, tags, count)
        beta = last
        for back in range(1, length):
            step = length - back
            tl.store(betas + step * count + tags, beta, tags < count)
            onward = _row(emissions, step, tags, count) + beta
            beta, _ = _less_greatest(_log_sums(moves + onward[None, :], 1))
        tl.store(betas + tags, beta, tags < count)


@_compiled
def _span_probabilities(
    emissions: tl.tensor,
    transitions: tl.tensor,
    start: tl.tensor,
    end: tl.tensor,
    lengths: tl.tensor,
    alphas: tl.tensor,
    betas: tl.tensor,
    spans: tl.tensor,
    labels: tl.tensor,
    continues: tl.tensor,
    results: tl.tensor,
    longest: tl.tensor,
    count: tl.constexpr,
    width: tl.constexpr,
) -> None:
    """The paths that hold a span, and all paths, side by side from its first token on."""
    span = tl.program_id(0).to(tl.int64)
    tags = tl.arange(0, width)
    sentence = tl.load(spans + span * 4)
    begin = tl.load(spans + span * 4 + 1)
    stop = tl.load(spans + span * 4 + 2)
    label = tl.load(spans + span * 4 + 3)
    length = tl.load(lengths + sentence)
    emissions += sentence * longest * count
    alphas += sentence * longest * count
    betas += sentence * longest * count
    moves = _square(transitions, tags, count)
    last = _row(end, 0, tags, count)
    inside = (tags[:, None] < count) & (tags[None, :] < count)
    goes_on = tl.load(continues + tags[:, None] * count + tags[None, :], inside, 0) != 0
    within = tl.where(goes_on, moves, float("-inf"))
    apart = tl.where(goes_on, float("-inf"), moves)
    if begin == 0:
        every = _row(start, 0, tags, count)
        held = every
    else:
        before = _row(alphas, begin - 1, tags, count)[:, None]
        every = _log_sums(before + moves, 0)
        held = _log_sums(before + apart, 0)
    emission = _row(emissions, begin, tags, count)
    is_of_label = tl.load(labels + tags, tags < count, -1) == label
    held = tl.where(is_of_label, held + emission, float("-inf"))
    every += emission
    for step in range(begin + 1, stop):
        emission = _row(emissions, step, tags, count)
        less, top = _less_greatest(every)
        held = _log_sums((held - top)[:, None] + within, 0) + emission
        every = _log_sums(less[:, None] + moves, 0) + emission
    if stop == length:
        share = _log_sum(held + last) - _log_sum(every + last)
    else:
        after = (_row(emissions, stop, tags, count) + _row(betas, stop, tags, count))[None, :]
        held = _log_sums(held[:, None] + apart + after, 0)
        every = _log_sums(every[:, None] + moves + after, 0)
        share = _log_sum(held) - _log_sum(every)
    tl.store(results + span, tl.exp(share))


def log_likelihood(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, tags: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """As :func:`ner_registry.nn.chain_operators.log_likelihood`."""
    size, _, count = emissions.shape
    scores = _contiguous(emissions, transitions, start, end)
    outputs = (
        emissions.new_zeros(size),
        torch.zeros_like(scores[0]),
        emissions.new_zeros(size, count + 2, count),
    )
    alphas = torch.empty_like(scores[0])
    _run(_log_likelihood, size, scores, mask, tags.contiguous(), alphas, *outputs)
    return outputs


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor
) -> Tensor:
    """As :func:`ner_registry.nn.chain_operators.viterbi`."""
    scores = _contiguous(emissions, transitions, start, end)
    pointers = torch.empty_like(scores[0], dtype=torch.int8)
    paths = torch.zeros(mask.shape, dtype=torch.long, device=mask.device)
    _run(_viterbi, len(mask), scores, mask, pointers, paths)
    return paths


def span_probabilities(
    emissions: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    mask: Tensor,
    spans: Tensor,
    labels: Tensor,
    continues: Tensor,
) -> Tensor:
    """As :func:`ner_registry.nn.chain_operators.span_probabilities`."""
    scores = _contiguous(emissions, transitions, start, end)
    alphas, betas = torch.empty_like(scores[0]), torch.empty_like(scores[0])
    _run(_sums, len(mask), scores, mask, alphas, betas)
    results = emissions.new_empty(len(spans))
    asked = spans.contiguous(), labels.contiguous(), continues.contiguous().view(torch.uint8)
    _run(_span_probabilities, len(spans), scores, mask, alphas, betas, *asked, results)
    return results


def _contiguous(*scores: Tensor) -> list[Tensor]:
    return [tensor.detach().contiguous() for tensor in scores]


def _run(kernel: Any, programs: int, scores: list[Tensor], mask: Tensor, *others: Tensor) -> None:
    _, longest, count = scores[0].shape
    width = max(2, triton.next_power_of_2(count))
    warps = 1 if width <= 32 else 4
    if programs:
        arguments = (*scores, mask.sum(1), *others, longest, count, width)
        kernel[(programs,)](*arguments, num_warps=warps)
