"""Text from a link, a file or a model is shown as it is: never a picture, a link, a heading or a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from vizvit.pages.explanations import panels
from vizvit.pages.shared import look, store
from vizvit.pictures.samples import SAMPLES

EVIL = "![i](http://evil.example/i.png) [Sign in](http://evil.example) <img src=x> $x^2$ :tada: :material/login:"
EVIL += " :red[r]"
PLACES = ("explore.page", "walkthrough.page", "rollout", "explanations.page", "positions", "heads")
PLACES += ("studies.page", "experiments.page")
NAMES = (
    *("image", "model", "weights", "arch", "height", "width", "training", "lang", "compare", "query", "layer", "head"),
    *("key", "open", "opacity", "direction", "fuse", "scale", "curve", "colours", "rollout", "smooth", "stage", "view"),
    *("class", "other", "method", "maps", "fill", "steps", "study", "measure", "find", "top", "like", "positions"),
    *("seed", "temperature", "scaling", "mask", "blocks", "blind", "layers", "swap", "heads", "unseen", "masked"),
    *("fusion", "residual", "discard", "start", "lesson"),
)
# Fields that are shown as they are. HTML and what the explorer gets are read as neither Markdown nor a link.
AS_IS = {"TextInput.value", "TextInput.default", "Selectbox.options", "Selectbox.raw_value", "Image.imgs.alt"}
AS_IS |= {"Html.body", "UnknownElement.json"}


@pytest.mark.parametrize(
    "text", [EVIL, "www.evil.example", "me@evil.example", "# big", "a -> b", "1. x", "    y", "&lt;"]
)
def test_nothing_of_it_is_markdown(text):
    shown = look.plain(text)
    bare = shown.replace("\\", "").replace("\u2060", "")
    assert bare.split() == text.split()  # what a reader sees
    for sign in ("![", "](", "http://", ":tada", ":material/", ":red[", "www.", "me@e", "->"):
        assert sign not in shown
    assert not re.search(r"(?<!\\)[<#$]", shown)
    assert not shown.startswith((" ", "1."))


@pytest.fixture(autouse=True)
def quick_maps(monkeypatch):
    """Explanations at once: what is looked at here is what stands around them."""
    heat = lambda vit, *_, **__: np.arange(vit.grid.num_patches).reshape(vit.grid.rows, -1) / 1000  # noqa: E731
    monkeypatch.setattr(panels, "explain", heat)
    store.store().results.drop(lambda key: True)
    yield
    store.store().results.drop(lambda key: True)


def page_at(place: str) -> None:
    import importlib

    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()
    importlib.import_module(f"vizvit.pages.{place}").page()


def page_of_a_stranger(place: str, evil: str) -> None:
    """A page of a picture, a model and classes with such names."""
    import importlib
    from dataclasses import replace

    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    chosen, state = choose(), st.session_state
    if "strange" not in state:
        labels = tuple(f"{evil}, {label}" for label in chosen.vit.labels)
        state.strange = replace(chosen.vit, name=evil, weights=evil, notes=(evil,), labels=labels)
    key = replace(chosen.model_key, name="strange", load=id(state.strange))
    state.choice = replace(chosen, vit=state.strange, model_key=key, image_name=evil)
    importlib.import_module(f"vizvit.pages.{place}").page()


def texts(message, name: str) -> Iterator[tuple[str, str]]:
    """Every text of an element as Streamlit sends it to the browser, with its field."""
    for field, value in message.ListFields():
        inside = f"{name}.{field.name}"
        for one in value if field.is_repeated else [value]:
            if isinstance(one, str):
                yield inside, one
            elif hasattr(one, "ListFields"):
                yield from texts(one, inside)


def none_of_it_is_markup(at: AppTest) -> None:
    """What a page sends has no outside text where Streamlit would read Markdown, and no tag of it where HTML."""

    def walk(node):
        yield node
        for child in getattr(node, "children", {}).values():
            yield from walk(child)

    assert not at.exception, at.exception
    for node in walk(at._tree):
        proto = getattr(node, "proto", None)
        for field, text in texts(proto, type(node).__name__) if proto is not None else ():
            assert "html" not in field.lower() or "<img src=x" not in text, (field, text)
            assert field in AS_IS or "http://evil" not in text, (field, text)


@pytest.mark.parametrize(("place", "view"), [*((place, "") for place in PLACES), ("explanations.page", "contrast")])
def test_a_picture_a_model_and_classes_with_such_names(place, view):
    at = AppTest.from_function(page_of_a_stranger, default_timeout=120, args=(place, EVIL))
    at.query_params["view"] = view
    none_of_it_is_markup(at.run())


@pytest.mark.parametrize("data", [None, b"torn"])
def test_an_upload_with_such_a_name(data):
    at = AppTest.from_function(page_at, default_timeout=120, args=("explore.page",)).run()
    at.file_uploader(key="upload").upload(EVIL + ".png", data or SAMPLES["cat"].read(), "image/png").run()
    assert EVIL[:8] in (at.error[0].value if data else at.sidebar.get("image")[0].proto.imgs[0].caption).replace(
        "\\", ""
    )
    none_of_it_is_markup(at)


def test_a_lesson_with_such_a_sentence():
    at = AppTest.from_function(page_at, default_timeout=120, args=("walkthrough.page",))
    at.query_params["lesson"] = EVIL
    assert at.run().warning, "it names no stage"
    at = AppTest.from_function(page_at, default_timeout=120, args=("walkthrough.page",))
    at.query_params["lesson"] = f"scores {EVIL}"
    at.run()
    assert any(EVIL[4:30] in re.sub(r"[\\\u2060]", "", text.value) for text in at.markdown)
    none_of_it_is_markup(at)


@pytest.mark.parametrize("place", PLACES)
def test_every_parameter_of_every_page(place):
    at = AppTest.from_function(page_at, default_timeout=120, args=(place,))
    for name in NAMES:
        at.query_params[name] = EVIL
    at.run()
    assert at.error, "the sidebar says that there is no such model"
    none_of_it_is_markup(at)
