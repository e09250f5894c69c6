"""The log-likelihood of tags under a CRF, a MaxEnt Markov model or independent softmaxes, in keras.ops.

The functions have no state and give the same results on TensorFlow and JAX. They take `scores` (batch, steps, tags),
right-padded, `lengths` int32 (batch,), `tags` int (batch, steps), and the parameters of a linear chain: `transitions`
(tags, tags), whose [i, j] scores tag j after tag i, `start` (tags,) and `end` (tags,).
`pipeline.tagging.linear_chain` defines the score of a sequence.

The padding is replaced before anything is computed, so that it contributes neither values nor gradients. `-inf` may
forbid transitions, starts and ends; it is replaced by a number so low that no gradient passes through it.
"""

from __future__ import annotations

from typing import Any

from keras import ops

FORBIDDEN = -1e4
UNDERFLOW = 1e-36


def log_likelihood(scores: Any, lengths: Any, tags: Any, transitions: Any, start: Any, end: Any) -> Any:
    """log p(tags | scores) of a CRF, (batch,): path score - log partition (Lafferty et al., ICML 2001, equation 1).

    Shifting all scores of a token does not change it. Both terms are therefore computed from the log softmax: their
    sums stay small, and their difference exact in float32, for texts of any length.
    """
    scores = ops.log_softmax(_inside(scores, lengths), axis=-1)
    return path_score(scores, lengths, tags, transitions, start, end) - log_partition(
        scores, lengths, transitions, start, end
    )


def path_score(scores: Any, lengths: Any, tags: Any, transitions: Any, start: Any, end: Any) -> Any:
    """The score of one sequence per text, (batch,): Collobert et al., JMLR 2011, equation 12, with start and end."""
    scores, tags, inside = _inside(scores, lengths), _tags(tags, lengths), _mask(scores, lengths)
    last = ops.take_along_axis(tags, ops.expand_dims(lengths - 1, 1), axis=1)[:, 0]
    emitted = ops.sum(ops.where(inside, _at(scores, tags), 0.0), axis=1)
    width = ops.shape(scores)[2]
    moves = ops.take(ops.reshape(_finite(transitions), (-1,)), tags[:, :-1] * width + tags[:, 1:])
    moved = ops.sum(ops.where(inside[:, 1:], moves, 0.0), axis=1)
    return emitted + moved + ops.take(_finite(start), tags[:, 0]) + ops.take(_finite(end), last)


def log_partition(scores: Any, lengths: Any, transitions: Any, start: Any, end: Any) -> Any:
    """log of the sum over all sequences of exp(score), (batch,): Collobert et al., 2011, equations 14 to 16."""
    scores = _inside(scores, lengths)
    steps = ops.arange(ops.shape(scores)[1], dtype="int32")[None, :]
    goes_on = ops.logical_and(steps > 0, steps < ops.cast(lengths, "int32")[:, None])
    product = _log_product(_finite(transitions))

    def step(forward: Any, at: Any) -> tuple[Any, Any]:
        forward = ops.where(at[:, -1:] > 0, product(forward) + at[:, :-1], forward)
        return forward, forward

    # One array is scanned, the first step included: TensorFlow can scan neither two arrays with an unknown number of
    # steps nor zero steps.
    scanned = ops.concatenate([scores, ops.cast(goes_on, "float32")[:, :, None]], axis=2)
    forward, _ = ops.scan(step, scores[:, 0] + _finite(start), ops.transpose(scanned, (1, 0, 2)))
    return ops.logsumexp(forward + _finite(end), axis=1)


def memm_log_likelihood(scores: Any, lengths: Any, tags: Any, transitions: Any, start: Any, end: Any) -> Any:
    """log p(tags | scores) of a MaxEnt Markov model, (batch,) (McCallum, Freitag and Pereira, ICML 2000).

    The sum over t of the log softmax over j of scores[t, j] + transitions[tags[t - 1], j], at j = tags[t]. For the
    first token `start` replaces the transition; `end` is added to the scores of the last token.
    """
    scores, tags = _inside(scores, lengths), _tags(tags, lengths)
    steps = ops.arange(ops.shape(scores)[1], dtype="int32")[None, :, None]
    before = ops.take(_finite(transitions), tags[:, :-1], axis=0)
    first = ops.broadcast_to(_finite(start), ops.shape(scores[:, :1]))
    last = steps == ops.cast(lengths, "int32")[:, None, None] - 1
    scores = scores + ops.concatenate([first, before], axis=1) + ops.where(last, _finite(end), 0.0)
    return greedy_log_likelihood(scores, lengths, tags)


def greedy_log_likelihood(scores: Any, lengths: Any, tags: Any) -> Any:
    """log p(tags | scores) of independent tokens, (batch,): the sum of the log softmax at each token's tag."""
    scores, tags = _inside(scores, lengths), _tags(tags, lengths)
    chosen = _at(ops.log_softmax(scores, axis=-1), tags)
    return ops.sum(ops.where(_mask(scores, lengths), chosen, 0.0), axis=1)


def _log_product(transitions: Any) -> Any:
    """x (batch, tags) -> log(exp(x) @ exp(transitions)), by a matrix product unless a sum underflows float32."""
    highest = ops.stop_gradient(ops.max(transitions, axis=0))
    weights = ops.exp(transitions - highest)

    def product(x: Any) -> Any:
        shift = ops.stop_gradient(ops.max(x, axis=1, keepdims=True))
        sums = ops.matmul(ops.exp(x - shift), weights)
        return ops.cond(
            ops.all(sums > UNDERFLOW),
            lambda: ops.log(sums) + shift + highest,
            lambda: ops.logsumexp(x[:, :, None] + transitions, axis=1),
        )

    return product


def _mask(scores: Any, lengths: Any) -> Any:
    """Whether a place is a token, bool (batch, steps)."""
    return ops.arange(ops.shape(scores)[1], dtype="int32")[None, :] < ops.cast(lengths, "int32")[:, None]


def _inside(scores: Any, lengths: Any) -> Any:
    """The scores in float32, 0 in the padding."""
    return ops.where(_mask(scores, lengths)[:, :, None], ops.cast(scores, "float32"), 0.0)


def _tags(tags: Any, lengths: Any) -> Any:
    """The tags in int32, 0 in the padding."""
    return ops.where(_mask(tags, lengths), ops.cast(tags, "int32"), 0)


def _at(scores: Any, tags: Any) -> Any:
    """The scores (batch, steps, tags) at the tags (batch, steps), (batch, steps)."""
    return ops.take_along_axis(scores, ops.expand_dims(tags, 2), axis=2)[:, :, 0]


def _finite(values: Any) -> Any:
    """Transitions, start or end scores, with a low finite number for -inf."""
    return ops.maximum(ops.cast(values, "float32"), FORBIDDEN)
