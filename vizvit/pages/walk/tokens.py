"""Stages 4 and 5: the tokens before the patches, and what tells every token where it is."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.figures import SIGNED_CMAP, SIMILARITY_CMAP
from vizvit.model import POSITION_KINDS
from vizvit.pages.language import named, say
from vizvit.pages.walk.here import Here
from vizvit.pages.walk.maps import over_picture
from vizvit.pages.walk.strips import (
    badge,
    colour_bar,
    colours,
    data_url,
    facts,
    first_numbers,
    note,
    show,
    side_by_side,
    strip,
)


def prefix(here: Here) -> None:
    t, n = say("walk"), here.numbers()
    found = walk.prefix(here.anatomy)
    names = [named(name) for name in found.names]
    limit = float(np.abs(found.vectors).max())
    show(
        badge(found.difference),
        facts((t["tokens_length"], f"{n['prefix']} + {n['patches']} = {n['tokens']}")),
        _line(here),
        *(
            strip(vector, t["tokens_vector"].format(name=name), name=f"prefix-{index}", limit=limit, tall=index == 0)
            + (first_numbers(vector) if index == 0 else "")
            for index, (name, vector) in enumerate(zip(names, found.vectors, strict=True))
        ),
        note(t["tokens_note"]),
    )


def position(here: Here) -> None:
    t, place = say("walk"), here.place
    kind = named(POSITION_KINDS[here.vit.position_kind])
    show(note(t["position_kind"].format(model=here.vit.name, kind=kind)))
    found = walk.position(here.anatomy, place.token)
    limit = float(max(np.abs(part[place.token]).max() for part in (found.before, found.after)))
    show(badge(found.difference))
    if found.embedding is not None:
        show(
            strip(found.before[place.token], t["position_before"].format(query=here.query), name="before", limit=limit),
            strip(found.embedding[place.token], t["position_embedding"], name="position", limit=limit),
            strip(found.after[place.token], t["position_after"], name="after", limit=limit, tall=True),
        )
    similarity = found.similarity
    if similarity is not None:
        signed = found.similarity_of == "bias"
        peak = float(np.abs(similarity).max())
        low, high = (-peak, peak) if signed else (float(similarity.min()), float(similarity.max()))
        colormap = SIGNED_CMAP if signed else SIMILARITY_CMAP
        label = t["position_similarity"].format(query=here.query)
        options = {"colormap": colormap, "low": low, "high": high, "opacity": 0.85, "name": "similarity"}
        left = over_picture(here.photo, similarity, label, query=here.patch, **options)
        show(
            side_by_side(
                left + colour_bar(low, high, t[f"position_of_{found.similarity_of}"], colormap),
                _some_tokens(here, found),
                least="300px",
            )
        )


def _line(here: Here) -> str:
    """The sequence: prefix tokens by name, then the patches in their order."""
    names = "".join(f"<b>{named(name)}</b>" for name in here.grid.prefix_names)
    return f'<div class="vw-tokens" data-draw="tokens">{names}<span>1 … {here.grid.num_patches}</span></div>'


def _some_tokens(here: Here, found) -> str:
    """All tokens as rows of colours, before and after."""
    t = say("walk")
    limit = float(np.percentile(np.abs(found.after), 99.5))
    parts = []
    for key, values in (("position_all_before", found.before), ("position_all_after", found.after)):
        rgb = colours(values, SIGNED_CMAP, -limit, limit)
        parts.append(
            f'<figure class="vw-strip"><figcaption><span>{t[key]}</span></figcaption>'
            f'<img class="vw-matrix" data-draw="{key}" src="{data_url(rgb)}" alt="{t[key]}"></figure>'
        )
    return "".join(parts)
