"""What a link, the browser's language and the hub lead to, as far as no browser is needed to see it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hub_server import HubServer, use_hub
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.model.snapshots import snapshots
from vizvit.numbers import share
from vizvit.texts import words


def linked(**query: str) -> AppTest:
    app = AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=60)
    app.query_params |= query
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """All that the sidebar says, without what keeps Markdown from marking it up."""
    shown = (*app.sidebar.error, *app.sidebar.warning, *app.sidebar.caption, *app.sidebar.markdown)
    return "\n".join(str(one.value) for one in shown).replace("\\", "")


def language_of_the_page() -> None:
    import streamlit as st

    from vizvit.pages.shared import language

    st.text(language.say("app")["explore"])
    st.text(language.in_address())


def query_of_the_view() -> None:
    import streamlit as st

    from vizvit.grid import PatchGrid
    from vizvit.pages.explore.page import linked_view

    view = linked_view(PatchGrid(rows=6, cols=4, patch_size=16, prefix_names=("class",)))
    st.text(str((view or {}).get("token")))


@pytest.mark.parametrize(
    ("link", "token"),
    [
        ({"view": "similarity"}, 1 + 3 * 4 + 2),  # the patch in the middle: likeness to a class token says little
        ({"view": "similarity", "query": "class"}, 0),
        ({"view": "similarity", "query": "1,1-2,2"}, 1 + 1 * 4 + 1),
        ({"view": "norms"}, None),
        ({}, None),
    ],
)
def test_where_a_link_looks_from(link, token):
    app = AppTest.from_function(query_of_the_view)
    app.query_params |= link
    app.run()
    assert not app.exception
    assert [text.value for text in app.text] == [str(token)]


@pytest.mark.parametrize(
    ("locale", "link", "language", "in_address"),
    [
        ("ja-JP", "", "ja", ""),
        ("ja", "", "ja", ""),
        ("fr-FR", "", "en", ""),
        ("ja-JP", "en", "en", "en"),
        ("ja-JP", "tlh", "ja", ""),
    ],
)
def test_a_link_goes_before_the_browsers_language_and_nonsense_does_not(locale, link, language, in_address):
    app = AppTest.from_function(language_of_the_page)
    app.context = {"locale": locale}
    if link:
        app.query_params["lang"] = link
    app.run()
    assert [text.value for text in app.text] == [words("app", language)["explore"], in_address]


def test_errors_lead_in_in_the_persons_language():
    assert 'whole pixels; received "tall"' in said(linked(height="tall"))
    app = linked(lang="ja", image="dodo", height="tall", model="deit_tiny_distilled_patch16_224")
    assert "サンプル画像「dodo」はありません" in said(app)
    assert "モデルを読み込めませんでした。入力サイズは整数" in said(app)
    assert "代わりに vizvit-tiny を表示しています。" in said(app)
    app.file_uploader(key="upload").upload("broken.png", b"\x89PNG\r\n\x1a\nnot really", "image/png").run()
    assert not app.exception and "broken.png を読み込めませんでした。" in said(app)


def test_a_link_to_the_first_moment_of_training_is_to_untrained_weights():
    app = linked(training="0")
    assert words("sidebar")["untrained"] in said(app)
    assert words("sidebar")["accuracy"].format(share=share(snapshots("vizvit-tiny")[0].top1)) in said(app)
    assert not app.session_state.choice.vit.trained


def test_a_model_comes_from_the_hub(tmp_path, monkeypatch):
    name = "test_vit.r160_in1k"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = vizvit.load_model(name, weights="random").module.state_dict()
    with HubServer({f"timm/{name}": {"model.safetensors": save(weights)}}) as hub:
        use_hub(monkeypatch, hub.url, tmp_path)
        app = linked(model=name)
    vit = app.session_state.choice.vit
    assert not app.sidebar.error and vit.name == name and vit.trained
    assert all(torch.equal(value, weights[key]) for key, value in vit.module.state_dict().items())
    assert words("sidebar")["untrained"] not in said(app) and "10×10 patches of 16 px" in said(app)
    assert len(app.get("bidi_component"))
