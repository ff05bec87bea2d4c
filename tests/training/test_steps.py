"""Steps that add up, and steps that went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from ner_registry.errors import RunError
from ner_registry.training.progress import Progress
from ner_registry.training.steps import Step, StepLog


def places(numbers: Sequence[int]) -> str:
    return f"train.conll:{', '.join(map(str, numbers))}"


def step(number: int, loss: float, norm: float = 1.0) -> Step:
    return Step(
        number, [2 * number, 2 * number + 1], 7, torch.tensor(loss), torch.tensor(norm), 0.1
    )


def log(progress: Progress, look_every: int, max_skipped: int = 0) -> StepLog:
    return StepLog(progress, look_every=look_every, max_skipped=max_skipped, places=places)


@pytest.mark.parametrize("look_every", [1, 3, 50])
def test_the_sum_does_not_depend_on_when_it_is_looked_at(look_every: int) -> None:
    progress = Progress()
    steps = log(progress, look_every)
    losses = [0.1 * n**3 for n in range(40)]
    for number, loss in enumerate(losses):
        assert steps.add(step(number, loss))
    assert steps.look()
    expected = 0.0
    for loss in losses:
        expected += torch.tensor(loss).item()
    assert progress.loss == expected
    assert (progress.sentences, progress.tokens) == (80, 280)


@pytest.mark.parametrize(
    ("loss", "norm", "what"),
    [
        (float("nan"), float("nan"), "loss became nan"),
        (float("-inf"), 3.0, "loss became -inf"),
        (2.5, float("inf"), "gradient norm became inf"),
    ],
)
def test_one_that_is_not_finite_is_told_with_all_that_is_known(
    loss: float, norm: float, what: str
) -> None:
    steps = log(Progress(epoch=3), look_every=4)
    for number in (10, 11):
        assert steps.add(step(number, 1.0))
    assert steps.add(step(12, loss, norm))
    with pytest.raises(RunError) as caught:
        steps.add(step(13, 1.0))
    assert caught.value.lines() == [
        f"the {what} in epoch 3, step 12 (learning rate 0.1, loss {loss:g}, gradient norm "
        f"{norm:g}), on the sentences at train.conll:24, 25: lower trainer.optimizer.lr, or set "
        "trainer.grad_norm or trainer.max_skipped_steps"
    ]


def test_as_many_are_skipped_as_may_be(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress()
    steps = log(progress, look_every=1, max_skipped=2)
    taken = [steps.add(step(n, float("nan") if n in (1, 3) else 1.0)) for n in range(5)]
    assert taken == [True, False, True, False, True]
    assert (progress.loss, progress.sentences, progress.tokens, progress.skipped) == (3, 6, 21, 2)
    assert caplog.messages[1].endswith("train.conll:6, 7: skipped, 2 of at most 2")
    with pytest.raises(RunError, match="in epoch 0, step 5"):
        steps.add(step(5, float("inf")))
