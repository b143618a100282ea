"""Studies: what is measured equals the library's own numbers, however it was run; nothing is lost, nothing grows."""

from __future__ import annotations

import gc
import io
import json
import os
import pickle
import re
import shlex
import shutil
import socket
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as arrow
import pytest
import skimage.data
import timm
import torch
from PIL import Image
from pyarrow import parquet
from timm.data import ImageNetInfo
from tqdm import tqdm

import vizvit
from vizvit import cli, study
from vizvit.analysis import pointing
from vizvit.errors import CaptureError, ModelError
from vizvit.explanations import explain
from vizvit.faithful import faithfulness
from vizvit.forward.batch import capture_views
from vizvit.model.loading import shipped_dir
from vizvit.pictures.collection import PictureSet
from vizvit.pictures.parquet import CHANGED
from vizvit.study import cluster, local, measures, merge, prepare, rows, table
from vizvit.study.labels import FolderClasses
from vizvit.study.moments import Moments
from vizvit.study.plan import Plan
from vizvit.study.shards import Shards

SCENES = ("astronaut", "chelsea", "coffee", "rocket")
BOX = [10, 8, 40, 45]  # of the 64 px pictures below
SETTINGS = study.Settings(methods=("attention_gradient", "random"), faithfulness=True, steps=4)


@pytest.fixture(scope="module")
def tiny(vit) -> vizvit.VitModel:
    """A ViT of 16 patches, six layers and two heads."""
    return vit("test_vit", image_size=64)


@pytest.fixture(scope="module")
def named() -> vizvit.VitModel:
    """A model whose classes have names."""
    return vizvit.load_model("vizvit-tiny", device="cpu")


@pytest.fixture(scope="module")
def scenes() -> list[np.ndarray]:
    """uint8 [64, 64, 3]: the four scenes, and each of them mirrored."""
    pictures = [Image.fromarray(getattr(skimage.data, name)()).resize((64, 64)) for name in SCENES]
    views = [np.asarray(picture) for picture in pictures]
    return views + [np.ascontiguousarray(view[:, ::-1]) for view in views]


@pytest.fixture(scope="module")
def data(tmp_path_factory, scenes) -> Path:
    """Eight labelled pictures, six of them with a box; the fourth row is broken."""
    encoded = []
    for view in scenes:
        buffer = io.BytesIO()
        Image.fromarray(view).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    encoded[3] = b"\x89PNG cut off"
    columns = {
        "image": encoded,
        "label": arrow.array(range(8), arrow.int16()),
        "box": arrow.array([BOX] * 5 + [[0, 0, 63, 63], None, BOX], arrow.list_(arrow.int16())),
    }
    path = tmp_path_factory.mktemp("data") / "set.parquet"
    parquet.write_table(arrow.table(columns), path, row_group_size=3)
    return path


@pytest.fixture(scope="module")
def done(tiny, data, tmp_path_factory) -> Path:
    """A finished study of it."""
    out = tmp_path_factory.mktemp("study")
    study.run(tiny, [data], out, SETTINGS, batch=3, shard=3)
    return out


@pytest.fixture
def sketch(monkeypatch):
    """No figures are drawn, where a test is about something else."""
    monkeypatch.setattr("vizvit.study.study.figures", lambda summary: {})


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text("utf-8"))


def found_in(folder: Path) -> dict:
    """The summary without when and how it was made."""
    return {key: value for key, value in summary_of(folder).items() if key != "source"}


def same(one, other, path="") -> None:
    """Equal but for the rounding of float32 sums."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            same(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list) and one and isinstance(one[0], (list, int, float)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=path)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6), path
    else:
        assert one == other, path


# --- captures of a batch


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("test_vit", {}),
        ("test_vit3", {}),  # no class token, a register, a pooling head
        ("test_vit_relpos", {}),
        ("beit_base_patch16_224", {"depth": 1, "heads": 3}),
        ("eva02_tiny_patch14_336", {"depth": 2}),
        ("vit_base_patch16_siglip_224", {"depth": 1, "heads": 3, "num_classes": 5}),
    ],
)
def test_captures_of_a_batch_are_single_captures(vit, pictures, name, options):
    model = vit(name, **options)
    views = [model.view(picture) for picture in pictures[:2]]
    for gradients in (False, True):
        caps = capture_views(model, views, gradients=gradients)
        for cap, view in zip(caps, views, strict=True):
            alone = vizvit.capture_view(model, view, int(cap.logits.argmax()) if gradients else None)
            np.testing.assert_allclose(cap.logits, alone.logits, rtol=1e-4, atol=1e-5)
            assert (cap.target, cap.has_gradients, cap.nbytes) == (alone.target, alone.has_gradients, alone.nbytes)
            np.testing.assert_allclose(cap.attention(-1), alone.attention(-1), rtol=1e-3, atol=1e-6)
            if gradients:
                expected = vizvit.relevance(alone)
                np.testing.assert_allclose(vizvit.relevance(cap), expected, rtol=1e-3, atol=1e-4 * expected.max())
            if alone.has_pooling_head:
                np.testing.assert_allclose(cap.pool_attention(), alone.pool_attention(), rtol=1e-3, atol=1e-6)


# --- reading


@pytest.fixture
def album(tmp_path, scenes) -> Path:
    folder = tmp_path / "album"
    for index, name in enumerate(["goldfish/b.png", "goldfish/a.png", "none of them/c.png", "top.png", ".hidden.png"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scenes[index]).save(path)
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_is_walked_in_order(album):
    found = PictureSet.of([album])
    assert [place.name for place in found.places()] == [
        "top.png",
        "goldfish/a.png",
        "goldfish/b.png",
        "none of them/c.png",
    ]
    assert found.count() == 4
    labels = [item.label for item in found.read(found.places())]
    assert labels == [None, "goldfish", "goldfish", "none of them"]


def test_subfolders_are_classes_by_name(sketch, album, named, tmp_path):
    summary = study.run(named, [album], tmp_path / "out")
    assert summary["accuracy"]["count"] == 2
    assert summary["measured"] == 4
    rows = parquet.read_table(tmp_path / "out" / "pictures.parquet").to_pylist()
    assert [row["label"] for row in rows] == [None, 0, 0, None]


def test_folders_that_name_a_class(named):
    class_of = FolderClasses(named)
    tabby, cat, retriever = (named.class_index(name) for name in ("tabby", "Egyptian cat", "golden retriever"))
    for folder, index in [
        ("Egyptian cat", cat),
        ("egyptian_cat", cat),
        ("golden-retriever", retriever),
        ("n02123045", tabby),
        ("57", 57),
        ("train/tabby", tabby),
        ("tabby/2019/7", tabby),
        ("train/7", 7),
        ("200", None),
        ("n00000000", None),
        ("nonsense", None),
    ]:
        assert class_of(folder) == index, folder
    imagenet = SimpleNamespace(labels=tuple(ImageNetInfo("imagenet-1k").label_descriptions()))
    assert imagenet.labels[517] == "crane"
    assert [FolderClasses(imagenet)(name) for name in ("n02012849", "n03126707", "crane")] == [134, 517, 134]


def test_folders_where_classes_have_no_names(named):
    unnamed = vizvit.VitModel.wrap(named.module, name="unnamed")
    names = tuple(f"kind {number:03}" for number in range(200))
    assert FolderClasses(unnamed, names)("kind 007/more") == 7
    assert FolderClasses(unnamed, ("a", "b"))("b") is None
    assert FolderClasses(unnamed, tuple(sorted(map(str, range(200)))))("7") == 7


def test_what_is_not_used_is_said_before_it_begins(sketch, album, data, tiny, tmp_path):
    def said(source: Path, **options) -> list[str]:
        told = []
        settings = study.Settings(**options)
        study.run(tiny, [source], tmp_path / str(len(options)), settings, limit=1, resume=False, notice=told.append)
        return told

    labels = "labels: 1 of 2 subfolders are classes; not: none of them."
    assert said(album) == [labels]
    assert said(data) == said(data, methods=("centre",)) == []
    assert said(album, methods=("centre",), faithfulness=True, steps=2) == [labels]
    told = said(album, methods=("centre", "random"))
    assert told[0] == labels
    assert "nothing will be measured of centre, random" in told[1]


def test_rows_are_read_forwards_over_row_groups(data, scenes):
    found = PictureSet.of([data])
    names = [place.name for place in found.places()]
    assert names == [f"set.parquet row {row}" for row in range(8)]
    assert [place.row for place in found.places(3)] == [0, 2, 5]
    assert [place.row for place in found.places(99)] == list(range(8))
    items = list(found.read(place for place in found.places() if place.row in (1, 2, 4, 7)))
    assert [item.label for item in items] == [1, 2, 4, 7]
    for item in items:
        np.testing.assert_array_equal(np.asarray(vizvit.load_image(item.encoded)), scenes[item.label])
        assert item.boxes == [BOX]


def test_other_layouts_of_parquet(tmp_path):
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "y.png").write_bytes(picture.getvalue())
    rows = [{"bytes": picture.getvalue(), "path": "x.png"}, {"bytes": None, "path": "beside/y.png"}, None]
    columns = {"image": rows, "boxes": [[[0, 0, 1, 1], [2, 2, 3, 3]], None, []]}
    parquet.write_table(arrow.table(columns), tmp_path / "hub.parquet")
    found = PictureSet.of([tmp_path])
    first, second, third = found.read(found.places())
    assert first.encoded == picture.getvalue()
    assert (first.label, first.boxes) == (None, [[0, 0, 1, 1], [2, 2, 3, 3]])
    assert vizvit.load_image(second.encoded).size == (8, 8)
    assert (third.encoded, third.boxes) == (b"", None)


def test_what_is_no_set_of_pictures(tmp_path, scenes):
    parquet.write_table(arrow.table({"picture": [1]}), tmp_path / "odd.parquet")
    parquet.write_table(arrow.table({"image": [b""], "label": ["cat"]}), tmp_path / "text.parquet")
    parquet.write_table(arrow.table({"image": ["cat.jpg"]}), tmp_path / "strings.parquet")
    parquet.write_table(arrow.table({"image": arrow.array([], arrow.binary())}), tmp_path / "none.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "list.csv").write_text("cat.jpg,1")
    Image.fromarray(scenes[0]).save(tmp_path / "one.jpg")
    (tmp_path / "empty").mkdir()
    (tmp_path / "self").symlink_to("self")
    for name, words in [
        ("odd.parquet", "no column image"),
        ("text.parquet", "labels of type string"),
        ("strings.parquet", "column image of type string; expected were encoded pictures"),
        ("none.parquet", "no picture in none.parquet: no file has a row"),
        ("torn.parquet", "cannot be read as Parquet"),
        ("list.csv", "is no Parquet file"),
        ("one.jpg", "is one picture"),
        ("empty", "no picture"),
        ("nowhere", "no folder or Parquet file"),
        ("self", "no folder or"),
    ]:
        with pytest.raises(ModelError, match=words):
            PictureSet.of([tmp_path / name])


def test_results_are_not_among_the_pictures(sketch, tiny, album, data, tmp_path):
    out = album / "results"
    for _ in range(2):
        assert study.run(tiny, [album], out)["pictures"] == 4
        (out / "figures").mkdir(exist_ok=True)
        shutil.copy(album / "top.png", out / "figures" / "mine.png")
    (album / "vizvit-out").mkdir()
    shutil.copy(album / "top.png", album / "vizvit-out" / "cat-heads.png")
    assert PictureSet.of([album], out).count() == 4
    with pytest.raises(ModelError, match="among the pictures"):
        study.run(tiny, [album], f"{album}/goldfish/..")
    shutil.copy(data, tmp_path / "pictures.parquet")
    with pytest.raises(ModelError, match="written over"):
        study.run(tiny, [tmp_path / "pictures.parquet"], tmp_path)
    assert (tmp_path / "pictures.parquet").read_bytes() == data.read_bytes()


def test_links_are_followed_once_and_out_of_the_folder_only(album, tmp_path):
    outside = tmp_path / "elsewhere"
    (outside / "deep").mkdir(parents=True)
    shutil.copy(album / "top.png", outside / "deep" / "far.png")
    (outside / "deep" / "round").symlink_to(outside)
    for link, target in {
        "gone.jpg": "nowhere.jpg",
        "goldfish/up": "..",
        "goldfish/itself": "itself",
        "goldfish/itself.png": "itself.png",
        "z beside": "goldfish",
        "z outside": outside,
        "z twice": outside / "deep",
        "z above": tmp_path,
        "z linked.png": "top.png",
    }.items():
        (album / link).symlink_to(target)
    found = PictureSet.of([album])
    assert [place.name for place in found.places()] == [
        "gone.jpg",
        "top.png",
        "z linked.png",
        "goldfish/a.png",
        "goldfish/b.png",
        "goldfish/itself.png",
        "none of them/c.png",
        "z outside/deep/far.png",
    ]
    gone = next(found.read(found.places()))
    assert "no file" in prepare.prepare(SimpleNamespace(), gone).error


def test_reading_holds_little_of_a_large_row_group(tmp_path):
    pictures = [os.urandom(20_000) for _ in range(1000)]
    pages = {"row_group_size": 1000, "write_batch_size": 16, "use_dictionary": False}  # pages of about 1 MB
    parquet.write_table(arrow.table({"image": pictures}), tmp_path / "large.parquet", **pages)
    del pictures
    found, before, most = PictureSet.of([tmp_path / "large.parquet"]), arrow.total_allocated_bytes(), 0
    tracemalloc.start()
    try:
        for _ in found.read(found.places()):
            most = max(most, arrow.total_allocated_bytes() - before)
        assert tracemalloc.get_traced_memory()[1] < 3e6
    finally:
        tracemalloc.stop()
    assert most < 8e6  # of 20 MB


# --- what is measured


def test_moments_are_those_of_all_numbers():
    values = np.random.default_rng(0).normal(1e4, 1, (1000, 2, 3))
    moments = Moments((2, 3))
    for part in np.split(values, [1, 1, 7, 500]):
        moments.add(part)
    np.testing.assert_allclose(moments.mean, values.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.spread, values.std(0, ddof=1), rtol=1e-9)
    assert moments.count == 1000
    assert np.isnan(Moments().mean)


def test_boxes_take_the_pictures_way(tiny):
    boxes = np.array([[100, 0, 149, 49]])
    inside = pointing.box_mask(tiny, (200, 100), boxes)  # the view is the middle 100 x 100, at 64 x 64
    assert inside.shape == (64, 64)
    rows, cols = np.nonzero(inside)
    assert abs(rows.max() - 31) <= 1
    assert abs(cols.min() - 32) <= 1
    assert cols.max() >= 62
    assert pointing.box_mask(tiny, (200, 100), np.array([[0, 0, 199, 60]])) is None  # more than half
    assert pointing.box_mask(tiny, (200, 100), np.array([[0, 0, 10, 10]])) is None  # cropped away


def test_boxes_that_cannot_be_used():
    good = [[-5, -5, 0, 0], [9.5, 1, 9.5, 1]]
    bad = {
        "four numbers": [[0, 0, 5], [0, 0, float("nan"), 5], [0, None, 5, 5], [0, 0, float("inf"), 5], None, "box"],
        "before its beginning": [[5, 0, 4, 5], [0, 5, 5, 4]],
        "outside the picture of 10 × 20": [[10, 0, 12, 5], [0, 20, 5, 25], [-4, 0, -1, 5]],
    }
    assert prepare.usable_boxes(good, (10, 20))[0].tolist() == good
    for words, boxes in bad.items():
        left, reasons = prepare.usable_boxes([good[0], *boxes], (10, 20))
        assert left.tolist() == [good[0]]
        assert len(reasons) == len(boxes)
        assert all(words in reason for reason in reasons)


def test_unusable_boxes_are_counted_and_named(sketch, tmp_path, scenes, capsys, recwarn):
    buffer = io.BytesIO()
    Image.fromarray(scenes[0]).save(buffer, "PNG")

    def studied(boxes: list, name: str) -> tuple[dict, str]:
        boxes = arrow.array(boxes, arrow.list_(arrow.float32()))
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(arrow.table({"image": [buffer.getvalue()] * len(boxes), "box": boxes}), path)
        words = ["study", str(path), "--out", str(tmp_path / name), "--device", "cpu", "--methods", "centre"]
        assert cli.main(words) == 0
        return summary_of(tmp_path / name), capsys.readouterr().err

    summary, err = studied([BOX, [1, 2, 3], None, [float("nan")] * 4, [40, 40, 10, 10]], "some")
    first = {"name": "some.parquet row 1", "error": "[1.0, 2.0, 3.0]: not four numbers"}
    assert summary["boxes"] == {"count": 4, "bad": 3, "first_bad": first}
    assert (summary["objects"], summary["measured"]) == (1, 5)
    assert summary["methods"]["centre"]["pointing"]["count"] == 1
    assert "3 of 4 boxes cannot be used and are left out; some.parquet row 1: [1.0, 2.0, 3.0]" in err
    rows = parquet.read_table(tmp_path / "some" / "pictures.parquet").to_pylist()
    assert [(row["boxes"], row["bad_boxes"]) for row in rows] == [(1, 0), (1, 1), (None, None), (1, 1), (1, 1)]
    _, err = studied([[80, 80, 90, 90]], "none")
    assert "none of the 1 boxes can be used; none.parquet row 0" in err
    assert not [warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)]


def test_pointing_and_ties(tiny):
    inside = np.zeros((64, 64), bool)
    inside[:32, :32] = True
    rows, cols = tiny.grid.rows, tiny.grid.cols
    heat = np.zeros((rows, cols))
    assert pointing.points_inside(heat, inside, tiny.grid) == 0.25
    heat[rows // 2 - 1, cols // 2 - 1] = 1
    assert pointing.points_inside(heat, inside, tiny.grid) == 1
    heat[rows // 2 - 1, cols // 2] = 2
    assert pointing.points_inside(heat, inside, tiny.grid) == 0


@pytest.mark.parametrize("name", ["test_vit", "test_vit_relpos"])
def test_agreement_is_attention_in_the_box_over_its_area(vit, picture, name):
    cap = vizvit.capture(vit(name), picture)
    grid = cap.grid
    inside = np.zeros(grid.image_size, bool)
    inside[: grid.patch_size, : grid.patch_size * 3 // 2] = True
    found = measures.agreement(cap, inside)
    prefix = grid.num_prefix_tokens
    for layer in range(cap.num_layers):
        attention = cap.attention(layer)
        row = attention[:, 0, prefix:] if prefix else attention.mean(1)
        share = (row[:, 0] + 0.5 * row[:, 1]) / row.sum(1)
        np.testing.assert_allclose(found[layer], share / (1.5 / (grid.rows * grid.cols)), rtol=1e-4)


def test_rows_are_the_librarys_numbers(tiny, scenes, done):
    rows = parquet.read_table(done / "pictures.parquet").to_pylist()
    assert [row["name"] for row in rows] == [f"set.parquet row {index}" for index in range(8)]
    assert [bool(row["error"]) for row in rows] == [index == 3 for index in range(8)]
    assert [row["object"] is not None for row in rows] == [index in (0, 1, 2, 4, 7) for index in range(8)]
    for index in (0, 4):
        row, view = rows[index], tiny.view(Image.fromarray(scenes[index]))
        cap = vizvit.capture_view(tiny, view)
        assert row["predicted"] == cap.logits.argmax()
        assert row["probability"] == pytest.approx(cap.probabilities.max(), rel=1e-4)
        assert row["rank"] == 1 + (cap.logits > cap.logits[index]).sum()
        for measure, function in [
            ("distance", vizvit.attention_distance),
            ("entropy", vizvit.attention_entropy),
            ("prefix_share", vizvit.prefix_share),
        ]:
            np.testing.assert_allclose(row[measure], function(cap).ravel(), rtol=1e-3)
        drawn = (vizvit.attention_received(cap) * vizvit.attention_sinks(cap)).sum(-1)
        np.testing.assert_allclose(row["sink_share"], drawn.ravel(), rtol=1e-3, atol=1e-6)
        artefacts = [vizvit.artefact_tokens(cap, layer).share for layer in range(cap.num_layers)]
        np.testing.assert_allclose(row["artefact_share"], artefacts, atol=1e-6)
        heat = explain(tiny, view, "attention_gradient")
        curves = faithfulness(tiny, view, heat, steps=4)
        assert row["deletion_attention_gradient"] == pytest.approx(curves.deletion_area, rel=1e-3)
        assert row["insertion_attention_gradient"] == pytest.approx(curves.insertion_area, rel=1e-3)
        inside = pointing.box_mask(tiny, (64, 64), np.array([BOX]))
        assert row["pointing_attention_gradient"] == pointing.points_inside(heat, inside, tiny.grid)


def test_results_are_means_and_spreads_of_the_rows(done, tiny):
    rows = [row for row in parquet.read_table(done / "pictures.parquet").to_pylist() if not row["error"]]
    summary, heads = summary_of(done), parquet.read_table(done / "heads.parquet").to_pylist()
    assert (summary["pictures"], summary["measured"], summary["broken"], summary["objects"]) == (8, 7, 1, 5)
    assert summary["broken_named"][0]["name"] == "set.parquet row 3"
    ranks = np.array([row["rank"] for row in rows])
    assert summary["accuracy"] == {"top1": (ranks <= 1).mean(), "top5": (ranks <= 5).mean(), "count": 7}
    for measure in study.MEASURES:
        values = np.array([row[measure] for row in rows if row[measure] is not None])
        assert [head[f"{measure}_count"] for head in heads] == [len(values)] * len(heads)
        np.testing.assert_allclose([head[f"{measure}_mean"] for head in heads], values.mean(0), rtol=1e-6)
        np.testing.assert_allclose(
            [head[f"{measure}_spread"] for head in heads], values.std(0, ddof=1), rtol=1e-5, atol=1e-9
        )
    assert [(head["layer"], head["head"]) for head in heads[:3]] == [(0, 0), (0, 1), (1, 0)]
    areas = np.array([row["deletion_random"] for row in rows])
    found = summary["methods"]["random"]["deletion"]
    assert found["mean"] == pytest.approx(areas.mean())
    assert found["error"] == pytest.approx(areas.std(ddof=1) / np.sqrt(7))
    schema = parquet.read_schema(done / "pictures.parquet")
    assert schema.field("distance").type == arrow.list_(arrow.float32(), tiny.num_layers * tiny.num_heads)
    assert json.loads(schema.metadata[b"vizvit"])["model"] == "test_vit"


def test_the_summary_says_of_which_pictures_and_model(sketch, tiny, data, done, tmp_path, capsys):
    source = summary_of(done)["source"]
    assert (source["data"], source["limit"], source["command"]) == (str(data), None, None)
    made = datetime.fromisoformat(source["made"]).date()
    assert abs(made - datetime.now(UTC).date()) <= timedelta(days=1)
    asked = {"model": "test_vit", "weights": "random", "arch": None, "height": 64, "width": 64}
    assert summary_of(done)["opened"] == asked
    words = ["study", str(data), "--out", str(tmp_path / "a b"), "--weights", "random", "--image-size", "32x64"]
    assert cli.main([*words, "--device", "cpu", "--limit", "3"]) == 0
    summary = summary_of(tmp_path / "a b")
    assert summary["source"]["limit"] == 3
    assert shlex.split(summary["source"]["command"])[:7] == ["python", "-m", "vizvit", *words[:4]]
    assert summary["opened"] == asked | {"model": "vizvit-tiny", "height": 32}
    elsewhere = vizvit.VitModel.wrap(tiny.module, name="mine", labels=tiny.labels)
    assert study.run(elsewhere, [data], tmp_path / "mine", limit=2)["opened"] is None


# --- the same, however it is run


def test_processes_that_decode_ahead_change_nothing(sketch, tiny, data, done, tmp_path):
    study.run(tiny, [data], tmp_path, SETTINGS, batch=2, shard=3, workers=2)
    same(found_in(tmp_path), found_in(done))


def test_an_interrupted_study_goes_on(sketch, tiny, data, done, tmp_path):
    def interrupt(done: int, total: int) -> None:
        if done > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(tiny, [data], tmp_path, SETTINGS, batch=3, shard=3, progress=interrupt)
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == ["000000.parquet", "000001.parquet"]
    (tmp_path / "shards" / "000001.parquet").write_bytes((done / "shards" / "000001.parquet").read_bytes()[:-900])
    told = []
    study.run(tiny, [data], tmp_path, SETTINGS, batch=3, shard=3, resume=True, progress=lambda *at: told.append(at))
    assert told == [(3, 8), (6, 8), (8, 8)]
    same(found_in(tmp_path), found_in(done))


def test_only_what_would_come_out_the_same_is_kept(sketch, tiny, data, tmp_path):
    out = tmp_path / "out"

    def kept(vit=tiny, settings=None, **options) -> int:
        told = []
        study.run(vit, [data], out, settings, shard=3, progress=lambda *at: told.append(at[0]), **options)
        return told[0]

    def refused(words: str, *args, **options) -> None:
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        with pytest.raises(ModelError, match=rf"holds a study of other {words}; choose another --out, or --no-resume"):
            kept(*args, **options)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before

    centre = study.Settings(methods=("centre",))
    assert kept() == 0
    assert kept() == 8
    assert kept(settings=study.Settings(steps=5, fill="mean")) == 8  # neither changes what is measured
    assert kept(resume=False) == 0
    refused("settings", settings=centre)
    refused("settings", settings=centre, resume=True)
    refused("pictures", limit=2)
    assert kept(settings=centre, resume=False) == 0
    assert kept(settings=centre, limit=6) == 3  # the first shard
    other = vizvit.load_model("test_vit", weights="random", device="cpu", image_size=64)  # not made to attend unevenly
    refused("weights", other, centre)
    refused("weights and settings", other)
    assert kept(other, resume=False) == 0
    os.utime(data)
    refused("pictures", other)
    with pytest.raises(ModelError, match="no study"):
        study.run(tiny, [data], tmp_path / "new", resume=True)


def test_another_preprocessing_is_another_study(sketch, data, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(shipped_dir(), model)
    config = json.loads((model / "config.json").read_text("utf-8"))
    cropped = config | {"pretrained_cfg": config["pretrained_cfg"] | {"crop_pct": 0.8}}
    study.run(vizvit.load_model(model, device="cpu"), [data], tmp_path / "out", limit=2)
    (model / "config.json").write_text(json.dumps(cropped), "utf-8")
    with pytest.raises(ModelError, match="of other preprocessing;"):
        study.run(vizvit.load_model(model, device="cpu"), [data], tmp_path / "out", limit=2)


def test_nothing_of_an_earlier_study_stays(tiny, data, tmp_path, monkeypatch):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mine.png").write_bytes(b"")
    study.run(tiny, [data], tmp_path, study.Settings(methods=("centre",)), limit=3, shard=1)
    assert (tmp_path / "methods.md").exists()
    assert (tmp_path / "figures" / "agreement.png").exists()
    with monkeypatch.context() as undrawn:
        undrawn.setattr("vizvit.study.study.figures", lambda summary: {})
        study.run(tiny, [data], tmp_path, shard=4, resume=False)
    assert not (tmp_path / "methods.md").exists()
    folder = data.parent / "album"
    folder.mkdir()
    for name in "abc":
        Image.new("RGB", (64, 64), "tan").save(folder / f"{name}.png")
    with monkeypatch.context() as undrawn:
        undrawn.setattr("vizvit.study.study.figures", lambda summary: {})
        study.run(tiny, [folder], tmp_path, shard=1, resume=False)
    (folder / "c.png").unlink()
    summary = study.run(tiny, [folder], tmp_path, shard=1)
    assert len(list((tmp_path / "shards").iterdir())) == 2
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert drawn == summary["heads"].keys() | {"mine"}
    assert "agreement" not in drawn


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("change", ["added", "removed", "rewritten"])
def test_pictures_that_change_meanwhile(sketch, tiny, scenes, tmp_path, change, workers):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(scenes[number]).save(folder / f"{number}.png")
    early = (folder / "0.png").stat().st_mtime - 60
    os.utime(folder / "0.png", (early, early))

    def alter(done: int, total: int) -> None:
        if done != 2:
            return
        if change == "added":
            Image.fromarray(scenes[7]).save(folder / "a.png")
        elif change == "removed":
            (folder / "5.png").unlink(missing_ok=True)
        else:
            (folder / "0.png").touch()

    with pytest.raises(ModelError, match=f"^{CHANGED}$"):
        study.run(tiny, [folder], out, shard=2, batch=1, workers=workers, progress=alter)
    assert not (out / "summary.json").exists()
    assert not list(out.glob("*.part"))
    total = {"added": 7, "removed": 5, "rewritten": 6}[change]
    study.run(tiny, [folder], out, shard=2, batch=1)
    study.run(tiny, [folder], tmp_path / "again", shard=2, batch=1)
    assert found_in(out) == found_in(tmp_path / "again")
    assert summary_of(out)["pictures"] == total


def test_a_shard_is_of_one_state_of_its_pictures(tiny, tmp_path, monkeypatch):
    """Processes that decode ahead walk through the pictures each for itself, and need not find the same."""
    broken = [prepare.Prepared("a.png", None, error="no picture")]
    for found in (
        [prepare.Batch(0, "early", False, broken), prepare.Batch(0, "late", True, broken)],
        [prepare.Batch(0, "early", False, broken), prepare.Batch(1, "early", True, broken)],
        [prepare.Batch(0, "early", False, broken)],
    ):
        monkeypatch.setattr(local, "loader", lambda batches, workers, found=found: found)
        plan, shards = Plan(PictureSet(None), {}), Shards(tmp_path)
        with pytest.raises(ModelError, match="changed during"):
            local.run_here(
                rows.Measurer(tiny, study.Settings()), plan, frozenset(), shards, batch=1, workers=0, progress=print
            )
        assert not shards.any()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_is_cut_off_meanwhile(tiny, data, tmp_path, workers):
    path = tmp_path / "set.parquet"
    shutil.copy(data, path)

    def cut(done: int, total: int) -> None:
        if not done:
            parquet.write_table(parquet.read_table(path).slice(0, 5), path)

    with pytest.raises(ModelError, match=f"^{CHANGED}$"):
        study.run(tiny, [path], tmp_path / "out", shard=2, batch=1, workers=workers, progress=cut)


def test_a_file_that_changes_meanwhile(data, tmp_path):
    path = tmp_path / "set.parquet"
    shutil.copy(data, path)
    found = PictureSet.of([path])
    places = list(found.places())
    parquet.write_table(parquet.read_table(path).slice(0, 5), path)
    for some in (found.read(places), found.read(places[6:])):
        with pytest.raises(ModelError, match="changed during"):
            list(some)
    path.unlink()
    for walk in (lambda: list(found.read(places)), lambda: list(found.places(2))):
        with pytest.raises(ModelError, match="changed during"):
            walk()


def test_memory_does_not_grow_with_the_pictures(sketch, named, tmp_path, monkeypatch):
    """What is held at the end of each shard and each time a shard is read again, in NumPy, Arrow and Python."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    held: list[int] = []

    def weigh(*_) -> None:
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0] + arrow.total_allocated_bytes())

    def measured(self, pictures: list) -> list[dict]:
        numbers = np.zeros(named.num_layers * named.num_heads, np.float32)
        return [{"name": picture.name} | dict.fromkeys(study.MEASURES, numbers) for picture in pictures]

    add = merge._Sums.add
    monkeypatch.setattr(rows.Measurer, "_measured", measured)
    monkeypatch.setattr(merge, "GROUP", 64)
    monkeypatch.setattr(merge._Sums, "add", lambda self, table: (weigh(), add(self, table)))

    def most(pictures: int) -> int:
        path = tmp_path / f"{pictures}.parquet"
        parquet.write_table(arrow.table({"image": [buffer.getvalue()] * pictures}), path, row_group_size=64)
        held.clear()
        study.run(named, [path], tmp_path / str(pictures), shard=8, batch=8, progress=weigh)
        assert len(held) == 1 + 2 * pictures / 8
        return max(held)

    most(16)
    gc.freeze()  # what is there already need not be looked through each time
    tracemalloc.start()
    try:
        most(128)  # the first run fills what Python and the libraries keep for good
        few, many = most(64), most(640)
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    assert parquet.read_metadata(tmp_path / "640" / "pictures.parquet").num_row_groups == 640 // 64
    row = len(study.MEASURES) * named.num_layers * named.num_heads * 4
    assert many - few < 640 * row / 5


def test_ray_gives_the_same(sketch, tiny, data, tmp_path, capfd, caplog, monkeypatch):
    monkeypatch.setenv("RAY_worker_niceness", "0")  # beside other tests, Ray's processes would wait for minutes
    ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "ray[data]"')
    from ray.data import DataContext

    threads, waited = torch.get_num_threads(), DataContext.get_current().wait_for_min_actors_s
    torch.set_num_threads(1)  # as in Ray's processes
    DataContext.get_current().wait_for_min_actors_s = 300  # so that the work is shared
    caplog.set_level("INFO", "vizvit.study.cluster")
    try:
        study.run(tiny, [data], tmp_path / "here", SETTINGS, shard=1)
        study.run(tiny, [data], tmp_path / "ray", SETTINGS, shard=1, workers=2, ray="local")
    finally:
        torch.set_num_threads(threads)
        DataContext.get_current().wait_for_min_actors_s = waited
        running = ray.is_initialized()
        ray.shutdown()
    assert not running
    for name in ("pictures.parquet", "heads.parquet"):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    assert found_in(tmp_path / "ray") == found_in(tmp_path / "here")
    shards = [record for record in caplog.records if record.name == "vizvit.study.cluster"]
    assert sorted(record.args[0] for record in shards) == list(range(8))
    assert len({record.args[2] for record in shards}) == 2
    assert capfd.readouterr().err == ""


def of_five_classes() -> vizvit.VitModel:
    module = timm.models.VisionTransformer(32, 8, num_classes=5, embed_dim=24, depth=1, num_heads=2)
    return vizvit.VitModel.wrap(module, name="few")


def test_what_a_worker_of_ray_cannot_do_is_a_sentence(tiny, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda kept: kept))
    few = of_five_classes()
    worker, pictures = cluster._Worker(), PictureSet.of([data])
    row = {"number": 0, "shard": pickle.dumps((tuple(pictures.places()), "digest"))}
    assert "label 5" in worker(row, [(few, study.Settings(), pictures, {}, 3)])["error"]


def test_where_no_ray_answers_there_is_a_sentence_at_once():
    with socket.socket() as taken, socket.socket() as free:
        for found in (taken, free):
            found.bind(("127.0.0.1", 0))
        taken.listen()
        port, closed = taken.getsockname()[1], free.getsockname()[1]
        for address in ("auto", "local", f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
            cluster._knock(address)
        for address, reason in [
            (f"127.0.0.1:{closed}", "refused"),
            (f"ray://127.0.0.1:{closed}", "refused"),
            ("127.0.0.1", "HOST:PORT"),
            ("127.0.0.1:port", "HOST:PORT"),
            ("127.0.0.1:99999", "HOST:PORT"),
            ("nobody.invalid:1", "no Ray at"),
        ]:
            with pytest.raises(ModelError, match=reason):
                cluster._knock(address)


def test_an_address_is_asked_before_ray_is(tiny, data, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "ray[data]"')
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray was asked"))
    with pytest.raises(ModelError, match="There is no Ray at"):
        study.run(tiny, [data], tmp_path, ray="127.0.0.1:1")


def test_without_ray_there_is_a_sentence(tiny, data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match=r'pip install "ray\[data\]"'):
        study.run(tiny, [data], tmp_path, ray="local")


# --- what cannot be studied


def test_settings_that_cannot_be(tiny, data, tmp_path):
    most = tiny.grid.num_patches
    for settings, words in [
        (study.Settings(methods=("tea leaves",)), "no method"),
        (study.Settings(faithfulness=True), "at least one"),
        (study.Settings(methods=("random",), faithfulness=True, steps=most + 1), f"{most} steps"),
    ]:
        with pytest.raises((ModelError, CaptureError), match=words):
            study.run(tiny, [data], tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()
    few = of_five_classes()
    with pytest.raises(ModelError, match="label 5"):
        study.run(few, [data], tmp_path / "out")


def test_a_model_without_classes(sketch, pictures, tmp_path):
    featureless = vizvit.load_model("test_vit", weights="random", device="cpu")
    object.__setattr__(featureless, "labels", ())
    (tmp_path / "in").mkdir()
    pictures[0].save(tmp_path / "in" / "a.png")
    summary = study.run(featureless, [tmp_path / "in"], tmp_path / "out", study.Settings(methods=("rollout",)))
    assert summary["accuracy"] is None
    assert summary["heads"]["distance"]["count"] == 1
    with pytest.raises(ModelError, match="no classifier"):
        study.run(featureless, [tmp_path / "in"], tmp_path / "out", study.Settings(methods=("relevance",)))


def test_nothing_but_broken_pictures(tiny, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"no picture")
    with pytest.raises(ModelError, match=r"None of 1 pictures can be measured; a\.png"):
        study.run(tiny, [tmp_path / "in"], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["shards"]


# --- what is made of it


def test_the_report_fetches_nothing(tiny, tmp_path, scenes):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(scenes[0]).save(folder / "a.png")
    (folder / "<img src=x onerror=alert(1)>.png").write_bytes(b"broken")
    study.run(tiny, [folder], tmp_path / "out", app="https://example.org/app/")
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    links = [source for source in sources if not source.startswith("data:")]
    summary = summary_of(tmp_path / "out")
    assert len(links) == summary["layers"] * summary["heads_per_layer"]
    opened = "model=test_vit&amp;weights=random&amp;height=64&amp;width=64"
    assert links[summary["heads_per_layer"] + 1] == "https://example.org/app/?layer=1&amp;head=1&amp;" + opened
    assert not re.search(r"url\(|@import", text)
    figures = sorted(path.name for path in (tmp_path / "out" / "figures").iterdir())
    assert figures == ["distance.png", "entropy.png", "prefix_share.png", "sink_share.png"]


def test_the_table(done):
    lines = table.markdown(summary_of(done)).splitlines()
    assert lines[0] == "| method | deletion ↓ | insertion ↑ | pointing ↑ |"
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| attention_gradient", "| random"]
    assert re.fullmatch(r"\| random \| 0\.\d{3} ± 0\.\d{3} \| 0\.\d{3} ± 0\.\d{3} \| \d+\.\d ± \d+\.\d % \|", lines[3])
    assert (done / "methods.md").read_text("utf-8").startswith("\n".join(lines))
    assert "4 steps, filled by blur" in table.note(summary_of(done))
    assert table.markdown({"methods": {}}) == ""


def test_sweep(tiny, done):
    rows = parquet.read_table(done / "heads.parquet").to_pylist()
    for by in study.MEASURES:
        found = study.sweep(done, by, top=None)
        assert len(found) == len(rows) == tiny.num_layers * tiny.num_heads
        assert [head.mean for head in found] == sorted((row[f"{by}_mean"] for row in rows), reverse=True)
    opened = "model=test_vit&weights=random&height=64&width=64"
    first = study.sweep(done, "distance", top=1)[0]
    last = study.sweep(done, "distance", top=3, lowest=True)
    assert first.link == f"?layer={first.layer}&head={first.head}&" + opened
    assert [head.mean for head in last] == sorted(row["distance_mean"] for row in rows)[:3]
    with pytest.raises(ModelError, match="prefix_share"):
        study.sweep(done, "beauty")
    with pytest.raises(ModelError, match="no finished study"):
        study.sweep(done / "shards")


def test_the_command(sketch, data, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--out", str(out), "--device", "cpu", "--batch", "4"]
    assert (
        cli.main(["study", str(data), *options, "--methods", "centre,random", "--limit", "4", "--sweep", "entropy"])
        == 0
    )
    said, err = capsys.readouterr()
    assert err == "vizvit: 4 of 4 pictures.\n"
    assert "| centre |" in said
    assert "4 pictures ->" in said
    assert said.count("http://localhost:8501/?layer=") == 10
    assert cli.main(["study", "--sweep", "agreement", "--top", "2", "--lowest", "--out", str(out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert cli.main(["study", str(data), *options]) == 2
    assert "of other settings; choose another --out, or --no-resume" in capsys.readouterr().err
    assert cli.main(["study", str(data), *options, "--no-resume"]) == 1
    said, err = capsys.readouterr()
    assert "left out of the means: 1 of 8 pictures" in err
    for words, message in [
        ([*options], "Name a folder"),
        (["--sweep", "distance"], "Name the folder of the study"),
        ([str(data), *options, "--methods", "x"], "no method"),
        (["--sweep", "distance", "--out", str(tmp_path)], "no finished study"),
    ]:
        assert cli.main(["study", *words]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert len(err.splitlines()) == 1


def test_the_command_knows_all_methods_and_measures():
    from vizvit.cli.study import BY

    assert BY == study.MEASURES
    assert torch.is_grad_enabled()


def test_the_command_without_a_folder_for_results(sketch, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["study", str(data), "--limit", "2", "--device", "cpu", "--sweep", "entropy"]) == 0
    assert (tmp_path / "vizvit-out" / "study-set-vizvit-tiny" / "summary.json").exists()
    assert "pictures -> vizvit-out/study-set-vizvit-tiny/report.html" in capsys.readouterr().out
    for given, model, name in [
        (".", "vit_small_patch16_224.dino", f"study-{tmp_path.name}-vit_small_patch16_224.dino"),
        ("a b/val set.parquet", "runs/cifar/model", "study-val-set-model"),
        ("/", "x", "study-x"),
    ]:
        assert cli.study._folder_for(Path(given), model) == Path("vizvit-out", name)


def test_the_command_where_it_was_stopped(sketch, data, tmp_path, monkeypatch, capsys):
    words = ["study", str(data), "--out", str(tmp_path), "--device", "cpu", "--batch", "2"]
    told = cli.study._Progress.__call__

    def stop(self, done: int, total: int) -> None:
        told(self, done, total)
        if done >= 4:
            raise KeyboardInterrupt

    for extra, less in [([], ""), (["--no-resume"], " without --no-resume")]:
        with monkeypatch.context() as patched:
            patched.setattr(cli.study._Progress, "__call__", stop)
            patched.setattr("vizvit.study.plan.SHARD", 2)
            assert cli.main([*words, *extra]) == 130
        err = capsys.readouterr().err
        assert "2 of 8 pictures.\nvizvit: 4 of 8 pictures.\n" in err
        assert f"stays in {tmp_path}: the same command{less} goes on where this one stopped." in err
    assert cli.main(words) == 1
    assert cli.main(words) == 1
    assert "8 of 8 pictures are finished already." in capsys.readouterr().err


def test_the_bar_of_a_study_that_goes_on_begins_where_it_stopped(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(cli.study, "tqdm", partial(tqdm, mininterval=0))  # every step is drawn
    with cli.study._Progress() as progress:
        progress(640, 1000)
        progress(672, 1000)
    drawn = re.findall(r"(\d+)/1000 ", terminal.getvalue())
    assert (drawn[0], drawn[-1]) == ("640", "672")
    assert "672 of 1000 pictures." not in terminal.getvalue()


def test_commands_that_the_docs_name_in_passing():
    pages = [path.read_text("utf-8") for path in (Path(__file__).parent.parent / "docs").glob("*.md")]
    found = re.findall(r"`python -m vizvit (study \S[^`]*)`", "\n".join(pages))
    assert len(found) >= 2
    for line in found:
        assert cli._parser().parse_args(shlex.split(line)).run, line


def test_a_study_loses_no_more_than_sixteen_pictures(sketch, vit, tmp_path, scenes):
    """Of the one shard that forty pictures are, and what is measured afterwards is as if nothing had happened."""
    tiny = vit("test_vit", image_size=64, depth=2)
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(40):
        Image.fromarray(np.roll(scenes[number % 8], number, 1)).save(folder / f"{number:02d}.png")
    study.run(tiny, [folder], tmp_path / "whole")
    whole = parquet.read_table(tmp_path / "whole" / "pictures.parquet")

    def interrupt(done: int, total: int) -> None:
        if done >= 32:
            raise KeyboardInterrupt

    out, told = tmp_path / "out", []
    with pytest.raises(KeyboardInterrupt):
        study.run(tiny, [folder], out, progress=interrupt)
    assert [path.name for path in (out / "shards").iterdir()] == ["000000.begun.parquet"]
    with pytest.raises(ModelError, match="holds a study of other settings"):
        study.run(tiny, [folder], out, study.Settings(methods=("centre",)))
    study.run(tiny, [folder], out, progress=lambda *at: told.append(at))
    assert told == [(32, 40), (40, 40)]
    assert [path.name for path in (out / "shards").iterdir()] == ["000000.parquet"]
    assert parquet.read_table(out / "pictures.parquet").equals(whole)
    (out / "shards" / "000000.begun.parquet").write_bytes((out / "shards" / "000000.parquet").read_bytes())
    (out / "shards" / "000000.parquet").unlink()
    study.run(tiny, [folder], out, resume=False)
    assert parquet.read_table(out / "pictures.parquet").equals(whole)


def test_a_slow_study_keeps_what_it_has_after_twenty_seconds(monkeypatch):
    times = iter([0.0, 30.0, 40.0, 47.0, 47.5, 48.0])
    monkeypatch.setattr(local, "monotonic", lambda: next(times))
    pace = local._Pace(16, slow=True)
    assert pace.size == 1
    assert pace.is_due(1)  # after half a minute
    assert pace.size == 1
    assert not pace.is_due(1)  # ten seconds later
    assert pace.size == 2
    assert not pace.is_due(2)
    assert pace.size == 5
    assert not pace.is_due(5)
    assert pace.is_due(16)  # so many pictures that time does not matter
