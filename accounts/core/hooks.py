"""Web hooks out, pure: which addresses may be called, how a message is signed, when it is tried again."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from tradehaven.domain.enums import NoticeKind
from tradehaven.domain.errors import InvalidInput

ATTEMPTS = 8
"""How often a message is tried, over about four hours."""
OFF_AFTER = 20
"""Messages given up in a row after which a hook is switched off."""
SECRET_BYTES = 32
SECRET_PREFIX = "thwh_"  # noqa: S105  what every secret begins with, so that a leaked one is recognised
MOST_URL = 500
KINDS: dict[NoticeKind, str] = {
    NoticeKind.GUARDRAIL: "a guardrail or the kill switch acts, or a limit is near",
    NoticeKind.COPY_MISSED: "an order was missed or skipped",
    NoticeKind.CONNECTION_LOST: "a login is lost",
    NoticeKind.LINK_DOWN: "a login's link stays down",
    NoticeKind.PLAN_ENDED: "the plan ends",
}
"""What a hook may be told of, as its owner reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a hook goes: host and port to connect to, and the path with its query."""

    host: str
    port: int
    path: str
    is_secure: bool


def target(url: str, *, may_be_plain: bool = False) -> Target:
    """Return where an address leads. Raise `InvalidInput` at `url` for one that no hook may have.

    `may_be_plain` lets `http` pass, for machines that test on themselves.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput("url", "This is no address; give one such as https://example.com/hook.") from error
    if parts.scheme != "https" and not (may_be_plain and parts.scheme == "http"):
        raise InvalidInput("url", "The address must begin with https://, so that nobody reads it on its way.")
    if not parts.hostname or len(url) > MOST_URL:
        raise InvalidInput("url", f"Name a host, and use at most {MOST_URL} characters.")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("url", "Leave user and password out: the signature proves who calls.")
    if parts.fragment:
        raise InvalidInput("url", "Leave out what follows the #: it is never sent.")
    is_secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        host=parts.hostname, port=port or (443 if is_secure else 80), path=path, is_secure=is_secure
    )


def is_public(address: str) -> bool:
    """Say whether an IP address belongs to the open internet, and to no network of our own."""
    found = ipaddress.ip_address(address)
    inner = getattr(found, "ipv4_mapped", None) or found
    return inner.is_global and not inner.is_multicast


def signature(secret: str, at: datetime, body: bytes) -> str:
    """Return the header that proves a message: HMAC-SHA256 over time (UTC, seconds), a point, and the body.

    The time is part of it, so that a message that was overheard cannot be played again later.
    """
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def next_try(attempts: int, now: datetime) -> datetime:
    """Return when a message that failed so many times is tried again: after 1, 2, 4 … minutes (UTC)."""
    return now + timedelta(minutes=2 ** max(0, attempts - 1))
