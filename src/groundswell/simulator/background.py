"""The chatter that is there when nothing happens: everyday clauses, greetings, automated accounts.

It is heavy-tailed and restless, as real chatter is: each language has its day, topics swell and ebb over
hours, mornings bring greetings, machines repeat themselves. None of it is planted, and none of it should ever
be published.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.clock import HOUR_US
from groundswell.simulator.dice import Dice, Purpose
from groundswell.simulator.vocabulary import Language, fill, languages, zipf_deck

__all__ = ["EMOJI", "Background", "Draft", "account_of", "population"]

EMOJI = ("😂", "🙃", "❤️", "🔥", "😭", "✨", "👍", "🤔", "😅", "🌧️", "☀️", "🎶", "🍜", "💤", "🙏", "👀")

_HASHTAGS = {
    "sport": ("football", "matchday", "nba", "f1", "tennis", "running"),
    "food": ("foodie", "dinner", "baking", "coffee", "vegan"),
    "music": ("nowplaying", "newmusic", "kpop", "vinyl", "concert"),
    "screen": ("anime", "tvshow", "nowwatching", "cinema", "gaming"),
    "work": ("wfh", "hiring", "mondaymood", "career", "design"),
    "weather": ("weather", "sunset", "spring", "clouds", "photography"),
    "tech": ("opensource", "python", "gadgets", "homelab", "ai"),
    "politics": ("news", "budget", "housing", "debate", "transport"),
}

_ZIPF_ACCOUNTS = 2.5  # exponent of the uniform draw: a tenth of the accounts write 40 % of the chatter
_BOT_PERIODS_SECONDS = (600, 900, 1800, 3600)


class Draft(NamedTuple):
    """A post before it has an identifier: when, who, what, and which planted thing it belongs to."""

    time_us: int
    account: int
    text: str
    language: str
    url: str | None = None
    label: str | None = None
    picture: str | None = None
    """The content identifier of the picture that goes with it."""
    source: str | None = None
    """Where it is posted; plain form only, None for the recording's own."""


def population(language: Language) -> int:
    """Accounts that write in the language."""
    return 20_000 + int(3000 * language.weight)


def account_of(pool: int, number: int) -> int:
    """The account's number in the world: languages are pools 0 to 199, special casts lie above."""
    return pool << 40 | number


_BOT_POOL = 200


class Background:
    """Everyday posts of every language, a stretch of time at a time."""

    def __init__(self, seed: int, posts_per_second: float) -> None:
        self._seed = seed
        self._posts_per_second = posts_per_second
        self._languages = languages()
        self._weights = np.array([language.weight for language in self._languages])
        self._offsets = np.array([language.utc_offset for language in self._languages])
        self._drift = _Drift(seed, self._languages)
        self._domains = zipf_deck([f"{word}.example" for word in _domain_words()], 0.8)
        self._bots = _Bots(seed, posts_per_second)

    def rate(self, time_us: int) -> float:
        """Expected posts a second at `time_us`, automated accounts not counted."""
        return float(
            self._posts_per_second * (self._weights * self._rhythm(time_us)).sum() / self._weights.sum()
        )

    def drafts(self, block: int, start_us: int, end_us: int) -> Iterator[Draft]:
        """The background posts of [start_us, end_us), in no order."""
        dice = Dice(self._seed, Purpose.BACKGROUND, block)
        middle = (start_us + end_us) // 2
        count = int(dice.rng.poisson(self.rate(middle) * (end_us - start_us) / 1e6))
        shares = self._weights * self._rhythm(middle)
        chosen = dice.rng.choice(len(self._languages), size=count, p=shares / shares.sum()).tolist()
        times = dice.rng.integers(start_us, end_us, size=count).tolist()
        ranks = (dice.rng.random(count) ** _ZIPF_ACCOUNTS).tolist()
        topics = self._drift.deal(middle)
        greetings = self._greetings(middle).tolist()
        for index, time_us, rank in zip(chosen, times, ranks, strict=True):
            language = self._languages[index]
            text, url = self._post(dice, language, topics[index], greetings[index])
            account = account_of(index, int(rank * population(language)))
            yield Draft(time_us, account, text, language.code, url)
        yield from self._bots.drafts(block, start_us, end_us)

    def everyday(self, dice: Dice, time_us: int) -> tuple[Language, str]:
        """One everyday text in a language drawn by its share: what cascades and floods repeat."""
        language = self._languages[
            int(dice.rng.choice(len(self._weights), p=self._weights / self._weights.sum()))
        ]
        topic = dice.choose(self._drift.deal(time_us)[language.index])
        return language, self.clause(dice, language, topic)

    def clause(self, dice: Dice, language: Language, topic: tuple[str, tuple[str, ...]]) -> str:
        """An everyday clause, with an opening and a closing as often as people use them."""
        unit = dice.unit
        text = fill(dice.choose(language.clauses), {**language.decks, "t": topic[1]}, unit)
        if unit() < 0.35:
            text = f"{dice.choose(language.openers)}{language.joiner}{text}"
        if unit() < 0.3:
            text = f"{text} {dice.choose(language.closers)}"
        return text

    def link(self, dice: Dice) -> str:
        """A link nobody else shares."""
        return f"https://{dice.choose(self._domains)}/{dice.below(1 << 40):x}"

    def _post(
        self, dice: Dice, language: Language, topics: list[tuple[str, tuple[str, ...]]], greeting: float
    ) -> tuple[str, str | None]:
        unit = dice.unit
        if unit() < greeting:
            text = fill(dice.choose(language.morning), language.decks, unit)
            return (f"{text} {dice.choose(EMOJI)}" if unit() < 0.4 else text), None
        topic = dice.choose(topics)
        text = self.clause(dice, language, topic)
        draw = unit()
        if draw < 0.2:
            text = f"{text}. {self.clause(dice, language, topic)}"
        elif draw < 0.3:
            text = f"{text} #{dice.choose(_HASHTAGS[topic[0]])}"
        elif draw < 0.45:
            text = f"{text} {dice.choose(EMOJI)}"
        elif draw < 0.52:
            text = f"@{language.decks['x'][dice.below(900)].lower()} {text}"
        elif draw < 0.6:
            url = self.link(dice)
            return f"{text} {url}", url
        return text, None

    def _rhythm(self, time_us: int) -> npt.NDArray[np.float64]:
        """Each language's activity by its own clock: lowest at four, highest at four in the
        afternoon, with mean 1."""
        local = (time_us / HOUR_US + self._offsets) % 24
        return np.asarray(1.0 - 0.6 * np.cos(2 * np.pi * (local - 4.0) / 24))

    def _greetings(self, time_us: int) -> npt.NDArray[np.float64]:
        """Share of posts that say good morning: a wave around half past seven that takes hours to pass."""
        local = (time_us / HOUR_US + self._offsets) % 24
        return np.asarray(0.005 + 0.07 * np.exp(-0.5 * ((local - 7.5) / 1.3) ** 2))


class _Drift:
    """Topics that swell and ebb over hours: log-weights are sums of slow sines."""

    def __init__(self, seed: int, known: tuple[Language, ...]) -> None:
        rng = Dice(seed, Purpose.DRIFT).rng
        self._topics = [language.topics for language in known]
        shape = (len(known), max(len(topics) for topics in self._topics), 3)
        self._periods = rng.uniform(4.0, 23.0, shape) * HOUR_US
        self._phases = rng.uniform(0.0, 2 * np.pi, shape)

    def deal(self, time_us: int) -> list[list[tuple[str, tuple[str, ...]]]]:
        """For each language a deck of its topics, each as often as its weight at `time_us` asks for."""
        waves = np.sin(2 * np.pi * time_us / self._periods + self._phases)
        weights = np.exp(0.35 * waves.sum(axis=2))
        copies = np.round(32 * weights / weights.sum(axis=1, keepdims=True)).astype(int) + 1
        return [
            [topic for topic, count in zip(topics, row, strict=False) for _ in range(count)]
            for topics, row in zip(self._topics, copies.tolist(), strict=True)
        ]


class _Bots:
    """Automated accounts: each repeats one template with new figures at a steady interval."""

    def __init__(self, seed: int, posts_per_second: float) -> None:
        self._seed = seed
        rng = Dice(seed, Purpose.BOTS).rng
        count = max(6, round(30 * posts_per_second))
        self._periods = rng.choice(np.array(_BOT_PERIODS_SECONDS), size=count) * 1_000_000
        self._phases = (rng.random(count) * self._periods).astype(np.int64)
        self._places = [language.decks["p"] for language in languages()]
        self._names = next(language for language in languages() if language.code == "en").decks["x"]

    def drafts(self, block: int, start_us: int, end_us: int) -> Iterator[Draft]:
        first = -(-(start_us - self._phases) // self._periods)
        times = first * self._periods + self._phases
        due = np.flatnonzero(times < end_us)
        if not len(due):
            return
        dice = Dice(self._seed, Purpose.BOTS, block)
        for bot, time_us in zip(due.tolist(), times[due].tolist(), strict=True):
            yield Draft(time_us, account_of(_BOT_POOL, bot), self._text(dice, bot), "en")

    def _text(self, dice: Dice, bot: int) -> str:
        places = self._places[bot % len(self._places)]
        place, name = places[bot % len(places)], self._names[bot * 37 % len(self._names)]
        forms = (
            f"{place} {dice.below(38)}°C, {dice.below(40)} km/h, {20 + dice.below(80)}%",
            f"Now playing: {dice.choose(self._names)} - {dice.choose(self._names)}",
            f"{name.upper()} {dice.between(1, 900):.2f} ({dice.between(-4, 4):+.2f}%)",
            f"{dice.choose(self._names)} just went live, {dice.below(2000)} watching",
        )
        return forms[bot % len(forms)]


def _domain_words() -> list[str]:
    english = next(language for language in languages() if language.code == "en")
    return sorted({word.lower() for word in english.decks["x"]})[:400]
