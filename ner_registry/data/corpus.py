"""A corpus as read."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ner_registry.data.files import sha256_of
from ner_registry.data.schemes import IllegalTags, Span, TagScheme, is_tag, tags_to_spans
from ner_registry.data.sentence import Sentence
from ner_registry.data.tag_pairs import IllegalPairs, TagPairs, place, shown, warn_of_repairs
from ner_registry.data.tags import TagSet
from ner_registry.errors import DataError

_SHOWN = 32  # sentences, at most
_WORDS = 5  # of each, where its line isn't known
_LONG = 1000  # tokens; in CoNLL-2003 the longest sentence has 124

logger = logging.getLogger(__name__)


class Corpus:
    """All sentences of a tagged file.

    They are looked at in one pass, so that a corpus whose ``sentences`` are read anew each time
    takes little memory whatever its size.

    Args:
        path: the file, for messages.
        sentences: its sentences, every one with tags; iterated more than once.
        scheme: the tag scheme they are in; detected where it is None.
        illegal_tags: whether tags that can't stand where they do in it are read as conlleval
            reads them, or refused.

    Attributes:
        tokens: how many tokens there are.
        labels: how many entities there are of each label.
        repaired: how many tags can't stand where they do.

    Raises:
        DataError: there is no sentence, or one without tags, or a tag is to be refused.
    """

    def __init__(
        self,
        path: str,
        sentences: Iterable[Sentence],
        scheme: TagScheme | None = None,
        illegal_tags: IllegalTags = "repair",
    ) -> None:
        self.path = path
        self.sentences = sentences
        self.tokens = 0
        self._lines = array("q")  # of each sentence; 0: not known
        pairs, longest = TagPairs(), Sentence([])
        for sentence in sentences:
            check_sentence(sentence, path, len(self._lines))
            pairs.add(sentence)
            self.tokens += len(sentence)
            self._lines.append(sentence.line or 0)
            if len(sentence) > len(longest):
                longest = sentence
        if not self._lines:
            raise DataError(path, "expected sentences, got none")
        if len(longest) > _LONG:
            logger.warning(
                "%s: a sentence of %d tokens begins there: are blank lines missing?",
                place(path, longest.line),
                len(longest),
            )
        self.scheme = scheme or pairs.scheme()
        self.labels = pairs.labels()
        if not self.labels:
            logger.warning("%s: there is no entity in it", path)
        self.repaired = self._repair(pairs.illegal(self.scheme), illegal_tags)

    def __len__(self) -> int:
        """How many sentences there are."""
        return len(self._lines)

    @cached_property
    def spans(self) -> list[list[Span]]:
        """The entities of each sentence."""
        return [tags_to_spans(sentence.tags or []) for sentence in self.sentences]

    @cached_property
    def sha256(self) -> str:
        """Of the file, in hexadecimal digits."""
        return sha256_of(Path(self.path))

    def places(self, numbers: Sequence[int]) -> str:
        """Where some of the sentences are: file and lines, or how those without lines begin."""
        shown = numbers[:_SHOWN]
        unplaced = {number for number in shown if not self._lines[number]}
        beginnings = {
            number: _beginning(sentence)
            for number, sentence in enumerate(self.sentences if unplaced else ())
            if number in unplaced
        }
        parts = [beginnings.get(number) or str(self._lines[number]) for number in shown]
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
                    place(self.path, lines[0]),
                    count,
                    label,
                    shown(lines),
                )

    def _repair(self, illegal: IllegalPairs | None, policy: IllegalTags) -> int:
        """Tells of tags that can't stand where they do; how many there are."""
        if illegal is None:
            return 0
        if policy == "refuse":
            raise DataError(
                self.path,
                f"expected tags of {self.scheme}, got {illegal.count} that can't stand where they "
                f"do, {illegal.first}: correct them, or set illegal_tags to 'repair', which reads "
                "them as conlleval does",
                illegal.line,
            )
        warn_of_repairs(self.path, illegal, self.scheme)
        return illegal.count


def _beginning(sentence: Sentence) -> str:
    cut = ["..."] if len(sentence) > _WORDS else []
    return " ".join([*sentence.tokens[:_WORDS], *cut])


def check_sentence(sentence: Any, path: str, number: int) -> None:
    """Whatever the reader, there is a token, each is a string that isn't empty, and has a tag.

    Args:
        sentence: what the reader gives.
        path: of the file.
        number: of the sentence, from 0.

    Raises:
        DataError: it isn't so.
    """
    line = getattr(sentence, "line", None)
    where = "" if line else f"sentence {number + 1}: "

    def refuse(expected: str, got: str) -> DataError:
        return DataError(path, f"{where}expected {expected}, got {got}", line)

    if not isinstance(sentence, Sentence):
        raise refuse("a reader that yields Sentences", f"one of {type(sentence).__name__}")
    if sentence.tags is None:
        raise refuse("tags", "a sentence without")
    values: Any
    for name, values in (("tokens", sentence.tokens), ("tags", sentence.tags)):
        if isinstance(values, str):
            raise refuse(f"a list of {name}", f"the string {values!r}")
        for value in values:
            if not isinstance(value, str) or not value:
                raise refuse(f"{name} that are strings, none of them empty", repr(value))
    if not sentence.tokens:
        raise refuse("a sentence with tokens", "one without")
    if len(sentence.tags) != len(sentence.tokens):
        got = f"{len(sentence.tokens)} tokens and {len(sentence.tags)} tags"
        raise refuse("a tag for each token", got)
    for tag in sentence.tags:
        if not is_tag(tag):
            raise refuse("a tag such as O, B-PER or I-PER", repr(tag))
