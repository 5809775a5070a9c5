"""Numbers that name a person or an account: cards, phones, national numbers, IBAN; told by form, check digit, context.

A check digit alone lets one of ten chance numbers through. So a form that anything may have needs a word beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..records import Find

DATA = Path(__file__).parents[1] / "data" / "sensitive.yaml"
BEFORE = 40  # characters in which the word stands that says what a number is

_RUN = re.compile(
    r"(?a)[+(0-9](?<![\w.,/\\-].)\+?(?:[ .()/\u00a0\u202f-]{0,3}[0-9]){7,17}+[xX]?"
    r"(?!\w|,?[0-9]|[ .()/\u00a0\u202f-]{1,3}[0-9])"
)
_CARD = re.compile(
    r"(?a)[2-6](?<![\w.,-].)(?:\d{3}(?:([ -])\d{4}\1\d{4}\1\d{4}|([ -])\d{6}\2\d{4,5})|\d{13,18}+)(?!\w|[.,-]?\d)"
)
_LETTERED = re.compile(
    r"(?a)[A-Z0-9](?<![\w.,].)(?:"
    r"(?<=[A-CEGHJ-PR-TW-Z])[A-CEGHJ-NPR-TW-Z](?P<nino>(?: ?[0-9]{2}){3} ?[A-D])"
    r"|(?<=[A-Z])[A-Z]{5}(?P<italian>[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z])"
    r"|(?<=[XYZ])-?[0-9]{7}(?P<nie>-?[A-Z])|(?<=[0-9])[0-9]{7}(?P<dni>-?[A-Z])"
    r"|(?<=[A-Z])[A-Z][0-9]{2}(?P<iban>(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)"
    r")(?!\w)"
)
_CALLING = re.compile(  # country codes of ITU E.164
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42[0-3]|5[09]\d|6[789]\d|8[058]\d"
    r"|9[679]\d"
)
_ISSUED = re.compile(  # issuers' ranges, and how many digits their numbers have
    r"4\d{15}|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|(?:6011|64[4-9]\d|65\d\d|35(?:2[89]|[3-8]\d))\d{12}|62\d{14,17}"
)


@cache
def data() -> dict[str, Any]:
    """What secrets and personal data look like, as `data/sensitive.yaml` has it; `words` are patterns here."""
    found: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    found["no_domains"] = frozenset(found["no_domains"].split())
    found["words"] = {name: re.compile(f"(?:{one})[^\\n]*\\Z") for name, one in found["words"].items()}
    return found


def in_text(text: str) -> Iterator[Find]:
    for match in _CARD.finditer(text):
        if _ISSUED.fullmatch(digits := _digits(match[0])) and luhn(digits):
            yield Find(match.start(), match.end(), "CARD")
    for match in _RUN.finditer(text):
        if kind := _kind(match[0], _digits(match[0]), _before(text, match.start())):
            yield Find(match.start(), match.end(), kind)
    for match in _LETTERED.finditer(text):
        if match.lastgroup != "iban":
            if _is_national(match, text):
                yield Find(match.start(), match.end(), "NATIONAL_ID")
        elif length := _iban_in(match[0]):
            yield Find(match.start(), match.start() + length, "IBAN")


def _digits(written: str) -> str:
    return re.sub(r"[^0-9xX]", "", written).upper()


def _is_near(name: str, before: str) -> bool:
    words = data()["words"].get(name)
    return bool(words and words.search(before))


def _before(text: str, start: int) -> str:
    return text[text.rfind("\n", 0, start) + 1 : start][-BEFORE:].lower()


class _NationalNumber(NamedTuple):
    """A national number: how many digits, the form in which it needs no word beside it, and what its digits keep to."""

    name: str
    digits: int
    plain: str
    check: Callable[[str], bool]


def _kind(written: str, digits: str, before: str) -> str:
    for rule in _RULES:
        is_told = (rule.plain and re.fullmatch(rule.plain, written)) or _is_near(rule.name, before)
        is_whole = rule.digits == len(digits) and (digits.isdigit() or rule.digits == 18)
        if is_whole and is_told and rule.check(digits):
            return "NATIONAL_ID"
    return "PHONE" if "X" not in digits and _is_phone(written, digits, before) else ""


def _is_phone(written: str, digits: str, before: str) -> bool:
    if re.search(r"^\d{4}-\d\d-\d\d|[^0-9][0-9]\Z", written):
        return False  # a date, or a number with a decimal point
    if re.match(r"\(?\+[0-9(]", written):
        return 8 <= len(digits) <= 15 and bool(_CALLING.match(digits))
    if re.fullmatch(r"\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}|[2-9]\d\d([.-])[2-9]\d\d\1\d{4}", written):
        return True  # as written in North America
    return "+" not in written and 8 <= len(digits) <= 15 and _is_near("phone", before)


def _is_national(match: re.Match[str], text: str) -> bool:
    whole = re.sub(r"[ -]", "", match[0])
    if match.lastgroup == "nino":
        is_apart = " " in match[0] or _is_near("nino", _before(text, match.start()))
        return is_apart and whole[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
    if match.lastgroup == "italian":
        return _codice(whole)
    number = whole[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == whole[-1]


def _iban_in(written: str) -> int:
    """How many characters of what is written are an IBAN; other words in capitals may follow it."""
    ends = [place for place, one in enumerate(written, 1) if one != " "][: data()["iban"].get(written[:2], 0)]
    whole = written[: ends[-1]].replace(" ", "") if ends else ""
    return ends[-1] if whole and is_iban(whole) and not written[ends[-1] :][:1].isalnum() else 0


# --- check digits ---


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def is_iban(whole: str) -> bool:
    """ISO 13616: the length of its country, and 1 modulo 97 with its letters as numbers."""
    turned = "".join(str(int(character, 36)) for character in whole[4:] + whole[:4])
    return data()["iban"].get(whole[:2]) == len(whole) and int(turned) % 97 == 1


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _german(digits: str) -> bool:
    """ISO/IEC 7064, MOD 11,10; of the first ten digits one or two stand there more than once."""
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return digits[0] != "0" and len(set(digits[:10])) in (8, 9) and (11 - product) % 10 == int(digits[10])


def _cpf(digits: str) -> bool:
    ends = [_weighted(digits, tuple(range(first, 1, -1))) * 10 % 11 % 10 for first in (10, 11)]
    return len(set(digits)) > 1 and "".join(map(str, ends)) == digits[9:]


def _aadhaar(digits: str) -> bool:
    """Verhoeff 1969: the multiplication of the dihedral group D5, permuted by place."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit)
        for _ in range(place % 8):
            number = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[number]
        is_turn, other = check > 4, number % 5
        turned = (check - other if is_turn else check + other) % 5
        check = turned + 5 * (is_turn != (number > 4))
    return digits[0] in "23456789" and check == 0


def _chinese(digits: str) -> bool:
    """GB 11643: ISO 7064, MOD 11-2."""
    check = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits[:17])) % 11
    return digits[0] in "123456" and _is_day(digits[6:14]) and "10X98765432"[check] == digits[17]


def _nir(digits: str) -> bool:
    return bool(re.match(r"[12]\d\d(?:0[1-9]|[1-9]\d)", digits)) and 97 - int(digits[:13]) % 97 == int(digits[13:])


def _codice(whole: str) -> bool:
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
        *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21), *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14),
        *(16, 10, 22, 25, 24, 23),
    ), strict=True))  # fmt: skip
    even = sum(int(one, 36) - 10 * one.isalpha() for one in whole[1:15:2])
    return (sum(odd[one] for one in whole[:15:2]) + even) % 26 == ord(whole[15]) - ord("A")


def _is_day(digits: str) -> bool:
    try:
        return bool(date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])))
    except ValueError:
        return False


def _pesel(digits: str) -> bool:
    century = {8: 18, 9: 18, 0: 19, 1: 19, 2: 20, 3: 20, 4: 21, 5: 21, 6: 22, 7: 22}[int(digits[2])]
    day = f"{century}{digits[:2]}{int(digits[2]) % 2}{digits[3:6]}"
    return _is_day(day) and (_weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) + int(digits[10])) % 10 == 0


_RULES = (
    _NationalNumber("us", 9, r"\d{3}([- ])\d\d\1\d{4}", lambda one: not re.match(r"000|666|9|...00|.{5}0000", one)),
    _NationalNumber("dutch", 9, "", lambda one: (_weighted(one, (9, 8, 7, 6, 5, 4, 3, 2)) - int(one[8])) % 11 == 0),
    _NationalNumber("canadian", 9, "", luhn),
    _NationalNumber("swedish", 10, r"\d{6}[-+]\d{4}", lambda one: _is_day(f"20{one[:6]}") and luhn(one)),
    _NationalNumber("swedish", 12, r"\d{8}[-+]\d{4}", lambda one: _is_day(one[:8]) and luhn(one[2:])),
    _NationalNumber("german", 11, "", _german),
    _NationalNumber("polish", 11, "", _pesel),
    _NationalNumber("brazilian", 11, r"\d{3}\.\d{3}\.\d{3}-\d\d", _cpf),
    _NationalNumber("indian", 12, "", _aadhaar),
    _NationalNumber("french", 15, ".+", _nir),
    _NationalNumber("chinese", 18, ".+", _chinese),
)
