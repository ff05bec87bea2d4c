"""Dropout of numbers, of dimensions and of words."""

from __future__ import annotations

import pytest
import torch

from ner_registry.nn.dropout import Dropout, LockedDropout, WordDropout


@pytest.mark.parametrize("p", [0.1, 1 / 3, 0.5, 0.97])
def test_it_drops_as_often_as_asked_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    outputs = Dropout(p)(torch.ones(1000, 1001))
    assert (outputs == 0).float().mean().item() == pytest.approx(p, abs=2e-3)
    assert outputs.mean().item() == pytest.approx(1, abs=2e-2)
    assert outputs.unique().tolist() == [0, pytest.approx(1 / (1 - p))]


def test_neighbours_are_independent() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(2000, 2000)) != 0).float() - 0.5
    for distance in (1, 2, 3, 4, 5, 16):
        assert abs((kept[:, distance:] * kept[:, :-distance]).mean().item()) < 1e-3
    assert abs((kept[1:] * kept[:-1]).mean().item()) < 1e-3


def test_the_gradient_is_dropped_where_the_number_was() -> None:
    inputs = torch.randn(7, 5, 3).transpose(0, 1).requires_grad_()
    outputs = Dropout(0.5)(inputs)
    outputs.sum().backward()
    assert inputs.grad is not None
    assert torch.equal(inputs.grad * inputs, outputs)


def test_the_seed_decides() -> None:
    inputs, dropout = torch.ones(50), Dropout(0.5)
    torch.manual_seed(1)
    first, second = dropout(inputs), dropout(inputs)
    torch.manual_seed(1)
    assert torch.equal(dropout(inputs), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("inputs", [torch.ones(0), torch.ones(3, dtype=torch.float64)])
def test_what_the_kernel_does_not_take(inputs: torch.Tensor) -> None:
    assert Dropout(0.5)(inputs).shape == inputs.shape


def test_nothing_is_dropped_when_tagging() -> None:
    inputs = torch.randn(4)
    assert Dropout(0.5).eval()(inputs) is inputs
    assert Dropout(0)(inputs) is inputs


def test_locked_dropout_drops_dimensions() -> None:
    torch.manual_seed(0)
    outputs = LockedDropout(0.25)(torch.ones(200, 7, 50))
    assert torch.equal(outputs, outputs[:, :1].expand_as(outputs))
    assert (outputs == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert outputs.unique().tolist() == [0, pytest.approx(4 / 3)]


def test_word_dropout_hides_words() -> None:
    torch.manual_seed(0)
    outputs = WordDropout(0.25)(torch.ones(200, 50, 3))
    assert torch.equal(outputs, outputs[:, :, :1].expand_as(outputs))
    assert (outputs == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert outputs.unique().tolist() == [0, 1]


@pytest.mark.parametrize("kind", [LockedDropout, WordDropout])
def test_neither_when_tagging(kind: type[LockedDropout] | type[WordDropout]) -> None:
    inputs = torch.randn(2, 3, 4)
    assert kind(0.5).eval()(inputs) is inputs
    assert kind(0)(inputs) is inputs
