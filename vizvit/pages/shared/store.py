"""What all sessions of one process share: models, captures and explorer data, each cache bounded in bytes."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vizvit.errors import ModelError
from vizvit.forward.each_block import EachBlock
from vizvit.pages.shared.language import say
from vizvit.pages.shared.turns import Turn, Turns
from vizvit.pictures.apart import Decoder
from vizvit.reading import whole

MEGABYTE = 1 << 20


class SharedCache:
    """A least-recently-used store of things that are expensive to make, bounded in bytes.

    Sessions that ask for the same key at once make it once. A thing larger than the whole store is made and handed
    out, but not kept, nor is one whose key is unwelcome. What grows while it is kept is weighed when it is asked for.
    """

    def __init__(
        self,
        limit: int,
        on_evict: Callable[[Any], None] | None = None,
        welcome: Callable[[Any], bool] = lambda key: True,
    ):
        self.limit = limit
        self.nbytes = 0
        self._items: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()
        self._on_evict = on_evict
        self._welcome = welcome

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int], wait: Callable[[], None]) -> Any:
        """The thing of this key. wait is called now and then while another session makes it; it may raise to leave."""
        while True:
            with self._lock:
                if key in self._items:
                    value, _ = self._items[key]
                    evicted = self._put(key, value, size(value))
                    break
                event = self._making.get(key)
                if event is None:
                    self._making[key] = threading.Event()
            if event is None:
                return self._made(key, make, size)
            while not event.wait(0.1):
                wait()
        self._tell(evicted)
        return value

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._items

    def drop(self, match: Callable[[Any], bool]) -> None:
        with self._lock:
            for key in [key for key in self._items if match(key)]:
                self.nbytes -= self._items.pop(key)[1]

    def _made(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        try:
            value = make()
            with self._lock:
                evicted = self._put(key, value, size(value))
            self._tell(evicted)
            return value
        finally:
            with self._lock:
                self._making.pop(key).set()

    def _put(self, key: Hashable, value: Any, size: int) -> list:
        """What had to go for it."""
        _, before = self._items.pop(key, (None, 0))
        self.nbytes -= before
        if size <= self.limit and self._welcome(key):
            self._items[key] = (value, size)
            self.nbytes += size
        evicted = []
        while self.nbytes > self.limit:
            _, (old, freed) = self._items.popitem(last=False)
            self.nbytes -= freed
            evicted.append(old)
        return evicted

    def _tell(self, evicted: list) -> None:
        if self._on_evict:
            for old in evicted:
                self._on_evict(old)


def _limit(name: str, megabytes: int) -> int:
    return setting(name, megabytes) * MEGABYTE


def setting(name: str, default: int) -> int:
    """A whole number above 0 from the environment; ModelError, which names it, for another."""
    value = whole(os.environ.get(name) or str(default), 1)
    if value is None:
        raise ModelError(f"{name} is to be a whole number above 0, such as {default}; received {os.environ[name]!r}.")
    return value


class Store:
    """The process's caches. The models' are a model, its key, with which the keys of its captures and of what was
    computed from them start, so that they leave together, and its module, which nobody else holds for long."""

    def __init__(self) -> None:
        # Keys of models that had to go: a session that still holds one may go on looking, but leaves nothing behind.
        self._gone: WeakSet[Hashable] = WeakSet()
        self.captures = SharedCache(_limit("VIZVIT_CAPTURES_MB", 1024), welcome=self._is_welcome)
        self.results = SharedCache(_limit("VIZVIT_RESULTS_MB", 512), welcome=self._is_welcome)
        self.models = SharedCache(_limit("VIZVIT_MODELS_MB", 4096), self._forget_model)
        self.decode = Decoder(setting("VIZVIT_DECODE_MB", 2048), setting("VIZVIT_DECODE_SECONDS", 10))
        self.turns = Turns()

    def _is_welcome(self, key: tuple) -> bool:
        return key[0] not in self._gone

    def _forget_model(self, loaded: tuple) -> None:
        model_key = loaded[1]
        self._gone.add(model_key)
        for cache in (self.captures, self.results):
            cache.drop(lambda key: key[0] == model_key)


@st.cache_resource(show_spinner=False)
def store() -> Store:
    return Store()


def once(key: Hashable, make: Callable[[], Any], size: Callable[[Any], int] = lambda made: made.nbytes) -> Any:
    """What `make` gives, made once for all sessions and kept while there is room for it. size: its bytes."""

    def run() -> Any:
        with EachBlock(leave_if_outdated):
            return make()

    return store().results.get(key, run, size, still_wanted())


def is_made(key: Hashable) -> bool:
    """Whether `once` would have it at once."""
    return key in store().results


@contextmanager
def turn(wait: Callable[[], None] | None = None, *, heavy: bool = False) -> Iterator[Turn]:
    """A turn at the processor; heavy for work of several passes, which lets the looks of others go first.

    Where the person has moved on, it ends in the queue, or at the next block of a pass.
    wait: called now and then in the queue, which it may leave by raising, in place of what says that one waits.
    """
    wait = wait or (leave_if_outdated if heavy else still_wanted())  # heavy work has a line of its own that says it
    with store().turns.turn(wait, heavy=heavy) as mine:

        def at_block() -> None:
            leave_if_outdated()
            mine.step_aside()

        with EachBlock(at_block):
            yield mine


def leave_if_outdated() -> None:
    """End this run, without a word on the page, where the person has moved on or closed the tab: Streamlit raises on
    the way to a session's state then, as it does in any st call. Without a run there is nothing to end."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is not None:
        run.session_state.__contains__("")


def still_wanted() -> Callable[[], None]:
    """A function that says that one waits, and leaves the run where the person has moved on, as any st call does."""
    slots: list[DeltaGenerator] = []

    def wait() -> None:
        if not slots:
            slots.append(st.empty())
        slots[0].caption(say("sidebar")["waiting"])

    return wait
