"""The sequence of tokens: what stands before the patches, and the patches in their order."""

from __future__ import annotations

from vizvit.pages.walkthrough.scene import Here

_SEQUENCE = 96  # as many patches are drawn


def sequence(here: Here, prefix: tuple[str, ...] = ()) -> str:
    """The patches one after another, as the model reads them; of many the first and those around the followed one.

    prefix: names of what stands before them.
    """
    rows, cols = here.grid.rows, here.grid.cols
    chosen = here.place.patch[0] * cols + here.place.patch[1]
    cells = [f"<b>{name}</b>" for name in prefix]
    total, half = rows * cols, _SEQUENCE // 2
    near = range(max(0, min(chosen - half // 2, total - half)), min(total, max(chosen - half // 2, 0) + half))
    shown = range(total) if total <= _SEQUENCE else sorted({*range(half), *near})
    last = -1
    for index in shown:
        if index != last + 1:
            cells.append("<span>…</span>")
        last = index
        row, col = divmod(index, cols)
        x, y = (100 * at / max(count - 1, 1) for at, count in ((col, cols), (row, rows)))
        cells.append(
            f'<i class="{"chosen" if index == chosen else ""}" style="background-position:{x:.2f}% {y:.2f}%" '
            f'title="{index + 1}"></i>'
        )
    more = f"<span>… {total}</span>" if last < total - 1 else ""
    style = f"--photo:url({here.photo});--cols:{cols};--rows:{rows}"
    return f'<div class="vw-sequence" data-draw="sequence" style="{style}">{"".join(cells)}{more}</div>'
