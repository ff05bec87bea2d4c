"""Arguments of the sub-commands that take a config."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ner_registry.config.source import ConfigSource


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that change a config."""
    parser.add_argument(
        "-o",
        "--overrides",
        metavar="JSONNET",
        action="append",
        default=[],
        help="an object that changes the config: a dotted key replaces the value there, "
        "nested objects merge; repeatable",
    )
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="change one value, such as trainer.num_epochs=3; repeatable",
    )


def read(path: str, args: argparse.Namespace) -> ConfigSource:
    """The config file with the changes that the arguments ask for."""
    from ner_registry.config.source import read_config

    return read_config(path, args.overrides, args.settings)
