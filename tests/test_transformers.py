"""Models of transformers and torchvision, from directories and as modules, against the libraries' own eager passes."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from hub_server import HubServer, use_hub
from reference import random_pixels
from safetensors.torch import load_file, save_file

import vizvit
from vizvit.model.vit import VitModel

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")
SMALL = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 32, "patch_size": 8}
LARGER = SMALL | {"intermediate_size": 96}
NAMES = {"id2label": {0: "ant", 1: "bee", 2: "cat"}, "label2id": {"ant": 0, "bee": 1, "cat": 2}}
TEXT = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 50}
TEXT |= {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
BOTH = {"vision_config": LARGER, "text_config": TEXT}

# name -> (model class, configuration class, its options, what of the output is the model's answer)
KINDS = {
    "vit": ("ViTForImageClassification", "ViTConfig", LARGER | NAMES, "logits"),
    "vit features": ("ViTModel", "ViTConfig", LARGER, "class token"),
    "deit": ("DeiTForImageClassification", "DeiTConfig", LARGER | NAMES, "logits"),
    "deit distilled": ("DeiTForImageClassificationWithTeacher", "DeiTConfig", LARGER | NAMES, "logits"),
    "dinov2": ("Dinov2ForImageClassification", "Dinov2Config", SMALL | NAMES, "logits"),
    "dinov2 features": ("Dinov2Model", "Dinov2Config", SMALL, "pooler_output"),
    "dinov2 gated": ("Dinov2Model", "Dinov2Config", SMALL | {"use_swiglu_ffn": True}, "pooler_output"),
    "registers": ("Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersConfig", SMALL | NAMES, "logits"),
    "clip vision": ("CLIPVisionModel", "CLIPVisionConfig", LARGER, "pooler_output"),
    "clip projected": ("CLIPVisionModelWithProjection", "CLIPVisionConfig", LARGER, "image_embeds"),
    "clip": ("CLIPModel", "CLIPConfig", BOTH | {"projection_dim": 16}, "image_embeds"),
    "clip classes": ("CLIPForImageClassification", "CLIPConfig", BOTH | NAMES, "logits"),
    "siglip vision": ("SiglipVisionModel", "SiglipVisionConfig", LARGER, "pooler_output"),
    "siglip": ("SiglipModel", "SiglipConfig", BOTH, "pooler_output"),
    "siglip classes": ("SiglipForImageClassification", "SiglipConfig", BOTH | {"num_labels": 3}, "logits"),
}


def stirred(module: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            scale = 0.2 if parameter.ndim > 1 else 0.3
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
            if "norm" in name and name.endswith("weight"):
                parameter.add_(1)
    return module.eval()


def make(kind: str) -> torch.nn.Module:
    import transformers

    model, config, options, _ = KINDS[kind]
    module = getattr(transformers, model)(getattr(transformers, config)(**options))
    module.set_attn_implementation("eager")
    return stirred(module)


@torch.no_grad()
def library(module: torch.nn.Module, kind: str, pixels: torch.Tensor) -> tuple[list[np.ndarray], np.ndarray]:
    """(attentions [head, query, key] a layer, the answer) of the library's own eager pass."""
    answer = KINDS[kind][-1]
    tower = module.vision_model if kind in ("clip", "siglip") else module
    out = tower(pixel_values=pixels, output_attentions=True)
    if kind == "clip":
        found = module.visual_projection(out.pooler_output)
    else:
        found = out.last_hidden_state[:, 0] if answer == "class token" else out[answer]
    return [layer[0].numpy() for layer in out.attentions], found[0].numpy()


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A directory of each kind, as save_pretrained writes it."""
    place = tmp_path_factory.mktemp("transformers")
    made = {kind: place / kind.replace(" ", "-") for kind in KINDS}
    for kind, folder in made.items():
        make(kind).save_pretrained(folder)
    return made


def agrees(model: VitModel, kind: str) -> None:
    image = random_pixels(50, 70)
    pixels = model.preprocess(image)
    attentions, answer = library(make(kind), kind, pixels)
    cap = vizvit.capture(model, image)
    assert cap.num_layers == len(attentions) == 3
    for layer, expected in enumerate(attentions):
        np.testing.assert_allclose(cap.attention(layer), expected, atol=2e-5)
    with torch.no_grad():
        found = model.module(pixels)[0].numpy()
    np.testing.assert_allclose(found, answer, atol=1e-4, rtol=1e-4)
    classes = KINDS[kind][-1] == "logits"
    assert len(model.labels) == (3 if classes else 0)
    if classes:
        np.testing.assert_allclose(cap.logits, answer, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_directories(folders, kind):
    model = vizvit.load_model(folders[kind], device="cpu")
    agrees(model, kind)
    assert any("converted from transformers'" in note for note in model.notes)
    if "id2label" in KINDS[kind][2]:
        assert model.labels == ("ant", "bee", "cat")


@pytest.mark.parametrize("kind", KINDS)
def test_modules(kind):
    module = make(kind)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    model = VitModel.wrap(module, name=kind)
    agrees(model, kind)
    after = module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    own = {parameter.data_ptr() for parameter in model.module.parameters()}
    assert not own & {parameter.data_ptr() for parameter in module.parameters()}, "a copy, throughout"


def test_several_files_and_older_ones(folders, tmp_path):
    make("vit").save_pretrained(tmp_path / "sharded", max_shard_size="40KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    agrees(vizvit.load_model(tmp_path / "sharded", device="cpu"), "vit")
    older = tmp_path / "older"
    older.mkdir()
    (older / "config.json").write_text((folders["vit"] / "config.json").read_text())
    torch.save(load_file(folders["vit"] / "model.safetensors"), older / "pytorch_model.bin")
    agrees(vizvit.load_model(older, device="cpu"), "vit")
    agrees(vizvit.load_model(older / "pytorch_model.bin", device="cpu"), "vit")
    next((tmp_path / "sharded").glob("*.safetensors")).unlink()
    with pytest.raises(vizvit.ModelError, match="are not there"):
        vizvit.load_model(tmp_path / "sharded", device="cpu")


def test_an_index_does_not_lead_outside(folders, tmp_path):
    (tmp_path / "config.json").write_text((folders["vit"] / "config.json").read_text())
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../b.safetensors"}}))
    with pytest.raises(vizvit.ModelError, match="outside the directory"):
        vizvit.load_model(tmp_path, device="cpu")


def test_a_lightning_run_of_transformers(tmp_path):
    """No configuration beside it: heads are said, the rest is the library's own."""
    state = {f"model.{key}": value for key, value in make("vit").state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": {"lr": 1.0}}, tmp_path / "last.ckpt")
    model = vizvit.load_model(tmp_path / "last.ckpt", arch="heads=4", device="cpu")
    agrees(model, "vit")
    assert "weights named model.vit.…" in model.notes


PROCESSORS = {
    "vit": ("ViTImageProcessorPil", {"size": {"height": 32, "width": 32}}),
    "deit": ("DeiTImageProcessorPil", {"size": {"height": 40, "width": 40}, "crop_size": {"height": 32, "width": 32}}),
    "clip": ("CLIPImageProcessorPil", {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}),
    "dinov2": ("BitImageProcessorPil", {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}),
    "siglip": ("SiglipImageProcessorPil", {"size": {"height": 32, "width": 32}}),
}


@pytest.mark.parametrize("kind", PROCESSORS)
def test_preprocessing_is_the_librarys_own(folders, kind, tmp_path):
    import transformers

    name, options = PROCESSORS[kind]
    processor = getattr(transformers, name, None) or getattr(transformers, name.removesuffix("Pil"))
    processor = processor(**options)
    for file in folders[kind].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    processor.save_pretrained(tmp_path)
    model = vizvit.load_model(tmp_path, device="cpu")
    for image in (random_pixels(50, 70), random_pixels(90, 40)):
        expected = np.asarray(processor(images=image.convert("RGB"), return_tensors="np")["pixel_values"])
        found = model.preprocess(image).numpy()
        assert found.shape == expected.shape
        step = 1 / 255 / min(model.std)
        assert np.abs(found - expected).max() < 1.5 * step  # a last digit of a pixel


def test_a_map_is_read_at_the_class_token_where_the_mean_stands_beside_it(folders):
    model = vizvit.load_model(folders["dinov2"], device="cpu")
    cap = vizvit.capture(model, random_pixels(50, 70))
    assert model.read_out == "class token and mean of patches"
    expected = vizvit.rollout(cap, token="cls")
    np.testing.assert_array_equal(vizvit.rollout(cap, token="read_out"), expected)


def test_dinov2_is_shown_at_the_size_of_its_preprocessing(folders, tmp_path):
    """Its positions are for another grid; the library resamples them without antialiasing."""
    for file in folders["dinov2"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = {"size": {"shortest_edge": 28}, "crop_size": {"height": 24, "width": 24}, "do_center_crop": True}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    model = vizvit.load_model(tmp_path, device="cpu")
    agrees(model, "dinov2")
    assert model.grid.rows == 3
    assert model.weights == "weights of a local directory, positions resampled from 4×4 patches"


def test_those_that_cannot_be_shown(tmp_path):
    import transformers

    for kind, words in (("swin", "merged on the way"), ("bert", 'model type "bert"')):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        with pytest.raises(vizvit.ModelError, match=words):
            vizvit.load_model(tmp_path, device="cpu")
    swin = transformers.SwinModel(transformers.SwinConfig(embed_dim=12, depths=[1, 1], num_heads=[2, 2], image_size=32))
    with pytest.raises(vizvit.ModelError, match="merged on the way"):
        VitModel.wrap(swin, name="swin")


def test_a_repository_of_the_hub(folders, tmp_path, monkeypatch):
    files = {file.name: file.read_bytes() for file in folders["vit"].iterdir()}
    with HubServer({"somebody/small-vit": files}) as server:
        use_hub(monkeypatch, server.url, tmp_path)
        seen = []
        given = {"device": "cpu", "on_progress": lambda done, total: seen.append((done, total))}
        model = vizvit.load_model("somebody/small-vit", **given)
        agrees(model, "vit")
        assert (model.name, model.weights) == ("somebody/small-vit", "pretrained weights")
        assert seen[-1] == (len(files["model.safetensors"]),) * 2
        random = vizvit.load_model("somebody/small-vit", weights="random", **given)
        assert not random.trained and random.num_layers == 3
        asked = len(server.requests)
        vizvit.load_model("hf-hub:somebody/small-vit", **given)
        assert len(server.requests) <= asked + 1, "all but a preprocessing that is not there comes from the cache"
        with pytest.raises(vizvit.ModelError, match="no repository"):
            vizvit.load_model("somebody/nothing", **given)


def test_a_repository_in_timms_format(tmp_path, monkeypatch):
    module = stirred(timm.create_model("test_vit", img_size=48, num_classes=3))
    timm.models.save_for_hf(module, tmp_path / "own", safe_serialization=True)
    files = {file.name: file.read_bytes() for file in (tmp_path / "own").iterdir()}
    with HubServer({"somebody/test": files}) as server:
        use_hub(monkeypatch, server.url, tmp_path)
        model = vizvit.load_model("somebody/test", device="cpu")
    assert (model.architecture, model.input_size) == ("test_vit", (48, 48))
    torch.testing.assert_close(model.module.state_dict(), module.state_dict(), atol=0, rtol=0)


def test_torchvision(tmp_path):
    from torchvision.models.vision_transformer import VisionTransformer

    module = VisionTransformer(32, 8, num_layers=2, num_heads=4, hidden_dim=48, mlp_dim=96, num_classes=3)
    module = stirred(module)
    save_file(module.state_dict(), tmp_path / "own.safetensors")
    for model in (
        VitModel.wrap(module, name="own"),
        vizvit.load_model(tmp_path / "own.safetensors", arch="heads=4", device="cpu"),
    ):
        pixels = model.preprocess(random_pixels(50, 70))
        with torch.no_grad():
            torch.testing.assert_close(model.module(pixels), module(pixels), atol=1e-5, rtol=1e-5)
        cap = vizvit.capture(model, random_pixels(50, 70))
        block, seen = module.encoder.layers[0], []
        hook = block.ln_1.register_forward_hook(lambda *given, seen=seen: seen.append(given[-1]))
        with torch.no_grad():
            module(pixels)
            _, expected = block.self_attention(*seen * 3, average_attn_weights=False)
        hook.remove()
        np.testing.assert_allclose(cap.attention(0), expected[0].numpy(), atol=2e-5)
