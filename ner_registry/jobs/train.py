"""Trains a declared experiment."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import safetensors.torch

from ner_registry.archive import write_archive
from ner_registry.bars import silenced
from ner_registry.build import index_corpus, parse_experiment, registered_modules
from ner_registry.config.source import read_config
from ner_registry.data.batches import LONG_SENTENCE, LengthBatchSampler
from ner_registry.data.files import flush_directory, write_file, write_json
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.model_files import BEST_WEIGHTS
from ner_registry.errors import ConfigError, RunError
from ner_registry.formats.jsonl import as_line
from ner_registry.jobs.directory import (
    add_to_meta,
    buffered_log,
    check_data,
    check_directory,
    clear,
    has_begun,
    logged_to,
    recorded_threads,
    write_beginnings,
)
from ner_registry.jobs.ending import ending
from ner_registry.jobs.locks import locked
from ner_registry.jobs.mapped import map_training_data
from ner_registry.jobs.prepare import Prepared, check_alike, prepare, seed_everything
from ner_registry.jobs.report import NEEDS, REPORT_NAME, has_extra, write_report
from ner_registry.jobs.score import calibration_error, choose_threshold, predictions, score
from ner_registry.jobs.verify import warn_of_differences
from ner_registry.nn.threads import available_threads, computing
from ner_registry.predictor import BATCH_SIZE
from ner_registry.training.device import check_device
from ner_registry.training.ranks import Ranks, joined
from ner_registry.training.trainer import Trainer

logger = logging.getLogger(__name__)


def train(
    config: dict[str, Any] | str | Path,
    directory: str | Path,
    *,
    include_packages: Sequence[str] = (),
    force: bool = False,
    recover: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Trains a declared experiment.

    It seeds the random numbers of Python, NumPy and PyTorch, of which a process has one stream
    each: two trainings at once need two processes.

    Args:
        config: a config file, or what one evaluated to.
        directory: where everything about the run goes.
        include_packages: packages to import for the parts that they register.
        force: replace the run that is in the directory.
        recover: go on with it.
        quiet: show no progress bar, on a terminal either.

    Returns:
        the run's metrics, as in its ``metrics.json``.

    Raises:
        NerError: the input is at fault (then nothing was written), or the run failed.
        KeyboardInterrupt: it was interrupted; what it had reached is on disk.
    """
    directory = Path(directory)
    if not isinstance(config, dict):
        source = read_config(config)
        try:
            return train(
                source.value,
                directory,
                include_packages=include_packages,
                force=force,
                recover=recover,
                quiet=quiet,
            )
        except ConfigError as error:
            raise source.placed(error) from None
    with buffered_log() as log, joined() as ranks, ExitStack() as held:
        held.enter_context(silenced(quiet or not ranks.is_first))
        with ranks.agreeing():
            plan = parse_experiment(config, include_packages)
        if ranks.first(partial(ranks.is_noted, _note(directory))):
            # torchrun has started the ranks anew: this run is what to go on with
            force, recover = False, True
        check = partial(check_directory, directory, plan, force=force, recover=recover)
        finished = ranks.first(check)
        if finished is not None:
            logger.info("%s: this run is finished", directory)
            return finished
        with ranks.agreeing():
            prepared = prepare(plan)
            check_device(prepared.tagger.device, ranks)
            hashes = {name: corpus.sha256 for name, corpus in prepared.corpora.items()}
        check_alike(prepared, hashes, ranks)

        def begin() -> int:
            _create(directory)
            held.enter_context(locked(directory))
            check()  # again, now that nobody else can write to it
            threads = _begin(prepared, hashes, directory, ranks, recover=recover)
            held.enter_context(logged_to(directory / "out.log", log))
            return threads

        threads = ranks.first(begin)
        with computing(prepared.tagger, threads), closing(prepared.callbacks):
            for line in prepared.summary(threads):
                logger.info("%s", line)
            return _run(prepared, directory, ranks, recover=recover)


def _note(directory: Path) -> str:
    """What ranks leave word of for those that torchrun starts in their place."""
    return f"begun: {directory.absolute()}"


def _create(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    flush_directory(directory.absolute().parent)


def _begin(
    prepared: Prepared, hashes: dict[str, str], directory: Path, ranks: Ranks, *, recover: bool
) -> int:
    """Makes the directory this run's; how many threads it computes with."""
    threads = prepared.experiment.trainer.num_threads or available_threads()
    if recover and has_begun(directory):
        check_data(directory, hashes)
        threads = recorded_threads(directory) or threads
    else:
        if recover:
            logger.info("%s: nothing to recover there: begins anew", directory)
        clear(directory)  # what is replaced, or was stopped before it began
    ranks.note(_note(directory))
    write_beginnings(directory, prepared, hashes, threads, ranks.size)
    return threads


def _run(prepared: Prepared, directory: Path, ranks: Ranks, *, recover: bool) -> dict[str, Any]:
    experiment, tagger, corpora = prepared.experiment, prepared.tagger, prepared.corpora
    loading = experiment.data_loader
    shown = {"train": prepared.augmentation}
    mapped = {"train": map_training_data(prepared)} if loading.memory_map else {}
    data = mapped | {
        name: index_corpus(tagger, corpus, shown.get(name))
        for name, corpus in corpora.items()
        if name not in mapped
    }
    sampler = LengthBatchSampler(
        data["train"].lengths,
        batch_size=loading.batch_size,
        shuffle=loading.shuffle,
        seed=experiment.random_seed,
        max_tokens=loading.batch_size * LONG_SENTENCE,
        documents=data["train"].documents if tagger.reads_documents else None,
    )
    validate = None
    if "validation" in corpora:
        validate = partial(
            score, tagger, corpora["validation"], data["validation"], BATCH_SIZE, ranks=ranks
        )
    trainer = Trainer(
        prepared.state,
        experiment.trainer,
        data["train"],
        sampler,
        validate,
        directory,
        places=corpora["train"].places,
        callbacks=prepared.callbacks,
        ranks=ranks,
    )
    if not ranks.is_first:
        # the first one goes on as a process by itself does
        seed_everything(experiment.random_seed + ranks.rank)
    if recover and (path := trainer.recover()) is not None:
        logger.info("going on %s, from %s", trainer.progress, path)
    try:
        metrics = trainer.train()
        if ranks.is_first:
            _finish(prepared, data, directory, metrics)
    except RunError as error:
        ranks.report(error)
        raise RunError(f"{error}; {_saved(trainer)}") from error
    except KeyboardInterrupt:
        _report_interruption(directory, trainer)
        raise
    return metrics


def _finish(
    prepared: Prepared,
    data: Mapping[str, IndexedSentences],
    directory: Path,
    metrics: dict[str, Any],
) -> None:
    """What the best model gives: predictions, test metrics, the archive."""
    tagger, corpora, best = prepared.tagger, prepared.corpora, prepared.state.best
    assert best is not None  # there was an epoch
    tagger.load_state_dict(safetensors.torch.load(best))
    tagger.eval()
    if prepared.experiment.trainer.tune_threshold:
        validation = corpora["validation"], data["validation"], BATCH_SIZE
        metrics["threshold"] = choose_threshold(tagger, *validation)
        add_to_meta(directory, {"threshold": metrics["threshold"]})
        tuned = score(tagger, *validation)
        metrics |= {f"best_validation_{name}": value for name, value in tuned.items()}
    for name, corpus in corpora.items():
        if name != "train":
            found = list(predictions(tagger, corpus, data[name], BATCH_SIZE))
            lines = "".join(map(as_line, found))
            write_file(directory / f"predictions_{name}.jsonl", lines.encode())
            prefix = "best_validation" if name == "validation" else name
            metrics[f"{prefix}_expected_calibration_error"] = calibration_error(found, corpus)
    if "test" in corpora:
        test = score(tagger, corpora["test"], data["test"], BATCH_SIZE)
        metrics |= {f"test_{name}": value for name, value in test.items()}
    write_json(directory / "metrics.json", metrics)
    write_archive(directory)
    if registered_modules(prepared.plan):  # our own parts keep nothing else, which is tested
        corpus = corpora.get("validation", corpora["train"])
        warn_of_differences(directory, tagger, corpus.sentences)
    if has_extra():
        logger.info("report: %s", write_report(directory, prepared.plan, corpora))
    else:
        logger.info("no %s: it %s", REPORT_NAME, NEEDS)
    for line in ending(prepared, directory, metrics):
        logger.info("%s", line)
    prepared.callbacks.on_train_end(metrics)


def _report_interruption(directory: Path, trainer: Trainer) -> None:
    logger.warning(
        "interrupted %s: %s; --recover goes on from there", trainer.progress, _saved(trainer)
    )
    if trainer.progress.history:
        logger.warning(
            "the best model so far (epoch %d) is %s and can be used as it is",
            trainer.progress.best["epoch"],
            directory / BEST_WEIGHTS,
        )


def _saved(trainer: Trainer) -> str:
    """What a run that stops leaves."""
    return (
        f"the last checkpoint is {trainer.saved}" if trainer.saved else "there's no checkpoint yet"
    )
