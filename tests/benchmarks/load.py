"""Thirty people open the app at once on a warm server, on loopback: how long until each has the first view?

    python tests/benchmarks/load.py [--tabs 30]

Each visitor is a session of its own that speaks Streamlit's protocol over a WebSocket, as a tab does; its first view
is there when the explorer's data have arrived and the script has run. What a browser then does with them is measured
with one real tab: thirty on the same two cores would measure how slowly Chromium starts thirty pages. Bounded: one
burst, then it stops.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from running import CHROMIUM, CHROMIUM_FLAGS, running_app

LIMIT = 60.0
SINCE_LOAD = """
performance.getEntriesByName("vizvit-ready")[0].startTime - performance.getEntriesByType("navigation")[0].loadEventEnd
"""


async def visit(address: str) -> float:
    """Seconds from connecting to the first view; raises where there is none within the limit."""
    start = time.perf_counter()
    url = address.replace("http://", "ws://") + "/_stcore/stream"
    async with asyncio.timeout(LIMIT), connect(url, max_size=None, subprotocols=["streamlit"]) as socket:
        wanted = BackMsg()
        wanted.rerun_script.query_string = ""
        await socket.send(wanted.SerializeToString())
        explorer = False
        while True:
            message = ForwardMsg.FromString(await socket.recv())
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "bidi_component":
                explorer = True
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(message.delta.new_element.exception.message)
            if kind == "script_finished":
                if not explorer:
                    raise RuntimeError("the script ended without an explorer")
                return time.perf_counter() - start


async def burst(address: str, tabs: int) -> list[float | BaseException]:
    await visit(address)  # warm
    return await asyncio.gather(*(visit(address) for _ in range(tabs)), return_exceptions=True)


async def first_views(address: str, rounds: int) -> list[float]:
    """Seconds from the page's load event to the explorer's first drawing, for one tab on a warm server."""
    from playwright.async_api import async_playwright

    times = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for _ in range(rounds + 1):
            context = await browser.new_context(viewport={"width": 1600, "height": 1000})
            page = await context.new_page()
            await page.goto(address)
            await page.locator(".vizvit[data-ready=true]").wait_for(timeout=LIMIT * 1000)
            times.append(await page.evaluate(SINCE_LOAD) / 1000)
            await context.close()
        await browser.close()
    return times[1:]


def report(name: str, times: list) -> None:
    good = sorted(t for t in times if isinstance(t, float))
    failed = [t for t in times if not isinstance(t, float)]
    if good:
        columns = (median(good), good[int(0.95 * (len(good) - 1))], good[-1])
        print(f"| {name} | {len(times)} | {' | '.join(f'{t:.2f}' for t in columns)} | {len(failed)} |")
    for failure in failed[:3]:
        print(f"  failed: {failure!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tabs", type=int, default=30, choices=range(1, 101), metavar="1..100")
    options = parser.parse_args()
    print("| seconds to the first view | visitors | median | 95 % | slowest | failed |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder) / "log", HF_HUB_OFFLINE="1") as address:
        report("sessions at once", asyncio.run(burst(address, options.tabs)))
        report("one Chromium tab after the other, from the load event", asyncio.run(first_views(address, 9)))


if __name__ == "__main__":
    main()
