"""The stages forward and backward: a language model of characters that reads each text in one direction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.config.settings import Settings
from pipeline.encoding.stored_texts import StoredTexts
from pipeline.pretrained import language_weights
from pipeline.progress import Progress
from pipeline.stages import prepare
from pipeline.stages.manifest import Inputs
from pipeline.stages.pretraining import texts
from pipeline.stages.pretraining.perplexity import UNIT, Examples, HeldOut, perplexity
from pipeline.stages.stage import Stage
from pipeline.stages.train import load_keras, write_history
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from pipeline.training.trainer import Trainer

VERSION = 2
WEIGHTS, CANDIDATE = "weights.npz", "candidate.onnx"


def perform(direction: str, settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes history.csv, training.json, and the weights of the best epoch, by the names of `networks.weights`."""
    folder = made[direction]
    load_keras(settings)
    from pipeline.networks import network as networks

    network, trainer = _trainer(direction, settings, run, folder)
    trainer.restore()
    total = settings.train.epochs * len(trainer.examples)
    with progress(f"train {direction}", total=total, unit="texts") as advance:
        advance(len(trainer.history) * len(trainer.examples))
        for _ in trainer.epochs(advance):
            write_history(folder / "history.csv", trainer.history)
    trainer.use_best()
    weights = networks.weights(network)
    with (folder / WEIGHTS).open("wb") as file:
        np.savez(file, **weights)  # type: ignore[arg-type]
    trainer.checkpoint.unlink(missing_ok=True)
    best = trainer.history[trainer.best_epoch - 1]
    about = {"best_epoch": trainer.best_epoch, "epochs": len(trainer.history), "dev_loss": best.dev["loss"]}
    (folder / "training.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return (
        f"best epoch {trainer.best_epoch} of {len(trainer.history)}: dev perplexity {best.dev['perplexity']:.2f}; "
        f"{best.tokens_per_second:,.0f} characters/s"
    )


def read_weights(run: Path, direction: str) -> dict[str, NDArray[np.float32]]:
    """The weights of the best epoch."""
    with np.load(run / direction / WEIGHTS, allow_pickle=False) as saved:
        return {name: saved[name] for name in saved.files}


def read_training(run: Path, direction: str) -> dict[str, Any]:
    """The content of training.json."""
    about: dict[str, Any] = json.loads((run / direction / "training.json").read_text(encoding="utf-8"))
    return about


def held_out(run: Path, part: str, direction: str) -> HeldOut:
    """The texts of a part that judge a direction."""
    return HeldOut(_stored(run, part, direction), texts.read_spelling(run))


def _stored(run: Path, part: str, direction: str) -> StoredTexts:
    vocabulary = Vocabulary.load(run / "texts" / texts.VOCABULARY)
    return StoredTexts(run / "texts", part, vocabulary, backwards=direction == "backward")


def _trainer(direction: str, settings: Settings, run: Path, folder: Path) -> tuple[Any, Trainer]:
    """A network, and what trains it."""
    from pipeline.networks import network as networks
    from pipeline.training.trainer import Trainer

    head = TASKS[settings.task].from_settings(settings).head
    examples, judged = Examples(_stored(run, "train", direction)), held_out(run, "dev", direction)
    vocabulary = examples.texts.vocabulary
    table = prepare.drawn(len(vocabulary), settings.embed.vector_size, settings.seed)
    given = _start(direction, settings, vocabulary)
    network = head.build(settings, networks.Tables({UNIT: table}, {}, head.outputs, pretrained=given))
    learner = head.learner(network, examples)

    def measure() -> dict[str, float]:
        nats = judged.nats(settings.network, networks.weights(network), folder / CANDIDATE)
        return {"loss": nats, "perplexity": perplexity(nats)}

    trainer = Trainer(
        learner.network,
        examples,
        head.loss(network, settings.train),
        settings.train,
        seed=settings.seed,
        checkpoint=folder / "checkpoint.npz",
        measure=measure,
        bptt_steps=head.bptt_steps,
        feed=learner.feed,
    )
    return network, trainer


def _start(direction: str, settings: Settings, vocabulary: Vocabulary) -> dict[str, NDArray[np.float32]]:
    """The weights of the encoder that training goes on from; none for random ones."""
    earlier = texts.encoder_of(settings)
    if earlier is None:
        return {}
    weights = language_weights.of(earlier.arrays, direction)
    return language_weights.carried(weights, earlier.vocabulary, vocabulary, settings.seed)


def _inputs(direction: str, settings: Settings, run: Path) -> Inputs:
    used = {
        "network": settings.network.model_dump(exclude={"encoder"}),
        "train": settings.train.model_dump(exclude={"from_model"}),
        "language": settings.language.model_dump(exclude={"ngram_order"}),
        "vector_size": settings.embed.vector_size,
        "seed": settings.seed,
    }
    names = (*(f"{part}.{kind}" for part in ("train", "dev") for kind in ("codes", "ends")), texts.VOCABULARY)
    files = [run / "texts" / name for name in (*names, "spelling.json")]
    return Inputs(used, [*files, *texts.encoder_files(settings)], VERSION)


STAGES = tuple(Stage(name, (name,), partial(_inputs, name), partial(perform, name)) for name in ("forward", "backward"))
