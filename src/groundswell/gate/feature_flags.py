"""The kinds of identifier that a text could hold, as flags, and the words that announce them.

Owns names and words, and what becomes of a word in a table; finding them is the business of `features`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag

import numpy as np

__all__ = ["BASIS", "ENDINGS", "PRIME", "SHAPES", "SLOTS", "WORD_FLAGS", "WORD_SHAPES", "Feature"]


class Feature(IntFlag):
    """What a text holds."""

    AT = 1 << 0
    LOCAL_PART = 1 << 1
    """An at-sign with a word before it, or between spaces."""
    LINK = 1 << 2
    """`://`, `www.`, or a dot before what could be a link's last label."""
    DIGIT = 1 << 3
    NUMBER = 1 << 4
    """Six digits or more in the whole text, of whatever script."""
    DISGUISE = 1 << 5
    KEY = 1 << 6
    """A run of 20 or more ASCII letters and digits, digits among them."""
    CODE = 1 << 7
    """An ASCII capital and a digit with at most one character between them, or letters as on plates."""
    OCTETS = 1 << 8
    """Colons, dashes or dots as in hardware and network addresses."""
    DEGREE = 1 << 9
    DID = 1 << 10
    PATH = 1 << 11
    """`u/` or `user/`, or three slashes."""
    TAG = 1 << 12
    """`#` between a word and a digit."""
    PLATFORM = 1 << 13
    """The name of a place where people have accounts."""
    SPELLED = 1 << 14
    """Words or brackets that spell out an address."""
    DOCUMENT = 1 << 15
    """A word for a document, and a number as they have them."""
    VEHICLE = 1 << 16
    VEHICLE_RUSSIAN = 1 << 17
    STREET = 1 << 18
    """A word of English addresses behind a number."""
    BOX = 1 << 19
    STREET_FRENCH = 1 << 20
    STREET_ROMANCE = 1 << 21
    STREET_GERMANIC = 1 << 22
    STREET_SLAVIC = 1 << 23
    STREET_OTHER = 1 << 24
    LETTERED = 1 << 25
    """Two ASCII letters and two ASCII digits in a row."""
    PLACE_CODE = 1 << 26
    """`geo:`, or a plus sign between letters or digits."""
    PRECISE = 1 << 27
    """A dot with a digit before it and three behind."""


_WORDS = {
    Feature.PLATFORM: """
        ig insta instagram snap snapchat tiktok telegram twitter discord kik skype wechat line venmo cashapp
        paypal threads bsky bluesky mastodon weixin 微信 вк тг телеграм инста brid tumblr deviantart
        blacksky northsky
    """,
    Feature.SPELLED: """
        dot punkt punto point ponto точка nokta kropka punt arroba arobase chez собака małpa malpa kukac ät
        æt klammeraffe apestaart apenstaartje snabel
    """,
    Feature.DOCUMENT: """
        passport passeport pasaporte passaporte passaporto reisepass paspoort pasaport paszport passnr
        passnummer aadhaar ssn security national id identity dni nie nif nit cpf cnpj rut curp rfc nric cnic
        bsn pesel nino inn kimlik personnummer cpr tax steuer steuerid identité identidad cédula cedula
        fiscale license licence führerschein führerscheinnummer führerscheinnr conduire medicare nhs insurance
        account kontonummer swift bic c
    """,
    Feature.VEHICLE: """
        plate plates reg registration kennzeichen matrícula matricula placa placas plaque immatriculation
        targa kenteken plaka rejestracja regs registrations kennzeichens matrículas matriculas plaques
        immatriculations targas kentekens plakas rejestracjas
    """,
    Feature.STREET: """
        street st avenue ave road rd boulevard blvd lane ln drive dr court ct terrace crescent close parkway
        pkwy highway hwy gardens grove mews alley circle cir walk row place square sq parade way
    """,
    Feature.BOX: "box pobox obox apt suite psc unit apo fpo dpo",
    Feature.STREET_FRENCH: "rue avenue av boulevard bd chemin allée impasse quai cours",
    Feature.STREET_ROMANCE: """
        calle c avenida avda plaza paseo carrera rua travessa praça viale piazza corso via
    """,
    Feature.STREET_GERMANIC: "utca út körút",
    Feature.STREET_SLAVIC: "ul al os",
    Feature.STREET_OTHER: "caddesi cad sokak sok sokağı bulvarı mah mahallesi jalan jl jln",
}
# The last three bytes of words such as Hauptstraße, where a house number follows.
_STREET_ENDINGS = """
    straße strasse str weg platz allee gasse damm ufer straat laan gracht plein gatan vägen veien gata vej
    gade katu
"""

BASIS, PRIME = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits
SLOTS = 1 << 16
SHAPES = 1 << 12


def _slot(text: bytes) -> int:
    value = BASIS
    for byte in text:
        value = ((value ^ byte) * PRIME) & 0xFFFFFFFFFFFFFFFF
    return (value >> 32) % SLOTS


def _words() -> Iterator[tuple[Feature, bytes]]:
    """Every word as the kernels see it."""
    for feature, words in _WORDS.items():
        for word in words.split():
            for form in {word, word[0].upper() + word[1:].lower(), word.upper()}:
                # Only ASCII is folded by the kernel, so other capitals need entries of their own.
                yield feature, bytes(byte | 32 if 65 <= byte <= 90 else byte for byte in form.encode())


def _word_flags() -> np.ndarray:
    """Flags by hash of a word in lower case; collisions only cost a vain try."""
    flags = np.zeros(SLOTS, np.int32)
    for feature, word in _words():
        flags[_slot(word)] |= int(feature)
    return flags


def _word_shapes() -> np.ndarray:
    """Which first and last bytes and lengths the words have; most words of a text need no hash then."""
    shapes = np.zeros(SHAPES, np.bool_)
    for word in (b"at", *(word for _, word in _words())):
        shapes[((word[0] | 32) * 31 + (word[-1] | 32) * 7 + len(word) * 101) % SHAPES] = True
    return shapes


def _ending_slots() -> np.ndarray:
    endings = np.zeros(SLOTS, np.bool_)
    for word in _STREET_ENDINGS.split():
        endings[_slot(word.encode()[-3:])] = True
    return endings


WORD_FLAGS = _word_flags()
WORD_SHAPES = _word_shapes()
ENDINGS = _ending_slots()
