from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ner_registry.build import parse_experiment
from ner_registry.cli import main
from ner_registry.config.registry import kinds
from ner_registry.jobs.check import warnings

QUICKSTART = "experiments/quickstart.jsonnet"


@pytest.fixture(autouse=True)
def at_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)


@pytest.mark.parametrize(
    ("section", "changes", "path"),
    [
        ("data_loader", {"shuffle": False}, "data_loader.shuffle"),
        (
            "model",
            {"encoder": {"type": "lstm", "hidden_size": 8, "dropout": 0.3}},
            "model.encoder.dropout",
        ),
        ("trainer", {"patience": 2}, "trainer.patience"),
        ("trainer", {"validation_metric": "-loss"}, "trainer.validation_metric"),
        ("model", {"head": {"type": "crf", "constraints": "off"}}, "model.head.constraints"),
        (
            "trainer",
            {"optimizer": {"type": "adam", "parameter_groups": [{"parameters": ["chars"]}]}},
            "trainer.optimizer.parameter_groups.0.parameters",
        ),
    ],
)
def test_a_warning_names_the_key(
    config: dict[str, Any], section: str, changes: dict[str, Any], path: str
) -> None:
    assert warnings(parse_experiment(config)) == []
    config[section] |= changes
    assert [warning.path for warning in warnings(parse_experiment(config))] == [path]


def test_data_that_is_not_looked_at(config: dict[str, Any]) -> None:
    del config["evaluate_on_test"]
    assert [warning.path for warning in warnings(parse_experiment(config))] == ["test_data_path"]
    config["evaluate_on_test"] = False
    assert warnings(parse_experiment(config)) == []
    config["validation_data_path"] = config["train_data_path"]
    (warning,) = warnings(parse_experiment(config))
    assert warning.path == "validation_data_path"


@pytest.mark.parametrize("name", ["train", "validation"])
def test_data_that_is_known(name: str, config: dict[str, Any]) -> None:
    config["test_data_path"] = config[f"{name}_data_path"]
    (warning,) = warnings(parse_experiment(config))
    assert (warning.path, warning.message.split(":")[0]) == (
        "test_data_path",
        f"is the {'training' if name == 'train' else name} data",
    )


def test_groups_that_match_are_no_warning(config: dict[str, Any]) -> None:
    groups = [{"parameters": ["^embedders.words"], "lr": 0.1}, {"parameters": ["head"]}]
    config["trainer"]["optimizer"]["parameter_groups"] = groups
    assert warnings(parse_experiment(config)) == []


def test_warnings_are_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", QUICKSTART, "--set", "data_loader.shuffle=false"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "--set data_loader.shuffle=false: data_loader.shuffle: warning: the training data is "
        "never shuffled: true trains better",
        f"{QUICKSTART}: no faults, 1 warning",
    ]


def test_keys_that_nothing_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.jsonnet"
    quickstart = Path(QUICKSTART).resolve()
    config.write_text(
        "local sizes = {\n  used: 0.1,\n  forgotten: 3,\n};\n"
        f"(import '{quickstart}') + {{ model+: {{ dropout: sizes.used }} }}\n",
        encoding="utf-8",
    )
    assert main(["check", str(config)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{config}:3:3: warning: the key 'sizes.forgotten' is never used: leave it out",
        f"{config}: no faults, 1 warning",
    ]


def test_data_against_the_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("the 1 2 3\n", encoding="utf-8")
    wrong = [
        *("--set", f"model.embedders.words.pretrained_file={vectors}"),
        *("--set", "dataset_reader.tag_column=7"),
    ]
    assert main(["check", QUICKSTART, *wrong]) == 0  # without a look at the data
    capsys.readouterr()
    assert main(["check", QUICKSTART, "--data", *wrong]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 4
    assert (
        sum(
            "expected a column 7 (tag_column), got 4 columns, counted from 0" in line
            for line in errors
        )
        == 3
    )
    assert f"{vectors}: expected vectors of embedding_dim 50, got 3" in errors[3]

    assert main(["check", QUICKSTART, "--data", "--set", "dataset_reader.tag_scheme=IOB2"]) == 0
    assert "can't stand where they do in IOB2; they look like IOB1" in capsys.readouterr().out
    refused = ("dataset_reader.tag_scheme=IOB2", "dataset_reader.illegal_tags=refuse")
    flags = [flag for setting in refused for flag in ("--set", setting)]
    assert main(["check", QUICKSTART, "--data", *flags]) == 2
    assert "can't stand where they do in IOB2" in capsys.readouterr().err


def test_where_each_value_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--config", QUICKSTART, "--set", "trainer.num_epochs=3"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows["trainer.num_epochs"].endswith("--set trainer.num_epochs=3")
    assert rows["trainer.validation_metric"].endswith("default")
    place = rows["model.encoder.hidden_size"].split()[-1]
    file, line, column = place.split(":")
    text = Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert text[int(column) - 1 :].startswith("hidden_size: 64")


MINE = """
from ner_registry import DatasetReader
from ner_registry.data.sentence import Sentence

@DatasetReader.register("failing")
class Failing(DatasetReader):
    def read(self, path):
        yield Sentence(["a"], tags=["O"])
        raise LookupError("no more")

@DatasetReader.register("careless")
class Careless(DatasetReader):
    def read(self, path):
        yield Sentence(["a", "b"], tags=["O"])

@DatasetReader.register("idle")
class Idle(DatasetReader):
    def read(self, path):
        return ()
"""


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        ("failing", "dataset_reader: Failing.read raised LookupError: no more"),
        ("careless", "expected a tag for each token, got 2 tokens and 1 tags"),
        ("idle", "expected sentences, got none"),
    ],
)
def test_data_as_a_reader_of_ones_own_gives_it(
    reader: str,
    told: str,
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "mine_for_check.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    config = str(root / QUICKSTART)
    mine = [
        "--include-package",
        "mine_for_check",
        "-o",
        f"{{dataset_reader: {{type: '{reader}'}}}}",
    ]
    assert main(["check", config, "--data", *mine]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert all(told in line for line in errors)


# other tests' modules, once collected, have kinds of their own
OURS = sorted(n for n, kind in kinds().items() if kind.__module__.startswith("ner_registry."))


@pytest.mark.parametrize("kind", OURS)
def test_what_the_parts_of_a_kind_must_have(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", kind]) == 0
    told = capsys.readouterr().out.splitlines()
    for method in getattr(kinds()[kind], "__abstractmethods__", ()):
        (line,) = [line for line in told if line.startswith((f"{method}(self", f"{method}, "))]
        assert told[told.index(line) + 1].startswith("  ")
