"""Charts as SVG that takes its colours and its font from the page it stands in."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ner_registry.reports.calibration import Calibration
from ner_registry.reports.page import HUES

_INCHES = (4.0, 2.8)  # as wide as a telephone at the size of its letters
_STYLE: Any = {
    "axes.edgecolor": "#0000e1",
    "axes.grid": True,
    "axes.labelcolor": "#0000e0",
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    # as much as the labels of epochs and of percentages need: to measure them is to draw twice
    "figure.subplot.bottom": 0.17,
    "figure.subplot.left": 0.15,
    "figure.subplot.right": 0.97,
    "figure.subplot.top": 0.97,
    "font.size": 9,
    "grid.color": "#0000e2",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.markersize": 4,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "text.color": "#0000e0",
    "text.parse_math": False,  # a label may hold dollar signs
    "xtick.color": "#0000e1",
    "xtick.labelcolor": "#0000e0",
    "ytick.color": "#0000e1",
    "ytick.labelcolor": "#0000e0",
}
_INKS = {
    "#0000e0": "var(--muted)",
    "#0000e1": "var(--line)",
    "#0000e2": "var(--faint)",
    "#0000e3": "var(--ink)",
}
_INKS |= {f"#0000c{number}": f"var(--series-{number})" for number in range(HUES)}


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        name: what the legend says; empty: it isn't in the legend.
        y: its values, by epoch from 0; None where there is none.
        series: number of its colour; None: that of the page's text.
        heavy: whether it matters more than others.
    """

    name: str
    y: Sequence[float | None]
    series: int | None
    heavy: bool = True


def percentages(history: Sequence[Mapping[str, Any]], metric: str) -> list[float | None]:
    """A metric of each epoch, as a line's values."""
    values = [epoch.get(metric) for epoch in history]
    return [None if value is None else 100 * value for value in values]


def curves(title: str, lines: Sequence[Line], best: int | None = None) -> Markup:
    """Values by epoch, the best epoch marked."""
    with _drawn(title) as (axes, chart):
        for line in lines:
            axes.plot(
                np.array(line.y, float),  # where there is none, nan
                color=_colour(line.series),
                linewidth=1.8 if line.heavy else 1.0,
                alpha=1.0 if line.heavy else 0.7,
                marker="o" if line.heavy and len(line.y) == 1 else None,
            )
        if best is not None and best < min(len(line.y) for line in lines):
            axes.axvline(best, color="#0000e0", linewidth=1, linestyle=(0, (3, 3)))
            for line in (line for line in lines if line.heavy):
                axes.plot([best], np.array([line.y[best]], float), "o", color=_colour(line.series))
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return chart[0] + _legend(lines)


def reliability(found: Calibration) -> Markup:
    """Confidence against accuracy; the area of a dot grows with its count."""
    with _drawn("confidence of predicted entities against how many of them are right") as drawn:
        axes, chart = drawn
        axes.plot([0, 1], [0, 1], color="#0000e1", linewidth=1, linestyle=(0, (3, 3)))
        most = max(b.count for b in found.bins)
        x = [b.confidence for b in found.bins]
        y = [b.accuracy for b in found.bins]
        sizes = [20 + 180 * b.count / most for b in found.bins]
        axes.plot(x, y, color=_colour(0), linewidth=1)
        axes.scatter(x, y, s=sizes, color=_colour(0), zorder=3, clip_on=False)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    return chart[0]


def differences(title: str, rows: Mapping[str, tuple[float, float, float]]) -> Markup:
    """A difference of each name, in points, with the ends of its interval."""
    height = 0.9 + 0.3 * len(rows)
    with _drawn(title, height=height, layout="constrained") as (axes, chart):
        axes.axvline(0, color="#0000e1", linewidth=1)
        for place, (middle, low, high) in enumerate(rows.values()):
            sure = low > 0 or high < 0
            colour = _colour(0 if middle >= 0 else 1)
            axes.plot([low, high], [place, place], color=colour, alpha=1 if sure else 0.5)
            axes.plot([middle], [place], "o", color=colour, markersize=6)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("points of F1")
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    return chart[0]


@contextmanager
def _drawn(
    title: str, height: float = _INCHES[1], layout: Literal["constrained"] | None = None
) -> Iterator[tuple[Axes, list[Markup]]]:
    """Axes to draw on; afterwards, the list holds the chart."""
    chart: list[Markup] = []
    # every chart's names of its own shapes begin with its own salt: a page holds many charts
    with mpl.rc_context(_STYLE | {"svg.hashsalt": title}), warnings.catch_warnings():
        # the page's font draws what matplotlib's doesn't have
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure((_INCHES[0], height), layout=layout)
        axes = figure.subplots()
        yield axes, chart
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    chart.append(_themed(file.getvalue(), title))


def _legend(lines: Sequence[Line]) -> Markup:
    """The page's own, which has room for any number of long names."""
    entry = Markup('<span class="hue-{}">{}</span>')
    entries = [
        entry.format("ink" if line.series is None else line.series % HUES, line.name)
        for line in lines
        if line.name
    ]
    return Markup('<p class="legend">{}</p>').format(Markup("").join(entries))


def _themed(svg: str, title: str) -> Markup:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", svg)  # names that all charts share
    svg = re.sub("#0000[ce][0-9]", lambda found: _INKS[found[0]], svg)
    view = re.search(r'viewBox="[^"]+"', svg)
    assert view is not None
    opening = Markup('<svg class="chart" role="img" {}><title>{}</title>')
    body = Markup(svg[svg.index(">") + 1 :])
    return opening.format(Markup(view[0]), title) + body


def _colour(series: int | None) -> str:
    return "#0000e3" if series is None else f"#0000c{series % HUES}"
