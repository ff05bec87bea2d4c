"""Evaluates a model on a file: entities as seqeval counts them, tokens, confusions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from ner_registry.archive import load_archive
from ner_registry.build import index_corpus
from ner_registry.data import catalogue
from ner_registry.data.corpus import Corpus
from ner_registry.data.files import check_writable, open_binary, write_json
from ner_registry.errors import NerError
from ner_registry.formats import OUTPUTS, TAGGED_INPUTS, tagged_reader_of, writer_of
from ner_registry.formats.base import Source, Tagged
from ner_registry.formats.files import warn_of_ending, writer
from ner_registry.jobs.prepare import read_corpus
from ner_registry.jobs.score import calibration_error, predictions
from ner_registry.predictor import BATCH_SIZE, check_batch_size
from ner_registry.readers import ConllReader, DatasetReader, JsonlReader
from ner_registry.readers.base import numbered_lines
from ner_registry.reports.judged import Judged
from ner_registry.reports.scores import SCORES, entity_scores, token_scores
from ner_registry.training.device import choose_device
from ner_registry.training.metrics import MIN_SUPPORT

_READERS = {"conll": ConllReader, "jsonl": JsonlReader}


def evaluate(
    archive: str | Path,
    data: str | Path,
    *,
    include_packages: Sequence[str] = (),
    device: str = "auto",
    batch_size: int = BATCH_SIZE,
    output_file: str | Path | None = None,
    predictions_output_file: str | Path | None = None,
    input_format: str | None = None,
    output_format: str = "jsonl",
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
        input_format: one of :data:`ner_registry.formats.TAGGED_INPUTS`; None: what the model's
            validation data was read with.
        output_format: of the predictions, one of :data:`ner_registry.formats.OUTPUTS`.

    Returns:
        ``entities`` and ``tokens`` (label or tag -> precision, recall, f1, support), by seqeval
        and by scikit-learn; ``token_macro_f1``; ``confusions`` of tokens, most frequent first;
        ``sentences``; ``repaired_tags`` of the data, which can't stand where they do and were
        read as conlleval does; ``tokens_per_second``; ``expected_calibration_error`` of the
        predicted entities' scores.

    Raises:
        NerError: the archive or the data is at fault.
    """
    if input_format not in (None, *TAGGED_INPUTS):
        raise NerError(f"input_format: expected {', '.join(TAGGED_INPUTS)}, got {input_format!r}")
    if output_format not in OUTPUTS:
        raise NerError(f"output_format: expected {', '.join(OUTPUTS)}, got {output_format!r}")
    check_batch_size(batch_size)
    used = [data]
    for path in (output_file, predictions_output_file):
        if path is not None:
            check_writable(Path(path), *used)
            used.append(path)
    if predictions_output_file is not None:
        warn_of_ending(predictions_output_file, output_format)
    place = choose_device(device, "--device")
    model = load_archive(archive, include_packages=include_packages, device=place)
    file = catalogue.find(str(data))
    corpus = _read(model.experiment.evaluation_reader, file, input_format, output_format)
    corpus.report_unknown_labels(model.tagger.tags)
    began = time.perf_counter()
    found = list(predictions(model.tagger, corpus, index_corpus(model.tagger, corpus), batch_size))
    seconds = time.perf_counter() - began
    judged = [Judged.of(prediction) for prediction in found]
    result = {"entities": entity_scores(judged)} | token_scores(judged, corpus.scheme)
    result["sentences"] = len(corpus)
    result["repaired_tags"] = corpus.repaired
    result["tokens_per_second"] = corpus.tokens / seconds
    result["expected_calibration_error"] = calibration_error(found, corpus)
    if output_file is not None:
        write_json(Path(output_file), result)
    if predictions_output_file is not None:
        tagged = map(Tagged, corpus.sentences, found)
        with writer(predictions_output_file) as out:
            out.writelines(writer_of(output_format)(tagged, str(data)))
    return result


def _read(reader: DatasetReader, file: Path, form: str | None, output_format: str) -> Corpus:
    """A tagged file, read as the model's data was or in a format of its own."""
    keeps_rows = output_format == "conll"
    if form is None:
        if not (keeps_rows and type(reader) is ConllReader):
            return read_corpus(reader, file)
        form = "conll"
    with open_binary(file) as opened:
        lines = numbered_lines(opened, file)
        source = Source(lines, str(file), reader, "whole" if keeps_rows else "nothing")
        sentences = [sentence for sentence in tagged_reader_of(form)(source) if sentence.tokens]
    scheme = reader.tag_scheme if isinstance(reader, _READERS.get(form, ())) else None
    return Corpus(str(file), sentences, scheme)


def as_text(result: dict[str, Any]) -> str:
    """The result of :func:`evaluate` as tables to read."""
    confusions = result["confusions"][:10]
    is_frequent = any(row["support"] >= MIN_SUPPORT for row in result["tokens"].values())
    macro_f1 = f"{result['token_macro_f1']:.4f}" if is_frequent else "no tag has it"
    return "\n\n".join(
        [
            _table("entity", result["entities"]),
            _table("token", result["tokens"]),
            f"token macro F1 (tags with support of {MIN_SUPPORT} or more): {macro_f1}",
            "most frequent confusions of tokens\n"
            + tabulate(
                [[c["gold"], c["predicted"], c["count"]] for c in confusions],
                ["gold", "predicted", "count"],
            ),
            "expected calibration error of the entities' scores: "
            f"{result['expected_calibration_error']:.4f}",
            f"{result['sentences']:,} sentences, {result['repaired_tags']:,} tags repaired, "
            f"{result['tokens_per_second']:,.0f} tokens/s",
        ]
    )


def _table(title: str, rows: dict[str, dict[str, float]]) -> str:
    body = [[name, *(row[key] for key in SCORES)] for name, row in rows.items()]
    return tabulate(body, [title, *SCORES], floatfmt=".4f")
