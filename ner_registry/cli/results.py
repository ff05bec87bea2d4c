"""``ner-run results``."""

from __future__ import annotations

import argparse
from typing import Any

FORMATS = ("text", "csv", "markdown")


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "results",
        parents=[common],
        help="a table of many runs",
        description="Prints a row for each finished run in DIR or anywhere below it.",
        epilog="example: ner-run results serialization --columns run,trainer.optimizer.lr,"
        "test_f1-measure-overall --sort test_f1-measure-overall --reverse",
    )
    parser.add_argument("directories", metavar="DIR", nargs="+", help="where to look for runs")
    parser.add_argument(
        "--columns",
        metavar="NAME,NAME",
        type=lambda text: text.split(","),
        help="metrics as in metrics.json, keys of the config by dotted path, and `run`",
    )
    parser.add_argument("--sort", metavar="NAME", help="sort by this, lowest first")
    parser.add_argument("--reverse", action="store_true", help="highest first")
    parser.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Tells."""
    from ner_registry.jobs.results import results

    table = results(
        args.directories,
        columns=args.columns,
        sort=args.sort,
        reverse=args.reverse,
        form=args.format,
    )
    print(table)
