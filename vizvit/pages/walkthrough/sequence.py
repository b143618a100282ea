"""The sequence of tokens: what stands before the patches, and the patches in their order."""

from __future__ import annotations

from vizvit.pages.walkthrough.scene import Here

_SEQUENCE = 96  # as many patches are drawn


def sequence(here: Here, prefix: tuple[str, ...] = ()) -> str:
    """The first patches one after another, as the model reads them; `prefix`: names of what stands before them."""
    rows, cols = here.grid.rows, here.grid.cols
    chosen = here.place.patch[0] * cols + here.place.patch[1]
    cells = [f"<b>{name}</b>" for name in prefix]
    for index in range(min(rows * cols, _SEQUENCE)):
        row, col = divmod(index, cols)
        x, y = (100 * at / max(count - 1, 1) for at, count in ((col, cols), (row, rows)))
        cells.append(
            f'<i class="{"chosen" if index == chosen else ""}" style="background-position:{x:.2f}% {y:.2f}%" '
            f'title="{index + 1}"></i>'
        )
    more = f"<span>… {rows * cols}</span>" if rows * cols > _SEQUENCE else ""
    style = f"--photo:url({here.photo});--cols:{cols};--rows:{rows}"
    return f'<div class="vw-sequence" data-draw="sequence" style="{style}">{"".join(cells)}{more}</div>'
