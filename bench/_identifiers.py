"""Identifiers of many countries, drawn by their forms, and the disguises people put them in.

The digits are drawn at random and belong to nobody; check digits are right where a form has them.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Iterator

__all__ = ["DISGUISES", "FORMS", "drawn"]

# `#` is a digit, `@` a capital. Telephones: as from abroad, then as at home. IBANs: how many of which.
_TELEPHONES = """
US +1 2##-5##-####|(2##) 5##-####;GB +44 7### ######|07### ######;DE +49 1## #######|01## #######
FR +33 6 ## ## ## ##|06 ## ## ## ##;ES +34 6## ### ###|6## ### ###;IT +39 3## ### ####|3## ### ####
PT +351 9## ### ###|9## ### ###;NL +31 6 ########|06-########;BE +32 4## ## ## ##|04## ## ## ##
CH +41 7# ### ## ##|07# ### ## ##;AT +43 6## #######|06## #######;SE +46 7# ### ## ##|07#-### ## ##
NO +47 ### ## ###|4## ## ###;DK +45 ## ## ## ##|##-##-##-##;FI +358 4# ### ####|04# ### ####
PL +48 ### ### ###|5## ### ###;CZ +420 ### ### ###|6## ### ###;HU +36 20 ### ####|06 20 ### ####
RO +40 7## ### ###|07## ### ###;GR +30 69# ### ####|69# ### ####;TR +90 5## ### ## ##|05## ### ## ##
RU +7 9## ###-##-##|8 (9##) ###-##-##;UA +380 ## ### ## ##|0## ### ## ##;IL +972 5#-###-####|05#-###-####
EG +20 1## ### ####|01## ### ####;SA +966 5# ### ####|05# ### ####;AE +971 5# ### ####|05# ### ####
NG +234 8## ### ####|08## ### ####;KE +254 7## ######|07## ######;ZA +27 8# ### ####|08# ### ####
IN +91 9#### #####|9#### #####;PK +92 3## #######|03##-#######;BD +880 1###-######|01###-######
ID +62 812-####-####|0812-####-####;PH +63 9## ### ####|09## ### ####;VN +84 9# ### ## ##|09# ### ## ##
TH +66 8# ### ####|08#-###-####;JP +81 90-####-####|090-####-####;KR +82 10-####-####|010-####-####
CN +86 13# #### ####|13# #### ####;AU +61 4## ### ###|04## ### ###;NZ +64 21 ### ####|021 ### ####
BR +55 11 9####-####|(11) 9####-####;MX +52 55 #### ####|55 #### ####;AR +54 9 11 ####-####|11 ####-####
CL +56 9 #### ####|9 #### ####;CO +57 3## ### ####|3## ### ####;PE +51 9## ### ###|9## ### ###
"""
_IBANS = """
AT16# BE12# BG4@14# CH17# CY24# CZ20# DE18# DK14# EE16# ES20# FI14# FR23# GB4@14# GR23# HR17# HU24#
IE4@14# IS22# IT1@22# LI17# LT16# LU16# LV4@13# MC23# MT4@23# NL4@10# NO11# PL24# PT21# RO4@16# RS18#
SE20# SI15# SK20# SM1@22# TR22# SA20# AE19# IL19# BR23#1@1#
"""
_PEOPLE = """
US ###-##-####;ES ########@;IT @@@@@@##A##A###@;MX @@@@######HDFABC0#;IN @@@@@####@;IN 4### #### ####
SG S#######@;CL ##.###.###-#;BR ###.###.###-##;FI ######-###A;PK #####-#######-#;CN 11010519######001X
GB AB ## ## ## C;KR 8#####-1######;SE 8#####-####;DK 1#####-####;PL 8##########;RO 18###########
HR 6##########;BE 85.07.30-033.##;CH 756.####.####.##;CZ 8#5101/####;HK A######(#);TW A1########
MY 8#0101-14-####;TH 1-####-#####-##-#;ZA 8##############;IL 3########;FR 1 85 05 78 006 ### ##
NL 1########;PT 2########;TR 1##########;BG 8#########;LT 3##########;LV ######-1####;EE 3##########
UA 3#########;KZ 8###########;EC 17########;NO 0#################
"""


_TOPS = ("com", "org", "de", "co.uk")


def _filled(form: str, rng: random.Random) -> str:
    signs = {"#": string.digits[1:], "@": "ABCDEFGHJKLMNPRSTUVWXYZ"}
    return "".join(rng.choice(signs[sign]) if sign in signs else sign for sign in form)


def _iban(form: str, rng: random.Random) -> str:
    signs = "".join(sign * int(count) for count, sign in re.findall(r"(\d+)([#@])", form[2:]))
    country, account = form[:2], _filled(signs, rng)
    number = "".join(str(int(sign, 36)) for sign in account + country + "00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


def _card(rng: random.Random) -> str:
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 == 0 else digit for place, digit in enumerate(digits)]
    number = "".join(map(str, [*digits, -sum(doubled) % 10]))
    return " ".join(number[at : at + 4] for at in range(0, 16, 4))


def _mail(rng: random.Random) -> str:
    name = "".join(rng.choices(string.ascii_lowercase, k=7))
    host = "".join(rng.choices(string.ascii_lowercase, k=6))
    return f"{name}{rng.choice(['', '.', '_'])}{rng.randrange(9)}x@{host}.{rng.choice(_TOPS)}"


def _forms() -> dict[str, list[Callable[[random.Random], str]]]:
    def fill(form: str) -> Callable[[random.Random], str]:
        return lambda rng: _filled(form, rng)

    telephones = [entry.split(" ", 1)[1] for entry in _TELEPHONES.strip().replace("\n", ";").split(";")]
    people = [entry.split(" ", 1)[1] for entry in _PEOPLE.strip().replace("\n", ";").split(";")]
    return {
        "telephone, international": [fill(both.split("|")[0]) for both in telephones],
        "telephone, national": [fill(both.split("|")[1]) for both in telephones],
        "IBAN": [lambda rng, form=form: _iban(form, rng) for form in _IBANS.split()],  # type: ignore[misc]
        "national id": [fill(form) for form in people],
        "card": [_card],
        "e-mail": [_mail],
        "IP address": [lambda rng: ".".join(str(rng.randrange(1, 255)) for _ in range(4))],
    }


FORMS = _forms()


def _digits(zero: str) -> Callable[[str], str]:
    return lambda text: text.translate({48 + digit: ord(zero) + digit for digit in range(10)})


def _full_width(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def _bold(text: str) -> str:
    bold = {48 + digit: 0x1D7CE + digit for digit in range(10)}
    bold |= {65 + letter: 0x1D5D4 + letter for letter in range(26)}
    return text.translate(bold | {97 + letter: 0x1D5EE + letter for letter in range(26)})


def _spelled(at: str, dot: str) -> Callable[[str], str]:
    return lambda text: text.replace("@", at).replace(".", dot) if "@" in text else ""


def _look_alikes(text: str) -> str:
    return text.translate(str.maketrans("aeopcx", "аеорсх")) if "@" in text else ""


DISGUISES: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "full-width": _full_width,
    "mathematical bold": _bold,
    "Arabic-Indic digits": _digits("٠"),
    "Devanagari digits": _digits("०"),
    "zero-width characters": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "HTML entities": lambda text: "".join(
        f"&#{ord(sign)};" if not sign.isalnum() and sign != " " else sign for sign in text
    ),
    "no-break spaces and hyphens": lambda text: text.replace(" ", "\u00a0").replace("-", "\u2011"),
    "[at] [dot]": _spelled(" [at] ", " [dot] "),
    "(at) dot": _spelled(" (at) ", " dot "),
    "at dot": _spelled(" at ", " dot "),
    "look-alike letters": _look_alikes,
}
"""What each makes of an identifier; nothing where it has nothing to disguise."""

_SENTENCES = (
    "write to {} please",
    "{} is all we have",
    "she gave {} and left",
    "heard ({}) from them",
    "so: {}!",
)


def drawn(each: int, seed: int) -> Iterator[tuple[str, str, str, str]]:
    """Class, disguise, the identifier as it stands in the text, the text: at least `each` of both."""
    rng = random.Random(seed)
    for kind, forms in FORMS.items():
        for disguise, put_on in DISGUISES.items():
            for number in range(max(each, 2 * len(forms))):
                plain = forms[number % len(forms)](rng)
                hidden = put_on(plain)
                if hidden and (hidden != plain or disguise == "none"):
                    yield kind, disguise, hidden, rng.choice(_SENTENCES).format(hidden)
