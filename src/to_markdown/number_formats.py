"""Numbers of spreadsheets as their cells show them: percent, currency, thousands, leading zeros, dates and times.

A format adds its signs and zeros and never takes a digit away, since a rounded number is another fact. Dates are
written year first, as no country reads them wrongly.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

# Formats that files call by their number; those of dates are told by it, too.
KNOWN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    **dict.fromkeys((5, 6, 37, 38, 41, 42), "#,##0"), **dict.fromkeys((7, 8, 39, 40, 43, 44), "#,##0.00"),
    **dict.fromkeys((*range(15, 18), *range(27, 37), *range(50, 59)), "yyyy-mm-dd"), 18: "h:mm", 19: "h:mm:ss",
}  # fmt: skip
LITERAL = r'"[^"]*"|\\.|\[\$[^\]]*\]'
PLACES = r"[0#?][0#?,]*(?:\.[0#?]*)?,*|\.[0#?]+,*"
TOKEN = re.compile(rf"({LITERAL})|\[[^\]]*\]|[_*].|({PLACES})|(.)")
DATE = re.compile(r"[dyhs]|m{1,5}", re.IGNORECASE)


def shown(value: str, code: str, since: datetime) -> str:
    """What a cell shows for a number.

    Args:
        code: of the format, such as `#,##0.00 [$€-407]`.
        since: the day that dates are counted from.
    """
    if not re.fullmatch(r"-?\d+(\.\d+)?(E[+-]?\d{1,2})?", value):
        return value
    bare = re.sub(rf"{LITERAL}|\[(?![hms]+\])[^\]]*\]|[_*].", "", code, flags=re.IGNORECASE)
    if bare.lower() != "general" and DATE.search(bare.replace("General", "")):
        return _date(float(value), bare, since) if re.fullmatch(r"\d{1,7}(\.\d+)?(E-?\d+)?", value) else value
    number = Decimal(f"{float(value):.12g}" if re.search(r"\.\d{12,}", value) else value)
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    negative = number < 0 and len(sections) > 1
    return _filled(number, sections[1] if negative else sections[0])


def _filled(number: Decimal, section: str) -> str:
    tokens = [(literal, digits, other) for literal, digits, other in TOKEN.findall(section)]
    places = [digits for _, digits, _ in tokens if digits]
    if not places or re.search(r"E[+-]", section):
        return _plain(number)
    if "/" in section and any("?" in place or "#" in place for place in places):
        return _fraction(number)
    text = "".join(other for _, _, other in tokens)
    if "%" in text:
        number *= 100
    if len(places) > 1:
        return _spread(number, tokens, places)
    place = places[0].rstrip(",")
    whole, _, decimals = place.partition(".")
    number /= 1000 ** (len(places[0]) - len(place))
    written = _grouped(abs(number), whole.count("0"), decimals.count("0"), "," in whole)
    out = "".join(written if digits else _literal(literal) or other for literal, digits, other in tokens).strip()
    return f"-{out}" if number < 0 and not out.startswith(("-", "(")) else out


def _literal(token: str) -> str:
    if token.startswith("[$"):
        return token[2:-1].partition("-")[0]
    return token[1:] if token.startswith("\\") else token.strip('"')


def _grouped(number: Decimal, least: int, decimals: int, thousands: bool) -> str:
    """Digits with at least so many before and behind the point."""
    whole, _, rest = _plain(number).partition(".")
    whole = f"{int(whole):,}" if thousands else whole.zfill(least)
    rest = rest.ljust(decimals, "0")
    return f"{whole}.{rest}" if rest else whole


def _spread(number: Decimal, tokens: list[tuple[str, str, str]], places: list[str]) -> str:
    """Digits between signs, as in `000-0000`."""
    digits = _plain(abs(number)).zfill(sum(place.count("0") for place in places))
    if "." in digits or any("." in place for place in places):
        return _plain(number)
    out, left = "", digits
    for literal, place, other in reversed(tokens):
        take = len(left) if place and place is places[0] else len(place)
        out = (left[-take:] if take else "") + out if place else (_literal(literal) or other) + out
        left = left[:-take] if place and take else left
    return out


def _fraction(number: Decimal) -> str:
    part = Fraction(abs(number)).limit_denominator(999)
    whole, rest = divmod(part, 1)
    if part != Fraction(abs(number)) and abs(part - Fraction(abs(number))) > Fraction(1, 10**9):
        return _plain(number)
    words = ([str(whole)] if whole or not rest else []) + ([str(rest)] if rest else [])
    return "-" * (number < 0) + " ".join(words)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(days: float, code: str, since: datetime) -> str:
    seconds = round(days * 86_400)
    if re.search(r"\[[hms]+\]", code, re.IGNORECASE):  # how long, not when
        return f"{seconds // 3600}:{seconds // 60 % 60:02}" + f":{seconds % 60:02}" * (seconds % 60 > 0 or "s" in code)
    if days < 60 and days >= 1 and since.year < 1900:  # the year 1900 had 366 days for the first spreadsheets
        seconds += 86_400
    when = since + timedelta(seconds=seconds)
    time = when.strftime("%H:%M:%S").removesuffix(":00")
    if days < 1:
        return time
    if seconds % 86_400 == 0 and when.day == 1 and not re.search("d", code, re.IGNORECASE):
        return f"{when:%Y}" if when.month == 1 and "m" not in code.lower() else f"{when:%Y-%m}"
    return f"{when:%Y-%m-%d}" + f" {time}" * (seconds % 86_400 > 0)
