"""Access tokens: three-part JWTs signed with HMAC-SHA256, as recent clients expect to read them.

`sub` is the user id in text, `exp` the expiry in seconds, `sid` the login session, `use` tells the
market-data token from the trading one; both are accepted everywhere.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_HEADER = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a valid token speaks for."""

    user_id: int
    session_id: int
    expires: datetime


def mint(caller: Caller, secret: str, *, use: str = "api") -> str:
    """Return a signed token for a caller."""
    claims = {
        "sub": str(caller.user_id),
        "exp": int(caller.expires.timestamp()),
        "sid": caller.session_id,
        "use": use,
    }
    head = f"{_pack(_HEADER)}.{_pack(claims)}"
    return f"{head}.{_text(_sign(head, secret))}"


def read(token: str, secret: str, now: datetime) -> Caller | None:
    """Return whom a token speaks for, or None when it is malformed, forged or expired."""
    head, _, signature = token.rpartition(".")
    try:
        given = _bytes(signature)
        if not hmac.compare_digest(given, _sign(head, secret)):
            return None
        claims = json.loads(_bytes(head.partition(".")[2]))
    except (ValueError, binascii.Error):
        return None
    expires = datetime.fromtimestamp(claims["exp"], UTC)
    if expires <= now:
        return None
    return Caller(user_id=int(claims["sub"]), session_id=claims["sid"], expires=expires)


def clean(text: str) -> str:
    """Return the token in a text that may carry quotes, line ends, `Bearer ` or one stray dollar sign."""
    token = text.strip().strip('"').strip()
    if token[:7].lower() == "bearer ":
        token = token[7:].strip()
    return token.removeprefix("$")


def digest(secret: str) -> str:
    """Return the digest under which a random secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def challenge(verifier: str) -> str:
    """Return the S256 code challenge of a PKCE verifier (RFC 7636, 4.2)."""
    return _text(hashlib.sha256(verifier.encode()).digest())


def _sign(head: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest()


def _pack(value: Mapping[str, object]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
