"""``ner-run train``."""

from __future__ import annotations

import argparse
from typing import Any

from ner_registry.cli import configured
from ner_registry.cli.launched import is_one_of_several
from ner_registry.cli.numbers import positive


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "train",
        parents=[common],
        help="train a declared experiment",
        description="Trains the tagger that CONFIG declares and writes the run to DIR.",
        epilog="example: ner-run train experiments/bilstm_crf.jsonnet -s serialization/crf "
        "--set trainer.num_epochs=3",
    )
    parser.add_argument("config", metavar="CONFIG", help="a Jsonnet file")
    parser.add_argument(
        "-s", "--serialization-dir", metavar="DIR", help="where everything about the run goes"
    )
    configured.add_changes(parser)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-f", "--force", action="store_true", help="replace the run in DIR")
    group.add_argument(
        "-r", "--recover", action="store_true", help="go on where the run in DIR stopped"
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="check, read the data, build the model, and print what would be trained",
    )
    parser.add_argument(
        "--seeds",
        type=positive,
        metavar="N",
        help="train with N seeds, from random_seed on, each in a directory below DIR, and make "
        "one model of them all",
    )
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="of these, how many run side by side (default: 1)",
    )
    parser.set_defaults(run=lambda args: run(args, parser))


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Trains."""
    if args.serialization_dir is None and not args.dry_run:
        parser.error("the following arguments are required: -s/--serialization-dir")
    if args.workers is not None and args.seeds is None:
        parser.error("--workers needs --seeds: it says how many of them run side by side")
    if args.seeds is not None and is_one_of_several():
        parser.error("--seeds trains several models, the processes of torchrun one: choose")
    source = configured.read(args.config, args)
    from ner_registry.build import parse_experiment
    from ner_registry.errors import ConfigError
    from ner_registry.jobs.prepare import prepare
    from ner_registry.jobs.train import train
    from ner_registry.training.memory import share_one_heap

    share_one_heap()
    shared: Any = {
        "include_packages": args.include_package,
        "force": args.force,
        "recover": args.recover,
    }
    try:
        if args.dry_run:
            plan = parse_experiment(source.value, args.include_package)
            print("\n".join(prepare(plan).summary()))
            return
        if args.seeds is None:
            train(source.value, args.serialization_dir, **shared)
            return
        from ner_registry.jobs.seeds import as_text, train_seeds

        summary = train_seeds(
            source.value,
            args.serialization_dir,
            seeds=args.seeds,
            workers=args.workers or 1,
            **shared,
        )
        print(as_text(summary))
    except ConfigError as error:
        raise source.placed(error) from None
