"""The README's examples run as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from vizvit.cli import _parser, main

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^python -m vizvit (.*)$", README, re.MULTILINE)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.chelsea()).save("cat.jpg")
    (tmp_path / "photos").mkdir()
    for name in ("coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(tmp_path / "photos" / f"{name}.jpg")
    return tmp_path


def test_there_are_examples():
    assert len(PYTHON) >= 2
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("example", PYTHON)
def test_python_examples(example, desk):
    exec(compile(example, "README.md", "exec"), {})


@pytest.mark.parametrize("line", COMMANDS)
def test_command_line_examples(line, desk, capsys):
    if line.startswith(("train", "finetune", "evaluate")):  # hours; what they do is tested with the training
        assert _parser().parse_args(shlex.split(line)).run
        return
    assert main(shlex.split(line)) == 0, capsys.readouterr().err
    command = line.split()[0]
    if command != "models":
        made = {path.suffix for path in (desk / "vizvit-out").rglob("*")}
        assert {".html"} <= made if command == "explorer" else ".npz" in made and made & {".png", ".pdf"}


def test_pictures_and_commands_that_the_readme_names_exist():
    root = Path(__file__).parent.parent
    for path in re.findall(r'(?:src="|\]\()((?:assets|tests)/[^")]+)', README):
        assert (root / path).is_file(), path
    for path in re.findall(r"python (tests/\S+\.py)", README):
        assert (root / path).is_file(), path
