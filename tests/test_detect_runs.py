"""Scripts that do not write words apart: phrases are whole words, not heaps of pairs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from groundswell.clock import MINUTE_US
from groundswell.detect.bursts import BurstSettings, Heat, Postings, hot_terms
from groundswell.detect.crowds import Crowds
from groundswell.detect.gazette import Gazette
from groundswell.detect.runs import MAX_CHARACTERS, is_unspaced, joined
from groundswell.detect.window import Window, WindowSettings
from groundswell.enrich.terms import extract
from tests.enriched_posts import CATEGORIES, NOON_US, PLACES, Row, batch, post

NOW_US = NOON_US + 10 * MINUTE_US
FLOOR = 16
LANGUAGES = {
    "tha_Thai": ("แผ่นดินไหว", ("วันนี้", "ที่เชียงใหม่", "รุนแรงมาก", "น่ากลัว")),
    "lao_Laoo": ("ນໍ້າຖ້ວມ", ("ມື້ນີ້", "ຢູ່ວຽງຈັນ", "ແຮງຫຼາຍ", "ຢ້ານ")),
    "khm_Khmr": ("ទឹកជំនន់", ("ថ្ងៃនេះ", "នៅភ្នំពេញ", "ខ្លាំងណាស់", "ខ្លាច")),
    "mya_Mymr": ("ငလျင်", ("ဒီနေ့", "မန္တလေးမှာ", "ပြင်းတယ်", "ကြောက်")),
    "bod_Tibt": ("ཆུ་ལོག", ("དེ་རིང", "ལྷ་སར", "ཆེན་པོ", "སྐྲག")),
    "jav_Java": ("ꦭꦶꦟ꧀ꦝꦸ", ("ꦢꦶꦤꦶꦏꦶ", "ꦲꦶꦁꦗꦺꦴꦒꦗ", "ꦒꦼꦝꦺ", "ꦮꦼꦢꦶ")),
    "zho_Hans": ("特大暴雨", ("今天", "在郑州", "真的", "可怕")),
    "jpn_Jpan": ("地震速報", ("今日", "熊本で", "すごい", "こわい")),
    "yue_Hant": ("黑色暴雨", ("今日", "喺九龍", "好大", "驚")),
}


def crowd_in(lang: str, title: str, fillers: tuple[str, ...], size: int = 20) -> list[Row]:
    """Posts that each say the title among other words, in three different orders."""
    rows = []
    for number in range(size):
        first, second = fillers[number % len(fillers)], fillers[(number // 2 + 1) % len(fillers)]
        text = (f"{first}{title}", f"{title}{second}", f"{first} {title} {second}")[number % 3]
        said = extract(pa.array([text]), pa.array([lang]))
        rows.append(
            post(number, number, lang=lang)
            | {
                "text": text,
                "folded": said.folded[0].as_py(),
                "terms": said.terms[0].as_py(),
                "term_starts": said.starts[0].as_py(),
                "term_ends": said.ends[0].as_py(),
            }
        )
    return rows


def phrases(rows: list[Row]) -> dict[str, int]:
    """What `FLOOR` of the crowd say when every term of its title is hot."""
    window = Window(WindowSettings())
    window.take([batch(rows)])
    terms = np.unique(np.array([term for row in rows for term in row["terms"]], np.uint64))
    heat = Heat(BurstSettings())
    heat.add(NOON_US + MINUTE_US, terms, np.full(len(terms), 30.0, np.float32))
    hot = hot_terms(window, heat, Postings(), BurstSettings(), NOW_US, FLOOR)
    assert hot is not None
    crowds = Crowds(window, Gazette(PLACES), CATEGORIES)
    uses = crowds.phrases(hot, np.arange(len(hot.terms)), np.arange(len(hot.rows)))
    return {use.text: use.speakers for use in uses if use.speakers >= FLOOR}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_title_is_one_phrase_in_every_script(lang: str) -> None:
    title, fillers = LANGUAGES[lang]
    written = extract(pa.array([title])).folded[0].as_py()
    assert len(extract(pa.array([title]), pa.array([lang])).terms[0]) >= 1
    assert phrases(crowd_in(lang, title, fillers)) == {written: 20}


def test_a_word_that_two_titles_share_stays_beside_them() -> None:
    rows = crowd_in("jpn_Jpan", "地震速報", LANGUAGES["jpn_Jpan"][1])
    rows += [
        row | {"speaker": row["speaker"] + 1, "post_key": row["post_key"] + 1}
        for row in crowd_in("jpn_Jpan", "余震地震", LANGUAGES["jpn_Jpan"][1])
    ]
    assert phrases(rows) == {"地震速報": 20, "余震地震": 20, "地震": 40}


def test_katakana_and_hangul_are_words_already() -> None:
    assert phrases(crowd_in("jpn_Jpan", " ハリケーン ", ("今日", "すごい"))) == {"ハリケーン": 20}
    assert phrases(crowd_in("kor_Hang", " 지진 ", ("오늘", "정말"))) == {"지진": 20}
    assert not is_unspaced("ハリケーン")


def test_runs_are_short_and_their_number_is_bounded() -> None:
    rows = crowd_in("zho_Hans", "暴雨洪水" * 400, ("今天",))
    window = Window(WindowSettings())
    window.take([batch(rows)])
    pairs = np.unique(np.array([term for row in rows for term in row["terms"]], np.uint64))
    speakers = window.of("speaker").astype(np.uint64)
    runs = joined(window, np.arange(len(rows)), speakers, pairs, np.full(len(pairs), 30.0), 3)
    assert runs
    assert all(2 < len(run.text) <= MAX_CHARACTERS for run in runs)
