"""Invented identities: decentralised identifiers, handles, and one unique canary of every class.

All of it is made up. Numbers come from ranges that are reserved for fiction, documentation or testing where
such ranges are large enough (RFC 2606, RFC 3849, the numbering plans' drama ranges, payment test prefixes).
A canary's value is a function of its serial number, so that no two are alike and each can be searched for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from groundswell.simulator.dice import mix

__all__ = ["CANARY_CLASSES", "carry", "dids", "identifier"]

_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_CANARY_SEED = 0x5EED  # apart from every world's own accounts
_SPREAD = 2_654_435_761  # Knuth's multiplicative constant, prime: neighbours land far apart, none collide


def dids(seed: int, accounts: npt.NDArray[np.int64]) -> list[str]:
    """The `did:plc:` of each account number: 120 hashed bits in 24 characters."""
    first = mix(accounts.astype(np.uint64) ^ mix(np.array([seed + 1], dtype=np.uint64)))
    digits = np.concatenate(
        [_base32_digits(first), _base32_digits(mix(first + np.uint64(0x9E3779B97F4A7C15)))], 1
    )
    return [
        f"did:plc:{text}" for text in np.ascontiguousarray(digits).view("S24").ravel().astype("U24").tolist()
    ]


def _base32_digits(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Sixty bits of each value as twelve base-32 characters, shape (n, 12)."""
    shifts = np.arange(0, 60, 5, dtype=np.uint64)
    return _BASE32[((values[:, None] >> shifts) & np.uint64(31)).astype(np.intp)]


def _code(serial: int, length: int) -> str:
    """`serial`, spread over and written in base 36: `length` characters, unique below 36^length."""
    value = _spread(serial, 36**length)
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 36)
        digits.append(_BASE36[digit])
    return "".join(digits)


def _spread(serial: int, capacity: int) -> int:
    return (serial * _SPREAD + 97_531) % capacity


def _handle(serial: int) -> str:
    ending = ("example.com", "test", "example.org", "bsky.example")[serial % 4]
    return f"@{('marlo', 'tessa', 'quill', 'birch')[serial // 4 % 4]}-{_code(serial, 7)}.{ending}"


def _did(serial: int) -> str:
    if serial % 4 == 0:
        return f"did:web:{_code(serial, 8)}.example.net"
    return dids(_CANARY_SEED, np.array([serial]))[0]


def _email(serial: int) -> str:
    host = ("example.com", "example.org", "example.net", "mail.test")[serial % 4]
    return (
        f"{('jo', 'kim', 'sam', 'lee')[serial // 4 % 4]}{'._-+'[serial // 16 % 4]}{_code(serial, 8)}@{host}"
    )


def _phone(serial: int) -> str:
    """North American numbers with the exchange 555, in six ways of writing."""
    area, line = divmod(_spread(serial, 8_000_000), 10_000)
    area += 200
    forms = (
        f"+1 {area} 555 {line:04d}", f"({area}) 555-{line:04d}", f"{area}-555-{line:04d}",
        f"+1{area}555{line:04d}", f"+1-{area}-555-{line:04d}", f"{area}.555.{line:04d}",
    )  # fmt: skip
    return forms[serial % len(forms)]


def _profile_url(serial: int) -> str:
    name = _code(serial, 9)
    forms = (
        f"https://bsky.app/profile/{name}.test", f"https://x.com/sim_{name}", f"https://www.instagram.com/sim.{name}/",
        f"https://t.me/sim_{name}", f"https://mastodon.example/@sim{name}", f"https://www.facebook.com/sim.{name}",
    )  # fmt: skip
    return forms[serial % len(forms)]


def _iban(serial: int) -> str:
    """A checksum-valid IBAN (ISO 13616); every other one in groups of four."""
    country, length = (("DE", 18), ("FR", 23), ("ES", 20), ("NO", 11))[serial % 4]
    account = f"{_spread(serial, 10**11):0{length}d}"
    numeric = int(account + "".join(str(ord(letter) - 55) for letter in country) + "00")
    iban = f"{country}{98 - numeric % 97:02d}{account}"
    return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4)) if serial // 4 % 2 else iban


def _card(serial: int) -> str:
    """Sixteen digits on a test prefix with a valid Luhn digit."""
    body = ("400000", "411111", "555555", "222300")[serial % 4] + f"{_spread(serial, 10**9):09d}"
    total = sum(sum(divmod(int(digit) * (2 - i % 2), 10)) for i, digit in enumerate(body))
    number = body + str(-total % 10)
    separator = ("", " ", "-")[serial // 4 % 3]
    return separator.join(number[i : i + 4] for i in range(0, 16, 4))


def _ip(serial: int) -> str:
    value = _spread(serial, 1 << 24)
    if serial % 3 == 0:
        return f"2001:db8:{value >> 16:x}:{value & 0xFFFF:x}::{serial % 250 + 1:x}"
    return f"{(10, 100)[serial % 2]}.{value >> 16}.{value >> 8 & 255}.{value & 255}"


def _address(serial: int) -> str:
    """Street addresses as five countries write them."""
    trees = ("Maple", "Alder", "Hazel", "Rowan", "Linden", "Juniper", "Cedar", "Willow")
    tree = trees[serial // 5 % 8]
    house, postcode = divmod(_spread(serial, 9_000 * 90_000), 90_000)
    house, postcode = house + 11, postcode + 10_000
    forms = (
        f"{house} {tree} Street, Fairhollow, TX {postcode}", f"{house} {tree} Ave, Millbrook, OH {postcode}",
        f"{tree}straße {house}, {postcode} Neustadt", f"{house} rue {tree}, {postcode} Villeneuve",
        f"Calle {tree} {house}, {postcode} Villanueva",
    )  # fmt: skip
    return forms[serial % len(forms)]


def _plate(serial: int) -> str:
    """Number plates as France, Germany and Italy write them."""
    value = _spread(serial, 26**4 * 1000)
    rest, digits = divmod(value, 1000)
    letters = ""
    for _ in range(4):
        rest, letter = divmod(rest, 26)
        letters += chr(65 + letter)
    forms = (
        f"{letters[:2]}-{digits:03d}-{letters[2:]}", f"{letters[:2]}-{letters[2:]} {digits:03d}",
        f"{letters[:2]} {digits:03d} {letters[2:]}",
    )  # fmt: skip
    return forms[serial % len(forms)]


_MAKERS: dict[str, Callable[[int], str]] = {
    "handle": _handle,
    "did": _did,
    "email": _email,
    "phone": _phone,
    "profile_url": _profile_url,
    "iban": _iban,
    "card": _card,
    "ip": _ip,
    "address": _address,
    "plate": _plate,
}

_CARRIERS: dict[str, tuple[str, ...]] = {
    "handle": ("cc {}", "ask {} about it", "via {}", "👉 {}"),
    "did": ("id {}", "{} posted this first", "repo {}"),
    "email": ("write to {}", "mail: {}", "✉️ {}", "contact {}"),
    "phone": ("call {}", "tel. {}", "📞 {}", "WhatsApp {}"),
    "profile_url": ("see {}", "{}", "follow here {}"),
    "iban": ("donate: IBAN {}", "IBAN {}", "account {}"),
    "card": ("my card {} was declined", "card number {}", "💳 {}"),
    "ip": ("server at {}", "blocked {}", "host {}"),
    "address": ("at {}", "📍 {}", "address: {}"),
    "plate": ("licence plate {}", "plate {}", "car with plate {}"),
}

CANARY_CLASSES = ("account", *_MAKERS)
"""Every class of identifier; `account` is the author's own identifier and stands in no text."""


def identifier(kind: str, serial: int) -> str:
    """The canary of class `kind` with this serial number, below 8,000,000."""
    return _MAKERS[kind](serial)


def carry(text: str, kind: str, value: str, draw: float) -> str:
    """`text` with the identifier worked in at its end."""
    carriers = _CARRIERS[kind]
    return f"{text} {carriers[int(draw * len(carriers))].format(value)}"
