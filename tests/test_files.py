"""A file is written whole or not at all: on a full disk and in a folder that is not ours, what was there stays."""

from __future__ import annotations

import errno
import os
import re
import resource
import subprocess
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import torch

import vizvit
from vizvit import files
from vizvit.cli import main
from vizvit.study import read_summary
from vizvit.study.study import run
from vizvit.training import checkpoint, log, network


@contextmanager
def small_disk(most: int):
    """No file grows beyond so many bytes: the system itself refuses the write, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def model():
    return vizvit.load_model("test_vit", weights="random", device="cpu")


@pytest.fixture
def album(tmp_path, picture):
    (tmp_path / "album").mkdir()
    picture.save(tmp_path / "album" / "cat.png")
    return tmp_path / "album"


WRITERS = {
    "bytes": lambda out, model, picture: files.write_bytes(out / "file", bytes(100_000)),
    "text": lambda out, model, picture: files.write_text(out / "file", "x" * 100_000),
    "explorer": lambda out, model, picture: vizvit.save_explorer(vizvit.capture(model, picture), out / "file"),
    "checkpoint": lambda out, model, picture: checkpoint.save({"w": torch.zeros(100_000)}, out),
    "weights": lambda out, model, picture: network.save_weights(model.module, out / "file"),
    "model": lambda out, model, picture: network.export(model.module, out / "model", model.labels),
}


@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk_is_a_sentence_and_what_was_there_stays(what, tmp_path, model, picture):
    write = lambda: WRITERS[what](tmp_path, model, picture)  # noqa: E731
    write()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert before
    with small_disk(4096), pytest.raises(vizvit.ModelError, match="could not be written"):
        write()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("what", WRITERS)
def test_a_folder_that_is_not_ours_is_a_sentence(what, tmp_path, model, picture):
    (tmp_path / "file").write_bytes(b"no folder")
    with pytest.raises(vizvit.ModelError, match=r"could not be written \(.*Choose a folder"):
        WRITERS[what](tmp_path / "file" / "below", model, picture)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


class Disk:
    """A file system of its own, 4 MB large, that can be full or read only."""

    def __init__(self, path: Path):
        self.path, self.rest = path, path / "rest"

    def mount(self, *words: str) -> None:
        subprocess.run(["mount", *words, str(self.path)], check=True, capture_output=True)

    def fill(self) -> None:
        with self.rest.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 12)):
                pass

    def __getitem__(self, state: str) -> Callable[[], None]:
        return {"full": self.fill, "read only": lambda: self.mount("-o", "remount,ro")}[state]

    def content(self) -> dict[Path, bytes]:
        """All files but a log, which grows line by line."""
        files = (
            path
            for path in self.path.rglob("*")
            if path.is_file() and path not in (self.rest, self.path / "out" / log.NAME)
        )
        return {path: path.read_bytes() for path in files}


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "disk")
    made.path.mkdir()
    try:
        made.mount("-t", "tmpfs", "-o", "size=4m", "tmpfs")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system can be mounted by root alone: {error}")
    yield made
    subprocess.run(["umount", str(made.path)], check=True)


STATES = {"full": "The disk is full: ", "read only": r"could not be written \(Read-only file system\)"}
RANDOM = ["--model", "test_vit", "--weights", "random"]
TINY = ["--image-size", "16", "--patch", "8", "--dim", "12", "--heads", "3", "--depth", "1", "--batch", "2"]
COMMANDS = {
    "figures and numbers": lambda album, out: ["attention", str(album / "a" / "0.png"), *RANDOM, "--out", str(out)],
    "a study": lambda album, out: ["study", str(album), *RANDOM, "--out", str(out), "--no-resume"],
    "a training": lambda album, out: ["train", str(album), "--out", str(out), "--epochs", "3", *TINY],
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", WRITERS)
def test_a_disk_that_takes_nothing_is_a_sentence(what, state, disk, model, picture):
    WRITERS[what](disk.path, model, picture)
    before = disk.content()
    disk[state]()
    with pytest.raises(vizvit.ModelError, match=STATES[state]):
        WRITERS[what](disk.path, model, picture)
    assert disk.content() == before


@pytest.mark.parametrize("what", COMMANDS)
def test_commands_on_a_disk_that_takes_nothing(what, disk, tmp_path, picture, capsys):
    for name in ("a", "b"):
        (tmp_path / "album" / name).mkdir(parents=True)
        picture.resize((32, 32)).save(tmp_path / "album" / name / "0.png")
    line = COMMANDS[what](tmp_path / "album", disk.path / "out")
    assert main(line) == 0
    before = disk.content()
    again = [*line, "--epochs", "6"] if what == "a training" else line
    for state, said in STATES.items():
        disk[state]()
        assert main(again) == 2
        assert re.search(said, capsys.readouterr().err)
        disk.mount("-o", "remount,rw")
        assert disk.content() == before


def test_a_line_of_a_log_that_did_not_fit_leaves_no_part_of_it(disk):
    log.append(disk.path, {"event": "note", "step": 1})
    disk.fill()
    with pytest.raises(vizvit.ModelError, match="The disk is full: "):
        log.append(disk.path, {"event": "note", "step": 2, "text": "x" * 10_000})
    disk.rest.unlink()
    log.append(disk.path, {"event": "note", "step": 3})
    assert log.read(disk.path) == [{"event": "note", "step": 1}, {"event": "note", "step": 3}]


def test_a_study_that_runs_out_of_room_leaves_the_one_before(tmp_path, model, album):
    out = tmp_path / "out"
    run(model, [album], out)
    before = read_summary(out)
    order = sorted((path for path in out.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    assert order[-1].name == "summary.json"
    with small_disk(2048), pytest.raises(vizvit.ModelError, match="could not be written"):
        run(model, [album], out, resume=False)
    assert read_summary(out) == before
    assert not list(out.rglob("*.part"))


def test_a_command_says_which_option_names_the_folder(tmp_path, album, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = ["attention", str(album), "--model", "test_vit", "--weights", "random"]
    with small_disk(4096):
        assert main(line) == 2
    assert "could not be written" in (said := capsys.readouterr().err)
    assert "--out" in said
    assert not [path for path in (tmp_path / "vizvit-out").rglob("*") if path.is_file()]


def test_a_disk_without_room_is_called_full(tmp_path):
    def full(partial: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(vizvit.ModelError, match="The disk is full: "):
        files.written(tmp_path / "file", full)


def test_a_long_name_and_two_writers_at_once(tmp_path):
    name = "x" * 250

    def write(partial: Path) -> None:
        files.write_bytes(tmp_path / name, b"inner")
        partial.write_bytes(b"outer")

    files.written(tmp_path / name, write)
    assert (tmp_path / name).read_bytes() == b"outer"
    assert np.array_equal([path.name for path in tmp_path.iterdir()], [name])
