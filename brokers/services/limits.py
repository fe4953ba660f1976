"""The broker's own limits of an account, kept as it states them."""

from dataclasses import asdict

from brokers.models import StatedLimits
from brokers.services.facts import moment
from brokers.services.stamps import touch
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import OwnerId

_RULES = ("drawdown", "stops_at", "by_day_end", "daily_loss", "daily_profit")


def record_limits(owner: OwnerId, event: LimitsReported) -> TradingState | None:
    """Store what the broker says of an account; return what it let it do before, None if that is unknown.

    The engines are told where a limit changed that rules are made of; a new high is none of these.
    """
    fields = asdict(event) | {"at": moment(event.at), "because": event.because[:100]}
    account = fields.pop("account")
    before = StatedLimits.objects.filter(account_id=account).first()
    after, _ = StatedLimits.objects.update_or_create(account_id=account, defaults=fields)
    if before is None or any(getattr(before, name) != getattr(after, name) for name in _RULES):
        touch(owner)
    return TradingState(before.state) if before is not None else None
