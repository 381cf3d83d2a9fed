"""Reads the default taxonomy out of an unpacked fideslang wheel and writes the three lists beside this file.

python3 extract.py path/to/fideslang/default_taxonomy

The Python sources are parsed, not run, so fideslang's own dependencies are not needed.
"""

import ast
import pathlib
import sys

source, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
HEADING = ("key", "name", "parent", "description", "replaced_by")


def entries(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith("default_"):
            given = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
            if "fides_key" in given:
                fields = (given.get(key) or "" for key in ("fides_key", "name", "parent_key", "description", "replaced_by"))
                yield tuple(" ".join(str(field).split()) for field in fields)


for name, target in (("data_categories", "categories"), ("data_uses", "uses"), ("data_subjects", "subjects")):
    rows = [HEADING, *sorted(entries(source / f"{name}.py"))]
    (here / f"{target}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
