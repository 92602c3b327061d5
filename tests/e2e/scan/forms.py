"""The forms in which a planted value could lie somewhere: encodings of it, and digests of it, which give a guessable
value away as surely as the value itself (secrecy contract, 12.4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import ipaddress
import json
import quopri
import struct
import unicodedata
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

import blake3


@dataclass(frozen=True)
class Planted:
    """A value that must not be found. `kind` names it in findings, so that the value itself is in no report."""

    kind: str
    owner: int
    value: str

    def normal(self) -> str:
        """What somebody who matches identities would reduce the value to before hashing it."""
        text = unicodedata.normalize("NFKC", self.value).strip().lower()
        if self.kind.startswith("phone"):
            return "+" + "".join(c for c in text if c.isdigit())
        if self.kind.startswith(("card", "iban")):
            return "".join(c for c in text if c.isalnum())
        return text


def forms(planted: Planted) -> Iterator[tuple[str, bytes]]:
    """Every form as (name, bytes). Names say which form it is; the same bytes may come under two names."""
    value = planted.value
    variants = {"raw": value, "lower": value.lower(), "upper": value.upper(), "reversed": value[::-1],
                "NFD": unicodedata.normalize("NFD", value), "normal": planted.normal()}
    seen = set()
    for name, text in variants.items():
        if text not in seen:
            seen.add(text)
            yield from ((f"{name} {form}".strip(), coded) for form, coded in _encodings(text))
    for text in dict.fromkeys((value, planted.normal())):
        of_what = "digest" if text == value else "digest of normal"
        yield from ((f"{of_what} {form}", coded) for form, coded in _digests(text.encode()))
    if planted.kind.startswith("ip"):
        yield from _address_numbers(value)
    if planted.kind == "card":
        yield "integer i64", struct.pack("<q", int(value))
        yield "integer f64", struct.pack("<d", float(value))


def _encodings(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "", raw
    yield "utf-16-le", text.encode("utf-16-le")
    yield "utf-16-be", text.encode("utf-16-be")
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for offset in range(3):
        yield f"base64+{offset}", _base64_inside(raw, offset, base64.b64encode)
        yield f"base64url+{offset}", _base64_inside(raw, offset, base64.urlsafe_b64encode)
    once = urllib.parse.quote(text, safe="")
    yield "percent", once.encode()
    yield "percent lower", _lower_escapes(once).encode()
    yield "percent twice", urllib.parse.quote(once, safe="").encode()
    yield "form", urllib.parse.quote_plus(text, safe="").encode()
    yield "every byte percent", "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "html", html.escape(text).encode()
    yield "html decimal", "".join(f"&#{ord(c)};" for c in text).encode()
    yield "html hex", "".join(f"&#x{ord(c):x};" for c in text).encode()
    escaped = json.dumps(text)[1:-1]
    yield "json", escaped.encode()
    yield "json inside json", json.dumps(escaped)[1:-1].encode()
    yield "json every \\u", "".join(f"\\u{unit:04x}" for unit in _utf16_units(text)).encode()
    yield "quoted-printable", quopri.encodestring(raw, quotetabs=True).replace(b"=\n", b"")


def _base64_inside(raw: bytes, offset: int, encode) -> bytes:
    """The part of a base64 text that depends on `raw` alone when `offset` bytes (mod 3) stand before it."""
    padded = bytes(offset) + raw
    text = encode(padded).rstrip(b"=")
    first = {0: 0, 1: 2, 2: 3}[offset]
    whole = len(padded) * 8 // 6
    return text[first:whole]


def _lower_escapes(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join("%" + part[:2].lower() + part[2:] for part in parts[1:])


def _utf16_units(text: str) -> tuple[int, ...]:
    coded = text.encode("utf-16-le")
    return struct.unpack(f"<{len(coded) // 2}H", coded)


def _digests(raw: bytes) -> Iterator[tuple[str, bytes]]:
    digests = {
        "md5": hashlib.md5(raw).digest(),
        "sha1": hashlib.sha1(raw).digest(),
        "sha256": hashlib.sha256(raw).digest(),
        "sha512": hashlib.sha512(raw).digest(),
        "blake2b": hashlib.blake2b(raw).digest(),
        "blake2b-256": hashlib.blake2b(raw, digest_size=32).digest(),
        "blake2s": hashlib.blake2s(raw).digest(),
        "blake3": blake3.blake3(raw).digest(),
        "hmac-sha256": hmac.new(b"", raw, hashlib.sha256).digest(),
    }
    for name, digest in digests.items():
        # Half a digest is enough to recognise it, and a product may well cut one.
        half = digest[: max(16, len(digest) // 2)]
        yield name, half
        yield f"{name} hex", half.hex().encode()
        yield f"{name} HEX", half.hex().upper().encode()
        for offset in range(3):
            yield f"{name} base64+{offset}", _base64_inside(half, offset, base64.b64encode)
            yield f"{name} base64url+{offset}", _base64_inside(half, offset, base64.urlsafe_b64encode)


def _address_numbers(text: str) -> Iterator[tuple[str, bytes]]:
    """An address as a number: in text, and as the eight or sixteen bytes of a column. Four bytes alone would be found by
    chance in any megabyte."""
    address = ipaddress.ip_address(text)
    number = int(address)
    yield "integer text", str(number).encode()
    if address.version == 4:
        yield "integer hex", f"{number:08x}".encode()
        yield "integer i64", struct.pack("<q", number)
        yield "integer f64", struct.pack("<d", float(number))
        yield "mapped v6", ipaddress.ip_address(f"::ffff:{text}").packed
    else:
        yield "packed", address.packed
        yield "packed LE", address.packed[::-1]
        yield "exploded", address.exploded.encode()
