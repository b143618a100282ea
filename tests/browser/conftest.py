"""A running app and a headless Chromium to look at it with."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright
from running import CHROMIUM, CHROMIUM_FLAGS, COMPILING_LITTLE, PATIENCE, running_app, settled, watch_runs

expect.set_options(timeout=PATIENCE)
VIEWPORT = {"width": 1280, "height": 720}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "no Chromium on the PATH (Debian: apt install chromium-headless-shell)"
        if os.environ.get("VIZVIT_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, COMPILING_LITTLE])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a warm app, for all tests; the browser comes first so that no server starts in vain."""
    folder = tmp_path_factory.mktemp("app")
    with running_app(folder / "log.txt", HF_HUB_OFFLINE="1", HF_HOME=str(folder / "hub")) as address:
        yield address


@pytest.fixture(scope="session")
def classless(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address's query for a small model of SigLIP's kind, without class token and classifier, and untrained."""
    import timm

    folder, options = tmp_path_factory.mktemp("classless"), {"img_size": 96, "depth": 3, "embed_dim": 192}
    options["num_heads"] = 3
    module = timm.create_model("vit_base_patch16_siglip_224", **options)
    timm.models.save_for_hf(module, folder, model_args=options)
    return f"model={quote(str(folder))}&weights=random"


class Tabs:
    """Pages, each in a browser context of its own, that one test leaves empty for the next.

    In a tab that has shown the app before, Chromium opens it again with a third of the work.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.free: dict[str, list[Page]] = defaultdict(list)  # by the options of their contexts
        self.kinds: dict[Page, str] = {}
        self.protocols: dict[Page, CDPSession] = {}
        self.complaints: list[str] = []

    def take(self, **options) -> Page:
        """A page in a context of these options, the viewport and the media among them."""
        viewport, locale = options.pop("viewport", VIEWPORT), options.pop("locale", "en-US")
        media = {"color_scheme": "light", "reduced_motion": "reduce"}  # no query wanders
        media |= {name: options.pop(name) for name in media.keys() & options.keys()}
        kind = repr(sorted(options.items()))  # what a page cannot change later
        page = self.free[kind].pop() if self.free[kind] else self._new(kind, options)
        page.set_viewport_size(viewport)
        page.emulate_media(**media)
        self._speak(page, locale)
        return page

    def _new(self, kind: str, options: dict) -> Page:
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        watch_runs(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)
        self.kinds[page] = kind
        return page

    def _speak(self, page: Page, locale: str) -> None:
        """What `new_context(locale=…)` does, in a page that has the app's scripts already."""
        if page not in self.protocols:
            self.protocols[page] = page.context.new_cdp_session(page)
        agent = page.evaluate("navigator.userAgent")
        self.protocols[page].send("Emulation.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": locale})

    def _note(self, message) -> None:
        # On a deep link Streamlit's own front end first looks for the server below the page's path.
        address = (message.location or {}).get("url", "")
        if message.type == "error" and "/_stcore/" not in address:
            self.complaints.append(f"{message.text} {address}")

    def leave(self, page: Page) -> None:
        """Empty a page for the next test, unless it was closed or its clock is no longer the browser's own."""
        kind = self.kinds.pop(page)
        if page.is_closed() or not page.evaluate("() => String(setTimeout).includes('native code')"):
            page.context.close()
            return
        page.evaluate("() => (sessionStorage.clear(), localStorage.clear())")
        page.goto("about:blank")
        page.context.clear_cookies()
        page.context.clear_permissions()
        self.kinds[page] = kind
        self.free[kind].append(page)


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def silent(tabs: Tabs) -> Iterator[None]:
    """After the test, the console of its pages must have been silent."""
    tabs.complaints = []
    yield
    assert not tabs.complaints, tabs.complaints


@pytest.fixture
def open_page(tabs: Tabs, silent: None) -> Iterator[Callable[..., Page]]:
    """open_page(address, **options of the browser's context): a settled page of its own."""
    pages = []

    def open_one(address: str, **options) -> Page:
        pages.append(tabs.take(**options))
        pages[-1].goto(address)
        settled(pages[-1])
        return pages[-1]

    yield open_one
    for page in pages:
        tabs.leave(page)


@pytest.fixture(scope="module")
def shared_pages(tabs: Tabs) -> Iterator[dict[str, Page]]:
    pages: dict[str, Page] = {}  # by what they were opened with
    yield pages
    for page in pages.values():
        tabs.leave(page)


@pytest.fixture
def share_page(
    tabs: Tabs, shared_pages: dict[str, Page], silent: None, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """share_page(address, **options of the browser's context): a page that the tests of a module have in common.

    It is as the test before left it: who takes it brings it to the state to begin with, by the page's own controls.
    After a failure it is opened anew.
    """
    taken = set()

    def share(address: str, **options) -> Page:
        key = repr((address, sorted(options.items())))
        taken.add(key)
        if key not in shared_pages:
            shared_pages[key] = tabs.take(**options)
            shared_pages[key].goto(address)
        settled(shared_pages[key])
        return shared_pages[key]

    yield share
    if request.node.stash.get(FAILED, False) or tabs.complaints:
        for key in taken & shared_pages.keys():
            tabs.leave(shared_pages.pop(key))
