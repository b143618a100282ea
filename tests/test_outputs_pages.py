"""Models of values, of labels and of features on the pages: their numbers as they are, and something to see on each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from reference import awaken
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.analysis.likeness import cosine
from vizvit.numbers import fixed, number
from vizvit.pictures.samples import SAMPLES
from vizvit.texts import words

PAGES = ("explore.page", "rollout", "positions", "heads", "experiments.page", "explanations.page", "walkthrough.page")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[int, Path]:
    found = {}
    for classes in (0, 1, 3):
        options = {"img_size": 48, "depth": 2, "embed_dim": 48, "num_heads": 3, "num_classes": classes}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = timm.create_model("vit_tiny_patch16_224", **options)
        awaken(module)
        if classes:
            torch.nn.init.constant_(module.head.bias, 40.0)
        found[classes] = tmp_path_factory.mktemp(f"gives-{classes}")
        timm.models.save_for_hf(module, found[classes], model_args=options, safe_serialization=True)
    return found


def all_pages(pages: tuple[str, ...]) -> None:
    """Pages one below the other, as app.py runs one of them."""
    import importlib

    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.pages = {}
    st.session_state.choice = choose()
    for page in pages:
        importlib.import_module(f"vizvit.pages.{page}").page()


def run(folder: Path, language: str, outputs: str = "", pages=PAGES, **address: str) -> tuple[AppTest, str]:
    """The pages, and all that they say."""
    app = AppTest.from_function(all_pages, default_timeout=120, args=(pages,))
    given = {"model": str(folder), "lang": language, "outputs": outputs, "stage": "13", **address}
    for name, value in given.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error, (app.exception, app.error)
    assert app.query_params.get("outputs", "") in (outputs, [outputs])
    shown = [*app.caption, *app.markdown, *app.subheader, *app.title, *app.button]
    texts = [str(getattr(one, "value", "")) for one in shown]
    texts += [html.proto.body for html in app.get("html")]
    texts += [group.proto.label for group in app.get("button_group")]
    drawings = [part.proto.json for part in app.get("bidi_component") if part.proto.json]
    texts += [json.dumps(json.loads(one), ensure_ascii=False).replace('\\"', '"') for one in drawings]
    return app, "\n".join(texts)


def captured(folder: Path, outputs: str | None = None) -> vizvit.Capture:
    vit = vizvit.load_model(folder, device="cpu", outputs=outputs)
    return vizvit.capture(vit, vizvit.load_image(SAMPLES["cat"].read()))


CHANGED = {"experiment": "temperature", "temperature": "0.5"}


@pytest.mark.parametrize(("classes", "outputs", "language"), [(1, "", "en"), (3, "value", "ja")])
def test_values_are_numbers_and_never_a_share(folders, classes, outputs, language):
    cap = captured(folders[classes], outputs or None)
    _, text = run(folders[classes], language, outputs, **CHANGED)
    assert words("look", language)["meaning_value"] in text
    for label, value in zip(cap.vit.labels, cap.logits, strict=True):
        assert f"{label}</span><i></i><span>{number(float(value))}</span>" in text  # rollout, experiments
        assert f"<dt>{label}</dt><dd>{number(float(value))}</dd>" in text  # the last stage
    assert "100.0 %" not in text and "100 %" not in text.replace("0 to 100 %", "").replace("0～100 %", "")
    t = words("explanations", language)
    (one, other) = (t[name].partition("{")[0] for name in ("gradient_of_value", "gradient_of"))
    assert one in text and other not in text
    assert words("outputs", language)["one_value"] in text
    with vizvit.intervene(cap.vit, vizvit.Temperature(0.5)) as changed:
        after = float(vizvit.capture_view(changed, cap.view).logits[0])
    moved = text.partition('<p class="vz-change"><b>')[2].partition("</p>")[0]
    shown, _, said = moved.partition("</b>")
    assert float(shown.replace("−", "-")) == pytest.approx(after - cap.logits[0], abs=2e-3)
    assert cap.vit.labels[0] in said and "→" in said


def test_labels_have_a_probability_each(folders):
    cap = captured(folders[3], "sigmoid")
    assert cap.probabilities.sum() > 2.9
    _, text = run(folders[3], "en", "sigmoid", **CHANGED)
    assert "Each label has a probability of its own" in text and "Sigmoid: the five likeliest labels" in text
    assert "Explain the label" in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_model_without_classes_has_something_to_see_everywhere(folders, language):
    cap, t = captured(folders[0]), words("walk", language)
    app, text = run(folders[0], language, **CHANGED)
    places = ("rollout", "positions", "heads", "experiments", "explanations")
    assert {words(place, language)["title"] for place in places} <= {title.value for title in app.title}
    assert words("experiments", language)["cosine"] in text
    with vizvit.intervene(cap.vit, vizvit.Temperature(0.5)) as changed:
        after = vizvit.capture_view(changed, cap.view).features
    assert f"<b>{fixed(cosine(cap.features, after), 3)}</b>" in text
    assert t["head_nearest"] in text and t["stage_head_features"] in text
    near = {
        name: cosine(cap.features, vizvit.capture(cap.vit, vizvit.load_image(sample.read())).features)
        for name, sample in SAMPLES.items()
        if name != "cat"
    }
    titles = [words("picture", language)[name] for name in sorted(near, key=lambda name: -near[name])]
    places = [text.rindex(f"<span>{title}</span>") for title in titles]
    assert places == sorted(places)
    assert all(f"<span>{fixed(value, 3)}</span>" in text for value in near.values())
    assert "0 classes" not in text and "× 0" not in text and "0 クラス" not in text


def test_random_weights_of_a_model_without_classes(folders):
    app, _ = run(folders[0], "en", pages=("experiments.page",), experiment="weights", blocks="0")
    (blocks,) = [slider for slider in app.slider if slider.label == words("experiments")["blocks_features"]]
    assert (blocks.min, blocks.max, blocks.value) == (1, 2, 1)
    button = next(one for one in app.button if one.label == words("experiments")["curve"])
    button.click().run()
    assert not app.exception and not app.error


def test_curves_of_a_value(folders):
    cap = captured(folders[1])
    app, _ = run(folders[1], "en", pages=("explanations.page",), steps="all")
    next(one for one in app.button if one.label == words("explanations")["measure"]).click().run()
    assert not app.exception and not app.error
    text = "\n".join(html.proto.body for html in app.get("html")) + "\n".join(one.value for one in app.caption)
    assert words("explanations")["areas_of_values"] in text and number(float(cap.logits[0])) in text
    curves = vizvit.faithfulness(cap.vit, cap.view, vizvit.rollout(cap))
    row = text.partition("Rollout</td><td>")[2].partition("</td>")[0]
    assert float(row) == pytest.approx(curves.deletion_area, abs=2e-3)
    assert np.isfinite(float(row))
