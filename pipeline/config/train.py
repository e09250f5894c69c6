"""Train settings: the optimizer, its schedule, and when training stops."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.config.section import Count, Section, Share

Metric = Literal["accuracy", "macro_f1", "loss", "f1", "token_accuracy", "micro_f1", "subset_accuracy"]


class TrainSettings(Section):
    """How the network is trained."""

    table: ClassVar[str] = "train"

    optimizer: Literal["sgd", "momentum", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "nadam", "lazy_adam"] = (
        Field(
            "adam",
            description="Optimizer; lazy_adam is adam that updates only the rows of the vector tables that a step "
            "reads.",
        )
    )
    learning_rate: Annotated[float, Field(gt=0.0)] | None = Field(
        None,
        description="Highest learning rate; if left out, 0.1 for sgd, 0.05 for momentum and adagrad, 1 for adadelta, "
        "and 0.001 for the others.",
    )
    encoder_learning_rate: Annotated[float, Field(gt=0.0)] | None = Field(
        None,
        description="Highest learning rate of a tuned encoder; if left out, 0.3 times that of the rest.",
    )
    schedule: Literal["constant", "cosine", "linear", "exponential"] = Field(
        "constant", description="How the learning rate falls over all epochs."
    )
    warmup: Share = Field(0.0, description="Share of all steps in which the learning rate rises from 0.")
    momentum: Share = Field(0.9, description="Momentum of the optimizer momentum.")
    weight_decay: float = Field(0.01, ge=0.0, description="Weight decay of the optimizer adamw.")
    batch_size: Count = Field(64, description="Texts per step.")
    epochs: Count = Field(10, description="Passes over the training texts, unless patience stops earlier.")
    patience: Count = Field(3, description="Stop after this many epochs in a row without a better dev metric.")
    metric: Metric = Field(
        "accuracy",
        description="Dev metric that chooses the best epoch. classify: accuracy, macro_f1 or loss; multilabel: "
        "micro_f1 (the default), macro_f1, subset_accuracy or loss; tag: f1 (the default), macro_f1 or token_accuracy; "
        "language: loss.",
    )
    clip_norm: float = Field(5.0, ge=0.0, description="Largest norm of a step's gradient; 0 sets no limit.")
    label_smoothing: Share = Field(0.0, description="Probability mass that is spread evenly over all labels.")
    class_weights: bool = Field(False, description="Weight rare labels up, so that all labels count the same.")
    ema_momentum: Share = Field(
        0.0,
        description="Decay of an exponential moving average of the weights; the averaged weights are evaluated and "
        "kept. 0 for none.",
    )
    from_model: str | None = Field(
        None,
        description="A run or model folder whose network training goes on from: its tokens, n-grams and labels are "
        "kept, and those of train are added. Network and segmenter have to be the model's.",
    )
    keep_float32: bool = Field(
        True,
        description="Whether a model that answers with its int8 network keeps the float32 one, which is three to four "
        "times as large, for --float32 and from_model.",
    )
    tensorboard: bool = Field(
        False, description="Write TensorBoard events to train/tensorboard (needs zhpipe[tensorboard])."
    )
