from __future__ import annotations

import pytest
import torch
from torch import nn

from ner_registry.errors import ConfigError
from ner_registry.training.optimizers import Optimizer, ParameterGroup, grouped


def named() -> list[tuple[str, nn.Parameter]]:
    model = nn.ModuleDict({"words": nn.Embedding(3, 2), "head": nn.Linear(2, 2)})
    return list(model.named_parameters())


@pytest.mark.parametrize("name", sorted(Optimizer.registered()))
def test_groups_have_settings_of_their_own(name: str) -> None:
    optimizer = Optimizer.registered()[name](
        named(),
        lr=0.5,
        parameter_groups=[
            ParameterGroup(parameters=["^words"], lr=0.1),
            ParameterGroup(parameters=["bias$", "words"], weight_decay=0.25),
        ],
    )
    assert isinstance(optimizer, torch.optim.Optimizer)
    groups = optimizer.param_groups
    assert [len(group["params"]) for group in groups] == [1, 1, 1]
    assert [group["lr"] for group in groups] == [0.1, 0.5, 0.5]
    assert groups[1]["weight_decay"] == 0.25


def test_a_group_of_nothing_is_a_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        grouped(named(), [ParameterGroup(parameters=["chars"])])
    assert caught.value.lines() == [
        "trainer.optimizer.parameter_groups.0.parameters: expected to match a parameter, "
        "got none of: words.weight, head.weight, head.bias"
    ]


def test_a_group_of_no_regular_expression_is_a_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        grouped(named(), [ParameterGroup(parameters=["head("])])
    assert caught.value.lines() == [
        "trainer.optimizer.parameter_groups.0.parameters: expected regular expressions, got "
        "'head(': missing ), unterminated subpattern at position 4"
    ]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("adam", {"betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.2, "amsgrad": True}),
        ("adamw", {"betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.2, "amsgrad": True}),
        ("nadam", {"betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.2}),
        ("sgd", {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.2}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("adagrad", {"lr_decay": 0.1, "weight_decay": 0.2, "eps": 1e-6}),
        ("rmsprop", {"alpha": 0.8, "eps": 1e-6, "weight_decay": 0.2, "momentum": 0.5}),
    ],
)
def test_every_setting_reaches_pytorch(name: str, settings: dict[str, object]) -> None:
    made = Optimizer.registered()[name](named(), lr=0.25, **settings)
    (group,) = made.param_groups
    assert group["lr"] == 0.25
    assert {key: group[key] for key in settings} == settings
