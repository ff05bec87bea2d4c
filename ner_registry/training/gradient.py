"""The gradient of all parameters together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


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
