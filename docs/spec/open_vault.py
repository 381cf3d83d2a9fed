#!/usr/bin/env python3
"""Opens what a vault has sealed, by docs/spec/seal.md alone.

Written from the document and not from the program, so that what was sealed can be opened without it, and so that the two
keep each other honest. Needs Python 3.9 or newer and `cryptography` (44 or newer, for Argon2id); nothing else.

    open_vault.py --keys KEYS DATA                       what opens: counts and ids, no value
    open_vault.py --keys KEYS --values DATA              with values: personal data on your terminal
    open_vault.py --keys KEYS --beside NEWER OLD         a thief's way: keys from every copy that there is
    open_vault.py --vectors seal-vectors.json            the document's vectors

DATA is a data folder, a backup, or a database file. Nothing in it is changed: it is copied and read from the copy.

Exit codes: 0 everything that a key reaches opened; 1 something is broken; 2 wrong usage, or the keyring does not unlock.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import struct
import sys
import tempfile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAIN, RETAINED, HOLD, TERM, WRAP, INDEX, ROW, REQUEST = 1, 2, 3, 4, 16, 17, 18, 19
SUITE = 1
WRAPPED = 69
DATABASE = "strongroom.db"


class Broken(Exception):
    """The bytes are not what the document says they must be."""


# ── Mechanisms ───────────────────────────────────────────────────────────────────────────────────────────────────────


def u8(number):
    return struct.pack(">B", number)


def u16(number):
    return struct.pack(">H", number)


def u32(number):
    return struct.pack(">I", number)


def u64(number):
    return struct.pack(">Q", number)


def i64(number):
    return struct.pack(">q", number)


def lp8(part):
    return u8(len(part)) + part


def lp16(part):
    return u16(len(part)) + part


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def mac16(key, *parts):
    return mac(key, *parts)[:16]


def extract(salt, secret):
    return mac(salt, secret)


def expand(key, info, length):
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = mac(key, block, info, u8(number))
        out, number = out + block, number + 1
    return out[:length]


def open_gcm(key, nonce, aad, sealed):
    """The plain bytes; `Broken` when the tag does not fit."""
    if len(sealed) < 16:
        raise Broken("a ciphertext is shorter than its tag")
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Broken("the seal is broken") from None


class Reader:
    """Takes bytes from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise Broken("the bytes are cut short")
        self.at += count
        return part

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def is_done(self):
        return self.at == len(self.data)

    def varint(self):
        number = 0
        for position in range(3):
            byte = self.number(1)
            number |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                if position and byte == 0:
                    raise Broken("a length is not as short as it can be")
                return number
        raise Broken("a length is too long")


# ── Keyring ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Keyring:
    """The unlocked keyring."""

    def __init__(self, file, key_file=None, passphrase=None):
        head = Reader(file)
        magic, version = head.take(8), head.number(1)
        if magic != b"SRKEYRNG" or version not in (1, 2):
            raise Broken("this is no keyring that the document describes")
        lock, salt = head.number(1), head.take(16)
        if version == 1:
            memory, passes, lanes = head.number(4), head.number(4), head.number(4)
        else:
            self.about = head.take(head.number(2))
            if lock not in (3, 4, 5):
                raise Broken("the keyring has a lock that the document does not know")
        nonce = head.take(12)
        if lock == 1 or version == 2:
            if key_file is None:
                raise Broken("the keyring is locked by a key file, by shares, or by a key that a holder keeps")
            key = expand(extract(salt, key_file), b"strongroom/keyring/1", 32)
        elif lock == 2:
            if passphrase is None:
                raise Broken("the keyring is locked by a passphrase")
            from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

            argon = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
            key = argon.derive(passphrase.encode())
        else:
            raise Broken("the keyring has a lock that the document does not know")
        body = Reader(open_gcm(key, nonce, file[: head.at], file[head.at :]))
        if body.number(1) != 1:
            raise Broken("the keyring's body has a format that the document does not know")
        self.epochs, self.since, self.seeds, self.list_key, self.id_key = {}, {}, {}, None, None
        while not body.is_done():
            tag, part = body.number(1), Reader(body.take(body.number(2)))
            if tag == 1:
                epoch = part.number(4)
                self.since[epoch] = int.from_bytes(part.take(8), "big", signed=True)
                self.epochs[epoch] = part.take(32)
            elif tag == 2:
                shop = part.number(4)
                self.seeds[shop] = part.take(32)
            elif tag == 3:
                self.list_key = part.take(32)
            elif tag == 4:
                self.id_key = part.take(32)
            else:
                raise Broken("the keyring holds something that the document does not know")
            if not part.is_done():
                raise Broken("a part of the keyring is too long")
        if not self.epochs or self.list_key is None or self.id_key is None:
            raise Broken("the keyring is not whole")

    def show(self, prefix, kind, number):
        """A public id."""
        cipher = Cipher(algorithms.AES(self.id_key), modes.ECB()).encryptor()
        block = cipher.update(u8(kind) + bytes(7) + u64(number)) + cipher.finalize()
        return prefix + base64.b32encode(block).decode().lower().rstrip("=")


LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def letters(data):
    """Crockford's base32, without padding."""
    bits = int.from_bytes(data, "big") << (-8 * len(data) % 5)
    count = (8 * len(data) + 4) // 5
    return "".join(LETTERS[bits >> 5 * (count - 1 - at) & 31] for at in range(count))


def read_share(text):
    """One officer's share: (set, need, of, number, part)."""
    typed = ""
    rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for row, line in enumerate(rows, 1):
        number, _, said = line.partition(":")
        said = "".join(said.replace("-", "").split()).upper().translate(str.maketrans("OIL", "011"))
        digest = hashlib.sha256(b"strongroom/share-row/1" + u8(row) + said[:18].encode()).digest()
        if int(number) != row or said[18:] != letters(digest[:5])[:2]:
            raise Broken(f"row {row} of a share is mistyped")
        typed += said[:18]
    number = 0
    for letter in typed:
        number = number << 5 | LETTERS.index(letter)
    share = Reader(number.to_bytes(45, "big"))
    said = share.data[:41]
    if share.number(1) != 1 or hashlib.sha256(b"strongroom/share/1" + said).digest()[:4] != share.data[41:]:
        raise Broken("a share is mistyped")
    return share.take(5), share.number(1), share.number(1), share.number(1), share.take(32)


def join_shares(texts):
    """The secret that shares give together, by logarithms to the base x + 1."""
    power, log = [1] * 255, {1: 0}
    for exponent in range(1, 255):
        last = power[exponent - 1]
        power[exponent] = last ^ last << 1 ^ (0x11B if last & 0x80 else 0)
        log[power[exponent]] = exponent
    shares = {(share[3]): share for share in map(read_share, texts)}
    first = next(iter(shares.values()))
    if any(share[:3] != first[:3] for share in shares.values()) or len(shares) < first[1]:
        raise Broken("the shares are of different sets, or too few")
    chosen = list(shares)[: first[1]]
    secret = bytearray(32)
    for number in chosen:
        weight = sum(log[other] - log[other ^ number] for other in chosen if other != number)
        for at, byte in enumerate(shares[number][4]):
            if byte:
                secret[at] ^= power[(log[byte] + weight) % 255]
    return bytes(secret)


def read_destroyed(list_key, text):
    """The list of destroyed keys: key id → when. `Broken` when a line does not chain."""
    last, destroyed = bytes(32), {}
    for line in text.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # cut off while it was written: it was never answered for
        said, _, shown = line[:-1].rpartition(b" ")
        last = mac(list_key, last, said)
        version, at, key_id = said.split(b" ")
        if version != b"1" or not hmac.compare_digest(last.hex().encode(), shown):
            raise Broken("the list of destroyed keys does not chain")
        destroyed[bytes.fromhex(key_id.decode())] = int(at)
    return destroyed


# ── Keys in the database ─────────────────────────────────────────────────────────────────────────────────────────────


class Wrapped:
    """A key under another key, as its row has it."""

    def __init__(self, data):
        part = Reader(data)
        self.klass, self.id, self.under = part.number(1), part.take(16), part.number(4)
        self.sealed = part.take(48)
        if not part.is_done():
            raise Broken("a wrapped key has not 69 bytes")

    def open(self, key, label, shop, of):
        context = label + lp8(u32(shop)) + lp8(u64(of)) + u8(self.klass) + self.id + u32(self.under)
        return open_gcm(key, self.id[:12], context, self.sealed)


class Keys:
    """Every key that opens, from however many copies. A key is found by its id; wrap keys by shop and version.

    Of one name there may be several keys (two copies, two histories), so each name leads to a list, and whoever unwraps
    tries all: a wrong one fails by its tag.
    """

    def __init__(self, keyring):
        self.keyring = keyring
        self.wraps, self.of_shop, self.data, self.dark = {}, {}, {}, set()

    def add_shop_key(self, shop, version, wrapped):
        epoch = self.keyring.epochs.get(wrapped.under)
        if epoch is None:
            self.dark.add(wrapped.under)
            return
        key = wrapped.open(epoch, b"strongroom/shop-key/1", shop, 0)
        if wrapped.klass == WRAP:
            self.wraps.setdefault((shop, version), []).append(key)
        else:
            self.of_shop[(shop, wrapped.klass)] = key

    def add_data_key(self, shop, of, wrapped):
        """Gives whether it opened under a key at hand."""
        for wrap in self.wraps.get((shop, wrapped.under), []):
            try:
                key = wrapped.open(wrap, b"strongroom/data-key/1", shop, of)
            except Broken:
                continue
            found = self.data.setdefault((wrapped.klass, wrapped.id), [])
            if key not in found:
                found.append(key)
            return True
        return False


# ── Envelopes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def encode_place(shop, subject, kind, record, version):
    return lp8(u32(shop)) + lp8(u64(subject)) + lp8(u8(kind)) + lp8(u64(record)) + lp8(u32(version))


def decode_value(data):
    if not data:
        raise Broken("a value has no tag")
    tag, rest = data[0], data[1:]
    if tag in (1, 3, 5):
        try:
            return ("text", None, "decimal", None, "date")[tag - 1], rest.decode()
        except UnicodeDecodeError:
            raise Broken("a text is not UTF-8") from None
    if tag == 2 and len(rest) == 8:
        return "integer", int.from_bytes(rest, "big", signed=True)
    if tag == 4 and rest in (b"\x00", b"\x01"):
        return "boolean", rest == b"\x01"
    if tag == 6 and len(rest) > 74 and int.from_bytes(rest[:2], "big") == SUITE:
        # The content key, with which the chunks open (section "Files"), and what they are together.
        return "file", f"{int.from_bytes(rest[66:74], 'big')} bytes of {rest[74:].decode('ascii', 'replace')}"
    raise Broken("a value is not one that the document knows")


class Group:
    def __init__(self, part):
        self.klass = part.number(1)
        if self.klass not in (MAIN, RETAINED, HOLD):
            raise Broken("a group is of no class that seals")
        self.subject_key, self.term_key, self.commitment = part.take(16), part.take(16), part.take(32)
        bitmap = part.take(part.number(1))
        if not 1 <= len(bitmap) <= 32 or bitmap[-1] == 0:
            raise Broken("a bitmap is not as the document has it")
        self.fields = [n for n in range(8 * len(bitmap)) if bitmap[n // 8] >> n % 8 & 1]


class Envelope:
    def __init__(self, data):
        part = Reader(data)
        if part.take(2) != b"S\x01" or part.number(2) != SUITE:
            raise Broken("this is no envelope that the document describes")
        self.message_id = part.take(32)
        count = part.number(1)
        if count > 64:
            raise Broken("an envelope has too many groups")
        self.groups = [Group(part) for _ in range(count)]
        self.header = data[: part.at]
        ordinals = [n for group in self.groups for n in group.fields]
        if len(set(ordinals)) != len(ordinals):
            raise Broken("two groups have one field")
        self.fields = {ordinal: part.take(part.varint()) for ordinal in sorted(ordinals)}
        if not part.is_done():
            raise Broken("an envelope is longer than its fields")

    def digest(self):
        return hashlib.sha256(b"strongroom/record-digest/1" + self.header).digest()

    def open(self, place, clear_columns, keys):
        """Opens all groups whose keys are at hand. Gives values by ordinal, and per closed ordinal why."""
        clear = hashlib.sha256(b"strongroom/clear/1" + clear_columns).digest()
        aad = hashlib.sha256(
            b"strongroom/field/1" + u32(len(self.header)) + self.header + place + clear
        ).digest()
        opened, closed = {}, {}
        for group in self.groups:
            subjects = keys.data.get((group.klass, group.subject_key), [])
            terms = keys.data.get((TERM, group.term_key), [])
            if not subjects or not terms:
                what = [name for name, key in (("subject", subjects), ("term", terms)) if not key]
                closed.update({n: "no key of its " + " and ".join(what) for n in group.fields})
                continue
            key = self.key_of(group, place, clear, subjects, terms)
            if key is None:
                closed.update({n: "BROKEN: the commitment does not fit" for n in group.fields})
                continue
            for ordinal in group.fields:
                try:
                    nonce = bytes(11) + u8(ordinal)
                    opened[ordinal] = decode_value(open_gcm(key, nonce, aad, self.fields[ordinal]))
                except Broken as fault:
                    closed[ordinal] = f"BROKEN: {fault}"
        return opened, closed

    def key_of(self, group, place, clear, subjects, terms):
        for subject in subjects:
            for term in terms:
                info = b"strongroom/record/1" + u16(SUITE) + u8(group.klass) + place + clear
                both = expand(extract(self.message_id, subject + term), info, 64)
                # The commitment before anything is opened.
                if hmac.compare_digest(both[32:], group.commitment):
                    return both[:32]
        return None


# ── Databases ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Copy:
    """One copy of a database, read without touching it."""

    def __init__(self, path):
        self.path = path
        self.database = os.path.join(path, DATABASE) if os.path.isdir(path) else path
        if not os.path.exists(self.database):
            raise Broken(f"there is no database at {path}")
        folder = os.path.dirname(self.database)
        beside = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
        everything = [file for file in beside if os.path.isfile(file)] if os.path.isdir(path) else [path]
        self.bytes = {file: open(file, "rb").read() for file in everything}
        with tempfile.TemporaryDirectory() as scratch:
            for suffix in ("", "-wal"):  # SQLite makes the -shm anew from the WAL
                if os.path.exists(self.database + suffix):
                    shutil.copyfile(self.database + suffix, os.path.join(scratch, DATABASE + suffix))
            connection = sqlite3.connect(os.path.join(scratch, DATABASE))
            connection.text_factory = str
            read = lambda sql: connection.execute(sql).fetchall()
            self.shops = read("SELECT id, name FROM shop ORDER BY id")
            self.shop_keys = read("SELECT shop, class, version, wrapped FROM shop_key")
            self.terms = read("SELECT id, shop, ends_at, wrapped FROM term")
            self.subjects = read("SELECT id, shop, standing, keys FROM subject")
            self.records = read("SELECT id, shop, version, clear, sealed FROM record ORDER BY id")
            self.policies = read("SELECT shop, registry FROM policy ORDER BY shop, version")
            connection.close()

    def give_shop_keys(self, keys):
        for shop, klass, version, wrapped in self.shop_keys:
            wrapped = Wrapped(wrapped)
            if wrapped.klass != klass:
                raise Broken("a row of shop_key holds a key of another class")
            keys.add_shop_key(shop, version, wrapped)

    def give_data_keys(self, keys):
        for number, shop, _, wrapped in self.terms:
            keys.add_data_key(shop, number, Wrapped(wrapped))
        for number, shop, _, column in self.subjects:
            for at in range(0, len(column), WRAPPED):
                keys.add_data_key(shop, number, Wrapped(column[at : at + WRAPPED]))

    def give_what_lies_about(self, keys, wanted):
        """Looks for wanted keys byte by byte: in free pages, in frames of the WAL that nobody reads any more.

        Takes: `wanted`, (class, key id) → set of (shop, number of the subject or term). Gives how many were found so.
        """
        found = 0
        for data in self.bytes.values():
            for (klass, key_id), owners in wanted.items():
                name = u8(klass) + key_id
                at = data.find(name)
                while at >= 0:
                    if len(data) >= at + WRAPPED:
                        wrapped = Wrapped(data[at : at + WRAPPED])
                        found += any(keys.add_data_key(shop, of, wrapped) for shop, of in owners)
                    at = data.find(name, at + 1)
        return found

    def names(self):
        """Kind → name, and (kind, field) → name, by the newest policy of each shop. A missing one is shown as a number."""
        names = {}
        for shop, registry in self.policies:
            for kind, entry in json.loads(registry)["kinds"].items():
                names[(shop, entry["ordinal"])] = kind
                for field, of_field in entry["fields"].items():
                    names[(shop, entry["ordinal"], of_field["ordinal"])] = field
        return names


def number_parts(record):
    """Subject, kind and place of a record's number."""
    return record >> 28, record >> 20 & 0xFF, record & 0xFFFFF


def read_clear(data):
    """Until when, events, blind indexes, files. Nothing here needs a key; it is bound into the seal."""
    part = Reader(data)
    layout = part.number(1)
    if layout not in (1, 2):
        raise Broken("the clear columns have a format that the document does not know")
    until = int.from_bytes(part.take(8), "big", signed=True)
    events = [(part.number(1), part.number(1), int.from_bytes(part.take(8), "big", signed=True)) for _ in range(part.number(1))]
    blinds = [(part.number(1), part.take(16)) for _ in range(part.number(1))]
    files = []
    if layout == 2:
        files = [(part.number(1), part.take(8 + 4 + 32 + 32)) for _ in range(part.number(1))]
        if not files:
            raise Broken("the clear columns have a list of files that is empty")
    if not part.is_done():
        raise Broken("the clear columns are longer than they say")
    return until, events, blinds


def open_copies(keyring, copies, everywhere):
    """Opens the records of all copies with the keys of all copies."""
    keys = Keys(keyring)
    for copy in copies:
        copy.give_shop_keys(keys)
    for copy in copies:
        copy.give_data_keys(keys)
    lying_about = 0
    if everywhere:
        wanted = {}
        for copy in copies:
            every_term = {(shop, number) for number, shop, _, _ in copy.terms}
            for number, shop, _, _, sealed in copy.records:
                for group in Envelope(sealed).groups:
                    owner = (shop, number_parts(number)[0])
                    wanted.setdefault((group.klass, group.subject_key), set()).add(owner)
                    wanted.setdefault((TERM, group.term_key), set()).update(every_term)
        # Terms that are gone from every table are still numbered densely.
        most = max((number for copy in copies for number, _, _, _ in copy.terms), default=0)
        for (klass, _), owners in wanted.items():
            if klass == TERM:
                shops = {shop for copy in copies for shop, _ in copy.shops}
                owners.update((shop, number) for shop in shops for number in range(1, most + 65))
        before = {name: len(found) for name, found in keys.data.items()}
        for copy in copies:
            copy.give_what_lies_about(keys, wanted)
        lying_about = sum(name not in before for name in keys.data)
    results = []
    for copy in copies:
        names = copy.names()
        for number, shop, version, clear, sealed in copy.records:
            subject, kind, _ = number_parts(number)
            name = lambda ordinal: "external_id" if ordinal == 255 else names.get((shop, kind, ordinal), f"#{ordinal}")
            result = {
                "copy": copy.path,
                "shop": shop,
                "subject": keyring.show("sub_", 1, subject),
                "record": keyring.show("rec_", 2, number),
                "kind": names.get((shop, kind), f"#{kind}"),
                "version": version,
                "opened": {},
                "closed": {},
            }
            try:
                read_clear(clear)
                place = encode_place(shop, subject, kind, number, version)
                opened, closed = Envelope(sealed).open(place, clear, keys)
                result["opened"] = {name(n): value for n, (_, value) in sorted(opened.items())}
                result["closed"] = {name(n): why for n, why in sorted(closed.items())}
            except Broken as fault:
                result["closed"] = {"*": f"BROKEN: {fault}"}
            results.append(result)
    return keys, results, lying_about


# ── Vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_vectors(path):
    """Makes every vector of the document anew and says which differ."""
    vectors = json.load(open(path, encoding="utf-8"))
    byte = lambda name: bytes.fromhex(vectors[name])
    checks = []

    def same(name, made, given):
        checks.append(name)
        if made != given:
            print(f"DIFFERS: {name}")
        return made == given

    place = vectors["place"]
    encoded = encode_place(place["shop"], place["subject"], place["kind"], place["record"], place["version"])
    well = [same("place", encoded.hex(), place["encoded"])]

    def shop_key(name, klass):
        wrapped = Wrapped(byte(name))
        well.append(same(f"{name}: class", wrapped.klass, klass))
        return wrapped.open(byte("epoch_key"), b"strongroom/shop-key/1", place["shop"], 0)

    wrap = shop_key("shop_wrap_key_row", WRAP)
    index = shop_key("shop_index_key_row", INDEX)
    row = shop_key("shop_row_key_row", ROW)
    request = shop_key("shop_request_key_row", REQUEST)
    main = Wrapped(byte("main_key_row"))
    main_key = main.open(wrap, b"strongroom/data-key/1", place["shop"], place["subject"])
    well += [
        same("main_key", main_key, byte("main_key")),
        same("main_key_id", main.id, byte("main_key_id")),
    ]

    class Given:
        data = {
            (MAIN, byte("main_key_id")): [byte("main_key")],
            (RETAINED, byte("retained_key_id")): [byte("retained_key")],
            (TERM, byte("term_key_id")): [byte("term_key")],
            (TERM, byte("later_term_key_id")): [byte("later_term_key")],
        }

    envelope = Envelope(byte("envelope"))
    opened, closed = envelope.open(encoded, byte("clear"), Given)
    plain = {str(n): f"{kind} {value}" for n, (kind, value) in opened.items()}
    well += [
        same("message_id", envelope.message_id, byte("message_id")),
        same("plain", (plain, closed), (vectors["plain"], {})),
        same("record_digest", envelope.digest(), byte("record_digest")),
    ]
    moved = encode_place(place["shop"], place["subject"], place["kind"], place["record"], place["version"] + 1)
    well.append(same("moved to another version", envelope.open(moved, byte("clear"), Given)[0], {}))

    both = mac(byte("main_key"), b"strongroom/alias/1")
    entry_key = both[16:]
    phone = b"\x01" + vectors["plain"]["3"].removeprefix("text ").encode()
    well += [
        same("alias", both[:16], byte("alias")),
        same("record_alias_of_99", mac16(entry_key, b"record", u64(99)), byte("record_alias_of_99")),
        same("salt", mac16(entry_key, b"salt", i64(1_763_769_600_000_000), b"opening"), byte("salt")),
        same(
            "token_sf-express_phone",
            mac16(entry_key, b"token", lp16(b"sf-express"), lp16(b"phone"), phone),
            byte("token_sf-express_phone"),
        ),
        same(
            "blind_index_kind_2_field_3",
            mac16(index, b"strongroom/index/1", u8(2), u8(3), phone),
            byte("blind_index_kind_2_field_3"),
        ),
        same(
            "row_mac_of_table_t_columns_ab_c",
            mac16(row, b"strongroom/row/1", lp16(b"t"), lp16(b"ab"), lp16(b"c")),
            byte("row_mac_of_table_t_columns_ab_c"),
        ),
        same(
            "request_hash_of_domain_d_parts_ab_c",
            mac16(request, b"strongroom/request/1", b"d", b"\x00", u32(2), b"ab", u32(1), b"c"),
            byte("request_hash_of_domain_d_parts_ab_c"),
        ),
    ]
    for name, lock in (
        ("keyring", {"key_file": byte("keyring_key_file")}),
        ("keyring_of_passphrase", {"passphrase": vectors["keyring_passphrase"]}),
    ):
        keyring = Keyring(byte(name), **lock)
        well += [
            same(f"{name}: epochs", list(keyring.epochs), [1]),
            same(f"{name}: since", keyring.since[1], 1_763_769_600_000_000),
            same(f"{name}: seeds", keyring.seeds, {1: bytes([0x22]) * 32}),
        ]
    keyring.id_key = byte("id_key")
    outer = vectors["outer_locks"]
    outer_byte = lambda name: bytes.fromhex(outer[name])
    for pair in ((0, 1), (1, 2), (2, 0)):
        secret = join_shares([outer["shares"][at] for at in pair])
        well.append(same(f"shares {pair}", secret, outer_byte("shares_secret")))
    for name, secret in (("keyring_of_shares", secret), ("keyring_of_holder", outer_byte("holder_key"))):
        well.append(same(name, Keyring(outer_byte(name), key_file=secret).epochs, keyring.epochs))
    destroyed = read_destroyed(byte("list_key"), vectors["list"].encode())
    well += [
        same("id_of_kind_1_number_42", keyring.show("", 1, 42), vectors["id_of_kind_1_number_42"]),
        same("list", destroyed, {bytes([0x55]) * 16: 1_763_769_600_000_000}),
    ]
    print(f"{sum(well)} of {len(checks)} vectors are as the document says")
    return 0 if all(well) else 1


# ── The command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def unlock(arguments):
    keys = arguments.keys
    file = open(os.path.join(keys, "keyring"), "rb").read()
    if arguments.passphrase_file:
        # The first line, without the white space around it.
        words = open(arguments.passphrase_file, encoding="utf-8").read().split("\n")[0].strip()
        return Keyring(file, passphrase=words)
    if arguments.share:
        return Keyring(file, key_file=join_shares([open(share, encoding="utf-8").read() for share in arguments.share]))
    key_file = arguments.key_file or os.path.join(keys, "unlock.key")
    return Keyring(file, key_file=open(key_file, "rb").read())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", help="data folder, backup, or database file")
    parser.add_argument("--keys", help="the keys folder")
    parser.add_argument("--key-file", help="what unlocks the keyring (default: KEYS/unlock.key)")
    parser.add_argument("--passphrase-file", help="a file with the passphrase on its first line")
    parser.add_argument("--share", action="append", default=[], metavar="FILE", help="a share of an officer; say it as often as shares are needed")
    parser.add_argument("--beside", action="append", default=[], metavar="DATA", help="another copy, whose keys are tried too; may be said again")
    parser.add_argument("--everywhere", action="store_true", help="look for keys in free pages and old frames of the WAL, too")
    parser.add_argument("--values", action="store_true", help="show what opens: personal data")
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    parser.add_argument("--vectors", metavar="FILE", help="check the document's vectors, and nothing else")
    arguments = parser.parse_args()
    if arguments.vectors:
        return check_vectors(arguments.vectors)
    if not arguments.data or not arguments.keys:
        parser.error("a data folder and --keys are needed")
    try:
        keyring = unlock(arguments)
        listed = os.path.join(arguments.keys, "erased.log")
        destroyed = read_destroyed(keyring.list_key, open(listed, "rb").read()) if os.path.exists(listed) else {}
        copies = [Copy(path) for path in [arguments.data, *arguments.beside]]
        keys, results, lying_about = open_copies(keyring, copies, arguments.everywhere)
    except (Broken, OSError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2

    broken = sum(why.startswith("BROKEN") for result in results for why in result["closed"].values())
    if not arguments.values:
        for result in results:
            result["opened"] = sorted(result["opened"])
    totals = {
        "epochs": sorted(keyring.epochs),
        "dark_epochs": sorted(keys.dark - set(keyring.epochs)),
        "destroyed_keys": sorted(key_id.hex() for key_id in destroyed),
        "keys": len(keys.data),
        "keys_lying_about": lying_about,
        "records": len(results),
        "records_opened": sum(bool(result["opened"]) for result in results),
        "fields_opened": sum(len(result["opened"]) for result in results),
        "fields_closed": sum(len(result["closed"]) for result in results),
        "broken": broken,
    }
    if arguments.json:
        print(json.dumps({**totals, "found": results}, ensure_ascii=False))
        return 1 if broken else 0
    for result in results:
        print(f"{result['record']}  {result['subject']}  {result['kind']} v{result['version']}")
        if arguments.values:
            for field, value in result["opened"].items():
                print(f"  {field:<24} {value}")
        elif result["opened"]:
            print(f"  opens: {', '.join(result['opened'])}")
        for field, why in result["closed"].items():
            print(f"  {field:<24} closed: {why}")
    for name, figure in totals.items():
        shown = ", ".join(map(str, figure)) or "none" if isinstance(figure, list) else figure
        print(f"{name.replace('_', ' '):<18} {shown}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
