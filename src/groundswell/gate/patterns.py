"""The written forms of identifiers that a regular expression can tell, as data.

Every pattern is RE2 (linear time, no look-around, ASCII `\\b`). A pattern with one group keeps that
group: it is the character or the context word before the identifier. Shapes are matched without their
check digits (IBAN's mod 97 and the like), so that a mistyped identifier goes too. Owns no code; `redact`
says in which order and on which texts they are tried.
"""

from __future__ import annotations

import msgspec

from groundswell.gate.feature_flags import Feature

__all__ = ["ACCOUNT", "ACCOUNTS", "ALPHABETS", "DOCUMENTS", "HANDLE", "LATIN", "SPACE", "WORD", "Pattern"]

# Letters, marks and digits as a few wide ranges: RE2 compiles these many times faster than `\p{L}`, and a
# pattern is compiled anew for each batch. Left out are spaces, punctuation, symbols and emoji; what invisible
# characters a name could hide are in. Each is the inside of a character class.
LATIN = r"A-Za-z\x{aa}\x{ba}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{2af}\x{300}-\x{36f}\x{1e00}-\x{1eff}"
ALPHABETS = LATIN + r"\x{370}-\x{58f}\x{1f00}-\x{1fbc}\x{1c80}-\x{1c8f}"
"""Latin, Greek, Cyrillic, Armenian: the scripts of most addresses."""
LETTER = (
    ALPHABETS + r"\x{591}-\x{5bd}\x{5d0}-\x{5f2}\x{610}-\x{61a}\x{620}-\x{6d3}\x{6d5}-\x{6ed}\x{6fa}-\x{963}"
    r"\x{966}-\x{e2f}\x{e30}-\x{e4e}\x{e50}-\x{1cff}\x{1d00}-\x{1dff}\x{200b}-\x{200f}\x{2060}-\x{2064}\x{2c00}-\x{2dff}"
    r"\x{3005}-\x{3007}\x{3031}-\x{3035}\x{3041}-\x{3096}\x{3099}-\x{309f}\x{30a1}-\x{30fa}\x{30fc}-\x{4dbf}"
    r"\x{4e00}-\x{fdfb}\x{fe00}-\x{fe0f}\x{fe70}-\x{feff}\x{ff66}-\x{ffdc}\x{10000}-\x{1cfff}\x{1e000}-\x{1efff}\x{20000}-\x{3ffff}"
)
DIGIT = r"0-9\x{660}-\x{669}\x{6f0}-\x{6f9}\x{966}-\x{96f}\x{9e6}-\x{9ef}\x{ff10}-\x{ff19}"
WORD = rf"{LETTER}{DIGIT}_"
SPACE = r"\s\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_UPPER = r"A-Z\x{c0}-\x{de}\x{100}-\x{17f}\x{391}-\x{3ab}\x{400}-\x{42f}"
_HAN = r"\x{3005}\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}"
_DOT = r"[.。｡]"


class Pattern(msgspec.Struct, frozen=True):
    """A class of identifier and one way of writing it."""

    identifier: str
    needs: Feature
    """Texts without all of these features are not tried."""
    expression: str
    keeps: bool = False
    """Does the first group stay?"""


def _any(*alternatives: str) -> str:
    return "(?:" + "|".join(alternatives) + ")"


# --- accounts -----------------------------------------------------------------------------------------------
_LOCAL = rf"{ALPHABETS}0-9_.+%\-"
_HOST = rf"[{WORD}][{WORD}\-]*(?:{_DOT}[{WORD}][{WORD}\-]*)*"
_DID = r"(?i)\bdid(?::|%3a)[a-z0-9]{2,16}(?::|%3a)[A-Za-z0-9._:%\-]*[A-Za-z0-9_]"
# Domains under which an account is a host name of its own.
_HOSTED = r"(?:bsky\.(?:social|team)|brid\.gy|tumblr\.com|deviantart\.com|blacksky\.app|northsky\.social)"
ACCOUNT = rf"[{WORD}](?:[{WORD}]|[.\-][{WORD}])*(?:@{_HOST})?"
"""What follows the at-sign: a handle, a host name used as one, or a name at an instance."""
_CREDIT = r"\b(?i:RT|MT|QT|HT|via)\s*:?\s*@+"
_FEDERATED = rf"(?:acct:)?@[{WORD}][{WORD}.\-]*@{_HOST}(?::\d+)?"
_MAIL = (
    rf"(?:(?i:mailto|xmpp|acct|sip):)?[{_LOCAL}]+(?:\s@\s|@)[{WORD}][{WORD}\-]*(?:{_DOT}[{WORD}\-]+)*"
    rf"{_DOT}[{LETTER}][{WORD}\-]+"
)
_HANDLE = rf"(?:{_CREDIT}|[A-Za-z0-9_.+\-]*@+)[.\-]?{ACCOUNT}(?::[a-z0-9\-]+(?:\.[a-z0-9\-]+)+)?:?"
_AT_WORD = (
    r"(?i:\s?[\[({<]\s*(?:at|@|arroba|chez|arobase|kukac|klammeraffe|ät|собака|æt|malpa|małpa|apestaart)\s*[\])}>]\s?"
    r"|\s(?:at|arroba|arobase|собака|ät|małpa|kukac|apenstaartje|snabel-a)\s)"
)
_DOT_NAME = r"(?:dot|punkt|punto|point|ponto|точка|nokta|kropka|punt)"
_DOT_WORD = rf"(?i:\s?[\[({{<]\s*(?:\.|{_DOT_NAME})\s*[\])}}>]\s?|\s{_DOT_NAME}\s|\.)"
_TOP = (
    r"(?i:com|org|net|edu|gov|info|io|me|co|uk|de|fr|es|it|pl|ru|nl|eu|br|ca|au|in|jp|se|no|tr|ua|cz|at|ch|pt|mx|ar"
    r"|social|mail)"
)
_SPELLED = rf"[{_LOCAL}]+{_AT_WORD}[{WORD}\-]+(?:{_DOT_WORD}[{WORD}\-]+)*?{_DOT_WORD}{_TOP}\b"
_NAMED_ACCOUNT = (
    r"(?i)\b((?:ig|insta|instagram|snap|snapchat|tiktok|telegram|twitter|discord|kik|skype|wechat|line id"
    r"|venmo|cashapp|paypal|threads|bsky|bluesky|mastodon|weixin|微信|вк|тг|телеграм|инста)\s*[:：=]\s*)"
    r"[A-Za-z][\w.]*[\d_.][\w.]*\w"
)

_MAC = r"(?i)\b(?:(?:[0-9a-f]{2}[:\-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})\b"

# --- documents, money, machines ----------------------------------------------------------------------------
_IBAN = _any(
    r"(?i:\b[a-z]{2}\d{2}[a-z0-9]{0,4}\d[a-z0-9]{10,29}\b)",
    r"\b[A-Z]{2}\d{2}[ \-](?:[A-Z0-9]{4}[ \-]){2,7}[A-Z0-9]{1,4}\b",
    r"\b[a-z]{2}\d{2}[ \-](?:[a-z]{4}[ \-])?(?:\d{4}[ \-]){2,7}\d{1,4}\b",
)
_WALLET = _any(
    r"(?i:\b0x[0-9a-f]{40,64}\b)",
    r"(?i:\b(?:bc1|tb1|ltc1|addr1|cosmos1|npub1|nsec1|nprofile1|nevent1|note1|naddr1|lnbc)[a-z0-9]{20,}\b)",
    r"\b[1-9A-HJ-NP-Za-km-z]{0,12}[1-9][1-9A-HJ-NP-Za-km-z]{24,120}\b",
    r"\b[A-Za-z]{1,12}[0-9][0-9A-Za-z]{24,120}\b",
    r"(?i:\b[0-9a-f]{32,128}\b)",
)
_IPV6 = _any(
    r"\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b",
    r"\b(?:[0-9a-f]{1,4}:){1,7}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?(?:/\d{1,3})?",
    r"::(?:ffff:)?[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}\b",
)
_ID_WORD = (
    r"passport|passeport|pasaporte|passaporte|passaporto|reisepass|paspoort|pasaport|paszport|pass(?:nr|nummer)"
    r"|паспорт[а-я]*|αριθμός ταυτότητας|جواز|هوية|رقم الهوية|पासपोर्ट|आधार|aadhaar"
    r"|护照|護照|身份证|身分證|旅券|マイナンバー"
    r"|여권|주민등록번호|ssn|social security|national id[a-z]*|id card|identity card"
    r"|dni|nie|nif|nit|cpf|cnpj|rut|curp|rfc|nric|cnic|bsn|pesel|nino|inn|инн|снилс|tc kimlik|kimlik"
    r"|personnummer|cpr|tax id|steuer-?id|carte d'identité"
    r"|cédula|cedula|codice fiscale|driver'?s? licen[cs]e|driving licen[cs]e|licen[cs]e number"
    r"|führerschein(?:nummer|nr)?"
    r"|permis de conduire|medicare|nhs number|insurance number|account number|a/c no|kontonummer|swift|bic"
)
_DOCUMENT = (
    rf"(?:^|[^{WORD}])(?i:{_ID_WORD})(?:\s+[{LETTER}]+){{0,3}}[\s:：#№.\-]*(?i:no|nr|n°|nº)?[\s:：#№.\-]*"
    r"(?i:[a-z]{0,3}[\- ]?\d(?:[\-./ ]?\d){4,}[a-z]?\b|[a-z]{1,3}\d[\da-z]{4,})"
)
_NATIONAL = _any(
    r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b",  # Italy
    r"\b[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d\b",  # Mexico
    r"\b\d{8}-?[A-HJ-NP-TV-Z]\b",  # Spain
    r"\b[XYZ]-?\d{7}-?[A-Z]\b",
    r"\b[STFGM]\d{7}[A-Z]\b",  # Singapore
    r"\b\d{1,2}\.\d{3}\.\d{3}[\-\x{2010}\x{2011}][\dkK]\b",  # Chile
    r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b",  # Brazil
    r"\b[A-Z]{1,2}\d{6}[(（][\dA][)）]",  # Hong Kong
    r"\b\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}\b",
    r"\b\d{6}[\-\x{2010}\x{2011}+A]\d{3}[0-9A-Y]\b",  # Finland
    r"\b\d{5}-\d{7}-\d\b",  # Pakistan
    r"\b\d{17}[\dXx]\b",  # China
    # United Kingdom
    rf"(?i:\b[a-ceghj-prstw-z][a-ceghj-nprstw-z](?:[ \x{{a0}}]?[{DIGIT}]{{2}}){{3}}[ \x{{a0}}]?[a-d]\b)",
    r"\b[A-Z]{1,3}\d{7,}[A-Z0-9]*\b",  # passports and licences of many states
)
_NATIONAL_INDIA = r"\b[A-Z]{5}\d{4}[A-Z]\b"  # PAN: too few digits to be looked at as a number
_PLATE = _any(
    r"\b[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{2,4}[EH]?\b",  # Germany
    r"\b[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}\b",  # France, Italy
    r"\b[A-Z]{2} \d{3} [A-Z]{2}\b",
    r"\b[A-Z]{2}\d{2}[A-Z]{3}\b",  # United Kingdom
    r"\b\d{4}-[BCDFGHJ-NPR-TV-Z]{3}\b",  # Spain
    r"\b[A-Z]{2}[ \-]\d{1,2}[ \-][A-Z]{1,3}[ \-]\d{4}\b",  # India
    r"\b[A-Z]{3}\d[A-Z]\d{2}\b",  # Mercosur
    r"\b[A-Z]{2}-\d{2}-\d{2}\b|\b\d{2}-\d{2}-[A-Z]{2}\b",  # Netherlands
    r"[АВЕКМНОРСТУХ]\d{3}[АВЕКМНОРСТУХ]{2} ?\d{2,3}",  # Russia
    r"\b[A-Z]{2} ?\d{4} ?[A-Z]{2}\b",  # Ukraine
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·•.\- ]?[A-Z0-9]{5,6}",  # China
    rf"[{_HAN}]{{1,4}} ?\d{{2,3}} ?[\x{{3041}}-\x{{3096}}] ?\d{{2}}-\d{{2}}",  # Japan
)
_PLATE_NAMED = (
    r"(?i)(\b(?:licen[cs]e plate|number plate|plate|plates|reg|registration|kennzeichen|matr[ií]cula|placa"
    r"|plaque|immatriculation|targa|kenteken|plaka|rejestracja)s?(?: number| no\.?| n°)?(?: is| was|:|#)* )"
    r"[a-z0-9]{1,4}(?:[ \-]?[a-z0-9]{1,4}){0,2}[ \-]?\d+[ \-]?[a-z]{0,3}\b"
)
_PLATE_RUSSIAN = (
    r"(?i)((?:гос\.? ?номер[а-я]*|номерной знак|номер машины)[\s:]*)[а-яa-z]\s?\d{3}\s?[а-яa-z]{2}\s?\d{2,3}"
)

# --- where exactly -----------------------------------------------------------------------------------------
_DEGREES = (
    r"\d{1,3}\s?[°º]\s?\d{1,2}(?:[.,]\d+)?\s?['′’]\s?"
    r"(?:\d{1,2}(?:[.,]\d+)?\s?(?:[\"″”]|''|’’)?)?\s?[NSEWOnsewo]?"
)
_COORDINATES = _any(
    r"[NSns]?\s?[+\-−]?\b\d{1,2}\.\d{3,}\s?[°º]?\s?[NSns]?\s?[,;/ ]"
    r"\s?[EWewo]?\s?[+\-−]?\d{1,3}\.\d{3,}\s?[°º]?\s?(?:[EWewo]\b)?",
)
_PLACE_CODE = _any(
    r"\bgeo:-?\d{1,3}\.\d+,-?\d{1,3}\.\d+",
    r"\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}\b",
)
_WHAT3WORDS = rf"///[{LETTER}]+\.[{LETTER}]+\.[{LETTER}]+"
_HOUSE = rf"\b[{DIGIT}]{{1,5}}(?:\s?[A-Za-z]\b)?(?:[\-/]\d{{1,4}}[a-z]?)?"
_NAME = rf"[{_UPPER}][{LETTER}'’.\-]*"
_STREET_ENGLISH = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Terrace|Crescent|Close|Parkway|Pkwy"
    r"|Highway|Hwy|Gardens|Grove|Mews|Alley|Circle|Cir|Walk|Row|Place|Square|Sq|Parade|Way)\b"
)
_ADDRESS_ENGLISH = (
    rf"{_HOUSE}\s+(?:[\dA-Z][A-Za-z\d'’.\-]*\s+){{1,4}}{_STREET_ENGLISH}\.?"
    r"(?:,?\s*(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room)\b\.?\s*#?\d*\w?)?"
)
_ADDRESS_BOX = _any(
    r"(?i:\bp\.?\s?o\.?\s?box\s+\d+\b)|\b(?:Apt|Suite)\.?\s#?\d+\w?\b",
    r"\bPSC \d+,? Box \d+|\bUnit \d+ Box \d+|\b[AFD]PO,? A[AEP] \d{5}\b",
)
_POSTCODE = _any(
    r"\b(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]) \d{5}(?:-\d{4})?\b",
    r"\b[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b",  # British postcode
    r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d\b",  # Canadian postcode
)
_STREET_FRENCH = r"(?i:\b(?:rue|avenue|av\.|boulevard|bd|chemin|allée|impasse|quai|cours)\s)"
_ADDRESS_FRENCH = (
    rf"{_HOUSE},?\s+(?:bis\s+|ter\s+)?{_STREET_FRENCH}\s*(?:de\s+|du\s+|des\s+|la\s+|le\s+|les\s+|d['’]|l['’])*"
    rf"{_NAME}(?:[\s\-]{_NAME}){{0,3}}"
)
_STREET_ROMANCE = (
    r"\b(?:[Cc]alle|[Cc]/|[Aa]venida|[Aa]vda\.?|[Pp]laza|[Pp]aseo|[Cc]arrera|[Rr]ua|[Tt]ravessa|[Pp]raça|[Vv]iale"
    r"|[Pp]iazza|[Cc]orso|Via)\s"
)
_ADDRESS_ROMANCE = (
    rf"{_STREET_ROMANCE}\s*(?:(?:de|del|da|do|dos|das|la|las|los|di|della|dei)\s+)*{_NAME}"
    rf"(?:\s+(?:(?:de|del|da|do|di|la)\s+)*{_NAME}){{0,3}}(?:,\s*|\s*(?:[Nn][º°o.]+|#)\s*|\s+)\d{{1,4}}\b"
)
_STREET_GERMANIC = (
    r"(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|straat|laan|gracht|plein|gatan|vägen|veien|gata|vej|gade"
    r"|katu| utca| út| körút)\s+\d"
)
_ADDRESS_GERMANIC = rf"[{_UPPER}][{LATIN}\-]+{_STREET_GERMANIC}{{1,3}}\s?[a-zA-Z]?\b"
_ADDRESS_SLAVIC = _any(
    rf"\b(?:ul|al|os)\. {_NAME}(?:\s[{LATIN}]+)?\s+\d{{1,4}}[a-z]?(?:/\d+)?\b",
    r"(?:ул\.|улиц[аеыію]|вул\.|вулиц[яі]|просп\.|пр-т|проспекте?|пер\.|переулк?о?к?е?|наб\.|бульвар|б-р|шоссе)"
    r"\s*[\x{400}-\x{52f}\-. ]{2,40},?\s*(?:д\.|дом[а]?|доме|буд\.)?\s*\d{1,4}[а-я]?"
    r"(?:,?\s*(?:кв|корп|стр)\.?\s*\d+)*",
)
_ADDRESS_OTHER = _any(
    rf"[{LATIN}]+\s+(?:Cad(?:desi|\.)|Sok(?:ak|ağı|\.)|Bulvarı|Mah(?:allesi|\.))\s*,?\s*(?i:no)[:.\s]*\d+",
    rf"شارع\s+[\x{{620}}-\x{{65f}} ]{{2,40}}،?\s*(?:رقم\s*)?[{DIGIT}]{{1,5}}",
    rf"〒\s?\d{{3}}-?\d{{4}}|[{_HAN}]{{1,8}}\d{{1,4}}丁目\d{{1,4}}(?:番地?|-)\d*号?",
    rf"[{_HAN}]{{1,8}}[町区]\d{{1,3}}-\d{{1,3}}(?:-\d{{1,4}})?",
    rf"[{_HAN}]{{2,10}}[路街道巷弄]\d{{1,5}}[号號]",
    r"[\x{ac00}-\x{d7a3}]{1,10}(?:대로|번길|길)\s?\d{1,4}(?:-\d{1,4})?",
    rf"मकान (?:नंबर|नं\.?) ?[{DIGIT}]+",
    rf"(?i:\b(?:jalan|jln?\.))\s+[{LATIN}. ]{{2,30}}\s+(?i:no)\.?\s?\d+",
)

HANDLE = Pattern("handle", Feature.AT, _HANDLE)
# In the order in which they are tried: whatever may contain another comes first. Accounts are frequent.
ACCOUNTS = (
    Pattern("email", Feature.SPELLED, _SPELLED),
    Pattern("did", Feature.DID, _DID),
    Pattern("handle", Feature.AT | Feature.LOCAL_PART, _FEDERATED),
    Pattern("email", Feature.AT | Feature.LOCAL_PART, _MAIL),
    HANDLE,
    Pattern("handle", Feature.PLATFORM | Feature.LINK, rf"(?i)\b[a-z0-9_][a-z0-9_.\-]*\.{_HOSTED}\b"),
    Pattern("handle", Feature.PATH, rf"(^|[^{WORD}/])/?(?i:u|user)/[A-Za-z0-9_\-]{{3,}}", keeps=True),
    Pattern("handle", Feature.PLATFORM, _NAMED_ACCOUNT, keeps=True),
    Pattern("handle", Feature.TAG, rf"[{WORD}.]{{2,}}#\d{{4}}\b"),
)
DOCUMENTS = (
    Pattern("iban", Feature.LETTERED, _IBAN),
    Pattern("wallet", Feature.KEY, _WALLET),
    Pattern("mac", Feature.OCTETS, _MAC),
    Pattern("ip", Feature.OCTETS, rf"(?i){_IPV6}"),
    Pattern("coordinates", Feature.DEGREE | Feature.DIGIT, _DEGREES),
    Pattern("coordinates", Feature.PRECISE, _COORDINATES),
    Pattern("coordinates", Feature.PLACE_CODE, _PLACE_CODE),
    Pattern("coordinates", Feature.PATH, _WHAT3WORDS),
    Pattern("national_id", Feature.DOCUMENT, _DOCUMENT),
    Pattern("plate", Feature.CODE, _PLATE),
    Pattern("plate", Feature.VEHICLE, _PLATE_NAMED, keeps=True),
    Pattern("plate", Feature.VEHICLE_RUSSIAN, _PLATE_RUSSIAN, keeps=True),
    Pattern("national_id", Feature.NUMBER, _NATIONAL),
    Pattern("national_id", Feature.LETTERED, _NATIONAL_INDIA),
    Pattern("address", Feature.STREET, _ADDRESS_ENGLISH),
    Pattern("address", Feature.BOX, _ADDRESS_BOX),
    Pattern("address", Feature.CODE, _POSTCODE),
    Pattern("address", Feature.STREET_FRENCH, _ADDRESS_FRENCH),
    Pattern("address", Feature.STREET_ROMANCE, _ADDRESS_ROMANCE),
    Pattern("address", Feature.STREET_GERMANIC, _ADDRESS_GERMANIC),
    Pattern("address", Feature.STREET_SLAVIC, _ADDRESS_SLAVIC),
    Pattern("address", Feature.STREET_OTHER, _ADDRESS_OTHER),
)
