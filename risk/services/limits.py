"""Limits of accounts are set here."""

from django.db import transaction

from accounts.models import User
from brokers.models import Account
from brokers.services.stamps import touch
from risk.services.gates import ensure_account_risk
from tradehaven.domain.errors import InvalidInput
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


@transaction.atomic
def set_max_position(*, account: Account, qty: int | None, by: User) -> bool:
    """Set how many contracts of one instrument an account may hold, None for no limit; say if it changed."""
    if qty is not None and qty < 1:
        raise InvalidInput(
            "max_position", "The largest position is at least one contract; empty means no limit."
        )
    risk = ensure_account_risk(account, by.pk)
    if risk.max_position == qty:
        return False
    risk.max_position = qty
    risk.save(update_fields=["max_position"])
    touch(by.pk)
    publish(by.pk, [Topic.ACCOUNTS])
    return True
