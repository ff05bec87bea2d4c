"""The words of the README and of docs/: every command is run, every file written and used.

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
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from ner_registry.cli import main
from ner_registry.data import catalogue

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"(?:`([\w.]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STAND_INS = {"eng.train": "train.conll", "eng.testa": "dev.conll", "eng.testb": "test.conll"}


class Block(NamedTuple):
    """A block of code: the file that it is, if it is one, and its language."""

    file: str
    language: str
    content: str


def blocks(document: str) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(document)]


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


@pytest.fixture
def workplace(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a clone's experiments and sample corpus, nothing downloaded yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("NER_DATA", raising=False)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    sample = ROOT / "ner_registry" / "sample"
    (tmp_path / "ner_registry").mkdir()
    (tmp_path / "ner_registry" / "sample").symlink_to(sample)
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
    return tmp_path


def follow(document: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Does what a document says, block by block: writes its files, runs its commands."""
    for file, language, content in blocks(document):
        if file:
            (folder / file).write_text(content, encoding="utf-8")
        elif language == "bash":
            for line in content.splitlines():
                run(line, monkeypatch)
        elif language == "python":
            exec(compile(content, "document", "exec"), {})


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of shell; a ``ner-run`` that isn't in a loop runs here, which starts faster."""
    source, _, command = line.rpartition(" | ")
    program, *arguments = shlex.split(command)
    if program != "ner-run":
        shell(line)
        return
    if source:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(shell(source))))
    if arguments[0] in ("train", "tune") and "-o" not in arguments:
        arguments += ["-o", '{"trainer.num_epochs": 1}']
    assert main([*arguments, "--quiet"]) == 0, line


def shell(line: str) -> bytes:
    """What a line of shell prints; ``ner-run`` is this environment's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["sh", "-c", line], env=environment, check=True, stdout=subprocess.PIPE
    ).stdout


def test_every_command_of_the_readme_works(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = blocks(README)
    assert {block.file for block in said} >= {"my_parts.py", "mine.jsonnet"}
    assert sum(block.content.count("\n") for block in said if block.language == "bash") >= 12
    assert any(block.language == "python" and not block.file for block in said)
    follow(README, workplace, monkeypatch)
    output = capsys.readouterr().out
    assert (workplace / "cache" / "conll2003" / "eng.train").is_file()
    assert "convolution, a Seq2SeqEncoder: my_parts.Convolution (from my_parts)" in output
    metrics = workplace / "serialization" / "crf" / "metrics.json"
    assert set(json.loads(metrics.read_bytes())) >= {"test_token_macro_f1"}


@pytest.mark.parametrize("name", ["config.md", "cookbook.md"])
def test_every_command_of_the_documentation_works(
    name: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert any(block.language == "bash" for block in blocks(document))
    follow(document, workplace, monkeypatch)


def test_an_archive_with_own_parts_imports_nothing_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: this one may have imported them already."""
    for file, _, content in blocks(README):
        if file:
            (tmp_path / file).write_text(content, encoding="utf-8")
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
        assert (ROOT / target.partition("#")[0]).exists(), target
