"""What a step of the recommended recipe costs, and what each way to show sentences adds to it."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gpu import Setting
from results import publish

from ner_registry.build import DataLoaderSettings, index_corpus
from ner_registry.data.batches import LengthBatchSampler
from ner_registry.data.indexed import IndexedSentences
from ner_registry.nn.threads import available_threads, computing
from ner_registry.training.adversarial import adversarial_backward

STEPS, ROUNDS = 60, 5
SHOWN: dict[str, Any] = {
    "as they are": {},
    "`mention_replacement: 0.3`": {"mention_replacement": 0.3},
    "`capitals: 0.1`": {"capitals": 0.1},
    "both": {"mention_replacement": 0.3, "capitals": 0.1},
}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    setting = Setting("no_external_data.jsonnet", "cpu")
    tagger, train = setting.tagger, setting.corpora["train"]
    data = {
        name: index_corpus(tagger, train, DataLoaderSettings(**keys).augmentation_of(train))
        for name, keys in SHOWN.items()
    }
    sampler = LengthBatchSampler(data["both"].lengths, batch_size=32, shuffle=True)
    batches = list(sampler)[:STEPS]

    def look_up(sentences: IndexedSentences, numbers: list[int]) -> None:
        sentences.batch(numbers)

    def learn(size: float, numbers: list[int]) -> None:
        tagger.zero_grad()
        batch = data["both"].batch(numbers)
        if size:
            adversarial_backward(tagger, batch, size, 1 / len(numbers))
        else:
            (tagger.loss(batch).sum() / len(numbers)).backward()

    tasks: dict[str, Callable[[list[int]], None]] = {
        f"a batch of 32, {name}": partial(look_up, sentences) for name, sentences in data.items()
    }
    tasks["a batch and its gradient"] = partial(learn, 0.0)
    tasks["the same, with an adversarial perturbation"] = partial(learn, 1.0)
    times: dict[str, list[float]] = {name: [] for name in tasks}
    with computing(tagger):
        for _ in range(1 + ROUNDS):
            for name, task in tasks.items():
                began = time.perf_counter()
                for numbers in batches:
                    task(numbers)
                times[name].append(1e3 * (time.perf_counter() - began) / STEPS)
    medians = {name: statistics.median(found[1:]) for name, found in times.items()}
    publish(
        "steps",
        "A step of the recipe",
        ["`experiments/no_external_data.jsonnet`", "ms"],
        list(medians.items()),
        f"Of {STEPS} batches of eng.train the mean, of {ROUNDS} rounds in turn the median, "
        f"{available_threads()} threads.",
    )


if __name__ == "__main__":
    main()
