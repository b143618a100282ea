"""Stage 3: the patch's vector, the filters that make it, and the same result by convolution and by matrix product."""

from __future__ import annotations

from html import escape

import numpy as np

from vizvit import walk
from vizvit.analysis import embedding_filters
from vizvit.errors import ModelError
from vizvit.figures import SIGNED_CMAP
from vizvit.numbers import number
from vizvit.pages.shared.language import say
from vizvit.pages.shared.look import failure
from vizvit.pages.shared.pixels import colours, png, png_url
from vizvit.pages.walkthrough.html import badge, facts, first_numbers, note, strip, title
from vizvit.pages.walkthrough.maps import gallery, shrunk, tile
from vizvit.pages.walkthrough.scene import Here


def lead(here: Here) -> None:
    t, (row, col) = say("walk"), here.place.patch
    made, flat = walk.embedding(here.anatomy, row, col), walk.flatten(here.anatomy, row, col)
    here.show(
        "product",
        title(t["embedding_product"], t["embedding_product_note"].format(**here.numbers())),
        '<div class="vw-product" data-draw="product">'
        f"{_image(flat.values[:, None], 'x')}<b>·</b>{_image(made.matrix, 'E')}"
        f"<span></span><b>=</b>{_image(made.vector[None], 'x·E + b')}</div>",
        badge(made.difference),
    )


def draw(here: Here) -> None:
    t, (row, col) = say("walk"), here.place.patch
    made = walk.embedding(here.anatomy, row, col)
    limit = float(max(np.abs(made.vector).max(), np.abs(made.by_matrix).max()))
    here.show(
        "embedding",
        strip(made.vector, t["embedding_model"].format(row=row, col=col), name="embedding", limit=limit, tall=True),
        first_numbers(made.vector),
        strip(made.by_matrix, t["embedding_matrix"], name="matrix", limit=limit),
        strip(made.by_convolution, t["embedding_convolution"], name="convolution", limit=limit),
        facts((t["embedding_apart"], number(made.apart))),
    )
    try:
        filters = here.choice.result("filters", lambda: embedding_filters(here.vit, None))
    except ModelError as error:
        here.show("filters", note(failure("filters", error, escape)))
        return
    tiles = [tile(each, "", name="filter") for each in (255 * filters).astype(np.uint8)]
    here.show(
        "filters",
        title(t["embedding_filters"].format(count=len(filters)), t["embedding_filters_note"]),
        gallery(tiles, "64px"),
    )


def _image(values: np.ndarray, name: str) -> str:
    """Numbers [m, n] as colours around white; a few are far off, and without them at full colour the rest would be
    pale."""
    limit = float(np.percentile(np.abs(values), 99)) or 1.0
    rgb = colours(values, SIGNED_CMAP, -limit, limit)
    return f'<img src="{png_url(png(shrunk(rgb)))}" alt="{name}">'
