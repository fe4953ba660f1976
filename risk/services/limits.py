"""The one limit that groups show beside each follower: the largest position of an account."""

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from brokers.models import Account
from risk.selectors import rules_wished
from risk.services.gates import ensure_account_risk
from risk.services.rules import Changed, change
from tradehaven.domain.errors import InvalidInput


@transaction.atomic
def set_max_position(*, account: Account, qty: int | None, by: User) -> Changed | None:
    """Set how many contracts of one instrument an account may hold, None for no limit.

    Return what became of it, None where nothing changed; raise `InvalidInput`.
    """
    if qty is not None and qty < 1:
        raise InvalidInput(
            "max_position", "The largest position is at least one contract; empty means no limit."
        )
    book = ensure_account_risk(account, by.pk).book
    wished = rules_wished(book)
    caps = replace(wished.caps, instrument=qty)
    return change(book=book, rules=replace(wished, caps=caps), by=by, now=timezone.now())
