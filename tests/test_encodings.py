"""Texts that do not say what they are encoded in, in many languages, most of them shorter than statistics need."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_tools.errors import InputError
from to_markdown import convert

pytest.importorskip("chardetng_py")  # of the extra `documents`

WESTERN = [
    *("The limit is 40 °C.", "20 °C bis 25 °C", "Temp 40°C max", "1° 2'", "Price: 12 €", "Fee: €5", "30 £", "± 3 %"),
    *("pH 7 ± 0,2", "½ tablet twice", "§ 12 BGB", "x² + y²", "5 × 3", "Größe: 12 µm", "© 2024 ACME", "Trademark™"),
    *("It’s “open” – daily…", "“Yes”", "Open at noon • closed at six", "Lufttemperatur < 30 °C", "L’été", "Straße 5"),
    *("Café", "für", "Müller", "Où", "Ö", "perché", "São Paulo", "Ação", "Coração", "Garçon", "cœur", "Mañana"),
    *("naïve approach", "déjà vu", "façade – résumé", "El niño comió ñoquis.", "¿Qué hora es?", "Señor Núñez"),
    *("Où est passé le garçon ?", "Vélo à l'arrêt", "Á la carte", "Blåbær og fløde", "Smörgås", "Ångström"),
    *("Die Höhe beträgt fünf Meter.", "Kosten: 5.000 € pro Jahr", "Fußgängerübergänge", "Año 2020"),
]
OTHERS = {
    "cp1250": ["Zażółć gęślą jaźń.", "Wysokość opłaty wynosi pięć złotych.", "Příliš žluťoučký kůň", "Łódź"],
    "iso8859-2": ["Zażółć gęślą jaźń.", "Wysokość opłaty wynosi pięć złotych.", "Příliš žluťoučký kůň"],
    "cp1251": [
        "Размер контейнера не должен превышать двенадцать литров.",
        "Привет",
        "Цена: 5 рублей",
        "Модель A12: насос",
    ],
    "koi8-r": ["Размер контейнера не должен превышать двенадцать литров.", "Привет", "Гарантия два года."],
    "cp866": ["Размер контейнера не должен превышать двенадцать литров.", "Насос"],
    "cp1253": ["Η εγγύηση διαρκεί δύο χρόνια.", "Καλημέρα κόσμε"],
    "cp1254": ["Garanti süresi iki yıldır ve ücretsizdir.", "Işık açık, kapı kapalı değil."],
    "cp1255": ["האחריות היא לשנתיים."],
    "cp1256": ["مدة الضمان سنتان."],
    "shift_jis": [
        "容器の大きさは十二リットルを超えてはなりません。",
        "料金は五百円です。",
        "保証期間は2年です。",
        "ポンプ",
    ],
    "euc-jp": ["容器の大きさは十二リットルを超えてはなりません。", "料金は五百円です。", "ポンプ"],
    "iso2022_jp": ["容器の大きさは十二リットルを超えてはなりません。", "ポンプ"],
    "gb18030": ["保修期为二十四个月。", "容器的大小不得超过十二升。", "请阅读说明书", "水泵"],
    "big5": ["保固期為二十四個月。", "容器的大小不得超過十二公升。"],
    "euc-kr": ["보증 기간은 2년입니다.", "용기의 크기는 12리터를 넘지 않아야 합니다."],
    "utf-16-le": ["Размер контейнера не должен превышать двенадцать литров.", "The limit is 40 °C."],
}
ALL = [("cp1252", text) for text in WESTERN] + [(encoding, text) for encoding in OTHERS for text in OTHERS[encoding]]


@pytest.mark.parametrize(("encoding", "text"), ALL)
def test_a_short_text_is_read_in_the_encoding_that_it_is_in(encoding: str, text: str) -> None:
    found = convert(text.encode(encoding), "a.txt")
    assert found.text == text + "\n"
    assert bool(found.warnings) == (encoding != "iso2022_jp"), "a guess is said"


@settings(derandomize=True)
@given(st.data())
def test_several_lines_of_a_language_are_read_in_its_encoding(data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(["cp1252", *OTHERS]))
    lines = OTHERS.get(encoding, [line for line in WESTERN if len(line) > 12])
    text = "\n".join(data.draw(st.permutations(lines))[:6])
    assert convert(text.encode(encoding), "a.txt").text == text + "\n"


@pytest.mark.parametrize("line", WESTERN)
def test_english_with_a_few_words_of_its_neighbours_is_western(line: str) -> None:
    text = "The office has twelve rooms and a garden, and is open from nine to five.\n" * 9
    assert convert(f"{text}{line}\n".encode("cp1252"), "a.txt").text == f"{text}{line}\n"


@pytest.mark.parametrize(
    "text",
    [
        "Le Café Bellevue was opened in 1912 by Henriette Duchêne and has thirty tables on two floors.",
        "The Zürich office is led by Jörg Müller and has twelve rooms; the Basel office has nine rooms and a garden.",
    ],
)
def test_a_few_western_letters_in_plain_english_are_not_taken_for_others(text: str) -> None:
    assert convert(text.encode("latin-1"), "a.txt").text == text + "\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Où est passé le garçon ? L'élève a déjà reçu la clé à l'école.", "cp1252"),
        ("The “smart” quotes \u2013 and the dash — are common.", "cp1252"),
        ("Zażółć gęślą jaźń. Wysokość opłaty wynosi pięć złotych.", "cp1250"),
        ("Размер контейнера не должен превышать двенадцать литров.", "cp1251"),
        ("Размер контейнера не должен превышать двенадцать литров.", "utf-16-le"),
        ("容器の大きさは十二リットルを超えてはなりません。料金は五百円です。", "shift_jis"),
    ],
)
def test_other_languages_are_read_in_their_usual_encodings(text: str, encoding: str) -> None:
    assert convert(text.encode(encoding), "a.txt").text == text + "\n"


def test_what_is_declared_comes_before_any_guess() -> None:
    assert convert("30 Łódź".encode("cp1250"), "a.txt", charset="windows-1250").text == "30 Łódź\n"
    with pytest.raises(InputError, match="binary"):
        convert(bytes(range(256)) * 40, "a.bin")
