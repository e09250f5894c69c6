"""Train: a network is trained, the best epoch chosen on dev, and the model folder written."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.files import replace_when_done
from pipeline.config.settings import Settings
from pipeline.errors import PipelineError
from pipeline.models import model
from pipeline.models.files import SUMS
from pipeline.models.model import find_model
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.pretrained import encoder as pretrained
from pipeline.progress import Progress
from pipeline.provenance import sha256, versions
from pipeline.stages import combine, combine_labels, embed, freeze
from pipeline.stages.frozen_encoder import FrozenEncoder
from pipeline.stages.manifest import Inputs
from pipeline.stages.prepare import Prepared, prepare
from pipeline.stages.stage import Stage
from pipeline.training.silence import silent_stderr

if TYPE_CHECKING:
    import keras

    from pipeline.models.earlier_model import EarlierModel
    from pipeline.training.trainer import Epoch, Trainer

VERSION = 10
# On the machine that trains; a model says nothing of it.
PATHS: dict[str, Any] = {"features": {"bigrams_table", "lexicon_table"}, "encoder": True}
CANDIDATE = "candidate.onnx"  # the network as it is, to score dev with
WAY_OUT = (
    "train longer (train.epochs, train.patience), try another train.learning_rate or a smaller train.batch_size, and "
    "look at the labels with zhpipe inspect"
)


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes train/history.csv and train/training.json, and the model folder."""
    folder, model_folder = made["train"], made["model"]
    load_keras(settings)
    prepared = prepare(settings, run)
    network, trainer = _trainer(settings, prepared, folder, progress)
    trainer.restore()
    tensorboard = _tensorboard(settings, folder, network)
    for epoch in _epochs(settings, prepared, trainer, progress):
        write_history(folder / "history.csv", trainer.history)
        tensorboard(epoch)
    best = trainer.history[trainer.best_epoch - 1]
    parts, dev = _finish(settings, prepared, trainer, network, folder)
    answerer = freeze.answerer_of(prepared, network)
    frozen = freeze.freeze(settings, prepared, answerer, network, model_folder)
    int8 = freeze.int8_scores(prepared, answerer, model_folder, dev)
    precision = freeze.precision(prepared, settings.train.metric, int8)
    freeze.leave_out_float32(settings, model_folder, precision)
    answerer, calibrated = freeze.calibrate(prepared, answerer, model_folder, precision)
    training = {**_training(trainer, prepared), **frozen, **({"parts": parts} if parts else {})}
    (folder / "training.json").write_text(json.dumps(training, indent=2) + "\n", encoding="utf-8")
    measured = {"precision": precision, **frozen, **int8, **calibrated}
    model.save(
        model_folder,
        about={**_about(settings, run, dev), **_start(prepared), **measured},
        task=prepared.task,
        answerer=answerer,
        segmenter=prepared.segmenter,
        encoder=prepared.encoder,
    )
    trainer.checkpoint.unlink(missing_ok=True)
    (folder / CANDIDATE).unlink(missing_ok=True)
    learnt = prepared.task.judge.nothing_learnt(dev, [row.gold for row in prepared.fair_rows])
    said = [
        f"best epoch {trainer.best_epoch} of {len(trainer.history)}: dev {prepared.task.judge.summary(dev)}",
        f"{learnt}: {WAY_OUT}" if learnt else "",
        combine.summary(parts),
        _said_of(int8, precision),
        _whose(prepared),
        f"{best.tokens_per_second:,.0f} tokens/s",
    ]
    return "; ".join(filter(None, said))


def search(settings: Settings, run: Path, folder: Path, progress: Progress, after: Callable[[float], None]) -> float:
    """Trains on the files of a run's earlier stages, keeps no model, and returns the best dev metric.

    `folder` is for what an interrupted training continues from; `after` is called with the dev metric of each epoch,
    also those of an earlier attempt, and may raise to stop. Only rows of dev that did not leak count.
    """
    load_keras(settings)
    import keras

    prepared = prepare(settings, run)
    network, trainer = _trainer(settings, prepared, folder, progress)
    trainer.restore()
    try:
        for epoch in [*trainer.history]:
            after(epoch.dev[settings.train.metric])
        for epoch in _epochs(settings, prepared, trainer, progress):
            after(epoch.dev[settings.train.metric])
        _, dev = _finish(settings, prepared, trainer, network, folder)
    finally:
        keras.utils.clear_session()
    return dev[settings.train.metric]


def load_keras(settings: Settings) -> None:
    """Imports Keras and its backend without noise.

    Raises PipelineError if the backend is missing, or TensorBoard, if it is asked for.
    """
    if settings.train.tensorboard and find_spec("tensorboard") is None:
        raise PipelineError("train.tensorboard needs TensorBoard: pip install zhpipe[tensorboard], or set it to false")
    try:
        with silent_stderr():
            import keras

            keras.ops.zeros(1)
    except (ModuleNotFoundError, ValueError) as error:
        if (backend := os.environ.get("KERAS_BACKEND", "tensorflow")) == "tensorflow":
            raise
        raise PipelineError(
            f"KERAS_BACKEND is {backend}, which can't be loaded ({error}): install it, or unset KERAS_BACKEND"
        ) from None


def read_history(run: Path) -> list[dict[str, float]]:
    """The rows of a run's history.csv."""
    with (run / "train" / "history.csv").open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read_training(run: Path) -> dict[str, Any]:
    """The content of a run's training.json."""
    training: dict[str, Any] = json.loads((run / "train" / "training.json").read_text(encoding="utf-8"))
    return training


def _trainer(settings: Settings, prepared: Prepared, folder: Path, progress: Progress) -> tuple[keras.Model, Trainer]:
    from pipeline.training.trainer import Trainer

    head = prepared.task.head
    network = head.build(settings, prepared.tables)
    if prepared.earlier:
        _go_on(network, prepared, prepared.earlier)
    candidate = folder / CANDIDATE
    frozen = None
    if settings.network.encoder != "none" and settings.network.encoder_mode == "frozen":
        freeze.save_graph(settings, prepared, network, candidate)
        frozen = FrozenEncoder.of(candidate, prepared.train, progress)
    learner = frozen.learner(network) if frozen else head.learner(network, prepared.train)

    def measure() -> dict[str, float]:
        freeze.save_graph(settings, prepared, network, candidate)
        reader = frozen.reader(candidate) if frozen else OnnxNetwork(candidate)
        return freeze.dev_scores(prepared, freeze.answerer_of(prepared, network), reader)

    trainer = Trainer(
        learner.network,
        prepared.train,
        head.loss(network, settings.train),
        settings.train,
        seed=settings.seed,
        checkpoint=folder / "checkpoint.npz",
        measure=measure,
        bptt_steps=head.bptt_steps,
        feed=learner.feed,
    )
    return network, trainer


def _go_on(network: keras.Model, prepared: Prepared, earlier: EarlierModel) -> None:
    """Gives a new network the weights of an earlier model."""
    from pipeline.networks import network as networks

    fresh = networks.weights(network)
    networks.assign(network, earlier.carried(fresh, prepared.task, prepared.encoder))


def _finish(
    settings: Settings, prepared: Prepared, trainer: Trainer, network: keras.Model, folder: Path
) -> tuple[dict[str, Any], dict[str, float]]:
    """Gives the network its final weights; returns what each of its parts is worth, and the dev scores."""
    trainer.use_best()
    candidate = folder / CANDIDATE
    parts = combine.combine(settings, prepared, network, candidate) or combine_labels.combine(
        settings, prepared, network, candidate
    )
    if not parts:
        return parts, trainer.history[trainer.best_epoch - 1].dev
    freeze.save_graph(settings, prepared, network, folder / CANDIDATE)
    frozen = OnnxNetwork(folder / CANDIDATE)
    return parts, freeze.dev_scores(prepared, freeze.answerer_of(prepared, network), frozen)


def _epochs(settings: Settings, prepared: Prepared, trainer: Trainer, progress: Progress) -> Iterator[Epoch]:
    with progress("train", total=settings.train.epochs * len(prepared.train), unit="texts") as advance:
        advance(len(trainer.history) * len(prepared.train))
        yield from trainer.epochs(advance)


def write_history(path: Path, history: Sequence[Epoch]) -> None:
    """Writes history.csv, a row an epoch."""
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
        "vector_size": settings.embed.vector_size,
        "metric": settings.train.metric,
        "corpus": {"nfkc": settings.corpus.nfkc, "simplify": settings.corpus.simplify},
        "network": json.loads(settings.network.model_dump_json(exclude_none=True, exclude=PATHS)),
        "dev": dict(dev),
        **({"card": told} if (told := settings.card.told()) else {}),
        "training_data": {"sha256": sha256(run / "segment" / "train.csv")},
        "versions": versions(),
    }


def _start(prepared: Prepared) -> dict[str, Any]:
    """What a model that started from a pretrained encoder says of it: its weights are changed, and still its."""
    if prepared.pretrained is None or prepared.encoder.pretrained:
        return {}
    return {"started_from": prepared.pretrained.about()}


def _said_of(int8: Mapping[str, Any], precision: model.Precision) -> str:
    """What int8 loses, and who answers for it; nothing if there is no int8 network."""
    if not int8:
        return ""
    lost = {name: max(0.0, value) for name, value in int8["int8"]["lost"].items()}
    shown = ", ".join(f"{100 * value:.1f} points of {name}" for name, value in lost.items() if value) or "nothing"
    return f"int8 loses {shown} on dev: {precision} answers"


def _whose(prepared: Prepared) -> str:
    """Whose weights are in the model, what share of train they know, and on what terms; nothing if all are its own."""
    own = prepared.pretrained
    if own is None:
        return ""
    counts = Counter(character for text in prepared.train_texts for token in text.tokens for character in token)
    known = sum(count for character, count in counts.items() if character in own.vocabulary) / counts.total()
    return f"{own.name} knows {known:.1%} of train's characters, and is part of the model, under {own.licence}"


def _tensorboard(settings: Settings, folder: Path, network: keras.Model) -> Callable[[Epoch], None]:
    """What to call with each Epoch; it writes nothing unless the settings ask for it."""
    if not settings.train.tensorboard:
        return lambda epoch: None
    import keras

    callback = keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)
    callback.set_model(network)

    def write(epoch: Epoch) -> None:
        values = {name: value for name, value in epoch.as_dict().items() if name != "epoch"}
        callback.on_epoch_end(epoch.epoch, values)

    return write


def _inputs(settings: Settings, run: Path) -> Inputs:
    used = {
        "network": settings.network.model_dump(),
        "train": settings.train.model_dump(exclude={"from_model"}),
        "task": settings.task,
        "tag": settings.tag.model_dump(),
        "language": settings.language.model_dump(exclude={"ngram_order"}),
        "vector_size": settings.embed.vector_size,
        "seed": settings.seed,
        **({"card": told} if (told := settings.card.told()) else {}),  # none: as in runs before there were cards
    }
    folder = run / "segment"
    files = [folder / "train.csv", folder / "dev.csv", folder / "segmenter.json"]
    if settings.network.encoder != "none":
        files.append(pretrained.folder_of(settings.network.encoder) / SUMS)
    for unit in [*embed.units(settings), *settings.network.features.trained]:
        made = run / "embed" / unit
        files += [
            made / "vocabulary.txt",
            *(path for path in (made / "vectors.npy", made / "words.txt") if path.exists()),
        ]
    if settings.train.from_model:
        files.append(find_model(settings.train.from_model) / "SHA256SUMS")
    return Inputs(used, files, VERSION)


STAGE = Stage("train", ("train", "model"), _inputs, perform)
