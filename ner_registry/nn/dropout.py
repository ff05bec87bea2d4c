"""Dropout (Srivastava et al. 2014)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ner_registry.nn.kernels import HAS_NUMBA


class Dropout(nn.Module):
    """Drops each number with some probability in training, and scales the others up.

    PyTorch's takes a fifth of a BiLSTM's training step on a CPU, most of it for random numbers
    of double precision. Sixteen random bits do: the probability is met within 1 / 65,536, and
    dropping takes a tenth of the time.

    Args:
        p: the probability.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        """Of any shape."""
        if not self.training or self.p == 0:
            return inputs
        fits = inputs.device.type == "cpu" and inputs.dtype == torch.float32
        if not HAS_NUMBA or not fits or self.p == 1:
            return functional.dropout(inputs, self.p)
        outputs: Tensor = _Dropout.apply(inputs, self.p)  # type: ignore[no-untyped-call]  # of torch
        return outputs

    def extra_repr(self) -> str:
        return f"p={self.p}"


class LockedDropout(nn.Module):
    """Drops the same dimensions at every token of a sentence, in training.

    Called variational dropout where it is between and around the layers of an LSTM (Gal &
    Ghahramani 2016).

    Args:
        p: the probability.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, length, width) -> the same."""
        if not self.training or self.p == 0:
            return inputs
        kept = torch.rand(len(inputs), 1, inputs.shape[2], device=inputs.device) >= self.p
        return inputs * (kept / (1 - self.p))

    def extra_repr(self) -> str:
        return f"p={self.p}"


class WordDropout(nn.Module):
    """Hides whole tokens, in training: all of a token's numbers are zero (Akbik et al. 2018).

    The others are not scaled up: a hidden token is one of which nothing is known.

    Args:
        p: the probability.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, length, width) -> the same."""
        if not self.training or self.p == 0:
            return inputs
        return inputs * (torch.rand(*inputs.shape[:2], 1, device=inputs.device) >= self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def make_dropout(p: float, *, locked: bool) -> nn.Module:
    """Either of the two."""
    return LockedDropout(p) if locked else Dropout(p)


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, p: float) -> Tensor:
        from ner_registry.nn.kernels import dropout as kernels

        words = torch.empty(-(-inputs.numel() // 4), dtype=torch.uint64)
        # from PyTorch's generator, so that its seed decides, and its state is all there is to save
        seed = int(torch.randint(2**62, ()))
        kernels.draw(seed, words.numpy())
        ctx.p = p
        ctx.save_for_backward(words)
        return _drop(inputs, words, p)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (words,) = ctx.saved_tensors
        return _drop(grad, words, ctx.p), None


def _drop(values: Tensor, words: Tensor, p: float) -> Tensor:
    from ner_registry.nn.kernels import dropout as kernels

    outputs = torch.empty(values.shape)
    flat = values.detach().contiguous().view(-1).numpy()
    draws = words.view(torch.uint16).numpy()
    least = min(round(p * 2**16), 2**16 - 1)
    kernels.drop(flat, draws, least, 1 / (1 - p), outputs.view(-1).numpy())
    return outputs
