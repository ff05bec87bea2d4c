"""``ner-run check``."""

from __future__ import annotations

import argparse
from typing import Any


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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Checks."""
    from ner_registry.config import jsonnet

    config = jsonnet.load(args.config)
    from ner_registry.build import parse_experiment
    from ner_registry.errors import ConfigError
    from ner_registry.jobs.check import warnings

    try:
        plan = parse_experiment(config, args.include_package)
    except ConfigError as error:
        raise error.at(args.config) from None
    found = warnings(plan.filled())
    for fault in found:
        print(f"{args.config}: {fault.path}: warning: {fault.message}")
    print(f"{args.config}: no faults, {len(found)} warnings")
