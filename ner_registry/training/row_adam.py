"""Adam and AdamW that leave a table's rows alone until they are read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from inspect import unwrap
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ner_registry.errors import NerError
from ner_registry.nn.kernels import HAS_NUMBA
from ner_registry.nn.table import Table

# of a denominator: so little may it change within the first moves that are taken as one, and
# within those that weigh less
_ALIKE, _NEARLY_ALIKE = 0.004, 0.1
_LITTLE = 0.01  # of a weight: so little may decay in a step, that moves may be added up within it
_NOTHING = 2.0**-24  # of it: less changes no number of 24 bits
_OWED = ("taken", "rates", "epsilons", "decays")  # arrays of _Rows


class RowOptimizer(torch.optim.Adam):
    """An optimizer of Adam's kind whose cost per step doesn't grow with the vocabulary.

    Adam moves every number at every step, a word's vector too that no sentence of the batch
    holds: by what is left of its mean gradient. For a table that takes longer than all the rest
    of a step. Here a row that isn't read is owed its steps, and takes them together when it is
    looked up or saved. The numbers are Adam's, but for rounding.
    """

    decays_weights = False
    # PyTorch's own load all of torch.compile first, to tell it to leave them as they are, which
    # takes two seconds and 160 MB
    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    zero_grad = unwrap(torch.optim.Adam.zero_grad)

    def __init__(self, params: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(params, *args, **kwargs)
        self._tables: list[_Rows] = []
        self._is_owing = False

    def follow(self, model: nn.Module) -> None:
        """Takes charge of the tables in a model, those of the optimizer's parameters.

        Without numba, on another device, or with an option that moves rows in yet another way,
        tables are as any other parameter.
        """
        for module in model.modules():
            if isinstance(module, Table) and HAS_NUMBA and self._can_defer(module.weight):
                module.sparse = True
                table = _Rows(module.weight, self)
                self._tables.append(table)
                module.register_forward_pre_hook(partial(_before_reading, table))
                module.register_state_dict_pre_hook(  # type: ignore[no-untyped-call]  # of torch
                    self._before_saving
                )
                module.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]  # of torch
                    partial(_before_loading, table)
                )

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """As Adam's."""
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        grads = [table.take_grad() for table in self._tables]
        unwrap(torch.optim.Adam.step)(self)
        for table, grad in zip(self._tables, grads, strict=True):
            if grad is not None:
                # rows that another rank has looked up owe steps here
                table.catch_up(grad.indices()[0].numpy())
                table.step(grad)
        return loss

    def settle(self) -> None:
        """Has every row take the steps that it is owed."""
        for table in self._tables:
            table.catch_up_all()

    def state_dict(self) -> dict[str, Any]:
        """As Adam's: no row is owed anything, but within :meth:`owing`."""
        self._before_saving()
        state: dict[str, Any] = unwrap(torch.optim.Adam.state_dict)(self)
        return state

    @contextmanager
    def owing(self) -> Iterator[None]:
        """Within it, saving the model or this leaves rows as they are, their steps still owed.

        A row that takes its steps in two parts is rounded twice: a run that goes on as if it had
        never stopped must take them when the other one does.
        """
        self._is_owing = True
        try:
            yield
        finally:
            self._is_owing = False

    def owed(self) -> dict[str, Tensor]:
        """Which steps rows are owed, as :meth:`owe` takes it."""
        return {
            f"{number}.{name}": torch.from_numpy(values)
            for number, table in enumerate(self._tables)
            for name, values in table.owed().items()
        }

    def owe(self, owed: Mapping[str, Tensor]) -> None:
        """Goes on from weights and a state that were saved within :meth:`owing`.

        Where nothing was put off, as on a GPU, nothing is owed.

        Raises:
            NerError: something was, and can't be here.
        """
        if not owed:
            return
        if len(owed) != len(_OWED) * len(self._tables):
            raise NerError(
                "rows of the model's tables are owed steps that can only be taken as the run "
                "began: on a CPU, with numba"
            )
        for number, table in enumerate(self._tables):
            table.owe(*(owed[f"{number}.{name}"].numpy() for name in _OWED))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Of this class or of Adam."""
        unwrap(torch.optim.Adam.load_state_dict)(self, state_dict)
        for table in self._tables:
            table.resume()

    def _before_saving(self, *_: Any) -> None:
        if not self._is_owing:
            self.settle()

    def group_of(self, weight: Tensor) -> dict[str, Any] | None:
        """The group that a parameter is in."""
        return next((g for g in self.param_groups if any(p is weight for p in g["params"])), None)

    def _can_defer(self, weight: Tensor) -> bool:
        group = self.group_of(weight)
        if group is None or group["amsgrad"]:
            return False
        decay = group.get("initial_lr", group["lr"]) * group["weight_decay"]
        if decay > (_LITTLE if self.decays_weights else 0):
            return False
        first, second = group["betas"]
        if first >= 0.99 * math.sqrt(second):  # owed moves would hardly shrink, or grow
            return False
        return weight.device.type == "cpu" and weight.dtype == torch.float32


class RowAdam(RowOptimizer):
    """Adam (Kingma & Ba 2015); with an L2 penalty, which moves every row, it is PyTorch's."""


class RowAdamW(RowOptimizer, torch.optim.AdamW):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    decays_weights = True


def _before_reading(table: _Rows, module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
    table.catch_up(arguments[0].flatten().numpy())


def _before_loading(table: _Rows, *_: Any) -> None:
    # steps owed to the weights that were there aren't owed to those that come
    table.taken[:] = table.now


class _Rows:
    """A table's rows, and which steps each of them has taken.

    Args:
        weight: (rows, width).
        optimizer: keeps the running means, under the names that Adam gives them.
    """

    def __init__(self, weight: Tensor, optimizer: RowOptimizer) -> None:
        self.weight = weight
        self.optimizer = optimizer
        # threads that validate may look up one row at once, and it must take its steps once
        self.lock = Lock()
        self.now = 0
        self.taken = np.zeros(len(weight), np.int64)
        # of each step, by number
        self.rates = np.zeros(1)
        self.epsilons = np.zeros(1)
        self.decays = np.zeros(1)  # summed logarithms, since the first step

    def take_grad(self) -> Tensor | None:
        """The gradient, of the rows that have one; nobody else is to see it."""
        grad, self.weight.grad = self.weight.grad, None
        return grad.coalesce() if grad is not None else None

    def step(self, grad: Tensor) -> None:
        """Adam's step for rows that were just looked up, and so owe nothing."""
        from ner_registry.nn.kernels import adam as kernels

        group = self._group
        state = self._state
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(self.weight)
            state["exp_avg_sq"] = torch.zeros_like(self.weight)
        state["step"] += 1
        self.now += 1
        first, second = group["betas"]
        correction = math.sqrt(1 - second**self.now)
        if self.now == len(self.rates):
            self.rates, self.epsilons, self.decays = (
                np.concatenate([values, np.zeros(len(values))])
                for values in (self.rates, self.epsilons, self.decays)
            )
        decay = math.log1p(-group["lr"] * group["weight_decay"])
        self.decays[self.now] = self.decays[self.now - 1] + decay
        self.rates[self.now] = group["lr"] * correction / (1 - first**self.now)
        self.epsilons[self.now] = group["eps"] * correction
        kernels.step(
            grad.indices()[0].numpy(),
            grad.values().numpy(),
            self.taken,
            self.now,
            *self._arrays(),
            self.rates[self.now],
            self.epsilons[self.now],
            math.exp(decay),
            np.array(group["betas"]),
        )

    def catch_up(self, rows: Any) -> None:
        """Has rows (any number,) take all steps that they are owed."""
        from ner_registry.nn.kernels import adam as kernels

        if not self.now:
            return
        first, second = self._group["betas"]
        left = first / math.sqrt(second)  # of a step's move, in the next one
        shrinks = -math.log(second) / 2  # a denominator, by so much of itself in a step
        with self.lock:
            kernels.catch_up(
                rows,
                self.taken,
                self.now,
                *self._arrays(),
                self.rates,
                self.epsilons,
                self.decays,
                np.array([first, second]),
                max(1, int(_ALIKE / shrinks)),
                max(1, int(_NEARLY_ALIKE / shrinks)),
                math.ceil(math.log(_NOTHING) / math.log(left)) if left else 0,
            )

    def catch_up_all(self) -> None:
        """Has every row take them."""
        self.catch_up(np.arange(len(self.taken)))

    def resume(self) -> None:
        """Goes on from a state that was loaded, in which no row is owed anything."""
        self.now = int(self._state["step"]) if self._state else 0
        self.taken[:] = self.now
        self.rates = np.zeros(self.now + 1)
        self.epsilons = np.zeros(self.now + 1)
        self.decays = np.zeros(self.now + 1)

    def owed(self) -> dict[str, Any]:
        """Which steps rows have taken, and what of the steps from the first owed one on."""
        since = slice(int(self.taken.min()), self.now + 1)
        values = (self.taken, self.rates[since], self.epsilons[since], self.decays[since])
        return dict(zip(_OWED, values, strict=True))

    def owe(self, taken: Any, *of_steps: Any) -> None:
        """The other way round, in place of :meth:`resume`'s."""
        self.resume()
        self.taken[:] = taken
        for values, known in zip((self.rates, self.epsilons, self.decays), of_steps, strict=True):
            values[len(values) - len(known) :] = known

    @property
    def _group(self) -> dict[str, Any]:
        group = self.optimizer.group_of(self.weight)
        assert group is not None
        return group

    @property
    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.optimizer.state[self.weight]
        return state

    def _arrays(self) -> Iterator[Any]:
        state = self._state
        for tensor in (self.weight, state["exp_avg"], state["exp_avg_sq"]):
            yield tensor.detach().numpy()
