"""Stage 2: the chosen patch as a list of numbers."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.figures import SIGNED_CMAP
from vizvit.numbers import fixed, number
from vizvit.pages.shared.language import say
from vizvit.pages.shared.pixels import colours
from vizvit.pages.walkthrough.html import badge, first_numbers, note, side_by_side, strip, title
from vizvit.pages.walkthrough.maps import tile
from vizvit.pages.walkthrough.scene import Here

_WRITTEN = 8  # a patch of up to so many pixels a side has its numbers written


def draw(here: Here) -> None:
    t, place = say("walk"), here.place
    flat = walk.flatten(here.anatomy, *place.patch)
    limit, last = float(np.abs(flat.values).max()), flat.order.endswith("channel")
    names = [t["red"], t["green"], t["blue"]] if len(flat.channels) == 3 else [t["grey"]]
    large = tile(flat.pixels, t["flatten_patch"].format(row=place.patch[0], col=place.patch[1]), name="patch")
    channels = [_channel(values, name, limit) for values, name in zip(flat.channels, names, strict=True)]
    parts = np.split(flat.values, len(names))
    size, mean, std = here.grid.patch_size, here.vit.mean, here.vit.std
    constants = " · ".join(
        t["flatten_constants"].format(channel=name, mean=number(m), std=number(s))
        for name, m, s in zip(names, mean, std, strict=True)
    )
    here.show(
        "flatten",
        badge(flat.difference),
        side_by_side(large, *channels, least="120px"),
        note(constants),
        title(t["flatten_list"].format(**here.numbers())),
        *(
            strip(part, f"{name} · {1 + i * size**2} – {(i + 1) * size**2}", name=f"channel-{i}", limit=limit)
            for i, (part, name) in enumerate(zip(parts, names, strict=True))
            if not last
        ),
        note(t["flatten_last"]) if last else "",
        strip(flat.values, t["flatten_vector"], name="flat", limit=limit, tall=True),
        first_numbers(flat.values, 12),
    )


def _channel(values: np.ndarray, name: str, limit: float) -> str:
    """One normalised channel [P, P], with its numbers written where there is room."""
    rgb = colours(values, SIGNED_CMAP, -limit, limit)
    if len(values) > _WRITTEN:
        return tile(rgb, name)
    cells = "".join(
        f'<i class="{"strong" if abs(value) > 0.6 * limit else ""}" '
        f'style="background:rgb({r} {g} {b})">{fixed(value, 1)}</i>'
        for value, (r, g, b) in zip(values.ravel(), rgb.reshape(-1, 3), strict=True)
    )
    return (
        f'<figure class="vw-map"><figcaption>{name}</figcaption>'
        f'<div class="vw-written" style="--side:{len(values)}">{cells}</div></figure>'
    )
