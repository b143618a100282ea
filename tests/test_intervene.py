"""Interventions against hand-built forwards, direct weight edits on copies, and moved pixels."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from reference import largest_difference

import vizvit
from vizvit.analysis import patch_map
from vizvit.explorer.payload import encode
from vizvit.grid import PatchGrid

# Every kind of position, of prefix tokens and of reading out.
FAMILIES = [
    ("vit_tiny_patch16_224", {"image_size": (48, 80), "depth": 3, "num_classes": 10}),
    ("deit_tiny_distilled_patch16_224", {"image_size": 64, "depth": 3}),
    ("vit_small_patch14_reg4_dinov2", {"image_size": 224, "depth": 2, "num_classes": 10}),
    ("vit_base_patch16_siglip_224", {"image_size": 64, "depth": 2, "heads": 3, "num_classes": 10}),
    ("eva02_tiny_patch14_224", {"image_size": (42, 70), "depth": 3, "num_classes": 10}),
    ("beit_base_patch16_224", {"image_size": (48, 64), "depth": 2, "heads": 3}),
]
TOLERANCE = 2e-5  # of the largest magnitude


@pytest.fixture(params=FAMILIES, ids=[name for name, _ in FAMILIES])
def model(request, vit):
    name, options = request.param
    return vit(name, **options)


@pytest.fixture
def tiny(vit):
    return vit(FAMILIES[0][0], **FAMILIES[0][1])


@pytest.fixture
def view(picture):
    return lambda vit: vit.view(picture)


def look(vit, view, *changes, **options):
    with vizvit.intervene(vit, *changes) as changed:
        return vizvit.capture_view(changed, view, **options)


class ByHand:
    """A copy with timm's unfused attention, whose softmax a function may change: edit(layer, weights) -> weights."""

    def __init__(self, vit, edit=lambda layer, weights: weights, prepare=lambda module: None):
        self.vit, self.module, self.attention, self.streams = vit, copy.deepcopy(vit.module), {}, {}
        prepare(self.module)
        for layer, block in enumerate(self.module.blocks):
            block.attn.fused_attn = False

            def change(_, inputs, layer=layer):
                self.attention[layer] = edit(layer, inputs[0].clone())
                return self.attention[layer]

            block.attn.attn_drop.register_forward_pre_hook(change)
            block.register_forward_hook(lambda _, inputs, out, layer=layer: self.streams.update({layer: out}))

    @torch.no_grad()
    def logits(self, view):
        return self.module(self.vit.normalise(view))[0].numpy()


def assert_same(cap, hand, view):
    assert largest_difference(cap.logits, hand.logits(view)) < TOLERANCE
    for layer in range(cap.num_layers):
        assert largest_difference(cap.attention(layer), hand.attention[layer][0]) < 1e-4


def assert_changed(cap, vit, view):
    plain = vizvit.capture_view(vit, view).logits
    assert largest_difference(cap.logits, plain) > 100 * TOLERANCE, "the change would not be seen"


# --- attention


def test_temperature(model, view):
    view, layers = view(model), [0, -1]
    cap = look(model, view, vizvit.Temperature(1.7, layers))
    chosen = [0, model.num_layers - 1]

    def prepare(module):
        for layer in chosen:
            attention = module.blocks[layer].attn
            attention.scale /= 1.7
            if getattr(attention, "relative_position_bias_table", None) is not None:
                attention.relative_position_bias_table.div_(1.7)

    assert_same(cap, ByHand(model, prepare=prepare), view)
    assert_changed(cap, model, view)
    plain = vizvit.capture_view(model, view)
    assert cap.scale(0) == pytest.approx(plain.scale(0) / 1.7)
    assert vizvit.attention_entropy(cap)[0].mean() > vizvit.attention_entropy(plain)[0].mean()


def test_no_scaling(model, view):
    view = view(model)

    def prepare(module):
        for block in module.blocks:
            block.attn.scale = 1.0

    cap = look(model, view, vizvit.NoScaling())
    assert_same(cap, ByHand(model, prepare=prepare), view)
    assert_changed(cap, model, view)
    assert cap.scale(-1) == 1


def test_heads_knocked_out_write_nothing(model, view):
    view, heads = view(model), {(0, 1), (1, 0), (1, 2)}
    cap = look(model, view, vizvit.KnockOutHeads(heads))

    def silence(layer, weights):
        weights[:, [head for at, head in heads if at == layer]] = 0
        return weights

    assert_same(cap, ByHand(model, silence), view)  # the attention of the heads is 0 in both
    assert_changed(cap, model, view)

    edited = copy.deepcopy(model.module)
    for layer, head in heads:
        out = edited.blocks[layer].attn.proj
        width = out.in_features // model.num_heads
        out.weight[:, head * width : (head + 1) * width] = 0
    with torch.no_grad():
        assert largest_difference(cap.logits, edited(model.normalise(view))[0]) < TOLERANCE


def test_layers_knocked_out_pass_the_stream_on(model, view):
    view = view(model)
    cap = look(model, view, vizvit.KnockOutLayers([-1]))
    shorter = copy.deepcopy(model.module)
    shorter.blocks = shorter.blocks[:-1]
    with torch.no_grad():
        assert largest_difference(cap.logits, shorter(model.normalise(view))[0]) < TOLERANCE
    assert_changed(cap, model, view)
    assert not cap.attention(-1).any() and cap.attention(0).any()
    np.testing.assert_array_equal(cap.tokens(-1), cap.tokens(-2))
    chain = vizvit.rollout_steps(cap)
    np.testing.assert_allclose(chain[-1], chain[-2], atol=1e-7)


@pytest.mark.parametrize("to", ["read-out", ("patch", 1, 2)])
def test_attention_knocked_out(model, view, to):
    view, patches = view(model), [(0, 0), (1, 1), (2, 2)]
    if to == "read-out":
        to = "cls" if "class" in model.grid.prefix_names else ("patch", 0, 1)
    cap = look(model, view, vizvit.KnockOutAttention(patches, to=to, layers=[0]))
    query, keys = cap.token_index(to), [cap.token_index(("patch", *patch)) for patch in patches]

    def mask(layer, weights):
        if layer == 0:
            weights[:, :, query, keys] = 0
            weights /= weights.sum(-1, keepdim=True)
        return weights

    assert_same(cap, ByHand(model, mask), view)
    assert not cap.attention(0)[:, query, keys].any() and cap.attention(1)[:, query, keys].all()
    others = [token for token in range(cap.num_tokens) if token != query]
    plain = vizvit.capture_view(model, view)
    np.testing.assert_allclose(cap.attention(0)[:, others], plain.attention(0)[:, others], atol=1e-5)


def test_unseen_patches(model, view):
    view, patches = view(model), [(0, 0), (1, 1), (2, 2)]
    cap = look(model, view, vizvit.UnseenPatches(patches, layers=[0]))
    keys = [cap.token_index(("patch", *patch)) for patch in patches]

    def mask(layer, weights):
        if layer == 0:
            weights[..., keys] = 0
            weights /= weights.sum(-1, keepdim=True)
        return weights

    assert_same(cap, ByHand(model, mask), view)
    assert not cap.attention(0)[..., keys].any() and cap.attention(1)[..., keys].all()


def test_something_is_left_to_look_at(vit, view):
    model = vit(FAMILIES[3][0], **FAMILIES[3][1])
    every = {(row, col) for row in range(4) for col in range(4)}
    cap = look(model, view(model), vizvit.KnockOutAttention(every - {(0, 0)}, to=("patch", 1, 1)))
    assert (cap.attention(0)[:, 5, 0] == 1).all()
    with pytest.raises(vizvit.CaptureError, match="left something to look at"):
        look(model, view(model), vizvit.KnockOutAttention(every, to=("patch", 1, 1)))
    with pytest.raises(vizvit.CaptureError, match="left something to look at"):
        unseen = vizvit.UnseenPatches(every - {(0, 0)})
        look(model, view(model), vizvit.KnockOutAttention({(0, 0)}, to=("patch", 1, 1)), unseen)


def test_attention_knocked_out_of_no_class_token(vit, view):
    model = vit(FAMILIES[3][0], **FAMILIES[3][1])
    with pytest.raises(vizvit.CaptureError, match='no token "cls"'):
        look(model, view(model), vizvit.KnockOutAttention({(0, 0)}))


# --- positions and order


def moved(view, grid: PatchGrid, order):
    """The picture whose i-th patch is the order[i]-th of the view."""
    size = grid.patch_size
    cells = view.reshape(grid.rows, size, grid.cols, size, 3).swapaxes(1, 2).reshape(-1, size, size, 3)[list(order)]
    return cells.reshape(grid.rows, grid.cols, size, size, 3).swapaxes(1, 2).reshape(view.shape)


def test_shuffled_patches_are_shuffled_pixels(model, view):
    view = view(model)
    cap = look(model, view, vizvit.ShufflePatches(3))
    order = list(cap.grid.order)
    assert sorted(order) == list(range(cap.grid.num_patches)) and order != sorted(order)
    same = vizvit.capture_view(model, moved(view, model.grid, order))
    assert largest_difference(cap.logits, same.logits) < TOLERANCE
    np.testing.assert_array_equal(cap.attention(1), same.attention(1))
    assert_changed(cap, model, view)
    # The same attention, shown where the patches are in the picture: that of the i-th token is its patch's.
    there, here = vizvit.attention_map(same, 1).ravel(), vizvit.attention_map(cap, 1).ravel()
    np.testing.assert_array_equal(here[order], there)
    row, col = divmod(order[4], cap.grid.cols)
    assert cap.token_index(("patch", row, col)) == cap.grid.num_prefix_tokens + 4
    assert cap.grid.patch(cap.grid.num_prefix_tokens + 4) == (row, col)


def test_swapped_positions_are_swapped_pixels(model, view):
    view, (first, second) = view(model), ((0, 1), (2, 2))
    cap = look(model, view, vizvit.PositionEmbedding("swap", patches=(first, second)))
    order = list(range(model.grid.num_patches))
    a, b = (row * model.grid.cols + col for row, col in (first, second))
    order[a], order[b] = b, a
    same = vizvit.capture_view(model, moved(view, model.grid, order))
    assert largest_difference(cap.logits, same.logits) < TOLERANCE
    assert (
        np.abs(cap.logits - vizvit.capture_view(model, view).logits).max() > 10 * np.abs(cap.logits - same.logits).max()
    )
    there, here = vizvit.rollout(same).ravel(), vizvit.rollout(cap).ravel()
    np.testing.assert_allclose(here[order], there, atol=1e-6)
    twice = look(model, view, *2 * [vizvit.PositionEmbedding("swap", patches=(first, second))])
    np.testing.assert_array_equal(twice.logits, vizvit.capture_view(model, view).logits)


def test_shuffled_positions_and_patches_cancel(model, view):
    """Patches that keep their positions are the same set: what remains of the shuffles is the order of the sequence."""
    view = view(model)
    plain, shuffle = vizvit.capture_view(model, view), vizvit.PositionEmbedding("shuffle", seed=5)
    assert_changed(look(model, view, shuffle), model, view)
    both = look(model, view, shuffle, vizvit.ShufflePatches(5))
    assert largest_difference(both.logits, plain.logits) < TOLERANCE
    np.testing.assert_allclose(vizvit.rollout(both), vizvit.rollout(plain), atol=1e-6)
    np.testing.assert_allclose(vizvit.attention_map(both, 1, head=0), vizvit.attention_map(plain, 1, head=0), atol=1e-5)


def test_zeroed_positions(model, view):
    view = view(model)

    def prepare(module):
        for name, parameter in module.named_parameters():
            if name == "pos_embed" or "relative_position" in name:
                parameter.zero_()
        if getattr(module, "rope", None) is not None:
            sin, cos = module.rope.get_embed().chunk(2, -1)
            module.rope.pos_embed = torch.cat([torch.zeros_like(sin), torch.ones_like(cos)], -1)

    cap = look(model, view, vizvit.PositionEmbedding("zero"))
    assert_same(cap, ByHand(model, prepare=prepare), view)
    assert_changed(cap, model, view)


def test_without_positions_order_means_nothing(model, view):
    found = vizvit.shuffled_class_difference(model, view(model), seed=1)
    assert found.zeroed < TOLERANCE * found.largest
    assert found.kept > 50 * found.zeroed


def test_models_without_what_is_to_be_changed(vit, view):
    without = vit("vit_relpos_base_patch16_cls_224", image_size=64, depth=2, heads=3)
    look(without, view(without), vizvit.PositionEmbedding("zero"))
    flexible = vit("naflexvit_base_patch16_gap", image_size=64, depth=2, heads=3)
    with pytest.raises(vizvit.CaptureError, match="cannot be shuffled"):
        look(flexible, view(flexible), vizvit.ShufflePatches())
    with pytest.raises(vizvit.CaptureError, match="can be zeroed"):
        look(flexible, view(flexible), vizvit.PositionEmbedding("shuffle"))
    look(flexible, view(flexible), vizvit.PositionEmbedding("zero"))


# --- fewer tokens


def test_dropped_patches_are_seen_by_no_one(model, view):
    view, dropped = view(model), {(0, 0), (1, 2), (2, 1)}
    cap = look(model, view, vizvit.DropPatches(dropped), target=3)
    full, size = model.grid, model.grid.num_tokens
    gone = [full.token(*patch) for patch in dropped]
    kept = [token for token in range(size) if token not in gone]

    def mask(layer, weights):
        weights[..., gone] = 0
        return weights / weights.sum(-1, keepdim=True)

    hand = ByHand(model, mask)
    hand.logits(view)
    assert cap.num_tokens == size - 3 and cap.grid.missing == dropped
    for layer in range(cap.num_layers):
        assert largest_difference(cap.tokens(layer), hand.streams[layer][0, kept]) < TOLERANCE
        expected = hand.attention[layer][0][:, kept][:, :, kept]
        assert largest_difference(cap.attention(layer), expected) < 1e-4
    with torch.no_grad():
        stream = hand.module.norm(torch.from_numpy(cap.tokens(-1))[None])
        assert largest_difference(cap.logits, hand.module.forward_head(stream)[0]) < TOLERANCE
    assert_changed(cap, model, view)
    for heat in (vizvit.rollout(cap), vizvit.relevance(cap), vizvit.attention_map(cap, area=(0, 0, 1, 2))):
        assert heat.shape == (full.rows, full.cols)
        assert {tuple(place) for place in np.argwhere(heat == 0)} >= dropped and heat[0, 1] > 0
        vizvit.overlay(view, heat)
    assert vizvit.attention_distance(cap).shape == (cap.num_layers, cap.num_heads)
    assert vizvit.position_map(cap).values.shape == (full.rows, full.cols, full.rows, full.cols)


def test_places_of_dropped_patches(tiny, view):
    cap = look(tiny, view(tiny), vizvit.DropPatches([(0, 1)]))
    grid = cap.grid
    assert (grid.num_patches, grid.num_tokens, grid.image_size) == (14, 15, (48, 80))
    assert grid.token(0, 0) == 1 and grid.token(0, 2) == 2 and grid.patch(2) == (0, 2)
    assert patch_map(np.arange(15), cap)[0].tolist() == [1, 0, 2, 3, 4]
    with pytest.raises(vizvit.CaptureError, match="left out of the sequence"):
        cap.attention_from(("patch", 0, 1))
    with pytest.raises(vizvit.CaptureError, match="left out of the sequence"):
        vizvit.attention_map(cap, area=(0, 1, 0, 1))
    assert grid.box(0, 1) == (16, 0, 32, 16)


@pytest.mark.parametrize(
    "change", [vizvit.DropPatches({(0, 1)}), vizvit.ShufflePatches(), vizvit.KnockOutHeads({(1, 2)})]
)
def test_the_explorer_takes_whole_grids_and_heads_that_take_part(tiny, view, change):
    cap = look(tiny, view(tiny), change)
    with pytest.raises(vizvit.CaptureError, match="whole grids"):
        encode(cap, cap.view)
    cap = look(tiny, view(tiny), vizvit.Temperature(2), vizvit.KnockOutAttention({(1, 1)}))
    assert encode(cap, cap.view) and cap.silenced == ((), (), ())
    assert look(tiny, view(tiny), vizvit.KnockOutHeads({(1, 2)})).silenced == ((), (2,), ())


# --- weights


def test_random_weights_from_the_head_down(model, view):
    view = view(model)
    plain = vizvit.capture_view(model, view)
    with vizvit.intervene(model, vizvit.RandomWeights(1, seed=2)) as changed:
        before, after = (dict(module.named_parameters()) for module in (model.module, changed.module))
        last = f"blocks.{model.num_layers - 1}."
        new = {name for name in before if before[name].data_ptr() != after[name].data_ptr()}
        assert new == {name for name in before if name.startswith((last, "head", "norm.", "fc_norm", "attn_pool"))}
        assert all(after[name].shape == before[name].shape and after[name].dtype == before[name].dtype for name in new)
        matrix = after[last + "attn.proj.weight"]
        assert 0.018 < matrix.std() < 0.022 and abs(matrix.mean()) < 1e-3
        assert (after[last + "norm1.weight"] == 1).all() and not after[last + "norm1.bias"].any()
        cap = vizvit.capture_view(changed, view)
        edited = copy.deepcopy(model.module)
        edited.load_state_dict({name: tensor.clone() for name, tensor in changed.module.state_dict().items()})
    with torch.no_grad():
        assert largest_difference(cap.logits, edited(model.normalise(view))[0]) < TOLERANCE
    np.testing.assert_array_equal(cap.attention(-2), plain.attention(-2))
    assert np.abs(cap.attention(-1) - plain.attention(-1)).max() > 1e-3
    np.testing.assert_array_equal(look(model, view, vizvit.RandomWeights(1, seed=2)).logits, cap.logits)
    assert np.abs(look(model, view, vizvit.RandomWeights(1, seed=3)).logits - cap.logits).max() > 1e-4


def test_random_head_alone(model, view):
    view = view(model)
    plain, cap = vizvit.capture_view(model, view), look(model, view, vizvit.RandomWeights(0))
    assert_changed(cap, model, view)
    np.testing.assert_array_equal(cap.tokens(-1), plain.tokens(-1))


# --- together


def test_changes_in_any_order(model, view):
    view = view(model)
    changes = [
        vizvit.ShufflePatches(1),
        vizvit.PositionEmbedding("swap", patches=((0, 0), (1, 1))),
        vizvit.DropPatches({(1, 0), (2, 2)}),
        vizvit.Temperature(0.5),
        vizvit.NoScaling([1]),
        vizvit.KnockOutAttention({(0, 2), (1, 0)}, to=("patch", 1, 1), layers=[0]),
        vizvit.KnockOutHeads({(0, 1)}),
        vizvit.KnockOutLayers({1}),
        vizvit.RandomWeights(1),
    ]
    there, back = look(model, view, *changes), look(model, view, *changes[::-1])
    np.testing.assert_array_equal(there.logits, back.logits)
    np.testing.assert_array_equal(there.attention(0), back.attention(0))
    assert np.isfinite(there.logits).all() and there.grid == back.grid
    query, key = there.token_index(("patch", 1, 1)), there.token_index(("patch", 0, 2))
    assert not there.attention(0)[:, query, key].any() and there.attention(0)[0, query - 1, key] > 0
    with vizvit.intervene(model, *changes[:4]) as outer, vizvit.intervene(outer, *changes[4:]) as inner:
        np.testing.assert_array_equal(vizvit.capture_view(inner, view).logits, there.logits)


def test_nothing_changed(model, view):
    view = view(model)
    cap, plain = look(model, view), vizvit.capture_view(model, view)
    np.testing.assert_array_equal(cap.logits, plain.logits)
    assert cap.grid == plain.grid and cap.vit.weights == plain.vit.weights


def test_gradients_pass_through_a_changed_model(tiny, view):
    view = view(tiny)
    cap = look(tiny, view, vizvit.KnockOutLayers({2}), vizvit.KnockOutHeads({(0, 1)}), target=3)
    assert not cap.attention_gradients(2)[1].any() and not cap.attention_gradients(0)[1][1].any()
    assert cap.attention_gradients(0)[1][0].any() and vizvit.relevance(cap).max() > 0


# --- the original


def state(module):
    return {
        name: (tensor.data_ptr(), tensor._version, tensor.clone())
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]
    }


def hooks(module):
    return sum(
        len(value)
        for part in module.modules()
        for name, value in vars(part).items()
        if "hooks" in name and hasattr(value, "__len__")
    )


def test_the_original_is_untouched(model, view):
    view, everything = view(model), [
        vizvit.RandomWeights(model.num_layers),
        vizvit.PositionEmbedding("zero"),
        vizvit.KnockOutHeads({(0, 0)}),
        vizvit.DropPatches({(0, 0)}),
        vizvit.ShufflePatches(),
    ]  # fmt: skip
    before, count = state(model.module), hooks(model.module)
    parts = [(part, type(part), sorted(vars(part))) for part in model.module.modules()]
    plain = vizvit.capture_view(model, view).logits
    with pytest.raises(ZeroDivisionError), vizvit.intervene(model, *everything) as changed:
        vizvit.capture_view(changed, view)
        raise ZeroDivisionError
    with vizvit.intervene(model, *everything) as changed:
        cap = vizvit.capture_view(changed, view)
    after = state(model.module)
    assert hooks(model.module) == count and after.keys() == before.keys()
    for name, (address, version, value) in before.items():
        assert after[name][:2] == (address, version) and torch.equal(after[name][2], value)
    assert [(part, type(part), sorted(vars(part))) for part in model.module.modules()] == parts
    np.testing.assert_array_equal(vizvit.capture_view(model, view).logits, plain)
    assert cap.tokens(-1).shape[0] == cap.num_tokens, "a capture lives on after the block"


def test_two_threads_at_once(tiny, view):
    view, start = view(tiny), threading.Barrier(2)
    changes = (vizvit.Temperature(3), vizvit.KnockOutHeads({(1, 1)}), vizvit.DropPatches({(0, 0)}))

    def many(run):
        start.wait()
        return [run() for _ in range(20)]

    with vizvit.intervene(tiny, *changes) as changed, ThreadPoolExecutor(2) as pool:
        models = (changed, tiny)
        alone = [vizvit.capture_view(model, view) for model in models]
        waiting = [pool.submit(many, lambda model=model: vizvit.capture_view(model, view)) for model in models]
        for expected, found in zip(alone, waiting, strict=True):
            for cap in found.result():
                np.testing.assert_array_equal(cap.logits, expected.logits)
                np.testing.assert_array_equal(cap.attention(1), expected.attention(1))
    assert largest_difference(alone[0].logits, alone[1].logits) > 1e-3


# --- what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: vizvit.Temperature(0), "above 0"),
        (lambda: vizvit.Temperature(2, layers=[3]), "layers 0 to 2"),
        (lambda: vizvit.KnockOutLayers({-4}), "layers 0 to 2"),
        (lambda: vizvit.KnockOutHeads({(0, 3)}), "heads 0 to 2"),
        (lambda: vizvit.KnockOutAttention({(3, 0)}), "rows 0 to 2"),
        (lambda: vizvit.KnockOutAttention({(0, 0)}, to="dist"), 'no token "dist"'),
        (lambda: vizvit.DropPatches({(0, 5)}), "columns 0 to 4"),
        (lambda: vizvit.DropPatches([3]), r"\(row, col\)"),
        (lambda: vizvit.DropPatches((r, c) for r in range(3) for c in range(5)), "at least one has to stay"),
        (lambda: vizvit.RandomWeights(4), "0 to 3 blocks"),
        (lambda: vizvit.PositionEmbedding("mirror"), "zero, shuffle, swap"),
        (lambda: vizvit.PositionEmbedding("swap"), "Two patches"),
        (lambda: vizvit.PositionEmbedding("swap", patches=((0, 0), (9, 9))), "rows 0 to 2"),
        (lambda: "louder", "no change"),
    ],
)
def test_refusals(tiny, change, message):
    with pytest.raises(vizvit.CaptureError, match=message), vizvit.intervene(tiny, change()):
        pass


def test_changes_are_values():
    assert vizvit.KnockOutHeads([(0, 1)]) == vizvit.KnockOutHeads({(0, 1)})
    assert len({vizvit.DropPatches([[0, 1]]), vizvit.DropPatches({(0, 1)}), vizvit.Temperature(2)}) == 2
