"""Whose turn it is: light looks before heavy work, each in the order of arrival, and nobody forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from vizvit.pages.shared.turns import Turns

PATIENCE = 60  # seconds that nothing takes


class Crowd:
    """People who come one after another: each has had its turn, or stands in the queue, before the next comes."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.had: list[str] = []
        self._threads: list[threading.Thread] = []

    def comes(self, name: str, *, heavy: bool = False, work: Callable[..., None] = lambda turn: None) -> None:
        arrived = threading.Event()

        def person() -> None:
            with self.turns.turn(arrived.set, heavy=heavy) as turn:
                self.had.append(name)
                arrived.set()
                work(turn)

        self._threads.append(threading.Thread(target=person))
        self._threads[-1].start()
        assert arrived.wait(PATIENCE)

    def goes_home(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_looks_go_before_heavy_work_each_in_the_order_of_arrival():
    crowd, over = Crowd(), threading.Event()
    crowd.comes("first", work=lambda turn: over.wait(PATIENCE))
    for name in ("measure a", "look a", "measure b", "look b"):
        crowd.comes(name, heavy=name.startswith("measure"))
    assert crowd.turns.waiting == (2, 2)
    over.set()
    crowd.goes_home()
    assert crowd.had == ["first", "look a", "look b", "measure a", "measure b"]


def test_heavy_work_steps_aside_between_two_blocks():
    crowd, look_waits = Crowd(), threading.Event()

    def blocks(turn) -> None:
        turn.step_aside()
        crowd.had.append("block 1")  # nobody waits: it goes on
        assert look_waits.wait(PATIENCE)
        turn.step_aside()
        crowd.had.append("block 2")

    crowd.comes("measure", heavy=True, work=blocks)
    crowd.comes("another measure", heavy=True)
    crowd.comes("look")
    look_waits.set()
    crowd.goes_home()
    assert crowd.had == ["measure", "block 1", "look", "block 2", "another measure"]


def test_looks_do_not_step_aside():
    crowd, other_waits = Crowd(), threading.Event()

    def blocks(turn) -> None:
        assert other_waits.wait(PATIENCE)
        turn.step_aside()
        crowd.had.append("done")

    crowd.comes("look", work=blocks)
    crowd.comes("another look")
    other_waits.set()
    crowd.goes_home()
    assert crowd.had == ["look", "done", "another look"]


def test_heavy_works_take_turns_pass_by_pass():
    crowd, both = Crowd(), threading.Event()

    def passes(name: str) -> Callable[..., None]:
        def work(turn) -> None:
            assert both.wait(PATIENCE)
            for number in (2, 3):
                turn.hand_on()
                crowd.had.append(f"{name} {number}")

        return work

    crowd.comes("a 1", heavy=True, work=passes("a"))
    crowd.comes("b 1", heavy=True, work=passes("b"))
    both.set()
    crowd.goes_home()
    assert crowd.had == ["a 1", "b 1", "a 2", "b 2", "a 3", "b 3"]


class MovedOn(BaseException):
    pass


def leave() -> None:
    raise MovedOn


def test_who_leaves_the_queue_holds_nobody_up():
    crowd, over = Crowd(), threading.Event()
    crowd.comes("first", work=lambda turn: over.wait(PATIENCE))
    with pytest.raises(MovedOn), crowd.turns.turn(leave):
        pytest.fail("it was another's turn")
    crowd.comes("second")
    assert crowd.turns.waiting == (1, 0)
    over.set()
    crowd.goes_home()
    assert crowd.had == ["first", "second"]


def test_who_leaves_while_it_stands_aside_holds_nobody_up():
    crowd, begun, look_waits, over = Crowd(), threading.Event(), threading.Event(), threading.Event()
    wishes: list[Callable[[], None]] = [lambda: None]
    ended: list[str] = []

    def heavy() -> None:
        try:
            with crowd.turns.turn(lambda: wishes[-1](), heavy=True) as turn:
                begun.set()
                assert look_waits.wait(PATIENCE)
                wishes.append(leave)
                turn.step_aside()
                pytest.fail("nobody waits for it")
        except MovedOn:
            ended.append("heavy")
            over.set()

    thread = threading.Thread(target=heavy)
    thread.start()
    assert begun.wait(PATIENCE)
    crowd.comes("look", work=lambda turn: over.wait(PATIENCE))
    look_waits.set()
    thread.join(PATIENCE)
    crowd.goes_home()
    assert ended == ["heavy"] and crowd.turns.waiting == (0, 0)
    with crowd.turns.turn(leave):
        pass  # it is free


def test_an_error_in_a_turn_gives_it_back():
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(leave):
        1 / 0  # noqa: B018
    with turns.turn(leave):
        pass
