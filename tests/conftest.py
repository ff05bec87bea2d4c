"""What many tests need: a small config, a trained run, the real corpora."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from ner_registry.config.source import read_config
from ner_registry.jobs.train import train

ROOT = Path(__file__).parent.parent

# a shell that runs the suite in the background has it ignore SIGINT, and all its children too
signal.signal(signal.SIGINT, signal.default_int_handler)

# the suite may share its cores with other work: two threads each would slow both down
torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--whole", action="store_true", help="every round of tests/reliability, for an hour or so"
    )


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether tests/reliability goes all its rounds, or a few of each."""
    return bool(request.config.getoption("--whole"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture
def config() -> dict[str, Any]:
    """The quickstart, two epochs long; each test's own copy."""
    overrides = '{"trainer.num_epochs": 2, "trainer.patience": null}'
    return read_config(ROOT / "experiments" / "quickstart.jsonnet", [overrides]).value


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the quickstart, eight epochs long."""
    directory = tmp_path_factory.mktemp("runs") / "quickstart"
    overrides = '{"trainer.num_epochs": 8}'
    train(read_config(ROOT / "experiments" / "quickstart.jsonnet", [overrides]).value, directory)
    return directory


@pytest.fixture(scope="session")
def conll2003() -> Path:
    """The folder of the real CoNLL-2003 files."""
    places = [Path(os.environ.get("NER_DATA", ROOT.parent / "shared" / "data")) / "conll2003"]
    for place in places:
        if (place / "eng.train").is_file():
            return place
    pytest.skip(f"the real CoNLL-2003 isn't in {places[0]}: set NER_DATA to try it")
