"""How long people wait for a page on one server, on loopback, and how much memory it takes.

    python tests/benchmarks/load.py [first alone measure large class memory ...]
    python tests/benchmarks/load.py measure large --rounds 2
    python tests/benchmarks/load.py memory --pictures 3 --models 2

first: many people open the app at once on a warm server, and one real tab after the other: until the first view.
alone: one person changes from page to page, a picture a round.
measure: the same beside one who measures how faithful maps are, all the time.
large: the same beside one who looks at pictures with a model of 518 pixels, all the time.
class: many people at once, each changing pages on their own.
memory: what the process holds after each model, many pictures each, within the limits of its caches.

Each visitor is a session of its own that speaks Streamlit's protocol; each part has a server of its own. What a browser
then does with a view is measured with one real tab: thirty on the same cores would measure how slowly Chromium starts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "browser")]
from running import CHROMIUM, CHROMIUM_FLAGS, running_app
from sessions import Session

from vizvit.pictures.samples import SAMPLES

PAGES = ("walkthrough", "rollout", "heads", "positions")
LARGE = {"model": "vit_small_patch14_reg4_dinov2.lvd142m", "weights": "random"}  # 518 pixels; needs no network
SINCE_LOAD = """
performance.getEntriesByName("vizvit-ready")[0].startTime - performance.getEntriesByType("navigation")[0].loadEventEnd
"""


async def first_run(address: str) -> float:
    """Seconds from connecting to the first view; raises where there is none."""
    start = time.perf_counter()
    async with Session(address) as session:
        if "bidi_component" not in session.elements:
            raise RuntimeError("the script ended without an explorer")
        return time.perf_counter() - start


async def burst(address: str, people: int) -> list[float]:
    return await asyncio.gather(*(first_run(address) for _ in range(people)))


async def first_views(address: str, tabs: int) -> list[float]:
    """Seconds from the page's load event to the explorer's first drawing, for one tab on a warm server."""
    from playwright.async_api import async_playwright

    times = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for _ in range(tabs + 1):
            context = await browser.new_context(viewport={"width": 1600, "height": 1000})
            page = await context.new_page()
            await page.goto(address)
            await page.locator(".vizvit[data-ready=true]").wait_for(timeout=60_000)
            times.append(await page.evaluate(SINCE_LOAD) / 1000)
            await context.close()
        await browser.close()
    return times[1:]


async def page_changes(address: str, rounds: int, first: int = 0) -> list[float]:
    """Seconds of each change from page to page: a round is a session with a sample of its own."""
    times, samples = [], list(SAMPLES)
    for number in range(first, first + rounds):
        async with Session(address, image=samples[number % len(samples)]) as session:
            times += [await session.run(page=page) for page in PAGES]
    return times


async def measuring(address: str, begun: asyncio.Event) -> None:
    """One who measures on the Explanations page without end, a picture after the other, at every patch."""
    for sample in cycle(SAMPLES):
        async with Session(address, "explanations", image=sample, steps="all") as session:
            tell = lambda kind: begun.set() if kind == "progress" else None  # noqa: E731
            await session.run(press="explanations_ask_measured", tell=tell)
            if not begun.is_set():
                raise RuntimeError("nothing was measured")


async def looking(address: str, begun: asyncio.Event) -> None:
    """One who opens picture after picture with a large model, and its rollout."""
    for sample in cycle(SAMPLES):
        begun.set()
        async with Session(address, image=sample, **LARGE) as session:
            await session.run(page="rollout")


@asynccontextmanager
async def beside(work: Awaitable[None], begun: asyncio.Event) -> AsyncIterator[None]:
    """While somebody else is at work, which must not end by itself."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, waiting := asyncio.ensure_future(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def changes_beside(address: str, rounds: int, work: Callable[..., Awaitable[None]]) -> list[float]:
    begun = asyncio.Event()
    async with beside(work(address, begun), begun):
        return await page_changes(address, rounds)


async def crowd(address: str, people: int, rounds: int) -> list[float]:
    each = await asyncio.gather(*(page_changes(address, rounds, person) for person in range(people)))
    return [seconds for times in each for seconds in times]


def memory(pictures: int, models: int, megabytes: int) -> None:
    """In this process: random pictures, shipped and catalogued models with random weights."""
    os.environ["VIZVIT_MODELS_MB"] = str(megabytes)
    import numpy as np
    import streamlit as st
    from PIL import Image

    from vizvit.analysis import rollout
    from vizvit.errors import ModelError
    from vizvit.pages.shared.store import store
    from vizvit.pages.sidebar.choice import Choice
    from vizvit.pages.sidebar.model_choice import ENTRIES, load_chosen

    logging.disable(logging.WARNING)  # Streamlit's, of a script without a server
    gc.freeze()  # as the app does with what it imports
    print(
        "| model | process, MB | most so far, MB | models, MB | captures, MB | results, MB |\n|---|---|---|---|---|---|"
    )
    for name in ["vizvit-tiny", *ENTRIES][:models]:
        try:
            vit, key = load_chosen(st.container(), name, "random")
        except ModelError as error:
            print(f"| {name} | {error} |")
            continue
        for number in range(pictures):
            pixels = np.random.default_rng(number).integers(0, 256, (256, 256, 3), np.uint8)
            choice = Choice(Image.fromarray(pixels), f"{number}", f"{number}", vit, key)
            cap = choice.capture()
            choice.result("rollout", lambda cap=cap: rollout(cap))
        del vit, choice, cap
        gc.collect()  # as Streamlit does after each run
        own = store()
        caches = " | ".join(f"{cache.nbytes / 1e6:.0f}" for cache in (own.models, own.captures, own.results))
        now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(f"| {name} | {now:.0f} | {most:.0f} | {caches} |", flush=True)


def report(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p95 = ordered[-(-95 * len(ordered) // 100) - 1]  # the nearest rank
    print(f"| {name} | {len(times)} | {median(times):.2f} | {p95:.2f} | {ordered[-1]:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("first", "alone", "measure", "large", "class", "memory")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(parts)}; first by itself")
    parser.add_argument("--people", type=int, default=30, choices=range(1, 101), metavar="1..100")
    parser.add_argument("--rounds", type=int, default=6, help=f"pictures; each is {len(PAGES)} changes of the page")
    parser.add_argument("--tabs", type=int, default=9, help="of Chromium, for the first view; 0 is none")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--models-mb", type=int, default=512, help="VIZVIT_MODELS_MB for memory")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    runs: dict[str, list[tuple[str, Callable[[str], Awaitable[list[float]]]]]] = {
        "first": [("first run of people at once", lambda address: burst(address, options.people))],
        "alone": [("page change, alone", lambda address: page_changes(address, options.rounds))],
        "measure": [("beside a Measure", lambda address: changes_beside(address, options.rounds, measuring))],
        "large": [("beside a model of 518 px", lambda address: changes_beside(address, options.rounds, looking))],
        "class": [(f"{options.people} people at once", lambda address: crowd(address, options.people, 1))],
    }
    if options.tabs:
        runs["first"].append(("first view of a tab since its load event", lambda a: first_views(a, options.tabs)))
    chosen = [part for part in options.parts or ["first"] if part != "memory"]
    if chosen:
        print("| seconds | count | p50 | p95 | slowest |\n|---|---|---|---|---|")
    for part in chosen:
        with tempfile.TemporaryDirectory() as folder, running_app(Path(folder) / "log", HF_HUB_OFFLINE="1") as address:
            asyncio.run(first_run(address))  # warm
            for name, run in runs[part]:
                report(name, asyncio.run(run(address)))
    if "memory" in options.parts:
        memory(options.pictures, options.models, options.models_mb)


if __name__ == "__main__":
    main()
