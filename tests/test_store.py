"""The caches that all sessions share: bounded in bytes, made once, dropped together."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from vizvit.analysis import head_statistics
from vizvit.model.vit import VitModel
from vizvit.pages.shared.store import MEGABYTE, SharedCache, Store, store, turn
from vizvit.pages.sidebar import choice


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


def test_what_grows_while_it_is_kept_is_weighed_anew():
    cache = SharedCache(100)
    grown = cache.get("a", lambda: bytearray(40), len, never)
    put(cache, "b", 40)
    grown.extend(bytes(15))
    assert cache.nbytes == 80
    assert cache.get("a", never, len, never) is grown
    assert cache.nbytes == 95
    grown.extend(bytes(15))
    cache.get("a", never, len, never)
    assert cache.nbytes == 70 and "b" not in cache


class Model:
    """In a circle, as a network is: only the garbage collector frees it."""

    def __init__(self):
        self.self, self.weights = self, bytes(6 * MEGABYTE)


class Key:
    """A key of a model, by which its captures are known."""


def load(own: Store, name: str) -> tuple[Model, Key]:
    return own.models.get(name, lambda: (Model(), Key()), lambda loaded: len(loaded[0].weights), never)


def test_a_model_takes_its_captures_along():
    own = Store()
    own.models.limit = 10 * MEGABYTE
    _, key = load(own, "first")
    for cache in (own.captures, own.results):
        cache.get((key, "picture"), lambda: b"made with first", len, never)
        cache.get(("image", "digest"), lambda: b"a decoded picture", len, never)
    load(own, "second")
    for cache in (own.captures, own.results):
        assert ("image", "digest") in cache and cache.nbytes == len(b"a decoded picture")


def test_a_model_that_had_to_go_is_gone_once_the_sessions_that_held_it_have_moved_on():
    own = Store()
    own.models.limit = 10 * MEGABYTE
    session = load(own, "first")
    model = weakref.ref(session[0])
    own.captures.get((session[1], "before"), lambda: (session[0], b"a capture"), lambda made: len(made[1]), never)
    load(own, "second")
    # The session looks on with what it holds, and leaves nothing behind.
    shown = own.captures.get((session[1], "after"), lambda: (session[0], b"shown"), lambda made: 5, never)[1]
    assert shown == b"shown" and own.captures.nbytes == 0
    gc.collect()
    assert model() is not None
    again = load(own, "first")
    assert again[1] is not session[1], "what was captured of the one is not taken for that of the other"
    own.captures.get((again[1], "after"), lambda: b"kept", len, never)
    assert own.captures.nbytes == 4
    session = None
    gc.collect()
    assert model() is None


def sidebar() -> None:
    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()
    st.session_state.choice.capture()


def test_a_model_of_the_app_is_gone_once_another_took_its_place(monkeypatch):
    def shown() -> weakref.ref:
        app.run()
        assert not app.exception and not app.error
        return weakref.ref(app.session_state.choice.vit.module)

    monkeypatch.setattr(store().models, "limit", 20 * MEGABYTE)  # room for one of this model, which has 13
    app = AppTest.from_function(sidebar, default_timeout=60)
    app.query_params["weights"] = "random"
    models = [shown()]
    for height in ("48", "96"):
        app.text_input(key="height").set_value(height)
        models.append(shown())
    gc.collect()
    assert [model() is not None for model in models] == [False, False, True]


def test_a_tab_that_nobody_looks_at_holds_no_weights_and_has_them_again_at_a_click(monkeypatch):
    def tab(height: str) -> VitModel:
        app = AppTest.from_function(sidebar, default_timeout=60)
        app.query_params |= {"weights": "random", "height": height}
        app.run()
        assert not app.exception and not app.error
        return app.session_state.choice.vit  # as a chart, a button or a download of the page holds it

    monkeypatch.setattr(store().models, "limit", 20 * MEGABYTE)  # room for one of this model, which has 13
    idle = tab("48")
    weights, bias = weakref.ref(idle.module), idle.module.head.bias.clone()
    busy = tab("96")
    gc.collect()
    assert weights() is None
    assert torch.equal(idle.module.head.bias, bias) and idle.device.type == "cpu"
    assert busy.module.head is not idle.module.head


def test_what_is_derived_of_many_tokens_lets_looks_go_first(monkeypatch):
    monkeypatch.setattr(choice, "MANY", 0)
    app = AppTest.from_function(sidebar, default_timeout=60).run()
    chosen, turns, looked = app.session_state.choice, store().turns, threading.Event()

    def look() -> None:
        with turns.turn(lambda: None):
            looked.set()

    def make() -> np.ndarray:
        person.start()
        while not turns.waiting[0]:
            assert not looked.is_set(), "it did not wait for its turn"
        found = head_statistics(chosen.capture())["entropy"]
        assert looked.is_set(), "the look waited for all of it"
        return found

    person = threading.Thread(target=look)
    chosen.derived(("a test", "looks first"), make)
    person.join()
    assert turns.waiting == (0, 0)


@pytest.mark.parametrize(("large", "heavy"), [(0, True), (30e9, False)])
def test_a_look_with_a_large_model_lets_small_ones_go_first(monkeypatch, large, heavy):
    monkeypatch.setattr(choice, "LARGE", large)
    asked: list[bool] = []
    monkeypatch.setattr(choice, "turn", lambda *, heavy: asked.append(heavy) or turn(heavy=heavy))
    app = AppTest.from_function(sidebar, default_timeout=60)
    app.query_params["height"] = "72" if heavy else "80"  # which no other test looks at
    app.run()
    assert not app.exception and asked == [heavy]
