"""A model with random weights, made in a blink and without Keras, for tests of labelling."""

import numpy as np

from embeddings.vocabulary import Vocabulary
from pipeline.config.network import NetworkSettings
from pipeline.encoding.encoder import Encoder
from pipeline.encoding.labels import Labels
from pipeline.models import model
from pipeline.networks import graph, quantise
from pipeline.segmentation.segmenter import Segmenter
from pipeline.tasks import Classify

WORDS = [*"很好吃不送餐快慢了，。abx", "味道", "服务", "态度", "今天", "天气", "电影", "好看", "难看", "text"]


def make_model(folder, labels=("好", "差", "中,等")):
    """A model folder: a two-way LSTM of 8 units over words, int8 beside float32, as training would leave it."""
    generator = np.random.default_rng(0)
    settings = NetworkSettings(cell="lstm", units=8, pooling="max")
    width, units = 6, 8

    def random(*shape):
        return generator.normal(0, 0.8, shape).astype(np.float32)

    weights = {"word_embedding/embeddings": random(len(WORDS) + 2, width)}
    for direction in ("forward", "backward"):
        weights[f"word_0_{direction}/kernel"] = random(width, 4 * units)
        weights[f"word_0_{direction}/recurrent_kernel"] = random(units, 4 * units)
        weights[f"word_0_{direction}/bias"] = random(4 * units)
    weights["scores/kernel"], weights["scores/bias"] = random(2 * units, len(labels)), random(len(labels))
    task = Classify(Labels(labels))
    folder.mkdir(parents=True)
    graph.save(graph.build(settings, weights, ("word",), ()), folder / "network.onnx")
    quantise.save_int8(folder / "network.onnx", folder / "network.int8.onnx")
    model.save(
        folder,
        about={
            "name": "random",
            "task": "classify",
            "corpus": {"nfkc": False, "simplify": False},
            "network": settings.model_dump(exclude_none=True),
        },
        task=task,
        answerer=task.answerer,
        segmenter=Segmenter(),
        encoder=Encoder(("word",), {"word": Vocabulary(WORDS)}, {}, 512, "word"),
    )
    return folder
