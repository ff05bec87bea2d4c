"""Whether parts give what they must."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ner_registry.errors import RunError, is_own


def lent(mask: Tensor, part: nn.Module) -> Tensor:
    """The mask, or a copy of it for a part from elsewhere: one that changes it changes its own."""
    return mask if is_own(type(part)) else mask.clone()


def check_vectors(given: Any, path: str, part: Any, mask: Tensor) -> None:
    """Refuses vectors that an embedder or an encoder gives in another form than it must.

    Raises:
        RunError: they aren't (batch, length, output_dim) on the device of the mask, which is
            (batch, length).
    """
    expected = (*mask.shape, part.output_dim)
    check_given(given, path, part, "forward", "(batch, length, output_dim)", expected)
    if given.device != mask.device:
        wanted = f"{path}: {type(part).__name__}.forward must give a tensor on {mask.device}"
        raise RunError(f"{wanted}, as its inputs are, got one on {given.device}")


def check_given(
    given: Any,
    path: str,
    part: nn.Module,
    method: str,
    shape: str,
    expected: tuple[int, ...],
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """What a part gives, which must be of that shape and type.

    Raises:
        RunError: naming the part, what was expected and what it gave.
    """
    wanted = f"{path}: {type(part).__name__}.{method} must give {shape}"
    if not isinstance(given, Tensor) or given.shape != expected:
        got = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise RunError(f"{wanted}, here {tuple(expected)}, got {got}")
    if given.dtype != dtype:
        raise RunError(f"{wanted} of {dtype}, got {given.dtype}")
    return given
