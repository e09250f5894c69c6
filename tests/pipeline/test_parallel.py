"""Work over processes: order, bounds, errors, and no process left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from pipeline.errors import PipelineError, SettingsError
from pipeline.parallel import map_ordered, split_texts
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter


def square(number: int) -> int:
    return number * number


def inverse(number: int) -> float:
    return 1 / number


def die_at_three(number: int) -> int:
    if number == 3:
        os._exit(7)
    return number


def noted(number: int) -> tuple[int, int]:
    return number, os.getpid()


def slow_from_hundred(number: int) -> int:
    time.sleep(0 if number < 100 else 0.1)
    return number


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert list(map_ordered(square, iter(range(100)), workers=workers, chunk=7)) == [n * n for n in range(100)]
    assert list(map_ordered(square, [], workers=workers)) == []


def test_two_workers_are_other_processes() -> None:
    results = list(map_ordered(noted, range(40), workers=2, chunk=1))
    assert [number for number, _ in results] == list(range(40))
    assert os.getpid() not in {process for _, process in results}


def test_one_worker_is_this_process() -> None:
    assert list(map_ordered(noted, range(3), workers=1)) == [(number, os.getpid()) for number in range(3)]


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 5 * 4)])
def test_items_are_taken_only_so_far_ahead_and_the_stream_can_be_dropped(workers: int, most: int) -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    stream = map_ordered(square, endless(), workers=workers, chunk=4)
    assert taken == 0
    assert next(stream) == 1
    assert taken <= most
    del stream


def test_a_dropped_stream_does_not_wait_for_the_rest_of_a_chunk() -> None:
    stream = map_ordered(slow_from_hundred, range(1000), workers=2, chunk=100)
    assert next(stream) == 0
    start = time.monotonic()
    del stream
    assert time.monotonic() - start < 5  # a chunk takes ten seconds


def test_an_error_of_the_function_comes_after_the_results_before_it() -> None:
    stream = map_ordered(inverse, [1, 2, 0, 4], workers=2, chunk=1)
    assert [next(stream), next(stream)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(stream)


def test_an_error_of_the_items() -> None:
    def broken() -> Iterator[int]:
        yield from range(5)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(map_ordered(square, broken(), workers=2, chunk=2))


def test_a_worker_that_dies_is_one_clear_error() -> None:
    with pytest.raises(PipelineError, match="one of 2 worker processes died"):
        list(map_ordered(die_at_three, range(50), workers=2, chunk=1))


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"workers": 2, "chunk": 0}])
def test_wrong_numbers_are_refused_at_the_call(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="is 0: expected 1 or more"):
        map_ordered(square, [1], **wrong)  # type: ignore[arg-type]


def test_texts_are_cut_by_workers_as_they_are_here() -> None:
    cutter = Segmenter(dictionary=UserDictionary({"三点在": "x", "New York": "ns"}), stop_words=["的"])
    texts = ["今天下午三点在会议室开会", "", "好\ud800坏", "飞往New York的航班\r\n", "𠮷野家"] * 20
    expected = [cutter.split(text) for text in texts]
    assert list(split_texts(cutter, texts, workers=2, chunk=9)) == expected
    assert list(split_texts(cutter, texts, workers=1)) == expected


SCRIPT = """
    import os
    import time
    from itertools import count
    from pipeline.parallel import map_ordered

    def work(number):
        time.sleep(0.01)
        return os.getpid()

    if __name__ == "__main__":
        seen = set()
        for worker in map_ordered(work, count(), workers=2, chunk=2):
            seen.add(worker)
            if len(seen) == 2:
                time.sleep(0.5)  # by now the workers wait for more
                print("running", flush=True)
                time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_parent(tmp_path: Path, ending: signal.Signals) -> None:
    script = tmp_path / "endless.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "running\n"
    if ending == signal.SIGINT:
        os.killpg(parent.pid, ending)  # as a terminal does for Ctrl-C
    else:
        parent.send_signal(ending)
    # The workers hold the pipes too: they only end once every process has.
    _, complaint = parent.communicate(timeout=30)
    assert parent.returncode == -ending
    assert complaint.count("Traceback") == (1 if ending == signal.SIGINT else 0)


def test_this_process_is_a_worker_too() -> None:
    seen: list[int] = []
    taken = count()
    for expected, (number, process) in enumerate(map_ordered(noted, taken, workers=3, chunk=1, here=noted)):
        assert number == expected
        if process not in seen:
            seen.append(process)
        if len(seen) == 3:
            break
    assert seen[0] == os.getpid(), "it begins at once"
    assert next(taken) - expected < 20, "what is taken ahead is bounded"
    results = list(map_ordered(noted, range(3), workers=2, chunk=1, here=noted, preload=["json"]))
    assert [number for number, _ in results] == [0, 1, 2], "there is less to do than it takes to start"
