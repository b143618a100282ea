"""What comes from outside is read within bounds, and refused in a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import vizvit
from vizvit import reading


@pytest.mark.parametrize(
    ("text", "low", "high", "value"),
    [("12", 0, 99, 12), ("007", 0, 99, 7), ("100", 0, 99, None), ("0", 1, 9, None)]
    + [(text, 0, 99, None) for text in ("", "-1", "+1", " 1", "1.0", "1e1", "١", "²", "1_0", "5" * 5000, "nan")],
)
def test_whole_numbers(text, low, high, value):
    assert reading.whole(text, low, high) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", 0.5), (".5", 0.5), ("1.", 1.0), ("1e-3", 1e-3), ("-2", None), ("1e999", None)]
    + [(text, None) for text in ("", "nan", "inf", "-inf", "٠.٥", "1_0", "0x1", " 1", "5" * 5000, "1e" + "9" * 5000)],
)
def test_real_numbers(text, value):
    assert reading.real(text, -1, 1) == value


def test_zero_has_no_sign():
    assert str(reading.real("-0", -1, 1)) == "0.0"


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000, "~nobody-of-this-name/x", "\ud800"])
def test_what_can_be_no_path(text):
    with pytest.raises(vizvit.ModelError, match="cannot be a path"):
        reading.path_of(text)


def test_a_path_is_not_looked_for(monkeypatch):
    monkeypatch.setattr(os, "stat", lambda *_, **__: pytest.fail("the disk was touched"))
    assert reading.path_of("/etc/passwd") == Path("/etc/passwd")


def test_only_ordinary_files_are_read(tmp_path):
    fifo, large, latin = tmp_path / "fifo", tmp_path / "large", tmp_path / "latin"
    os.mkfifo(fifo)
    with large.open("wb") as file:
        file.truncate(1 << 40)  # sparse
    latin.write_bytes(b"caf\xe9")
    for path, reason in (
        (fifo, "a device, a pipe or a socket"),
        (Path("/dev/zero"), "a device, a pipe or a socket"),
        (tmp_path, "is a folder"),
        (tmp_path / "none", "is not there"),
        (tmp_path / ("x" * 300), "is not there"),
        (large, "larger than 16 MB"),
        (latin, "no UTF-8 text"),
    ):
        with pytest.raises(vizvit.ModelError, match=reason):
            reading.text_of(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": 2, "a": 3}', 'key "a" stands twice'),
        ("[" * 100_000, "nested"),
        ("[" * 40 + "]" * 40, "nested more than 32 levels"),
        ("[NaN]", "NaN is not a finite number"),
        ("[-Infinity]", "not a finite number"),
        ("[1e999]", "not a finite number"),
        ("9" * 5000, "integer string"),
        ("{", "Expecting"),
    ],
)
def test_json(tmp_path, text, reason):
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(vizvit.ModelError, match=reason):
        reading.json_of(file)


def test_what_is_sound_is_read(tmp_path):
    file = tmp_path / "a.json"
    file.write_text('\ufeff{"a": [1, 2.5, {"b": null}]}', "utf-8")
    assert reading.json_of(file) == {"a": [1, 2.5, {"b": None}]}
