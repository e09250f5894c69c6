"""A model in other processes and threads, after it has answered once in this one."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from mini import python
from random_model import make_model

from pipeline import load

TEXTS = ["今天的电影很好看", "服务太慢了，味道差"]
SCRIPT = """
import multiprocessing
import os
import sys

from pipeline import load

TEXTS = {texts}


def answer(model):
    return [prediction.score for prediction in model.predict(TEXTS)]


def answer_of(folder):
    return answer(load(folder))


if __name__ == "__main__":
    model = load({folder!r})
    mine = answer(model)
    {body}
"""
POOL = """
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        theirs = pool.map_async(answer, [model] * 3).get(60) + pool.map_async(answer_of, [{folder!r}] * 3).get(60)
    print(theirs == [mine] * 6, answer(model) == mine)
"""
FORK = """
    child = os.fork()
    if not child:
        sys.exit(7 if answer(model) == mine else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), answer(model) == mine)
"""
IDLE = """
    child = os.fork()
    if not child:
        sys.exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), answer(model) == mine)
"""


@pytest.fixture
def folder(tmp_path):
    return make_model(tmp_path / "model")


def run(folder, body):
    script = folder.parent / "script.py"
    script.write_text(SCRIPT.format(texts=TEXTS, folder=str(folder), body=body.strip()), encoding="utf-8")
    ran = python("-W", "ignore::DeprecationWarning", script, folder=folder.parent, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_answer_and_end(folder, method):
    pytest.importorskip("fcntl", reason="Windows has spawn alone")
    assert run(folder, POOL.format(method=method, folder=str(folder))) == "True True\n"


@pytest.mark.parametrize("body", [FORK, IDLE], ids=["asked", "idle"])
def test_a_forked_child_exits(folder, body):
    pytest.importorskip("fcntl", reason="Windows has no fork")
    assert run(folder, body) == "7 True\n"


def test_threads_answer_alike(folder):
    model = load(folder)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [answer.score for answer in model.predict(TEXTS)], range(16)))
    assert found == [found[0]] * 16


def test_a_pickled_model_holds_no_session(folder):
    model = load(folder)
    mine = model.predict(TEXTS)
    assert pickle.loads(pickle.dumps(model)).predict(TEXTS) == mine
