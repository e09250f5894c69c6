"""Train: a network is built and trained, the best epoch chosen on dev, frozen, and proven equal to what was trained."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.files import replace_when_done
from embeddings.vectors import Vectors
from embeddings.vocabulary import Vocabulary
from pipeline.config.settings import NetworkSettings, Settings
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.batch import Example, pad, shuffled
from pipeline.encoding.context_ngrams import ContextNgrams
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.features import (
    LONGEST_AFFIX,
    Bigrams,
    Feature,
    Segmentation,
    WordAffixes,
    WordCharacters,
    shares,
)
from pipeline.encoding.lexicon import Lexicon
from pipeline.encoding.ngrams import NgramVocabulary
from pipeline.errors import PipelineError
from pipeline.models import drift, model, thresholds
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Progress
from pipeline.provenance import versions
from pipeline.stages import embed, segment
from pipeline.stages.manifest import Inputs
from pipeline.stages.segment import SegmentedRow
from pipeline.stages.stage import Stage
from pipeline.tasks import TASKS, Task
from pipeline.training.silence import silent_stderr

if TYPE_CHECKING:
    import keras

    from pipeline.networks.layers import FeatureTable
    from pipeline.networks.network import Tables
    from pipeline.training.trainer import Epoch, Trainer

VERSION = 5
NO_NUMBERS = "train: the scores are no longer numbers: lower train.learning_rate or set train.clip_norm"
TOLERANCE = 1e-4  # greatest difference in logits between the trained and the frozen network; a share of larger ones


@dataclass(frozen=True)
class Prepared:
    """All that training needs, made from the files of the earlier stages."""

    task: Task
    encoder: Encoder
    tables: Tables
    train_texts: list[Tokenised]
    train: list[Example]
    dev_rows: list[SegmentedRow]
    dev: list[Example]


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes train/history.csv and train/training.json, and the model folder."""
    folder, model_folder = made["train"], made["model"]
    _load_keras(settings)
    prepared = _prepare(settings, run)
    network, trainer = _trainer(settings, prepared, folder)
    trainer.restore()
    tensorboard = _tensorboard(settings, folder, network)
    for epoch in _epochs(settings, prepared, trainer, progress):
        _write_history(folder / "history.csv", trainer.history)
        tensorboard(epoch)
    trainer.use_best()
    task = _taught(prepared, network)
    frozen = _freeze(settings, prepared, task, network, model_folder)
    task, assured = _calibrated(prepared, task, segment.read_audit(run)["leaked_dev"], model_folder)
    best = trainer.history[trainer.best_epoch - 1]
    training = {**_training(trainer, prepared), **frozen}
    (folder / "training.json").write_text(json.dumps(training, indent=2) + "\n", encoding="utf-8")
    model.save(
        model_folder,
        about={
            **_about(settings, run, best.dev),
            **frozen,
            **_int8_scores(prepared, task, model_folder, best.dev),
            **assured,
        },
        task=task,
        segmenter=segment.read_segmenter(run),
        encoder=prepared.encoder,
    )
    trainer.checkpoint.unlink(missing_ok=True)
    (folder / "candidate.onnx").unlink(missing_ok=True)
    return (
        f"best epoch {trainer.best_epoch} of {len(trainer.history)}: "
        f"dev {task.said(best.dev)}; "
        f"{best.tokens_per_second:,.0f} tokens/s"
    )


def search(settings: Settings, run: Path, folder: Path, progress: Progress, after: Callable[[float], None]) -> float:
    """Trains with the files of a run's earlier stages, keeps no model, and returns the best dev metric.

    `folder` is for what an interrupted training goes on from; `after` is called with the dev metric of each epoch,
    those of an earlier attempt among them, and may raise to stop.
    """
    _load_keras(settings)
    import keras

    prepared = _prepare(settings, run)
    _, trainer = _trainer(settings, prepared, folder)
    trainer.restore()
    try:
        for epoch in [*trainer.history]:
            after(epoch.dev[settings.train.metric])
        for epoch in _epochs(settings, prepared, trainer, progress):
            after(epoch.dev[settings.train.metric])
    finally:
        keras.utils.clear_session()
    return trainer.history[trainer.best_epoch - 1].dev[settings.train.metric]


def _epochs(settings: Settings, prepared: Prepared, trainer: Trainer, progress: Progress) -> Iterator[Epoch]:
    with progress("train", total=settings.train.epochs * len(prepared.train), unit="texts") as advance:
        advance(len(trainer.history) * len(prepared.train))
        yield from trainer.epochs(advance)


def _load_keras(settings: Settings) -> None:
    """Imports Keras and its backend without noise. Raises PipelineError where TensorBoard is asked for in vain."""
    if settings.train.tensorboard and find_spec("tensorboard") is None:
        raise PipelineError("train.tensorboard needs TensorBoard: pip install zhpipe[tensorboard], or set it to false")
    with silent_stderr():
        import keras

        keras.ops.zeros(1)


def read_history(run: Path) -> list[dict[str, float]]:
    """The rows of history.csv."""
    with (run / "train" / "history.csv").open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read_training(run: Path) -> dict[str, Any]:
    """What training.json of a run holds."""
    training: dict[str, Any] = json.loads((run / "train" / "training.json").read_text(encoding="utf-8"))
    return training


def _prepare(settings: Settings, run: Path) -> Prepared:
    from pipeline.networks.network import Tables

    rows, dev_rows = segment.read_part(run, "train"), segment.read_part(run, "dev")
    texts, golds = [row.tokenised for row in rows], [row.label for row in rows]
    task = TASKS[settings.task].of(settings).fit(texts, golds)
    encoder, idf = _encoder(settings, run, task, texts)
    network = settings.network
    embeddings = {
        unit: _embeddings(
            network,
            embed.read_vectors(run, unit),
            encoder.vocabularies[unit],
            settings.embed.size,
            settings.seed,
        )
        for unit in encoder.reads
    }
    return Prepared(
        task=task,
        encoder=encoder,
        tables=Tables(
            embeddings,
            idf,
            task.head(),
            task.per_token,
            task.chained,
            _feature_tables(settings, run, encoder.features, texts),
        ),
        train_texts=texts,
        train=task.examples(encoder, texts, golds),
        dev_rows=dev_rows,
        dev=task.examples(encoder, [row.tokenised for row in dev_rows], [row.label for row in dev_rows]),
    )


def _encoder(settings: Settings, run: Path, task: Task, texts: Sequence[Tokenised]) -> tuple[Encoder, dict[str, Any]]:
    """The encoder, and for each wide part the value of each id: the idf in the train split, or 1."""
    network, wide, unit_of_tokens = settings.network, settings.network.wide, settings.segment.unit
    vocabularies = {unit: embed.read_vocabulary(run, unit) for unit in embed.units(settings)}
    plain = Encoder(network.units_read, vocabularies, {}, network.max_tokens, unit_of_tokens)
    chosen = {"min_count": wide.min_count, "max_features": wide.max_features}
    grams: dict[str, NgramVocabulary | ContextNgrams] = {}
    values: dict[str, Any] = {}
    for unit, longest in settings.grams.items():
        ids = plain.token_ids(unit, texts)
        if task.per_token:
            grams[unit] = windows = ContextNgrams.build(ids, longest=longest, window=wide.window, **chosen)
            values[unit] = windows.weights()
        else:
            grams[unit] = bags = NgramVocabulary.build(ids, longest=longest, **chosen)
            values[unit] = bags.idf(ids)
    affixes = None
    if settings.affixes:
        words = [text.tokens for text in texts]
        affixes = Affixes.build(words, longest=settings.affixes, min_count=wide.min_count)
        values["affix"] = affixes.weights()
    return replace(plain, ngrams=grams, affixes=affixes, features=_features(settings, run, texts)), values


def _features(settings: Settings, run: Path, texts: Sequence[Tokenised]) -> dict[str, Feature]:
    """What a tagger reads of each token beside its vector."""
    words = [text.tokens for text in texts]
    rarest = settings.network.features.min_count
    made: dict[str, Callable[[], Feature]] = {
        "bigrams": lambda: Bigrams(embed.read_vocabulary(run, "bigrams")),
        "segmentation": Segmentation,
        "lexicon": lambda: Lexicon(embed.read_vocabulary(run, "lexicon")),
        "characters": lambda: WordCharacters(Vocabulary.build(map("".join, words), min_count=rarest)),
        "affixes": lambda: WordAffixes(Affixes.build(words, longest=LONGEST_AFFIX, min_count=rarest)),
    }
    return {name: made[name]() for name in settings.network.features.widths}


def _feature_tables(
    settings: Settings, run: Path, features: Mapping[str, Feature], texts: Sequence[Tokenised]
) -> dict[str, FeatureTable]:
    from pipeline.networks.layers import FeatureTable

    tables = {}
    for name, width in settings.network.features.widths.items():
        vectors = embed.read_vectors(run, name) if name in settings.network.features.trained else None
        feature = features[name]
        if vectors is None or settings.network.embedding == "random":
            values = _drawn(len(feature), width, settings.seed)
        else:
            values = vectors.rows(feature.vocabulary, settings.seed)  # type: ignore[attr-defined]
        tables[name] = FeatureTable(values, shares(feature, [text.tokens for text in texts]), feature.groups)
    return tables


def _embeddings(
    network: NetworkSettings, vectors: Vectors | None, vocabulary: Vocabulary, width: int, seed: int
) -> Any:
    """float32 (vocabulary, width): the vectors, or else uniform in -0.05 to 0.05, the Keras default."""
    if vectors is None or network.embedding == "random":
        return _drawn(len(vocabulary), width, seed)
    return vectors.rows(vocabulary, seed)


def _drawn(rows: int, width: int, seed: int) -> Any:
    """float32 (rows, width), uniform in -0.05 to 0.05, the first row, of padding, 0."""
    table = np.random.default_rng(seed).uniform(-0.05, 0.05, (rows, width)).astype(np.float32)
    table[0] = 0
    return table


def _trainer(settings: Settings, prepared: Prepared, folder: Path) -> tuple[keras.Model, Trainer]:
    from pipeline.training.trainer import Trainer

    network = prepared.task.build(settings, prepared.tables)
    learner = prepared.task.learner(network, prepared.train)

    def measure() -> dict[str, float]:
        _save_graph(settings, prepared, network, folder / "candidate.onnx")
        return _dev_scores(prepared, _taught(prepared, network), OnnxNetwork(folder / "candidate.onnx"))

    trainer = Trainer(
        learner.network,
        prepared.train,
        prepared.task.loss(network, settings.train),
        settings.train,
        seed=settings.seed,
        checkpoint=folder / "checkpoint.npz",
        measure=measure,
        bptt_steps=prepared.task.window,
        feed=learner.feed,
    )
    return network, trainer


def _dev_scores(prepared: Prepared, task: Task, frozen: OnnxNetwork) -> dict[str, float]:
    """What a frozen network scores on dev."""
    answers = task.predict(frozen, prepared.encoder, [row.tokenised for row in prepared.dev_rows])
    return task.measure([row.outcome(answer) for row, answer in zip(prepared.dev_rows, answers, strict=True)])


def _taught(prepared: Prepared, network: keras.Model) -> Task:
    """The task with what the network learnt for it."""
    from pipeline.networks import network as networks

    return prepared.task.with_weights(networks.weights(network))


def _calibrated(prepared: Prepared, task: Task, leaked: Sequence[int], folder: Path) -> tuple[Task, dict[str, Any]]:
    """The task with confidence that dev bears out; and what model.toml says of it and of the texts the model knows.

    Measured on dev without its leaked rows, of which a model is surer than of others, unless there are no others.
    Writes confidence.csv. Nothing of this for a task whose answers make no claims.
    """
    if not task.claimed:
        return task, {}
    frozen, encoder = OnnxNetwork(folder / model.NETWORKS["float32"]), prepared.encoder
    not_fair = frozenset(leaked)
    rows = [row for place, row in enumerate(prepared.dev_rows) if place not in not_fair] or prepared.dev_rows
    texts, golds = [row.tokenised for row in rows], [row.label for row in rows]
    task, about, points = task.calibrated(frozen, encoder, texts, golds)
    thresholds.write(folder, points)
    dev = [row.tokenised for row in prepared.dev_rows]
    answers = [claim.label for found in task.predict(frozen, encoder, dev) for claim in task.claims(found)]
    familiar = drift.profile(prepared.encoder, prepared.train_texts, dev, answers)
    return task, {"confidence": about, "familiar": familiar}


def _save_graph(settings: Settings, prepared: Prepared, network: keras.Model, path: Path) -> None:
    from pipeline.networks import graph
    from pipeline.networks import network as networks

    graph.save(prepared.task.graph(settings.network, networks.weights(network), prepared.encoder), path)


def _freeze(settings: Settings, prepared: Prepared, task: Task, network: keras.Model, folder: Path) -> dict[str, Any]:
    """Writes the graphs; returns how far they are from Keras over dev, raises where that is too far.

    `difference_to_keras`: the greatest in logits; `different_answers`: texts, or pieces of long ones, to which the two
    give different answers.
    """
    from pipeline.networks import graph
    from pipeline.training.trainer import COMPILES_EACH_SHAPE

    path = folder / model.NETWORKS["float32"]
    _save_graph(settings, prepared, network, path)
    frozen = OnnxNetwork(path)
    difference, greatest, different = 0.0, 1.0, 0
    for positions in shuffled(prepared.dev, settings.train.batch_size, np.random.default_rng(settings.seed)):
        batch = pad(prepared.dev, positions, coarse=COMPILES_EACH_SHAPE)
        for scored in task.scores_of_both(network, frozen, prepared.encoder, batch):
            if not np.isfinite(scored.greatest):
                raise PipelineError(NO_NUMBERS)
            difference = float(np.maximum(difference, scored.difference))  # which keeps NaN
            greatest = max(greatest, scored.greatest)
            answers = (task.answers(scores, scored.lengths) for scores in (scored.trained, scored.frozen))
            different += int(np.any(np.not_equal(*answers), axis=1).sum())
    if not difference / greatest < TOLERANCE:
        raise PipelineError(
            f"the frozen network's logits differ from the trained one's by {difference}: please report this"
        )
    if settings.network.cell in graph.INT8_CELLS:
        graph.save_int8(path, folder / model.NETWORKS["int8"])
    return {"difference_to_keras": difference, "different_answers": different}


def _int8_scores(prepared: Prepared, task: Task, folder: Path, dev: Mapping[str, float]) -> dict[str, Any]:
    """What the int8 network, where there is one, scores on dev, and how much of each score it costs."""
    path = folder / model.NETWORKS["int8"]
    if not path.is_file():
        return {}
    found = _dev_scores(prepared, task, OnnxNetwork(path))
    return {"int8": {"dev": found, "lost": {name: dev[name] - found[name] for name in found if name != "loss"}}}


def _write_history(path: Path, history: Sequence[Epoch]) -> None:
    rows = [epoch.as_dict() for epoch in history]
    with replace_when_done(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _training(trainer: Trainer, prepared: Prepared) -> dict[str, Any]:
    stopped = "no better dev metric" if trainer.is_over else "all epochs done"
    return {
        "best_epoch": trainer.best_epoch,
        "epochs": len(trainer.history),
        "stopped": stopped,
        "seconds": round(sum(epoch.seconds for epoch in trainer.history), 3),
        "train_rows": len(prepared.train),
        "train_truncated": sum(example.truncated for example in prepared.train),
        "weights": int(sum(np.prod(variable.shape) for variable in trainer.network.trainable_variables)),
    }


def _about(settings: Settings, run: Path, dev: Mapping[str, float]) -> dict[str, Any]:
    return {
        "task": settings.task,
        "name": settings.name,
        "cell": settings.network.cell,
        "corpus": {"nfkc": settings.corpus.nfkc, "simplify": settings.corpus.simplify},
        "network": json.loads(settings.network.model_dump_json(exclude_none=True)),
        "dev": dict(dev),
        "training_data": {"sha256": model.sha256(run / "segment" / "train.csv")},
        "versions": versions(),
    }


def _tensorboard(settings: Settings, folder: Path, network: keras.Model) -> Any:
    """Called with each Epoch; writes nothing unless the settings ask for it."""
    if not settings.train.tensorboard:
        return lambda epoch: None
    import keras

    callback = keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)
    callback.set_model(network)
    return lambda epoch: callback.on_epoch_end(
        epoch.epoch, {name: value for name, value in epoch.as_dict().items() if name != "epoch"}
    )


def _inputs(settings: Settings, run: Path) -> Inputs:
    used = {
        "network": settings.network.model_dump(),
        "train": settings.train.model_dump(),
        "task": settings.task,
        "tag": settings.tag.model_dump(),
        "language": settings.language.model_dump(exclude={"order"}),
        "size": settings.embed.size,
        "seed": settings.seed,
    }
    folder = run / "segment"
    files = [folder / "train.csv", folder / "dev.csv", folder / "segmenter.json"]
    for unit in [*embed.units(settings), *settings.network.features.trained]:
        made = run / "embed" / unit
        files += [
            made / "vocabulary.txt",
            *(path for path in (made / "vectors.npy", made / "words.txt") if path.exists()),
        ]
    return Inputs(used, files, VERSION)


STAGE = Stage("train", ("train", "model"), _inputs, perform)
