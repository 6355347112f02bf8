"""What a world is made of: its settings, and three worlds that the demo and the measurements use."""

from __future__ import annotations

from groundswell.clock import MINUTE_US, floor_to
from groundswell.config import Settings
from groundswell.errors import UsageError
from groundswell.simulator.vocabulary import KINDS

__all__ = ["Silence", "WorldSettings", "event_free", "many_voices", "scoring_world", "simulated_hour"]


class Silence(Settings, frozen=True, kw_only=True):
    """A stretch in which nothing comes, or nothing in one language.

    Posts of events that are lost in a silent language are counted in their truth all the same.
    """

    minute: float
    """Since the world's start."""
    minutes: float
    language: str | None = None
    """The simulator's own code (`tr`); None for the whole source."""


class WorldSettings(Settings, frozen=True, kw_only=True):
    """Settings of a simulated world. Rates are means; sizes are drawn log-uniformly between their bounds."""

    seed: int = 0
    start_us: int = 1_777_593_600_000_000
    """Stream time of the world's first moment."""
    hours: float = 1.0
    posts_per_second: float = 3.0
    """Background alone, averaged over the day; planted things come on top."""
    quiet_minutes: float = 45.0
    """Nothing is planted in this first stretch."""
    events_per_hour: float = 2.5
    opening_events: int = 0
    """So many of the first events start within ten minutes of the quiet's end."""
    event_rates: tuple[float, float] = (0.2, 2.0)
    """Posts a second, lowest and highest mean."""
    event_minutes: tuple[float, float] = (20.0, 60.0)
    kinds: tuple[str, ...] = KINDS
    slow_events_per_hour: float = 0.0
    """Events of 0.05 posts a second over one and a half to three hours."""
    parallel_events_per_hour: float = 0.0
    """Events that several languages speak of alike, each with the place's name in its own script;
    `event_rates` is shared between them."""
    parallel_languages: int = 3
    twins_per_hour: float = 0.0
    """Pairs of events that are easily taken for one: of one kind, at one time, told in different languages,
    by turns in one country and in two near each other. Each has a third of `event_rates`."""
    campaigns_per_hour: float = 1.0
    pile_ons_per_hour: float = 0.5
    narratives: int = 0
    """Claims told three to six times each, over the whole world."""
    narrative_posts: tuple[float, float] = (60.0, 160.0)
    """Of one telling, lowest and highest mean."""
    narrative_decoys: bool = False
    """Beside them: what recurs and is no narrative. Greetings, shared pages, machines, pile-ons."""
    recurring_pile_ons: int = 1
    """Of these, crowds that turn against one invented person each, on and off."""
    sources: tuple[str, ...] = ()
    """Accounts are dealt out to these; plain form only. Narratives move from the first to the others."""
    outages_per_hour: float = 0.0
    picture_share: float = 0.0
    """Share of an event's posts with one of its pictures; a quarter as many others have one of their own."""
    silences: tuple[Silence, ...] = ()
    canary_rate: float = 0.01
    """Share of posts that carry an invented identity."""
    delete_share: float = 0.015
    gone_share: float = 0.0005
    """Share of posts whose account is deleted, deactivated or taken down minutes later."""
    other_share: float = 0.01
    """Messages that are no posts (likes, identity and account news), for each post; Jetstream form only."""
    malformed_rate: float = 0.0
    """Broken lines for each post."""

    def __post_init__(self) -> None:
        if self.seed < 0 or self.hours <= 0 or self.posts_per_second <= 0:
            raise UsageError(
                "world",
                "`seed` is negative, or `hours` or `posts_per_second` is not above zero",
                "mend the value",
            )
        unknown = set(self.kinds) - set(KINDS)
        if unknown or not self.kinds:
            raise UsageError("world", f"unknown kinds {sorted(unknown)}", f"choose from {', '.join(KINDS)}")

    @property
    def end_us(self) -> int:
        return self.start_us + int(self.hours * 60) * MINUTE_US

    @property
    def quiet_end_us(self) -> int:
        return self.start_us + int(self.quiet_minutes * MINUTE_US)


def simulated_hour(now_us: int, seed: int = 1) -> WorldSettings:
    """The demo's world: an hour of warm-up before `now_us`, then some thirteen events an hour for a week.

    Its first events begin in the last ten minutes of the warm-up, so that a page which has caught up with
    `now_us` has something to show.
    """
    return WorldSettings(
        seed=seed,
        start_us=floor_to(now_us, MINUTE_US) - 60 * MINUTE_US,
        hours=24 * 7 + 1,
        posts_per_second=5.5,
        quiet_minutes=49,
        events_per_hour=13,
        opening_events=5,
        event_rates=(0.25, 2.2),
        event_minutes=(15, 40),
        campaigns_per_hour=1.5,
        pile_ons_per_hour=0.5,
        picture_share=0.4,
    )


def event_free(seed: int, hours: float = 4.0, posts_per_second: float = 3.0) -> WorldSettings:
    """Background alone: chatter, waves, cascades, floods and automated accounts, and nothing to publish."""
    return WorldSettings(
        seed=seed,
        hours=hours,
        posts_per_second=posts_per_second,
        events_per_hour=0,
        campaigns_per_hour=0,
        pile_ons_per_hour=0,
    )


def many_voices(seed: int, languages: int = 3) -> WorldSettings:
    """Three events that `languages` languages speak of alike, and two pairs of decoys, in some 75 minutes.

    Kinds are those that `release` neither withholds nor asks a higher floor for: a crowd in each language
    could be published by itself.
    """
    return WorldSettings(
        seed=seed,
        hours=2.0,
        posts_per_second=2.0,
        quiet_minutes=45,
        events_per_hour=0,
        parallel_events_per_hour=2.4,
        parallel_languages=languages,
        twins_per_hour=1.6,
        event_rates=(0.5, 1.5),
        event_minutes=(20.0, 35.0),
        kinds=tuple(kind for kind in KINDS if kind not in ("assembly", "election", "outbreak")),
        campaigns_per_hour=0.5,
        pile_ons_per_hour=0.5,
    )


def scoring_world(seed: int) -> WorldSettings:
    """Ten events of 0.2 to 2 posts a second in four hours after a quiet start, with decoys beside them.

    Assemblies are left out: `release` withholds them for hours by design.
    """
    return WorldSettings(
        seed=seed,
        hours=4.75,
        posts_per_second=3.0,
        quiet_minutes=45,
        events_per_hour=2.5,
        kinds=tuple(kind for kind in KINDS if kind != "assembly"),
        campaigns_per_hour=1.5,
        pile_ons_per_hour=0.75,
    )
