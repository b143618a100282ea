"""A teacher's tokens beside the labels: made once, brought along to every crop and mixture, and learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from scipy.stats import entropy
from test_training import MACHINE, SMALL, folder, start, trained  # noqa: F401
from torch.nn import functional as F

from vizvit import VitModel, attention_map, capture
from vizvit.training import log, teacher
from vizvit.training.augment import Augment
from vizvit.training.batches import Batches
from vizvit.training.budget import Budget
from vizvit.training.network import build
from vizvit.training.pixels import decode
from vizvit.training.recipe import Recipe
from vizvit.training.sources import read_source
from vizvit.training.student import Student, chosen_patches, teacher_loss

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(folder, tmp_path_factory):
    return decode(read_source([folder]), 16, tmp_path_factory.mktemp("decoded"))


def numbered(count: int, rows: int = 4, cols: int = 4) -> teacher.Lessons:
    """Tokens that say where they are: [picture, row, col], and the class token of each picture -1."""
    tokens = np.full((count, 1 + rows * cols, 3), -1, np.float16)
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij"), -1).reshape(-1, 2)
    tokens[:, 1:, 1:] = grid
    tokens[:, :, 0] = np.arange(count)[:, None]
    return teacher.Lessons(tokens, rows, cols, 1.0)


def test_tokens_are_those_of_the_teacher_standardised_and_turned(trained, data, tmp_path):
    vit = teacher.open_teacher(str(trained / "model"), (4, 4), CPU)
    found = teacher.lessons(vit, data, tmp_path)
    assert found.tokens.shape == (128, 17, 32) and (found.rows, found.cols) == (4, 4)
    assert found.kept == pytest.approx(1)  # 32 dimensions, all kept
    view = data.batch(np.arange(128)).transpose(0, 2, 3, 1)
    with torch.no_grad():
        direct = vit.module.forward_features(torch.cat([vit.normalise(one) for one in view]))[:, 1:]
    direct = (direct - direct.mean((0, 1))) / direct.flatten(0, 1).std(0)
    ours = torch.from_numpy(found.tokens[:, 1:].astype(np.float32))
    # An orthogonal basis keeps all products between tokens.
    between = torch.einsum("pid,pjd->pij", direct, direct)
    assert torch.allclose(torch.einsum("pid,pjd->pij", ours, ours), between, atol=0.02 * between.abs().max())


@pytest.mark.parametrize("registers", [0, 2])
def test_a_teacher_without_a_class_token_leaves_the_students_to_the_labels(data, tmp_path, registers):
    module = timm.models.VisionTransformer(
        16, 4, num_classes=0, global_pool="avg", class_token=False, reg_tokens=registers, embed_dim=32, depth=1,
        num_heads=2,
    )  # fmt: skip
    found = teacher.lessons(VitModel.wrap(module, name="classless"), data, tmp_path)
    assert not found.class_token
    assert found.tokens.shape == (128, 17, 32)


def test_tokens_are_made_once_and_go_on_where_they_were_stopped(trained, data, tmp_path, monkeypatch):
    vit = teacher.open_teacher(str(trained / "model"), (4, 4), CPU)
    monkeypatch.setattr(teacher, "BATCH", 16)
    whole = np.array(teacher.lessons(vit, data, tmp_path / "whole").tokens)
    asked = []
    real = teacher._tokens

    def counted(vit, data, which):
        asked.append(len(which))
        if len(asked) == 12:  # eight for the components, then three of eight
            raise KeyboardInterrupt
        return real(vit, data, which)

    monkeypatch.setattr(teacher, "_tokens", counted)
    monkeypatch.setattr(teacher, "KEEP_EVERY", 1)
    with pytest.raises(KeyboardInterrupt):
        teacher.lessons(vit, data, tmp_path / "cut")
    asked[:] = [0] * 20
    assert np.array_equal(teacher.lessons(vit, data, tmp_path / "cut").tokens, whole)
    assert len(asked) == 25  # the five that were left
    teacher.lessons(vit, data, tmp_path / "cut")
    assert len(asked) == 25


def test_the_teachers_input_is_chosen_so_that_the_grids_agree():
    vit = teacher.open_teacher("vizvit-tiny", (8, 8), CPU)
    assert (vit.grid.rows, vit.grid.cols) == (8, 8)


def test_crops_and_mirroring_are_those_of_the_picture():
    """A picture whose pixels say where they are, cropped and mirrored: tokens and pixels still agree."""
    lessons, side = numbered(16), 64
    ramp = torch.stack(torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")).float()
    picture = torch.cat([ramp, torch.zeros(1, side, side)]).to(torch.uint8).expand(16, -1, -1, -1)
    augment = Augment(scale=0.5, ratio=1.2, flip=True, colour=0.0)
    views, places = augment.with_places(picture, side, torch.Generator().manual_seed(3))
    pixels = (views + 1) * 127.5  # [picture, (row, col, 0), side, side]
    tokens = lessons.seen(lessons.batch(np.arange(16), CPU), places)
    seen = F.avg_pool2d(pixels[:, :2], side // 4).flatten(2).transpose(1, 2)  # the mean place of each patch
    inside = (seen > 8) & (seen < 55)  # beyond the outer patches' centres, tokens stay at the border's
    expected = (seen - 7.5) / 16
    assert torch.allclose(tokens[:, 1:, 1:][inside], expected[inside], atol=0.06)
    assert torch.equal(tokens[:, 0, 0], torch.arange(16.0))
    mirrored = places[:, 0, 0] < 0
    assert 3 < mirrored.sum() < 13


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.0, 1.0), (0.8, 0.0)])
def test_tokens_are_mixed_as_the_pictures_are(data, mixup, cutmix):
    recipe = Recipe(**SMALL | {"mixup": mixup, "cutmix": cutmix, "mix": 1.0, "erase": 0.0, "randaugment": 0.0})
    recipe = replace(recipe, crop=1.0, colour=0.0, patch_drop=0.0, smoothing=0.0)
    batches = Batches(data, recipe, 2, CPU, (0.5,) * 3, (0.5,) * 3, numbered(len(data)))
    which = batches.which(0)
    shares = 0
    for step in range(6):
        which = batches.which(step)
        batch = batches.of(step)
        target = torch.from_numpy(np.eye(2, dtype=np.float32)[data.labels[which]])
        # The class token's first number is the picture's: how far it went to the other's is the share.
        first = torch.from_numpy(which).float()
        apart = first.flip(0) - first
        share = (batch.wanted[:, 0, 0] - first) / torch.where(apart == 0, torch.ones_like(apart), apart)
        mixed = (1 - share[:, None]) * target + share[:, None] * target.flip(0)
        assert torch.allclose(batch.target, mixed, atol=0.02)
        if cutmix:
            patches = (batch.wanted[:, 1:, 0] - first[:, None]) / apart[:, None]
            assert ((patches < 0.01) | (patches > 0.99)).float().mean() > 0.3
        shares += float(share.mean())
    assert shares > 0.2


def test_kept_patches_are_those_that_the_student_sees():
    torch.manual_seed(0)
    network = build(Recipe(**SMALL), 2).eval()
    student = Student(network, 5).eval()
    views, keep = torch.randn(3, 3, 16, 16), chosen_patches(3, 16, 0.5, torch.Generator().manual_seed(0), CPU)
    assert keep.shape == (3, 8) and all(len(set(row)) == 8 for row in keep.tolist())
    logits, tokens, _ = student(views, keep)
    assert tokens.shape == (3, 9, 5)
    everything = torch.arange(16).expand(3, 16)
    whole, *_ = student(views, everything)
    assert torch.allclose(whole, network(views), atol=1e-5)
    assert not torch.allclose(logits, whole, atol=1e-3)
    hidden = views.clone()
    gone = [index for index in range(16) if index not in keep[0].tolist()]
    for index in gone:
        row, col = divmod(index, 4)
        hidden[0, :, 4 * row : 4 * row + 4, 4 * col : 4 * col + 4] = 9.0
    assert torch.allclose(student(hidden, keep)[0][0], logits[0], atol=1e-5)


def test_settling_compares_the_last_attention_with_that_of_the_two_layers_before():
    torch.manual_seed(0)
    network = build(Recipe(**SMALL | {"depth": 4}), 2).eval()
    for block in network.blocks:
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.3)
    student = Student(network, settle=True).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    logits, tokens, apart = student(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1)
    cap = capture(VitModel.wrap(network, name="small", mean=(0.5,) * 3, std=(0.5,) * 3), pixels)
    first, second, last = (attention_map(cap, layer).ravel().astype(np.float64) for layer in (1, 2, 3))
    wanted = (first / first.sum() + second / second.sum()) / 2
    assert tokens is None and np.allclose(logits.detach()[0], cap.logits, atol=1e-4)
    assert apart.item() == pytest.approx(entropy(wanted, last / last.sum()), rel=1e-3)
    apart.backward()
    assert network.blocks[3].attn.qkv.weight.grad.abs().sum() > 0
    assert network.blocks[3].mlp.fc1.weight.grad is None


def test_a_run_that_settles_says_so_in_its_log(folder, tmp_path):
    start(folder, tmp_path, Budget(epochs=2), given={"settle": 2.0, "depth": 3}).train()
    assert [entry["unsettled"] for entry in log.read(tmp_path) if entry["event"] == "train"][-1] >= 0


def test_the_loss_is_one_minus_the_cosine():
    wanted = torch.randn(4, 5, 8)
    assert teacher_loss(3 * wanted, wanted) == pytest.approx(0, abs=1e-6)
    assert teacher_loss(-wanted, wanted) == pytest.approx(2, abs=1e-6)
    half = wanted.clone()
    half[:, 1:] *= -1
    assert teacher_loss(half, wanted) == pytest.approx(1, abs=1e-6)
    half[:, 1:] *= -1
    half[:, 0] *= -1
    assert teacher_loss(half, wanted, class_token=False) == pytest.approx(0, abs=1e-6)


def test_a_run_learns_from_its_teacher_and_goes_on_in_the_same_bits(folder, trained, tmp_path):
    given = {"teacher": str(trained / "model"), "patch_drop": 0.25}
    whole = start(folder, tmp_path / "whole", Budget(epochs=10), given=given)
    whole.train()
    losses = [entry["teacher_loss"] for entry in log.read(tmp_path / "whole") if entry["event"] == "train"]
    assert losses[-1] < 0.7 * losses[0]
    told = log.read(tmp_path / "whole")[0]["teacher"]
    assert told["name"] == "model" and told["input_size"] == [16, 16]

    class Killed(Exception):
        pass

    def watch(event):
        if event["event"] == "step" and event["step"] == 37:
            raise Killed

    cut = start(folder, tmp_path / "cut", Budget(epochs=10), given=given, watch=watch)
    with pytest.raises(Killed):
        cut.train()
    cut.save()
    resumed = start(folder, tmp_path / "cut", Budget(epochs=10), given=given)
    resumed.train()
    for name, value in whole.ema.module.state_dict().items():
        assert torch.equal(value, resumed.ema.module.state_dict()[name]), name
    assert torch.equal(whole.student.towards.weight, resumed.student.towards.weight)
