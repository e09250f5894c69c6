"""Taggers with random weights, made in a blink and without Keras, for tests of what is done with their answers."""

from dataclasses import replace

import numpy as np

from corpora import tags
from embeddings.vocabulary import Vocabulary
from pipeline.config.network import NetworkSettings
from pipeline.config.tag import TagSettings
from pipeline.encoding.encoder import Encoder
from pipeline.encoding.labels import Labels
from pipeline.models import model
from pipeline.networks import graph
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter
from pipeline.tagging.linear_chain import LinearChain
from pipeline.tasks import Tag

TOKENS = {"char": [*"去滨江步道骑车我爱吃北京烤鸭，。aN"], "word": ["去", "滨江步道", "骑车", "我", "爱", "北京", "，"]}
TYPES = {"entities": ("人", "地"), "words": ("",), "joint": ("n", "v"), "pos": ("n", "v", "w")}


def labels_of(kind, scheme):
    """The tags of a kind."""
    if kind == "pos":
        return Labels.build(TYPES[kind])
    named = tags.tag_set(TYPES[kind], scheme)
    return Labels.build(named if kind == "entities" else named[1:])


def make_task(kind, *, scheme="BMES", decode="crf", constrained=True, dictionary=None):
    """The task alone, which knows its tags."""
    options = TagSettings(kind=kind, scheme=scheme, decode=decode, constrained=constrained)
    unit = "word" if kind == "pos" else "char"
    return Tag(options, unit, labels_of(kind, scheme), dictionary=UserDictionary(dictionary or {}))


def make_answerer(kind, *, seed=0, **options):
    """The answerer of such a task, with a random chain."""
    generator, task = np.random.default_rng(seed), make_task(kind, **options)
    count = len(task.labels)
    shapes = ((count, count), (count,), (count,))
    learnt = LinearChain(*(generator.normal(0, 1, shape).astype(np.float32) for shape in shapes))
    return replace(task.answerer, learnt=None if task.options.decode == "greedy" else learnt)


def make_tagger(folder, kind="entities", *, max_tokens=64, dictionary=None, engine="rjieba", seed=0, **options):
    """A model folder: a two-way LSTM of 4 units, as training would leave it."""
    task = make_task(kind, dictionary=dictionary, **options)
    generator, width, units = np.random.default_rng(1), 6, 4

    def random(*shape):
        return generator.normal(0, 1, shape).astype(np.float32)

    unit = task.unit
    weights = {f"{unit}_embedding/embeddings": random(len(TOKENS[unit]) + 2, width)}
    for direction in ("forward", "backward"):
        weights[f"{unit}_0_{direction}/kernel"] = random(width, 4 * units)
        weights[f"{unit}_0_{direction}/recurrent_kernel"] = random(units, 4 * units)
        weights[f"{unit}_0_{direction}/bias"] = random(4 * units)
    weights["scores/kernel"], weights["scores/bias"] = random(2 * units, task.head.outputs), random(task.head.outputs)
    settings = NetworkSettings(cell="lstm", units=units)
    folder.mkdir(parents=True)
    graph.save(graph.build(settings, weights, (unit,), (), per_token=True), folder / "network.onnx")
    model.save(
        folder,
        about={
            "name": "random",
            "task": "tag",
            "corpus": {"nfkc": False, "simplify": False},
            "network": settings.model_dump(exclude_none=True),
        },
        task=task,
        answerer=make_answerer(kind, seed=seed, dictionary=dictionary, **options),
        segmenter=Segmenter(unit=unit, engine=engine, dictionary=task.dictionary),
        encoder=Encoder((unit,), {unit: Vocabulary(TOKENS[unit])}, {}, max_tokens, unit),
    )
    return folder
