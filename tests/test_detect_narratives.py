"""The detector's look each quarter hour: what is told again, by made-up posts and the real line over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundswell.candidates import Candidate
from groundswell.clock import HOUR_US, MINUTE_US, QUARTER_US
from groundswell.detect import TICK_US, Detector
from groundswell.drops import Refusal
from groundswell.metrics import Metrics
from groundswell.release import Release
from tests.enriched_posts import (
    CATEGORIES,
    NOON_US,
    PLACES,
    SMALL,
    K,
    Row,
    batch,
    hashed,
    post,
    term,
)
from tests.release_crowds import gatekeeper

LINK = hashed("link")
CLAIM = (
    "eggs plastic supermarket crack shell look",
    "plastic eggs supermarket never chickens shell",
    "crack eggs shell plastic supermarket tell",
)
SPANISH = ("huevos plastico supermercado rompe cascara mira", "cascara huevos plastico gallinas supermercado")


def telling(hour: float, texts: Sequence[str] = CLAIM, size: int = 60, **changes: object) -> list[Row]:
    """So many speakers say it within half an hour; two in five link to one page."""
    rng = np.random.default_rng(int(hour * 100))
    rows = []
    for number, minute in enumerate(np.sort(rng.uniform(0, 30, size)).tolist()):
        linked = number // len(texts) % 5 < 2
        link = {"link_keys": [LINK], "domains": ["eggfiles.example"]} if linked else {}
        row = post((hour * 60 + minute) * 60, int(hour * 1000) + number, texts[number % len(texts)], **link)
        rows.append(row | changes | {"shape": hashed("shape", hour, number)})
    return rows


def everyday(hours: float, seed: int = 1) -> list[Row]:
    """Two posts a minute of six everyday words out of two hundred."""
    rng = np.random.default_rng(seed)
    return [
        post(float(time), int(rng.integers(400)), " ".join(f"word{w}" for w in rng.integers(0, 200, 6)))
        for time in np.sort(rng.uniform(0, hours * 3600, int(120 * hours)))
    ]


def watching() -> Detector:
    return Detector(SMALL, PLACES, CATEGORIES, floor_k=K, plain=lambda word: word not in ("jane", "roe"))


def play(detector: Detector, release: Release, posts: Sequence[Row], until: float) -> list[Candidate]:
    """Tick through to `until` hours after noon, and look each quarter hour; what was fit to be remembered."""
    rows = batch(posts)
    times_us = rows.column("time_us").to_numpy()
    found, at = [], 0
    for now_us in range(NOON_US + TICK_US, NOON_US + int(until * HOUR_US) + 1, TICK_US):
        end = int(np.searchsorted(times_us, now_us))
        detector.wait(rows.slice(at, end - at))
        at = end
        detector.tick(now_us)
        if now_us % QUARTER_US == 0:
            candidates = detector.narratives.look(now_us)
            decision = release.decide(candidates, now_us)
            detector.narratives.settle(decision.fit, decision.released)
            found += [each for each in candidates if each.chain in decision.fit]
    return found


TWICE = [*everyday(8), *telling(1.0), *telling(4.0)]
THRICE = [*TWICE, *telling(6.2)]


def test_what_is_told_three_times_is_one_narrative() -> None:
    found = play(watching(), gatekeeper(), THRICE, 7.5)
    assert {each.chain for each in found} == {found[0].chain}
    assert [count for count in (1, 2, 3) if any(each.recurrences == count for each in found)] == [1, 2, 3]
    assert found[-1].first_us < NOON_US + 65 * MINUTE_US
    assert max(each.speakers for each in found) == 60


def test_other_words_in_another_language_that_cite_the_same_page_are_the_same_narrative() -> None:
    moved = [*TWICE, *telling(6.2, (*CLAIM, *SPANISH)), *telling(7.7, SPANISH, lang="spa_Latn")]
    found = play(watching(), gatekeeper(), moved, 9.0)
    assert {each.chain for each in found} == {found[0].chain}
    assert found[-1].recurrences == 4
    assert {(step.source, step.language) for step in found[-1].path} == {
        ("plaza", "eng_Latn"),
        ("plaza", "spa_Latn"),
    }


def test_two_claims_are_two_narratives() -> None:
    other = ("banks freeze savings account friday cash", "cash friday banks savings account frozen")
    both = [*THRICE, *(row for hour in (1.1, 4.2) for row in telling(hour, other, link_keys=[]))]
    assert len({each.chain for each in play(watching(), gatekeeper(), both, 7.5)}) == 2


def test_a_text_with_its_link_unchanged_is_a_page_and_no_narrative() -> None:
    shared = [
        row | {"shape": hashed("page"), "link_keys": [LINK]}
        for hour in (1.0, 4.0)
        for row in telling(hour, CLAIM[:1])
    ]
    assert play(watching(), gatekeeper(), [*everyday(5), *shared], 5.0) == []


def test_a_greeting_has_too_few_words_of_its_own() -> None:
    greeting = [row for hour in (1.0, 4.0) for row in telling(hour, ("sunny morning",), link_keys=[])]
    assert play(watching(), gatekeeper(), [*everyday(5), *greeting], 5.0) == []


def test_what_fewer_than_k_say_is_not_looked_at() -> None:
    few = [row for hour in (1.0, 4.0) for row in telling(hour, size=K - 1)]
    assert play(watching(), gatekeeper(), [*everyday(5), *few], 5.0) == []


def test_what_the_line_refuses_is_not_remembered() -> None:
    scold = (
        "jane roe should shame fired today",
        "look what jane roe posted everybody",
        "jane roe still works there disgusting",
        "never forget jane roe said sorry",
    )
    against = [row for hour in (1.0, 4.0) for row in telling(hour, scold, naming=1)]
    detector = watching()
    metrics = Metrics()
    assert play(detector, gatekeeper(metrics=metrics), [*everyday(5), *against], 5.0) == []
    assert metrics.release_refused.labels(Refusal.PERSON)._value.get() > 2
    assert detector.narratives.seal() == watching().narratives.seal()


def test_of_what_may_name_somebody_the_plain_words_alone_are_remembered() -> None:
    scold = ("jane roe shame fired today should", "shame fired should jane roe today everybody")
    against = [row for hour in (1.0, 4.0, 6.2) for row in telling(hour, scold, naming=1)]
    detector, release = watching(), gatekeeper()
    play(detector, release, [*everyday(7.5), *against], 7.5)
    (refrain,) = detector.narratives._refrains
    assert refrain.told
    assert not {term("jane"), term("roe")} & {refrain.seed, *refrain.terms}
    state = release.state()
    assert not any(word in state for word in (b"jane", b"roe", b"shame", b"eggfiles"))


def test_where_names_are_made_of_everyday_syllables_no_word_is_plain() -> None:
    detector = watching()
    told = play(detector, gatekeeper(), [*everyday(2), *telling(1.0, lang="vie_Latn")], 2.0)
    assert told != []
    assert {(each.words, each.phrases, each.unclear) for each in told} == {((), (), 1.0)}
    assert len(detector.narratives._refrains) == 0  # one link alone is not enough to know it again by
    english = play(watching(), gatekeeper(), [*everyday(2), *telling(1.0)], 2.0)
    assert english[0].words != ()


def test_only_what_k_speakers_share_is_remembered() -> None:
    detector, rows = watching(), telling(1.0, size=45)
    play(detector, gatekeeper(), [*everyday(2), *rows], 2.0)
    (refrain,) = detector.narratives._refrains
    users: dict[int, set[int]] = {}
    for row in rows:
        for value in (*row["terms"], *row["link_keys"]):
            users.setdefault(value, set()).add(row["speaker"])
    remembered = [*refrain.terms, *refrain.link_keys]
    assert len(remembered) >= 4
    assert all(len(users[value]) >= K for value in remembered)


def test_a_restart_between_two_tellings_goes_on_alike() -> None:
    detector, release = watching(), gatekeeper()
    play(detector, release, [row for row in THRICE if row["time_us"] < NOON_US + 3 * HOUR_US], 3.0)
    restarted, released = watching(), gatekeeper()
    restarted.narratives.restore(detector.narratives.seal())
    released.restore(release.state())
    assert [each.id for each in restarted.narratives._refrains]
    assert restarted.narratives.seal() == detector.narratives.seal()
