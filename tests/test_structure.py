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
        ("numbers", ["numpy", "torch", "timm", "streamlit"]),
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


ONCE_MORE = """
import sys, torch, timm
before, finders = set(sys.modules), list(sys.meta_path)
for lines in {programs!r}:
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "vizvit":
            del sys.modules[name]
    sys.meta_path[:] = finders
    print(lines, file=sys.stderr)
    exec(lines, {{}})
"""
HANDED_OUT = [
    "from vizvit import perturb\nfrom vizvit.snapshots import snapshots\nfrom vizvit.figures import limits",
    "from vizvit.explain import METHODS\nfrom vizvit.explain.methods import Method\nfrom vizvit.capture import Capture",
    "from vizvit.model import VitModel\nfrom vizvit.loading import load_model\nfrom vizvit.walk.depth import Depth",
]
SAME_MODULE = (
    "import importlib, vizvit\n"
    "from vizvit._moved import CALLED, MOVED\n"
    "for old, now in MOVED.items():\n"
    "    before, after = (importlib.import_module(f'vizvit.{path}') for path in (old, now))\n"
    "    assert after.__spec__.name == f'vizvit.{now}', old\n"
    "    assert before is after or old in CALLED, old\n"
)
CALLED_BY_ITS_NAME = (
    "import vizvit\n"
    "from vizvit.explain import METHODS, explain\n"
    "from vizvit.explanations import METHODS as now\n"
    "from vizvit.capture import Capture\n"
    "import vizvit.walk.head\n"
    "assert METHODS is now and Capture is vizvit.Capture\n"
    "for call in (vizvit.explain, vizvit.capture, vizvit.walk.head):\n"
    "    try:\n"
    "        call()\n"
    "    except TypeError as error:\n"
    "        assert 'missing' in str(error), error\n"
)


def test_old_paths_lead_to_what_stands_elsewhere_now():
    """Each program with the package imported anew, all in one process: PyTorch is imported once."""
    run_python(ONCE_MORE.format(programs=[*HANDED_OUT, SAME_MODULE, CALLED_BY_ITS_NAME]))


def test_the_public_face_is_what_it_says():
    assert all(hasattr(vizvit, name) for name in vizvit.__all__)
    assert list(vizvit.__all__) == sorted(vizvit.__all__)
    for error in (vizvit.ImageError, vizvit.ModelError, vizvit.CaptureError):
        assert issubclass(error, ValueError)
