"""What `pip wheel .` makes works where there is no checkout: the library, the commands and the app."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image
from skimage import data

import vizvit
from vizvit.model.loading import shipped_dir
from vizvit.model.snapshots import snapshots
from vizvit.texts.assets import assets_dir

ROOT = Path(__file__).parent.parent
SOURCES = ("vizvit", "assets", ".streamlit", "app.py", "setup.py", "pyproject.toml", "README.md", "LICENSE")
REQUIREMENTS = ("requirements.txt", "tests/requirements.txt")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built without network, of a copy: a checkout's `build/` could hold files that are gone, and stays as it is."""
    source = tmp_path_factory.mktemp("source")
    for name in (*SOURCES, *REQUIREMENTS):
        (source / name).parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    out = tmp_path_factory.mktemp("wheel")
    _run(*PIP, "wheel", ".", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(out), cwd=source)
    (made,) = out.glob("vizvit-*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder with the programs of a fresh environment that has the wheel, and sees what else is installed here."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    asked = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = _run(str(programs / "python"), "-c", asked, cwd=home)
    seen = dict.fromkeys(sysconfig.get_paths()[kind] for kind in ("purelib", "platlib"))
    Path(packages.strip(), "seen.pth").write_text("\n".join(seen))
    install = (*PIP, "--python", str(programs / "python"), "install", "--no-deps", "--no-index", "--no-compile")
    _run(*install, str(wheel), cwd=home)
    return programs


def test_the_wheel_holds_what_the_checkout_has(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {info.filename: info.file_size for info in archive.infolist()}
    assets = assets_dir()
    needed = [path for path in assets.rglob("*") if path.is_file() and "screenshots" not in path.parts]
    expected = {f"vizvit/assets/{path.relative_to(assets).as_posix()}": path.stat().st_size for path in needed}
    code = [path for path in (ROOT / "vizvit").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    code = [path for path in code if path.name != "package.json"]  # tells Node.js, in tests, what the modules are
    expected |= {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in code}
    expected |= {f"vizvit/app/{name}": (ROOT / name).stat().st_size for name in ("app.py", ".streamlit/config.toml")}
    assert {name: size for name, size in held.items() if ".dist-info/" not in name} == expected


def test_an_installation_has_every_name_and_snapshot_and_runs_a_command_and_the_first_page(installed, tmp_path):
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.jpg")
    lines = [
        "import vizvit, vizvit.model.snapshots as snapshots",
        "from vizvit.model.loading import shipped_dir",
        "from vizvit import cli",
        "from vizvit.cli.app import script",
        "assert cli.main(['rollout', 'cat.jpg']) == 0",
        "from streamlit.testing.v1 import AppTest",
        "app = AppTest.from_file(str(script()), default_timeout=120).run()",
        "assert not app.exception and not app.error, (app.exception, app.error)",
        "print(vizvit.__file__, script(), len(snapshots.snapshots(shipped_dir())), sep='\\n')",
        "print(*sorted(name for name in vizvit.__all__ if getattr(vizvit, name)))",
    ]
    ran = _run(str(installed / "python"), "-c", "\n".join(lines), cwd=tmp_path, HF_HUB_OFFLINE="1")
    library, app, kept, names = ran.splitlines()[-4:]
    assert all(Path(file).is_relative_to(installed.parent) for file in (library, app))
    assert int(kept) == len(snapshots(shipped_dir())) >= 3
    assert names.split() == sorted(vizvit.__all__)
    assert {path.suffix for path in (tmp_path / "vizvit-out").rglob("*.*")} == {".png", ".npz"}


def test_vizvit_app(installed, tmp_path):
    """It serves with the project's own settings, takes Streamlit's options, and ends with its own process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(installed / "vizvit"), "app", "--port", str(port)]
    command += ["--server.headless", "true"]
    log = tmp_path / "log.txt"
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=tmp_path, env=_outside(), stdout=output, stderr=subprocess.STDOUT)
        try:
            assert _healthy(server, port), log.read_text()
        finally:
            server.terminate()
            server.wait(20)
    with pytest.raises(OSError):
        urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2)
    said = log.read_text()
    assert f"http://127.0.0.1:{port}" in said
    assert "usage statistics" not in said, "Streamlit says so where it has not read .streamlit/config.toml"


def _healthy(server: subprocess.Popen, port: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).status == 200
        except OSError:
            time.sleep(0.1)
    return False


def _outside(**further: str) -> dict[str, str]:
    """The surroundings of a process that must not see the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | further


def _run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(command, cwd=cwd, env=_outside(**environment), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
