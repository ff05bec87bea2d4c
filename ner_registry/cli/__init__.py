"""The command line: one file per sub-command; faults become lines on stderr."""

from ner_registry.cli.main import main

__all__ = ["main"]
