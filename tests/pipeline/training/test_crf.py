"""Training of linear chains, against decoding, which is tested by enumeration, and against finite differences."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import chain_oracle
import numpy as np
import pytest
from keras import ops

from pipeline.tagging import linear_chain, viterbi
from pipeline.tagging.linear_chain import LinearChain
from pipeline.training import crf

BATCH, STEPS, TAGS = 5, 6, 4


def random_chain(seed=0, steps=STEPS, tags=TAGS, scale=2.0, forbidden=0.0, padding=np.nan):
    """Scores with padding that isn't a number, lengths of 1 to `steps`, tags, transitions, start, end."""
    generator = np.random.default_rng(seed)
    lengths = np.r_[steps, 1, generator.integers(1, steps + 1, BATCH - 2)].astype(np.int32)
    scores = generator.normal(0, scale, (BATCH, steps, tags)).astype(np.float32)
    scores[np.arange(steps) >= lengths[:, None]] = padding
    paths = generator.integers(0, tags, (BATCH, steps)).astype(np.int32)
    sides = [generator.normal(0, 1, shape) for shape in ((tags, tags), (tags,), (tags,))]
    allowed = [generator.random(side.shape) >= forbidden for side in sides]
    for each in allowed:
        each[(0,) * each.ndim] = True
    sides = [linear_chain.forbid(side, may) for side, may in zip(sides, allowed, strict=True)]
    return scores, lengths, paths, *sides


def for_decoding(chain):
    """What the functions in NumPy take."""
    scores, lengths, _, *sides = chain
    return scores, lengths, LinearChain(*sides)


CHAINS = {
    "plain": {},
    "one step": {"steps": 1},
    "one tag": {"tags": 1},
    "forbidden": {"forbidden": 0.3, "seed": 4},
    "steep": {"scale": 60.0},
    "many tags": {"tags": 40, "steps": 9},
}


@pytest.mark.parametrize("options", CHAINS.values(), ids=CHAINS.keys())
def test_partition_and_likelihood_are_those_of_decoding(options):
    chain = random_chain(**options)
    scores, lengths, paths, *sides = chain
    arguments = for_decoding(chain)
    total = np.asarray(crf.log_partition(scores, lengths, *sides))
    assert total == pytest.approx(chain_oracle.log_partition(*arguments), rel=1e-5, abs=1e-4)
    best = viterbi.best_path(*arguments)
    log = np.asarray(crf.log_likelihood(scores, lengths, best, *sides))
    assert log == pytest.approx(chain_oracle.log_probability(best, *arguments), rel=1e-5, abs=1e-4)
    allowed = np.isfinite(chain_oracle.log_probability(paths, *arguments))
    theirs = chain_oracle.log_probability(paths, *arguments)[allowed]
    assert np.asarray(crf.log_likelihood(*chain))[allowed] == pytest.approx(theirs, rel=1e-5, abs=1e-4)
    assert (np.asarray(crf.log_likelihood(*chain))[~allowed] < -1000).all()


@pytest.mark.parametrize("options", CHAINS.values(), ids=CHAINS.keys())
def test_memm_likelihood_is_that_of_decoding(options):
    chain = random_chain(**options)
    scores, lengths, _, *sides = chain
    arguments = viterbi.normalise_locally(*for_decoding(chain)), lengths, LinearChain(*sides)
    best = viterbi.best_path(*arguments)
    expected = chain_oracle.log_probability(best, *arguments) + chain_oracle.log_partition(*arguments)
    ours = np.asarray(crf.memm_log_likelihood(scores, lengths, best, *sides))
    assert ours == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_greedy_likelihood_is_the_sum_of_log_softmax():
    scores, lengths, paths, *_ = random_chain()
    ours = np.asarray(crf.greedy_log_likelihood(scores, lengths, paths))
    for row, length in enumerate(lengths):
        logs = scores[row, :length] - np.log(np.exp(scores[row, :length]).sum(axis=1, keepdims=True))
        assert ours[row] == pytest.approx(logs[np.arange(length), paths[row, :length]].sum(), abs=1e-5)


def likelihoods():
    """Each of the three, as a function of the same six arguments."""
    return {
        "crf": crf.log_likelihood,
        "maxent": crf.memm_log_likelihood,
        "greedy": lambda scores, lengths, paths, *sides: crf.greedy_log_likelihood(scores, lengths, paths),
    }


def gradients(function, chain):
    """d sum(function) / d scores, transitions, start, end."""
    import tensorflow as tf

    scores, lengths, paths, *sides = chain
    watched = [tf.Variable(value) for value in (scores, *sides)]

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            value = ops.sum(function(watched[0], lengths, paths, *watched[1:]))
        return tape.gradient(value, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return [tf.convert_to_tensor(gradient).numpy() for gradient in compute()]


@pytest.mark.parametrize("kind", ["crf", "maxent", "greedy"])
def test_gradients_are_finite_differences(kind):
    function = likelihoods()[kind]
    chain = random_chain(padding=0.0, scale=1.0)
    generator = np.random.default_rng(1)
    for place, gradient in zip((0, 3, 4, 5), gradients(function, chain), strict=True):
        direction = generator.normal(size=chain[place].shape).astype(np.float32)
        values = []
        for step in (0.01, -0.01):
            moved = list(chain)
            moved[place] = chain[place] + step * direction
            values.append(float(ops.sum(function(*moved))))
        difference = (values[0] - values[1]) / 0.02
        assert (gradient * direction).sum() == pytest.approx(difference, rel=0.01, abs=0.01)


def test_gradient_of_the_partition_is_the_marginals():
    chain = random_chain(forbidden=0.3, seed=4)

    def total(scores, lengths, paths, *sides):
        return crf.log_partition(scores, lengths, *sides)

    gradient = gradients(total, chain)
    assert gradient[0] == pytest.approx(chain_oracle.marginals(*for_decoding(chain)), abs=1e-5)
    for side, each in zip(chain[3:], gradient[1:], strict=True):
        assert (each[np.isneginf(side)] == 0).all()


@pytest.mark.parametrize("kind", ["crf", "maxent", "greedy"])
def test_padding_gives_neither_value_nor_gradient(kind):
    function = likelihoods()[kind]
    broken = random_chain(padding=np.nan)
    whole = random_chain(padding=7.0)
    broken[2][np.arange(STEPS) >= broken[1][:, None]] = linear_chain.PADDING
    assert np.array_equal(np.asarray(function(*broken)), np.asarray(function(*whole)))
    for ours, theirs in zip(gradients(function, broken), gradients(function, whole), strict=True):
        assert np.isfinite(ours).all()
        assert np.allclose(ours, theirs)
    outside = np.arange(STEPS) >= broken[1][:, None]
    assert (gradients(function, broken)[0][outside] == 0).all()


@pytest.mark.parametrize("kind", ["crf", "maxent", "greedy"])
def test_a_text_counts_alike_alone_and_in_a_batch_and_however_its_scores_are_shifted(kind):
    function = likelihoods()[kind]
    scores, lengths, paths, *sides = random_chain()
    batched = np.asarray(function(scores, lengths, paths, *sides))
    shift = np.random.default_rng(1).normal(0, 100, (BATCH, STEPS, 1)).astype(np.float32)
    assert np.asarray(function(scores + shift, lengths, paths, *sides)) == pytest.approx(batched, abs=1e-3)
    for row, length in enumerate(lengths):
        alone = scores[row : row + 1, :length], lengths[row : row + 1], paths[row : row + 1, :length]
        assert np.asarray(function(*alone, *sides))[0] == pytest.approx(batched[row], abs=1e-5)


def test_long_texts_stay_exact():
    """Over 500 steps, float32 keeps the likelihood to 1 in 1,000."""
    chain = random_chain(steps=500, scale=5.0)
    scores, lengths, _, *sides = chain
    best = viterbi.best_path(*for_decoding(chain))
    ours = np.asarray(crf.log_likelihood(scores, lengths, best, *sides))
    assert ours == pytest.approx(chain_oracle.log_probability(best, *for_decoding(chain)), rel=1e-3, abs=1e-3)


JAX = """
import sys
sys.path[:0] = {tests!r}
import jax, numpy as np
from test_crf import CHAINS, LinearChain, chain_oracle, crf, random_chain, viterbi
for name in ('one step', 'forbidden', 'steep'):
    options = CHAINS[name]
    scores, lengths, _, *sides = random_chain(**options)
    arguments = scores, lengths, LinearChain(*sides)
    best = viterbi.best_path(*arguments)
    value = jax.jit(crf.log_likelihood)(scores, lengths, best, *sides)
    assert np.allclose(value, chain_oracle.log_probability(best, *arguments), rtol=1e-4, atol=1e-4)
    marginals = jax.jit(jax.grad(lambda *chain: crf.log_partition(*chain).sum()))(scores, lengths, *sides)
    assert np.allclose(marginals, chain_oracle.marginals(*arguments), atol=1e-4)
    assert np.isfinite(crf.memm_log_likelihood(scores, lengths, best, *sides)).all()
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_jax_gives_the_same():
    script = JAX.format(tests=[str(Path(__file__).parent), str(Path(chain_oracle.__file__).parent)])
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiled", [False, True])
def test_batches_of_any_shape_pass_through_one_traced_function(compiled):
    import tensorflow as tf

    floats, ints = (lambda *shape: tf.TensorSpec(shape, tf.float32)), (lambda *shape: tf.TensorSpec(shape, tf.int32))
    size = (BATCH, STEPS) if compiled else (None, None)
    sides = floats(TAGS, TAGS), floats(TAGS), floats(TAGS)
    signature = [floats(*size, TAGS), ints(size[0]), ints(*size), *sides]
    traced = tf.function(crf.log_likelihood, input_signature=signature, jit_compile=compiled)
    for steps in (STEPS,) if compiled else (1, STEPS, 11):
        chain = random_chain(steps=steps)
        assert np.asarray(traced(*chain)) == pytest.approx(np.asarray(crf.log_likelihood(*chain)), abs=1e-4)
