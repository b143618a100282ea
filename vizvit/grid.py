"""Which token is which patch, and which pixels a patch covers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PatchGrid:
    """The patch grid of one model at one input size.

    Tokens are numbered as in the model's sequence: the prefix tokens (class, distillation, registers) first, then the
    patches in row-major order.

    rows, cols: patches down and across.
    patch_size: height and width of a (square) patch in pixels of the model's input.
    prefix_names: one name for each prefix token, for instance ``("class", "register 1")``.
    order: where patches are left out of the sequence or stand in another order (`vizvit.intervene`): for each patch
    token in turn the patch that it holds, numbered row by row; None where all are there, in that order.
    """

    rows: int
    cols: int
    patch_size: int
    prefix_names: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        prefix = f", {', '.join(self.prefix_names)}" if self.prefix_names else ""
        kept = "" if self.order is None else f", {len(self.order)} of them in the sequence"
        return f"PatchGrid({self.rows}x{self.cols} patches of {self.patch_size} pixels{kept}{prefix})"

    @property
    def num_prefix_tokens(self) -> int:
        return len(self.prefix_names)

    @property
    def num_patches(self) -> int:
        """Patches in the sequence."""
        return self.rows * self.cols if self.order is None else len(self.order)

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """(row, col) of each patch token in turn."""
        order = range(self.rows * self.cols) if self.order is None else self.order
        return tuple(divmod(number, self.cols) for number in order)

    @property
    def missing(self) -> frozenset[tuple[int, int]]:
        """(row, col) of the patches that are left out of the sequence."""
        every = ((row, col) for row in range(self.rows) for col in range(self.cols))
        return frozenset() if self.order is None else frozenset(every).difference(self.places)

    @property
    def num_tokens(self) -> int:
        return self.num_prefix_tokens + self.num_patches

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels of the model's input."""
        return self.rows * self.patch_size, self.cols * self.patch_size

    def token(self, row: int, col: int) -> int:
        """The sequence index of the patch at (row, col), both counted from 0."""
        if not (0 <= row < self.rows and 0 <= col < self.cols):
            raise IndexError(self._outside(row, col))
        number = row * self.cols + col
        if self.order is None:
            return self.num_prefix_tokens + number
        if number not in self.order:
            raise IndexError(f"The patch at row {row}, column {col} is left out of the sequence.")
        return self.num_prefix_tokens + self.order.index(number)

    def patch(self, token: int) -> tuple[int, int]:
        """(row, col) of a patch token; IndexError for a prefix token or one past the end."""
        if not self.num_prefix_tokens <= token < self.num_tokens:
            raise IndexError(
                f"Token {token} is not a patch: patches are tokens {self.num_prefix_tokens} to {self.num_tokens - 1}."
            )
        place = token - self.num_prefix_tokens
        return divmod(place if self.order is None else self.order[place], self.cols)

    def box(self, row: int, col: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of a patch in pixels of the model's input, right and bottom exclusive."""
        if not (0 <= row < self.rows and 0 <= col < self.cols):
            raise IndexError(self._outside(row, col))
        size = self.patch_size
        return col * size, row * size, (col + 1) * size, (row + 1) * size

    def name(self, token: int) -> str:
        """What to call a token: its prefix name, or "row r, column c"."""
        if 0 <= token < self.num_prefix_tokens:
            return self.prefix_names[token]
        row, col = self.patch(token)
        return f"row {row}, column {col}"

    def _outside(self, row: int, col: int) -> str:
        return (
            f"There is no patch at row {row}, column {col}: the grid has rows 0 to {self.rows - 1} "
            f"and columns 0 to {self.cols - 1}."
        )
