"""From text to entities."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict, overload

import torch

from ner_registry.archive import Archive, load_archive
from ner_registry.bars import without_bar
from ner_registry.build import index_sentences
from ner_registry.data.batches import LengthBatchSampler, document_parts
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.schemes import spans_to_tags
from ner_registry.data.segmentation import segment
from ner_registry.data.sentence import Sentence
from ner_registry.ensemble import AnyTagger
from ner_registry.errors import NerError
from ner_registry.nn.threads import computing
from ner_registry.tagger import ScoredSpan
from ner_registry.training.device import choose_device

BATCH_SIZE = 128
_WINDOW = 32  # batches' worth of sentences that are sorted by length together
_LONG = 64  # tokens; batches of longer sentences have fewer of them
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


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

    @overload
    def __call__(self, text: str) -> list[Entity]: ...

    @overload
    def __call__(self, text: list[str]) -> list[list[Entity]]: ...

    def __call__(self, text: str | list[str]) -> list[Entity] | list[list[Entity]]:
        """The entities of a text, or of each of several.

        ``start_char`` and ``end_char`` are characters of the text; ``start`` and ``end`` are
        tokens of the entity's sentence.
        """
        texts = [text] if isinstance(text, str) else text
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

        Sentences are taken a few thousand at a time, so that a stream of any length needs
        little memory and sentences of like length still share a batch; the first few come
        back sooner, for whoever types them in.
        """
        apart = ([sentence] for sentence in sentences)
        parts = document_parts(sentences) if self.tagger.reads_documents else apart
        for window in _windows(parts, batch_size * _WINDOW):
            data = index_sentences(self.tagger, [s for s in window if s.tokens])
            found = iter(tag_with_scores(self.tagger, data, batch_size))
            for sentence in window:
                yield record(sentence, next(found) if sentence.tokens else [])


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
    tagger: AnyTagger,
    data: IndexedSentences,
    batch_size: int,
    watch: Callable[[LengthBatchSampler], Iterable[list[int]]] = without_bar,
) -> list[list[ScoredSpan]]:
    """The entities of each sentence, in the order of the data; ``watch`` may show a bar."""
    batches = watch(inference_batches(tagger, data, batch_size))
    found: list[list[ScoredSpan]] = [[] for _ in data.lengths]
    tagger.eval()
    with torch.inference_mode(), computing(tagger):
        for batch in map(data.batch, batches):
            spans = tagger.tag_with_scores(batch)
            for number, of_sentence in zip(batch.numbers, spans, strict=True):
                found[number] = of_sentence
    return found


def record(sentence: Sentence, found: Sequence[ScoredSpan]) -> dict[str, Any]:
    """A prediction, as it is written on one line of JSON."""
    tags = spans_to_tags([scored.span for scored in found], len(sentence), "IOB2")
    entities = [_entity(sentence, scored) for scored in found]
    prediction = {"words": sentence.tokens, "tags": tags, "entities": entities}
    return prediction | {k: v for k, v in sentence.extra.items() if k not in prediction}


def as_conll(prediction: dict[str, Any]) -> str:
    """A prediction as a token and a tag per line, a blank line after the last."""
    rows = list(zip(prediction["words"], prediction["tags"], strict=True))
    for word, _ in rows:
        if word != "".join(word.split()):
            raise NerError(f"{word!r} holds white space, which CoNLL columns can't: use jsonl")
    return "".join(f"{word} {tag}\n" for word, tag in rows) + "\n"


def as_brackets(prediction: dict[str, Any]) -> str:
    """A prediction for the eye, such as ``[PER Jim] works in [LOC Paris]``."""
    words = list(prediction["words"])
    for entity in prediction["entities"]:
        words[entity["start"]] = f"[{entity['label']} {words[entity['start']]}"
        words[entity["end"] - 1] += "]"
    return " ".join(words) + "\n"


def as_jsonl(prediction: dict[str, Any]) -> str:
    """A prediction as one line of JSON."""
    # a lone surrogate, which UTF-8 can't hold, is written as the escape it came as
    text = _JSON.encode(prediction)
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return f"{text}\n"


def _entity(sentence: Sentence, scored: ScoredSpan) -> Entity:
    label, start, end = scored.span
    if sentence.text is None or sentence.offsets is None:
        text = " ".join(sentence.tokens[start:end])
        return {"label": label, "start": start, "end": end, "text": text, "score": scored.score}
    first, last = sentence.offsets[start][0], sentence.offsets[end - 1][1]
    return {
        "label": label,
        "start": start,
        "end": end,
        "start_char": first,
        "end_char": last,
        "text": sentence.text[first:last],
        "score": scored.score,
    }
