"""``ner-run compare``."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "compare",
        parents=[common],
        help="tell whether a run is better than another",
        description="Puts runs side by side: what differs in their configs, their metrics with "
        "intervals and p-values of the difference in entity F1, what is mended and broken, speed "
        "and size. Each is compared with the first; a directory of several seeds is one group.",
        epilog="example: ner-run compare serialization/softmax serialization/crf "
        "--output-file compare.html",
    )
    parser.add_argument("first", metavar="RUN_A", help="a run's directory, or one of several seeds")
    parser.add_argument("others", metavar="RUN_B", nargs="+", help="what to compare with it")
    parser.add_argument(
        "--output-file", metavar="FILE", help="write it all as .json, or as a page, .html"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compares."""
    from ner_registry.jobs.compare import compare
    from ner_registry.reports.comparison_text import as_text

    comparison = compare(
        [args.first, *args.others],
        include_packages=args.include_package,
        output_file=args.output_file,
    )
    print(as_text(comparison))
