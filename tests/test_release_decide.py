"""The door: what a candidate becomes, when a revision is published, and what stays refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from groundswell.candidates import Candidate, Counted
from groundswell.clock import rfc3339
from groundswell.drops import Refusal
from groundswell.errors import StoreError
from groundswell.published import Amplification, Bin, Event
from groundswell.release import Decision, Marks, Release, ReleaseSettings
from tests.release_crowds import (
    HAMLET,
    HOUR_US,
    LISBON,
    MINUTE_US,
    NOON_US,
    SECOND_US,
    crowd,
    gatekeeper,
    phrase,
)

TICK_US = 10 * SECOND_US


def at(tick_us: int, **changes: Any) -> Candidate:
    """The usual crowd a while later, last heard of just before the tick."""
    return crowd(**({"tick_us": tick_us, "last_us": tick_us - SECOND_US} | changes))


def decide(release: Release, candidate: Candidate) -> Decision:
    return release.decide([candidate], candidate.tick_us)


def only(decision: Decision) -> Any:
    (record,) = decision.records
    return record


def test_a_crowd_becomes_a_record() -> None:
    candidate = crowd(
        places=(LISBON,),
        languages=(Counted("por_Latn", 900), Counted("und", 60), Counted("spa_Latn", 19)),
        sources=(Counted("plaza", 990), Counted("square", 10)),
        domains=(Counted("news.example", 20), Counted("diary.example", 19)),
    )
    decision = decide(gatekeeper(), candidate)
    assert only(decision) == Event(
        id="c1",
        first_seen="2026-05-01T11:30:00Z",
        last_seen="2026-05-01T11:59:00Z",
        published_at="2026-05-01T12:00:00Z",
        accounts=only(decision).accounts,
        phrases=("flash flood",),
        category="flood",
        place=only(decision).place,
        languages=("por_Latn",),
        sources=("plaza",),
        domains=("news.example",),
        state="growing",
    )
    assert only(decision).accounts in ("500+", "1k+")
    assert only(decision).place.name == "Lisbon"
    assert decision.released == {"c1"}
    assert not decision.refused


def test_the_only_source_is_named_whatever_its_crowd() -> None:
    record = only(decide(gatekeeper(), crowd(sources=(Counted("plaza", 3),))))
    assert record.sources == ("plaza",)


def test_marks_are_on_every_record() -> None:
    record = only(decide(gatekeeper(marks=Marks(simulated=True, replayed=True)), crowd()))
    assert (record.simulated, record.replayed) == (True, True)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (crowd(speakers=19), Refusal.BELOW_FLOOR),
        (crowd(speakers=49, category="attack"), Refusal.BELOW_FLOOR),
        (crowd(person_share=0.5), Refusal.PERSON),
        (crowd(category="assembly"), Refusal.DELAYED),
        (crowd(phrases=()), Refusal.NO_PHRASE),
        (crowd(phrases=(phrase("jane roe"),)), Refusal.NO_PHRASE),
        (crowd(phrases=(phrase("flash flood", 19),)), Refusal.NO_PHRASE),
        (crowd(category="attack", phrases=(phrase("gas leak", 49),)), Refusal.NO_PHRASE),
    ],
)
def test_a_refusal_is_counted_and_says_nothing(candidate: Candidate, reason: Refusal) -> None:
    release = gatekeeper()
    decision = decide(release, msgspec.structs.replace(candidate, bins=((NOON_US - HOUR_US, 900),)))
    assert (decision.records, decision.bins, decision.released) == ([], [], set())
    assert decision.refused == {reason: 1}


def test_refusals_and_records_are_in_the_metrics() -> None:
    release = gatekeeper()
    release.decide([crowd("a"), crowd("b", speakers=3), crowd("c", speakers=4)], NOON_US)
    registry = release._metrics.registry
    assert registry.get_sample_value("groundswell_release_records_total", {"kind": "event"}) == 1
    refused = {"reason": "below_floor"}
    assert registry.get_sample_value("groundswell_release_refused_candidates_total", refused) == 2


def test_twice_the_floor_is_always_enough() -> None:
    release = gatekeeper()
    crowds = [crowd(f"c{seed}", speakers=39, seed=seed) for seed in range(200)]
    decision = release.decide(crowds, NOON_US)
    assert {record.accounts for record in decision.records if isinstance(record, Event)} == {"20+"}
    assert len(decision.records) == 200


def test_chains_of_one_seed_and_day_pass_together_or_not_at_all() -> None:
    for speakers in range(20, 40):
        chains = [crowd(f"c{number}", speakers=speakers) for number in range(20)]
        assert len(gatekeeper().decide(chains, NOON_US).records) in (0, 20)


def test_a_crowd_that_lasts_does_not_draw_its_threshold_anew_each_day() -> None:
    def passed(tick_us: int) -> set[str]:
        crowds = [at(tick_us, chain=f"c{seed}", speakers=29, seed=seed) for seed in range(60)]
        return gatekeeper().decide(crowds, tick_us).released

    assert 10 < len(passed(NOON_US)) < 50
    assert passed(NOON_US) == passed(NOON_US + 24 * HOUR_US) == passed(NOON_US + 10 * SECOND_US)


def test_nothing_new_means_no_revision_until_five_minutes_have_passed() -> None:
    release = gatekeeper()
    decide(release, at(NOON_US))
    published = []
    for tick_us in range(NOON_US + TICK_US, NOON_US + 12 * MINUTE_US, TICK_US):
        published += decide(release, at(tick_us)).records
    assert [record.last_seen for record in published] == [
        "2026-05-01T12:00:00Z",
        "2026-05-01T12:05:00Z",
        "2026-05-01T12:10:00Z",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"phrases": (phrase("flash flood"), phrase("bridge closed"))},
        {"places": (LISBON,)},
        {"category": "storm"},
        {"state": "fading"},
        {"languages": (Counted("por_Latn", 500),)},
        {"domains": (Counted("news.example", 500),)},
        {"speakers": 100_000},
    ],
)
def test_whatever_a_reader_sees_makes_a_revision(change: dict[str, Any]) -> None:
    release = gatekeeper()
    first = only(decide(release, crowd()))
    second = only(decide(release, crowd(tick_us=NOON_US + TICK_US, **change)))
    assert second.published_at > first.published_at
    assert second.id == first.id


def test_confidence_and_order_alone_do_not() -> None:
    release = gatekeeper()
    phrases = (phrase("flash flood"), phrase("bridge closed"))
    decide(release, crowd(phrases=phrases, places=(LISBON,)))
    surer = msgspec.structs.replace(LISBON, confidence=0.9)
    later = crowd(tick_us=NOON_US + TICK_US, phrases=phrases[::-1], places=(surer,))
    assert decide(release, later).records == []


def test_a_full_set_of_phrases_gives_way_only_to_phrases_of_more_speakers() -> None:
    release = gatekeeper()
    letters = [phrase(f"{letter} street", 99) for letter in "abcdefgh"]  # all on the rung of 50
    first = only(decide(release, crowd(phrases=tuple(letters))))
    reshuffled = crowd(tick_us=NOON_US + TICK_US, phrases=(phrase("i street", 99), *letters))
    assert decide(release, reshuffled).records == []
    louder = crowd(tick_us=NOON_US + 2 * TICK_US, phrases=(phrase("i street", 450), *letters))
    second = only(decide(release, louder))
    assert set(second.phrases) - set(first.phrases) == {"i street"}


def test_a_matter_keeps_its_name_when_the_words_move_on() -> None:
    release = gatekeeper()
    decide(release, crowd(phrases=(phrase("flash flood", 400),)))
    later = only(decide(release, crowd(tick_us=NOON_US + TICK_US, phrases=(phrase("donations", 30),))))
    assert later.phrases == ("flash flood", "donations")


def test_a_label_never_goes_down_and_a_crowd_grown_small_may_only_end() -> None:
    release = gatekeeper()
    first = only(decide(release, at(NOON_US, speakers=300)))
    smaller = only(decide(release, at(NOON_US + HOUR_US, speakers=90)))
    assert smaller.accounts == first.accounts
    tiny = at(NOON_US + 2 * HOUR_US, speakers=3, phrases=(phrase("something else", 3),))
    decision = decide(release, tiny)
    assert (decision.records, decision.refused) == ([], {Refusal.BELOW_FLOOR: 1})
    over = at(NOON_US + 3 * HOUR_US, speakers=3, state="ended", phrases=(phrase("something else", 3),))
    ended = only(decide(release, over))
    assert ended == msgspec.structs.replace(smaller, state="ended", published_at="2026-05-01T15:00:00Z")
    assert decide(release, over).records == []


def test_an_assembly_is_published_after_its_delay_without_its_last_six_hours_of_bins() -> None:
    release = gatekeeper()
    began_us = NOON_US - 30 * MINUTE_US
    late_us = began_us + 6 * HOUR_US
    bins = tuple((start_us, 900) for start_us in range(began_us, late_us - 5 * MINUTE_US, 5 * MINUTE_US))
    march = at(late_us - TICK_US, category="assembly", places=(LISBON,), bins=bins)
    assert decide(release, march).refused == {Refusal.DELAYED: 1}
    decision = decide(release, at(late_us + HOUR_US, category="assembly", places=(LISBON,), bins=bins))
    assert only(decision).published_at == rfc3339(late_us + HOUR_US)
    assert len(decision.bins) == 12
    assert decision.bins[-1].start == rfc3339(began_us + 55 * MINUTE_US)


def test_a_threat_to_life_that_few_tell_of_lifts_no_delay() -> None:
    march = crowd(category="assembly", phrases=(phrase("march", 400), phrase("stampede", 49)))
    assert decide(gatekeeper(), march).refused == {Refusal.DELAYED: 1}


def test_a_threat_to_life_at_an_assembly_shows_at_once_and_coarsely() -> None:
    march = crowd(category="assembly", places=(HAMLET,), phrases=(phrase("stampede", 400),))
    assert only(decide(gatekeeper(), march)).place.level == "country"


def test_what_was_once_sensitive_is_never_shown_more_finely() -> None:
    release = gatekeeper()
    attack = crowd(category="attack", places=(LISBON,), phrases=(phrase("school shooting"),))
    coarse = only(decide(release, attack)).place
    later = at(NOON_US + HOUR_US, places=(LISBON,), speakers=49, phrases=(phrase("flash flood", 49),))
    assert decide(release, later).refused == {Refusal.BELOW_FLOOR: 1}
    assert only(decide(release, at(NOON_US + 2 * HOUR_US, places=(LISBON,)))).place.h3 == coarse.h3


def test_a_published_chain_that_becomes_a_pile_on_shows_nothing_but_its_end() -> None:
    release = gatekeeper()
    first = only(decide(release, crowd()))
    later = at(NOON_US + HOUR_US, person_share=0.9, bins=((NOON_US, 900),))
    decision = decide(release, later)
    assert (decision.records, decision.bins, decision.refused) == ([], [], {Refusal.PERSON: 1})
    ended = only(decide(release, msgspec.structs.replace(later, state="ended")))
    assert ended == msgspec.structs.replace(first, state="ended", published_at=rfc3339(NOON_US + HOUR_US))


def test_amplification_shows_no_exact_figure() -> None:
    copies = crowd(kind="amplification", p_value=3.2e-19, spread_seconds=41.7)
    record = only(decide(gatekeeper(), copies))
    assert isinstance(record, Amplification)
    assert (record.p_value, record.spread_seconds) == (1e-6, 50.0)
    weak = crowd(kind="amplification", p_value=0.0042, spread_seconds=None)
    assert only(decide(gatekeeper(), weak)).p_value == 0.01


def test_copies_without_a_phrase_that_may_show_are_told_of_by_their_link_alone() -> None:
    copies = crowd(
        kind="amplification", category="other", phrases=(),
        domains=(Counted("paper.example", 900),), p_value=1e-3, spread_seconds=60.0,
    )  # fmt: skip
    record = only(decide(gatekeeper(), copies))
    assert isinstance(record, Amplification)
    assert (record.phrases, record.domains) == ((), ("paper.example",))
    for few in ((), (Counted("paper.example", 19),)):
        unlinked = msgspec.structs.replace(copies, domains=few)
        assert decide(gatekeeper(), unlinked).refused == {Refusal.NO_PHRASE: 1}


def test_copies_show_everyday_words_only() -> None:
    release = gatekeeper(everyday=lambda text: "zelvira" not in text)
    phrases = (phrase("zelvira morantu"), phrase("must resign"))
    copies = crowd(kind="amplification", phrases=phrases, p_value=1e-3, spread_seconds=60.0)
    assert only(decide(release, copies)).phrases == ("must resign",)
    assert "zelvira morantu" in only(decide(gatekeeper(), crowd(phrases=phrases))).phrases


def test_of_copies_that_may_name_somebody_only_the_crowd_shows() -> None:
    copies = crowd(
        kind="amplification", unclear=1.0, domains=(Counted("paper.example", 900),), p_value=1e-3,
        spread_seconds=60.0,
    )  # fmt: skip
    release = gatekeeper()
    more = msgspec.structs.replace(copies, tick_us=NOON_US + TICK_US, speakers=9_000)
    for said in (copies, more):
        record = only(decide(release, said))
        assert isinstance(record, Amplification)
        assert (record.phrases, record.domains, record.place, record.category) == ((), (), None, "other")


def test_copies_that_may_name_somebody_show_nothing_of_the_event_that_stood_before_them() -> None:
    release = gatekeeper()
    event = only(decide(release, crowd(places=(LISBON,))))
    copies = crowd(
        tick_us=NOON_US + TICK_US, kind="amplification", places=(LISBON,), unclear=1.0, p_value=1e-3,
        spread_seconds=60.0,
    )  # fmt: skip
    record = decide(release, copies).records[-1]
    assert isinstance(record, Amplification)
    assert event.place is not None
    assert (record.phrases, record.place) == ((), None)


def test_an_event_without_a_phrase_is_not_told_of_by_its_link() -> None:
    wordless = crowd(phrases=(), domains=(Counted("paper.example", 900),))
    assert decide(gatekeeper(), wordless).refused == {Refusal.NO_PHRASE: 1}


def test_an_event_that_turns_out_to_be_amplification_ends_as_an_event() -> None:
    release = gatekeeper()
    decide(release, crowd())
    later = crowd(tick_us=NOON_US + TICK_US, kind="amplification", p_value=1e-3, spread_seconds=60.0)
    event, copies = decide(release, later).records
    assert isinstance(event, Event)
    assert (event.state, event.published_at) == ("ended", rfc3339(NOON_US + TICK_US))
    assert isinstance(copies, Amplification)
    assert copies.accounts == event.accounts


def test_bins_are_published_once_closed_and_never_again() -> None:
    release = gatekeeper()
    bins = ((NOON_US - 10 * MINUTE_US, 900), (NOON_US - 5 * MINUTE_US, 3), (NOON_US, 900))
    first = decide(release, crowd(bins=bins)).bins
    assert [(bin.start, bin.accounts is None) for bin in first] == [
        ("2026-05-01T11:50:00Z", False),
        ("2026-05-01T11:55:00Z", True),
    ]
    assert decide(release, at(NOON_US + TICK_US, bins=bins)).bins == []
    grown = ((NOON_US - 5 * MINUTE_US, 900), (NOON_US, 900))
    assert [bin.start for bin in decide(release, at(NOON_US + 5 * MINUTE_US, bins=grown)).bins] == [
        "2026-05-01T12:00:00Z"
    ]


def test_a_bin_never_shows_more_than_its_record() -> None:
    for number in range(60):
        decision = decide(gatekeeper(), crowd(f"c{number}", 60, seed=number, bins=((NOON_US - HOUR_US, 60),)))
        shown = {bin.accounts for bin in decision.bins}
        assert shown <= {None, "20+", only(decision).accounts}


def test_a_steady_crowd_draws_a_steady_line() -> None:
    bins = tuple((NOON_US - number * 5 * MINUTE_US, 30) for number in range(1, 36))
    shown = {bin.accounts for bin in decide(gatekeeper(), crowd(bins=bins)).bins}
    assert len(shown) == 1


def test_a_higher_k_holds_for_everything() -> None:
    release = gatekeeper(settings=ReleaseSettings(k=100, sensitive_k=100))
    uses = (phrase("flash flood", 100), phrase("bridge closed", 99))
    record = only(decide(release, crowd(phrases=uses, languages=(Counted("por_Latn", 99),))))
    assert (record.phrases, record.languages) == (("flash flood",), ())


def test_a_chain_nobody_speaks_of_is_forgotten_after_two_days() -> None:
    release = gatekeeper()
    decide(release, crowd())
    empty = gatekeeper().state()
    release.decide([], NOON_US + 47 * HOUR_US)
    assert release.state() != empty
    release.decide([], NOON_US + 49 * HOUR_US)
    assert release.state() == empty


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(StoreError, match="the release state cannot be read"):
        gatekeeper().restore(b"\xff\x00 not a state")


def test_bins_are_the_published_type() -> None:
    (bin,) = decide(gatekeeper(), crowd(bins=((NOON_US - HOUR_US, 900),))).bins
    assert isinstance(bin, Bin)


def test_a_crowd_that_does_not_say_its_matter_shows_everyday_words_and_no_domain() -> None:
    def everyday(text: str) -> bool:
        return "gdansk" not in text

    crowd_of: dict[str, Any] = {"places": (LISBON,), "domains": (Counted("someone.example", 900),)}
    phrases = (phrase("gdansk again"), phrase("still at work"))
    unsaid = decide(gatekeeper(everyday=everyday), crowd(category="other", phrases=phrases, **crowd_of))
    assert (only(unsaid).phrases, only(unsaid).domains) == (("still at work",), ())
    said = decide(gatekeeper(everyday=everyday), crowd(category="flood", phrases=phrases, **crowd_of))
    assert set(only(said).phrases) == {"gdansk again", "still at work"}
    assert only(said).domains == ("someone.example",)
    bare = crowd(category="other", phrases=phrases[:1], **crowd_of)
    assert decide(gatekeeper(everyday=everyday), bare).refused == {Refusal.NO_PHRASE: 1}
