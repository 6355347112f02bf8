"""Properties of the line over any sequence of candidates, checked against the candidates themselves.

The oracle below is written from `docs/privacy.md`, not from the code: it knows what a record may say, and
looks at exact counts to see whether it was so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.candidates import Candidate, Counted
from groundswell.clock import floor_to, rfc3339
from groundswell.drops import Refusal
from groundswell.published import Amplification, Bin, Event, Record, to_json
from groundswell.release import Decision, PublishKey, Release, ReleaseSettings
from groundswell.release.ladder import rungs
from tests.release_crowds import HAMLET, LISBON, MINUTE_US, NOON_US, PORTUGAL, crowd, gatekeeper, phrase
from tests.test_release_ladder import lower_bound

K, SENSITIVE_K = 20, 50
SENSITIVE = {"attack", "assembly", "election", "outbreak"}
TICK_US = 10_000_000

TEXTS = ["flood", "flash flood", "bridge closed", "jane roe", "school", "stampede", "call 555 123 4567"]
keys = st.binary(min_size=32, max_size=32).map(PublishKey)


def some(random: Random) -> int:
    """A count around the floors, where the mistakes would be."""
    return random.randint(0, 130)


def used(random: Random, *values: str) -> tuple[Counted, ...]:
    chosen = random.sample(values, random.randint(0, len(values)))
    return tuple(Counted(value, some(random)) for value in chosen)


def any_candidate(random: Random, chain: str, tick_us: int) -> Candidate:
    start_us = floor_to(tick_us, 5 * MINUTE_US)
    places = random.sample([LISBON, HAMLET, PORTUGAL], random.randint(0, 3))
    return crowd(
        chain,
        some(random),
        kind=random.choice(["event", "event", "amplification"]),
        tick_us=tick_us,
        first_us=NOON_US - random.choice([30, 600]) * MINUTE_US,
        last_us=tick_us - 1,
        phrases=tuple(phrase(random.choice(TEXTS), some(random)) for _ in range(random.randint(0, 5))),
        places=tuple(msgspec.structs.replace(place, speakers=some(random)) for place in places),
        languages=used(random, "eng_Latn", "por_Latn", "und"),
        sources=used(random, "plaza", "square"),
        domains=used(random, "news.example", "diary.example"),
        bins=tuple((start_us - back * 5 * MINUTE_US, some(random)) for back in range(1, 4)),
        category=random.choice(["flood", "attack", "assembly", "other"]),
        state=random.choice(["new", "growing", "steady", "fading", "ended"]),
        person_share=random.choice([0.0, 0.0, 0.0, 0.9]),
        naming=random.choice([0.0, 0.0, 0.1, 0.9]),
        unclear=random.choice([0.0, 0.0, 0.1, 0.9]),
    )


def any_history(random: Random) -> list[list[Candidate]]:
    """Up to a dozen ticks, ten seconds or five minutes apart, of up to two chains."""
    tick_us, history = NOON_US, []
    for _ in range(random.randint(1, 12)):
        chains = random.sample(["a", "b"], random.randint(1, 2))
        history.append([any_candidate(random, chain, tick_us) for chain in chains])
        tick_us += TICK_US * random.choice([1, 1, 30])
    return history


# Drawn from a seed instead of part by part: far faster, and the seed is all that a failure needs.
histories = st.integers(0, 2**63).map(lambda seed: any_history(Random(seed)))


def published(release: Release, history: list[list[Candidate]]) -> list[Decision]:
    return [release.decide(tick, tick[0].tick_us) for tick in history]


def speaks_of_enough(
    record: Event | Amplification, candidate: Candidate, most: int, shown: set[tuple[str, str]]
) -> None:
    """Fail when `record` shows what fewer than the floor said; `most` is the chain's largest crowd.

    `shown` are the phrases and places that earlier revisions showed by right: they may stay.
    """
    floor = SENSITIVE_K if candidate.category in SENSITIVE else K
    assert candidate.speakers >= floor
    assert candidate.person_share <= 0.3
    assert K <= lower_bound(record.accounts) <= most
    if isinstance(record, Amplification):
        assert candidate.naming <= 0.15
        if candidate.naming + candidate.unclear > 0.15:
            assert (record.phrases, record.domains, record.place) == ((), (), None)
    else:
        assert record.phrases
    for text in record.phrases:
        now = max((use.speakers for use in candidate.phrases if use.text == text), default=0)
        assert now >= floor or ("phrase", text) in shown
        assert text not in ("jane roe", "call 555 123 4567")
        shown.add(("phrase", text))
    for values, uses in (
        (record.languages, candidate.languages),
        (record.domains, candidate.domains),
        (record.sources, candidate.sources if len(candidate.sources) > 1 else ()),
    ):
        exact = {use.value: use.speakers for use in uses}
        assert all(exact.get(value, floor) >= floor for value in values)
    if record.place is not None:
        now = max((place.speakers for place in candidate.places), default=0)
        assert now >= floor or ("place", record.place.name) in shown
        assert record.place.name != HAMLET.name
        shown.add(("place", record.place.name))


@settings(max_examples=1_000, deadline=None)
@given(histories, keys)
def test_no_reachable_record_speaks_of_fewer_than_k(history: list[list[Candidate]], key: PublishKey) -> None:
    release = gatekeeper(key)
    most: dict[str, int] = defaultdict(int)
    last: dict[str, list[Event | Amplification]] = defaultdict(list)
    shown: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for tick in history:
        for candidate in tick:
            decision = release.decide([candidate], candidate.tick_us)
            most[candidate.chain] = max(most[candidate.chain], candidate.speakers)
            for record in decision.records:
                assert isinstance(record, Event | Amplification)
                standing = last[candidate.chain]
                if not any(only_ends(record, before) for before in standing):
                    speaks_of_enough(record, candidate, most[candidate.chain], shown[candidate.chain])
                last[candidate.chain] = [record, *standing]
            for bin in decision.bins:
                floor = SENSITIVE_K if candidate.category in SENSITIVE else K
                exact = {rfc3339(start_us): speakers for start_us, speakers in candidate.bins}
                if bin.accounts is not None:
                    assert floor <= exact[bin.start]
                    assert lower_bound(bin.accounts) <= exact[bin.start]
                    assert lower_bound(bin.accounts) <= lower_bound(last[candidate.chain][0].accounts)


def test_the_histories_take_every_path() -> None:
    refused: Counter[Refusal] = Counter()
    records: list[Record] = []
    for seed in range(150):
        for decision in published(gatekeeper(), any_history(Random(seed))):
            refused += decision.refused
            records += decision.records
    assert set(refused) == set(Refusal)
    assert {type(record) for record in records} == {Event, Amplification}
    assert len(records) > 300
    crowds = [record for record in records if isinstance(record, Event | Amplification)]
    assert {record.place.level for record in crowds if record.place} == {"cell", "country"}


def only_ends(record: Record, before: Record) -> bool:
    """Whether `record` repeats what was published with nothing changed but its state."""
    return msgspec.structs.replace(record, state=before.state, published_at=before.published_at) == before


@settings(max_examples=300, deadline=None)
@given(histories, keys)
def test_labels_never_go_down(history: list[list[Candidate]], key: PublishKey) -> None:
    highest: dict[str, int] = defaultdict(int)
    for decision in published(gatekeeper(key), history):
        for record in decision.records:
            assert isinstance(record, Event | Amplification)
            assert lower_bound(record.accounts) >= highest[record.id]
            highest[record.id] = lower_bound(record.accounts)


@settings(max_examples=300, deadline=None)
@given(histories, keys)
def test_a_bin_is_published_once(history: list[list[Candidate]], key: PublishKey) -> None:
    bins = [bin for decision in published(gatekeeper(key), history) for bin in decision.bins]
    assert len({(bin.series, bin.start) for bin in bins}) == len(bins)


def as_bytes(decisions: list[Decision]) -> list[bytes]:
    lines: list[Record | Bin] = []
    for decision in decisions:
        lines += [*decision.records, *decision.bins]
    return [to_json(line) for line in lines]


@settings(max_examples=300, deadline=None)
@given(histories, keys)
def test_the_same_input_publishes_the_same_records_twice(
    history: list[list[Candidate]], key: PublishKey
) -> None:
    one, two = gatekeeper(key), gatekeeper(key)
    assert as_bytes(published(one, history)) == as_bytes(published(two, history))
    assert one.state() == two.state()


@settings(max_examples=300, deadline=None)
@given(histories, keys, st.integers(0, 12))
def test_a_restored_process_goes_on_as_if_never_killed(
    history: list[list[Candidate]], key: PublishKey, killed_after: int
) -> None:
    undisturbed, killed, restored = gatekeeper(key), gatekeeper(key), gatekeeper(key)
    whole = published(undisturbed, history)
    before = published(killed, history[:killed_after])
    restored.restore(killed.state())
    after = published(restored, history[killed_after:])
    assert as_bytes(before + after) == as_bytes(whole)
    assert restored.state() == undisturbed.state()


def test_the_state_holds_published_material_only() -> None:
    secret = crowd(speakers=837, phrases=(phrase("flash flood", 611), phrase("jane roe", 700)))
    release = gatekeeper()
    release.decide([secret, crowd("refused", 3)], NOON_US)
    state = release.state()
    chains, _ = msgspec.msgpack.decode(state)
    (standing,) = chains.values()
    assert set(standing) == {
        "record",
        "rung",
        "last_seen_us",
        "phrases",
        "bins_until_us",
        "sensitive",
        "coarse",
    }
    assert (837).to_bytes(2, "big") not in state
    assert (611).to_bytes(2, "big") not in state
    assert b"jane" not in state
    assert b"refused" not in state


def upper_bound(shown: str | None, steps: tuple[int, ...] = rungs(K)) -> int:
    """The most accounts that a reader who knows the rule, not the secrets, must reckon with.

    The next rung shows at 2r' − 1 accounts at the latest; without a label the first rung is the next.
    """
    following = 0 if shown is None else steps.index(lower_bound(shown)) + 1
    return 2 * steps[following] - 2


def test_fifty_thousand_pairs_of_crowd_and_part_give_away_no_small_count() -> None:
    """A parent is a crowd's total at one tick; its children are its bins, and who came until a later tick.

    From every published pair the tightest bounds that follow are worked out; none may be false, and none
    may say that a part holds fewer than k.
    """
    rng = np.random.default_rng(20)
    release = gatekeeper(settings=ReleaseSettings(k=K, sensitive_k=SENSITIVE_K))
    pairs = inferences = 0
    for number in range(120):
        chain, speakers, totals, bins = f"chain-{number}", set[int](), {}, {}
        exact: list[tuple[int, int]] = []
        population, rate = int(rng.integers(15, 600)), float(rng.choice([3, 12, 30, 80]))
        for tick in range(1, 37):
            tick_us = NOON_US + tick * 5 * MINUTE_US
            present = set(rng.integers(0, population, rng.poisson(rate)).tolist())
            speakers |= present
            exact.append((tick_us - 5 * MINUTE_US, len(present)))
            candidate = crowd(
                chain, len(speakers), seed=number, tick_us=tick_us, last_us=tick_us - 1, bins=tuple(exact)
            )
            decision = release.decide([candidate], tick_us)
            for record in decision.records:
                assert isinstance(record, Event)
                totals[tick_us] = (record.accounts, len(speakers))
            present_at = {rfc3339(start_us): (start_us, count) for start_us, count in exact}
            for bin in decision.bins:
                start_us, count = present_at[bin.start]
                bins[start_us] = (bin.accounts, count)
        for total_us, (total, exact_total) in totals.items():
            assert lower_bound(total) <= exact_total <= upper_bound(total)
            for start_us, (part, exact_part) in bins.items():
                if start_us >= total_us:
                    continue
                at_most = min(upper_bound(part), upper_bound(total)) if part != total else upper_bound(total)
                assert (lower_bound(part) if part else 0) <= exact_part <= at_most
                pairs += 1
                inferences += at_most < K
            for later_us, (later, exact_later) in totals.items():
                if later_us <= total_us:
                    continue
                newcomers_at_most = upper_bound(later) - lower_bound(total)
                assert exact_later - exact_total <= newcomers_at_most
                pairs += 1
                inferences += newcomers_at_most < K
    assert pairs >= 50_000
    assert inferences == 0


@pytest.mark.parametrize("k", range(10, 200, 7))
def test_no_label_bounds_a_crowd_tighter_than_k_from_above(k: int) -> None:
    steps = rungs(k)
    for rung, following in zip((0, *steps), steps, strict=False):
        assert (2 * following - 2) - rung >= k - 2
