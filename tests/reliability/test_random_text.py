"""Whatever Unicode a text is made of: nothing is lost, offsets are exact, batches don't matter."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

from ner_registry.jobs.predict import PredictSettings, predict

TEXTS = 100_000
# what text may be made of: first and last code points
RANGES = [
    *((0x00, 0x1F), (0x20, 0x7E), (0x7F, 0xA0), (0xA1, 0x24F), (0x300, 0x36F), (0x370, 0x52F)),
    *((0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1680, 0x1680)),
    *((0x2000, 0x206F), (0x2190, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3)),
    *((0xD800, 0xDFFF), (0xE000, 0xF8FF), (0xFE00, 0xFE6F), (0xFEFF, 0xFEFF), (0xFF00, 0xFFFF)),
    *((0x1F000, 0x1FAFF), (0xE0000, 0xE007F), (0x10FFF0, 0x10FFFF)),
]
GLUE = [" ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u2028", "\u200b", ". ", ", ", "-", "'s "]


def random_text(rng: random.Random, words: list[str]) -> str:
    """Any code points, or those of a few scripts, or words that a tagger knows between odd glue."""
    kind = rng.random()
    if kind < 0.2:
        return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(40)))
    if kind < 0.6:
        scripts = rng.choices(RANGES, k=rng.randint(1, 4))
        return "".join(chr(rng.randint(*rng.choice(scripts))) for _ in range(rng.randrange(60)))
    pieces = []
    for word in rng.choices(words, k=rng.randrange(20)):
        glue = rng.choice(GLUE) if rng.random() < 0.3 else " "
        pieces += [word, chr(rng.randint(*rng.choice(RANGES))) if rng.random() < 0.05 else glue]
    return "".join(pieces)


def predictions(
    model: Path, source: Path, target: Path, batch_size: int
) -> dict[int, list[dict[str, Any]]]:
    """What is found in each text, by its number."""
    settings = PredictSettings(batch_size=batch_size)
    predict(model, str(source), settings, output_file=target)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    with open(target, encoding="utf-8") as file:
        for line in file:
            prediction = json.loads(line)
            found[prediction["record"]].append(prediction)
    return found


def test_random_text(whole: bool, run_directory: Path, root: Path, tmp_path: Path) -> None:
    corpus = (root / "ner_registry" / "sample" / "test.conll").read_text(encoding="utf-8")
    words = [line.split()[0] for line in corpus.splitlines() if line.strip()]
    rng = random.Random(0)
    source, entities = tmp_path / "texts.jsonl", 0
    rounds, at_once = (TEXTS, 10_000) if whole else (400, 400)
    for begin in range(0, rounds, at_once):
        lines = [json.dumps({"text": random_text(rng, words)}) for _ in range(at_once)]
        source.write_text("\n".join(lines), encoding="ascii")
        # as JSON has them: two surrogates that make a pair are one character
        texts = [json.loads(line)["text"] for line in lines]
        together = predictions(run_directory, source, tmp_path / "32", 32)
        alone = predictions(run_directory, source, tmp_path / "1", 1)
        for number, text in enumerate(texts):
            found = together[number]
            tokens = [word for prediction in found for word in prediction["words"]]
            assert "".join(tokens) == "".join(text.split()), (begin + number, text)
            for prediction, other in zip(found, alone[number], strict=True):
                assert prediction["text"] == text
                assert prediction["tags"] == other["tags"], (begin + number, text)
                for entity in prediction["entities"]:
                    entities += 1
                    chosen = text[entity["start_char"] : entity["end_char"]]
                    assert chosen == entity["text"], (begin + number, text)
                    inner = prediction["words"][entity["start"] : entity["end"]]
                    assert "".join(chosen.split()) == "".join(inner)
    assert entities > rounds / 4
