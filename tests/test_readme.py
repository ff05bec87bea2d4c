"""The README's own words: every command is run, every file of its story written and used.

One epoch on the sample corpus, downloaded from a server on this machine.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import json
import os
import re
import shlex
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ner_registry.cli import main
from ner_registry.data import catalogue

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
STORY = dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", README, re.DOTALL | re.MULTILINE))
STAND_INS = {"eng.train": "train.conll", "eng.testa": "dev.conll", "eng.testb": "test.conll"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serves the sample corpus under the names of CoNLL-2003."""
    folder = tmp_path_factory.mktemp("server")
    for name, stand_in in STAND_INS.items():
        shutil.copy(ROOT / "ner_registry" / "sample" / stand_in, folder / name)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of shell as far as the README uses it: ``[echo TEXT |] ner-run …``."""
    echo, _, command = line.rpartition(" | ")
    if echo:
        text = " ".join(shlex.split(echo)[1:]) + "\n"
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    program, *arguments = shlex.split(command)
    assert program == "ner-run"
    if arguments[0] in ("train", "tune") and "-o" not in arguments:
        arguments += ["-o", '{"trainer.num_epochs": 1}']
    assert main([*arguments, "--quiet"]) == 0, line


def test_every_command_works(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("NER_DATA", raising=False)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    sample = ROOT / "ner_registry" / "sample"
    files = tuple(
        replace(
            file,
            sha256=hashlib.sha256((sample / STAND_INS[file.name]).read_bytes()).hexdigest(),
            urls=(f"{server}/{file.name}",),
        )
        for file in catalogue.DATASETS["conll2003"].files
    )
    dataset = replace(catalogue.DATASETS["conll2003"], files=files)
    monkeypatch.setitem(catalogue.DATASETS, "conll2003", dataset)

    assert list(STORY) == ["my_callback.py", "my_parts.py", "mine.jsonnet"]
    for name, content in STORY.items():
        (tmp_path / name).write_text(content, encoding="utf-8")

    lines = [line for block in blocks("bash") for line in block.splitlines()]
    assert len(lines) >= 12
    for line in lines:
        run(line, monkeypatch)
    output = capsys.readouterr().out
    assert (tmp_path / "cache" / "conll2003" / "eng.train").is_file()
    assert "convolution, a Seq2SeqEncoder: my_parts.Convolution (from my_parts)" in output

    (api,) = [block for block in blocks("python") if block.startswith("import ner_registry as nr")]
    variables: dict[str, object] = {}
    exec(compile(api, "README.md", "exec"), variables)
    assert set(json.loads((tmp_path / "serialization" / "crf" / "metrics.json").read_bytes())) >= {
        "test_token_macro_f1"
    }
    assert variables["scores"]


def test_an_archive_with_own_parts_imports_nothing_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: this one may have imported them already."""
    import subprocess
    import sys

    named = dict(
        re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    )
    for name, content in named.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    text = tmp_path / "text.txt"
    text.write_text("Maria met them in Kelfield.\n", encoding="utf-8")

    def ner_run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ner_registry", *arguments, "--quiet"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    epochs = '{"trainer.num_epochs": 1}'
    own = ("--include-package", "my_parts")
    assert ner_run("train", "mine.jsonnet", "-s", "run", "-o", epochs, *own).returncode == 0
    refused = ner_run("predict", "run/model.tar.gz", "text.txt")
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        "run/model.tar.gz: its parts come from my_parts, imported only if you name it: "
        "--include-package my_parts"
    )
    assert len(refused.stderr.splitlines()) == 1
    assert ner_run("predict", "run/model.tar.gz", "text.txt", *own).returncode == 0
    assert json.loads((tmp_path / "run" / "meta.json").read_bytes())["packages"] == ["my_parts"]


def test_the_files_it_names_exist() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
