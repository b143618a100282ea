"""How long each page takes with a large model: the first sign of life, the first picture and the complete page.

    python tests/benchmarks/pages.py [--model DIR] [--quick]

cold: on a server of its own whose model is loaded and whose picture nobody has looked at. warm: the same page once
more, in a session of its own. silence: the longest time in which nothing came. A visitor is a session that speaks
Streamlit's protocol, without a browser. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "browser")]
from running import running_app
from sessions import Session

LARGE = "vit_small_patch14_reg4_dinov2.lvd142m"  # 518 pixels
PAGES = ("", "walkthrough", "rollout", "heads", "positions", "experiments", "explanations", "studies")
PICTURES = {"imgs", "bidi_component", "arrow_vega_lite_chart", "iframe"}
SIDEBAR = 1  # of a page that is complete without a picture, the first is the thumbnail


@dataclass
class Visit:
    """Seconds since the page was asked for: of each element, and of those that show something."""

    start: float = field(default_factory=time.perf_counter)
    drawn: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)

    def tell(self, kind: str) -> None:
        now = time.perf_counter() - self.start
        self.drawn.append(now)
        if kind in PICTURES:
            self.pictures.append(now)

    def line(self, complete: float) -> str:
        beyond = self.pictures[SIDEBAR:] or self.pictures
        silence = max((after - before for before, after in pairwise([0.0, *self.drawn, complete])), default=complete)
        first = f"{beyond[0]:8.2f}" if beyond else "       -"
        return f"{self.drawn[0] if self.drawn else complete:8.2f}{first}{complete:8.2f}{silence:8.2f}"


async def visited(address: str, page: str, query: dict[str, str]) -> str:
    async with Session(address, "positions", **query | {"image": "coffee"}) as session:
        session.set_query(**query)
        visit = Visit()
        return visit.line(await session.run(page=page, tell=visit.tell))


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
            lines = [asyncio.run(visited(address, page, query)) for _ in range(2)]
        print(f"{page or 'explore':14}" + "  ".join(lines), flush=True)


if __name__ == "__main__":
    main()
