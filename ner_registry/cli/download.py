"""``ner-run download``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "download",
        parents=[common],
        help="fetch a dataset of the catalogue",
        description="Fetches the files of a dataset, verifies them and prints where they are. "
        "Files that are in $NER_DATA or in the cache already are not fetched again.",
        epilog="example: ner-run download conll2003",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as conll2003")
    parser.add_argument(
        "--dir", metavar="D", help="put them in D/NAME; default: the cache ($NER_CACHE)"
    )
    parser.add_argument("--list", action="store_true", help="list the datasets there are")
    parser.set_defaults(run=lambda args: run(args, parser))


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Downloads."""
    if args.list == (args.name is not None):
        parser.error("expected either NAME or --list")
    from tabulate import tabulate

    from ner_registry.data.catalogue import DATASETS, download_dataset

    if args.list:
        rows = [[name, dataset.title, dataset.licence] for name, dataset in DATASETS.items()]
        print(tabulate(rows, ["name", "what it is", "licence"]))
        return
    directory = None if args.dir is None else Path(args.dir)
    paths = download_dataset(args.name, directory)
    print(*paths, sep="\n")
    print(f"licence: {DATASETS[args.name].licence}")
