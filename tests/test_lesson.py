"""A model as one page: what runs there gives what PyTorch gives; what cannot run there is refused with the reason."""

import base64
import json
import re
import shutil
import subprocess
from dataclasses import asdict, fields
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from skimage import data
from test_standalone import Elements
from torchvision import transforms

import vizvit
from vizvit import walk
from vizvit.analysis import embedding_filters, telling_look
from vizvit.cli import main
from vizvit.explorer import lesson
from vizvit.explorer.features import encode_features
from vizvit.explorer.payload import frame, read_header
from vizvit.explorer.weights import encode_weights, is_exact
from vizvit.features import high_population
from vizvit.forward.anatomy import dissect
from vizvit.model.plain import TALL_FIRST, plain
from vizvit.model.vit import VitModel
from vizvit.numbers import megabytes
from vizvit.walk.stages import STAGES

NODE = shutil.which("node")
PICTURES = 50
QUERIES = (0, 1, 100, 256)
SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3, "num_classes": 5}
KINDS = {
    "registers": {"reg_tokens": 2, "no_embed_class": True},
    "mean": {"class_token": False, "global_pool": "avg"},
    "norms": {"qk_norm": True, "init_values": 0.5, "pre_norm": True, "num_classes": 0},
    "everything": {"qk_norm": True, "init_values": 0.5, "pre_norm": True, "reg_tokens": 1, "fc_norm": True},
    "clip": {"pre_norm": True, "act_layer": "quick_gelu", "fc_norm": True},
    "tanh": {"act_layer": "gelu_tanh", "qkv_bias": False, "img_size": (24, 40), "pos_embed": "learn"},
}


def made(kind: str, seed: int = 0) -> VitModel:
    """A small model whose weights say something, so that attention is not even."""
    torch.manual_seed(seed)
    if kind == "distilled":
        options = {name: value for name, value in SMALL.items() if name != "num_classes"}
        module = timm.create_model("deit_tiny_distilled_patch16_224", num_classes=5, **options)
    else:
        module = timm.models.vision_transformer.VisionTransformer(**SMALL | KINDS[kind])
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return VitModel.wrap(module, name=kind)


def photographs(count: int) -> list[Image.Image]:
    """Parts of the samples, of many sizes and shapes, some smaller than what the model sees."""
    rng, sources = np.random.default_rng(0), [data.chelsea(), data.coffee(), data.astronaut()]
    found = []
    for number in range(count):
        source = sources[number % len(sources)]
        height, width = (int(rng.integers(20, min(side, 320))) for side in source.shape[:2])
        top, left = (int(rng.integers(0, side - own)) for side, own in zip(source.shape, (height, width), strict=False))
        found.append(Image.fromarray(source[top : top + height, left : left + width]))
    return found


def write_picture(folder: Path, name: str, image: Image.Image, view: np.ndarray) -> dict:
    (folder / f"{name}.rgba").write_bytes(image.convert("RGBA").tobytes())
    (folder / f"{name}.view").write_bytes(np.ascontiguousarray(view).tobytes())
    return {"name": name, "width": image.width, "height": image.height}


def write_model(folder: Path, vit: VitModel, images: list[Image.Image]) -> dict:
    found = plain(vit)
    (folder / f"{vit.name}.weights").write_bytes(base64.b64encode(encode_weights(found.model, found.tensors)))
    pictures, first, queries = [], [], sorted({query for query in QUERIES if query < vit.grid.num_tokens})
    for number, cap in enumerate(vizvit.captures(vit, images)):
        name = f"{vit.name}-{number}"
        first += [cap] if number < 2 else []
        pictures.append(write_picture(folder, name, images[number], cap.view))
        np.asarray(cap.logits if vit.labels else [], np.float32).tofile(folder / f"{name}.logits")
        rows = [cap.attention(layer)[:, queries].swapaxes(0, 1) for layer in range(cap.num_layers)]
        np.stack(rows).astype(np.float32).tofile(folder / f"{name}.attention")  # [layer, query, head, key]
    (folder / f"{vit.name}.walk").write_text(json.dumps(walked(vit, first)))
    return {"name": vit.name, "pictures": pictures, "queries": queries}


def walked(vit: VitModel, caps: list[vizvit.Capture]) -> dict:
    """The walk's numbers of the first of two pictures at one place, by stage, under the page's names for them."""
    row, col = vit.grid.rows - 1, 1
    place = {"layer": vit.num_layers - 1, "head": vit.num_heads - 1, "token": vit.grid.token(row, col)}
    a = dissect(vit, caps[0].view, place["layer"])
    at = place | {"row": row, "col": col, "a": a}
    found = {}
    for stage in STAGES[1:]:
        by_hand = getattr(walk, stage.of("softmax" if vit.labels else "features").by_hand.rpartition(".")[2])
        try:
            made = by_hand(**{name: at[name] for name in signature(by_hand).parameters if name in at})
        except walk.Absent as gap:
            found[stage.name] = {"absent": gap.key}
            continue
        values = {one.name: getattr(made, one.name) for one in fields(made)}
        found[stage.name] = {
            re.sub(r"_(\w)", lambda letter: letter[1].upper(), name): np.asarray(value, float).ravel().tolist()
            for name, value in values.items()
            if isinstance(value, (np.ndarray, float, int))
        }
    if vit.grid.num_prefix_tokens:
        found["tokens"]["vectors"] = walk.prefix(a).vectors.ravel().tolist()
    batch = walk.batch_norm(vit, [a, caps[1].view], place["layer"], place["token"], (1, 2))
    found["norm"]["batch"] = {"batchNorm": batch.batch_norm[-1].tolist(), "layerNorm": batch.layer_norm[-1].tolist()}
    found["embedding"]["filters"] = embedding_filters(vit).ravel().tolist()
    outline = walk.outline(a, place["token"])
    found["outline"] = {name: [getattr(outline, name)] for name in ("stream", "attention", "mlp")}
    at_place = place | {"row": row, "col": col}
    return {"place": at_place, "stages": found, "look": asdict(telling_look(caps[0]))}


def resized(folder: Path) -> list[dict]:
    """Pictures beside what Pillow and torchvision make of them, by filter, way and shape."""
    rng, found = np.random.default_rng(1), []
    shapes = [(1, 1), (3, 200), (64, 64), (65, 63), (500, 7), (90, 41)]
    for filter in ("bicubic", "bilinear", "lanczos"):
        for number, (height, width) in enumerate(shapes):
            image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
            way = transforms.InterpolationMode(filter)
            for kind, steps in {
                "short": [transforms.Resize(37, way), transforms.CenterCrop((32, 30))],
                "whole": [transforms.Resize((40, 64), way)],
            }.items():
                view = np.asarray(transforms.Compose(steps)(image))
                crop = [32, 30] if kind == "short" else [40, 64]
                resize = {
                    "filter": filter,
                    "way": kind,
                    "height": 37 if kind == "short" else 40,
                    "width": 64,
                    "crop": crop,
                }
                resize["tall_first"] = TALL_FIRST
                one = write_picture(folder, f"{filter}-{kind}-{number}", image, view)
                found.append(one | {"resize": resize, "rows": crop[0], "cols": crop[1]})
    return found


def populations() -> list[dict]:
    rng = np.random.default_rng(2)
    rows = [
        rng.normal(10, 1, 200),
        np.r_[rng.normal(10, 1, 190), rng.normal(60, 4, 10)],
        rng.gamma(2, 3, 300),
        np.ones(9),
    ]
    rows += [np.r_[rng.normal(5, 0.5, 40), rng.normal(9, 0.5, 30)]]
    rows += [np.r_[rng.normal(8.3, 0.4, 830), rng.normal(10.3, 0.5, 540)]]  # two that overlap
    starts = [float(high_population(row)) for row in rows]
    return [{"row": row.tolist(), "start": None if np.isnan(s) else s} for row, s in zip(rows, starts, strict=True)]


@pytest.mark.skipif(NODE is None, reason="node is not on the PATH")
def test_what_runs_in_the_page_gives_what_pytorch_gives(tmp_path):
    shipped = vizvit.load_model("vizvit-tiny", device="cpu")
    models = [write_model(tmp_path, shipped, photographs(PICTURES))]
    models += [write_model(tmp_path, made(kind), photographs(2)) for kind in (*KINDS, "distilled")]
    cap = vizvit.capture(shipped, Image.fromarray(data.chelsea()))
    (tmp_path / "features.view").write_bytes(cap.view.tobytes())
    (tmp_path / "features.python").write_bytes(frame({}, encode_features(cap, range(cap.num_layers))))
    shutil.copy(tmp_path / "vizvit-tiny.weights", tmp_path / "features.weights")
    cases = {"models": models, "sizes": resized(tmp_path), "rows": populations()}
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run(
        [NODE, "--test", str(Path(__file__).parent / "js" / "lesson.test.mjs")],
        env={"VIZVIT_LESSON": str(tmp_path), "PATH": str(Path(NODE).parent)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"pass {2 * len(models) + 4}" in done.stdout


# --- the page


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """The shipped model's, as the command writes it."""
    out = tmp_path_factory.mktemp("lesson") / "vit.html"
    assert main(["lesson", "--out", str(out)]) == 0
    return out.read_text("utf-8")


def test_it_is_small_and_loads_nothing_from_elsewhere(page):
    assert len(page.encode()) < 12e6
    elements = Elements(page)
    sources = [attributes["src"] for _, attributes, _ in elements.found if attributes.get("src")]
    assert sources == []
    assert {attributes["href"] for attributes, _ in elements.all("link")} == {"data:,"}
    (held,) = (json.loads(text) for found, text in elements.all("script") if found.get("id") == "lesson")
    papers = "".join(stage["text"] for stage in held["walk"]["stages"])
    links = {address for address in re.findall(r"https?://[^\s\"'`)<\\]+", page) if address not in papers}
    assert links <= {"http://www.w3.org/2000/svg"}
    (policy,) = (found["content"] for found, _ in elements.all("meta") if "http-equiv" in found)
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy


def test_it_holds_the_shipped_models_weights_as_they_are(page):
    (text,) = (text for found, text in Elements(page).all("script") if found.get("id") == "weights-0")
    blob = base64.b64decode(text)
    header, vit = read_header(blob), vizvit.load_model("vizvit-tiny", device="cpu")
    body = blob[8 + int.from_bytes(blob[4:8], "little") :]
    expected = plain(vit).tensors
    assert set(header["tensors"]) == set(expected)
    for name, place in header["tensors"].items():
        found = np.frombuffer(body, "<f2" if place["half"] else "<f4", place["count"], place["offset"])
        np.testing.assert_array_equal(found.astype(np.float32), expected[name].ravel())
    assert header["model"]["classes"] == len(vit.labels)


def test_every_language_says_what_it_has(tmp_path):
    found = plain(made("registers"))
    moment = lesson.Moment(found.model, found.tensors, "weights")
    options = {"name": "</script>\udc80", "labels": "abcde", "outputs": "softmax", "samples": [lesson.Sample("x", b"")]}
    for language, word in (("en", "Choose a picture"), ("ja", "画像を選ぶ")):
        page = lesson.build([moment], language=language, **options)
        elements = Elements(page)
        assert elements.all("html")[0][0]["lang"] == language
        (held,) = (json.loads(text) for found, text in elements.all("script") if found.get("id") == "lesson")
        assert held["texts"]["choose"] == word
        assert [tag for tag, *_ in elements.found].count("script") == 4


def test_rounded_weights_are_said_and_take_half_the_room():
    found = plain(made("mean"))
    assert not is_exact(found.tensors)
    moment = lesson.Moment(found.model, found.tensors, "weights")
    options = {"name": "a", "labels": "abcde", "outputs": "softmax", "samples": [lesson.Sample("x", b"")]}
    footers = [
        Elements(lesson.build([moment], rounded=rounded, **options)).all("footer")[0][1] for rounded in (False, True)
    ]
    assert "as they are" in footers[0]
    assert "rounded to half precision" in footers[1]
    exact, rounded = (len(encode_weights(found.model, found.tensors, rounded=how)) for how in (False, True))
    assert rounded < 0.6 * exact


def test_snapshots_and_a_shared_lesson_come_along(tmp_path, capsys):
    out = tmp_path / "vit.html"
    shared = tmp_path / "link.txt"
    shared.write_text(
        "http://localhost:8501/walkthrough?image=rocket&lang=ja&layer=2&query=3,4&lesson=head%20%3Cb%3E%0Anorm"
    )
    assert main(["lesson", "--out", str(out), "--snapshots", "--lesson", str(shared)]) == 0
    assert f"takes {megabytes(out.stat().st_size)} MB" in capsys.readouterr().err
    page = Elements(out.read_text("utf-8"))
    (held,) = (json.loads(text) for found, text in page.all("script") if found.get("id") == "lesson")
    assert [one["title"] for one in held["moments"]][:2] == ["未学習", "エポック 0.1"]
    assert [one["trained"] for one in held["moments"]] == [False, True, True, True, True]
    assert held["number"] == 4
    assert held["walk"]["tour"] == {"stages": [6, 13], "notes": {"6": "", "13": "<b>"}}
    assert held["walk"]["place"] == {"layer": 2, "token": 1 + 3 * 16 + 4}
    assert "rocket" in held["samples"][held["first"]]["title"] or "ロケット" in held["samples"][held["first"]]["title"]
    assert len([1 for found, _ in page.all("script") if found.get("id", "").startswith("weights-")]) == 5


# --- what cannot run in a page


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("eva02_tiny_patch14_224", "it has rotary positions"),
        ("vit_relpos_small_patch16_224", "it has relative positions"),
        ("test_vit3", "pooling head"),
    ],
)
def test_other_models_are_refused_with_the_reason(name, reason, tmp_path, capsys):
    out = tmp_path / "vit.html"
    assert main(["lesson", "--model", name, "--weights", "random", "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"{name} cannot run in a page: " in said
    assert reason in said
    assert not out.exists()


def test_a_forward_pass_with_more_in_it_is_refused():
    class Doubled(timm.models.vision_transformer.VisionTransformer):
        def forward_head(self, x, pre_logits=False):
            return 2 * super().forward_head(x, pre_logits)

    torch.manual_seed(0)
    with pytest.raises(vizvit.ModelError, match="more in it than its parts show"):
        plain(VitModel.wrap(Doubled(**SMALL), name="doubled"))


def test_a_page_that_no_browser_holds_is_refused(monkeypatch):
    monkeypatch.setattr(lesson, "MOST", 1000)
    found = plain(made("mean"))
    moment = lesson.Moment(found.model, found.tensors, "weights")
    with pytest.raises(vizvit.ModelError, match="browsers hold at most"):
        lesson.build([moment], name="a", labels="abcde", outputs="softmax", samples=[])


@pytest.mark.parametrize("text", ["http://host/walkthrough?stage=8", "http://host/?lesson=nothing%20here", "none.txt"])
def test_a_link_without_a_lesson_is_refused(text, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("none.txt").write_text("a letter")
    assert main(["lesson", "--lesson", text, "--out", str(tmp_path / "vit.html")]) == 2
    assert f"There is no lesson in {text}" in capsys.readouterr().err


def test_snapshots_that_are_not_there_are_refused(tmp_path, capsys):
    assert main(["lesson", "--weights", "random", "--snapshots", "--out", str(tmp_path / "vit.html")]) == 2
    assert "no snapshots" in capsys.readouterr().err
