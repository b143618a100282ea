"""What a model costs is known before it is loaded, and what would keep others waiting is refused."""

from __future__ import annotations

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch.utils.flop_counter import FlopCounterMode

import vizvit
from vizvit.errors import ModelError
from vizvit.model.catalog import CATALOG
from vizvit.model.work import Budget, Work, work_of
from vizvit.pages.shared import bounds
from vizvit.pages.shared.store import MEGABYTE, store
from vizvit.texts import LANGUAGES, words

PLENTY = 1 << 60


@pytest.fixture(scope="module")
def shipped() -> vizvit.VitModel:
    return vizvit.load_model("vizvit-tiny", device="cpu")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("vizvit-tiny", None),
        ("vizvit-tiny", (128, 256)),
        ("vit_small_patch14_reg4_dinov2", None),  # 1,374 tokens
        ("beit_base_patch16_224", None),
        ("eva02_tiny_patch14_336", None),
        ("vit_base_r50_s16_224", None),  # a convolutional network before the blocks
        ("vit_base_patch16_siglip_224", None),  # a pooling head behind them
    ],
)
def test_multiply_adds_are_those_that_torch_counts(name, size):
    work = work_of(name, image_size=size)
    vit = vizvit.load_model(name, weights="random", device="meta", image_size=size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        vit.module(torch.zeros(1, 3, *vit.input_size, device="meta"))
    assert work.multiply_adds == pytest.approx(counter.get_total_flops() / 2, rel=0.1)


def test_what_is_known_beforehand_is_what_is_loaded(shipped):
    work = work_of("vizvit-tiny")
    assert work == Work.of(shipped)
    assert work.weights == sum(value.nbytes for value in shipped.module.state_dict().values())


def test_nothing_is_allocated_for_a_model_that_no_machine_holds():
    work = work_of("vit_giant_patch14_dinov2", image_size=4088)
    assert work.tokens == 1 + 292**2 and work.parameters > 1e9
    with pytest.raises(ModelError, match="not a model of timm"):
        work_of("vit_unheard_of")


@pytest.mark.parametrize("budget", [Budget(int(5e9), PLENTY), Budget(PLENTY, 1 << 24)], ids=["work", "memory"])
def test_the_largest_input_is_the_last_that_fits(budget):
    work = work_of("vizvit-tiny")
    side = budget.largest_side(work)
    assert budget.allows(work_of("vizvit-tiny", image_size=side))
    assert not budget.allows(work_of("vizvit-tiny", image_size=side + work.patch_size))


def test_no_input_of_a_model_fits_that_is_too_large_itself():
    assert Budget(1000, PLENTY).largest_side(work_of("vizvit-tiny")) == 0


def test_memory_is_that_of_a_capture_or_of_a_layers_attention(shipped, picture):
    work, cap = Work.of(shipped), vizvit.capture(shipped, picture)
    kept = sum(cap.queries(layer).nbytes + cap.keys(layer).nbytes for layer in range(cap.num_layers))
    assert work.memory == max(kept, cap.attention(0).nbytes)
    many = work_of("vizvit-tiny", image_size=512)
    assert many.memory == 4 * work.heads * (1 + 128**2) ** 2


@pytest.mark.parametrize(
    ("address", "headers", "billions"),
    [
        ("127.0.0.1", {"Host": "localhost:8501"}, 4000),
        ("::1", {}, 4000),
        ("127.0.0.1", {"Host": "localhost:8501", "X-Forwarded-For": "203.0.113.9"}, 100),  # through a proxy
        ("0.0.0.0", {"Host": "localhost:8501"}, 100),
        (None, {"Host": "192.168.1.7:8501"}, 100),
    ],
)
def test_visitors_may_take_less_of_a_server_than_who_sits_at_it(monkeypatch, address, headers, billions):
    monkeypatch.setattr("streamlit.get_option", {"server.address": address}.get)
    monkeypatch.setattr(type(st.context), "headers", property(lambda _: headers))
    monkeypatch.delenv("VIZVIT_GMACS", raising=False)
    assert bounds.budget().multiply_adds == billions * 10**9
    monkeypatch.setenv("VIZVIT_GMACS", "7")
    assert bounds.budget().multiply_adds == 7 * 10**9
    monkeypatch.setenv("VIZVIT_GMACS", "much")
    with pytest.raises(ValueError, match=r"VIZVIT_GMACS is to be a whole number above 0, such as .*'much'"):
        bounds.budget()


def test_all_of_the_catalogue_fits_where_strangers_visit():
    allowed = Budget(bounds.CLASS * 10**9, 1 << 30)
    assert [entry.name for entry in CATALOG if not allowed.allows(work_of(entry.name))] == []


def refused(height: int) -> None:
    import streamlit as st

    from vizvit.pages.sidebar.model_choice import load_chosen

    try:
        load_chosen(st.container(), "vizvit-tiny", size=(height, height))
    except ValueError as error:
        st.text(str(error))


@pytest.mark.parametrize("language", LANGUAGES)
def test_too_large_an_input_is_refused_with_the_largest_before_anything_is_loaded(monkeypatch, language):
    monkeypatch.setattr("vizvit.pages.sidebar.model_choice.load_model", lambda *args, **options: pytest.fail("loaded"))
    monkeypatch.setenv("VIZVIT_GMACS", "5")
    app = AppTest.from_function(refused, args=(2048,))
    app.query_params["lang"] = language
    app.run(timeout=60)
    side = bounds.budget().largest_side(work_of("vizvit-tiny"))
    known = {"model": "vizvit-tiny", "height": 2048, "width": 2048, "tokens": "262,145", "side": side}
    assert [text.value for text in app.text] == [words("bounds", language)["input"].format(**known)]


def test_a_model_above_the_limit_is_refused_with_both_sizes(monkeypatch):
    monkeypatch.setattr(store().models, "limit", 5 * MEGABYTE)
    with pytest.raises(ModelError, match=r"vizvit-tiny has [\d.]+ million parameters, \d+ MB, .* at most 5 MB"):
        bounds.check(work_of("vizvit-tiny"))
