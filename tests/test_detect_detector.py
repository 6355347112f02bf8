"""The detector on made-up streams: what is found, and what it must not depend on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest

from groundswell.candidates import Candidate
from groundswell.clock import MINUTE_US
from groundswell.detect.chains import Chain
from tests.enriched_posts import (
    BRAZIL,
    FLOOD,
    NOON_US,
    PORTO_ALEGRE,
    SPAIN,
    VALENCIA,
    K,
    Row,
    chatter,
    delete,
    detector,
    hashed,
    play,
    post,
)

ONSET = 35 * 60
MINUTES = 45


def burst(phrases: list[str], size: int, first: int, seed: int = 2, **changes: Any) -> list[Row]:
    """`size` people who say one of `phrases` each, with an everyday word, in five minutes from the onset."""
    rng = np.random.default_rng(seed)
    rows = []
    for i, time in enumerate(np.sort(rng.uniform(0, 300, size)).tolist()):
        text = f"{phrases[i % len(phrases)]} word{rng.integers(60)} own{first + i}"
        rows.append(post(ONSET + time, first + i, text, **changes))
    return rows


FLOODED = burst(
    ["flash flood in porto alegre", "flash flood bridge closed", "bridge closed by flash flood"],
    45,
    first=1000,
    places=[PORTO_ALEGRE],
    categories=[FLOOD],
)
BACKGROUND = chatter(MINUTES)
STREAM = [*BACKGROUND, *FLOODED]


def test_a_tick_of_more_posts_than_may_wait_is_counted_in_parts_alike_however_batches_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("groundswell.detect.detector._MOST_WAITING", 16)
    watching = detector()
    expected = play(watching, STREAM, MINUTES)
    assert [candidate.category for candidate in last_words(expected).values()] == ["flood"]
    assert watching.evicted_posts == 0
    assert play(detector(), STREAM, MINUTES, cuts=range(0, len(STREAM), 5)) == expected


def last_words(candidates: list[Candidate]) -> dict[str, Candidate]:
    """The last candidate of each chain that says more than its end."""
    return {candidate.chain: candidate for candidate in candidates if candidate.state != "ended"}


@pytest.fixture(scope="module")
def found() -> list[Candidate]:
    return play(detector(), STREAM, MINUTES)


def test_nothing_is_found_in_chatter() -> None:
    assert play(detector(), BACKGROUND, MINUTES) == []


def test_one_burst_is_one_candidate_with_its_phrases_its_place_and_its_crowd(found: list[Candidate]) -> None:
    (event,) = last_words(found).values()
    assert event.kind == "event"
    assert event.category == "flood"
    assert {"flash flood", "bridge closed"} <= {use.text for use in event.phrases}
    assert not any("word" in use.text or "own" in use.text for use in event.phrases)
    assert [(place.name, place.country) for place in event.places] == [
        ("Porto Alegre", "BR"),
        ("Brazil", "BR"),
    ]
    assert event.speakers == 45
    assert event.first_us == NOON_US + ONSET * 1_000_000
    assert sum(count for _, count in event.bins) == 45
    assert (event.p_value, event.person_share) == (None, 0.0)


def test_it_is_found_while_it_happens_and_then_told_every_minute(found: list[Candidate]) -> None:
    ticks = [candidate.tick_us for candidate in found]
    assert ticks[0] < NOON_US + (ONSET + 300) * 1_000_000
    assert all(tick % MINUTE_US == 0 for tick in ticks[1:])
    assert len(set(ticks)) == len(ticks)
    assert found[0].speakers >= K


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_how_a_source_cuts_its_batches_makes_no_difference(found: list[Candidate], seed: int) -> None:
    cuts = np.random.default_rng(seed).integers(0, len(STREAM), 400 * seed).tolist()
    assert play(detector(), STREAM, MINUTES, cuts=cuts) == found


@pytest.mark.parametrize("key", ["monday", "tuesday"])
def test_the_speakers_key_makes_no_difference(found: list[Candidate], key: str) -> None:
    rekeyed = [row | {"speaker": hashed(key, row["speaker"])} for row in STREAM]
    assert play(detector(), rekeyed, MINUTES) == found


def test_a_change_of_key_in_the_middle_never_adds_crowds_up(found: list[Candidate]) -> None:
    change_us = NOON_US + (ONSET + 150) * 1_000_000
    rekeyed = [
        row if row["time_us"] < change_us else row | {"speaker": hashed("new", row["speaker"]), "epoch": 2}
        for row in STREAM
    ]
    before = sum(row["time_us"] < change_us for row in FLOODED)
    (event,) = last_words(play(detector(), rekeyed, MINUTES)).values()
    assert event.speakers == max(before, 45 - before) < found[-1].speakers


def test_two_bursts_far_apart_with_a_word_in_common_stay_apart() -> None:
    here = burst(
        ["flood at the guaiba pier", "guaiba pier under water flood"], 40, 1000, places=[PORTO_ALEGRE, BRAZIL]
    )
    there = burst(
        ["flood in turia tunnel", "turia tunnel shut flood"], 40, 2000, seed=3, places=[VALENCIA, SPAIN]
    )
    rows = [row | {"categories": [FLOOD]} for row in [*here, *there]]
    events = last_words(play(detector(), [*BACKGROUND, *rows], MINUTES)).values()
    assert sorted((event.places[0].name, event.speakers) for event in events) == [
        ("Porto Alegre", 40),
        ("Valencia", 40),
    ]
    for event in events:
        own, other = ("guaiba", "turia") if event.places[0].country == "BR" else ("turia", "guaiba")
        said = " ".join(use.text for use in event.phrases)
        assert own in said
        assert other not in said


def test_a_cluster_that_shares_most_of_its_words_is_parted_between_its_places() -> None:
    here = burst(["flood bridge guaiba pier"], 40, 1000, places=[PORTO_ALEGRE, BRAZIL])
    there = burst(["flood bridge turia tunnel"], 40, 2000, seed=3, places=[VALENCIA, SPAIN])
    rows = [row | {"categories": [FLOOD]} for row in [*here, *there]]
    events = last_words(play(detector(), [*BACKGROUND, *rows], MINUTES)).values()
    assert events
    for event in events:
        said = " ".join(use.text for use in event.phrases)
        assert event.speakers == 40
        assert ("guaiba" in said) == (event.places[0].country == "BR")
        assert ("turia" in said) == (event.places[0].country == "ES")


def test_what_comes_back_to_its_place_comes_back_under_its_id() -> None:
    again = [
        row | {"time_us": row["time_us"] + 100 * MINUTE_US, "speaker": row["speaker"] + 9_000}
        for row in FLOODED
    ]
    rows = [*chatter(160), *FLOODED, *again]
    found = play(detector(), sorted(rows, key=lambda row: row["time_us"]), 145)
    states = [candidate.state for candidate in found]
    assert len({candidate.chain for candidate in found}) == 1
    assert states[-1] != "ended"
    assert "ended" in states


def test_a_crowd_below_the_floor_is_not_proposed() -> None:
    small = burst(["flash flood bridge closed"], K - 1, 1000, places=[PORTO_ALEGRE], categories=[FLOOD])
    assert play(detector(), [*BACKGROUND, *small], MINUTES) == []


def test_one_loud_speaker_is_no_crowd() -> None:
    loud = [row | {"speaker": hashed("speaker", 1000)} for row in FLOODED]
    assert play(detector(), [*BACKGROUND, *loud], MINUTES) == []


def test_a_crowd_that_deletes_its_posts_falls_below_the_floor() -> None:
    gone = [delete(ONSET + 330 + i, row) for i, row in enumerate(FLOODED[:30])]
    found = play(detector(), [*STREAM, *gone], MINUTES)
    assert max(candidate.speakers for candidate in found) == 45
    assert found[-1].speakers <= 15 < K


def test_copies_of_one_text_are_amplification() -> None:
    text = "buy brassmoon tokens today brassmoon doubles tomorrow"
    copies = [post(ONSET + i, 1000 + i, text, places=[VALENCIA]) for i in range(60)]
    (campaign,) = last_words(play(detector(), [*BACKGROUND, *copies], MINUTES)).values()
    assert campaign.kind == "amplification"
    assert (campaign.unique_texts, campaign.speakers) == (1, 60)
    assert campaign.spread_seconds == pytest.approx(53, abs=2)
    assert campaign.p_value is not None
    assert campaign.p_value < 0.05


def test_a_pile_on_carries_the_share_of_the_person_it_is_about() -> None:
    angry = burst(["zelvira morantu must resign now", "resign now liar zelvira morantu"], 50, 1000)
    named = [row | {"persons": [77]} for row in angry]
    known = last_words(play(detector(), [*BACKGROUND, *named], MINUTES)).values()
    unknown = last_words(play(detector(), [*BACKGROUND, *angry], MINUTES)).values()
    assert len(known) == len(unknown) == 1, "the pile-on must reach `release` to be refused there"
    assert all(candidate.person_share > 0.9 for candidate in [*known, *unknown])


def test_an_ended_chain_is_told_once_and_with_nothing_counted() -> None:
    found = play(detector(), [*STREAM, *chatter(130, seed=9)], 130)
    ended = [candidate for candidate in found if candidate.state == "ended"]
    assert len(ended) == 1
    assert ended[0].chain == found[0].chain
    assert (ended[0].speakers, ended[0].phrases, ended[0].bins) == (0, (), ())
    assert ended[0] == found[-1]


def lasting(hours: float, per_minute: int) -> list[Row]:
    """A flood that as many people speak of in every minute from the onset on, over chatter."""
    phrases = ["flash flood in porto alegre", "flash flood bridge closed", "bridge closed by flash flood"]
    rng = np.random.default_rng(3)
    flood = [
        post(
            ONSET + i * 60 / per_minute, 1000 + i,
            f"{phrases[i % 3]} word{rng.integers(60)} own{i}",
            places=[PORTO_ALEGRE], categories=[FLOOD],
        )
        for i in range(int(hours * 60 * per_minute))
    ]  # fmt: skip
    return [*chatter(ONSET // 60 + int(hours * 60) + 80), *flood]


def test_a_crowd_is_counted_whole_after_hours_when_its_words_are_no_news_any_more() -> None:
    watching = detector()
    found = play(watching, lasting(4, per_minute=4), ONSET // 60 + 5 * 60 + 15)
    assert len({candidate.chain for candidate in found}) == 1
    told = {candidate.tick_us: candidate.speakers for candidate in found}
    assert told[NOON_US + (ONSET // 60 + 4 * 60) * MINUTE_US] == pytest.approx(4 * 60, abs=8)
    assert found[-1].state == "ended", "a chain ends although its words are followed while it lives"


def test_a_word_that_is_followed_survives_a_restart() -> None:
    """At 235 minutes nothing surprises any more, so only the chain can know the words."""
    stream = lasting(4, per_minute=4)
    undisturbed = detector()
    play(undisturbed, stream, 235)
    sealed = undisturbed.seal()
    expected = play(undisturbed, stream, 245, since=235)
    restarted = detector()
    restarted.restore(sealed)
    assert play(restarted, stream, 245, judged_from=235) == expected != []
    assert restarted.seal() == undisturbed.seal()


def test_what_release_does_not_let_pass_is_judged_afresh_each_time() -> None:
    refused = play(detector(), STREAM, MINUTES, passes=lambda candidate: False)
    assert len({candidate.chain for candidate in refused}) == len(refused) > 1


def test_a_run_that_takes_up_at_a_checkpoint_finds_what_the_undisturbed_one_does() -> None:
    undisturbed = detector()
    play(undisturbed, STREAM, 40)
    sealed = undisturbed.seal()
    expected = play(undisturbed, STREAM, MINUTES, since=40)
    restarted = detector()
    restarted.restore(sealed)
    assert play(restarted, STREAM, MINUTES, judged_from=40) == expected != []
    assert restarted.seal() == undisturbed.seal()


def test_what_is_sealed_holds_no_word_that_fewer_than_k_used() -> None:
    watching = detector()
    play(watching, STREAM, 40)
    (chain,) = msgspec.msgpack.decode(watching.seal(), type=list[Chain])
    users = Counter(hash_ for row in FLOODED for hash_ in row["terms"])
    assert chain.terms
    assert all(users[hash_] >= K for hash_ in chain.terms)


def test_a_restored_baseline_is_the_one_that_was_stored() -> None:
    watching, restored = detector(), detector()
    play(watching, chatter(300, per_second=1.5), 300)
    stored = watching.baseline()
    restored.restore_baseline(stored)
    assert restored.baseline() == stored != detector().baseline()
