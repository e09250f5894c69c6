"""A SimpleRNN language model written out step by step in NumPy, forward and backward through time (float64)."""

import numpy as np


def forward(weights, ids, states):
    """Scores (steps, vocabulary) and states (steps + 1, units) of one text; states[0] is the one to begin with."""
    states = [states]
    for token in ids:
        x = weights["embedding/embeddings"][token]
        preactivation = x @ weights["layer_0/kernel"] + states[-1] @ weights["layer_0/recurrent_kernel"]
        states.append(np.tanh(preactivation + weights["layer_0/bias"]))
    states = np.array(states)
    return states[1:] @ weights["scores/kernel"] + weights["scores/bias"], states


def loss(weights, ids, targets, state):
    """Mean cross-entropy of the targets, in nats."""
    scores, _ = forward(weights, ids, state)
    return -np.mean([scores[t, target] - np.log(np.exp(scores[t]).sum()) for t, target in enumerate(targets)])


def backward(weights, ids, targets, state):
    """The gradient of `loss` for every weight, by the chain rule from the last step to the first."""
    scores, states = forward(weights, ids, state)
    gradients = {name: np.zeros_like(value) for name, value in weights.items()}
    from_later = np.zeros_like(state)
    for t in reversed(range(len(ids))):
        by_score = np.exp(scores[t]) / np.exp(scores[t]).sum()
        by_score[targets[t]] -= 1
        by_score /= len(ids)
        gradients["scores/kernel"] += np.outer(states[t + 1], by_score)
        gradients["scores/bias"] += by_score
        by_state = weights["scores/kernel"] @ by_score + from_later
        by_preactivation = by_state * (1 - states[t + 1] ** 2)
        x = weights["embedding/embeddings"][ids[t]]
        gradients["layer_0/kernel"] += np.outer(x, by_preactivation)
        gradients["layer_0/recurrent_kernel"] += np.outer(states[t], by_preactivation)
        gradients["layer_0/bias"] += by_preactivation
        gradients["embedding/embeddings"][ids[t]] += weights["layer_0/kernel"] @ by_preactivation
        from_later = weights["layer_0/recurrent_kernel"] @ by_preactivation
    return gradients
