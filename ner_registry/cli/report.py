"""``ner-run report``."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "report",
        parents=[common],
        help="show a run as a page",
        description="Writes report.html into a run's directory: scores, curves, confusions, "
        "weaknesses, confidence, mistakes, data and config on one page. `train` does so too.",
        epilog="example: ner-run report serialization/crf",
    )
    parser.add_argument("directory", metavar="DIR", help="a run's directory")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Reports."""
    from ner_registry.jobs.report import report

    print(report(args.directory, include_packages=args.include_package))
