"""Areas under the curves, the map with the greatest insertion minus deletion first."""

from __future__ import annotations

import html
from dataclasses import dataclass

from vizvit.faithful import Curves, RandomCurves
from vizvit.pages.explanation.charts import GREY
from vizvit.pages.language import say

STYLE = """
<style>
  .vz-areas { border-collapse: collapse; width: 100%; max-width: 52rem; font-size: 1rem;
               font-variant-numeric: tabular-nums; }
  .vz-areas :is(th, td) { padding: .28rem .4rem; text-align: right; border: 0; white-space: nowrap;
                          border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
  .vz-areas :is(th, td):first-child { text-align: left; white-space: normal; padding-left: 0; }
  .vz-areas th { font-weight: 400; font-size: .82rem; opacity: .8; vertical-align: bottom; white-space: normal; }
  .vz-areas i { display: inline-block; width: 1.5rem; border-top: .2rem solid; margin-right: .7rem;
                vertical-align: middle; }
  .vz-areas small { opacity: .7; font-size: .8rem; }
  @media (max-width: 640px) {
    .vz-areas { font-size: .9rem; } .vz-areas small { display: block; font-size: .75rem; }
    .vz-areas i { width: 1rem; margin-right: .4rem; }
    .vz-areas :is(th, td):not(:first-child) { padding-left: .1rem; }
  }
</style>
"""


@dataclass(frozen=True, eq=False)
class Measured:
    """Curves by the maps' names, and those of random orders."""

    curves: dict[str, Curves]
    chance: RandomCurves

    @property
    def nbytes(self) -> int:
        return 2 * (self.chance.deletion.nbytes + sum(curves.deletion.nbytes for curves in self.curves.values()))


def table(names: dict[str, tuple[str, str]], measured: Measured, dashed: str) -> str:
    """HTML. names: (title, colour) by a map's name; dashed: the map whose curve is."""
    t, chance = say("explanations"), measured.chance
    apart = chance.insertion_areas - chance.deletion_areas
    rows = []
    for name, curves in measured.curves.items():
        title, colour = names[name]
        style = "dashed" if name == dashed else "solid"
        values = [f"{value:.3f}" for value in (curves.deletion_area, curves.insertion_area)]
        rows.append((curves.insertion_area - curves.deletion_area, title, colour, values, "", style))
    spread = [f" <small>± {value:.3f}</small>" for value in (chance.deletion_area_spread, chance.insertion_area_spread)]
    values = [f"{chance.deletion_area:.3f}{spread[0]}", f"{chance.insertion_area:.3f}{spread[1]}"]
    own = f" <small>± {apart.std(ddof=1):.3f}</small>"
    rows.append((float(apart.mean()), t["random"], GREY, values, own, "solid"))
    body = "".join(
        f"<tr><td><i style='border-color: {colour}; border-top-style: {style}'></i>{html.escape(title)}</td>"
        f"<td>{first}</td><td>{second}</td><td>{_signed(value)}{more}</td></tr>"
        for value, title, colour, (first, second), more, style in sorted(rows, key=lambda row: -row[0])
    )
    head = "".join(f"<th>{t[key]}</th>" for key in ("table_map", "table_deletion", "table_insertion", "table_apart"))
    return f"<table class='vz-areas'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")
