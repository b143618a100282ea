"""What a model gives for a picture: how many numbers, what they mean, and their names.

A kind of outputs is one of KINDS: "softmax" (one class), "sigmoid" (several labels at once, each with a probability of
its own), "value" (a number or several, in units of their own and without probabilities).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from ..errors import ModelError
from ..numbers import number, share
from .timm_parts import after_blocks, is_embedding
from .twin import stand_in

KINDS = ("softmax", "sigmoid", "value")
NOUNS = {"softmax": "class", "sigmoid": "label", "value": "output"}  # what one of them is called


def count(module: nn.Module, pixels: torch.Tensor, name: str) -> int:
    """How many numbers the module gives for a picture, seen on `pixels`; ModelError where it gives no such vector.

    A pass with the blocks left out tells, since they keep the tokens' shape; where they do not, a whole one. What
    fails in both is the pass's own matter: then it is what the module says of itself.
    """
    with torch.no_grad():
        for part in (_without_blocks(module), module):
            try:
                out = part(pixels)
            except Exception:
                continue
            return checked(out, name).shape[1]
    return int(getattr(module, "num_classes", 0) or 0)


def checked(out: object, name: str, error: type[ValueError] = ModelError) -> torch.Tensor:
    """The output itself; an error with what it is where it is not one vector for each picture, [picture, number]."""
    if isinstance(out, torch.Tensor) and out.ndim == 2:
        return out
    raise error(
        f"{name} does not give one vector for the picture but {_in_words(out)}. Choose a model with a classifier, or "
        f"wrap one whose forward gives nothing but the outputs, [picture, number]."
    )


def kind_of(given: str | None, outputs: int) -> str:
    """The kind that is asked for; where none is, "value" for a single output, whose softmax would always be 1."""
    if given is None:
        return "value" if outputs == 1 else "softmax"
    if given not in KINDS:
        known = ", ".join(f'"{kind}"' for kind in KINDS)
        raise ModelError(f"The outputs of a model are of one of the kinds {known}; received {given!r}.")
    return given


def predicted(kind: str, outputs: torch.Tensor) -> torch.Tensor:
    """What is read off the outputs, [..., output]: probabilities, or the values themselves."""
    if kind == "value":
        return outputs
    return outputs.sigmoid() if kind == "sigmoid" else outputs.softmax(-1)


def leading(kind: str, outputs: torch.Tensor) -> torch.Tensor:
    """The index of the output that a picture is explained by unless told otherwise, [...] from [..., output]: the
    likeliest; of values, which nothing ranks, the first."""
    return torch.zeros_like(outputs[..., 0], dtype=torch.long) if kind == "value" else outputs.argmax(-1)


def foremost(kind: str, predictions: np.ndarray, count: int = 5) -> list[int]:
    """Which of the predictions [output] are told: the likeliest, likeliest first; of values the first ones."""
    order = range(len(predictions)) if kind == "value" else np.argsort(predictions)[::-1]
    return [int(index) for index in order[:count]]


def written(kind: str, value: float) -> str:
    """A prediction as it is shown: "61.2 %", or a value as a number."""
    return number(float(value)) if kind == "value" else share(float(value))


def said_by(module: nn.Module) -> str | None:
    """The kind that the configuration of a converted module names; None where it names none."""
    config = getattr(module, "pretrained_cfg", None)
    return config.get("outputs") if isinstance(config, dict) else None


def labels_of(
    module: nn.Module,
    outputs: int,
    given: Iterable[str] | None,
    name: str,
    kind: str = "softmax",
    *,
    asked: bool = False,
) -> tuple[str, ...]:
    """A name for each output, "class 17" where none are given; none for a model that gives features, not classes.

    asked: a person has said of which kind the outputs are: then they are no features.
    """
    if isinstance(given, str):
        raise ModelError(f'Class names are a list, one for each class; received the one text "{given}".')
    if given is None:
        classes = asked or has_classes(module, outputs)
        return tuple(f"{NOUNS[kind]} {index}" for index in range(outputs)) if classes else ()
    labels = tuple(map(str, given))
    if labels and len(labels) != outputs:
        has = f"has {outputs} classes" if has_classes(module, outputs) else f"gives {outputs} features, not classes"
        has = f"gives {outputs} {'value' if outputs == 1 else 'values'}" if kind == "value" else has
        what = "names" if kind == "value" else "class names"
        raise ModelError(
            f"{len(labels)} {what} were given for {name}, which {has}. Give one name for each output, in "
            f"the order of the outputs."
        )
    return labels


def index_of(target: int | str, labels: tuple[str, ...], kind: str, name: str) -> int:
    """The index of an output given by its index or its name (case-insensitive; one synonym of several will do)."""
    noun = NOUNS[kind]
    nouns = f"{noun}es" if noun == "class" else f"{noun}s"
    if isinstance(target, str):
        wanted = target.strip().casefold()
        for exact in (lambda label: [label.casefold()], lambda label: label.casefold().split(", ")):
            for index, label in enumerate(labels):
                if wanted in exact(label):
                    return index
        raise ModelError(f'{name} has no {noun} named "{target}". Its {nouns} are listed in `.labels`.')
    index = int(target)
    if not 0 <= index < len(labels):
        raise ModelError(f"There is no {noun} {target}: {name} has {nouns} 0 to {len(labels) - 1}.")
    return index


def has_classes(module: nn.Module, outputs: int) -> bool:
    """Whether a classifier stands at the end: a head, or an output of another width than the features'."""
    if is_embedding(module, outputs):
        return False
    heads, _ = after_blocks(module)
    bare = all(isinstance(head, nn.Identity) for head in heads)
    return not bare or outputs != getattr(module, "num_features", outputs)


def _without_blocks(module: nn.Module) -> nn.Module:
    double, blocks = stand_in(module), stand_in(module.blocks)
    blocks._modules = {name: _passing(block) for name, block in module.blocks.named_children()}
    double._modules["blocks"] = blocks
    return double


def _passing(block: nn.Module) -> nn.Module:
    double = copy.copy(block)
    double.forward = lambda x, *args, **kwargs: x
    return double


def _in_words(out: object) -> str:
    if isinstance(out, torch.Tensor):
        shape = list(out.shape)
        kind = "a sequence, one vector a token" if out.ndim == 3 else "an array"
        return f"{kind}, of shape {shape}"
    if isinstance(out, dict):
        return f"a dict with the keys {', '.join(map(repr, out))}"
    if isinstance(out, (tuple, list)):
        return f"a {type(out).__name__} of {len(out)} outputs"
    return f"an object of type {type(out).__name__}"
