"""Each method against its definition, written out in NumPy with float64 matrices."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import largest_difference
from timm.layers import apply_rot_embed_cat

import vizvit
from vizvit.analysis import telling_look
from vizvit.analysis.fusion import HEAD_FUSIONS, head_maps, rest, without_missing
from vizvit.analysis.heads import _dots, entropy_from
from vizvit.analysis.rollout import _lowest
from vizvit.forward import blocks
from vizvit.forward.call import Call
from vizvit.forward.capture import Capture
from vizvit.forward.recorder import Recorder

RECTANGLE = ("vit_tiny_patch16_224", {"image_size": (48, 80)})
REGISTERS = ("vit_small_patch14_reg4_dinov2", {"image_size": (70, 112), "depth": 4, "num_classes": 10})
CLASSLESS = ("vit_base_patch16_gap_224", {"image_size": 64, "depth": 3, "heads": 3})
POOLED = ("vit_base_patch16_siglip_224", {"image_size": 96, "depth": 3, "heads": 3, "num_classes": 10})
POOLED_WITH_REGISTER = ("naflexvit_base_patch16_map", {"image_size": 96, "depth": 3, "heads": 3})
DISTILLED = ("deit_tiny_distilled_patch16_224", {"image_size": 96, "depth": 4})
BIASED = ("beit_base_patch16_224", {"image_size": (64, 96), "depth": 3, "heads": 3})
SHORT = (RECTANGLE[0], RECTANGLE[1] | {"depth": 4})
MODELS = [
    SHORT,
    REGISTERS,
    CLASSLESS,
    POOLED,
    POOLED_WITH_REGISTER,
    DISTILLED,
    BIASED,
]


@pytest.fixture(scope="module", params=MODELS, ids=[name for name, _ in MODELS])
def cap(request, vit, picture) -> Capture:
    name, options = request.param
    return vizvit.capture(vit(name, **options), picture, target=3)


@pytest.fixture(scope="module")
def rectangle(vit, picture) -> Capture:
    return vizvit.capture(vit(RECTANGLE[0], **RECTANGLE[1]), picture, target=3)


@pytest.fixture(scope="module")
def short(vit, picture) -> Capture:
    return vizvit.capture(vit(SHORT[0], **SHORT[1]), picture)


def matrices(cap: Capture) -> np.ndarray:
    """[layer, head, query, key] in float64."""
    return np.stack([cap.attention(layer) for layer in range(cap.num_layers)]).astype(np.float64)


def gradient_weighted(cap: Capture) -> np.ndarray:
    """(A ⊙ ∂y/∂A)⁺, [layer, head, query, key] in float64."""
    pairs = [cap.attention_gradients(layer) for layer in range(cap.num_layers)]
    return np.stack([np.maximum(a.double().numpy() * g.double().numpy(), 0) for a, g in pairs])


def query_weights(cap: Capture, token, pool: np.ndarray | None) -> np.ndarray:
    row = np.zeros(cap.num_tokens)
    names = list(cap.grid.prefix_names)
    if token is not None:
        row[token] = 1
    elif "class" in names:
        row[names.index("class")] = 1
    elif pool is not None:
        row[:] = pool
    else:
        row[len(names) :] = 1 / (cap.num_tokens - len(names))
    return row


def rollout_of(cap: Capture, fused: np.ndarray, *, discard=0.0, residual=0.5, start=0) -> np.ndarray:
    """R of each layer by the definition, [layer, query, key], from fused matrices [layer, query, key]."""
    size, flow, flows = cap.num_tokens, np.eye(cap.num_tokens), []
    names = list(cap.grid.prefix_names)
    for matrix in fused[start:]:
        matrix = matrix.copy()
        order = np.argsort(matrix, axis=None, kind="stable")[: int(size * size * discard)]
        dropped = np.zeros(size * size, bool)
        dropped[order] = True
        dropped = dropped.reshape(size, size)
        if "class" in names:
            dropped[names.index("class")] = False
            dropped[:, names.index("class")] = False
        matrix[dropped] = 0
        mixed = residual * np.eye(size) + (1 - residual) * matrix
        flow = mixed / np.maximum(mixed.sum(1, keepdims=True), 1e-38) @ flow
        flows.append(flow)
    return np.stack(flows)


def fuse(values: np.ndarray, how: str, axis: int = 1) -> np.ndarray:
    return {"mean": np.mean, "max": np.max, "min": np.min}[how](values, axis=axis)


def pool_row(cap: Capture, how: str) -> np.ndarray | None:
    if cap.pool_attention() is None:
        return None
    row = fuse(cap.pool_attention().astype(np.float64), how, axis=0)
    return row / row.sum()


def as_map(cap: Capture, row: np.ndarray) -> np.ndarray:
    return row[..., cap.grid.num_prefix_tokens :].reshape(*row.shape[:-1], cap.grid.rows, cap.grid.cols)


# --- rollout


@pytest.mark.parametrize("count", [0, 1, 7, 500, 999, 1000])
@pytest.mark.parametrize("kinds", [3, 10**6])
def test_the_lowest_are_so_many_and_of_equal_ones_the_first(count, kinds):
    values = torch.from_numpy(np.random.default_rng(count).integers(0, kinds, 1000).astype(np.float32))
    expected = np.zeros(1000, bool)
    expected[np.argsort(values.numpy(), kind="stable")[:count]] = True
    np.testing.assert_array_equal(_lowest(values, count).numpy(), expected)


@pytest.mark.parametrize("keys", [blocks.SHORT - 1, blocks.SHORT + 1])
@pytest.mark.parametrize("heads", [1, 3])
def test_products_of_rows(heads, keys):
    rng = np.random.default_rng(keys)
    a, b = rng.random((heads, 5, keys), np.float32), rng.standard_normal((heads, 5, keys), np.float32)
    for other in (b, b[0]):
        expected = (a.astype(np.float64) * other).sum(-1)
        np.testing.assert_allclose(_dots(torch.from_numpy(a.copy()), torch.from_numpy(other)), expected, atol=1e-3)


@pytest.mark.parametrize("head_fusion", HEAD_FUSIONS)
@pytest.mark.parametrize(
    ("discard", "residual", "start", "place"),
    [
        (0.0, 0.5, 0, None),
        (0.0, 0.0, 0, None),
        (0.0, 0.3, 1, None),
        (0.0, 1.0, 0, (1, 2)),
        (0.9, 0.5, 0, None),
        (0.5, 0.3, -2, (0, 3)),
    ],
)
def test_rollout(cap, head_fusion, discard, residual, start, place):
    token = None if place is None else ("patch", *place)
    index = None if place is None else cap.grid.token(*place)
    chain = {"discard_ratio": discard, "residual": residual, "start_layer": start}
    fused = fuse(matrices(cap), head_fusion)
    flows = rollout_of(cap, fused, discard=discard, residual=residual, start=start)
    expected = as_map(cap, query_weights(cap, index, pool_row(cap, head_fusion)) @ flows)

    found = vizvit.rollout(cap, head_fusion=head_fusion, token=token, **chain)
    assert found.dtype == np.float32 and (found >= 0).all()
    assert largest_difference(found, expected[-1]) < 1e-4
    steps = vizvit.rollout_steps(cap, head_fusion=head_fusion, token=token, **chain)
    assert largest_difference(steps, expected) < 1e-4


def test_rollout_of_the_identity_is_the_query(rectangle):
    heat = vizvit.rollout(rectangle, residual=1.0, token=("patch", 2, 1))
    expected = np.zeros((3, 5))
    expected[2, 1] = 1
    np.testing.assert_array_equal(heat, expected)


def test_rollout_reads_a_prefix_token_by_name(vit, picture):
    cap = vizvit.capture(vit(REGISTERS[0], **REGISTERS[1]), picture)
    flow = rollout_of(cap, fuse(matrices(cap), "mean"))[-1]
    assert largest_difference(vizvit.rollout(cap, token="register 2"), as_map(cap, flow[2])) < 1e-4
    assert largest_difference(vizvit.rollout(cap, token="cls"), as_map(cap, flow[0])) < 1e-4
    np.testing.assert_array_equal(vizvit.rollout(cap), vizvit.rollout(cap, token=0))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"head_fusion": "median"}, "mean, max, min"),
        ({"discard_ratio": 1.0}, "0 to below 1"),
        ({"discard_ratio": -0.1}, "0 to below 1"),
        ({"residual": 1.5}, "from 0 to 1"),
        ({"start_layer": 12}, "0 to 11"),
        ({"token": "register 1"}, "no token"),
    ],
)
def test_rollout_refuses_what_makes_no_sense(rectangle, options, words):
    for method in (vizvit.rollout, vizvit.rollout_steps):
        with pytest.raises(vizvit.CaptureError, match=words):
            method(rectangle, **options)


@settings(max_examples=25, deadline=None)
@given(
    fusion=st.sampled_from(["mean", "max", "min"]),
    residual=st.floats(0, 1),
    discard=st.floats(0, 0.95),
    start=st.integers(0, 3),
    token=st.integers(0, 15),
)
def test_rollout_rows_sum_to_one(short, fusion, residual, discard, start, token):
    """Over all tokens: what the map holds and what the prefix tokens got."""
    found = vizvit.rollout(
        short,
        head_fusion=fusion,
        residual=residual,
        discard_ratio=discard,
        start_layer=start,
        token=token,
    )
    flow = rollout_of(
        short,
        fuse(matrices(short), fusion),
        discard=discard,
        residual=residual,
        start=start,
    )[-1]
    # A row whose entries were all discarded, without a residual, stays zero.
    assert min(abs(flow[token].sum() - 1), abs(flow[token].sum())) < 1e-6 or discard > 0
    assert abs(found.sum() + flow[token, 0] - flow[token].sum()) < 1e-4
    assert (found >= 0).all()


# --- gradients


@pytest.mark.parametrize(
    ("discard", "residual", "start", "place"),
    [(0.0, 0.5, 0, None), (0.5, 0.5, 1, None), (0.0, 0.3, 0, (1, 1))],
)
def test_gradient_rollout(cap, discard, residual, start, place):
    token = None if place is None else ("patch", *place)
    index = None if place is None else cap.grid.token(*place)
    fused = gradient_weighted(cap).mean(1)
    flow = rollout_of(cap, fused, discard=discard, residual=residual, start=start)[-1]
    expected = as_map(cap, query_weights(cap, index, gradient_pool_row(cap)) @ flow)
    found = vizvit.gradient_rollout(cap, discard_ratio=discard, residual=residual, start_layer=start, token=token)
    assert largest_difference(found, expected) < 1e-3


def gradient_pool_row(cap: Capture) -> np.ndarray | None:
    if cap.pool_attention() is None:
        return None
    weights = cap.pool_attention().astype(np.float64) * cap.pool_gradient().double().numpy()
    return np.maximum(weights, 0).mean(0)


@pytest.mark.parametrize("place", [None, (0, 1)])
def test_relevance(cap, place):
    """R = I; R ← R + mean_h((A ⊙ ∂y/∂A)⁺) R, as full matrices from the first block to the last."""
    token = None if place is None else ("patch", *place)
    index = None if place is None else cap.grid.token(*place)
    relevance = np.eye(cap.num_tokens)
    for weighted in gradient_weighted(cap):
        relevance = relevance + weighted.mean(0) @ relevance
    expected = as_map(cap, query_weights(cap, index, gradient_pool_row(cap)) @ relevance)
    found = vizvit.relevance(cap, token=token)
    assert (found >= 0).all() and found.max() > 0
    assert largest_difference(found, expected) < 1e-3


def test_gradient_methods_say_what_they_need(vit, picture):
    for name, options in (RECTANGLE, POOLED):
        cap = vizvit.capture(vit(name, **options), picture)
        for method in (vizvit.gradient_rollout, vizvit.relevance):
            with pytest.raises(vizvit.CaptureError, match="target="):
                method(cap)


# --- one layer, one query


def test_attention_map(cap):
    attention, prefix = matrices(cap), cap.grid.num_prefix_tokens
    patch = cap.grid.token(1, 0)
    by_patch = vizvit.attention_map(cap, 1, head=1, token=("patch", 1, 0))
    assert largest_difference(by_patch, as_map(cap, attention[1, 1, patch])) < 1e-5
    rows = attention[-1, :, 0] if "class" in cap.grid.prefix_names else attention[-1, :, prefix:].mean(1)
    for fusion in ("mean", "max", "min"):
        found = vizvit.attention_map(cap, head_fusion=fusion)
        assert largest_difference(found, as_map(cap, fuse(rows, fusion, axis=0))) < 1e-5


def test_all_heads_maps(cap):
    attention, prefix = matrices(cap), cap.grid.num_prefix_tokens
    has_class = "class" in cap.grid.prefix_names
    rows = attention[:, :, 0] if has_class else attention[:, :, prefix:].mean(2)  # [layer, head, key]
    found = head_maps(cap)
    assert found.shape == (cap.num_layers, cap.num_heads, cap.grid.rows, cap.grid.cols)
    assert largest_difference(found.reshape(*rows.shape[:2], -1), rows[..., prefix:]) < 1e-5
    patch = cap.grid.token(1, 0)
    assert largest_difference(head_maps(cap, ("patch", 1, 0))[1, 0].ravel(), attention[1, 0, patch, prefix:]) < 1e-5


def test_what_a_map_leaves_to_the_prefix_tokens(cap):
    expected = matrices(cap)[-1, 0, cap.grid.token(1, 0), : cap.grid.num_prefix_tokens].sum()
    assert rest(vizvit.attention_map(cap, head=0, token=("patch", 1, 0))) == pytest.approx(expected, abs=1e-5)
    assert rest(np.full((2, 2), 0.26)) == 0


def test_patches_that_are_left_out_are_marked(rectangle):
    with vizvit.intervene(rectangle.vit, vizvit.DropPatches({(0, 1), (2, 3)})) as changed:
        cap = vizvit.capture_view(changed, rectangle.view)
    heat = vizvit.attention_map(cap)
    marked = without_missing(heat, cap)
    assert sorted(zip(*np.nonzero(np.isnan(marked)), strict=True)) == [(0, 1), (2, 3)]
    assert np.array_equal(np.nan_to_num(marked), heat) and not np.isnan(heat).any()


def test_entropy_from_a_token(cap):
    from scipy.stats import entropy

    attention, prefix = matrices(cap), cap.grid.num_prefix_tokens
    rows = attention[-1, :, :1] if "class" in cap.grid.prefix_names else attention[-1, :, prefix:]
    assert entropy_from(cap) == pytest.approx(entropy(rows, axis=-1).mean(), abs=1e-4)
    patch = attention[0, :, cap.grid.token(1, 0)]
    assert entropy_from(cap, 0, ("patch", 1, 0)) == pytest.approx(entropy(patch, axis=-1).mean(), abs=1e-4)


def test_queries_are_described(vit, picture):
    def described(family, **options):
        return vizvit.describe_query(vizvit.capture(vit(family[0], **family[1]), picture), **options)

    assert described(RECTANGLE) == "class token"
    assert "row 1, column 2" in described(RECTANGLE, token=("patch", 1, 2))
    assert "register 3" in described(REGISTERS, token="register 3")
    assert described(CLASSLESS) == "mean over all patch queries"
    assert described(POOLED) == "pooling head's query"


# --- heads


def test_attention_distance(cap):
    """Pair by pair, as the ViT paper says it."""
    grid, size = cap.grid, cap.grid.patch_size
    places = [(row, col) for row in range(grid.rows) for col in range(grid.cols)]
    patches = matrices(cap)[:, :, grid.num_prefix_tokens :, grid.num_prefix_tokens :]
    expected = np.zeros(patches.shape[:2])
    for query, here in enumerate(places):
        distances = np.array([math.dist(here, there) * size for there in places])
        rows = patches[:, :, query]
        expected += (rows * distances).sum(-1) / rows.sum(-1) / len(places)
    assert largest_difference(vizvit.attention_distance(cap), expected) < 1e-4


def test_attention_entropy(cap):
    attention = matrices(cap)
    logarithms = np.log(attention, where=attention > 0, out=np.zeros_like(attention))
    expected = -(attention * logarithms).sum(-1).mean(-1)
    assert largest_difference(vizvit.attention_entropy(cap), expected) < 1e-4


def test_prefix_share(cap):
    prefix = cap.grid.num_prefix_tokens
    expected = matrices(cap)[:, :, prefix:, :prefix].sum(-1).mean(-1)
    assert np.abs(vizvit.prefix_share(cap) - expected).max() < 1e-5


def test_attention_received(cap):
    assert largest_difference(vizvit.attention_received(cap), matrices(cap).mean(2)) < 1e-5


def test_attention_sinks(cap):
    """Head by head, as the docstring says it."""
    found, received = vizvit.attention_sinks(cap), matrices(cap).mean(2)
    for layer, head in np.ndindex(cap.num_layers, cap.num_heads):
        shares = received[layer, head]
        logs = np.log(shares)
        middle = np.median(logs)
        limit = middle + 1.4826 * np.median(np.abs(logs - middle)) * math.sqrt(2 * math.log(len(logs)))
        far = np.minimum(np.abs(logs - limit), np.abs(shares * len(logs) - 2)) > 1e-4  # from either border
        expected = (logs > limit) & (shares * len(logs) >= 2)
        np.testing.assert_array_equal(found[layer, head][far], expected[far])


def test_sinks_by_hand(rectangle):
    """Even attention and noise have none; a patch that draws ten times its share is one, and so is the only target."""
    tokens, rng = rectangle.num_tokens, np.random.default_rng(0)
    even = np.full((tokens, tokens), 1 / tokens)
    noisy = np.exp(rng.normal(0, 0.1, (tokens, tokens)))
    sink = np.exp(rng.normal(0, 0.1, (tokens, tokens)))
    sink[:, 7] *= 25
    one = np.zeros((tokens, tokens))
    one[:, 0] = 1
    attention = np.stack([even, noisy, sink, one])
    cap = with_attention(rectangle, attention / attention.sum(-1, keepdims=True))
    shares = vizvit.attention_received(cap)
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(shares[:, 0], 1 / tokens, rtol=1e-5)
    assert shares[0, 2, 7] > 5 / tokens
    expected = np.zeros((cap.num_layers, 4, tokens), bool)
    expected[:, 2, 7] = expected[:, 3, 0] = True
    np.testing.assert_array_equal(vizvit.attention_sinks(cap), expected)


def with_attention(cap: Capture, attention: np.ndarray) -> Capture:
    """The capture with every layer's attention replaced by the given one, [head, query, key]."""
    scores = torch.from_numpy(np.log(np.maximum(attention, 1e-30))).float()
    keys = torch.eye(attention.shape[-1]).expand(len(attention), -1, -1)
    recorder = Recorder(cap.num_layers)
    recorder.layers = [[Call(scores, keys, scale=1.0, has_bias=False)]] * cap.num_layers
    return Capture(cap.vit, cap.view, torch.from_numpy(cap.logits)[None], recorder, None)


def test_heads_that_look_at_one_place_and_at_all(rectangle):
    grid, tokens = rectangle.grid, rectangle.num_tokens
    to_itself = np.eye(tokens)
    to_all = np.full((tokens, tokens), 1 / tokens)
    to_the_class_token = np.zeros((tokens, tokens))
    to_the_class_token[:, 0] = 1
    cap = with_attention(rectangle, np.stack([to_itself, to_all, to_the_class_token]))
    centres = np.stack(np.divmod(np.arange(grid.num_patches), grid.cols), -1) * grid.patch_size
    mean_distance = np.linalg.norm(centres[:, None] - centres, axis=-1).mean()
    np.testing.assert_allclose(vizvit.attention_distance(cap)[:, :2], [[0, mean_distance]] * 12, atol=1e-4)
    np.testing.assert_allclose(vizvit.attention_entropy(cap), [[0, math.log(tokens), 0]] * 12, atol=1e-4)
    np.testing.assert_allclose(vizvit.prefix_share(cap), [[0, 1 / tokens, 1]] * 12, atol=1e-5)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sharpness=st.floats(0, 8))
def test_bounds_of_head_statistics(short, seed, sharpness):
    scores = np.random.default_rng(seed).normal(size=(3, 16, 16)) * sharpness
    attention = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    cap = with_attention(short, attention)
    np.testing.assert_allclose(cap.attention(2), attention, atol=1e-5)
    distance, entropy, shares = vizvit.attention_distance(cap), vizvit.attention_entropy(cap), vizvit.prefix_share(cap)
    assert (distance >= 0).all() and (distance <= math.hypot(*cap.grid.image_size)).all()
    assert (entropy >= -1e-5).all() and (entropy <= math.log(16) + 1e-5).all()
    assert ((shares >= 0) & (shares <= 1)).all()


# --- positions


EMBEDDED = [
    RECTANGLE,
    REGISTERS,
    CLASSLESS,
    DISTILLED,
    ("vit_base_patch32_clip_224", {"depth": 3, "heads": 3}),
    ("flexivit_small", {"image_size": 90, "depth": 4}),
    ("eva02_tiny_patch14_224", {"image_size": (70, 112), "num_classes": 10}),
    ("vit_small_patch16_rope_mixed_ape_224", {"image_size": (64, 96), "depth": 3}),
    ("naflexvit_base_patch16_gap", {"image_size": (96, 160), "depth": 3, "heads": 3}),
    ("naflexvit_base_patch16_par_gap", {"image_size": (96, 160), "depth": 3, "heads": 3}),
    ("naflexvit_base_patch16_parfac_gap", {"image_size": (96, 160), "depth": 3, "heads": 3}),
    ("naflexvit_base_patch16_siglip", {"image_size": (96, 160), "depth": 3, "heads": 3}),
]


def added_positions(model) -> np.ndarray:
    """[patch, dim]: what the patches gain by their position embeddings, in timm's own forward pass."""
    inputs = []
    pixels = model.normalise(np.zeros((*model.grid.image_size, 3), np.uint8))
    for factor in (1, 0):
        twin = copy.deepcopy(model.module)
        holder = getattr(twin, "embeds", twin)
        for name in ("pos_embed", "pos_embed_y", "pos_embed_x"):
            if getattr(holder, name, None) is not None:
                getattr(holder, name).mul_(factor)
        first = twin.norm_pre if hasattr(twin, "norm_pre") else twin.blocks[0]
        first.register_forward_pre_hook(lambda _, args: inputs.append(args[0][0]))
        twin(pixels)
    with_positions, without = inputs
    return (with_positions - without)[model.grid.num_prefix_tokens :].double().numpy()


@pytest.mark.parametrize(("name", "options"), EMBEDDED, ids=[name for name, _ in EMBEDDED])
@torch.no_grad()
def test_position_similarity(vit, name, options):
    model = vit(name, **options)
    added = added_positions(model)
    grid = model.grid
    assert largest_difference(model.position_embedding().reshape(grid.num_patches, -1), added) < 1e-4
    lengths = np.linalg.norm(added, axis=1)
    expected = (added @ added.T / np.outer(lengths, lengths)).reshape(grid.rows, grid.cols, grid.rows, grid.cols)
    found = vizvit.position_similarity(model)
    assert np.abs(found - expected).max() < 1e-4
    for row, col in ((0, 0), (1, 2)):
        assert found[row, col, row, col] == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("vit_small_patch16_dinov3", {"image_size": (96, 160), "depth": 4}, "rotary"),
        (*BIASED, "relative position bias"),
    ],
)
def test_no_embedding_to_compare(vit, picture, name, options, words):
    model = vit(name, **options)
    with pytest.raises(vizvit.ModelError, match=words) as caught:
        vizvit.position_similarity(model)
    assert "vizvit.position_map" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vit_small_patch16_dinov3", {"image_size": (96, 160), "depth": 4}),
        ("vit_medium_patch16_rope_reg1_gap_256", {"image_size": 96, "depth": 3}),
        ("vit_small_patch16_rope_mixed_224", {"image_size": (64, 96), "depth": 3}),
        ("vit_small_patch16_rope_224", {"image_size": (64, 96), "depth": 3}),
    ],
)
def test_rotary_positions(vit, picture, name, options):
    """What timm's own rotation makes of q·k, for a query and a key that are the same everywhere."""
    model = vit(name, **options)
    grid, found = model.grid, vizvit.position_map(vizvit.capture(model, picture))
    table = model.module.rope.get_embed(shape=[grid.rows, grid.cols]).detach()
    table = table.reshape(-1, grid.num_patches, table.shape[-1])  # one for each layer and head, or one for all
    half = any(getattr(block.attn, "rotate_half", False) for block in model.module.blocks)
    dim = table.shape[-1] // 2
    similar = []
    for angles in table:
        rotated = apply_rot_embed_cat(torch.ones(1, 1, grid.num_patches, dim), angles, half=half)[0, 0]
        similar.append((rotated @ rotated.T / dim).numpy())
    expected = np.mean(similar, axis=0).reshape(grid.rows, grid.cols, grid.rows, grid.cols)
    assert (found.kind, found.signed) == ("rotary", False)
    assert np.abs(found.values - expected).max() < 1e-5


@pytest.mark.parametrize("name", ["beit_base_patch16_224", "vit_relpos_small_patch16_224"])
def test_relative_positions(vit, picture, name):
    """From the model's own tables: BEiT's looked up by its index, RelPosMlp's or RelPosBias's as it makes it."""
    model = vit(name, image_size=(64, 96), depth=3)
    found = vizvit.position_map(vizvit.capture(model, picture))
    grid, prefix, biases = model.grid, model.grid.num_prefix_tokens, []
    for block in model.module.blocks:
        if hasattr(block.attn, "relative_position_bias_table"):
            table = block.attn.relative_position_bias_table.detach().double()
            biases.append(table[block.attn.relative_position_index].permute(2, 0, 1).numpy())
        else:
            biases.append(block.attn.rel_pos.get_bias()[0].detach().double().numpy())
    expected = np.stack(biases)[:, :, prefix:, prefix:].mean((0, 1))
    expected = expected.reshape(grid.rows, grid.cols, grid.rows, grid.cols)
    assert (found.kind, found.signed) == ("relative", True)
    assert np.abs(expected).max() > 0.01
    assert largest_difference(found.values, expected) < 1e-5
    # Relative: the same offset has the same bias wherever it starts.
    assert found.values[0, 0, 1, 1] == pytest.approx(found.values[2, 3, 3, 4], abs=1e-6)


def test_shared_relative_positions(vit, picture):
    model = vit("vit_srelpos_small_patch16_224", image_size=64, depth=4)
    found = vizvit.position_map(vizvit.capture(model, picture))
    expected = model.module.shared_rel_pos.get_bias()[0].detach().double().numpy().mean(0)
    assert largest_difference(found.values.reshape(16, 16), expected) < 1e-5


def test_added_positions_come_first(rectangle):
    found = vizvit.position_map(rectangle)
    assert (found.kind, found.unit) == ("learned", "cosine similarity")
    np.testing.assert_array_equal(found.values, vizvit.position_similarity(rectangle.vit))


def test_no_positions_at_all(vit, picture):
    model = vit(RECTANGLE[0], image_size=(48, 80), depth=2, num_classes=3)
    module = copy.deepcopy(model.module)
    module.pos_embed = None
    blind = vizvit.VitModel.wrap(module, name="no positions", trained=False)
    assert blind.position_kind == "none"
    assert vizvit.position_map(vizvit.capture(blind, picture)) is None


# --- filters


@pytest.mark.parametrize(
    ("name", "options"),
    [
        RECTANGLE,
        ("vit_base_patch8_224", {"image_size": 64, "depth": 3}),  # more filters than a patch has numbers
        ("naflexvit_base_patch16_gap", {"image_size": (96, 160), "depth": 3, "heads": 3}),
        ("eva02_tiny_patch14_224", {"image_size": (70, 112), "num_classes": 10}),
    ],
)
@torch.no_grad()
def test_embedding_filters(vit, name, options):
    """Principal components as eigenvectors of the kernels' covariance."""
    model = vit(name, **options)
    size = model.grid.patch_size
    kernels = model.patch_kernels()
    embed = getattr(model.module, "patch_embed", None) or model.module.embeds
    patch = np.random.default_rng(0).random((size, size, 3), dtype=np.float32)
    if embed.proj.weight.ndim == 4:
        embedded = embed.proj(torch.from_numpy(patch).permute(2, 0, 1)[None]).flatten()
    else:
        embedded = embed.proj(torch.from_numpy(patch).flatten())
    projected = np.einsum("dyxc,yxc->d", kernels, patch) + embed.proj.bias.numpy()
    assert largest_difference(projected, embedded) < 1e-4

    flat = kernels.reshape(len(kernels), -1).astype(np.float64)
    variances, components = np.linalg.eigh(np.cov(flat, rowvar=False))
    components = components[:, np.argsort(variances)[::-1][:28]].T
    found = vizvit.embedding_filters(model)
    assert found.shape == (28, size, size, 3) and found.dtype == np.float32
    for tile, component in zip(found, components, strict=True):
        scaled = component / component[np.abs(component).argmax()]  # its sign is free: the largest entry is positive
        assert np.abs(tile.ravel() - (0.5 + 0.5 * scaled)).max() < 1e-3
    assert found.min() >= 0 and found.max() <= 1


def test_as_many_filters_as_there_are(vit):
    model = vit(RECTANGLE[0], image_size=(48, 80))
    assert vizvit.embedding_filters(model, n=192).shape == (192, 16, 16, 3)
    assert len(vizvit.embedding_filters(model, n=None)) == 28
    for n in (0, 193):
        with pytest.raises(vizvit.ModelError, match="1 to 192"):
            vizvit.embedding_filters(model, n=n)


def test_no_filters_behind_a_convolutional_stem(vit):
    model = vit("vit_tiny_r_s16_p8_224", image_size=96, depth=4)
    with pytest.raises(vizvit.ModelError, match="no filters to show"):
        vizvit.embedding_filters(model)


def test_one_layer_at_a_time(vit, picture):
    """No method holds more than a few of one layer's [head, query, key] at once, however many layers there are."""
    model = vit("vit_tiny_patch16_224", image_size=192)
    cap = vizvit.capture(model, picture, target=0)
    one_layer = cap.num_heads * cap.num_tokens**2 * 4
    for method in (
        vizvit.rollout,
        vizvit.rollout_steps,
        vizvit.gradient_rollout,
        vizvit.relevance,
        vizvit.attention_distance,
        vizvit.attention_entropy,
        vizvit.prefix_share,
        vizvit.attention_received,
        lambda cap: cap.attention_to("cls"),
    ):
        assert peak_bytes(method, cap) < 6 * one_layer  # of 12 layers


def peak_bytes(method, cap) -> int:
    """The most bytes of tensors that are alive at once on the way, found by torch's own profiler."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as record:
        method(cap)
    held = peak = 0
    for event in record.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def test_the_telling_look_is_the_one_that_differs_most_far_away(vit, picture):
    for name, size in (("vit_tiny_patch16_224", 224), ("beit_base_patch16_224", (224, 160))):
        cap = vizvit.capture(vit(name, depth=2, image_size=size), picture)
        grid, first = cap.grid, cap.grid.num_prefix_tokens
        places = [(row, col) for row in range(grid.rows) for col in range(grid.cols)]
        edge, wide = grid.rows // 10, grid.cols // 10
        inner = [edge <= row < grid.rows - edge and wide <= col < grid.cols - wide for row, col in places]
        found = {}
        for layer in range(cap.num_layers):
            attention = cap.attention(layer)[:, first:, first:].astype(np.float64)
            for query in np.flatnonzero(inner):
                row, col = places[query]
                far = [max(abs(row - r), abs(col - c)) > max(grid.rows, grid.cols) // 4 for r, c in places] & np.array(
                    inner
                )
                a, m = attention[:, query][:, far], attention[:, inner].mean(1)[:, far]
                for head, excess in enumerate((a * np.log(a / m)).sum(-1)):
                    found[layer, head, row, col] = excess
        best, look = max(found, key=found.get), telling_look(cap)
        assert (look.layer, look.head, look.row, look.col) == best
        assert look.excess == pytest.approx(found[best], rel=1e-3)
