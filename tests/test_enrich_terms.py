"""Terms: what a post is cut into, in every script, and the family key of near-identical texts."""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.enrich import terms
from groundswell.enrich.fold import fold
from groundswell.enrich.tokens import CAPITAL, CAPITALS, MAX_TOKENS, STOP, hash_pairs, word_hash
from tests.measuring import measuring


def extract(texts: list[str], lang: str = "eng_Latn") -> terms.Terms:
    return terms.extract(pa.array(texts, pa.string()), pa.array([lang] * len(texts), pa.string()))


def shown(text: str, lang: str = "eng_Latn") -> list[str]:
    """The surface form of each term of one text."""
    found = extract([text], lang)
    folded = found.folded[0].as_py().encode()
    spans = zip(found.starts[0].as_py(), found.ends[0].as_py(), strict=True)
    return [folded[start:end].decode() for start, end in spans]


def shape(text: str) -> int:
    return int(extract([text]).shape[0].as_py())


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＦＬＯＯＤ", "flood"),
        ("Zu\u0308rich", "zürich"),
        ("İstanbul’s", "istanbul's"),
        ("𝗕𝗿𝗲𝗮𝗸𝗶𝗻𝗴 ﬁre", "breaking fire"),
        ("فيضـــان", "فيضان"),
        ("flo\u200bod\ufeff", "flood"),
        ("ｶﾞｿﾘﾝ", "ガソリン"),
        ("Vie\u0302\u0323t Nam", "việt nam"),
        ("🙏🏽", "🙏"),
        ("\U00020000中", "\U00020000中"),
    ],
)
def test_one_spelling(text: str, folded: str) -> None:
    assert fold(pa.array([text])).array()[0].as_py() == folded


def test_every_character_folds_as_unicode_does_but_for_those_listed() -> None:
    """Against NFKC of the case fold of NFKC, over all code points; the deviations, and why, one by one."""
    chars = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    odd = []
    for char, folded in zip(chars, fold(pa.array(chars)).array().to_pylist(), strict=True):
        compatible = unicodedata.normalize("NFKC", char)
        wanted = unicodedata.normalize("NFKC", compatible.casefold())
        category = unicodedata.category(char)
        allowed = (
            folded == wanted
            or (folded == compatible.lower() and len(wanted) <= 2)  # `ß` is a letter, not `ss`
            or (folded == char.lower() and (len(wanted) > 2 or wanted[:1] == " "))  # `¼`, spacing accents
            or (folded == "" and category in ("Cn", "Co", "Cf", "Mn", "Sk"))  # unseen, tags, skin tones
            or (folded == "" and char == "\u0640")  # tatweel
            or (folded == " " and category in ("Cc", "Zs", "Zl", "Zp"))
            or (folded == " " and char in "©®™℠")
            or (folded == "'" and char in "’ʼ‛ʹ`´")  # one apostrophe
            or (folded == "i" and char == "İ")
            or (folded == char and 0x2F800 <= ord(char) <= 0x2FA1F)  # rare Han, above the tables
        )
        if not allowed:
            odd.append((hex(ord(char)), folded, wanted))
    assert odd == []


def test_plain_words_and_pairs() -> None:
    assert shown("Earthquake hits the coast") == [
        "earthquake",
        "hits",
        "earthquake hits",
        "coast",
    ]


def test_pairs_with_stop_words_are_no_terms_and_short_words_only_live_in_pairs() -> None:
    assert shown("of the in it") == []
    assert shown("M7 quake") == ["quake", "m7 quake"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("#ItalyEarthquake", ["italy", "earthquake", "italyearthquake"]),
        ("#USAFlood", ["usa", "flood", "usaflood"]),
        ("#prayforitaly", ["italy", "prayforitaly"]),
        ("#italyearthquake", ["italy", "earthquake", "italyearthquake"]),
        ("#harvey2017", ["harvey", "2017", "harvey2017"]),
        ("harvey2017", ["harvey", "2017", "harvey2017"]),
        ("#relief_for_nepal", ["relief", "nepal"]),
        ("#EARTHQUAKE", ["earthquake"]),
    ],
)
def test_compounds_are_cut_and_kept(text: str, wanted: list[str]) -> None:
    found = shown(text)
    assert [word for word in wanted if word not in found] == []


def test_a_cut_hashtag_and_plain_words_share_their_terms() -> None:
    hashtag = extract(["#ItalyEarthquake"]).terms[0].as_py()
    words = extract(["Italy earthquake"]).terms[0].as_py()
    assert set(words) <= set(hashtag)


def test_camel_case_outside_a_hashtag_is_a_name_not_a_compound() -> None:
    assert shown("YouTube") == ["youtube"]


@pytest.mark.parametrize(
    "noise",
    ["RT @user:", "@someone.test", "http://t.co/abcdef", "https://x.test/a_b", "&amp;", "www.x.test", "flo…"],
)
def test_noise_gives_nothing(noise: str) -> None:
    assert shown(f"{noise} flood") == ["flood"]


def test_possessives_elisions_and_apostrophes() -> None:
    assert shown("London's") == ["london"]
    assert shown("dell'Aquila") == ["aquila"]
    assert word_hash("o'brien") == word_hash("O’Brien") == word_hash("obrien")


def test_numbers_keep_their_point_and_single_digits_go() -> None:
    assert shown("7.8") == ["7.8"]
    assert shown("1,000") == ["1,000"]
    assert shown("5") == []


def test_a_full_stop_ends_a_phrase_but_not_after_an_abbreviation() -> None:
    assert "flood. pray" not in shown("flood. pray")
    assert "st. louis" in shown("St. Louis")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("台風19号が東京に接近、ハリケーン", ["台風", "東京", "接近", "ハリケーン"]),
        ("แผ่นดินไหว", ["แผ่", "ผ่น", "นดิ", "ดิน", "นไ", "ไห", "หว"]),
        ("ငလျင်", ["ငလျ", "လျင်"]),
        ("지진이 났다", ["지진이", "났다"]),
        ("भूकंप के झटके", ["भूकंप", "झटके"]),
        ("زلزال قوي", ["زلزال", "قوي"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("😭🇮🇹", ["😭", "🇮🇹"]),
        ("👍🏽👩‍🚒", ["👍", "👩", "🚒"]),  # without skin tones; the parts of a joined one
        ("7.8 1,000", ["7.8", "1,000"]),
    ],
)
def test_every_script(text: str, wanted: list[str]) -> None:
    found = shown(text)
    assert [word for word in wanted if word not in found] == []


def test_the_lowest_bit_tells_pairs_from_single_tokens() -> None:
    found = extract(["river flood 地震 😭"])
    folded = found.folded[0].as_py().encode()
    spans = zip(found.starts[0].as_py(), found.ends[0].as_py(), found.terms[0].as_py(), strict=True)
    assert {folded[a:b].decode(): term & 1 for a, b, term in spans} == {
        "river": 0,
        "flood": 0,
        "river flood": 1,
        "地震": 0,
        "😭": 0,
    }


def test_hashes_never_change() -> None:
    """Baselines are stored under these; a change of any is a change of the store's format."""
    assert word_hash("earthquake") == 0xD01CED653E8A2056
    assert word_hash("地震") == 0x381F634CC8CBF5D4
    assert int(hash_pairs([("italy", "earthquake")])[0]) == 0x16B9D14705239C21


def test_accents_and_arabic_variants_do_not_part_words() -> None:
    assert word_hash("Inundación") == word_hash("inundacion")
    assert word_hash("هزّة") == word_hash("هزه")
    assert word_hash("йод") != word_hash("иод")


def test_capitals_are_remembered_for_names() -> None:
    tokens = extract(["Anna SHOUTS the news"]).tokens
    marks = [int(flags & (CAPITAL | CAPITALS | STOP)) for flags in tokens.flags]
    assert marks == [CAPITAL, CAPITAL | CAPITALS, STOP, 0]


def test_a_post_is_capped() -> None:
    long = " ".join(f"word{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(600))
    found = extract([long, "地震" * 5000, "#" + "Ab" * 3000, "x" * 100_000])
    assert [len(row) for row in found.terms.to_pylist()] == [terms.MAX_TERMS, 2, 0, 0]
    assert (
        max(b - a for a, b in zip(found.tokens.offsets, found.tokens.offsets[1:], strict=False)) <= MAX_TOKENS
    )


@given(st.lists(st.text(max_size=300), max_size=8))
def test_any_text_gives_distinct_terms_inside_the_folded_text(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    found = extract(clean)
    found.folded.validate(full=True)
    for folded, row, starts, ends in zip(
        found.folded.to_pylist(),
        found.terms.to_pylist(),
        found.starts.to_pylist(),
        found.ends.to_pylist(),
        strict=True,
    ):
        data = folded.encode()
        assert len(set(row)) == len(row) == len(starts) == len(ends) <= terms.MAX_TERMS
        for start, end in zip(starts, ends, strict=True):
            assert 0 <= start < end <= len(data)
            data[start:end].decode()


@given(st.lists(st.text(max_size=80), min_size=2, max_size=12), st.data())
def test_how_a_stream_is_cut_into_batches_changes_nothing(texts: list[str], data: st.DataObject) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    cut = data.draw(st.integers(1, len(texts) - 1))
    whole = extract(clean)
    parts = [extract(clean[:cut]), extract(clean[cut:])]
    for column in ("folded", "terms", "starts", "ends", "shape"):
        joined = [value for part in parts for value in getattr(part, column).to_pylist()]
        assert joined == getattr(whole, column).to_pylist()


STORY = "Firefighters rescue eleven miners trapped under ground since Tuesday near the northern village"


@pytest.mark.parametrize(
    "edited",
    [
        f"RT @user: {STORY}",
        f"{STORY} http://t.co/abc",
        f"{STORY.upper()}!!!",
        f"{STORY} 🙏🙏",
    ],
)
def test_a_copy_keeps_its_shape(edited: str) -> None:
    assert shape(edited) == shape(STORY)


def test_a_changed_end_mostly_keeps_the_shape() -> None:
    words = STORY.split()
    edits = [" ".join([*words[:-1], f"place{chr(97 + k)}"]) for k in range(26)]
    shapes = Counter(shape(edit) for edit in edits)
    assert shapes[shape(STORY)] == max(shapes.values()) >= 0.7 * len(edits)


def test_own_words_have_their_own_shape() -> None:
    assert shape("my street is under water since the morning") != shape(
        "the river broke its bank in our village"
    )
    assert shape("") == 0


def test_shape_parts_copies_from_own_words_in_real_posts() -> None:
    path = measuring("events", "crisislext6.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(8000), strict=False)]
    shapes = extract(texts).shape.to_pylist()
    family: dict[int, list[int]] = {}
    for row, key in enumerate(shapes):
        family.setdefault(key, []).append(row)
    wrong = merged = 0
    for rows in family.values():
        first = set(texts[rows[0]].lower().split())
        for row in rows[1:]:
            words = set(texts[row].lower().split())
            merged += 1
            wrong += len(first & words) < 0.3 * len(first | words)
    assert merged > 500
    assert wrong / merged < 0.15
