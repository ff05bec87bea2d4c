"""``ner-run convert``."""

from __future__ import annotations

import argparse
from typing import Any

from ner_registry.formats import INPUTS, OUTPUTS

_SCHEMES = ("IOB1", "IOB2", "IOBES", "BIOUL")


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "convert",
        parents=[common],
        help="turn tagged text from one format or tag scheme into another",
        description="Reads IN and writes OUT, in formats told by their endings unless given. "
        "Files that end in .gz are packed.",
        epilog="example: ner-run convert labelled.jsonl train.conll --input-format doccano",
    )
    parser.add_argument("input", metavar="IN", help="a file; -: stdin")
    parser.add_argument("output", metavar="OUT", help="a file; -: stdout")
    parser.add_argument(
        "--input-format", choices=INPUTS, help="default: by the file's ending, text for stdin"
    )
    parser.add_argument(
        "--output-format", choices=OUTPUTS, help="default: by the file's ending, jsonl for stdout"
    )
    parser.add_argument(
        "--tag-scheme", choices=_SCHEMES, help="of the tags in jsonl and conll; default: IOB2"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Converts."""
    from ner_registry.jobs.convert import convert

    convert(
        args.input,
        args.output,
        input_format=args.input_format,
        output_format=args.output_format,
        tag_scheme=args.tag_scheme,
    )
