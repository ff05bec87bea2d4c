"""Sums over the paths of a linear chain in log space, by PyTorch's operators alone.

Exact for scores of any size and for hard constraints (a score of minus infinity), on any device
(Rabiner 1989, section III). Shapes: B sentences, T tokens, K tags.
"""

from __future__ import annotations

import torch
from torch import Tensor


def forward_sums(emissions: Tensor, transitions: Tensor, start: Tensor, mask: Tensor) -> Tensor:
    """(T, B, K): log-sum of the scores of all prefixes that end in each tag."""
    steps, real = emissions.transpose(0, 1), mask.t().unsqueeze(2)
    alpha = start + steps[0]
    alphas = [alpha]
    for emission, is_real in zip(steps[1:], real[1:], strict=True):
        step = torch.logsumexp(alpha.unsqueeze(2) + transitions, 1) + emission
        alpha = torch.where(is_real, step, alpha)
        alphas.append(alpha)
    return torch.stack(alphas)


def backward_sums(emissions: Tensor, transitions: Tensor, end: Tensor, mask: Tensor) -> Tensor:
    """(T, B, K): log-sum of the scores of all suffixes that follow each tag."""
    steps, real = emissions.transpose(0, 1), mask.t().unsqueeze(2)
    beta = end.expand_as(steps[0])
    betas = [beta]
    for emission, is_real in zip(steps[1:].flip(0), real[1:].flip(0), strict=True):
        step = torch.logsumexp(transitions + (emission + beta).unsqueeze(1), 2)
        beta = torch.where(is_real, step, beta)
        betas.append(beta)
    return torch.stack(betas[::-1])


def close(alphas: Tensor, end: Tensor) -> Tensor:
    """(B, 1): the log-partition, from the forward sums."""
    return torch.logsumexp(alphas[-1] + end, 1, keepdim=True)


def log_likelihood(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, tags: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """As :func:`ner_registry.nn.chain_operators.log_likelihood`.

    The gradient of the log-partition is what is expected of all paths: one sweep back over what
    the forward sweep left, several times as fast as recording that one for autograd.
    """
    alphas = forward_sums(emissions, transitions, start, mask)
    betas = backward_sums(emissions, transitions, end, mask)
    log_z = close(alphas, end)
    real = mask.t().unsqueeze(2)  # shape: (T, B, 1)
    marginals = torch.where(real, (alphas + betas - log_z).exp(), 0).transpose(0, 1)
    expected = emissions.new_zeros(len(emissions), *transitions.shape)
    steps = emissions.transpose(0, 1)
    for step in range(1, len(steps)):
        onward = transitions + (steps[step] + betas[step]).unsqueeze(1)  # shape: (B, K, K)
        shares = (onward + (alphas[step - 1] - log_z).unsqueeze(2)).exp()
        expected += torch.where(real[step].unsqueeze(2), shares, 0)

    given = mask & (tags >= 0)
    index = torch.where(given, tags, 0).unsqueeze(2)
    score = torch.where(given, emissions.gather(2, index).squeeze(2), 0).sum(1)
    observed = torch.zeros_like(marginals).scatter_(2, index, given.unsqueeze(2).to(marginals))
    pairs = given[:, 1:] & given[:, :-1]
    before, after = index[:, :-1, 0], index[:, 1:, 0]
    score = score + torch.where(pairs, transitions[before, after], 0).sum(1)
    counts = torch.zeros_like(expected).flatten(1)
    counts.scatter_add_(1, before * transitions.shape[1] + after, pairs.to(counts))
    rows = torch.arange(len(mask), device=mask.device)
    last = (mask.sum(1) - 1).clamp(min=0)
    score = score + torch.where(given[:, 0], start[index[:, 0, 0]], 0)
    score = score + torch.where(given[rows, last], end[index[rows, last, 0]], 0)
    total = torch.where(mask[:, 0], log_z.squeeze(1), 0)
    of_emissions = observed - marginals
    of_edges = torch.stack([of_emissions[:, 0], of_emissions[rows, last]], 1)
    of_steps = torch.cat([counts.view_as(expected) - expected, of_edges], 1)
    return score - total, of_emissions, of_steps


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor
) -> Tensor:
    """As :func:`ner_registry.nn.chain_operators.viterbi`."""
    steps, real = emissions.transpose(0, 1), mask.t().unsqueeze(2)
    best = start + steps[0]
    pointers: list[Tensor] = []
    stay = torch.arange(best.shape[1], device=best.device).expand_as(best)
    for emission, is_real in zip(steps[1:], real[1:], strict=True):
        scores, pointer = (best.unsqueeze(2) + transitions).max(1)  # shape: (B, K)
        best = torch.where(is_real, scores + emission, best)
        pointers.append(torch.where(is_real, pointer, stay))
    tag = (best + end).argmax(1, keepdim=True)
    path = [tag]
    for pointer in reversed(pointers):
        tag = pointer.gather(1, tag)
        path.append(tag)
    return torch.where(mask, torch.cat(path[::-1], 1), 0)


def k_best(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """As :func:`ner_registry.nn.chain_operators.k_best`."""
    steps, real = emissions.transpose(0, 1), mask.t().unsqueeze(2)
    size, tags = steps.shape[1:]
    first = (start + steps[0]).unsqueeze(2)
    # shape: best (B, K, k), the k best ways to reach each tag
    best = torch.cat([first, first.new_full((size, tags, k - 1), float("-inf"))], 2)
    stay = torch.arange(tags * k, device=best.device).expand(size, -1)
    pointers: list[Tensor] = []
    for emission, is_real in zip(steps[1:], real[1:], strict=True):
        ways = best.reshape(size, tags * k, 1) + transitions.repeat_interleave(k, 0)
        scores, pointer = ways.topk(k, 1)  # shape: (B, k, K)
        scores = (scores + emission.unsqueeze(1)).transpose(1, 2)
        best = torch.where(is_real.unsqueeze(2), scores, best)
        pointer = pointer.transpose(1, 2).reshape(size, -1)
        pointers.append(torch.where(is_real, pointer, stay))
    final = (best + end.unsqueeze(1)).flatten(1)
    # an empty sentence has one path, the empty one, whose score is 0
    empty = torch.full_like(final, float("-inf"))
    empty[:, 0] = 0
    scores, way = torch.where(real[0], final, empty).topk(k, 1)  # shape: (B, k)
    path = [way // k]
    for pointer in reversed(pointers):
        way = pointer.gather(1, way)
        path.append(way // k)
    paths = torch.stack(path[::-1], 2)
    is_there = (scores > float("-inf")).unsqueeze(2) & mask.unsqueeze(1)
    return torch.where(is_there, paths, 0), scores


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
    never = float("-inf")
    row, begin, stop, label = spans.unbind(1)
    alphas = forward_sums(emissions, transitions, start, mask)
    log_z = close(alphas, end)[row, 0]
    betas = backward_sums(emissions, transitions, end, mask)
    apart = transitions.masked_fill(continues, never)
    within = transitions.masked_fill(~continues, never)

    before = alphas[(begin - 1).clamp(min=0), row]
    entered = torch.logsumexp(before.unsqueeze(2) + apart, 1)
    entered = torch.where((begin == 0).unsqueeze(1), start, entered)
    score = entered + emissions[row, begin]
    score = score.masked_fill(labels != label.unsqueeze(1), never)  # shape: (S, K)

    longest = int((stop - begin).max()) if len(spans) else 0
    for offset in range(1, longest):
        inside = (begin + offset < stop).unsqueeze(1)
        at = (begin + offset).clamp(max=emissions.shape[1] - 1)
        step = torch.logsumexp(score.unsqueeze(2) + within, 1) + emissions[row, at]
        score = torch.where(inside, step, score)

    after = stop.clamp(max=emissions.shape[1] - 1)
    following = (emissions[row, after] + betas[after, row]).unsqueeze(1)
    left = torch.logsumexp((score.unsqueeze(2) + apart + following).flatten(1), 1)
    ended = torch.logsumexp(score + end, 1)
    return (torch.where(stop == mask.sum(1)[row], ended, left) - log_z).exp()
