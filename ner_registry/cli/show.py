"""``ner-run show``."""

from __future__ import annotations

import argparse
from typing import Any

from ner_registry.cli import configured


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "show",
        parents=[common],
        help="list components and explain them",
        description="Lists the kinds of components, the components of a kind, or one "
        "component's arguments, documentation and a config snippet; or a config with every "
        "default written out and where each value comes from.",
        epilog="examples: ner-run show; ner-run show TokenEmbedder; "
        "ner-run show Seq2SeqEncoder lstm; "
        "ner-run show --config experiments/bilstm_crf.jsonnet",
    )
    parser.add_argument("kind", metavar="KIND", nargs="?", help="such as TokenEmbedder")
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as embedding")
    parser.add_argument("--config", metavar="CONFIG", help="show this config, filled")
    configured.add_changes(parser)
    parser.set_defaults(run=lambda args: run(args, parser))


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Shows."""
    if args.config is not None:
        if args.kind is not None:
            parser.error("expected either KIND or --config")
        source = configured.read(args.config, args)
        from ner_registry.jobs.show import show_config

        print(show_config(source, include_packages=args.include_package))
        return
    from ner_registry.jobs.show import show

    print(show(args.kind, args.name, include_packages=args.include_package))
