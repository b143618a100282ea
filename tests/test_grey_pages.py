"""A model of one channel on the pages: what is grey is said, and nothing fails for want of two colours."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from streamlit.testing.v1 import AppTest

from vizvit.texts import words


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    options = {"img_size": 48, "depth": 2, "embed_dim": 48, "num_heads": 3, "num_classes": 5, "in_chans": 1}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = timm.create_model("vit_tiny_patch16_224", **options)
    place = tmp_path_factory.mktemp("grey")
    timm.models.save_for_hf(module, place, model_args=options, safe_serialization=True)
    return place


def one_page(module: str) -> None:
    """What app.py runs for a page, without its navigation bar, which AppTest cannot click."""
    import importlib

    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.pages = {}
    st.session_state.choice = choose()
    importlib.import_module(module).page()


@pytest.mark.parametrize(
    ("page", "place"),
    [
        ("explore.page", {}),
        ("rollout", {}),
        ("positions", {}),
        ("heads", {}),
        ("experiments.page", {}),
        ("explanations.page", {}),
        *(("walkthrough.page", {"stage": str(number)}) for number in (1, 2, 3, 13)),
    ],
)
def test_pages(folder, page, place):
    app = AppTest.from_function(one_page, default_timeout=60, args=(f"vizvit.pages.{page}",))
    for name, value in {"model": str(folder), **place}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error, (app.exception, app.error)
    assert any(caption.value == words("sidebar")["grey"] for caption in app.caption)
    explorers = [part.proto.bytes.decode("utf-8", "replace") for part in app.get("bidi_component")]
    said = [*(caption.value for caption in app.caption), *explorers]
    assert any("48×48 px input, seen in grey" in text for text in said)
