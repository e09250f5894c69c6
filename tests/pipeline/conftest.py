"""Language models trained once: of characters, and of words."""

from functools import partial

import pytest
from few_lines import CHARACTERS, CONFIG, LINES, WORDS

import pipeline


@pytest.fixture(scope="session")
def written(once):
    """`written(CHARACTERS)`: the folder of a run with these settings, trained once and not to be changed."""

    def make(overrides, folder):
        (folder / "mini.txt").write_text("\n".join(LINES * 3) + "\n", encoding="utf-8")
        (folder / "mini.toml").write_text(CONFIG, encoding="utf-8")
        return pipeline.run(folder / "mini.toml", overrides=overrides, runs=folder / "runs")

    return lambda overrides: once("-".join(("language", *overrides)), partial(make, overrides))


@pytest.fixture(scope="session")
def characters(written):
    return pipeline.load(written(CHARACTERS))


@pytest.fixture(scope="session")
def words(written):
    return pipeline.load(written(WORDS))
