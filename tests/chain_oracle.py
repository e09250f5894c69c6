"""Single results of a linear chain for tests, which `test_viterbi` checks against the enumeration of all sequences."""

import numpy as np

from pipeline.tagging.forward_backward import forward_backward
from pipeline.tagging.linear_chain import PADDING
from pipeline.tagging.viterbi import best_path, normalise_locally


def greedy(scores, lengths):
    """Each token's own best tag, (batch, steps)."""
    inside = np.arange(scores.shape[1]) < np.asarray(lengths)[:, None]
    return np.where(inside, np.argmax(scores, axis=2), PADDING)


def best_path_memm(scores, lengths, chain):
    """The most probable sequence of a MaxEnt Markov model, (batch, steps)."""
    return best_path(normalise_locally(scores, lengths, chain), lengths, chain)


def log_partition(scores, lengths, chain):
    """The logarithm of the sum over all sequences of exp(score), (batch,)."""
    return forward_backward(scores, lengths, chain).log_partition


def marginals(scores, lengths, chain):
    """The probability of each tag at each token, (batch, steps, tags)."""
    return forward_backward(scores, lengths, chain).marginals()


def log_probability(paths, scores, lengths, chain):
    """The log probability of one sequence per text, (batch,)."""
    return forward_backward(scores, lengths, chain).log_probability(paths)


def span_probability(paths, rows, starts, stops, scores, lengths, chain):
    """The probability of the tags of each span, (spans,)."""
    return forward_backward(scores, lengths, chain).span_probability(paths, rows, starts, stops)
