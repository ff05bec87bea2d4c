"""A corpus of broken configs: every kind of mistake at every place where it can be made."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ner_registry.build import Experiment, parse_experiment
from ner_registry.config import jsonnet
from ner_registry.config.schema import schema_of
from ner_registry.config.source import read_config
from ner_registry.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.jsonnet"))
# which together have a part of most kinds, and every key of the config
TO_BREAK = ("bilstm_crf", "no_external_data", "quickstart")
Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """A config with one thing wrong.

    Attributes:
        kind: of the mistake.
        path: that the message must name.
        config: the broken config.
        meant: the right key, where one was misspelt.
    """

    kind: str
    path: str
    config: dict[str, Any]
    meant: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}-{self.path}"


def at(config: Any, path: Path_) -> Any:
    for key in path:
        config = config[key]
    return config


def changed(config: dict[str, Any], path: Path_, key: str, **new: Any) -> dict[str, Any]:
    """A copy in which the object at ``path`` has ``key`` taken away and ``new`` put in."""
    result = copy.deepcopy(config)
    node = at(result, path)
    node.pop(key, None)
    node.update(new)
    return result


def objects(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from objects(item, (*path, key))


def misspellings(key: str) -> Iterator[str]:
    """One or two letters wrong: left out, doubled, swapped, replaced."""
    middle = len(key) // 2
    yield key[:middle] + key[middle + 1 :]
    yield key[:middle] + key[middle] + key[middle:]
    yield key[:middle] + key[middle : middle + 2][::-1] + key[middle + 2 :]
    yield key[:-1] + "x"
    yield "q" + key[1:]
    if len(key) > 5:
        yield key[1:-1]


# keys that hold names of the user's own, which can't be misspelt, and values of any kind
OWN = [("model", "embedders"), ("search",)]
WRONG_TYPES: list[Any] = ["text", 3, True, [1], {"a": 1}]


def mistakes(config: dict[str, Any]) -> Iterator[Mistake]:
    filled = parse_experiment(config).filled()
    for path, node in objects(filled):
        if path in OWN:
            continue
        for key, value in node.items():
            here = ".".join((*path, key))
            if key == "type":
                for wrong in ("nonsense", 7):
                    yield Mistake("type", here, changed(filled, path, key, type=wrong))
                yield Mistake("no type", here, changed(filled, path, key))
                continue
            for wrong in misspellings(key):
                if wrong not in node:
                    broken = changed(filled, path, key, **{wrong: value})
                    yield Mistake("misspelt", ".".join((*path, wrong)), broken, key)
            for wrong_value in WRONG_TYPES:
                if type(wrong_value) is not type(value) and not accepted(
                    filled, path, key, wrong_value
                ):
                    broken = changed(filled, path, key, **{key: wrong_value})
                    yield Mistake("mistyped", here, broken)
        yield Mistake("unknown", ".".join((*path, "zzzzz")), changed(filled, path, "", zzzzz=1))
    for required in (
        *("dataset_reader", "train_data_path", "model", "trainer"),
        *("model.embedders", "model.encoder", "model.head", "model.encoder.hidden_size"),
        *("model.embedders.words.embedding_dim", "trainer.optimizer", "trainer.num_epochs"),
    ):
        *above, key = required.split(".")
        yield Mistake("missing", required, changed(filled, tuple(above), key))
    for path, key, value in (
        (("trainer",), "lr", 0.1),
        (("trainer",), "parameter_groups", []),
        ((), "optimizer", {"type": "adam"}),
        ((), "num_epochs", 3),
        (("model",), "hidden_size", 3),
        (("model", "head"), "dropout", 0.1),
        (("trainer", "optimizer"), "patience", 3),
        (("model", "encoder"), "input_dim", 3),
        (("model", "embedders", "words"), "vocab", {}),
        ((), "cuda_device", 0),
        (("model",), "text_field_embedder", {}),
        (("dataset_reader",), "token_indexers", {}),
        ((), "vocabulary", {}),
        (("data_loader",), "batch_sampler", {}),
        (("trainer",), "cuda_device", 0),
    ):
        broken = changed(filled, path, "", **{key: value})
        yield Mistake("misplaced", ".".join((*path, key)), broken)
    for path, key, value in (
        (("trainer",), "num_epochs", 0),
        (("trainer",), "num_epochs", 2.5),
        (("trainer", "optimizer"), "lr", 0),
        (("trainer", "optimizer"), "betas", [0.9, 1.0]),
        (("trainer", "optimizer"), "betas", [0.9]),
        (("model",), "dropout", 1),
        (("model",), "dropout", -0.1),
        (("model", "encoder"), "hidden_size", 0),
        (("data_loader",), "batch_size", -1),
        ((), "random_seed", -1),
        (("trainer",), "validation_metric", "f1"),
        (("trainer",), "device", "gpu"),
        (("trainer",), "patience", 0),
        (("model",), "tag_scheme", "BIO"),
        (("model",), "embedders", {}),
    ):
        where = ".".join((*path, key)) + (".1" if value == [0.9, 1.0] else "")
        yield Mistake("out of range", where, changed(filled, path, key, **{key: value}))


def accepted(config: dict[str, Any], path: Path_, key: str, value: Any) -> bool:
    """Whether another type is right there too, such as a string in place of a null."""
    nullable = {
        "validation_dataset_reader": (),
        "validation_data_path": (str,),
        "test_data_path": (str,),
        "comment_prefix": (str,),
        "columns": (dict,),
        "tag_column": (int,),
        "pretrained_file": (str,),
        "from_archive": (str,),
        "values": (),
        "max_vectors": (int,),
        "learning_rate_scheduler": (),
        "patience": (int,),
        "num_threads": (int,),
        "grad_norm": (int,),
        "save_every_num_batches": (int,),
        "parameter_groups": (),
        "include_packages": (),
        "device": (str,),
    }
    if isinstance(value, bool):
        return False
    old = at(config, path)[key]
    numbers = isinstance(old, float) and isinstance(value, int)
    return numbers or isinstance(value, nullable.get(key, ()))


BROKEN = [
    mistake
    for name in TO_BREAK
    for mistake in mistakes(jsonnet.load(ROOT / "experiments" / f"{name}.jsonnet"))
]


def faults_of(config: dict[str, Any]) -> list[Any]:
    with pytest.raises(ConfigError) as caught:
        parse_experiment(config)
    return caught.value.faults


def test_the_corpus_is_large() -> None:
    assert len(BROKEN) >= 150
    assert {mistake.kind for mistake in BROKEN} >= {
        "misspelt",
        "mistyped",
        "misplaced",
        "missing",
        "unknown",
    }


@pytest.mark.parametrize("kind", sorted({mistake.kind for mistake in BROKEN}))
def test_every_mistake_is_told_at_its_path(kind: str) -> None:
    for mistake in BROKEN:
        if mistake.kind == kind:
            faults = faults_of(mistake.config)
            told = [fault.path for fault in faults]
            assert any(
                path == mistake.path or path.startswith(f"{mistake.path}.") for path in told
            ), (str(mistake), told)
            assert len(faults) <= 2, (str(mistake), [str(fault) for fault in faults])


def test_a_misplaced_key_is_told_where_it_belongs() -> None:
    ours = {
        "trainer.lr": "trainer.optimizer",
        "trainer.parameter_groups": "trainer.optimizer",
        "optimizer": "trainer",
        "num_epochs": "trainer",
        "model.hidden_size": "model.encoder",
        "model.head.dropout": "model or model.embedders.words or model.encoder",
        "trainer.optimizer.patience": "trainer or trainer.learning_rate_scheduler",
    }
    told = {
        fault.path: fault.message
        for mistake in BROKEN
        if mistake.path in ours
        for fault in faults_of(mistake.config)
    }
    for path, place in ours.items():
        assert told[path] == f"{path.split('.')[-1]!r} belongs under {place}"


def test_misspelt_keys_are_understood() -> None:
    # what is a letter from "log" is as near to "low", the key beside it
    misspelt = [m for m in BROKEN if m.kind == "misspelt" and m.meant != "log"]
    wrong = [
        str(fault)
        for mistake in misspelt
        for fault in faults_of(mistake.config)
        if fault.path == mistake.path and f"did you mean {mistake.meant!r}" not in fault.message
    ]
    print(f"{len(misspelt) - len(wrong)} of {len(misspelt)} misspelt keys are understood")
    assert wrong == []


def test_the_schema_is_one_and_every_experiment_validates() -> None:
    schema = schema_of(Experiment)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in EXPERIMENTS:
        config = jsonnet.load(path)
        validator.validate(config)
        validator.validate(parse_experiment(config).filled())


def test_the_schema_refuses_what_the_parse_does() -> None:
    validator = jsonschema.Draft202012Validator(schema_of(Experiment))
    accepted_ones = [str(m) for m in BROKEN if validator.is_valid(m.config)]
    assert accepted_ones == []


@pytest.mark.parametrize("number", range(4))
def test_as_commands(number: int, tmp_path: Path) -> None:
    mistake = BROKEN[number * len(BROKEN) // 4]
    config = tmp_path / "broken.json"
    config.write_text(json.dumps(mistake.config, indent=2), encoding="utf-8")
    command = [sys.executable, "-m", "ner_registry", "train", str(config)]
    done = subprocess.run(
        [*command, "-s", str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f": {mistake.path}" in done.stderr
    assert not (tmp_path / "run").exists()


def test_five_unrelated_mistakes_appear_in_one_run() -> None:
    config = read_config(
        ROOT / "experiments" / "bilstm_crf.jsonnet",
        [
            "{ trainer: { patiense: 3, device: 'gpu' }, 'model.encoder.type': 'crf', "
            "'data_loader.batch_size': '32', cuda_device: 0 }",
        ],
    )
    told = [fault.path for fault in faults_of(config.value)]
    assert sorted(told) == [
        "cuda_device",
        "data_loader.batch_size",
        "model.encoder.type",
        "trainer.device",
        "trainer.patiense",
    ]
