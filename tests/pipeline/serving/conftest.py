"""What the tests of serving share: a server as a process of its own."""

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from random_model import make_model
from random_tagger import make_tagger

HOSTILE = "<img src=x onerror=alert(1)>"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def serving(tmp_path, monkeypatch):
    """`serving("mail", ...)`: a server of models in the folder of the test: its process and its address."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    started = []

    def start(*models):
        port = free_port()
        command = [sys.executable, "-m", "pipeline", "serve", *map(str, models), "--port", str(port)]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8")
        started.append(process)
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{address}/healthz"):
                    break
            except OSError:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.1)
        return process, address

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def server(tmp_path, serving):
    """A server of a random classifier, with a hostile label, and tagger: its process and its address."""
    make_model(tmp_path / "mail", labels=(HOSTILE, "差"))
    make_tagger(tmp_path / "entities")
    return serving("mail", "entities")
