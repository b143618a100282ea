"""The caches that all sessions share: bounded in bytes, made once, dropped together."""

from __future__ import annotations

import threading

import pytest

from vizvit.pages.shared.store import MEGABYTE, SharedCache, Store


def never() -> None:
    raise AssertionError("nobody else is making this")


def put(cache: SharedCache, key, size: int):
    return cache.get(key, lambda: bytes(size), len, never)


def test_holds_no_more_than_its_bytes_and_forgets_the_least_recently_used():
    cache = SharedCache(100)
    first = put(cache, "a", 40)
    put(cache, "b", 40)
    assert put(cache, "a", 40) is first
    put(cache, "c", 40)
    assert cache.nbytes == 80
    assert put(cache, "a", 40) is first, "a was used after b"
    made = []
    cache.get("b", lambda: made.append(1) or b"", len, never)
    assert made, "b had to go"


def test_a_thing_larger_than_the_cache_is_handed_out_but_not_kept():
    cache = SharedCache(10)
    put(cache, "small", 5)
    assert len(put(cache, "large", 50)) == 50
    assert cache.nbytes == 5


def test_sessions_that_ask_at_once_make_it_once():
    cache, made, waited = SharedCache(100), [], set()
    begun, all_wait = threading.Event(), threading.Event()

    def make() -> bytes:
        made.append(threading.get_ident())
        begun.set()
        assert all_wait.wait(60), "those who wait are asked now and then whether they still want it"
        return b"value"

    def wait() -> None:
        waited.add(threading.get_ident())
        if len(waited) == 5:
            all_wait.set()

    results = []
    threads = [threading.Thread(target=lambda: results.append(cache.get("key", make, len, wait))) for _ in range(6)]
    threads[0].start()
    begun.wait()
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert results == [b"value"] * 6


def test_a_failure_is_not_kept_and_the_next_tries_again():
    cache = SharedCache(100)

    def fail() -> bytes:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get("key", fail, len, never)
    assert put(cache, "key", 3) == bytes(3)


def test_a_waiting_session_may_leave():
    cache, begun, done = SharedCache(100), threading.Event(), threading.Event()

    def make() -> bytes:
        begun.set()
        done.wait(60)
        return b"value"

    class Outdated(Exception):
        pass

    def leave() -> None:
        raise Outdated

    maker = threading.Thread(target=lambda: cache.get("key", make, len, never))
    maker.start()
    begun.wait()
    with pytest.raises(Outdated):
        cache.get("key", make, len, leave)
    done.set()
    maker.join()
    assert cache.get("key", never, len, never) == b"value"


def test_a_model_takes_its_captures_along():
    store = Store()
    store.models.limit = 10 * MEGABYTE
    store.models.get("first", lambda: bytes(6 * MEGABYTE), len, never)
    for cache in (store.captures, store.results):
        cache.get(("first", "picture"), lambda: b"made with first", len, never)
        cache.get(("image", "digest"), lambda: b"a decoded picture", len, never)
    store.models.get("second", lambda: bytes(6 * MEGABYTE), len, never)
    for cache in (store.captures, store.results):
        assert ("image", "digest") in cache and cache.nbytes == len(b"a decoded picture")
