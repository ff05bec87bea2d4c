"""What an embedder sees of all sentences."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ner_registry.data.arrays import Arrays
from ner_registry.errors import RunError


class Tokens(NamedTuple):
    """Which of a corpus's tokens a batch has, each (batch, length).

    Attributes:
        sentences: long, the number of each one's sentence.
        positions: long, its place in that.
        mask: bool, true on real ones.
        places: long, their places in the corpus, on the device that the views are on; the one
            after the last is that of padding.
    """

    sentences: Tensor
    positions: Tensor
    mask: Tensor
    places: Tensor


class View:
    """Numbers for every token, in one array, the sentences one after the other.

    Where each token has as many (one, unless an array of shapes says otherwise), the array has a
    row per token and a row of zeros at its end.
    Where sentences differ in that, as in how long their longest word is, each sentence's
    numbers follow those of the one before, and there is a zero at the end.

    Args:
        arrays: as :class:`ViewBuilder` put them together.
        name: its own.
        lengths: (sentences,), long: tokens of each sentence.
        device: where to keep it.
    """

    def __init__(
        self, arrays: Mapping[str, Tensor], name: str, lengths: Tensor, device: torch.device
    ) -> None:
        self._values = arrays[name].to(device)
        shapes = arrays.get(_shapes_of(name), torch.empty(1, 0, dtype=torch.int32))
        self._is_packed = len(shapes) > 1
        if self._is_packed:
            self._shapes = shapes.numpy()
            numbers = lengths.numpy() * self._shapes.prod(1)
            self._begins = numbers.cumsum() - numbers
        else:
            self._values = self._values.view(int(lengths.sum()) + 1, *shapes[0].tolist())

    def rows(self, tokens: Tokens) -> Tensor:
        """The view of a batch's tokens, (batch, length, …), padded with 0."""
        places = tokens.places
        if self._is_packed:
            packed = self._places(tokens.sentences.numpy(), tokens.positions.numpy(), tokens.mask)
            places = torch.from_numpy(packed).to(self._values.device, non_blocking=True)
        chosen = self._values.index_select(0, places.flatten())
        return chosen.view(*places.shape, *chosen.shape[1:])

    def _places(self, sentences: Any, positions: Any, mask: Tensor) -> Any:
        """Of each number, (batch, length, …), its place in a packed array."""
        is_real = is_token = mask.numpy()
        sizes = self._shapes[sentences]  # of each token, (batch, length, dimensions)
        places = self._begins[sentences] + positions * sizes.prod(2)
        # how far apart two numbers are that are next to each other in a dimension
        strides = np.ones_like(sizes)
        strides[..., :-1] = sizes[..., :0:-1].cumprod(2)[..., ::-1]
        for dimension in range(sizes.shape[2]):
            form = (*is_token.shape, *[1] * (dimension + 1))
            own = sizes[..., dimension].reshape(form)
            steps = np.arange(own[is_token].max(initial=0))
            places = places[..., None] + steps * strides[..., dimension].reshape(form)
            is_real = is_real[..., None] & (steps < own)
        return np.where(is_real, places, len(self._values) - 1)


class ViewBuilder:
    """Puts together what :class:`View` reads, sentence by sentence.

    Args:
        arrays: gets it.
        name: under which it does.
    """

    def __init__(self, arrays: Arrays, name: str) -> None:
        self._arrays = arrays
        self._name = name
        self._dtype = torch.long
        self._dimensions = 0
        self._shapes = array("i")
        self._count = 0

    def add(self, part: Tensor) -> None:
        """Adds the view of the next sentence, (length, …).

        Raises:
            RunError: it is of another type, or has another number of dimensions, than the
                views before.
        """
        if self._count == 0:
            self._dtype, self._dimensions = part.dtype, part.dim()
        if part.dtype != self._dtype or part.dim() != self._dimensions:
            raise RunError(
                f"model.{self._name}: index must give {self._dtype} in {self._dimensions} "
                f"dimensions as for the sentences before, got {part.dtype} in {part.dim()}"
            )
        self._count += 1
        if self._dimensions > 1:
            self._shapes.extend(part.shape[1:])
            part = part.flatten()
        self._arrays.append(self._name, part)

    def finish(self) -> None:
        """Adds the padding at the end, and how wide each sentence is."""
        width = max(0, self._dimensions - 1)
        shapes = torch.tensor(self._shapes, dtype=torch.int32).view(self._count, width)
        shapes = shapes if len(shapes) else torch.zeros(1, width, dtype=torch.int32)
        if bool((shapes == shapes[0]).all()):
            shapes = shapes[:1]
        padding = math.prod(shapes[0].tolist()) if len(shapes) == 1 else 1
        self._arrays.append(self._name, torch.zeros(padding, dtype=self._dtype))
        self._arrays.append(_shapes_of(self._name), shapes)


def _shapes_of(name: str) -> str:
    return f"{name}.shapes"


def is_shapes(name: str) -> bool:
    """Whether an array tells of another how wide its sentences are."""
    return name.endswith(".shapes")
