"""The guide's way from a policy to the certificate of an erasure (docs/guide/api.md), walked with a client that
openapi-python-client made of the OpenAPI document, and with nothing else: what the document says wrongly stops it.

Takes, on stdin: {"api": address, "admin": credential, "policy": text}. PYTHONPATH has the client, `strongroom_client`.
Prints how many answers it saw. Any answer that is not as the guide says ends it with a traceback.
"""

import json
import sys

from strongroom_client import AuthenticatedClient, Client
from strongroom_client.api.choices import post_choice
from strongroom_client.api.credentials import get_credentials, post_credential, post_revoke
from strongroom_client.api.health import live, ready
from strongroom_client.api.ledger import (
    get_checkpoint,
    get_consistency,
    get_entries,
    get_entry,
    get_file,
    get_head,
    get_head_of,
    get_log,
    get_log_of,
    get_proof,
)
from strongroom_client.api.policy import get_policies, get_policy, post_policy
from strongroom_client.api.records import post_batch, post_event, post_record, post_reveal, post_search
from strongroom_client.api.subjects import post_erase, post_find
from strongroom_client.api.tokens import post_resolve, post_token
from strongroom_client.models import (
    BatchIn,
    CertificateBody,
    ChoiceIn,
    CredentialIn,
    EventIn,
    FindIn,
    PolicyIn,
    Problem,
    RecordIn,
    ResolveIn,
    RevealIn,
    SearchIn,
    TokenIn,
)
from strongroom_client.types import UNSET

given = json.load(sys.stdin)
answers = 0


def by(credential):
    return AuthenticatedClient(base_url=given["api"], token=credential)


def ask(operation, status, *path, **more):
    """One request. Gives the answer as the client read it, once it has the status that the guide says."""
    global answers
    answer = operation.sync_detailed(*path, **more)
    assert answer.status_code == status, (operation.__name__, answer.status_code, answer.content)
    kind = answer.headers["content-type"].split(";")[0]
    assert (kind == "application/problem+json") == (status >= 400), (operation.__name__, kind)
    assert isinstance(answer.parsed, Problem) == (status >= 400), (operation.__name__, answer.parsed)
    assert answer.parsed is not None, operation.__name__
    answers += 1
    return answer.parsed


def refused(operation, status, code, *path, **more):
    problem = ask(operation, status, *path, **more)
    assert (problem.code, problem.status) == (code, status), problem
    assert problem.type_ == f"urn:strongroom:problem:{code}", problem
    return problem


def is_(value, *others):
    for other in others:
        assert value == other, (value, other)


# ── The policy, and credentials under it ────────────────────────────────────────────────────────────────────────────────

stranger, admin = Client(base_url=given["api"]), by(given["admin"])
is_(ask(live, 200, client=stranger).status, "ok")
is_(ask(ready, 200, client=stranger).status, "ok")

before = ask(get_policy, 200, client=admin)
is_((before.shop, before.version, before.text), ("harbour-hill", 1, given["policy"]))
is_(before.registry.purposes["delivery"], before.registry.to_dict()["purposes"]["delivery"])
published = ask(post_policy, 201, client=admin, body=PolicyIn(text=given["policy"] + "# once more\n"))
is_((published.version, published.findings.ok), (2, True))
is_(ask(get_policy, 200, client=admin, version=1).digest, before.digest)
is_([found.version for found in ask(get_policies, 200, client=admin)], [2, 1])
refused(get_policy, 404, "SR-NOTICE-005", client=admin, version=9)

PURPOSES = ["account", "delivery", "after_sales", "marketing_email"]
made = {
    label: ask(post_credential, 201, client=admin, body=CredentialIn.from_dict({"label": label, **said}))
    for label, said in {
        "intake": {"role": "intake"},
        "backend": {"role": "service", "purposes": PURPOSES, "on_behalf_of": True},
        "officer": {"role": "officer", "purposes": ["account"]},
        "auditor": {"role": "auditor"},
        "mailer": {"role": "service", "purposes": ["marketing_email"]},
    }.items()
}
intake, backend, officer, auditor, mailer = (by(one.credential) for one in made.values())
ask(get_policy, 200, client=mailer)
is_(ask(post_revoke, 200, made["mailer"].id, client=admin).id, made["mailer"].id)
refused(get_policy, 401, "SR-PEOPLE-001", client=mailer)
listed = {found.label: found for found in ask(get_credentials, 200, client=admin)}
is_(listed["mailer"].revoked is not UNSET, True)
is_((listed["backend"].on_behalf_of, listed["backend"].purposes), (True, sorted(PURPOSES)))
refused(get_credentials, 403, "SR-PEOPLE-003", client=auditor)

# ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NOTICE = {"version": 2, "language": "zh"}
first = ask(
    post_record,
    201,
    client=intake,
    body=RecordIn.from_dict(
        {
            "kind": "customer",
            "external_id": "C-1001",
            "fields": {
                "name": "陈安安",
                "email": "an.an@shop.example",
                "phone": "138 0013 8000",
                "birth_date": "1990-04-01",
            },
            "events": {"active": "2026-11-20T09:00:00+08:00"},
            "choices": [{"purpose": "marketing_email", "choice": "granted", "notice": NOTICE}],
        }
    ),
)
is_((first.outcome, first.version, first.kept, first.unknown), ("created", 1, ["email", "name", "phone"], ["birth_date"]))
is_(len(first.choices), 1)

ben = {"kind": "customer", "external_id": "C-1002", "fields": {"name": "Ben Ode", "email": "ben@shop.example"}}
once = ask(post_record, 201, client=intake, idempotency_key="signup-2", body=RecordIn.from_dict(ben))
again = ask(post_record, 201, client=intake, idempotency_key="signup-2", body=RecordIn.from_dict(ben))
is_(once.record, again.record)
other = RecordIn.from_dict({**ben, "fields": {"name": "Ben Odd"}})
refused(post_record, 422, "SR-HTTP-008", client=intake, idempotency_key="signup-2", body=other)
phone = RecordIn.from_dict({"kind": "customer", "external_id": "C-1002", "fields": {"phone": "+44 20 7946 0018"}, "if_version": 1})
changed = ask(post_record, 200, client=backend, body=phone)
is_((changed.outcome, changed.version), ("updated", 2))
away = RecordIn.from_dict({"kind": "customer", "external_id": "C-1002", "fields": {"phone": None}, "if_version": 1})
is_(refused(post_record, 409, "SR-COLLECT-016", client=backend, body=away).pointer, "/if_version")
wrong = RecordIn.from_dict({"kind": "customer", "external_id": "C-1003", "fields": {"email": "nobody at shop.example"}})
is_(refused(post_record, 422, "SR-KEEP-016", client=backend, body=wrong).pointer, "/fields/email")
refused(post_record, 403, "SR-PEOPLE-003", client=auditor, body=wrong)

batch = ask(
    post_batch,
    200,
    client=backend,
    body=BatchIn.from_dict(
        {
            "items": [
                {
                    "kind": "order",
                    "external_id": "SO-5001",
                    "subject": {"external_id": "C-1001"},
                    "fields": {
                        "recipient_name": "陈安安",
                        "phone": "138 0013 8000",
                        "address": "上海市武康路88号",
                        "items": "龙井 250 g",
                        "amount": "168.00",
                        "payment_reference": "HP-77120",
                    },
                    "events": {"placed": "2026-11-20T09:05:00+08:00"},
                },
                {
                    "kind": "order",
                    "external_id": "SO-5002",
                    "subject": {"external_id": "C-9999"},
                    "fields": {"items": "teapot"},
                },
            ]
        }
    ),
)
is_((batch.written, batch.refused), (1, 1))
is_([item.status for item in batch.results], [201, 404])
is_((batch.results[0].record.outcome, batch.results[1].problem.code), ("created", "SR-KEEP-018"))

ORDER = {"kind": "order", "external_id": "SO-5001"}
delivered = EventIn.from_dict({"record": ORDER, "event": "delivered", "at": "2026-11-22T15:00:00+08:00"})
is_(ask(post_event, 200, client=backend, body=delivered).version, 2)
order = batch.results[0].record.record
unknown = EventIn.from_dict({"record": order, "event": "lost"})
assert ask(post_event, 422, client=backend, body=unknown).code.startswith("SR-COLLECT-")

# ── Choices ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def choice(purpose, said):
    return ChoiceIn.from_dict({"subject": {"external_id": "C-1001"}, "purpose": purpose, "choice": said, "notice": NOTICE})


withdrawn = ask(post_choice, 201, client=backend, body=choice("marketing_email", "withdrawn"))
is_((withdrawn.outcome, withdrawn.receipt.format_), ("kept", "strongroom/receipt/1"))
is_(ask(post_choice, 200, client=backend, body=choice("marketing_email", "withdrawn")).outcome, "unchanged")
is_(refused(post_choice, 422, "SR-CHOOSE-001", client=backend, body=choice("delivery", "refused")).pointer, "/purpose")

# ── Reveal and search ───────────────────────────────────────────────────────────────────────────────────────────────────


def reveal(purpose, **more):
    return RevealIn.from_dict({"purpose": purpose, **more})


sales = ask(post_reveal, 200, client=backend, strongroom_on_behalf_of="wang.wei", body=reveal("after_sales", record=ORDER))
is_(sales.records[0].fields["recipient_name"], "陈安安")
is_(sales.records[0].fields["phone"], "+8613800138000")
delivery = ask(
    post_reveal, 200, client=backend, body=reveal("delivery", record=ORDER, fields=["order.phone", "amount"])
).records[0]
is_((delivery.fields.to_dict(), delivery.masked), ({"phone": "138****8000"}, ["phone"]))
is_([(reason.name, reason.fields) for reason in delivery.refused], [("outside_purpose", ["amount"])])
is_(ask(post_reveal, 200, client=backend, body=reveal("delivery", record=order)).records[0].record, order)
account = ask(post_reveal, 200, client=backend, body=reveal("account", subject={"match": {"email": "an.an@shop.example"}}))
is_(account.subject, first.subject)
C1001 = {"external_id": "C-1001"}
objected = refused(post_reveal, 403, "SR-REVEAL-001", client=backend, body=reveal("marketing_email", subject=C1001))
is_([reason.name for reason in objected.reasons], ["objected"])
refused(post_reveal, 404, "SR-KEEP-001", client=officer, body=reveal("delivery", subject=C1001))
refused(post_reveal, 403, "SR-PEOPLE-003", client=intake, body=reveal("delivery", subject=C1001))
refused(post_reveal, 403, "SR-PEOPLE-007", client=officer, strongroom_on_behalf_of="x", body=reveal("account", subject=C1001))


def search(value):
    return SearchIn.from_dict({"purpose": "after_sales", "field": "phone", "value": value})


found = ask(post_search, 200, client=backend, body=search("138-0013-8000"))
is_([(match.kind, match.external_id, match.record) for match in found.matches], [("order", "SO-5001", order)])
is_(ask(post_search, 200, client=backend, body=search("139 9999 9999")).matches, [])

# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

wanted = {"purpose": "delivery", "record": ORDER, "field": "phone", "recipient": "sf-express", "made": "from_value"}
token = ask(post_token, 201, client=backend, body=TokenIn.from_dict(wanted)).token
resolve = {"token": token, "purpose": "delivery"}
theirs = ResolveIn.from_dict({**resolve, "recipient": "sf-express"})
is_(ask(post_resolve, 200, client=backend, body=theirs).records[0].fields["phone"], "138****8000")
refused(post_resolve, 404, "SR-KEEP-001", client=backend, body=ResolveIn.from_dict(resolve))

# ── The subject, and its erasure ────────────────────────────────────────────────────────────────────────────────────────

subject = ask(post_find, 200, client=officer, body=FindIn.from_dict({"subject": {"match": {"email": "an.an@shop.example"}}}))
is_((subject.subject, subject.standing), (first.subject, "present"))
is_([record.kind for record in subject.records], ["customer", "order"])
is_([purpose.purpose for purpose in subject.records[1].purposes], ["after_sales", "delivery", "payment", "tax"])
is_([(one.purpose, one.said.value) for one in subject.choices], [("marketing_email", "granted"), ("marketing_email", "withdrawn")])

refused(post_erase, 403, "SR-PEOPLE-003", subject.subject, client=backend)
refused(post_erase, 404, "SR-KEEP-001", "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa", client=officer)
certificate = ask(post_erase, 200, subject.subject, client=officer)
is_(ask(post_erase, 200, subject.subject, client=officer).body, certificate.body)
body = CertificateBody.from_dict(json.loads(certificate.body))
is_((body.shop, body.subject, body.policy, len(body.destroyed_keys)), ("harbour-hill", first.subject, 2, 1))
is_([kept.purpose for kept in body.retained], ["tax"])
assert body.unreadable_here_since < body.unreadable_everywhere_by
erased = refused(post_reveal, 403, "SR-REVEAL-001", client=backend, body=reveal("delivery", record=ORDER))
is_([reason.name for reason in erased.reasons], ["erased"])

# ── The ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# What was erased is cleaned up meanwhile, and the log grows: the two are held together when it did not grow in between.
head, named, after = "", "", None
while head != after:
    head = ask(get_head, 200, client=stranger)
    named = ask(get_head_of, 200, "harbour-hill", client=stranger)
    after = ask(get_head, 200, client=stranger)
is_(named, head)
origin, size = head.splitlines()[0], int(head.splitlines()[1])
log = ask(get_log, 200, client=stranger)
is_((log.origin, log.names.purposes["tax"]), (origin, before.registry.purposes["tax"]))
is_(ask(get_log_of, 200, "harbour-hill", client=stranger), log)
refused(get_log_of, 404, "SR-HTTP-005", "another-shop", client=stranger)
tile = ask(get_file, 200, f"tile/0/000.p/{size}", client=stranger).payload.read()
is_(len(tile), 32 * size)
refused(get_file, 401, "SR-PEOPLE-001", f"tile/entries/000.p/{size}", client=stranger)
refused(get_file, 403, "SR-PEOPLE-003", f"tile/entries/000.p/{size}", client=by(made["backend"].credential))
assert len(ask(get_file, 200, f"tile/entries/000.p/{size}", client=auditor).payload.read()) > 32 * size
refused(get_file, 404, "SR-HTTP-005", "tile/9/000", client=stranger)

proof = ask(get_proof, 200, client=backend, entry=subject.entry)
is_(proof.leaf, tile[32 * proof.index : 32 * proof.index + 32].hex())
is_(ask(get_consistency, 200, client=auditor, from_=5, to=size).to, size)
refused(get_consistency, 400, "SR-ACCOUNT-007", client=auditor, from_=size, to=5)
is_(ask(get_checkpoint, 200, client=backend).verifier_key, log.vkey)

entries, next_ = [], 0
while next_ is not UNSET:
    page = ask(get_entries, 200, client=auditor, from_=next_, limit=20)
    entries, next_ = entries + page.entries, page.next_
acts = [found.entry.act for found in entries]
for act in ["published", "credential_added", "credential_revoked", "collected", "happened", "chose", "revealed", "searched",
            "tokenised", "resolved", "erased"]:
    assert act in acts, act
shown = ask(get_entry, 200, entries[certificate.receipt.entry_index].id, client=auditor)
is_((shown.entry.act, shown.entry.destroyed), ("erased", body.destroyed_keys))
refused(get_entry, 404, "SR-ACCOUNT-006", "ent_aaaaaaaaaaaaaaaaaaaaaaaaaa", client=auditor)

print(json.dumps({"answers": answers, "certificate": certificate.to_dict()}))
