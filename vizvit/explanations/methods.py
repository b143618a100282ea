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
    colours: what it is drawn in among others, on light and on dark paper, as "#rrggbb".
    compute: (Task, **options) -> float32 [rows, cols].
    needs_target: the map depends on the class. signed: values below zero occur.
    reads_gradients: from a capture, which one made for the class can give it.
    passes: forward and backward through the model, for one map, besides a capture.
    control: knows nothing about the model; what every other method has to beat.
    """

    title: str
    source: str
    colours: tuple[str, str]
    compute: Callable[..., np.ndarray]
    needs_target: bool = False
    signed: bool = False
    reads_gradients: bool = False
    passes: int = 0
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


GREY = "#8a8a8a", "#8a8a8a"

# Colours that are told apart on light and on dark paper, also by most people with a colour deficiency.
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "attention": Method(
            title="attention",
            source="Caron et al., Emerging Properties in Self-Supervised Vision Transformers (ICCV 2021), Fig. 1",
            colours=("#3b6fd4", "#7aa5ff"),
            compute=attention.last_layer,
        ),
        "rollout": Method(
            title="rollout",
            source="Abnar & Zuidema, Quantifying Attention Flow in Transformers (ACL 2020)",
            colours=("#0e9f8e", "#3fd0bd"),
            compute=attention.flow,
        ),
        "gradient_rollout": Method(
            title="gradient_rollout",
            source="Gildenblat, Exploring Explainability for Vision Transformers (2020)",
            colours=("#a463f2", "#c79bff"),
            compute=attention.gradient_flow,
            needs_target=True,
            reads_gradients=True,
        ),
        "relevance": Method(
            title="relevance",
            source="Chefer, Gur & Wolf, Generic Attention-model Explainability (ICCV 2021), eq. 5-6",
            colours=("#d81b60", "#ff5c93"),
            compute=attention.relevance_map,
            needs_target=True,
            reads_gradients=True,
        ),
        "attention_gradient": Method(
            title="attention_gradient",
            source="Barkan et al., Grad-SAM (CIKM 2021), the last layer alone",
            colours=("#e8710a", "#ffa14f"),
            compute=attention.last_layer_gradient,
            needs_target=True,
            reads_gradients=True,
        ),
        "grad_cam": Method(
            title="grad_cam",
            source="Selvaraju et al., Grad-CAM (ICCV 2017); for transformers as in the grad-cam library",
            colours=("#7d5a3c", "#c9a27e"),
            compute=libraries.grad_cam,
            needs_target=True,
            passes=1,
        ),
        "integrated_gradients": Method(
            title="integrated_gradients",
            source="Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (ICML 2017)",
            colours=("#1f1f1f", "#f0f0f0"),
            compute=libraries.integrated_gradients,
            needs_target=True,
            signed=True,
            passes=libraries.STEPS,
        ),
        "random": Method(
            title="random",
            source="control: a number drawn for each patch",
            colours=GREY,
            compute=controls.random_numbers,
            control=True,
        ),
        "centre": Method(
            title="centre",
            source="control: photographers put the object in the middle",
            colours=GREY,
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
