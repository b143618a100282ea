"""A run on whatever machine it finds: precision, time, stopping and going on, disks, other patch sizes."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import MACHINE, SMALL, folder, start, steps_take, trained  # noqa: F401
from timm.layers import resample_abs_pos_embed, resample_patch_embed

import vizvit
from vizvit import files
from vizvit.cli import main
from vizvit.training import checkpoint, log, pixels, snapshots
from vizvit.training.begin import begin, start_from
from vizvit.training.budget import DECAY, Budget
from vizvit.training.clock import Clock
from vizvit.training.network import build
from vizvit.training.precision import pick_precision, processor_flags
from vizvit.training.recipe import Recipe, fitting_batch
from vizvit.training.sources import read_cifar, read_source

CPU = torch.device("cpu")
OPEN = Budget(open=True)


# --- precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx2", "fma"}, torch.float32),
        ({"avx2", "avx512f", "avx512_vnni"}, torch.float32),
        ({"avx512f", "avx512_bf16"}, torch.bfloat16),
        ({"avx2", "amx_bf16", "amx_tile"}, torch.bfloat16),
        ({"asimd", "bf16"}, torch.bfloat16),
        (set(), torch.float32),
    ],
)
def test_precision_is_chosen_by_the_processors_units(flags, expected):
    assert pick_precision("auto", CPU, flags) == expected
    assert pick_precision("bf16", CPU, flags) == torch.bfloat16
    assert pick_precision("float32", CPU, flags) == torch.float32


def test_flags_are_read_off_the_kernels_listing(tmp_path):
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nflags\t\t: fpu sse2 avx512_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n")
    assert processor_flags(listing) == {"fpu", "sse2", "avx512_bf16"}
    listing.write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert "bf16" in processor_flags(listing)
    assert processor_flags(tmp_path / "nothing") == frozenset()


# --- time


def test_the_clock_leaves_out_what_no_process_ran_through():
    now = iter([0.0, 1.0, 2.0, 3602.0, 3603.0])
    clock = Clock(lambda: next(now))
    seconds = [clock.seconds() for _ in range(4)]
    assert seconds[:2] == [1.0, 2.0]
    assert seconds[3] - seconds[1] < 2


def test_a_step_that_does_not_fit_is_refused_before_it_is_taken(folder, tmp_path):
    run = start(folder, tmp_path / "run", Budget(minutes=1e-6))
    with pytest.raises(vizvit.ModelError, match=r"A step of 16 pictures takes about .* Give more minutes"):
        run.train()
    assert run.step == 0


@pytest.mark.parametrize(
    ("used", "step", "steps"),
    [(410, 90, 2), (470, 90, 1), (560, 30, 2)],
    ids=["500 + 45 s of 600", "560 + 45 s of 600", "short steps go to the end"],
)
def test_long_steps_do_not_overrun_the_minutes(folder, tmp_path, monkeypatch, used, step, steps):
    run = start(folder, tmp_path / "run", Budget(minutes=10))
    steps_take(step, run, monkeypatch)
    run.seconds = used
    run.train()
    assert run.step == steps
    assert run.seconds == pytest.approx(used + steps * step)


def test_the_first_step_is_timed_and_few_steps_are_said(folder, tmp_path):
    notes = []
    start(folder, tmp_path / "run", Budget(epochs=1), watch=notes.append).train()
    said = next(note["text"] for note in notes if "a step of 16" in note.get("text", ""))
    assert "8.0 an epoch" in said and "8 steps in all are few" in said


# --- small data


def test_the_batch_fits_the_data():
    assert [fitting_batch(count, 64) for count in (2, 30, 90, 200, 1000, 10**6)] == [2, 4, 8, 16, 64, 64]
    assert fitting_batch(100_000, 256) == 256
    assert all(count / fitting_batch(count, 256) >= 10 for count in range(40, 3000))


def test_every_picture_is_seen_once_an_epoch(folder, tmp_path):
    run = start(folder, tmp_path / "run", given={"batch": 24})  # 128 pictures: 5 batches and 8 pictures
    seen = np.concatenate([run.batches.which(step) for step in range(16)])
    assert len(seen) == 3 * 128
    for epoch in range(3):
        assert sorted(seen[128 * epoch : 128 * (epoch + 1)]) == list(range(128))
    assert not np.array_equal(seen[:128], seen[128:256])
    assert run.steps_per_epoch == pytest.approx(128 / 24)


def test_a_batch_without_a_number_is_settled_once_and_kept(folder, tmp_path):
    given = {name: value for name, value in SMALL.items() if name != "batch"}
    run = begin([folder], [], tmp_path / "run", Budget(epochs=1), MACHINE, given=given)
    assert run.recipe.batch == 8
    run.train()
    assert begin([folder], [], tmp_path / "run", Budget(epochs=3), MACHINE).recipe.batch == 8


def test_five_classes_have_no_top_5(trained):
    entries = log.read(trained)
    assert all("top5" not in entry for entry in entries) and "top1" in entries[-1]


# --- an open end


def stopped(folder, out, steps, **options):
    stop = threading.Event()
    run = start(
        folder,
        out,
        options.pop("budget", OPEN),
        watch=lambda event: stop.set() if event.get("step") == steps and event["event"] == "step" else None,
        **options,
    )
    with pytest.raises(KeyboardInterrupt):
        run.train(stop)
    return run


def test_a_run_with_an_open_end_is_called_off_and_goes_on(folder, tmp_path):
    out = tmp_path / "run"
    machine = replace(MACHINE, snapshots=True)
    stopped(folder, out, 34, machine=machine)
    before = (out / checkpoint.NAME).read_bytes()
    finish = begin([folder], [], out, OPEN, machine, finish=True)
    assert finish.out == out / "finish" and finish.step >= 34
    begun = finish.step
    finish.train()
    assert finish.step - begun == int(np.ceil(begun * DECAY / (1 - DECAY)))
    assert (out / checkpoint.NAME).read_bytes() == before
    rates = [entry["lr"] for entry in log.read(finish.out) if entry["event"] == "train" and entry["step"] > begun]
    assert rates == sorted(rates, reverse=True)
    index = snapshots.read(finish.out / "snapshots")
    assert [entry["fraction"] for entry in index][:: len(index) - 1] == [0.0, 1.0]
    assert all(0 <= entry["fraction"] <= 1 for entry in index)
    assert vizvit.load_model(finish.out / "model", device="cpu").labels == ("lying", "standing")
    with pytest.raises(vizvit.ModelError, match="finished"):
        begin([folder], [], out, OPEN, machine, finish=True)
    further = stopped(folder, out, begun + 4, machine=machine)
    assert further.step > begun
    begin([folder], [], out, OPEN, machine, finish=True)  # of the longer run


def test_a_finish_that_was_stopped_goes_on(folder, tmp_path):
    out = tmp_path / "run"
    stopped(folder, out, 40)
    whole = shutil.copytree(out, tmp_path / "copy")
    begin([folder], [], whole, OPEN, MACHINE, finish=True).train()
    stop = threading.Event()
    cut = begin([folder], [], out, OPEN, MACHINE, finish=True)
    cut.watch = lambda event: stop.set() if event["event"] == "step" else None
    with pytest.raises(KeyboardInterrupt):
        cut.train(stop)
    resumed = begin([folder], [], out, OPEN, MACHINE, finish=True)
    assert resumed.step == cut.step
    resumed.train()
    one, other = (checkpoint.load(folder / "finish")["ema"] for folder in (whole, out))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_no_run_to_finish_is_said(folder, tmp_path, capsys):
    with pytest.raises(vizvit.ModelError, match="no run in"):
        begin([folder], [], tmp_path / "run", OPEN, MACHINE, finish=True)
    assert main(["train", str(folder), "--out", str(tmp_path / "run"), "--finish", "--init", "vizvit-tiny"]) == 2
    assert "--init out" in capsys.readouterr().err


def test_the_rate_of_an_open_end_stays_and_then_falls():
    assert OPEN.rate(10**6, 0.0, warmup=0.1, floor=0.01) == 1 and OPEN.fraction(10**6, 10.0**6, 10) == 0
    assert OPEN.rate(0, 0.0, warmup=0.1, floor=0.01) < 0.1
    last = OPEN.called_off(850, 77.0)
    assert last.fraction(1000, 0.0, 10) == 1
    falling = [last.rate(0, fraction, warmup=0.1, floor=0.01) for fraction in np.linspace(0, 1, 20)]
    assert falling[0] == 1 and falling[-1] == 0.01 and falling == sorted(falling, reverse=True)


def test_small_files_are_enough_to_go_on_elsewhere(folder, tmp_path):
    out, other = tmp_path / "run", tmp_path / "elsewhere"
    run = stopped(folder, out, 20)
    other.mkdir()
    shutil.copytree(out / "model", other / "model")
    shutil.copy(out / log.NAME, other / log.NAME)
    again = start(folder, other, OPEN)
    assert again.step == run.step and again.seconds == pytest.approx(run.seconds)
    for name, value in again.network.state_dict().items():
        assert torch.equal(value, run.ema.module.state_dict()[name]), name
    assert again.budget.rate(again.step, 0, warmup=0, floor=0) < 0.1  # warms up anew
    (other / "model" / checkpoint.STANDING).write_text("{")
    with pytest.raises(vizvit.ModelError, match="cannot be read as the standing"):
        start(folder, other, OPEN)


# --- another patch size


def test_another_patch_size_is_resampled_as_timm_does(folder, trained, tmp_path):
    sizes = {name: SMALL[name] for name in ("image_size", "dim", "depth", "heads")}
    before = vizvit.load_model(trained / "model", device="cpu").module
    network = build(Recipe(**sizes, patch=2), 2)
    start_from(network, str(trained / "model"))
    expected = resample_patch_embed(before.patch_embed.proj.weight, [2, 2])
    assert torch.equal(network.patch_embed.proj.weight, expected)
    assert torch.equal(network.pos_embed, resample_abs_pos_embed(before.pos_embed, [8, 8], num_prefix_tokens=1))
    assert torch.equal(network.blocks[1].mlp.fc2.weight, before.blocks[1].mlp.fc2.weight)
    run = start(folder, tmp_path / "run", given={"patch": 2, "patch_drop": 0.0}, init=str(trained / "model"))
    assert run.network.patch_embed.grid_size == (8, 8)


# --- disks


def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    start(folder, out, Budget(epochs=1)).train()
    before = (out / checkpoint.NAME).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    run = start(folder, out, Budget(epochs=2))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(vizvit.ModelError, match=r"The disk is full: .*checkpoint\.pt could not be written"):
        run.save()
    assert (out / checkpoint.NAME).read_bytes() == before
    assert not list(out.rglob("*.part"))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve room on a disk")
def test_room_is_reserved_before_pictures_are_decoded(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(vizvit.ModelError, match="The disk is full"):
        pixels.decode(read_source([folder]), 16, tmp_path / "decoded")
    assert not list((tmp_path / "decoded").iterdir())


def test_what_a_killed_process_left_is_swept_and_that_of_a_living_one_stays(tmp_path):
    gone = next(number for number in range(2**22 - 1, 0, -1) if not files._alive(number))
    left, own = tmp_path / f"checkpoint.pt.{gone}.part", tmp_path / f"checkpoint.pt.{os.getpid()}.part"
    for file in (left, own):
        file.write_bytes(b"half")
    files.sweep(tmp_path)
    assert not left.exists() and own.exists()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    folder_that_is_a_file = tmp_path / "file"
    folder_that_is_a_file.touch()
    with pytest.raises(vizvit.ModelError, match="could not be written"):
        files.written(folder_that_is_a_file / "file", lambda partial: partial.write_bytes(b"x"))


def test_cifar_that_cannot_be_downloaded_says_why(tmp_path, monkeypatch):
    def offline(*_, **options):
        raise OSError("Name or service not known")

    monkeypatch.setattr("torchvision.datasets.CIFAR10.download", offline)
    with pytest.raises(vizvit.ModelError, match=r"could not be downloaded .*Name or service not known") as raised:
        read_cifar("cifar10", tmp_path, train=True, download=True)
    assert "with --download" not in str(raised.value)
