#!/usr/bin/env python3
"""A second implementation of docs/spec/ledger.md, written from that document alone, in another language.

    python3 make.py rfc6962   prints rfc6962.json: roots and proofs of the CT reference leaves
    python3 make.py ledger    prints the worked example of docs/spec/ledger.md

It is slow, plain, and needs nothing but Python. The tests of the crate compare their own answers with what it printed.
"""

import base64
import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


def b64(data):
    return base64.b64encode(data).decode()


# RFC 6962, section 2.1


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def split(leaves):
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return leaves[:k], leaves[k:]


def root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    left, right = split(leaves)
    return sha256(b"\x01" + root(left) + root(right))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    left, right = split(leaves)
    if index < len(left):
        return inclusion(index, left) + [root(right)]
    return inclusion(index - len(left), right) + [root(left)]


def consistency(old, leaves, known=True):
    if old == len(leaves):
        return [] if known else [root(leaves)]
    left, right = split(leaves)
    if old <= len(left):
        return consistency(old, left, known) + [root(right)]
    return consistency(old - len(left), right, False) + [root(left)]


# Entries


def varint(number):
    out = b""
    while True:
        low, number = number & 0x7F, number >> 7
        if number == 0:
            return out + bytes([low])
        out += bytes([low | 0x80])


def mask(ordinals):
    return sum(1 << ordinal for ordinal in ordinals).to_bytes(32, "little").rstrip(b"\x00")


def entry(at, act, outcome, actor, commitment, number=None, on_behalf_of=None, policy=0, purpose=None,
          recipient=None, parts=(), reasons=(), alias=None, record=None, destroyed=(), figures=()):
    first = outcome | actor << 2 | (on_behalf_of is not None) << 4 | (purpose is not None) << 5
    first |= (recipient is not None) << 6 | (alias is not None) << 7
    second = (record is not None) | bool(parts) << 1 | bool(reasons) << 2 | bool(destroyed) << 3 | bool(figures) << 4
    out = bytes([1, act, first, second]) + at.to_bytes(8, "big", signed=True)
    if actor == 0:
        out += varint(number)
    out += on_behalf_of or b""
    out += varint(policy)
    for ordinal in (purpose, recipient):
        if ordinal is not None:
            out += varint(ordinal)
    if parts:
        out += varint(len(parts))
        for kind, ordinals in parts:
            out += bytes([kind, len(mask(ordinals))]) + mask(ordinals)
    if reasons:
        out += varint(len(reasons)) + b"".join(map(varint, reasons))
    out += alias or b""
    if record:
        alias, version, until = record
        out += alias + varint(version) + until.to_bytes(8, "big", signed=True)
    if destroyed:
        out += varint(len(destroyed)) + b"".join(destroyed)
    if figures:
        out += varint(len(figures)) + b"".join(bytes([name]) + varint(count) for name, count in figures)
    return out + commitment


def opening(*parts):
    out = b"strongroom/opening/1"
    for tag, value in sorted(parts, key=lambda part: part[0]):
        out += bytes([tag]) + len(value).to_bytes(2, "big") + value
    return out


def commitment(salt, opened):
    return sha256(b"strongroom/commitment/1" + len(salt).to_bytes(2, "big") + salt + opened)


def bundle(entries):
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


# Ed25519, RFC 8032, section 5.1

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


def compress(point):
    z = pow(point[2], P - 2, P)
    x, y = point[0] * z % P, point[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def secret(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ~7 & ~(1 << 255) | 1 << 254
    return scalar, digest[32:], compress(times(scalar, base_point()))


def ed25519(seed, message):
    scalar, prefix, public = secret(seed)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    commit = compress(times(r, base_point()))
    h = int.from_bytes(hashlib.sha512(commit + public + message).digest(), "little") % L
    return commit + ((r + h * scalar) % L).to_bytes(32, "little")


# C2SP signed-note and tlog-checkpoint


def key_id(name, seed):
    return sha256(name.encode() + b"\n\x01" + secret(seed)[2])[:4]


def vkey(name, seed):
    key = b64(b"\x01" + secret(seed)[2])
    return f"{name}+{key_id(name, seed).hex()}+{key}"


def note(text, name, seed):
    return f"{text}\n\u2014 {name} {b64(key_id(name, seed) + ed25519(seed, text.encode()))}\n"


def rfc6962():
    # The eight leaves of the Certificate Transparency reference tree.
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in leaves]
    shown = lambda proof: [each.hex() for each in proof]
    print(json.dumps({
        "leaves": leaves,
        "leaf_hashes": shown(hashes),
        "roots": [root(hashes[:size]).hex() for size in range(9)],
        "inclusion": [
            {"index": index, "size": size, "proof": shown(inclusion(index, hashes[:size]))}
            for size in range(1, 9) for index in range(size)
        ],
        "consistency": [
            {"old": old, "new": new, "proof": shown(consistency(old, hashes[:new]))}
            for new in range(1, 9) for old in range(1, new + 1)
        ],
    }, indent=1))


def ledger():
    span = lambda first: bytes(range(first, first + 16))
    at = 1_795_305_600_000_000
    salts = [bytes([number]) * 16 for number in range(4)]
    fields = (0, 1, 2, 4, 7, 9, 11)
    subject, record = b"sub_0123456789abcdefghjkmnpqrs", b"rec_0123456789abcdefghjkmnpqrs"
    openings = [
        opening((1, b"\x01")),
        opening((1, b"\x02"), (2, subject), (3, record), (4, (1).to_bytes(4, "big")), (5, bytes(range(32))),
                (6, b"delivery"), (11, b"\x01" + mask(fields))),
        opening((1, b"\x06"), (2, subject), (6, b"marketing_email"), (7, b"withdrawn"), (8, b"2026-11-01"),
                (9, "zh-CN".encode()), (10, (at + 2_000_000).to_bytes(8, "big", signed=True))),
        opening((1, b"\x0a"), (2, subject)),
    ]
    sealed = [commitment(salt, opened) for salt, opened in zip(salts, openings)]
    entries = [
        entry(at, 1, 0, 1, sealed[0], figures=[(14, 1)]),
        entry(at + 1_500_000, 2, 0, 0, sealed[1], number=42, policy=3, purpose=5, parts=[(1, fields)], reasons=[17],
              alias=span(0x10), record=(span(0x20), 1, 2**63 - 1)),
        entry(at + 2_000_000, 6, 0, 0, sealed[2], number=300, on_behalf_of=span(0x10), policy=3, purpose=260,
              recipient=2, alias=span(0x10)),
        entry(at + 3_000_000, 10, 0, 2, sealed[3], policy=3, reasons=[4, 1000], alias=span(0x10),
              destroyed=[span(0x30)], figures=[(7, 1), (13, 200)]),
    ]
    leaves = [leaf_hash(each) for each in entries]
    name, seed = "shop.example/ledger", bytes(range(32))
    text = f"{name}\n4\n{b64(root(leaves))}\n"
    print("opening 2       ", openings[2].hex())
    print("salt 2          ", salts[2].hex())
    for number, each in enumerate(entries):
        print(f"commitment {number}    ", sealed[number].hex())
        print(f"entry {number}         ", each.hex())
        print(f"leaf hash {number}     ", leaves[number].hex())
    print("bundle          ", bundle(entries).hex())
    print("root of 2       ", root(leaves[:2]).hex())
    print("root of 3       ", root(leaves[:3]).hex())
    print("root of 4       ", root(leaves).hex())
    print("inclusion 2 of 4", " ".join(each.hex() for each in inclusion(2, leaves)))
    print("consistency 3 4 ", " ".join(each.hex() for each in consistency(3, leaves)))
    print("seed            ", seed.hex())
    print("vkey            ", vkey(name, seed))
    print("checkpoint, between the lines:\n---")
    print(note(text, name, seed), end="---\n")
    print("receipt:")
    print(json.dumps({
        "format": "strongroom/receipt/1",
        "entry_index": 2,
        "entry": b64(entries[2]),
        "salt": b64(salts[2]),
        "opening": b64(openings[2]),
        "proof": [b64(each) for each in inclusion(2, leaves)],
        "checkpoint": note(text, name, seed),
    }, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    {"rfc6962": rfc6962, "ledger": ledger}[sys.argv[1]]()
