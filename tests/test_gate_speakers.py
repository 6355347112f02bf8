"""Speaker keys: equal within a day, strangers across days and runs, gone when they should be."""

from __future__ import annotations

from hashlib import blake2b

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.clock import HOUR_US
from groundswell.gate import SpeakerKeys
from groundswell.gate.blake2 import keyed_digests
from groundswell.gate.consent import declined
from groundswell.gate.drafts import Drafts
from groundswell.gate.mentions import mentioned, mentioned_by_expressions
from groundswell.gate.speakers import DAY_US, GRACE_US
from groundswell.gate.strings import buffers

SOURCES = pa.array(["a", "a", "b", "a"])
ACCOUNTS = pa.array(["did:plc:one", "did:plc:two", "did:plc:one", "did:plc:one"])


def test_a_speaker_is_one_account_of_one_source_on_one_day() -> None:
    keys = SpeakerKeys()
    today = keys.advance(5 * DAY_US)
    one, two, elsewhere, again = keys.speakers(today, SOURCES, ACCOUNTS).tolist()
    assert one == again
    assert len({one, two, elsewhere}) == 3
    tomorrow = keys.advance(6 * DAY_US)
    assert (today, tomorrow) == (5, 6)
    assert not set(keys.speakers(tomorrow, SOURCES, ACCOUNTS).tolist()) & {one, two, elsewhere}


def test_two_runs_share_no_speaker_and_no_post_key() -> None:
    first, second = SpeakerKeys(), SpeakerKeys()
    for keys in (first, second):
        keys.advance(0)
    assert not set(first.speakers(0, SOURCES, ACCOUNTS).tolist()) & set(
        second.speakers(0, SOURCES, ACCOUNTS).tolist()
    )
    assert not set(first.posts(SOURCES, ACCOUNTS).tolist()) & set(second.posts(SOURCES, ACCOUNTS).tolist())


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=64),
    st.binary(min_size=1, max_size=300),
    st.lists(st.text(max_size=8) | st.integers(0, 400).map("x".__mul__), min_size=1, max_size=8),
)
def test_the_kernel_is_blake2b(key: bytes, context: bytes, values: list[str]) -> None:
    values = [value.encode("utf-8", "ignore").decode() for value in values]
    expected = [blake2b(context + value.encode(), digest_size=8, key=key).digest() for value in values]
    digests = keyed_digests(key, context, *buffers(pa.array(values, pa.string())))
    assert digests.tobytes() == b"".join(expected)


def test_hashes_of_different_purposes_do_not_meet() -> None:
    keys = SpeakerKeys(random=lambda length: b"k" * length)
    keys.advance(0)
    hashes = [
        set(keys.speakers(0, SOURCES, ACCOUNTS).tolist()),
        set(keys.posts(SOURCES, ACCOUNTS).tolist()),
        set(keys.accounts(SOURCES, ACCOUNTS).tolist()),
    ]
    assert len(set.union(*hashes)) == sum(map(len, hashes))


def test_post_keys_survive_midnight() -> None:
    keys = SpeakerKeys()
    keys.advance(DAY_US - 1)
    before = keys.posts(SOURCES, ACCOUNTS)
    keys.advance(DAY_US + GRACE_US)
    assert keys.posts(SOURCES, ACCOUNTS).tolist() == before.tolist()


def test_yesterdays_key_lives_one_hour_and_is_overwritten() -> None:
    handed_out: list[bytearray] = []

    def random(length: int) -> bytes:
        return bytes([len(handed_out) + 1]) * length

    keys = SpeakerKeys(random)
    assert keys.epochs(DAY_US - HOUR_US) == (0,)
    old = keys._epoch_keys[0]
    assert any(old)
    assert keys.epochs(DAY_US) == (1, 0)
    assert keys.epochs(DAY_US + GRACE_US - 1) == (1, 0)
    assert keys.epochs(DAY_US + GRACE_US) == (1,)
    assert not any(old)
    with pytest.raises(KeyError):
        keys.speakers(0, SOURCES, ACCOUNTS)


def test_a_stream_that_skips_days_leaves_no_old_key() -> None:
    keys = SpeakerKeys()
    keys.advance(0)
    assert keys.epochs(3 * DAY_US + 5) == (3,)


def test_time_that_runs_backwards_stays_in_its_epoch() -> None:
    keys = SpeakerKeys()
    keys.advance(2 * DAY_US)
    assert keys.advance(DAY_US) == 2


def test_after_close_nothing_is_hashed() -> None:
    keys = SpeakerKeys()
    keys.advance(0)
    keys.close()
    with pytest.raises(ValueError, match="destroyed"):
        keys.posts(SOURCES, ACCOUNTS)


def _mentioned(texts: list[str]) -> pa.StringArray:
    drafts = Drafts(pa.array(texts, pa.string()))
    return mentioned(drafts, drafts.rows)


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("@Victim you liar", "victim"),
        ("everyone tell @victim.example what you think", "victim.example"),
        ("see @alice@mastodon.example here", "alice@mastodon.example"),
        ("RT @reporter: @victim lies", "victim"),
        ("RT @reporter: flood in the port", None),
        ("flood in the port via @reporter", None),
        ("photo by @reporter, more soon", None),
        ("@user @username hello", None),
        ("@user says @victim lies", "victim"),
        ("mail jane@example.org or https://mastodon.example/@jane", None),
        ("no one here", None),
        ("@Пётр стыдно", "пётр"),
    ],
)
def test_the_account_a_text_speaks_to(text: str, account: str | None) -> None:
    assert _mentioned([text]).to_pylist() == [account]


def test_targets_are_keyed_and_zero_for_none() -> None:
    keys = SpeakerKeys()
    today = keys.advance(0)
    targets = keys.targets(today, pa.array(["s"] * 3), pa.array(["a", "a", None])).tolist()
    assert targets[0] == targets[1] != 0
    assert targets[2] == 0
    assert targets[0] not in keys.speakers(today, pa.array(["s"]), pa.array(["a"])).tolist()


def test_marks_that_decline() -> None:
    marks = [
        ["indexable:false"], ["#nobot"], ["NoBot"], ["noindex"], ["!no-unauthenticated"],
        ["org.user-intents.declaration#publicAccessArchive:false"], ["org.user-intents.bulkDataset=declined"],
        ["x", "#nobot"],
        [], ["indexable:true"], ["nobot-fan"], ["org.user-intents.declaration#publicAccessArchive:true"],
        ["porn"], [None],
    ]  # fmt: skip
    assert declined(pa.array(marks, pa.list_(pa.string()))).tolist() == [True] * 8 + [False] * 6


_SAID = st.sampled_from(
    [
        "@", "@a", "@Jane_doe", "RT", "via", "Source", "cc", "by", "from", ":", " ", "  ", "\n", ".", "-",
        "/", "é", "名", "@user", "@USERNAME", "@usuario", "@someones", "x", "_", "1", "@a.b-c", "@jané",
        "@a@b.org", "，", "\u200d",
    ]
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.lists(_SAID, max_size=7).map("".join), min_size=1, max_size=8))
def test_the_kernel_finds_whom_the_expressions_find(texts: list[str]) -> None:
    column = pa.array(texts, pa.string())
    found = _mentioned(texts)
    found.validate(full=True)
    assert found.to_pylist() == mentioned_by_expressions(column).to_pylist()
