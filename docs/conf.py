"""How Sphinx builds the documentation: from the repository's own Markdown, links as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

project = "ner_registry"
extensions = ["myst_parser", "components"]
root_doc = "README"
include_patterns = ["*.md", "docs/**", "*/RESULTS.md"]
exclude_patterns = [".*", "build", "ner_registry", "serialization", "tests"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = project
html_copy_source = False
# code that names no language is what a terminal shows
highlight_language = "text"
# a part of a config is no whole one to a lexer
suppress_warnings = ["misc.highlighting_failure"]

CONTENTS = """
```{toctree}
:hidden:

README <self>
docs/cookbook
docs/architecture
docs/config
docs/formats
docs/components
Figures <experiments/RESULTS>
Benchmarks <benchmarks/RESULTS>
CONTRIBUTING
CHANGELOG
```
"""
HOME = '<!doctype html><meta http-equiv="refresh" content="0; url=README.html">\n'


def add_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Adds the table of contents, which GitHub would show as code, to the first page."""
    if name == root_doc:
        source[0] += CONTENTS


def add_home(app: Sphinx, error: Exception | None) -> None:
    """Leads from ``index.html``, where visitors begin, to the README."""
    if error is None:
        Path(app.outdir, "index.html").write_text(HOME, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Registers both with Sphinx."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_home)
