"""What is left of engines whose leases have run out: enough to make accounts flat while nobody can lead.

Without the database no lease can be renewed, so the engines send nothing any more (ADR 14). Whoever presses
the kill switch then still wants to be flat: the tokens that the links had do it by REST, which can only make
an account smaller, whoever else leads it meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event

from brokers.ports import Login
from brokers.services.byhand import narrowed
from risk.services.byhand import flatten_all
from syncgroups.core.plan import OwnerPlan
from tradehaven.control.messages import Press
from tradehaven.domain.ids import AccountId, OwnerId

log = logging.getLogger(__name__)

LOOKS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """One owner as an engine knew it at its end: which gates stand over which accounts, and the logins."""

    plan: OwnerPlan
    logins: tuple[Login, ...]


class Lapsed:
    """The legacies of one process."""

    def __init__(self) -> None:
        self._known: dict[OwnerId, Legacy] = {}
        self._under_way: dict[OwnerId, asyncio.Task[None]] = {}
        self._ended = Event()

    def inherit(self, legacies: Iterable[Legacy]) -> None:
        """Remember owners whose engine may not send any more."""
        self._known |= {legacy.plan.owner: legacy for legacy in legacies}

    def close(self) -> None:
        """Let what is under way end with its next step."""
        self._ended.set()

    def flatten(self, press: Press, go_on: Callable[[], bool]) -> tuple[AccountId, ...]:
        """Begin to make flat what stands behind a press, until `go_on` says no; return these accounts."""
        legacy = self._known.get(press.owner)
        if legacy is None:
            return ()
        gates = set(press.gates)
        plans = legacy.plan.accounts.values()
        accounts = tuple(sorted(plan.account for plan in plans if not gates.isdisjoint(plan.gates)))
        if accounts and press.owner not in self._under_way:
            task = asyncio.create_task(self._flatten(legacy, frozenset(accounts), go_on))
            self._under_way[press.owner] = task
            task.add_done_callback(lambda _: self._under_way.pop(press.owner))
        return accounts

    async def _flatten(
        self, legacy: Legacy, accounts: frozenset[AccountId], go_on: Callable[[], bool]
    ) -> None:
        accesses = [
            narrowed(f"login {login.connection}", login, frozenset(int(account) for account in accounts))
            for login in legacy.logins
        ]
        wanted = [access for access in accesses if access.accounts]
        left = await asyncio.to_thread(
            flatten_all,
            wanted,
            say=log.warning,
            pause=self._ended.wait,
            looks=LOOKS,
            go_on=lambda: go_on() and not self._ended.is_set(),
        )
        log.warning("owner %s: %s", legacy.plan.owner, "not flat" if left else "the broker says flat")
