"""How long it takes to begin: the command's help, a rollout of one picture, the app's first view on a fresh server.

    python tests/benchmarks/start.py [--rounds 3]

Each is a process of its own; processor seconds are those of the process and what it began. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parents[1] / "browser")]
from load import first_run
from running import running_app
from skimage import data, io


def command(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "vizvit", *words], cwd=ROOT, check=True, capture_output=True)


def first_view(folder: Path) -> None:
    with running_app(folder / "log", HF_HUB_OFFLINE="1") as address:
        asyncio.run(first_run(address))


def used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def report(name: str, action: Callable[[], None], rounds: int) -> None:
    seconds, work = [], []
    for _ in range(rounds):
        start, before = time.perf_counter(), used()
        action()
        seconds.append(time.perf_counter() - start)
        work.append(used() - before)
    print(f"| {name} | {median(seconds):.2f} | {median(work):.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print("| seconds | until it is done | of the processors |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        io.imsave(folder / "one.jpg", data.chelsea())
        report("`python -m vizvit --help`", lambda: command("--help"), rounds)
        rolled = ("rollout", str(folder / "one.jpg"), "--out", str(folder / "out"))
        report("`python -m vizvit rollout one.jpg`", lambda: command(*rolled), rounds)
        report("a fresh server's first view, and its end", lambda: first_view(folder), rounds)


if __name__ == "__main__":
    main()
