"""The one shape of every error: `{status: "error", code, message, fields}`.

`code` is for programs and does not change, `message` says what would help, `fields` names what was wrong.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.access import NotAllowed
from tradehaven.domain.errors import BrokerError, InvalidInput, RateLimited

log = logging.getLogger(__name__)
CODES = {
    exceptions.NotFound: "not_found",
    exceptions.ParseError: "parse_error",
    exceptions.ValidationError: "invalid",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "throttled",
    exceptions.NotAuthenticated: "key_missing",
    exceptions.AuthenticationFailed: "key_refused",
}


class Unusable(exceptions.APIException):
    """What the request needs is not there now; the same request may work later."""

    status_code = 503
    default_code = "unavailable"

    def __init__(self, detail: str, code: str, *, retry_after: int) -> None:
        super().__init__(detail, code)
        self.retry_after = retry_after


class Conflict(exceptions.APIException):
    """The request contradicts an earlier one; `retry_after` in seconds where waiting helps."""

    status_code = 409
    default_code = "conflict"

    def __init__(self, detail: str, code: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail, code)
        self.retry_after = retry_after


class ErrorBody(serializers.Serializer[Any]):
    """An error as the schema describes it."""

    status = serializers.ChoiceField(choices=["error"])
    code = serializers.CharField(help_text="For programs: does not change.")
    message = serializers.CharField(help_text="For people: what is wrong and what would help.")
    fields = serializers.DictField(  # type: ignore[assignment]  # named by the API, not by the serializer
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What is wrong with each field that was sent.",
    )


def error_body(code: str, message: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """Return an error as programs get it."""
    return {"status": "error", "code": code, "message": message, "fields": dict(fields or {})}


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer for an exception of a view; None for a mistake of ours, which becomes a 500."""
    known = _known(error)
    if known is None:
        return None
    set_rollback()
    headers = {}
    wait = getattr(known, "wait", None) or getattr(known, "retry_after", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    if getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = known.auth_header  # type: ignore[attr-defined]  # DRF sets it
    fields = dict(_fields(known.detail)) if isinstance(known.detail, Mapping | list) else {}
    return Response(
        error_body(_code(known), _message(known, fields), fields), known.status_code, headers=headers
    )


def _known(error: Exception) -> exceptions.APIException | None:
    match error:
        case exceptions.APIException():
            return error
        case InvalidInput():
            return exceptions.ValidationError({error.field: [error.message]})
        case Http404():
            return exceptions.NotFound("There is no such thing, or it is not yours.")
        case PermissionDenied() | NotAllowed():
            return exceptions.PermissionDenied(str(error) or None, code="not_allowed")
        case RateLimited():
            text = f"The broker wants silence: {error}"
            return Unusable(text, "broker_limits", retry_after=int(error.retry_after) + 1)
        case BrokerError():
            log.warning("%s: %s", type(error).__name__, error)
            return Unusable(f"The broker does not answer as it should: {error}", "broker", retry_after=5)
        case _:
            return None


def _code(error: exceptions.APIException) -> str:
    if type(error) in CODES:
        return CODES[type(error)]
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _message(error: exceptions.APIException, fields: Mapping[str, list[str]]) -> str:
    if not fields:
        return str(error.detail)
    named = ", ".join(name for name in fields)
    return f"Something is wrong with: {named}. `fields` says what."


def _fields(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the messages of nested fields under dotted names: `stopLoss.offset`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _fields(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list) and any(isinstance(inner, Mapping | list) for inner in detail):
        for place, inner in enumerate(detail):
            yield from _fields(inner, f"{path}.{place}" if path else str(place))
    elif detail:
        messages = detail if isinstance(detail, list) else [detail]
        name = path.removesuffix(".non_field_errors").removesuffix("non_field_errors")
        yield name or "body", [str(message) for message in messages]
