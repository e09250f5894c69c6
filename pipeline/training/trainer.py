"""The trainer: epochs as a generator that prints nothing and can be resumed."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from corpora.files import replace_when_done
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Batch, Example, Feed, bptt_batches, pad, shuffled
from pipeline.encoding.pretrained import STREAM
from pipeline.errors import Diverged, PipelineError
from pipeline.networks.network import reset_states
from pipeline.training import optimizers

Advance = Callable[[int, str], object]
COMPILES_EACH_SHAPE = keras.backend.backend() == "jax"
SAVE_SECONDS = 600.0  # between two checkpoints inside an epoch


@dataclass(frozen=True)
class Epoch:
    """One finished epoch: its number from 1, mean training loss, seconds, tokens per second, and the dev scores."""

    epoch: int
    loss: float
    seconds: float
    tokens_per_second: float
    dev: dict[str, float]

    def as_dict(self) -> dict[str, float]:
        """A flat row for history.csv, with the dev scores as `dev_NAME`."""
        row = {key: value for key, value in asdict(self).items() if key != "dev"}
        return {**row, **{f"dev_{name}": value for name, value in self.dev.items()}}


@dataclass
class Begun:
    """An epoch that is not finished: its steps so far, with the sums of their losses, weights, tokens and seconds.

    `drawn`: the state of the generator that feeds draw from.
    """

    steps: int = 0
    loss: float = 0.0
    weight: int = 0
    tokens: int = 0
    seconds: float = 0.0
    drawn: dict[str, Any] = field(default_factory=dict)

    def add(self, loss: float, tokens: int, share: int) -> None:
        """Counts a step; `share`: the weight of its loss."""
        self.steps, self.tokens = self.steps + 1, self.tokens + tokens
        self.loss, self.weight = self.loss + loss * share, self.weight + share

    @property
    def mean(self) -> float:
        """The mean loss."""
        return self.loss / self.weight


class Trainer:
    """Trains a network on examples with targets.

    Construction compiles the network. `restore` continues an interrupted training, `epochs` runs what is left of it,
    and `use_best` gives the network the weights of the best epoch on dev.

    Arguments:
        network: from `network.build` or `language_network.build`; compiled and changed here.
        examples: of the train split, each with a target.
        loss: one of `pipeline.training.losses`: targets and scores -> one value per text. With class weights, the
            targets must be label ids, and a text counts n / (labels * n_label).
        settings: the optimizer, the batch size, the number of epochs.
        seed: with the epoch's number, decides the order of the batches.
        checkpoint: a file written after every epoch, and every ten minutes inside a long one. `restore` continues from
            it with the same weights, optimizer state, dropout states and best epoch, as if there had been no
            interruption.
        measure: called after each epoch while the network has the weights to judge (averaged ones where
            `settings.ema_momentum` is on); gives the dev scores.
        bptt_steps: None for a network that reads whole texts. For a network that keeps its states (truncated
            backpropagation through time), the number of steps that it reads at a time, 0 for all. Its states are
            reset before each batch, whose number of rows is that of the network.
        feed: further inputs of the network for each batch, drawn with a generator seeded by seed and epoch.

    Attributes:
        history: the finished epochs.
        best, best_epoch: the trainable weights of the best epoch on dev, and its number.
    """

    def __init__(
        self,
        network: keras.Model,
        examples: Sequence[Example],
        loss: keras.losses.Loss,
        settings: TrainSettings,
        *,
        seed: int,
        checkpoint: Path,
        measure: Callable[[], dict[str, float]],
        bptt_steps: int | None = None,
        feed: Feed | None = None,
    ) -> None:
        self.network = network
        self.examples = examples
        self.settings = settings
        self.seed = seed
        self.checkpoint = checkpoint
        self.measure = measure
        self.bptt_steps = bptt_steps
        self.feed = feed
        self.history: list[Epoch] = []
        self.best: list[NDArray[Any]] = []
        self.best_epoch = 0
        self._begun = Begun()
        self._weights = _class_weights(examples, network.output_shape[-1]) if settings.class_weights else None
        self.steps = sum(1 for _ in self._batches(1))
        self._compile(loss)

    def _compile(self, loss: keras.losses.Loss) -> None:
        optimizer = optimizers.build(self.settings, self.steps * self.settings.epochs)
        # No XLA on TensorFlow: it compiles anew for each batch length, and was measured to be slower on CPU.
        jit = False if keras.backend.backend() == "tensorflow" else "auto"
        self.network.compile(optimizer=optimizer, loss=loss, jit_compile=jit)
        optimizer.build(self.network.trainable_variables)
        if keras.backend.backend() == "tensorflow":
            from pipeline.training.tensorflow_step import for_any_shape

            self.network.train_function = for_any_shape(self.network)

    def restore(self) -> None:
        """Continues from the checkpoint, if there is one. Raises PipelineError if it does not fit the network."""
        if not self.checkpoint.exists():
            return
        try:
            self._restore()
        except (BadZipFile, EOFError, LookupError, NotImplementedError, OSError, TypeError, ValueError) as error:
            raise PipelineError(
                f"{self.checkpoint}: can't be continued from ({error}): delete its folder to train from the beginning"
            ) from None

    def _restore(self) -> None:
        with self.checkpoint.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            state = json.loads(str(saved["state"]))
            variables = self._variables()
            if state["shapes"] != [list(variable.shape) for variable in variables]:
                raise ValueError("it is of another network")
            for index, variable in enumerate(variables):
                variable.assign(saved[f"variable_{index}"])
            count = len(self.network.trainable_variables) if state["best_epoch"] else 0
            self.best = [saved[f"best_{index}"] for index in range(count)]
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.best_epoch = state["best_epoch"]
        self._begun = Begun(**state["begun"])

    def epochs(self, advance: Advance) -> Iterator[Epoch]:
        """Runs the remaining epochs and yields each; calls `advance(n_texts, note)` after each step.

        An epoch is saved before it is yielded. Raises Diverged if the loss is not finite.
        """
        while len(self.history) < self.settings.epochs and not self.is_over:
            epoch = self._epoch(len(self.history) + 1, advance)
            self.history.append(epoch)
            self._begun = Begun()
            self._save()
            yield epoch

    @property
    def is_over(self) -> bool:
        """Whether the dev metric has not improved for `patience` epochs; they count once it has left 0."""
        has_begun = any(epoch.dev[self.settings.metric] > 0 for epoch in self.history)
        return has_begun and len(self.history) - self.best_epoch >= self.settings.patience

    def use_best(self) -> None:
        """Gives the network the weights of the best epoch."""
        self._assign(self.best)

    def _epoch(self, number: int, advance: Advance) -> Epoch:
        """Runs what is left of an epoch."""
        begun, generator = self._begun, np.random.default_rng([self.seed, number, 1])
        if begun.steps:
            generator.bit_generator.state = begun.drawn
        before, saved = begun.steps, time.perf_counter()
        start = saved - begun.seconds
        for step, batch in enumerate(self._batches(number), start=1):
            texts = len(batch.positions) if batch.is_last else 0
            if step <= before:
                advance(texts, f"epoch {number}")
                continue
            begun.add(self._step(batch, generator, number), _tokens(batch), self._share(batch))
            now = time.perf_counter()
            begun.seconds = now - start
            advance(texts, f"epoch {number} loss {begun.mean:.4f}")
            if batch.is_last and now - saved >= SAVE_SECONDS:  # not between two windows: their states are not saved
                begun.drawn, saved = dict(generator.bit_generator.state), now
                self._save()
        return Epoch(number, begun.mean, begun.seconds, begun.tokens / begun.seconds, self._judge(number))

    def _share(self, batch: Batch) -> int:
        """What the loss of a batch is the mean over: its texts, or the tokens of a window."""
        return len(batch.positions) if self.bptt_steps is None else _tokens(batch)

    def _step(self, batch: Batch, generator: np.random.Generator, number: int) -> float:
        """Trains on one batch of an epoch and returns its loss. Raises Diverged if that is not finite."""
        weights = None if self._weights is None else self._weights[batch.targets]
        given = batch.inputs if self.feed is None else {**batch.inputs, **self.feed(batch, generator)}
        inputs = {name: given[name] for name in self.network.input}
        loss = float(self.network.train_on_batch(inputs, batch.targets, sample_weight=weights))
        if not math.isfinite(loss):
            raise Diverged(
                f"train: the loss became {loss} in epoch {number}: lower train.learning_rate or set train.clip_norm"
            )
        return loss

    def _batches(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, one for each step."""
        generator = np.random.default_rng([self.seed, number])
        for positions in shuffled(self.examples, self.settings.batch_size, generator):
            batch = pad(self.examples, positions, coarse=COMPILES_EACH_SHAPE)
            if self.bptt_steps is None:
                yield batch
            else:
                reset_states(self.network)
                yield from bptt_batches(batch, self.bptt_steps, self.settings.batch_size)

    def _judge(self, number: int) -> dict[str, float]:
        """The dev scores, of the averaged weights if there are any; keeps the weights if they are the best."""
        trainable = self.network.trainable_variables
        last = [np.asarray(variable).copy() for variable in trainable] if self.settings.ema_momentum else []
        if self.settings.ema_momentum:
            self.network.optimizer.finalize_variable_values(trainable)
        dev = self.measure()
        if not self.history or self._rank(dev) > self._rank(self.history[self.best_epoch - 1].dev):
            self.best_epoch = number
            self.best = [np.asarray(variable).copy() for variable in trainable]
        if self.settings.ema_momentum:
            self._assign(last)
        return dev

    def _rank(self, dev: dict[str, float]) -> float:
        value = dev[self.settings.metric]
        return -value if self.settings.metric == "loss" else value

    def _assign(self, values: Sequence[NDArray[Any]]) -> None:
        for variable, value in zip(self.network.trainable_variables, values, strict=True):
            variable.assign(value)

    def _variables(self) -> list[Any]:
        """Everything that training changes: weights, the random states of dropout, and the optimizer's variables."""
        states = [variable for variable in self.network.non_trainable_variables if "seed" in variable.path]
        return [*self.network.trainable_variables, *states, *self.network.optimizer.variables]

    def _save(self) -> None:
        variables = self._variables()
        state = {
            "shapes": [list(variable.shape) for variable in variables],
            "history": [asdict(epoch) for epoch in self.history],
            "best_epoch": self.best_epoch,
            "begun": asdict(self._begun),
        }
        arrays = {f"variable_{index}": np.asarray(variable) for index, variable in enumerate(variables)}
        best = {f"best_{index}": value for index, value in enumerate(self.best)}
        with replace_when_done(self.checkpoint) as temporary, temporary.open("wb") as file:
            np.savez(file, state=np.array(json.dumps(state)), **arrays, **best)  # type: ignore[arg-type]


def _tokens(batch: Batch) -> int:
    """The tokens of a batch; an encoder reads the same again."""
    return sum(int(lengths.sum()) for name, lengths in batch.lengths.items() if name != STREAM)


def _class_weights(examples: Sequence[Example], outputs: int) -> NDArray[np.float32]:
    """n / (labels * n_label) of each label, as scikit-learn's "balanced"; 0 for a label without examples."""
    counts = Counter(example.target for example in examples)
    weights = [len(examples) / (len(counts) * counts[label]) if counts[label] else 0.0 for label in range(outputs)]
    return np.array(weights, np.float32)
