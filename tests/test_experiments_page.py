"""Experiments as a page: what is known is shown at once, and what takes long can be stopped and taken up again."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
import timm
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.numbers import share
from vizvit.pages.experiments import beforeafter, change
from vizvit.pages.shared import store
from vizvit.pictures.samples import SAMPLES
from vizvit.texts import words
from vizvit.walk.lessons import EXPERIMENTS

WORDS = words("experiments")


def script() -> None:
    import streamlit as st

    from vizvit.pages.experiments import page
    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()
    page.page()


@pytest.fixture
def page() -> AppTest:
    """Nothing is known yet, of zeroed positions."""
    store.store().results.drop(lambda key: True)
    yield AppTest.from_function(script, default_timeout=120)
    store.store().results.drop(lambda key: True)


def html(at: AppTest) -> str:
    return "".join(one.proto.body for one in at.main.get("html"))


def test_what_is_known_is_shown_while_rollout_is_made_and_it_can_be_stopped(page, monkeypatch):
    monkeypatch.setattr(beforeafter, "LARGE", 0)
    with monkeypatch.context() as busy:
        busy.setattr(change, "rollout", lambda cap: st.stop())  # as a click ends a run that is under way
        at = page.run()
        assert not at.exception
        vit = vizvit.load_model("vizvit-tiny", device="cpu")
        cap = vizvit.capture(vit, vizvit.load_image(SAMPLES["cat"].read()))
        first = int(cap.probabilities.argmax())
        with vizvit.intervene(vit, vizvit.PositionEmbedding("zero")) as changed:
            after = vizvit.capture_view(changed, cap.view).probabilities[first]
        assert f"{share(cap.probabilities[first])} → {share(after)}" in html(at)
        assert len(at.main.get("image")) == 3  # attention as it is, changed, and the difference
        assert not at.metric
        at = at.button(key="experiment_stop_1").click().run()
    monkeypatch.setattr(change, "rollout", None)  # would raise if it were asked for
    at = at.run()
    assert not at.exception
    assert WORDS["stopped"] in [one.value for one in at.caption]
    assert len(at.main.get("image")) == 3
    monkeypatch.undo()
    monkeypatch.setattr(beforeafter, "LARGE", 0)
    at = at.button(key="experiment_stop_1").click().run()
    assert not at.exception
    assert len(at.main.get("image")) == 6
    assert [one.label for one in at.metric] == [WORDS["order_zeroed"], WORDS["order_kept"]]
    assert not [one for one in at.button if str(one.key).startswith("experiment_stop")]


def test_before_the_change_there_is_what_it_is_compared_with(page, monkeypatch):
    monkeypatch.setattr(beforeafter, "LARGE", 0)
    monkeypatch.setattr(change, "capture_view", lambda vit, view: st.stop())
    at = page.run()
    assert not at.exception
    assert f">{WORDS['attention']}</b>" in html(at)
    assert len(at.main.get("image")) == 1
    assert at.button(key="experiment_stop_0").label == WORDS["cancel"]


def saved(folder: Path, arch: str, **options: int) -> dict[str, str]:
    """The address of a small model that is as it was made, untrained."""
    timm.models.save_for_hf(timm.create_model(arch, **options), folder, model_args=options)
    return {"model": str(folder), "weights": "random"}


def test_a_model_without_classes_has_maps_alone(page, tmp_path):
    page.query_params |= saved(tmp_path, "vit_small_patch16_dinov3", depth=2) | {"height": "32"}
    at = page.run()
    assert not at.exception
    assert len(at.main.get("image")) == 6


def test_a_model_without_class_token_and_classifier_has_every_experiment(page, tmp_path):
    """Of SigLIP's kind. A link says what is clicked on the boards; the experiments are chosen on the page."""
    options = {"img_size": 48, "depth": 2, "embed_dim": 192, "num_heads": 3}
    boards = {"heads": "4", "unseen": "7", "masked": "7"}
    page.query_params |= saved(tmp_path, "vit_base_patch16_siglip_224", **options) | boards
    at = page.run()
    for name in EXPERIMENTS:
        page.query_params |= boards
        at.pills[0].set_value(name).run()
        assert not at.exception
        assert at.query_params.get("experiment", "positions") == name
        alts = [one.alt for image in at.main.get("image") for one in image.proto.imgs]
        assert "Attention of the last layer after the change, mean over all patch queries" in alts


def test_a_change_that_cannot_be_made_says_why_beside_what_there_is(page, monkeypatch):
    def refused(*_):
        raise vizvit.CaptureError("It has <no> positions.")

    monkeypatch.setattr(vizvit, "intervene", refused)
    at = page.run()
    assert not at.exception
    assert "It has &lt;no&gt; positions." in html(at)
    assert len(at.main.get("image")) == 2
    assert len(at.metric) == 2


@pytest.mark.parametrize(
    ("address", "changes"),
    [
        (
            {"experiment": "temperature", "temperature": "5", "scaling": "off"},
            (vizvit.NoScaling(), vizvit.Temperature(5)),
        ),
        ({"experiment": "heads", "heads": "10.3"}, (vizvit.KnockOutLayers({3}), vizvit.KnockOutHeads({(2, 0)}))),
        (
            {"experiment": "attention", "unseen": "16.33", "layers": "2-4"},
            (vizvit.KnockOutAttention({(0, 0), (1, 1)}, "cls", {2, 3, 4}),),
        ),
        (
            {"experiment": "attention", "unseen": "16", "blind": "all"},
            (vizvit.UnseenPatches({(0, 0)}),),
        ),
        ({"experiment": "patches", "mask": "drop", "masked": "17"}, (vizvit.DropPatches({(0, 1)}),)),
        ({"positions": "shuffle", "seed": "3"}, (vizvit.PositionEmbedding("shuffle", seed=3),)),
        ({"positions": "swap", "swap": "16.271"}, (vizvit.PositionEmbedding("swap", patches=((0, 0), (15, 15))),)),
    ],
)
def test_a_link_opens_the_same_change_and_is_written_again(page, monkeypatch, address, changes):
    """Cells by number, row by row; the row before the first is that of a board's labels. Nonsense is left out."""
    asked = []
    real = vizvit.intervene
    monkeypatch.setattr(vizvit, "intervene", lambda vit, *changes: asked.append(changes) or real(vit, *changes))
    monkeypatch.setattr(change, "rollout", lambda cap: st.stop())  # as a click: what is asked of a link is done by then
    board = next((name for name in ("heads", "unseen", "masked", "swap") if name in address), None)
    page.query_params |= address | ({board: f"{address[board]}.99999.x"} if board else {})
    at = page.run()
    assert not at.exception
    assert set(asked[0]) == set(changes)
    now = {name: value[0] if isinstance(value, list) else value for name, value in at.query_params.items()}
    assert {name: now.get(name) for name in address} == address
