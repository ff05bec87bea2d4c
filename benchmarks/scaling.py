"""How cost grows: epoch time and memory over copies of the corpus, and one very long sentence."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import publish

from ner_registry.data import catalogue
from ner_registry.readers import ConllReader

HERE = Path(__file__).parent
LONG = 20_000


def train(data: Path, out: Path, *changes: str) -> list[dict[str, float]]:
    """The metrics of two epochs without validation."""
    changes = (
        f"train_data_path={data}",
        "validation_data_path=null",
        "trainer.num_epochs=2",
        *changes,
    )
    command = [sys.executable, "-m", "ner_registry", "train", str(HERE / "word_only.jsonnet")]
    command += ["-s", str(out), "--quiet"]
    for change in changes:
        command += ["--set", change]
    subprocess.run(command, check=True, capture_output=True)
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    corpus = catalogue.find("conll2003/eng.train").read_text()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for times in (1, 4, 16):
            data = folder / f"{times}.conll"
            data.write_text(times * corpus)
            first, second = train(data, folder / f"run_{times}")
            took = second["training_duration"] - first["training_duration"]
            rows.append([f"{times} × eng.train", took, took / times, second["peak_memory_mb"]])
        sentences = ConllReader().read(catalogue.find("conll2003/eng.train"))
        pairs = [pair for s in sentences for pair in zip(s.tokens, s.tags or [], strict=True)]
        long = folder / "long.conll"
        long.write_text("".join(f"{token} {tag}\n" for token, tag in pairs[:LONG]))
        metrics = train(long, folder / "run_long")
        took = metrics[1]["training_duration"] - metrics[0]["training_duration"]
        rows.append([f"one sentence of {LONG:,} tokens", took, None, metrics[1]["peak_memory_mb"]])
        began = time.perf_counter()
        command = [sys.executable, "-m", "ner_registry", "predict", str(folder / "run_long")]
        subprocess.run([*command, str(long), "--quiet"], check=True, stdout=subprocess.DEVNULL)
        rows.append(["the same, tagged (the whole command)", time.perf_counter() - began])
    publish(
        "scaling",
        "Cost as the work grows",
        ["", "epoch, s", "per copy, s", "peak memory, MB"],
        rows,
        "The second of two epochs, checkpoint included, no validation.",
    )


if __name__ == "__main__":
    main()
