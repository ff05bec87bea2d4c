"""Inference in a linear chain as four operators that autograd and torch.compile know.

On a CPU and on a GPU each is a kernel (the k best paths on a CPU alone); where numba or Triton is
absent, on other devices, and for scores too far apart for a CPU's kernel with its plain sums, the
same in log space.

Shapes: B sentences, T tokens, K tags; a mask is bool, true on real tokens, which come first in
their row. A row may be all padding, whose one path is the empty one with score 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.library import Library

from ner_registry.nn import log_space
from ner_registry.nn.kernels import HAS_NUMBA, HAS_TRITON, as_array
from ner_registry.nn.threads import side_by_side, thread_count

_WORTH_A_THREAD = 2**15  # numbers in the emissions; a kernel takes 200 microseconds for them


# torch.library.custom_op would do it in fewer lines, but its operators load the whole of
# torch.compile when they are first called: two seconds, before the first sentence is tagged.
_library = Library("ner_registry", "DEF")
_CHAIN = "Tensor emissions, Tensor transitions, Tensor start, Tensor end, Tensor mask"


def log_likelihood(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, tags: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Log-probability of a path per sentence, with its gradients.

    A token without a tag (a negative one) adds nothing to the path's score, so that without any
    the result is the negated log-partition, and the gradient the negated expectations.

    Args:
        emissions: (B, T, K), the score of each tag at each token.
        transitions: (K, K), ``[i, j]`` scores tag j after tag i.
        start: (K,), the score of each tag as the first.
        end: (K,), the score of each tag as the last.
        mask: (B, T).
        tags: (B, T), long.

    Returns:
        The log-likelihoods (B,), and, not differentiable, each one's gradient with respect to the
        emissions (B, T, K) and to transitions, start and end (B, K + 2, K).
    """
    _check(emissions, (transitions, start, end), mask, tags)
    result: tuple[Tensor, Tensor, Tensor] = torch.ops.ner_registry.chain_log_likelihood(
        emissions, transitions, start, end, mask, tags
    )
    return result


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor
) -> Tensor:
    """The best path of each sentence (Viterbi 1967): (B, T), long; 0 on padding."""
    _check(emissions, (transitions, start, end), mask)
    result: Tensor = torch.ops.ner_registry.chain_viterbi(emissions, transitions, start, end, mask)
    return result


def k_best(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """The k best paths of each sentence, best first.

    Returns:
        Paths (B, k, T), long, 0 on padding; and their scores (B, k), minus infinity where a
        sentence has fewer than k paths.
    """
    _check(emissions, (transitions, start, end), mask)
    result: tuple[Tensor, Tensor] = torch.ops.ner_registry.chain_k_best(
        emissions, transitions, start, end, mask, k
    )
    return result


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
    """The share of all paths that hold each span, (S,).

    A span is entered by a tag that doesn't continue what came before, goes on through tags that
    continue, and isn't continued by what comes after.

    Args:
        emissions: (B, T, K).
        transitions: (K, K).
        start: (K,).
        end: (K,).
        mask: (B, T).
        spans: (S, 4), long: row in the batch, first token, one after the last, label.
        labels: (K,), long: the label of each tag, negative for none.
        continues: (K, K), bool: ``[i, j]``: tag j after tag i goes on with i's entity.
    """
    _check(emissions, (transitions, start, end), mask)
    result: Tensor = torch.ops.ner_registry.chain_span_probabilities(
        emissions, transitions, start, end, mask, spans, labels, continues
    )
    return result


def _check(emissions: Tensor, steps: tuple[Tensor, Tensor, Tensor], *others: Tensor) -> None:
    """Kernels read memory by these shapes, and would read another's."""
    count = emissions.shape[2]
    shapes = tuple(tuple(scores.shape) for scores in steps)
    if shapes != ((count, count), (count,), (count,)):
        raise ValueError(
            f"expected the scores of transitions, start and end of {count} tags, as the emissions "
            f"have, got shapes {shapes}"
        )
    for other in others:
        if other.shape != emissions.shape[:2]:
            raise ValueError(
                f"expected emissions (batch, length, tags) and a mask and tags of "
                f"{tuple(emissions.shape[:2])}, got {tuple(other.shape)}"
            )


def _remember(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
    ctx.mark_non_differentiable(*output[1:])
    ctx.set_materialize_grads(False)  # or zeros as large as those outputs would be made
    ctx.save_for_backward(*output[1:])


@once_differentiable
def _gradients(ctx: Any, grad: Tensor | None, *_: Tensor) -> tuple[Tensor | None, ...]:
    if grad is None:  # nothing asks for it
        return (None,) * 6
    of_emissions, of_steps = ctx.saved_tensors
    count = of_emissions.shape[2]
    # the other way round, as grad @ of_steps, a small product takes MKL four times as long
    steps = torch.mv(of_steps.flatten(1).t(), grad)
    transitions, start, end = steps.split((count * count, count, count))
    of_each = of_emissions * grad.view(-1, 1, 1)
    return of_each, transitions.view(count, count), start, end, None, None


def _shapes_of_log_likelihood(emissions: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    size, count = emissions.shape[0], emissions.shape[2]
    of_steps = emissions.new_empty(size, count + 2, count)
    return emissions.new_empty(size), torch.empty_like(emissions), of_steps


def _shape_of_viterbi(emissions: Tensor, *rest: Tensor) -> Tensor:
    return torch.empty_like(rest[3], dtype=torch.long)


def _shapes_of_k_best(emissions: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    (size, length), k = emissions.shape[:2], rest[-1]
    return emissions.new_empty(size, k, length, dtype=torch.long), emissions.new_empty(size, k)


def _shape_of_span_probabilities(emissions: Tensor, *rest: Tensor) -> Tensor:
    return emissions.new_empty(rest[4].shape[0])


def _kernel_log_likelihood(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, tags: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    from ner_registry.nn.kernels import chain as kernels

    size, length, count = emissions.shape
    outputs = (
        emissions.new_empty(size),
        emissions.new_empty(size, length, count),
        emissions.new_empty(size, count + 2, count),
    )
    steps = (transitions, start, end)
    if all(_on_rows(kernels.log_likelihood, emissions, steps, (mask, tags, *outputs))):
        return outputs
    exact = log_space.log_likelihood(*_doubled(emissions, *steps), mask, tags)
    likelihoods, of_emissions, of_steps = (found.to(emissions.dtype) for found in exact)
    return likelihoods, of_emissions, of_steps


def _kernel_viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor
) -> Tensor:
    from ner_registry.nn.kernels import chain as kernels

    paths = torch.zeros(mask.shape, dtype=torch.long)
    _on_rows(kernels.viterbi, emissions, (transitions, start, end), (mask, paths))
    return paths


def _kernel_k_best(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, mask: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    from ner_registry.nn.kernels.k_best import k_best as kernel

    size, length = mask.shape
    paths = torch.zeros(size, k, length, dtype=torch.long)
    scores = emissions.new_empty(size, k)
    _on_rows(kernel, emissions, (transitions.t(), start, end), (mask, paths, scores))
    return paths, scores


def _kernel_span_probabilities(
    emissions: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    mask: Tensor,
    spans: Tensor,
    labels: Tensor,
    continues: Tensor,
) -> Tensor:
    from ner_registry.nn.kernels import chain as kernels

    results = emissions.new_empty(len(spans))
    scores, asked = (emissions, transitions, start, end), (mask, spans, labels, continues)
    if kernels.span_probabilities(*map(as_array, (*scores, *asked, results))):
        return results
    return log_space.span_probabilities(*_doubled(*scores), *asked).to(emissions.dtype)


def _doubled(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Scores too far apart for a kernel are so for float32 as well."""
    return emissions.double(), transitions.double(), start.double(), end.double()


def _on_rows(
    kernel: Callable[..., Any],
    emissions: Tensor,
    steps: Sequence[Tensor],
    by_row: Sequence[Tensor],
) -> list[Any]:
    """A kernel's results on a batch, the rows of a large one shared among threads."""
    arrays, common = [as_array(t) for t in (emissions, *by_row)], [as_array(t) for t in steps]
    count = max(1, min(thread_count(), emissions.numel() // _WORTH_A_THREAD))
    edges = [len(emissions) * share // count for share in range(count + 1)]

    def run(begin: int, stop: int) -> Any:
        scores, *others = (array[begin:stop] for array in arrays)
        return kernel(scores, *common, *others)

    return side_by_side([partial(run, *ends) for ends in pairwise(edges)])


def _on_gpu(name: str, emissions: Tensor, *others: Any) -> Any:
    from ner_registry.nn.kernels import chain_gpu as kernels

    has_kernel = hasattr(kernels, name) and emissions.shape[2] <= kernels.MOST_TAGS
    return getattr(kernels if has_kernel else log_space, name)(emissions, *others)


def _register(
    name: str,
    signature: str,
    on_cpu: Callable[..., Any],
    shapes: Callable[..., Any],
    *,
    has_gpu_kernel: bool = True,
) -> None:
    """An operator ``chain_NAME``; log space and, if so told, the GPU's kernels have a ``NAME``."""
    operator = f"chain_{name}"
    _library.define(f"{operator}({_CHAIN}{signature}")
    _library.impl(operator, getattr(log_space, name), "CompositeExplicitAutograd")
    if HAS_NUMBA:
        _library.impl(operator, on_cpu, "CPU")
    if HAS_TRITON and has_gpu_kernel:
        _library.impl(operator, partial(_on_gpu, name), "CUDA")
    torch.library.register_fake(f"ner_registry::{operator}", shapes, lib=_library)


_register(
    "log_likelihood",
    ", Tensor tags) -> (Tensor, Tensor, Tensor)",
    _kernel_log_likelihood,
    _shapes_of_log_likelihood,
)
_register(
    "viterbi",
    ") -> Tensor",
    _kernel_viterbi,
    _shape_of_viterbi,
)
_register(
    "k_best",
    ", int k) -> (Tensor, Tensor)",
    _kernel_k_best,
    _shapes_of_k_best,
    has_gpu_kernel=False,
)
_register(
    "span_probabilities",
    ", Tensor spans, Tensor labels, Tensor continues) -> Tensor",
    _kernel_span_probabilities,
    _shape_of_span_probabilities,
)
torch.library.register_autograd(
    "ner_registry::chain_log_likelihood", _gradients, setup_context=_remember, lib=_library
)
