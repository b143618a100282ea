"""The time that a run has used, without the time in which the whole process stood still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TICK = 0.25  # seconds
STANDSTILL = 5.0  # a gap between two ticks that only a stopped process or a sleeping machine has


class Clock:
    """Seconds since `start`, pauses (SIGSTOP, a suspended machine) left out. Used as a context."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._last, self._sum = now(), 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="training clock", daemon=True)

    def seconds(self) -> float:
        with self._lock:
            now = self._now()
            gap, self._last = now - self._last, now
            self._sum += gap if gap < STANDSTILL else TICK
            return self._sum

    def __enter__(self) -> Clock:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(TICK):
            self.seconds()
