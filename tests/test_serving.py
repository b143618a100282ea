"""What strangers can do: nothing, unless somebody opens the server to them; and then name no file of it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from vizvit.errors import ModelError
from vizvit.model import snapshots
from vizvit.model.loading import SHIPPED
from vizvit.pages.shared import paths, store
from vizvit.texts import words

ROOT = Path(__file__).parent.parent


def test_the_app_listens_on_this_machine_alone():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("setting", "address", "headers", "allowed"),
    [
        ("", "127.0.0.1", {"Host": "localhost:8501"}, True),
        ("", "127.0.0.1", {"Host": "127.0.0.1:8501"}, True),
        ("", "::1", {"Host": "[::1]:8501"}, True),
        ("", "localhost", {}, True),
        ("", "127.0.0.1", {"Host": "vit.example.org"}, False),  # a proxy, or a name bound to 127.0.0.1
        ("", "127.0.0.1", {"Host": "localhost:8501", "X-Forwarded-For": "203.0.113.9"}, False),
        ("", "0.0.0.0", {"Host": "localhost:8501"}, False),
        ("", None, {"Host": "localhost:8501"}, False),  # Streamlit's own default: all interfaces
        ("", "192.168.0.7", {"Host": "192.168.0.7:8501"}, False),
        ("on", "0.0.0.0", {"Host": "vit.example.org"}, True),
        ("off", "127.0.0.1", {"Host": "localhost:8501"}, False),
        ("nonsense", "127.0.0.1", {"Host": "localhost:8501"}, False),
    ],
)
def test_who_may_name_paths(monkeypatch, setting, address, headers, allowed):
    monkeypatch.setenv("VIZVIT_PATHS", setting)
    monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
    monkeypatch.setattr(type(st.context), "headers", property(lambda _: headers))
    assert paths.allowed() is allowed


def sidebar():
    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.chosen = choose().model_key.name


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "~root", "~nobody-here", "secret", "./secret", "local-dir:secret", "secret/model.pth", "a\0b"],
)
def test_names_that_are_not_listed_are_refused_alike_before_the_disk_is_touched(name, tmp_path, monkeypatch):
    (tmp_path / "secret" / "snapshots").mkdir(parents=True)
    (tmp_path / "secret" / "snapshots" / "index.json").write_text("what nobody is to read")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIZVIT_PATHS", "off")
    looked: list[str] = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, *a, **k: looked.append(str(path)) or stat(path, *a, **k))
    assert snapshots.snapshots(SHIPPED)
    looked.clear()
    at = AppTest.from_function(sidebar, default_timeout=60)
    at.query_params["model"] = name
    at.run()
    assert not at.exception
    refusal = words("sidebar")["paths_off"]
    assert [error.value.replace("\\", "") for error in at.error] == [refusal]
    assert at.session_state.chosen == SHIPPED
    assert not [path for path in looked if path == "/etc/passwd" or "/secret/" in f"{Path(path).absolute()}/"]


def test_the_container_runs_the_readmes_commands():
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    install, start = "pip install -r requirements.txt", "streamlit run app.py"
    assert f"\n{install} && {start}\n" in (ROOT / "README.md").read_text("utf-8")
    runs = [line for line in lines if line.startswith("RUN")]
    assert runs == [
        f"RUN {install.replace('install', 'install --no-cache-dir')}",
        "RUN useradd --create-home --uid 1000 vizvit",
    ]
    assert lines.index("USER vizvit") > lines.index("COPY . .")  # what it runs is not its own to write
    assert any(line.startswith("ENV STREAMLIT_SERVER_ADDRESS=0.0.0.0 ") for line in lines)
    (last,) = [line for line in lines if line.startswith("CMD")]
    assert " ".join(json.loads(last.removeprefix("CMD "))) == start
    images = [line for line in lines if line.startswith("FROM")]
    assert images == ["FROM python:3.11-slim"]


def test_what_serving_says_of_limits_is_what_the_store_has(monkeypatch):
    said = dict(re.findall(r"\| `(VIZVIT_\w+)` \| (\d+) \|", (ROOT / "docs" / "serving.md").read_text("utf-8")))
    for name in said:
        monkeypatch.delenv(name, raising=False)
    caches = store.Store()
    found = {"MODELS": caches.models, "CAPTURES": caches.captures, "RESULTS": caches.results}
    for name, cache in found.items():
        assert cache.limit == int(said[f"VIZVIT_{name}_MB"]) * store.MEGABYTE


def test_a_picture_that_a_reload_has_lost_is_said_until_another_is_chosen():
    def at_sidebar(**query: str) -> AppTest:
        at = AppTest.from_function(sidebar, default_timeout=60)
        at.query_params |= query
        return at.run()

    lost = words("picture")["lost"]
    assert lost not in [info.value for info in at_sidebar().info]
    at = at_sidebar(own="1")
    assert lost in [info.value for info in at.info]
    assert "own" in at.query_params
    at.pills(key="sample_pills").set_value("coffee").run()
    assert lost not in [info.value for info in at.info]
    assert "own" not in at.query_params


@pytest.mark.parametrize("value", ["0", "-1", "lots", "1.5", "٣"])
def test_a_limit_that_is_none_is_said(monkeypatch, value):
    monkeypatch.setenv("VIZVIT_DECODE_MB", value)
    with pytest.raises(ModelError, match="VIZVIT_DECODE_MB is to be a whole number above 0, such as 2048; received"):
        store.Store()
