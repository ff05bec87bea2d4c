"""A real package, built and installed, whose entry point offers its parts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = """\
[metadata]
name = {name}
version = 1.0

[options]
py_modules = {name}

[options.entry_points]
ner_registry.plugins =
    {name} = {name}
"""
PART = '''\
from torch import Tensor

from ner_registry import Seq2SeqEncoder


@Seq2SeqEncoder.register("doubling")
class Doubling(Seq2SeqEncoder):
    """Doubles every number.

    Args:
        times: how often.
    """

    def __init__(self, input_dim: int, *, times: int = 1) -> None:
        super().__init__()
        self.output_dim = input_dim
        self.factor = 2**times

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        return inputs * self.factor
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one plugin that works and one that can't be imported."""
    folder = tmp_path_factory.mktemp("plugins")
    for name, content in (("doubling_plugin", PART), ("broken_plugin", "import no_such_thing\n")):
        package = folder / name
        package.mkdir()
        (package / f"{name}.py").write_text(content, encoding="utf-8")
        (package / "setup.cfg").write_text(SETUP.format(name=name), encoding="utf-8")
        (package / "setup.py").write_text("import setuptools\n\nsetuptools.setup()\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(folder / "site")]
    command += [str(folder / "doubling_plugin"), str(folder / "broken_plugin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


def ner_run(site: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ner_registry", *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_installed_plugin_is_there_and_a_broken_one_is_named(
    site: Path, root: Path, tmp_path: Path
) -> None:
    shown = ner_run(site, root, "show", "Seq2SeqEncoder")
    assert "Doubles every number." in shown.stdout
    assert "from doubling_plugin" in shown.stdout
    assert shown.stderr.splitlines() == [
        "warning: plugin broken_plugin: ModuleNotFoundError: No module named 'no_such_thing' "
        f"({site / 'broken_plugin.py'}:1)"
    ]
    overrides = "{ 'model.encoder': { type: 'doubling' }, 'trainer.num_epochs': 1 }"
    run = tmp_path / "run"
    trained = ner_run(
        site, root, "train", "experiments/quickstart.jsonnet", "-s", str(run), "-o", overrides
    )
    assert trained.returncode == 0, trained.stderr
    assert ner_run(site, root, "evaluate", str(run), "sample/test.conll").returncode == 0

    # the same archive where the plugin isn't installed
    refused = ner_run(tmp_path, root, "evaluate", str(run), "sample/test.conll")
    assert refused.returncode == 2
    assert "its parts come from doubling_plugin" in refused.stderr


def test_the_parse_is_fast_to_start(root: Path, tmp_path: Path) -> None:
    """No torch for help, the version, or a file that isn't Jsonnet."""
    bad = tmp_path / "bad.jsonnet"
    bad.write_text("{", encoding="utf-8")
    for arguments in (["--help"], ["--version"], ["train", str(bad), "-s", "x"]):
        program = (
            "import sys; from ner_registry.cli import main\n"
            "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
            "assert 'torch' not in sys.modules"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=root, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
