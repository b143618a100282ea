"""What a run is carried out on."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Machine:
    """How the run is carried out; nothing here decides what is learned, but for rounding."""

    device: torch.device
    precision: torch.dtype = torch.bfloat16
    compile: bool = False
    checkpoint_minutes: float = 3.0
    validate_on: int = 2000
    snapshots: bool = False
    half: bool = False
