"""What a study measures."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Settings:
    """methods: names of `vizvit.METHODS`, whose maps are made for the predicted class of each picture, or
    the first value of a model of values.

    faithfulness: deletion and insertion areas of each map, which takes most of the time; `steps` and `fill` as in
    `vizvit.faithfulness`. Without it, methods only play the pointing game, where there are boxes.
    """

    methods: tuple[str, ...] = ()
    faithfulness: bool = False
    steps: int | None = None
    fill: str = "blur"

    def effective(self) -> Settings:
        """The same without what changes nothing: `steps` and `fill` where no curve is made."""
        return self if self.faithfulness else replace(self, steps=None, fill=Settings.fill)
