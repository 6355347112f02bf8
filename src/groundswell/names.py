"""Which phrases could be a private person's name.

Owns the lexicon (given names, surnames, everyday words, places, office-holders, storm names) and the rule
over a phrase. `release` asks it before a phrase crosses the line, `enrich` before a crowd is taken for a
pile-on. It recognises that a phrase *could* be somebody's name; it never says whose, and keeps nothing.

What it misses is said in `docs/privacy.md`: nicknames, single names, names that are words, small languages.
Data and licences: `data/names.source.md`.
"""

from __future__ import annotations

import lzma
import tomllib
import unicodedata
from collections.abc import Iterable
from enum import IntFlag
from functools import cache
from itertools import pairwise
from pathlib import Path

__all__ = ["SECTIONS", "NameLexicon", "NameMark", "plain", "words_of"]

SECTIONS = ("given", "surname", "word", "place", "function")
_DATA = Path(__file__).parent / "data"

_STRIPPED = (
    (0x0300, 0x036F),  # Latin, Greek (and Cyrillic, see `plain`)
    (0x0591, 0x05BD),  # Hebrew points
    (0x05BF, 0x05C7),
    (0x0610, 0x061A),
    (0x0640, 0x0640),
    (0x064B, 0x065F),  # Arabic vowel marks
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x093C, 0x093C),  # nukta
)
_ARABIC = frozenset(chr(code) for code in range(0x0621, 0x06D4))
_LAST_ARABIC = "\u07ff"
_PARTICLES = "al el bin ben ibn bint abu de da do dos das del della di la le van von den der af av y e ال"
PARTICLES = frozenset(_PARTICLES.split())
"""What stands between a given name and a surname, and is neither."""

_ONE_SPELLING = str.maketrans(
    {
        **dict(zip("đøłıħŧςё", "dolihtσе", strict=True)),
        **dict.fromkeys("أإآٱ", "ا"),
        **dict.fromkeys("ىیے", "ي"),
        **dict.fromkeys("ةہۂۃھۀە", "ه"),
        "ک": "ك",
    }
)


def plain(word: str) -> str:
    """`word` as names and words are compared: folded case, Latin and Greek accents and vowel points off.

    >>> plain("José"), plain("ÖZTÜRK"), plain("Ёлкин"), plain("٢٠٢٣")
    ('jose', 'ozturk', 'елкин', '2023')
    """
    letters: list[str] = []
    for char in unicodedata.normalize("NFC", word).lower():
        if char.isdigit() and unicodedata.category(char) == "Nd":
            letters.append(str(unicodedata.digit(char)))
            continue
        parts = unicodedata.normalize("NFD", char)
        # й, ї, Indic and kana letters keep their marks: there the mark makes another letter.
        kept = parts[0] if parts[0] < "\u0400" and len(parts) > 1 else char
        if not any(low <= ord(kept) <= high for low, high in _STRIPPED):
            letters.append(kept)
    return "".join(letters).translate(_ONE_SPELLING)


class NameMark(IntFlag):
    """What a word is known as; a word can be several things."""

    GIVEN = 1
    SURNAME = 2
    WORD = 4
    """An everyday word."""
    PLACE = 8
    """A place, or a word in the name of one."""
    STORM = 16
    """A name that a storm bears."""
    HEAD = 32
    """A title, or a kind of place or body: what stands beside it is an office, a street, a storm."""


# As plain integers: the rule is asked thousands of times when its table is built.
_GIVEN, _SURNAME, _HEAD = int(NameMark.GIVEN), int(NameMark.SURNAME), int(NameMark.HEAD)
_HAN_NAME = 6  # characters of a name at most
_HAN_REGIONS = "県县省市州区區町村郡府駅站"
_AMBIGUOUS = int(NameMark.WORD | NameMark.PLACE | NameMark.STORM | NameMark.HEAD)


class NameLexicon:
    """The names the project knows, and what they must not be mistaken for.

    Parameters
    ----------
    marks
        Folded word -> what it is known as.
    exceptions
        Pairs of folded words that are no private person.
    """

    def __init__(self, marks: dict[str, int], exceptions: frozenset[tuple[str, str]]) -> None:
        self.marks = marks
        self.exceptions = exceptions

    @classmethod
    @cache
    def load(cls) -> NameLexicon:
        """The lexicon that comes with the package; read once a process (about 0.2 s)."""
        marks: dict[str, int] = {}
        exceptions: set[tuple[str, str]] = set()

        def mark(words: Iterable[str], what: NameMark) -> None:
            for word in words:
                marks[word] = marks.get(word, 0) | int(what)

        singles: dict[str, list[str]] = {name: [] for name in SECTIONS}
        section: list[str] = []
        for line in lzma.decompress((_DATA / "names.txt.xz").read_bytes()).decode("utf-8").splitlines():
            if line.startswith("["):
                section = singles[line.strip("[]")]
            elif " " in line:  # a place of two words
                first, second = line.split(" ")
                exceptions.add((first, second))
            else:
                section.append(line)
        for name in ("given", "surname", "word", "place"):
            mark(singles[name], NameMark[name.upper()])
        mark([f"ال{name}" for name in singles["surname"] if name[0] in _ARABIC], NameMark.SURNAME)
        marks.update(dict.fromkeys(singles["function"], int(NameMark.WORD)))
        listed = tomllib.loads((_DATA / "name_exceptions.toml").read_text("utf-8"))
        for key, what in (("words", NameMark.WORD), ("storms", NameMark.STORM), ("heads", NameMark.HEAD)):
            mark(plain(listed[key]).split(), what)
        for key in ("figures", "pairs"):
            for pair in listed[key].split(","):
                words = words_of(pair)
                exceptions.update(pairwise(words))
        return cls(marks, frozenset(exceptions))

    def person_like(self, phrase: str) -> bool:
        """Whether a folded phrase could hold a private person's name.

        >>> lexicon = NameLexicon.load()
        >>> lexicon.person_like("jessica meyer"), lexicon.person_like("meyer, jessica")
        (True, True)
        >>> lexicon.person_like("hurricane maria"), lexicon.person_like("angela merkel")
        (False, False)
        """
        words = [word for word in words_of(phrase) if word not in PARTICLES]
        known = [self.marks.get(word, 0) for word in words]
        for at, pair in enumerate(pairwise(words)):
            beside = known[max(at - 1, 0)] | known[min(at + 2, len(words) - 1)]
            if beside & _HEAD or pair in self.exceptions:
                continue
            if pair_is_name(known[at], known[at + 1], both_known=pair[1][0] > _LAST_ARABIC):
                return True
        return any(self._is_korean_name(word) or self._is_han_name(word) for word in words)

    def _is_korean_name(self, word: str) -> bool:
        """Korean writes surname and given name as one word of three syllables."""
        if len(word) != 3 or not "가" <= word[0] <= "힣":
            return False
        return bool(self.marks.get(word[0], 0) & _SURNAME and self.marks.get(word[1:], 0) & _GIVEN)

    def _is_han_name(self, word: str) -> bool:
        """Chinese and Japanese write surname and given name as one word.

        Three characters that begin with a surname are taken for a name whatever the other two are, for any
        two characters can be one's given name; not where the last tells of a town or a province.
        """
        if not 2 <= len(word) <= _HAN_NAME or not all("㐀" <= char <= "鿿" or char == "々" for char in word):
            return False
        if self.marks.get(word, 0) & _AMBIGUOUS:
            return False
        marks = [(self.marks.get(word[:at], 0), self.marks.get(word[at:], 0)) for at in range(1, len(word))]
        if len(word) == 3 and marks[0][0] & _SURNAME and word[2] not in _HAN_REGIONS:
            return True
        return any(pair_is_name(first, second, both_known=True) for first, second in marks)


def words_of(phrase: str) -> list[str]:
    """The words of a phrase in the lexicon's spelling; apostrophes do not part them."""
    joined = plain(phrase).replace("'", "").replace("’", "")
    return "".join(char if unicodedata.category(char)[0] in "LM" else " " for char in joined).split()


def pair_is_name(first: int, second: int, both_known: bool) -> bool:
    """Whether two adjacent words could be a name, by the `NameMark` of each.

    A given name may stand before a surname, after it, or beside another. Beside a surname, one of the two may
    be a word of another kind too (`john baker`, `paris hilton`), not both (`will power`).

    In European scripts and Arabic, which the word lists cover, an unknown word after a given name or before a
    surname counts as the other. Elsewhere too many plain words would: there `both_known` is set.
    """
    if (first | second) & _HEAD:
        return False
    if (first & _GIVEN and second & _SURNAME) or (first & _SURNAME and second & _GIVEN):
        return not (first & _AMBIGUOUS and second & _AMBIGUOUS)
    if (first | second) & _AMBIGUOUS:
        return False
    if first & _GIVEN and second & _GIVEN:
        return True
    return not both_known and bool((second == 0 and first & _GIVEN) or (first == 0 and second & _SURNAME))
