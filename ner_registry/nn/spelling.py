"""Vectors from the characters of words."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ner_registry.nn.kernels import HAS_NUMBA


class CharacterConvolution(nn.Module):
    """Filters over the characters of a word, each at the place where it fits best.

    On a CPU it costs a look-up and a sum per filter and character, not a product of matrices: a
    symbol's products with the filters are the same wherever it stands.

    Args:
        num_symbols: how many characters there are, padding (0) included.
        embedding_dim: width of a character's vector.
        num_filters: how many filters.
        width: characters that a filter sees at once; beyond a word's ends it sees zeros.
    """

    def __init__(
        self, num_symbols: int, *, embedding_dim: int, num_filters: int, width: int
    ) -> None:
        super().__init__()
        bound = (3 / embedding_dim) ** 0.5
        self.symbols = nn.Parameter(torch.empty(num_symbols, embedding_dim).uniform_(-bound, bound))
        reach = (embedding_dim * width) ** -0.5
        self.filters = nn.Parameter(
            torch.empty(width, embedding_dim, num_filters).uniform_(-reach, reach)
        )
        self.bias = nn.Parameter(torch.zeros(num_filters))

    def forward(self, characters: Tensor) -> Tensor:
        """Words (words, length), padded with 0 -> (words, num_filters)."""
        # padding is seen as zeros; shape: (width, num_symbols, num_filters)
        seen = torch.cat([torch.zeros_like(self.symbols[:1]), self.symbols[1:]])
        products = seen @ self.filters
        if HAS_NUMBA and products.device.type == "cpu" and products.dtype == torch.float32:
            best = _Convolution.apply(characters, products)  # type: ignore[no-untyped-call]  # of torch
        else:
            best = convolution(characters, products)
        return torch.relu(best + self.bias)


def convolution(characters: Tensor, products: Tensor) -> Tensor:
    """As :func:`ner_registry.nn.kernels.spelling.forward`, in PyTorch's operators.

    Rows are looked up by products with ones and zeros: a corpus has few characters, and the
    gradient of a look-up adds up what thousands of places say of each, one after the other.
    """
    width, length = len(products), characters.shape[1]
    padded = nn.functional.pad(characters.long(), (width // 2, width - 1 - width // 2))
    chosen = nn.functional.one_hot(padded, products.shape[1]).to(products)
    sums = sum(chosen[:, at : at + length] @ products[at] for at in range(width))
    real = (characters != 0).unsqueeze(2)
    best: Tensor = torch.where(real, sums, float("-inf")).amax(1)
    return torch.where(real.any(1), best, 0.0)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, characters: Tensor, products: Tensor) -> Tensor:
        from ner_registry.nn.kernels import spelling as kernels

        best = products.new_empty(len(characters), products.shape[2])
        where = torch.empty_like(best, dtype=torch.int32)
        kernels.forward(
            characters.contiguous().numpy(),
            products.detach().contiguous().numpy(),
            best.numpy(),
            where.numpy(),
        )
        ctx.save_for_backward(characters, where)
        ctx.shape = products.shape
        return best

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        from ner_registry.nn.kernels import spelling as kernels

        characters, where = ctx.saved_tensors
        found = grad.new_zeros(ctx.shape)
        kernels.backward(
            characters.contiguous().numpy(),
            where.numpy(),
            grad.contiguous().numpy(),
            found.numpy(),
        )
        return None, found
