"""The documentation: it builds without a warning and leaves no part out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ner_registry.build import DataLoaderSettings, Experiment, ModelSettings
from ner_registry.config.elsewhere import ALLENNLP, ALLENNLP_TYPES
from ner_registry.config.registry import kinds
from ner_registry.config.signatures import config_parameters
from ner_registry.training.settings import TrainerSettings


def test_it_builds_without_a_warning_with_a_page_on_every_part(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the extra docs isn't installed")
    site = tmp_path / "site"
    build = ["-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-c", "docs", "."]
    result = subprocess.run(
        [sys.executable, *build, str(site)], cwd=root, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    assert result.returncode == 0
    assert "README.html" in (site / "index.html").read_text(encoding="utf-8")
    pages = site / "docs" / "components"
    assert (pages / "TokenEmbedder" / "embedding.html").is_file()
    own = {name: k for name, k in kinds().items() if k.__module__.startswith("ner_registry.")}
    for name, kind in own.items():
        listed = (pages / f"{name}.html").read_text(encoding="utf-8")
        for part, made in kind.registered().items():
            if made.__module__.startswith("ner_registry."):
                assert f'href="{name}/{part}.html"' in listed
                page = (pages / name / f"{part}.html").read_text(encoding="utf-8")
                for key in config_parameters(made):
                    assert f'<span class="pre">{key}</span>' in page, (name, part, key)


def test_the_table_of_allennlp_s_keys_is_the_one_that_check_uses(root: Path) -> None:
    cookbook = (root / "docs" / "cookbook.md").read_text(encoding="utf-8")
    _, _, table = cookbook.partition("| AllenNLP's key | here |\n| --- | --- |\n")
    assert (
        dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE))
        == ALLENNLP | ALLENNLP_TYPES
    )


@pytest.mark.parametrize(
    "settings", [Experiment, ModelSettings, DataLoaderSettings, TrainerSettings]
)
def test_the_page_on_the_config_names_every_key(root: Path, settings: type) -> None:
    page = (root / "docs" / "config.md").read_text(encoding="utf-8")
    assert [key for key in config_parameters(settings) if f"`{key}`" not in page] == []
