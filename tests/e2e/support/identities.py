"""People who do not exist, and secrets that open nothing: what the theft test plants. The same seed plants the same."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
import zlib
from dataclasses import dataclass, field

from scan.forms import Planted

_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo",
              "zu", "bré", "chö", "dña", "fjø", "kłą")
_STREETS = ("rue des Lilas", "avenue Foch", "High Street", "Elm Grove", "Lindenweg", "Calle Mayor", "Via Roma", "Bahnhofstraße")
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE32 = string.ascii_uppercase + "234567"


@dataclass
class Identity:
    """One planted person: what names them, and the secrets that their events carry."""

    number: int
    first_name: str
    last_name: str
    email: str
    user_id: str
    device_id: str
    phone: str
    ipv4: str
    ipv6: str
    organisation: str
    organisation_name: str
    address: str
    secrets: dict[str, str] = field(default_factory=dict)
    # An ordinary word that is allowed: the control that must be found where the others must not.
    ordinary: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def phone_national(self) -> str:
        digits = "0" + self.phone.removeprefix("+33")
        return " ".join(digits[at:at + 2] for at in range(0, len(digits), 2))

    def planted(self) -> list[Planted]:
        """Everything that must not be found, each value once."""
        values = {
            "name": self.name, "first name": self.first_name, "last name": self.last_name, "email": self.email,
            "user id": self.user_id, "device id": self.device_id, "phone": self.phone,
            "phone national": self.phone_national,
            "ipv4": self.ipv4, "ipv6": self.ipv6, "organisation": self.organisation,
            "organisation name": self.organisation_name, "address": self.address, **self.secrets,
            "card spaced": spaced(self.secrets["card"]), "iban spaced": spaced(self.secrets["iban"]),
        }
        return [Planted(kind, self.number, value) for kind, value in values.items()]


def identities(count: int, seed: int = 20) -> list[Identity]:
    return [_identity(number, random.Random(f"{seed}/{number}")) for number in range(count)]


def _identity(number: int, rng: random.Random) -> Identity:
    first, last = (_word(rng, 4).capitalize() for _ in range(2))
    # Made of the number where a value must be unlike every other one.
    made = Identity(
        number=number,
        first_name=first,
        last_name=last,
        email=_email(rng, number),
        user_id=_user_id(rng, number),
        device_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        # 06 39 98 is set aside for fiction.
        phone=f"+3363998{(number * 7919 + 1234) % 10_000:04d}",
        # Addresses that are set aside for documentation: 203.0.113.0/24, 198.51.100.0/24, 192.0.2.0/24.
        ipv4=f"{('203.0.113', '198.51.100', '192.0.2')[number % 3]}.{number // 3 % 156 + 100}",
        ipv6=f"2001:db8:{rng.getrandbits(16) | 0x1000:x}:{rng.getrandbits(16) | 0x1000:x}::{rng.getrandbits(16) | 0x1000:x}",
        organisation=f"org-{_word(rng, 4)}-{number:04d}",
        organisation_name=f"{_word(rng, 3).capitalize()} {_word(rng, 3).capitalize()} {('GmbH', 'SARL', 'Ltd')[number % 3]}",
        address=f"{rng.randrange(1, 300)} {rng.choice(_STREETS)}, {rng.randrange(10000, 99999)} {_word(rng, 4).capitalize()}",
        ordinary=f"amber{_letters(number)}falcon",
    )
    made.secrets = _secrets(rng)
    return made


def _email(rng: random.Random, number: int) -> str:
    local = f"{_ascii_word(rng, 3)}.{_ascii_word(rng, 3)}{number}"
    return f"{local}@{rng.choice(('example.com', 'example.org', 'mail.example.net', 'bücher.example.com'))}"


def _user_id(rng: random.Random, number: int) -> str:
    """The kinds of user id that customers use."""
    match number % 4:
        case 0:
            return f"{_ascii_word(rng, 4)}{number}@example.com"
        case 1:
            return str(uuid.UUID(int=rng.getrandbits(128), version=4))
        case 2:
            return f"cust_{_of(rng, _BASE62, 14)}"
        case _:
            return str(rng.randrange(7 * 10**11, 8 * 10**11))


def _secrets(rng: random.Random) -> dict[str, str]:
    """One of each family that the firewall names, valid to its checksum."""
    return {
        "password": f"{_word(rng, 3)}-{_of(rng, string.ascii_letters + string.digits + '!?#', 10)}",
        "card": _card(rng),
        "iban": _iban(rng),
        "ssn": f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",
        "nir": _nir(rng),
        "key aws": "AKIA" + _of(rng, _BASE32, 16),
        "key github": _github(rng),
        "key openai": f"sk-{_of(rng, _BASE62, 20)}T3BlbkFJ{_of(rng, _BASE62, 20)}",
        "key anthropic": f"sk-ant-api03-{_of(rng, _BASE62, 93)}AA",
        "key stripe": f"sk_live_{_of(rng, _BASE62, 24)}",
        "key slack": f"xoxb-{_digits(rng, 12)}-{_digits(rng, 12)}-{_of(rng, _BASE62, 24)}",
        "key npm": f"npm_{_of(rng, _BASE62, 36)}",
        "key google": f"AIza{_of(rng, _BASE62 + '_-', 35)}",
        "key sendgrid": f"SG.{_of(rng, _BASE62, 22)}.{_of(rng, _BASE62, 43)}",
        "key huggingface": f"hf_{_of(rng, string.ascii_letters, 34)}",
        "jwt": _jwt(rng),
        "private key": _private_key(rng),
        "token own": _own_token(rng),
    }


def spaced(text: str) -> str:
    """In groups of four, as cards and IBANs are printed."""
    return " ".join(text[at:at + 4] for at in range(0, len(text), 4))


def _of(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))


def _digits(rng: random.Random, count: int) -> str:
    return str(rng.randrange(10 ** (count - 1), 10**count))


def _word(rng: random.Random, syllables: int) -> str:
    """At least eight letters, about one word in three with an accent."""
    word = "".join(rng.choice(_SYLLABLES) for _ in range(syllables))
    return word if len(word) >= 8 else word + _ascii_word(rng, 3)


def _ascii_word(rng: random.Random, syllables: int) -> str:
    return "".join(rng.choice(_SYLLABLES[:20]) for _ in range(syllables + 1))


def _letters(number: int) -> str:
    """A number in letters, for words that no detector takes for an id."""
    return "".join("bdfglmnrst"[int(digit)] + "aeiou"[int(digit) % 5] for digit in f"{number:04d}")


def _luhn_digit(text: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(text)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def _card(rng: random.Random) -> str:
    body = rng.choice(("4111", "5555", "4012")) + _digits(rng, 11)
    return body + _luhn_digit(body)


def _iban(rng: random.Random) -> str:
    account = _digits(rng, 18)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def _nir(rng: random.Random) -> str:
    number = f"{rng.choice('12')}{rng.randrange(40, 99)}{rng.randrange(1, 13):02d}{rng.randrange(1, 95):02d}{_digits(rng, 6)}"
    groups = (number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], f"{97 - int(number) % 97:02d}")
    return " ".join(groups)


def _base62(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        text = _BASE62[digit] + text
    return text


def _github(rng: random.Random) -> str:
    body = _of(rng, _BASE62, 30)
    return f"ghp_{body}{_base62(zlib.crc32(body.encode()), 6)}"


def _own_token(rng: random.Random) -> str:
    body = f"{rng.choice(('fpa_', 'fps_'))}{_of(rng, _BASE62, 30)}"
    return body + _base62(_crc32c(body.encode()), 6)


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _jwt(rng: random.Random) -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    header, body = ({"alg": "HS256", "typ": "JWT"}, {"sub": _word(rng, 4), "iat": rng.randrange(10**9)})
    signature = hashlib.sha256(rng.randbytes(16)).digest()
    return ".".join((part(json.dumps(header).encode()), part(json.dumps(body).encode()), part(signature)))


def _private_key(rng: random.Random) -> str:
    lines = base64.b64encode(rng.randbytes(144)).decode()
    body = "\n".join(lines[at:at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
