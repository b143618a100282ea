"""The house holds: imports go down only, there are no circles, and each room knows nothing that it must not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import vizvit

PACKAGE = Path(vizvit.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (*sorted(PACKAGE.rglob("*.py")), PACKAGE.parent / "app.py")
    if path.exists()  # an installed package has no app.py beside it
}

# From the top: a room knows only those on the lines below its own. `vizvit` is the package's own face.
HOUSE = """
app __main__
pages
cli
vizvit
study
faithful
training explanations
analysis interventions walk
forward
model pictures explorer
figures features texts files reading
numbers grid errors process _version _moved
"""
PAGES = """
walkthrough explanations experiments rollout positions heads
studies
explore
sidebar
shared
"""
HEAVY = ("torch", "torchvision", "timm", "streamlit")
NUMBERS = ("timm", "streamlit", "matplotlib", "vizvit.figures", "vizvit.explorer")
MUST_NOT_KNOW = {  # beside what lies above it
    "vizvit": ("matplotlib.pyplot", "pylab"),  # a global list of figures, not safe on the threads that pages run on
    "vizvit.grid": (*HEAVY, "numpy", "PIL", "vizvit"),
    "vizvit.errors": (*HEAVY, "numpy", "vizvit"),
    "vizvit.numbers": (*HEAVY, "numpy", "vizvit"),
    "vizvit.reading": (*HEAVY, "numpy"),
    "vizvit.files": HEAVY,
    "vizvit.texts": (*HEAVY, "numpy", "vizvit"),
    "vizvit.features": HEAVY,
    "vizvit.figures": (*HEAVY, "vizvit.texts"),
    "vizvit.pictures": (*HEAVY, "vizvit.figures"),
    "vizvit.model": ("streamlit", "vizvit.figures"),
    "vizvit.model.tokens": ("timm",),
    "vizvit.explorer": ("torch", "timm"),
    "vizvit.forward": ("timm", "streamlit", "vizvit.figures", "vizvit.explorer"),
    "vizvit.analysis": NUMBERS,
    "vizvit.interventions": NUMBERS,
    "vizvit.walk": NUMBERS,
    "vizvit.walk.lessons": ("torch", "numpy", "vizvit.model"),
    "vizvit.walk.stages": ("torch", "numpy", "vizvit"),
    "vizvit.explanations": ("streamlit", "matplotlib", "vizvit.figures", "vizvit.explorer"),
    "vizvit.faithful": ("streamlit",),
    "vizvit.training": ("streamlit",),
    "vizvit.study": ("streamlit",),
    "vizvit.cli": ("streamlit", "vizvit.explorer.component"),
    "vizvit.pages": ("timm", "torch.nn", "torch.overrides", "torch.utils.hooks"),
}
TIMMS_NAMES = {"patch_embed", "embeds", "pos_embed", "cls_token", "reg_token", "norm_pre", "in_norm", "fc1", "fc2"}
TIMMS_NAMES |= {"attn_out_proj", "attn_pool", "global_pool", "fc_norm", "head_dist", "rope", "q_norm", "fused_attn"}
HOOKS = {"register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"}
HOOKS |= {"TorchFunctionMode", "scaled_dot_product_attention", "fused_attn"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The full names of what a file imports, in its functions too; not what is there for type checkers alone."""
    return tuple(_imports(path, parsed(path)))


def _imports(path: Path, *trees: ast.AST, later: bool = True) -> Iterator[str]:
    """later: what functions import too."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    waiting = list(trees)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.FunctionDef) and not later:
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, *filter(None, [node.module])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str | None:
    """The module of VizViT that an imported name comes from."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


@cache
def arrows() -> dict[str, set[str]]:
    """The modules that each imports."""
    return {name: {module_of(other) for other in imports(path)} - {None, name} for name, path in MODULES.items()}


@pytest.mark.parametrize(("plan", "ground"), [(HOUSE, "vizvit."), (PAGES, "vizvit.pages.")], ids=["house", "pages"])
def test_imports_go_down_only(plan, ground):
    floor = {room: number for number, line in enumerate(plan.strip().splitlines()) for room in line.split()}
    whole = ground == "vizvit."
    rooms = {name: name.removeprefix(ground).split(".")[0] for name in MODULES if whole or name.startswith(ground)}
    assert set(rooms.values()) | {"app"} == set(floor) | {"app"}, "a room without a place, or a place without a room"
    between = [(name, other) for name in rooms for other in arrows()[name] & set(rooms)]
    up = [(a, b) for a, b in between if rooms[a] != rooms[b] and floor[rooms[a]] >= floor[rooms[b]]]
    assert not up


def test_no_module_leads_back_to_itself():
    list(TopologicalSorter(arrows()).static_order())  # CycleError names the circle


@pytest.mark.parametrize("place", MUST_NOT_KNOW)
def test_what_a_place_must_not_know(place):
    files = [path for name, path in MODULES.items() if f"{name}.".startswith(f"{place}.")]
    assert files
    crossed = {
        (path.name, name)
        for path in files
        for name in imports(path)
        for other in MUST_NOT_KNOW[place]
        if f"{name}.".startswith(f"{other}.") and not f"{module_of(name)}.".startswith(f"{place}.")
    }
    assert not crossed


@pytest.mark.parametrize("place", ["app", "vizvit.pages", "vizvit.analysis", "vizvit.walk"])
def test_hooks_are_the_captures_business(place):
    for name, path in MODULES.items():
        if name.startswith(place):
            nodes = list(ast.walk(parsed(path)))
            used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            assert not HOOKS & (used | {node.id for node in nodes if isinstance(node, ast.Name)}), name


def test_what_timm_calls_its_parts_is_known_in_one_place():
    """Of what looks at models; `training`, which makes them, hands such names on to timm."""
    for name, path in MODULES.items():
        if not name.startswith(("vizvit.model.timm_", "vizvit.training.")):
            calls = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
            asked = [ast.unparse(call) for call in calls if ast.unparse(call.func) in ("getattr", "hasattr")]
            assert not [call for call in asked if any(f"'{part}'" in call for part in TIMMS_NAMES)], name


@pytest.mark.skipif("app" not in MODULES, reason="an installed package has no app.py beside it")
def test_the_app_says_that_it_starts_before_it_imports_what_takes_seconds():
    whole = parsed(MODULES["app"]).body
    start = next(number for number, node in enumerate(whole) if isinstance(node, ast.Try))
    waiting, seen = [*_imports(MODULES["app"], *whole[:start], later=False)], set()
    assert "vizvit.pages.shared.language" in waiting
    while waiting:
        name = waiting.pop()
        assert not name.startswith(("torch", "timm", "matplotlib", "pandas", "altair"))
        module = module_of(name)
        while module and module not in seen:  # with the packages that it lies in
            seen.add(module)
            waiting += _imports(MODULES[module], parsed(MODULES[module]), later=False)
            module = module.rpartition(".")[0]


def test_imports_are_seen():
    """The checks above would see what they look for: relative ones, ones in functions, of a module or of its names."""
    assert "vizvit.forward.capture" in arrows()["vizvit.analysis.rollout"]
    assert {"vizvit.figures", "vizvit.analysis"} <= arrows()["vizvit.cli.attention"]
    assert {"timm.models", "torch.nn"} & set(imports(MODULES["vizvit.model.timm_parts"]))
    assert "streamlit" in set(imports(MODULES["vizvit.explorer.component"]))
