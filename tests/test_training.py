"""Training, finetuning and measuring, on small pictures that are made here."""

from __future__ import annotations

import io
import json
import pickle
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from local_data import local_data
from PIL import Image

import vizvit
from vizvit.analysis import attention_map
from vizvit.analysis.pointing import box_mask
from vizvit.cli import main
from vizvit.training import card, checkpoint, log, snapshots
from vizvit.training.augment import Augment, plain
from vizvit.training.begin import begin
from vizvit.training.budget import Budget, rate
from vizvit.training.evaluate import evaluate, point
from vizvit.training.finetune import begin_finetuning
from vizvit.training.network import build, sha256
from vizvit.training.pixels import decode
from vizvit.training.recipe import Recipe
from vizvit.training.run import Machine, Run
from vizvit.training.sources import read_classes, read_source

SMALL = {
    "image_size": 16,
    "patch": 4,
    "dim": 32,
    "depth": 2,
    "heads": 2,
    "batch": 16,
    "lr": 3e-3,
    "patch_drop": 0.25,
    "drop_path": 0.1,
    "randaugment": 0.3,
    "erase": 0.2,
    "ema": 0.9,
}
MACHINE = Machine(torch.device("cpu"), checkpoint_minutes=60)


def striped(across: bool, random: np.random.Generator, side: int = 16) -> np.ndarray:
    """Stripes at a random place, in random colours, [side, side, 3]: lying or standing."""
    wave = np.sin(np.arange(side) * np.pi / 2 + random.uniform(0, 6)) > 0
    light, dark = random.integers(140, 256, 3), random.integers(0, 110, 3)
    lines = np.where(wave[:, None], light, dark)[:, None].repeat(side, axis=1)
    noisy = lines + random.normal(0, 8, lines.shape)
    return np.clip(noisy if across else noisy.transpose(1, 0, 2), 0, 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_parquet(path: Path, pictures: list[bytes], labels: list, **columns: list) -> Path:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"image": pictures, "label": labels, **columns}), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """128 pictures of two classes that are told by the direction of their stripes: an image folder."""
    place = tmp_path_factory.mktemp("stripes")
    random = np.random.default_rng(0)
    for name, across in (("lying", True), ("standing", False)):
        (place / name).mkdir()
        for index in range(64):
            Image.fromarray(striped(across, random)).save(place / name / f"{index}.png")
    return place


def start(folder, out, budget=None, machine=MACHINE, **options):
    given = SMALL | options.pop("given", {})
    budget = budget or Budget(epochs=10)
    return begin([folder], options.pop("val", []), out, budget, machine, given=given, **options)


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory) -> Path:
    """The folder of a finished run of 25 epochs, with snapshots."""
    out = tmp_path_factory.mktemp("runs") / "stripes"
    given = {"patch_drop": 0.0, "drop_path": 0.0, "randaugment": 0.0, "erase": 0.0}
    run = start(folder, out, Budget(epochs=25), replace(MACHINE, snapshots=True), val=[folder], given=given)
    run.facts |= {"command": "python -m vizvit train stripes"}
    run.train()
    return out


# --- learning, and going on


def test_two_easily_told_classes_are_learned(trained, folder):
    assert log.read(trained)[-1]["top1"] > 0.9
    random = np.random.default_rng(99)
    vit = vizvit.load_model(trained / "model", device="cpu")
    assert vit.labels == ("lying", "standing")
    found = [vizvit.capture(vit, striped(across, random)).logits.argmax() for across in (True, False) * 20]
    assert np.mean(np.asarray(found) == [0, 1] * 20) > 0.9


def test_the_exported_directory_is_timms_own(trained):
    direct = timm.create_model(f"local-dir:{trained / 'model'}", pretrained=True).eval()
    own = vizvit.load_model(trained / "model", device="cpu")
    assert type(direct) is timm.models.VisionTransformer
    assert direct.pos_embed.shape == (1, 17, 32)
    assert not json.loads((trained / "model/config.json").read_text())["pretrained_cfg"].get("license")
    pixels = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(direct(pixels), own.module(pixels))


def test_snapshots_grow_out_of_the_untrained_network(trained):
    index = snapshots.read(trained / "snapshots")
    assert [entry["fraction"] for entry in index] == list(snapshots.MOMENTS)
    assert index[0]["step"] == 0
    assert index[-1]["top1"] > index[0]["top1"]
    untrained = vizvit.load_model(trained / "model", weights="random", device="cpu").module.state_dict()
    first = vizvit.load_model(trained / "model", weights=trained / "snapshots" / index[0]["file"], device="cpu")
    for name, value in first.module.state_dict().items():
        assert torch.equal(value, untrained[name].half().float()), name


class Killed(Exception):
    """Stands for a machine that goes off."""


@pytest.mark.parametrize("opt", ["adamw", "nmuon"])
def test_a_resumed_run_ends_in_the_same_bits(folder, tmp_path, opt):
    given = {"opt": opt, "image_size": 8, "patch": 2}
    whole = start(folder, tmp_path / "whole", Budget(epochs=4), given=given)
    whole.train()
    out = tmp_path / "cut"
    for kill_at in (11, 26):

        def watch(event, kill_at=kill_at):
            if event["event"] == "step" and event["step"] == kill_at:
                raise Killed

        often = replace(MACHINE, checkpoint_minutes=0.0 if kill_at == 26 else 60.0)
        run = start(folder, out, Budget(epochs=4), often, given=given, watch=watch)
        with pytest.raises(Killed):
            run.train()
        if kill_at == 11:
            run.save()
    resumed = begin([folder], [], out, Budget(epochs=4), MACHINE)  # the recipe is the checkpoint's
    assert resumed.step in (25, 26)
    resumed.train()
    for key in ("network", "ema"):
        one, other = checkpoint.load(tmp_path / "whole")[key], checkpoint.load(out)[key]
        assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert sha256(tmp_path / "whole/model/model.safetensors") == sha256(out / "model/model.safetensors")


def test_a_kill_at_any_moment_loses_only_the_steps_since_the_checkpoint(folder, tmp_path):
    out = tmp_path / "run"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    command = [sys.executable, "-m", "vizvit", "train", str(folder), "--out", str(out), "--device", "cpu", *options]
    root = Path(vizvit.__file__).parent.parent
    job = subprocess.Popen([*command, "--epochs=5000", "--checkpoint-minutes=0"], cwd=root, stderr=subprocess.DEVNULL)
    try:
        while not (out / log.NAME).is_file() or not any(entry["step"] >= 50 for entry in log.read(out)):
            assert job.poll() is None
            time.sleep(0.02)
    finally:
        job.kill()
        job.wait()
    state = checkpoint.load(out)
    assert state["step"] >= 49
    assert vizvit.load_model(out / "model", device="cpu").labels == ("lying", "standing")
    with (out / log.NAME).open("a") as file:
        file.write('{"event": "train", "step": 999999}\n{"event": "tra')  # after the checkpoint, and cut off
    run = start(folder, out, Budget(epochs=5000), given={})
    assert run.step == state["step"]
    assert max(entry["step"] for entry in log.read(out)) <= state["step"]


def test_a_polite_stop_saves_the_step_it_is_in(folder, tmp_path):
    stop = threading.Event()
    run = start(folder, tmp_path / "run", watch=lambda event: stop.set() if event.get("step") == 3 else None)
    with pytest.raises(KeyboardInterrupt):
        run.train(stop)
    assert checkpoint.load(tmp_path / "run")["step"] in (3, 4)


def test_a_finished_run_goes_on_with_a_larger_budget(folder, tmp_path):
    out = tmp_path / "run"
    start(folder, out, Budget(epochs=1)).train()
    assert checkpoint.load(out)["finished"]
    assert start(folder, out, Budget(epochs=1)).fraction >= 1
    more = start(folder, out, Budget(epochs=3))
    assert (more.step, more.fraction) == (8, 0)  # the schedule anew over what is left
    more.train()
    assert checkpoint.load(out)["step"] == 24


def test_weights_of_another_run_to_start_from(folder, trained, tmp_path):
    given = {"patch_drop": 0.0}
    run = start(folder, tmp_path / "run", given=given, val=[folder], init=str(trained / "model"))
    assert run.validate()["top1"] > 0.9
    with pytest.raises(vizvit.ModelError, match="another architecture"):
        start(folder, tmp_path / "other", given={"dim": 64}, init=str(trained / "model"))


# --- the schedule


@pytest.mark.parametrize("opt", ["adamw", "nmuon"])
def test_frozen_parts_stay_as_they_are(folder, trained, tmp_path, opt):
    given = {"freeze": "blocks.0.attn.qkv, pos_embed", "opt": opt}
    run = start(folder, tmp_path / "run", Budget(epochs=2), given=given, init=str(trained / "model"))
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.train()
    held = {name for name, value in run.ema.module.state_dict().items() if torch.equal(value, before[name])}
    assert held == {"blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias", "pos_embed"}
    with pytest.raises(vizvit.ModelError, match=r"no part 'blocks.9'.*patch_embed"):
        start(folder, tmp_path / "other", given={"freeze": "blocks.9"})
    with pytest.raises(vizvit.ModelError, match="made with freeze blocks"):
        start(folder, tmp_path / "run", Budget(epochs=3), given={"freeze": ""})


def test_the_rate_rises_then_falls_to_its_floor():
    found = [rate(fraction, warmup=0.1, floor=0.02) for fraction in np.linspace(0, 1, 101)]
    assert found[10] == pytest.approx(1)
    assert np.all(np.diff(found[:11]) > 0) and np.all(np.diff(found[10:]) < 0)
    assert found[-1] == pytest.approx(0.02)


def test_a_budget_in_minutes_follows_the_clock_and_one_in_epochs_the_steps():
    minutes, epochs = Budget(minutes=2), Budget(epochs=4)
    assert minutes.fraction(10**6, 60.0, 10) == 0.5
    assert epochs.fraction(20, 10**6, 10) == 0.5
    assert Budget(minutes=2, start=(7, 60.0)).fraction(8, 90.0, 10) == 0.5
    with pytest.raises(vizvit.ModelError):
        Budget()
    with pytest.raises(vizvit.ModelError):
        Budget(epochs=-1)


class Told(AbstractContextManager):
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = self.begun = 0.0

    def __enter__(self) -> Told:
        self.begun = self.now
        return self

    def __exit__(self, *_) -> None:
        pass

    def seconds(self) -> float:
        return self.now - self.begun


def steps_take(seconds: float, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each step of a run take so long by its clock, on any machine."""
    clock, real = Told(), run.batches.of

    def taking(*what):
        clock.now += seconds
        return real(*what)

    monkeypatch.setattr("vizvit.training.run.Clock", lambda: clock)
    monkeypatch.setattr(run.batches, "of", taking)


def test_a_run_by_minutes_ends_on_time_with_the_rate_brought_down(folder, tmp_path, monkeypatch):
    run = start(folder, tmp_path / "run", Budget(minutes=1))
    steps_take(1.0, run, monkeypatch)
    run.train()
    assert 60 <= run.seconds <= 61
    assert [entry["lr"] for entry in log.read(tmp_path / "run") if entry["event"] == "train"][-1] < 0.2 * SMALL["lr"]


# --- data


def test_parquet_is_read_with_its_boxes_and_decoded_once(tmp_path, monkeypatch):
    random = np.random.default_rng(1)
    pictures = [striped(bool(index % 2), random) for index in range(6)]
    boxes = [[0, 1, 2, 3 + index] for index in range(6)]
    paths = [
        write_parquet(tmp_path / f"{part}.parquet", [png(p) for p in pictures[part::2]], [part] * 3, box=boxes[part::2])
        for part in (0, 1)
    ]
    source = read_source(paths)
    assert source.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert source.boxes[:, 3].tolist() == [3, 5, 7, 4, 6, 8]
    decoded = decode(source, 16, tmp_path / "cache")
    for which in (0, 5):
        original = np.stack(pictures[0::2] + pictures[1::2])[which]
        assert np.array_equal(decoded.batch(np.asarray([which]))[0].transpose(1, 2, 0), original)
    monkeypatch.setattr("vizvit.training.pixels._decode_to", lambda *_: pytest.fail("decoded twice"))
    again = decode(source, 16, tmp_path / "cache")
    assert np.array_equal(again.pixels, decoded.pixels)


def test_broken_pictures_are_counted_and_named_and_no_more(folder, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(folder, data)
    (data / "lying/7.png").write_bytes(b"no picture")
    (data / "standing/9.png").write_bytes((data / "standing/9.png").read_bytes()[:60])
    notes = []
    run = start(data, tmp_path / "run", watch=notes.append, given={"image_size": 8, "patch": 4})
    assert len(run.data) == 126
    assert re.match(r"2 of 128 training pictures .*7\.png: .*9\.png: ", notes[0]["text"])
    assert start(data, tmp_path / "run", given={"image_size": 8, "patch": 4}).data.broken == run.data.broken


def test_all_pictures_broken_is_an_error(tmp_path):
    (tmp_path / "data/a").mkdir(parents=True)
    (tmp_path / "data/a/x.png").write_bytes(b"nothing")
    with pytest.raises(vizvit.ModelError, match="None of 1 pictures"):
        start(tmp_path / "data", tmp_path / "run")


def test_what_is_wrong_is_said_before_training(folder, trained, tmp_path):
    good = png(np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow/a").mkdir(parents=True)
    (tmp_path / "text.parquet").write_text("no Parquet")
    classes = tmp_path / "classes.csv"
    classes.write_text("label,name\n0,one\n1,two\n")
    bad = tmp_path / "bad.csv"
    bad.write_text("label,name\n0,one\n2,two\n")
    missing = write_parquet(tmp_path / "missing.parquet", [good], [0]).rename(tmp_path / "m.parquet")
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"picture": [good], "label": [0]}), missing)
    wrong = [
        ([tmp_path / "nowhere"], {}, "There is no data at"),
        ([tmp_path / "empty"], {}, "has no subfolders"),
        ([tmp_path / "hollow"], {}, "no pictures in"),
        ([tmp_path / "text.parquet"], {}, "cannot be read as Parquet"),
        ([missing], {}, "has no column image; its columns are picture, label"),
        ([write_parquet(tmp_path / "l.parquet", [good] * 2, [0, 5])], {"classes": classes}, "row 1 has the label 5"),
        ([write_parquet(tmp_path / "n.parquet", [good] * 2, [0, -1])], {}, "label -1"),
        ([write_parquet(tmp_path / "f.parquet", [good], [0.5])], {}, "labels of type double"),
        ([write_parquet(tmp_path / "z.parquet", [good, good], [None, 1])], {}, "missing labels"),
        ([folder], {"classes": bad}, "should be 0 to 1"),
        ([folder], {"classes": tmp_path / "none.csv"}, "cannot be read"),
        ([folder], {"given": {"patch": 5, "image_size": 16}}, "cannot be cut"),
        ([folder], {"given": {"dim": 30, "heads": 4}}, "shared by 4 heads"),
        ([folder], {"given": {"opt": "adamx"}}, "no optimiser"),
        ([folder], {"resume": True}, "no checkpoint"),
    ]
    for data, options, words in wrong:
        with pytest.raises(vizvit.ModelError, match=words):
            begin(data, [], tmp_path / "run", Budget(epochs=1), MACHINE, **options)
    assert not (tmp_path / "run").exists()
    with pytest.raises(vizvit.ModelError, match="made with depth 2; received 3"):
        start(folder, trained, given={"depth": 3})
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes()[:1000])
    with pytest.raises(vizvit.ModelError, match="cannot be read as a checkpoint"):
        start(folder, tmp_path / "torn")


def test_a_checkpoint_with_other_classes_is_refused(folder, trained, tmp_path):
    other = tmp_path / "three"
    shutil.copytree(folder, other)
    shutil.copytree(folder / "lying", other / "more")
    shutil.copytree(trained, tmp_path / "run")
    with pytest.raises(vizvit.ModelError, match="number of classes"):
        start(other, tmp_path / "run", Budget(epochs=99), given={"patch_drop": 0.0})


# --- augmentation


def test_without_chance_augmentation_changes_nothing():
    pixels = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    still = Augment(scale=1.0, ratio=1.0, flip=False, colour=0.0)
    views = still(pixels, 8, torch.Generator().manual_seed(0))
    assert torch.allclose(views, plain(pixels, 8), atol=1e-5)


def test_a_view_mirrors_and_stays_within_range():
    pixels = torch.randint(0, 256, (64, 3, 8, 8), dtype=torch.uint8)
    mirrored = Augment(scale=1.0, ratio=1.0, flip=True, colour=0.0)(pixels, 8, torch.Generator().manual_seed(0))
    same = [torch.allclose(view, one, atol=1e-5) for view, one in zip(mirrored, plain(pixels, 8), strict=True)]
    turned = [torch.allclose(v, one.flip(-1), atol=1e-5) for v, one in zip(mirrored, plain(pixels, 8), strict=True)]
    assert all(a != b for a, b in zip(same, turned, strict=True)) and 10 < sum(same) < 54
    wild = Augment(0.2, 4 / 3, True, 0.6, 1.0, 0.5)
    views = wild(pixels, 12, torch.Generator().manual_seed(0))
    assert views.shape == (64, 3, 12, 12) and views.abs().max() <= 1
    assert torch.equal(views, wild(pixels, 12, torch.Generator().manual_seed(0)))
    assert not torch.equal(views, wild(pixels, 12, torch.Generator().manual_seed(1)))


def test_brightness_contrast_and_saturation_are_those_of_their_definitions():
    augment = Augment(scale=1.0, ratio=1.0, flip=False, colour=0.3)
    pixels = torch.randint(60, 180, (1, 3, 8, 8), dtype=torch.uint8)

    class Drawn:
        factors = iter([0.5, -0.5, 1.0])  # brightness 1.15, contrast 0.85, saturation 1.3

        def between(self, low, high):
            return torch.tensor([next(self.factors)])

        def chance(self, share):
            return torch.zeros(1)

    views = augment._recolour(pixels.float(), Drawn())
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    expected = pixels.float()
    grey = (expected * luma).sum(1, keepdim=True)
    expected = grey + 1.3 * (expected - grey)
    mean = grey.mean()
    expected = 1.15 * (mean + 0.85 * (expected - mean))
    assert torch.allclose(views, (expected / 127.5 - 1).clamp(-1, 1), atol=1e-4)


# --- measuring


def test_accuracy_and_pointing_are_those_of_a_plain_loop(trained, tmp_path):
    random = np.random.default_rng(5)
    pictures = [striped(bool(index % 2), random, side=24) for index in range(30)]
    labels = [int(random.integers(0, 2)) for _ in pictures]
    corners = random.integers(0, 16, (30, 2))
    heights = [5, 0, 7] * 10
    boxes = [[int(x), int(y), int(x) + 7, int(y) + h] for (x, y), h in zip(corners, heights, strict=True)]
    boxes[1::3] = [[0, 0, 15, 20]] * 10  # more than half of the picture
    boxes[1] = [0, 0, 23, 23]
    encoded, boxes = [*map(png, pictures), b"broken"], [*boxes, [0] * 4]
    path = write_parquet(tmp_path / "val.parquet", encoded, [*labels, 0], box=boxes)
    vit = vizvit.load_model(trained / "model", device="cpu")
    found = evaluate(vit, read_source([path]))

    right, hits, chance = [], [], []
    for pixels, label, (x0, y0, x1, y1) in zip(pictures, labels, boxes[:-1], strict=True):
        cap = vizvit.capture(vit, pixels)
        right.append(cap.logits.argmax() == label)
        if (x1 - x0 + 1) * (y1 - y0 + 1) >= 288:
            continue
        row, col = divmod(int(attention_map(cap).argmax()), 4)
        # Patches of 4 of 16 pixels, which are 6 of the original's 24; a pixel's middle counts.
        inside = [[x0 <= 6 * c + 3.5 <= x1 + 1 and y0 <= 6 * r + 3.5 <= y1 + 1 for c in range(4)] for r in range(4)]
        hits.append(inside[row][col])
        chance.append(np.mean(inside))
    assert found.count == 30 and len(found.broken) == 1 and "row 30" in found.broken[0][0]
    assert found.top1 == np.mean(right)
    assert found.top5 is None  # of two classes it would say nothing
    assert found.objects == len(hits) < 30
    assert found.pointing["last layer"] == pytest.approx(np.mean(hits), abs=1.01 / len(hits))  # a box's edge
    assert found.pointing["chance"] == pytest.approx(np.mean(chance), abs=0.02)


def test_pointing_at_a_known_place(trained):
    vit = vizvit.load_model(trained / "model", device="cpu")
    view = striped(True, np.random.default_rng(2))
    cap = vizvit.capture(vit, view, target=0)
    row, col = divmod(int(attention_map(cap).argmax()), 4)
    around = np.asarray([4 * col, 4 * row, 4 * col + 3, 4 * row + 3])
    found, heads = point(cap, box_mask(vit, (16, 16), around[None]))
    assert heads.shape == (cap.num_heads,)
    assert found["last layer"] == 1 and found["chance"] == 1 / 16
    assert found["centre"] == float((row, col) == (2, 2))
    elsewhere = (around + 8) % 16
    assert point(cap, box_mask(vit, (16, 16), elsewhere[None]))[0]["last layer"] == 0
    assert box_mask(vit, (16, 16), np.asarray([[0, 0, 15, 15]])) is None


def test_classes_of_a_folder_are_found_by_name_and_strangers_refused(trained, folder, tmp_path):
    vit = vizvit.load_model(trained / "model", device="cpu")
    (tmp_path / "one").mkdir()
    shutil.copytree(folder / "standing", tmp_path / "one/standing")
    assert evaluate(vit, read_source([tmp_path / "one"])).top1 > 0.9
    (tmp_path / "one/standing").rename(tmp_path / "one/zebra")
    with pytest.raises(vizvit.ModelError, match="zebra"):
        evaluate(vit, read_source([tmp_path / "one"]))
    high = write_parquet(tmp_path / "high.parquet", [png(np.zeros((8, 8, 3), np.uint8))], [7])
    with pytest.raises(vizvit.ModelError, match="label 7"):
        evaluate(vit, read_source([high]))


def test_the_card_says_what_log_and_evaluation_say(trained, folder, tmp_path, capsys):
    model = tmp_path / "stripes"
    shutil.copytree(trained / "model", model)
    arguments = ["evaluate", str(model), str(folder), "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--card", str(trained), "--data-note", "Stripes; free to use."]) == 0
    printed = capsys.readouterr().out
    text = (model / "README.md").read_text()
    top1 = re.search(r"top-1 +([\d.]+) %", printed)[1]
    assert f"| top-1 | {top1} % |" in text
    assert sha256(model / "model.safetensors") in text
    assert "Stripes; free to use." in text and "seed 0" in text and "python -m vizvit train stripes" in text
    assert "What it is not good for" in text
    assert (model / card.CURVE).read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "out/stripes-evaluation.json").read_text())
    assert f"{100 * written['top1']:.1f}" == top1


# --- finetuning


def test_finetuning_writes_what_the_library_opens(folder, tmp_path, capsys):
    out = tmp_path / "run"
    command = ["finetune", "vit_tiny_patch16_224", str(folder), "--weights", "random", "--image-size", "32"]
    assert main([*command, "--out", str(out), "--epochs", "1", "--device", "cpu"]) == 0
    vit = vizvit.load_model(out / "model", device="cpu")
    assert vit.labels == ("lying", "standing") and vit.input_size == (32, 32)
    assert vit.mean == (0.5, 0.5, 0.5) and vit.num_layers == 12
    assert vizvit.capture(vit, striped(True, np.random.default_rng(0))).attention(0).shape == (3, 5, 5)
    assert log.read(out)[-1]["count"] == 13  # the tenth that was held out
    assert "top-1" in capsys.readouterr().out


@pytest.mark.parametrize("head_only", [True, False])
def test_finetuning_moves_what_it_should(trained, folder, tmp_path, head_only):
    vit = vizvit.load_model(trained / "model", device="cpu")
    before = {name: value.clone() for name, value in vit.module.state_dict().items()}
    source = read_source([folder])
    swapped = replace(source, labels=1 - source.labels, classes=("standing", "lying"))
    run = begin_finetuning(
        vit, swapped, None, tmp_path / "run", Budget(epochs=8), MACHINE, head_only=head_only, given={"batch": 16}
    )
    run.train()
    after = vizvit.load_model(tmp_path / "run/model", device="cpu")
    moved = {name for name, value in after.module.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == ({"head.weight", "head.bias"} if head_only else set(before))
    assert log.read(tmp_path / "run")[-1]["top1"] > 0.9
    if not head_only:  # the steps of a block are a fixed share of the next one's
        scales = sorted({group["lr_scale"] for group in run.optimizer.param_groups})
        assert scales == pytest.approx([0.75**3, 0.75**2, 0.75, 1.0])


def test_finetuning_keeps_the_preprocessing_of_its_model(folder, tmp_path):
    vit = vizvit.load_model("deit_tiny_patch16_224", weights="random", image_size=32, device="cpu")
    assert vit.mean != (0.5, 0.5, 0.5)
    run = begin_finetuning(vit, read_source([folder]), None, tmp_path / "run", Budget(epochs=1), MACHINE)
    views = run.batches.of(0).views
    low = [(0 - mean) / std for mean, std in zip(vit.mean, vit.std, strict=True)]
    high = [(1 - mean) / std for mean, std in zip(vit.mean, vit.std, strict=True)]
    for channel in range(3):
        assert low[channel] - 1e-4 <= views[:, channel].min() and views[:, channel].max() <= high[channel] + 1e-4
    run.train()
    after = vizvit.load_model(tmp_path / "run/model", device="cpu")
    assert (after.mean, after.std) == (vit.mean, vit.std)
    picture = Image.fromarray(striped(True, np.random.default_rng(0), side=48))
    mine = plain(torch.from_numpy(after.view(picture).copy()).permute(2, 0, 1)[None], 32, vit.mean, vit.std)
    assert torch.allclose(after.preprocess(picture), mine, atol=1e-5)


def test_finetuning_on_tiny_imagenet(tmp_path):
    """The classifier alone, for a moment, on 100 of its photographs."""
    names = read_classes(local_data("tiny-imagenet", "classes.csv"))
    source = read_source([local_data("tiny-imagenet", "val.parquet")], names)
    few = replace(source, encoded=source.encoded[:100], labels=source.labels[:100], boxes=source.boxes[:100])
    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    run = begin_finetuning(vit, few, None, tmp_path / "run", Budget(epochs=1), MACHINE, head_only=True)
    run.train()
    assert log.read(tmp_path / "run")[-1]["count"] == 10
    assert vizvit.load_model(tmp_path / "run/model", device="cpu").labels == names


def test_finetuning_on_cifar_as_torchvision_keeps_it(tmp_path, monkeypatch):
    """CIFAR-10's own files, with stripes in them: batches of rows of 3,072 bytes, one pickle a batch."""
    folder, rng = tmp_path / "cifar-10-batches-py", np.random.default_rng(0)
    folder.mkdir()
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        labels = [int(label) for label in rng.integers(0, 2, 16)]
        pixels = np.stack([striped(bool(label), rng, side=32).transpose(2, 0, 1).ravel() for label in labels])
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": labels}))
    classes = [f"kind {i}" for i in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": classes}))
    monkeypatch.setattr("torchvision.datasets.CIFAR10._check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda path, md5=None: True)
    command = ["finetune", "test_vit", "cifar10", "--root", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main([*command, "--weights", "random", "--image-size", "32", "--epochs", "1", "--device", "cpu"]) == 0
    tuned = vizvit.load_model(tmp_path / "run/model", device="cpu")
    assert tuned.labels == tuple(classes)


def test_cifar_that_is_not_there_is_said(tmp_path):
    from vizvit.training.sources import read_cifar

    with pytest.raises(vizvit.ModelError, match="--download"):
        read_cifar("cifar10", tmp_path, train=True)


# --- commands


def test_train_and_its_errors_on_the_command_line(folder, tmp_path, capsys):
    out = tmp_path / "run"
    small = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    command = ["train", str(folder), "--out", str(out), "--hold-out", "0.25", "--device", "cpu", *small]
    assert main([*command, "--epochs", "2", "--half"]) == 0
    assert "96 pictures of 2 classes" in capsys.readouterr().out
    assert (out / "curve.png").is_file()
    assert (out / "model/model.safetensors").stat().st_size < 80_000
    assert vizvit.load_model(out / "model", device="cpu").module.head.weight.dtype == torch.float32
    assert main([*command, "--epochs", "2"]) == 2
    assert "has used its budget" in capsys.readouterr().err
    assert main(["train", str(folder), "--out", str(out)]) == 2
    assert "--minutes" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "nothing"), "--out", str(out), "--epochs", "1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["train", str(folder), "--out", str(out), "--epochs", "9", "--dim", "48"]) == 2
    assert "made with dim 32; received 48" in capsys.readouterr().err


def test_the_networks_parameters_do_not_hang_on_how_it_is_trained():
    one, other = build(Recipe(**SMALL), 2), build(Recipe(**SMALL | {"patch_drop": 0.0, "drop_path": 0.0}), 2)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_class_names_come_in_the_order_of_their_labels(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text('label,wnid,name\n1,n1,"b, two"\n0,n0,a\n')
    assert read_classes(path) == ("a", "b, two")
