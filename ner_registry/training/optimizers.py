"""PyTorch's optimizers, under their usual names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch.nn import Parameter

from ner_registry.config.registry import Registrable
from ner_registry.config.types import NonNegativeFloat, PositiveFloat, Range
from ner_registry.errors import ConfigError, Fault
from ner_registry.training.row_adam import RowAdam, RowAdamW

Beta = Annotated[float, Range(0, 1, below=True)]
NamedParameters = Sequence[tuple[str, Parameter]]


class Optimizer(torch.optim.Optimizer, Registrable):
    """What changes the weights.

    It is given ``parameters``, those that training changes, as pairs of a name and a parameter,
    which is one of the forms that PyTorch's optimizers take.
    """

    supplied = ("parameters",)


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """Parameters with settings of their own.

    Attributes:
        parameters: regular expressions; one found in a parameter's name, such as
            ``embedders.words``, puts it in the group, the first group that does.
        lr: their learning rate; null: that of the optimizer.
        weight_decay: their weight decay; null: that of the optimizer.
    """

    parameters: Annotated[list[str], Range(1)]
    lr: PositiveFloat | None = None
    weight_decay: NonNegativeFloat | None = None


def grouped(
    parameters: NamedParameters, groups: Sequence[ParameterGroup] | None
) -> list[dict[str, Any]]:
    """Parameters as PyTorch's optimizers take them; those of no group come last.

    Raises:
        ConfigError: a group matches no parameter, or is no regular expression.
    """
    left = list(parameters)
    found: list[dict[str, Any]] = []
    for number, group in enumerate(groups or ()):
        path = f"trainer.optimizer.parameter_groups.{number}.parameters"
        try:
            matching = [(n, p) for n, p in left if any(re.search(x, n) for x in group.parameters)]
        except re.error as error:
            message = f"expected regular expressions, got {error.pattern!r}: {error}"
            raise ConfigError([Fault(path, message)]) from None
        if not matching:
            names = ", ".join(name for name, _ in left)
            message = f"expected to match a parameter, got none of: {names}"
            raise ConfigError([Fault(path, message)])
        taken = {name for name, _ in matching}
        left = [(name, p) for name, p in left if name not in taken]
        own = {"lr": group.lr, "weight_decay": group.weight_decay}
        settings = {key: value for key, value in own.items() if value is not None}
        found.append({"params": [p for _, p in matching], **settings})
    return [*found, {"params": [p for _, p in left]}] if left else found


def _has_fused_kernel(parameters: NamedParameters) -> bool:
    """One pass over all weights instead of several, where the device has the kernel."""
    return all(p.device.type in ("cpu", "cuda") for _, p in parameters)


@Optimizer.register("adam")
def adam(
    parameters: NamedParameters,
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    amsgrad: bool = False,
    parameter_groups: list[ParameterGroup] | None = None,
) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015).

    Args:
        lr: learning rate.
        betas: decay rates of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient.
        amsgrad: divide by the greatest mean square so far (Reddi et al. 2018).
        parameter_groups: parameters with settings of their own; null: all alike.
    """
    return RowAdam(
        grouped(parameters, parameter_groups),
        lr,
        betas,
        eps,
        weight_decay,
        amsgrad,
        fused=_has_fused_kernel(parameters),
    )


@Optimizer.register("adamw")
def adamw(
    parameters: NamedParameters,
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 1e-2,
    amsgrad: bool = False,
    parameter_groups: list[ParameterGroup] | None = None,
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Args:
        lr: learning rate.
        betas: decay rates of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: share of a weight that is taken off per step, times ``lr``.
        amsgrad: divide by the greatest mean square so far (Reddi et al. 2018).
        parameter_groups: parameters with settings of their own; null: all alike.
    """
    return RowAdamW(
        grouped(parameters, parameter_groups),
        lr,
        betas,
        eps,
        weight_decay,
        amsgrad,
        fused=_has_fused_kernel(parameters),
    )


@Optimizer.register("nadam")
def nadam(
    parameters: NamedParameters,
    *,
    lr: PositiveFloat = 2e-3,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    parameter_groups: list[ParameterGroup] | None = None,
) -> torch.optim.Optimizer:
    """Adam with Nesterov momentum (Dozat 2016).

    Args:
        lr: learning rate.
        betas: decay rates of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient.
        parameter_groups: parameters with settings of their own; null: all alike.
    """
    return torch.optim.NAdam(grouped(parameters, parameter_groups), lr, betas, eps, weight_decay)


@Optimizer.register("sgd")
def sgd(
    parameters: NamedParameters,
    *,
    lr: PositiveFloat,
    momentum: NonNegativeFloat = 0.0,
    dampening: NonNegativeFloat = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
    nesterov: bool = False,
    parameter_groups: list[ParameterGroup] | None = None,
) -> torch.optim.Optimizer:
    """Stochastic gradient descent, with momentum if asked.

    Args:
        lr: learning rate.
        momentum: share of the last step that is taken again.
        dampening: share of the gradient that momentum leaves out.
        weight_decay: L2 penalty, added to the gradient.
        nesterov: look ahead along the momentum (Sutskever et al. 2013).
        parameter_groups: parameters with settings of their own; null: all alike.
    """
    return torch.optim.SGD(
        grouped(parameters, parameter_groups), lr, momentum, dampening, weight_decay, nesterov
    )


@Optimizer.register("adagrad")
def adagrad(
    parameters: NamedParameters,
    *,
    lr: PositiveFloat = 1e-2,
    lr_decay: NonNegativeFloat = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
    eps: PositiveFloat = 1e-10,
    parameter_groups: list[ParameterGroup] | None = None,
) -> torch.optim.Optimizer:
    """Adagrad (Duchi et al. 2011).

    Args:
        lr: learning rate.
        lr_decay: the rate is divided by 1 + steps * ``lr_decay``.
        weight_decay: L2 penalty, added to the gradient.
        eps: added to the denominator.
        parameter_groups: parameters with settings of their own; null: all alike.
    """
    return torch.optim.Adagrad(
        grouped(parameters, parameter_groups), lr, lr_decay, weight_decay, eps=eps
    )


@Optimizer.register("rmsprop")
def rmsprop(
    parameters: NamedParameters,
    *,
    lr: PositiveFloat = 1e-2,
    alpha: Beta = 0.99,
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    momentum: NonNegativeFloat = 0.0,
    parameter_groups: list[ParameterGroup] | None = None,
) -> torch.optim.Optimizer:
    """RMSprop (Hinton 2012, lecture 6e).

    Args:
        lr: learning rate.
        alpha: decay rate of the running mean of the squared gradient.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient.
        momentum: share of the last step that is taken again.
        parameter_groups: parameters with settings of their own; null: all alike.
    """
    return torch.optim.RMSprop(
        grouped(parameters, parameter_groups), lr, alpha, eps, weight_decay, momentum
    )
