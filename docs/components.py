"""A page on every registered part, made of what ``ner-run show`` knows of it.

The pages go to ``docs/components``, which git ignores, before Sphinx looks for documents; what
they are is added to the page that leads to them.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from tabulate import tabulate

from ner_registry.build import DataLoaderSettings, Experiment, ModelSettings
from ner_registry.config.documented import keys_of, summary_of, text_of
from ner_registry.config.registry import Registrable, kinds
from ner_registry.config.snippets import snippet
from ner_registry.training.settings import TrainerSettings

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SETTINGS: dict[str, type] = {
    "Its keys": Experiment,
    "`model`": ModelSettings,
    "`data_loader`": DataLoaderSettings,
    "`trainer`": TrainerSettings,
}


def write_pages(app: Sphinx) -> None:
    """Writes a page for each kind and each part, in place of any from before."""
    shutil.rmtree(DOCS / "components", ignore_errors=True)
    for name, kind in kinds().items():
        folder = DOCS / "components" / name
        folder.mkdir(parents=True)
        folder.with_suffix(".md").write_text(kind_page(kind), encoding="utf-8")
        for part in kind.registered():
            (folder / f"{part}.md").write_text(part_page(kind, part), encoding="utf-8")


def add_kinds(app: Sphinx, name: str, source: list[str]) -> None:
    """Adds the kinds to the page on components."""
    if name == "docs/components":
        rows = [[f"[{k}](components/{k}.md)", cell(summary_of(kind))] for k, kind in ordered()]
        pages = [f"components/{k}" for k, _ in ordered()]
        source[0] += f"\n{table(rows, ['kind', 'what its parts do'])}\n\n{contents(pages)}"


def add_settings(app: Sphinx, name: str, source: list[str]) -> None:
    """Adds the keys that no part has to the page on the config."""
    if name == "docs/config":
        for title, settings in SETTINGS.items():
            source[0] += f"\n## {title}\n\n{key_table(settings)}\n"


def kind_page(kind: type[Registrable]) -> str:
    """What every part of a kind is, and which there are."""
    name = kind.__name__
    parts = sorted(kind.registered().items())
    rows = [[f"[{part}]({name}/{part}.md)", cell(summary_of(made))] for part, made in parts]
    listed = table(rows, ["type", "what it is"])
    pages = contents(f"{name}/{part}" for part, _ in parts)
    return f"# {name}\n\n{prose(text_of(kind))}\n\n{listed}\n\n{pages}"


def part_page(kind: type[Registrable], name: str) -> str:
    """A part's documentation, its keys, and the least config."""
    part = kind.registered()[name]
    config = json.dumps(snippet(kind, name), indent=2)
    return (
        f"# {name}\n\n{prose(text_of(part))}\n\n{key_table(part)}\n\n"
        f"The least that it needs:\n\n```json\n{config}\n```\n\n"
        f"A [{kind.__name__}](../{kind.__name__}.md), in [{place(part)}](../../../{place(part)}).\n"
    )


def key_table(part: Callable[..., Any]) -> str:
    """What a config can set of a part."""
    rows = [
        [f"`{key.name}`", cell(key.expected), f"`{cell(key.default)}`", cell(key.meaning)]
        for key in keys_of(part)
    ]
    return table(rows, ["key", "expected", "default", "meaning"]) if rows else "It takes no keys."


def ordered() -> list[tuple[str, type[Registrable]]]:
    """The kinds by name."""
    return sorted(kinds().items())


def table(rows: list[list[str]], headers: list[str]) -> str:
    """A table in Markdown."""
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def cell(text: str) -> str:
    """A text that may stand between a table's bars."""
    return prose(text).replace("|", r"\|")


def prose(text: str) -> str:
    """A docstring as Markdown, in which a role's name would be read as text."""
    return re.sub(r":\w+:(?=`)", "", text)


def contents(pages: Iterable[str]) -> str:
    """What leads to pages from the sidebar."""
    return "\n".join(["```{toctree}", ":hidden:", "", *pages, "```", ""])


def place(part: Callable[..., Any]) -> str:
    """The file of the repository that defines a part."""
    return Path(inspect.getsourcefile(part) or "").relative_to(ROOT).as_posix()


def setup(app: Sphinx) -> None:
    """Registers all three with Sphinx."""
    app.connect("builder-inited", write_pages)
    app.connect("source-read", add_kinds)
    app.connect("source-read", add_settings)
