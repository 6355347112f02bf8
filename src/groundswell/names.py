"""Which phrases could be a private person's name.

Owns the lexicon (given names, surnames, everyday words, places, office-holders, storm names) and the rule over a
phrase. `release` asks it before a phrase crosses the line, `enrich` before a crowd is taken for a pile-on. It
recognises that a phrase *could* be somebody's name; it never says whose, keeps nothing, and cannot be searched.

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
from pathlib import Path

__all__ = ["SECTIONS", "NameLexicon", "NameMark", "plain"]

SECTIONS = ("given", "surname", "word", "place")
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
PARTICLES = frozenset("al el bin ben ibn bint abu de da do dos das del della di la le van von den der af av y e".split())
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


AMBIGUOUS = NameMark.WORD | NameMark.PLACE | NameMark.STORM | NameMark.HEAD


class NameLexicon:
    """The names the project knows, and what they must not be mistaken for.

    Parameters
    ----------
    marks
        Folded word -> what it is known as.
    exceptions
        Pairs of folded words that are no private person.
    """

    def __init__(self, marks: dict[str, NameMark], exceptions: frozenset[tuple[str, str]]) -> None:
        self.marks = marks
        self.exceptions = exceptions

    @classmethod
    @cache
    def load(cls) -> NameLexicon:
        """The lexicon that comes with the package; read once a process (about 0.2 s)."""
        marks: dict[str, NameMark] = {}
        exceptions: set[tuple[str, str]] = set()

        def mark(words: Iterable[str], what: NameMark) -> None:
            for word in words:
                marks[word] = marks.get(word, NameMark(0)) | what

        what = NameMark.GIVEN
        singles: dict[NameMark, list[str]] = {}
        for line in lzma.decompress((_DATA / "names.txt.xz").read_bytes()).decode("utf-8").splitlines():
            if line.startswith("["):
                what = NameMark[line.strip("[]").upper()]
            elif " " in line:
                first, second = line.split(" ")
                exceptions.add((first, second))
            else:
                singles.setdefault(what, []).append(line)
        for what, words in singles.items():
            mark(words, what)
        mark([f"ال{name}" for name in singles[NameMark.SURNAME] if name[0] in _ARABIC], NameMark.SURNAME)
        listed = tomllib.loads((_DATA / "name_exceptions.toml").read_text("utf-8"))
        for key, what in (("words", NameMark.WORD), ("storms", NameMark.STORM), ("heads", NameMark.HEAD)):
            mark(plain(listed[key]).split(), what)
        for key in ("figures", "pairs"):
            for pair in listed[key].split(","):
                words = words_of(pair)
                exceptions.update(zip(words, words[1:], strict=False))
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
        known = [self.marks.get(word, NameMark(0)) for word in words]
        for at in range(len(words) - 1):
            beside = known[max(at - 1, 0)] | known[min(at + 2, len(words) - 1)]
            if beside & NameMark.HEAD or (words[at], words[at + 1]) in self.exceptions:
                continue
            if pair_is_name(known[at], known[at + 1], is_written_as_name=False):
                return True
        return any(self._is_korean_name(word) for word in words)

    def _is_korean_name(self, word: str) -> bool:
        """Korean writes surname and given name as one word of three syllables."""
        if len(word) != 3 or not "가" <= word[0] <= "힣":
            return False
        surname, given = self.marks.get(word[0], NameMark(0)), self.marks.get(word[1:], NameMark(0))
        return bool(surname & NameMark.SURNAME and given & NameMark.GIVEN)


def words_of(phrase: str) -> list[str]:
    """The words of a phrase in the lexicon's spelling; what is no letter or mark parts them, apostrophes do not."""
    joined = plain(phrase).replace("'", "").replace("’", "")
    return "".join(char if unicodedata.category(char)[0] in "LM" else " " for char in joined).split()


def pair_is_name(first: int, second: int, is_written_as_name: bool) -> bool:
    """Whether two adjacent words, known as these marks say, could be a name.

    `is_written_as_name` says that both bear a capital: then an unknown word counts as a surname.
    """
    return _could_be(first, second, is_written_as_name) or _could_be(second, first, is_written_as_name=False)


def _could_be(given: int, surname: int, is_written_as_name: bool) -> bool:
    """One of the two may be a word of another kind too (`john baker`, `paris hilton`), not both (`will power`)."""
    if not given & NameMark.GIVEN or (given | surname) & NameMark.HEAD:
        return False
    if surname & NameMark.SURNAME:
        return not (given & AMBIGUOUS and surname & AMBIGUOUS)
    return surname == 0 and is_written_as_name and not given & AMBIGUOUS
