"""Milliseconds and requests/s of `zhpipe serve`, beside a plain FastAPI route over the same model.

    python -m benchmarks.serving runs/a texts.csv --text text
    python -m benchmarks.serving runs/a texts.csv --text text --requests 100000

Each client sends one text after the other over one connection. The second prints the server's resident memory on the
way to so many requests of eight clients.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks.markdown import machine, spread, table
from corpora.table import TableReader

CLIENTS = (1, 8, 32)
STEPS = (1_000, 10_000, 50_000)  # requests after which the memory is printed
Round = tuple[float, float, float]  # the median and the 99th percentile of a request, in ms, and requests/s
Measured = dict[tuple[int, str], list[Round]]
NAIVE = """
import sys
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
import zhpipe

model, app = zhpipe.load(sys.argv[1]), FastAPI()

class Texts(BaseModel):
    texts: list[str]

@app.get("/healthz")
def healthz():
    return {}

@app.post("/v1/models/model/predict")
def predict(asked: Texts):
    return {"predictions": [{"label": found.value, "confidence": found.score} for found in model.predict(asked.texts)]}

uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


class Server(NamedTuple):
    """A running server: the number of its process, and where it listens."""

    process: int
    port: int


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", default="text", show_default=True, help="The text column.")
@click.option("--seconds", default=10.0, show_default=True, help="Of a round.")
@click.option("--rounds", default=3, show_default=True, help="The servers take turns.")
@click.option("--requests", default=0, help="Send so many requests, and print the memory on the way; nothing else.")
def main(run: str, source: Path, text: str, seconds: float, rounds: int, requests: int) -> None:
    """Measure the service over the model of RUN with the texts of SOURCE, and print a Markdown table."""
    reader = TableReader(source)
    place = reader.columns.index(text)
    texts = [str(row[place]) for row in itertools.islice(reader, 5000)]
    click.echo(f"{machine()}\n")
    if requests:
        click.echo(table(("requests", "resident memory, MB"), _grown(run, texts, requests)))
    else:
        click.echo(
            table(("clients", "server", "p50, ms", "p99, ms", "requests/s"), _timed(run, texts, seconds, rounds))
        )


def _timed(run: str, texts: Sequence[str], seconds: float, rounds: int) -> Iterator[Sequence[str]]:
    found: Measured = {}
    with _ours(run) as ours, _server("-c", NAIVE, run) as plain:
        servers = {"zhpipe serve": ours, "plain route": plain}
        for _, clients, name in itertools.product(range(rounds), CLIENTS, servers):
            found.setdefault((clients, name), []).append(_load(servers[name].port, texts, clients, seconds))
    return _lines(found)


def _grown(run: str, texts: Sequence[str], requests: int) -> Iterator[Sequence[str]]:
    """The memory when so many requests have been answered."""
    with _ours(run) as ours:
        for sent, until in itertools.pairwise((0, *(step for step in STEPS if step < requests), requests)):
            _load(ours.port, texts, 8, float("inf"), most=until - sent)
            yield f"{until:,}", f"{_memory(ours.process):.0f}"


def _ours(run: str) -> contextlib.AbstractContextManager[Server]:
    return _server("-m", "pipeline", "serve", f"model={run}", "--port")


def _lines(found: Measured) -> Iterator[Sequence[str]]:
    for (clients, name), rounds in sorted(found.items(), key=lambda item: (item[0][0], item[0][1] != "zhpipe serve")):
        p50, p99, rate = zip(*rounds, strict=True)
        yield str(clients), name, spread(p50, ".1f"), spread(p99, ".1f"), spread(rate)


@contextlib.contextmanager
def _server(*command: str) -> Iterator[Server]:
    """A server, started by a command whose last argument is its port."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    process = subprocess.Popen([sys.executable, *command, str(port)], stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.1)
    raise TimeoutError("the server does not start")


def _load(port: int, texts: Sequence[str], clients: int, seconds: float, most: int = 1 << 60) -> Round:
    """Sends texts, one a request, for some seconds or until `most` are sent."""
    taken: list[list[float]] = [[] for _ in range(clients)]
    counter, stop = itertools.count(), time.perf_counter() + seconds

    def ask(own: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < stop and (number := next(counter)) < most:
            body = json.dumps({"texts": [texts[number % len(texts)]]})
            start = time.perf_counter()
            connection.request("POST", "/v1/models/model/predict", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            reply.read()
            if reply.status != 200:
                raise RuntimeError(f"status {reply.status}")
            own.append(time.perf_counter() - start)

    start = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(own,)) for own in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    all_taken = np.array(list(itertools.chain(*taken))) * 1000
    return float(np.median(all_taken)), float(np.percentile(all_taken, 99)), len(all_taken) / elapsed


def _memory(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
