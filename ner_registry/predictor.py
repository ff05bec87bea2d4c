"""From text to entities."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import takewhile
from pathlib import Path
from threading import Event
from typing import Any, NotRequired, TypedDict, TypeVar, overload

from ner_registry.archive import Archive, load_archive
from ner_registry.bars import without_bar
from ner_registry.build import index_sentences
from ner_registry.data.batches import LengthBatchSampler, document_parts
from ner_registry.data.indexed import Batch, IndexedSentences
from ner_registry.data.schemes import spans_to_tags
from ner_registry.data.segmentation import segment
from ner_registry.data.sentence import Sentence
from ner_registry.ensemble import AnyTagger
from ner_registry.errors import NerError
from ner_registry.formats.base import Tagged, describe, make_record
from ner_registry.nn.threads import available_threads, each, taking_turns
from ner_registry.tagger import ScoredSpan, Tagging
from ner_registry.training.device import choose_device

BATCH_SIZE = 128
_WINDOW = 32  # batches' worth of sentences that are sorted by length together
_LONG = 64  # tokens; batches of longer sentences have fewer of them
Watch = Callable[[LengthBatchSampler], Iterable[list[int]]]
_OfSentence = TypeVar("_OfSentence")


class Entity(TypedDict):
    """An entity in a sentence: tokens, and characters where a text was given."""

    label: str
    start: int
    end: int
    start_char: NotRequired[int]
    end_char: NotRequired[int]
    text: str
    score: float


class Predictor:
    """A trained tagger: call it with a text, or with several.

    Args:
        archive: the model.
    """

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.tagger = archive.tagger

    @property
    def labels(self) -> list[str]:
        """The labels that its entities may have."""
        return list(self.tagger.tags.labels)

    def __repr__(self) -> str:
        return f"<a tagger of {', '.join(self.labels)}>"

    @overload
    def __call__(self, text: str) -> list[Entity]: ...

    @overload
    def __call__(self, text: list[str]) -> list[list[Entity]]: ...

    def __call__(self, text: str | list[str]) -> list[Entity] | list[list[Entity]]:
        """The entities of a text, or of each of several.

        ``start_char`` and ``end_char`` are characters of the text; ``start`` and ``end`` are
        tokens of the entity's sentence.

        Raises:
            TypeError: it is neither a text nor several.
        """
        texts = [text] if isinstance(text, str) else _texts(text)
        sentences = [(number, s) for number, t in enumerate(texts) for s in segment(t)]
        for number, sentence in sentences:
            sentence.document = number
        found: list[list[Entity]] = [[] for _ in texts]
        records = self.predict(sentence for _, sentence in sentences)
        for (number, _), record in zip(sentences, records, strict=True):
            found[number] += record["entities"]
        return found[0] if isinstance(text, str) else found

    def predict(
        self, sentences: Iterable[Sentence], batch_size: int = BATCH_SIZE
    ) -> Iterator[dict[str, Any]]:
        """A record per sentence, in order: ``words``, ``tags`` (IOB2), ``entities``, and
        what else the sentence carries.
        """
        return (record for _, record in self.tag(sentences, batch_size))

    def tag(
        self,
        sentences: Iterable[Sentence],
        batch_size: int = BATCH_SIZE,
        *,
        threshold: float = 0.0,
        top_k: int | None = None,
    ) -> Iterator[Tagged]:
        """Each sentence, in order, with its record.

        Sentences are taken a few thousand at a time, so that a stream of any length needs
        little memory and sentences of like length still share a batch; the first few come
        back sooner, for whoever types them in.

        Args:
            sentences: the sentences.
            batch_size: how many are tagged together.
            threshold: entities of a lower score are left out, and their tags are ``O``.
            top_k: how many of a sentence's most probable taggings to give under ``taggings``,
                each with the exact probability of the whole; the threshold is not for them.

        Raises:
            TypeError: one isn't a Sentence of a list of words.
            NerError: a number is out of its range; or what reading the sentences raised, after
                those that came before.
        """
        check_batch_size(batch_size)
        if not 0 <= threshold <= 1:
            raise NerError(f"threshold: expected a number from 0 to 1, got {threshold}")
        if top_k is not None and top_k < 1:
            raise NerError(f"top_k: expected 1 or more, got {top_k}")
        faults: list[NerError] = []
        sentences = map(_checked, _up_to_fault(sentences, faults))
        apart = ([sentence] for sentence in sentences)
        parts = document_parts(sentences) if self.tagger.reads_documents else apart
        # many taggings of few sentences need as much memory as one of many
        most = max(1, batch_size * _WINDOW // (top_k or 1))
        find = partial(_found, self.tagger, batch_size=min(batch_size, most), top_k=top_k)
        for window, found in _one_ahead(self.tagger, _windows(parts, most), most, find):
            for sentence in window:
                scored, taggings = next(found) if sentence.tokens else _nothing(top_k)
                if threshold:
                    scored = [span for span in scored if span.score >= threshold]
                yield Tagged(sentence, record(sentence, scored, taggings))
        for fault in faults:
            raise fault


def check_batch_size(batch_size: int) -> None:
    """Refuses less than a sentence in a batch.

    Raises:
        NerError: it is less.
    """
    if batch_size < 1:
        raise NerError(f"batch_size: expected 1 or more, got {batch_size}")


def _up_to_fault(sentences: Iterable[Sentence], faults: list[NerError]) -> Iterator[Sentence]:
    """Sentences, and what ended them, if anything did, into ``faults``."""
    try:
        yield from sentences
    except NerError as error:
        faults.append(error)


def _checked(sentence: Any) -> Sentence:
    if not isinstance(sentence, Sentence) or isinstance(sentence.tokens, str):
        raise TypeError(
            f"expected a Sentence of a list of words, got {sentence!r:.80}: call the tagger itself "
            "with a text"
        )
    return sentence


def _texts(texts: Any) -> list[str]:
    """A list of texts, from any iterable of them but a mapping."""
    if isinstance(texts, Iterable) and not isinstance(texts, bytes | Mapping):
        found = list(texts)
        strange = [text for text in found if not isinstance(text, str)]
        if not strange:
            return found
        got = f"one with {type(strange[0]).__name__}"
    else:
        got = type(texts).__name__
    raise TypeError(
        f"expected a text or a list of texts, got {got}; sentences that are cut into tokens "
        "go to predict, as Sentence(tokens)"
    )


_Found = tuple[list[ScoredSpan], list[Tagging] | None]


def _one_ahead(
    tagger: AnyTagger,
    windows: Iterable[list[Sentence]],
    most: int,
    find: Callable[[IndexedSentences, Watch], Iterator[_Found]],
) -> Iterator[tuple[list[Sentence], Iterator[_Found]]]:
    """Windows with what is found in them.

    Where there are threads for it, the model works on a full window while the one before is
    written and the next one read.
    """
    waiting: deque[tuple[list[Sentence], Future[Iterator[_Found]]]] = deque()
    stopped = Event()

    def until_stopped(batches: Iterable[list[int]]) -> Iterable[list[int]]:
        return takewhile(lambda _: not stopped.is_set(), batches)

    with taking_turns(), ThreadPoolExecutor(1, "windows") as pool:
        try:
            for window in windows:
                data = index_sentences(tagger, [s for s in window if s.tokens])
                waiting.append((window, pool.submit(find, data, until_stopped)))
                # who types sentences in wants to see what is found before typing the next
                may_wait = len(window) >= most and available_threads() > 1
                while len(waiting) > may_wait:
                    first, found = waiting.popleft()
                    yield first, found.result()
            for first, found in waiting:
                yield first, found.result()
        finally:
            stopped.set()


def _found(
    tagger: AnyTagger,
    data: IndexedSentences,
    watch: Watch,
    *,
    batch_size: int,
    top_k: int | None,
) -> Iterator[_Found]:
    """The entities of each sentence, and its taggings if so many are asked for."""
    if top_k is not None:
        return iter(tag_k_best(tagger, data, batch_size, top_k, watch))
    scored = tag_with_scores(tagger, data, batch_size, watch)
    return ((of_sentence, None) for of_sentence in scored)


def _nothing(top_k: int | None) -> _Found:
    """What is found in a sentence without tokens, which can be tagged in one way."""
    return [], None if top_k is None else [Tagging([], 1.0)]


def _windows(parts: Iterable[list[Sentence]], most: int) -> Iterator[list[Sentence]]:
    """Sentences of whole parts together: one at first, then more and more, up to ``most``."""
    window: list[Sentence] = []
    size = 1
    for part in parts:
        window += part
        if len(window) >= size:
            yield window
            window, size = [], min(8 * size, most)
    if window:
        yield window


def load(
    path: str | Path, *, include_packages: Sequence[str] = (), device: str = "auto"
) -> Predictor:
    """A trained tagger, from a ``model.tar.gz`` or a run's directory.

    Args:
        path: where it is.
        include_packages: packages to import for the model's parts.
        device: as in ``trainer.device``.

    Raises:
        ArchiveError: it can't be read.
    """
    place = choose_device(device)
    return Predictor(load_archive(path, include_packages=include_packages, device=place))


def inference_batches(
    tagger: AnyTagger, data: IndexedSentences, batch_size: int
) -> LengthBatchSampler:
    """Batches for a model that isn't trained on them, smaller ones of very long sentences."""
    return LengthBatchSampler(
        data.lengths,
        batch_size=batch_size,
        shuffle=False,
        max_tokens=batch_size * _LONG,
        documents=data.documents if tagger.reads_documents else None,
    )


def tag_with_scores(
    tagger: AnyTagger, data: IndexedSentences, batch_size: int, watch: Watch = without_bar
) -> list[list[ScoredSpan]]:
    """The entities of each sentence, in the order of the data; ``watch`` may show a bar."""
    return _by_sentence(tagger.tag_with_scores, tagger, data, batch_size, watch)


def tag_k_best(
    tagger: AnyTagger, data: IndexedSentences, batch_size: int, k: int, watch: Watch = without_bar
) -> list[tuple[list[ScoredSpan], list[Tagging]]]:
    """The entities and the k best taggings of each sentence, in the order of the data."""
    return _by_sentence(partial(tagger.tag_k_best, k=k), tagger, data, batch_size, watch)


def _by_sentence(
    of_batch: Callable[[Batch], list[_OfSentence]],
    tagger: AnyTagger,
    data: IndexedSentences,
    batch_size: int,
    watch: Watch,
) -> list[_OfSentence]:
    """What the sentences of each batch give, in the order of the data."""

    def tag(numbers: list[int]) -> Iterable[tuple[int, _OfSentence]]:
        return zip(numbers, of_batch(data.batch(numbers)), strict=True)

    found: dict[int, _OfSentence] = {}
    tagger.eval()
    batches = inference_batches(tagger, data, batch_size)
    for tagged in each(tagger, tag, watch(batches), len(batches)):
        found.update(tagged)
    return [found[number] for number in range(len(data.lengths))]


def record(
    sentence: Sentence, found: Sequence[ScoredSpan], taggings: Sequence[Tagging] | None = None
) -> dict[str, Any]:
    """A prediction, as it is written on one line of JSON."""
    beside = {} if taggings is None else {"taggings": [_describe(sentence, t) for t in taggings]}
    spans, scores = [f.span for f in found], [f.score for f in found]
    return make_record(sentence, spans, scores, beside=beside)


def _describe(sentence: Sentence, tagging: Tagging) -> dict[str, Any]:
    spans, probability = tagging
    return {
        "tags": spans_to_tags(spans, len(sentence), "IOB2"),
        "entities": describe(sentence, spans),
        "probability": probability,
    }
