"""What a stage says where an architecture has no such step."""

from __future__ import annotations


class Absent(ValueError):
    """A stage that a model does not have.

    key: the name of a text with one sentence why; numbers: what its placeholders stand for.
    """

    def __init__(self, key: str, **numbers: int | str):
        super().__init__(key)
        self.key = key
        self.numbers = numbers
