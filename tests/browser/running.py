"""Starting the app and Chromium for the browser tests, the benchmarks and the README's screenshots."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import BrowserContext, Locator, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).parents[2]
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the first takes least work
CHROMIUM = next(filter(None, map(shutil.which, CHROMIUMS)), None)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a moving picture of Chromium's own
    "--use-fake-ui-for-media-stream",
]
# For tests: little of what it would compile within a page's first second is run again. Nobody's browser is like that.
COMPILING_LITTLE = "--js-flags=--invocation-count-for-maglev=5000 --invocation-count-for-turbofan=20000"
PLACES = re.findall(r'\("(\w+)", \w+\.page\)', (ROOT / "app.py").read_text("utf-8"))  # as navigation has them
PATIENCE = 120_000  # milliseconds: every wait is for a condition, and a busy machine makes none fail
RUNS = (Path(__file__).parent / "runs.js").read_text("utf-8")
SETTLED = """() => {
    const app = document.querySelector("[data-test-script-state]"), runs = globalThis.runs;
    if (location.protocol.startsWith("http") && app?.dataset.testScriptState !== "notRunning") return false;
    if (runs?.stirred || runs?.awaited || runs?.going) return false;
    return [...document.images].every((image) => image.complete && image.naturalWidth);
}"""


@contextmanager
def running_app(log: Path, **environment: str) -> Iterator[str]:
    """Start the app on a free loopback port; yields its address; ends it by its own process id."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_healthy(server, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(server: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=10).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The app did not start:\n{log.read_text()[-3000:]}")


def watch_runs(context: BrowserContext) -> None:
    """Let `settled` know, in the pages of this context, of runs that were asked for and have not begun."""
    fields = {"asked": (BackMsg, "rerun_script"), "begun": (ForwardMsg, "new_session")}
    fields["finished"] = (ForwardMsg, "script_finished")
    numbers = {key: message.DESCRIPTOR.fields_by_name[name].number for key, (message, name) in fields.items()}
    numbers["early"] = ForwardMsg.FINISHED_EARLY_FOR_RERUN
    context.add_init_script(f"({RUNS})({json.dumps(numbers)})")


def settled(page: Page) -> None:
    """Wait until the script has run for all that was chosen so far, and its pictures are there.

    Streamlit's own state still says "not running" between a choice and the server's word of its run, for which the
    page asks a moment later; and while that run goes, elements of the last one stand beside the new. Streamlit drops a
    picture's file with the run that showed it: who leaves a page while the browser still fetches finds nothing, and the
    console says so.
    """
    page.wait_for_function(SETTLED, polling=50)  # asked at every frame, it would have the browser make all of them


def drawn(page: Page) -> None:
    """Wait until the explorer has drawn what was chosen in it so far, which it does with the next frame."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def explorer_of(page: Page) -> Locator:
    """The explorer's root element, once it has drawn."""
    root = page.locator(".vizvit[data-ready=true]")
    root.wait_for()
    return root
