"""What a search tries: the configs that a config's key ``search`` stands for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ner_registry.build import Experiment, parse_experiment
from ner_registry.config.jsonnet import replace_at
from ner_registry.errors import ConfigError, Fault

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class Search:
    """What is tried.

    Args:
        config: with its ``search``.
        experiment: the same, parsed.
        trials: how many.

    Raises:
        ConfigError: there is nothing to try, or nothing to judge by.
    """

    def __init__(self, config: dict[str, Any], experiment: Experiment, trials: int) -> None:
        self.base = {key: value for key, value in config.items() if key != "search"}
        self.experiment = experiment
        self.space = experiment.search or {}
        self.trials = trials
        faults = []
        if not self.space:
            message = "required by tune: expected what to try for which keys, got nothing"
            faults.append(Fault("search", message))
        if experiment.validation_data_path is None:
            message = "required by tune, which judges by it: expected a path, got no such key"
            faults.append(Fault("validation_data_path", message))
        if faults:
            raise ConfigError(faults)
        self._check_keys()

    @property
    def metric(self) -> str:
        """The validation metric, with its sign."""
        return self.experiment.trainer.validation_metric

    def _check_keys(self) -> None:
        """Refuses a key that the config can't have, or a value that the key can't."""
        faults = []
        for path, distribution in self.space.items():
            here = f"search.{path}"
            for example in distribution.examples:
                try:
                    parse_experiment(self.config_of({path: example}))
                except ConfigError as error:
                    told = [f.message if f.path == path else str(f) for f in error.faults]
                    faults += [Fault(here, message) for message in told]
        if faults:
            raise ConfigError(faults)

    def config_of(self, values: dict[str, Any]) -> dict[str, Any]:
        """The config with values for keys by path."""
        config = self.base
        for path, value in values.items():
            config = replace_at(config, path, value, f"search.{path}")
        return config

    def values(self, trial: FrozenTrial) -> dict[str, Any]:
        """What a trial has for each key."""
        return {path: self.space[path].value(chosen) for path, chosen in trial.params.items()}

    def told(self, trial: FrozenTrial) -> str:
        """The same in words."""
        return ", ".join(f"{path} = {json.dumps(v)}" for path, v in self.values(trial).items())
