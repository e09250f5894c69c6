"""What all tests share: a folder with the tiny corpus, and runs of it that are trained once."""

import os
import shutil
from pathlib import Path

import pytest
from few_remarks import CONFIG, remarks
from hypothesis import settings as hypothesis_settings
from mini import mails, write_config, write_csv

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis_settings.load_profile("steady")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """The command tells the processes that it starts to keep off the working directory; later tests may want it."""
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    os.environ.pop("PYTHONSAFEPATH")


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """An empty folder to work in, with mini.csv and mini.toml."""
    write_csv(tmp_path / "mini.csv", mails())
    write_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """`trained("gru")`: the folder of a run with that cell, trained once a session and not to be changed."""
    import pipeline

    made = {}

    def run(cell):
        if cell not in made:
            folder = tmp_path_factory.mktemp(f"run-{cell}")
            write_csv(folder / "mini.csv", mails())
            config = write_config(folder)
            made[cell] = pipeline.run(config, overrides=[f"network.cell={cell}"], runs=folder / "runs")
        return made[cell]

    return run


@pytest.fixture(scope="session")
def remarked(tmp_path_factory):
    """The folder of the run of a multi-label classifier, trained once a session and not to be changed."""
    import pipeline

    folder = tmp_path_factory.mktemp("remarks")
    write_csv(folder / "remarks.csv", remarks(), header=("标签", "评价"))
    return pipeline.run(write_config(folder, CONFIG, "remarks.toml"), runs=folder / "runs")


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """`sample("ner")`: the folder of a short run of configs/sample-ner.toml, trained once a session.

    Further settings may be named: `sample("cws", "tag.kind=joint")`.
    """
    import pipeline

    made, configs = {}, Path(__file__).parent.parent / "configs"
    quick = ["train.epochs=4", "train.learning_rate=0.01", "evaluate.baselines=[]", "segment.workers=1"]

    def run(name, *overrides):
        if (name, overrides) not in made:
            vectors = [] if name == "language" else ["embed.epochs=1"]
            made[name, overrides] = pipeline.run(
                configs / f"sample-{name}.toml",
                overrides=[*quick, *vectors, *overrides],
                runs=tmp_path_factory.mktemp(f"sample-{name}"),
            )
        return made[name, overrides]

    return run


@pytest.fixture(scope="session")
def hello(tmp_path_factory):
    """The folder of the run of sample-hello.toml, trained once a session and not to be changed."""
    import pipeline

    config = Path(__file__).parent.parent / "configs" / "sample-hello.toml"
    return pipeline.run(config, runs=tmp_path_factory.mktemp("hello"))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; the tests that need it are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on the path: install chromium to run the browser tests")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
