"""Modules side by side, in training too: on a CPU's threads, or on streams of a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from ner_registry.nn.threads import side_by_side, thread_count


def parallel(modules: Sequence[nn.Module], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What recurrent modules give for their inputs, all at once where the device can.

    Args:
        modules: each gives a tuple, of which the first is its output, as ``nn.LSTM`` does.
        inputs: one tensor for each.
    """
    if inputs[0].device.type == "cuda":
        return _on_streams(modules, inputs)
    if thread_count() == 1 or inputs[0].device.type != "cpu":
        return tuple(module(tensor)[0] for module, tensor in zip(modules, inputs, strict=True))
    parameters = [list(module.parameters()) for module in modules]
    flat = [parameter for of_module in parameters for parameter in of_module]
    recorded = torch.is_grad_enabled() and any(t.requires_grad for t in (*inputs, *flat))
    outputs: tuple[Tensor, ...] = _Parallel.apply(  # type: ignore[no-untyped-call]  # of torch
        recorded, modules, parameters, len(inputs), *inputs, *flat
    )
    return outputs


def _on_streams(modules: Sequence[nn.Module], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """A step of a small LSTM fills a fraction of a GPU; autograd goes back on the same streams."""
    current = torch.cuda.current_stream(inputs[0].device)
    outputs = []
    for number, (module, given) in enumerate(zip(modules, inputs, strict=True)):
        stream = current if number == 0 else _stream(current.device, number)
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            outputs.append(module(given)[0])
        given.record_stream(stream)
    for number, output in enumerate(outputs[1:], 1):
        current.wait_stream(_stream(current.device, number))
        output.record_stream(current)
    return tuple(outputs)


@cache
def _stream(device: torch.device, number: int) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


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
