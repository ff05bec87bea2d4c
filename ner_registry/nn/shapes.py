"""Whether parts give what they must."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ner_registry.errors import RunError


def check_vectors(given: Any, path: str, part: Any, mask: Tensor) -> None:
    """Refuses vectors that an embedder or an encoder gives in another shape than it must.

    Raises:
        RunError: they aren't (batch, length, output_dim); the mask is (batch, length).
    """
    expected = (*mask.shape, part.output_dim)
    check_shape(given, path, part, "forward", "(batch, length, output_dim)", expected)


def check_shape(
    given: Any, path: str, part: nn.Module, method: str, shape: str, expected: tuple[int, ...]
) -> None:
    """Refuses what a part gives that isn't of the shape that it must have.

    Raises:
        RunError: naming the part, what was expected and what it gave.
    """
    if not isinstance(given, Tensor) or given.shape != expected:
        got = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise RunError(
            f"{path}: {type(part).__name__}.{method} must give {shape}, here {tuple(expected)}, "
            f"got {got}"
        )
