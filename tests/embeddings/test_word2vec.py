"""Word2Vec training: what it promises about words, seeds, processes, progress and silence."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from embeddings.vectors import Vectors
from embeddings.word2vec import Word2VecOptions, train

SMALL: dict[str, Any] = {"vector_size": 8, "min_count": 1, "epochs": 2}

ANIMALS, VEHICLES = "猫狗鸟鱼兔", "车船飞骑舟"


def sentences(n: int = 300) -> list[list[str]]:
    """Sentences of animals or of vehicles, the two never together."""
    draw = random.Random(0)
    return [draw.choices(draw.choice((ANIMALS, VEHICLES)), k=8) for _ in range(n)]


def same(a: Vectors, b: Vectors) -> bool:
    return a.words == b.words and a.values.tobytes() == b.values.tobytes()


@pytest.mark.parametrize("algorithm", ["skip-gram", "cbow"])
@pytest.mark.parametrize("loss", ["negative", "hierarchical"])
def test_words_of_one_topic_come_together(algorithm: Any, loss: Any) -> None:
    options = Word2VecOptions(algorithm=algorithm, loss=loss, vector_size=16, epochs=30, subsample=0, learning_rate=0.1)
    vectors = train(sentences(), options)
    cosines = vectors.units @ vectors.units.T
    animal = np.array([word in ANIMALS for word in vectors.words])
    together = cosines[np.ix_(animal, animal)].mean() + cosines[np.ix_(~animal, ~animal)].mean()
    assert together / 2 > cosines[np.ix_(animal, ~animal)].mean() + 0.3


def test_words_by_falling_count_and_ties_by_first_appearance() -> None:
    corpus = [["丁", "丙", "乙"], ["乙", "甲", "戊", "丙", "丁"], ["甲"]]
    assert train(corpus, Word2VecOptions(**SMALL)).words == ("丁", "丙", "乙", "甲", "戊")
    assert train(corpus, Word2VecOptions(**SMALL | {"min_count": 2})).words == ("丁", "丙", "乙", "甲")
    assert train(corpus, Word2VecOptions(**SMALL, max_words=3)).words == ("丁", "丙", "乙")


def test_tokens_may_be_anything_but_empty() -> None:
    words = train([["a b", "　", "\n", "\\", "😀"]], Word2VecOptions(**SMALL)).words
    assert words == ("a b", "　", "\n", "\\", "😀")
    assert train(["猫狗", "狗"], Word2VecOptions(**SMALL)).words == ("狗", "猫")
    with pytest.raises(EmbeddingError, match="a token can't be empty, 1 of 3 are"):
        train([["猫", "", "狗"]], Word2VecOptions(**SMALL))


@pytest.mark.parametrize("algorithm", ["skip-gram", "cbow"])
@pytest.mark.parametrize("loss", ["negative", "hierarchical"])
def test_the_same_seed_gives_the_same_vectors(algorithm: Any, loss: Any) -> None:
    options = Word2VecOptions(**SMALL, algorithm=algorithm, loss=loss)
    assert same(train(sentences(), options), train(sentences(), options))


def test_another_seed_gives_others() -> None:
    one, two = (train(sentences(), Word2VecOptions(**SMALL, seed=seed)) for seed in (1, 2))
    assert one.words == two.words and not same(one, two)


TRAIN_AND_SAVE = """
import sys
from embeddings.word2vec import Word2VecOptions, train
corpus = [line.split() for line in open(sys.argv[1], encoding="utf-8")]
train(corpus, Word2VecOptions(vector_size=8, min_count=1, epochs=2)).save(sys.argv[2])
"""


def test_another_process_with_another_hash_seed_gives_the_same(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences()), encoding="utf-8")
    for seed in ("1", "2"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        command = [sys.executable, "-c", TRAIN_AND_SAVE, str(corpus), str(tmp_path / seed)]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert finished.stdout == finished.stderr == ""
    here = train(sentences(), Word2VecOptions(**SMALL))
    assert same(here, Vectors.load(tmp_path / "1"))
    assert same(here, Vectors.load(tmp_path / "2"))


def test_many_workers_learn_the_same_words() -> None:
    options = Word2VecOptions(**SMALL, workers=3)
    vectors = train(sentences(), options)
    assert set(vectors.words) == set(ANIMALS + VEHICLES)
    assert np.isfinite(vectors.values).all()


def test_nothing_of_a_very_long_sentence_is_dropped() -> None:
    options = Word2VecOptions(**SMALL | {"epochs": 20}, subsample=0, learning_rate=0.1)
    long = ["的", "了"] * 6000 + random.Random(0).choices(["甲", "乙"], k=2000)
    untrained = train([long[:10_000], ["甲"], ["乙"]], options)
    trained = train([long], options)
    assert np.linalg.norm(trained.vector("甲")) > 5 * np.linalg.norm(untrained.vector("甲"))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("n", [1, 999, 1000, 2500])
def test_progress_adds_up_to_sentences_times_epochs(workers: int, n: int) -> None:
    steps: list[int] = []
    train([["猫", "狗"]] * n, Word2VecOptions(**SMALL, workers=workers), advance=steps.append)
    assert sum(steps) == 2 * n


def test_a_one_shot_iterator_is_refused() -> None:
    with pytest.raises(EmbeddingError, match="one-shot generator: pass a list"):
        train((sentence for sentence in sentences()), Word2VecOptions(**SMALL))


@pytest.mark.parametrize("corpus", [[], [[]], [["猫", "狗"], ["猫"]]])
def test_a_corpus_without_frequent_words_is_refused(corpus: list[list[str]]) -> None:
    words = sum(map(len, corpus))
    with pytest.raises(EmbeddingError, match=rf"min_count = 3 times: the corpus has {words} words"):
        train(corpus, Word2VecOptions(min_count=3))


class Failing:
    """Sentences whose second reading, which happens in a thread of gensim, fails half-way."""

    def __init__(self) -> None:
        self.readings = 0

    def __iter__(self) -> Iterator[list[str]]:
        self.readings += 1
        for number, sentence in enumerate(sentences()):
            if self.readings == 2 and number == 150:
                raise OSError("the disk is gone")
            yield sentence


def test_an_error_in_the_sentences_comes_out() -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        train(Failing(), Word2VecOptions(**SMALL))


def test_an_error_in_advance_comes_out() -> None:
    def fail(finished: int) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        train(sentences(), Word2VecOptions(**SMALL), advance=fail)


def test_gensim_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    train(sentences(), Word2VecOptions(**SMALL))
    assert not [record for record in caplog.records if record.name.startswith("gensim")]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"algorithm": "glove"}, "algorithm must be one of skip-gram, cbow, got 'glove'"),
        ({"loss": "softmax"}, "loss must be one of negative, hierarchical"),
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"max_words": 0}, "max_words must be at least 1"),
        ({"subsample": 1.5}, "subsample must be from 0 to below 1, got 1.5"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"seed": -1}, "seed must be from 0"),
    ],
)
def test_options_are_checked(option: dict[str, Any], message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        Word2VecOptions(**option)


def test_the_room_imports_gensim_and_scipy_only_to_train() -> None:
    code = (
        "import sys, embeddings.word2vec, embeddings.pretrained, embeddings.evaluation\n"
        "print(*sorted({'gensim', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == ""
