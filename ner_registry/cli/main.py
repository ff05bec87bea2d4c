"""``ner-run``: parses arguments, calls a sub-command, turns what it raises into exit codes."""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import TextIO

from ner_registry.bars import above_bars, silenced
from ner_registry.cli import (
    check,
    compare,
    convert,
    download,
    evaluate,
    predict,
    report,
    results,
    schema,
    show,
    train,
    tune,
)
from ner_registry.cli.launched import heard_once, is_first, is_one_of_several
from ner_registry.cli.stopping import Stopped, stoppable
from ner_registry.errors import NerError, is_out_of_memory


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code.

    Args:
        argv: the arguments; None: those of the process.
    """
    atexit.register(_end_at_once)
    _open_streams()
    with heard_once():
        try:
            with stoppable():
                return _main(sys.argv[1:] if argv is None else argv)
        except Stopped as stopped:
            print(f"ner-run: {stopped}", file=sys.stderr)
            return stopped.exit_code


def _open_streams() -> None:
    """Has something to read and write where a descriptor is closed, whatever the characters."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _main(argv: Sequence[str]) -> int:
    args = _parse(argv)
    args.quiet |= not is_first()
    handler = _LogHandler(sys.stderr)
    handler.setFormatter(_LevelFormatter())
    logger = logging.getLogger("ner_registry")
    logger.setLevel(logging.WARNING if args.quiet else logging.INFO)
    handler.setLevel(logger.level)
    logger.addHandler(handler)
    try:
        with silenced(args.quiet):
            return _run(args)
    finally:
        logger.removeHandler(handler)


def _end_at_once() -> None:
    """Spares the interpreter, when it ends, from looking for unused objects.

    It does so several times, among all that libraries made, which takes most of a second. Triton's
    library would tell of each of its own that it finds alive.
    """
    if "triton" not in sys.modules:
        gc.freeze()


def _run(args: argparse.Namespace) -> int:
    """The exit code of what the arguments say."""
    try:
        args.run(args)
        sys.stdout.flush()
        return 0
    except NerError as error:
        _show(args)
        print("\n".join(error.lines()), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # the reader of our output has left, as `head` does; nothing is left to flush to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, MemoryError) as error:
        _show(args)
        print(f"ner-run: {_reason(error)}", file=sys.stderr)
        return 1
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        _show(args)
        reason = str(error).strip().splitlines()[0]
        print(f"ner-run: out of memory: {reason}: lower the batch or model size", file=sys.stderr)
        return 1


def _show(args: argparse.Namespace) -> None:
    """Shows where the fault at hand was raised, if that is asked for."""
    if args.debug:
        traceback.print_exc()


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; options may stand between positional ones, which sub-parsers alone allow."""
    parser, commands = _parser()
    if is_one_of_several() and argv[:1] != ["train"]:
        parser.error("torchrun starts several processes, which `train` alone is for")
    if argv and argv[0] in commands:
        return commands[argv[0]].parse_intermixed_args(argv[1:])
    return parser.parse_args(argv)


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of ``ner-run``, and those of its sub-commands by name."""
    parser = argparse.ArgumentParser(
        prog="ner-run",
        description="Trains, evaluates and runs named-entity taggers declared in Jsonnet.",
        epilog="`ner-run COMMAND --help` tells more of each command.",
    )
    parser.add_argument("--version", action="version", version=version("ner_registry"))
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--include-package",
        metavar="PACKAGE",
        action="append",
        default=[],
        help="import a package or module whose components the config uses; repeatable",
    )
    common.add_argument("--quiet", action="store_true", help="no progress, only warnings")
    common.add_argument("--debug", action="store_true", help="show the traceback of a fault")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (
        train,
        evaluate,
        predict,
        convert,
        report,
        compare,
        results,
        check,
        show,
        schema,
        download,
        tune,
    ):
        module.add(commands, common)
    return parser, commands.choices


class _LogHandler(logging.StreamHandler[TextIO]):
    """Writes lines above a bar that is shown, not into it."""

    def emit(self, record: logging.LogRecord) -> None:
        with above_bars(self.stream):
            super().emit(record)


class _LevelFormatter(logging.Formatter):
    """News as they are; warnings and worse say what they are."""

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        is_news = record.levelno <= logging.INFO
        return message if is_news else f"{record.levelname.lower()}: {message}"


def _reason(error: OSError | MemoryError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
