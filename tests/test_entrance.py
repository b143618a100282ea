"""A module that a person has: looked at without being changed, taken out of its wrapping, or refused in words."""

import copy

import numpy as np
import pytest
import timm
import torch
from torch import nn

import vizvit
from vizvit import walk
from vizvit.explanations.methods import METHODS
from vizvit.model.vit import VitModel
from vizvit.model.watched import frozen_twin

NAME = "vit_tiny_patch16_224"
SMALL = {"img_size": 48, "depth": 2, "embed_dim": 48, "num_heads": 3, "num_classes": 5}


def made(seed: int = 0, name: str = NAME, **options) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return timm.create_model(name, **(SMALL | options))


def state_of(module: nn.Module) -> dict:
    """All of a module that looking could change."""
    found = {}
    for name, part in module.named_modules():
        hooks = [dict(vars(part)[key]) for key in vars(part) if key.endswith("_hooks")]
        found[name] = (part.training, hooks, getattr(part, "fused_attn", None), sorted(vars(part)))
    for name, p in module.named_parameters():
        grad = None if p.grad is None else p.grad.clone()
        found[f"{name}."] = (id(p), p.data_ptr(), p.requires_grad, p.dtype, p.device, p.detach().clone(), grad)
    for name, b in module.named_buffers():
        found[f"{name}.."] = (id(b), b.clone())
    return found


def assert_same(one: object, other: object) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    else:
        assert one == other


# --- looking changes nothing


class Normed(timm.models.VisionTransformer):
    """With batch statistics on its way, which a pass in training mode would move."""

    def __init__(self, **options):
        super().__init__(**options)
        self.batch_norm = nn.BatchNorm1d(self.embed_dim)

    def forward_features(self, x, **kwargs):
        x = super().forward_features(x, **kwargs)
        return self.batch_norm(x.transpose(1, 2)).transpose(1, 2)


def look(vit: VitModel, picture) -> None:
    cap = vizvit.capture(vit, picture)
    cap.tokens(-1), cap.attention(0), vizvit.rollout(cap), cap.features
    with_gradients = vizvit.capture(vit, picture, target=1)
    vizvit.relevance(with_gradients), vizvit.gradient_rollout(with_gradients)
    for method in METHODS:
        options = {"steps": 2} if method == "integrated_gradients" else {}
        vizvit.explain(vit, cap.view, method, target=2, **options)
    changes = [vizvit.Temperature(2), vizvit.PositionEmbedding("shuffle"), vizvit.RandomWeights(1)]
    with vizvit.intervene(vit, vizvit.KnockOutHeads({(0, 1)}), vizvit.DropPatches({(0, 0)}), *changes) as changed:
        vizvit.capture(changed, picture).tokens(0)
    vizvit.dissect(vit, cap.view)
    vizvit.embedding_filters(vit, 3), vizvit.position_similarity(vit)


def train(looking: bool, picture, wrapping=lambda module: module) -> tuple[dict, list]:
    options = {key: value for key, value in SMALL.items() if key != "depth"} | {"drop_rate": 0.2, "drop_path_rate": 0.3}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Normed(**options, depth=2, patch_size=16, attn_drop_rate=0.1, proj_drop_rate=0.1)
        module.norm.requires_grad_(False)
        module.pos_embed.requires_grad_(False)
        module.blocks[0].norm1.eval()  # a person may mix modes
        vit = VitModel.wrap(wrapping(module), name="mine") if looking else None
        optimizer = torch.optim.AdamW([p for p in module.parameters() if p.requires_grad], lr=1e-2)
        losses = []
        for _ in range(3):
            loss = nn.functional.cross_entropy(module(torch.randn(4, 3, 48, 48)), torch.randint(5, (4,)))
            optimizer.zero_grad()
            loss.backward()
            if looking:
                before, random = state_of(module), torch.get_rng_state()
                look(vit, picture)
                assert_same(before, state_of(module))
                assert torch.equal(random, torch.get_rng_state())
            optimizer.step()
            losses.append(loss.item())
    return {key: value.clone() for key, value in module.state_dict().items()}, losses


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_training_loop_that_looks_inside_learns_as_one_that_does_not(picture, checkpointing):
    def wrapping(module):
        module.set_grad_checkpointing(checkpointing)
        return module

    alone, losses = train(False, picture)
    looked, again = train(True, picture, wrapping)
    assert losses == again
    assert_same(alone, looked)


def reading(module: nn.Module, vit: VitModel, picture) -> np.ndarray:
    """The module's own logits for a picture."""
    double = copy.deepcopy(module).eval()
    place = next(double.parameters())
    with torch.no_grad():
        return double(vit.preprocess(picture).to(place.device, place.dtype))[0].float().numpy()


def test_a_later_look_sees_later_weights(picture):
    module = made()
    vit = VitModel.wrap(module, name="mine")
    seen = []

    def same() -> None:
        seen.append(vizvit.capture(vit, picture).logits)
        np.testing.assert_allclose(seen[-1], reading(module, vit, picture), atol=2e-2, rtol=1e-2)
        assert len(seen) < 2 or np.abs(seen[-1] - seen[-2]).max() > 0

    same()
    with torch.no_grad():
        module.head.weight.add_(1)
    same()
    module.head.bias.data = module.head.bias.data + 1
    same()
    module.load_state_dict(made(1).state_dict())
    same()
    module.load_state_dict(made(2).state_dict(), assign=True)
    same()
    module.double()
    same()
    assert vit.dtype == torch.float64
    module.to(torch.bfloat16)
    same()
    assert vit.precision == "bfloat16" and module.head.weight.dtype == torch.bfloat16
    module.float()
    module.head = nn.Linear(48, 5)
    same()
    module.global_pool = "avg"
    same()
    del module.blocks[1]
    same()
    assert vit.num_layers == 1
    module.head = nn.Linear(48, 9)
    with pytest.raises(vizvit.CaptureError, match="gives 9 outputs by now, but had 5 when it was wrapped"):
        vizvit.capture(vit, picture)


def test_a_captures_tokens_are_its_own_or_refused(picture):
    module = made()
    vit = VitModel.wrap(module, name="mine")
    early, late = vizvit.capture(vit, picture), vizvit.capture(vit, picture)
    tokens = early.tokens(-1)
    with torch.no_grad():
        module.blocks[0].mlp.fc1.weight.mul_(3)
    np.testing.assert_array_equal(early.tokens(-1), tokens)
    with pytest.raises(vizvit.CaptureError, match="have changed since this capture was made"):
        late.tokens(-1)
    assert np.abs(vizvit.capture(vit, picture).tokens(-1) - tokens).max() > 0


def test_a_captures_bias_is_its_own(picture):
    module = made(name="beit_base_patch16_224")
    vit = VitModel.wrap(module, name="mine")
    with torch.no_grad():
        module.blocks[1].attn.relative_position_bias_table.normal_()
    cap = vizvit.capture(vit, picture)
    bias, attention = cap.bias(1), cap.attention(1)
    assert np.abs(bias).max() > 0.5
    with torch.no_grad():
        module.blocks[1].attn.relative_position_bias_table.zero_()
    np.testing.assert_array_equal(cap.bias(1), bias)
    np.testing.assert_array_equal(cap.attention(1), attention)
    assert np.abs(vizvit.capture(vit, picture).bias(1)).max() == 0


def test_another_dtype_is_a_converted_copy(picture):
    module = made().double()
    vit = VitModel.wrap(module, name="mine", dtype=torch.float32)
    before = vizvit.capture(vit, picture).logits
    assert (vit.dtype, module.head.weight.dtype) == (torch.float32, torch.float64)
    with torch.no_grad():
        module.head.weight.add_(1)
    np.testing.assert_array_equal(vizvit.capture(vit, picture).logits, before)


def test_shared_parameters_hooks_and_closures_are_the_twins_own(picture):
    module = made().train()
    module.blocks[1].mlp.fc1.weight = module.blocks[0].mlp.fc1.weight
    inner = module.blocks[0].attn
    ran = []

    def hook(part, args, out):
        ran.append(part)
        return out + inner.proj.bias.sum()

    backward = []
    module.blocks[1].register_forward_hook(hook)
    module.blocks[0].register_full_backward_hook(lambda *_: backward.append(1))
    forward = module.blocks[0].forward
    module.blocks[0].forward = lambda x, **kwargs: forward(x, **kwargs)
    module.blocks[0].mlp.drop1.p = 0.9
    vit = VitModel.wrap(module, name="mine")
    first = vizvit.capture(vit, picture, target=0)
    np.testing.assert_array_equal(first.logits, vizvit.capture(vit, picture, target=0).logits)
    assert ran and all(part is not module.blocks[1] and not part.training for part in ran)
    assert not backward
    assert vit.num_parameters == sum(p.numel() for p in module.parameters())
    inner.proj.bias.data.add_(1)
    assert np.abs(vizvit.capture(vit, picture).logits - first.logits).max() > 0


def test_a_modules_own_eval_is_not_run(picture):
    class Merging(timm.models.VisionTransformer):
        def train(self, mode=True):
            if not mode:  # as adapters do that merge their weights
                self.head.weight.data.add_(1)
            return super().train(mode)

    options = {key: SMALL[key] for key in SMALL}
    module = Merging(**options).train()
    before = state_of(module)
    vizvit.capture(VitModel.wrap(module, name="mine"), picture)
    assert_same(before, state_of(module))


# --- two entrances, one treatment


def test_attention_that_was_not_fused(picture):
    module = made()
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    cap = vizvit.capture(VitModel.wrap(module, name="mine"), picture)
    np.testing.assert_allclose(cap.logits, reading(module, cap.vit, picture), atol=1e-5)
    assert not any(getattr(part, "fused_attn", False) for part in module.modules())


@pytest.mark.parametrize("how", ["compiled", "blocks", "forward", "in place", "parallel", "compiled parallel"])
def test_wrappings_are_seen_through(picture, how):
    module = made()
    expected = vizvit.capture(VitModel.wrap(module, name="plain"), picture).logits
    given = {
        "compiled": lambda: torch.compile(module),
        "parallel": lambda: nn.DataParallel(module),
        "compiled parallel": lambda: nn.DataParallel(torch.compile(module)),
    }.get(how, lambda: module)()
    if how == "blocks":
        module.blocks[0] = torch.compile(module.blocks[0])
    elif how == "forward":
        module.forward = torch.compile(module.forward)
    elif how == "in place":
        module.compile()
    cap = vizvit.capture(VitModel.wrap(given, name="wrapped"), picture)
    np.testing.assert_array_equal(cap.logits, expected)


def test_a_distributed_module_is_seen_through(picture, tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/ranks", rank=0, world_size=1)
    try:
        module = made()
        given = nn.parallel.DistributedDataParallel(module)
        cap = vizvit.capture(VitModel.wrap(given, name="mine"), picture)
        np.testing.assert_allclose(cap.logits, reading(module, cap.vit, picture), atol=1e-5)
    finally:
        torch.distributed.destroy_process_group()


class Net(nn.Module):
    def __init__(self, inner: nn.Module):
        super().__init__()
        self.backbone = inner

    def forward(self, x):
        return self.backbone(x)


@pytest.mark.parametrize(
    ("wrapping", "where"),
    [
        (Net, r"net\.backbone\."),
        (lambda vit: Net(Net(vit)), r"net\.backbone\.backbone\."),
        (lambda vit: nn.Sequential(nn.Identity(), vit), r"net\[1\]\."),
        (lambda vit: nn.DataParallel(Net(vit)), r"net\.module\.backbone\."),
        (lambda vit: torch.compile(Net(vit)), r"net\.backbone\."),
        (lambda vit: Net(torch.compile(vit)), r"net\.backbone\."),
        (lambda vit: nn.ModuleDict({"one": vit, "two": made(1)}), r"holds 2: wrap net\.one or net\.two\."),
    ],
)
def test_a_vit_further_in_is_named(wrapping, where):
    with pytest.raises(vizvit.ModelError, match=rf"mine \(\w+\) is not a Vision Transformer itself .*{where}"):
        VitModel.wrap(wrapping(made()), name="mine")


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (lambda y: {"logits": y, "loss": None}, r"a dict with the keys 'logits', 'loss'"),
        (lambda y: (y, y), "a tuple of 2 outputs"),
        (lambda y: y[:, None].expand(-1, 4, -1), r"a sequence, one vector a token, of shape \[1, 4, 5\]"),
    ],
)
def test_other_outputs_are_named(out, words):
    class Odd(timm.models.VisionTransformer):
        def forward(self, x):
            return out(super().forward(x))

    with pytest.raises(vizvit.ModelError, match=f"does not give one vector for the picture but {words}"):
        VitModel.wrap(Odd(**SMALL), name="odd")


def test_what_is_no_module_and_no_model(picture):
    module = made()
    vit = VitModel.wrap(module, name="mine")
    with pytest.raises(vizvit.ModelError, match="A module was expected"):
        VitModel.wrap("vit_tiny", name="mine")
    with pytest.raises(vizvit.ModelError, match="scripted or traced"):
        VitModel.wrap(torch.jit.trace(copy.deepcopy(module).eval(), torch.zeros(1, 3, 48, 48)), name="mine")
    view = vit.view(picture)
    for call in (
        lambda given: vizvit.capture(given, picture),
        lambda given: vizvit.capture_view(given, view),
        lambda given: vizvit.capture_tensor(given, torch.zeros(3, 48, 48)),
        lambda given: vizvit.explain(given, view, "rollout"),
        lambda given: vizvit.dissect(given, view),
        lambda given: vizvit.intervene(given, vizvit.Temperature(2)).__enter__(),
    ):
        with pytest.raises(vizvit.ModelError, match=r"the module itself .* Wrap it first: .*VitModel\.wrap"):
            call(vit.module)
        with pytest.raises(vizvit.ModelError, match=r'the name "vit_x" was given\. Load it first: .*load_model'):
            call("vit_x")
        with pytest.raises(vizvit.ModelError, match="comes first"):
            call(picture)


# --- outputs as they are


def test_a_replaced_head_is_counted(picture):
    module = made()
    module.head = nn.Linear(48, 7)
    assert module.num_classes == 5
    assert len(VitModel.wrap(module, name="mine").labels) == 7
    vit = VitModel.wrap(module, name="mine", labels=list("abcdefg"))
    assert len(vizvit.capture(vit, picture, target="g").probabilities) == 7
    with pytest.raises(vizvit.ModelError, match="5 class names were given for mine, which has 7 classes"):
        VitModel.wrap(module, name="mine", labels=["abcde"] * 5)
    with pytest.raises(vizvit.ModelError, match="one text"):
        VitModel.wrap(module, name="mine", labels="abcdefg")


@pytest.mark.parametrize(
    "head", [nn.Linear(48, 3), nn.Sequential(nn.Dropout(0.5), nn.Linear(48, 8), nn.GELU(), nn.Linear(8, 3))]
)
def test_a_head_of_ones_own(picture, head):
    module = made(num_classes=0)
    module.head = head
    for labels in (None, ("x", "y", "z")):
        vit = VitModel.wrap(module, name="mine", labels=labels)
        assert vit.labels == (labels or ("class 0", "class 1", "class 2"))
        cap = vizvit.capture(vit, picture, target=2)
        np.testing.assert_allclose(cap.logits, reading(module, vit, picture), atol=1e-5)
        with torch.no_grad():
            again = copy.deepcopy(head).eval()(torch.from_numpy(cap.features))
        np.testing.assert_allclose(again.numpy(), cap.logits, atol=1e-5)


def test_a_classifier_of_ones_own(picture):
    class Mine(timm.models.VisionTransformer):
        def __init__(self):
            super().__init__(**(SMALL | {"num_classes": 0}))
            self.mine = nn.Linear(48, 4)

        def forward(self, x):
            return self.mine(self.forward_features(x)[:, 1:].mean(1))

    vit = VitModel.wrap(module := Mine(), name="mine")
    cap = vizvit.capture(vit, picture)
    assert len(vit.labels) == 4
    weight, bias = (tensor.detach().numpy() for tensor in (module.mine.weight, module.mine.bias))
    np.testing.assert_allclose(cap.features @ weight.T + bias, cap.logits, atol=1e-5)


def test_features(picture, vit):
    plain = VitModel.wrap(made(num_classes=0), name="bare")
    cap = vizvit.capture(plain, picture)
    assert plain.labels == () and cap.logits.size == 0
    np.testing.assert_array_equal(cap.features, reading(plain.module, plain, picture))
    with pytest.raises(vizvit.ModelError, match="gives 48 features, not classes"):
        VitModel.wrap(made(num_classes=0), name="bare", labels=("a", "b"))
    module = made(name="deit_tiny_distilled_patch16_224")
    model = VitModel.wrap(module, name="distilled")
    cap = vizvit.capture(model, picture)
    tokens = frozen_twin(module).forward_features(model.preprocess(picture))[0]
    np.testing.assert_allclose(cap.features, tokens[0].numpy(), atol=1e-5)


# --- sizes


def test_an_image_size_is_obeyed_or_refused(picture):
    with pytest.raises(vizvit.ModelError, match=r"built for pictures of 48x48 .* 64x64 were asked for"):
        VitModel.wrap(made(), name="mine", image_size=64)
    assert VitModel.wrap(made(), name="mine", image_size=(48, 48)).input_size == (48, 48)
    module = made(dynamic_img_size=True)
    vit = VitModel.wrap(module, name="mine", image_size=(64, 96))
    assert (vit.input_size, vit.grid.rows, vit.grid.cols) == ((64, 96), 4, 6)
    cap = vizvit.capture(vit, picture)
    assert cap.num_tokens == 25 and vizvit.rollout(cap).shape == (4, 6)
    assert vit.position_embedding().shape == (4, 6, 48)
    assert VitModel.wrap(module, name="mine", image_size=(50, 63)).input_size == (48, 48)
    for wrong in ((48,), "large", (0, 48), (48, 9999)):
        with pytest.raises(vizvit.ModelError, match="image size"):
            VitModel.wrap(module, name="mine", image_size=wrong)


# --- channels


def test_one_channel(picture):
    module = made(in_chans=1)
    vit = VitModel.wrap(module, name="grey", mean=(0.3,), std=(0.2,))
    assert (vit.channels, vit.mean, vit.std) == (1, (0.3,), (0.2,))
    view = vit.view(picture)
    assert view.shape == (48, 48, 3) and (view == view[:, :, :1]).all()
    expected = picture.convert("L")
    for step in vit._spatial:
        expected = step(expected)
    np.testing.assert_array_equal(view[:, :, 0], np.asarray(expected))
    pixels = vit.preprocess(picture)
    np.testing.assert_allclose(pixels[0, 0].numpy(), (np.asarray(expected) / 255 - 0.3) / 0.2, atol=1e-5)
    cap = vizvit.capture(vit, picture, target=0)
    np.testing.assert_allclose(cap.logits, reading(module, vit, picture), atol=1e-5)
    assert cap.tokens(-1).shape == (10, 48)
    tiles = vizvit.embedding_filters(vit, 4)
    assert tiles.shape == (4, 16, 16, 3) and (tiles == tiles[..., :1]).all()
    assert np.isfinite(vizvit.explain(vit, view, "integrated_gradients", target=1, steps=2)).all()
    a = vizvit.dissect(vit, view)
    assert a.pixels.shape == (1, 48, 48) and a.numbers()["channels"] == 1


def test_other_channels(picture):
    module = made(in_chans=4)
    vit = VitModel.wrap(module, name="four")
    for call in (vit.view, vit.preprocess, lambda image: vizvit.capture(vit, image)):
        with pytest.raises(vizvit.ModelError, match=r"reads 4 channels.*capture_tensor.*\[4, 48, 48\]"):
            call(picture)
    with pytest.raises(vizvit.ModelError, match="no colours"):
        vizvit.embedding_filters(vit)
    pixels = torch.randn(4, 48, 48, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 9, 99, 0.0]).view(
        4, 1, 1
    )
    before = pixels.clone()
    cap = vizvit.capture_tensor(vit, pixels, target=3)
    assert torch.equal(pixels, before) and not pixels.requires_grad
    with torch.no_grad():
        expected = copy.deepcopy(module).eval()(pixels[None])[0].numpy()
    np.testing.assert_allclose(cap.logits, expected, atol=1e-4)
    assert cap.rendition and cap.view.shape == (48, 48, 3) and cap.view.std() > 10
    assert cap.tokens(0).shape == (10, 48)
    other = vizvit.explain(vit, cap.view, "relevance", capture=cap, target=1)
    np.testing.assert_allclose(
        other, vizvit.relevance(vizvit.capture_tensor(vit, pixels.numpy(), target=1), token="cls")
    )
    with pytest.raises(vizvit.CaptureError, match="black picture"):
        vizvit.explain(vit, cap.view, "integrated_gradients", capture=cap, target=1)


def test_a_tensor_of_a_picture_shows_the_picture(picture):
    vit = VitModel.wrap(made(), name="mine")
    cap, same = vizvit.capture_tensor(vit, vit.preprocess(picture)), vizvit.capture(vit, picture)
    np.testing.assert_array_equal(cap.view, same.view)
    np.testing.assert_array_equal(cap.logits, same.logits)
    assert not cap.rendition
    shifted = vizvit.capture_tensor(vit, vit.preprocess(picture)[0] * 1.7 + 0.3)
    assert shifted.rendition
    assert np.corrcoef(shifted.view.ravel(), same.view.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (torch.zeros(2, 3, 48, 48), "one picture at a time"),
        (torch.zeros(3, 32, 48), r"mine reads float \[3, 48, 48\]"),
        (torch.zeros(48, 48), r"mine reads float \[3, 48, 48\]"),
        (torch.zeros(3, 48, 48, dtype=torch.uint8), "normalised numbers were expected"),
        (torch.full((3, 48, 48), torch.nan), "not finite"),
        ([1, 2], "type list"),
    ],
)
def test_tensors_that_are_refused(pixels, words):
    vit = VitModel.wrap(made(), name="mine")
    with pytest.raises(vizvit.CaptureError, match=words):
        vizvit.capture_tensor(vit, pixels)


def test_one_channel_is_walked_through_by_hand(picture):
    vit = VitModel.wrap(made(in_chans=1), name="grey", mean=(0.3,), std=(0.2,))
    a = vizvit.dissect(vit, vit.view(picture))
    flat = walk.flatten(a, 1, 2)
    assert flat.channels.shape == (1, 16, 16) and flat.values.shape == (256,) and flat.difference < 1e-5
    assert walk.embedding(a, 1, 2).difference < 1e-5
