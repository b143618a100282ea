"""Who may know whom: the borders that keep every file readable on its own."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import vizvit

PACKAGE = Path(vizvit.__file__).parent
ROOT = PACKAGE.parent

# (files of the package, what they must not import even in passing)
BORDERS = [
    ("image.py", ("torch", "torchvision", "timm", "streamlit", "vizvit.model", "vizvit.capture")),
    ("grid.py", ("torch", "timm", "numpy", "PIL", "streamlit", "vizvit")),
    ("structure.py", ("streamlit", "vizvit.pages", "vizvit.figures", "vizvit.analysis", "vizvit.capture")),
    ("tokens.py", ("timm", "streamlit", "vizvit.pages", "vizvit.figures", "vizvit.analysis", "vizvit.capture")),
    ("model.py", ("streamlit", "vizvit.pages", "vizvit.figures", "vizvit.analysis", "vizvit.capture")),
    ("loading.py", ("streamlit", "vizvit.pages", "vizvit.figures", "vizvit.analysis", "vizvit.capture")),
    ("hub.py", ("streamlit", "vizvit.pages", "vizvit.figures", "vizvit.analysis", "vizvit.capture")),
    ("capture.py", ("timm", "streamlit", "vizvit.analysis", "vizvit.figures", "vizvit.pages")),
    *(
        (f"{name}.py", ("streamlit", "vizvit.pages", "vizvit.figures", "vizvit.analysis", "vizvit.explorer"))
        for name in ("anatomy", "parts", "trace", "twin", "watch", "weights")
    ),
    ("walk/*.py", ("timm", "streamlit", "matplotlib", "vizvit.figures", "vizvit.pages", "vizvit.explorer")),
    ("analysis/*.py", ("timm", "streamlit", "matplotlib", "vizvit.figures", "vizvit.pages", "vizvit.explorer")),
    ("figures.py", ("torch", "timm", "streamlit", "vizvit.model", "vizvit.capture", "vizvit.pages")),
    *(
        (f"{name}.py", ("torch", "timm", "streamlit", "vizvit.model", "vizvit.capture", "vizvit.pages"))
        for name in ("handout", "sheet", "scale", "perturb", "charts", "raster")
    ),
    ("canvas.py", ("torch", "timm", "streamlit", "vizvit.model", "vizvit.capture", "vizvit.pages")),
    ("explorer/*.py", ("timm", "torch", "vizvit.analysis", "vizvit.pages")),
    *(
        (f"pages/{place}*.py", ("timm", "torch.nn", "torch.overrides", "torch.utils.hooks"))
        for place in ("experiment/", "explanation/", "walk/")
    ),
    ("interventions/*.py", ("timm", "streamlit", "matplotlib", "vizvit.figures", "vizvit.pages", "vizvit.explorer")),
    *((f"{package}/*.py", ("streamlit", "vizvit.pages")) for package in ("explain", "faithful", "study")),
    ("lessons.py", ("torch", "timm", "numpy", "streamlit", "vizvit.model", "vizvit.pages")),
    ("pages/*.py", ("timm", "torch.nn", "torch.overrides", "torch.utils.hooks")),
    ("cli/*.py", ("streamlit", "vizvit.pages", "vizvit.explorer.component")),
    ("training/*.py", ("streamlit", "vizvit.pages")),
]
CASES = [
    pytest.param(path, forbidden, id=str(path.relative_to(PACKAGE)))
    for pattern, forbidden in BORDERS
    for path in sorted(PACKAGE.glob(pattern))
]


def imports(path: Path) -> Iterator[str]:
    """The full names of what a file imports, relative ones resolved; not those for type checkers alone."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, *filter(None, [node.module])))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


@pytest.mark.parametrize(("path", "forbidden"), CASES)
def test_borders(path, forbidden):
    crossed = {name for name in imports(path) for other in forbidden if f"{name}.".startswith(f"{other}.")}
    assert not crossed


def test_relative_imports_are_seen():
    """The check above would see what it looks for."""
    assert "vizvit.capture" in set(imports(PACKAGE / "analysis" / "rollout.py"))
    assert {"vizvit.grid", "timm"} <= set(imports(PACKAGE / "model.py"))
    assert "streamlit" in set(imports(PACKAGE / "explorer" / "component.py"))


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
        ("image", ["torch", "torchvision", "timm", "streamlit"]),
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


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_figures_never_go_through_pyplot(path):
    """pyplot keeps every figure in a global list and is not safe on threads, which pages run on."""
    assert not [name for name in imports(path) if "pyplot" in name or name == "pylab"]


@pytest.mark.parametrize(
    "path",
    [
        *(path for folder in ("pages", "analysis", "walk") for path in sorted((PACKAGE / folder).glob("*.py"))),
        ROOT / "app.py",
    ],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_hooks_are_the_captures_business(path):
    if not path.exists():
        pytest.skip("an installed package has no app.py beside it")
    watching = {"register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"}
    assert not watching & set(names(path))
    assert not {"TorchFunctionMode", "scaled_dot_product_attention", "fused_attn"} & set(names(path))


def test_an_installed_package_lacks_nothing():
    project = ROOT / "pyproject.toml"
    if not project.exists():
        pytest.skip("an installed package has no pyproject.toml beside it")
    setup = tomllib.loads(project.read_text("utf-8"))["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("*.py")}
    assert found - set(setup["packages"]) == set()
    for path in PACKAGE.rglob("*"):
        if path.suffix in (".py", ".pyc", ".json") or path.is_dir():
            continue
        home = max((name for name in found if path.is_relative_to(ROOT / name.replace(".", "/"))), key=len)
        inside = path.relative_to(ROOT / home.replace(".", "/"))
        assert any(inside.match(pattern) for pattern in setup["package-data"].get(home, [])), path


def test_the_public_face_is_what_it_says():
    assert all(hasattr(vizvit, name) for name in vizvit.__all__)
    assert list(vizvit.__all__) == sorted(vizvit.__all__)
    for error in (vizvit.ImageError, vizvit.ModelError, vizvit.CaptureError):
        assert issubclass(error, ValueError)
