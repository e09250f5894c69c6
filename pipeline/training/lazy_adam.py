"""Lazy Adam: Adam that updates only those rows of a table that a step reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops, optimizers


class LazyAdam(optimizers.Adam):  # type: ignore[misc]
    """Adam (Kingma and Ba, ICLR 2015) with a step whose time does not grow with the tables of vectors and n-grams.

    A row of a table that a step does not read keeps its value and its moments; plain Adam would continue to move it by
    the gradients of earlier steps. All other variables are updated as by Adam. Where the backend computes dense
    gradients of tables (JAX, PyTorch), or a penalty makes them dense, this is plain Adam.

    Arguments:
        learning_rate: a number or a schedule.
        clip_norm: largest norm of all gradients together; 0: no limit.
        average: decay of a running average of the weights; 0: no average. The average of a row is brought up to date
            when the row is read next, and by `finalize_variable_values`; it equals one that is updated every step.
    """

    def __init__(self, learning_rate: Any, *, clip_norm: float = 0.0, average: float = 0.0) -> None:
        super().__init__(learning_rate=learning_rate, name="lazy_adam")
        self.clip = clip_norm
        self.decay = average

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the moments and, with `average`, the averages and the step that each row's average has reached."""
        if self.built:
            return
        super().build(variables)
        self.averages, self.steps = [], []
        for variable in variables if self.decay else ():
            average = self.add_variable_from_reference(variable, name="average")
            average.assign(variable)
            self.averages.append(average)
            rows = variable.shape[:1] or (1,)
            self.steps.append(self.add_variable(shape=rows, dtype="float32", name="step"))

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """One step: sums the gradients of each row and clips all gradients together."""
        grads = [_summed(gradient) for gradient in grads]
        if self.clip:
            squares = [ops.sum(ops.square(_values(gradient))) for gradient in grads]
            norm = ops.sqrt(ops.sum(ops.stack(squares)))
            factor = self.clip / ops.maximum(norm, self.clip)
            grads = [_changed(gradient, _values(gradient) * factor) for gradient in grads]
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable by a dense gradient, or some rows of it by a sparse one."""
        index = self._get_variable_index(variable)
        rows = getattr(gradient, "indices", None)
        if rows is None:
            super().update_step(gradient, variable, learning_rate)
            if self.decay:
                self.assign(self.averages[index], self._averaged(self.averages[index], variable))
                self.assign(self.steps[index], ops.ones_like(self.steps[index]) * self._now)
            return
        before = ops.take(variable, rows, axis=0)
        after = before - self._move(gradient, index, learning_rate)
        if self.decay:
            kept = ops.take(self.averages[index].value, rows, axis=0)
            passed = self._now - 1 - ops.take(self.steps[index].value, rows, axis=0)
            kept = _caught_up(kept, before, self.decay, passed)
            self.assign(self.averages[index], _changed(gradient, self._averaged(kept, after)))
            self.assign(self.steps[index], _changed(gradient, ops.ones_like(passed) * self._now))
        self.assign(variable, _changed(gradient, after))

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Assigns their averages to the variables, if there are averages."""
        averages = zip(self.averages, self.steps, var_list, strict=True) if self.decay else ()
        for average, step, variable in averages:
            passed = ops.cast(self.iterations, "float32") - step.value
            variable.assign(_caught_up(average.value, variable.value, self.decay, passed))

    @property
    def _now(self) -> Any:
        """The number of this step, counted from 1."""
        return ops.cast(self.iterations + 1, "float32")

    def _move(self, gradient: Any, index: int, learning_rate: Any) -> Any:
        """Updates the moments of a gradient's rows; returns what to subtract from these (algorithm 1 of the paper)."""
        first, second = self._momentums[index], self._velocities[index]
        rows, values = gradient.indices, gradient.values
        mean = ops.take(first.value, rows, axis=0)
        square = ops.take(second.value, rows, axis=0)
        mean = mean + (values - mean) * (1 - self.beta_1)
        square = square + (ops.square(values) - square) * (1 - self.beta_2)
        self.assign(first, _changed(gradient, mean))
        self.assign(second, _changed(gradient, square))
        rate = learning_rate * ops.sqrt(1 - ops.power(self.beta_2, self._now)) / (1 - ops.power(self.beta_1, self._now))
        return rate * mean / (ops.sqrt(square) + self.epsilon)

    def _averaged(self, average: Any, value: Any) -> Any:
        """The average after a step; after the first step it is the value itself, as in Keras."""
        decay = self.decay * ops.cast(self.iterations > 0, "float32")
        return decay * average + (1 - decay) * value


def _caught_up(average: Any, value: Any, decay: float, steps: Any) -> Any:
    """The average after further steps in which the value did not change; `steps` (rows,) of each row."""
    power = ops.power(decay, ops.cast(steps, "float32"))
    shape = (-1,) + (1,) * (len(value.shape) - 1)
    return value + ops.reshape(power, shape) * (average - value)


def _summed(gradient: Any) -> Any:
    """A gradient with the parts of each row summed, if it is sparse."""
    if not hasattr(gradient, "indices"):
        return gradient
    rows, places = ops.unique(gradient.indices, sorted=False, return_inverse=True)
    values = ops.segment_sum(gradient.values, places, ops.shape(rows)[0])
    return type(gradient)(values, rows)


def _values(gradient: Any) -> Any:
    """The values of a dense or sparse gradient."""
    return gradient.values if hasattr(gradient, "indices") else gradient


def _changed(gradient: Any, values: Any) -> Any:
    """New values for the rows of a sparse gradient, or for a dense one."""
    return type(gradient)(values, gradient.indices) if hasattr(gradient, "indices") else values
