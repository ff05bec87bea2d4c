"""Pages from the templates beside this file; whatever is put into them is escaped."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HUES = 8  # colours of labels and lines, of which style.css has a light and a dark shade each
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> bytes:
    """A page, in UTF-8; it needs no other file and no network."""
    page = _PAGES.get_template(template).render(
        version=version("ner_registry"), hues_in_all=HUES, **values
    )
    return page.encode("utf-8", "replace")  # a lone surrogate has no bytes in UTF-8


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"


def _number(value: float | None, places: int = 0) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def _short(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value:,}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


_PAGES.filters |= {
    "percent": _percent,
    "points": _points,
    "number": _number,
    "short": _short,
    "duration": _duration,
}
