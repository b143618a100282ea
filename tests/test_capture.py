"""A capture against timm's own unfused attention, autograd and forward hooks."""

from __future__ import annotations

import copy
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import timm
import torch
from reference import awaken, largest_difference, random_pixels
from test_supported import reason
from torch.nn import functional as F
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

import vizvit
from vizvit.forward import few, recorder
from vizvit.forward.capture import capture_input
from vizvit.model.vit import VitModel

# (architecture, options): every family of blocks, position embeddings, prefix tokens and heads that timm has.
FAMILIES = [
    ("vit_tiny_patch16_224", {"image_size": (96, 160)}),
    ("vit_tiny_patch16_224", {"image_size": (100, 110), "depth": 3}),  # not a multiple of the patch
    ("vit_small_patch16_224", {"image_size": 96, "depth": 3}),
    ("vit_base_patch32_224", {"depth": 3, "heads": 3}),
    ("vit_base_patch16_gap_224", {"image_size": 64, "depth": 3, "heads": 3}),
    ("deit_tiny_distilled_patch16_224", {"image_size": 96}),
    ("deit3_small_patch16_224", {"image_size": 96, "depth": 4}),
    ("vit_small_patch14_reg4_dinov2", {"image_size": (70, 112), "depth": 4}),
    ("vit_wee_patch16_reg1_gap_256", {"image_size": 96, "depth": 4}),
    ("vit_pwee_patch16_reg1_gap_256", {"image_size": 96, "depth": 4}),  # attention beside MLP, q/k normalised
    ("vit_base_patch16_xp_224", {"image_size": 64, "depth": 3, "heads": 3}),
    ("vit_base_patch16_siglip_224", {"image_size": 96, "depth": 3, "heads": 3, "num_classes": 10}),
    ("vit_base_patch32_clip_224", {"depth": 3, "heads": 3}),
    ("flexivit_small", {"image_size": 90, "depth": 4}),
    ("aimv2_large_patch14_224", {"image_size": 70, "depth": 2, "heads": 4}),
    ("eva02_tiny_patch14_224", {"image_size": (70, 112), "num_classes": 10}),
    ("eva_large_patch14_196", {"image_size": 70, "depth": 2, "heads": 4}),
    ("vit_small_patch16_dinov3", {"image_size": (96, 160), "depth": 4}),
    ("vit_medium_patch16_rope_reg1_gap_256", {"image_size": 96, "depth": 3, "heads": 3}),
    ("vit_small_patch16_rope_mixed_224", {"image_size": 96, "depth": 4}),
    ("vit_small_patch16_rope_mixed_ape_224", {"image_size": (64, 96), "depth": 3}),
    ("vit_pe_core_tiny_patch16_384", {"image_size": 96, "depth": 4}),
    ("vit_pe_spatial_tiny_patch16_512", {"image_size": 96, "depth": 4}),
    ("beit_base_patch16_224", {"image_size": (64, 96), "depth": 3, "heads": 3}),
    ("beitv2_base_patch16_224", {"image_size": 64, "depth": 3, "heads": 3}),
    ("vit_relpos_small_patch16_224", {"image_size": (96, 64), "depth": 4}),
    ("vit_relpos_base_patch16_cls_224", {"image_size": 64, "depth": 3}),
    ("vit_relpos_base_patch16_clsgap_224", {"image_size": 64, "depth": 3}),
    ("vit_srelpos_small_patch16_224", {"image_size": 64, "depth": 4}),
    ("naflexvit_base_patch16_gap", {"image_size": (96, 160), "depth": 3, "heads": 3}),
    ("naflexvit_base_patch16_parfac_gap", {"image_size": (96, 160), "depth": 3, "heads": 3}),
    ("naflexvit_base_patch16_map", {"image_size": 96, "depth": 3, "heads": 3}),
    ("vit_tiny_r_s16_p8_224", {"image_size": 96, "depth": 4}),
    ("vitamin_small_224", {}),
]
IDS = [f"{name}-{options.get('image_size', 'own size')}".replace(" ", "") for name, options in FAMILIES]


@pytest.fixture(scope="module", params=FAMILIES, ids=IDS)
def model(request, vit) -> VitModel:
    name, options = request.param
    return vit(name, **options)


@pytest.fixture
def tiny(vit) -> VitModel:
    return vit("vit_tiny_patch16_224", image_size=(48, 80))


# --- the numbers


def unfused(module: torch.nn.Module) -> torch.nn.Module:
    """A copy that computes softmax(q kᵀ) step by step, as timm does where there is no fused attention."""
    twin = copy.deepcopy(module)
    for part in twin.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    return twin


def watched_attention(module: torch.nn.Module) -> list[torch.Tensor]:
    """A list that fills with each block's softmax, [1, head, query, key], when the unfused module runs."""
    found = []
    for block in module.blocks:
        (dropout,) = (part for name, part in block.named_modules() if name.endswith("attn_drop"))
        dropout.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
    return found


def test_attention_is_timms_own_softmax(model, picture):
    cap = vizvit.capture(model, picture)
    reference = unfused(model.module)
    expected = watched_attention(reference)
    with torch.no_grad():
        reference(model.preprocess(picture))
    assert cap.num_layers == len(expected)
    for layer, attention in enumerate(expected):
        assert np.abs(cap.attention(layer) - attention[0].numpy()).max() < 2e-5
    assert cap.num_heads == expected[0].shape[1]
    uniform = 1 / cap.num_tokens
    assert cap.attention(-1).max() > 2 * uniform, "the model attends evenly: this test would see nothing"


def test_logits_are_the_plain_forward_pass(model, picture):
    cap = vizvit.capture(model, picture)
    with torch.no_grad():
        plain = model.module(model.preprocess(picture))[0].numpy()
    if model.labels:
        np.testing.assert_allclose(cap.logits, plain, rtol=0, atol=1e-6 * max(1, np.abs(plain).max()))
        shares = np.exp(plain.astype(np.float64) - plain.max())
        np.testing.assert_allclose(cap.probabilities, shares / shares.sum(), atol=1e-6)
    else:
        assert cap.logits.size == cap.probabilities.size == 0


def test_rows_and_columns_agree_with_the_matrices(model, picture):
    cap = vizvit.capture(model, picture)
    token = cap.grid.token(cap.grid.rows - 1, 1)
    matrices = np.stack([cap.attention(layer) for layer in range(cap.num_layers)])
    place = ("patch", cap.grid.rows - 1, 1)
    np.testing.assert_allclose(cap.attention_from(place), matrices[:, :, token], rtol=0, atol=1e-5)
    np.testing.assert_allclose(cap.attention_to(place), matrices[..., token], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(cap.attention_from(token), cap.attention_from(place))
    np.testing.assert_allclose(matrices.sum(-1), 1, atol=1e-5)


def test_queries_and_keys_make_the_attention(model, picture):
    """What the browser is sent (queries, keys, scale and bias) gives the same attention."""
    cap = vizvit.capture(model, picture)
    for layer in (0, -1):
        scores = cap.queries(layer) @ cap.keys(layer).transpose(0, 2, 1) * cap.scale(layer)
        if cap.bias(layer) is not None:
            scores = scores + cap.bias(layer)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        assert np.abs(shares / shares.sum(-1, keepdims=True) - cap.attention(layer)).max() < 2e-5


def test_tokens_are_the_residual_stream(model, picture):
    cap = vizvit.capture(model, picture)
    twin, streams = copy.deepcopy(model.module), []
    for block in twin.blocks:
        block.register_forward_hook(lambda _, inputs, output: streams.append(output[0].numpy()))
    with torch.no_grad():
        twin(model.preprocess(picture))
    for layer, expected in enumerate(streams):
        assert largest_difference(cap.tokens(layer), expected) < 1e-6
    np.testing.assert_array_equal(cap.tokens(-1), cap.tokens(cap.num_layers - 1))


def test_each_patch_is_where_the_grid_says(model):
    """Painting one patch changes one token on its way into the blocks: the one that the grid names."""
    if hasattr(getattr(model.module, "patch_embed", None), "backbone"):
        pytest.skip("behind a convolutional stem a patch is seen by its neighbours too")
    twin, inputs = copy.deepcopy(model.module), []
    twin.blocks[0].register_forward_pre_hook(lambda _, args: inputs.append(args[0][0].numpy()))
    grid, plain = model.grid, np.full((*model.grid.image_size, 3), 128, np.uint8)
    with torch.no_grad():
        twin(model.normalise(plain))
        for row, col in ((0, 0), (0, grid.cols - 1), (grid.rows - 1, 1)):
            painted = plain.copy()
            left, top, right, bottom = grid.box(row, col)
            painted[top:bottom, left:right] = (255, 0, 40)
            twin(model.normalise(painted))
            changed = np.abs(inputs[-1] - inputs[0]).max(-1) > 1e-5
            assert np.flatnonzero(changed).tolist() == [grid.token(row, col)]
    assert len(inputs[0]) == grid.num_tokens


def test_prefix_tokens_are_named_after_their_parameters(model):
    grid = model.grid
    holder = getattr(model.module, "embeds", model.module)
    twin = copy.deepcopy(model.module)
    inside = getattr(twin, "embeds", twin)
    inputs = []
    twin.blocks[0].register_forward_pre_hook(lambda _, args: inputs.append(args[0][0].numpy()))
    pixels = model.normalise(np.full((*grid.image_size, 3), 128, np.uint8))
    with torch.no_grad():
        twin(pixels)
        for parameter, named in (
            ("cls_token", "class"),
            ("dist_token", "distillation"),
            ("reg_token", "register"),
        ):
            expected = [i for i, name in enumerate(grid.prefix_names) if name.startswith(named)]
            if getattr(holder, parameter, None) is None:
                assert not expected
                continue
            getattr(inside, parameter).add_(torch.linspace(1, 2, getattr(inside, parameter).shape[-1]))
            twin(pixels)
            changed = np.abs(inputs[-1] - inputs[-2]).max(-1) > 1e-5
            assert np.flatnonzero(changed).tolist() == expected


def test_pooling_head(model, picture):
    cap = vizvit.capture(model, picture)
    _, *softmaxes = record_softmaxes(unfused(model.module), model.preprocess(picture))
    heads = softmaxes[cap.num_layers :]
    if model.read_out != "pooling head":
        assert heads == [] and cap.pool_attention() is None and not cap.has_pooling_head
        return
    (expected,) = heads
    expected = expected[0].mean(1).detach().numpy()  # over the pooling head's queries, of which there is one
    found = cap.pool_attention()
    missing = cap.num_tokens - expected.shape[-1]
    assert cap.has_pooling_head and missing in (0, cap.grid.num_prefix_tokens)
    assert np.abs(found[:, missing:] - expected).max() < 2e-5
    assert not found[:, :missing].any()


def record_softmaxes(module: torch.nn.Module, pixels: torch.Tensor) -> list[torch.Tensor]:
    """The module's output, then every softmax that it computes on the way."""
    found = []

    class Softmaxes(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if func is torch.Tensor.softmax:
                if out.requires_grad:
                    out.retain_grad()
                found.append(out)
            return out

    with Softmaxes():
        logits = module(pixels)
    return [logits, *found]


# --- gradients


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vit_tiny_patch16_224", {"image_size": (48, 80)}),
        ("vit_base_patch16_siglip_224", {"image_size": 96, "depth": 3, "heads": 3, "num_classes": 10}),
        ("naflexvit_base_patch16_map", {"image_size": 96, "depth": 3, "heads": 3}),
        ("beit_base_patch16_224", {"image_size": (64, 96), "depth": 3, "heads": 3}),
        ("eva02_tiny_patch14_224", {"image_size": (70, 112), "num_classes": 10}),
    ],
)
def test_gradients_are_those_of_explicit_attention(vit, picture, name, options):
    model, target = vit(name, **options), 3
    cap = vizvit.capture(model, picture, target=target)
    logits, *softmaxes = record_softmaxes(unfused(model.module), model.preprocess(picture).requires_grad_())
    logits[0, target].backward()
    for layer in range(cap.num_layers):
        attention, gradient = cap.attention_gradients(layer)
        assert largest_difference(attention, softmaxes[layer][0].detach()) < 1e-4
        assert softmaxes[layer].grad.abs().max() > 0
        assert largest_difference(gradient, softmaxes[layer].grad[0]) < 1e-3
    if cap.has_pooling_head:
        (pool,) = softmaxes[cap.num_layers :]
        keys = pool.shape[-1]
        assert largest_difference(cap.pool_gradient()[:, -keys:], pool.grad[0].sum(1)) < 1e-3
    else:
        assert cap.pool_gradient() is None


def test_target_by_name_and_by_index(vit, picture):
    model = vit("vit_tiny_patch16_224", image_size=(48, 80))
    by_index = vizvit.capture(model, picture, target=285)
    for target in (model.labels[285], model.labels[285].split(", ")[0].upper()):
        by_name = vizvit.capture(model, picture, target=target)
        assert by_name.target == by_index.target == 285
        assert torch.equal(by_name.attention_gradients(-1)[1], by_index.attention_gradients(-1)[1])
    with pytest.raises(vizvit.ModelError, match="no class named"):
        vizvit.capture(model, picture, target="a unicorn")
    with pytest.raises(vizvit.ModelError, match="0 to 999"):
        vizvit.capture(model, picture, target=1000)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "beit_base_patch16_224"])
def test_gradients_are_the_same_where_blocks_are_computed_anew(vit, picture, monkeypatch, name):
    model, runs = vit(name, image_size=64, depth=3, heads=3), []
    for large in (2**40, 1):
        monkeypatch.setattr(recorder, "LARGE", large)
        again = Counted()
        monkeypatch.setattr(recorder, "checkpoint", again)
        cap = vizvit.capture(model, picture, target=2)
        assert again.calls == (2 if large == 1 else 0)  # the last block's graph is still at hand
        runs.append([cap.attention_gradients(layer)[1] for layer in range(3)])
    assert all(largest_difference(mine, other) < 1e-6 for mine, other in zip(*runs, strict=True))


@pytest.mark.parametrize("reached", [[], [0], [1, 4], list(range(7))])
def test_a_backward_pass_of_few_queries_is_the_whole_one(reached):
    given = [torch.randn(2, 3, 7, 5, requires_grad=True) for _ in range(3)]
    weights = torch.zeros(2, 3, 7, 5)
    weights[:, :, reached] = torch.randn(2, 3, len(reached), 5)
    whole, less = scaled_dot_product_attention(*given), few.FewQueries.apply(scaled_dot_product_attention, *given)
    assert torch.equal(whole, less)
    for mine, expected in zip(*(torch.autograd.grad(out, given, weights) for out in (less, whole)), strict=True):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("reached", [[], [0], [1, 4], list(range(7))])
def test_a_backward_pass_of_few_rows_is_the_whole_one(reached):
    x, weight, bias = torch.randn(2, 7, 5, requires_grad=True), torch.randn(3, 5), torch.randn(3)
    weights = torch.zeros(2, 7, 3)
    weights[:, reached] = torch.randn(2, len(reached), 3)
    for some in ((x, weight, bias), (x, weight)):
        whole, less = F.linear(*some), few.linear(*some)
        assert torch.equal(whole, less)
        mine, expected = (torch.autograd.grad(out, x, weights)[0] for out in (less, whole))
        torch.testing.assert_close(mine, expected)


def test_a_weight_that_is_made_of_what_a_gradient_is_asked_for_has_its_part_of_it():
    x = torch.randn(7, 5, requires_grad=True)
    for others in (lambda: (2 * x,), lambda: (torch.ones(7, 5), x.sum(1))):
        ours, expected = (each(x, *others()).square().sum() for each in (few.linear, F.linear))
        torch.testing.assert_close(*(torch.autograd.grad(one, x)[0] for one in (ours, expected)))


class Counted:
    def __init__(self):
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return checkpoint(*args, **kwargs)


def test_gradients_only_with_a_target(tiny, picture):
    cap = vizvit.capture(tiny, picture)
    assert not cap.has_gradients
    with pytest.raises(vizvit.CaptureError, match="target="):
        cap.attention_gradients(0)


def test_a_target_leaves_the_rest_as_it_is(tiny, picture):
    plain, explained = vizvit.capture(tiny, picture), vizvit.capture(tiny, picture, target=1)
    assert explained.has_gradients
    np.testing.assert_allclose(explained.logits, plain.logits, atol=1e-5)
    np.testing.assert_allclose(explained.attention(2), plain.attention(2), atol=1e-6)
    assert not torch.is_grad_enabled() or explained.attention_tensor(0).requires_grad is False


# --- memory


def test_bytes_held(model, picture):
    cap = vizvit.capture(model, picture)
    dim = cap.num_heads * cap.queries(0).shape[-1]
    bound = 2.2 * cap.num_layers * cap.num_tokens * dim * 4
    other = cap.view.nbytes + cap.logits.nbytes + cap.probabilities.nbytes
    pool = 2 * cap.num_tokens * dim * 4 if cap.has_pooling_head else 0
    shared = cap.num_heads * cap.num_tokens**2 * 4 if "srelpos" in model.name else 0  # one matrix for all layers
    assert cap.nbytes <= bound + pool + shared + other
    assert reachable_bytes(cap) <= cap.nbytes + 4096


def reachable_bytes(cap) -> int:
    """The bytes of every tensor and array that hangs on a capture, but not on its model."""
    storages, seen, waiting = {}, {id(cap.vit)}, [vars(cap)]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor):
            storages[thing.untyped_storage().data_ptr()] = thing.untyped_storage().nbytes()
        elif isinstance(thing, np.ndarray):
            base = thing if thing.base is None or not isinstance(thing.base, np.ndarray) else thing.base
            storages[base.__array_interface__["data"][0]] = base.nbytes
        elif isinstance(thing, dict):
            waiting += thing.values()
        elif isinstance(thing, (list, tuple)):
            waiting += thing
        elif hasattr(thing, "__dict__") and type(thing).__module__.startswith("vizvit"):
            waiting.append(vars(thing))
    return sum(storages.values())


@pytest.mark.parametrize(("name", "size"), [("vit_tiny_patch16_224", 192), ("vit_small_patch16_dinov3", (160, 208))])
def test_one_token_never_builds_a_full_matrix(vit, picture, name, size):
    cap = vizvit.capture(vit(name, image_size=size, depth=4), picture)

    class Largest(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                Largest.numel = max(Largest.numel, out.numel())
            return out

    with Largest():
        cap.attention_from("cls")
    keys = cap.num_heads * cap.num_tokens * cap.queries(0).shape[-1]
    assert 0 < Largest.numel <= max(keys, cap.num_layers * cap.num_heads * cap.num_tokens)
    assert Largest.numel < cap.num_heads * cap.num_tokens**2


def test_a_target_costs_as_much_again(tiny, picture):
    plain, explained = vizvit.capture(tiny, picture), vizvit.capture(tiny, picture, target=0)
    assert explained.nbytes <= 2 * plain.nbytes
    assert reachable_bytes(explained) <= explained.nbytes + 4096


# --- the model is left alone


def traces(module: torch.nn.Module) -> list[tuple]:
    """What a capture could leave on a module: hooks, attributes of its own, another forward."""
    return [
        (
            name,
            len(part._forward_hooks),
            len(part._forward_pre_hooks),
            len(part._backward_hooks),
            sorted(vars(part)),
            part.forward.__func__,
            part.training,
        )
        for name, part in module.named_modules()
    ]


def test_nothing_is_left_on_the_module(model, picture):
    before = traces(model.module), {key: value.clone() for key, value in model.module.state_dict().items()}
    cap = vizvit.capture(model, picture, target=1 if model.labels else None)
    cap.tokens(-1), cap.attention(0)
    assert traces(model.module) == before[0]
    after = model.module.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before[1].items())
    assert not any(p.requires_grad or p.grad is not None for p in model.module.parameters())
    assert _get_current_function_mode_stack() == []


def broken_copy(model: VitModel) -> VitModel:
    module = copy.deepcopy(model.module)
    module.blocks[1].norm1 = torch.nn.Linear(7, 7)
    return VitModel.wrap(module, name="broken", trained=False)


@pytest.mark.parametrize("target", [None, 0])
def test_nothing_is_left_after_a_failure(tiny, picture, target):
    broken = broken_copy(tiny)
    before = traces(broken.module)
    with pytest.raises(vizvit.CaptureError, match="broken failed on a picture of 48x80 pixels"):
        vizvit.capture(broken, picture, target=target)
    assert traces(broken.module) == before
    assert _get_current_function_mode_stack() == []
    with torch.no_grad():  # the thread's attention calls are nobody's business any more
        tiny.module(tiny.preprocess(picture))


def test_fused_attention_stays_fused(tiny, picture, monkeypatch):
    calls = []
    original = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda *a, **k: calls.append(1) or original(*a, **k))
    monkeypatch.setattr(sys.modules["vizvit.forward.capture"].Capture, "__init__", lambda *a: None)
    vizvit.capture(tiny, picture)
    assert calls == []


@pytest.mark.parametrize("workers", [2, 8])
def test_threads_share_one_model(vit, workers):
    tiny = vit("vit_tiny_patch16_224", image_size=(48, 80), depth=4)
    images = [random_pixels(60, 90, seed) for seed in range(workers)]
    expected = [vizvit.capture(tiny, image, target=seed) for seed, image in enumerate(images)]
    together = threading.Barrier(workers)

    def work(seed: int) -> vizvit.Capture:
        together.wait()
        for _ in range(3):
            cap = vizvit.capture(tiny, images[seed], target=seed)
            cap.tokens(-1)
        return cap

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(work, range(workers)))
    for mine, alone in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine.logits, alone.logits, atol=1e-5)
        for layer in range(mine.num_layers):
            np.testing.assert_allclose(mine.attention(layer), alone.attention(layer), atol=1e-5)
        np.testing.assert_allclose(mine.tokens(3), alone.tokens(3), atol=1e-4)
        assert largest_difference(mine.attention_gradients(0)[1], alone.attention_gradients(0)[1]) < 1e-3
    assert largest_difference(expected[0].logits, expected[1].logits) > 1e-3


def test_threads_share_one_capture(vit, picture):
    """A capture's lazy parts, asked for by many at once, are the same for all."""
    model = vit("beit_base_patch16_224", image_size=(64, 96), depth=3, heads=3)
    alone, shared = vizvit.capture(model, picture), vizvit.capture(model, picture)
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: shared.tokens(1), range(8)))
        attention = list(pool.map(shared.attention, [0, 1, 2, 0, 1, 2]))
    assert all(np.allclose(each, alone.tokens(1), atol=1e-5) for each in tokens)
    assert all(np.allclose(each, alone.attention(i % 3), atol=1e-6) for i, each in enumerate(attention))


# --- refusals: never a partial result


@pytest.mark.parametrize("name", ["resnet18", "swin_tiny_patch4_window7_224", "convnext_atto"])
def test_other_architectures_are_refused(name):
    with pytest.raises(vizvit.ModelError, match="not a plain Vision Transformer") as caught:
        vizvit.load_model(name, weights="random", device="cpu")
    assert "Choose a model" in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vit_dpwee_patch16_reg1_gap_256", "DiffParallelScalingBlock.* made 2 attention calls"),
        ("xcit_nano_12_p16_224", "attends from 32 to 32 tokens, but"),
        ("cait_xxs24_224", "LayerScaleBlock.* made no attention call"),
    ],
)
def test_other_attention_is_refused(vit, picture, name, reason):
    with pytest.raises(vizvit.CaptureError, match=reason) as caught:
        vizvit.capture(vit(name, depth=2), picture)
    assert "Choose a model" in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "why_not"),
    [
        ("vit_small_patch16_18x2_224", "ParallelThingsBlock.* made 2 attention calls"),
        ("vit_dlittle_patch16_reg1_gap_256", "made 2 attention calls"),
        ("samvit_base_patch16_224", "cannot be shown"),
        ("qwen3_vit_88m_enc", "Choose a model with a classifier"),
    ],
)
def test_what_cannot_be_shown_says_why_not(name, why_not):
    if not timm.is_model(name):
        pytest.skip(f"timm {timm.__version__} has no {name}")
    assert re.search(why_not, reason(name))


@pytest.mark.parametrize("layer", [0, 5, 11])
def test_one_unseen_layer_is_an_error(tiny, picture, layer):
    """The silent failure of hook-based tools: some layers, or none, without a word."""
    module = copy.deepcopy(tiny.module)

    def by_hand(x, **kwargs):
        return module.blocks[layer].attn.proj(x)

    module.blocks[layer].attn.forward = by_hand
    partial = VitModel.wrap(module, name="partial", trained=False)
    with pytest.raises(vizvit.CaptureError, match=f"block {layer} .* made no attention call"):
        vizvit.capture(partial, picture)


def test_dropped_tokens_are_an_error(tiny, picture):
    module = copy.deepcopy(tiny.module)
    forward = module.blocks[3].forward
    module.blocks[3].forward = lambda x, *args, **kwargs: forward(x, *args, **kwargs)[:, :-1]
    dropping = VitModel.wrap(module, name="dropping", trained=False)
    with pytest.raises(vizvit.CaptureError, match="Block 4 of dropping attends from 15 to 15 tokens"):
        vizvit.capture(dropping, picture)


def test_a_batch_is_refused(tiny, picture):
    pixels = tiny.preprocess(picture).repeat(2, 1, 1, 1)
    with pytest.raises(vizvit.CaptureError, match="one picture"):
        capture_input(tiny, tiny.view(picture), pixels)


def test_causal_attention_is_refused(tiny, picture):
    module = copy.deepcopy(tiny.module)
    awaken(module)
    attention = module.blocks[0].attn
    forward = attention.forward

    def causal(*args, **kwargs):
        return forward(*args, **{**kwargs, "is_causal": True})

    attention.forward = causal
    with pytest.raises(vizvit.CaptureError, match="causal=True"):
        vizvit.capture(VitModel.wrap(module, name="causal", trained=False), picture)


# --- tokens and layers by name


def test_tokens_by_name(vit, picture):
    cap = vizvit.capture(vit("vit_small_patch14_reg4_dinov2", image_size=(70, 112), depth=4), picture)
    assert cap.grid.prefix_names == ("class", "register 1", "register 2", "register 3", "register 4")
    assert [cap.token_index(name) for name in ("cls", "class", "register 1", "register 4")] == [0, 0, 1, 4]
    assert cap.token_index(("patch", 0, 0)) == 5
    assert cap.token_index(("patch", 4, 7)) == cap.num_tokens - 1 == 44
    assert cap.token_index(7) == cap.token_index(np.int64(7)) == 7
    distilled = vizvit.capture(vit("deit_tiny_distilled_patch16_224", image_size=96), picture)
    assert distilled.token_index("dist") == distilled.token_index("distillation") == 1


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("register 5", 'no token "register 5": it has "class"'),
        (("patch", 3, 0), "rows 0 to 2"),
        (("patch", 0, -1), "columns 0 to 4"),
        (("patch", 1), r'\("patch", row, col\)'),
        (("pixel", 0, 0), r'\("patch", row, col\)'),
        (16, "tokens 0 to 15"),
        (-1, "tokens 0 to 15"),
    ],
)
def test_tokens_that_are_not_there(tiny, picture, token, words):
    cap = vizvit.capture(tiny, picture)
    with pytest.raises(vizvit.CaptureError, match=words):
        cap.attention_from(token)


def test_no_class_token(vit, picture):
    cap = vizvit.capture(vit("vit_base_patch16_gap_224", image_size=64, depth=3, heads=3), picture)
    with pytest.raises(vizvit.CaptureError, match=r"no prefix tokens at all.*Choose a patch"):
        cap.attention_from("cls")


def test_layers_that_are_not_there(tiny, picture):
    cap = vizvit.capture(tiny, picture)
    np.testing.assert_array_equal(cap.attention(-12), cap.attention(0))
    for layer in (12, -13):
        for read in (cap.attention, cap.tokens, cap.queries, cap.bias):
            with pytest.raises(vizvit.CaptureError, match="layers 0 to 11"):
                read(layer)


def test_anything_that_load_image_takes(tiny, picture, tmp_path):
    picture.save(tmp_path / "cat.png")
    expected = vizvit.capture(tiny, picture).logits
    for source in (tmp_path / "cat.png", np.asarray(picture), (tmp_path / "cat.png").read_bytes()):
        np.testing.assert_array_equal(vizvit.capture(tiny, source).logits, expected)


@torch.no_grad()
def test_gradients_are_kept_where_the_caller_has_switched_them_off():
    vit = vizvit.load_model("vizvit-tiny")
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    cap = vizvit.capture(vit, picture, target=3)
    assert cap.has_gradients and np.isfinite(vizvit.relevance(cap)).all()
