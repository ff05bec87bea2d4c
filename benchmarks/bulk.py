"""Tagging in bulk: sentences per second by number of workers, tried in turns.

bulk.py ARCHIVE
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import publish

from ner_registry.data import catalogue
from ner_registry.readers import ConllReader

ROUNDS = 3
SHARDS = 8


def measure(archive: str, inputs: str, out: Path, workers: int) -> tuple[float, float]:
    """Seconds that the whole command takes, and those of processors, of all its processes."""
    command = [sys.executable, "-m", "ner_registry", "predict", archive, inputs, "--quiet"]
    before, began = _processors(), time.perf_counter()
    subprocess.run([*command, "--output-dir", str(out), "--workers", str(workers)], check=True)
    return time.perf_counter() - began, _processors() - before


def _processors() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _medians(pairs: list[tuple[float, float]]) -> list[float]:
    return [statistics.median(values) for values in zip(*pairs, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    sentences = list(ConllReader().read(catalogue.find("conll2003/eng.testb")))
    shard = "".join(json.dumps({"words": sentence.tokens}) + "\n" for sentence in sentences)
    one = json.dumps({"words": sentences[0].tokens}) + "\n"
    taken: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, content in (("shards", shard), ("short", one)):
            (folder / name).mkdir()
            for number in range(SHARDS):
                (folder / name / f"{number}.jsonl").write_text(content)
        for turn in range(ROUNDS):
            for workers in args.workers:
                for name in ("shards", "short"):
                    out = folder / f"{name}_{workers}_{turn}"
                    found = measure(args.archive, str(folder / name / "*"), out, workers)
                    taken.setdefault((name, workers), []).append(found)
    rows = []
    for workers in args.workers:
        whole, start = (_medians(taken[name, workers]) for name in ("shards", "short"))
        seconds, processors = (a - b for a, b in zip(whole, start, strict=True))
        count = SHARDS * len(sentences)
        rows.append([workers, whole[0], start[0], count / seconds, count / processors])
    publish(
        "bulk",
        "Tagging in bulk",
        [
            "workers",
            "whole command, s",
            "loading, s",
            "sentences per second after loading",
            "sentences per second of a processor",
        ],
        rows,
        f"Medians of {ROUNDS}, taken in turns; {SHARDS} parts, each eng.testb of CoNLL-2003; "
        "loading is the same command on parts of one sentence. A thread for each worker.",
    )


if __name__ == "__main__":
    main()
