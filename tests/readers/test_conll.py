from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from ner_registry.data.corpus import Corpus
from ner_registry.errors import DataError
from ner_registry.readers import ConllReader


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(text: str | bytes, **settings: Any) -> list[Any]:
        path = tmp_path / "data.conll"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return list(ConllReader(**settings).read(path))

    return read


def test_columns_documents_and_lines(read: Any) -> None:
    text = (
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\n. . O O\n\n \t \nU.N. NNP I-NP I-ORG\n\n"
        "-DOCSTART- -X- O O\n\nPeter NNP I-NP I-PER"
    )
    first, second, third = read(text, columns={"pos": 1, "chunk": -2})
    assert first.tokens == ["EU", "."]
    assert first.tags == ["I-ORG", "O"]
    assert first.columns == {"pos": ["NNP", "."], "chunk": ["I-NP", "O"]}
    assert [s.document for s in (first, second, third)] == [0, 0, 1]
    assert [s.line for s in (first, second, third)] == [3, 7, 11]


def test_docstart_as_sentences(read: Any) -> None:
    sentences = read("-DOCSTART- O\n\nEU I-ORG\n\n-DOCSTART- O\n\nUN I-ORG\n", docstart="sentence")
    assert [s.tokens for s in sentences] == [["-DOCSTART-"], ["EU"], ["-DOCSTART-"], ["UN"]]
    assert [s.document for s in sentences] == [0, 0, 1, 1]


def test_comments_only_under_a_declared_prefix(read: Any) -> None:
    assert [s.tokens for s in read("# O\n#tag O\n")] == [["#", "#tag"]]
    assert [s.tokens for s in read("# a comment\nJim B-PER\n", comment_prefix="# ")] == [["Jim"]]


def test_tabs_keep_spaces_and_odd_characters_stay_within_tokens(read: Any) -> None:
    (sentence,) = read("New York\tB-LOC\n", delimiter="tab")
    assert sentence.tokens == ["New York"]
    (sentence,) = read("a\u00a0b\u2028c B-LOC\r\n\u00a0x O\r\n")
    assert sentence.tokens == ["a\u00a0b\u2028c", "\u00a0x"]


def test_a_token_that_begins_as_a_boundary_does_is_a_token(read: Any) -> None:
    (sentence,) = read("-DOCSTART-s O\nb O\n")
    assert sentence.tokens == ["-DOCSTART-s", "b"]


def test_lines_of_tokens_between_comments(read: Any) -> None:
    first, second = read("# 1\na O\n# 2\nb O\n\nc O\n", comment_prefix="#")
    assert [first.line_of(position) for position in range(3)] == [2, 4, 4]
    assert [second.line_of(position) for position in range(2)] == [6, 6]


def test_a_last_line_without_its_end(read: Any, caplog: pytest.LogCaptureFixture) -> None:
    for text in ("a B-PER\nb B-PER", "a O\nb B-PER\n", "a O\nb B-PER\n\n \t"):
        read(text)
    assert caplog.messages == []
    assert read("a B-PER\nb O\nc B-PE")[0].tags == ["B-PER", "O", "B-PE"]
    (message,) = caplog.messages
    assert message.endswith(
        "data.conll:3: the last line has no end, and its tag, 'B-PE', stands nowhere else in the "
        "file: it may be cut short"
    )


def test_a_byte_order_mark_is_dropped(read: Any) -> None:
    assert read(b"\xef\xbb\xbfJim B-PER\r\n\r\n")[0].tokens == ["Jim"]


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("a O\nb\n", {}, "data.conll:2: expected 2 columns as in line 1, got 1: 'b'"),
        ("a O\n\nb O O\n", {}, "data.conll:3: expected 2 columns as in line 1, got 3: 'b O O'"),
        ("a X\n", {}, "data.conll:1: expected a tag such as O, B-PER or I-PER, got 'X'"),
        (
            "token tag\na O\n",
            {},
            "data.conll:1: expected a tag such as O, B-PER or I-PER, got 'tag': take the header "
            "out",
        ),
        (
            "a B-X\nb M-X\n",
            {},
            "data.conll:2: expected a tag such as O, B-PER or I-PER, got 'M-X': the M- of BMES is "
            "I- here",
        ),
        (
            "a S-X\n",
            {"tag_scheme": "IOB2"},
            "data.conll:1: expected a tag of IOB2, got 'S-X'",
        ),
        (
            "a O\n",
            {"tag_column": 3},
            "data.conll:1: expected a column 3 (tag_column), got 2 columns, counted from 0",
        ),
        (
            "a O\n",
            {"columns": {"pos": 2}},
            "data.conll:1: expected a column 2 (pos), got 2 columns, counted from 0",
        ),
        (
            "a\n",
            {},
            "data.conll:1: expected a column of tokens and one of tags, got one column, 'a': "
            "is the delimiter whitespace?",
        ),
        (b"a O\n\xff O\n", {}, "data.conll:2: expected UTF-8 text, got byte 0xff at column 1"),
        (
            gzip.compress(b"a O\n", mtime=0),
            {},
            "data.conll:1: expected UTF-8 text, got byte 0x8b at column 2: it is packed by gzip, "
            "but doesn't end in .gz",
        ),
        (
            "a O\n".encode("utf-16"),
            {},
            "data.conll:1: expected UTF-8 text, got byte 0xff at column 1: it looks like UTF-16",
        ),
        (
            "Jim B-PER\rworks O\r",
            {},
            "data.conll:1: expected a newline at each line's end, got 'Jim B-PER\\rworks O'",
        ),
        (
            "a O\n\n\ufeffb O\n",
            {},
            "data.conll:3: expected a byte-order mark at the file's beginning, got '\\ufeffb'",
        ),
        ("a\tO\n\tO\n", {"delimiter": "tab"}, "data.conll:2: expected a token, got none"),
        (
            "-DOCSTART- -X- B-PER\n",
            {},
            "data.conll:1: expected O beside -DOCSTART-, got 'B-PER'",
        ),
        (
            "1 a O\n2 b O\n\n1 c O\n",
            {},
            "data.conll: expected tokens under token_column 0, got their numbers: 1, 2, 3 ...",
        ),
        (
            "a O O\n\nb B-NP O\nc I-NP O\n",
            {"token_column": 1},
            "data.conll:1: expected tokens under token_column 1, got tags, 3 of 3, as 'O'",
        ),
    ],
)
def test_what_is_refused(read: Any, text: Any, settings: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(text, **settings)
    assert str(caught.value).endswith(message)


def test_numbers_that_are_tokens(read: Any) -> None:
    assert len(read("1 O\n\n1 O\n\n1 O\n\n1 O\n")) == 4
    assert read("1 O\n2 O\n\n5 O\n6 O\n")[1].tokens == ["5", "6"]


def test_untagged_files_need_no_tags(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("Jim\nworks\n", encoding="utf-8")
    (sentence,) = ConllReader(tag_column=3, tag_scheme="IOB1").untagged().read(path)
    assert (sentence.tokens, sentence.tags) == (["Jim", "works"], None)


@pytest.mark.parametrize(
    ("name", "sentences", "with_docstart", "tokens", "entities"),
    [
        ("eng.train", 14041, 14987, 203621, 23499),
        ("eng.testa", 3250, 3466, 51362, 5942),
        ("eng.testb", 3453, 3684, 46435, 5648),
    ],
)
def test_the_real_corpus(
    conll2003: Path, name: str, sentences: int, with_docstart: int, tokens: int, entities: int
) -> None:
    corpus = Corpus(name, list(ConllReader().read(conll2003 / name)))
    assert corpus.scheme == "IOB1"
    assert (len(corpus), corpus.tokens) == (sentences, tokens)
    assert corpus.labels.total() == entities
    kept = list(ConllReader(docstart="sentence").read(conll2003 / name))
    assert len(kept) == with_docstart


@pytest.mark.parametrize(
    ("name", "sentences", "tokens", "entities"),
    [
        ("wnut17train.conll", 3394, 62730, 1975),
        ("emerging.dev.conll", 1009, 15733, 836),
        ("emerging.test.annotated", 1287, 23394, 1079),
    ],
)
def test_another_real_corpus(
    conll2003: Path, name: str, sentences: int, tokens: int, entities: int
) -> None:
    path = conll2003.parent / "wnut17" / name
    if not path.is_file():
        pytest.skip(f"WNUT-17 isn't in {path.parent}")
    corpus = Corpus(name, list(ConllReader(delimiter="tab").read(path)))
    assert corpus.scheme == "IOB2"
    assert (len(corpus), corpus.tokens) == (sentences, tokens)
    assert corpus.labels.total() == entities


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end O"])
def test_lines_are_the_same_wherever_blocks_of_the_file_end(read: Any, end: str, last: str) -> None:
    lines = [*(f"wörd{number} O" if number % 9 else "" for number in range(1, 20_001)), last]
    sentences = read("\ufeff" + end.join(lines))
    tokens = [token for sentence in sentences for token in sentence.tokens]
    assert tokens == [line.removesuffix(" O") for line in lines if line]
    assert sentences[-1].line == 19_999
    assert sentences[1].line == 10


def test_a_wrong_byte_far_into_the_file_is_told_at_its_line(read: Any) -> None:
    good = "word O\n" * 30_000
    with pytest.raises(DataError, match=r"data.conll:30001: .* got byte 0xff at column 2"):
        read(good.encode() + b"w\xff O\n" + good.encode())


def test_a_line_of_many_blocks(read: Any) -> None:
    word = "x" * 300_000
    (sentence,) = read(f"{word} O\nb O\n")
    assert sentence.tokens == [word, "b"]
