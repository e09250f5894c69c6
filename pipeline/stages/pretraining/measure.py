"""The stage measure: both directions become the folder of an encoder, with a card that says how good it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.config.settings import Settings
from pipeline.errors import Diverged, SettingsError
from pipeline.models import schema
from pipeline.pretrained import encoder as pretrained
from pipeline.pretrained import language_weights
from pipeline.pretrained.card import FORMAT_VERSION, Card, PerplexityTable
from pipeline.pretrained.encoder import DIRECTIONS, PretrainedEncoder
from pipeline.progress import Progress
from pipeline.stages.manifest import Inputs
from pipeline.stages.pretraining import direction, texts
from pipeline.stages.pretraining.perplexity import NO_NUMBERS, perplexity
from pipeline.stages.stage import Stage

VERSION = 1
GRAPH = "candidate.onnx"
Array = NDArray[np.float32]


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes the encoder's folder, and perplexity.json: on test, as it was trained and as it is stored."""
    folder, precision = made["encoder"], settings.pretrain.precision
    arrays: dict[str, Array] = {}
    found: dict[str, dict[str, float]] = {}
    with progress("measure", total=len(DIRECTIONS), unit="directions") as advance:
        for name in DIRECTIONS:
            trained = language_weights.arrays(direction.read_weights(run, name), name)
            stored = {part: pretrained.rounded(array, precision) for part, array in trained.items()}
            arrays |= stored
            judged = direction.held_out(run, "test", name)
            found[name] = {
                said: perplexity(
                    judged.nats(settings.network, language_weights.of(each, name), made["measure"] / GRAPH)
                )
                for said, each in (("trained", trained), ("stored", stored))
            }
            if not np.isfinite(found[name]["stored"]):
                raise Diverged(NO_NUMBERS)
            advance(1)
    (made["measure"] / "perplexity.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    card = _card(settings, run, arrays, PerplexityTable(**{name: each["stored"] for name, each in found.items()}))
    pretrained.save(PretrainedEncoder(card, Vocabulary.load(run / "texts" / texts.VOCABULARY), arrays), folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    said = ", ".join(f"{each['stored']:.2f} {name}s ({each['trained']:.2f} as trained)" for name, each in found.items())
    return f"test perplexity {said}; {size / 1e6:.2f} MB in {precision}"


def check_card(settings: Settings) -> None:
    """Raises SettingsError, with the key, if a card can't say what the settings say; ModelError for a bad encoder."""
    told = _told(settings)
    try:
        Card(**told, texts="-", characters=1, perplexity=PerplexityTable(forward=2.0, backward=2.0))
    except ValueError as error:
        raise SettingsError(f"card: {schema.problem_of(error)}") from None


def _card(settings: Settings, run: Path, arrays: Mapping[str, Array], perplexities: PerplexityTable) -> Card:
    about = texts.read_about(run)
    names = ", ".join(source["name"] for source in about["sources"])
    return Card(
        **_told(settings),
        texts=settings.card.texts or names[:4000],
        characters=about["characters"]["train"],
        perplexity=perplexities,
        sources=about["sources"],
        training=_training(settings, run, about, sum(array.size for array in arrays.values())),
    )


def _told(settings: Settings) -> dict[str, Any]:
    """What the settings alone say."""
    told, start = settings.card, texts.encoder_of(settings)
    origin = f" Goes on from {start.card.name}: {start.card.attribution}" if start else ""
    return {
        "format_version": FORMAT_VERSION,
        "name": settings.name,
        "cell": "lstm",
        "precision": settings.pretrain.precision,
        "width": settings.embed.vector_size,
        "units": list(settings.network.widths),
        "licence": told.licence,
        "attribution": told.attribution + origin,
        "notes": " ".join(filter(None, (told.description, told.limits))),
    }


def _training(settings: Settings, run: Path, about: Mapping[str, Any], weights: int) -> dict[str, int | float | str]:
    """How it was trained, as flat values."""
    train, start = settings.train, texts.encoder_of(settings)
    epochs = {f"epochs_{name}": direction.read_training(run, name)["best_epoch"] for name in DIRECTIONS}
    return {
        "weights": weights,
        **{f"texts_{part}": count for part, count in about["texts"].items()},
        **epochs,
        "seed": settings.seed,
        "optimizer": train.optimizer,
        **({"learning_rate": train.learning_rate} if train.learning_rate else {}),
        "schedule": train.schedule,
        "batch_size": train.batch_size,
        "bptt_steps": settings.language.bptt_steps,
        "dropout": settings.network.dropout,
        "embedding_dropout": settings.network.embedding_dropout,
        "min_count": settings.embed.min_count,
        **({"started_from": start.card.name} if start else {}),
    }


def _inputs(settings: Settings, run: Path) -> Inputs:
    used = {"name": settings.name, "precision": settings.pretrain.precision, "card": settings.card.told()}
    files = [run / name / direction.WEIGHTS for name in DIRECTIONS]
    kept = ("test.codes", "test.ends", texts.VOCABULARY, "spelling.json", "texts.json")
    return Inputs(used, [*files, *(run / "texts" / name for name in kept)], VERSION)


STAGE = Stage("measure", ("measure", "encoder"), _inputs, perform)
