"""What a search for a better config may try."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any

from ner_registry.config.registry import Registrable
from ner_registry.config.types import PositiveInt, Range

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_GOLDEN = (math.sqrt(5) - 1) / 2


class Distribution(ABC, Registrable):
    """The values that a search may give a key."""

    @abstractmethod
    def as_optuna(self) -> BaseDistribution:
        """The same for Optuna, which keeps numbers and names alone."""

    def value(self, chosen: Any) -> Any:
        """What a key gets for what Optuna chose."""
        return chosen

    @property
    @abstractmethod
    def examples(self) -> list[Any]:
        """Values of which one is likely to be refused if any is: bounds, or every one."""


@Distribution.register("float")
class FloatRange(Distribution):
    """Numbers between two bounds.

    Args:
        low: the least.
        high: the greatest.
        log: whether to try each order of magnitude as often as the others.
    """

    def __init__(self, *, low: float, high: float, log: bool = False) -> None:
        if low > high or (log and low <= 0):
            least = "above 0 and at most high" if log else "at most high"
            raise ValueError(f"low: expected a number {least} ({high:g}), got {low:g}")
        self.low, self.high, self.log = low, high, log

    def as_optuna(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=self.log)

    @property
    def examples(self) -> list[float]:
        between = self.low + (self.high - self.low) * _GOLDEN  # no whole number, if it may
        return [self.low, between, self.high]


@Distribution.register("int")
class IntRange(Distribution):
    """Whole numbers between two bounds, both included.

    Args:
        low: the least.
        high: the greatest.
        step: how far apart they are, counted from ``low``.
    """

    def __init__(self, *, low: int, high: int, step: PositiveInt = 1) -> None:
        if low > high:
            raise ValueError(f"low: expected a number at most high ({high}), got {low}")
        self.low, self.high, self.step = low, high, step

    def as_optuna(self) -> BaseDistribution:
        from optuna.distributions import IntDistribution

        # the last one that steps reach, as Optuna wants it
        last = self.low + (self.high - self.low) // self.step * self.step
        return IntDistribution(self.low, last, step=self.step)

    @property
    def examples(self) -> list[int]:
        return [self.low, self.high]


@Distribution.register("choice")
class Choice(Distribution):
    """Any of some values, which may be objects, such as whole parts of a model.

    Args:
        values: the values.
    """

    def __init__(self, *, values: Annotated[list[Any], Range(1)]) -> None:
        self.values = values

    def as_optuna(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([json.dumps(value) for value in self.values])

    def value(self, chosen: Any) -> Any:
        return json.loads(chosen)

    @property
    def examples(self) -> list[Any]:
        return self.values
