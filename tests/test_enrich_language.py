"""Languages: script first, then the model, then what the author declared."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from bench import _language_sets as sets
from bench._language_score import calibration_error, macro_f1, ours
from hypothesis import given
from hypothesis import strategies as st

from groundswell.enrich.language import MIN_LETTERS, Languages, bcp47, identify_text
from groundswell.enrich.language_codes import covers, with_script
from groundswell.enrich.language_model import CAP, load
from groundswell.enrich.ngrams import DIMENSIONS, hash_ngrams, hidden_of
from groundswell.enrich.scripts import SCRIPTS, letters
from tests.measuring import measuring


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


def read(text: str, cap: int = CAP) -> str:
    found = letters(pa.array([text]), cap)
    return "".join(map(chr, found.codes.tolist()))


def test_letters_are_counted_by_script() -> None:
    found = letters(pa.array(["река ok", "地震だ", "x", "", "𞤀𞤣"]), CAP)
    assert [SCRIPTS[number] for number in found.script] == ["Cyrl", "Kana", "Latn", "Zyyy", "Adlm"]
    assert found.counts.tolist() == [4, 3, 1, 0, 2]


@pytest.mark.parametrize(
    ("text", "letters_alone"),
    [
        (
            "RT @user: Hellooooo &amp; good-bye 24 WORLDʼs http://x.test/z 😀 #Flood",
            " helloo good bye world's flood ",
        ),
        ("ﷺ كتـــاب\u200f", " ﷺ كتاب "),
        ("ＦＵＬＬ İzmir e\u0301", " full izmir e\u0301 "),
        ("www.example.test/the/english/words rhino http", " rhino "),
        ("R&D is RTFM & at&t", " r d is rtfm at t "),
        ("'quoted' \u0301x", " quoted' x "),
        ("", " "),
        ("\U00020000\U0010ffff", " \uf8ff "),
    ],
)
def test_only_letters_are_read(text: str, letters_alone: str) -> None:
    assert read(text) == letters_alone


def test_no_more_than_the_cap_is_read() -> None:
    assert len(read("ab cd " * 1000)) <= CAP + 2


def test_sums_of_vectors_hold_at_the_ends_of_their_range() -> None:
    table = np.array([[127] * DIMENSIONS, [-127] * DIMENSIONS], np.int8)
    hidden = np.zeros(DIMENSIONS, np.float32)
    for row, each in ((0, 127), (1, -127)):
        rows = np.full(1000, row, np.uint32)
        hidden_of(table, rows, np.zeros(DIMENSIONS, np.int16), hidden)
        assert hidden == pytest.approx(each * np.sqrt(1000))


def test_ngrams_are_the_same_wherever_they_stand() -> None:
    def ngrams(text: str) -> set[int]:
        out = np.zeros(3 * len(text) + 6, np.uint32)
        size = hash_ngrams(np.array([ord(char) for char in text], np.uint16), False, out)
        return set(out[:size].tolist())

    assert len(ngrams(" flood ")) == 6 + 5 + 4
    assert ngrams(" flood ") < ngrams(" a flood of ")


def test_the_model_is_small_and_knows_enough_languages() -> None:
    labels, model = load()
    assert len(labels) >= 250
    assert len(set(labels)) == len(labels)
    assert model.first[0] == 0
    assert model.first[-1] == len(labels)
    assert (model.temperatures > 0).all()


def test_every_label_has_a_tag_of_its_own_that_means_it() -> None:
    labels, _ = load()
    assert len({bcp47(label) for label in labels}) == len(labels)
    for label in labels:
        _, _, script = label.partition("_")
        gate = {"Hans": "Hani", "Hant": "Hani", "Jpan": "Hani"}.get(script, script)
        assert with_script(bcp47(label), gate) == label


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


@given(st.lists(st.text(max_size=200), min_size=1, max_size=6))
def test_any_text_gets_an_answer(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    codes, confidences = Languages().identify(pa.array(clean), pa.array([["en"]] * len(clean)))
    assert len(codes) == len(confidences) == len(texts)
    assert all(0.0 <= value <= 1.0 for value in confidences.to_pylist())


def test_lone_surrogates_and_control_characters_are_survived() -> None:
    assert identify_text("\ud800\x00\x1b" * 40)[0] == "und"
    assert identify_text("\ufdd0\uffff" * 40 + "x" * MIN_LETTERS)[0]


@pytest.mark.parametrize(("source", "least"), [("flores", 0.98), ("social", 0.94)])
def test_macro_f1_on_sentences_kept_from_training(source: str, least: float) -> None:
    measuring("language")
    rows = sets.read()
    rows = rows.where((rows.part == sets.TEST) & (rows.source == sets.SOURCES.index(source)))
    answers, confidences = ours(rows.text.tolist())
    assert macro_f1(rows.label, answers, families=True) >= least
    if source == "social":
        right = [covers(*pair) for pair in zip(answers.tolist(), rows.label.tolist(), strict=True)]
        assert calibration_error(np.array(right), confidences) <= 0.02


def test_the_parts_of_the_sets_share_no_sentence() -> None:
    measuring("language")
    rows = sets.read()
    parts = [set(rows.key[rows.part == part].tolist()) for part in (sets.TRAIN, sets.TUNE, sets.TEST)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert all(parts)


def test_the_scorers_know_right_from_wrong() -> None:
    truth = np.array(["eng_Latn"] * 10 + ["arz_Arab"] * 10 + ["deu_Latn"] * 2)
    answers = np.array(["eng_Latn"] * 10 + ["arb_Arab"] * 10 + ["eng_Latn"] * 2)
    assert macro_f1(truth, answers) == pytest.approx((20 / 22 + 0) / 2)
    assert macro_f1(truth, answers, families=True) == pytest.approx((20 / 22 + 1) / 2)
    assert calibration_error(np.array([True, False]), np.array([0.5, 0.5], np.float32)) == pytest.approx(0.0)
    assert calibration_error(np.array([True, False]), np.array([0.9, 0.9], np.float32)) == pytest.approx(0.4)
