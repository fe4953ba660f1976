"""One reading of every answer, from REST and socket alike: data, or the error that it really is.

The broker says no with status 200 in five different ways (protocol 4.2 to 4.4); an answer that is not
read here is an answer misread.
"""

import msgspec

from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    RequestRejected,
    Unavailable,
)

LOCKED_FOR = 3600.0
"""Seconds of silence after 423, 429 or a captcha: the block lasts up to an hour (protocol 4.1, 4.2)."""
SILENCING = frozenset({423, 429})
UNCERTAIN_CODES = frozenset({"RiskCheckTimeout", "UnknownReason"})
"""Reasons that do not say whether the order lives (reliability anchors, section 2)."""


class _Envelope(
    msgspec.Struct, gc=False, rename={"ticket": "p-ticket", "wait": "p-time", "captcha": "p-captcha"}
):
    failureReason: str | None = None
    failureText: str | None = None
    errorText: str | None = None
    error: str | None = None
    error_description: str | None = None
    ok: bool | None = None
    violations: list[dict[str, object]] | None = None
    ticket: str | None = None
    wait: float | None = None
    captcha: bool | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def check(status: int, body: bytes) -> bytes:
    """Return the body of a success, or raise the `BrokerError` that the answer amounts to."""
    if status != 200:
        raise _by_status(status, body)
    if body[:1] == b"{":
        error = _inside(body)
        if error is not None:
            raise error
    return body


def _by_status(status: int, body: bytes) -> BrokerError:
    text = body[:200].decode("utf-8", "replace").strip('" ')
    if status in (401, 403):
        return CredentialsRejected(text or "access is denied")
    if status in SILENCING:
        wait = _wait_of(body)
        return RateLimited(f"the broker asks for silence ({status})", retry_after=wait or LOCKED_FOR)
    if status == 408 or status >= 500:
        return Unavailable(f"the broker answered {status} {text}".strip())
    return RequestRejected(f"Http{status}", text)


def _wait_of(body: bytes) -> float | None:
    try:
        return _envelope.decode(body).wait
    except msgspec.MsgspecError:
        return None  # an empty body is the usual one


def _inside(body: bytes) -> BrokerError | None:
    try:
        said = _envelope.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProtocolError(f"an answer that is not readable: {error}") from error
    return _penalty(said) or _refusal(said) or _plain_error(said)


def _penalty(said: _Envelope) -> RateLimited | None:
    """The request was not carried out; it may be repeated with the ticket after the wait (4.3)."""
    if said.ticket is None:
        return None
    # A captcha is for people: no program gets past it, so the wait is the longest one.
    wait = LOCKED_FOR if said.captcha else said.wait or 0.0
    return RateLimited("a penalty ticket", retry_after=wait, ticket=said.ticket, captcha=bool(said.captcha))


def _refusal(said: _Envelope) -> RequestRejected | None:
    # `Success` may stand beside a good reply: it is a reason only in name.
    if said.failureReason not in (None, "", "Success"):
        return RequestRejected(str(said.failureReason), said.failureText or "")
    if said.violations:
        first = said.violations[0]
        return RequestRejected("Violation", str(first.get("description") or first.get("constraint") or ""))
    return None


def _plain_error(said: _Envelope) -> RequestRejected | None:
    if said.error:
        return RequestRejected(said.error, said.error_description or "")
    if said.errorText or said.failureText or said.ok is False:
        return RequestRejected("Error", said.errorText or said.failureText or "not ok")
    return None
