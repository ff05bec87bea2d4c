"""``ner-run tune``."""

from __future__ import annotations

import argparse
from typing import Any

from ner_registry.cli import configured
from ner_registry.cli.numbers import positive


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "tune",
        parents=[common],
        help="search for a better config",
        description="Trains variants of CONFIG, whose key `search` says what to try for which "
        "keys, each chosen with an eye to those before, and writes the best one. Started again, "
        "or beside itself, with the same DIR, it goes on with the same search.",
        epilog="example: ner-run tune experiments/quickstart.jsonnet -s serialization/tune "
        "--trials 30",
    )
    parser.add_argument("config", metavar="CONFIG", help="a Jsonnet file with a key `search`")
    parser.add_argument(
        "-s",
        "--serialization-dir",
        metavar="DIR",
        required=True,
        help="where everything about the search goes",
    )
    parser.add_argument(
        "--trials",
        type=positive,
        default=20,
        metavar="N",
        help="how many to train, all processes together (default: 20)",
    )
    configured.add_changes(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Searches."""
    source = configured.read(args.config, args)
    from ner_registry.errors import ConfigError
    from ner_registry.jobs.tune import tune

    try:
        table = tune(
            source.value,
            args.serialization_dir,
            trials=args.trials,
            include_packages=args.include_package,
        )
    except ConfigError as error:
        raise source.placed(error) from None
    print(table)
