"""A lesson in a link: it comes back as it was written, within bounds, and nothing but stages and a line for each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vizvit.walk.stages import STAGES
from vizvit.walk.tour import LONGEST, SENTENCE, Tour

STOPS = st.integers(1, len(STAGES))


@given(st.dictionaries(STOPS, st.text(max_size=2 * SENTENCE), min_size=1))
def test_it_comes_back_as_it_was_written(notes):
    tour = Tour.of(notes)
    assert tour.stages == tuple(sorted(notes))
    assert all(len(note) <= SENTENCE and "\n" not in note for _, note in tour.notes)
    if tour.length <= LONGEST:
        assert Tour.read(tour.written()) == tour


@given(st.text())
def test_of_any_text_only_stages_are_taken(text):
    tour = Tour.read(text)
    names = {line.strip().partition(" ")[0] for line in text.split("\n")} & {stage.name for stage in STAGES}
    assert {STAGES[stage - 1].name for stage in tour.stages} == names if tour else not names


def test_a_link_is_read_in_the_order_of_the_walk():
    tour = Tour.read("sum  What comes \u202eof it?\nnothing here\npatches\nsum again")
    assert tour == Tour(((1, ""), (9, "What comes of it?")))
    assert [tour.nearest(stage) for stage in (1, 2, 9, 13)] == [1, 9, 9, 9]
