"""All benchmarks one after the other, in under ten minutes on two cores, as one page of Markdown.

    python tests/benchmarks/all.py [--only capture many ...] [--page docs/measured.md]

Where there is a GPU, models run on it, those of the pages as well, and it is named.
page: what stands in it below its line "<!-- tests/benchmarks/all.py -->" is written anew. One that fails says so in its
place, and the run ends with 1. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import ast
import platform
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from vizvit.files import write_text

HERE = Path(__file__).parent
MARK = "<!-- tests/benchmarks/all.py -->\n"
LIMIT = 600  # seconds for one of them
RUNS: dict[str, tuple[str, ...]] = {  # name -> what keeps it short
    "capture": ("--rounds", "3"),
    "many": ("--rounds", "3"),
    "study": ("--rounds", "2"),
    "relevance": ("--rounds", "4"),
    "faithfulness": ("--quick",),
    "frames": ("--only", "vizvit-tiny", "DINOv2-S"),
    "stages": ("--repeats", "4"),
    "pages": (),
    "load": ("first", "alone", "measure", "--rounds", "1", "--tabs", "3"),
    "lesson": ("--pictures", "5", "--seconds", "5"),
    "start": ("--rounds", "2"),
    "figures": ("--rounds", "3"),
}


def promise(name: str) -> str:
    """The first sentence of a benchmark, up to its end or a colon."""
    text = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text("utf-8"))) or name
    return text.partition("\n")[0].rstrip(".")


def section(name: str, options: tuple[str, ...]) -> tuple[str, bool]:
    """What one benchmark says, as Markdown, and whether it came to its end."""
    command = ["python", f"tests/benchmarks/{name}.py", *options]
    start = time.monotonic()
    try:
        run = subprocess.run(
            [sys.executable, *command[1:]], cwd=HERE.parents[1], capture_output=True, text=True, timeout=LIMIT
        )
        said, good = run.stdout.strip(), run.returncode == 0
        if not good:
            said += "\n" + "\n".join(run.stderr.strip().splitlines()[-3:])
    except subprocess.TimeoutExpired:
        said, good = f"not done after {LIMIT} seconds", False
    print(f"{name}: {time.monotonic() - start:.0f} s{'' if good else ', failed'}", file=sys.stderr, flush=True)
    if good and "|---" in said:
        said = re.sub(r"(?m)^((?!\|).+)\n(?=\|)|^(\|.+)\n(?=[^|\n])", lambda line: f"{line[1] or line[2]}\n\n", said)
    else:
        said = f"```\n{said}\n```"
    return f"### {promise(name)}\n\n`{' '.join(command)}`\n\n{said}\n", good


def machine() -> str:
    """What the numbers are of."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    processor = f"{len(names)} × {names[0]}" if names else platform.processor()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "timm", "streamlit"))
    parts = time.strftime("%Y-%m-%d"), processor, *_cards(), f"Python {platform.python_version()}, {packages}."
    return "; ".join(parts)


def _cards() -> list[str]:
    """The names of the GPUs: benchmarks run on the first of them where there is one."""
    asked = shutil.which("nvidia-smi")
    if not asked:
        return []
    told = subprocess.run([asked, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
    return told.stdout.splitlines() if told.returncode == 0 else []


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), metavar="NAME", help=", ".join(RUNS))
    parser.add_argument("--page", type=Path, help="a page with that line in it")
    options = parser.parse_args()
    if options.page and MARK not in options.page.read_text("utf-8"):  # before ten minutes are spent
        parser.error(f"{options.page} has no line {MARK.strip()}")
    sections = [section(name, RUNS[name]) for name in options.only]
    text = "\n".join([f"## One whole run\n\n{machine()}\n", *(said for said, _ in sections)])
    if options.page:
        before = options.page.read_text("utf-8").partition(MARK)[0]
        write_text(options.page, f"{before}{MARK}\n{text}")
    else:
        print(text)
    return 0 if all(good for _, good in sections) else 1


if __name__ == "__main__":
    sys.exit(main())
