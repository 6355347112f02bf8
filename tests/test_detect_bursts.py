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
    assign_posts,
    cluster_terms,
    crowd,
    hot_terms,
)
from groundswell.detect.communities import louvain
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
    terms, nats, firsts = heat.hot(at)
    assert terms.tolist() == [term("flood"), term("storm")]
    assert nats.tolist() == [30.0, 20.0]
    assert firsts.tolist() == [NOON_US, NOON_US + 10 * MINUTE_US]
    assert heat.hot(at + 6 * MINUTE_US)[0].tolist() == [term("storm"), term("flood")]
    heat.expire(NOON_US + 71 * MINUTE_US)
    assert not len(heat.hot(NOON_US + 10 * MINUTE_US)[0])


def hot_of(rows: list[Row], *words: tuple[str, float], min_speakers: int = 1) -> HotTerms | None:
    window = Window(WindowSettings())
    window.take([batch(rows)])
    heat = heat_of(*((5, word, nats) for word, nats in words))
    return hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 6 * MINUTE_US, min_speakers)


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
    owned = {term(word): ("a", NOON_US + 2 * SECOND_US) for word in ("flood", "bridge", "photo")}
    hot = hot_terms(window, heat, Postings(), SETTINGS, NOON_US + 6 * MINUTE_US, 3, owned)
    assert hot is not None
    assert hot.terms.tolist() == [term("flood"), term("bridge")]
    assert hot.surprise.tolist() == [40.0, SETTINGS.hot]
    assert hot.counts.tolist() == [10, 8], "a word that is only followed counts from its chain's start on"
    others = {term("bridge"): ("b", NOON_US), term("photo"): ("c", NOON_US)}
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
    clusters = assign_posts(hot, communities)
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
