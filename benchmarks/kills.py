"""Kills labelling jobs at random moments, again and again, and compares what they leave with an undisturbed run.

    python benchmarks/kills.py runs/sample-mail --kills 100

Jobs with 1 and with 2 workers; after each SIGKILL the same command goes on, until the job is whole. Then a disk that
fills up (a small tmpfs, where it may be mounted): more room is given, and the same command goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 12_000
DRIVER = """
import sys
from pipeline.jobs.label import label_file
from pipeline.jobs.options import Limits
limits = Limits(chunk_rows=256, solo_seconds=0.1, commit_seconds=0.05)
if __name__ == "__main__":
    done = label_file(sys.argv[1], sys.argv[2], sys.argv[3], workers=int(sys.argv[4]), limits=limits)
    print(done.rows, done.labelled, done.blank, done.rejected)
"""


def main() -> None:
    """Runs the kills, prints a line a job and the sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(_run(Path(folder), arguments.model, arguments.kills, random.Random(arguments.seed)))


def _run(folder: Path, model: str, kills: int, chance: random.Random) -> str:
    (folder / "driver.py").write_text(DRIVER, encoding="utf-8")
    _write_rows(folder / "in.csv", chance)
    start = time.perf_counter()
    subprocess.run(_command(folder, model, "whole.csv", 1), check=True, capture_output=True)
    seconds, whole = time.perf_counter() - start, _sums(folder, "whole.csv")
    done = jobs = 0
    while done < kills:
        workers = 1 + jobs % 2
        killed = _killed_job(folder, model, f"{jobs}.csv", workers, seconds, chance)
        assert _sums(folder, f"{jobs}.csv") == whole, f"job {jobs} differs, in {folder}"
        print(f"job {jobs}: {workers} workers, {killed} kills, equal", flush=True)
        done, jobs = done + killed, jobs + 1
    full = _full_disk(folder, model, whole)
    return f"{done} kills in {jobs} jobs of {ROWS:,} rows: nothing lost, doubled or out of order; full disk: {full}"


def _killed_job(folder: Path, model: str, out: str, workers: int, seconds: float, chance: random.Random) -> int:
    """Kills a job until it is faster than the next kill; the number of kills."""
    kills = 0
    while True:
        process = subprocess.Popen(
            _command(folder, model, out, workers), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            _, errors = process.communicate(timeout=chance.uniform(0.2, 1.3 * seconds))
            assert process.returncode == 0, errors
            return kills
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            if (folder / out).exists() and not (folder / f"{out}.job" / "journal.jsonl").exists():
                return kills  # it was done, and killed as it left


def _full_disk(folder: Path, model: str, whole: list[str]) -> str:
    small = folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True).returncode:
        return "not tried, as no tmpfs may be mounted here"
    try:
        failures = 0
        for size in (256, 512, 768, 1024, 2048, 8192):
            subprocess.run(["mount", "-o", f"remount,size={size}k", str(small)], check=True)
            done = subprocess.run(_command(folder, model, "small/out.csv", 1), capture_output=True, text=True)
            if done.returncode == 0:
                break
            assert "No space left on device" in done.stderr, done.stderr
            failures += 1
        assert _sums(folder, "small/out.csv") == whole
        return f"{failures} times, equal at last"
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _command(folder: Path, model: str, out: str, workers: int) -> list[str]:
    script, source, target = (str(folder / name) for name in ("driver.py", "in.csv", out))
    return [sys.executable, script, model, source, target, str(workers)]


def _sums(folder: Path, out: str) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (out, f"{out}.rejected.csv")]


def _write_rows(path: Path, chance: random.Random) -> None:
    words = ["会议", "改到", "明天", "下午", "三点", "，", "请", "准时", "参加", "。", "优惠", "中奖", "自动回复", "\n"]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("id,text\n")
        for row in range(ROWS):
            text = "".join(chance.choices(words, k=chance.randrange(60)))
            file.write(f"{row},{text},\n" if row % 1000 == 999 else f'{row},"{text}"\n')


if __name__ == "__main__":
    main()
