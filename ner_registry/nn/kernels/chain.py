"""Sums over the paths of a linear chain, and its best path, a few sentences at a time.

Sums are kept as numbers, not logarithms, and scaled to add up to one at every step (Rabiner 1989,
section V.A): a step costs a product of matrices and no exponential. That is exact while no tag's
share is lost beside a greater one. A kernel that finds scores so far apart that it might be gives
up and says so; the same in log space has no such bound.

Shapes: B sentences, T tokens, K tags. Sums are float64, and K is padded to a multiple of
:data:`TILE` with tags that no path enters.
"""

from __future__ import annotations

from math import exp, inf, log, nan
from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled, fill, inlined, inner
from ner_registry.nn.kernels.tiles import ROWS, columns, max_sum, product

Array = Any
TILE = columns(8)
# Scores of a token, and of a kind of step, may lie this far apart; then products of two of their
# factors with a share of a path stay within float64.
_WIDEST = 160.0
_LEAST_SHARE = 1e-150

_LOG2_E = 1.4426950408889634
_LOG_2_HIGH, _LOG_2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6
_P0, _P1, _P2 = 1.26177193074810590878e-4, 3.02994407707441961300e-2, 9.99999999999999999910e-1
_Q0, _Q1 = 3.00198505138664455042e-6, 2.52448340349684104192e-3
_Q2, _Q3 = 2.27265548208155028766e-1, 2.00000000000000000005e0


@inner
def _exp(x: float) -> Any:
    """The exponential of a number from -300 to 300; of a lower one, 0.

    By a quotient of polynomials around the nearest power of two, as the Cephes library has it.
    The mathematical library's takes one number at a time; this the compiler does for four.
    """
    bounded = x if x > -300.0 else -300.0
    whole = np.floor(bounded * _LOG2_E + 0.5)
    rest = bounded - whole * _LOG_2_HIGH - whole * _LOG_2_LOW
    square = rest * rest
    above = rest * ((_P0 * square + _P1) * square + _P2)
    below = ((_Q0 * square + _Q1) * square + _Q2) * square + _Q3
    quotient = 1.0 + 2.0 * above / (below - above)
    # by way of 32 bits, which processors convert several at a time
    power = np.int64((np.int64(np.int32(whole)) + np.int64(1023)) << np.int64(52)).view(np.float64)
    return quotient * power if x > -300.0 else 0.0


@inner
def _count(of_row: Array) -> int:
    """How many are true."""
    count = 0
    for place in range(of_row.shape[0]):
        count += of_row[place]
    return count


@inner
def _scaled(scores: Array, factors: Array) -> Any:
    """Fills ``factors`` with exp of scores less their greatest, and gives that.

    It is NaN where scores lie too far apart. Minus infinity counts as no score.
    """
    top, lowest = -inf, inf
    for row in range(scores.shape[0]):
        for column in range(scores.shape[1]):
            score = scores[row, column]
            if score != score:
                return nan
            top = max(top, score)
            lowest = min(lowest, score if score > -inf else inf)
    if not (top < inf and top - lowest < _WIDEST):
        return nan
    for row in range(scores.shape[0]):
        for column in range(scores.shape[1]):
            factors[row, column] = exp(scores[row, column] - top)
    return top


@inner
def _prepare(
    transitions: Array, start: Array, end: Array, factors: Array, packed: Array, tops: Array
) -> Any:
    """Scores of steps as factors; false where they lie too far apart.

    Args:
        transitions: (K, K).
        start: (K,).
        end: (K,).
        factors: (K + 2, K), filled: transitions, start, end.
        packed: (2, panels, K, :data:`TILE`), filled with those of transitions, as they are and
            transposed.
        tops: (3,), filled with the scores of a factor of one.
    """
    count = start.shape[0]
    tops[0] = _scaled(transitions, factors[:count])
    tops[1] = _scaled(start.reshape(1, -1), factors[count : count + 1])
    tops[2] = _scaled(end.reshape(1, -1), factors[count + 1 :])
    fill(packed, 0)
    for before in range(count):
        for after in range(count):
            factor = factors[before, after]
            packed[0, after // TILE, before, after % TILE] = factor
            packed[1, before // TILE, after, before % TILE] = factor
    return tops[0] == tops[0] and tops[1] == tops[1] and tops[2] == tops[2]  # NaN isn't


@inner
def _weigh(emissions: Array, weights: Array) -> Any:
    """Fills ``weights`` (T * K,) with exp of a sentence's emissions (T, K), scaled per token.

    Gives the sum of the scores of a weight of one, or NaN where those of a token lie too far
    apart.
    """
    tokens, count = emissions.shape
    scores = emissions.reshape(tokens * count)
    is_plain = True
    for place in range(tokens * count):
        score = float(scores[place])
        is_plain &= abs(score) < _WIDEST / 2
        weights[place] = _exp(score)
    if is_plain:
        return 0.0
    total = 0.0
    for token in range(tokens):
        top, lowest = -inf, inf
        for score in emissions[token]:
            if score != score:
                return nan
            top = max(top, score)
            lowest = min(lowest, score if score > -inf else inf)
        if not (top < inf and top - lowest < _WIDEST):
            return nan
        for tag in range(count):
            weights[token * count + tag] = _exp(emissions[token, tag] - top)
        total += top
    return total


@inlined
def _advance(left: Array, at: int, packed: Array, total: Array, total_at: int) -> None:
    """Fills ``total`` with ``left`` (4 rows, K) times a packed matrix, both of (4, T, K)."""
    row = left.shape[1] * left.shape[2]
    steps = packed.shape[1]
    for panel in range(packed.shape[0]):
        right_at, there = panel * steps * TILE, total_at + panel * TILE
        product(left, at, row, 1, packed, right_at, TILE, steps, total, there, row)


@inner
def _sums(
    emissions: Array,
    first: int,
    mask: Array,
    factors: Array,
    packed: Array,
    tops: Array,
    alphas: Array,
    betas: Array,
    arrivals: Array,
    ends: Array,
    logs: Array,
) -> bool:
    """Forward and backward sums of :data:`ROWS` sentences; false where it gives up.

    Args:
        emissions: (B, T, K).
        first: the first of the sentences.
        mask: (B, T), true on real tokens, which come first.
        factors: (K + 2, K), as :func:`_prepare` fills it.
        packed: (2, panels, K, :data:`TILE`), likewise.
        tops: (3,), likewise.
        alphas: (4, T, K), filled with the share of each tag in the prefixes that end there.
        betas: (4, T, K), filled such that alphas * betas are the marginals.
        arrivals: (4, T, K), filled such that the share of an edge is the alpha that it leaves,
            times its factor, times the arrival that it leads to.
        ends: (4,), filled with the last alphas times the factors of the end, summed.
        logs: (4,), filled with the log-partition.
    """
    size, length, count = emissions.shape
    width = alphas.shape[2]
    tokens = np.zeros(ROWS, np.int64)
    weights = np.empty((ROWS, length * count))
    fill(logs, 0)
    longest = 0
    for row in range(min(ROWS, size - first)):
        tokens[row] = _count(mask[first + row])
        longest = max(longest, tokens[row])
        if tokens[row]:
            of_row = emissions[first + row, : tokens[row]]
            logs[row] = _weigh(of_row, weights[row]) + tops[1] + tops[2]
            logs[row] += (tokens[row] - 1) * tops[0]
            if logs[row] != logs[row]:
                return False
    scales = np.ones((ROWS, longest))
    products = np.ones(ROWS)  # of the sums whose logarithms are still to be added
    for step in range(longest):
        if step:
            _advance(alphas, (step - 1) * width, packed[0], alphas, step * width)
        for row in range(ROWS):
            if step >= tokens[row]:
                continue
            alpha, weight = alphas[row, step], weights[row, step * count : (step + 1) * count]
            total = 0.0
            for tag in range(count):
                alpha[tag] = (alpha[tag] if step else factors[count, tag]) * weight[tag]
                total += alpha[tag]
            if not total > 0:  # or where it is NaN
                return False
            scale = 1 / total
            is_low = False
            for tag in range(count):
                alpha[tag] *= scale
                is_low |= alpha[tag] < _LEAST_SHARE
            if is_low:
                for tag in range(count):
                    if alpha[tag] >= _LEAST_SHARE:
                        continue
                    if alpha[tag] > 0:
                        return False
                    # out of reach: the way back would let its beta grow beyond all bounds
                    weight[tag] = 0
            scales[row, step] = scale
            products[row] *= total
            if not _LEAST_SHARE < products[row] < 1 / _LEAST_SHARE:
                logs[row] += log(products[row])
                products[row] = 1
    for row in range(ROWS):
        ends[row] = 1
        if tokens[row]:
            total = 0.0
            for tag in range(count):
                total += alphas[row, tokens[row] - 1, tag] * factors[count + 1, tag]
            if not total > 0:
                return False
            ends[row] = total
            logs[row] += log(products[row]) + log(total)
    for step in range(longest - 1, -1, -1):
        if step < longest - 1:
            _advance(arrivals, (step + 1) * width, packed[1], betas, step * width)
        for row in range(ROWS):
            if step >= tokens[row]:
                continue
            beta, arrival = betas[row, step], arrivals[row, step]
            weight = weights[row, step * count : (step + 1) * count]
            if step == tokens[row] - 1:
                for tag in range(count):
                    beta[tag] = factors[count + 1, tag] / ends[row]
            scale = scales[row, step]
            for tag in range(count):
                arrival[tag] = weight[tag] * beta[tag] * scale
    return True


@compiled
def log_likelihood(
    emissions: Array,
    transitions: Array,
    start: Array,
    end: Array,
    mask: Array,
    tags: Array,
    results: Array,
    grad_emissions: Array,
    grad_steps: Array,
) -> bool:
    """Log-likelihoods of tags and their gradients; false where it gives up.

    Args:
        emissions: (B, T, K).
        transitions: (K, K).
        start: (K,).
        end: (K,).
        mask: (B, T).
        tags: (B, T); a negative one adds nothing to the score of the path, and one that there
            isn't makes it give up.
        results: (B,), filled.
        grad_emissions: (B, T, K), filled.
        grad_steps: (B, K + 2, K), filled: of transitions, start, end.
    """
    size, length, count = emissions.shape
    panels = (count + TILE - 1) // TILE
    width = panels * TILE
    factors, tops = np.empty((count + 2, count)), np.empty(3)
    packed = np.empty((2, panels, count, TILE))
    if not _prepare(transitions, start, end, factors, packed, tops):
        return False
    alphas = np.empty((ROWS, length, width))
    betas = np.empty((ROWS, length, width))
    arrivals = np.empty((ROWS, length, width))
    ends, logs = np.empty(ROWS), np.empty(ROWS)
    counts = np.empty((width, width))
    for first in range(0, size, ROWS):
        if not _sums(
            emissions, first, mask, factors, packed, tops, alphas, betas, arrivals, ends, logs
        ):
            return False
        for row in range(min(ROWS, size - first)):
            sentence = first + row
            tokens = _count(mask[sentence])
            steps = grad_steps[sentence]
            for step in range(tokens):
                alpha, beta = alphas[row, step], betas[row, step]
                grad = grad_emissions[sentence, step]
                for tag in range(count):
                    grad[tag] = -alpha[tag] * beta[tag]
            begin = row * length * width
            for before in range(0, count, ROWS):
                for after in range(0, width, TILE):
                    left, right, there = begin + before, begin + width + after, before * width
                    product(
                        alphas, left, 1, width, arrivals, right, width, tokens - 1,
                        counts, there + after, width,
                    )  # fmt: skip
            for before in range(count):
                grad, factor = steps[before], factors[before]
                total = counts[before]
                for after in range(count):
                    grad[after] = -total[after] * factor[after]
            grads = grad_emissions[sentence]
            fill(grads[tokens:], 0)
            score = 0.0
            for step in range(tokens):
                tag = tags[sentence, step]
                if tag >= count:
                    return False
                if tag < 0:
                    continue
                score += emissions[sentence, step, tag]
                grads[step, tag] += 1
                if step == 0:
                    score += start[tag]
                elif tags[sentence, step - 1] >= 0:
                    previous = tags[sentence, step - 1]
                    score += transitions[previous, tag]
                    steps[previous, tag] += 1
                if step == tokens - 1:
                    score += end[tag]
            results[sentence] = score - logs[row]
            # the first and the last token's scores stand beside those of the start and the end
            for tag in range(count):
                steps[count, tag] = grads[0, tag] if tokens else 0
                steps[count + 1, tag] = grads[tokens - 1, tag] if tokens else 0
    return True


@compiled
def span_probabilities(
    emissions: Array,
    transitions: Array,
    start: Array,
    end: Array,
    mask: Array,
    spans: Array,
    labels: Array,
    continues: Array,
    results: Array,
) -> bool:
    """The share of all paths that hold each span; false where it gives up.

    Args:
        emissions: (B, T, K).
        transitions: (K, K).
        start: (K,).
        end: (K,).
        mask: (B, T).
        spans: (S, 4): sentence, first token, one after the last, label.
        labels: (K,), of each tag.
        continues: (K, K), bool: ``[i, j]``: tag j after tag i goes on with i's entity.
        results: (S,), filled.
    """
    size, length, count = emissions.shape
    panels = (count + TILE - 1) // TILE
    width = panels * TILE
    factors, tops = np.empty((count + 2, count)), np.empty(3)
    packed = np.empty((2, panels, count, TILE))
    if not _prepare(transitions, start, end, factors, packed, tops):
        return False
    padded = (size + ROWS - 1) // ROWS * ROWS
    alphas = np.empty((padded, length, width))
    betas = np.empty((ROWS, length, width))
    arrivals = np.empty((padded, length, width))
    ends, logs = np.empty(padded), np.empty(ROWS)
    for first in range(0, size, ROWS):
        rows = slice(first, first + ROWS)
        if not _sums(
            emissions,
            first,
            mask,
            factors,
            packed,
            tops,
            alphas[rows],
            betas,
            arrivals[rows],
            ends[rows],
            logs,
        ):
            return False
    share, entered = np.empty(count), np.empty(count)
    for number in range(spans.shape[0]):
        sentence, begin, stop, label = spans[number]
        for step in range(begin, stop):
            here = alphas[sentence, step]
            for tag in range(count):
                entered[tag] = 0
                if labels[tag] != label or here[tag] == 0:
                    continue
                if step == 0:
                    entered[tag] = here[tag]
                    continue
                # of all prefixes that end here, those that held the span from its beginning on
                reached, within = 0.0, 0.0
                for before in range(count):
                    factor = factors[before, tag]
                    share_before = alphas[sentence, step - 1, before]
                    reached += share_before * factor
                    if step > begin:
                        share_before = share[before]
                    if continues[before, tag] == (step > begin):
                        within += share_before * factor
                entered[tag] = within / reached * here[tag]
            for tag in range(count):
                share[tag] = entered[tag]
        total = 0.0
        if stop == length or not mask[sentence, stop]:
            for tag in range(count):
                total += share[tag] * factors[count + 1, tag] / ends[sentence]
        else:
            for tag in range(count):
                for after in range(count):
                    if not continues[tag, after]:
                        arrival = arrivals[sentence, stop, after]
                        total += share[tag] * factors[tag, after] * arrival
        results[number] = min(total, 1.0)
    return True


@compiled
def viterbi(
    emissions: Array, transitions: Array, start: Array, end: Array, mask: Array, paths: Array
) -> None:
    """The best path of each sentence.

    Only the best scores are kept on the way; which tag one came from is found again on the way
    back, for the path's own tags alone.

    Args:
        emissions: (B, T, K), of the type of the other scores.
        transitions: (K, K).
        start: (K,).
        end: (K,).
        mask: (B, T).
        paths: (B, T), filled up to each sentence's length.
    """
    size, length, count = emissions.shape
    tile = 8 * TILE // emissions.itemsize
    panels = (count + tile - 1) // tile
    width = panels * tile
    packed = np.full((panels, count, tile), -inf, emissions.dtype)
    for before in range(count):
        for after in range(count):
            packed[after // tile, before, after % tile] = transitions[before, after]
    best = np.empty((ROWS, length, width), emissions.dtype)
    for first in range(0, size, ROWS):
        rows = min(ROWS, size - first)
        longest = 0
        for row in range(rows):
            longest = max(longest, _count(mask[first + row]))
        for step in range(longest):
            if step:
                for panel in range(panels):
                    left_at, right_at = (step - 1) * width, panel * count * tile
                    total_at = step * width + panel * tile
                    row = length * width
                    max_sum(
                        best, left_at, row, 1, packed, right_at, tile, count, best, total_at, row
                    )
            for row in range(rows):
                emission, scores = emissions[first + row, step], best[row, step]
                for tag in range(count):
                    scores[tag] = (scores[tag] if step else start[tag]) + emission[tag]
        for row in range(rows):
            tokens = _count(mask[first + row])
            if tokens == 0:
                continue
            last = 0
            scores = best[row, tokens - 1]
            for tag in range(1, count):
                if scores[tag] + end[tag] > scores[last] + end[last]:
                    last = tag
            paths[first + row, tokens - 1] = last
            for step in range(tokens - 1, 0, -1):
                scores = best[row, step - 1]
                before = 0
                for tag in range(1, count):
                    score = scores[tag] + transitions[tag, last]
                    if score > scores[before] + transitions[before, last]:
                        before = tag
                last = before
                paths[first + row, step - 1] = last
