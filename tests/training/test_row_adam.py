"""Adam that leaves rows alone against Adam that doesn't."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ner_registry.errors import NerError
from ner_registry.nn.kernels import HAS_NUMBA
from ner_registry.nn.table import Table
from ner_registry.training.gradient import clip_gradient
from ner_registry.training.row_adam import RowAdam, RowAdamW, RowOptimizer

pytestmark = pytest.mark.skipif(not HAS_NUMBA, reason="numba isn't installed: no row is left alone")
ROWS, WIDTH = 300, 6


class Model(nn.Module):
    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self.table = table
        self.top = nn.Linear(WIDTH, 3)

    def forward(self, rows: Tensor) -> Tensor:
        # a gradient that doesn't depend on the weights: near a minimum Adam makes much of little,
        # and would of differences in rounding
        generator = torch.Generator().manual_seed(int(rows.sum()))
        scores = self.table(rows) * torch.randn(*rows.shape, WIDTH, generator=generator)
        loss: Tensor = scores.sum() + self.top.weight.sum() - self.top.bias.sum()
        return loss


def models(**settings: Any) -> tuple[Model, RowOptimizer, Model, torch.optim.Adam]:
    """Ours with its optimizer, and PyTorch's with the same numbers."""
    torch.manual_seed(0)
    ours = Model(Table(ROWS, WIDTH, padding_idx=0))
    theirs = Model(nn.Embedding(ROWS, WIDTH, padding_idx=0))
    theirs.load_state_dict(ours.state_dict())
    decays = "weight_decay" in settings
    kind, reference = (RowAdamW, torch.optim.AdamW) if decays else (RowAdam, torch.optim.Adam)
    optimizer = kind(ours.parameters(), **settings)
    optimizer.follow(ours)
    return ours, optimizer, theirs, reference(theirs.parameters(), **settings)


def rows(step: int) -> Tensor:
    """Some often, some seldom, some never, padding among them."""
    generator = torch.Generator().manual_seed(step)
    return ((ROWS - 20) * torch.rand(4, 5, generator=generator) ** 4).long()


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        optimizer.zero_grad()
        model(rows(step)).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 1e-2},
        {"lr": 1e-3, "eps": 1e-3},  # an epsilon that counts
        {"lr": 1e-2, "betas": (0.5, 0.9)},
        {"lr": 1e-2, "betas": (0.95, 0.99)},
        {"lr": 1e-2, "betas": (0.0, 0.9)},
        {"lr": 1e-2, "betas": (0.5, 0.3)},
        {"lr": 1e-2, "betas": (0.9, 0.9), "eps": 1e-3},
        {"lr": 1e-2, "weight_decay": 0.1},
        {"lr": 1e-1, "weight_decay": 0.1},
    ],
    ids=str,
)
def test_it_is_adam(settings: dict[str, Any]) -> None:
    ours, optimizer, theirs, reference = models(**settings)
    for steps in (range(300), range(300, 420)):
        train(ours, optimizer, steps)
        train(theirs, reference, steps)
        torch.testing.assert_close(
            ours.state_dict(), theirs.state_dict(), rtol=1e-4, atol=1e-2 * settings["lr"]
        )
        for group in (*optimizer.param_groups, *reference.param_groups):
            group["lr"] *= 0.3  # as a schedule does
    state, expected = optimizer.state_dict(), reference.state_dict()
    for index, values in expected["state"].items():
        assert state["state"][index].keys() == values.keys()
        for name, value in values.items():
            torch.testing.assert_close(
                state["state"][index][name], value, rtol=1e-3, atol=1e-10, msg=f"{index}.{name}"
            )


def test_threads_that_read_a_row_at_once_move_it_once() -> None:
    size = 20_000
    found: list[Tensor] = []
    for threads in (1, 4):
        torch.manual_seed(0)
        table = Table(size, 20)
        optimizer = RowAdam(table.parameters(), lr=1e-2)
        optimizer.follow(table)
        for read in (torch.arange(size), *[torch.tensor([0])] * 30):
            optimizer.zero_grad()
            table(read).sum().backward()
            optimizer.step()
        with ThreadPoolExecutor(threads) as pool:
            found += pool.map(table, [torch.arange(size)] * threads)
    assert all(torch.equal(one, found[0]) for one in found)


def test_what_is_owed_is_taken_or_told() -> None:
    model, optimizer, plain, _ = models(lr=1e-2)
    train(model, optimizer, range(30))
    # as on a GPU, or without numba
    without_tables = RowAdam(plain.parameters())
    without_tables.follow(plain)
    with pytest.raises(NerError, match="on a CPU, with numba"):
        without_tables.owe(optimizer.owed())
    optimizer.owe(without_tables.owed())


def test_without_a_rate_nothing_moves() -> None:
    ours, optimizer, theirs, reference = models(lr=1e-2)
    for begin, lr in ((0, 0.0), (10, 1e-2), (20, 0.0)):
        for group in (*optimizer.param_groups, *reference.param_groups):
            group["lr"] = lr
        train(ours, optimizer, range(begin, begin + 10))
        train(theirs, reference, range(begin, begin + 10))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-4, atol=1e-4)


def test_a_row_is_what_it_would_be_whenever_it_is_read() -> None:
    ours, optimizer, theirs, reference = models(lr=1e-2)
    for step in range(60):
        train(ours, optimizer, range(step, step + 1))
        train(theirs, reference, range(step, step + 1))
        asked = torch.tensor([[1, 2], [step, 299]])
        with torch.inference_mode():
            torch.testing.assert_close(ours.table(asked), theirs.table(asked), rtol=1e-5, atol=1e-5)


def test_a_run_goes_on_from_what_was_saved() -> None:
    ours, optimizer, _, _ = models(lr=1e-2)
    train(ours, optimizer, range(100))
    weights, state = ours.state_dict(), optimizer.state_dict()
    weights = {name: tensor.clone() for name, tensor in weights.items()}
    state["state"] = {
        index: {name: value.clone() for name, value in values.items()}
        for index, values in state["state"].items()
    }
    again, restored, _, _ = models(lr=1e-2)
    again.load_state_dict(weights)
    restored.load_state_dict(state)
    train(ours, optimizer, range(100, 150))
    train(again, restored, range(100, 150))
    for one, other in zip(ours.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "settings", [{"weight_decay": 2.0}, {"amsgrad": True}, {"betas": (0.9, 0.5)}], ids=str
)
def test_what_moves_rows_in_another_way_is_left_to_adam(settings: dict[str, Any]) -> None:
    ours, optimizer, theirs, reference = models(lr=1e-2, **settings)
    train(ours, optimizer, range(20))
    train(theirs, reference, range(20))
    assert ours.table.weight.grad is not None
    assert not ours.table.weight.grad.is_sparse
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("norm", [0.5, 1e6])
def test_clipping_counts_sparse_gradients(norm: float) -> None:
    ours, _, theirs, _ = models()
    for model in (ours, theirs):
        model(rows(0)).backward()
    clip_gradient(list(ours.parameters()), norm)
    nn.utils.clip_grad_norm_(theirs.parameters(), norm)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad.to_dense(), other.grad)
