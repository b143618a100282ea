"""The examples of the README and of `docs/` run as they stand there, and what they link to exists."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from skimage import data
from timm.utils import CheckpointSaver, ModelEmaV3

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


def write_timm(path: Path) -> None:
    """As timm's train.py leaves it."""
    module = timm.create_model("test_vit", num_classes=3, img_size=64)
    saver = CheckpointSaver(
        module,
        torch.optim.SGD(module.parameters()),
        args=argparse.Namespace(model="test_vit", num_classes=3),
        model_ema=ModelEmaV3(module),
        checkpoint_dir=str(path.parent),
        recovery_dir=str(path.parent),
    )
    saver.save_checkpoint(0, metric=0.5)


def write_transformers(path: Path) -> None:
    library = pytest.importorskip("transformers", reason="transformers is not installed")
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = library.ViTConfig(**size, image_size=32, patch_size=8, id2label={0: "ant", 1: "bee"})
    library.ViTForImageClassification(config).save_pretrained(path)


def write_lightning(path: Path) -> None:
    module = timm.create_model("vit_tiny_patch16_224", depth=2, img_size=32, num_classes=3)
    state = {f"model.{key}": value for key, value in module.state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": {"lr": 1e-3}, "epoch": 3}, path)


def write_regression(path: Path) -> None:
    torch.save(timm.create_model("vit_tiny_patch16_224", num_classes=1).state_dict(), path)


MODELS = {
    "runs/age.pth": write_regression,
    "output/train/model_best.pth.tar": write_timm,
    "my-vit": write_transformers,
    "lightning_logs/version_0/checkpoints/last.ckpt": write_lightning,
}


def test_there_are_examples():
    assert len(PYTHON) >= 2
    assert len(COMMANDS) >= 5
    assert all(any(f'"{name}"' in example for example in PYTHON) for name in MODELS)


@pytest.mark.parametrize("example", PYTHON)
def test_python_examples(example, desk):
    for name, write in MODELS.items():
        if f'"{name}"' in example:
            (desk / name).parent.mkdir(parents=True, exist_ok=True)
            write(desk / name)
    exec(compile(example, "example", "exec"), {})


@pytest.mark.parametrize("line", COMMANDS)
def test_command_line_examples(line, desk, capsys):
    if line.startswith(("train", "finetune", "evaluate")):  # hours; what they do is tested with the training
        assert _parser().parse_args(shlex.split(line)).run
        return
    assert main(shlex.split(line)) == 0, capsys.readouterr().err
    command = line.split()[0]
    if command == "lesson":
        assert (desk / "vit.html").is_file()
    elif command != "models":
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
