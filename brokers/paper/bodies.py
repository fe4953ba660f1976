"""Requests as they come in: paths, queries, bodies and socket frames, read tolerantly.

Existing clients send JSON over several lines, form bodies, trailing slashes, the words `undefined`
and `null`, quoted tokens; each tolerance here is needed by one of them (protocol 19).
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_NOTHING = frozenset({"", "undefined", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRequest:
    """One client frame: endpoint in lower case, id as sent, raw query and body."""

    endpoint: str
    request_id: int
    query: str
    body: str


def endpoint(path: str) -> str:
    """Return a path without slashes around it and without `v1`, in lower case."""
    return path.strip().strip("/").lower().removeprefix("v1/")


def socket_request(text: str) -> SocketRequest | None:
    """Return the request in a client frame, cut at the first three line ends; None when it has no id."""
    name, *rest = text.split("\n", 3)
    number, query, body = (*rest, "", "", "")[:3]
    try:
        request_id = int(number.strip())
    except ValueError:
        return None
    return SocketRequest(
        endpoint=endpoint(name), request_id=request_id, query=_given(query.strip()), body=_given(body.strip())
    )


def query_members(query: str) -> dict[str, Any]:
    """Return the members of a query text; a repeated member becomes a list."""
    parsed = parse_qs(query.lstrip("?"), keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in parsed.items()}


def body_members(text: str, *, form: bool = False) -> dict[str, Any] | None:
    """Return the members of a JSON or form body, none for an empty one, None for an unreadable one."""
    text = _given(text.strip())
    if not text:
        return {}
    if form:
        return query_members(text)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and _is_text(text, body) else None


def text_of(raw: bytes) -> str | None:
    """Return the text of a body, or None when it is no UTF-8; what the client calls it does not matter."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def authorizes(request: SocketRequest) -> bool:
    """Say whether a frame presents a token; one client sends it, quoted, to the log-in's address."""
    quoted = request.body.startswith('"')
    return request.endpoint == "authorize" or (request.endpoint == "auth/accesstokenrequest" and quoted)


def token_text(text: str) -> str:
    """Return the token in the body of `authorize`, which one client wraps into an object."""
    if not text.startswith("{"):
        return text
    members = body_members(text) or {}
    return str(members.get("token") or members.get("accessToken") or "")


def _is_text(text: str, body: dict[str, Any]) -> bool:
    # Half a surrogate pair is valid JSON, but no text: it could be neither stored nor sent back.
    if "\\ud" not in text.lower():
        return True
    try:
        return bool(json.dumps(body, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


def _given(text: str) -> str:
    return "" if text in _NOTHING else text
