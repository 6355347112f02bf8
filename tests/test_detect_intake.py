"""What comes in when a tick has more posts than room: what surprises, by turns, then some of the rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.detect.intake import admit
from groundswell.detect.rates import Emissions

Use = tuple[int, int, float]
"""Row, term, nats."""


def emissions(uses: list[Use]) -> Emissions:
    rows, terms, nats = zip(*sorted(uses), strict=True) if uses else ((), (), ())
    usual = np.zeros(len(rows), np.float32)
    return Emissions(np.array(rows, np.int64), np.array(terms, np.uint64), np.array(nats, np.float32), usual)


def posted(rows: int) -> npt.NDArray[np.bool_]:
    return np.ones(rows, bool)


def test_everything_comes_in_while_there_is_room() -> None:
    assert admit(posted(5), 5, emissions([(1, 7, 9.0)])).all()


def test_a_surprising_post_goes_before_all_others() -> None:
    mask = admit(posted(100), 3, emissions([(row, 7, 9.0) for row in (11, 50, 99)]))
    assert np.flatnonzero(mask).tolist() == [11, 50, 99]


def test_a_loud_crowd_does_not_shut_a_quiet_one_out() -> None:
    loud = [(row, 7, 40.0) for row in range(90)]
    quiet = [(row, 8, 9.0) for row in range(90, 95)]
    mask = admit(posted(100), 12, emissions(loud + quiet))
    assert np.flatnonzero(mask).tolist() == [0, 1, 2, 3, 4, 5, 6, *range(90, 95)]


def test_a_post_takes_its_turn_with_its_most_surprising_term() -> None:
    mask = admit(posted(6), 2, emissions([(0, 7, 30.0), (1, 7, 30.0), (1, 8, 9.0), (4, 8, 12.0)]))
    assert np.flatnonzero(mask).tolist() == [0, 4]


def test_what_room_is_left_goes_to_others_evenly_over_the_tick() -> None:
    mask = admit(posted(101), 6, emissions([(40, 7, 9.0)]))
    assert np.flatnonzero(mask).tolist() == [0, 20, 40, 41, 61, 81]


def test_deletions_take_no_room() -> None:
    rows = posted(20)
    rows[::2] = False
    assert np.flatnonzero(admit(rows, 5, emissions([(9, 7, 9.0)]))).tolist() == [1, 5, 9, 11, 15]
    assert admit(rows, 10, emissions([])).tolist() == rows.tolist()


uses = st.lists(
    st.tuples(st.integers(0, 29), st.integers(0, 4), st.sampled_from([8.0, 12.0, 40.0])),
    unique_by=lambda use: use[:2],
)


@settings(deadline=None)
@given(uses, st.integers(0, 40))
def test_never_more_than_room_and_no_room_left_empty(said: list[Use], most: int) -> None:
    mask = admit(posted(30), most, emissions(said))
    assert np.count_nonzero(mask) == min(most, 30)
    surprising = {row for row, _, _ in said}
    cold = set(np.flatnonzero(mask).tolist()) - surprising
    assert not cold or surprising <= set(np.flatnonzero(mask).tolist())
