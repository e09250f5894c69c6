"""Freeze: a trained network becomes an ONNX graph, proven equal to it, calibrated on dev, and a model folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.settings import Settings
from pipeline.encoding.batch import pad, shuffled
from pipeline.errors import Diverged, NotFinite, PipelineError
from pipeline.models import drift, files, model, thresholds
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.stages.prepare import Prepared
from pipeline.tasks import Answerer

NO_NUMBERS = "train: the scores are no longer numbers: lower train.learning_rate or set train.clip_norm"
MOST_LOST = 0.001  # of the dev score that chose the epoch, by int8, for it to answer unless a user wants float32
TOLERANCE = 1e-4  # largest difference in logits between the trained and the frozen network; a share of larger logits


def save_graph(settings: Settings, prepared: Prepared, network: Any, path: Path) -> None:
    """Writes a Keras network as an ONNX graph."""
    from pipeline.networks import graph
    from pipeline.networks import network as networks

    graph.save(prepared.task.head.graph(settings.network, networks.weights(network), prepared.encoder), path)


def answerer_of(prepared: Prepared, network: Any) -> Answerer[Any]:
    """The task's answerer with what a Keras network has learnt for it."""
    from pipeline.networks import network as networks

    return prepared.task.answerer.with_weights(networks.weights(network))


def dev_scores(prepared: Prepared, answerer: Answerer[Any], frozen: OnnxNetwork) -> dict[str, float]:
    """The scores of a frozen network on the fair rows of dev. Raises Diverged if its logits are not finite."""
    judge, rows = prepared.task.judge, prepared.fair_rows
    try:
        answers = answerer.predict(frozen, prepared.encoder, [row.tokenised for row in rows])
    except NotFinite:
        raise Diverged(NO_NUMBERS) from None
    return judge.measure(
        [judge.outcome(row.row, row.tokenised, row.gold, answer) for row, answer in zip(rows, answers, strict=True)]
    )


def freeze(
    settings: Settings, prepared: Prepared, answerer: Answerer[Any], network: Any, folder: Path
) -> dict[str, Any]:
    """Writes the graphs into a model folder, and compares them with Keras on dev.

    `difference_to_keras`: the largest in logits; `different_answers`: texts, or pieces of long ones, that the two
    answer differently. Raises PipelineError if the logits differ by more than `TOLERANCE` or are no numbers.
    """
    from pipeline.networks import quantise

    path = folder / files.NETWORKS["float32"]
    save_graph(settings, prepared, network, path)
    compared = _compared(settings, prepared, answerer, network, OnnxNetwork(path))
    if settings.network.cell in quantise.INT8_CELLS or prepared.encoder.pretrained:
        quantise.save_int8(path, folder / files.NETWORKS["int8"])
    return compared


def _compared(
    settings: Settings, prepared: Prepared, answerer: Answerer[Any], network: Any, frozen: OnnxNetwork
) -> dict[str, Any]:
    from pipeline.training.trainer import COMPILES_EACH_SHAPE

    difference, greatest, different = 0.0, 1.0, 0
    for positions in shuffled(prepared.dev, settings.train.batch_size, np.random.default_rng(settings.seed)):
        batch = pad(prepared.dev, positions, coarse=COMPILES_EACH_SHAPE)
        for scored in prepared.task.head.scores_of_both(network, frozen, prepared.encoder, batch):
            if not np.isfinite(scored.greatest):
                raise PipelineError(NO_NUMBERS)
            difference = float(np.maximum(difference, scored.difference))  # which keeps NaN, as max() does not
            greatest = max(greatest, scored.greatest)
            choices = (answerer.choices(scores, scored.lengths) for scores in (scored.trained, scored.frozen))
            different += int(np.any(np.not_equal(*choices), axis=1).sum())
    if not difference / greatest < TOLERANCE:
        raise PipelineError(
            f"the frozen network's logits differ from the trained one's by {difference}: please report this"
        )
    return {"difference_to_keras": difference, "different_answers": different}


def calibrate(
    prepared: Prepared, answerer: Answerer[Any], folder: Path, precision: model.Precision
) -> tuple[Answerer[Any], dict[str, Any]]:
    """The answerer with confidences that fit dev, and what model.toml says about confidence and drift.

    Uses the fair rows of dev: a model is more confident about rows that it has memorised. Writes confidence.csv. Does
    nothing if the answers make no claims.
    """
    if not answerer.claimed:
        return answerer, {}
    frozen, encoder = OnnxNetwork(folder / files.NETWORKS[precision]), prepared.encoder
    rows = prepared.fair_rows
    texts, golds = [row.tokenised for row in rows], [row.gold for row in rows]
    answerer, about, points = answerer.calibrated(frozen, encoder, texts, golds)
    thresholds.write(folder, points)
    dev = [row.tokenised for row in prepared.dev_rows]
    answers = answerer.predict(frozen, encoder, dev)
    labels = [label for answer in answers for label in answerer.labels_of(answer)]
    return answerer, {"confidence": about, "drift": drift.profile(encoder, prepared.train_texts, dev, labels)}


def leave_out_float32(settings: Settings, folder: Path, precision: model.Precision) -> None:
    """Removes the float32 network where the int8 one answers and the settings keep no other."""
    if precision == "int8" and not settings.train.keep_float32:
        (folder / files.NETWORKS["float32"]).unlink()


def int8_scores(prepared: Prepared, answerer: Answerer[Any], folder: Path, dev: Mapping[str, float]) -> dict[str, Any]:
    """The scores of the int8 network on dev, if there is one, and how much lower each is."""
    path = folder / files.NETWORKS["int8"]
    if not path.is_file():
        return {}
    found = dev_scores(prepared, answerer, OnnxNetwork(path))
    return {"int8": {"dev": found, "lost": {name: dev[name] - found[name] for name in found if name != "loss"}}}


def precision(prepared: Prepared, metric: str, int8: Mapping[str, Any]) -> model.Precision:
    """The network that answers unless a user wants the other: int8 where its dev score is at most `MOST_LOST` lower.

    `metric`: the score that chose the epoch; where that is the loss, which is no share, every other score counts. A
    mean over labels that are rare hangs on single answers, so it counts only where it was chosen. `int8`: from
    `int8_scores`. The scores of a language model are no shares, and it keeps float32.
    """
    if not int8 or not prepared.task.answerer.claimed:
        return "float32"
    lost = int8["int8"]["lost"]
    return "int8" if lost.get(metric, max(lost.values())) <= MOST_LOST else "float32"
