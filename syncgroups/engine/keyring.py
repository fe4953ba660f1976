"""The keys that may shut a gate while the database is away: hashes, read while it was there (RISK-04).

Every process knows them for every owner, so any engine can say whose key it is; the press then goes to all.
A key that was revoked may still stop, for as long as its row was last read before that: it can do no more.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable
from datetime import datetime

from accounts.core.keys import KeyKind, Scope
from accounts.models import ApiKey
from brokers.models import Connection
from risk.models import Gate, GateKind
from syncgroups.engine.control import Database
from tradehaven.control.messages import KeyKnown, KeyShown
from tradehaven.db import DATABASE_AWAY
from tradehaven.domain.enums import Environment
from tradehaven.domain.ids import GateId, OwnerId

log = logging.getLogger(__name__)

REFRESH = 30.0
"""Seconds between two readings."""
Held = dict[str, tuple[str, datetime | None, KeyKnown]]
"""By public prefix: the hash, when the key ends (UTC), and what it may shut."""


class Keyring:
    """The usable keys as they were last read."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._database = Database("keys")
        self._held: Held = {}

    def find(self, key: KeyShown) -> KeyKnown:
        """Return whose key this is; nobody's where it is not known, over, or not what its row says."""
        digest, ends, known = self._held.get(key.prefix, ("", None, KeyKnown()))
        is_over = ends is not None and ends <= self._now()
        # Compared in any case, so that a prefix that exists takes as long as one that does not.
        is_same = hmac.compare_digest(digest.encode(), key.digest.encode())
        return known if is_same and not is_over else KeyKnown()

    async def refresh(self) -> None:
        """Read them anew; raise while the database is away."""
        self._held = await self._database.ask(usable_keys)

    async def run(self) -> None:
        """Keep them fresh, until cancelled."""
        while True:
            try:
                await self.refresh()
            except DATABASE_AWAY as error:
                log.info("keys stay as they were read: %s", error)
            await asyncio.sleep(REFRESH)

    def close(self) -> None:
        """End the thread."""
        self._database.close()


def usable_keys() -> Held:
    """Return every key that may trade, with its owner's gate; a paper key shuts no gate with live money."""
    gates = dict(Gate.objects.filter(kind=GateKind.OWNER).values_list("owner_id", "pk"))
    live = set(Connection.objects.filter(environment=Environment.LIVE).values_list("owner_id", flat=True))
    rows = ApiKey.objects.filter(
        revoked_at=None, owner__is_active=True, scope__in=[Scope.TRADE, Scope.DISARM]
    )
    return {
        row.prefix: (
            row.secret_hash,
            row.expires_at,
            KeyKnown(owner=OwnerId(row.owner_id), gate=GateId(gates[row.owner_id])),
        )
        for row in rows
        if row.owner_id in gates and (row.kind == KeyKind.LIVE or row.owner_id not in live)
    }
