"""The pictures of a crowd: which they are, and how many stand behind each."""

from __future__ import annotations

from groundswell.candidates import PictureUse
from tests.enriched_posts import FLOOD, PORTO_ALEGRE, Row, account_gone, chatter, delete, detector, play, post

ONSET = 35 * 60
MINUTES = 45
RIVER, BRIDGE, CAT = 11, 12, 13
SAID = ("flash flood in porto alegre", "flash flood bridge closed", "bridge closed by flash flood")


def flood(**shown: int) -> list[Row]:
    """A crowd of 45 about a flood; so many of them post the river, so many the bridge, so many a cat."""
    pictures = {"river": RIVER, "bridge": BRIDGE, "cat": CAT}
    return [
        post(
            ONSET + 6.5 * i,
            1000 + i,
            f"{SAID[i % 3]} own{i}",
            places=[PORTO_ALEGRE],
            categories=[FLOOD],
            picture_keys=[pictures[name] for name, count in shown.items() if i < count],
        )
        for i in range(45)
    ]


def album(rows: list[Row], minutes: float = MINUTES) -> list[PictureUse]:
    watching = detector()
    assert play(watching, [*chatter(MINUTES), *rows], minutes), "no event was found"
    return watching.pictures()


def test_a_crowds_picture_is_counted_by_its_speakers() -> None:
    (river,) = album(flood(river=30, bridge=2))
    assert (river.picture, river.speakers) == (RIVER, 30)


def test_the_count_goes_on_between_the_ticks_that_form_clusters() -> None:
    late = [post(ONSET + 9 * 60, 2000 + i, "", picture_keys=[RIVER]) for i in range(7)]
    (river,) = album([*flood(river=30), *late], minutes=35 + 9 + 1 / 6)
    assert river.speakers == 37


def test_a_picture_that_everybody_posts_is_not_the_crowds() -> None:
    elsewhere = [
        post(60.0 * (i % 30), 5000 + i, f"look at this cat{i}", picture_keys=[CAT]) for i in range(80)
    ]
    assert [use.picture for use in album([*flood(river=25, cat=25), *elsewhere])] == [RIVER]


def test_who_deletes_is_taken_out() -> None:
    rows = flood(river=30)
    gone = [delete(ONSET + 400, rows[0]), account_gone(ONSET + 400, 1001)]
    (river,) = album([*rows, *gone])
    assert river.speakers == 28


def test_a_chain_that_has_ended_has_no_album() -> None:
    assert album(flood(river=30), minutes=MINUTES) != []
    watching = detector()
    play(watching, [*chatter(MINUTES), *flood(river=30)], 5 * 60)
    assert watching.pictures() == []
