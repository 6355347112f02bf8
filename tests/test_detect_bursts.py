"""Heat, postings, crowds of a term, and the communities that terms form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.detect.bursts import (
    BurstSettings,
    Heat,
    HotTerms,
    Postings,
    cluster_terms,
    crowd,
    hot_terms,
)
from groundswell.detect.chains import Owned
from groundswell.detect.communities import louvain
from groundswell.detect.membership import assign_posts, likeness
from groundswell.detect.window import Window, WindowSettings
from tests.enriched_posts import NOON_US, Row, batch, delete, post, term

SETTINGS = BurstSettings()
Edge = tuple[int, int, float]


def graph(size: int, edges: list[Edge]) -> csr_matrix:
    rows, columns, weights = zip(*[e for a, b, w in edges for e in ((a, b, w), (b, a, w))], strict=True)
    return csr_matrix((np.array(weights), (rows, columns)), shape=(size, size))


def clique(nodes: range, weight: float = 1.0) -> list[Edge]:
    return [(a, b, weight) for a in nodes for b in nodes if a < b]


TWO_CLIQUES = [*clique(range(5)), *clique(range(5, 10)), (4, 5, 1.0)]


def test_two_cliques_with_one_edge_between_them_are_two_communities() -> None:
    assert louvain(graph(10, TWO_CLIQUES), 1.0).tolist() == [0] * 5 + [1] * 5


def test_a_ring_of_cliques_gives_the_cliques() -> None:
    ring = [edge for i in range(6) for edge in clique(range(5 * i, 5 * i + 5))]
    ring += [(5 * i + 4, (5 * i + 5) % 30, 1.0) for i in range(6)]
    assert louvain(graph(30, ring), 1.0).tolist() == [i // 5 for i in range(30)]


@given(st.permutations(range(10)))
def test_communities_do_not_hang_on_the_order_of_the_nodes(order: list[int]) -> None:
    moved = graph(10, [(order[a], order[b], weight) for a, b, weight in TWO_CLIQUES])
    labels = louvain(moved, 1.0)
    assert labels[0] == 0
    assert len({labels[node] for node in order[:5]}) == len({labels[node] for node in order[5:]}) == 1
    assert len(set(labels.tolist())) == 2


def test_communities_are_the_same_each_time_and_hang_on_weights_and_resolution() -> None:
    rng = np.random.default_rng(3)
    edges = [(a, b, float(rng.random())) for a in range(60) for b in range(a) if rng.random() < 0.1]
    once = louvain(graph(60, edges), 0.7)
    assert once.tolist() == louvain(graph(60, edges), 0.7).tolist()
    assert once.tolist() == louvain(graph(60, [(a, b, 4 * w) for a, b, w in edges]), 0.7).tolist()
    assert louvain(graph(60, edges), 3.0).max() > once.max() > louvain(graph(60, edges), 0.05).max()
    heavy = [*TWO_CLIQUES[:-1], (4, 5, 40.0)]
    labels = louvain(graph(10, heavy), 1.0)
    assert labels[4] == labels[5]


def test_nodes_without_edges_stay_alone() -> None:
    assert louvain(graph(4, [(1, 2, 1.0)]), 1.0).tolist() == [0, 1, 1, 2]
    assert louvain(csr_matrix((3, 3)), 1.0).tolist() == [0, 1, 2]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=30))
def test_a_crowd_is_the_largest_of_its_epochs_and_never_their_sum(said: list[tuple[int, int]]) -> None:
    speakers = np.array([speaker for speaker, _ in said], np.uint64)
    epochs = np.array([epoch for _, epoch in said], np.uint32)
    expected = max((len({s for s, e in said if e == epoch}) for epoch in range(3)), default=0)
    assert crowd(speakers, epochs) == expected


def heat_of(*entries: tuple[float, str, float]) -> Heat:
    """(minute, word, surprise), in order of time."""
    heat = Heat(SETTINGS)
    for minute, word, nats in entries:
        now_us = NOON_US + int(minute * MINUTE_US)
        heat.add(now_us, np.array([term(word)], np.uint64), np.array([nats], np.float32))
    return heat


@pytest.mark.parametrize(
    ("entries", "kindled"),
    [
        ([(10, "flood", 13.0)], True),
        ([(10, "flood", 11.0)], False),
        ([(9, "flood", 13.0)], False),  # not in this tick
        ([(5, "flood", 13.0), (10, "flood", 20.0)], False),  # was hot before
        ([(5, "flood", 11.0), (10, "flood", 13.0)], True),
        ([(5, "flood", 13.0), (10, "storm", 13.0)], True),
        ([(5, "flood", 13.0), (26, "flood", 13.0)], False),
    ],
)
def test_a_tick_kindles_when_a_term_becomes_hot_in_it(
    entries: list[tuple[float, str, float]], kindled: bool
) -> None:
    assert heat_of(*entries).kindled(NOON_US + 10 * MINUTE_US) is kindled


def test_a_term_that_had_cooled_down_kindles_again() -> None:
    heat = heat_of((5, "flood", 13.0), (26, "flood", 13.0))
    assert heat.kindled(NOON_US + 26 * MINUTE_US)


def test_heat_lasts_a_quarter_hour_and_is_forgotten_after_an_hour() -> None:
    heat = heat_of((0, "flood", 30.0), (10, "flood", 13.0), (10, "storm", 20.0), (10, "rain", 9.0))
    at = NOON_US + 14 * MINUTE_US
    terms, nats, firsts, _ = heat.hot(at)
    assert terms.tolist() == [term("flood"), term("storm")]
    assert nats.tolist() == [30.0, 20.0]
    assert firsts.tolist() == [NOON_US, NOON_US + 10 * MINUTE_US]
    assert heat.hot(at + 6 * MINUTE_US).terms.tolist() == [term("storm"), term("flood")]
    heat.expire(NOON_US + 71 * MINUTE_US)
    assert not len(heat.hot(NOON_US + 10 * MINUTE_US).terms)


def hot_of(rows: list[Row], *words: tuple[str, float], min_speakers: int = 1) -> HotTerms | None:
    window = Window(WindowSettings())
    window.take([batch(rows)])
    heat = heat_of(*((5, word, nats) for word, nats in words))
    return hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 6 * MINUTE_US, min_speakers)


def followed(chain: str, seconds: float = 0, usual: float = np.inf) -> Owned:
    return Owned(chain, NOON_US + int(seconds * SECOND_US), usual, followed=True)


def test_hot_terms_are_those_that_enough_speakers_used_in_posts_that_live() -> None:
    rows = [post(second, second, "flood rain") for second in range(9)]
    rows += [post(20 + second, 1, "storm rain") for second in range(9)]
    rows.append(delete(40, rows[0]))
    hot = hot_of(rows, ("flood", 20.0), ("storm", 30.0), ("rain", 5.0), min_speakers=3)
    assert hot is not None
    assert hot.terms.tolist() == [term("flood")]
    assert len(hot.rows) == 8
    assert hot_of(rows, ("flood", 20.0), min_speakers=9) is None


def test_a_chains_words_stay_hot_while_they_are_used_together() -> None:
    """`bridge` keeps the company of `flood`, which is still hot; `photo` has gone back to everyday use."""
    rows = [post(second, second, "flood bridge photo") for second in range(10)]
    rows += [post(20 + second, 20 + second, "photo") for second in range(12)]
    window, heat = Window(WindowSettings()), heat_of((5, "flood", 40.0))
    window.take([batch(rows)])
    owned = {term(word): followed("a", 2) for word in ("flood", "bridge", "photo")}
    hot = hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 6 * MINUTE_US, 3, owned)
    assert hot is not None
    assert hot.terms.tolist() == [term("flood"), term("bridge")]
    assert hot.surprise.tolist() == [40.0, SETTINGS.hot]
    assert hot.counts.tolist() == [10, 8], "a word that is only followed counts from its chain's start on"
    others = {term("bridge"): followed("b"), term("photo"): followed("c")}
    alone = hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 6 * MINUTE_US, 3, others)
    assert alone is not None
    assert alone.terms.tolist() == [term("flood")]


def test_a_term_that_is_wanted_from_earlier_on_is_found_anew() -> None:
    window, kept = Window(WindowSettings()), Postings()
    window.take([batch([post(60 * minute, minute, "flood") for minute in range(10)])])
    wanted = np.array([term("flood")], np.uint64)
    for minute, rows in ((6, 4), (7, 4), (2, 8)):
        kept.follow(window, wanted, np.array([NOON_US + minute * MINUTE_US]))
        assert len(kept.rows) == rows


def test_terms_that_share_posts_form_one_community_and_take_their_posts_along() -> None:
    rows = [post(second, second, "flood bridge the") for second in range(10)]
    rows += [post(20 + second, 20 + second, "match goal the") for second in range(10)]
    rows.append(post(40, 40, "flood goal bridge"))
    hot = hot_of(rows, ("flood", 40.0), ("bridge", 30.0), ("match", 25.0), ("goal", 20.0))
    assert hot is not None
    communities = cluster_terms(hot, SETTINGS)
    assert [terms.tolist() for terms in communities] == [[0, 1], [2, 3]]
    clusters = assign_posts(hot, communities, SETTINGS)
    assert [cluster.posts.tolist() for cluster in clusters] == [[*range(10), 20], list(range(10, 20))]


def test_postings_kept_from_tick_to_tick_equal_those_found_afresh() -> None:
    window, kept = Window(WindowSettings(minutes=4)), Postings()
    rng = np.random.default_rng(5)
    words = ["flood", "storm", "rain", "goal"]
    for minute in range(12):
        rows = [post(60 * minute + i, i, " ".join(rng.choice(words, 2, replace=False))) for i in range(10)]
        window.take([batch(rows)])
        window.expire(NOON_US + (minute + 1) * MINUTE_US)
        wanted = np.unique([term(word) for word in rng.choice(words, 1 + minute % 4, replace=False)])
        kept.follow(window, wanted.astype(np.uint64), np.zeros(len(wanted), np.int64))
        rows_found, positions = window.find(wanted.astype(np.uint64), window.first_row)
        expected = sorted(zip(rows_found.tolist(), wanted[positions].tolist(), strict=True))
        assert sorted(zip(kept.rows.tolist(), kept.terms.tolist(), strict=True)) == expected


def clusters_of(rows: list[Row], usual: dict[str, float], *communities: tuple[str, ...]) -> list[list[int]]:
    """The posts of each community of words; `usual` are their uses a minute before, 0 where not given."""
    window, heat = Window(WindowSettings()), Heat(SETTINGS)
    window.take([batch(rows)])
    words = [word for words in communities for word in words]
    terms = np.array([term(word) for word in words], np.uint64)
    rates = np.array([usual.get(word, 0.0) for word in words], np.float32)
    heat.add(NOON_US + 10 * MINUTE_US, terms, np.full(len(words), 30.0, np.float32), rates)
    hot = hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 10 * MINUTE_US, 1)
    assert hot is not None
    at = {int(word): place for place, word in enumerate(hot.terms)}
    indices = [np.sort(np.array([at[term(word)] for word in words])) for words in communities]
    return [cluster.posts.tolist() for cluster in assign_posts(hot, indices, SETTINGS)]


def test_an_everyday_word_alone_makes_no_post_part_of_the_crowd_and_in_company_it_does() -> None:
    rows = [post(second, second, "siege place") for second in range(10)]
    rows += [post(20 + second, 20 + second, "place") for second in range(10)]
    rows += [post(40 + second, 40 + second, "siege") for second in range(10)]
    assert clusters_of(rows, {"place": 1.0}, ("siege", "place")) == [[*range(10), *range(20, 30)]]
    assert clusters_of(rows, {"place": 0.1}, ("siege", "place")) == [list(range(30))]


def test_two_everyday_words_are_company_for_each_other() -> None:
    rows = [post(second, second, "west photo") for second in range(10)]
    rows += [post(20 + second, 20 + second, "west") for second in range(10)]
    rows += [post(40 + second, 40 + second, "photo") for second in range(10)]
    assert clusters_of(rows, {"west": 0.9, "photo": 0.9}, ("west", "photo")) == [list(range(10))]


def test_a_word_of_several_crowds_brings_no_post_to_any_of_them() -> None:
    """`flood` is the first community's; its posts say that it is as much the second's."""
    rows = [post(second, second, "flood alberta calgary") for second in range(10)]
    rows += [post(20 + second, 20 + second, "flood jordan petra") for second in range(10)]
    rows += [post(40 + second, 40 + second, "flood") for second in range(10)]
    communities = ("alberta", "calgary", "flood"), ("jordan", "petra")
    assert clusters_of(rows, {}, *communities) == [list(range(10)), list(range(10, 20))]


def test_a_word_goes_where_its_posts_go_without_it() -> None:
    rows = [post(second, second, "rescue alberta calgary") for second in range(10)]
    rows += [post(20 + second, 20 + second, "jordan petra") for second in range(10)]
    communities = ("alberta", "calgary"), ("jordan", "petra", "rescue")
    rows.append(post(40, 40, "rescue"))
    assert clusters_of(rows, {}, *communities) == [[*range(10), 20], list(range(10, 20))]


def test_a_manner_of_speaking_that_several_crowds_share_is_no_crowd() -> None:
    rows = [
        post(20 * at + second, 20 * at + second, f"streets closed {town}")
        for at, town in enumerate(("puebla river", "cali hill", "lima dam"))
        for second in range(10)
    ]
    communities = (
        ("puebla", "river"),
        ("cali", "hill"),
        ("lima", "dam"),
        ("streets", "closed", "streets closed"),
    )
    assert clusters_of(rows, {}, *communities) == [list(range(10)), list(range(10, 20)), list(range(20, 30))]


def test_a_storm_is_the_same_on_another_island_and_two_floods_are_not() -> None:
    def told(first: int, *words: str) -> list[Row]:
        """Twenty posts with the first word, a quarter of them with each of the others."""
        head, *rest = words
        return [post(first + i, first + i, f"{head} {rest[i % 4]}") for i in range(20)]

    crowds = [
        told(0, "irma", "hurricane", "florida", "flood", "evacuate"),
        told(100, "irma", "hurricane", "barbuda", "flood", "destroyed"),
        told(200, "harvey", "hurricane", "texas", "flood", "evacuate"),
    ]
    words = {word for crowd in crowds for row in crowd for word in row["text"].split()}
    hot = hot_of([row for crowd in crowds for row in crowd], *((word, 20.0) for word in sorted(words)))
    assert hot is not None
    like, names = likeness(hot, [np.arange(20 * i, 20 * i + 20) for i in range(3)])
    assert np.allclose(np.diag(like), 1.0)
    assert names.diagonal().all()
    assert like[1, 0] > like[2, 0] > 0.0
    assert (names[1, 0], names[2, 0], names[2, 1]) == (True, False, False)
    assert likeness(hot, [])[0].shape == (0, 0)


def test_a_loud_chain_leaves_room_for_words_of_no_chain() -> None:
    heat = heat_of((5, "flood", 40.0), (5, "river", 39.0), (5, "rain", 38.0), (5, "match", 20.0))
    now_us = NOON_US + 6 * MINUTE_US
    few = BurstSettings(chain_terms=2)
    heat._settings = few
    owned = {term(word): followed("a") for word in ("flood", "river", "rain")}
    assert heat.hot(now_us, owned).terms.tolist() == [term("flood"), term("river"), term("match")]


def test_a_chains_hashtag_stays_hot_alone_when_hardly_anybody_used_it_before() -> None:
    rows = [post(second, second, "yycflood") for second in range(20)]
    window, heat = Window(WindowSettings()), Heat(SETTINGS)
    window.take([batch(rows)])
    for usual, kept in ((0.01, True), (30.0, False), (np.inf, False)):
        owned = {term("yycflood"): followed("a", usual=usual)}
        hot = hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 6 * MINUTE_US, 3, owned)
        assert (hot is not None) is kept
