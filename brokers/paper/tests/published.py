"""The broker's published description of its endpoints, for tests that hold the exchange against it.

The document is not part of the project; without it the tests that need it are skipped and say so.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Json = dict[str, Any]
_NAME = Path("reference") / "tradovate-openapi.json"


@cache
def document() -> Json:
    """Return the OpenAPI document; skip the test where it is absent."""
    found = path()
    if found is None:
        pytest.skip("the published description of the endpoints is not here")
    body: Json = json.loads(found.read_text(encoding="utf-8"))
    return body


def path() -> Path | None:
    """Return where the document lies, or None."""
    given = os.environ.get("TRADEHAVEN_SHARED")
    places = [Path(given)] if given else [parent / "shared" for parent in Path(__file__).resolve().parents]
    return next((place / _NAME for place in places if (place / _NAME).is_file()), None)


def operations() -> list[tuple[str, str]]:
    """Return endpoints, without the slash before them, and their method in lower case."""
    if path() is None:
        return []
    return [(name.strip("/"), method) for name, item in document()["paths"].items() for method in item]


def answer_schema(endpoint: str, method: str) -> Json:
    """Return the schema of an endpoint's answer with status 200."""
    responses = document()["paths"][f"/{endpoint}"][method]["responses"]
    schema: Json = responses["200"]["content"]["application/json"]["schema"]
    return schema


def faults(endpoint: str, method: str, body: Any) -> list[str]:
    """Return what is wrong with an answer: values that break the schema, members that it does not know."""
    # OpenAPI 3.0 writes an exclusive minimum as draft 4 does.
    schema = {**answer_schema(endpoint, method), "components": document()["components"]}
    found = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in jsonschema.Draft4Validator(schema).iter_errors(body)
    ]
    return found + _strangers(schema, body, endpoint)


def _strangers(schema: Json, body: Any, where: str) -> list[str]:
    schema = _resolved(schema)
    if isinstance(body, list):
        return [fault for item in body for fault in _strangers(schema.get("items", {}), item, where)]
    if not isinstance(body, dict):
        return []
    known = schema.get("properties", {})
    found = [f"{where}: unknown member {name}" for name in body if name not in known]
    for name in body.keys() & known.keys():
        found += _strangers(known[name], body[name], f"{where}.{name}")
    return found


def _resolved(schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found
