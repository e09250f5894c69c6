"""What all tests share: a folder with the tiny corpus, and runs of it that are trained once."""

import os
import shutil
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from few_remarks import CONFIG, remarks
from hypothesis import settings as hypothesis_settings
from mini import mails, write_config, write_csv

CONFIGS = Path(__file__).parent.parent / "configs"
BROWSERS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "firefox": ("firefox", "firefox-esr"),
}
LAUNCH = {"chromium": {"args": ["--no-sandbox", "--disable-gpu"]}, "firefox": {"channel": "moz-firefox"}}
LONG = ("test_tag", "test_earlier_model", "test_estimators", "test_command", "test_end_to_end", "test_wheel")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None, max_examples=50)
hypothesis_settings.load_profile("steady")


def pytest_collection_modifyitems(items):
    """The files that take longest begin first, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: item.path.stem not in LONG)


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
def once(tmp_path_factory):
    """`once("gru", make)`: what `make(folder)` leaves in its folder, made by the first process of the tests that asks.

    All of them get the same path, which `make` returns; nobody may change what is there.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name, make):
        found, folder = shared / f"{name}.made", shared / name
        with alone(shared / f"{name}.lock"):
            if not found.exists():
                shutil.rmtree(folder, ignore_errors=True)  # left by a process that failed
                folder.mkdir()
                found.write_text(str(make(folder)), encoding="utf-8")
        return Path(found.read_text(encoding="utf-8"))

    return made


@contextmanager
def alone(folder):
    """Waits for the lock of a folder, and holds it."""
    from pipeline.errors import PipelineError
    from pipeline.locks import locked, remove_locked

    lock = None
    while lock is None:
        try:
            lock = locked(folder)
        except PipelineError:
            time.sleep(0.2)
    try:
        yield
    finally:
        remove_locked(folder, lock)


@pytest.fixture(scope="session")
def trained(once):
    """`trained("gru")`: the folder of a run with that cell, trained once and not to be changed."""
    import pipeline

    def make(cell, folder):
        write_csv(folder / "mini.csv", mails())
        return pipeline.run(write_config(folder), overrides=[f"network.cell={cell}"], runs=folder / "runs")

    return lambda cell: once(f"run-{cell}", partial(make, cell))


@pytest.fixture(scope="session")
def remarked(once):
    """The folder of the run of a multi-label classifier, trained once and not to be changed."""
    import pipeline

    def make(folder):
        write_csv(folder / "remarks.csv", remarks(), header=("标签", "评价"))
        return pipeline.run(write_config(folder, CONFIG, "remarks.toml"), runs=folder / "runs")

    return once("remarks", make)


@pytest.fixture(scope="session")
def sample(once):
    """`sample("ner")`: the folder of a short run of configs/sample-ner.toml, trained once.

    Further settings may be named: `sample("cws", "tag.kind=joint")`.
    """
    import pipeline

    quick = ["evaluate.baselines=[]", "segment.workers=1"]
    # All rows in one batch, so that Keras compiles one shape of batch; a language model has one shape as it is.
    whole = ["embed.epochs=1", "train.batch_size=512", "train.epochs=8", "train.learning_rate=0.02"]
    windows = ["train.epochs=4", "train.learning_rate=0.01"]

    def make(name, overrides, folder):
        training = windows if name == "language" else whole
        return pipeline.run(CONFIGS / f"sample-{name}.toml", overrides=[*quick, *training, *overrides], runs=folder)

    return lambda name, *overrides: once("-".join(("sample", name, *overrides)), partial(make, name, overrides))


@pytest.fixture(scope="session")
def hello(once):
    """The folder of the run of sample-hello.toml, trained once and not to be changed."""
    import pipeline

    return once("hello", lambda folder: pipeline.run(CONFIGS / "sample-hello.toml", runs=folder))


@pytest.fixture(scope="module")
def browser(request):
    """A headless Chromium, or Firefox for a test with `everywhere`; the tests are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    name = getattr(request, "param", "chromium")
    found = next(filter(None, map(shutil.which, BROWSERS[name])), None)
    if found is None:
        pytest.skip(f"no {name} on the path: install it to run the browser tests")
    with playwright.sync_playwright() as running:
        started = getattr(running, name).launch(executable_path=found, **LAUNCH[name])
        try:
            started.new_page().close()
        except playwright.Error as error:  # an older Firefox may lack a command of WebDriver BiDi
            pytest.skip(f"this playwright can't steer {name} {started.version}: {error}")
        yield started
        started.close()
