"""Compares runs, or groups of runs that differ in their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ner_registry.archive import parse_recorded
from ner_registry.data.files import check_writable, write_file, write_json
from ner_registry.errors import NerError
from ner_registry.jobs.report import check_extra, read_again
from ner_registry.reports.comparison import Comparison, as_json, compare_groups
from ner_registry.reports.groups import read_groups
from ner_registry.reports.run import SPLITS

_PAGES = (".html", ".htm")
_FORMATS = (*_PAGES, ".json")


def compare(
    directories: Sequence[str | Path],
    *,
    include_packages: Sequence[str] = (),
    output_file: str | Path | None = None,
) -> Comparison:
    """Compares each run with the first.

    Args:
        directories: two or more, of runs or of several seeds.
        include_packages: packages to import for the first model's parts.
        output_file: where to write the comparison: a page where it ends in ``.html``, JSON where
            it ends in ``.json``.

    Raises:
        NerError: a directory is at fault, or what a page needs isn't installed.
    """
    target = None if output_file is None else Path(output_file)
    if target is not None:
        _check(target)
    groups = read_groups(directories)
    first = groups[0].runs[0]
    _, experiment = parse_recorded(first.directory, first.config, first.meta, include_packages)
    corpora = read_again(first, experiment, SPLITS)
    documents = {
        name: [sentence.document for sentence in corpus.sentences]
        for name, corpus in corpora.items()
    }
    comparison = compare_groups(groups, documents)
    if target is not None:
        _write(target, comparison)
    return comparison


def _check(target: Path) -> None:
    if target.suffix not in _FORMATS:
        raise NerError(f"{target}: expected a name that ends in .json or .html, got another")
    check_writable(target)
    if target.suffix in _PAGES:
        check_extra("a page")


def _write(target: Path, comparison: Comparison) -> None:
    if target.suffix in _PAGES:
        from ner_registry.reports.comparison_page import comparison_page

        write_file(target, comparison_page(comparison))
    else:
        write_json(target, as_json(comparison))
