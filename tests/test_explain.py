"""Explanations against explicit autograd through materialised matrices, and against the libraries called directly."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from reference import largest_difference
from torch.overrides import TorchFunctionMode

import vizvit
from vizvit.explanations import METHODS
from vizvit.explanations import task as tasks

PLAIN = ("vit_tiny_patch16_224", {"image_size": (48, 80), "depth": 4})
DISTILLED = ("deit_tiny_distilled_patch16_224", {"image_size": 64, "depth": 4})
REGISTERS = ("vit_small_patch14_reg4_dinov2", {"image_size": (70, 98), "depth": 4, "num_classes": 10})
ROTARY = ("eva02_tiny_patch14_224", {"image_size": 70, "depth": 4, "num_classes": 10})
CLASSLESS = ("vit_base_patch16_gap_224", {"image_size": 64, "depth": 3, "heads": 3})
POOLED = ("vit_base_patch16_siglip_224", {"image_size": 64, "depth": 3, "heads": 3, "num_classes": 10})
BIASED = ("beit_base_patch16_224", {"image_size": (64, 96), "depth": 3, "heads": 3})
CLASS_AND_POOLED = ("vit_pe_core_tiny_patch16_384", {"image_size": 64, "depth": 3, "heads": 3, "num_classes": 10})
MODELS = [PLAIN, DISTILLED, REGISTERS, ROTARY, CLASSLESS, POOLED, CLASS_AND_POOLED, BIASED]
TARGET = 11  # of the plain model, whose Grad-CAM speaks for some patches and against others


@pytest.fixture(scope="module", params=MODELS, ids=[name for name, _ in MODELS])
def model(request, vit):
    name, options = request.param
    return vit(name, **options)


@pytest.fixture(scope="module")
def plain(vit):
    return vit(PLAIN[0], **PLAIN[1])


class Softmaxes(TorchFunctionMode):
    """Every softmax over [picture, head, query, key] that is made, with its gradient."""

    def __init__(self):
        super().__init__()
        self.found: list[torch.Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func is torch.Tensor.softmax and out.ndim == 4:
            out.retain_grad()
            self.found.append(out)
        return out


class Materialised:
    """A, and (A ⊙ ∂y/∂A)⁺ as the mean over heads, by explicit autograd in float64 without fused attention."""

    def __init__(self, vit, view: np.ndarray, target: int):
        module = copy.deepcopy(vit.module).double()
        for part in module.modules():
            if hasattr(part, "fused_attn"):
                part.fused_attn = False
        last = []
        module.blocks[-1].register_forward_hook(lambda _block, _given, out: (out.retain_grad(), last.append(out))[1])
        with Softmaxes() as seen:
            logits = module(vit.normalise(view).double().requires_grad_())
        logits[0, target].backward()
        layers, pool = seen.found[: vit.num_layers], seen.found[vit.num_layers :]
        assert len(layers) == vit.num_layers and len(pool) == (vit.read_out == "pooling head")
        self.attention = [a[0].detach().numpy() for a in layers]  # [head, query, key]
        weighted = [(a * a.grad)[0].detach().clamp(min=0).mean(0).numpy() for a in layers]
        self.weighted = weighted  # [query, key]
        self.grid = vit.grid
        prefix = vit.grid.num_prefix_tokens
        if pool:
            weights, gradient = pool[0][0, :, 0].detach().numpy(), pool[0].grad[0, :, 0].numpy()
            self.row, self.gradient_row = weights.mean(0), np.maximum(weights * gradient, 0).mean(0)
        else:  # what the prediction is read from has a gradient, and nothing else
            read = last[0].grad[0].abs().amax(-1).numpy() > 0
            self.row = self.gradient_row = read / read.sum()
        # Read at the patches themselves: what each has of itself without attention would hide the rest.
        self.without_own = not pool and bool(read[prefix:].any())

    def map(self, row: np.ndarray) -> np.ndarray:
        return row[self.grid.num_prefix_tokens :].reshape(self.grid.rows, self.grid.cols)


def rollout_row(row: np.ndarray, matrices: list[np.ndarray], *, without_own: bool = False) -> np.ndarray:
    flow, own = np.eye(len(row)), np.ones(len(row))
    for matrix in matrices:
        mixed = (np.eye(len(row)) + matrix) / 2
        flow = mixed / mixed.sum(1, keepdims=True) @ flow
        own = own / 2 / mixed.sum(1)
    return row @ flow - without_own * row * own


def relevance_row(row: np.ndarray, matrices: list[np.ndarray], *, without_own: bool) -> np.ndarray:
    relevance = np.eye(len(row))
    for matrix in matrices:
        relevance = relevance + matrix @ relevance
    return row @ relevance - without_own * row


def test_own_methods_are_explicit_autograd(model, picture):
    view = model.view(picture)
    by_hand = Materialised(model, view, 3)
    mean = [attention.mean(0) for attention in by_hand.attention]
    expected = {
        "attention": by_hand.row @ mean[-1],
        "rollout": rollout_row(by_hand.row, mean),
        "gradient_rollout": rollout_row(by_hand.gradient_row, by_hand.weighted, without_own=by_hand.without_own),
        "relevance": relevance_row(by_hand.gradient_row, by_hand.weighted, without_own=by_hand.without_own),
        "attention_gradient": by_hand.gradient_row @ by_hand.weighted[-1],
    }
    for method, row in expected.items():
        found = vizvit.explain(model, view, method, target=3)
        assert found.dtype == np.float32 and found.max() > 0, method
        wanted = by_hand.map(row)
        assert np.abs(found - wanted).max() < 1e-3 * np.ptp(wanted), method  # of the range: a map may hardly vary


def patches_on_grid(tokens: torch.Tensor, grid) -> torch.Tensor:
    patches = tokens[:, grid.num_prefix_tokens :]
    return patches.reshape(len(tokens), grid.rows, grid.cols, -1).permute(0, 3, 1, 2)


def test_grad_cam_is_the_librarys(model, picture):
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    view, grid = model.view(picture), model.grid
    module = copy.deepcopy(model.module).requires_grad_(True)
    cam = GradCAM(module, [module.blocks[-1].norm1], reshape_transform=lambda x: patches_on_grid(x, grid))
    positive = 0
    for target in range(6):  # a map may be zero all over, where every patch speaks against the class
        expected = cam(model.normalise(view), [ClassifierOutputTarget(target)])
        found = vizvit.explain(model, view, "grad_cam", target=target)
        assert found.shape == (grid.rows, grid.cols)
        # As the library goes on from the values at patch resolution: rescaled and enlarged, then rescaled again.
        enlarged = scale_cam_image(scale_cam_image(found[None], model.input_size[::-1]))
        np.testing.assert_allclose(enlarged, expected, atol=1e-4)
        # And the values themselves, from what the library saw: channels weighted by their mean gradient.
        seen = cam.activations_and_grads
        activations, gradients = (held[0][0].numpy() for held in (seen.activations, seen.gradients))
        raw = np.einsum("c,cij->ij", gradients.mean((1, 2)), activations)
        np.testing.assert_allclose(found, np.maximum(raw, 0), atol=1e-4 * np.abs(raw).max())
        positive += found.max() > 0
    assert positive


@pytest.mark.parametrize("baseline", ["black", "grey"])
def test_integrated_gradients_are_captums(model, picture, baseline):
    from captum.attr import IntegratedGradients

    view, grid = model.view(picture), model.grid
    begin = model.normalise(np.full_like(view, {"black": 0, "grey": 128}[baseline]))
    attribute = IntegratedGradients(copy.deepcopy(model.module)).attribute
    pixels = attribute(model.normalise(view), begin, target=3, n_steps=6)[0].sum(0).numpy()
    height, width = grid.image_size
    blocks = pixels[:height, :width].reshape(grid.rows, grid.patch_size, grid.cols, grid.patch_size)
    found = vizvit.explain(model, view, "integrated_gradients", target=3, baseline=baseline, steps=6, batch=4)
    assert largest_difference(found, blocks.mean((1, 3))) < 1e-4


def test_integrated_gradients_add_up(plain, picture):
    """What the patches get is what the logit gained on the way from the baseline."""
    view = plain.view(picture)
    heat = vizvit.explain(plain, view, "integrated_gradients", target=TARGET, steps=128)
    with torch.no_grad():
        ends = [plain.module(plain.normalise(pixels))[0, TARGET] for pixels in (np.zeros_like(view), view)]
    assert heat.sum() * plain.grid.patch_size**2 == pytest.approx(float(ends[1] - ends[0]), rel=1e-2)


def test_the_shared_module_is_left_alone(vit, picture):
    model = vit(*PLAIN[:1], **PLAIN[1])
    view, before = model.view(picture), {name: p.clone() for name, p in model.module.state_dict().items()}
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    for method in METHODS:
        seen = []
        whole = torch.nn.Module.register_forward_hook
        ids = {id(part) for part in model.module.modules()}

        def register(part, *args, ids=ids, seen=seen, whole=whole, **kwargs):
            seen.append(id(part) in ids)
            return whole(part, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.nn.Module, "register_forward_hook", register)
            vizvit.explain(model, view, method, target=TARGET)
        assert not any(seen) and bool(seen) == (method == "grad_cam")
        assert not any(getattr(part, kind) for part in model.module.modules() for kind in hooks)
        assert all(p.grad is None and not p.requires_grad for p in model.module.parameters())
    assert all(torch.equal(before[name], p) for name, p in model.module.state_dict().items())


def test_what_the_methods_say_of_themselves(plain, picture):
    view = plain.view(picture)
    assert list(METHODS) == [
        *("attention", "rollout", "gradient_rollout", "relevance", "attention_gradient", "grad_cam"),
        *("integrated_gradients", "random", "centre"),
    ]
    for name, method in METHODS.items():
        maps = [vizvit.explain(plain, view, name, target=target) for target in (TARGET, 7)]
        assert maps[0].shape == (plain.grid.rows, plain.grid.cols) and maps[0].dtype == np.float32
        assert np.array_equal(*maps) != method.needs_target, name
        assert (np.minimum(*maps) < 0).any() == method.signed, name
        assert method.control == (name in ("random", "centre")) and method.source


def test_controls(plain, picture):
    view = plain.view(picture)
    first, again, other = (vizvit.explain(plain, view, "random", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    heat = vizvit.explain(plain, view, "centre")  # 3 x 5 patches
    assert heat[1, 2] == heat.max() == 1 and heat[0, 0] == heat.min() > 0
    np.testing.assert_array_equal(heat, heat[::-1, ::-1])
    assert heat[1, 1] > heat[0, 1] > heat[0, 0]


def test_the_class_is_the_predicted_one_or_named(plain, picture):
    view = plain.view(picture)
    likeliest = int(vizvit.capture(plain, picture).logits.argmax())
    named = replace(plain, labels=tuple(f"animal {i}" for i in range(len(plain.labels))))
    for method in ("relevance", "grad_cam"):
        expected = vizvit.explain(plain, view, method, target=likeliest)
        np.testing.assert_array_equal(vizvit.explain(plain, view, method), expected)
        np.testing.assert_array_equal(vizvit.explain(named, view, method, target=f"Animal {likeliest}"), expected)


def test_an_earlier_capture_is_used(plain, picture, monkeypatch):
    view = plain.view(picture)
    cap = vizvit.capture(plain, picture, target=TARGET)
    own = [name for name in METHODS if name not in ("grad_cam", "integrated_gradients")]
    expected = {name: vizvit.explain(plain, view, name, target=TARGET) for name in own}
    other = vizvit.explain(plain, view, "relevance", target=1)
    np.testing.assert_array_equal(vizvit.explain(plain, view, "relevance", target=1, capture=cap), other)

    def refuse(*args):
        raise AssertionError("a capture was made again")

    monkeypatch.setattr(tasks, "capture_view", refuse)
    for name in own:
        np.testing.assert_array_equal(vizvit.explain(plain, view, name, target=TARGET, capture=cap), expected[name])
    with pytest.raises(AssertionError):
        vizvit.explain(plain, view, "relevance", target=1, capture=cap)


def test_contrast(plain, picture):
    view = plain.view(picture)
    for method, entry in METHODS.items():
        if entry.needs_target:
            heat = vizvit.contrast(plain, view, method, 1, 2)
            parts = [vizvit.explain(plain, view, method, target=target) for target in (1, 2)]
            np.testing.assert_array_equal(heat, parts[0] - parts[1])
            np.testing.assert_array_equal(vizvit.contrast(plain, view, method, 2, 1), -heat)
        else:
            with pytest.raises(vizvit.CaptureError, match="same for every class"):
                vizvit.contrast(plain, view, method, 1, 2)


def test_options_reach_the_methods(plain, picture):
    view = plain.view(picture)
    cap = vizvit.capture(plain, picture, target=TARGET)
    options = {"residual": 0.2, "discard_ratio": 0.5, "start_layer": 1, "token": ("patch", 1, 1)}
    found = vizvit.explain(plain, view, "rollout", head_fusion="max", capture=cap, **options)
    np.testing.assert_array_equal(found, vizvit.rollout(cap, head_fusion="max", **options))
    found = vizvit.explain(plain, view, "gradient_rollout", target=TARGET, **options)
    np.testing.assert_array_equal(found, vizvit.gradient_rollout(cap, **options))
    assert set(METHODS["integrated_gradients"].options) == {"baseline", "steps", "batch", "on_progress"}


def test_a_changed_model(plain, picture):
    """Patches that are left out get 0 from every method that asks the model."""
    view, gone = plain.view(picture), {(0, 0), (2, 3)}
    with vizvit.intervene(plain, vizvit.DropPatches(gone)) as changed:
        for name, method in METHODS.items():
            heat = vizvit.explain(changed, view, name, target=TARGET)
            if not method.control:
                assert all(heat[patch] == 0 for patch in gone), name
                assert np.count_nonzero(heat) > heat.size / 3, name
    with (
        vizvit.intervene(plain, vizvit.KnockOutLayers({-1})) as changed,
        pytest.raises(vizvit.CaptureError, match="depends"),
    ):
        vizvit.explain(changed, view, "grad_cam", target=TARGET)


def test_under_no_grad(plain, picture):
    view = plain.view(picture)
    expected = {name: vizvit.explain(plain, view, name, target=TARGET) for name in METHODS}
    with torch.no_grad():
        for name, heat in expected.items():
            np.testing.assert_array_equal(vizvit.explain(plain, view, name, target=TARGET), heat)


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("saliency", {}, "Choose one of attention, rollout"),
        ("relevance", {"residual": 0.5}, 'no option "residual"; it has token'),
        ("centre", {"seed": 1}, "it has none"),
        ("integrated_gradients", {"baseline": "white"}, "black, grey"),
        ("integrated_gradients", {"steps": 0}, "whole numbers from 1"),
        ("grad_cam", {"layer": 4}, "layers 0 to 3"),
        ("relevance", {"token": "register 1"}, "no token"),
    ],
)
def test_refusals(plain, picture, method, options, words):
    with pytest.raises(vizvit.CaptureError, match=words):
        vizvit.explain(plain, plain.view(picture), method, target=TARGET, **options)


def test_refusals_of_what_was_given(plain, vit, picture, pictures):
    view = plain.view(picture)
    with pytest.raises(vizvit.CaptureError, match="48, 80, 3"):
        vizvit.explain(plain, view[:32], "centre")
    with pytest.raises(vizvit.CaptureError, match="another picture"):
        vizvit.explain(plain, view, "rollout", capture=vizvit.capture(plain, pictures[0]))
    with pytest.raises(vizvit.ModelError, match="classes 0 to 999"):
        vizvit.explain(plain, view, "relevance", target=1000)
    featureless = replace(plain, labels=())
    vizvit.explain(featureless, view, "rollout")
    with pytest.raises(vizvit.ModelError, match="no classifier"):
        vizvit.explain(featureless, view, "relevance")
