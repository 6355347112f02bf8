"""Thousands of invented identities in sentences of many languages; none is in what the gate lets out."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from groundswell.batches import RAW, Kind
from groundswell.gate import Gate, GateSettings
from groundswell.metrics import Metrics

SENTENCES = (
    "Flood in the old town, {} says help is on the way", "{}", "l'incendie continue, {} l'a vu ce matin",
    "visto por {}, hay humo",
    "Der Strom ist weg ({}) seit heute früh", "пожар на заводе, пишет {} утром", "حريق كبير قال {} اليوم",
    "火事です {} だそうです",
    "着火了, {} 说的", "बाढ़ आई है {} ने कहा", "deprem oldu: {}", "powódź! {}; uwaga", "\"{}\" was there",
    "banjir besar\n{}\ndi sini",
    "υπάρχει φωτιά, {} λέει", "화재가 났어요 {} 에 따르면", "น้ำท่วม {} บอก", "RT {}: water rising",
    "#flood {} #sos", "pożar — {} — teraz",
)  # fmt: skip


class Canary(NamedTuple):
    identifier: str
    written: str
    needles: tuple[str, ...]
    """What must not be found: the whole, and the part that alone would lead to somebody."""


def name(rng: random.Random) -> str:
    return (
        "qz"
        + "".join(rng.choices(string.ascii_lowercase, k=7))
        + rng.choice(["", "_", "99", "_x7"]).rstrip("_")
    )


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("23456789", k=count))


def handles(rng: random.Random) -> Iterator[Canary]:
    who = name(rng)
    hosts = ["bsky.social", "mastodon.example", "social.example.org"]
    for written in (
        f"@{who}", f"@{who}.bsky.social", f"@{who}@{rng.choice(hosts)}", f"{who}.bsky.social", f"u/{who}",
        f"/u/{who}", f"＠{who}",
        f"@{who.upper()}", f"@{who[:3]}\u200b{who[3:]}", f"&commat;{who}", f"&#64;{who}", f"%40{who}",
        f"@{who}.example.com", f".@{who}",
        f"@{who}:matrix.example", f"acct:{who}@example.org", f"did:plc:{who:a<24}"[:40],
        f"did:web:{who}.example.com",
    ):  # fmt: skip
        yield Canary("handle", written, (written, who))


def mails(rng: random.Random) -> Iterator[Canary]:
    who = name(rng)
    for written in (
        f"{who}@example.org", f"{who}.k+tag@mail.example.co.uk", f"{who} at example dot com",
        f"{who} [at] example [dot] com",
        f"{who}(at)example.com", f"{who}＠example.com", f"{who}&#64;example&#46;com",
        f"{who}%40example.com", f"mailto:{who}@example.org",
        f"{who.upper()}@EXAMPLE.ORG", f"{who}@bücher.example", f"{who}@пример.рф", f"{who} @ example.com",
        f"{who}@exam\u200bple.com",
        f"{who} arroba example punto com", f"{who}{{at}}example.org", f"{who} собака example точка ru",
    ):  # fmt: skip
        yield Canary("email", written, (written, who))


SCRIPTS = ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙"]


def phones(rng: random.Random) -> Iterator[Canary]:
    number = digits(rng, 10)
    a, b, c = number[:3], number[3:6], number[6:]
    for written in (
        f"+44 7{a} {b}{c[:3]}", f"+1 ({a}) {b}-{c}", f"+1-{a}-{b}-{c}", f"({a}) {b}-{c}", f"{a}-{b}-{c}",
        f"{a}.{b}.{c}", f"+7 {a} {b}-{c[:2]}-{c[2:]}",
        f"8 ({a}) {b}-{c[:2]}-{c[2:]}", f"+91 {number[:5]} {number[5:]}",
        f"+33 6 {number[:2]} {number[2:4]} {number[4:6]} {number[6:8]}",
        f"06 {number[:2]} {number[2:4]} {number[4:6]} {number[6:8]}", f"+49{number}", f"0{a}/{b}{c}",
        f"+55 11 9{a}{number[3]}-{c}", f"+86 13{number[0]} {b}3 {c}",
        f"090-{number[:4]}-{c}", f"010-{number[:4]}-{c}", f"+254 7{number[:2]} {b} {a}", f"00{number}{a}",
        f"+62 8{number[:2]}-{number[:4]}-{c}",
        f"{a} {b} {c}", f"1-800-{b}-{c}", f"+971‑50‑{a}‑{c}", f"+234 80{number[0]} {b} {c}",
    ):  # fmt: skip
        yield Canary(
            "phone",
            written,
            (written, "".join(filter(str.isdigit, written)), c if len(set(c)) > 1 else written),
        )
    zero = rng.choice(SCRIPTS)
    foreign = f"+966 50 {a} {c}".translate(str.maketrans("0123456789", zero))
    yield Canary("phone", foreign, (foreign, foreign[-4:]))


def profiles(rng: random.Random) -> Iterator[Canary]:
    who = name(rng)
    for written in (
        f"https://twitter.com/{who}", f"https://x.com/{who}/status/123", f"x.com/{who}",
        f"https://bsky.app/profile/{who}.bsky.social",
        f"https://www.facebook.com/{who}", f"https://instagram.com/{who}/",
        f"https://www.tiktok.com/@{who}", f"t.me/{who}",
        f"https://www.linkedin.com/in/{who}", f"https://youtube.com/@{who}",
        f"https://mastodon.example/@{who}", f"HTTPS://TWITTER.COM/{who}",
        f"https://mastodon.example/users/{who}", f"https%3A%2F%2Ftwitter.com%2F{who}",
        f"https://bit.ly/{who}", f"hxxps://x.com/{who}",
        f"https://example.org/u/{who}?id={who}#{who}", f"https://{who}.tumblr.com/",
        f"http://{who}:pw@example.org/", f"www.example.net/{who}",
    ):  # fmt: skip
        yield Canary("profile_url", written, (written, who))


def iban(rng: random.Random) -> str:
    bank = "".join(rng.choices(string.ascii_uppercase, k=4)) + digits(rng, 14)
    as_number = int("".join(str(int(character, 36)) for character in bank + "GB00"))
    return f"GB{98 - as_number % 97:02d}{bank}"


def card(rng: random.Random) -> str:
    stem = "4" + digits(rng, 14)
    total = sum(
        sum(divmod(int(digit) * 2, 10)) if place % 2 == 0 else int(digit) for place, digit in enumerate(stem)
    )
    return stem + str(-total % 10)


def groups_of_four(text: str, separator: str = " ") -> str:
    return separator.join(text[at : at + 4] for at in range(0, len(text), 4))


def formatted(rng: random.Random) -> Iterator[Canary]:
    account, plastic = iban(rng), card(rng)
    hexes = "".join(rng.choices("123456789abcdef", k=64))
    base58 = "".join(rng.choices("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", k=33))
    octets = [str(rng.randint(11, 254)) for _ in range(4)]
    mac = [hexes[at : at + 2] for at in range(0, 12, 2)]
    lat, lon = f"{rng.uniform(-80, 80):.5f}", f"{rng.uniform(-170, 170):.5f}"
    number, letters = digits(rng, 9), "".join(rng.choices("BCDFGHJKLMNPRSTVWX", k=4))
    for identifier, written in (
        ("iban", account), ("iban", groups_of_four(account)), ("iban", account.lower()),
        ("card", plastic), ("card", groups_of_four(plastic)), ("card", groups_of_four(plastic, "-")),
        ("ip", ".".join(octets)), ("ip", ":".join(hexes[at : at + 4] for at in range(0, 32, 4))),
        ("ip", f"2001:db8::{hexes[:4]}:{hexes[4:8]}"),
        ("mac", ":".join(mac)), ("mac", "-".join(mac).upper()),
        ("wallet", f"1{base58}"), ("wallet", f"0x{hexes[:40]}"), ("wallet", f"bc1q{hexes[:38]}"),
        ("wallet", hexes), ("wallet", f"npub1{hexes[:58]}"),
        ("national_id", f"{number[:3]}-{number[3:5]}-{number[5:]}"),
        ("national_id", f"passport {letters[0]}{number[:8]}"),
        ("national_id", f"{number[:8]}{letters[0]}"),
        ("national_id", f"{number[:3]}.{number[3:6]}.{number[6:]}-{number[:2]}"),
        ("plate", f"{letters[:2]}-{number[:3]}-{letters[2:]}"),
        ("plate", f"{letters[:2]}{number[:2]}{letters[1:]}"),
        ("plate", f"KA 05 {letters[:2]} {number[:4]}"),
        ("coordinates", f"{lat}, {lon}"), ("coordinates", f"{lat} {lon}"),
        ("coordinates", f"geo:{lat},{lon}"),
        ("address", f"{number[:3]} Qzanderson Street"), ("address", f"Qzandergasse {number[:2]}"),
        ("address", f"{number[:2]} rue de Qzanderval"),
        ("address", f"Calle Qzanderos {number[:2]}"), ("address", f"ул. Кзандерова, д. {number[:2]}"),
        ("address", f"Qzander Caddesi No: {number[:2]}"),
    ):  # fmt: skip
        yield Canary(identifier, written, (written,))


KINDS: tuple[Callable[[random.Random], Iterator[Canary]], ...] = (handles, mails, phones, profiles, formatted)


def canaries(rounds: int) -> list[Canary]:
    rng = random.Random(20260501)
    return [canary for _ in range(rounds) for kind in KINDS for canary in kind(rng)]


def batch_of(flock: list[Canary], accounts: list[str]) -> pa.RecordBatch:
    rng = random.Random(7)
    count = len(flock)
    nothing = pa.array([[]] * count, pa.list_(pa.string()))
    texts = [rng.choice(SENTENCES).format(canary.written) for canary in flock]
    # An author may put an identity into any field that is theirs to fill.
    urls = [
        [f"https://twitter.com/{account}", f"https://example.org/{canary.written}"]
        for account, canary in zip(accounts, flock, strict=True)
    ]
    langs = [["en", account] for account in accounts]
    columns = {
        "kind": pa.array(np.full(count, Kind.POST, np.uint8)),
        "source": pa.array(["test"] * count),
        "uri": pa.array([f"at://{account}/post/{row}" for row, account in enumerate(accounts)]),
        "account": pa.array(accounts),
        "text": pa.array(texts),
        "langs": pa.array(langs, pa.list_(pa.string())),
        "urls": pa.array(urls, pa.list_(pa.string())),
        "media": pa.array([["picture"]] * count, pa.list_(pa.string())),
        "latitude": pa.nulls(count, pa.float64()),
        "longitude": pa.nulls(count, pa.float64()),
        "marks": nothing,
        "time_us": pa.array(np.arange(count) * 1000 + 1_777_593_600_000_000),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in RAW.names], schema=RAW)


def survivors(rounds: int) -> list[tuple[str, str, str]]:
    """(identifier, as written, what was left) of each canary that could be found in its row."""
    flock = canaries(rounds)
    rng = random.Random(3)
    accounts = [
        rng.choice([f"did:plc:{name(rng):b<24}", f"{name(rng)}.example.com", f"{name(rng)}@mastodon.example"])
        for _ in flock
    ]
    posts = Gate(GateSettings(), Metrics()).admit(batch_of(flock, accounts))
    assert posts.num_rows == len(flock)
    found = []
    for canary, account, post in zip(flock, accounts, posts.to_pylist(), strict=True):
        row = "\x00".join(str(value) for value in post.values()).lower()
        words = "\x00".join(
            (post["text"], *post["langs"], *post["domains"])
        ).lower()  # short needles hide in keys
        if account in row or any(needle.lower() in words for needle in canary.needles):
            found.append((canary.identifier, canary.written, post["text"]))
    return found


def test_no_canary_survives() -> None:
    assert len(canaries(20)) > 2000
    assert survivors(20) == []


@pytest.mark.slow
def test_no_canary_of_ten_thousand_survives() -> None:
    assert survivors(100) == []
