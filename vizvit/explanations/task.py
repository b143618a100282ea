"""What a method is given: the model, the pixels, the class, and a capture that is made once somebody needs it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..errors import CaptureError
from ..forward.capture import Capture, capture_view
from ..forward.tensor import capture_tensor
from ..forward.views import checked_view
from ..model.given import checked_model
from ..model.outputs import leading
from ..model.vit import VitModel


@dataclass(frozen=True, eq=False)
class Task:
    """vit, view uint8 [H, W, 3], the index of the class (None where none was asked for), an earlier capture or None.

    Raises CaptureError for a view of another shape and for a capture of another picture or model.
    """

    vit: VitModel
    view: np.ndarray
    target: int | None = None
    earlier: Capture | None = None

    def __post_init__(self) -> None:
        checked_model(self.vit)
        object.__setattr__(self, "view", checked_view(self.vit, self.view))
        cap = self.earlier
        if cap is not None and (cap.vit is not self.vit or not np.array_equal(cap.view, self.view)):
            raise CaptureError(
                f"The capture was made with another picture or model: it holds one of {cap.vit.name}. Give a capture "
                f"of these pixels by this model, or none."
            )

    def with_target(self) -> Task:
        """The task for the predicted class where none was asked for; ModelError where the model has no classes."""
        if self.target is not None:
            return self
        self.vit.class_index(0)
        return replace(self, target=predicted(self.vit, self.view, self.earlier))

    def capture(self) -> Capture:
        """A capture of this view; with gradients only where an earlier one has them."""
        return self.earlier if self.earlier is not None else capture_view(self.vit, self.view)

    def capture_with_gradients(self) -> Capture:
        """A capture of this view with the gradients of this class."""
        cap = self.earlier
        if cap is not None and cap.has_gradients and cap.target == self.target:
            return cap
        with torch.enable_grad():
            if cap is not None and cap.rendition:
                return capture_tensor(self.vit, cap.pixels, target=self.target)
            return capture_view(self.vit, self.view, self.target)

    def pixels(self) -> torch.Tensor:
        """[1, C, H, W]: what the model reads."""
        return self.vit.normalise(self.view) if self.earlier is None else self.earlier.pixels.clone()


def predicted(vit: VitModel, view: np.ndarray, capture: Capture | None = None) -> int:
    """The index of the likeliest class; of a model of values, of the first. Raises ModelError where there are none."""
    vit.class_index(0)
    if capture is not None:
        return int(leading(vit.outputs, torch.from_numpy(capture.logits)))
    with torch.no_grad():
        return int(leading(vit.outputs, vit.module(vit.normalise(view))[0]))
