"""A head whose every answer is looked at: a wrong one is told, and never trained or tagged with."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ner_registry.config.registry import ask
from ner_registry.errors import RunError, is_own
from ner_registry.heads.base import TaggerHead
from ner_registry.shapes import check_given, lent

_PATH = "model.head"
_ROUNDING = 1e-4  # that probabilities may be above 1 by


class CheckedHead:
    """Asks a head, and checks what it gives.

    Its methods are those of a :class:`TaggerHead`, and raise a ``RunError`` that names the head's
    method, what it must give and what it gave: shapes and types of any head's; of one that isn't
    this package's, values too.

    Args:
        head: the head.
        tags: how many tags there are.
    """

    def __init__(self, head: TaggerHead, tags: int) -> None:
        self.head = head
        self.tags = tags

    def loss(self, encoded: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """(batch,), with a gradient where what is read has one."""
        found = ask(_PATH, self.head, "loss", encoded, tags, lent(mask, self.head))
        losses = self._checked("loss", found, "(batch,)", mask.shape[:1])
        if encoded.requires_grad and not losses.requires_grad:
            raise self._refusal("loss", "a loss with a gradient", "one without")
        return losses

    def decode(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """(batch, length), long."""
        found = ask(_PATH, self.head, "decode", encoded, lent(mask, self.head))
        paths = self._checked("decode", found, "(batch, length)", mask.shape, torch.long)
        if not is_own(type(self.head)):
            is_right = (paths >= 0) & (paths < self.tags) & (mask | (paths == 0))
            expected = f"tags from 0 to {self.tags - 1}, and 0 on padding, where the mask is false"
            self._check_values("decode", paths, is_right, expected)
        return paths

    def tag_probabilities(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, tags)."""
        found = ask(_PATH, self.head, "tag_probabilities", encoded, lent(mask, self.head))
        shape = (*mask.shape, self.tags)
        return self._probabilities("tag_probabilities", found, "(batch, length, tags)", shape)

    def span_probabilities(self, encoded: Tensor, mask: Tensor, spans: Tensor) -> Tensor:
        """(spans,)."""
        found = ask(_PATH, self.head, "span_probabilities", encoded, lent(mask, self.head), spans)
        return self._probabilities("span_probabilities", found, "(spans,)", (len(spans),))

    def k_best(self, encoded: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """(batch, k, length), long, and (batch, k)."""
        found = ask(_PATH, self.head, "k_best", encoded, lent(mask, self.head), k)
        paths, scores = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
        (size, length), checked = mask.shape, partial(self._checked, "k_best")
        return (
            checked(paths, "(batch, k, length) first", (size, k, length), torch.long),
            checked(scores, "(batch, k) second", (size, k)),
        )

    def _probabilities(
        self, method: str, found: Any, shape: str, expected: tuple[int, ...]
    ) -> Tensor:
        probabilities = self._checked(method, found, shape, expected)
        if not is_own(type(self.head)):
            is_right = (probabilities >= 0) & (probabilities <= 1 + _ROUNDING)  # and not NaN
            self._check_values(method, probabilities, is_right, "numbers from 0 to 1")
        return probabilities

    def _checked(
        self,
        method: str,
        found: Any,
        shape: str,
        expected: tuple[int, ...],
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        return check_given(found, _PATH, self.head, method, shape, expected, dtype)

    def _check_values(self, method: str, found: Tensor, is_right: Tensor, expected: str) -> None:
        if not is_right.all():
            raise self._refusal(method, expected, found[~is_right][0].item())

    def _refusal(self, method: str, expected: str, got: Any) -> RunError:
        name = f"{type(self.head).__name__}.{method}"
        return RunError(f"{_PATH}: {name} must give {expected}, got {got}")
