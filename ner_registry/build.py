"""The composition root: the only place where the parts meet.

Training and loading an archive share it. :func:`parse_experiment` checks a config and builds
nothing; :func:`build_tagger` puts a model together in plain sight.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from torch import Tensor, nn

from ner_registry.bars import progress_bar
from ner_registry.config.jsonnet import override
from ner_registry.config.parse import parse
from ner_registry.config.plan import Plan
from ner_registry.config.registry import ask, import_packages, import_plugins
from ner_registry.config.types import DropoutRate, Pattern, PositiveInt, Probability, Range
from ner_registry.data.augmentation import Augmentation
from ner_registry.data.corpus import Corpus
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.model_files import read_model, read_object
from ner_registry.data.schemes import TagScheme
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import TokenEmbedder
from ner_registry.encoders import Seq2SeqEncoder
from ner_registry.ensemble import AnyTagger
from ner_registry.errors import ArchiveError, ConfigError, Fault
from ner_registry.heads import TaggerHead
from ner_registry.readers import DatasetReader
from ner_registry.tagger import Tagger
from ner_registry.training.callbacks import Callback
from ner_registry.training.search import Distribution
from ner_registry.training.settings import TrainerSettings

Name = Annotated[str, Pattern(r"[A-Za-z_]\w{0,49}", "of up to 50 letters, digits and underscores")]


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What the model is made of.

    Attributes:
        from_archive: a trained model to go on from, an archive or a run's directory: the other
            keys need only say what is to differ, and weights begin as its own. Words and labels
            that it doesn't know are added. null: a model from nothing.
        embedders: by names of your own; their vectors are put side by side.
        encoder: reads the embedders' vectors.
        head: reads what the encoder gives.
        dropout: probability of dropping a number of the embeddings, and of the encoder's
            output, in training.
        variational_dropout: whether the same ones are dropped at every token of a sentence
            (Gal & Ghahramani 2016).
        word_dropout: probability of hiding all of a token's embeddings, in training.
        tag_scheme: the scheme that the model works in; null: that of the training data.
    """

    embedders: Annotated[dict[Name, Callable[..., TokenEmbedder]], Range(1)]
    encoder: Callable[..., Seq2SeqEncoder]
    head: Callable[..., TaggerHead]
    dropout: DropoutRate = 0.0
    variational_dropout: bool = False
    word_dropout: DropoutRate = 0.0
    tag_scheme: TagScheme | None = None
    from_archive: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataLoaderSettings:
    """How sentences are put into batches, which hold sentences of like length.

    Attributes:
        batch_size: sentences in a batch, which the ranks that torchrun starts share.
        shuffle: whether every epoch of training takes them in another order.
        memory_map: whether training sentences stay on disk, for a corpus larger than memory:
            its file is read anew whenever it is needed, and what the embedders make of it is
            mapped into memory from files in the cache, made once for all runs.
        mention_replacement: in training, the probability of showing an entity's mention as one
            drawn from those of the same label, as many tokens, and in capitals or not as it is
            (Dai & Adel 2020). Embedders must look at no token's neighbours then.
        capitals: in training, the probability of showing a sentence in capitals.
    """

    batch_size: PositiveInt = 32
    shuffle: bool = True
    memory_map: bool = False
    mention_replacement: Probability = 0.0
    capitals: Probability = 0.0

    def augmentation_of(self, corpus: Corpus) -> Augmentation:
        """How its sentences are shown in training."""
        return Augmentation(
            corpus.sentences,
            len(corpus),
            mention_replacement=self.mention_replacement,
            capitals=self.capitals,
        )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The whole config.

    A data path is a file, a URL, or a name from the dataset catalogue.

    Attributes:
        dataset_reader: reads the data.
        validation_dataset_reader: reads the validation and test data; null: the same.
        train_data_path: what the model learns from.
        validation_data_path: what decides which epoch is best.
        test_data_path: what is looked at last, where ``evaluate_on_test`` says so.
        evaluate_on_test: whether to look at it at all.
        include_packages: packages to import, for the parts that they register.
        tokenizer: what cuts plain text into tokens when the model is used: ``conll`` cuts as
            the CoNLL-2003 corpus is cut.
        model: what to train.
        data_loader: how sentences are put into batches.
        trainer: how to train.
        random_seed: of everything that is random.
        search: what ``ner-run tune`` tries: of keys by dotted path, such as
            ``trainer.optimizer.lr``, the values; ``train`` leaves it aside. null: nothing.
    """

    dataset_reader: DatasetReader
    validation_dataset_reader: DatasetReader | None = None
    train_data_path: str
    validation_data_path: str | None = None
    test_data_path: str | None = None
    evaluate_on_test: bool = False
    include_packages: tuple[str, ...] = ()
    tokenizer: Literal["conll"] = "conll"
    model: ModelSettings
    data_loader: DataLoaderSettings = DataLoaderSettings()
    trainer: TrainerSettings
    random_seed: Annotated[int, Range(0, 2**31)] = 0
    search: dict[str, Distribution] | None = None

    @property
    def evaluation_reader(self) -> DatasetReader:
        """What reads data that isn't trained on."""
        return self.validation_dataset_reader or self.dataset_reader


def parse_experiment(config: dict[str, Any], include_packages: Iterable[str] = ()) -> Plan:
    """Checks a config, after importing what its parts may come from.

    Args:
        config: what a config file evaluated to.
        include_packages: packages to import besides those that the config names.

    Raises:
        ConfigError: with every fault.
    """
    import_plugins()
    own = config.get("include_packages", [])
    names = [name for name in own if isinstance(name, str)] if isinstance(own, list) else []
    import_packages(include_packages)
    import_packages(names, None)
    faults = []
    config = _begun(config)
    try:
        plan = parse(Experiment, config)
    except ConfigError as error:
        faults = error.faults
    faults += _conflicts(config)
    if faults:
        raise ConfigError(faults)
    return plan


def _begun(config: dict[str, Any]) -> dict[str, Any]:
    """A config whose model goes on from an archive's, with that model's config filled in."""
    model = config.get("model")
    path = model.get("from_archive") if isinstance(model, dict) else None
    if not isinstance(path, str):
        return config
    try:
        before = read_object(path, read_model(path), "config.json").get("model")
    except ArchiveError as error:
        raise ConfigError([Fault("model.from_archive", str(error))]) from None
    if not isinstance(before, dict):
        message = f"{path}: expected a model in its config.json, got {before!r:.40}"
        raise ConfigError([Fault("model.from_archive", message)])
    assert isinstance(model, dict)
    return config | {"model": override(before, model)}


def _conflicts(config: dict[str, Any]) -> list[Fault]:
    """Faults of keys that are right each by itself."""
    faults = []
    if config.get("evaluate_on_test") is True and config.get("test_data_path") is None:
        message = "required by evaluate_on_test: expected a path, got no such key"
        faults.append(Fault("test_data_path", message))
    trainer = config.get("trainer")
    for key in ("patience", "tune_threshold"):
        is_set = isinstance(trainer, dict) and trainer.get(key) not in (None, False)
        if is_set and config.get("validation_data_path") is None:
            message = "needs validation data: set validation_data_path, or leave it out"
            faults.append(Fault(f"trainer.{key}", message))
    model = config.get("model")
    embedders = model.get("embedders") if isinstance(model, dict) else None
    for name in embedders if isinstance(embedders, dict) else ():
        if hasattr(nn.ModuleDict(), name):
            message = f"{name!r} means something to PyTorch: choose another name"
            faults.append(Fault(f"model.embedders.{name}", message))
    return faults


def registered_modules(plan: Plan) -> set[str]:
    """The modules, this package's own aside, that a plan's parts are defined in.

    Callbacks are none of them: what watched a run isn't needed for what came of it.
    """
    if plan.factory in Callback.registered().values():
        return set()
    modules = set()
    module = plan.factory.__module__
    if module == "__main__":  # a script is imported by the name of its file
        module = Path(getattr(sys.modules["__main__"], "__file__", None) or module).stem
    if module.split(".")[0] != "ner_registry":
        modules.add(module)
    pending: list[Any] = list(plan.arguments.values())
    while pending:
        value = pending.pop()
        if isinstance(value, Plan):
            modules |= registered_modules(value)
        elif isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list | tuple):
            pending += value
    return modules


def build_tagger(
    settings: ModelSettings, vocabularies: Mapping[str, Vocabulary], tags: TagSet
) -> Tagger:
    """The model: each part is given what follows from the ones before.

    Args:
        settings: the parts.
        vocabularies: of each embedder by name.
        tags: the tags to tell apart.
    """
    embedders = {
        name: make(vocab=vocabularies[name]) for name, make in sorted(settings.embedders.items())
    }
    width = sum(_width(part, f"model.embedders.{name}") for name, part in embedders.items())
    encoder = settings.encoder(input_dim=width)
    head = settings.head(input_dim=_width(encoder, "model.encoder"), tags=tags)
    return Tagger(
        embedders,
        encoder,
        head,
        tags,
        dropout=settings.dropout,
        variational_dropout=settings.variational_dropout,
        word_dropout=settings.word_dropout,
    )


def _width(part: TokenEmbedder | Seq2SeqEncoder, path: str) -> int:
    """What a part says of its output's width."""
    width = getattr(part, "output_dim", None)
    if not isinstance(width, int):
        message = f"{type(part).__name__} must set output_dim to a whole number, got {width!r}"
        raise ConfigError([Fault(path, message)])
    return width


def index_sentences(tagger: AnyTagger, sentences: Iterable[Sentence]) -> IndexedSentences:
    """Sentences as the tagger's embedders see them, whose tags don't matter."""
    return IndexedSentences.index(sentences, indexers_of(tagger), device=tagger.device)


def index_corpus(
    tagger: AnyTagger, corpus: Corpus, augmentation: Augmentation | None = None
) -> IndexedSentences:
    """A corpus as the tagger sees it, in memory."""
    bar = progress_bar(corpus.sentences, "indexing", len(corpus), unit=" sentences")
    encode = tagger.tags.encode_sentence
    return IndexedSentences.index(bar, indexers_of(tagger), encode, tagger.device, augmentation)


def indexers_of(tagger: AnyTagger) -> dict[str, Callable[[Sentence], Tensor]]:
    """Of each embedder by name, what turns a sentence into its view."""
    return {
        name: partial(ask, f"model.embedders.{name}", embedder, "index")  # type: ignore[arg-type]  # ModuleDict
        for name, embedder in tagger.embedders.items()
    }
