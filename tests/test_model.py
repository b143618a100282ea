"""Models by name, from directories and from checkpoint files; their preprocessing against timm's own."""

from __future__ import annotations

import json
import pickle
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from reference import random_pixels
from safetensors.torch import save_file

import vizvit
from vizvit.model.loading import SHIPPED, pick_device, shipped_dir
from vizvit.model.vit import VitModel

TINY = "vit_tiny_patch16_224"
SMALL_INPUT = {"image_size": (48, 80), "device": "cpu"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Nothing in this file may ask the network for anything."""

    def refuse(self, address, *_):
        raise AssertionError(f"a connection to {address} was tried")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: refuse(None, host))


@pytest.fixture(scope="module")
def module() -> torch.nn.Module:
    """A small ViT of seven classes, as somebody might have trained."""
    torch.manual_seed(7)
    return timm.create_model(TINY, num_classes=7, depth=3, img_size=64)


@pytest.fixture(scope="module")
def seven_classes() -> torch.nn.Module:
    """A full-depth ViT of seven classes, whose weights fit the architecture name alone."""
    torch.manual_seed(8)
    return timm.create_model(TINY, num_classes=7)


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


# --- by name


def test_the_shipped_model_needs_no_network(picture):
    model = vizvit.load_model(device="cpu")
    assert model.name == SHIPPED and len(model.labels) > 1
    assert model.trained == any(shipped_dir().glob("model.safetensors"))
    assert model.trained or model.weights == "untrained weights"
    cap = vizvit.capture(model, picture)
    assert cap.trained == model.trained
    assert cap.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_random_weights_are_the_same_every_time():
    first = vizvit.load_model(TINY, weights="random", **SMALL_INPUT)
    torch.manual_seed(123)
    torch.rand(5)
    before = torch.get_rng_state()
    second = vizvit.load_model(TINY, weights="random", **SMALL_INPUT)
    assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers go on as before"
    assert same_weights(first.module, second.module)
    assert not first.trained and first.weights == "untrained weights"
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(lambda _: vizvit.load_model(TINY, weights="random", **SMALL_INPUT), range(4)))
    assert all(same_weights(first.module, each.module) for each in several)


def test_random_weights_of_the_shipped_model():
    model = vizvit.load_model(SHIPPED, weights="random", device="cpu")
    assert not model.trained and model.name == SHIPPED


def test_imagenet_names():
    model = vizvit.load_model(TINY, weights="random", **SMALL_INPUT)
    assert len(model.labels) == 1000
    assert model.labels[285] == "Egyptian cat"
    assert model.class_index("egyptian CAT") == 285 and model.class_index(285) == 285
    assert model.labels[0].startswith("tench") and model.class_index("tench") == 0


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("vit_tiny_patch16", TINY),
        ("deit_small", "deit_small_patch16_224"),
        ("nothing like a model", "vit_"),
    ],
)
def test_unknown_names_suggest_close_ones(name, close):
    with pytest.raises(vizvit.ModelError, match="is not a model of timm") as caught:
        vizvit.load_model(name, weights="random", device="cpu")
    assert name in str(caught.value) and close in str(caught.value) and SHIPPED in str(caught.value)


@pytest.mark.parametrize("name", ["/no/such/folder", "./missing", "~/missing-model", "local-dir:/no/such/folder"])
def test_missing_directories(name):
    with pytest.raises(vizvit.ModelError, match="no model directory"):
        vizvit.load_model(name, device="cpu")


# --- a directory, as timm writes it


def test_local_directory_round_trip(tmp_path, module, picture):
    names = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"]
    config = {"label_names": names, "mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
    timm.models.save_for_hf(
        module, tmp_path / "mine", model_config=config, model_args={"depth": 3, "img_size": 64}, safe_serialization=True
    )
    for source in (tmp_path / "mine", f"local-dir:{tmp_path / 'mine'}"):
        model = vizvit.load_model(source, device="cpu")
        assert (model.name, model.architecture, model.trained) == ("mine", TINY, True)
        assert model.labels == tuple(names)
        assert same_weights(model.module, module)
        assert (model.grid.rows, model.grid.cols, model.num_layers) == (4, 4, 3)
        with torch.no_grad():
            expected = module.eval()(model.preprocess(picture))[0]
        np.testing.assert_allclose(vizvit.capture(model, picture).logits, expected, atol=1e-6)
    random = vizvit.load_model(tmp_path / "mine", weights="random", device="cpu")
    assert not random.trained and not same_weights(random.module, module)


def test_directories_that_are_no_models(tmp_path):
    with pytest.raises(vizvit.ModelError, match=r"no config\.json"):
        vizvit.load_model(tmp_path, device="cpu")
    for content in ("not json", "[]", '{"model": 1}', '{"architecture": "vit_of_tomorrow"}'):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(vizvit.ModelError, match="cannot be read as a timm model configuration"):
            vizvit.load_model(tmp_path, device="cpu")


def test_a_directory_without_weights(tmp_path, module):
    timm.models.save_for_hf(module, tmp_path, model_args={"depth": 3, "img_size": 64}, safe_serialization=True)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(vizvit.ModelError, match="could not be loaded"):
        vizvit.load_model(tmp_path, device="cpu")


# --- a checkpoint file


def save(path: Path, state: dict) -> Path:
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".bin"])
def test_checkpoint_with_seven_classes(tmp_path, seven_classes, suffix):
    path = save(tmp_path / f"mine{suffix}", seven_classes.state_dict())
    model = vizvit.load_model(path, arch=TINY, device="cpu")
    assert same_weights(model.module, seven_classes)
    assert (model.name, model.architecture, model.trained) == (f"mine{suffix}", TINY, True)
    assert model.labels == tuple(f"class {i}" for i in range(7))
    assert f"mine{suffix}" in model.weights


@pytest.mark.parametrize("wrapped", ["state_dict", "model", "state_dict_ema"])
def test_checkpoint_of_a_training_run(tmp_path, seven_classes, wrapped):
    state = {f"module.{key}": value for key, value in seven_classes.state_dict().items()}
    path = save(tmp_path / "run.pth", {wrapped: state, "epoch": 3})
    assert same_weights(vizvit.load_model(path, arch=TINY, device="cpu").module, seven_classes)


def test_weights_for_a_named_architecture(tmp_path, seven_classes):
    path = save(tmp_path / "mine.safetensors", seven_classes.state_dict())
    model = vizvit.load_model(TINY, weights=path, device="cpu")
    assert same_weights(model.module, seven_classes) and model.trained and model.name == TINY
    with pytest.raises(vizvit.ModelError, match="no weights file"):
        vizvit.load_model(TINY, weights=tmp_path / "missing.pth", device="cpu")


def test_classifier_on_a_contrastive_tower(tmp_path, vit, picture):
    """A fine-tuned SigLIP has classes, though the tower that it began as has none."""
    tuned = vit("vit_base_patch16_siglip_224", image_size=96, depth=3, num_classes=10)
    assert len(tuned.labels) == 10
    tower = VitModel.wrap(timm.create_model("vit_base_patch16_siglip_224", img_size=96, depth=2), name="tower")
    clip = VitModel.wrap(timm.create_model("vit_base_patch32_clip_224.openai", depth=2, num_classes=512), name="clip")
    for model in (tower, clip):
        assert model.labels == ()
        assert vizvit.capture(model, picture).logits.size == 0
        with pytest.raises(vizvit.ModelError, match="no classifier"):
            vizvit.capture(model, picture, target=0)


def test_architectures_that_do_not_fit(tmp_path, seven_classes):
    path = save(tmp_path / "mine.pth", seven_classes.state_dict())
    with pytest.raises(vizvit.ModelError, match="is not a model of timm"):
        vizvit.load_model(path, arch="vit_of_tomorrow", device="cpu")
    with pytest.raises(vizvit.ModelError, match="could not be loaded"):
        vizvit.load_model(path, arch="vit_small_patch16_224", device="cpu")
    with pytest.raises(vizvit.ModelError, match="no weights file"):
        vizvit.load_model(tmp_path / "gone.safetensors", arch=TINY, device="cpu")


class _Bomb:
    """Unpickling this makes a file: the sign that code in a checkpoint was run."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self):
        return (Path.touch, (self.canary,))


@pytest.mark.parametrize("how", ["torch", "pickle"])
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_code_in_a_checkpoint_is_never_run(tmp_path, how, suffix):
    canary, path = tmp_path / "canary", tmp_path / f"evil{suffix}"
    content = {"state_dict": _Bomb(canary)}
    if how == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    for options in ({"name": path, "arch": TINY}, {"name": TINY, "weights": path}):
        with pytest.raises(vizvit.ModelError, match="cannot be read as weights"):
            vizvit.load_model(**options, device="cpu")
    assert not canary.exists()
    if suffix != ".safetensors" and how == "pickle":  # the canary works
        pickle.loads(path.read_bytes())
        assert canary.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_code_in_a_directory_is_never_run(tmp_path, name):
    canary = tmp_path / "canary"
    config = {"architecture": TINY, "num_classes": 7, "pretrained_cfg": {"num_classes": 7}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.save({"state_dict": _Bomb(canary)}, tmp_path / name)
    with pytest.raises(vizvit.ModelError, match="could not be loaded"):
        vizvit.load_model(tmp_path, device="cpu")
    assert not canary.exists()


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"state_dict": {"a": 1}}, [1, 2], "weights"])
def test_files_without_weights(tmp_path, content):
    path = tmp_path / "odd.pth"
    torch.save(content, path)
    with pytest.raises(vizvit.ModelError, match=r"odd\.pth"):
        vizvit.load_model(path, arch=TINY, device="cpu")
    path.write_bytes(b"\x00not a checkpoint")
    with pytest.raises(vizvit.ModelError, match="cannot be read as weights"):
        vizvit.load_model(path, arch=TINY, device="cpu")


# --- class names


def test_class_names_from_files(tmp_path, seven_classes):
    names = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"]
    path = save(tmp_path / "mine.pth", seven_classes.state_dict())
    (tmp_path / "a.txt").write_text("\n".join(names) + "\n\n", "utf-8")
    (tmp_path / "b.json").write_text(json.dumps(names))
    shuffled = {str(i): names[i] for i in (3, 0, 6, 1, 2, 5, 4)}
    (tmp_path / "c.json").write_text(json.dumps(shuffled))
    for labels in (names, tuple(names), tmp_path / "a.txt", str(tmp_path / "b.json"), tmp_path / "c.json"):
        model = vizvit.load_model(path, arch=TINY, labels=labels, device="cpu")
        assert model.labels == tuple(names)
        assert model.label(2) == "cat" and model.class_index("Cat") == 2


def test_wrong_class_names(tmp_path, seven_classes):
    path = save(tmp_path / "mine.pth", seven_classes.state_dict())
    with pytest.raises(vizvit.ModelError, match=r"2 class names were given .* 7 classes"):
        vizvit.load_model(path, arch=TINY, labels=["one", "two"], device="cpu")
    (tmp_path / "bad.json").write_text("{")
    for labels in (tmp_path / "missing.txt", tmp_path / "bad.json"):
        with pytest.raises(vizvit.ModelError, match=r"class names in .* cannot be read"):
            vizvit.load_model(path, arch=TINY, labels=labels, device="cpu")


# --- sizes


@pytest.mark.parametrize(
    ("name", "asked", "grid", "seen"),
    [
        (TINY, (48, 80), (3, 5), (48, 80)),
        (TINY, 64, (4, 4), (64, 64)),
        (TINY, (100, 110), (6, 6), (96, 96)),
        ("vit_small_patch16_dinov3", (100, 170), (6, 10), (96, 160)),
        ("eva02_tiny_patch14_224", (75, 112), (5, 8), (70, 112)),
        ("naflexvit_base_patch16_gap", (100, 170), (6, 10), (96, 160)),
    ],
)
def test_image_sizes(name, asked, grid, seen, picture):
    model = vizvit.load_model(name, weights="random", device="cpu", image_size=asked)
    assert (model.grid.rows, model.grid.cols) == grid
    assert model.grid.image_size == seen
    assert model.view(picture).shape == (*seen, 3)
    cap = vizvit.capture(model, picture)
    assert cap.num_tokens == model.grid.num_prefix_tokens + grid[0] * grid[1]
    assert cap.view.shape == (*seen, 3)


def test_pixels_beyond_the_last_patch_change_nothing():
    """What `view` leaves out is what the model does not see."""
    model = vizvit.load_model(TINY, weights="random", device="cpu", image_size=(100, 110))
    image = random_pixels(100, 110)
    pixels = timms_input(model, image)
    assert pixels.shape == (1, 3, 100, 110)
    with torch.no_grad():
        expected = model.module(pixels)[0]
    np.testing.assert_allclose(vizvit.capture(model, image).logits, expected, atol=1e-6)


@pytest.mark.parametrize("size", [0, (0, 64), (64, 5000), -3])
def test_sizes_out_of_bounds(size):
    with pytest.raises(vizvit.ModelError, match="outside 1 to 4096"):
        vizvit.load_model(TINY, weights="random", device="cpu", image_size=size)


def test_a_size_smaller_than_a_patch():
    for name in (TINY, "vit_small_patch16_dinov3"):
        with pytest.raises(vizvit.ModelError, match="at least 16x16"):
            vizvit.load_model(name, weights="random", device="cpu", image_size=(8, 64))


def test_models_of_a_fixed_size():
    with pytest.raises(vizvit.ModelError, match=r"fixed input size|not a plain Vision Transformer"):
        vizvit.load_model("resnet18", weights="random", device="cpu", image_size=64)


# --- pixels


def timms_input(model: VitModel, image: Image.Image) -> torch.Tensor:
    config = timm.data.resolve_data_config(model=model.module)
    config["input_size"] = (3, *model.input_size)
    return timm.data.create_transform(**config, is_training=False)(image.convert("RGB"))[None]


PREPARED = [
    (TINY, None),
    (TINY, (48, 80)),
    ("deit3_small_patch16_224", 96),  # crops nothing
    ("vit_base_patch32_clip_224", None),  # CLIP's mean and standard deviation
    ("beit_base_patch16_224", 64),
    ("vit_small_patch16_dinov3", (96, 160)),
    ("vit_base_patch16_siglip_224", 96),  # squashes instead of cropping
    ("naflexvit_base_patch16_gap", 96),
]


@pytest.mark.parametrize(("name", "size"), PREPARED, ids=[f"{n}-{s}".replace(" ", "") for n, s in PREPARED])
def test_preprocessing_is_timms_own(vit, pictures, name, size):
    model = vit(name, image_size=size, depth=2)
    images = [*pictures, random_pixels(37, 300), random_pixels(500, 61), random_pixels(1, 1)]
    for image in images:
        expected = timms_input(model, image)
        found = model.preprocess(image)
        assert found.dtype == torch.float32 and torch.equal(found, expected)


def test_view_is_what_the_model_sees(vit, pictures):
    for name, size in PREPARED[:4]:
        model = vit(name, image_size=size, depth=2)
        for image in pictures:
            view = model.view(image)
            assert view.dtype == np.uint8 and view.shape == (*model.grid.image_size, 3)
            mean, std = (torch.tensor(values)[:, None, None] for values in (model.mean, model.std))
            back = (timms_input(model, image)[0] * std + mean) * 255
            assert np.abs(back.permute(1, 2, 0).numpy() - view).max() < 0.01
            assert torch.equal(model.normalise(view), model.preprocess(image))


def test_other_modes_are_made_rgb(vit):
    model = vit(TINY, image_size=(48, 80))
    grey = random_pixels(60, 90).convert("L")
    np.testing.assert_array_equal(model.view(grey), model.view(grey.convert("RGB")))


# --- devices


def test_devices():
    assert pick_device("cpu") == pick_device(torch.device("cpu")) == torch.device("cpu")
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert pick_device("auto") == torch.device(best)
    for device in ("abacus", "cuda:99"):
        with pytest.raises(vizvit.ModelError, match=f'The device "{device}" cannot be used here') as caught:
            vizvit.load_model(TINY, weights="random", device=device)
        assert 'Use "auto" or "cpu"' in str(caught.value)


def test_half_precision_is_for_cuda():
    with pytest.raises(vizvit.ModelError, match="Half precision is for CUDA"):
        vizvit.load_model(TINY, weights="random", device="cpu", half=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("half", [False, True])
def test_cuda_gives_what_the_cpu_gives(picture, half):
    on_cpu = vizvit.capture(vizvit.load_model(TINY, weights="random", device="cpu"), picture, target=1)
    model = vizvit.load_model(TINY, weights="random", device="cuda", half=half)
    assert model.precision == ("float16" if half else "float32")
    cap = vizvit.capture(model, picture, target=1)
    tolerance = 1e-2 if half else 1e-4
    np.testing.assert_allclose(cap.attention(-1), on_cpu.attention(-1), atol=tolerance)
    np.testing.assert_allclose(vizvit.rollout(cap), vizvit.rollout(on_cpu), atol=tolerance)


# --- wrapping a module made elsewhere


def test_wrap(module, picture):
    model = VitModel.wrap(module, name="from a notebook", labels=tuple("abcdefg"))
    assert model.trained and model.labels == tuple("abcdefg") and not model.module.training
    assert model.num_parameters == sum(p.numel() for p in module.parameters())
    assert (model.num_layers, model.num_heads) == (3, 3)
    cap = vizvit.capture(model, picture, target="c")
    assert cap.target == 2 and len(cap.logits) == 7
    with pytest.raises(vizvit.ModelError, match="3 class names were given"):
        VitModel.wrap(module, name="from a notebook", labels=("a", "b", "c"))


@pytest.mark.parametrize(
    ("name", "kind", "read_out"),
    [
        (TINY, "learned", "class token"),
        ("vit_base_patch16_gap_224", "learned", "mean of patches"),
        ("vit_base_patch16_siglip_224", "learned", "pooling head"),
        ("vit_small_patch16_dinov3", "rotary", "mean of patches"),
        ("beit_base_patch16_224", "relative", "mean of patches"),
    ],
)
def test_what_a_model_is_like(vit, name, kind, read_out):
    model = vit(name, image_size=96, depth=2)
    assert (model.position_kind, model.read_out) == (kind, read_out)
