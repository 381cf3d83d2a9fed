"""What schemathesis cannot guess: the names of the policy, and ids of what is kept.

A made-up `kind` or `sub_…` gets no further than the first look, and what lies behind would never be asked. So in bodies and
paths that follow the document, made-up names give way to real ones, most of the time. Which ones follows from the request
itself: the same run asks the same again. Requests that break the document on purpose stay as they are.

STRONGROOM_KNOWN names a file with {"subjects", "records", "entries", "choices", "doomed", "credentials"}: ids by what they are of. The
doomed are erased, the credentials revoked.
"""

import json
import os
import random
import zlib

import schemathesis

with open(os.environ["STRONGROOM_KNOWN"]) as file:
    KNOWN = json.load(file)

KINDS = {"customer": ["name", "email", "phone"], "order": ["recipient_name", "phone", "address", "items", "amount"]}
PURPOSES = ["account", "delivery", "after_sales", "marketing_email", "recommendations", "payment", "tax"]
QUESTIONS = [
    {"question": "minor", "facts": {"age": 13}},
    {"question": "breach", "facts": {"detected_at": "2026-03-02T09:00:00+08:00", "persons": 1200000}},
    {"question": "transfer", "facts": {}},
]
VALUES = {
    "name": "Ann Lee",
    "email": "c-1@harbour.example",
    "phone": "13800000001",
    "recipient_name": "Ann Lee",
    "address": "1 Quiet Lane",
    "items": "two teapots",
    "amount": "88.00",
}


def any_record(dice):
    number = dice.randrange(20)
    return dice.choice([{"kind": "order", "external_id": f"o-{number}"}, dice.choice(KNOWN["records"])])


def any_subject(dice):
    number = dice.randrange(20)
    return dice.choice(
        [
            {"external_id": f"c-{number}"},
            {"id": dice.choice(KNOWN["subjects"])},
            {"match": {"email": f"c-{number}@harbour.example"}},
        ]
    )


def notice(dice):
    return {"version": 1, "language": dice.choice(["en", "zh"])}


def record(body, dice):
    body["kind"] = dice.choice(list(KINDS))
    number = dice.randrange(40)
    body["external_id"] = f"{body['kind'][0]}-{number}"
    # Half of what was made up stays: fields that the policy does not have.
    names = dice.sample(KINDS[body["kind"]], dice.randint(1, 3))
    body.setdefault("fields", {}).update({name: VALUES[name] for name in names if name != "email"})
    body["events"] = dice.choice([{}, {"placed" if body["kind"] == "order" else "active": "2026-11-20T09:00:00Z"}])
    body["choices"] = []
    body.pop("if_version", None)
    if body["kind"] == "order":
        body["subject"] = {"external_id": f"c-{number % 20}"}
    else:
        body.pop("subject", None)
        if dice.random() < 0.3:
            body["choices"] = [{"purpose": "marketing_email", "choice": "granted", "notice": notice(dice)}]


def use(body, dice):
    """Reveals, searches, tokens, looks: whom and what for."""
    body["purpose"] = dice.choice(PURPOSES[:4])
    if dice.random() < 0.5:
        body.pop("fields", None)
        body.pop("kinds", None)
    one = dice.choice(["record", "subject"])
    body.pop("record", None), body.pop("subject", None)
    body[one] = any_record(dice) if one == "record" else any_subject(dice)


def known(path, body, dice):
    if path == "/v1/records":
        record(body, dice)
    elif path == "/v1/records:batch":
        for item in body["items"]:
            record(item, dice)
    elif path == "/v1/records:event":
        body.update(record=any_record(dice), event=dice.choice(["placed", "delivered", "completed"]))
        body["at"] = "2026-11-21T09:00:00Z"
    elif path == "/v1/choices":
        body.update(subject=any_subject(dice), purpose="marketing_email", notice=notice(dice))
        body.pop("at", None)
    elif path == "/v1/choices:may":
        body.clear()
        body.update(purpose="marketing_email")
        mails = [f"c-{dice.randrange(30)}@harbour.example" for _ in range(dice.randint(1, 5))]
        whom = [{"field": "email", "values": mails}, {"ids": dice.sample(KNOWN["subjects"], 1)}, {"external_ids": ["c-1", 7]}]
        body.update(dice.choice(whom))
    elif path == "/v1/records:reveal":
        use(body, dice)
    elif path == "/v1/records:search":
        number = dice.randrange(20)
        body.update(purpose="after_sales", field="phone", value=f"138{number:08}")
    elif path == "/v1/subjects:find":
        body.clear()
        body.update(dice.choice([{"subject": any_subject(dice)}, {"record": any_record(dice)}]))
    elif path == "/v1/tokens":
        body.update(record={"kind": "order", "external_id": f"o-{dice.randrange(20)}"}, field="phone", purpose="delivery")
        body["recipient"] = "sf-express"
    elif path == "/v1/tokens:resolve":
        body.update(token=dice.choice(KNOWN["tokens"]), purpose="delivery", recipient="sf-express")
    elif path == "/v1/law:decide":
        body.update(dice.choice(QUESTIONS), packs=dice.sample(["cn", "eu", "us-ca", "taobao"], dice.randint(1, 3)))
        body["on"] = dice.choice(["2021-01-01", "2026-11-21"])
    elif path == "/v1/credentials":
        body.update(label="made-up", purposes=dice.sample(PURPOSES, 2))
    elif path == "/v1/policies" and dice.random() < 0.5:
        body["text"] = KNOWN["policy"] + f"# {dice.randrange(1000)}\n"


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    path = case.operation.path
    dice = random.Random(zlib.crc32(repr((path, case.body, case.path_parameters, case.query)).encode()))
    if dice.random() < 0.25:
        return
    if isinstance(case.body, dict):
        known(path, case.body, dice)
    ids = {
        "/v1/subjects/{id}:erase": KNOWN["doomed"],
        "/v1/credentials/{id}:revoke": KNOWN["credentials"],
        "/v1/ledger/entries/{id}": KNOWN["entries"],
        "/v1/choices/{id}/receipt": KNOWN["choices"],
    }.get(path)
    if ids:
        case.path_parameters["id"] = dice.choice(ids)
    if path == "/ledger/{path}":
        case.path_parameters["path"] = dice.choice(["tile/0/000.p/9", "tile/entries/000.p/3", "harbour-hill/tile/0/000.p/1"])
    if path.startswith("/ledger/{shop}/"):
        case.path_parameters["shop"] = "harbour-hill"
    if path == "/v1/ledger/proof":
        case.query["entry"] = dice.choice(KNOWN["entries"])
    if path == "/v1/ledger/consistency":
        case.query.update({"from": dice.randrange(9), "to": dice.randrange(9, 20)})
    if path == "/v1/policy":
        case.query = dice.choice([{}, {"version": 1}])
