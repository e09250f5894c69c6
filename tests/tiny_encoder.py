"""An encoder of random weights, made in a blink; states and probabilities of any encoder by the equations of LSTMs."""

import numpy as np

from embeddings.vocabulary import Vocabulary
from pipeline.pretrained import encoder as encoders
from pipeline.pretrained.card import Card
from pipeline.pretrained.encoder import DIRECTIONS, PretrainedEncoder

CHARACTERS = "我们在河边走，北京烤鸭好吃。会议明天项目报告附件"


def make_encoder(folder, *, name="tiny", units=(5, 4), width=6, precision="int8", seed=0):
    """An encoder's folder, as `save` writes it."""
    generator, arrays = np.random.default_rng(seed), {}

    def random(*shape):
        return generator.normal(0, 0.5, shape).astype(np.float32)

    for direction in DIRECTIONS:
        arrays[f"{direction}.embedding"] = random(len(CHARACTERS) + 2, width)
        for layer, (read, own) in enumerate(zip([width, *units], units, strict=False)):
            arrays[f"{direction}.{layer}.input"] = random(4 * own, read)
            arrays[f"{direction}.{layer}.recurrent"] = random(4 * own, own)
            arrays[f"{direction}.{layer}.bias"] = random(4 * own)
        if units[-1] != width:
            arrays[f"{direction}.projection"] = random(width, units[-1])
            arrays[f"{direction}.projection_bias"] = random(width)
        arrays[f"{direction}.scores_bias"] = random(len(CHARACTERS) + 2)
    card = Card(
        format_version=1,
        name=name,
        cell="lstm",
        precision=precision,
        width=width,
        units=list(units),
        licence="CC0 1.0",
        attribution="nobody",
        texts="none, for the weights are random",
        characters=1,
        perplexity={"forward": 30.0, "backward": 31.0},
    )
    folder.mkdir(parents=True)
    encoders.save(PretrainedEncoder(card, Vocabulary(CHARACTERS), arrays), folder)
    return folder


def states(encoder, text):
    """(characters, 2 * units): after each character from the left, and from the right; both begin with an end."""
    ids = encoder.vocabulary.ids(text).tolist()
    forward = _stack(encoder, "forward", [0, *ids])[1:]
    backward = _stack(encoder, "backward", [0, *ids[::-1]])[1:][::-1]
    return np.concatenate([forward, backward], axis=1)


def log_probabilities(encoder, direction, text):
    """(characters + 1,): ln p of each character in the order in which the direction reads, then of the end."""
    ids = encoder.vocabulary.ids(text[:: 1 if direction == "forward" else -1]).tolist()
    arrays = {name: array.astype(np.float64) for name, array in encoder.arrays.items()}
    reached = _stack(encoder, direction, [0, *ids])
    if f"{direction}.projection" in arrays:
        reached = reached @ arrays[f"{direction}.projection"].T + arrays[f"{direction}.projection_bias"]
    scores = reached @ arrays[f"{direction}.embedding"].T + arrays[f"{direction}.scores_bias"]
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return logs[np.arange(len(ids) + 1), [*ids, 0]]


def _stack(encoder, direction, ids):
    read = encoder.arrays[f"{direction}.embedding"][ids].astype(np.float64)
    for layer, units in enumerate(encoder.card.units):
        enter, recurrent, bias = (
            encoder.arrays[f"{direction}.{layer}.{part}"].astype(np.float64) for part in ("input", "recurrent", "bias")
        )
        state, memory, given = np.zeros(units), np.zeros(units), []
        for vector in read:
            gates = enter @ vector + recurrent @ state + bias
            i, f, o = (1 / (1 + np.exp(-gates[place * units : (place + 1) * units])) for place in (0, 1, 3))
            memory = f * memory + i * np.tanh(gates[2 * units : 3 * units])
            state = o * np.tanh(memory)
            given.append(state)
        read = np.array(given)
    return read
