"""The gradient of all parameters together."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ner_registry.training.ranks import Ranks

logger = logging.getLogger(__name__)

_NAMED = 3  # of parameters, in a message


def clip_gradient(parameters: Sequence[nn.Parameter], limit: float | None) -> Tensor:
    """Scales the gradient of all parameters together down to a norm, where it is longer.

    As ``torch.nn.utils.clip_grad_norm_``, for sparse gradients too.

    Args:
        parameters: whose gradient it is.
        limit: the norm; None: the gradient stays as it is.

    Returns:
        the norm that it had, ().
    """
    values = []
    for parameter in parameters:
        if parameter.grad is not None:
            if parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
            values.append(parameter.grad.values() if parameter.grad.is_sparse else parameter.grad)
    norm = nn.utils.get_total_norm(values)
    if limit is not None:
        torch._foreach_mul_(values, (limit / (norm + 1e-6)).clamp(max=1))
    return norm


def add_up_gradient(parameters: Sequence[nn.Parameter], loss: Tensor, ranks: Ranks) -> Tensor:
    """Sums the gradient of all parameters, and the loss, over the ranks.

    Dense gradients go as one vector, since each exchange costs a wait; of sparse ones only the
    rows that there are. DistributedDataParallel knows no sparse gradients.

    Args:
        parameters: whose gradient it is; every rank has one for the same of them.
        loss: of this rank, ().
        ranks: all of them get the sums.

    Returns:
        the sum of the losses, ().
    """
    if ranks.size == 1:
        return loss
    dense: list[tuple[nn.Parameter, Tensor]] = []
    for parameter in parameters:
        grad = parameter.grad
        if grad is not None and grad.is_sparse:
            parameter.grad = ranks.add_up(grad.coalesce())
        elif grad is not None:
            dense.append((parameter, grad.flatten()))
    numbers = [loss.reshape(1), *(grad for _, grad in dense)]
    total: Tensor
    total, *sums = ranks.add_up(torch.cat(numbers)).split([len(part) for part in numbers])
    for (parameter, _), of_parameter in zip(dense, sums, strict=True):
        parameter.grad = of_parameter.view_as(parameter).to(parameter.dtype)
    return total.reshape(())


def warn_of_no_gradient(model: nn.Module) -> None:
    """Tells of weights that a loss doesn't depend on, as where a part detaches what it reads."""
    named = model.named_parameters()
    idle = [name for name, p in named if p.requires_grad and p.grad is None]
    if idle:
        others = f" and {len(idle) - _NAMED} others" if len(idle) > _NAMED else ""
        logger.warning(
            "no gradient reaches %s%s: training leaves them as they are; does a part detach what "
            "it reads, or not use them?",
            ", ".join(idle[:_NAMED]),
            others,
        )
