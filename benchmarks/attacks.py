"""Runs every attack that the tests know, and prints the table of benchmarks/README.md: kind, tried, held.

    python benchmarks/attacks.py

Longer than in the tests: 10,000 input files and 2,000 model folders damaged at random, and 200 kills (`--short`: as in
the tests). Takes about an hour.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
LONG = {"LABEL_FUZZ": "10000", "MODEL_FUZZ": "2000", "RUN_KILLS": "40", "LABEL_KILLS": "160"}
KINDS = {
    "code in the working directory": ["test_safe_path.py"],
    "folders of a user with the names of ours": ["pipeline/test_job_folders.py"],
    "scores, temperatures and thresholds that are no numbers": [
        "pipeline/test_finite.py",
        "pipeline/language/test_finite_likelihoods.py",
    ],
    "strangers' models": ["pipeline/models/test_model_strangers.py"],
    "model folders damaged at random": ["pipeline/models/test_model_fuzz.py"],
    "inputs: bombs, limits, pipes, strange quotes": ["corpora/test_limits.py", "corpora/test_quoting.py"],
    "inputs made at random": ["pipeline/jobs/test_label_fuzz.py"],
    "formulas and hidden characters": ["pipeline/test_shown.py"],
    "locks, permissions, pipes, limits, networks, secrets": ["pipeline/test_around.py", "pipeline/test_locks.py"],
    "kills and full disks": ["pipeline/test_kills.py"],
}


class Count:
    """A pytest plugin that counts tests and what they tried, by kind."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._kinds = {(TESTS / name).as_posix(): kind for kind, names in KINDS.items() for name in names}

    def pytest_runtest_logreport(self, report: Any) -> None:
        kind = self._kinds[(ROOT / report.nodeid.split("::")[0]).as_posix()]
        if report.failed:
            self.failed[kind] += 1
        if report.when == "call":
            examples = int(os.environ.get("LABEL_FUZZ", "120")) if "test_label_fuzz.py" in report.nodeid else 1
            self.tried[kind] += dict(report.user_properties).get("tried", examples)


def main() -> int:
    """Runs the tests of all kinds; returns pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true")
    if not parser.parse_args().short:
        os.environ.update(LONG)
    count = Count()
    files = [str(TESTS / name) for names in KINDS.values() for name in names]
    code = pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *files], plugins=[count])
    print("\n| attacks | tried | held |\n|---|---:|---:|")
    for kind in KINDS:
        print(f"| {kind} | {count.tried[kind]:,} | {count.tried[kind] - count.failed[kind]:,} |")
    tried = sum(count.tried.values())
    print(f"| all | {tried:,} | {tried - sum(count.failed.values()):,} |")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
