"""The vocabulary of one embedder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from ner_registry.data.sentence import Sentence

PADDING = 0
UNKNOWN = 1


class Vocabulary:
    """Symbols, such as words or characters, and their indices.

    Index 0 is padding and 1 the unknown symbol; the rest are ordered by falling count in the
    training data, equals as they were first met.

    An embedder is given a vocabulary and calls :meth:`build` in its constructor. In training
    that counts; in a model read from an archive the symbols are there already.

    Args:
        sentences: the training data, which may be iterated more than once.
        counts: the symbols of a vocabulary built before, with their counts, in their order.
        before: those of one that is to be built upon: they keep their indices, new ones follow.
        variants: what the training data is shown as too: a symbol that is more often there has
            that for its count.
    """

    def __init__(
        self,
        sentences: Iterable[Sentence] = (),
        counts: dict[str, int] | None = None,
        before: dict[str, int] | None = None,
        variants: Iterable[Sentence] = (),
    ) -> None:
        self._sentences = sentences
        self._variants = variants
        self._before = before or {}
        self.is_built = counts is not None
        self._is_counted = False
        self._set(counts or {})

    def build(
        self,
        symbols: Callable[[Sentence], Iterable[str]],
        *,
        min_count: int = 1,
        also: Iterable[str] = (),
    ) -> None:
        """Counts the training data; does nothing in a model read from an archive.

        Args:
            symbols: what of a sentence to count.
            min_count: rarer symbols are left out.
            also: symbols to have whatever their count, as those of pretrained vectors.

        Raises:
            ValueError: it was counted already, by another embedder that has the same one.
        """
        if self._is_counted:
            raise ValueError(
                "a vocabulary belongs to one embedder, got a second one that builds it: "
                "put embedders side by side under model.embedders"
            )
        if self.is_built:
            return
        counter: Counter[str] = Counter()
        for sentence in self._sentences:
            counter.update(symbols(sentence))
        beside: Counter[str] = Counter()
        for sentence in self._variants:
            beside.update(symbols(sentence))
        counter |= beside  # whichever is the larger
        kept = {symbol: count + counter[symbol] for symbol, count in self._before.items()}
        for symbol, count in counter.most_common():
            if count >= min_count:
                kept.setdefault(symbol, count)
        for symbol in also:
            kept.setdefault(symbol, counter[symbol])
        self._set(kept)
        self.is_built = self._is_counted = True

    def _set(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self._indices = {symbol: index for index, symbol in enumerate(counts, UNKNOWN + 1)}

    def __getitem__(self, symbol: str) -> int:
        """The symbol's index; that of the unknown one for a symbol never built in."""
        return self._indices.get(symbol, UNKNOWN)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._indices

    def __len__(self) -> int:
        """How many indices there are, padding and unknown included."""
        return len(self.counts) + UNKNOWN + 1

    def indices(self, symbols: Iterable[str]) -> list[int]:
        """The index of each symbol.

        Raises:
            LookupError: none was built, so that all would be unknown.
        """
        if not self.is_built:
            raise LookupError("call vocab.build in the constructor: it counts nothing by itself")
        get = self._indices.get
        return [get(symbol, UNKNOWN) for symbol in symbols]
