"""What is made of a finished study: rankings, links, the report; on numbers that no model has to make first."""

from __future__ import annotations

import copy
import html
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import numpy as np
import pytest
import timm
import torch
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit import cli, study
from vizvit.errors import ModelError
from vizvit.model.loading import shipped_dir
from vizvit.model.snapshots import snapshots
from vizvit.pages.sidebar.model_choice import ModelKey
from vizvit.pages.studies import chosen
from vizvit.pages.studies import page as studies
from vizvit.study.figures import caption, value_range
from vizvit.study.opened import app_words
from vizvit.study.report import report
from vizvit.study.sweep import Head
from vizvit.study.written import difference_text, mean_text, places_of
from vizvit.texts import words

LAYERS, HEADS = 3, 4
OPENED = {"model": "vizvit-tiny", "weights": None, "arch": None, "height": None, "width": None}
DISTANCE = [[30.0, 31.5, 10.25, 22.0], [29.5, 8.0, 22.25, 35.0], [30.25, 12.0, 21.0, 33.0]]


def scores(deletion: float, insertion: float) -> dict:
    values = {"deletion": deletion, "insertion": insertion, "pointing": 0.4}
    return {name: {"mean": value, "error": 0.01, "count": 10} for name, value in values.items()}


@pytest.fixture
def summary() -> dict:
    rng = np.random.default_rng(0)
    means = {"distance": copy.deepcopy(DISTANCE), "entropy": rng.uniform(0.01, 4, (LAYERS, HEADS)).tolist()}
    means["agreement"] = rng.uniform(0.5, 2, (LAYERS, HEADS)).tolist()
    return {
        "vizvit": vizvit.__version__,
        "model": "vizvit-tiny",
        "architecture": "vit_tiny_patch16_224",
        "weights": "shipped weights",
        "trained": True,
        "precision": "float32",
        "input_size": [64, 64],
        "grid": [8, 8],
        "prefix_tokens": ["class"],
        "opened": OPENED,
        "layers": LAYERS,
        "heads_per_layer": HEADS,
        "settings": {"methods": [], "faithfulness": True, "steps": 16, "fill": "blur"},
        "source": {
            "data": "val.parquet",
            "limit": 10,
            "command": "python -m vizvit study val.parquet",
            "made": "2026-01-02",
        },
        "pictures": 11,
        "measured": 10,
        "broken": 1,
        "broken_named": [{"name": "torn.png", "error": "cut off"}],
        "objects": 10,
        "accuracy": {"top1": 0.5, "top5": 0.75, "count": 10},
        "probability": {"mean": 0.5, "spread": 0.1},
        "methods": {
            "attention": scores(0.12, 0.15),
            "random": scores(0.15, 0.14),
            "relevance": scores(0.06, 0.25),
            "centre": scores(0.10, 0.17),
        },
        "heads": {
            name: {"mean": mean, "spread": np.full((LAYERS, HEADS), 0.25).tolist(), "count": 10}
            for name, mean in means.items()
        },
    }


@pytest.fixture
def folder(tmp_path, summary) -> Path:
    return written(tmp_path / "study", summary)


def written(folder: Path, summary: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(summary if isinstance(summary, str) else json.dumps(summary), "utf-8")
    return folder


# --- reading


def test_a_summary_by_an_older_version_is_read(tmp_path, summary):
    del summary["source"], summary["opened"]
    assert study.read_summary(written(tmp_path, summary)) == summary


@pytest.mark.parametrize(
    "change",
    [
        lambda summary: [],
        lambda summary: 5,
        lambda summary: summary["heads"]["distance"]["mean"].pop(),
        lambda summary: summary["heads"]["distance"].pop("count"),
        lambda summary: summary["heads"]["entropy"].update(spread="much"),
        lambda summary: summary.update(heads=[1]),
        lambda summary: summary.update(layers="3"),
        lambda summary: summary.update(input_size=[64]),
        lambda summary: summary.update(grid=[0, 8]),
        lambda summary: summary.update(source="val.parquet"),
        lambda summary: summary.update(opened=["vizvit-tiny"]),
        lambda summary: summary["accuracy"].pop("top5"),
        lambda summary: summary["methods"]["random"]["deletion"].update(mean=None),
        lambda summary: summary["methods"].update(random=None),
        lambda summary: summary["settings"].pop("fill"),
        lambda summary: summary["broken_named"].append("torn.png"),
        *(
            lambda summary, name=name: summary.pop(name)
            for name in ("model", "measured", "heads", "trained", "objects")
        ),
    ],
)
def test_what_is_no_summary_is_refused_with_a_sentence(tmp_path, summary, change):
    changed = change(summary)
    summary = changed if isinstance(changed, (list, int)) and changed in ([], 5) else summary
    with pytest.raises(ModelError, match="is not the summary of a study"):
        study.read_summary(written(tmp_path, summary))


@pytest.mark.parametrize("text", ["", "{", "\x00", "[" * 5000])
def test_what_is_no_json_is_no_study(tmp_path, text):
    with pytest.raises(ModelError, match="no finished study"):
        study.read_summary(written(tmp_path, text))


def test_studies_are_found_below_a_folder(tmp_path, summary):
    old, new = (written(tmp_path / name, summary) for name in ("vizvit-out/old", "new"))
    os.utime(old / "summary.json", (1, 1))
    written(tmp_path / "other", {"model": "not a study"})
    written(tmp_path / ".hidden", summary)
    written(tmp_path / "a/b/c/deep", summary)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert study.find_studies(tmp_path) == [new, old]
    assert tmp_path / "a/b/c/deep" in study.find_studies(tmp_path, depth=4)
    assert study.find_studies(tmp_path, most=1) == []
    assert study.find_studies(tmp_path / "nowhere") == []


# --- ranking


def test_heads_like_one_head(folder):
    found = study.sweep(folder, "distance", None, like=(0, 0))
    means = np.array(DISTANCE).ravel()
    apart = means - means[0]
    assert [(head.layer, head.head) for head in found[:3]] == [(2, 0), (1, 0), (0, 1)]
    assert len(found) == LAYERS * HEADS - 1
    assert [abs(head.difference) for head in found] == sorted(np.abs(apart[1:]))
    assert found[1].difference == -0.5
    assert all(head.mean - 30.0 == head.difference for head in found)
    assert [head.difference for head in study.sweep(folder, "distance", 2)] == [None, None]


def test_shares_are_in_per_cent_and_differences_add_up():
    head = Head(1, 2, 0.10349, 0.0211, 9, "", 0.0006)
    places = places_of("prefix_share", [0.25, 0.10349], [0.0006, None])
    assert places == 3
    assert mean_text("prefix_share", head.mean, head.spread, places) == "10.349 ± 2.110 %"
    assert mean_text("prefix_share", head.mean - head.difference, None, places) == "10.289 %"
    assert difference_text("prefix_share", head, places) == "+0.060"
    assert mean_text("distance", 34.66, 1.7, places_of("distance", [34.66])) == "34.7 ± 1.7"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"like": (3, 0)}, "layers 0 to 2 of heads 0 to 3"),
        ({"like": (0, 4)}, "layers 0 to 2 of heads 0 to 3"),
        ({"like": (-1, 0)}, "layers 0 to 2"),
        ({"like": (0, 0), "lowest": True}, "one of the two"),
        ({"by": "prefix_share"}, "no prefix_share"),
        ({"by": "beauty"}, 'received "beauty"'),
        ({"top": 0}, "from 1"),
    ],
)
def test_a_ranking_that_cannot_be(folder, options, message):
    with pytest.raises(ModelError, match=message):
        study.sweep(folder, **options)


def test_the_command_lists_heads_like_one_head(folder, capsys):
    ask = ["study", "--out", str(folder), "--top", "3", "--like"]
    assert cli.main([*ask, "0,0", "--sweep", "distance"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["layer", "head", "distance", "difference"]
    assert [row.split()[:6] for row in rows] == [
        ["2", "0", "30.2", "±", "0.2", "+0.2"],
        ["1", "0", "29.5", "±", "0.2", "−0.5"],
        ["0", "1", "31.5", "±", "0.2", "+1.5"],
    ]
    assert rows[0].endswith("http://localhost:8501/?layer=2&head=0&model=vizvit-tiny")
    for wrong, message in [
        (["0,0"], "--sweep"),
        (["0;0", "--sweep", "distance"], "not a head"),
        (["9,0", "--sweep", "distance"], "layers 0 to 2"),
    ]:
        assert cli.main([*ask, *wrong]) == 2
        assert message in capsys.readouterr().err


# --- the model's link


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """A timm local directory and a checkpoint, in a folder that is not the working directory."""
    place = tmp_path_factory.mktemp("own")
    module = timm.create_model("test_vit", num_classes=3)
    (place / "model").mkdir()
    timm.models.save_for_hf(module, place / "model")
    torch.save(module.state_dict(), place / "best.pth")
    return place


def opened(vit: vizvit.VitModel, summary: dict) -> dict:
    """A summary as a study of this model has it."""
    return summary | vit.facts() | {"opened": json.loads(json.dumps(vit.opened))}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"name": "vizvit-tiny"}, {"model": "vizvit-tiny"}),
        ({"name": "vizvit-tiny", "weights": "random"}, {"model": "vizvit-tiny", "weights": "random"}),
        ({"name": "vizvit-tiny", "image_size": 96}, {"model": "vizvit-tiny", "height": "96", "width": "96"}),
        ({"name": "model"}, {"model": "{own}/model"}),
        ({"name": "local-dir:model"}, {"model": "{own}/model"}),
        ({"name": "best.pth", "arch": "test_vit"}, {"model": "{own}/best.pth", "arch": "test_vit"}),
        ({"name": "test_vit", "weights": "best.pth"}, {"model": "{own}/best.pth", "arch": "test_vit"}),
        ({"name": "vizvit-tiny", "weights": "snapshot"}, {"model": "vizvit-tiny", "training": "1"}),
        ({"name": "model", "weights": "best.pth"}, None),
    ],
)
def test_the_link_opens_the_studys_own_model(own, summary, monkeypatch, options, expected):
    monkeypatch.chdir(own)
    if options.get("weights") == "snapshot":
        options = options | {"weights": snapshots("vizvit-tiny")[1].weights}
    vit = vizvit.load_model(**options, device="cpu")
    monkeypatch.chdir("/")
    found = app_words(opened(vit, summary))
    assert found == (expected and {name: value.format(own=own) for name, value in expected.items()})
    link = study.sweep(written(own / "study", opened(vit, summary)), top=1)[0].link
    if expected is None:
        assert link == ""
    else:
        asked = {name: value[0] for name, value in parse_qs(link[1:]).items()}
        assert asked == found | {"layer": "1", "head": "3"}


def test_a_study_that_does_not_say_how_its_model_was_opened(summary):
    del summary["opened"]
    assert app_words(summary) == {"model": "vizvit-tiny"}
    summary |= {"model": "vit_tiny_patch16_224", "weights": "untrained weights", "trained": False}
    assert app_words(summary) == {"model": "vit_tiny_patch16_224", "weights": "random"}
    assert app_words(summary | {"weights": "weights of best.pth"}) is None
    assert app_words(summary | {"model": "mine"}) is None


def test_another_model_of_the_same_name_is_another(own, summary, tmp_path):
    (tmp_path / "model").mkdir()
    timm.models.save_for_hf(timm.create_model("test_vit", num_classes=3), tmp_path / "model")

    def choice(name: object, **options) -> SimpleNamespace:
        size = options.get("image_size")
        key = ModelKey(str(name), options.get("weights", "pretrained"), size=size and (size, size))
        return SimpleNamespace(vit=vizvit.load_model(str(name), device="cpu", **options), model_key=key)

    mine = choice(own / "model")
    about = opened(mine.vit, summary)
    assert chosen.is_chosen(mine, about)
    assert chosen.is_chosen(choice(f"local-dir:{own / 'model'}"), about)
    assert not chosen.is_chosen(choice(tmp_path / "model"), about)
    assert not chosen.is_chosen(choice(own / "model", image_size=96), about)
    assert not chosen.is_chosen(choice(own / "model", weights="random"), about)
    moment = choice("vizvit-tiny", weights=snapshots("vizvit-tiny")[1].weights)
    assert chosen.is_chosen(moment, opened(moment.vit, summary))
    assert not chosen.is_chosen(choice("vizvit-tiny"), opened(moment.vit, summary))


# --- numbers, axes, captions


def test_an_axis_begins_at_nought_unless_that_presses_all_heads_together():
    spread = np.array([[1.0, np.nan]])
    low, high = value_range(np.array([[22.0, 35.0]]), spread)
    assert 0 < low <= 21
    assert 35 <= high < 40
    assert value_range(np.array([[10.0, 35.0]]), spread)[0] == 0
    assert value_range(np.array([[0.5, 35.0]]), spread)[0] < -0.5
    assert value_range(np.array([[1.8, 2.2]]), spread / 10)[0] > 1
    assert value_range(np.array([[1.8, 2.2]]), spread / 10, even=1.0)[0] == 0
    assert value_range(np.zeros((1, 2)), spread * 0) == (0.0, 1.0)
    low, high = value_range(np.full((1, 2), 3.0), np.zeros((1, 2)))
    assert low == 0
    assert high > 3


def test_captions_say_whose_attention_it_is(summary):
    assert "the class token's attention on patches" in caption(summary, "agreement")
    assert "all patches' mean attention on patches" in caption(summary | {"prefix_tokens": []}, "agreement")
    assert "mean over all patches as queries" in caption(summary, "distance")
    assert "10 pictures of val.parquet" in caption(summary, "distance")
    assert "the axis begins" not in caption(summary, "distance")
    summary["heads"]["distance"]["mean"] = (np.array(DISTANCE) / 10 + 30).tolist()
    assert "the axis begins at 30, not at 0" in caption(summary, "distance")


# --- the report


def cells_of(page: str, label: str) -> list[list[str]]:
    body = re.search(rf'aria-label="{label}">(.*?)</table>', page, re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body)
    return [[html.unescape(re.sub("<.*?>", "", cell)) for cell in re.findall("<t[dh].*?</t[dh]>", row)] for row in rows]


def test_the_reports_methods_are_those_of_the_page(summary):
    head, *rows = cells_of(report(summary, []), "Methods")
    assert head == ["Method", "Deletion ↓", "Insertion ↑", "Pointing ↑"]
    assert [row[0] for row in rows] == ["Relevance", "Centre first control", "Attention", "Random order control"]
    assert rows[0][1:] == ["0.060 ± 0.010", "0.250 ± 0.010", "40.0 ± 1.0 %"]
    assert words("studies")["sorted_areas"] in html.unescape(report(summary, []))


def test_the_reports_heads_have_the_same_decimals(summary):
    head, *rows = cells_of(report(summary, []), "All heads")
    assert len(rows) == LAYERS * HEADS
    assert rows[0][:2] == ["0, 0", "30.0 ± 0.2"]
    for column, pattern in enumerate([r"\d+\.\d ± 0\.2", r"\d\.\d\d ± 0\.25", r"\d\.\d\d ± 0\.25"], 1):
        assert all(re.fullmatch(pattern, row[column]) for row in rows), head[column]


def test_the_report_says_of_what_it_is(summary):
    page = html.unescape(report(summary, ["distance"]))
    for said in (
        "val.parquet, limit 10, spread evenly",
        "2026-01-02",
        "<code>python -m vizvit study val.parquet</code>",
    ):
        assert said in page
    assert caption(summary, "distance") in page
    assert page.count("data:image/svg+xml;base64,") == 2  # for light and for dark
    older = copy.deepcopy(summary)
    del older["source"], older["opened"]
    assert "<code>" not in report(older, [])
    assert "?layer=0&amp;head=0&amp;model=vizvit-tiny" in report(older, [])
    assert "<a " not in report(older | {"weights": "weights of x.pth"}, [])


# --- the page


def script() -> None:
    import streamlit as st

    from vizvit.pages.sidebar.choice import choose
    from vizvit.pages.studies import page as studies

    st.session_state.choice = choose()
    studies.page()


def page_of(folder: Path | str) -> AppTest:
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params["study"] = str(folder)
    return at.run()


def test_the_page_opens_with_the_shipped_models_own_study():
    at = page_of("")
    assert not at.exception and not at.error and not at.info
    of = study.read_summary(study.shipped_study())
    assert of["weights"] == "shipped weights" and not of["broken"]
    said = next(one.value for one in at.markdown if "pictures through" in one.value)
    assert "**1,000** pictures through **vizvit\\-tiny** (shipped weights)" in said
    assert f"top-1 **{100 * of['accuracy']['top1']:.1f} %**" in said
    rows = re.findall(
        r"<tr><td>(.*?)</td>", next(one.proto.body for one in at.get("html") if "tbody" in one.proto.body)
    )
    best = max(of["methods"].values(), key=lambda found: found["insertion"]["mean"] - found["deletion"]["mean"])
    assert len(rows) == len(of["methods"]) and best is of["methods"]["gradient_rollout"]
    assert rows[0].startswith("Gradient rollout")
    assert at.text_input(key="study_folder").value == ""
    assert [one.value for one in at.code][-1] == studies.COMMAND


def test_the_shipped_study_is_of_the_shipped_weights():
    """As good on the same 1,000 pictures as the model's card says of all: a study of other weights would not be."""
    of, vit = study.read_summary(study.shipped_study()), vizvit.load_model("vizvit-tiny", device="cpu")
    assert {name: of[name] for name in vit.facts()} == vit.facts()
    card = (shipped_dir() / "README.md").read_text("utf-8")
    top1 = float(re.search(r"Top-1 ([\d.]+) %", card)[1]) / 100
    assert abs(of["accuracy"]["top1"] - top1) < 3 * (top1 * (1 - top1) / of["accuracy"]["count"]) ** 0.5


def test_a_folder_without_a_study_and_none_at_all(tmp_path):
    at = page_of("")
    at.text_input(key="study_folder").set_value(str(tmp_path / "nothing")).run()
    assert not at.exception
    assert at.error[0].value.replace("\\", "") == words("studies")["none"].format(folder=tmp_path / "nothing")
    assert not any("pictures through" in one.value for one in at.markdown)
    at.text_input(key="study_folder").set_value(" ").run()
    assert not at.error
    assert any("pictures through" in one.value for one in at.markdown)


def test_a_server_for_strangers_opens_no_folder(folder, monkeypatch):
    monkeypatch.setenv("VIZVIT_PATHS", "off")
    at = page_of(folder)
    assert not at.exception
    assert "does not open its own files" in at.info[-1].value
    assert not any("study_folder" in str(one.key) for one in at.text_input)
    assert any("**1,000** pictures" in one.value for one in at.markdown), "the one that comes along is no secret"


def test_a_study_in_which_nothing_could_be_read(tmp_path, summary):
    nothing = {"measured": 0, "broken": 11, "heads": {}, "methods": {}, "accuracy": None, "objects": 0}
    at = page_of(written(tmp_path, summary | nothing))
    assert not at.exception
    assert at.warning[0].value == words("studies")["nothing"]
    assert any("torn.png" in one.markdown[0].value.replace("\\", "") for one in at.expander if one.markdown)


@pytest.mark.parametrize("text", ["{}", "[]", '{"heads": {}}'])
def test_a_file_that_is_no_summary(tmp_path, text):
    at = page_of(written(tmp_path, text))
    assert not at.exception
    assert "is not that of a study" in at.error[0].value


def test_studies_nearby_are_offered(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    at = page_of("")
    assert not at.exception
    offered = [button.label for button in at.button if str(button.key).startswith("study_at_")]
    assert offered == ["study: 10 pictures, vizvit\\-tiny"]
    monkeypatch.setenv("VIZVIT_PATHS", "off")
    assert not [button for button in page_of("").button if str(button.key).startswith("study_at_")]
