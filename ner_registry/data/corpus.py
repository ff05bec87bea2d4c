"""A corpus as read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from ner_registry.data.schemes import (
    IllegalTags,
    Span,
    TagScheme,
    detect_scheme,
    illegal_positions,
    is_tag,
    tags_to_spans,
)
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.errors import DataError

_SHOWN = 32  # sentences, at most
_WORDS = 5  # of each, where its line isn't known

logger = logging.getLogger(__name__)

_LINES_SHOWN = 5  # lines of a file that a message names


class Corpus:
    """All sentences of a tagged file.

    Args:
        path: the file, for messages.
        sentences: its sentences, every one with tags.
        scheme: the tag scheme they are in; detected where it is None.
        illegal_tags: whether tags that can't stand where they do in it are read as conlleval
            reads them, or refused.

    Attributes:
        spans: the entities of each sentence.
        repaired: how many tags can't stand where they do.

    Raises:
        DataError: there is no sentence, or one without tags, or a tag is to be refused.
    """

    def __init__(
        self,
        path: str,
        sentences: Sequence[Sentence],
        scheme: TagScheme | None = None,
        illegal_tags: IllegalTags = "repair",
    ) -> None:
        if not sentences:
            raise DataError(path, "expected sentences, got none: the file is empty")
        for sentence in sentences:
            _check(sentence, path)
        self.path = path
        self.sentences = sentences
        tags = [sentence.tags or [] for sentence in sentences]
        self.scheme = scheme or detect_scheme(tags)
        self.spans: list[list[Span]] = [tags_to_spans(sequence) for sequence in tags]
        if not self.labels:
            logger.warning("%s: there is no entity in it", path)
        self.repaired = self._repair(tags, illegal_tags)

    @cached_property
    def labels(self) -> Counter[str]:
        """How many entities there are of each label."""
        return Counter(span.label for spans in self.spans for span in spans)

    @cached_property
    def tokens(self) -> int:
        """How many tokens there are."""
        return sum(map(len, self.sentences))

    def places(self, numbers: Sequence[int]) -> str:
        """Where some of the sentences are: file and lines, or how those without lines begin."""
        parts = [_place(self.sentences[number]) for number in numbers[:_SHOWN]]
        if len(numbers) > _SHOWN:
            parts.append(f"{len(numbers) - _SHOWN} more")
        return f"{self.path}:{', '.join(parts)}"

    def report_unknown_labels(self, tags: TagSet) -> None:
        """Warns of entities that the model can never find, with count and first lines."""
        for label, count in self.labels.items():
            if label not in tags.labels:
                lines = [
                    sentence.line_of(span.start)
                    for sentence, spans in zip(self.sentences, self.spans, strict=True)
                    for span in spans
                    if span.label == label
                ]
                logger.warning(
                    "%s: %d entities of label %s, which the training data doesn't have: they "
                    "count as missed%s",
                    self._place(lines[0]),
                    count,
                    label,
                    _shown(lines),
                )

    def _repair(self, tags: Sequence[Sequence[str]], policy: IllegalTags) -> int:
        """Tells of tags that can't stand where they do; how many there are."""
        illegal = [
            (sentence, sequence, position)
            for sentence, sequence in zip(self.sentences, tags, strict=True)
            for position in illegal_positions(sequence, self.scheme)
        ]
        if not illegal:
            return 0
        lines = [sentence.line_of(position) for sentence, _, position in illegal]
        _, sequence, position = illegal[0]
        before, tag = ["the beginning", *sequence, "the end"][position : position + 2]
        first = f"the first is {tag} after {before}{_shown(lines)}"
        count = len(illegal)
        if policy == "refuse":
            raise DataError(
                self.path,
                f"expected tags of {self.scheme}, got {count} that can't stand where they do, "
                f"{first}: correct them, or set illegal_tags to 'repair', which reads them as "
                "conlleval does",
                lines[0],
            )
        logger.warning(
            "%s: %d tags can't stand where they do in %s and are read as conlleval does, %s",
            self._place(lines[0]),
            count,
            self.scheme,
            first,
        )
        return count

    def _place(self, line: int | None) -> str:
        return self.path if line is None else f"{self.path}:{line}"


def _shown(lines: Sequence[int | None]) -> str:
    """The first few of them, each once; nothing where they aren't known."""
    known = [str(line) for line in dict.fromkeys(lines) if line is not None]
    more = ", …" if len(known) > _LINES_SHOWN else ""
    return f" (lines {', '.join(known[:_LINES_SHOWN])}{more})" if known else ""


def _place(sentence: Sentence) -> str:
    if sentence.line is not None:
        return str(sentence.line)
    cut = ["..."] if len(sentence) > _WORDS else []
    return " ".join([*sentence.tokens[:_WORDS], *cut])


def _check(sentence: Sentence, path: str) -> None:
    """Whatever the reader, every token has a tag, and there is a token."""
    if sentence.tags is None:
        raise DataError(path, "expected tags, got a sentence without", sentence.line)
    if not sentence.tokens or len(sentence.tags) != len(sentence.tokens):
        got = f"{len(sentence.tokens)} tokens and {len(sentence.tags)} tags"
        raise DataError(path, f"expected a tag for each token, got {got}", sentence.line)
    for tag in sentence.tags:
        if not is_tag(tag):
            message = f"expected a tag such as O, B-PER or I-PER, got {tag!r}"
            raise DataError(path, message, sentence.line)
