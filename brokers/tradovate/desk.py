"""What the broker's risk desk says of accounts, joined: a lock, and limits by the owner and by the firm.

Three entities of each account (protocol 8.5 and 14), any of which may be missing with a permission. Where two
of them name a limit the stricter one counts, because either one closes the account.
"""

from collections.abc import Iterable
from decimal import Decimal

from brokers.tradovate import entities as e
from brokers.tradovate.mapping import money
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import AccountId, Nanos

_SHUT = frozenset({"LockTradingImmediately", "LiquidateImmediately", "AgreedOnLiquidationByAutoLiq"})
_CLOSING = frozenset({"LiquidateOnlyModeImmediately", "AgreedOnLiqOnlyModeByAutoLiq"})
_BY_DAY_END = "EOD"


class RiskDesk:
    """The three kinds by the broker's account number; `View` puts what arrives into them."""

    def __init__(self) -> None:
        self.status: dict[int, e.AccountRiskStatus] = {}
        self.own: dict[int, e.AutoLiq] = {}
        self.firm: dict[int, e.AutoLiq] = {}

    def state(self, snapshot: e.Snapshot) -> None:
        """Take a whole session in; what it does not show any more is not known any more."""
        # Cleared and filled, not replaced: the view holds these very dictionaries.
        self.status.clear()
        self.status.update({found.id: found for found in snapshot.accountRiskStatuses})
        self.own.clear()
        self.own.update({found.id: found for found in snapshot.userAccountAutoLiqs})
        self.firm.clear()
        self.firm.update({found.id: found for found in snapshot.permissionedAccountAutoLiqs})

    def knows(self, number: int) -> bool:
        """Say whether the broker has shown anything of an account here."""
        return number in self.status or number in self.own or number in self.firm

    def limits(self, account: AccountId, number: int, at: Nanos) -> LimitsReported:
        """Return all that is known of an account."""
        seen = self.status.get(number) or e.AccountRiskStatus(id=number)
        sets = [kept[number] for kept in (self.own, self.firm) if number in kept]
        state, because = _state(seen)
        trailing = [limits for limits in sets if limits.trailingMaxDrawdown]
        trail = min(trailing, key=lambda limits: limits.trailingMaxDrawdown or 0, default=None)
        return LimitsReported(
            account=account,
            at=at,
            state=state,
            because=because,
            high=_amount(seen.maxNetLiq),
            low=_amount(seen.minNetLiq),
            drawdown=_amount(trail.trailingMaxDrawdown) if trail else None,
            stops_at=_amount(trail.trailingMaxDrawdownLimit) if trail else None,
            by_day_end=trail is not None and trail.trailingMaxDrawdownMode == _BY_DAY_END,
            daily_loss=_least(x for one in sets for x in (one.dailyLossLiqOnly, one.dailyLossAutoLiq)),
            weekly_loss=_least(one.weeklyLossAutoLiq for one in sets),
            daily_profit=_least(one.dailyProfitAutoLiq for one in sets),
            weekly_profit=_least(one.weeklyProfitAutoLiq for one in sets),
            locked_in=any(one.changesLocked for one in sets),
        )


def _state(seen: e.AccountRiskStatus) -> tuple[TradingState, str]:
    action = seen.adminAction or ""
    if action in _SHUT:
        return TradingState.HALTED, action
    if action in _CLOSING or seen.liquidateOnly:
        by = "the trader's own limit" if seen.userTriggeredLiqOnly else "the risk desk"
        return TradingState.REDUCING, action if action in _CLOSING else f"closing only, by {by}"
    return TradingState.ACTIVE, ""


def _amount(value: float | None) -> Decimal | None:
    return money(value) if value is not None else None


def _least(values: Iterable[float | None]) -> Decimal | None:
    """Return the strictest of some limits; the broker writes 0 where none is set."""
    found = [abs(value) for value in values if value]
    return money(min(found)) if found else None
