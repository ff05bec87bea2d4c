"""What two ranks take for a step of the study's BiLSTM-CRF, beside one process, as it grows."""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from results import publish

from ner_registry.data import catalogue

CONFIG = Path(__file__).parent.parent / "experiments" / "bilstm_crf.jsonnet"
BATCH = 32
STEPS = {256: 100, 512: 30, 1024: 10}  # of an epoch, by hidden size
WAYS = {"1 thread": (1, 1), "2 threads": (1, 2), "2 ranks of 1 thread": (2, 1)}


def train(data: Path, out: Path, hidden_size: int, ranks: int, threads: int) -> tuple[float, float]:
    """Seconds of the second of two epochs, and seconds that processors worked in all."""
    command = [sys.executable, "-m"]
    if ranks > 1:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            port = listening.getsockname()[1]
        command += ["torch.distributed.run", "--nproc-per-node", str(ranks)]
        command += ["--master-addr", "127.0.0.1", "--master-port", str(port), "-m"]
    command += ["ner_registry", "train", str(CONFIG), "-s", str(out), "--quiet"]
    for change in (
        f"train_data_path={data}",
        "validation_data_path=null",
        "test_data_path=null",
        "evaluate_on_test=false",
        "trainer.num_epochs=2",
        f"trainer.num_threads={threads}",
        f"model.encoder.hidden_size={hidden_size}",
    ):
        command += ["--set", change]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    lines = (out / "metrics.jsonl").read_text().splitlines()
    first, second = (json.loads(line)["training_duration"] for line in lines)
    return second - first, worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    corpus = catalogue.find("conll2003/eng.train").read_text().split("\n\n")
    took = defaultdict(list)
    worked = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for steps in (1, *STEPS.values()):
            text = "\n\n".join(corpus[: steps * BATCH])
            (folder / f"{steps}.conll").write_text(f"{text}\n\n")
        for turn in range(rounds):
            for way, (ranks, threads) in WAYS.items():
                out = folder / f"{turn}_start_{way}"
                _, start = train(folder / "1.conll", out, 256, ranks, threads)
                for hidden_size, steps in STEPS.items():
                    out = folder / f"{turn}_{hidden_size}_{way}"
                    seconds, busy = train(
                        folder / f"{steps}.conll", out, hidden_size, ranks, threads
                    )
                    took[hidden_size, way].append(1000 * seconds / steps)
                    worked[hidden_size, way].append(1000 * (busy - start) / (2 * steps))
                    print(
                        turn,
                        hidden_size,
                        way,
                        took[hidden_size, way][-1],
                        worked[hidden_size, way][-1],
                        os.getloadavg()[0],
                        flush=True,
                    )
    rows = [
        [f"2 × {hidden_size}"]
        + [statistics.median(of[hidden_size, way]) for way in WAYS for of in (took, worked)]
        for hidden_size in STEPS
    ]
    publish(
        "ranks",
        "A step of one process and of two ranks, milliseconds",
        ["units", *(f"{way}{what}" for way in WAYS for what in ("", ", processors"))],
        rows,
        f"Medians of {rounds} rounds, in which all ways take turns: the second of two epochs by "
        "the clock, and what processors worked for both of them, without what a run of a single "
        "batch takes.",
    )


if __name__ == "__main__":
    main()
