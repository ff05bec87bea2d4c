"""What a type hint can say of a config value beyond its type."""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Range:
    """Bounds of a number, or of how many items a list or object holds; both inclusive.

    Attributes:
        low: the least allowed.
        high: the most allowed.
        above: true where ``low`` itself isn't allowed.
        below: true where ``high`` itself isn't allowed.
    """

    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False

    def allows(self, value: float | Sized) -> bool:
        number = len(value) if isinstance(value, Sized) else value
        if self.low is not None and not (number > self.low if self.above else number >= self.low):
            return False
        return self.high is None or (number < self.high if self.below else number <= self.high)

    def __str__(self) -> str:
        bounds = []
        if self.low is not None:
            bounds.append(f"{'above' if self.above else 'at least'} {self.low:.12g}")
        if self.high is not None:
            bounds.append(f"{'below' if self.below else 'at most'} {self.high:.12g}")
        return " and ".join(bounds)


@dataclass(frozen=True)
class Pattern:
    """What a string must look like.

    Attributes:
        regex: what the whole string must match.
        meaning: the same in words, as in "expected ...".
    """

    regex: str
    meaning: str

    def allows(self, value: str) -> bool:
        return re.fullmatch(self.regex, value) is not None

    def __str__(self) -> str:
        return self.meaning


PositiveInt = Annotated[int, Range(1)]
LayerCount = Annotated[int, Range(1, 100)]
NonNegativeInt = Annotated[int, Range(0)]
PositiveFloat = Annotated[float, Range(0, above=True)]
NonNegativeFloat = Annotated[float, Range(0)]
Probability = Annotated[float, Range(0, 1)]
DropoutRate = Annotated[float, Range(0, 1, below=True)]
