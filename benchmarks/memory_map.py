"""A corpus that stays on disk beside one in memory: memory, and the time of a training step."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from results import publish

from ner_registry.build import index_corpus, parse_experiment
from ner_registry.config.source import read_config
from ner_registry.data import catalogue
from ner_registry.data.batches import LengthBatchSampler
from ner_registry.data.indexed import IndexedSentences
from ner_registry.jobs.mapped import map_training_data
from ner_registry.jobs.prepare import Prepared, prepare
from ner_registry.nn.threads import computing

HERE = Path(__file__).parent
TURNS = 12  # of steps, with the map and without, one after the other
STEPS = 25  # of a turn


def prepared(data: Path, *, is_mapped: bool) -> Prepared:
    changes = {
        "train_data_path": str(data),
        "validation_data_path": None,
        "model.embedders.chars": {"type": "character_cnn"},
        "data_loader.memory_map": is_mapped,
    }
    config = read_config(HERE / "word_only.jsonnet", [json.dumps(changes)]).value
    return prepare(parse_experiment(config))


def batches(data: IndexedSentences) -> Iterator[list[int]]:
    while True:
        yield from LengthBatchSampler(data.lengths, batch_size=32, shuffle=True)


def step(parts: Prepared, data: IndexedSentences, numbers: list[int]) -> float:
    """Seconds that a training step takes."""
    began = time.perf_counter()
    parts.state.optimizer.zero_grad()
    parts.tagger.loss(data.batch(numbers)).mean().backward()
    parts.state.optimizer.step()
    return time.perf_counter() - began


def held() -> dict[str, float]:
    """MB that the process has in memory, its own and files', and the most of both together."""
    status = Path("/proc/self/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return {name: int(lines[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile", "VmHWM")}


def measure(path: Path, steps: int, *, is_mapped: bool) -> dict[str, float]:
    """What a run holds after so many steps, and how long it took to get ready."""
    began = time.perf_counter()
    parts = prepared(path, is_mapped=is_mapped)
    data = (
        map_training_data(parts)
        if is_mapped
        else index_corpus(parts.tagger, parts.corpora["train"])
    )
    ready = time.perf_counter() - began
    parts.tagger.train()
    with computing(parts.tagger, 1):
        for _, numbers in zip(range(steps), batches(data), strict=False):
            step(parts, data, numbers)
    return {"tokens": parts.corpora["train"].tokens, "ready": ready} | held()


def compare(path: Path) -> dict[str, float]:
    """The median of a step's milliseconds, mapped and in memory, in turns."""
    parts = prepared(path, is_mapped=True)
    data = {
        "mapped": map_training_data(parts),
        "memory": index_corpus(parts.tagger, parts.corpora["train"]),
    }
    chosen = {name: batches(d) for name, d in data.items()}
    times: dict[str, list[float]] = {name: [] for name in data}
    parts.tagger.train()
    with computing(parts.tagger, 1):
        for turn in range(TURNS + 1):
            for name in data:
                for _ in range(STEPS):
                    took = step(parts, data[name], next(chosen[name]))
                    if turn:  # the first one compiles
                        times[name].append(took)
    return {name: 1000 * statistics.median(took) for name, took in times.items()}


def in_child(task: dict[str, Any], cache: Path) -> dict[str, float]:
    """A task's result, from a process of its own."""
    command = [sys.executable, __file__, "--task", json.dumps(task)]
    environment = os.environ | {"NER_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=50, help="of eng.train")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        task = json.loads(args.task)
        path = Path(task.pop("path"))
        print(json.dumps(measure(path, **task) if task else compare(path)))
        return
    corpus = catalogue.find("conll2003/eng.train").read_bytes()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        one, many = folder / "one.conll", folder / "many.conll"
        one.write_bytes(corpus)
        with many.open("wb") as file:
            for _ in range(args.copies):
                file.write(corpus)
        for name, path, is_mapped in (
            ("one copy, mapped", one, True),
            (f"{args.copies} copies, mapped, built", many, True),
            (f"{args.copies} copies, mapped, there already", many, True),
            (f"{args.copies} copies, in memory", many, False),
        ):
            task = {"path": str(path), "steps": args.steps, "is_mapped": is_mapped}
            found = in_child(task, folder / "cache")
            print(name, found, flush=True)
            columns = ("tokens", "ready", "RssAnon", "RssFile", "VmHWM")
            rows.append([name, *(round(found[column]) for column in columns)])
        found = in_child({"path": str(one)}, folder / "cache")
        print(found, flush=True)
    publish(
        "memory_map",
        "A corpus that stays on disk",
        ["", "tokens", "ready after, s", "own memory, MB", "files in memory, MB", "peak, MB"],
        rows,
        f"After {args.steps} steps of 32 sentences. A step takes {found['mapped']:.1f} ms with "
        f"the map, {found['memory']:.1f} ms in memory: medians of {TURNS * STEPS} each, in turns "
        f"of {STEPS}.",
    )


if __name__ == "__main__":
    main()
