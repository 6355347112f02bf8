"""Planted things as streams of posts: each knows all its times at once and writes any stretch on demand.

A stream's times come from its own dice when it is planned; its texts come from dice named by the stream and
the block, so that a block can be written alone. Events, campaigns and pile-ons carry a label; cascades and
floods are organic noise and carry none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from groundswell.simulator.background import EMOJI, Draft, account_of, population
from groundswell.simulator.dice import Dice
from groundswell.simulator.parallel import exonym, respelt
from groundswell.simulator.truth import PlantedCampaign, PlantedEvent, PlantedPileOn
from groundswell.simulator.vocabulary import City, Language, Phrase, fill, languages

__all__ = ["Campaign", "Cascade", "Event", "Flood", "PileOn", "Stream", "onset_times"]

_CAMPAIGN_POOL, _FLOOD_POOL = 201, 202
_OWN_PRESS = 0.7
"""Of the links to what many languages speak of, those to a page in the language itself."""
_PUBLIC_KINDS = frozenset({"assembly", "election", "sport"})  # nobody is hurt: no shelters, no casualties
Times = npt.NDArray[np.int64]


class Stream(Protocol):
    """Anything with planned times, sorted, that can write the posts between two of them."""

    @property
    def number(self) -> int:
        """Unique in the world: names the dice of its texts."""
        ...

    @property
    def times(self) -> Times: ...

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        """The posts at `times[first:last]`."""
        ...


def onset_times(dice: Dice, onset: str, start_us: int, end_us: int, posts: float) -> Times:
    """A Poisson number of times between start and end, with the density of the onset's shape.

    `sudden` jumps within a minute and a half and decays to a third; `building` climbs over two fifths of the
    duration; `slow` is flat with gentle shoulders.
    """
    grid = np.linspace(0.0, 1.0, 513)
    minutes = grid * (end_us - start_us) / 60e6
    density = {
        "sudden": np.minimum(1.0, minutes / 1.5) * (0.35 + 0.65 * np.exp(-grid / 0.3)),
        "building": np.minimum(grid / 0.4, 1.0) * np.minimum(1.0, 0.2 + (1 - grid) / 0.5),
        "slow": np.minimum(1.0, np.minimum(0.15 + grid, 0.15 + 1 - grid) / 0.35),
    }[onset]
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    draws = np.sort(dice.rng.random(int(dice.rng.poisson(posts))))
    return (start_us + np.interp(draws, mass / mass[-1], grid) * (end_us - start_us - 1)).astype(np.int64)


class _Voice:
    """How one language speaks of one event: what fills the slots, and which hashtags go with it."""

    def __init__(
        self,
        dice: Dice,
        language: Language,
        city: City,
        kind: str,
        names: Sequence[str],
        abroad: str | None = None,
    ) -> None:
        """`abroad` is what the language calls the place when it is not its own; None for the English name."""
        self.language = language
        self.local = language.code == city.language
        heads = language.heads[kind]
        self.place = city.local if self.local else abroad or city.name
        self.decks: dict[str, Sequence[str]] = {
            **language.decks,
            "h": [heads[0]] * (len(heads) + 1) + list(heads[1:]),
            "p": [self.place] * 6 + [abroad or city.name],
            "l": [city.locative if self.local else abroad or city.name],
            "s": names,
        }
        head = "".join(word.capitalize() for word in heads[0].split())
        self.tags = (
            "".join(self.place.split()),
            head,
            "".join(city.name.split()) + head if not self.local else head,
        )
        self.topic = dice.choose(language.topics)


class Event:
    """The posts of one planted event, in all its languages.

    What people say moves on: first the shock, then details and figures, then relief. A third of the posts
    name no place, a tenth are copies of an earlier post, and the streets, teams or rivers that the event is
    about come up as it unfolds.
    """

    def __init__(
        self,
        number: int,
        truth: PlantedEvent,
        city: City,
        voices: Mapping[str, float],
        dice: Dice,
        times: Times,
        parallel: bool = False,
    ) -> None:
        """With `parallel` every language tells it by itself: the place and the names in its own script, its
        own articles, one figure for all."""
        known = {language.code: language for language in languages()}
        self.number, self.truth, self.times, self._parallel = number, truth, times, parallel
        self._shares = np.cumsum(list(voices.values()))
        names = {code: _invented(dice, known[code]) for code in dict.fromkeys((*voices, "en", city.language))}
        spoken = {
            code: names[city.language if known[code].script == known[city.language].script else "en"]
            for code in voices
        }
        abroad: dict[str, str | None] = dict.fromkeys(voices)
        if parallel:
            spoken = {code: [respelt(name, known[code].script) for name in names["en"]] for code in voices}
            abroad = {code: exonym(city, code) for code in voices}
        self._voices = [
            _Voice(dice, known[code], city, truth.kind, spoken[code], abroad[code]) for code in voices
        ]
        self._final_figure = 6 + int(dice.log_between(4, 300))
        self._article = f"https://{'-'.join(city.name.lower().split())}-news.example/{number:x}"
        self._copied = [
            self._say(dice, self._voices[0], progress) for progress in (0.02, 0.05, 0.2, 0.4, 0.6, 0.8)
        ]

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        span = self.truth.end_us - self.truth.start_us
        for time_us in self.times[first:last].tolist():
            progress = (time_us - self.truth.start_us) / span
            voice = self._voices[
                int(np.searchsorted(self._shares, dice.unit() * self._shares[-1], side="right"))
            ]
            language, url = voice.language, None
            account = account_of(language.index, dice.below(population(language)))
            if dice.unit() < 0.1 and (not self._parallel or voice is self._voices[0]):
                language = self._voices[0].language
                source = self._copied[min(int(progress * 6), 5)]
                text = f"RT @{language.decks['x'][dice.below(40)].lower()}: {source}"
            else:
                text = self._say(dice, voice, progress)
                if dice.unit() < 0.1:
                    url = self._article if dice.unit() < 0.5 else f"{self._article}/{dice.below(9999)}"
                    if self._parallel and dice.unit() < _OWN_PRESS:
                        url = f"https://{language.code}-daily.example/{self.number:x}/{dice.below(2)}"
                    text = f"{text} {url}"
            yield Draft(time_us, account, text, language.code, url, self.truth.id)

    def _say(self, dice: Dice, voice: _Voice, progress: float) -> str:
        unit, language = dice.unit, voice.language
        decks = self._decks(dice, voice, progress)
        text = fill(self._phrase(dice, language, progress), decks, unit)
        if unit() < 0.3:
            more = fill(self._phrase(dice, language, progress), decks, unit)
            text = f"{text}{dice.choose(('. ', ', ', ' - ', '! '))}{more}" if more != text else text
        elif unit() < 0.4:
            aside = fill(dice.choose(language.clauses), {**language.decks, "t": voice.topic[1]}, unit)
            text = f"{text}. {aside}" if unit() < 0.5 else f"{aside}. {text}"
        text = _roughened(dice, text)
        if unit() < 0.25:
            text = f"{dice.choose(language.openers)}{language.joiner}{text}"
        if unit() < 0.25:
            text = f"{text} {dice.choose(EMOJI)}"
        if unit() < 0.3:
            text = f"{text} #{dice.choose(voice.tags)}"
        return text

    def _decks(self, dice: Dice, voice: _Voice, progress: float) -> dict[str, Sequence[str]]:
        """The event's slots at this moment: figures have grown, more of its names are known."""
        figure = max(2, round(self._final_figure * min(1.0, 0.1 + progress) ** 0.5))
        return {
            **voice.decks,
            "s": voice.decks["s"][: 1 + int(5.99 * progress)],
            "d": (str(figure), str(figure), str(max(1, figure + dice.below(9) - 4)), str(2 + dice.below(90))),
            "m": (str(self._final_figure % 10),),
            "f": [str(floor) for floor in range(2, 24)],
            "c": (str(max(1, round(96 * min(1.0, progress)))),),
        }

    def _phrase(self, dice: Dice, language: Language, progress: float) -> Phrase:
        """A phrase for this moment: from the kind's own list or the general ones, mostly naming the place."""
        wants_place = dice.unit() < 0.7
        for _ in range(4):
            phrase = self._any_phrase(dice, language, progress + dice.between(-0.25, 0.25))
            if wants_place == any(slot in {"p", "l"} for _, slot in phrase):
                break
        return phrase

    def _any_phrase(self, dice: Dice, language: Language, progress: float) -> Phrase:
        progress = min(max(progress, 0.0), 0.999)
        own = language.kind_phrases.get(self.truth.kind, ())
        public = self.truth.kind in _PUBLIC_KINDS
        if own and dice.unit() < (0.7 if public else 0.45):
            return own[int(progress * len(own))]
        if public:
            return dice.choose(language.public)
        return dice.choose(language.phases[int(progress * 3)])


def _roughened(dice: Dice, text: str) -> str:
    """The text as a hurried thumb leaves it: now and then a word lost, a letter stretched, all capitals."""
    draw = dice.unit()
    if draw < 0.12:
        words = text.split(" ")
        if len(words) > 5:
            del words[dice.below(len(words))]
        return " ".join(words)
    if draw < 0.2:
        return text + text[-1] * (1 + dice.below(4))
    return text.upper() if draw < 0.23 else text


def _invented(dice: Dice, language: Language) -> list[str]:
    return [language.invented_name(dice, 2 + dice.below(2)) for _ in range(6)]


class PileOn:
    """A crowd that turns on one invented private person, named in most of its posts."""

    def __init__(self, number: int, truth: PlantedPileOn, language: Language, times: Times) -> None:
        self.number, self.truth, self.times = number, truth, times
        self._language = language

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        language, truth = self._language, self.truth
        who = [truth.name] * 5 + [truth.handle] * 3 + [f"{truth.name} ({truth.handle})"]
        decks = {**language.decks, "who": who, "t": language.topics[0][1]}
        for time_us in self.times[first:last].tolist():
            text = fill(dice.choose(language.scold), decks, dice.unit)
            if dice.unit() < 0.5:
                text = f"{dice.choose(language.openers)}{language.joiner}{text}"
            if dice.unit() < 0.3:
                text = f"{text} {dice.choose(language.closers)}"
            if dice.unit() < 0.12:
                text = fill(dice.choose(language.clauses), decks, dice.unit)
            account = account_of(language.index, dice.below(population(language)))
            yield Draft(time_us, account, text, language.code, None, truth.id)


class Campaign:
    """One text from many accounts within two minutes, each with a word, a mark or an emoji changed."""

    def __init__(self, number: int, truth: PlantedCampaign, url: str, times: Times) -> None:
        self.number, self.truth, self.times = number, truth, times
        self._url = url

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        for place, time_us in enumerate(self.times[first:last].tolist(), first):
            account = account_of(_CAMPAIGN_POOL, self.number << 12 | place)
            yield Draft(time_us, account, self._vary(dice), self.truth.language, self._url, self.truth.id)

    def _vary(self, dice: Dice) -> str:
        text, draw = self.truth.text, dice.unit()
        if draw < 0.3:
            return text
        if draw < 0.55:
            return f"{text} {dice.choose(EMOJI)}"
        if draw < 0.75:
            return f"{dice.choose(EMOJI)} {text}"
        words = text.split(" ")
        if draw < 0.9 and len(words) > 6:
            del words[dice.below(len(words) - 1)]
            return " ".join(words)
        return text.replace(",", "!", 1).replace("，", "！", 1)


class Cascade:
    """One everyday text reposted by many over minutes: organic, heavy-tailed, unlabelled."""

    def __init__(self, number: int, language: Language, text: str, times: Times) -> None:
        self.number, self.times = number, times
        self._language, self._text = language, text

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        size = population(self._language)
        for time_us in self.times[first:last].tolist():
            account = account_of(self._language.index, dice.below(size))
            yield Draft(time_us, account, self._text, self._language.code)


class Flood:
    """One account that says the same thing again and again with a counter."""

    def __init__(self, number: int, language: Language, text: str, times: Times) -> None:
        self.number, self.times = number, times
        self._language, self._text = language, text

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        account = account_of(_FLOOD_POOL, self.number)
        for place, time_us in enumerate(self.times[first:last].tolist(), first):
            yield Draft(time_us, account, f"{self._text} {place + 1}", self._language.code)
