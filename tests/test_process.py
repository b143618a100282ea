"""How a process of VizViT's own begins."""

import gc
import os
import platform
import subprocess
import sys
from textwrap import dedent

import pytest
import torch

from vizvit import process


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


def in_a_fresh_process(code):
    subprocess.run([sys.executable, "-c", dedent(code)], check=True, timeout=120)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_kept_for_what_comes_next():
    in_a_fresh_process("""
        import resource
        from vizvit.process import keep_freed

        def pages():  # that the system has to hand out while 12 times 3 MB are asked for, and freed
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            some = [bytes([number]) * 3_000_000 for number in range(12)]
            del some
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

        given_back = min(pages() for _ in range(3))
        keep_freed()
        pages()
        assert pages() < given_back / 10
    """)


def test_what_is_imported_is_out_of_the_collectors_sight_and_the_compiler_comes_when_it_is_wanted():
    in_a_fresh_process("""
        import gc
        import sys
        from vizvit import process

        with process.for_good():
            import timm
            from timm.layers import disable_compiler
            from torchvision.ops.roi_align import is_compile_supported

            assert not gc.isenabled()
            marked = disable_compiler(lambda x: torch.compiler.is_compiling() or x + 1)
            also = disable_compiler(recursive=False)(lambda x: x - 1)
        import torch

        assert gc.isenabled() and gc.get_freeze_count() > 100_000
        assert "torch._dynamo" not in sys.modules and "sympy" not in sys.modules
        assert "torch._dynamo.utils" not in sys.modules
        assert marked(torch.ones(1)) == 2 and also(torch.ones(1)) == 0
        assert "torch._dynamo" not in sys.modules

        seen = []

        def backend(graph, _):
            seen.append(graph)
            return graph

        compiled = torch.compile(lambda x: marked(x * 2) * 3, backend=backend)
        assert compiled(torch.ones(1)) == 9
        assert len(seen) == 2, seen  # one before and one behind what is not compiled
        assert torch.compiler.disable.__module__ == "torch.compiler"

        from torch._dynamo.utils import is_compile_supported as real
        assert is_compile_supported("cpu") == real("cpu")
    """)


def test_whatever_else_is_asked_of_the_compiler_meanwhile_it_answers():
    in_a_fresh_process("""
        import sys
        from vizvit import process

        with process.for_good():
            from torch._dynamo.utils import counters
            import torchvision

        import torch._dynamo.utils
        assert torch._dynamo.utils.counters is counters
        assert torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)) == 2
    """)
