"""One signature for every method of explanation: a map of one picture, for one class where the method has classes."""

from __future__ import annotations

import numpy as np

from ..errors import CaptureError
from ..forward.capture import Capture
from ..model.vit import VitModel
from .methods import METHODS, Method, find_method
from .task import Task


def explain(
    vit: VitModel,
    view: np.ndarray,
    method: str,
    *,
    target: int | str | None = None,
    capture: Capture | None = None,
    **options: object,
) -> np.ndarray:
    """What a method says each patch contributes, float32 [rows, cols]: raw values, not rescaled.

    view: uint8 [H, W, 3], as `VitModel.view` gives it.
    method: a name in METHODS (from vizvit.explanations import METHODS); its `signed` says whether values below zero
        occur, evidence against the class.
    target: the class (or value) to explain, by index or name; None is the predicted class, or the first of the values.
        Methods that know no classes ignore it.
    capture: an earlier capture of this view. What it holds is not computed again; where a method needs gradients for
        another class than the capture's, or for one and the capture has none, a new capture is made.
    options: the method's own, see its `options`.

    Where a method reads a token, it is the one that the prediction is read from: the class token, the pooling head's
    weights over the tokens, or the mean over the patches, the last also in a model that has a class token but does not
    predict from it. There, gradient rollout and relevance leave out what each patch has of itself without any
    attention. Gradients are those of the class's logit, before the softmax or sigmoid; of a model of values, of the
    value itself.
    Raises CaptureError for an unknown method or option, a view of another shape and a capture of another picture;
    ModelError for a class that the model does not have.
    """
    chosen = find_method(method)
    chosen.check(options)
    return chosen.compute(_task(vit, view, chosen, target, capture), **options)


def contrast(
    vit: VitModel,
    view: np.ndarray,
    method: str,
    target: int | str,
    other: int | str,
    *,
    capture: Capture | None = None,
    **options: object,
) -> np.ndarray:
    """Why this class and not that one: the map for `target` minus the map for `other`, float32 [rows, cols], signed.

    Parameters as in `explain`; a capture is used for the class that it was made with. Raises CaptureError for a method
    whose map does not depend on the class.
    """
    chosen = find_method(method)
    if not chosen.needs_target:
        others = ", ".join(name for name, one in METHODS.items() if one.needs_target)
        raise CaptureError(
            f'The map of "{method}" is the same for every class: there is nothing to contrast. Choose one of {others}.'
        )
    chosen.check(options)
    tasks = [_task(vit, view, chosen, label, capture) for label in (target, other)]
    return chosen.compute(tasks[0], **options) - chosen.compute(tasks[1], **options)


def _task(vit: VitModel, view: np.ndarray, method: Method, target: int | str | None, capture: Capture | None) -> Task:
    task = Task(vit, view, None if target is None else vit.class_index(target), capture)
    return task.with_target() if method.needs_target else task
