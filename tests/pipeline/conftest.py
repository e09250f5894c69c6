"""Language models trained once a session: of characters, and of words."""

import pytest
from few_lines import CHARACTERS, CONFIG, LINES, WORDS

import pipeline


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """`written(CHARACTERS)`: the folder of a run with these settings, not to be changed."""
    made = {}

    def run(overrides):
        if overrides not in made:
            folder = tmp_path_factory.mktemp("language")
            (folder / "mini.txt").write_text("\n".join(LINES * 3) + "\n", encoding="utf-8")
            (folder / "mini.toml").write_text(CONFIG, encoding="utf-8")
            made[overrides] = pipeline.run(folder / "mini.toml", overrides=overrides, runs=folder / "runs")
        return made[overrides]

    return run


@pytest.fixture(scope="session")
def characters(written):
    return pipeline.load(written(CHARACTERS))


@pytest.fixture(scope="session")
def words(written):
    return pipeline.load(written(WORDS))
