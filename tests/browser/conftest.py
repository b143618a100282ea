"""A running app and a headless Chromium to look at it with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from running import CHROMIUM, CHROMIUM_FLAGS, PATIENCE, running_app, settled

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "no Chromium on the PATH (Debian: apt install chromium)"
        if os.environ.get("VIZVIT_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a warm app, for all tests; the browser comes first so that no server starts in vain."""
    folder = tmp_path_factory.mktemp("app")
    with running_app(folder / "log.txt", HF_HUB_OFFLINE="1", HF_HOME=str(folder / "hub")) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a browser context of its own; afterwards the console must have been silent."""
    contexts, complaints = [], []

    def open_one(address: str, **options) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1600, "height": 1000}} | options))
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _note(message, complaints))
        page.goto(address)
        settled(page)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints, complaints


def _note(message, complaints: list[str]) -> None:
    # On a deep link Streamlit's own front end first looks for the server below the page's path.
    streamlits_own = "/_stcore/" in (message.location or {}).get("url", "")
    if message.type == "error" and not streamlits_own:
        complaints.append(f"{message.text} {(message.location or {}).get('url', '')}")
