"""Which values of a config are defaults."""

from __future__ import annotations

from typing import Any

from ner_registry.build import parse_experiment
from ner_registry.config.defaults import defaults_of, leaves


def test_what_was_chosen_is_told_from_defaults(config: dict[str, Any]) -> None:
    config["trainer"]["average"] = {"type": "ema"}
    config["model"]["encoder"] = {"type": "stack", "encoders": [{"type": "lstm", "hidden_size": 4}]}
    plan = parse_experiment(config)
    defaults = defaults_of(plan)
    values = dict(leaves(plan.filled()))
    assert defaults["data_loader.shuffle"] is True
    assert defaults["trainer.average.type"] is None  # there is none unless it is asked for
    assert values["trainer.average.type"] == "ema"
    assert defaults["trainer.average.decay"] == values["trainer.average.decay"]
    for required in ("train_data_path", "model.encoder.type", "model.encoder.encoders"):
        assert required in values
        assert required not in defaults


def test_each_default_is_that_of_the_filled_config(config: dict[str, Any]) -> None:
    """A key that the config doesn't mention has its default."""
    plan = parse_experiment(config)
    mentioned = set(dict(leaves(config)))
    values, defaults = dict(leaves(plan.filled())), defaults_of(plan)
    untold = [path for path in values if path not in mentioned]
    assert len(untold) > 20
    for path in untold:
        assert values[path] == defaults[path], path
