"""Stage 5: what tells every token where it is."""

from __future__ import annotations

from html import escape

import numpy as np

from vizvit import walk
from vizvit.figures import SIGNED_CMAP, SIMILARITY_CMAP
from vizvit.model.vit import POSITION_KINDS
from vizvit.pages.shared.language import named, say
from vizvit.pages.shared.look import colour_bar
from vizvit.pages.shared.pixels import colours, png, png_url
from vizvit.pages.walkthrough.html import badge, note, strip
from vizvit.pages.walkthrough.maps import over_picture, shrunk
from vizvit.pages.walkthrough.scene import Here


def lead(here: Here) -> None:
    """The place of the query against all others."""
    found = walk.position(here.anatomy, here.place.token)
    maps = [_map(here, found.similarity, found.similarity_of)] if found.similarity is not None else []
    if found.rotation is not None and found.similarity_of != "rotation":
        maps.append(_map(here, found.rotation, "rotation"))
    here.show("place", *maps, badge(found.difference))


def draw(here: Here) -> None:
    t, token = say("walk"), here.place.token
    kind = named(POSITION_KINDS[here.vit.position_kind])
    found = walk.position(here.anatomy, token)
    limit = float(max(np.abs(part[token]).max() for part in (found.before, found.after)))
    parts = [note(t["position_kind"].format(model=escape(here.vit.name), kind=kind))]
    if found.embedding is None:
        parts.append(
            strip(found.after[token], t["position_unchanged"].format(query=here.query), name="after", tall=True)
        )
    else:
        parts += [
            strip(found.before[token], t["position_before"].format(query=here.query), name="before", limit=limit),
            strip(found.embedding[token], t["position_embedding"], name="position", limit=limit),
            strip(found.after[token], t["position_after"], name="after", limit=limit, tall=True),
            *_all_tokens(found),
        ]
    here.show("position", *parts)


def _map(here: Here, values: np.ndarray, what: str) -> str:
    """The place of the query against all others; what: "embedding", "rotation" or "bias"."""
    t, signed = say("walk"), what == "bias"
    peak = float(np.abs(values).max())
    low, high = (-peak, peak) if signed else (float(values.min()), float(values.max()))
    colormap = SIGNED_CMAP if signed else SIMILARITY_CMAP
    drawn = over_picture(
        here.photo,
        values,
        t["position_similarity"].format(query=here.query),
        name=f"similarity-{what}",
        query=here.patch,
        colormap=colormap,
        low=low,
        high=high,
        opacity=0.85,
    )
    return drawn + colour_bar(low, high, t[f"position_of_{what}"], colormap)


def _all_tokens(found) -> list[str]:
    """All tokens as rows of colours, before and after."""
    t = say("walk")
    limit = float(np.percentile(np.abs(found.after), 99.5))
    parts = []
    for key, values in (("position_all_before", found.before), ("position_all_after", found.after)):
        rgb = colours(values, SIGNED_CMAP, -limit, limit)
        parts.append(
            f'<figure class="vw-strip"><figcaption><span>{t[key]}</span></figcaption>'
            f'<img class="vw-matrix" data-draw="{key}" src="{png_url(png(shrunk(rgb)))}" alt="{t[key]}"></figure>'
        )
    return parts
