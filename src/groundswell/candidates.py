"""What `detect` hands to `release`: crowds as counts, not yet safe to publish.

A candidate speaks of distinct speakers it has counted exactly, deletions already taken out. Nothing in it
names an account; but its counts are exact and its phrases unscreened, so it stays left of the line.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from groundswell.pile_ons import may_be_a_pile_on, may_name_somebody

__all__ = [
    "Candidate",
    "Counted",
    "Emblem",
    "Gap",
    "Part",
    "PhraseUse",
    "PictureSeen",
    "PictureUse",
    "PlaceUse",
    "Shortfall",
    "Sign",
    "StepUse",
]


class Counted(msgspec.Struct, frozen=True):
    """A value and the distinct speakers who used it."""

    value: str
    speakers: int


class PhraseUse(msgspec.Struct, frozen=True):
    """A phrase of one to five tokens as people wrote it, and who used it."""

    text: str
    """Case-folded, tokens separated as in the posts."""
    speakers: int
    language: str
    """The code most of its posts are in."""
    surprise: float
    """Nats; how unlikely its rate is under its own baseline."""


class PlaceUse(msgspec.Struct, frozen=True):
    """A place the crowd speaks of or tags."""

    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    latitude: float
    longitude: float
    population: int
    """Inhabitants; 0 when unknown."""
    level: str
    """`city`, `region` or `country`."""
    speakers: int
    confidence: float
    """Share of the crowd's evidence that agrees with this place, in [0, 1]."""


class PictureUse(msgspec.Struct, frozen=True):
    """A picture that much of a chain's crowd posted, and who did."""

    chain: str
    picture: int
    """Key of the picture, or of the family of its near-duplicates."""
    speakers: int
    """Distinct speakers who posted it within the window, deletions taken out."""


class Sign(msgspec.Struct, frozen=True):
    """Words that stand in a picture."""

    text: str
    """Redacted, as it is written there."""
    language: str
    """`und` where a sign is too short to tell."""
    confidence: float
    """That it was read right, in [0, 1]."""


class Emblem(msgspec.Struct, frozen=True):
    """A mark of an organisation or a hazard in a picture."""

    name: str
    category: str
    """From the closed list of the gallery."""
    confidence: float


class PictureSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in a picture: made once for a near-duplicate family, kept in memory."""

    picture: int
    image: bytes
    """A new file with faces and plates filled in and no metadata; empty when it may not be shown."""
    media_type: str = "image/jpeg"
    width: int = 0
    height: int = 0
    signs: tuple[Sign, ...] = ()
    emblems: tuple[Emblem, ...] = ()
    tags: tuple[str, ...] = ()


class StepUse(msgspec.Struct, frozen=True):
    """Since when a matter is told on one source in one language."""

    since_us: int
    source: str
    language: str
    speakers: int
    """Distinct speakers of the last hour; 0 for a step that was fit to publish before."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The people of one language in a crowd that speaks several: what they say by themselves."""

    language: str
    """The code of most of it; empty when none is sure."""
    category: str
    person_share: float
    """As the candidate's, of their posts alone."""
    placed: int
    """Most speakers who name one place."""

    def may_name_somebody(self) -> bool:
        return may_name_somebody(self.category, self.language, self.person_share)

    def may_be_a_pile_on(self, floor: int) -> bool:
        """See `pile_ons`."""
        return may_be_a_pile_on(self.category, self.language, self.person_share, self.placed, floor)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A crowd around one matter, at one tick."""

    kind: str
    """`event`, `amplification` or `narrative`."""
    chain: str
    """The stable id of the chain."""
    seed: int
    """Hash of the chain's defining term: the context of its first threshold."""
    tick_us: int
    first_us: int
    last_us: int
    speakers: int
    """Distinct speakers in the widest window: the maximum over key epochs, deletions taken out."""
    unique_texts: int
    bins: tuple[tuple[int, int], ...]
    """Closed five-minute bins: (start in microseconds, distinct speakers)."""
    phrases: tuple[PhraseUse, ...]
    """Most telling first."""
    places: tuple[PlaceUse, ...]
    """Best first; may be empty."""
    languages: tuple[Counted, ...]
    sources: tuple[Counted, ...]
    domains: tuple[Counted, ...]
    moods: tuple[int, int, int] = (0, 0, 0)
    """Distinct speakers by the mood of their newest post that has one: negative, neutral, positive."""
    category: str
    """From the closed list in `enrich/topics.py`; `other` when the crowd does not say."""
    state: str
    """`new`, `growing`, `steady`, `fading` or `ended`."""
    person_share: float
    """Share of its posts that speak of one and the same private person, in [0, 1]."""
    surprise: float
    parts: tuple[Part, ...] = ()
    """Of an event in several languages, each of them; none of one in a single language."""
    p_value: float | None = None
    """Amplification only."""
    spread_seconds: float | None = None
    """Amplification only: time in which the middle nine tenths of the copies appeared."""
    naming: float = 0.0
    """Of copies: the share with a word that looks like somebody's name, in [0, 1]."""
    unclear: float = 0.0
    """Of copies: the share of which nobody can tell. Of a narrative: the posts with its commonest word that
    may be a name."""
    recurrences: int = 0
    """Narratives only: how many times it was told, this time among them; 1 for what keeps to the clock."""
    path: tuple[StepUse, ...] = ()
    """Narratives only: where and in which languages it was told, oldest first."""
    cited: tuple[str, ...] = ()
    """Narratives only: domains that were fit to publish before."""
    fit_floor: int = 0
    """Narratives only: the lowest floor at which the steps of 0 speakers and the domains before were fit."""
    words: tuple[Counted, ...] = ()
    """Narratives only: the words that it would be known again by."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a source that was not collected and cannot be fetched again."""

    source: str
    start_us: int
    end_us: int
    reason: str
    """One of `outage`, `cursor_too_old`, `slow_reader`: never a host's own words."""


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which a source, or one language of it, brought far less than was to be expected."""

    source: str
    language: str | None
    """None for the whole source."""
    first_us: int
    last_us: int
    """Where it ended, or how far it is known to go on."""
    speakers: int
    """Distinct speakers of a usual quarter hour; may be cut off at twice the floor."""
    nothing: bool
    """Whether nothing came, or next to nothing; told of whole sources only."""
    phase: Literal["open", "late", "restored", "lapsed"]
    """`late`: by the clock, what is missing may yet come. `lapsed`: it goes on, and is not waited for."""
