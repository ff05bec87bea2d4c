"""``ner-run predict``."""

from __future__ import annotations

import argparse
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
        nargs="?",
        default="-",
        help="a file; -, the default, is stdin",
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Predicts."""
    from ner_registry.jobs.predict import predict

    predict(
        args.archive,
        args.input,
        include_packages=args.include_package,
        input_format=args.input_format,
        output_format=args.output_format,
        output_file=args.output_file,
        batch_size=args.batch_size,
        device=args.device,
        threshold=args.threshold,
        top_k=args.top_k,
    )
