"""Prints a benchmark's table and keeps it in RESULTS.md, with what it was measured on."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tabulate import tabulate

RESULTS = Path(__file__).parent / "RESULTS.md"
_PACKAGES = ("torch", "numba", "pytorch-crf", "TorchCRF")


def publish(
    name: str,
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    notes: str = "",
    *,
    keep: bool = True,
) -> None:
    """Prints a table, and puts it in the place of the last one of the same name.

    Args:
        name: of the benchmark's script.
        title: a line above the table.
        headers: of its columns.
        rows: its rows.
        notes: a paragraph below it.
        keep: whether RESULTS.md gets it.
    """
    table = tabulate(rows, headers, tablefmt="github", floatfmt=".3g")
    command = " ".join(["python", f"benchmarks/{name}.py", *map(_short, sys.argv[1:])])
    text = f"## {title}\n\n{table}\n\n{notes}\n\n`{command}`, on {_machine()}.\n"
    print(text)
    if not keep:
        return
    mark = f"<!-- {name} -->\n"
    whole = RESULTS.read_text() if RESULTS.exists() else "# Benchmarks\n"
    section = f"{mark}{text}{mark}"
    pattern = f"{re.escape(mark)}.*{re.escape(mark)}"
    if re.search(pattern, whole, re.DOTALL):
        whole = re.sub(pattern, lambda _: section, whole, flags=re.DOTALL)
    else:
        whole = f"{whole.rstrip()}\n\n{section}"
    RESULTS.write_text(whole)


def _short(argument: str) -> str:
    """An argument without the folders of this machine."""
    return Path(argument).name if os.sep in argument else argument


def _machine() -> str:
    versions = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"no {package}")
    load = os.getloadavg()[0]
    return (
        f"{len(os.sched_getaffinity(0))} cores of {_processor()}, {', '.join(versions)}, "
        f"load average {load:.1f} at the end"
    )


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()
