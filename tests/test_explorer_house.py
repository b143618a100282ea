"""The rooms of explorer/js/: imports go one way, and all modules fit into one scope; so do those of the pages."""

import re
import shutil
import subprocess
from collections import Counter

import pytest

from vizvit.explorer.assets import ENTRY, LESSON, WORKER, imports, joined, modules

# Each may know those before it.
ROOMS = ("compute", "forward", "byhand", "state", "draw", "wire", "keep", "act", "lesson")
HOME = ENTRY.resolve().parent
FILES = sorted(HOME.rglob("*.js"))
WALK = sorted((HOME.parent / "walk").glob("*.js"))
PAGES = HOME.parents[1] / "pages"
ENTRIES = (
    ENTRY,
    LESSON,
    WORKER,
    *(path for path in (*WALK, *sorted(PAGES.rglob("*.js"))) if "export default" in path.read_text("utf-8")),
)
NODE = shutil.which("node")


def test_imports_go_to_the_same_room_or_one_before_it():
    floor = {room: height for height, room in enumerate((*ROOMS, "."))}  # main.js, lesson.js and worker.js stand on top
    height = {path: floor[str(path.parent.relative_to(HOME))] for path in FILES}
    upward = [
        f"{path.stem} imports {other.stem}" for path in FILES for other in imports(path) if height[other] > height[path]
    ]
    assert not upward


def test_every_module_is_reached_from_an_entry():
    order = list(dict.fromkeys(path for entry in (ENTRY, LESSON, WORKER) for path in modules(entry)))
    assert sorted(order) == FILES
    assert all(order.index(other) < order.index(path) for path in FILES for other in imports(path))


def test_a_circle_is_named(tmp_path):
    for name, other in (("entry", "a"), ("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.js").write_text(f'import {{ {other} }} from "./{other}.js";\n')
    with pytest.raises(ValueError, match=r"(a\.js imports b\.js imports a|b\.js imports a\.js imports b)\.js$"):
        modules(tmp_path / "entry.js")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.stem)
def test_modules_can_be_joined(entry):
    """No name twice, imports in the one form that joining knows, and a first line that says what it is about."""
    beside = modules(ENTRY) if entry == LESSON else []  # the page has both in one script
    files = list(dict.fromkeys([*beside, *modules(entry)]))
    sources = {path.stem: path.read_text("utf-8") for path in files}
    declared = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
    names = Counter(name for source in sources.values() for name in declared.findall(source))
    assert [name for name, count in names.items() if count > 1] == []
    assert len({path.stem for path in files}) == len(files)
    assert not re.search(r"^import\b|^export (?!default)", joined(entry), re.MULTILINE)
    for path in files:
        source = sources[path.stem]
        assert source.startswith("// "), path.stem
        lines = re.findall(r"^import\b.*", source, re.MULTILINE)
        assert len(lines) == len(imports(path)) and not any(re.search(r"\bas\b", line) for line in lines), path.stem


@pytest.mark.skipif(NODE is None, reason="node is not on the PATH")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.stem)
def test_what_is_imported_is_exported(entry):
    done = subprocess.run([NODE, str(entry)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
