"""A file is written whole or not at all: on a full disk and in a folder that is not ours, what was there stays."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

import vizvit
from vizvit import files
from vizvit.cli import main
from vizvit.study import read_summary
from vizvit.study.study import run
from vizvit.training import checkpoint, network


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
