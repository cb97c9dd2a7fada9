"""Notebooks: executing them, comparing their outputs, and detecting results that are older than their code."""

import sys

# nbformat imports jsonschema, which compiles the grammar of URIs where it finds one: a second of every start. No schema
# of a notebook needs it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
