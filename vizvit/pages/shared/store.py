"""What all sessions of one process share: models, captures and explorer data, each cache bounded in bytes."""

from __future__ import annotations

import atexit
import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from vizvit.pages.shared.language import say
from vizvit.pictures.apart import Decoder
from vizvit.reading import whole

MEGABYTE = 1 << 20


class SharedCache:
    """A least-recently-used store of things that are expensive to make, bounded in bytes.

    Sessions that ask for the same key at once make it once. A thing larger than the whole store is made and handed
    out, but not kept.
    """

    def __init__(self, limit: int, on_evict: Callable[[Hashable], None] | None = None):
        self.limit = limit
        self.nbytes = 0
        self._items: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()
        self._on_evict = on_evict

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int], wait: Callable[[], None]) -> Any:
        """The thing of this key. wait is called now and then while another session makes it; it may raise to leave."""
        while True:
            with self._lock:
                if key in self._items:
                    self._items.move_to_end(key)
                    return self._items[key][0]
                event = self._making.get(key)
                if event is None:
                    self._making[key] = threading.Event()
                    break
            while not event.wait(0.1):
                wait()
        try:
            value = make()
            self._keep(key, value, size(value))
            return value
        finally:
            with self._lock:
                self._making.pop(key).set()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._items

    def drop(self, match: Callable[[Hashable], bool]) -> None:
        with self._lock:
            for key in [key for key in self._items if match(key)]:
                self.nbytes -= self._items.pop(key)[1]

    def _keep(self, key: Hashable, value: Any, size: int) -> None:
        if size > self.limit:
            return
        evicted = []
        with self._lock:
            self._items[key] = (value, size)
            self.nbytes += size
            while self.nbytes > self.limit:
                old, (_, freed) = self._items.popitem(last=False)
                self.nbytes -= freed
                evicted.append(old)
        if self._on_evict:
            for old in evicted:
                self._on_evict(old)


def _limit(name: str, megabytes: int) -> int:
    return _number(name, megabytes) * MEGABYTE


def _number(name: str, default: int) -> int:
    """A whole number above 0 from the environment; the server does not start with another."""
    value = whole(os.environ.get(name) or str(default), 1)
    if value is None:
        raise ValueError(f"{name} is to be a whole number above 0, such as {default}; received {os.environ[name]!r}.")
    return value


class Store:
    """The process's caches. A capture's key starts with its model's, so that both leave together."""

    def __init__(self) -> None:
        self.captures = SharedCache(_limit("VIZVIT_CAPTURES_MB", 1024))
        self.results = SharedCache(_limit("VIZVIT_RESULTS_MB", 512))
        self.models = SharedCache(_limit("VIZVIT_MODELS_MB", 4096), self._forget_model)
        self.decode = Decoder(_number("VIZVIT_DECODE_MB", 2048), _number("VIZVIT_DECODE_SECONDS", 10))
        # One forward pass at a time: on two cores two at once take twice as long each, and both people wait.
        self.forward = threading.Semaphore(1)

    def _forget_model(self, model_key: Hashable) -> None:
        for cache in (self.captures, self.results):
            cache.drop(lambda key: key[0] == model_key)


@st.cache_resource(show_spinner=False)
def store() -> Store:
    return Store()


def once(key: Hashable, make: Callable[[], Any], size: Callable[[Any], int] = lambda made: made.nbytes) -> Any:
    """What `make` gives, made once for all sessions and kept while there is room for it. size: its bytes."""
    return store().results.get(key, make, size, still_wanted())


def is_made(key: Hashable) -> bool:
    """Whether `once` would have it at once."""
    return key in store().results


@contextmanager
def turn(wait: Callable[[], None] | None = None) -> Iterator[None]:
    """A place in the queue for the processor.

    wait: called now and then; by default it leaves the queue where the person has moved on.
    """
    wait, semaphore = wait or still_wanted(), store().forward
    while not semaphore.acquire(timeout=0.1):
        wait()
    try:
        yield
    finally:
        semaphore.release()


def still_wanted() -> Callable[[], None]:
    """A function that leaves the run when the person has moved on: any st call raises then."""
    slots = []

    def wait() -> None:
        if not slots:
            slots.append(st.empty())
        slots[0].caption(say("sidebar")["waiting"])

    return wait


def settle_memory() -> None:
    """Take what is loaded now out of the garbage collector's sight: Streamlit collects after every run, and with torch
    and timm imported that stops all sessions for a quarter of a second each time."""
    gc.collect()
    gc.freeze()
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)  # so that extension modules can clean up after themselves at the end
