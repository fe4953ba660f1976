"""Second factors come under the key that seals today; each is changed only if it is still as it was read."""

from collections.abc import Iterator

from allauth.mfa.models import Authenticator

from accounts.mfa.adapter import SUBJECT
from tradehaven.sealing import VaultError, is_current, reseal

SEALED = ("secret", "seed")
"""The members of an authenticator's data that the library seals."""


def reseal_factors() -> Iterator[bool | None]:
    """Yield for each secret: True when it was sealed anew, False when it need not, None when it is shut.

    A factor that changes at the same moment is read again by the next run.
    """
    for factor in Authenticator.objects.order_by("pk").iterator(chunk_size=200):
        old = {name: text for name, text in factor.data.items() if name in SEALED and text}
        stale = {name: text for name, text in old.items() if not is_current(text)}
        yield from (False for _ in range(len(old) - len(stale)))
        try:
            fresh = {name: reseal(text, subject=SUBJECT) for name, text in stale.items()}
        except VaultError:
            yield None
            continue
        rows = Authenticator.objects.filter(pk=factor.pk, data=factor.data)
        changed = bool(fresh) and rows.update(data={**factor.data, **fresh}) == 1
        yield from (changed for _ in fresh)
