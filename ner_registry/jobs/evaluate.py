"""Evaluates a model on a file: entities as seqeval counts them, tokens, confusions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqeval.metrics import classification_report as entity_report
from sklearn.metrics import classification_report as token_report
from tabulate import tabulate

from ner_registry.archive import load_archive
from ner_registry.build import index_corpus
from ner_registry.data import catalogue
from ner_registry.data.corpus import Corpus
from ner_registry.data.files import check_writable, write_file, write_json
from ner_registry.data.schemes import spans_to_tags, tags_to_spans
from ner_registry.jobs.prepare import read_corpus
from ner_registry.jobs.score import predictions
from ner_registry.predictor import BATCH_SIZE, as_jsonl
from ner_registry.training.device import choose_device
from ner_registry.training.metrics import MIN_SUPPORT

_SCORES = ("precision", "recall", "f1", "support")


def evaluate(
    archive: str | Path,
    data: str | Path,
    *,
    include_packages: Sequence[str] = (),
    device: str = "auto",
    batch_size: int = BATCH_SIZE,
    output_file: str | Path | None = None,
    predictions_output_file: str | Path | None = None,
) -> dict[str, Any]:
    """Evaluates a model on a tagged file.

    Args:
        archive: a ``model.tar.gz`` or a run's directory.
        data: a data path, read as the model's validation data was.
        include_packages: packages to import for the model's parts.
        device: as in ``trainer.device``.
        batch_size: sentences in a batch.
        output_file: where to write the result as JSON.
        predictions_output_file: where to write a prediction per sentence, with ``gold_tags``.

    Returns:
        ``entities`` and ``tokens`` (label or tag -> precision, recall, f1, support), by seqeval
        and by scikit-learn; ``token_macro_f1``; ``confusions`` of tokens, most frequent first;
        ``sentences``; ``repaired_tags`` of the data, which can't stand where they do and were
        read as conlleval does; ``tokens_per_second``.

    Raises:
        NerError: the archive or the data is at fault.
    """
    for path in (output_file, predictions_output_file):
        if path is not None:
            check_writable(Path(path))
    place = choose_device(device, "--device")
    model = load_archive(archive, include_packages=include_packages, device=place)
    corpus = read_corpus(model.experiment.evaluation_reader, catalogue.find(str(data)))
    corpus.report_unknown_labels(model.tagger.tags)
    began = time.perf_counter()
    found = list(predictions(model.tagger, corpus, index_corpus(model.tagger, corpus), batch_size))
    seconds = time.perf_counter() - began
    result = entity_scores(found) | _tokens(corpus, found)
    result["sentences"] = len(corpus)
    result["repaired_tags"] = corpus.repaired
    result["tokens_per_second"] = corpus.tokens / seconds
    if output_file is not None:
        write_json(Path(output_file), result)
    if predictions_output_file is not None:
        write_file(Path(predictions_output_file), "".join(map(as_jsonl, found)).encode())
    return result


def as_text(result: dict[str, Any]) -> str:
    """The result of :func:`evaluate` as tables to read."""
    confusions = result["confusions"][:10]
    return "\n\n".join(
        [
            _table("entity", result["entities"]),
            _table("token", result["tokens"]),
            f"token macro F1 (tags with support of {MIN_SUPPORT} or more): "
            f"{result['token_macro_f1']:.4f}",
            "most frequent confusions of tokens\n"
            + tabulate(
                [[c["gold"], c["predicted"], c["count"]] for c in confusions],
                ["gold", "predicted", "count"],
            ),
            f"{result['sentences']:,} sentences, {result['repaired_tags']:,} tags repaired, "
            f"{result['tokens_per_second']:,.0f} tokens/s",
        ]
    )


def _table(title: str, rows: dict[str, dict[str, float]]) -> str:
    body = [[name, *(row[key] for key in _SCORES)] for name, row in rows.items()]
    return tabulate(body, [title, *_SCORES], floatfmt=".4f")


def entity_scores(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """``entities``, by seqeval, of predictions that have ``tags`` and ``gold_tags`` in IOB2."""
    gold = [prediction["gold_tags"] for prediction in found]
    predicted = [prediction["tags"] for prediction in found]
    if all(tag == "O" for tags in [*gold, *predicted] for tag in tags):
        return {"entities": {"overall": dict.fromkeys(_SCORES, 0)}}
    report = entity_report(gold, predicted, output_dict=True, zero_division=0)
    averages = ("micro avg", "macro avg", "weighted avg")
    rows = {label: report[label] for label in report if label not in averages}
    return {"entities": _plain(rows | {"overall": report["micro avg"]})}


def _tokens(corpus: Corpus, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Tables of tokens, in the scheme of the data file."""
    gold: list[str] = []
    predicted: list[str] = []
    for prediction, spans in zip(found, corpus.spans, strict=True):
        length = len(prediction["words"])
        gold += spans_to_tags(spans, length, corpus.scheme)
        predicted += spans_to_tags(tags_to_spans(prediction["tags"]), length, corpus.scheme)
    tags = sorted({*gold, *predicted})
    report = token_report(gold, predicted, labels=tags, output_dict=True, zero_division=0)
    rows = _plain({tag: report[tag] for tag in tags})
    counted = [row["f1"] for row in rows.values() if row["support"] >= MIN_SUPPORT]
    pairs = Counter(
        (gold_tag, found_tag)
        for gold_tag, found_tag in zip(gold, predicted, strict=True)
        if gold_tag != found_tag
    )
    return {
        "tokens": rows,
        "token_macro_f1": sum(counted) / len(counted) if counted else 0.0,
        "confusions": [
            {"gold": gold_tag, "predicted": found_tag, "count": count}
            for (gold_tag, found_tag), count in pairs.most_common()
        ],
    }


def _plain(report: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Rows of a report under our names, as Python's own numbers."""
    return {
        name: {
            "precision": float(row["precision"]),
            "recall": float(row["recall"]),
            "f1": float(row["f1-score"]),
            "support": int(row["support"]),
        }
        for name, row in report.items()
    }
