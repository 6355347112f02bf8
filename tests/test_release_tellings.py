"""Narratives at the line: told three times before it is out, and what may be remembered until then."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.candidates import Candidate, Counted, StepUse
from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.drops import Refusal
from groundswell.published import Narrative, Step
from groundswell.release import PublishKey
from tests.release_crowds import KEY, LISBON, NOON_US, crowd, gatekeeper, phrase

K, SENSITIVE_K = 20, 50


def telling(recurrences: int = 3, speakers: int = 1_000, **changes: Any) -> Candidate:
    """A narrative told for the so-manieth time by `speakers`, in plain words."""
    values: dict[str, Any] = {
        "kind": "narrative",
        "recurrences": recurrences,
        "category": "other",
        "words": (Counted("plastic", speakers), Counted("eggs", speakers)),
        "path": (StepUse(NOON_US - 63 * MINUTE_US, "plaza", "eng_Latn", speakers),),
    }
    return crowd("n1", speakers, **(values | changes))


def test_a_narrative_is_out_when_it_is_told_the_third_time() -> None:
    release = gatekeeper()
    for count in (1, 2):
        decision = release.decide([telling(count)], NOON_US)
        assert decision.records == []
        assert decision.fit["n1"].words == {"plastic", "eggs"}
        assert release.state() == gatekeeper().state()
    (record,) = release.decide([telling(3)], NOON_US).records
    assert isinstance(record, Narrative)
    assert record.recurrences == 3
    assert record.path == (Step(since="2026-05-01T10:55:00Z", source="plaza", language="eng_Latn"),)


def test_a_crowd_that_may_not_be_shown_may_not_be_remembered() -> None:
    release = gatekeeper()
    for refused in (
        telling(speakers=19),
        telling(person_share=0.2),
        telling(phrases=(phrase("jane roe"),)),
        telling(category="assembly"),
        telling(category="flood", person_share=0.31),
    ):
        assert release.decide([refused], NOON_US).fit == {}


def test_a_pile_on_that_recurs_is_neither_shown_nor_remembered() -> None:
    release = gatekeeper()
    decisions = [
        release.decide([telling(count, person_share=0.9, places=(LISBON,))], NOON_US + count * HOUR_US)
        for count in range(1, 9)
    ]
    assert [decision.records for decision in decisions] == [[]] * 8
    assert [decision.refused[Refusal.PERSON] for decision in decisions] == [1] * 8
    assert all(decision.fit == {} for decision in decisions)


def test_what_may_name_somebody_is_told_without_a_word_and_remembered_without_a_place() -> None:
    shared: dict[str, Any] = {
        "category": "flood", "places": (LISBON,), "domains": (Counted("janeroe.example", 1_000),),
        "cited": ("janeroe.example",), "fit_floor": 50,
    }  # fmt: skip
    for unclear, shown in ((0.15, True), (0.16, False)):
        decision = gatekeeper().decide([telling(unclear=unclear, **shared)], NOON_US)
        (record,) = decision.records
        assert isinstance(record, Narrative)
        assert (record.phrases != (), record.place is not None, record.domains != ()) == (shown,) * 3
        assert (record.category == "flood") is shown
        assert record.recurrences == 3
        assert record.path != ()
        assert (decision.fit["n1"].placed, decision.fit["n1"].domains != ()) == (shown, shown)


def test_what_was_shown_in_words_is_shown_without_them_when_the_crowd_may_name_somebody() -> None:
    release = gatekeeper()
    release.decide([telling(domains=(Counted("news.example", 1_000),), places=(LISBON,))], NOON_US)
    later = NOON_US + HOUR_US
    (record,) = release.decide([telling(4, unclear=1.0, tick_us=later, last_us=later)], later).records
    assert isinstance(record, Narrative)
    assert (record.phrases, record.place, record.domains) == ((), None, ())


def test_words_that_are_not_everyday_neither_show_nor_are_remembered() -> None:
    release = gatekeeper(everyday=lambda text: "plastic" not in text)
    decision = release.decide([telling(phrases=(phrase("plastic eggs"), phrase("shell")))], NOON_US)
    (record,) = decision.records
    assert isinstance(record, Narrative)
    assert record.phrases == ("shell",)
    assert decision.fit["n1"].words == {"eggs"}


def test_names_and_words_of_few_are_not_remembered() -> None:
    words = (Counted("plastic", 1_000), Counted("jane roe", 1_000), Counted("eggs", 19))
    decision = gatekeeper().decide([telling(words=words)], NOON_US)
    assert decision.fit["n1"].words == {"plastic"}


def test_what_was_shown_of_earlier_tellings_stays() -> None:
    release = gatekeeper()
    release.decide([telling(3, domains=(Counted("news.example", 1_000),))], NOON_US)
    later = NOON_US + 3 * HOUR_US
    moved = telling(
        4,
        tick_us=later,
        last_us=later,
        languages=(Counted("spa_Latn", 1_000),),
        sources=(Counted("square", 1_000), Counted("plaza", 1)),
        path=(StepUse(later, "square", "spa_Latn", 1_000),),
    )
    (record,) = release.decide([moved], later).records
    assert isinstance(record, Narrative)
    assert record.languages == ("eng_Latn", "spa_Latn")
    assert record.sources == ("plaza", "square")
    assert record.domains == ("news.example",)
    assert [(step.source, step.language) for step in record.path] == [
        ("plaza", "eng_Latn"),
        ("square", "spa_Latn"),
    ]


def test_steps_of_before_show_at_the_floor_they_passed() -> None:
    before: dict[str, Any] = {"path": (StepUse(NOON_US, "plaza", "eng_Latn", 0),), "cited": ("news.example",)}
    for fit_floor, shown in ((K, 0), (SENSITIVE_K, 1)):
        attack = telling(category="attack", fit_floor=fit_floor, **before)
        (record,) = gatekeeper().decide([attack], NOON_US).records
        assert isinstance(record, Narrative)
        assert len(record.path) == len(record.domains) == shown


def test_one_that_rests_is_only_said_to_fade() -> None:
    release = gatekeeper()
    (shown,) = release.decide([telling()], NOON_US).records
    rest = telling(speakers=0, state="fading", phrases=(), words=(), path=(), languages=(), sources=())
    (record,) = release.decide([rest], NOON_US + HOUR_US).records
    assert isinstance(shown, Narrative)
    assert isinstance(record, Narrative)
    assert (record.state, record.phrases, record.path) == ("fading", shown.phrases, shown.path)


def test_a_restored_process_goes_on_alike() -> None:
    release, restored = gatekeeper(), gatekeeper()
    release.decide([telling()], NOON_US)
    restored.restore(release.state())
    later = telling(4, tick_us=NOON_US + HOUR_US, last_us=NOON_US + HOUR_US)
    assert restored.decide([later], NOON_US + HOUR_US) == release.decide([later], NOON_US + HOUR_US)


def any_telling(random: Random) -> Candidate:
    """Counts around the floors, where the mistakes would be."""

    def some() -> int:
        return random.randint(0, 130)

    return telling(
        random.randint(1, 5),
        some(),
        tick_us=NOON_US,
        phrases=tuple(phrase(text, some()) for text in ("plastic eggs", "jane roe", "shell")),
        words=tuple(Counted(word, some()) for word in ("plastic", "eggs", "shell", "jane roe")),
        domains=tuple(Counted(domain, some()) for domain in ("news.example", "diary.example")),
        languages=tuple(Counted(code, some()) for code in ("eng_Latn", "spa_Latn")),
        sources=tuple(Counted(source, some()) for source in ("plaza", "square")),
        path=tuple(
            StepUse(NOON_US, source, code, random.randint(1, 130))
            for source in ("plaza", "square")
            for code in ("eng_Latn", "spa_Latn")
        ),
        category=random.choice(["other", "flood", "attack"]),
        person_share=random.choice([0.0, 0.0, 0.9]),
        unclear=random.choice([0.0, 0.0, 0.9]),
    )


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**63), st.binary(min_size=32, max_size=32).map(PublishKey))
def test_nothing_of_fewer_than_the_floor_is_shown_or_remembered(seed: int, key: PublishKey) -> None:
    candidate = any_telling(Random(seed))
    floor = SENSITIVE_K if candidate.category == "attack" else K
    decision = gatekeeper(key).decide([candidate], NOON_US)
    if candidate.speakers < floor or candidate.person_share > 0.3:
        assert decision.records == []
        assert decision.fit == {}
    said = {use.value: use.speakers for use in (*candidate.words, *candidate.domains)}
    said |= {use.text: use.speakers for use in candidate.phrases if use.text not in said}
    steps = {(step.source, step.language): step.speakers for step in candidate.path}
    for fit in decision.fit.values():
        assert all(said[value] >= floor for value in (*fit.words, *fit.domains))
        assert all(steps[step] >= floor for step in fit.steps)
        assert "jane roe" not in fit.words
    for record in decision.records:
        assert isinstance(record, Narrative)
        assert record.recurrences >= 3
        assert all(steps[step.source, step.language] >= floor for step in record.path)
        assert all(said[domain] >= floor for domain in record.domains)
        assert candidate.unclear == 0.0 or (record.phrases, record.domains) == ((), ())


@pytest.mark.parametrize("seed", range(3))
def test_the_crowds_above_take_both_paths(seed: int) -> None:
    tellings = [any_telling(Random(1_000 * seed + number)) for number in range(300)]
    shown = [bool(gatekeeper(KEY).decide([each], NOON_US).records) for each in tellings]
    assert 20 < sum(shown) < 280
