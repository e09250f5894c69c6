"""Training: the seed decides every byte, and an interrupted training ends as one that wasn't."""

import itertools

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Example, pad
from pipeline.errors import PipelineError
from pipeline.networks import network
from pipeline.training.losses import CrossEntropy
from pipeline.training.trainer import Trainer, _class_weights

WORDS, LABELS = 12, 2
EVERYTHING = {
    "optimizer": "adam",
    "ema_momentum": 0.9,
    "label_smoothing": 0.1,
    "class_weights": True,
    "schedule": "cosine",
}
LAZY = {"optimizer": "lazy_adam", "ema_momentum": 0.9}
SHAPES = {"batch_size": 5}  # texts of several lengths, and fewer in the last batch
MOMENTUM = {"optimizer": "momentum", "learning_rate": 0.05, "warmup": 0.2}


def ids(*values):
    return np.array(values, np.int32)


def texts(count=24):
    """Label 1 where the last word is even; lengths 1 to 8."""
    generator = np.random.default_rng(5)
    rows = [generator.integers(2, WORDS, generator.integers(1, 9)).astype(np.int32) for _ in range(count)]
    return [Example({"word": row}, {"gram_word": np.unique(row)}, int(row[-1] % 2 == 0)) for row in rows]


def trainer(folder, settings, *, seed=1, measure=None, examples=None):
    options = NetworkSettings(
        cell="rnn", units=3, bidirectional=False, embedding_dropout=0.3, dropout=0.3, wide={"words": 1}
    )
    table = np.random.default_rng(0).normal(size=(WORDS, 4)).astype(np.float32)
    idf = {"word": np.r_[0, np.ones(WORDS)].astype(np.float32)}
    built = network.build(options, network.Tables({"word": table}, idf, LABELS), seed)
    folder.mkdir(exist_ok=True)

    def accuracy():
        batch = pad(texts(), np.arange(len(texts())))
        found = np.asarray(built(batch.inputs, training=False))
        return {
            "accuracy": float((found.argmax(axis=1) == batch.targets).mean()),
            "loss": float(np.square(found).sum()),
        }

    return Trainer(
        built,
        examples or texts(),
        CrossEntropy(settings.get("label_smoothing", 0.0)),
        TrainSettings(**{"epochs": 4, "patience": 9, "batch_size": 8, **settings}),
        seed=seed,
        checkpoint=folder / "checkpoint.npz",
        measure=measure or accuracy,
    )


def array(variable):
    """A copy of a variable's value."""
    return np.asarray(variable).copy()


def silent(done, note):
    pass


def finish(running, epochs=None):
    """Trains to the end, or for so many epochs; the weights of the best epoch and of the last."""
    list(itertools.islice(running.epochs(silent), epochs))
    last = [array(variable) for variable in running.network.trainable_variables]
    running.use_best()
    return last, [array(variable) for variable in running.network.trainable_variables]


def equal(one, other):
    return all(
        np.array_equal(first, second)
        for kind in zip(one, other, strict=True)
        for first, second in zip(*kind, strict=True)
    )


@pytest.mark.parametrize("settings", [EVERYTHING, MOMENTUM, LAZY], ids=["adam, averaged", "momentum", "lazy, averaged"])
def test_a_restored_training_ends_as_one_that_was_never_interrupted(tmp_path, settings):
    settings = {**settings, **SHAPES}
    whole = trainer(tmp_path / "whole", settings)
    expected = finish(whole)
    for _ in trainer(tmp_path / "halves", settings).epochs(silent):
        break  # interrupted after its first epoch
    second = trainer(tmp_path / "halves", settings)
    second.restore()
    assert [epoch.epoch for epoch in second.history] == [1]
    assert equal(finish(second), expected)
    assert [epoch.loss for epoch in second.history] == [epoch.loss for epoch in whole.history]
    assert [epoch.dev for epoch in second.history] == [epoch.dev for epoch in whole.history]
    assert second.best_epoch == whole.best_epoch


def test_a_step_is_compiled_once_whatever_batch_comes_first(tmp_path):
    """Keras compiles the first shape by itself, with other last digits; which comes first depends on interruptions."""
    made, traced = trainer(tmp_path, SHAPES), []
    step = made.network.train_step
    made.network.train_step = lambda data: traced.append(data) or step(data)
    finish(made, epochs=2)
    assert len(traced) == 1


class Stop(Exception):
    pass


@pytest.mark.parametrize("stopped_at", [1, 2, 3, 5])
def test_a_training_stopped_inside_an_epoch_ends_as_one_that_was_never_interrupted(tmp_path, monkeypatch, stopped_at):
    def feeding(folder, drawn):
        made = trainer(folder, {**EVERYTHING, "epochs": 2})
        made.feed = lambda batch, generator: drawn.append(generator.random()) or {}
        return made

    steps = []

    def stopping(done, note):
        steps.append(note)
        if len(steps) == stopped_at:
            raise Stop

    whole, first, second = [], [], []
    expected = finish(feeding(tmp_path / "whole", whole))
    monkeypatch.setattr("pipeline.training.trainer.SAVE_SECONDS", 0.0)
    with pytest.raises(Stop):
        list(feeding(tmp_path / "parts", first).epochs(stopping))
    again = feeding(tmp_path / "parts", second)
    again.restore()
    seen = []
    list(again.epochs(lambda done, note: seen.append(done)))
    last = [array(variable) for variable in again.network.trainable_variables]
    again.use_best()
    assert equal((last, [array(variable) for variable in again.network.trainable_variables]), expected)
    assert [*first[: stopped_at - 1], *second] == whole, "what is fed goes on, too"
    assert sum(seen) == (2 - (stopped_at > 3)) * len(texts()), "steps that are skipped count as done"


def test_the_seed_decides_every_byte(tmp_path):
    first, again, other = (
        finish(trainer(tmp_path / f"{place}", {"epochs": 2}, seed=seed)) for place, seed in enumerate((1, 1, 2))
    )
    assert equal(first, again)
    assert not equal(first, other)


def test_training_learns(tmp_path):
    running = trainer(tmp_path, {"epochs": 12, "learning_rate": 0.05})
    finish(running)
    assert running.history[-1].loss < 0.8 * running.history[0].loss
    assert running.history[running.best_epoch - 1].dev["accuracy"] > 0.8


def test_the_best_epoch_is_kept_and_patience_ends_the_rest(tmp_path):
    scores = iter([0.5, 0.7, 0.7, 0.6, 0.9])
    kept = []
    running = trainer(tmp_path, {"epochs": 5, "patience": 2}, measure=lambda: {"accuracy": next(scores)})
    for _ in running.epochs(silent):
        kept.append([array(variable) for variable in running.network.trainable_variables])
    assert len(running.history) == 4
    assert running.best_epoch == 2
    assert running.is_over
    running.use_best()
    best = [array(variable) for variable in running.network.trainable_variables]
    assert all(np.array_equal(one, other) for one, other in zip(best, kept[1], strict=True))


def test_a_lower_loss_is_better_and_no_number_is_never_better(tmp_path):
    losses = iter([0.9, 0.4, float("nan"), 0.8])
    running = trainer(tmp_path, {"metric": "loss"}, measure=lambda: {"loss": next(losses)})
    finish(running)
    assert running.best_epoch == 2


def test_averaged_weights_are_judged_and_the_others_trained_on(tmp_path):
    judged = []
    running = trainer(tmp_path, {"epochs": 1, "ema_momentum": 0.99, "learning_rate": 0.1})
    running.measure = lambda: judged.append([array(v) for v in running.network.trainable_variables]) or {"accuracy": 1}
    last, best = finish(running)
    assert all(np.array_equal(one, other) for one, other in zip(best, judged[0], strict=True))
    assert not all(np.array_equal(one, other) for one, other in zip(best, last, strict=True))


def test_a_loss_that_is_no_number_is_one_sentence(tmp_path):
    running = trainer(
        tmp_path,
        {"optimizer": "sgd", "learning_rate": 3e38, "clip_norm": 0, "epochs": 3},
        measure=lambda: {"accuracy": 0},
    )
    with pytest.raises(PipelineError, match=r"the loss became (nan|inf) in epoch \d: lower train\.learning_rate"):
        finish(running)


def test_class_weights_equal_scikit_learns():
    targets = [0, 0, 0, 1, 2, 2]
    found = _class_weights([Example({"word": ids(2)}, target=target) for target in targets], 4)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    np.testing.assert_allclose(found, [*expected, 0], rtol=1e-6)


def test_class_weights_weigh_the_loss(tmp_path):
    rows = [Example({"word": ids(2, 3)}, {"gram_word": ids(2)}, target) for target in (0, 0, 0, 1)]
    losses = [
        trainer(
            tmp_path / f"{on}",
            {"class_weights": on, "epochs": 1, "batch_size": 4},
            examples=rows,
            measure=lambda: {"accuracy": 0.0},
        )
        for on in (False, True)
    ]
    finished = [next(running.epochs(silent)).loss for running in losses]
    assert finished[0] != finished[1]


def test_progress_counts_every_text_of_every_epoch(tmp_path):
    seen = []
    running = trainer(tmp_path, {"epochs": 2}, measure=lambda: {"accuracy": 0.0})
    list(running.epochs(lambda done, note: seen.append((done, note))))
    assert sum(done for done, _ in seen) == 2 * len(texts())
    assert seen[-1][1].startswith("epoch 2 loss 0.")
    assert all(
        epoch.tokens_per_second > 0 and set(epoch.as_dict()) >= {"epoch", "loss", "dev_accuracy"}
        for epoch in running.history
    )


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    next(trainer(tmp_path, {}).epochs(silent))
    with np.load(tmp_path / "checkpoint.npz", allow_pickle=False) as saved:
        arrays = dict(saved)
    arrays["state"] = np.array(str(arrays["state"]).replace("[12, 4]", "[13, 4]"))
    np.savez(tmp_path / "checkpoint.npz", **arrays)
    with pytest.raises(PipelineError, match=r"checkpoint\.npz: can't be continued from \(it is of another"):
        trainer(tmp_path, {}).restore()


def test_a_checkpoint_cut_short_is_refused(tmp_path):
    next(trainer(tmp_path, {}).epochs(silent))
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PipelineError, match=r"checkpoint\.npz: can't be continued from"):
        trainer(tmp_path, {}).restore()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_checkpoint_that_is_cut_is_noticed(tmp_path, share):
    finish(trainer(tmp_path / "run", {"epochs": 1}))
    path = tmp_path / "run" / "checkpoint.npz"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PipelineError, match=r"can't be continued from .*: delete its folder"):
        trainer(tmp_path / "run", {"epochs": 2}).restore()
