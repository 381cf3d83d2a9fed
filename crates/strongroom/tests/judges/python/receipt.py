"""Holds a receipt of a choice against what strangers wrote: the signature with joserfc, the record with pyshacl and rdflib.

    receipt.py SHAPES JWK_SET < receipt.json

The receipt comes on stdin. SHAPES are the published shapes, JWK_SET the file /.well-known/privacy.json of the shop. Ends
with 0 when the signature holds, the record that is shown is the signed one, and the record has the published shapes; then it
prints how many statements the record is. Ends with 1 and says why when not. Nothing is fetched.
"""

import json
import sys

from joserfc import jws
from joserfc.jwk import KeySet
from joserfc.registry import HeaderParameter
from pyshacl import validate
from rdflib import Graph


def main() -> int:
    receipt = json.load(sys.stdin)
    with open(sys.argv[2]) as file:
        keys = KeySet.import_key_set({"keys": json.load(file)["keys"]})
    try:
        registry = jws.JWSRegistry(algorithms=["EdDSA"], header_registry={"cty": HeaderParameter("cty", "str")})
        signed = jws.deserialize_compact(receipt["jws"], keys, registry=registry)
    except Exception as error:  # whatever it is, it is no yes
        print(f"signature: {type(error).__name__} {error}", file=sys.stderr)
        return 1
    if signed.headers()["typ"] != "strongroom-record+jws":
        print(f"signature: of another sort {signed.headers()}", file=sys.stderr)
        return 1
    record = json.loads(signed.payload)
    if record != receipt["record"]:
        print("record: not the signed one", file=sys.stderr)
        return 1
    graph = Graph().parse(data=json.dumps(record), format="json-ld")
    conforms, _, text = validate(graph, shacl_graph=Graph().parse(sys.argv[1], format="turtle"), inference="none")
    if not conforms:
        print(text, file=sys.stderr)
        return 1
    print(len(graph))
    return 0


sys.exit(main())
