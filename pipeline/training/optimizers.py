"""Optimizers and learning rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops, optimizers

from pipeline.config.train import TrainSettings
from pipeline.training.lazy_adam import LazyAdam

ENCODER = "encoder_"  # how the names of a pretrained encoder's layers begin
SLOWER = 0.3  # learning rate of a pretrained encoder, as a share of that of the rest
FINAL = 0.01  # where an exponential schedule ends, as a share of the highest learning rate
LEARNING_RATES = {
    "sgd": 0.1,
    "momentum": 0.05,
    "adam": 0.001,
    "adamw": 0.001,
    "adagrad": 0.05,
    "adadelta": 1.0,
    "rmsprop": 0.001,
    "nadam": 0.001,
    "lazy_adam": 0.001,
}


def build(settings: TrainSettings, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer that the settings name, its schedule spread over `steps` training steps.

    Variables of layers whose names begin with `encoder_` have the learning rate of the encoder.
    """
    classes: dict[str, tuple[Any, dict[str, Any]]] = {
        "sgd": (optimizers.SGD, {}),
        "momentum": (optimizers.SGD, {"momentum": settings.momentum}),
        "adam": (optimizers.Adam, {}),
        "adamw": (optimizers.AdamW, {"weight_decay": settings.weight_decay}),
        "adagrad": (optimizers.Adagrad, {}),
        "adadelta": (optimizers.Adadelta, {}),
        "rmsprop": (optimizers.RMSprop, {}),
        "nadam": (optimizers.Nadam, {}),
    }
    highest = settings.learning_rate or LEARNING_RATES[settings.optimizer]
    schedule = Schedule(settings.schedule, highest, steps, settings.warmup)
    share = settings.encoder_learning_rate / highest if settings.encoder_learning_rate else SLOWER
    if settings.optimizer == "lazy_adam":
        return _in_two_paces(LazyAdam, share)(schedule, clip_norm=settings.clip_norm, average=settings.ema_momentum)
    kind, options = classes[settings.optimizer]
    if settings.clip_norm:
        options["global_clipnorm"] = settings.clip_norm
    if settings.ema_momentum:
        options |= {"use_ema": True, "ema_momentum": settings.ema_momentum}
    return _in_two_paces(kind, share)(learning_rate=schedule, **options)


def _in_two_paces(kind: Any, share: float) -> Any:
    """The class of an optimizer that changes an encoder with `share` times the learning rate of the rest."""

    class InTwoPaces(kind):  # type: ignore[misc]
        def _backend_update_step(self, grads: Sequence[Any], trainable_variables: Sequence[Any], rate: Any) -> None:
            # Not `update_step`, which Keras does not call on PyTorch.
            pairs = list(zip(grads, trainable_variables, strict=True))
            for is_encoder, pace in ((False, rate), (True, rate * share)):
                chosen = [pair for pair in pairs if pair[1].path.startswith(ENCODER) == is_encoder]
                if chosen:
                    super()._backend_update_step(*zip(*chosen, strict=True), pace)

    return InTwoPaces


class Schedule(optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that rises linearly to `highest` and then falls.

    It rises over the first `warmup` share of `steps`. Afterwards, with p the share of the remaining steps that are
    done, it is `highest` times: 1 for `kind` constant; 1 - p for linear; (1 + cos(pi p)) / 2 for cosine (Loshchilov
    and Hutter, 2017, without restarts); 0.01 ** p for exponential.
    """

    def __init__(self, kind: str, highest: float, steps: int, warmup: float) -> None:
        self.kind = kind
        self.highest = highest
        self.steps = steps
        self.warmup = warmup

    def __call__(self, step: Any) -> Any:
        """The learning rate of step number `step`, counted from 0."""
        step = ops.cast(step, "float32")
        rising = math.ceil(self.warmup * self.steps)
        done = ops.clip((step - rising) / max(self.steps - rising, 1), 0.0, 1.0)
        shape = {
            "constant": lambda: ops.ones_like(done),
            "linear": lambda: 1.0 - done,
            "cosine": lambda: (1.0 + ops.cos(math.pi * done)) / 2.0,
            "exponential": lambda: ops.power(FINAL, done),
        }[self.kind]()
        return self.highest * shape * ops.minimum((step + 1.0) / max(rising, 1), 1.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"kind": self.kind, "highest": self.highest, "steps": self.steps, "warmup": self.warmup}
