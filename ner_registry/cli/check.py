"""``ner-run check``."""

from __future__ import annotations

import argparse
from typing import Any

from ner_registry.cli import configured


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "check",
        parents=[common],
        help="find the faults of a config",
        description="Tells every fault of CONFIG (exit code 2) and every warning (exit code "
        "0); reads no data and builds nothing.",
        epilog="example: ner-run check experiments/bilstm_crf.jsonnet",
    )
    parser.add_argument("config", metavar="CONFIG", help="a Jsonnet file")
    parser.add_argument(
        "--data", action="store_true", help="look into the head of the data files too"
    )
    configured.add_changes(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Checks."""
    source = configured.read(args.config, args)
    from ner_registry.build import parse_experiment
    from ner_registry.errors import ConfigError
    from ner_registry.jobs.check import faults_of_data, warnings

    try:
        plan = parse_experiment(source.value, args.include_package)
        faults, doubts = faults_of_data(plan) if args.data else ([], [])
        if faults:
            raise ConfigError(faults)
    except ConfigError as error:
        raise source.placed(error) from None
    found = [*warnings(plan), *doubts]
    for warning in found:
        print(f"{source.locate(warning.path)}: {warning.path}: warning: {warning.message}")
    unused = source.unused_keys()
    for place, key in unused:
        print(f"{place}: warning: the key {key!r} is never used: leave it out")
    count = len(found) + len(unused)
    print(f"{args.config}: no faults, {count} warning{'' if count == 1 else 's'}")
