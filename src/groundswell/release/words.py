"""Owns the words that tell of a sensitive place, or of a threat to life, in the larger languages.

Written for this project, and cautious in opposite directions: a word for a *place* stands here even when it
has another sense, for a false hit only makes the map coarser; a word for a *threat* must be hard to mistake,
for a false hit lifts a delay. So the threats name what is happening to a crowd (shots, blast, crush, fire,
gas) and not its dead: people also assemble to mourn. A missing language rests on its crowd's category.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["SENSITIVE_PLACES", "THREATS_TO_LIFE", "WordList"]

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_TOKEN = re.compile(r"[\w']+")
_LAST_SPACED = "\u052f"
"""Up to here (Latin, Greek, Cyrillic) spaces part words; later scripts join articles or write none."""


def _plain(text: str) -> str:
    """Case-folded, single-spaced, without the accents and points that people leave out."""
    folded = text.casefold().replace("-", " ")
    if not folded.isascii():
        bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
        folded = unicodedata.normalize("NFKC", bare)
    return " ".join(folded.split())


class WordList:
    """Words to look for in a phrase: a closing `*` stands for any ending, a hyphen for a space.

    >>> WordList("school* prison").found_in("Elementary Schools"), WordList("school*").found_in("preschool")
    (True, False)
    """

    def __init__(self, words: str) -> None:
        plain = [_plain(word) for word in words.split()]
        spaced = [word for word in plain if word[0] <= _LAST_SPACED]
        self._inside = tuple(word.rstrip("*") for word in plain if word[0] > _LAST_SPACED)
        self._phrases = tuple(f" {word}".removesuffix("*") for word in spaced if " " in word)
        self._words = frozenset(word for word in spaced if not word.endswith("*"))
        self._stems = frozenset(word[:-1] for word in spaced if word.endswith("*"))
        self._stem_lengths = sorted({len(stem) for stem in self._stems})

    def found_in(self, text: str) -> bool:
        plain = _plain(text)
        tokens = _TOKEN.findall(plain)
        if any(token in self._words or self._starts(token) for token in tokens):
            return True
        joined = f" {' '.join(tokens)} "
        if any(phrase in joined for phrase in self._phrases):
            return True
        return max(plain, default="") > _LAST_SPACED and any(word in plain for word in self._inside)

    def _starts(self, token: str) -> bool:
        return any(token[:length] in self._stems for length in self._stem_lengths)


_WORSHIP = """
    church* chapel* cathedral* mosque* synagogue* temple temples gurdwara* monaster* iglesia* capilla*
    catedral* mezquita* sinagoga* templo* igreja* capela* mesquita* église* cathédrale* mosquée*
    synagog* kirche* kirke* moschee* chiesa* cattedrale* moschea* kerk kerken moskee* kyrka* kyrkor*
    kirkko* moské* kościoł* meczet* kostel* zsinagóg* biseric* crkv* džamij* cami camii camide kilise*
    masjid* gereja* nhà-thờ kanisa msikiti εκκλησί* ναός τζαμί* церк* храм* мечет* синагог* цркв*
    џами* مسجد كنيسة کلیسا معبد מסגד כנסיה כנסייה 教会 教會 教堂 神社 寺院 清真寺 성당 교회 사찰
    모스크 मस्जिद मंदिर गुरुद्वारा মসজিদ মন্দির கோயில் கோவில் மசூதி దేవాలయం మసీదు โบสถ์ มัสยิด
"""
_CLINICS = """
    clinic* abortion* clínica* clinique* klinik* kliniek* hospital* hôpita* krankenhaus* ospedal*
    ziekenhuis* sjukhus* sykehus* sygehus* sairaala* szpital* nemocnic* kórház* spital* bolnic*
    bolnišnic* hastane* rumah-sakit puskesmas bệnh-viện hospitali νοσοκομεί* клиник* больниц*
    госпитал* лікарн* болниц* مستشفى عيادة بیمارستان درمانگاه בית-חולים מרפאה 医院 醫院 診所 诊所 病院
    병원 의원 अस्पताल क्लिनिक হাসপাতাল மருத்துவமனை ఆసుపత్రి โรงพยาบาล คลินิก
"""
_SHELTERS = """
    shelter* refuge refuges albergue* refugio* abrigo* notunterkunft* frauenhaus* rifugio* rifugi
    opvang* schronisk* sığınak* barınak* penampungan приют* убежищ* укритт* притул* ملجأ مأوى پناهگاه
    מקלט 避難所 避难所 收容所 대피소 쉼터 आश्रय আশ্রয়কেন্দ্র ที่พักพิง
"""
_SCHOOLS = """
    school* kindergarten* nursery preschool* campus college* universit* escuela* colegio* escola*
    crèche* école* lycée* collège* schule* grundschul* gymnasium* scuola* scuole asilo* skola* skolan*
    skole* koulu* szkoł* szkół* przedszkol* škol* iskol* óvod* şcoal* școal* okul* anaokul* sekolah*
    pesantren* trường-học shule σχολεί* школ* детсад* гимнази* лицей* училищ* مدرسة مدارس مدرسه روضة
    בית-ספר גן-ילדים 学校 學校 小学 小學 中学 中學 幼儿园 幼稚園 保育園 학교 유치원 어린이집 स्कूल
    विद्यालय বিদ্যালয় স্কুল பள்ளி పాఠశాల โรงเรียน
"""
_DETENTION = """
    prison* jail* detention* penitentiar* cárcel* prisión* presidio* cadeia* prisão* prisões
    gefängnis* knast haftanstalt* jva carcer* gevangenis* fängelse* fengsel* fængsel* vankila*
    więzien* areszt* vězen* väzen* börtön* închisoare* zatvor* hapishane* cezaevi* penjara* lapas
    nhà-tù gereza φυλακ* тюрьм* тюрем* сизо колони* в'язниц* затвор* سجن معتقل زندان בית-סוהר כלא 监狱
    監獄 刑務所 拘置所 拘留所 看守所 교도소 구치소 जेल कारागार কারাগার சிறை జైలు เรือนจำ
"""
_MIGRATION_ROUTES = """
    migrant* refugee* asylum* smuggler* deportation* border-crossing* refugiad* patera* réfugié*
    flüchtling* geflüchtet* schlauchboot* rifugiat* vluchteling* flykting* flyktning* flygtning*
    pakolai* uchodźc* migranc* uprchlík* utečen* menekült* refugiaț* izbeglic* izbjeglic* mülteci*
    göçmen* pengungsi* người-tị-nạn wakimbizi προσφυγ* πρόσφυγ* μετανάστ* беженц* мигрант* біженц*
    избеглиц* مهاجرين لاجئ مهاجران پناهجو פליטים 难民 難民 移民 난민 이주민 शरणार्थी শরণার্থী அகதி
    శరణార్థ ผู้ลี้ภัย
"""
SENSITIVE_PLACES = WordList(_WORSHIP + _CLINICS + _SHELTERS + _SCHOOLS + _DETENTION + _MIGRATION_ROUTES)

THREATS_TO_LIFE = WordList(
    """
    shooting* gunfire gunshot* gunman gunmen shots-fired stampede* crowd-crush trampled explosion*
    grenade* bombing* fire tear-gas teargas stabbing* tiroteo* disparos estampida* explosión* granada*
    incendio* apuñalamiento* gases-lacrimógenos tiroteio* pisoteamento* explosão* explosões incêndio*
    esfaqueamento* gás-lacrimogêneo fusillade* bousculade* explosion* incendie* gaz-lacrymogène*
    schüsse schießerei* massenpanik* messerangriff* großbrand* tränengas sparatoria* esplosione*
    incendi lacrimogeni schietpartij* explosie* skottlossning* skjutning* skyting* skyderi*
    eksplosjon* eksplosion* ammuskelu* räjähdy* strzelanin* wybuch* pożar* střelb* streľb* výbuch*
    požár* lövöldöz* robbanás* împușcătur* explozi* pucnjav* eksplozij* silahlı-saldırı patlama*
    yangın* izdiham penembakan* ledakan* kebakaran* nổ-súng giẫm-đạp vụ-nổ mlipuko πυροβολισμ* έκρηξη*
    εκρήξ* πυρκαγι* стрельб* взрыв* пожар* давка давке давку стрілянин* вибух* пожеж* тисняв* пуцњав*
    експлози* إطلاق-نار انفجار حريق تیراندازی آتش-سوزی פיצוץ שריפה 枪击 槍擊 爆炸 踩踏 火灾 火災 銃撃
    発砲 爆発 群衆雪崩 총격 폭발 압사 화재 गोलीबारी विस्फोट भगदड़ आगजनी গোলাগুলি বিস্ফোরণ পদদলিত
    অগ্নিকাণ্ড துப்பாக்கிச்சூடு குண்டுவெடிப்பு కాల్పులు పేలుడు తొక్కిసలాట กราดยิง ระเบิด ไฟไหม้
    """
)
