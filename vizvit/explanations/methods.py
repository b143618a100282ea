"""The methods of explanation by name, with what a reader must know about each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..errors import CaptureError
from . import attention, controls, libraries


@dataclass(frozen=True)
class Method:
    """A way to make a map.

    title: the key of its name in the interface's words. source: where it was published.
    signed: values below zero occur. needs_target: the map depends on the class.
    control: knows nothing about the model; what every other method has to beat.
    compute: (Task, **options) -> float32 [rows, cols].
    """

    title: str
    signed: bool
    needs_target: bool
    source: str
    compute: Callable[..., np.ndarray]
    control: bool = False

    @property
    def options(self) -> Mapping[str, object]:
        """The options by name, with their defaults."""
        parameters = inspect.signature(self.compute).parameters.values()
        return MappingProxyType({p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY})

    def check(self, options: Mapping[str, object]) -> None:
        """CaptureError for an option that the method does not have."""
        for name in options:
            if name not in self.options:
                have = ", ".join(self.options) or "none"
                raise CaptureError(f'The method "{self.title}" has no option "{name}"; it has {have}.')


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "attention": Method(
            title="attention",
            signed=False,
            needs_target=False,
            source="Caron et al., Emerging Properties in Self-Supervised Vision Transformers (ICCV 2021), Fig. 1",
            compute=attention.last_layer,
        ),
        "rollout": Method(
            title="rollout",
            signed=False,
            needs_target=False,
            source="Abnar & Zuidema, Quantifying Attention Flow in Transformers (ACL 2020)",
            compute=attention.flow,
        ),
        "gradient_rollout": Method(
            title="gradient_rollout",
            signed=False,
            needs_target=True,
            source="Gildenblat, Exploring Explainability for Vision Transformers (2020)",
            compute=attention.gradient_flow,
        ),
        "relevance": Method(
            title="relevance",
            signed=False,
            needs_target=True,
            source="Chefer, Gur & Wolf, Generic Attention-model Explainability (ICCV 2021), eq. 5-6",
            compute=attention.relevance_map,
        ),
        "attention_gradient": Method(
            title="attention_gradient",
            signed=False,
            needs_target=True,
            source="Barkan et al., Grad-SAM (CIKM 2021), the last layer alone",
            compute=attention.last_layer_gradient,
        ),
        "grad_cam": Method(
            title="grad_cam",
            signed=False,
            needs_target=True,
            source="Selvaraju et al., Grad-CAM (ICCV 2017); for transformers as in the grad-cam library",
            compute=libraries.grad_cam,
        ),
        "integrated_gradients": Method(
            title="integrated_gradients",
            signed=True,
            needs_target=True,
            source="Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (ICML 2017)",
            compute=libraries.integrated_gradients,
        ),
        "random": Method(
            title="random",
            signed=False,
            needs_target=False,
            source="control: a number drawn for each patch",
            compute=controls.random_numbers,
            control=True,
        ),
        "centre": Method(
            title="centre",
            signed=False,
            needs_target=False,
            source="control: photographers put the object in the middle",
            compute=controls.centre,
            control=True,
        ),
    }
)


def find_method(name: str) -> Method:
    """The method of that name; CaptureError where there is none."""
    if name not in METHODS:
        raise CaptureError(f'There is no method "{name}". Choose one of {", ".join(METHODS)}.')
    return METHODS[name]
