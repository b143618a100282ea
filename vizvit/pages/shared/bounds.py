"""How much the app computes for one picture: plenty on one's own machine, what a class can share on a server."""

from __future__ import annotations

from vizvit.errors import ModelError
from vizvit.model.work import Budget, Work
from vizvit.numbers import fixed, thousands
from vizvit.pages.shared.language import say
from vizvit.pages.shared.paths import at_the_machine
from vizvit.pages.shared.store import MEGABYTE, setting, store

# Billions of multiply-adds of one forward pass: all of the catalogue is well below the second.
OWN, CLASS = 4000, 100


def check(work: Work) -> None:
    """ModelError, in the person's language, for a model that is too large or an input that is too much work.

    Known before anything is loaded: weights that the models' cache would not keep, and captures that theirs would not,
    would be made anew for each change of a page.
    """
    t, allowed, most = say("bounds"), budget(), store().models.limit
    if not allowed.allows(work):
        side, (height, width) = allowed.largest_side(work), work.input_size
        if not side:
            raise ModelError(t["model"].format(model=work.name))
        tokens = thousands(work.tokens)
        raise ModelError(t["input"].format(model=work.name, height=height, width=width, tokens=tokens, side=side))
    if work.weights > most:
        size, limit = (thousands(count // MEGABYTE) for count in (work.weights, most))
        parameters = fixed(work.parameters / 1e6, 1)
        raise ModelError(t["weights"].format(model=work.name, parameters=parameters, size=size, limit=limit))


def budget() -> Budget:
    """`VIZVIT_GMACS` is how many billions of multiply-adds; what a picture takes has room in the captures' cache."""
    billions = setting("VIZVIT_GMACS", OWN if at_the_machine() else CLASS)
    return Budget(billions * 10**9, store().captures.limit)
