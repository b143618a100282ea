"""The examples of the README and of `docs/` run as they stand there, and what they link to exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from vizvit.cli import _parser, main

ROOT = Path(__file__).parent.parent
PAGES = {path: path.read_text("utf-8") for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))}
TEXTS = "\n".join(PAGES.values())
PYTHON = re.findall(r"```python\n(.*?)```", TEXTS, re.DOTALL)
COMMANDS = re.findall(r"^python -m vizvit (.*)$", TEXTS, re.MULTILINE)


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
    exec(compile(example, "example", "exec"), {})


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page):
    text = PAGES[page]
    for target in re.findall(r'(?:src="|\]\()([^")]+)', text):
        path, _, heading = target.partition("#")
        named = (page.parent / path).resolve() if path else page
        assert named.is_file(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", named.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in headings}
    for path in re.findall(r"python (tests/\S+\.py)", text):
        assert (ROOT / path).is_file(), path


def test_the_readme_fits_a_screen_and_a_half_and_leads_to_every_page():
    readme = PAGES[ROOT / "README.md"]
    assert len(readme.splitlines()) <= 100
    for page in PAGES:
        assert page.name == "README.md" or f"({page.relative_to(ROOT).as_posix()})" in readme, page


def test_the_two_commands():
    readme = PAGES[ROOT / "README.md"]
    assert "\npip install -r requirements.txt && streamlit run app.py\n" in readme
    tests = "pip install -r requirements.txt -r tests/requirements.txt && pytest"
    assert f"\n{tests}\n" in readme
    assert (ROOT / ".ci" / "run").read_text("utf-8").endswith(f"\n{tests}\n")
