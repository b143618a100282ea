"""How long it takes to begin: the command's help, a rollout of one picture, the app's first view on a fresh server.

    python tests/benchmarks/start.py [--rounds 3]

Each is a process of its own; processor seconds are those of the process and what it began. The first two lines are the
floor: what the packages that VizViT stands on take, theirs alone. Nothing here asserts a time.
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


def python(*words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def first_view(folder: Path) -> float:
    """Seconds until it is there; the server's end comes after."""
    start = time.perf_counter()
    with running_app(folder / "log", HF_HUB_OFFLINE="1") as address:
        asyncio.run(first_run(address))
        return time.perf_counter() - start


def used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def report(name: str, action: Callable[[], float], rounds: int) -> None:
    """action: gives its seconds."""
    seconds, work = [], []
    for _ in range(rounds):
        before = used()
        seconds.append(action())
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
        report('`python -c "import torch"`', lambda: python("-c", "import torch"), rounds)
        report('`python -c "import timm"`, which imports torch', lambda: python("-c", "import timm"), rounds)
        report("`python -m vizvit --help`", lambda: python("-m", "vizvit", "--help"), rounds)
        rolled = ("-m", "vizvit", "rollout", str(folder / "one.jpg"), "--out", str(folder / "out"))
        report("`python -m vizvit rollout one.jpg`", lambda: python(*rolled), rounds)
        report("a fresh server's first view", lambda: first_view(folder), rounds)


if __name__ == "__main__":
    main()
