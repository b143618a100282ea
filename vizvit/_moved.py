"""Modules by the paths that they had in version 0.1.0, which notebooks and code that was handed out import."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {  # old path: where it is now, both within the package
    "anatomy": "forward.anatomy",
    "canvas": "figures.page",
    "capture": "forward.capture",
    "catalog": "model.catalog",
    "charts": "figures.charts",
    "explain": "explanations",
    "explain.attention": "explanations.attention",
    "explain.controls": "explanations.controls",
    "explain.explain": "explanations.explain",
    "explain.libraries": "explanations.libraries",
    "explain.methods": "explanations.methods",
    "explain.task": "explanations.task",
    "faithful.fills": "faithful.stream",
    "faithful.order": "faithful.stream",
    "handout": "figures.handout",
    "hub": "model.hub",
    "image": "pictures.load",
    "interventions.unseen": "interventions.attention",
    "lessons": "walk.lessons",
    "loading": "model.loading",
    "parts": "model.parts",
    "perturb": "pictures.perturb",
    "raster": "figures.raster",
    "recorder": "forward.recorder",
    "scale": "figures.scale",
    "sheet": "figures.sheet",
    "snapshots": "model.snapshots",
    "study.batch": "forward.batch",
    "study.columns": "pictures.parquet",
    "study.folder": "pictures.folder",
    "study.pictures": "pictures.collection",
    "tokens": "model.tokens",
    "trace": "forward.anatomy",
    "twin": "model.twin",
    "walk.absent": "walk.formulas",
    "walk.depth": "walk.streams",
    "walk.embedding": "walk.pixels",
    "walk.head": "walk.logits",
    "walk.mlp": "walk.feed_forward",
    "watch": "forward.watch",
}
# Paths that are the names of functions, too: `vizvit.explain(…)` works whether `vizvit.explain` was imported or not.
CALLED = {"capture", "explain", "walk.depth", "walk.embedding", "walk.head", "walk.mlp"}


class Called(ModuleType):
    """A module that is called as its function of the same name."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **options)


class Finder(MetaPathFinder, Loader):
    """Finds a module by its old path: the same module, so that what either path changes both see.

    One that is called as well is another object with the same contents.
    """

    def __init__(self, package: str) -> None:
        self._start = f"{package}."

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        old = name.removeprefix(self._start)
        return ModuleSpec(name, self, is_package=old == "explain") if name != old and old in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return Called(spec.name) if spec.name.removeprefix(self._start) in CALLED else None

    def exec_module(self, module: ModuleType) -> None:
        now = import_module(self._start + MOVED[module.__name__.removeprefix(self._start)])
        if isinstance(module, Called):
            vars(module).update({name: value for name, value in vars(now).items() if not name.startswith("__")})
        else:
            sys.modules[module.__name__] = now
