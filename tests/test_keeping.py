"""What is taken away from the explorer: checked against the library and read back from the files."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.analysis.fusion import DIRECTIONS
from vizvit.explorer.payload import read_header
from vizvit.figures import limits
from vizvit.figures.handout import handout
from vizvit.model.snapshots import snapshots
from vizvit.pages.explore import handouts, keep, python_lines
from vizvit.pages.explore.compare_controls import Plan
from vizvit.pages.sidebar import picture
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.sidebar.model_choice import ModelKey
from vizvit.pictures.samples import SAMPLES

AREA = [2, 1, 4, 5]
KEY = "explorer"


@pytest.fixture(scope="module")
def shipped() -> vizvit.VitModel:
    return vizvit.load_model()


@pytest.fixture(scope="module")
def cap(shipped) -> vizvit.Capture:
    return vizvit.capture(shipped, data.chelsea())


def model_key(weights="pretrained", size=None, name="vizvit-tiny", arch="") -> ModelKey:
    return ModelKey(name, weights, arch, size)


def sample_choice(vit, name="cat", key=None) -> Choice:
    sample = next(k for k, v in python_lines._samples().items() if v == name)
    image = vizvit.load_image(SAMPLES[name].read())
    return Choice(image, f"sample: {name}", sample, vit, key or model_key())


def selection(**values) -> dict:
    start = {"layer": 3, "head": 1, "token": 12, "area": None, "key": None, "direction": "from", "fuse": "mean"}
    shown = {"rollout": False, "scale": "own", "curve": "linear", "smooth": False, "colours": "viridis"}
    return start | shown | {"opacity": 0.6, "grid_lines": True} | values


def test_the_picture_one_starts_with_is_one_that_the_shipped_model_gets_right(cap, shipped):
    label = shipped.label(int(cap.probabilities.argmax()))
    assert picture.DEFAULT == "cat" and set(label.casefold().split(", ")) & set(SAMPLES["cat"].shows)


def test_a_model_of_the_whole_picture_is_loaded_again_as_one():
    key = ModelKey("vizvit-tiny", size=(52, 76), crop=False)
    assert python_lines._model("vit", key) == 'vit = vizvit.load_model("vizvit-tiny", image_size=(52, 76), crop=False)'
    vit = vizvit.load_model("vizvit-tiny", image_size=(52, 76), crop=False)
    assert (vit.grid.rows, vit.grid.cols) == (13, 19)


# --- the map of a selection


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("area", [None, AREA])
@pytest.mark.parametrize(("head", "fuse"), [(2, "mean"), (None, "mean"), (None, "max"), (None, "min")])
def test_view_map_is_the_librarys(cap, direction, area, head, fuse):
    wanted = selection(head=head, fuse=fuse, direction=direction, area=area)
    attention = cap.attention(3)
    tokens = [12] if area is None else [cap.grid.token(r, c) for r in range(2, 5) for c in range(1, 6)]
    values = attention[:, tokens].mean(1) if direction == "from" else attention[:, :, tokens].mean(2)
    fused = values[head] if head is not None else {"mean": np.mean, "max": np.max, "min": np.min}[fuse](values, 0)
    np.testing.assert_allclose(keep.view_map(cap, wanted), vizvit.patch_map(fused, cap), rtol=1e-5)

    query = {"token": 12} if area is None else {"area": tuple(area)}
    expected = vizvit.rollout(cap, head_fusion=fuse, direction=direction, **query)
    np.testing.assert_array_equal(keep.view_map(cap, wanted | {"rollout": True}), expected)


def test_a_selection_of_three_keys_will_do(cap):
    np.testing.assert_array_equal(
        keep.view_map(cap, {"layer": 0, "head": None, "token": 0}), vizvit.attention_map(cap, 0, token=0)
    )


# --- files


def read_npz(blob: bytes) -> tuple[dict, dict]:
    with np.load(io.BytesIO(blob)) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(str(arrays.pop("meta")))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_npz_of_a_layer(cap, shipped, direction):
    wanted = selection(direction=direction)
    arrays, meta = read_npz(keep.npz(cap, wanted, sample_choice(shipped)))
    assert set(arrays) == {"map", "heads", "attention"}
    matrix = cap.attention(3)
    expected = matrix[:, 12] if direction == "from" else matrix[:, :, 12]
    np.testing.assert_allclose(arrays["attention"], expected, rtol=1e-5)
    np.testing.assert_array_equal(arrays["heads"], vizvit.patch_map(arrays["attention"], cap))
    np.testing.assert_array_equal(arrays["map"], arrays["heads"][1])
    about = {name: meta[name] for name in ("model", "weights", "trained", "picture", "layer", "head", "direction")}
    assert about == {
        "model": "vizvit-tiny",
        "weights": "shipped weights",
        "trained": True,
        "picture": "sample: cat",
        "layer": 3,
        "head": 1,
        "direction": direction,
    }
    assert meta["query"] == {"token": 12, "name": cap.grid.name(12)}
    assert meta["fusion"] is None and meta["versions"]["vizvit"] == vizvit.__version__


def test_npz_of_a_rollout(cap, shipped):
    wanted = selection(rollout=True, fuse="max", area=AREA, direction="to", head=None)
    arrays, meta = read_npz(keep.npz(cap, wanted, sample_choice(shipped)))
    assert set(arrays) == {"map", "steps"}
    assert arrays["steps"].shape == (cap.num_layers, cap.grid.rows, cap.grid.cols)
    np.testing.assert_array_equal(arrays["steps"][-1], arrays["map"])
    assert meta["query"] == {"area": AREA} and meta["fusion"] == "max" and meta["head"] is None


def test_panels_are_coloured_as_the_explorer_does(cap, shipped):
    choice = sample_choice(shipped)
    for scale in ("own", "absolute", "percentile"):
        for curve in ("linear", "log"):
            panel = handouts.panel(cap, selection(scale=scale, curve=curve), choice)
            assert (panel.low, panel.high) == limits(panel.heat, scale, log=curve == "log")
            assert panel.log == (curve == "log")
    panel = handouts.panel(cap, selection(scale="shared"), choice)
    # One row and whole matrices are rounded differently.
    assert panel.high == pytest.approx(vizvit.patch_map(cap.attention_from(12)[3], cap).max(), rel=1e-5)
    assert panel.outlined == cap.grid.patch(12) * 2
    assert handouts.panel(cap, selection(area=AREA), choice).outlined == tuple(AREA)
    assert handouts.panel(cap, selection(token=0), choice).outlined is None


def test_a_handout_of_a_rollout_marks_what_stands_out(cap, shipped):
    choice, wanted = sample_choice(shipped), selection(rollout=True, head=None, token=0)
    panel = handouts.panel(cap, wanted, choice)
    found = vizvit.analysis.standing_out(vizvit.rollout(cap, token=0))
    np.testing.assert_array_equal(panel.marked, found)
    told = f"White edges: {found.sum()} of {found.size} patches"
    assert (told in panel.caption) == bool(found.any())
    one = replace(panel, marked=np.arange(found.size).reshape(found.shape) == 5)
    marks = [part for axes in handout(cap.view, [one], title="").axes for part in axes.patches]
    marks = [part for part in marks if part.get_label() == "marked"]
    assert {part.get_xy() for part in marks} == {divmod(5, found.shape[1])[::-1]}
    assert to_rgb(marks[-1].get_edgecolor()) == (1, 1, 1)
    assert handouts.panel(cap, selection(), choice).marked is None


def test_a_handout_has_the_colours_of_a_comparison(cap, shipped):
    """Components of the patches of both pictures, each from its 1st to its 99th percentile of both."""
    other = vizvit.capture(shipped, data.coffee())
    choice, wanted = sample_choice(shipped), selection(view="components", layer=5)
    panel = handouts.panel(cap, wanted, choice, other)
    pairs = (cap, other), (other, cap)
    both = np.stack([vizvit.patch_components(one, 5, other=two) for one, two in pairs])
    low, high = np.percentile(both.reshape(-1, 3), (1, 99), axis=0)
    expected = np.clip((both[0] - low) / (high - low), 0, 1) * 255
    assert np.abs(panel.colors - expected).max() <= 0.51
    alone = handouts.panel(cap, wanted, choice)
    assert np.abs(panel.colors.astype(int) - alone.colors).max() > 30
    assert "beside it" in panel.caption and "beside it" not in alone.caption


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ["Layer 3", "head 1", "from the patch at row", "own maximum", "vizvit-tiny, shipped weights"]),
        ({"head": None, "fuse": "max"}, ["max of", "heads"]),
        ({"direction": "to", "token": 0}, ["from each patch to the class token"]),
        ({"area": AREA}, ["rows 2 to 4, columns 1 to 5"]),
        ({"scale": "shared", "curve": "log"}, ["One scale for all heads of this layer, logarithmic"]),
        ({"rollout": True, "scale": "shared"}, ["Rollout over layers 0 to", "own maximum"]),
        ({"smooth": True}, ["smoothed"]),
    ],
)
def test_captions_say_what_is_shown(cap, shipped, values, words):
    found = handouts.caption(cap, selection(**values), sample_choice(shipped))
    assert not [part for part in words if part not in found], found


# --- questions and answers on the page


def explorer_page() -> AppTest:
    return AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=60)


def answers(app: AppTest) -> list[tuple[dict, bytes]]:
    frames = [element.proto.bytes for element in app.get("bidi_component")]
    headers = [(read_header(frame), frame) for frame in frames]
    return [(header, body_of(frame)) for header, frame in headers if header.get("name") in ("answer", "check")]


def body_of(frame: bytes) -> bytes:
    return frame[8 + int.from_bytes(frame[4:8], "little") :]


@pytest.fixture(scope="module")
def asking():
    """ask(request) runs the page as after that question, or another page; returns (header, bytes) of the answer."""
    request, app = {}, explorer_page()

    def asked(key, name="ask"):
        mine = request and (request["what"] == "check") == (name == "check")
        return dict(request) if mine else None

    def ask(page: AppTest = app, **values):
        request.clear()
        request.update(values)
        page.run()
        assert not page.exception
        (found,) = answers(page)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vizvit.explorer.asked", asked, raising=False)
        app.run()
        assert not app.exception and answers(app) == []
        yield ask


def test_a_number_is_checked_by_the_engine(asking, cap):
    header, body = asking(number=1, what="check", layer=2, head=1, query=5, key=20)
    row = cap.attention_row(2, 5)[1]
    assert header["value"] == pytest.approx(float(row[20]), rel=1e-6)
    assert header["row_maximum"] == pytest.approx(float(row.max()), rel=1e-6)
    assert (header["number"], header["what"], body) == (1, "check", b"")


def test_files_are_answered_with_name_and_type(asking, cap):
    view = selection()
    header, body = asking(number=1, what="npz", view=view, pins=[])
    assert header["file"].endswith(".npz") and "vizvit-tiny" in header["file"] and "/" not in header["file"]
    np.testing.assert_array_equal(read_npz(body)[0]["map"], keep.view_map(cap, view))

    header, body = asking(number=2, what="handout", view=view, pins=[view, selection(layer=1), selection(rollout=True)])
    assert header["type"] == "application/pdf" and header["file"].endswith(".pdf")
    assert len(re.findall(rb"/Type /Page\b(?!s)", body)) == 1

    header, body = asking(number=3, what="html", view=view, pins=[])
    if "error" not in header:
        assert header["type"] == "text/html" and b"<html" in body[:400].lower()


def test_a_japanese_handout_has_all_its_letters(asking, recwarn):
    page, pins = explorer_page(), [selection(rollout=True, token=0)]
    page.query_params["lang"] = "ja"
    _, body = asking(page, number=1, what="handout", view=selection(area=AREA), pins=pins)
    assert body.startswith(b"%PDF") and b"IPAexGothic" in body
    assert not [warning for warning in recwarn if "missing" in str(warning.message)]


def test_the_same_question_is_answered_once(asking, monkeypatch):
    first = asking(number=1, what="npz", view=selection(), pins=[])
    monkeypatch.setattr(keep, "npz", lambda *_: pytest.fail("made again"))
    assert asking(number=1, what="npz", view=selection(), pins=[]) == first
    monkeypatch.undo()


@pytest.mark.parametrize(
    "request_",
    [
        {"what": "check", "layer": 99, "head": 0, "query": 0, "key": 0},
        {"what": "check", "layer": 0, "head": 99, "query": 0, "key": 0},
        {"what": "check", "layer": 0, "head": 0, "query": 0, "key": 10**6},
        {"what": "check"},
        {"what": "npz", "view": selection(token=10**6)},
        {"what": "handout", "view": selection(area=[0, 0, 99, 99]), "pins": []},
        {"what": "handout", "view": selection(), "pins": [selection(scale="nowhere")]},
        {"what": "tea"},
    ],
)
def test_what_cannot_be_had_is_said(asking, request_):
    header, body = asking(number=1, **request_)
    assert header["error"].endswith(".") and body == b""


# --- source lines


def run_lines(lines: list[str], folder: Path, monkeypatch) -> dict:
    monkeypatch.chdir(folder)
    names: dict = {}
    exec("\n".join(lines), names)
    return names


def same(found: vizvit.Capture, expected: vizvit.Capture) -> None:
    np.testing.assert_array_equal(found.view, expected.view)
    np.testing.assert_array_equal(found.attention(-1), expected.attention(-1))
    assert found.vit.name == expected.vit.name


@pytest.mark.parametrize("name", list(SAMPLES))
def test_lines_lead_to_the_same_capture(shipped, name, tmp_path, monkeypatch):
    choice = sample_choice(shipped, name)
    names = run_lines(python_lines.source_lines(choice), tmp_path, monkeypatch)
    same(names["cap"], vizvit.capture(shipped, choice.image))
    assert {"vit", "image"} <= set(names) and "other" not in names


def test_lines_of_other_weights_and_sizes(tmp_path, monkeypatch):
    moment = snapshots("vizvit-tiny")[1]
    for key, options in (
        (model_key("random"), {"weights": "random"}),
        (model_key(moment.weights), {"weights": moment.weights}),
        (model_key("random", (32, 64), "vit_tiny_patch16_224"), {"weights": "random", "image_size": (32, 64)}),
    ):
        vit = vizvit.load_model(key.name, **options)
        choice = sample_choice(vit, key=key)
        lines = python_lines.source_lines(choice)
        assert str(Path(vizvit.__file__).parents[1]) not in "\n".join(lines), "no path of this machine"
        same(run_lines(lines, tmp_path, monkeypatch)["cap"], vizvit.capture(vit, choice.image))


def test_lines_of_a_checkpoint_name_its_architecture(shipped, tmp_path):
    key = model_key("pretrained", None, str(tmp_path / "mine.pth"), "vit_small_patch16_224")
    (line,) = [line for line in python_lines.source_lines(sample_choice(shipped, key=key)) if "load_model" in line]
    assert line == f'vit = vizvit.load_model("{tmp_path}/mine.pth", arch="vit_small_patch16_224")'


def test_lines_of_ones_own_picture(shipped, tmp_path, monkeypatch):
    name = 'my "cat"\n# 猫.png'.replace("\n", " ")
    Image.fromarray(data.coffee()).reduce(4).save(tmp_path / name)
    image = vizvit.load_image(tmp_path / name)
    choice = Choice(image, name, "another key", shipped, model_key())
    lines = python_lines.source_lines(choice)
    assert any(line.endswith("# your file") for line in lines)
    same(run_lines(lines, tmp_path, monkeypatch)["cap"], vizvit.capture(shipped, image))
    hostile = python_lines.source_lines(Choice(image, '"); exit()\n#', "another key", shipped, model_key()))
    assert len([line for line in hostile if "exit" in line]) == 1
    compile("\n".join(hostile), "lines", "exec")
    assert "exit" not in compile("\n".join(hostile), "lines", "exec").co_names


@pytest.mark.parametrize("kind", ["picture", "own picture", "model", "training", "flip", "crop", "cover"])
def test_lines_of_comparisons(shipped, cap, kind, tmp_path, monkeypatch):
    choice, box = sample_choice(shipped), (0.125, 0.25, 0.75, 0.8)
    coffee, moment = sample_choice(shipped, "coffee"), snapshots("vizvit-tiny")[2]
    random = {"weights": "random"}
    coffee.image.save(tmp_path / "other.png")
    from vizvit.pictures import perturb

    plan, expected = {
        "picture": lambda: (
            Plan("picture", coffee.image, coffee.image_name, coffee.image_key),
            vizvit.capture(shipped, coffee.image),
        ),
        "own picture": lambda: (
            Plan("picture", coffee.image, "other.png", "another key"),
            vizvit.capture(shipped, coffee.image),
        ),
        "model": lambda: (
            Plan("model", model="vizvit-tiny", **random),
            vizvit.capture(vizvit.load_model(**random), choice.image),
        ),
        "training": lambda: (
            Plan("training", model="vizvit-tiny", weights=moment.weights, note="training snapshot"),
            vizvit.capture(vizvit.load_model(weights=moment.weights), choice.image),
        ),
        "flip": lambda: (Plan("flip"), vizvit.capture_view(shipped, perturb.flip(cap.view))),
        "crop": lambda: (Plan("crop", box=box), vizvit.capture_view(shipped, perturb.crop(cap.view, box))),
        "cover": lambda: (Plan("cover", box=box), vizvit.capture_view(shipped, perturb.occlude(cap.view, box))),
    }[kind]()
    names = run_lines(python_lines.source_lines(choice, plan), tmp_path, monkeypatch)
    same(names["cap"], cap)
    same(names["other"], expected)


@pytest.mark.parametrize("view", ["similarity", "components", "norms"])
def test_features_are_kept_as_the_library_finds_them(asking, cap, view):
    wanted = selection(view=view, layer=3, token=5)
    _, body = asking(number=1, what="npz", view=wanted, pins=[])
    arrays, meta = read_npz(body)
    expected = {
        "similarity": vizvit.patch_similarity(cap, 5, 3),
        "components": vizvit.patch_components(cap, 3),
        "norms": vizvit.patch_map(vizvit.token_norms(cap)[4], cap),
    }[view]
    np.testing.assert_allclose(arrays["map"], expected, rtol=1e-5, atol=1e-6)
    assert meta["method"] == view and meta["head"] is None and meta["layer"] == 3
    header, body = asking(number=2, what="handout", view=wanted, pins=[])
    assert header["type"] == "application/pdf" and view in header["file"] and body.startswith(b"%PDF")
