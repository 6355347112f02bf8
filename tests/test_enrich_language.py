"""Languages: script first, then CLD2, then what the author declared."""

from __future__ import annotations

import gzip
import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.enrich.language import MIN_LETTERS, Languages, _catalogue, bcp47, identify_text
from groundswell.enrich.scripts import SCRIPTS, letters
from tests.measuring import measuring

pycld2 = pytest.importorskip("pycld2", reason="pycld2 has no wheel for this platform")


def identify(text: str, *hints: str) -> str:
    codes, _ = Languages().identify(pa.array([text]), pa.array([list(hints)], pa.list_(pa.string())))
    return str(codes[0].as_py())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The river is rising fast near the old bridge", "eng_Latn"),
        ("El río está creciendo muy rápido cerca del puente viejo", "spa_Latn"),
        ("Nehir eski köprünün yanında hızla yükseliyor", "tur_Latn"),
        ("Река быстро поднимается у старого моста, будьте осторожны", "rus_Cyrl"),
        ("النهر يرتفع بسرعة قرب الجسر القديم", "arb_Arab"),
        ("नदी पुराने पुल के पास तेजी से बढ़ रही है", "hin_Deva"),
        ("북쪽 다리", "kor_Hang"),
        ("東京で地震がありました", "jpn_Jpan"),
        ("ありがとう", "jpn_Jpan"),
        ("北京发生地震请大家注意安全", "zho_Hans"),
        ("台北發生地震請大家注意安全", "zho_Hant"),
        ("น้ำท่วม", "tha_Thai"),
        ("σεισμός", "ell_Grek"),
        ("ወንዙ በፍጥነት እየጨመረ ነው ተጠንቀቁ", "amh_Ethi"),
        ("מים", "heb_Hebr"),
    ],
)
def test_a_language_is_told_by_its_script_or_its_words(text: str, code: str) -> None:
    assert identify_text(text)[0] == code


@pytest.mark.parametrize("text", ["", "ok", "lol 😂😂", "12345 !!!", "http://t.co/abc @someone", "haha"])
def test_too_little_says_nothing(text: str) -> None:
    assert identify_text(text) == ("und", 0.0)


def test_a_declaration_counts_only_when_the_text_says_nothing_and_the_script_fits() -> None:
    assert identify("ok", "pt-BR") == "por_Latn"
    assert identify("ok", "ja") == "und"
    assert identify("ok", "ru", "sr") == "srp_Latn"
    assert identify("The river is rising fast near the old bridge", "pt") == "eng_Latn"
    assert identify("ok", "x" * 5000, "", "-") == "und"


def test_links_handles_and_emoji_do_not_speak() -> None:
    assert identify(
        "@theresa http://example.test/the-very-english-road-of-words 😭 río crecido puente viejo roto"
    ).startswith("spa")


def test_letters_are_counted_by_script() -> None:
    found = letters(pa.array(["река ok", "地震だ", "x", ""]), 400)
    assert [SCRIPTS[number] for number in found.script] == ["Cyrl", "Kana", "Latn", "Zyyy"]
    assert found.letters.tolist() == [4, 3, 1, 0]


def test_a_slice_of_a_batch_is_read_in_its_own_place() -> None:
    texts = pa.array(["Река быстро поднимается у старого моста", "북쪽 다리", "ありがとう"])
    codes, _ = Languages().identify(texts[1:], pa.array([[], [], []], pa.list_(pa.string()))[1:])
    assert codes.to_pylist() == ["kor_Hang", "jpn_Jpan"]


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng_Latn", "en"),
        ("srp_Cyrl", "sr"),
        ("srp_Latn", "sr-Latn"),
        ("zho_Hans", "zh-Hans"),
        ("arb_Arab", "ar"),
        ("nob_Latn", "nb"),
        ("vai_Vaii", "vai"),
        ("und", "und"),
    ],
)
def test_bcp47(code: str, tag: str) -> None:
    assert bcp47(code) == tag


def test_every_language_cld2_detects_has_a_code() -> None:
    invented = {"zzb", "zze", "zzh", "zzp", "tlh", "xxx"}
    detected = set(pycld2.DETECTED_LANGUAGES)
    tags = {code for name, code in pycld2.LANGUAGES if name in detected}
    missing = {tag for tag in tags if not tag.startswith("xx-") and tag not in invented}
    assert {
        tag
        for tag in missing
        if tag.lower() not in _catalogue().codes and tag.split("-")[0] not in _catalogue().codes
    } == set()


@given(st.lists(st.text(max_size=200), min_size=1, max_size=6))
def test_any_text_gets_an_answer(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    codes, confidences = Languages().identify(pa.array(clean), pa.array([["en"]] * len(clean)))
    assert len(codes) == len(confidences) == len(texts)
    assert all(0.0 <= value <= 1.0 for value in confidences.to_pylist())


def test_lone_surrogates_and_control_characters_are_survived() -> None:
    assert identify_text("\ud800\x00\x1b" * 40)[0] == "und"
    assert identify_text("\ufdd0\uffff" * 40 + "x" * MIN_LETTERS)[0]


@pytest.mark.parametrize(("name", "column", "least"), [("flores_train", 1, 0.83), ("social_train", 2, 0.72)])
def test_accuracy_on_real_text(name: str, column: int, least: float) -> None:
    path = measuring("language", f"{name}.tsv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    rows = random.Random(0).sample([row for row in rows if len(row) > column], 3000)
    same = {"acm": "arb", "acq": "arb", "aeb": "arb", "ajp": "arb", "apc": "arb", "ars": "arb", "ary": "arb"}
    same |= {"arz": "arb", "arq": "arb", "ara": "arb", "prs": "pes", "twi": "aka", "yue": "zho"}
    same |= {"orm": "gaz", "swa": "swh"}
    known = set(_catalogue().tags)
    wanted = [same.get(row[0][:3], row[0][:3]) for row in rows]
    codes, _ = Languages().identify(
        pa.array([row[column] for row in rows]), pa.array([[]] * len(rows), pa.list_(pa.string()))
    )
    answers = [same.get(code[:3], code[:3]) for code in codes.to_pylist()]
    judged = [want == got for want, got in zip(wanted, answers, strict=True) if want in known]
    assert sum(judged) / len(judged) > least
