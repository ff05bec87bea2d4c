"""Corpora as people get them: each is refused at its line, or read as it was meant, never else."""

from __future__ import annotations

import gzip
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from ner_registry.cli import main
from ner_registry.data.schemes import Span, TagScheme, spans_to_tags
from ner_registry.jobs.prepare import read_corpus
from ner_registry.readers import ConllReader, JsonlReader

CORPORA = 200
SCHEMES: tuple[TagScheme, ...] = get_args(TagScheme)
LABELS = ("PER", "LOC", "ORG")
NEWS = ("Zoë", "Łódź", "met", "Ann", "in", "東京", "on", "Friday", ".", "naïve", "U.N.", "#1", "-")


@dataclass
class Corpus:
    """A sound corpus, to be spoilt.

    Attributes:
        sentences: of each, its tokens and entities.
        rows: the lines of its CoNLL file: token, part of speech, tag.
    """

    random: random.Random
    scheme: TagScheme
    sentences: list[tuple[list[str], list[Span]]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    @classmethod
    def make(cls, seed: int, scheme: TagScheme | None = None) -> Corpus:
        rng = random.Random(seed)
        corpus = cls(rng, scheme or SCHEMES[seed % len(SCHEMES)])
        for _ in range(rng.randint(4, 9)):
            tokens = rng.choices(NEWS, k=rng.randint(4, 12))
            spans, end = [], 0
            while end < len(tokens) - 3:
                start = end + rng.randint(0, 2)
                end = start + rng.randint(1, 2)
                spans.append(Span(rng.choice(LABELS), start, end))
            corpus.sentences.append((tokens, spans))
            tags = spans_to_tags(spans, len(tokens), corpus.scheme)
            corpus.rows += [[t, "X", tag] for t, tag in zip(tokens, tags, strict=True)] + [[]]
        return corpus

    def text(self, end: str = "\n", separator: str = " ") -> str:
        return "".join(separator.join(row) + end for row in self.rows)

    def records(self) -> list[dict[str, Any]]:
        return [
            {"words": tokens, "tags": spans_to_tags(spans, len(tokens), self.scheme)}
            for tokens, spans in self.sentences
        ]

    def some_row(self) -> int:
        """The place of a row that is neither the file's first nor its last."""
        filled = [place for place, row in enumerate(self.rows) if row]
        return self.random.choice(filled[1:-1])


@dataclass
class Case:
    """What a corpus became, and what must come of it.

    Attributes:
        content: of the file.
        refused: the line that is to blame; None where the file is to be read.
        told: what a warning says where it is read all the same; None: there is no warning.
        means: the tokens and entities that are in it then; None: not compared.
        reader: settings of its reader.
    """

    content: bytes
    refused: int | None = None
    told: str | None = None
    means: list[tuple[list[str], list[Span]]] | None = None
    reader: dict[str, Any] = field(default_factory=dict)


def row_case(change: Callable[[list[str]], list[str]], **reader: Any) -> Callable[[Corpus], Case]:
    """One row is another."""

    def spoil(corpus: Corpus) -> Case:
        place = corpus.some_row()
        corpus.rows[place] = change(corpus.rows[place])
        return Case(corpus.text().encode(), refused=place + 1, reader=reader)

    return spoil


def tag_case(tag: str, **reader: Any) -> Callable[[Corpus], Case]:
    return row_case(lambda row: [*row[:2], tag], **reader)


def same_case(text: Callable[[Corpus], bytes]) -> Callable[[Corpus], Case]:
    """Nothing is lost or changed."""
    return lambda corpus: Case(text(corpus), means=corpus.sentences)


def line_case(change: Callable[[list[dict[str, Any]], int], None]) -> Callable[[Corpus], Case]:
    """One record of a JSONL file is another."""

    def spoil(corpus: Corpus) -> Case:
        records = corpus.records()
        place = corpus.random.randrange(len(records))
        change(records, place)
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        return Case(text.encode(), refused=place + 1, reader={"type": "jsonl"})

    return spoil


def wrong_byte(corpus: Corpus) -> Case:
    place = corpus.some_row()
    lines = corpus.text().encode().split(b"\n")
    lines[place] = b"Zo\xeb X O"
    return Case(b"\n".join(lines), refused=place + 1)


def whole_file(encode: Callable[[str], bytes]) -> Callable[[Corpus], Case]:
    return lambda corpus: Case(encode(corpus.text()), refused=1)


def last_line(corpus: Corpus, cut: bytes) -> tuple[bytes, int]:
    """The file with something after its last row but one, and that line's number."""
    while not corpus.rows[-1]:
        corpus.rows.pop()
    corpus.rows.pop()
    return corpus.text().encode() + cut, len(corpus.rows) + 1


def cut_columns(corpus: Corpus) -> Case:
    content, line = last_line(corpus, corpus.random.choice([b"Ann", b"Ann X", b"Ann X "]))
    return Case(content, refused=line)


def cut_character(corpus: Corpus) -> Case:
    content, line = last_line(corpus, "Zoë".encode()[:-1])
    return Case(content, refused=line)


def cut_prefix(corpus: Corpus) -> Case:
    content, line = last_line(corpus, corpus.random.choice([b"Ann X B", b"Ann X B-"]))
    return Case(content, refused=line)


def cut_label(corpus: Corpus) -> Case:
    content, line = last_line(corpus, b"Ann X B-PE")
    return Case(content, told=f":{line}: the last line has no end, and its tag, 'B-PE', stands")


def no_last_newline(corpus: Corpus) -> bytes:
    return corpus.text().rstrip("\n").encode()


def odd_tokens(corpus: Corpus) -> bytes:
    """White space that isn't a space or a tab belongs to its token."""
    odd = "\u00a0\u2028\u3000\u0085"
    position = 0
    for tokens, _ in corpus.sentences:
        for number, token in enumerate(tokens):
            tokens[number] = token + corpus.random.choice(odd) + "x"
            corpus.rows[position][0] = tokens[number]
            position += 1
        position += 1
    return corpus.text().encode()


def many_blank_lines(corpus: Corpus) -> bytes:
    return ("\n" + corpus.text().replace("\n\n", "\n \t\n\n")).encode()


def mark_within(corpus: Corpus) -> Case:
    place = corpus.some_row()
    corpus.rows[place][0] = "\ufeff" + corpus.rows[place][0]
    return Case(corpus.text().encode(), refused=place + 1)


def two_rows_in_one(corpus: Corpus) -> Case:
    place = corpus.some_row()
    corpus.rows[place] += ["Ann", "X", "O"]
    return Case(corpus.text().encode(), refused=place + 1)


def entity_at_a_boundary(corpus: Corpus) -> Case:
    corpus.rows.insert(0, ["-DOCSTART-", "-X-", "B-PER"])
    return Case(corpus.text().encode(), refused=1)


def no_token(corpus: Corpus) -> Case:
    place = corpus.some_row()
    corpus.rows[place][0] = ""
    content = corpus.text(separator="\t").encode()
    return Case(content, refused=place + 1, reader={"delimiter": "tab"})


def tags_for_tokens(corpus: Corpus) -> Case:
    for row in corpus.rows:
        if row:
            row[1] = corpus.random.choice(["B-NP", "I-NP", "O"])
    first = next(n for n, row in enumerate(corpus.rows, 1) if row)
    return Case(corpus.text().encode(), refused=first, reader={"token_column": 1})


def illegal(corpus: Corpus, policy: str) -> Case:
    """In IOB2, entities that begin with ``I`` where ``O`` stands before."""
    corpus = Corpus.make(corpus.random.randrange(2**30), "IOB2")
    places: list[int] = []
    position = 0
    for tokens, spans in corpus.sentences:
        first = spans[0].start
        if corpus.random.random() < 0.5 or not places:
            places.append(position + first)
            label = spans[0].label
            corpus.rows[places[-1]][2] = f"I-{label}"
        position += len(tokens) + 1
    reader = {"tag_scheme": "IOB2", "illegal_tags": policy}
    content = corpus.text().encode()
    if policy == "refuse":
        return Case(content, refused=places[0] + 1, reader=reader)
    told = f":{places[0] + 1}: {len(places)} tags can't stand where they do in IOB2"
    return Case(content, told=told, means=corpus.sentences, reader=reader)


def another_scheme(corpus: Corpus) -> Case:
    corpus = Corpus.make(corpus.random.randrange(2**30), "IOB2")
    return tag_case("E-PER", tag_scheme="IOB2")(corpus)


def foreign_prefix(corpus: Corpus) -> Case:
    """Single-token entities written as BIOUL writes them, in a file of IOBES."""
    corpus = Corpus.make(corpus.random.randrange(2**30), "IOBES")
    corpus.sentences.append((["Ann", "met", "Zoë"], [Span("PER", 0, 1), Span("PER", 2, 3)]))
    line = len(corpus.rows) + 1
    corpus.rows += [["Ann", "X", "S-PER"], ["met", "X", "O"], ["Zoë", "X", "U-PER"], []]
    told = f":{line + 2}: 1 tags can't stand where they do in IOBES"
    return Case(corpus.text().encode(), told=told, means=corpus.sentences)


def key_twice(corpus: Corpus) -> Case:
    lines = [json.dumps(record) for record in corpus.records()]
    place = corpus.random.randrange(len(lines))
    lines[place] = lines[place][:-1] + ', "tags": []}'
    return Case("\n".join(lines).encode(), refused=place + 1, reader={"type": "jsonl"})


def cut_record(corpus: Corpus) -> Case:
    lines = [json.dumps(record) for record in corpus.records()]
    content = "\n".join(lines)[: -corpus.random.randint(1, 20)]
    return Case(content.encode(), refused=len(lines), reader={"type": "jsonl"})


def drop_a_tag(records: list[dict[str, Any]], place: int) -> None:
    records[place]["tags"].pop()


def number_for_a_tag(records: list[dict[str, Any]], place: int) -> None:
    records[place]["tags"][0] = 1


def bare_label(records: list[dict[str, Any]], place: int) -> None:
    records[place]["tags"][0] = "PER"


def empty_word(records: list[dict[str, Any]], place: int) -> None:
    records[place]["words"][0] = ""


KINDS: dict[str, Callable[[Corpus], Case]] = {
    "a column missing": row_case(lambda row: row[:2]),
    "a column too many": row_case(lambda row: [*row, "O"]),
    "a space within a token": row_case(lambda row: ["New York", *row[1:]]),
    "two rows in one": two_rows_in_one,
    "an underscore": tag_case("B_PER"),
    "a lower-case prefix": tag_case("b-PER"),
    "a bare label": tag_case("PER"),
    "a bare prefix": tag_case("B-"),
    "an unknown prefix": tag_case("X-PER"),
    "a zero-width space after a tag": tag_case("B-PER\u200b"),
    "a no-break space after a tag": tag_case("B-PER\u00a0"),
    "a lower-case o": tag_case("o"),
    "a zero": tag_case("0"),
    "a tag of another scheme than declared": another_scheme,
    "a byte of Latin-1": wrong_byte,
    "UTF-16": whole_file(lambda text: text.encode("utf-16")),
    "UTF-16 without a mark": whole_file(lambda text: text.encode("utf-16-le")),
    "gzip": whole_file(lambda text: gzip.compress(text.encode())),
    "carriage returns alone": whole_file(lambda text: text.replace("\n", "\r").encode()),
    "commas": whole_file(lambda text: text.replace(" ", ",").encode()),
    "a byte-order mark within": mark_within,
    "the last line cut within its columns": cut_columns,
    "the last line cut within a character": cut_character,
    "the last line cut within a prefix": cut_prefix,
    "the last line cut within a label": cut_label,
    "an entity at a document's boundary": entity_at_a_boundary,
    "no token": no_token,
    "tags for tokens": tags_for_tokens,
    "illegal tags": lambda corpus: illegal(corpus, "repair"),
    "illegal tags, to be refused": lambda corpus: illegal(corpus, "refuse"),
    "a prefix of another scheme": foreign_prefix,
    "JSONL: a tag missing": line_case(drop_a_tag),
    "JSONL: a tag that is a number": line_case(number_for_a_tag),
    "JSONL: a bare label": line_case(bare_label),
    "JSONL: an empty word": line_case(empty_word),
    "JSONL: a key twice": key_twice,
    "JSONL: cut": cut_record,
    "a byte-order mark": same_case(lambda corpus: b"\xef\xbb\xbf" + corpus.text().encode()),
    "CRLF": same_case(lambda corpus: corpus.text("\r\n").encode()),
    "no newline at the end": same_case(no_last_newline),
    "odd white space within tokens": same_case(odd_tokens),
    "many blank lines": same_case(many_blank_lines),
}


def test_malformed_corpora(
    whole: bool,
    config: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "ner_registry")
    rounds = CORPORA if whole else len(KINDS)
    config["validation_data_path"] = config["test_data_path"] = None
    config |= {"evaluate_on_test": False}
    for number in range(rounds):
        kind = list(KINDS)[number % len(KINDS)]
        case = KINDS[kind](Corpus.make(number))
        path = tmp_path / f"{number}.data"
        path.write_bytes(case.content)
        settings = {"type": "conll"} | case.reader
        config |= {"train_data_path": str(path), "dataset_reader": settings}
        source = tmp_path / "config.json"
        source.write_text(json.dumps(config), encoding="utf-8")
        code = main(["train", str(source), "--dry-run", "--quiet"])
        errors = capsys.readouterr().err.splitlines()
        if case.refused is not None:
            assert (code, len(errors)) == (2, 1), (kind, number, errors)
            assert errors[0].startswith(f"{path}:{case.refused}: expected "), (kind, number, errors)
            continue
        assert code == 0, (kind, number, errors)
        if case.told is None:
            assert errors == [], (kind, number)
        else:
            assert any(f"warning: {path}{case.told}" in line for line in errors), (kind, errors)
        if case.means is not None:
            form = settings.pop("type")
            reader = JsonlReader(**settings) if form == "jsonl" else ConllReader(**settings)
            corpus = read_corpus(reader, path)
            found = [
                (sentence.tokens, spans)
                for sentence, spans in zip(corpus.sentences, corpus.spans, strict=True)
            ]
            assert found == case.means, (kind, number)
