"""What is planted when: an hour at a time, so that a world without end is planned only as far as it is read.

Planted things belong to the hour in which they are due, counted from the end of the quiet stretch; they may
begin up to three hours before or end up to four hours after it. Noise (cascades, floods) has its own hours,
counted from the world's start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.simulator.background import Background
from groundswell.simulator.dice import Dice, Purpose
from groundswell.simulator.narratives import planted_narratives
from groundswell.simulator.parallel import neighbours, siblings, told_cities, voices
from groundswell.simulator.settings import WorldSettings
from groundswell.simulator.streams import Campaign, Cascade, Event, Flood, PileOn, Stream, Times, onset_times
from groundswell.simulator.truth import (
    Planted,
    PlantedCampaign,
    PlantedEvent,
    PlantedOutage,
    PlantedPileOn,
)
from groundswell.simulator.vocabulary import City, Language, cities, fill, languages

__all__ = ["Plan"]

T = TypeVar("T")

_REACH_HOURS = (
    4  # an event lasts three hours at most and starts within its hour, or earlier at the world's end
)
_HOURS_KEPT = 16
_NOISE_NUMBER = 1 << 30
_SLOW_RATE = 0.05
_PERSON_LANGUAGES = ("en", "es", "pt", "fr", "de", "ja", "ar", "hi", "ru", "tr", "id", "it")
_BUSY_POSTS_PER_SECOND = 3.0  # the rate at which the noise below is as frequent as said


class _Hour(NamedTuple):
    streams: tuple[Stream, ...]
    truths: tuple[Planted, ...]


class Plan:
    """The planted things and the organic noise of one world, by hours."""

    def __init__(self, settings: WorldSettings, background: Background) -> None:
        self._settings = settings
        self._background = background
        self._languages = {language.code: language for language in languages()}
        self._planted: dict[int, _Hour] = {}
        self._noise: dict[int, tuple[Stream, ...]] = {}
        self._outages: dict[int, tuple[PlantedOutage, ...]] = {}
        self._narratives = planted_narratives(settings)
        self._hours = max(0, -(-(settings.end_us - settings.quiet_end_us) // HOUR_US))

    def streams(self, start_us: int, end_us: int) -> Iterator[tuple[Stream, int, int]]:
        """Each stream with posts in [start_us, end_us), and which of its times they are."""
        hour = (start_us - self._settings.quiet_end_us) // HOUR_US
        near = range(max(0, hour - _REACH_HOURS), min(self._hours, hour + _REACH_HOURS))
        noisy = (start_us - self._settings.start_us) // HOUR_US
        planted = [_kept(self._planted, n, self._plant).streams for n in near]
        noise = [_kept(self._noise, n, self._make_noise) for n in range(max(0, noisy - 1), noisy + 1)]
        for stream in chain(*planted, *noise, self._narratives[0]):
            first, last = np.searchsorted(stream.times, (start_us, end_us)).tolist()
            if first < last:
                yield stream, first, last

    def outages(self, start_us: int, end_us: int) -> list[PlantedOutage]:
        """The outages that touch [start_us, end_us)."""
        first = (start_us - self._settings.quiet_end_us) // HOUR_US - 1
        last = (end_us - self._settings.quiet_end_us) // HOUR_US
        near = range(max(0, first), min(self._hours, last + 1))
        found = [_kept(self._outages, n, self._silence) for n in near]
        every = chain(self._asked_for(), *found)
        return [outage for outage in every if outage.start_us < end_us and outage.end_us > start_us]

    def truth(self) -> list[Planted]:
        """Everything planted, in order of its start."""
        planted: list[Planted] = [*self._asked_for(), *self._narratives[1]]
        for hour in range(self._hours):
            planted += self._plant(hour).truths
            planted += self._silence(hour)
        return sorted(planted, key=lambda item: (item.start_us, item.id))

    def _plant(self, hour: int) -> _Hour:
        dice = Dice(self._settings.seed, Purpose.PLAN, 0, hour)
        made: list[Event | Campaign | PileOn] = [
            *self._each(hour, 0, self._settings.events_per_hour, dice, self._event),
            *self._each(hour, 300, self._settings.slow_events_per_hour, dice, self._slow_event),
            *self._each(hour, 600, self._settings.campaigns_per_hour, dice, self._campaign),
            *self._each(hour, 800, self._settings.pile_ons_per_hour, dice, self._pile_on),
            *self._each(hour, 100, self._settings.parallel_events_per_hour, dice, self._parallel_event),
            *chain.from_iterable(self._each(hour, 200, self._settings.twins_per_hour, dice, self._twins)),
        ]
        return _Hour(tuple(made), tuple(stream.truth for stream in made))

    def _each(
        self, hour: int, offset: int, rate: float, dice: Dice, make: Callable[[Dice, int, int, int], T]
    ) -> list[T]:
        """Things of one sort that are due in the hour: evenly spread, each somewhere in its own slot."""
        before = int(rate * hour + 1e-9)
        count = int(rate * (hour + 1) + 1e-9) - before
        made = []
        for place in range(count):
            due_us = self._settings.quiet_end_us + int((hour + (place + dice.unit()) / count) * HOUR_US)
            if due_us < self._settings.end_us:
                made.append(make(dice, hour * 1000 + offset + place, before + place, due_us))
        return made

    def _event(self, dice: Dice, number: int, ordinal: int, due_us: int) -> Event:
        settings = self._settings
        if ordinal < settings.opening_events:
            due_us = settings.quiet_end_us + int(
                (ordinal + dice.unit()) / settings.opening_events * 10 * MINUTE_US
            )
        minutes = dice.between(*settings.event_minutes)
        rate = dice.log_between(*settings.event_rates)
        onset = dice.choose(("sudden", "sudden", "sudden", "building", "building", "slow"))
        city = _dealt(settings.seed, Purpose.CITIES, cities(), ordinal)
        return self._make_event(dice, number, ordinal, due_us, minutes, rate, onset, city)

    def _slow_event(self, dice: Dice, number: int, ordinal: int, due_us: int) -> Event:
        minutes = dice.between(90, 180)
        city = _dealt(self._settings.seed, Purpose.CITIES, cities()[::-1], ordinal)
        return self._make_event(dice, number, ordinal + 5, due_us, minutes, _SLOW_RATE, "slow", city)

    def _parallel_event(self, dice: Dice, number: int, ordinal: int, due_us: int) -> Event:
        settings = self._settings
        minutes, rate = dice.between(*settings.event_minutes), dice.log_between(*settings.event_rates)
        onset = dice.choose(("sudden", "sudden", "building"))
        city = _dealt(settings.seed, Purpose.CITIES, told_cities(), ordinal)
        shares = voices(dice, city, settings.parallel_languages)
        return self._make_event(dice, number, ordinal, due_us, minutes, rate, onset, city, shares)

    def _twins(self, dice: Dice, number: int, ordinal: int, due_us: int) -> tuple[Event, Event]:
        """Two events of one kind that begin within five minutes, one language each; never where
        another event is."""
        settings = self._settings
        minutes, each = dice.between(*settings.event_minutes), dice.log_between(*settings.event_rates) / 3
        rate, hour = settings.parallel_events_per_hour, number // 1000
        busy = {
            _dealt(settings.seed, Purpose.CITIES, told_cities(), near).country
            for near in range(max(0, int(rate * (hour - 1))), int(rate * (hour + 2)) + 1)
        }
        found = siblings() if ordinal % 2 else neighbours()
        pairs = [pair for pair in found if not busy & {city.country for city in pair}]
        country = dice.choose(sorted({one.country for one, _ in pairs}))
        pair = dice.choose([pair for pair in pairs if pair[0].country == country])
        spoken = voices(dice, pair[0], 1)
        later_us = due_us + dice.below(5 * MINUTE_US)
        numbers = number, number + 50
        others = voices(dice, pair[1], 1, tuple(spoken))
        one, other = (
            self._make_event(
                dice, named, ordinal + 3, at_us, minutes, each, "sudden", city, shares, f"event-{twin}"
            )
            for named, twin, at_us, city, shares in (
                (numbers[0], numbers[1], due_us, pair[0], spoken),
                (numbers[1], numbers[0], later_us, pair[1], others),
            )
        )
        return one, other

    def _make_event(
        self,
        dice: Dice,
        number: int,
        ordinal: int,
        due_us: int,
        minutes: float,
        rate: float,
        onset: str,
        city: City,
        parallel: dict[str, float] | None = None,
        twin: str | None = None,
    ) -> Event:
        """`parallel` are the shares of languages that tell it alike; without, people of the place tell it."""
        start_us, end_us = self._fit(due_us, minutes)
        times = self._heard(onset_times(dice, onset, start_us, end_us, rate * (end_us - start_us) / 1e6))
        shares = parallel or self._voices(dice, city.language)
        truth = PlantedEvent(
            id=f"event-{number}",
            start_us=start_us,
            end_us=end_us,
            kind=_dealt(self._settings.seed, Purpose.KINDS, self._settings.kinds, ordinal),
            place=city.name,
            local_place=city.local,
            country=city.country,
            latitude=city.latitude,
            longitude=city.longitude,
            posts_per_second=rate,
            languages=tuple(shares),
            onset=onset,
            posts=len(times),
            twin=twin,
        )
        return Event(number, truth, city, shares, dice, times, parallel=parallel is not None)

    def _voices(self, dice: Dice, local: str) -> dict[str, float]:
        """Shares of an event's languages: the place's own first, English next, one or two from elsewhere."""
        shares = {local: dice.between(0.55, 0.75)}
        if local != "en":
            shares["en"] = dice.between(0.18, 0.3)
        else:
            shares["en"] += 0.15
        elsewhere = [
            code for code in ("es", "fr", "pt", "de", "ar", "tr", "it", "id", "ru") if code not in shares
        ]
        for _ in range(1 + dice.below(2)):
            shares[elsewhere.pop(dice.below(len(elsewhere)))] = dice.between(0.03, 0.08)
        return shares

    def _campaign(self, dice: Dice, number: int, _: int, due_us: int) -> Campaign:
        language = self._loud_language(dice)
        accounts = int(dice.log_between(15, 200))
        start_us, end_us = self._fit(due_us, dice.between(0.5, 2.0))
        times = self._heard(np.sort(dice.rng.integers(start_us, end_us, size=accounts)))
        url = self._background.link(dice)
        truth = PlantedCampaign(
            id=f"campaign-{number}",
            start_us=start_us,
            end_us=end_us,
            language=language.code,
            text=fill(dice.choose(language.campaigns), {"u": [url]}, dice.unit),
            posts=len(times),
            accounts=len(times),
        )
        return Campaign(number, truth, url, times)

    def _pile_on(self, dice: Dice, number: int, _: int, due_us: int) -> PileOn:
        language = self._loud_language(dice)
        start_us, end_us = self._fit(due_us, dice.between(12, 30))
        posts = dice.log_between(0.1, 0.8) * (end_us - start_us) / 1e6
        times = self._heard(onset_times(dice, "sudden", start_us, end_us, posts))
        truth = PlantedPileOn(
            id=f"pile-on-{number}",
            start_us=start_us,
            end_us=end_us,
            language=language.code,
            name=_full_name(dice, language),
            handle=f"@{dice.choose(self._languages['en'].syllables)}{dice.below(9000)}.test",
            posts=len(times),
        )
        return PileOn(number, truth, language, times)

    def _asked_for(self) -> Iterator[PlantedOutage]:
        """The silences that the settings name."""
        for number, silence in enumerate(self._settings.silences):
            start_us = self._settings.start_us + int(silence.minute * MINUTE_US)
            yield PlantedOutage(
                id=f"silence-{number}",
                start_us=start_us,
                end_us=start_us + int(silence.minutes * MINUTE_US),
                language=silence.language,
            )

    def _silence(self, hour: int) -> tuple[PlantedOutage, ...]:
        dice = Dice(self._settings.seed, Purpose.PLAN, 1, hour)
        return tuple(self._each(hour, 900, self._settings.outages_per_hour, dice, self._outage))

    def _outage(self, dice: Dice, number: int, _: int, due_us: int) -> PlantedOutage:
        start_us, end_us = self._fit(due_us, dice.between(2, 6))
        return PlantedOutage(id=f"outage-{number}", start_us=start_us, end_us=end_us)

    def _make_noise(self, hour: int) -> tuple[Stream, ...]:
        settings = self._settings
        dice = Dice(settings.seed, Purpose.PLAN, 2, hour)
        start_us = settings.start_us + hour * HOUR_US
        scale = settings.posts_per_second / _BUSY_POSTS_PER_SECOND
        number = _NOISE_NUMBER + hour * 100_000
        cascades, floods = dice.rng.poisson((12 * scale, 1 * scale)).tolist()
        return (
            *(self._cascade(dice, number + place, start_us) for place in range(cascades)),
            *(self._flood(dice, number + 50_000 + place, start_us) for place in range(floods)),
        )

    def _cascade(self, dice: Dice, number: int, hour_us: int) -> Cascade:
        """Sizes by a Pareto tail (index 1.1), gaps exponential around a few minutes; over within the hour."""
        start_us = hour_us + dice.below(HOUR_US)
        language, text = self._background.everyday(dice, start_us)
        size = min(400, int(2 * (1 + dice.rng.pareto(1.1))))
        pace_us = float(dice.rng.lognormal(6.0, 0.8)) * 1e6
        delays = np.sort(np.minimum(dice.rng.exponential(pace_us, size), HOUR_US - 1)).astype(np.int64)
        times = start_us + delays
        handle = language.decks["x"][dice.below(500)].lower()
        return Cascade(number, language, f"RT @{handle}: {text}", times[times < self._settings.end_us])

    def _flood(self, dice: Dice, number: int, hour_us: int) -> Flood:
        start_us = hour_us + dice.below(HOUR_US)
        language, text = self._background.everyday(dice, start_us)
        times = start_us + np.cumsum(dice.rng.integers(400_000, 1_600_000, size=60 + dice.below(140)))
        return Flood(number, language, text, times[times < self._settings.end_us])

    def _fit(self, due_us: int, minutes: float) -> tuple[int, int]:
        """Start and end, moved back where they would run over the end of the world."""
        latest_us = self._settings.end_us - int(minutes * MINUTE_US)
        start_us = max(self._settings.quiet_end_us, min(due_us, latest_us))
        return start_us, min(start_us + int(minutes * MINUTE_US), self._settings.end_us)

    def _heard(self, times: Times) -> Times:
        """The times that fall in no outage."""
        if not len(times):
            return times
        for outage in self.outages(int(times[0]), int(times[-1]) + 1):
            if outage.language is not None:
                continue
            times = times[(times < outage.start_us) | (times >= outage.end_us)]
        return times

    def _loud_language(self, dice: Dice) -> Language:
        return self._languages[dice.choose(_PERSON_LANGUAGES)]


def _full_name(dice: Dice, language: Language) -> str:
    given, family = dice.choose(language.given), dice.choose(language.family)
    return f"{given} {family}" if language.joiner else f"{family}{given}"


def _dealt(seed: int, purpose: Purpose, options: Sequence[T], ordinal: int) -> T:
    """The card at `ordinal` of packs shuffled one after another: nothing comes again before all have come."""
    pack, place = divmod(ordinal, len(options))
    return options[int(Dice(seed, purpose, pack).rng.permutation(len(options))[place])]


def _kept(cache: dict[int, T], hour: int, make: Callable[[int], T]) -> T:
    """`make(hour)`, remembered for the hours last asked for."""
    if hour not in cache:
        cache[hour] = make(hour)
        while len(cache) > _HOURS_KEPT:
            del cache[next(iter(cache))]
    return cache[hour]
