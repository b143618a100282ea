"""Files of weights as the real tools write them: known by content, with the logits of the module that wrote them."""

from __future__ import annotations

import argparse
import io
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from timm.utils import CheckpointSaver, ModelEmaV3
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer as TorchVision

import vizvit
from vizvit.cli import main
from vizvit.model.facts import PUBLISHED, options_of, shapes_of
from vizvit.model.vit import VitModel

SIZE = {"embed_dim": 32, "depth": 2, "num_heads": 4, "patch_size": 8, "img_size": 48, "num_classes": 5}
HEADS = "heads=4"


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """Weights of which each has its say."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def small(seed: int = 0, **options) -> VisionTransformer:
    return stirred(VisionTransformer(**SIZE | options), seed)


def named(seed: int = 0, **options) -> VisionTransformer:
    """An architecture that timm knows by name, of other size, classes and depth."""
    return stirred(timm.create_model("test_vit", num_classes=3, img_size=64, **options), seed)


def prefixed(state: dict, prefix: str) -> dict:
    return OrderedDict((prefix + key, value) for key, value in state.items())


def same(model: VitModel, module: nn.Module) -> None:
    """Both give the same for the same pixels, and the file's size is what is shown."""
    pixels = torch.randn(1, 3, *model.input_size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = module.eval()(pixels), model.module(pixels)
    assert found.shape == expected.shape
    # Fused attention adds in another order, and DINOv2 has a row taken off and added: rounding as large as the numbers.
    torch.testing.assert_close(found, expected, atol=1e-5 * max(1.0, expected.abs().max().item()), rtol=1e-5)


# --- the table: each writes a file and returns (path, the module whose logits are expected, what load_model is told)


def saver(folder: Path, **options) -> Path:
    module = options.pop("module")
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.zeros(1, 3, 64, 64)).sum().backward()
    optimizer.step()
    CheckpointSaver(module, optimizer, checkpoint_dir=str(folder), recovery_dir=str(folder), **options).save_checkpoint(
        3
    )
    module.eval()
    return folder / "last.pth.tar"


def timm_saver(folder: Path) -> tuple:
    module, arguments = named(), argparse.Namespace(model="test_vit", num_classes=3, mean=None, opt="adamw")
    return saver(folder, module=module, args=arguments), module, {}


def timm_saver_averaged(folder: Path) -> tuple:
    module = named()
    average = ModelEmaV3(named(seed=4))
    path = saver(folder, module=module, model_ema=average, args=argparse.Namespace(model="test_vit"))
    return path, average.module, {"weights": "weights of last.pth.tar, averaged over training"}


def timm_saver_without_arguments(folder: Path) -> tuple:
    module = named()
    return saver(folder, module=module), module, {"arch": "heads=2"}


def plain_state(folder: Path) -> tuple:
    module = small()
    torch.save(module.state_dict(), folder / "weights.whatever")
    return folder / "weights.whatever", module, {"arch": HEADS}


def before_zip(folder: Path) -> tuple:
    module = small()
    content = {"args": argparse.Namespace(num_heads=4), "model": module.state_dict()}
    torch.save(content, folder / "old.pth", _use_new_zipfile_serialization=False)
    return folder / "old.pth", module, {}


def whole_module(folder: Path) -> tuple:
    module = small()
    torch.save(module, folder / "whole.pt")
    return folder / "whole.pt", module, {}


def distributed(folder: Path) -> tuple:
    module = small()
    torch.save({"model": prefixed(module.state_dict(), "module."), "epoch": 3}, folder / "ddp.pth")
    return folder / "ddp.pth", module, {"arch": HEADS, "prefix": "module."}


def compiled(folder: Path) -> tuple:
    module = small()
    torch.save(torch.compile(module).state_dict(), folder / "compiled.pth")
    return folder / "compiled.pth", module, {"arch": HEADS, "prefix": "_orig_mod."}


def compiled_and_distributed(folder: Path) -> tuple:
    module = small()
    torch.save({"model_state_dict": prefixed(module.state_dict(), "module._orig_mod.")}, folder / "both.pth")
    return folder / "both.pth", module, {"arch": HEADS, "prefix": "module._orig_mod."}


def lightning(folder: Path, prefix: str = "model.", **beside) -> tuple:
    """The keys that Lightning 2 writes, beside a loss's and a projection head's weights."""
    module = small()
    content = {
        "epoch": 9,
        "global_step": 120,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": prefixed(module.state_dict(), prefix)
        | {"loss.weight": torch.ones(5), "projector.0.weight": torch.ones(8, 32), "projector.0.bias": torch.ones(8)},
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"best_model_path": Path("a.ckpt")}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 1e-3, "root": Path("/data"), "heads": 4} | beside,
    }
    torch.save(content, folder / "epoch=9.ckpt")
    return folder / "epoch=9.ckpt", module, {"prefix": prefix, "left": "loss.weight"}


def lightning_named(folder: Path) -> tuple:
    module = named(depth=2)
    content = {"state_dict": prefixed(module.state_dict(), "net."), "hyper_parameters": {"model_name": "test_vit"}}
    torch.save(content, folder / "best.ckpt")
    return folder / "best.ckpt", module, {"prefix": "net."}


class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = small(num_classes=0)
        self.classifier = nn.Linear(32, 7)

    def forward(self, pixels):
        return self.classifier(self.backbone(pixels))


def classifier_beside(folder: Path) -> tuple:
    module = Probe().eval()
    torch.save({"state_dict": module.state_dict(), "hyper_parameters": {"num_heads": 4}}, folder / "probe.ckpt")
    return folder / "probe.ckpt", module, {"prefix": "backbone."}


def dino(folder: Path) -> tuple:
    """As DINO's main_dino.py writes it: student and teacher, each with its projection head."""
    student, teacher = small(1, num_classes=0), small(2, num_classes=0)
    head = {"head.mlp.0.weight": torch.ones(16, 32), "head.last_layer.weight_v": torch.ones(9, 16)}
    content = {
        "student": prefixed(student.state_dict(), "module.backbone.") | prefixed(head, "module."),
        "teacher": prefixed(teacher.state_dict(), "backbone.") | head,
        "optimizer": {"state": {}, "param_groups": []},
        "epoch": 100,
        "args": argparse.Namespace(arch="vit_small", patch_size=8, num_heads=4),
        "dino_loss": {"center": torch.zeros(1, 9)},
    }
    torch.save(content, folder / "checkpoint.pth")
    return folder / "checkpoint.pth", teacher, {"weights": "weights of checkpoint.pth, the teacher's"}


def dinov2(folder: Path) -> tuple:
    """As DINOv2 publishes it: registers without rows of the position table, a mask token, gated MLPs."""
    module = stirred(timm.create_model("vit_small_patch14_reg4_dinov2", depth=2, img_size=56, num_classes=0))
    state = module.state_dict()
    row = torch.randn(1, 1, 384, generator=torch.Generator().manual_seed(2))
    state["pos_embed"] = torch.cat([row, state["pos_embed"]], dim=1)
    state["cls_token"] = state["cls_token"] - row
    state["register_tokens"] = state.pop("reg_token")
    state["mask_token"] = torch.zeros(1, 384)
    torch.save(state, folder / "dinov2.pth")
    return folder / "dinov2.pth", module, {"arch": "heads=6"}


def mae(folder: Path) -> tuple:
    """As MAE's main_pretrain.py writes it: an encoder with a decoder behind it."""
    module = small(num_classes=0)
    decoder = {"mask_token": torch.zeros(1, 1, 16), "decoder_embed.weight": torch.ones(16, 32)}
    decoder |= {"decoder_blocks.0.attn.qkv.weight": torch.ones(48, 16), "decoder_pos_embed": torch.ones(1, 37, 16)}
    arguments = argparse.Namespace(model="mae_vit_base_patch16", input_size=48)
    torch.save({"model": module.state_dict() | decoder, "args": arguments}, folder / "mae.pth")
    return folder / "mae.pth", module, {"arch": HEADS}


def mae_finetuned(folder: Path) -> tuple:
    module = small(global_pool="avg")
    torch.save({"model": module.state_dict(), "args": argparse.Namespace(model="vit_base_patch16")}, folder / "ft.pth")
    return folder / "ft.pth", module, {"arch": HEADS}


def safetensors_with_prefix(folder: Path) -> tuple:
    module = small()
    save_file(prefixed(module.state_dict(), "encoder."), folder / "weights.bin")
    return folder / "weights.bin", module, {"arch": HEADS, "prefix": "encoder."}


def nested(folder: Path) -> tuple:
    module = small()
    torch.save({"checkpoint": {"best": {"state_dict": module.state_dict()}, "epoch": 3}}, folder / "nested.pth.tar")
    return folder / "nested.pth.tar", module, {"arch": HEADS}


def vision(**options) -> TorchVision:
    settings = {"image_size": 48, "patch_size": 8, "num_layers": 2, "num_heads": 4, "hidden_dim": 32, "mlp_dim": 64}
    return stirred(TorchVision(num_classes=5, **settings | options))


def torchvision(folder: Path) -> tuple:
    module = vision()
    torch.save(module.state_dict(), folder / "vit_b_16.pth")
    return folder / "vit_b_16.pth", module, {"arch": HEADS}


def torchvision_run(folder: Path) -> tuple:
    """As torchvision's references/classification/train.py writes it."""
    module = vision()
    average = {"n_averaged": torch.tensor(7)} | prefixed(module.state_dict(), "module.")
    content = {"model": stirred(vision(), 5).state_dict(), "model_ema": average}
    torch.save(content, folder / "checkpoint.pth")
    return folder / "checkpoint.pth", module, {"arch": HEADS, "weights": "averaged over training"}


def openai(folder: Path) -> tuple:
    """As OpenAI and open_clip keep the image tower of a CLIP, beside the text tower."""
    module = small(pre_norm=True, act_layer="quick_gelu", norm_layer=partial(timm.layers.LayerNorm, eps=1e-5))
    module.head.bias.data.zero_()
    names = {
        "patch_embed.proj.": "conv1.",
        "norm_pre.": "ln_pre.",
        "attn.qkv.": "attn.in_proj_",
        "cls_token": "class_e",
    }
    names |= {"attn.proj.": "attn.out_proj.", "mlp.fc1.": "mlp.c_fc.", "mlp.fc2.": "mlp.c_proj.", "norm1": "ln_1"}
    names |= {"norm2": "ln_2", "blocks.": "transformer.resblocks.", "class_e": "class_embedding"}
    state = {"positional_embedding": torch.ones(7, 16), "logit_scale": torch.ones(())}
    for key, value in module.state_dict().items():
        for own, theirs in names.items():
            key = key.replace(own, theirs)
        key = {"pos_embed": "positional_embedding", "head.weight": "proj"}.get(key, key.replace("norm.", "ln_post."))
        value = {
            "class_embedding": value.flatten(),
            "positional_embedding": value.squeeze(),
            "proj": value.t() if value.ndim == 2 else value,
        }.get(key, value)
        if key != "head.bias":
            state[f"visual.{key}"] = value
    torch.save(state, folder / "ViT-B-32.pt")
    return folder / "ViT-B-32.pt", module, {"arch": HEADS, "prefix": "visual."}


def another_network_named(folder: Path) -> tuple:
    """A run that names the network of a part of it that is not looked at."""
    module = small()
    content = {"state_dict": module.state_dict(), "hyper_parameters": {"backbone": "resnet50", "num_heads": 4}}
    torch.save(content, folder / "last.ckpt")
    return folder / "last.ckpt", module, {}


def distilled(folder: Path) -> tuple:
    module = stirred(VisionTransformerDistilled(**SIZE))
    torch.save({"model": module.state_dict()}, folder / "deit.pth")
    return folder / "deit.pth", module, {"arch": HEADS}


def fitting(option: dict) -> Callable:
    def write(folder: Path) -> tuple:
        module = small(**option)
        torch.save(module.state_dict(), folder / "own.pth")
        return folder / "own.pth", module, {} if option.get("qk_norm") else {"arch": HEADS}

    return write


WRITERS = [
    *(
        timm_saver,
        timm_saver_averaged,
        timm_saver_without_arguments,
        plain_state,
        before_zip,
        whole_module,
        distributed,
    ),
    *(
        compiled,
        compiled_and_distributed,
        lightning,
        lightning_named,
        classifier_beside,
        dino,
        dinov2,
        mae,
        mae_finetuned,
    ),
    *(safetensors_with_prefix, nested, torchvision, torchvision_run, distilled),
    *(openai, another_network_named),
    partial(lightning, prefix="model.backbone._orig_mod."),
]
FACTS = {
    "registers": {"reg_tokens": 3},
    "registers without positions": {"reg_tokens": 4, "no_embed_class": True},
    "no class token": {"class_token": False, "global_pool": "avg"},
    "mean, norm before": {"class_token": False, "global_pool": "avg", "fc_norm": False},
    "pooling head": {"class_token": False, "global_pool": "map"},
    "norm before the blocks": {"pre_norm": True},
    "layer scale": {"init_values": 0.1},
    "queries normed": {"qk_norm": True},
    "no bias": {"qkv_bias": False},
    "gated": {"mlp_layer": timm.layers.SwiGLUPacked, "act_layer": nn.SiLU, "mlp_ratio": 5.4},
    "rms": {"norm_layer": partial(timm.layers.RmsNorm, eps=1e-6)},
    "features": {"num_classes": 0},
}


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: getattr(write, "__name__", "lightning nested"))
def test_layouts(write, tmp_path):
    path, module, told = write(tmp_path)
    model = vizvit.load_model(path, arch=told.get("arch"), device="cpu")
    same(model, module)
    assert model.trained and told.get("weights", f"weights of {path.name}") in model.weights
    said = "; ".join(model.notes)
    for key in ("prefix", "left"):
        assert told.get(key, "") in said


@pytest.mark.parametrize("fact", FACTS)
def test_facts_are_read_off_the_weights(fact, tmp_path):
    path, module, told = fitting(FACTS[fact])(tmp_path)
    model = vizvit.load_model(path, device="cpu", **told)
    same(model, module)
    assert model.grid.rows == 6


# --- an architecture that is named is made to fit; a size is the table's


def test_a_named_architecture_is_made_to_fit(tmp_path):
    """Other classes, channels' patches, size, depth and registers than timm's of that name."""
    made = {"num_classes": 4, "img_size": 96, "patch_size": 8, "depth": 3, "reg_tokens": 2, "global_pool": "avg"}
    module = stirred(timm.create_model("vit_tiny_patch16_224", **made))
    torch.save(module.state_dict(), tmp_path / "own.pth")
    model = vizvit.load_model(tmp_path / "own.pth", arch="vit_tiny_patch16_224", device="cpu")
    same(model, module)
    assert (model.architecture, model.input_size, model.grid.rows) == ("vit_tiny_patch16_224", (96, 96), 12)
    assert model.grid.prefix_names == ("class", "register 1", "register 2")
    assert "resampled" not in model.weights and len(model.labels) == 4


@pytest.mark.parametrize("name", ["eva02_tiny_patch14_224", "beit_base_patch16_224"])
def test_other_families_are_made_to_fit(name, tmp_path):
    patch = 14 if "14" in name else 16
    module = stirred(timm.create_model(name, img_size=4 * patch, depth=2, num_classes=3))
    torch.save({"model": prefixed(module.state_dict(), "module.")}, tmp_path / "own.pth")
    model = vizvit.load_model(tmp_path / "own.pth", arch=name, device="cpu")
    same(model, module)
    assert model.grid.rows == 4


def test_the_size_is_the_position_tables(tmp_path):
    module = small()
    torch.save(module.state_dict(), tmp_path / "own.pth")
    model = vizvit.load_model(tmp_path / "own.pth", arch=HEADS, device="cpu")
    assert model.input_size == (48, 48) and model.weights == "weights of own.pth"
    other = vizvit.load_model(tmp_path / "own.pth", arch=HEADS, image_size=64, device="cpu")
    assert other.input_size == (64, 64)
    assert other.weights == "weights of own.pth, positions resampled from 6×6 patches"
    expected = timm.layers.resample_abs_pos_embed(module.pos_embed, [8, 8], num_prefix_tokens=1)
    torch.testing.assert_close(other.module.pos_embed, expected)


@pytest.mark.parametrize("safe", [True, False])
def test_the_size_of_a_directorys_table(tmp_path, safe):
    """Its configuration names an architecture of 224 pixels; its weights were trained at 96."""
    module = stirred(timm.create_model("test_vit", img_size=96, num_classes=3))
    timm.models.save_for_hf(module, tmp_path, safe_serialization=safe)
    model = vizvit.load_model(tmp_path, device="cpu")
    same(model, module)
    assert model.input_size == (96, 96) and "resampled" not in model.weights
    asked = vizvit.load_model(tmp_path, image_size=160, device="cpu")
    assert asked.weights == "weights of a local directory, positions resampled from 6×6 patches"


def test_a_table_that_is_no_square_needs_its_size(tmp_path):
    module = small(img_size=(32, 56))
    torch.save({"state_dict": module.state_dict()}, tmp_path / "wide.pth")
    with pytest.raises(vizvit.ModelError, match=r"29 rows.* no square grid.*image_size="):
        vizvit.load_model(tmp_path / "wide.pth", arch=HEADS, device="cpu")
    model = vizvit.load_model(tmp_path / "wide.pth", arch=HEADS, image_size=(32, 56), device="cpu")
    same(model, module)
    assert (model.grid.rows, model.grid.cols) == (4, 7)


# --- what weights do not tell is said or asked for


def test_heads_are_asked_for(tmp_path):
    module = small()
    torch.save(module.state_dict(), tmp_path / "own.pth")
    with pytest.raises(vizvit.ModelError, match=r'2 layers and width 32.*arch="heads=1"'):
        vizvit.load_model(tmp_path / "own.pth", device="cpu")
    for wrong in ("heads=", "heads=x", "heads=0", "heads=3"):
        with pytest.raises(vizvit.ModelError, match="heads"):
            vizvit.load_model(tmp_path / "own.pth", arch=wrong, device="cpu")


def test_what_is_assumed_is_said(tmp_path):
    module = stirred(VisionTransformer(embed_dim=192, num_heads=3, img_size=32, num_classes=2))
    torch.save(module.state_dict(), tmp_path / "own.pth")
    model = vizvit.load_model(tmp_path / "own.pth", device="cpu")
    same(model, module)
    assert "3 heads a layer assumed, as published networks of this size have" in model.notes
    assert "preprocessing assumed: mean and standard deviation of ImageNet" in model.notes


def test_published_sizes_have_timms_heads():
    """Every plain network of timm's that has such a size has so many heads."""
    seen = set()
    for name in (
        "vit_tiny_patch16_224",
        "vit_small_patch16_224",
        "vit_base_patch16_224",
        "vit_so400m_patch14_siglip_224",
    ):
        with torch.device("meta"):
            module = timm.create_model(name, weight_init="skip")
        options = options_of(shapes_of(module.state_dict()))
        size = options["embed_dim"], options["depth"]
        assert PUBLISHED[size] == module.blocks[0].attn.num_heads
        seen.add(size)
    assert len(seen) == 4


def test_random_weights_for_a_checkpoints_architecture(tmp_path):
    torch.save(small().state_dict(), tmp_path / "own.pth")
    models = [vizvit.load_model(tmp_path / "own.pth", arch=HEADS, weights="random", device="cpu") for _ in "ab"]
    assert not models[0].trained and models[0].num_layers == 2
    torch.testing.assert_close(models[0].module.state_dict(), models[1].module.state_dict(), atol=0, rtol=0)


# --- what does not fit, and what is no checkpoint


def test_weights_of_another_architecture_than_named(tmp_path):
    torch.save(small().state_dict(), tmp_path / "own.pth")
    with pytest.raises(vizvit.ModelError) as caught:
        vizvit.load_model(tmp_path / "own.pth", arch="vit_small_patch16_224", device="cpu")
    message = str(caught.value)
    assert message.count(" instead of ") == 3 and "more" in message
    assert "cls_token is [1, 1, 32] instead of [1, 1, 384]" in message
    assert "of width 32 with patches of 8 pixels" in message and "arch=" in message


@pytest.mark.parametrize(
    ("name", "words"),
    [("swin_tiny_patch4_window7_224", "merged"), ("resnet18", "ResNet"), ("beit_base_patch16_224", "BEiT"),
     ("vit_small_patch16_dinov3", "DINOv3")],
)  # fmt: skip
def test_other_networks_are_named(name, words, tmp_path):
    with torch.device("meta"):
        state = timm.create_model(name).state_dict()
    torch.save({key: torch.zeros(value.shape, dtype=torch.float16) for key, value in state.items()}, tmp_path / "x.pth")
    with pytest.raises(vizvit.ModelError, match=words):
        vizvit.load_model(tmp_path / "x.pth", device="cpu")


def garbage(kind: str, path: Path) -> None:
    save_file(small().state_dict(), path)
    whole, archive, picture = path.read_bytes(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("report/chapter.txt", "text")
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    torch.save(small().state_dict(), path)
    pages = b"<!DOCTYPE html>\n<html><head><title>404: not found</title></head></html>"
    path.write_bytes({
        "empty": b"",
        "text": b"The weights are on the other disk.\n",
        "html": pages,
        "zip": archive.getvalue(),
        "half safetensors": whole[: len(whole) // 2],
        "safetensors' header": whole[:200],
        "half zip": path.read_bytes()[:5000],
        "picture": picture.getvalue(),
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "json": b'{"weight_map": {}}',
    }[kind])  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "what", "advice"),
    [
        ("empty", "it is empty", "Download it again"),
        ("text", 'text that begins "The weights are on the other disk."', "Give a file of weights"),
        ("html", 'a web page ("404: not found")', "Download the file itself again"),
        ("zip", "a zip archive that holds report/chapter.txt", "Unpack it"),
        ("half safetensors", "a safetensors file that was cut short", "Download it again"),
        ("safetensors' header", "cut short within its header", "Download it again"),
        ("half zip", "a zip archive, as torch.save writes it, that was cut short", "Download it again"),
        ("picture", "a picture (PNG)", "Give it as the picture"),
        ("lfs", "a Git LFS pointer", "git lfs pull"),
        ("json", "JSON text", "the folder that holds it"),
    ],
)
def test_garbage_is_named(kind, what, advice, tmp_path):
    path = tmp_path / "model.pth"
    garbage(kind, path)
    for given in ({}, {"arch": "vit_tiny_patch16_224"}):
        with pytest.raises(vizvit.ModelError) as caught:
            vizvit.load_model(path, device="cpu", **given)
        assert "model.pth cannot be read as weights" in str(caught.value)
        assert what in str(caught.value) and advice in str(caught.value)


# --- the app's sidebar and the commands take the same paths, without further options


def sidebar() -> None:
    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()


def test_the_sidebar_opens_what_its_content_decides(tmp_path, monkeypatch):
    path, _, _ = lightning(tmp_path)
    app = AppTest.from_function(sidebar, default_timeout=90)
    app.query_params["model"] = str(path)
    app.run()
    assert not app.exception and not app.error
    assert app.session_state.choice.vit.name == "epoch=9.ckpt"
    assert any("weights named model" in caption.value for caption in app.caption)
    monkeypatch.setenv("VIZVIT_PATHS", "off")
    for name in (str(path), "somebody/network"):
        app.query_params["model"] = name
        app.session_state.model = name
        assert "only the models of the list" in app.run().error[0].value


def test_commands_open_what_their_content_decides(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (60, 50), "olive").save("olive.png")
    path, _, _ = timm_saver(tmp_path)
    assert main(["heads", "olive.png", "--model", str(path)]) == 0, capsys.readouterr().err
    assert "weights read from state_dict" in capsys.readouterr().err
    torch.save(small().state_dict(), "own.pth")
    assert main(["heads", "olive.png", "--model", "own.pth"]) == 2
    assert "--arch heads=1" in capsys.readouterr().err
    assert main(["heads", "olive.png", "--model", "own.pth", "--arch", "heads=4"]) == 0
