"""Tagging: sentences per second through ``ner-run predict``, start-up, and memory of a stream.

tagging.py ARCHIVE, a model of the shape of word_only.jsonnet.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import publish

from ner_registry.data import catalogue
from ner_registry.readers import ConllReader

ROUNDS = 5


def command(*arguments: str) -> tuple[float, float]:
    """Seconds and megabytes that a command takes."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, arguments
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def seconds(*arguments: str) -> float:
    return statistics.median(command(*arguments)[0] for _ in range(ROUNDS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--stream", type=int, default=1_000_000, help="sentences to stream")
    archive = parser.parse_args().archive
    stream = parser.parse_args().stream
    test = catalogue.find("conll2003/eng.testb")
    sentences = list(ConllReader().read(test))
    predict = ("-m", "ner_registry", "predict", archive, "--quiet")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        one, text, columns = folder / "one.txt", folder / "test.txt", folder / "test.conll"
        one.write_text("Jim works in Paris.\n")
        text.write_text("".join(" ".join(s.tokens) + "\n" for s in sentences))
        # ten times over, so that what is measured isn't the start
        columns.write_text(
            10 * "".join("".join(f"{t}\n" for t in s.tokens) + "\n" for s in sentences)
        )
        text.write_text(10 * text.read_text())
        start = seconds(*predict, str(one))
        rows = []
        for kind, file in (("CoNLL to JSONL", columns), ("plain text to JSONL", text)):
            took = seconds(*predict, str(file), "--output-file", os.devnull)
            rate = 10 * len(sentences) / (took - start)
            rows.append([f"{kind}, sentences per second after loading", rate, "10,000, 3,000"])
        torch = seconds("-c", "import torch")
        rows.append(["ner-run --help, s", seconds("-m", "ner_registry", "--help"), "0.3"])
        rows.append(["one sentence tagged, s beyond import torch", start - torch, "1"])
        rows.append(["import torch, s", torch, ""])
        many = folder / "many.conll"
        with many.open("w") as file:
            for number in range(stream):
                sentence = sentences[number % len(sentences)]
                file.write("".join(f"{token}\n" for token in sentence.tokens) + "\n")
        took, memory = command(*predict, str(many), "--output-file", os.devnull)
        rows.append([f"{stream:,} sentences streamed, s", took, ""])
        rows.append(["and their peak memory, MB", memory, "bounded"])
        rows.append(["peak memory of one sentence, MB", command(*predict, str(one))[1], ""])
    publish(
        "tagging",
        "Tagging",
        ["BiLSTM-CRF, 100 -> 2 × 128", "measured", "goal"],
        rows,
        f"Whole commands, medians of {ROUNDS}; eng.testb of CoNLL-2003, ten times over.",
    )


if __name__ == "__main__":
    main()
