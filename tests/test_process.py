"""How a process of VizViT's own begins."""

import gc
import os
import sys

import torch

from vizvit import process


def test_what_is_imported_for_good_is_out_of_the_collectors_sight(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    before = gc.get_freeze_count()
    try:
        with process.for_good():
            assert not gc.isenabled()
            made = [[] for _ in range(9)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(made)
    finally:
        gc.unfreeze()


def test_once_pytorch_is_there_a_model_may_be_and_nothing_is_put_out_of_sight():
    assert torch
    before = gc.get_freeze_count()
    with process.for_good():
        assert gc.isenabled()
    assert gc.get_freeze_count() == before


def test_threads_wait_briefly_unless_the_person_chose_otherwise(monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards
        monkeypatch.delenv(name)
    process.wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "10000"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    process.wait_briefly()
    assert "GOMP_SPINCOUNT" not in os.environ
