"""``ner-run predict``."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from ner_registry.cli.numbers import positive, probability
from ner_registry.formats import INPUTS, OUTPUTS


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "predict",
        parents=[common],
        help="tag text",
        description="Tags what is in INPUT. Files that end in .gz are packed.",
        epilog="example: echo 'Jim works in Paris.' | ner-run predict serialization/crf",
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="a model.tar.gz or a run's directory")
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="*",
        help="a file; -, the default, is stdin; with --output-dir, files, or patterns in quotes",
    )
    parser.add_argument(
        "--input-format",
        choices=INPUTS,
        help="default: by the file's ending, text for stdin",
    )
    parser.add_argument(
        "--output-format",
        choices=OUTPUTS,
        default="jsonl",
        help="default: jsonl",
    )
    parser.add_argument("--output-file", metavar="FILE", help="default: stdout")
    parser.add_argument(
        "--output-dir",
        metavar="DIR",
        type=Path,
        help="tag many files, each to one in DIR; the same command goes on where it was stopped",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=positive,
        help="how many tag the files of --output-dir at once, a thread each; default: 1",
    )
    parser.add_argument(
        "--engine",
        choices=("processes", "ray"),
        help="what --workers are: processes here, the default, or actors of a Ray cluster",
    )
    parser.add_argument(
        "--threshold",
        metavar="T",
        type=probability,
        default=0.0,
        help="leave out entities whose score is below T, from 0 to 1; default: 0",
    )
    parser.add_argument(
        "--top-k",
        metavar="K",
        type=positive,
        help="write each sentence's K most probable taggings, each with its probability, too",
    )
    parser.add_argument(
        "--batch-size", metavar="N", type=positive, default=128, help="default: 128"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.set_defaults(run=partial(run, parser=parser))


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Predicts."""
    if args.output_dir is None and (args.workers or args.engine):
        parser.error("--workers and --engine need --output-dir: they tag many files")
    if args.output_dir is None and len(args.input) > 1:
        parser.error(f"expected one INPUT, got {len(args.input)}: --output-dir takes several")
    if args.output_dir is not None and args.output_file is not None:
        parser.error("expected --output-file or --output-dir, got both")
    if args.output_dir is not None and not args.input:
        parser.error("--output-dir needs an INPUT")

    from ner_registry.jobs.predict import PredictSettings, predict

    settings = PredictSettings(
        args.input_format, args.output_format, args.batch_size, args.threshold, args.top_k
    )
    if args.output_dir is None:
        predict(
            args.archive,
            args.input[0] if args.input else "-",
            settings,
            include_packages=args.include_package,
            output_file=args.output_file,
            device=args.device,
        )
        return

    from ner_registry.jobs.bulk import predict_parts

    predict_parts(
        args.archive,
        args.input,
        args.output_dir,
        settings,
        include_packages=args.include_package,
        device=args.device,
        workers=args.workers or 1,
        engine=args.engine or "processes",
    )
