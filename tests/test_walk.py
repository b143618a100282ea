"""Every stage by hand, in every family, against the model and against references that are not the stage's own code."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from reference import largest_difference
from test_anatomy import MODELS
from timm.models import vision_transformer
from torch import nn

import vizvit
from vizvit import walk
from vizvit.forward.anatomy import Anatomy, dissect
from vizvit.model import parts, timm_parts
from vizvit.walk import formulas
from vizvit.walk.stages import STAGES

ROW, COL, HEAD, LAYER = 3, 5, 1, 1
DISTILLED = ("distilled",)
NO_PREFIX = ("siglip",)
NO_FINAL_NORM = ("rotary", "separate", "bias")  # their norm comes after pooling


@pytest.fixture(scope="module", params=MODELS)
def family(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def a(family, vit, picture) -> Anatomy:
    name, options = MODELS[family]
    model = vit(name, depth=2, num_classes=10, **options)
    return dissect(model, model.view(picture), LAYER)


@pytest.fixture(scope="module")
def token(a) -> int:
    return a.grid.token(ROW, COL)


@pytest.fixture(scope="module")
def cap(a) -> vizvit.Capture:
    return vizvit.capture_view(a.vit, a.view)


@pytest.fixture(scope="module")
def tiny(vit, picture) -> Anatomy:
    model = vit("vit_tiny_patch16_224", depth=2, num_classes=10)
    return dissect(model, model.view(picture), 0)


def check(stage, *alive: str) -> None:
    """The stage agrees with the model, on numbers that are not all alike; its arrays are float32 and finite."""
    assert 0 <= stage.difference < 1e-4
    assert all(np.std(getattr(stage, name)) > 1e-3 for name in alive), {n: np.std(getattr(stage, n)) for n in alive}
    for field in dataclasses.fields(stage):
        value = getattr(stage, field.name)
        if isinstance(value, np.ndarray):
            assert value.dtype in (np.float32, np.uint8, np.int64), field.name
            assert np.isfinite(value).all(), field.name


# --- from pixels to the sequence


def test_patches_are_the_picture_cut(a):
    tiles = walk.patches(a).tiles
    grid = a.grid
    assert tiles.shape == (grid.rows, grid.cols, grid.patch_size, grid.patch_size, 3)
    assert np.array_equal(np.concatenate(np.concatenate(tiles, 1), 1), a.view)


def test_flatten(a):
    flat = walk.flatten(a, ROW, COL)
    check(flat, "channels", "values")
    left, top, right, bottom = a.grid.box(ROW, COL)
    assert np.array_equal(flat.pixels, a.view[top:bottom, left:right])
    assert np.array_equal(flat.channels, a.vit.normalise(a.view)[0, :, top:bottom, left:right])
    assert np.array_equal(flat.values, flat.channels.ravel())
    with pytest.raises(IndexError):
        walk.flatten(a, a.grid.rows, 0)


@torch.no_grad()
def test_embedding(a):
    stage = walk.embedding(a, ROW, COL)
    check(stage, "by_convolution", "by_matrix", "vector")
    reference = a.vit.module.patch_embed(a.vit.normalise(a.view))[0, ROW * a.grid.cols + COL]
    assert largest_difference(stage.by_matrix, reference) < 1e-5
    assert largest_difference(stage.by_convolution, reference) < 1e-5
    assert stage.apart < 1e-4


def test_prefix(a, family):
    if family in NO_PREFIX:
        with pytest.raises(walk.Absent) as gap:
            walk.prefix(a)
        assert gap.value.key == "absent_prefix"
        assert gap.value.numbers["model"] == a.vit.name
        return
    stage = walk.prefix(a)
    check(stage, "vectors")
    assert stage.names == a.grid.prefix_names
    assert np.array_equal(stage.vectors[0], a.vit.module.cls_token[0, 0])


def test_position(a, token, cap, family):
    stage = walk.position(a, token)
    check(stage, "before", "after", "similarity")
    assert stage.kind == a.vit.position_kind
    if family == "bias":
        assert stage.embedding is None
        assert np.array_equal(stage.before, stage.after)
        assert stage.similarity_of == "bias"
        prefix = a.grid.num_prefix_tokens
        bias = cap.bias(LAYER).mean(0)[token, prefix:].reshape(stage.similarity.shape)
        assert largest_difference(stage.similarity, bias) < 1e-5
        return
    assert stage.similarity_of == "embedding"
    assert largest_difference(stage.similarity, vizvit.position_similarity(a.vit)[ROW, COL]) < 1e-5
    assert stage.similarity[ROW, COL] == pytest.approx(1, abs=1e-5)
    assert (stage.rotation is not None) == (a.vit.position_kind == "rotary")


def test_a_rotation_alone(vit, picture):
    model = vit("vit_small_patch16_dinov3", depth=1, num_classes=10)
    a = dissect(model, model.view(picture))
    stage = walk.position(a, a.grid.token(ROW, COL))
    assert stage.embedding is None
    assert stage.similarity_of == "rotation"
    expected = vizvit.position_map(vizvit.capture_view(model, a.view)).values[ROW, COL]
    assert largest_difference(stage.similarity, expected) < 1e-5
    assert walk.position(a, 0).similarity is None  # the class token has no place
    check(walk.qkv(a, a.grid.token(ROW, COL), 2), "query", "key", "value")


# --- norms


@pytest.mark.parametrize("which", ["norm1", "norm2", "final"])
@torch.no_grad()
def test_layer_norm(a, token, which, family):
    if which == "final" and family in NO_FINAL_NORM:
        with pytest.raises(walk.Absent, match="absent_final_norm"):
            walk.layer_norm(a, token, which)
        return
    stage = walk.layer_norm(a, token, which)
    check(stage, "before", "after", "normalised")
    weight, bias = (torch.from_numpy(array) for array in (stage.weight, stage.bias))
    before = torch.from_numpy(stage.before)
    assert largest_difference(stage.after, F.layer_norm(before, before.shape, weight, bias, stage.eps)) < 1e-5
    assert stage.kind == "LayerNorm"
    assert stage.normalised.mean() == pytest.approx(0, abs=1e-5)
    assert stage.normalised.std() == pytest.approx(1, abs=1e-3)


def test_root_mean_square_norms_and_unknown_ones():
    x, weight = torch.randn(5, 16), torch.randn(16)
    part = parts.Norm("RMSNorm", weight, None, 1e-6)
    assert torch.allclose(formulas.norm(x, part), F.rms_norm(x, (16,), weight, 1e-6), atol=1e-6)
    with pytest.raises(walk.Absent) as gap:
        formulas.norm(x, parts.Norm("SimpleNorm", weight, None, 1e-6))
    assert gap.value.numbers == {"kind": "SimpleNorm"}


@torch.no_grad()
def test_batch_norm_moves_with_the_batch(vit, pictures):
    model = vit("vit_tiny_patch16_224", depth=2, num_classes=10)
    views = [model.view(picture) for picture in pictures]
    views += [view[:, ::-1] for view in views] + [view[::-1] for view in views]
    anatomies = [dissect(model, view, LAYER) for view in views]
    stage = walk.batch_norm(model, anatomies, LAYER, 9)
    check(stage, "before", "batch_norm", "layer_norm")
    assert stage.sizes == (1, 2, 8)
    assert stage.moved_batch[0] == 0
    assert (stage.moved_batch[1:] > 0.05).all()
    assert (stage.moved_layer < 1e-6).all()
    norm = model.module.blocks[LAYER].norm1
    for place, size in enumerate(stage.sizes):
        reference = nn.BatchNorm1d(norm.weight.numel(), eps=norm.eps, track_running_stats=False)
        reference.load_state_dict({"weight": norm.weight, "bias": norm.bias})
        stack = torch.stack([a.streams[LAYER] for a in anatomies[:size]])
        expected = reference(stack.transpose(1, 2)).transpose(1, 2)[0, 9]
        assert largest_difference(stage.batch_norm[place], expected) < 1e-4
        assert largest_difference(stage.layer_norm[place], norm(stack)[0, 9]) < 1e-5


def test_batch_norm_of_views_and_of_other_layers(tiny, pictures):
    views = [tiny.vit.view(picture) for picture in pictures]
    from_views = walk.batch_norm(tiny.vit, views, 1, 9)
    assert from_views.sizes == (1, 2)  # three pictures are no eight
    other = walk.batch_norm(tiny.vit, [dissect(tiny.vit, view, 0) for view in views], 1, 9)
    assert np.array_equal(from_views.batch_norm, other.batch_norm)
    assert from_views.difference < 1e-4
    assert other.difference is None  # those anatomies did not keep this layer's norm


# --- attention


@pytest.mark.parametrize("place", ["patch", "first"])
def test_qkv(a, token, cap, place):
    index = token if place == "patch" else 0
    for head in (0, HEAD):
        stage = walk.qkv(a, index, head)
        check(stage, "query", "key", "value")
        assert largest_difference(stage.query, cap.queries(LAYER)[head, index]) < 1e-5
        assert largest_difference(stage.key, cap.keys(LAYER)[head, index]) < 1e-5
        rotary = a.vit.position_kind == "rotary"
        assert stage.rotated == (rotary and index >= a.grid.num_prefix_tokens)


def test_scores(a, token, cap):
    stage = walk.scores(a, token, HEAD)
    check(stage, "products", "scaled", "attention")
    attention = cap.attention(LAYER)[HEAD, token]
    assert largest_difference(stage.attention, attention) < 1e-4
    bias = 0 if stage.bias is None else stage.bias
    assert np.allclose(stage.scaled, stage.products * stage.scale, atol=1e-5)
    unscaled = torch.softmax(torch.from_numpy(stage.products + bias).double(), -1)
    assert np.allclose(stage.attention_unscaled, unscaled, atol=1e-5)
    assert stage.attention.sum() == pytest.approx(1, abs=1e-5)
    assert stage.entropy == pytest.approx(-(attention * np.log(attention + 1e-30)).sum(), abs=1e-3)
    assert stage.largest == pytest.approx(attention.max(), abs=1e-5)
    assert stage.entropy_unscaled < stage.entropy  # larger scores, sharper attention
    assert stage.largest_unscaled > stage.largest


def test_weighted_sum(a, token):
    stage, block = walk.weighted_sum(a, token, HEAD), a.block
    check(stage, "weights", "contributions", "output")
    mask = None if block.bias is None else block.bias[:, token : token + 1]
    out = F.scaled_dot_product_attention(block.q[:, token : token + 1], block.k, block.v, attn_mask=mask)
    assert largest_difference(stage.output, out[HEAD, 0]) < 1e-5
    assert np.allclose(stage.value_norms, np.linalg.norm(block.v[HEAD], axis=-1), atol=1e-5)
    assert np.allclose(stage.contributions, stage.weights * stage.value_norms, atol=1e-6)


def test_every_stage_names_its_function_by_hand():
    for stage in STAGES:
        file, _, name = stage.by_hand.partition(".")
        assert getattr(walk, name).__module__ == f"vizvit.walk.{file}"
    with pytest.raises(AttributeError, match="no attribute 'np'"):
        _ = walk.np


@torch.no_grad()
def test_heads(a, token):
    stage = walk.heads(a, token)
    check(stage, "outputs", "concatenated", "projected", "writes")
    block = a.vit.module.blocks[LAYER]
    assert largest_difference(stage.projected, block.attn.proj(a.block.entering[token])) < 1e-5
    count, dim = stage.outputs.shape
    alone = torch.zeros(count, count, dim).index_put_((torch.arange(count), torch.arange(count)), torch.ones(count, 1))
    alone = block.attn.proj(alone.flatten(1) * torch.from_numpy(stage.entering)) - block.attn.proj.bias
    written = alone * next((p for n, p in block.named_parameters() if n in ("ls1.gamma", "gamma_1")), 1)
    assert largest_difference(stage.writes, written.norm(dim=-1)) < 1e-5
    added = a.block.after_attention[token] - a.block.x[token]
    assert stage.written == pytest.approx(float(added.norm()), rel=1e-3)
    assert stage.inner == (a.parts.attention.inner_norm is not None)


# --- the MLP, depth and the head


@torch.no_grad()
def test_mlp(a, token, family):
    stage = walk.mlp(a, token)
    check(stage, "before", "after_attention", "normed", "pre", "hidden", "out", "after")
    block = a.vit.module.blocks[LAYER]
    scale = next((p for n, p in block.named_parameters() if n in ("ls2.gamma", "gamma_2")), 1)
    normed = block.norm2(torch.from_numpy(stage.after_attention))
    assert largest_difference(stage.out, block.mlp(normed[None])[0] * scale) < 1e-5
    assert largest_difference(stage.after, a.streams[LAYER + 1][token]) < 1e-5
    gated = family in ("rotary", "separate")
    assert stage.activation == ("SwiGLU" if gated else "GELU")
    assert (stage.gate is not None) == gated
    assert list(stage.top) == list(np.argsort(-np.abs(stage.hidden), kind="stable")[:10])


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        ("gelu", nn.GELU()),
        ("gelu_tanh", nn.GELU("tanh")),
        ("silu", nn.SiLU()),
        ("relu", nn.ReLU()),
    ],
)
def test_activations(kind, module):
    x = torch.linspace(-6, 6, 101, dtype=torch.float64)
    assert torch.allclose(formulas.activation(x, kind, kind), module(x), atol=1e-12)
    assert torch.allclose(formulas.activation(x, "quick_gelu", ""), x * torch.sigmoid(1.702 * x))
    with pytest.raises(walk.Absent) as gap:
        formulas.activation(x, None, "Mish")
    assert gap.value.numbers == {"activation": "Mish"}


@torch.no_grad()
def test_depth(a, family):
    stage, module, grid = walk.depth(a), a.vit.module, a.grid
    check(stage, "norms", "lens_probability", "patch_probability", "rgb")
    streams, prefix = a.streams, grid.num_prefix_tokens
    assert np.allclose(stage.norms, np.linalg.norm(streams, axis=-1), rtol=1e-5)
    lengths = np.linalg.norm(streams[:, prefix:], axis=-1)
    assert np.allclose(
        stage.patch_norms, [np.percentile(lengths, share, axis=1) for share in (10, 50, 90, 99)], rtol=1e-5
    )
    read = module.forward_head(module.norm(streams)).softmax(-1)
    for layer in range(len(streams)):
        assert np.allclose(stage.lens_probability[layer], read[layer, stage.lens[layer]], atol=1e-5)
        assert np.allclose(stage.lens_probability[layer], read[layer].topk(5).values, atol=1e-5)
        patches = streams[layer, prefix:].double()
        unit = F.normalize(patches, dim=-1)
        cosines = (unit @ unit.T)[~torch.eye(len(unit), dtype=torch.bool)]
        assert stage.similarity[layer] == pytest.approx(float(cosines.mean()), abs=1e-6)
        centred = patches - patches.mean(0)
        scores = np.linalg.svd(centred.numpy(), full_matrices=False)
        for component in range(3):
            expected = scores[0][:, component]
            expected = (expected - expected.min()) / np.ptp(expected)
            found = stage.rgb[layer].reshape(-1, 3)[:, component]
            assert min(np.abs(found - expected).max(), np.abs(1 - found - expected).max()) < 1e-3
    # a patch alone: a sequence of the model's own read-out that holds nothing but this patch
    alone = streams[:, grid.token(ROW, COL)]
    count = max(prefix, 1) + 1
    filled = alone[:, None].expand(-1, count if family in NO_FINAL_NORM + DISTILLED else 1, -1)
    read = module.forward_head(module.norm(filled)).softmax(-1)
    assert np.allclose(stage.patch_probability[:, ROW, COL], read.amax(-1), atol=1e-4)
    assert np.array_equal(stage.patch_lens[:, ROW, COL], read.argmax(-1))
    assert stage.absent is None


def test_head(a, cap, family):
    stage = walk.head(a)
    check(stage, "pooled", "normed", "logits", "contributions")
    assert largest_difference(stage.logits, cap.logits) < 1e-5
    assert largest_difference(stage.probabilities, cap.probabilities) < 1e-5
    assert (stage.winner, stage.runner_up) == tuple(np.argsort(-cap.logits)[:2])
    total = stage.contributions.sum() + stage.bias_contribution
    if family in DISTILLED:
        total += stage.distilled_contributions.sum()
        assert stage.read_out == "class and distillation tokens"
    else:
        assert stage.distilled_contributions is None
        assert stage.read_out == a.vit.read_out
    margin = stage.logits[stage.winner] - stage.logits[stage.runner_up]
    assert total == pytest.approx(margin, abs=1e-4)


def test_a_model_without_a_classifier(vit, picture):
    model = vit("vit_base_patch16_siglip_224", depth=1)
    a = dissect(model, model.view(picture))
    with pytest.raises(walk.Absent) as gap:
        walk.head(a)
    assert gap.value.key == "absent_classifier"
    stage = walk.depth(a)
    assert stage.lens is None
    assert stage.patch_lens is None
    assert stage.absent == "absent_classifier"
    assert stage.difference < 1e-4  # of the features
    assert stage.rgb.shape == (2, 14, 14, 3)


def test_a_block_of_another_kind_says_so(vit, picture):
    model = vit("vit_base_patch16_rpn_224", depth=1, num_classes=10)
    a = dissect(model, model.view(picture))
    stages = [
        lambda: walk.layer_norm(a, 5),
        lambda: walk.batch_norm(model, [a], 0, 5),
        lambda: walk.qkv(a, 5, 0),
        lambda: walk.scores(a, 5, 0),
        lambda: walk.weighted_sum(a, 5, 0),
        lambda: walk.heads(a, 5),
        lambda: walk.mlp(a, 5),
    ]
    for stage in stages:
        with pytest.raises(walk.Absent, match="absent_plain_block"):
            stage()
    check(walk.depth(a), "norms")
    check(walk.head(a), "logits")


# --- the difference is a proof only if it can fail


def test_differences_see_what_is_wrong(tiny):
    a, token = tiny, tiny.grid.token(ROW, COL)

    def with_block(**changes) -> Anatomy:
        return dataclasses.replace(a, block=dataclasses.replace(a.block, **changes))

    nudge = 0.01
    assert walk.flatten(dataclasses.replace(a, pixels=a.pixels + nudge), ROW, COL).difference > 1e-3
    assert walk.embedding(dataclasses.replace(a, embedded=a.embedded + nudge), ROW, COL).difference > 1e-3
    assert walk.prefix(dataclasses.replace(a, z0=a.z0 + nudge)).difference > 1e-3
    assert walk.position(dataclasses.replace(a, z0=a.z0 + nudge), token).difference > 1e-3
    assert walk.layer_norm(with_block(norm1=a.block.norm1 + nudge), token).difference > 1e-3
    for part in "qkv":
        changed = with_block(**{part: getattr(a.block, part) + nudge})
        assert walk.qkv(changed, token, HEAD).difference > 1e-3
    assert walk.scores(with_block(scale=1.0), token, HEAD).difference > 1e-3
    assert walk.weighted_sum(with_block(v=a.block.v * 2), token, HEAD).difference > 1e-3
    assert walk.heads(with_block(attended=a.block.attended + nudge), token).difference > 1e-3
    for part in ("after_attention", "norm2", "hidden_pre", "hidden", "mlp_out", "after"):
        changed = with_block(**{part: getattr(a.block, part) + nudge})
        assert walk.mlp(changed, token).difference > 1e-3, part
    final = dataclasses.replace(a, final=dataclasses.replace(a.final, logits=a.final.logits + nudge))
    assert walk.head(final).difference > 1e-3
    assert walk.depth(final).difference > 1e-3


def test_the_shipped_model(picture):
    model = vizvit.load_model("vizvit-tiny", device="cpu")
    for layer in (0, -1):
        a = dissect(model, model.view(picture), layer)
        token = a.grid.token(ROW, COL)
        check(walk.embedding(a, ROW, COL), "vector")
        check(walk.position(a, token), "after")
        check(walk.layer_norm(a, token), "after")
        check(walk.qkv(a, 0, HEAD), "query")
        check(walk.scores(a, token, HEAD), "attention")
        check(walk.heads(a, token), "projected")
        check(walk.mlp(a, token), "after")
        check(walk.depth(a), "norms")
        stage = walk.head(a)
        check(stage, "logits")
        assert model.label(stage.winner) == model.label(int(stage.logits.argmax()))


# --- the outline of the whole


def test_the_outline_is_what_the_model_has(family, a, token):
    found, block = walk.outline(a, token), a.block
    assert found.arrangement == "serial"
    assert len(found.prefix) == a.grid.num_prefix_tokens
    assert found.added == (a.position is not None)
    assert found.rotated == (family in ("rotary", "separate")) and found.biased == (family == "bias")
    scaled = (block.attended, block.mlp_out)
    scaled = [
        part if scale is None else scale
        for part, scale in zip(scaled, (block.attended_scaled, block.mlp_scaled), strict=True)
    ]
    lengths = [float(torch.linalg.vector_norm(part[token])) for part in (block.x, *scaled)]
    np.testing.assert_allclose([found.stream, found.attention, found.mlp], lengths, rtol=1e-4)


def test_a_block_that_is_not_taken_apart_has_no_lengths(tiny):
    other = dataclasses.replace(tiny, block=None)
    found = walk.outline(other, 3)
    assert (found.arrangement, found.attention, found.mlp) == ("other", None, None) and found.stream > 0
    blocks = (vision_transformer.ParallelScalingBlock, vision_transformer.ParallelThingsBlock, vision_transformer.Block)
    assert [timm_parts.is_parallel(kind(16, 2)) for kind in blocks] == [True, True, False]
