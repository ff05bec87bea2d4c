"""``ner-run schema``."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "schema",
        parents=[common],
        help="print a JSON Schema of the config",
        description="Prints a JSON Schema (draft 2020-12) of the whole config, with every "
        "component that is built in, installed or included: an editor completes and checks "
        "JSON experiments with it.",
        epilog="example: ner-run schema > ner-run.schema.json",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the schema."""
    from ner_registry.jobs.show import show_schema

    print(show_schema(include_packages=args.include_package))
