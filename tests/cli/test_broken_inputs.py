"""What a new user gets wrong: one clear line each, exit code 2, nothing written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ner_registry.cli import main

QUICKSTART = "experiments/quickstart.jsonnet"


@pytest.fixture(autouse=True)
def at_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Runs a command that must be refused; its lines on stderr."""

    def run(*argv: str) -> list[str]:
        assert main([*argv, "--quiet"]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert "Traceback" not in output.err
        assert not (tmp_path / "run").exists()
        return output.err.splitlines()

    return run


def train(tmp_path: Path, config: str, *more: str) -> list[str]:
    return ["train", config, "-s", str(tmp_path / "run"), *more]


def broken(tmp_path: Path, change: str) -> str:
    """The quickstart with something changed, as a file."""
    path = tmp_path / "broken.jsonnet"
    shutil.copy(QUICKSTART, tmp_path)
    path.write_text(f"(import 'quickstart.jsonnet') + {change}\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "{ model+: { encoder: { type: 'lstm', hiden_size: 3 } } }",
            "model.encoder.hiden_size: not a key of LstmEncoder; did you mean 'hidden_size'?",
        ),
        (
            "{ model+: { encoder: { type: 'lstn', hidden_size: 3 } } }",
            "model.encoder.type: no Seq2SeqEncoder is registered as 'lstn'; did you mean 'lstm'? "
            "(a part of your own needs --include-package)",
        ),
        (
            "{ model+: { encoder: { type: 'crf' } } }",
            "model.encoder.type: 'crf' is a TaggerHead, not a Seq2SeqEncoder "
            "(there are: dilated_cnn, document, gru, lstm, mentions, pass_through, stack, "
            "transformer)",
        ),
        (
            "{ trainer+: { num_epochs: 'ten' } }",
            'trainer.num_epochs: expected a whole number at least 1, got "ten"',
        ),
        (
            "{ model+: { dropout: 1.5 } }",
            "model.dropout: expected a number at least 0 and below 1, got 1.5",
        ),
        (
            "{ model+: { embedders: {} } }",
            'model.embedders: expected an object, each value an object with the "type" of a '
            "TokenEmbedder (at least 1 of them), got {}",
        ),
        (
            "{ train_data_path: 'sample/trian.conll' }",
            "train_data_path: sample/trian.conll: no such file; did you mean sample/train.conll?",
        ),
        (
            "{ trainer+: { device: 'gpu' } }",
            'trainer.device: expected a string such as auto, cpu, cuda, cuda:1 or mps, got "gpu"',
        ),
        (
            "{ test_data_path:: null }",
            "test_data_path: required by evaluate_on_test: expected a path, got no such key",
        ),
        (
            "{ validation_data_path:: null, trainer+: { patience: null, tune_threshold: true } }",
            "trainer.tune_threshold: needs validation data: set validation_data_path, "
            "or leave it out",
        ),
        (
            "{ include_packages: ['no_such_package'] }",
            "include_packages: can't import 'no_such_package': ModuleNotFoundError: "
            "No module named 'no_such_package'",
        ),
    ],
)
def test_a_fault_of_the_config(
    change: str, message: str, tmp_path: Path, refused: Callable[..., list[str]]
) -> None:
    config = broken(tmp_path, change)
    (line,) = refused(*train(tmp_path, config))
    place, told = line.split(": ", 1)
    assert told == message
    # the line of the broken file, or of the quickstart for what is missing there
    file, row, _ = place.split(":")
    assert file in (config, str(tmp_path / "quickstart.jsonnet"))
    assert int(row) >= 1


def test_every_fault_is_told_at_once(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    config = broken(
        tmp_path,
        "{ modle: 1, random_seed: -1, data_loader+: { batch_size: 0 }, "
        "trainer+: { optimizer: { type: 'adam', lr: 'x' }, patince: 3 } }",
    )
    lines = refused(*train(tmp_path, config))
    paths = [line.split(": ")[1] for line in lines]
    assert sorted(paths) == [
        "data_loader.batch_size",
        "modle",
        "random_seed",
        "trainer.optimizer.lr",
        "trainer.patince",
    ]


def test_a_missing_file(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    assert refused(*train(tmp_path, "nope.jsonnet")) == [
        "nope.jsonnet: expected a config file, got no such file"
    ]


def test_not_jsonnet(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    config = tmp_path / "bad.jsonnet"
    config.write_text("{\n  model: {,}\n}\n", encoding="utf-8")
    (line,) = refused(*train(tmp_path, str(config)))
    assert line.startswith(f"{config}:2:11: Jsonnet: ")


def test_a_row_with_a_column_missing(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    data = tmp_path / "data.conll"
    data.write_text("Jim NNP I-PER\nworks VBZ O\n\nin IN\n", encoding="utf-8")
    config = broken(tmp_path, f"{{ train_data_path: '{data}' }}")
    assert refused(*train(tmp_path, config)) == [
        f"{data}:4: expected 3 columns as in line 1, got 2: 'in IN'"
    ]


def test_a_tag_that_is_none(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    data = tmp_path / "data.conll"
    data.write_text("Jim B_PER\nworks O\n", encoding="utf-8")
    config = broken(tmp_path, f"{{ train_data_path: '{data}' }}")
    assert refused(*train(tmp_path, config)) == [
        f"{data}:1: expected a tag such as O, B-PER or I-PER, got 'B_PER'"
    ]


def test_an_empty_data_file(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    data = tmp_path / "data.conll"
    data.write_text("", encoding="utf-8")
    config = broken(tmp_path, f"{{ train_data_path: '{data}' }}")
    assert refused(*train(tmp_path, config)) == [f"{data}: expected sentences, got none"]


def test_an_archive_that_is_none(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"not an archive")
    (line,) = refused("evaluate", str(archive), "sample/test.conll")
    assert line.startswith(f"{archive}: expected a model.tar.gz, got a broken one: ")
    (line,) = refused("predict", str(tmp_path), QUICKSTART)
    assert line.startswith(f"{tmp_path}: expected a trained model, got one without config.json")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    config = broken(tmp_path, "{ trainer+: { device: 'cuda' } }")
    assert refused(*train(tmp_path, config))[0].endswith(
        ": trainer.device: expected a GPU that is here, got 'cuda' and 0 GPUs: use auto or cpu"
    )


def test_a_full_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine", encoding="utf-8")
    for flag, told in (
        ("--quiet", "expected an empty directory, got a full one: choose another"),
        ("--force", "--force replaces a run's directory alone, got one that isn't"),
        ("--recover", "expected a run to go on with, got none"),
    ):
        assert main(train(tmp_path, QUICKSTART, flag)) == 2
        assert capsys.readouterr().err.splitlines()[-1] == f"{tmp_path / 'run'}: {told}"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_overrides_are_checked(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    arguments = train(tmp_path, QUICKSTART, "-o", '{"trainer.num_epoch": 3}')
    assert refused(*arguments) == [
        "--overrides: trainer.num_epoch: not a key here; did you mean 'num_epochs'?"
    ]
    (line,) = refused(*train(tmp_path, QUICKSTART, "-o", "{trainer"))
    assert line.startswith("--overrides:1:9: Jsonnet: ")


def test_input_of_predict(
    run_directory: Path, tmp_path: Path, refused: Callable[..., list[str]]
) -> None:
    bad = tmp_path / "in.jsonl"
    before = '{"words": ["Jim"]}\n' * 12
    for text, message in (
        ('{"word": 1}', "expected a key words, tokens, sentence or text, got the keys: word"),
        ('{"text": 1}', "expected a string under 'text', got 1"),
        ('{"text": "Jim", "at": 1e400}', "(1e400 is too large a number)"),
    ):
        bad.write_text(f"{before}{text}\n", encoding="utf-8")
        (line,) = refused_after_output(run_directory, bad, lines=12)
        assert line.startswith(f"{bad}:13: expected ")
        assert line.endswith(message)
    (line,) = refused("predict", str(run_directory), "nope.txt")
    assert line == "nope.txt: expected a file to read, got no such file"


def refused_after_output(run_directory: Path, path: Path, *, lines: int) -> list[str]:
    """As a command of its own, as a user would run it; what came before is all there."""
    command = [sys.executable, "-m", "ner_registry", "predict", str(run_directory), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.count("\n") == lines
    return done.stderr.splitlines()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ner_registry", "check", "nope.jsonnet", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr
    assert "ConfigError" in done.stderr
    assert done.returncode == 2


def test_an_archive_of_a_newer_format(
    run_directory: Path, tmp_path: Path, refused: Callable[..., list[str]]
) -> None:
    copy = tmp_path / "newer"
    shutil.copytree(run_directory, copy)
    meta = json.loads((copy / "meta.json").read_bytes())
    (copy / "meta.json").write_text(json.dumps(meta | {"format_version": 99}), encoding="utf-8")
    assert refused("predict", str(copy), QUICKSTART) == [
        f"{copy}: expected format_version 1 or less, got 99: it was written by a newer ner_registry"
    ]


def test_out_of_memory_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ("--set", "model.encoder.hidden_size=100000000")
    assert main([*train(tmp_path, QUICKSTART, *size), "--quiet"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ner-run: out of memory: ")
    assert not (tmp_path / "run").exists()
