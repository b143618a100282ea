"""What explanations cost at 1,374 tokens: relevance and gradient rollout beside materialised matrices and libraries.

    python tests/benchmarks/relevance.py [--quick] [--batched] [--rounds 5] [--device auto]

Each contender runs in a process of its own; its figure is that process's greatest resident memory, less what it held
with the model loaded (on a GPU: what PyTorch allocated). Its time and its ratio are medians of --rounds calls, or of
those begun within ten seconds, each after a plain forward pass in the same process; what takes longer is called once.
Weights are random: they cost the same.
The materialising way is timm's own attention without the fused kernel, every layer's matrix kept for autograd, and the
matrices multiplied as the paper writes them. Nothing here asserts a number.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import captum.attr  # noqa: F401 (here, so that its own weight is not counted as a contender's; so the next)
import numpy as np
import peak
import pytorch_grad_cam  # noqa: F401
import timm
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

sys.path.insert(0, str(Path(__file__).parents[2]))
import vizvit
from vizvit.model.twin import twin
from vizvit.model.vit import VitModel

MODEL = "vit_small_patch14_reg4_dinov2"  # 518 pixels: 37 x 37 patches and 5 prefix tokens
TARGET = 3
LONG = 10  # seconds
Contender = Callable[[VitModel, np.ndarray], np.ndarray]


class Softmaxes(TorchFunctionMode):
    """Every attention matrix that is made, [1, head, query, key], in the graph."""

    def __init__(self):
        super().__init__()
        self.found: list[torch.Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func is torch.Tensor.softmax and out.ndim == 4:
            self.found.append(out)
        return out


def materialised(vit: VitModel, view: np.ndarray) -> np.ndarray:
    module = twin(vit.module)
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    with Softmaxes() as seen:
        logits = module(vit.normalise(view).requires_grad_())
    gradients = torch.autograd.grad(logits[0, TARGET], seen.found)
    relevance = torch.eye(vit.grid.num_tokens, device=vit.device)
    for attention, gradient in zip(seen.found, gradients, strict=True):
        relevance = relevance + (attention * gradient)[0].detach().clamp(min=0).mean(0) @ relevance
    row = relevance[0, vit.grid.num_prefix_tokens :]
    return row.reshape(vit.grid.rows, vit.grid.cols).cpu().numpy()


def relevance(vit: VitModel, view: np.ndarray) -> np.ndarray:
    return vizvit.explain(vit, view, "relevance", target=TARGET)


def gradient_rollout(vit: VitModel, view: np.ndarray) -> np.ndarray:
    return vizvit.explain(vit, view, "gradient_rollout", target=TARGET)


def grad_cam(vit: VitModel, view: np.ndarray) -> np.ndarray:
    return vizvit.explain(vit, view, "grad_cam", target=TARGET)


def integrated(batch: int) -> Contender:
    return lambda vit, view: vizvit.explain(
        vit, view, "integrated_gradients", target=TARGET, steps=max(batch, 10), batch=batch
    )


def forward(vit: VitModel, view: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return vit.module(vit.normalise(view)).cpu().numpy()


BATCHED = "captum, 10 at a time"
CONTENDERS: dict[str, Contender] = {
    "plain forward": forward,
    "vizvit relevance": relevance,
    "vizvit gradient rollout": gradient_rollout,
    "materialised matrices": materialised,
    "grad-cam, of the last block": grad_cam,
    "captum, 1 step at a time": integrated(1),
    BATCHED: integrated(10),
}
QUICK = tuple(CONTENDERS)[:5]


def cost_of(name: str, vit: VitModel, rounds: int, device: str, threads: int) -> tuple[float, float, float, np.ndarray]:
    """MB beyond the loaded model, seconds, the ratio to the plain forward, and the map."""
    torch.set_num_threads(threads)
    vit = VitModel.wrap(vit.module, name=MODEL, trained=False, device=device)
    view = np.random.default_rng(0).integers(0, 256, (*vit.grid.image_size, 3), dtype=np.uint8)
    on_gpu = vit.device.type == "cuda"
    vizvit.explain(vit, view, "centre")  # all modules are there
    some = torch.ones(1, 6, 256, 64, device=vit.device, requires_grad=True)  # and the code, which a fork begins without
    torch.autograd.grad(F.scaled_dot_product_attention(some, some, some @ some.mT @ some).sum(), some)
    before = torch.cuda.memory_allocated() if on_gpu else peak.resident()
    start = time.perf_counter()
    found = CONTENDERS[name](vit, view)
    first = time.perf_counter() - start
    greatest = torch.cuda.max_memory_allocated() if on_gpu else peak.greatest()
    took: list[float] = []
    ratios: list[float] = []
    while len(took) < rounds and sum(took) < LONG:
        plain = seconds(CONTENDERS["plain forward"], vit, view)
        took.append(seconds(CONTENDERS[name], vit, view) if first < LONG else first)
        ratios.append(took[-1] / plain)
    return (greatest - before) / 1e6, median(took), median(ratios), found


def seconds(contender: Contender, vit: VitModel, view: np.ndarray) -> float:
    start = time.perf_counter()
    contender(vit, view)
    return time.perf_counter() - start


def load() -> VitModel:
    torch.manual_seed(0)
    return VitModel.wrap(timm.create_model(MODEL, num_classes=10), name=MODEL, trained=False, device="cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without captum, which takes long")
    parser.add_argument("--batched", action="store_true", help=f"also {BATCHED}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    on_gpu = options.device == "auto" and torch.cuda.device_count() > 0  # asks the driver alone: CUDA cannot be forked
    device = ("cuda" if on_gpu else "cpu") if options.device == "auto" else options.device
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a process that forks must not have begun others, which the new one would wait for
    vit = load()
    print(f"{MODEL}, {vit.grid.num_tokens} tokens, torch {torch.__version__}")
    print(f"  {'':28}{'peak beyond the model':>24}{'time':>12}{'ratio':>8}")
    maps: dict[str, np.ndarray] = {}
    for name in CONTENDERS:
        if (options.quick and name not in QUICK) or (name == BATCHED and not options.batched):
            continue
        with ProcessPoolExecutor(1, get_context("fork")) as process:
            given = cost_of, name, vit, options.rounds, device, threads
            megabytes, took, ratio, maps[name] = process.submit(*given).result()
        print(f"  {name:28}{megabytes:21.0f} MB{took:10.2f} s{ratio:7.2f}x", flush=True)
    ours, theirs = maps["vizvit relevance"], maps["materialised matrices"]
    print(
        f"  greatest difference of the two relevances: {np.abs(ours - theirs).max() / theirs.max():.1e} of the maximum"
    )


if __name__ == "__main__":
    main()
