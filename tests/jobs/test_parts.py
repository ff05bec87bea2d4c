from __future__ import annotations

from pathlib import Path

from ner_registry.jobs.parts import MOST_TRIES, Part, PartTagger
from ner_registry.jobs.predict import PredictSettings


def test_a_part_that_kills_its_workers_is_given_up(run_directory: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "a.txt", tmp_path / "a.jsonl"
    source.write_text("Ann left.\n", encoding="utf-8")
    tag = PartTagger(str(run_directory), PredictSettings(), (), "cpu").load()
    left = tmp_path / ".a.jsonl.tries"  # one byte by each worker that died of it
    left.write_bytes(b"." * MOST_TRIES)
    fault = tag(Part(str(source), target))
    assert str(fault).startswith(f"{source}: its worker was killed {MOST_TRIES} times")
    assert fault is not None
    assert fault.exit_code == 1
    assert not target.exists()
    left.write_bytes(b"." * (MOST_TRIES - 1))
    assert tag(Part(str(source), target)) is None
    assert target.exists()
    assert not left.exists()
