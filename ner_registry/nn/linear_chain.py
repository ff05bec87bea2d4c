"""Inference in a linear chain of tags: partition, marginals, best paths, spans.

Sums over paths are forward-backward sums (Rabiner 1989, section III), all in log space, so
that scores of any size and hard constraints (a score of minus infinity) stay exact.

Shapes: B sentences, T tokens, K tags. Masks are bool, true on real tokens, which come first
in their row; a row may be all padding, whose one path is the empty one with score 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Constraints(NamedTuple):
    """What the tag scheme allows, as bool tensors that are true where it does.

    Attributes:
        start: (K,), tags that may come first.
        transitions: (K, K), ``[i, j]``: tag j may follow tag i.
        end: (K,), tags that may come last.
    """

    start: Tensor
    transitions: Tensor
    end: Tensor


@dataclass(frozen=True)
class LinearChain:
    """A batch of chains: every path through K tags has a score.

    Attributes:
        emissions: (B, T, K), the score of each tag at each token.
        transitions: (K, K), ``[i, j]`` scores tag j after tag i.
        start: (K,), the score of each tag as the first.
        end: (K,), the score of each tag as the last.
        mask: (B, T).
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    mask: Tensor

    def constrained(self, constraints: Constraints) -> LinearChain:
        """The same chain over the allowed paths alone."""
        forbidden = float("-inf")
        return LinearChain(
            self.emissions,
            self.transitions.masked_fill(~constraints.transitions, forbidden),
            self.start.masked_fill(~constraints.start, forbidden),
            self.end.masked_fill(~constraints.end, forbidden),
            self.mask,
        )

    def score(self, tags: Tensor) -> Tensor:
        """Score of one path per sentence; tags (B, T) -> (B,)."""
        steps = self.emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
        steps[:, 1:] += self.transitions[tags[:, :-1], tags[:, 1:]]
        steps[:, 0] += self.start[tags[:, 0]]
        last = (self.mask.sum(1) - 1).clamp(min=0)
        final = self.end[tags.gather(1, last.unsqueeze(1)).squeeze(1)]
        total = torch.where(self.mask, steps, 0).sum(1)
        return total + torch.where(self.mask[:, 0], final, 0)

    def log_partition(self) -> Tensor:
        """Log of the summed exponentiated scores of all paths, (B,); differentiable once."""
        result: Tensor = _LogPartition.apply(  # type: ignore[no-untyped-call]  # of torch
            self.emissions, self.transitions, self.start, self.end, self.mask
        )
        return result

    def log_likelihood(self, tags: Tensor) -> Tensor:
        """Log-probability of one path per sentence; tags (B, T) -> (B,)."""
        return self.score(tags) - self.log_partition()

    def tag_marginals(self) -> Tensor:
        """Probability of each tag at each token, (B, T, K); zero on padding."""
        alphas = self._forward()
        log_z = self._close(alphas[-1])
        logs = alphas + self._backward() - log_z
        return torch.where(self.mask.unsqueeze(2), logs.transpose(0, 1).exp(), 0)

    def viterbi(self) -> Tensor:
        """The best path of each sentence, (B, T), long; 0 on padding (Viterbi 1967)."""
        emissions, mask = self._time_major()
        best = self.start + emissions[0]
        pointers: list[Tensor] = []
        stay = torch.arange(best.shape[1], device=best.device).expand_as(best)
        for emission, real in zip(emissions[1:], mask[1:], strict=True):
            scores, pointer = (best.unsqueeze(2) + self.transitions).max(1)  # shape: (B, K)
            best = torch.where(real, scores + emission, best)
            pointers.append(torch.where(real, pointer, stay))
        tag = (best + self.end).argmax(1, keepdim=True)
        path = [tag]
        for pointer in reversed(pointers):
            tag = pointer.gather(1, tag)
            path.append(tag)
        return torch.where(self.mask, torch.cat(path[::-1], 1), 0)

    def k_best(self, k: int) -> tuple[Tensor, Tensor]:
        """The k best paths of each sentence, best first.

        Returns:
            Paths (B, k, T), long, 0 on padding; and their log-probabilities (B, k), which are
            minus infinity where a sentence has fewer than k paths.
        """
        emissions, mask = self._time_major()
        size, tags = emissions.shape[1:]
        first = (self.start + emissions[0]).unsqueeze(2)
        # shape: best (B, K, k), the k best ways to reach each tag
        best = torch.cat([first, first.new_full((size, tags, k - 1), float("-inf"))], 2)
        stay = torch.arange(tags * k, device=best.device).expand(size, -1)
        pointers: list[Tensor] = []
        for emission, real in zip(emissions[1:], mask[1:], strict=True):
            ways = best.reshape(size, tags * k, 1) + self.transitions.repeat_interleave(k, 0)
            scores, pointer = ways.topk(k, 1)  # shape: (B, k, K)
            scores = (scores + emission.unsqueeze(1)).transpose(1, 2)
            best = torch.where(real.unsqueeze(2), scores, best)
            pointer = pointer.transpose(1, 2).reshape(size, -1)
            pointers.append(torch.where(real, pointer, stay))
        final = (best + self.end.unsqueeze(1)).flatten(1)
        # an empty sentence has one path, the empty one, whose score is 0
        empty = torch.full_like(final, float("-inf"))
        empty[:, 0] = 0
        scores, way = torch.where(mask[0], final, empty).topk(k, 1)  # shape: (B, k)
        path = [way // k]
        for pointer in reversed(pointers):
            way = pointer.gather(1, way)
            path.append(way // k)
        paths = torch.stack(path[::-1], 2)
        log_z = torch.where(mask[0], self._close(self._forward()[-1]), 0)
        return torch.where(self.mask.unsqueeze(1), paths, 0), scores - log_z

    def span_probabilities(self, spans: Tensor, labels: Tensor, continues: Tensor) -> Tensor:
        """Exact probability of each span: the share of all paths that hold that very span.

        A span is entered by a tag that doesn't continue what came before, goes on through
        tags that continue, and isn't continued by what comes after. That covers every tag
        scheme, and tags that conlleval's rule repairs.

        Args:
            spans: (S, 4), long: row in the batch, first token, one after the last, label.
            labels: (K,), long: the label of each tag, negative for none.
            continues: (K, K), bool: ``[i, j]``: tag j after tag i goes on with i's entity.

        Returns:
            (S,), between 0 and 1.
        """
        never = float("-inf")
        row, begin, stop, label = spans.unbind(1)
        alphas = self._forward()
        log_z = self._close(alphas[-1])[row, 0]
        betas = self._backward()
        apart = self.transitions.masked_fill(continues, never)
        within = self.transitions.masked_fill(~continues, never)
        emissions = self.emissions

        before = alphas[(begin - 1).clamp(min=0), row]
        entered = torch.logsumexp(before.unsqueeze(2) + apart, 1)
        entered = torch.where((begin == 0).unsqueeze(1), self.start, entered)
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
        ended = torch.logsumexp(score + self.end, 1)
        return (torch.where(stop == self.mask.sum(1)[row], ended, left) - log_z).exp()

    def _time_major(self) -> tuple[Tensor, Tensor]:
        """Emissions (T, B, K) and mask (T, B, 1)."""
        return self.emissions.transpose(0, 1), self.mask.t().unsqueeze(2)

    def _forward(self) -> Tensor:
        """(T, B, K): log-sum of the scores of all prefixes that end in each tag."""
        emissions, mask = self._time_major()
        alpha = self.start + emissions[0]
        alphas = [alpha]
        for emission, real in zip(emissions[1:], mask[1:], strict=True):
            step = torch.logsumexp(alpha.unsqueeze(2) + self.transitions, 1) + emission
            alpha = torch.where(real, step, alpha)
            alphas.append(alpha)
        return torch.stack(alphas)

    def _backward(self) -> Tensor:
        """(T, B, K): log-sum of the scores of all suffixes that follow each tag."""
        emissions, mask = self._time_major()
        beta = self.end.expand_as(emissions[0])
        betas = [beta]
        for emission, real in zip(emissions[1:].flip(0), mask[1:].flip(0), strict=True):
            step = torch.logsumexp(self.transitions + (emission + beta).unsqueeze(1), 2)
            beta = torch.where(real, step, beta)
            betas.append(beta)
        return torch.stack(betas[::-1])

    def _close(self, alpha: Tensor) -> Tensor:
        """(B, 1): the log-partition, from the last step's forward sums."""
        return torch.logsumexp(alpha + self.end, 1, keepdim=True)


class _LogPartition(torch.autograd.Function):
    """The log-partition with its gradient written out, which is the expected counts.

    Recording the loop for autograd costs several times as much as the loop itself; the
    gradient is one sweep back over what the forward sweep left.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        mask: Tensor,
    ) -> Tensor:
        chain = LinearChain(emissions, transitions, start, end, mask)
        alphas = chain._forward()
        log_z = chain._close(alphas[-1])
        ctx.save_for_backward(emissions, transitions, start, end, mask, alphas, log_z)
        return torch.where(mask[:, 0], log_z.squeeze(1), 0)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        emissions, transitions, start, end, mask, alphas, log_z = ctx.saved_tensors
        chain = LinearChain(emissions, transitions, start, end, mask)
        weight = torch.where(mask[:, 0], grad, 0).unsqueeze(1)  # shape: (B, 1)
        steps, real = chain._time_major()
        expected = torch.zeros_like(transitions)
        beta = end.expand_as(steps[0])
        betas = [beta]
        for t in range(len(steps) - 1, 0, -1):
            onward = transitions + (steps[t] + beta).unsqueeze(1)  # shape: (B, K, K)
            share = (onward + (alphas[t - 1] - log_z).unsqueeze(2)).exp()
            expected += (share * torch.where(real[t], weight, 0).unsqueeze(2)).sum(0)
            beta = torch.where(real[t], torch.logsumexp(onward, 2), beta)
            betas.append(beta)
        marginals = (alphas + torch.stack(betas[::-1]) - log_z).exp() * weight
        marginals = torch.where(real, marginals, 0)
        last = (mask.sum(1) - 1).clamp(min=0)
        ends = marginals[last, torch.arange(len(last), device=last.device)]
        return marginals.transpose(0, 1), expected, marginals[0].sum(0), ends.sum(0), None
