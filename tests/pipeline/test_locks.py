"""Locks: one process at a time, whoever dies; nobody locks a folder that is about to be removed."""

import subprocess
import sys
import threading

import pytest

from pipeline.errors import PipelineError
from pipeline.locks import locked, remove_locked

HOLDER = """
import pathlib, sys
from pipeline.locks import locked
lock = locked(pathlib.Path(sys.argv[1]))
print("held", flush=True)
input()
"""


def holder(folder):
    """A process that holds the lock of a folder until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"held"
    return process


def test_a_lock_ends_with_its_process(tmp_path):
    process = holder(tmp_path / "job")
    try:
        with pytest.raises(PipelineError, match="another process is working on this output"):
            locked(tmp_path / "job")
    finally:
        process.kill()
        process.communicate()
    locked(tmp_path / "job").close()


def test_no_two_hold_a_lock_while_folders_come_and_go(tmp_path):
    held, most, done = [], [], []

    def work():
        while len(done) < 200:
            try:
                lock = locked(tmp_path / "job")
            except PipelineError:
                continue
            held.append(lock)
            most.append(len(held))
            held.remove(lock)
            done.append(1)
            remove_locked(tmp_path / "job", lock)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1 and not (tmp_path / "job").exists()
