"""The page of explanations without a browser: names, curves that go on where they stood, turns, and what it says."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from skimage import data
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.pages.explanations import asking, grid
from vizvit.pages.explanations import growing as growing_module
from vizvit.pages.explanations.following import followed
from vizvit.pages.explanations.growing import Growing, grow, growing
from vizvit.pages.explanations.settings import Wanted
from vizvit.pages.shared.classes import unique_names
from vizvit.pages.shared.store import store, turn
from vizvit.pictures.samples import SAMPLES, is_stranger, shown_on

SIDE = 32  # pixels: of few patches all maps are soon made


@pytest.fixture(scope="module")
def shipped():
    return vizvit.load_model("vizvit-tiny", device="cpu", image_size=SIDE)


def test_every_class_has_a_name_of_its_own():
    labels = ("crane", "maillot", "maillot, tank suit", "tabby, tabby cat", "crane", "a, b", "a, b, c", "a")
    expected = (
        "crane (0)",
        "maillot (1)",
        "maillot, tank suit",
        "tabby",
        "crane (4)",
        "a, b (5)",
        "a, b (6)",
        "a (7)",
    )
    assert unique_names(labels) == expected
    assert len(set(expected)) == len(labels)


def test_names_of_a_real_list_are_unique():
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    names = unique_names(tuple(info.index_to_description(index) for index in range(info.num_classes())))
    assert len(set(names)) == 1000


def test_curves_go_on_where_they_stood_and_a_new_map_is_measured_alone(shipped, monkeypatch):
    view, classes, steps = shipped.view(vizvit.load_image(data.chelsea())), (3, 17), 8
    heats = [np.random.default_rng(seed).random((shipped.grid.rows, shipped.grid.cols)) for seed in range(3)]
    seen: list[int] = []
    monkeypatch.setattr(growing_module, "BATCH", 8)
    run = shipped.module.forward
    monkeypatch.setattr(shipped.module, "forward", lambda pixels: seen.append(len(pixels)) or run(pixels))

    def of(number: int) -> Growing:
        return growing(("test", number), shipped, heats[number], classes, steps)

    def measured(*wanted: int) -> Iterator[None]:
        return grow(shipped, view, [of(number) for number in wanted], classes, "blur")

    next(measured(0, 1))  # then the next click ends the run
    left = of(0)
    assert 0 < left.done < steps and np.isnan(left.values[:, :, left.done : steps]).all()
    list(measured(0, 1))
    assert sum(seen) == 2 * steps * 2  # no picture twice
    list(measured(0, 1, 2))
    assert sum(seen) == 2 * steps * 3
    for number, heat in enumerate(heats):
        for place, target in enumerate(classes):
            alone = vizvit.faithfulness(shipped, view, heat, target=target, steps=steps)
            np.testing.assert_allclose(of(number).values[0, place], alone.deletion, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(of(number).values[1, place], alone.insertion, rtol=1e-3, atol=1e-6)
    store().results.drop(lambda key: key[0] == "test")


def test_the_first_curve_is_complete_before_the_next_one_begins(shipped, monkeypatch):
    view, steps = shipped.view(vizvit.load_image(data.chelsea())), 4
    heats = np.random.default_rng(0).random((3, shipped.grid.rows, shipped.grid.cols))
    for batch, expected in ((2 * steps, [[4, 0, 0], [4, 4, 0], [4, 4, 4]]), (4 * steps + 2, [[4, 4, 0], [4, 4, 4]])):
        monkeypatch.setattr(growing_module, "BATCH", batch)
        every = [growing(("first", batch, number), shipped, heat, (3,), steps) for number, heat in enumerate(heats)]
        grown = grow(shipped, view, every, (3,), "blur")
        assert [[curves.done for curves in every] for _ in grown] == expected
    store().results.drop(lambda key: key[0] == "first")


def test_what_curves_follow():
    values = np.array([[0.2, 0.1, 0.0], [0.1, 0.3, 0.0]], np.float32)  # [class, S+1]
    methods = Wanted("methods", 4, None, (4, 5), "relevance", False)
    np.testing.assert_array_equal(followed(values[:1], methods, None), values[0])
    classes = Wanted("classes", 4, None, (4, 5), "relevance", False)
    np.testing.assert_array_equal(followed(values, classes, 5), values[1])
    contrast = Wanted("contrast", 4, 5, (4, 5), "relevance", False)
    np.testing.assert_allclose(followed(values, contrast, 5), [2 / 3, 1 / 4, 1 / 2], rtol=1e-6)


def test_a_turn_is_handed_on_between_two_batches(shipped):
    had = threading.Event()

    def other() -> None:
        with turn(lambda: None):
            had.set()

    with turn(lambda: None, heavy=True) as mine:
        thread = threading.Thread(target=other)
        thread.start()
        told: list[tuple[int, int]] = []
        options = asking.by_batches(shipped, "integrated_gradients", mine.hand_on, lambda *at: told.append(at))
        options["on_progress"](0, 50)
        assert not had.is_set()  # nothing is done yet: there is nothing to hand on
        while not had.is_set():
            options["on_progress"](10, 50)
        thread.join()
    assert told[:2] == [(0, 50), (10, 50)]
    assert asking.by_batches(shipped, "relevance", mine.hand_on, lambda *at: None) == {}


def test_what_was_asked_for_last_goes_first():
    def page() -> None:
        import streamlit as st

        from vizvit.pages.explanations.asking import Work, ask, work_off

        ask("measured")
        ask("checked")
        ask("measured")
        work_off([Work(kind, lambda kind=kind: st.text(kind)) for kind in ("heavy", "checked", "measured")] + [None])

    assert [text.value for text in AppTest.from_function(page).run().text] == ["measured", "checked", "heavy"]


def test_samples_with_a_known_class():
    keys = {name: hashlib.sha256(sample.read()).hexdigest() for name, sample in SAMPLES.items()}
    assert is_stranger(keys["rocket"], ["tabby, tabby cat"]) and not is_stranger(keys["cat"], ["tabby, tabby cat"])
    assert not is_stranger("another picture", [])
    assert "tabby" in shown_on(keys["cat"]) and shown_on(keys["rocket"]) == () == shown_on("another picture")
    labels = {label.split(", ")[0].casefold() for label in vizvit.load_model("vizvit-tiny", device="cpu").labels}
    assert all(set(sample.shows) & labels for sample in SAMPLES.values() if sample.shows)


# --- the page


def explained() -> None:
    import streamlit as st

    from vizvit.pages.explanations import page as explanations
    from vizvit.pages.sidebar import choice

    st.session_state.choice = choice.choose()
    explanations.page()


def of_few_classes() -> None:
    """A small model whose labels stand in the session."""
    import streamlit as st
    import timm
    from skimage import data

    import vizvit
    from vizvit.pages.explanations import page as explanations
    from vizvit.pages.sidebar.choice import Choice

    if "choice" not in st.session_state:
        labels = tuple(st.session_state.labels)
        options = {"num_classes": len(labels), "img_size": 48, "depth": 2}
        module = timm.create_model("vit_tiny_patch16_224", **options)
        vit = vizvit.VitModel.wrap(module, name="*mine*", labels=labels, outputs="softmax")
        image = vizvit.load_image(data.chelsea())
        st.session_state.choice = Choice(image, "cat", "/".join(labels), vit, "few classes")
    explanations.page()


def opened(function=explained, **query: str) -> AppTest:
    app = AppTest.from_function(function, default_timeout=90)
    app.query_params |= ({"height": str(SIDE)} if function is explained else {}) | query
    return app


def headline(app: AppTest) -> str:
    return app.subheader[0].value


def test_a_class_is_never_set_against_itself():
    app = opened(view="contrast", **{"class": "26", "other": "26"}).run()
    assert not app.exception
    assert app.session_state.explanations_class == 26 != app.session_state.explanations_other
    before = app.session_state.explanations_other
    app.pills(key="explanations_class").set_value(before).run()
    assert (app.session_state.explanations_class, app.session_state.explanations_other) == (before, 26)
    searched = app.selectbox(key="explanations_other_search").options
    assert len(searched) == 199 and app.session_state.choice.vit.label(before) not in searched


def test_a_moment_of_the_training_is_one_model_in_all_reruns():
    app = opened(training="1", view="contrast").run()
    vit = app.session_state.choice.vit
    assert vit.weights.startswith("training snapshot at")
    app.run()
    assert not app.exception and app.session_state.choice.vit is vit


def test_where_the_model_is_wrong_it_says_so_and_asks_why(shipped, monkeypatch):
    """Said to show what the model did not choose, so that it is wrong however well it was trained."""
    cap = vizvit.capture(shipped, vizvit.load_image(SAMPLES["cat"].read()))
    chosen = shipped.label(int(cap.probabilities.argmax())).split(", ")[0]
    shown = "golden retriever" if chosen != "golden retriever" else "tabby"
    cat = hashlib.sha256(SAMPLES["cat"].read()).hexdigest()
    monkeypatch.setattr(grid, "shown_on", lambda key: (shown,) if key == cat else shown_on(key))
    app = opened(image="cat", view="classes").run()
    assert any(text.value.startswith(f"The model is wrong here: the picture shows “{shown}”") for text in app.markdown)
    app.button(key="explanation_why_wrong").click().run()
    assert headline(app) == f"Relevance: why “{chosen}” and not “{shown}”?"
    assert "explanation_why_wrong" not in [button.key for button in app.button]
    right = opened(image="coffee", view="contrast").run()
    assert not any("wrong" in text.value for text in right.markdown)


def test_names_are_no_markdown():
    app = opened(of_few_classes)
    app.session_state.labels = ["*star*_a_b", "*star*_a_b", "$x$ [link](http://x)"]
    app.query_params["view"] = "contrast"
    app.run()
    assert not app.exception
    names = {r"\*star\*\_a\_b \(0\)", r"\*star\*\_a\_b \(1\)", "\\$x\\$ \\[link\\]\\(http\\:\u2060//x\\)"}
    assert {option.rpartition(" · ")[0] for option in app.pills(key="explanations_class").options} == names
    assert sum(name in headline(app) for name in names) == 2


def test_one_class_alone_has_nothing_to_be_set_against():
    app = opened(of_few_classes)
    app.session_state.labels = ["cat"]
    app.query_params["view"] = "contrast"
    app.run()
    assert not app.exception
    assert headline(app) == "What speaks for “cat”?"
    assert not any(button.label == "Measure" for button in app.button)
    assert any("100 %" in caption.value for caption in app.caption)


def test_fill_and_steps_stand_in_the_address(shipped):
    patches = shipped.grid.num_patches
    app = opened(fill="black", steps="16").run()
    assert app.session_state.explanations_fill == "black"
    assert app.session_state[f"explanations_steps_{patches}"] == 16
    assert dict(app.query_params) == {"height": str(SIDE), "fill": "black", "steps": "16"}
    app.segmented_control(key=f"explanations_steps_{patches}").set_value(patches).run()
    assert app.query_params["steps"] == "all"


def test_what_another_session_has_made_is_shown_without_asking():
    first = opened(of_few_classes)
    first.session_state.labels = ["made", "once"]
    first.query_params["view"] = "contrast"
    first.run()
    for kind in ("measured", "checked"):
        first.button(key=f"explanations_ask_{kind}").click().run()
    assert not first.exception
    second = opened(of_few_classes)
    second.session_state.choice = first.session_state.choice
    second.query_params["view"] = "contrast"
    second.run()
    assert not second.exception
    assert not [button.key for button in second.button if button.key.startswith("explanations_ask")]
    assert any("vz-areas" in block.proto.body for block in second.get("html"))
    assert len(second.get("vega_lite_chart")) == len(first.get("vega_lite_chart")) == 3
