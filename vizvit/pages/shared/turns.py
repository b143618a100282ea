"""Whose turn it is at the processor: one at a time, light looks before heavy work, each in the order of arrival.

On two cores two forward passes at once take twice as long each, and both people wait. A look takes one pass; heavy work
takes many, and lets looks go first even in the middle of one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """The queues of one processor."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._light: deque[Turn] = deque()
        self._heavy: deque[Turn] = deque()
        self._held = False

    @contextmanager
    def turn(self, wait: Callable[[], object], *, heavy: bool = False) -> Iterator[Turn]:
        """A turn. wait is called now and then while it is others'; it may raise to leave the queue."""
        mine = Turn(self, wait, heavy)
        mine.take()
        try:
            yield mine
        finally:
            mine.give()

    @property
    def waiting(self) -> tuple[int, int]:
        """How many are in the queue, light and heavy."""
        with self._changed:
            return len(self._light), len(self._heavy)


class Turn:
    """One's place, for as long as the `with` of `Turns.turn` lasts."""

    def __init__(self, turns: Turns, wait: Callable[[], object], heavy: bool):
        self._turns = turns
        self._wait = wait
        self._queue = turns._heavy if heavy else turns._light
        self._heavy = heavy
        self._mine = False

    def hand_on(self) -> None:
        """Between two passes: whoever waits goes first, and then it is one's turn again."""
        self.give()
        self.take()

    def step_aside(self) -> None:
        """Within a pass of heavy work: looks that wait go first. Other heavy work waits for the end of the pass."""
        if self._heavy and self._turns._light:
            self.give()
            self.take(first=True)

    def take(self, *, first: bool = False) -> None:
        turns = self._turns
        with turns._changed:
            (self._queue.appendleft if first else self._queue.append)(self)
        try:
            while not self._taken():
                self._wait()
        except BaseException:
            with turns._changed:
                self._queue.remove(self)
                turns._changed.notify_all()
            raise

    def _taken(self) -> bool:
        """Take it once it is free and nobody is before this one; False after a moment without."""
        turns = self._turns
        with turns._changed:
            if not turns._changed.wait_for(self._is_next, timeout=0.1):
                return False
            self._queue.popleft()
            turns._held = self._mine = True
            return True

    def _is_next(self) -> bool:
        turns = self._turns
        return not turns._held and (turns._light or turns._heavy)[0] is self

    def give(self) -> None:
        turns = self._turns
        with turns._changed:
            if self._mine:
                turns._held = self._mine = False
                turns._changed.notify_all()
