"""The open window against a naive model: a list of posts, searched from end to end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.batches import Kind
from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.detect.window import Window, WindowSettings
from tests.enriched_posts import NOON_US, Row, account_gone, batch, delete, hashed, post, term

WORDS = ("flood", "storm", "rain", "cat")
SMALL = WindowSettings(minutes=5, posts=12)


def window(rows: Sequence[Row], limits: WindowSettings | None = None) -> Window:
    made = Window(limits or WindowSettings())
    made.take([batch(rows)])
    return made


def live_texts(made: Window) -> list[str]:
    return texts(made, made.first_row + np.flatnonzero(made.of("alive")))


def texts(made: Window, rows: npt.NDArray[np.int64]) -> list[str]:
    letters, owners = made.lists_at("folded", rows)
    return [letters[owners == i].tobytes().decode() for i in range(len(rows))]


def test_a_deletion_takes_its_post_out_and_no_other() -> None:
    first, second = post(0, 1, "flood here"), post(1, 1, "storm here")
    assert live_texts(window([first, second, delete(2, first)])) == ["storm here"]


def test_an_edit_takes_the_place_of_the_post_even_in_the_same_tick() -> None:
    versions = [post(second, 1, f"version {second}", post_key=7, kind=min(second, 1)) for second in range(3)]
    assert live_texts(window(versions)) == ["version 2"]


def test_a_deletion_takes_out_the_edited_version() -> None:
    first = post(0, 1, "flood", post_key=7)
    assert (
        live_texts(window([first, post(1, 1, "storm", post_key=7, kind=Kind.EDIT), delete(2, first)])) == []
    )


def test_a_gone_account_takes_its_earlier_posts_along() -> None:
    made = window([post(0, 1, "flood"), post(1, 2, "storm"), account_gone(2, 1), post(3, 1, "back again")])
    assert live_texts(made) == ["storm", "back again"]


def test_posts_leave_after_an_hour_and_their_late_deletion_does_no_harm() -> None:
    old, fresh = post(0, 1, "flood"), post(3000, 2, "storm")
    made = window([old, fresh])
    made.expire(NOON_US + 61 * MINUTE_US)
    made.take([batch([delete(3700, old)])])
    assert (len(made), made.first_row, made.evicted) == (1, 1, 0)
    assert live_texts(made) == ["storm"]


def test_over_the_cap_the_oldest_leave_and_are_counted() -> None:
    made = window([post(second, second, f"post {second}") for second in range(20)], SMALL)
    made.expire(NOON_US + 20 * SECOND_US)
    assert (len(made), made.evicted) == (12, 8)
    assert live_texts(made)[0] == "post 8"


class Model:
    """What the window should hold."""

    def __init__(self) -> None:
        self.posts: list[tuple[int, Row]] = []
        self.dead: set[int] = set()
        self.next = 0
        self.evicted = 0

    def take(self, row: Row) -> None:
        kind = row["kind"]
        for number, old in self.posts:
            same = "speaker" if kind == Kind.ACCOUNT_GONE else "post_key"
            if kind != Kind.POST and old[same] == row[same]:
                self.dead.add(number)
        if kind in (Kind.POST, Kind.EDIT):
            self.posts.append((self.next, row))
            self.next += 1

    def expire(self, now_us: int) -> None:
        self.posts = [e for e in self.posts if e[1]["time_us"] >= now_us - SMALL.minutes * MINUTE_US]
        over = max(len(self.posts) - SMALL.posts, 0)
        self.evicted += over
        self.posts = self.posts[over:]


acts = st.tuples(
    st.integers(0, 90),
    st.sampled_from([Kind.POST, Kind.POST, Kind.POST, Kind.EDIT, Kind.DELETE, Kind.ACCOUNT_GONE]),
    st.integers(0, 3),
    st.integers(0, 40),
    st.sets(st.sampled_from(WORDS)).map(sorted).map(" ".join),
    st.lists(st.integers(0, 4), max_size=3),
    st.sampled_from(["eng_Latn", "por_Latn", "und"]),
)


def rows_of(drawn: list[tuple[int, Kind, int, int, str, list[int], str]]) -> list[Row]:
    """Posts under keys of their own, from 1; edits and deletions of any that came before, or of none."""
    second, posted, rows = 0, 0, []
    for gap, kind, speaker, which, text, places, lang in drawn:
        second += gap
        posted += kind == Kind.POST
        key = posted if kind == Kind.POST else which % (posted + 1)
        gone = kind in (Kind.DELETE, Kind.ACCOUNT_GONE)
        said = {"places": [], "persons": []} if gone else {"places": places, "persons": places[:1]}
        key = 0 if kind == Kind.ACCOUNT_GONE else hashed(key)
        rows.append(post(second, speaker, "" if gone else text, kind=kind, post_key=key, lang=lang, **said))
    return rows


@settings(max_examples=120, deadline=None)
@given(st.lists(st.lists(acts, max_size=8), max_size=8), st.data())
def test_the_window_agrees_with_a_list_of_posts(ticks: list[list[tuple]], data: st.DataObject) -> None:  # type: ignore[type-arg]
    rows = iter(rows_of([act for tick in ticks for act in tick]))
    made, model = Window(SMALL), Model()
    for tick in ticks:
        inside = [next(rows) for _ in tick]
        if not inside:
            continue
        made.take([batch(inside)])
        for row in inside:
            model.take(row)
        made.expire(inside[-1]["time_us"])
        model.expire(inside[-1]["time_us"])
    numbers = [number for number, _ in model.posts]
    kept = [row for _, row in model.posts]
    assert (len(made), made.end_row, made.evicted) == (len(kept), model.next, model.evicted)
    assert made.of("speaker").tolist() == [row["speaker"] for row in kept]
    assert made.of("alive").tolist() == [number not in model.dead for number in numbers]

    chosen = np.array(
        sorted(data.draw(st.sets(st.sampled_from(numbers)) if numbers else st.just(set()))), int
    )
    picked = [kept[numbers.index(number)] for number in chosen.tolist()]
    assert texts(made, chosen) == [row["text"] for row in picked]
    words = made.words("lang")
    assert [words[i] for i in made.at("lang", chosen).tolist()] == [row["lang"] for row in picked]
    for name in ("places", "persons"):
        values, owners = made.lists_at(name, chosen)
        assert list(zip(owners.tolist(), values.tolist(), strict=True)) == [
            (i, value) for i, row in enumerate(picked) for value in row[name]
        ]

    wanted = np.array(sorted(term(word) for word in WORDS[:2]), np.uint64)
    from_row = made.first_row + data.draw(st.integers(0, max(len(made), 1)))
    used, positions = made.find(wanted, from_row)
    assert sorted(zip(used.tolist(), wanted[positions].tolist(), strict=True)) == sorted(
        (number, hash_)
        for number, row in model.posts
        for hash_ in row["terms"]
        if number >= from_row and hash_ in wanted.tolist()
    )


def test_what_is_not_admitted_stays_outside_is_counted_and_takes_its_old_version_along() -> None:
    old, other = post(0, 1, "flood", post_key=7), post(1, 2, "storm")
    made = window([old, other])
    edit = post(2, 1, "flood again", post_key=7, kind=Kind.EDIT)
    rows = batch([edit, post(3, 3, "rain"), delete(4, other), post(5, 4, "cat")])
    made.take([rows.slice(0, 1), rows.slice(1)], np.array([0, 1, 1, 0], bool))
    assert live_texts(made) == ["rain"]
    assert made.evicted == 2


def test_a_post_that_returns_after_its_deletion_lives() -> None:
    first = post(0, 1, "flood", post_key=7)
    assert live_texts(window([first, delete(1, first), post(2, 1, "flood again", post_key=7)])) == [
        "flood again"
    ]


def test_texts_that_take_too_much_room_push_the_oldest_out() -> None:
    made = window([post(second, second, f"{second}" * 4000) for second in range(8)], SMALL)
    made.expire(NOON_US + 8 * SECOND_US)
    assert [text[0] for text in live_texts(made)] == ["5", "6", "7"]
    assert made.evicted == 5


def test_sources_and_domains_of_posts_that_left_are_forgotten() -> None:
    made = Window(WindowSettings(minutes=1))
    for minute in range(6):
        names = [f"{minute}.{i}" for i in range(1500)]
        made.take([batch([post(60 * minute, 1, "flood", source=name, domains=[name]) for name in names])])
        made.expire(NOON_US + minute * MINUTE_US)
    for name in ("source", "domains"):
        assert len(made.words(name)) <= 3000 + 4096
    last = np.array([made.end_row - 2])
    for numbers, words in (
        (made.at("source", last), made.words("source")),
        (made.lists_at("domains", last)[0], made.words("domains")),
    ):
        assert [words[number] for number in numbers.tolist()] == ["5.1498"]
