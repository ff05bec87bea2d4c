"""``ner-run show``."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "show",
        parents=[common],
        help="list components and explain them",
        description="Lists the kinds of components, the components of a kind, or one "
        "component's arguments, documentation and a config snippet.",
        epilog="examples: ner-run show; ner-run show TokenEmbedder; "
        "ner-run show Seq2SeqEncoder lstm",
    )
    parser.add_argument("kind", metavar="KIND", nargs="?", help="such as TokenEmbedder")
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as embedding")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Shows."""
    from ner_registry.jobs.show import show

    print(show(args.kind, args.name, include_packages=args.include_package))
