"""How long each page takes with a large model: the first sign of life, the first picture and the complete page.

    python tests/benchmarks/pages.py [--model DIR] [--quick]

cold: on a server of its own whose model is loaded and whose picture nobody has looked at. warm: the same page once
more, in a session of its own. silence: the longest time in which nothing came and no mark on the page said that work
goes on. A visitor is a session that speaks Streamlit's protocol, without a browser. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "browser")]
from running import running_app
from sessions import Session

LARGE = "vit_small_patch14_reg4_dinov2.lvd142m"  # 518 pixels
PAGES = ("", "walkthrough", "rollout", "heads", "positions", "experiments", "explanations", "studies")
PICTURES = {"imgs", "bidi_component", "arrow_vega_lite_chart", "iframe"}
MAIN = 0  # where a place in the main area begins; the sidebar's thumbnail is not counted


@dataclass
class Visit:
    """Seconds since the page was asked for: of each element, and of those that show something."""

    start: float = field(default_factory=time.perf_counter)
    drawn: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    silence: float = 0.0
    busy: bool = False  # whether a mark has said so since what came last

    def tell(self, kind: str, session: Session) -> None:
        now = self.note(bool(session.busy))
        self.drawn.append(now)
        if kind in PICTURES and session.place[0] == MAIN:
            self.pictures.append(now)

    def note(self, busy: bool = False) -> float:
        now = time.perf_counter() - self.start
        if not self.busy:
            self.silence = max(self.silence, now - (self.drawn[-1] if self.drawn else 0))
        self.busy = busy
        return now

    def line(self) -> str:
        complete = self.note()
        first = f"{self.pictures[0]:8.2f}" if self.pictures else "       -"
        return f"{self.drawn[0] if self.drawn else complete:8.2f}{first}{complete:8.2f}{self.silence:8.2f}"


async def visited(address: str, page: str, query: dict[str, str]) -> str:
    visit = Visit()
    session = Session(address, page, lambda kind: visit.tell(kind, session), **query)
    async with session:
        return visit.line()


async def loaded(address: str, query: dict[str, str]) -> None:
    """The model is, by someone who looks at another picture."""
    async with Session(address, "positions", **query | {"image": "coffee"}):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="a directory; without it a DINOv2 of random weights")
    parser.add_argument("--quick", action="store_true", help="with vizvit-tiny: to see that it runs")
    options = parser.parse_args()
    model = "vizvit-tiny" if options.quick else str(options.model.resolve()) if options.model else LARGE
    query = {"model": model, "image": "cat"} | ({"weights": "random"} if model == LARGE else {})
    print(f"{model}, seconds{'':22}cold{'':28}warm")
    print(f"{'':14}" + "   first picture complete silence" * 2)
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder, running_app(Path(folder) / "log", HF_HUB_OFFLINE="1") as address:
            asyncio.run(loaded(address, query))
            lines = [asyncio.run(visited(address, page, query)) for _ in range(2)]
        print(f"{page or 'explore':14}" + "  ".join(lines), flush=True)


if __name__ == "__main__":
    main()
