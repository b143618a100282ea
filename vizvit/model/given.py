"""What is given where a model is expected."""

from __future__ import annotations

from torch import nn

from ..errors import ModelError
from .vit import VitModel


def checked_model(vit: object) -> None:
    """ModelError for anything but a VitModel where one is expected, with what to make of it."""
    if isinstance(vit, VitModel):
        return
    if isinstance(vit, nn.Module):
        given = f"the module itself ({type(vit).__name__})"
        advice = 'Wrap it first: vit = vizvit.VitModel.wrap(module, name="mine").'
    elif isinstance(vit, str):
        given, advice = f'the name "{vit}"', f'Load it first: vit = vizvit.load_model("{vit}").'
    else:
        given = f"an object of type {type(vit).__name__}"
        advice = "The model comes first: what vizvit.load_model or vizvit.VitModel.wrap returns."
    raise ModelError(f"A VitModel was expected, but {given} was given. {advice}")
