"""Reads the vocabularies out of three unpacked packages and writes `terms.tsv` beside this file.

python3 extract.py path/to/moose/data/dpv path/to/skos.nq path/to/dcterms.nq
"""

import json
import pathlib
import re
import sys

packaged, skos, dcterms = map(pathlib.Path, sys.argv[1:4])
HEADING = ("iri", "label", "module", "kinds", "broader")
DPV = "https://w3id.org/dpv"
MODULES = {"dpv": f"{DPV}#", "pd": f"{DPV}/pd#", "eu-gdpr": f"{DPV}/legal/eu/gdpr#", "loc": f"{DPV}/loc#"}
PREFIXES = {f"{DPV}#": "dpv", f"{DPV}/pd#": "pd", f"{DPV}/legal/eu/gdpr#": "eu-gdpr", f"{DPV}/loc#": "loc"}
CURIES = {"dpv": "dpv", "dpv-pd": "pd", "dpv-legal/eu/gdpr": "eu-gdpr", "dpv-loc": "loc"}
TERM = ("http://www.w3.org/2004/02/skos/core#Concept", "http://www.w3.org/2000/01/rdf-schema#Class")
PROPERTY = "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property"
# Of the regions of countries only those that a policy can name: states of the USA, provinces of Canada.
REGION = re.compile(r"^(?!US-|CA-)[A-Z]{2}-")


def module_of(iri):
    return next((name for name, space in MODULES.items() if iri.startswith(space)), None)


def short(iri):
    space, mark, name = iri.rpartition("#")
    prefix = PREFIXES.get(space + mark)
    return f"{prefix}:{name}" if prefix else None


def curie(text):
    prefix, _, name = text.partition(":")
    return f"{CURIES[prefix]}:{name}" if prefix in CURIES else None


def kinds(types):
    named = ["property"] if PROPERTY in types else []
    return " ".join(named + sorted(filter(None, map(short, types))))


def of_dpv():
    parents = json.loads((packaged / "concept_parents.json").read_text())
    for concept in json.loads((packaged / "concepts.json").read_text()):
        iri, types = concept["iri"], concept["types"]
        module = module_of(iri)
        is_term = PROPERTY in types or any(kind in types for kind in TERM)
        if not module or not is_term or (module == "loc" and REGION.match(iri.partition("#")[2])):
            continue
        above = sorted(filter(None, map(curie, parents.get(concept["id"], []))))
        yield iri, concept["label"], module, kinds(types), " ".join(above)


def of_quads(path, module, space):
    text = path.read_text()
    label = re.compile(rf'^<({re.escape(space)}\w+)> <http://www.w3.org/2000/01/rdf-schema#label> "([^"]*)"', re.M)
    for iri, name in label.findall(text):
        is_property = f"<{iri}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{PROPERTY}>" in text
        yield iri, name, module, "property" if is_property else "", ""


rows = sorted(of_dpv())
rows += sorted(of_quads(skos, "skos", "http://www.w3.org/2004/02/skos/core#"))
rows += sorted(of_quads(dcterms, "dcterms", "http://purl.org/dc/terms/"))
here = pathlib.Path(__file__).parent
lines = ("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in [HEADING, *rows])
(here / "terms.tsv").write_text("".join(lines))
