"""A table of many runs."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from ner_registry.config.defaults import leaves
from ner_registry.config.registry import nearest
from ner_registry.errors import NerError, RunDirectoryError

logger = logging.getLogger(__name__)

_COLUMNS = (
    "run",
    "model.encoder.type",
    "model.head.type",
    "random_seed",
    "best_epoch",
    "best_validation_f1-measure-overall",
    "test_f1-measure-overall",
    "training_duration",
)


def results(
    directories: Sequence[str | Path],
    *,
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    reverse: bool = False,
    form: str = "text",
) -> str:
    """A row for each finished run in some directories or anywhere below them.

    One that can't be read is warned of and left out.

    Args:
        directories: where to look.
        columns: ``run``, which is its directory, metrics as in ``metrics.json``, and keys of the
            config by dotted path; None: the usual ones.
        sort: the column to sort by, lowest first; None: as found. Runs without it come last.
        reverse: highest first.
        form: ``text``, ``csv`` or ``markdown``.

    Raises:
        NerError: there is no run that can be read, or no run has such a column.
    """
    found = [row for directory in directories for row in _rows(Path(directory))]
    known = dict.fromkeys(name for row in found for name in row)
    if columns is None:
        columns = [name for name in _COLUMNS if name in known]
    for name in (*columns, *([sort] if sort else [])):
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise NerError(f"no run has a metric or a key of the config {name!r}{hint}")
    if sort is not None:
        found = _sorted(found, sort, reverse=reverse)
    if form == "csv":
        return _as_csv(found, columns)
    return _as_table(found, columns, "github" if form == "markdown" else "simple")


def _rows(directory: Path) -> Iterator[dict[str, Any]]:
    """All that a column may show of each run in a directory and below it that has ended."""
    if not directory.is_dir():
        raise RunDirectoryError(f"{directory}: expected finished runs, got no such directory")
    files = sorted(directory.rglob("metrics.json"))
    # other programs write files of that name too
    runs = [file.parent for file in files if (file.parent / "config.json").is_file()]
    if not runs:
        raise RunDirectoryError(
            f"{directory}: expected finished runs, got no metrics.json and config.json in it"
        )
    is_read = False
    for run in runs:
        try:
            config, metrics = _object(run / "config.json"), _object(run / "metrics.json")
        except RunDirectoryError as error:
            logger.warning("left out: %s", error)
        else:
            is_read = True
            yield {"run": str(run)} | dict(leaves(config)) | metrics
    if not is_read:
        raise RunDirectoryError(f"{directory}: expected finished runs, got none that can be read")


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{path}: expected what a run wrote, got {error}") from None
    if not isinstance(value, dict):
        raise RunDirectoryError(f"{path}: expected an object, got {type(value).__name__}")
    return value


def _sorted(rows: list[dict[str, Any]], name: str, *, reverse: bool) -> list[dict[str, Any]]:
    """Numbers by size, before words by letter; what has none of either is last."""
    with_it = [row for row in rows if row.get(name) is not None]
    without = [row for row in rows if row.get(name) is None]

    def order(row: dict[str, Any]) -> tuple[bool, float, str]:
        is_number = isinstance(row[name], int | float)
        return not is_number, row[name] if is_number else 0.0, str(row[name])

    return [*sorted(with_it, key=order, reverse=reverse), *without]


def _as_csv(rows: list[dict[str, Any]], columns: Sequence[str]) -> str:
    file = io.StringIO()
    body = [[_text(row.get(name)) for name in columns] for row in rows]
    csv.writer(file, lineterminator="\n").writerows([columns, *body])
    return file.getvalue().rstrip("\n")


def _as_table(rows: list[dict[str, Any]], columns: Sequence[str], style: str) -> str:
    values = [[row.get(name) for name in columns] for row in rows]
    body = [[f"{v:.4f}" if isinstance(v, float) else _text(v) for v in row] for row in values]
    if style == "github":
        body = [[text.replace("|", r"\|") for text in row] for row in body]
    aligned = [
        "right" if all(v is None or isinstance(v, int | float) for v in column) else "left"
        for column in zip(*values, strict=True)
    ]
    # as they are: a run may be named 001
    return tabulate(body, columns, style, disable_numparse=True, colalign=aligned)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
