"""Everything that is sealed comes under the key that seals today (CONN-03). May be stopped and run again.

Each secret is one guarded update: one that was renewed meanwhile is under the new key already. Nothing is
locked, so engines and workers go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.mfa.rotation import reseal_factors
from accounts.services.hooks import reseal_hooks
from brokers.models import Connection
from brokers.services.tokens import subject_of
from brokers.vault import VaultError, is_current, reseal

TOKENS = ("access", "refresh")
CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the secrets of one kind fared; `shut` ones do not open with any key of the ring."""

    kind: str
    anew: int
    current: int
    shut: int

    @property
    def total(self) -> int:
        """Return how many there are."""
        return self.anew + self.current + self.shut


def rotate() -> tuple[Tally, ...]:
    """Seal everything anew that is under an older key; running it again changes nothing."""
    return (
        _tally("tokens", _reseal_tokens()),
        _tally("second factors", reseal_factors()),
        _tally("web hooks", reseal_hooks()),
    )


def waiting() -> dict[str, int]:
    """Return how many tokens are under each key, by its id: one that has none left may be retired."""
    found: dict[str, int] = {}
    for access, refresh in Connection.objects.values_list("access_token", "refresh_token"):
        for sealed in filter(None, (access, refresh)):
            key = sealed.split(".")[1]
            found[key] = found.get(key, 0) + 1
    return found


def _tally(kind: str, outcomes: Iterator[bool | None]) -> Tally:
    found = list(outcomes)
    return Tally(kind=kind, anew=found.count(True), current=found.count(False), shut=found.count(None))


def _reseal_tokens() -> Iterator[bool | None]:
    for row in Connection.objects.order_by("pk").iterator(chunk_size=CHUNK):
        for kind in TOKENS:
            sealed = getattr(row, f"{kind}_token")
            if sealed:
                yield False if is_current(sealed) else _reseal_token(row, kind, sealed)


def _reseal_token(row: Connection, kind: str, sealed: str) -> bool | None:
    try:
        fresh = reseal(sealed, subject=subject_of(row, kind))
    except VaultError:
        return None
    column = f"{kind}_token"
    return Connection.objects.filter(pk=row.pk, **{column: sealed}).update(**{column: fresh}) == 1
