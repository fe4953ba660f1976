"""How much a login and a network may ask: windows, endpoint quotas and penalty tickets (protocol 4.1, 4.3).

Pure: the time is handed in, and tickets are numbered. What is refused here was never carried out.
Switched off unless the options say otherwise, so that tests and demonstrations are not slowed down.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from math import ceil

from brokers.paper.codec import Json

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
_COMMANDS = ("order/", "orderstrategy/")
_READS = ("/item", "/items", "/list", "/deps", "/ldeps", "/find", "/suggest")
# The stages of somebody who does not listen: three tickets, three that need a human, three locks (inferred).
_STAGE = 3


class Counts(StrEnum):
    """Which requests use up an endpoint's quota."""

    ALL = "all"
    FAILURES = "failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointQuota:
    """What a network may ask of an endpoint in an hour; without a back-off the refusal is a plain 429."""

    per_hour: int
    counts: Counts
    back_off: int | None = None


ENDPOINT_QUOTAS: dict[str, EndpointQuota] = {
    "auth/accesstokenrequest": EndpointQuota(per_hour=5, counts=Counts.FAILURES, back_off=15),
    "auth/renewaccesstoken": EndpointQuota(per_hour=15, counts=Counts.ALL, back_off=15),
    "auth/me": EndpointQuota(per_hour=10, counts=Counts.FAILURES, back_off=30),
    "user/syncrequest": EndpointQuota(per_hour=300, counts=Counts.ALL, back_off=3),
    "user/createevaluationusers": EndpointQuota(per_hour=100, counts=Counts.FAILURES),
    "user/createevaluationaccounts": EndpointQuota(per_hour=100, counts=Counts.FAILURES),
    "user/requesttradingpermission": EndpointQuota(per_hour=20, counts=Counts.FAILURES),
    "order/dryrun": EndpointQuota(per_hour=500, counts=Counts.ALL),
    "cashbalance/changedemobalance": EndpointQuota(per_hour=1000, counts=Counts.ALL),
    "accountriskstatus/switchriskcategory": EndpointQuota(per_hour=5000, counts=Counts.ALL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed; 0 is no limit. Commands are what places, changes and cancels orders."""

    commands_per_minute: int = 0
    requests_per_hour: int = 0
    anonymous_per_hour: int = 0
    endpoints: bool = False


REAL = Limits(commands_per_minute=80, requests_per_hour=5000, anonymous_per_hour=1000, endpoints=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: endpoint in lower case, the login behind it (None before log-in), whence it came."""

    endpoint: str
    user_id: int | None
    address: str
    ticket: str = ""

    @property
    def payer(self) -> str:
        """Return who pays for the request: the login, or before log-in its network."""
        return self.network if self.user_id is None else f"user {self.user_id}"

    @property
    def network(self) -> str:
        """Return the /24 network of an IPv4 address; of others the address."""
        return self.address.rpartition(".")[0] or self.address

    @property
    def is_command(self) -> bool:
        """Return whether the request is order traffic."""
        return self.endpoint.startswith(_COMMANDS) and not self.endpoint.endswith(_READS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Status and payload of a request that was not carried out."""

    status: int
    payload: Json | str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ticket:
    key: str
    due: datetime


class Quotas:
    """Counts requests in rolling windows and hands out penalty tickets."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._windows: dict[str, deque[datetime]] = {}
        self._tickets: dict[str, _Ticket] = {}
        self._numbers = count(1)

    def change(self, limits: Limits) -> None:
        """Let other limits hold from now on and forget what was counted."""
        self.limits = limits
        self._windows.clear()
        self._tickets.clear()

    def admit(self, asked: Asked, now: datetime) -> Refusal | None:
        """Count a request and return None, or return why it is not carried out."""
        limits = self.limits
        hour_key = f"hour {asked.payer}"
        most = limits.anonymous_per_hour if asked.user_id is None else limits.requests_per_hour
        if most and self._used(hour_key, HOUR, now) >= most:
            return Refusal(status=429, payload="")
        refusal = self._endpoint_refusal(asked, now) or self._command_refusal(asked, now)
        if refusal is None and most:
            self._use(hour_key, now)
        return refusal

    def note_failure(self, asked: Asked, now: datetime) -> None:
        """Count a request that was carried out and refused, where only these count."""
        quota = self._quota(asked)
        if quota is not None and quota.counts is Counts.FAILURES:
            self._use(f"{asked.endpoint} {asked.network}", now)

    def _quota(self, asked: Asked) -> EndpointQuota | None:
        return ENDPOINT_QUOTAS.get(asked.endpoint) if self.limits.endpoints else None

    def _endpoint_refusal(self, asked: Asked, now: datetime) -> Refusal | None:
        quota = self._quota(asked)
        if quota is None:
            return None
        key = f"{asked.endpoint} {asked.network}"
        if self._used(key, HOUR, now) >= quota.per_hour and not self._redeemed(asked, key, now):
            return self._penalty(key, quota.back_off, now)
        if quota.counts is Counts.ALL:
            self._use(key, now)
        return None

    def _command_refusal(self, asked: Asked, now: datetime) -> Refusal | None:
        most = self.limits.commands_per_minute
        if not most or not asked.is_command:
            return None
        key = f"commands {asked.payer}"
        if self._used(key, MINUTE, now) >= most and not self._redeemed(asked, key, now):
            free = self._windows[key][0] + MINUTE
            return self._penalty(key, max(1, ceil((free - now).total_seconds())), now)
        self._use(key, now)
        return None

    def _redeemed(self, asked: Asked, key: str, now: datetime) -> bool:
        ticket = self._tickets.get(asked.ticket)
        if ticket is None or ticket.key != key or ticket.due > now:
            return False
        # Good once, or one ticket would open the door for good.
        del self._tickets[asked.ticket]
        return True

    def _penalty(self, key: str, seconds: int | None, now: datetime) -> Refusal:
        strikes = f"strikes {key}"
        stage = self._used(strikes, HOUR, now) // _STAGE
        self._use(strikes, now)
        if seconds is None or stage > 2:
            return Refusal(status=429, payload="")
        if stage == 2:
            return Refusal(status=423, payload="")
        return Refusal(status=200, payload=self._ticket(key, seconds, captcha=stage == 1, now=now))

    def _ticket(self, key: str, seconds: int, *, captcha: bool, now: datetime) -> Json:
        self._tickets = {name: item for name, item in self._tickets.items() if item.due + HOUR > now}
        name = f"paper-ticket-{next(self._numbers)}"
        # A ticket that needs a human's answer is good after the hour that others have to wait.
        due = now + (HOUR if captcha else timedelta(seconds=seconds))
        self._tickets[name] = _Ticket(key=key, due=due)
        return {"p-ticket": name, "p-time": seconds, "p-captcha": captcha}

    def _used(self, key: str, span: timedelta, now: datetime) -> int:
        window = self._windows.get(key)
        if window is None:
            return 0
        while window and window[0] <= now - span:
            window.popleft()
        if not window:
            del self._windows[key]
        return len(window)

    def _use(self, key: str, now: datetime) -> None:
        self._windows.setdefault(key, deque()).append(now)
