"""A measurement of faithfulness: the curves of the maps on the screen, of the middle first, and of random orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vizvit.explanations import explain
from vizvit.faithful import without_order
from vizvit.faithful.stream import patch_counts
from vizvit.forward.capture import Capture
from vizvit.pages.explanations import areas, charts
from vizvit.pages.explanations.following import chance_of, classes_of, curves_of, followed
from vizvit.pages.explanations.growing import Growing, growing
from vizvit.pages.explanations.panels import Panel, title_of
from vizvit.pages.explanations.settings import Wanted
from vizvit.pages.sidebar.choice import Choice

SEEDS = 8
SIDES = ("deletion", "insertion")


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is to be measured: the curves of each map, of the middle first, and of random orders, one a seed."""

    choice: Choice
    cap: Capture
    wanted: Wanted
    heats: dict[Panel, np.ndarray]
    fill: str
    steps: int
    maps: dict[Panel, Growing]
    centre: Growing
    randoms: list[Growing]

    @property
    def every(self) -> list[Growing]:
        return [*self.maps.values(), self.centre, *self.randoms]

    @property
    def passes(self) -> tuple[int, int]:
        """Done, and in all."""
        return 2 * sum(curves.done for curves in self.every), 2 * self.steps * len(self.every)

    @property
    def complete(self) -> bool:
        done, total = self.passes
        return done == total

    @property
    def fractions(self) -> np.ndarray:
        counts = patch_counts(self.centre.order.size, self.steps)
        return (counts / counts[-1]).astype(np.float32)

    def follow(self, curves: Growing, target: int | None) -> np.ndarray:
        """[side, S+1]"""
        return followed(curves.values, self.wanted, target)

    def names(self) -> Iterable[tuple[Panel, str, str]]:
        """Each map with its title and its colour."""
        for index, panel in enumerate(self.maps):
            of_method = self.wanted.view == "methods"
            colour = charts.colour_of(panel.method) if of_method else charts.colour_at(index)
            yield panel, title_of(self.choice.vit, panel, self.wanted), colour

    def rows(self) -> list[areas.Row]:
        """Once all is measured."""
        rows = []
        for panel, title, colour in self.names():
            target = self.wanted.target if panel.target is None else panel.target
            sides = [self.follow(curves, target) for curves in (self.maps[panel], self.centre, *self.randoms)]
            of = self.fractions, target, self.fill, self.choice.vit.outputs
            own, centre = (curves_of(side, *of) for side in sides[:2])
            rows.append(areas.Row(title, colour, own, chance_of(sides[2:], *of), centre))
        return rows

    def ties(self) -> dict[Panel, int]:
        """How many patches of each map have a value that another one has, too; maps without any are left out."""
        counts = {panel: without_order(heat) for panel, heat in self.heats.items()}
        return {panel: count for panel, count in counts.items() if count}

    def arrays(self, rows: list[areas.Row]) -> dict[str, np.ndarray]:
        """Curves and areas by map; of random orders a row a seed. Where each map follows its own class, so do they."""
        arrays = {"fractions": self.fractions, "target": np.array(self.wanted.target)}
        for panel, row in zip(self.maps, rows, strict=True):
            of = f"{panel.name}_" if self.wanted.view == "classes" else ""
            for name, curves in ((panel.name, row.curves), (f"{of}centre", row.centre), (f"{of}random", row.chance)):
                for side in SIDES:
                    arrays[f"{name}_{side}"] = getattr(curves, side)
                    arrays[f"{name}_{side}_area"] = np.array(getattr(curves, f"{side}_area"))
        return arrays


def begin(
    choice: Choice, cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray], fill: str, steps: int
) -> Measurement:
    """With what there is of it: each map's curves are kept by themselves, for all sessions."""
    vit, classes = choice.vit, classes_of(wanted)

    def of(name, heat: np.ndarray) -> Growing:
        key = (*choice.key, ("curve", name, classes, fill, steps))
        return growing(key, vit, heat, classes, steps)

    maps = {panel: of((panel.method, panel.target, panel.other), heat) for panel, heat in heats.items()}
    centre = of("centre", explain(vit, cap.view, "centre", capture=cap))
    shape = vit.grid.rows, vit.grid.cols
    randoms = [of(("random", seed), np.random.default_rng(seed).random(shape)) for seed in range(SEEDS)]
    return Measurement(choice, cap, wanted, heats, fill, steps, maps, centre, randoms)
