"""Locks are written down here, by engines and by people. A longer lock is another row."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from brokers.models import Account
from brokers.services.stamps import touch
from risk.models import Lockout
from risk.selectors import running_locks
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import InvalidInput
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


def record(
    *,
    account_id: int,
    owner_id: int,
    reason: RefusalReason,
    detail: str,
    since: datetime,
    until: datetime | None,
    flatten: bool,
    by: User | None = None,
) -> bool:
    """Write a lock down; say whether it is news. The same one may be told twice."""
    _, is_new = Lockout.objects.get_or_create(
        account_id=account_id,
        since=since,
        reason=reason,
        defaults={"detail": detail[:300], "until": until, "flatten": flatten, "by": by},
    )
    publish(owner_id, [Topic.ACCOUNTS, Topic.ACTIVITY])
    return is_new


@transaction.atomic
def lock_by_hand(*, account: Account, by: User, until: datetime, detail: str, now: datetime) -> None:
    """Lock an account until a moment (UTC) that lies ahead; one that is locked longer stays so."""
    if until <= now:
        raise InvalidInput("until", "A lock ends in the future.")
    known = running_locks(by.pk, now).get(account.pk)
    if known is not None and (known.until is None or known.until >= until):
        raise InvalidInput("until", "The account is locked for longer already; no lock is shortened.")
    record(
        account_id=account.pk,
        owner_id=by.pk,
        reason=RefusalReason.LOCKED_OUT,
        detail=detail or "locked by hand",
        since=now,
        until=until,
        flatten=False,
        by=by,
    )
    touch(by.pk)
