"""One signed POST to an address that a stranger may have chosen.

The name is resolved once, every address that it has must be public, and the connection goes to the one that
was looked at: a name that answers otherwise the second time leads nowhere. No redirect is followed, little of
the answer is read, and nothing of it is kept but its status.
"""

import socket
from http import HTTPStatus

import certifi
import urllib3
from django.conf import settings

from accounts.core.hooks import Target, is_public, target
from tradehaven.domain.errors import InvalidInput

_LIMITS = urllib3.Timeout(connect=3, read=5)
_READ = 2_000


class Undelivered(Exception):
    """A message did not arrive; says why in words for the hook's owner. `status` is the answer's, if any."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send a body to an address and return the answer's status (2xx). Raise `Undelivered` otherwise."""
    try:
        where = target(url, may_be_plain=settings.WEBHOOKS_MAY_REACH_PRIVATE)
    except InvalidInput as error:
        raise Undelivered(error.message) from error
    pool = _pool(where, _address_of(where))
    named = {**headers, "Host": where.host if where.port in (80, 443) else f"{where.host}:{where.port}"}
    try:
        answer = pool.request(
            "POST", where.path, body=body, headers=named, redirect=False, retries=False, preload_content=False
        )
        answer.read(_READ)
        answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise Undelivered(f"no answer: {type(error).__name__}") from error
    finally:
        pool.close()
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Undelivered(f"it answered {answer.status}", answer.status)
    return answer.status


def _address_of(where: Target) -> str:
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Undelivered(f"the name {where.host} is not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.WEBHOOKS_MAY_REACH_PRIVATE and not all(is_public(one) for one in addresses):
        raise Undelivered(f"{where.host} is not on the open internet")
    return addresses[0]


def _pool(where: Target, address: str) -> urllib3.HTTPConnectionPool:
    if not where.is_secure:
        return urllib3.HTTPConnectionPool(address, where.port, timeout=_LIMITS)
    return urllib3.HTTPSConnectionPool(
        address,
        where.port,
        timeout=_LIMITS,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
        server_hostname=where.host,
        assert_hostname=where.host,
    )
