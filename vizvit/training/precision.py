"""Which precision the products of a training run have: bfloat16 where the machine has units for it.

On a processor without them every product is emulated, 5 to 8 times slower than float32; with them it is twice as fast.
"""

from __future__ import annotations

import platform
from collections.abc import Collection
from pathlib import Path

import torch

CHOICES = ("auto", "bf16", "float32")
UNITS = {"avx512_bf16", "amx_bf16", "bf16", "svebf16"}  # x86-64's names, then 64-bit Arm's


def pick_precision(choice: str, device: torch.device, flags: Collection[str] | None = None) -> torch.dtype:
    """torch.bfloat16 or torch.float32. "auto": bfloat16 where the device has the units, float32 elsewhere.

    flags: of the processor; None reads this machine's.
    """
    if choice != "auto":
        return torch.bfloat16 if choice == "bf16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type != "cpu":
        return torch.float32
    has = UNITS & set(processor_flags() if flags is None else flags)
    return torch.bfloat16 if has else torch.float32


def processor_flags(listing: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What this processor says that it can do; empty where it does not say, as on macOS and Windows."""
    if platform.system() != "Linux" or not listing.is_file():
        return frozenset()
    for line in listing.read_text("utf-8", "replace").splitlines():
        name, _, values = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(values.split())
    return frozenset()
