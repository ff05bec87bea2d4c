"""A convolution over characters against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ner_registry.nn.spelling import CharacterConvolution, convolution

LENGTHS = [1, 2, 5, 9, 3]


def words() -> Tensor:
    torch.manual_seed(0)
    characters = torch.randint(1, 7, (len(LENGTHS), 9), dtype=torch.int32)
    return characters * (torch.arange(9) < torch.tensor(LENGTHS).unsqueeze(1))


def by_conv1d(layer: CharacterConvolution, characters: Tensor) -> Tensor:
    width = len(layer.filters)
    rows = []
    for word, length in zip(characters, LENGTHS, strict=True):
        vectors = layer.symbols[word[:length].long()].t().unsqueeze(0)
        padded = functional.pad(vectors, (width // 2, width - 1 - width // 2))
        found = functional.conv1d(padded, layer.filters.permute(2, 1, 0))
        rows.append(found.amax(2)[0] + layer.bias)
    return torch.relu(torch.stack(rows))


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_it_is_a_convolution_and_the_greatest_over_time(width: int) -> None:
    layer = CharacterConvolution(7, embedding_dim=4, num_filters=11, width=width)
    characters = words()
    outputs, expected = layer(characters), by_conv1d(layer, characters)
    torch.testing.assert_close(outputs, expected)
    weights = list(layer.parameters())
    upstream = torch.randn(outputs.shape)
    found = torch.autograd.grad(outputs, weights, upstream)
    wanted = torch.autograd.grad(expected, weights, upstream)
    for grad, reference in zip(found, wanted, strict=True):
        torch.testing.assert_close(grad, reference)


def test_without_the_kernel_it_is_the_same() -> None:
    layer = CharacterConvolution(7, embedding_dim=4, num_filters=11, width=3)
    single, double = words(), layer.double()
    torch.testing.assert_close(double(single), by_conv1d(double, single))


def test_an_empty_word_is_zero() -> None:
    products = torch.randn(3, 7, 5)
    assert not convolution(torch.zeros(2, 4, dtype=torch.int32), products).any()
