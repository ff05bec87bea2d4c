from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ner_registry.cli import main

TEXT = "Ann left Hartlow. They met Ann in Kelfield."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with five files to tag in it."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number in range(5):
        # long enough for several batches of different lengths
        rows = [{"text": f"{TEXT} {'so ' * (n % 9)}", "id": n} for n in range(number, 60)]
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        Path("in", f"part_{number}.jsonl.gz").write_bytes(gzip.compress(content))
    return tmp_path


@pytest.fixture
def predict(run_directory: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str, code: int = 0) -> str:
        assert main(["predict", str(run_directory), *arguments, "--quiet"]) == code
        return capsys.readouterr().err

    return run


def outputs(directory: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in Path(directory).iterdir()
        if path.name not in ("manifest.json", ".ner-run.lock")
    }


def test_any_number_of_workers_writes_what_one_process_does(predict: Any) -> None:
    Path("alone").mkdir()
    for path in Path("in").iterdir():
        predict(str(path), "--output-file", f"alone/{path.name}")
    assert predict("in/*", "--output-dir", "one") == ""
    assert predict("in/*.gz", "--output-dir", "deep/two", "--workers", "2") == ""
    assert outputs("one") == outputs("alone")
    assert outputs("deep/two") == outputs("alone")
    lines = gzip.decompress(outputs("one")["part_4.jsonl.gz"]).splitlines()
    assert [json.loads(line)["record"] for line in lines[:4]] == [0, 0, 1, 1]


def test_the_same_command_goes_on(predict: Any, run_directory: Path) -> None:
    """After a malformed part, and after others were tagged by the archive of the same run."""
    whole = Path("in/part_2.jsonl.gz")
    kept = whole.read_bytes()
    whole.write_bytes(gzip.compress(b'{"text": "Ann left."}\n{"text": 3}\n'))
    command = ("in/*", "--output-dir", "out", "--workers", "2")
    assert predict(*command, code=2) == (
        "in/part_2.jsonl.gz:2: expected a string under 'text', got 3\n"
    )
    assert sorted(outputs("out")) == [f"part_{n}.jsonl.gz" for n in (0, 1, 3, 4)]
    assert predict(*command, "--threshold", "0.5", code=2) == (
        "out: its parts were made with threshold 0.0, got 0.5: choose another --output-dir\n"
    )
    before = {path: path.stat().st_mtime_ns for path in Path("out").glob("part_*")}
    whole.write_bytes(kept)
    Path("out", "part_0.jsonl.gz.part").write_bytes(b"what a killed worker left")
    assert main(["predict", str(run_directory / "model.tar.gz"), *command]) == 0
    assert sorted(outputs("out")) == [f"part_{n}.jsonl.gz" for n in range(5)]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_another_full_directory_is_left_as_it_is(predict: Any) -> None:
    Path("out").mkdir()
    Path("out", "notes.txt").write_text("mine")
    refused = "out: expected an empty directory or that of an earlier such command, got another"
    assert predict("in/*", "--output-dir", "out", code=2).startswith(refused)
    assert [path.name for path in Path("out").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no/*", "--output-dir", "out"), "no/*: expected files to read, got none of such a name"),
        (("no.txt", "--output-dir", "out"), "no.txt: expected a file to read, got no such file"),
        (("-", "--output-dir", "out"), "--output-dir: expected files to tag, got -"),
        (("in/*", "--output-dir", "in"), "output would be in/part_0.jsonl.gz, which is an input"),
        (("in/*", "again/*", "--output-dir", "out"), "and so would in/part_1.jsonl.gz's"),
        (("in/*", "--output-dir", "in/part_1.jsonl.gz"), "expected a directory, got a file"),
        (("in/*", "--output-dir", "out", "--output-file", "x"), "got both"),
        (("in/*", "again/*"), "expected one INPUT, got 2: --output-dir takes several"),
        (("in/part_1.jsonl.gz", "--workers", "2"), "need --output-dir"),
        (("--output-dir", "out"), "--output-dir needs an INPUT"),
    ],
)
def test_what_cannot_be(
    arguments: tuple[str, ...],
    told: str,
    run_directory: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("again").mkdir()
    shutil.copy("in/part_1.jsonl.gz", "again")
    try:
        code = main(["predict", str(run_directory), *arguments])
    except SystemExit as error:
        code = int(error.code or 0)
    errors = capsys.readouterr().err
    assert code == 2
    assert told in errors.splitlines()[-1]
    assert not Path("out").exists()


def test_a_model_that_cannot_be_loaded_is_told_once(
    predict: Any, run_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run_directory, "run")
    config = json.loads(Path("run/config.json").read_bytes())
    config["model"]["encoder"] = {"type": "unheard_of"}
    Path("run/config.json").write_text(json.dumps(config))
    arguments = ["predict", "run", "in/*", "--output-dir", "out", "--workers", "2", "--quiet"]
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("run: model.encoder.type: ")
    assert outputs("out") == {}
