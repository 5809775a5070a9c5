"""Two hundred lines with their labels: a hundred hold something sensitive, a hundred look so and hold nothing.

Every value is put together here, by a seed and its own check digits: none is anybody's, none stands in this file, so
that no scanner of a code host takes the file for a leak.
"""

import base64
import random
import string
import uuid
from collections.abc import Callable
from typing import NamedTuple

from ai_tools.documents import numbers
from ai_tools.documents.numbers import is_iban, luhn

LETTERS, DIGITS = string.ascii_letters, string.digits
WORDS = LETTERS + DIGITS


class Line(NamedTuple):
    """A line, what it holds by kind (empty for a look-alike), and the value that must not show."""

    text: str
    kind: str
    value: str = ""


def _some(rng: random.Random, letters: str, count: int) -> str:
    """Characters that are surely mixed."""
    return "".join(rng.choices(letters, k=count - 2)) + (letters[0] + "7" if "7" in letters else letters[:2])


def _with_check(rng: random.Random, stem: Callable[[], str], holds: Callable[[str], bool]) -> str:
    while not holds(found := stem()):
        pass
    return found


def card(rng: random.Random, start: str, digits: int = 16) -> str:
    return _with_check(rng, lambda: start + "".join(rng.choices(DIGITS, k=digits - len(start))), luhn)


def no_card(rng: random.Random, start: str) -> str:
    return _with_check(rng, lambda: start + "".join(rng.choices(DIGITS, k=16 - len(start))), lambda one: not luhn(one))


def iban(rng: random.Random, country: str, digits: int) -> str:
    account = "".join(rng.choices(DIGITS, k=digits))
    return next(whole for check in range(2, 99) if is_iban(whole := f"{country}{check:02}{account}"))


def in_fours(number: str, sep: str = " ") -> str:
    return sep.join(number[at : at + 4] for at in range(0, len(number), 4))


def _keys(rng: random.Random) -> list[tuple[str, str]]:
    """(sentence, key); each key is a known beginning and chance."""

    def chance(count: int, letters: str = WORDS) -> str:
        return _some(rng, letters, count)

    hexed, upper = DIGITS + "abcdef", string.ascii_uppercase + "234567"
    return [
        ("The client is created with {}.", "sk-" + chance(48)),
        ("export OPENAI_API_KEY={}", "sk-" + "proj-" + chance(64)),
        ("ANTHROPIC_API_KEY: {}", "sk-" + "ant-" + "api03-" + chance(90)),
        ("maps.load('{}')", "AI" + "za" + chance(35)),
        ("aws_access_key_id = {}", "AK" + "IA" + chance(16, upper)),
        ("Temporary key {} expires at noon.", "AS" + "IA" + chance(16, upper)),
        ("aws_secret_access_key = {}", chance(40)),
        ("git clone with the token {}", "gh" + "p_" + chance(36)),
        ("token: {}", "github" + "_pat_" + chance(60)),
        ("CI_JOB_TOKEN={}", "gl" + "pat-" + chance(20)),
        ("The bot logs in as {}.", "xo" + "xb-" + chance(12, DIGITS) + "-" + chance(24)),
        ("stripe.api_key = '{}'", "sk" + "_live_" + chance(24)),
        ("huggingface-cli login --token {}", "h" + "f_" + chance(34, LETTERS)),
        ("Twilio: {}", "S" + "K" + chance(32, hexed)),
        ("curl -H 'Authorization: Bearer {}'", "S" + "G." + chance(22) + "." + chance(43)),
        ("//registry.npmjs.org/:_authToken={}", "np" + "m_" + chance(36)),
        ("twine upload -p {}", "py" + "pi-" + chance(80)),
        ("Cookie: session={}", "ey" + "J" + chance(30) + ".ey" + "J" + chance(60) + "." + chance(43)),
        ("DefaultEndpointsProtocol=https;AccountName=bells;AccountKey={}", chance(86) + "=="),
        ("GROQ={}", "gs" + "k_" + chance(52)),
        ("vault login {}", "hv" + "s." + chance(24)),
        ("DO_TOKEN={}", "do" + "p_v1_" + chance(64, hexed)),
    ]


def _passwords(rng: random.Random) -> list[tuple[str, str]]:
    secret = [_some(rng, WORDS, 11) for _ in range(14)]
    return [
        ('password = "{}"', secret[0]),
        ("DB_PASSWORD={}", secret[1]),
        ("  passwd: '{}'", secret[2]),
        ("Passwort: {}", secret[3]),
        ("Das Kennwort: `{}`", secret[4]),
        ("mot de passe : {}", secret[5]),
        ("Contraseña: {}", secret[6]),
        ("| **Password:** {} | north |", secret[7]),
        ('"client_secret": "{}",', secret[8]),
        ("postgresql://harbour:{}@db.harbour.net:5432/bells", secret[9]),
        ("mongodb+srv://admin:{}@cluster0.harbour.net", secret[10]),
        ("Server=db;User Id=sa;Password={};", secret[11]),
        ("пароль: {}", secret[12]),
        ("密码：{}", secret[13]),
    ]


def _accounts(rng: random.Random) -> list[tuple[str, str, str]]:
    german = iban(rng, "DE", 18)
    return [
        ("Pay to {} by Friday.", "IBAN", in_fours(german)),
        ("IBAN: {}", "IBAN", iban(rng, "DE", 18)),
        ("Compte {} ouvert en mai.", "IBAN", in_fours(iban(rng, "FR", 23))),
        ("{} (Bank in Wien)", "IBAN", iban(rng, "AT", 16)),
        ("Konto {}", "IBAN", in_fours(iban(rng, "CH", 17))),
        ("Cuenta: {}", "IBAN", in_fours(iban(rng, "ES", 20))),
        ("rachunek {}", "IBAN", in_fours(iban(rng, "PL", 24))),
        ("Conta {}", "IBAN", iban(rng, "PT", 21)),
        ("Her card {} was charged.", "CARD", in_fours(card(rng, "4"))),
        ("Card number: {}", "CARD", card(rng, "51")),
        ("Kreditkarte {}", "CARD", in_fours(card(rng, "4"), "-")),
        ("amex {}", "CARD", card(rng, "37", 15)),
        ("paid with {}, then refunded", "CARD", in_fours(card(rng, "6011"))),
        ("JCB: {}", "CARD", card(rng, "3530")),
    ]


def _people(rng: random.Random) -> list[tuple[str, str, str]]:
    def found(count: int, holds: Callable[[str], bool], start: str = "") -> str:
        return _with_check(rng, lambda: start + "".join(rng.choices(DIGITS, k=count - len(start))), holds)

    cpf = found(11, numbers._cpf)
    aadhaar = found(12, numbers._aadhaar, "7")
    chinese = "110105" + "19800317" + "123"
    chinese += next(check for check in DIGITS + "X" if numbers._chinese(chinese + check))
    nir = "2840375116" + "042"
    nir += f"{97 - int(nir) % 97:02}"
    swede = next(one for check in DIGITS if luhn(one := "811228987" + check))
    dni = "53274816"
    dni += "TRWAGMYFPDXBNJZSQVHLCKE"[int(dni) % 23]
    nie = "Y" + "4172635"
    nie += "TRWAGMYFPDXBNJZSQVHLCKE"[int("1" + nie[1:]) % 23]
    italian = "RSSNNA" + "80A41" + "F205"
    italian += next(one for one in string.ascii_uppercase if numbers._codice(italian + one))
    return [
        ("SSN: {}", "NATIONAL_ID", "521-48-" + "9034"),
        ("Her social security number is {}.", "NATIONAL_ID", "402 17 " + "5588"),
        ("National Insurance number {}", "NATIONAL_ID", "PK 31 52 " + "74 C"),
        ("NI number: {}", "NATIONAL_ID", "PK" + "315274C"),
        ("Steuer-ID: {}", "NATIONAL_ID", found(11, numbers._german, "6")),
        ("Die Identifikationsnummer (IdNr.) {}", "NATIONAL_ID", found(11, numbers._german, "4")),
        ("N° de sécurité sociale {}", "NATIONAL_ID", nir),
        ("DNI {}", "NATIONAL_ID", dni),
        ("El titular, {}, firma.", "NATIONAL_ID", nie),
        ("Codice fiscale: {}", "NATIONAL_ID", italian),
        ("BSN {}", "NATIONAL_ID", found(9, numbers._RULES[1].check, "2")),
        ("personnummer {}", "NATIONAL_ID", f"{swede[:6]}-{swede[6:]}"),
        ("PESEL: {}", "NATIONAL_ID", found(11, numbers._pesel, "8")),
        ("CPF {}", "NATIONAL_ID", f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}"),
        ("o CPF: {}", "NATIONAL_ID", cpf),
        ("Aadhaar {}", "NATIONAL_ID", in_fours(aadhaar)),
        ("身份证号码：{}", "NATIONAL_ID", chinese),
        ("SIN: {}", "NATIONAL_ID", found(9, luhn, "4")),
    ]


def _reachable(rng: random.Random) -> list[tuple[str, str, str]]:
    return [
        ("Write to {} before noon.", "EMAIL", "ada.keller" + "@" + "harbour-office.de"),
        ("Contact: <{}>", "EMAIL", "b.o'neill" + "@" + "bells.co.uk"),
        ("[mail](mailto:{})", "EMAIL", "pier+lamps" + "@" + "lights.org"),
        ("{} et al. 2019", "EMAIL", "jean_dupont" + "@" + "univ-lyon.fr"),
        ("| Ada | {} | north |", "EMAIL", "ada" + "@" + "north.example"),
        ("メール：{}まで", "EMAIL", "kaori" + "@" + "minato.jp"),
        ("Author: Li Wei ({})", "EMAIL", "li.wei" + "@" + "mail.cn"),
        ("E-Mail: {}", "EMAIL", "müller" + "@" + "bäckerei.de"),
        ("cc {};", "EMAIL", "X.Y-Z99" + "@" + "sub.dept.firma.at"),
        ("user {} logged in", "EMAIL", "k.o" + "@" + "pier.io"),
        ("Call {} and ask for Ada.", "PHONE", "+49 30 " + "2093 7712"),
        ("Telefon: {}", "PHONE", "030 / " + "209 37 71"),
        ("Tél. {}", "PHONE", "01 42 " + "68 53 11"),
        ("{}", "PHONE", "(415) 262-" + "7731"),
        ("Phone {}", "PHONE", "415-262-" + "7732"),
        ("tel. {}", "PHONE", "+48 22 " + "621 47 90"),
        ("Mobile: {}", "PHONE", "+447700" + "912345"),
        ("móvil {}", "PHONE", "612 34 " + "57 81"),
        ("WhatsApp {}", "PHONE", "+55 11 9" + "8412-7730"),
        ("电话：{}", "PHONE", "010-" + "85227788"),
        ("電話 {}", "PHONE", "03-" + "3581-4472"),
        ("Fax {}", "PHONE", "0043 1 " + "51450"),
        ("тел. {}", "PHONE", "+7 495 " + "624-11-90"),
        ("Handy: {}", "PHONE", "0171/" + "2284561"),
        ("फ़ोन: {}", "PHONE", "+91 98" + "1040 2231"),
    ]


def _private_keys(rng: random.Random) -> list[tuple[str, str, str]]:
    body = _some(rng, WORDS + "+/", 64)
    dashes = "-" * 5
    return [
        (
            f"{dashes}BEGIN {what}PRIVATE" + f" KEY{end}{dashes} {{}} {dashes}END {what}PRIVATE KEY{end}{dashes}",
            "PRIVATE_KEY",
            body,
        )
        for what, end in (
            ("", ""),
            ("RSA ", ""),
            ("OPENSSH ", ""),
            ("EC ", ""),
            ("ENCRYPTED ", ""),
            ("PGP ", " BLOCK"),
            ("DSA ", ""),
        )
    ]


def _look_alikes(rng: random.Random) -> list[str]:
    def chance(count: int, letters: str = DIGITS) -> str:
        return "".join(rng.choices(letters, k=count))

    hexed = DIGITS + "abcdef"
    picture = base64.b64encode(bytes(rng.randrange(256) for _ in range(60))).decode()
    return [
        *(f"commit {chance(40, hexed)}" for _ in range(4)),
        *(f"Fixed in {chance(12, hexed)} and {chance(7, hexed)}." for _ in range(3)),
        *(f"sha256:{chance(64, hexed)}" for _ in range(4)),
        *(f"id {uuid.UUID(int=rng.getrandbits(128), version=4)}" for _ in range(5)),
        *(f"ISBN 978-3-{chance(2)}-{chance(6)}-{chance(1)}" for _ in range(5)),
        *(f"ISBN 978{chance(10)}" for _ in range(4)),
        *(f"Order {chance(10)} was shipped." for _ in range(4)),
        *(f"Bestellnummer {no_card(rng, '4')}" for _ in range(3)),
        *(f"Invoice no. {chance(4)}-{chance(6)}" for _ in range(4)),
        *(
            f"version {rng.randrange(9)}.{rng.randrange(99)}.{rng.randrange(9999)}.{rng.randrange(99999)}"
            for _ in range(5)
        ),
        *(
            f"{2000 + rng.randrange(26)}-{1 + rng.randrange(12):02}-{1 + rng.randrange(28):02}T08:{chance(1)}0:00Z"
            for _ in range(5)
        ),
        *(
            f"from {1 + rng.randrange(28):02}.{1 + rng.randrange(12):02}.{2000 + rng.randrange(26)} on"
            for _ in range(3)
        ),
        *(f"ts={1700000000 + rng.randrange(10**8)}" for _ in range(4)),
        *(f"at {1700000000000 + rng.randrange(10**11)} ms" for _ in range(4)),
        *(f"![](data:image/png;base64,{picture[at:]})" for at in range(4)),
        *(f"{rng.randrange(1, 99)},{chance(3)},{chance(3)}.{chance(2)} euro" for _ in range(4)),
        *(f"{rng.randrange(1, 99)} {chance(3)} {chance(3)} inhabitants" for _ in range(3)),
        *(f"10.{rng.randrange(255)}.{rng.randrange(255)}.{rng.randrange(255)}" for _ in range(3)),
        f"EAN 40{chance(11)}",
        f"DOI 10.1000/{chance(6)}.{chance(4)}",
        f"π is 3.1415926535 8979323846, e is 2.{chance(12)}",
        'password = "<your password>"',
        "PASSWORD=${DB_PASSWORD}",
        "password: ********",
        "Password: at least eight characters",
        "Passwort: Pflichtfeld",
        'api_key = os.environ["KEY"]',
        'token = get_token(user, "pier")',
        "password: changeme",
        "The secret: practise every day.",
        "clone git" + "@" + "github.com:bells/harbour.git",
        "logo" + "@" + "2x.png",
        "uses: actions/checkout" + "@" + "v4",
        "getty" + "@" + "tty1.service",
        "npm install @types/node" + "@" + "20.11.5",
        "postgresql://localhost:5432/bells",
        "A key begins with sk- or ghp_ and has 40 characters.",
        "The file begins with " + "-" * 5 + "BEGIN PRIVATE" + " KEY" + "-" * 5 + ".",
        "skip-connections-in-residual-networks-with-attention",
        "Section 12.3.4.5, pages 1234-1250, figure 17",
        "lat 52.520008, lon 13.404954",
        "tolerance 0.000125 to 0.000375 at 1013.25 hPa",
        "MAC 00:1b:44:11:3a:b7",
        "Part AB123456C fits, part QQ 11 does not.",
        "Telephone exchanges of 1927 had 10,000 lines.",
        "room 030-112, seats 1-40",
        "0x7fffffffe4a8 in main ()",
    ]


def labelled() -> list[Line]:
    """The same lines at every call: 100 with their kind and value, then 100 look-alikes."""
    rng = random.Random(14)
    held = [("API_KEY" if "secret_access" not in text else "PASSWORD", text, value) for text, value in _keys(rng)]
    held += [("PASSWORD", text, value) for text, value in _passwords(rng)]
    for group in (_accounts, _people, _reachable, _private_keys):
        held += [(kind, text, value) for text, kind, value in group(rng)]
    lines = [Line(text.replace("{}", value), kind, value) for kind, text, value in held]
    return [*lines, *(Line(text, "") for text in _look_alikes(rng))]
