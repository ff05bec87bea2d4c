"""PyTorch's optimizers, under their usual names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import torch
from torch.nn import Parameter

from ner_registry.config.registry import Registrable
from ner_registry.config.types import NonNegativeFloat, PositiveFloat, Range

Beta = Annotated[float, Range(0, 1, below=True)]


class Optimizer(torch.optim.Optimizer, Registrable):
    """What changes the weights. It is given ``parameters``, those that training changes."""

    supplied = ("parameters",)


def _has_fused_kernel(parameters: list[Parameter]) -> bool:
    """One pass over all weights instead of several, where the device has the kernel."""
    return all(p.device.type in ("cpu", "cuda") for p in parameters)


@Optimizer.register("adam")
def adam(
    parameters: Iterable[Parameter],
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    amsgrad: bool = False,
) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015).

    Args:
        lr: learning rate.
        betas: decay rates of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient.
        amsgrad: divide by the greatest mean square so far (Reddi et al. 2018).
    """
    weights = list(parameters)
    return torch.optim.Adam(
        weights, lr, betas, eps, weight_decay, amsgrad, fused=_has_fused_kernel(weights)
    )


@Optimizer.register("adamw")
def adamw(
    parameters: Iterable[Parameter],
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 1e-2,
    amsgrad: bool = False,
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Args:
        lr: learning rate.
        betas: decay rates of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: share of a weight that is taken off per step, times ``lr``.
        amsgrad: divide by the greatest mean square so far (Reddi et al. 2018).
    """
    weights = list(parameters)
    return torch.optim.AdamW(
        weights, lr, betas, eps, weight_decay, amsgrad, fused=_has_fused_kernel(weights)
    )


@Optimizer.register("nadam")
def nadam(
    parameters: Iterable[Parameter],
    *,
    lr: PositiveFloat = 2e-3,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
) -> torch.optim.Optimizer:
    """Adam with Nesterov momentum (Dozat 2016).

    Args:
        lr: learning rate.
        betas: decay rates of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient.
    """
    return torch.optim.NAdam(parameters, lr, betas, eps, weight_decay)


@Optimizer.register("sgd")
def sgd(
    parameters: Iterable[Parameter],
    *,
    lr: PositiveFloat,
    momentum: NonNegativeFloat = 0.0,
    dampening: NonNegativeFloat = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
    nesterov: bool = False,
) -> torch.optim.Optimizer:
    """Stochastic gradient descent, with momentum if asked.

    Args:
        lr: learning rate.
        momentum: share of the last step that is taken again.
        dampening: share of the gradient that momentum leaves out.
        weight_decay: L2 penalty, added to the gradient.
        nesterov: look ahead along the momentum (Sutskever et al. 2013).
    """
    return torch.optim.SGD(parameters, lr, momentum, dampening, weight_decay, nesterov)


@Optimizer.register("adagrad")
def adagrad(
    parameters: Iterable[Parameter],
    *,
    lr: PositiveFloat = 1e-2,
    lr_decay: NonNegativeFloat = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
    eps: PositiveFloat = 1e-10,
) -> torch.optim.Optimizer:
    """Adagrad (Duchi et al. 2011).

    Args:
        lr: learning rate.
        lr_decay: the rate is divided by 1 + steps * ``lr_decay``.
        weight_decay: L2 penalty, added to the gradient.
        eps: added to the denominator.
    """
    return torch.optim.Adagrad(parameters, lr, lr_decay, weight_decay, eps=eps)


@Optimizer.register("rmsprop")
def rmsprop(
    parameters: Iterable[Parameter],
    *,
    lr: PositiveFloat = 1e-2,
    alpha: Beta = 0.99,
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    momentum: NonNegativeFloat = 0.0,
) -> torch.optim.Optimizer:
    """RMSprop (Hinton 2012, lecture 6e).

    Args:
        lr: learning rate.
        alpha: decay rate of the running mean of the squared gradient.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient.
        momentum: share of the last step that is taken again.
    """
    return torch.optim.RMSprop(parameters, lr, alpha, eps, weight_decay, momentum)
