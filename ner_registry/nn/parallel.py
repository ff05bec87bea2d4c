"""Modules side by side on a CPU, in training too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ner_registry.nn.threads import side_by_side, thread_count


def parallel(modules: Sequence[nn.Module], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What recurrent modules give for their inputs, all at once where there are threads for it.

    Args:
        modules: each gives a tuple, of which the first is its output, as ``nn.LSTM`` does.
        inputs: one tensor for each.
    """
    if thread_count() == 1 or any(tensor.device.type != "cpu" for tensor in inputs):
        return tuple(module(tensor)[0] for module, tensor in zip(modules, inputs, strict=True))
    parameters = [list(module.parameters()) for module in modules]
    flat = [parameter for of_module in parameters for parameter in of_module]
    recorded = torch.is_grad_enabled() and any(t.requires_grad for t in (*inputs, *flat))
    outputs: tuple[Tensor, ...] = _Parallel.apply(  # type: ignore[no-untyped-call]  # of torch
        recorded, modules, parameters, len(inputs), *inputs, *flat
    )
    return outputs


class _Parallel(torch.autograd.Function):
    """Autograd would run back through one module after the other, in one thread.

    So each module's graph is recorded apart, and run back through in a thread of its own.
    """

    @staticmethod
    def forward(
        ctx: Any,
        recorded: bool,
        modules: Sequence[nn.Module],
        parameters: Sequence[Sequence[Tensor]],
        count: int,
        *tensors: Tensor,
    ) -> tuple[Tensor, ...]:
        def run(module: nn.Module, given: Tensor) -> tuple[Tensor, Tensor]:
            with torch.set_grad_enabled(recorded):
                inner = given.detach().requires_grad_() if recorded else given
                return inner, module(inner)[0]

        ran = side_by_side(
            [partial(run, *pair) for pair in zip(modules, tensors[:count], strict=True)]
        )
        ctx.graphs = [(*pair, own) for pair, own in zip(ran, parameters, strict=True)]
        return tuple(output.detach() for _, output in ran)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        found = side_by_side(
            [
                partial(torch.autograd.grad, output, [given, *own], grad)
                for (given, output, own), grad in zip(ctx.graphs, grads, strict=True)
            ]
        )
        of_inputs = [of_module[0] for of_module in found]
        of_parameters = [grad for of_module in found for grad in of_module[1:]]
        return None, None, None, None, *of_inputs, *of_parameters
