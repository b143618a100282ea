"""What comes along with the package and its modules, and what an installed one holds."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import vizvit

PACKAGE = Path(vizvit.__file__).parent
ROOT = PACKAGE.parent


def run_python(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_library_is_free_of_streamlit():
    run_python(
        "import sys, vizvit\n"
        "assert not {'streamlit', 'matplotlib.pyplot', 'vizvit.pages', 'vizvit.explorer'} & set(sys.modules)"
    )


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("errors", ["numpy", "torch", "timm", "streamlit"]),
        ("grid", ["numpy", "torch", "timm", "streamlit"]),
        ("pictures.load", ["torch", "torchvision", "timm", "streamlit"]),
        ("figures", ["torch", "timm", "streamlit", "matplotlib.pyplot"]),
        ("explorer", ["torch", "timm", "streamlit", "matplotlib.pyplot", "vizvit.analysis"]),
    ],
)
def test_what_comes_along_with_a_module(module, forbidden):
    """The package's face brings all of it, so that the module is imported from its folder without it."""
    run_python(
        "import sys, types\n"
        "package = sys.modules['vizvit'] = types.ModuleType('vizvit')\n"
        f"package.__path__ = [{str(PACKAGE)!r}]\n"
        f"import vizvit.{module}\n"
        f"assert not set({forbidden!r}) & set(sys.modules), set({forbidden!r}) & set(sys.modules)"
    )


def test_an_installed_package_lacks_nothing():
    project = ROOT / "pyproject.toml"
    if not project.exists():
        pytest.skip("an installed package has no pyproject.toml beside it")
    patterns = tomllib.loads(project.read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders)
    packed = {file for folder in folders for pattern in patterns["*"] for file in folder.glob(pattern)}
    for package, own in patterns.items():
        packed.update(file for pattern in own for file in (ROOT / package.replace(".", "/")).glob(pattern))
    left = {path for path in PACKAGE.rglob("*") if path.is_file() and path not in packed}
    assert {path for path in left if path.suffix not in (".py", ".pyc", ".json")} == set()


@pytest.mark.parametrize(
    "line",
    ["from vizvit import perturb", "from vizvit.snapshots import snapshots", "from vizvit.figures import limits"],
)
def test_what_earlier_versions_handed_out_still_imports(line):
    run_python(line)


def test_an_old_path_leads_to_the_same_module():
    run_python(
        "import vizvit.perturb, vizvit.pictures.perturb as now\n"
        "assert vizvit.perturb is now and now.__spec__.name == 'vizvit.pictures.perturb'\n"
        "import vizvit.snapshots, vizvit.model.snapshots as now\n"
        "assert vizvit.snapshots is now"
    )


def test_the_public_face_is_what_it_says():
    assert all(hasattr(vizvit, name) for name in vizvit.__all__)
    assert list(vizvit.__all__) == sorted(vizvit.__all__)
    for error in (vizvit.ImageError, vizvit.ModelError, vizvit.CaptureError):
        assert issubclass(error, ValueError)
