"""``ner-run evaluate``."""

from __future__ import annotations

import argparse
from typing import Any

from ner_registry.cli.numbers import positive
from ner_registry.formats import OUTPUTS, TAGGED_INPUTS


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="score a model on a tagged file",
        description="Prints the entity table, the token table and the confusions of a model.",
        epilog="example: ner-run evaluate serialization/crf conll2003/eng.testb",
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="a model.tar.gz or a run's directory")
    parser.add_argument("data", metavar="DATA", help="a file, a URL or a catalogue name")
    parser.add_argument("--output-file", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--predictions-output-file", metavar="FILE", help="write the predictions")
    parser.add_argument(
        "--input-format",
        choices=TAGGED_INPUTS,
        help="of DATA; default: read as the model's validation data was",
    )
    parser.add_argument(
        "--output-format",
        choices=OUTPUTS,
        help="of the predictions; default: jsonl",
    )
    parser.add_argument(
        "--batch-size", metavar="N", type=positive, default=128, help="default: 128"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.set_defaults(run=lambda args: run(args, parser))


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Evaluates."""
    if args.output_format is not None and args.predictions_output_file is None:
        parser.error("--output-format is that of --predictions-output-file: expected it too")
    from ner_registry.jobs.evaluate import as_text, evaluate

    result = evaluate(
        args.archive,
        args.data,
        include_packages=args.include_package,
        device=args.device,
        batch_size=args.batch_size,
        output_file=args.output_file,
        predictions_output_file=args.predictions_output_file,
        input_format=args.input_format,
        output_format=args.output_format or "jsonl",
    )
    print(as_text(result))
