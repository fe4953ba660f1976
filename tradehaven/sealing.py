"""Seals and opens secrets at rest: AES-256-GCM, bound to what they belong to (CONN-03, ACC-04).

A sealed text is `v1.<key id>.<nonce and ciphertext>`. The associated data names the subject, so a secret that
is copied to another place does not open there. Keys come from the environment, never from here.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from tradehaven.domain.errors import TradeHavenError

_NONCE = 12


class VaultError(TradeHavenError):
    """A sealed text does not open: another key, another row, or not ours at all."""


def seal(plain: str, *, subject: str) -> str:
    """Return a secret sealed with the active key for one subject, such as `connection|7|access`."""
    key_id: str = settings.ACTIVE_DATA_KEY
    nonce = os.urandom(_NONCE)
    body = AESGCM(settings.DATA_KEYS[key_id]).encrypt(nonce, plain.encode(), _bound(subject, key_id))
    return f"v1.{key_id}.{base64.urlsafe_b64encode(nonce + body).decode()}"


def unseal(sealed: str, *, subject: str) -> str:
    """Return the secret; raise `VaultError` when it was not sealed for this subject with a key we have."""
    try:
        version, key_id, body = sealed.split(".", 2)
        raw = base64.urlsafe_b64decode(body)
        key = settings.DATA_KEYS[key_id]
        if version != "v1":
            raise ValueError(version)
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(subject, key_id)).decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise VaultError("a sealed token does not open here") from error


def is_current(sealed: str) -> bool:
    """Say whether a secret is sealed with the key that seals today."""
    return sealed.startswith(f"v1.{settings.ACTIVE_DATA_KEY}.")


def reseal(sealed: str, *, subject: str) -> str:
    """Return the secret sealed with today's key; raise `VaultError` when it does not open."""
    return seal(unseal(sealed, subject=subject), subject=subject)


def _bound(subject: str, key_id: str) -> bytes:
    return f"{subject}|{key_id}".encode()
