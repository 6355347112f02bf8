"""Where a crowd's matter is: five places, two countries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from groundswell.detect.gazette import Evidence, Gazette
from tests.enriched_posts import BRAZIL, PLACES, PORTO_ALEGRE, RIO_GRANDE, SPAIN, VALENCIA

GAZETTE = Gazette(PLACES)


def evidence(*posts: list[int] | dict[int, float]) -> Evidence:
    """What each post mentions: places, or places and how sure the enricher was."""
    weighed = [dict.fromkeys(post, 1.0) if isinstance(post, list) else post for post in posts]
    mentions = [(row, weight, i) for i, post in enumerate(weighed) for row, weight in post.items()]
    rows, weights, owners = zip(*mentions, strict=True) if mentions else ((), (), ())
    return Evidence(
        np.array(rows, np.int64), np.array(weights, float), np.array(owners, np.int64), len(posts)
    )


def by(*speakers: int) -> np.ndarray:
    return np.array(speakers, np.uint64)


def test_the_best_place_is_in_the_most_attested_country() -> None:
    found = evidence([PORTO_ALEGRE, BRAZIL], [PORTO_ALEGRE], [BRAZIL], [VALENCIA])
    assert GAZETTE.best(found) == (PORTO_ALEGRE, BRAZIL, 0.8)


def test_the_enrichers_doubt_counts() -> None:
    found = evidence({PORTO_ALEGRE: 0.2}, {PORTO_ALEGRE: 0.2}, {VALENCIA: 0.9})
    assert GAZETTE.best(found)[:2] == (VALENCIA, SPAIN)


def test_no_place_is_named_that_too_little_of_the_evidence_speaks_of() -> None:
    found = evidence([PORTO_ALEGRE], [BRAZIL], [BRAZIL], [BRAZIL])
    assert GAZETTE.best(found) == (-1, BRAZIL, 1.0)
    assert GAZETTE.best(found, min_share=0.25)[0] == PORTO_ALEGRE


def test_nothing_mentioned_is_nowhere() -> None:
    assert GAZETTE.best(evidence([], [])) == (-1, -1, 0.0)
    assert GAZETTE.uses(evidence([]), by(1)) == ()


@pytest.mark.parametrize(("mentions_of_home", "country"), [(1, SPAIN), (2, BRAZIL)])
def test_a_matter_stays_in_its_country_while_a_quarter_speaks_of_it(
    mentions_of_home: int, country: int
) -> None:
    found = evidence(*[[VALENCIA]] * 8, *[[PORTO_ALEGRE]] * mentions_of_home)
    assert GAZETTE.best(found, prefer=BRAZIL)[1] == country


def test_a_place_counts_once_enough_speakers_attest_it() -> None:
    found = evidence([PORTO_ALEGRE], [PORTO_ALEGRE], [BRAZIL])
    assert GAZETTE.attested(found, by(1, 2, 3), least=2) == (PORTO_ALEGRE, BRAZIL)
    assert GAZETTE.attested(found, by(1, 1, 3), least=2) == (-1, BRAZIL)
    assert GAZETTE.attested(found, by(1, 1, 1), least=2) == (-1, -1)


def test_uses_give_the_place_and_its_country_with_their_speakers() -> None:
    place, country = GAZETTE.uses(
        evidence([PORTO_ALEGRE], [PORTO_ALEGRE], [BRAZIL], [VALENCIA]), by(1, 1, 2, 3)
    )
    assert (place.name, place.level, place.country, place.speakers) == ("Porto Alegre", "city", "BR", 1)
    assert place.confidence == pytest.approx(0.5)
    assert (country.name, country.speakers, country.confidence) == ("Brazil", 2, 0.75)


def test_distances_are_great_circles() -> None:
    assert GAZETTE.distance_km(PORTO_ALEGRE, VALENCIA) == pytest.approx(9_345, abs=1)
    assert GAZETTE.distance_km(PORTO_ALEGRE, PORTO_ALEGRE) == 0.0
    assert GAZETTE.distance_km(SPAIN, VALENCIA) == GAZETTE.distance_km(VALENCIA, SPAIN)


def test_a_region_is_twice_as_wide() -> None:
    """The middle of Rio Grande do Sul is some 200 km from its capital."""
    assert GAZETTE.near(PORTO_ALEGRE, RIO_GRANDE, 150.0)
    assert not GAZETTE.near(PORTO_ALEGRE, RIO_GRANDE, 90.0)


def test_a_town_is_not_apart_from_its_region_however_wide_that_is() -> None:
    """Without knowing what lies in what, 90 km are too few even for a region."""
    within = pa.array([RIO_GRANDE, -1, -1, -1, -1])
    nested = Gazette(PLACES.set_column(PLACES.schema.get_field_index("within"), "within", within))
    town, region = (PORTO_ALEGRE, BRAZIL), (RIO_GRANDE, BRAZIL)
    assert GAZETTE.apart(*town, *region, 90.0)
    assert not nested.apart(*town, *region, 90.0)
    assert not nested.apart(*region, *town, 90.0)
    assert nested.apart(*town, VALENCIA, SPAIN, 90.0)
    assert nested.sides(evidence([PORTO_ALEGRE], [RIO_GRANDE]), 90.0, 0.3) == [PORTO_ALEGRE]
    assert GAZETTE.sides(evidence([PORTO_ALEGRE], [RIO_GRANDE]), 90.0, 0.3) == [PORTO_ALEGRE, RIO_GRANDE]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((PORTO_ALEGRE, BRAZIL), (VALENCIA, SPAIN), True),
        ((PORTO_ALEGRE, BRAZIL), (RIO_GRANDE, BRAZIL), False),
        ((PORTO_ALEGRE, BRAZIL), (-1, BRAZIL), False),
        ((PORTO_ALEGRE, BRAZIL), (-1, SPAIN), True),
        ((PORTO_ALEGRE, BRAZIL), (-1, -1), False),
        ((-1, -1), (-1, -1), False),
    ],
)
def test_two_matters_are_apart_when_both_are_somewhere_and_not_in_one_place(
    one: tuple[int, int], other: tuple[int, int], apart: bool
) -> None:
    assert GAZETTE.apart(*one, *other, 400.0) is apart
    assert GAZETTE.apart(*other, *one, 400.0) is apart


def test_sides_are_the_places_that_posts_are_divided_between() -> None:
    here, there = [[PORTO_ALEGRE]] * 6 + [[RIO_GRANDE]] * 3 + [[BRAZIL]] * 2, [[VALENCIA]] * 4
    assert GAZETTE.sides(evidence(*here, *there), 400.0, 0.3) == [PORTO_ALEGRE, VALENCIA]
    assert GAZETTE.sides(evidence(*here, *there), 400.0, 0.7) == [PORTO_ALEGRE]
    assert GAZETTE.sides(evidence(*here, *there), 400.0, 0.3, most=1) == [PORTO_ALEGRE]
    assert GAZETTE.sides(evidence([]), 400.0, 0.3) == []


def test_a_country_that_most_speak_of_does_not_hide_that_posts_are_divided_between_its_places() -> None:
    said = [[BRAZIL]] * 9 + [[PORTO_ALEGRE]] * 4 + [[RIO_GRANDE]] * 3 + [[SPAIN]] * 4
    assert GAZETTE.sides(evidence(*said), 90.0, 0.3) == [PORTO_ALEGRE, RIO_GRANDE, SPAIN]
    assert GAZETTE.sides(evidence(*said), 90.0, 0.8) == [PORTO_ALEGRE, SPAIN]


def test_each_place_has_the_one_side_that_it_is_together_with() -> None:
    everywhere = np.arange(5)
    assert GAZETTE.nearest(everywhere, [PORTO_ALEGRE, VALENCIA], 400.0).tolist() == [0, 0, 0, 1, 1]
    two_in_brazil = GAZETTE.nearest(everywhere, [PORTO_ALEGRE, RIO_GRANDE], 400.0)
    assert two_in_brazil.tolist() == [-1, -1, -1, -1, -1]  # near both is near neither; Spain is far from both


def test_each_post_votes_for_the_sides_it_mentions() -> None:
    found = evidence([PORTO_ALEGRE], [VALENCIA, BRAZIL], [], {SPAIN: 0.5})
    side_of = GAZETTE.nearest(found.rows, [PORTO_ALEGRE, VALENCIA], 400.0)
    assert found.votes(side_of, 2).tolist() == [[1, 0], [1, 1], [0, 0], [0, 0.5]]
