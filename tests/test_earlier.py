"""What was made before the code had rooms still opens: addresses, studies, files of numbers, runs, command lines.

`tests/data/before/` says how each was made.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import shutil
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit import cli, study
from vizvit.study.table import note
from vizvit.training import checkpoint, log
from vizvit.training.begin import begin
from vizvit.training.budget import Budget
from vizvit.training.run import Machine

ROOT = Path(__file__).parents[1]
BEFORE = ROOT / "tests" / "data" / "before"
MODEL = ["--model", "test_vit", "--weights", "random", "--device", "cpu"]
ADDRESSES = json.loads((BEFORE / "addresses.json").read_text("utf-8"))
OPTIONS = json.loads((BEFORE / "options.json").read_text("utf-8"))
PAGES = {name: f"{name}.page" for name in ("explore", "walkthrough", "explanations", "studies", "experiments")}


def one_page(module: str) -> None:
    """What app.py runs for a page, without its navigation bar, which AppTest cannot click."""
    import importlib

    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.pages = {}
    st.session_state.choice = choose()
    importlib.import_module(module).page()


@pytest.mark.parametrize("link", ADDRESSES, ids=lambda link: link["address"])
def test_an_address_leads_to_the_same_choices(link, monkeypatch):
    monkeypatch.chdir(ROOT)  # a study's folder is named from there
    place, _, query = link["address"].partition("?")
    module = f"vizvit.pages.{PAGES.get(place, place)}"
    assert callable(importlib.import_module(module).page)
    app = AppTest.from_function(one_page, default_timeout=60, args=(module,))
    for name, value in parse_qsl(query):
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error
    now = {name: app.session_state[name] for name in link["choices"] if name in app.session_state}
    for name in ("selection", "walk"):  # settings that came later stand beside
        if name in now:
            now[name] = {key: now[name].get(key) for key in link["choices"][name]}
    now = json.loads(json.dumps(now))
    assert now == link["choices"]
    written = {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}
    # Where a link to the walk names no layer and no head, today's walk finds telling ones.
    open_to = {"layer", "head"} - set(dict(parse_qsl(query))) if place == "walkthrough" else set()
    for name in link["written"].keys() - open_to:
        assert written.get(name) == link["written"][name], name


def test_a_study_opens_and_comes_out_the_same_today(tmp_path, monkeypatch, capsys):
    before = study.read_summary(BEFORE / "study")
    assert before["measured"] == 3 and "test_vit" in note(before)
    monkeypatch.setattr("vizvit.study.study.figures", lambda summary: {})
    vit = vizvit.load_model("test_vit", weights="random", device="cpu")
    settings = study.Settings(("rollout", "relevance"), faithfulness=True, steps=4)
    study.run(vit, [BEFORE / "pictures"], tmp_path, settings)
    now = study.read_summary(tmp_path)
    same({**before, "source": None}, {**now, "source": None})
    assert cli.main(["study", "--sweep", "distance", "--out", str(BEFORE / "study")]) == 0
    assert "layer" in capsys.readouterr().out


def same(one, other, path="") -> None:
    """Equal but for the rounding of float32 sums, and for what is said besides today."""
    assert type(one) is type(other), path
    if isinstance(one, dict):
        assert one.keys() <= other.keys(), path
        for key in one:
            same(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), path
        for index, pair in enumerate(zip(one, other, strict=True)):
            same(*pair, f"{path}/{index}")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-3, abs=2e-5 if "spread" in path else 1e-6), path
    else:
        assert one == other, path


@pytest.mark.parametrize("command", ["attention", "heads", "rollout"])
def test_a_file_of_numbers_holds_what_the_command_writes_today(command, tmp_path):
    picture = BEFORE / "pictures" / "chelsea.jpg"
    assert cli.main([command, str(picture), *MODEL, "--out", str(tmp_path)]) == 0
    name = f"chelsea-{command}.npz"
    with np.load(BEFORE / "numbers" / name) as before, np.load(tmp_path / name) as now:
        assert set(before.files) <= set(now.files)
        for key in set(before.files):
            if before[key].dtype.kind == "f":
                np.testing.assert_allclose(before[key], now[key], rtol=1e-3, atol=1e-5, err_msg=key)
            elif key == "about":
                same(json.loads(str(before[key])), json.loads(str(now[key])))
            else:
                np.testing.assert_array_equal(before[key], now[key], err_msg=key)


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    run, pictures = tmp_path / "run", tmp_path / "classes"
    shutil.copytree(BEFORE / "run", run)
    for name, file in (("cat", "chelsea"), ("cup", "coffee"), ("person", "astronaut")):
        (pictures / name).mkdir(parents=True)
        shutil.copy(BEFORE / "pictures" / f"{file}.jpg", pictures / name)
    assert vizvit.load_model(str(run / "model"), device="cpu").labels == ("cat", "cup", "person")
    machine = Machine(torch.device("cpu"), precision=torch.float32)
    resumed = begin([pictures], [], run, Budget(epochs=6), machine)  # the recipe is the checkpoint's
    before = checkpoint.load(BEFORE / "run")
    assert resumed.step == 4 and resumed.seconds == before["seconds"]
    for name, value in resumed.network.state_dict().items():
        assert torch.equal(value, before["network"][name]), name
    resumed.train()
    assert checkpoint.load(run)["step"] > 4
    assert [event["step"] for event in log.read(run) if event["event"] == "train"][:4] == [1, 2, 3, 4]


@pytest.mark.parametrize("line", (BEFORE / "commands.txt").read_text("utf-8").splitlines())
def test_a_command_line_is_understood(line):
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "vizvit"]
    assert callable(cli._parser().parse_args(words[3:]).run)


@pytest.mark.parametrize("command", OPTIONS)
def test_a_command_has_all_its_options(command):
    (commands,) = (part for part in cli._parser()._actions if isinstance(part, argparse._SubParsersAction))
    assert set(OPTIONS[command]) <= set(commands.choices[command]._option_string_actions)
