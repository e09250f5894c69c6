"""Milliseconds and requests/s of `zhpipe serve`, beside a plain FastAPI route over the same model.

    python -m benchmarks.serving runs/a texts.csv --text text

Each client sends one text after the other over one connection. Memory is that of the server after each round.
"""

from __future__ import annotations

import argparse
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

import numpy as np

from benchmarks.markdown import machine, table
from corpora.table import TableReader

CLIENTS = (1, 8, 32)
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


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--text", default="text")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=0, help="after the table, send so many, and print the memory")
    arguments = parser.parse_args()
    reader = TableReader(arguments.texts)
    place = reader.columns.index(arguments.text)
    texts = [str(row[place]) for row in itertools.islice(reader, 5000)]
    commands = {
        "zhpipe serve": lambda port: ["-m", "pipeline", "serve", f"model={arguments.run}", "--port", port],
        "plain route": lambda port: ["-c", NAIVE, arguments.run, port],
    }
    found: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(_server(command)) for name, command in commands.items()}
        for _, clients, name in itertools.product(range(arguments.rounds), CLIENTS, servers):
            found.setdefault((name, clients), []).append(_load(servers[name][1], texts, clients, arguments.seconds))
        print(machine(("fastapi", "uvicorn", "onnxruntime")))
        print(table(("server", "clients", "p50, ms", "p99, ms", "requests/s"), _lines(found)))
        if arguments.requests:
            process, port = servers["zhpipe serve"]
            for part in range(2):
                _load(port, texts, 8, float("inf"), limit=arguments.requests * (1 if part else 0) + 1000)
                print(f"{_memory(process.pid):.0f} MB after {'all' if part else 'the table'}")


def _lines(found: dict[tuple[str, int], list[tuple[float, float, float]]]) -> Iterator[Sequence[str]]:
    for (name, clients), rounds in sorted(found.items(), key=lambda item: (item[0][1], item[0][0] != "zhpipe serve")):
        p50, p99, rate = np.median(rounds, axis=0)
        yield name, str(clients), f"{p50:.1f}", f"{p99:.1f}", f"{rate:,.0f}"


@contextlib.contextmanager
def _server(command: object) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    process = subprocess.Popen([sys.executable, *command(str(port))], stderr=subprocess.DEVNULL)  # type: ignore[operator]
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        process.wait()


def _load(port: int, texts: Sequence[str], clients: int, seconds: float, limit: int = 1 << 60) -> tuple[float, ...]:
    """Median and 99th percentile of a request, in ms, and requests/s."""
    taken: list[list[float]] = [[] for _ in range(clients)]
    counter, stop = itertools.count(), time.perf_counter() + seconds

    def ask(own: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < stop and (number := next(counter)) < limit:
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
