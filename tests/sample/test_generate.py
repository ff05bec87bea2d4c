"""The sample corpus: the shipped files are the generator's, and they are worth training on."""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from ner_registry.sample import generate

SPLITS = ("train", "dev", "test")
TYPES = {"PER", "ORG", "LOC", "MISC"}
Row = tuple[str, ...]
Mention = tuple[str, str]  # surface form, type


def _blocks(split: str) -> list[list[Row]]:
    text = generate.corpus()[f"{split}.conll"]
    return [
        [tuple(line.split(" ")) for line in block.split("\n")]
        for block in text.strip("\n").split("\n\n")
    ]


def _sentences(split: str) -> list[list[Row]]:
    return [block for block in _blocks(split) if block[0][0] != "-DOCSTART-"]


def _mentions(rows: list[Row]) -> list[Mention]:
    found: list[tuple[list[str], str]] = []
    before = "O"
    for word, _, _, tag in rows:
        if tag.startswith("I-") and before[2:] == tag[2:]:
            found[-1][0].append(word)
        elif tag != "O":
            found.append(([word], tag[2:]))
        before = tag
    return [(" ".join(words), entity) for words, entity in found]


def _all_mentions(split: str) -> list[Mention]:
    return [mention for rows in _sentences(split) for mention in _mentions(rows)]


def _documents(split: str) -> list[int]:
    lengths: list[int] = []
    for block in _blocks(split):
        if block[0][0] == "-DOCSTART-":
            lengths.append(0)
        else:
            lengths[-1] += 1
    return lengths


@pytest.mark.parametrize("split", SPLITS)
def test_the_shipped_file_is_what_the_generator_makes(split: str) -> None:
    shipped = files("ner_registry.sample").joinpath(f"{split}.conll").read_bytes()
    assert shipped == generate.corpus()[f"{split}.conll"].encode("utf-8")


def test_main_writes_the_corpus_beside_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "__file__", str(tmp_path / "generate.py"))
    generate.main()
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == generate.corpus()


def test_counts() -> None:
    assert {split: len(_sentences(split)) for split in SPLITS} == generate.SENTENCES
    assert sum(generate.SENTENCES.values()) == 1000


@pytest.mark.parametrize("split", SPLITS)
def test_documents_begin_with_docstart_and_have_8_to_20_sentences(split: str) -> None:
    text = generate.corpus()[f"{split}.conll"]
    assert text.startswith("-DOCSTART- -X- O O\n\n")
    assert text.count("-DOCSTART- -X- O O\n\n") == len(_documents(split))
    assert all(8 <= length <= 20 for length in _documents(split))


@pytest.mark.parametrize("split", SPLITS)
def test_every_row_has_four_columns(split: str) -> None:
    rows = [row for block in _blocks(split) for row in block]
    assert all(len(row) == 4 and all(row) for row in rows)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("column", [2, 3], ids=["chunks", "entities"])
def test_tags_are_iob1(split: str, column: int) -> None:
    for rows in _sentences(split):
        tags = ["O", *(row[column] for row in rows)]
        for before, tag in pairwise(tags):
            assert tag == "O" or tag[:2] in ("I-", "B-")
            assert not tag.startswith("B-") or before[2:] == tag[2:]


@pytest.mark.parametrize("split", SPLITS)
def test_all_types_and_adjacent_entities_occur(split: str) -> None:
    tags = [row[3] for rows in _sentences(split) for row in rows]
    assert {tag[2:] for tag in tags if tag != "O"} == TYPES
    assert sum(tag.startswith("B-") for tag in tags) >= 2


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_good_share_of_mentions_is_unseen_in_train(split: str) -> None:
    seen = {surface for surface, _ in _all_mentions("train")}
    mentions = _all_mentions(split)
    unseen = [surface for surface, _ in mentions if surface not in seen]
    assert 0.25 <= len(unseen) / len(mentions) <= 0.75


def test_the_same_name_has_several_types() -> None:
    types: defaultdict[str, set[str]] = defaultdict(set)
    for split in SPLITS:
        for surface, entity in _all_mentions(split):
            types[surface].add(entity)
    assert sum(len(found) > 1 for found in types.values()) >= 30
    assert any(found >= {"LOC", "ORG", "PER"} for found in types.values())


@pytest.mark.parametrize("split", SPLITS)
def test_a_capital_at_the_beginning_does_not_give_an_entity_away(split: str) -> None:
    openings = [rows[0] for rows in _sentences(split) if rows[0][0][0].isupper()]
    plain = [row for row in openings if row[3] == "O"]
    assert 0.2 <= len(plain) / len(openings) <= 0.8


def test_a_word_is_both_a_name_and_a_common_word() -> None:
    named: set[str] = set()
    plain: set[str] = set()
    for rows in _sentences("train"):
        for word, _, _, tag in rows:
            (plain if tag == "O" else named).add(word)
    assert {"Rivers", "Winter", "May"} <= named & plain


def test_names_are_not_all_ascii() -> None:
    assert not all(generate.corpus()[f"{split}.conll"].isascii() for split in SPLITS)


@pytest.mark.parametrize(
    ("labels", "tags"),
    [
        ([("PER", True), ("PER", False)], ["I-PER", "I-PER"]),
        ([("PER", True), ("PER", True)], ["I-PER", "B-PER"]),
        ([("PER", True), ("LOC", True)], ["I-PER", "I-LOC"]),
        ([("PER", True), ("", False), ("PER", True)], ["I-PER", "O", "I-PER"]),
        ([], []),
    ],
)
def test_iob1(labels: list[tuple[str, bool]], tags: list[str]) -> None:
    assert generate.iob1(labels) == tags
