"""What is told again and again, and what only looks like it: planted over the whole world, not by the hour.

A narrative is a claim in several wordings. It is told in three to six stretches at moments of their own, in
one language on one source at first; later tellings take up other languages and sources. A third of its posts
cite one page. Beside it, where asked for: greetings at one hour of the day, a page that a button shares,
machines that say one thing at even intervals, and a crowd that turns against one invented person on and off.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.simulator.background import EMOJI, Draft, account_of, population
from groundswell.simulator.dice import Dice, Purpose
from groundswell.simulator.settings import WorldSettings
from groundswell.simulator.streams import Times
from groundswell.simulator.truth import Planted, PlantedDecoy, PlantedNarrative
from groundswell.simulator.vocabulary import Language, Phrase, cities, compile_phrase, fill, languages

__all__ = ["Telling", "planted_narratives"]

_NUMBER = 1 << 29
_POOL = 204
_LANGUAGES = ("en", "es", "fr", "de")
_QUIET_US = 75 * MINUTE_US
"""Between two tellings at least."""
_PAGES = 2
_MACHINES = 60


@cache
def _book() -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("narratives.toml").read_text("utf-8")
    return tomllib.loads(text)


class Telling:
    """Posts that say one of some phrases at planned times, by many accounts."""

    def __init__(
        self,
        number: int,
        truth: Planted,
        times: Times,
        voices: Sequence[tuple[Language, Sequence[Phrase], str | None]],
        decks: Mapping[str, Sequence[str]],
        *,
        url: str | None = None,
        cited: float = 0.0,
        plain: bool = False,
        small: float = 0.2,
        accounts: int | None = None,
    ) -> None:
        """`voices` are drawn evenly: a language, its phrases, a source. `plain` texts get nothing added.

        Of the others a part is in `small` letters alone, and half of the rest begins with a capital.
        """
        self.number, self.truth, self.times = number, truth, times
        self._voices = voices
        self._decks = decks
        self._url, self._cited = url, cited
        self._plain, self._small = plain, small
        self._accounts = accounts

    def drafts(self, dice: Dice, first: int, last: int) -> Iterator[Draft]:
        for time_us in self.times[first:last].tolist():
            language, phrases, source = dice.choose(self._voices)
            text = fill(dice.choose(phrases), {**language.decks, **self._decks}, dice.unit)
            url = self._url if dice.unit() < self._cited else None
            if not self._plain:
                if dice.unit() < 0.35:
                    text = f"{dice.choose(language.openers)}{language.joiner}{text}"
                if dice.unit() < 0.3:
                    text = f"{text} {dice.choose((*EMOJI, *language.closers))}"
                draw = dice.unit()
                if draw < self._small:
                    text = text.lower()
                elif draw < (1.0 + self._small) / 2:
                    text = text[:1].upper() + text[1:]
            text = f"{text} {url}" if url else text
            size = self._accounts or population(language)
            pool = _POOL if self._accounts else language.index
            account = account_of(pool, dice.below(size))
            yield Draft(time_us, account, text, language.code, url, self.truth.id, source=source)


def planted_narratives(settings: WorldSettings) -> tuple[list[Telling], list[Planted]]:
    """Everything of this sort in one world: the streams and the truth."""
    streams: list[Telling] = []
    truths: list[Planted] = []
    for number in range(settings.narratives):
        told, narrative = _narrative(settings, number)
        streams += told
        truths.append(narrative)
    if settings.narrative_decoys:
        for told, decoy in _decoys(settings):
            streams += told
            truths.append(decoy)
    return streams, truths


def _narrative(settings: WorldSettings, number: int) -> tuple[list[Telling], PlantedNarrative]:
    dice = Dice(settings.seed, Purpose.NARRATIVES, number)
    claims = _book()["claims"]
    order = Dice(settings.seed, Purpose.NARRATIVES, 1 << 20, number // len(claims)).rng.permutation(
        len(claims)
    )
    claim = claims[int(order[number % len(claims)])]
    known = {language.code: language for language in languages()}
    spoken = [_LANGUAGES[at] for at in dice.rng.permutation(len(_LANGUAGES)).tolist()][: 2 + dice.below(2)]
    sources = settings.sources or (None,)
    spans = _spans(settings, dice, 3 + dice.below(4))
    decks = {"p": [dice.choose(cities()).name], "k": [str(1000 + dice.below(90_000))]}
    url = f"https://{claim['domain']}/{number:x}{dice.below(1 << 20):x}"
    truth = PlantedNarrative(
        id=f"narrative-{number}", start_us=spans[0][0], end_us=spans[-1][1], tellings=tuple(spans),
        steps=(), domain=claim["domain"], posts=0,
    )  # fmt: skip
    streams, steps, seen = [], [], set[tuple[str, str]]()
    for telling, (start_us, end_us) in enumerate(spans):
        of_telling = spoken[: 1 + min(telling, len(spoken) - 1)]
        on = sources[: 1 + min((telling + 1) // 2, len(sources) - 1)]
        voices = [
            (known[code], tuple(compile_phrase(line) for line in claim[code].strip().splitlines()), source)
            for code in of_telling
            for source in on
        ]
        steps += [
            (telling, source or "", language.code)
            for language, _, source in voices
            if (source or "", language.code) not in seen
        ]
        seen.update((source or "", language.code) for language, _, source in voices)
        posts = dice.rng.poisson(dice.log_between(*settings.narrative_posts) * max(1.0, 0.5 * len(voices)))
        times = np.sort(dice.rng.integers(start_us, end_us, size=posts))
        place = _NUMBER + number * 100 + telling
        streams.append(Telling(place, truth, times, voices, decks, url=url, cited=0.35))
    counted = PlantedNarrative(
        id=truth.id, start_us=int(streams[0].times[0]), end_us=truth.end_us, tellings=truth.tellings,
        steps=tuple(steps), domain=truth.domain, posts=sum(len(stream.times) for stream in streams),
    )  # fmt: skip
    return streams, counted


def _spans(settings: WorldSettings, dice: Dice, count: int) -> list[tuple[int, int]]:
    """When a thing is told: `count` stretches of 20 to 70 minutes, with quiet between them."""
    first_us, last_us = settings.quiet_end_us, settings.end_us
    lengths = [int(dice.between(20, 70) * MINUTE_US) for _ in range(count)]
    while (room := (last_us - first_us) - sum(lengths) - len(lengths) * _QUIET_US) < 0 and lengths:
        lengths.pop()  # a short world has no time for all of them
    cuts = np.sort([int(dice.unit() * room) for _ in lengths]).tolist()
    spans, at = [], first_us
    for length, cut, before in zip(lengths, cuts, [0, *cuts], strict=False):
        at += cut - before
        spans.append((at, at + length))
        at += length + _QUIET_US
    return spans


def _decoys(settings: WorldSettings) -> Iterator[tuple[list[Telling], PlantedDecoy]]:
    yield from _habits(settings)
    yield from _pages(settings)
    yield _machine(settings)
    for number in range(settings.recurring_pile_ons):
        yield _pile_on(settings, number)


def _decoy(sort: str, number: int, streams: Sequence[Times]) -> PlantedDecoy:
    times = np.concatenate(streams)
    return PlantedDecoy(
        id=f"{sort}-{number}",
        start_us=int(times.min()),
        end_us=int(times.max()) + 1,
        sort=sort,
        posts=len(times),
    )


def _times(dice: Dice, start_us: int, end_us: int, posts: int) -> Times:
    return np.sort(dice.rng.integers(start_us, end_us, size=posts))


def _habits(settings: WorldSettings) -> Iterator[tuple[list[Telling], PlantedDecoy]]:
    """Greetings: an hour and a half at the same time of each day."""
    known = {language.code: language for language in languages()}
    for number, (code, lines) in enumerate(sorted(_book()["habits"].items())):
        dice = Dice(settings.seed, Purpose.NARRATIVES, 1 << 21, number)
        hour = dice.below(20)
        starts = range(settings.quiet_end_us + hour * HOUR_US, settings.end_us - 90 * MINUTE_US, 24 * HOUR_US)
        times = [
            _times(dice, start + dice.below(20) * MINUTE_US, start + 90 * MINUTE_US, 120) for start in starts
        ]
        if not times:
            continue
        truth = _decoy("habit", number, times)
        voices = [(known[code], [compile_phrase(line) for line in lines.strip().splitlines()], None)]
        place = _NUMBER + 1_000_000 + 100 * number
        yield [Telling(place + day, truth, each, voices, {}) for day, each in enumerate(times)], truth


def _pages(settings: WorldSettings) -> Iterator[tuple[list[Telling], PlantedDecoy]]:
    """A headline with its link, unchanged, whenever the page is looked at again."""
    known = {language.code: language for language in languages()}
    for number, page in enumerate(_book()["pages"][:_PAGES]):
        dice = Dice(settings.seed, Purpose.NARRATIVES, 1 << 22, number)
        spans = _spans(settings, dice, 4)
        times = [_times(dice, start, end, 60 + dice.below(60)) for start, end in spans]
        truth = _decoy("page", number, times)
        voices = [(known["en"], [compile_phrase(page["text"])], None)]
        url = f"https://{page['domain']}/{dice.below(1 << 30):x}"
        place = _NUMBER + 2_000_000 + 100 * number
        yield (
            [
                Telling(place + at, truth, each, voices, {}, url=url, cited=1.0, plain=True)
                for at, each in enumerate(times)
            ],
            truth,
        )


def _machine(settings: WorldSettings) -> tuple[list[Telling], PlantedDecoy]:
    """Many machines that say one thing with another figure, every four hours for half an hour."""
    known = {language.code: language for language in languages()}
    dice = Dice(settings.seed, Purpose.NARRATIVES, 1 << 23)
    starts = range(settings.quiet_end_us, settings.end_us - 30 * MINUTE_US, 4 * HOUR_US)
    times = [_times(dice, start, start + 30 * MINUTE_US, 90) for start in starts]
    truth = _decoy("machine", 0, times)
    phrase = compile_phrase("station report: pollen index {d}, harbour tide {d} cm, visibility {d} km")
    voices = [(known["en"], [phrase], None)]
    place = _NUMBER + 3_000_000
    return [
        Telling(place + at, truth, each, voices, {}, plain=True, accounts=_MACHINES)
        for at, each in enumerate(times)
    ], truth


def _pile_on(settings: WorldSettings, number: int) -> tuple[list[Telling], PlantedDecoy]:
    """A crowd that turns against one invented person, again and again.

    Some write small letters mostly, some name a town or link to a page of the person's name, some repeat one
    phrase or two: what could be shown of each crowd differs.
    """
    dice = Dice(settings.seed, Purpose.NARRATIVES, 1 << 24, number)
    language = dice.choose([each for each in languages() if each.scold and each.given and each.family])
    given, family = dice.choose(language.given), dice.choose(language.family)
    name = f"{given} {family}"
    spans = _spans(settings, dice, 5)
    times = [_times(dice, start, end, 80 + dice.below(80)) for start, end in spans]
    told = _decoy("pile_on", number, times)
    truth = PlantedDecoy(
        id=told.id, start_us=told.start_us, end_us=told.end_us, sort=told.sort, posts=told.posts, name=name
    )
    decks = {"who": [name] * 5 + [dice.choose([given, family])] * (1 + dice.below(5))}
    phrases = language.scold[: 1 + dice.below(2)] if dice.unit() < 0.3 else language.scold
    if dice.unit() < 0.4:
        town = dice.choose(cities()).name
        phrases = tuple((*phrase, (f" {town}", "")) for phrase in phrases)
    page = "".join(letter for letter in name.lower() if letter.isalpha())
    url = f"https://{page}.example/{number}" if page.isascii() and dice.unit() < 0.6 else None
    small = dice.choose([0.0, 0.2, 0.9])
    voices = [(language, phrases, None)]
    place = _NUMBER + 4_000_000 + 100 * number
    return [
        Telling(place + at, truth, each, voices, decks, url=url, cited=0.4, small=small)
        for at, each in enumerate(times)
    ], truth
