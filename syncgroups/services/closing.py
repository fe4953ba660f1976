"""The second look at the daily time to be flat: what rows still show as held is asked to be closed (RISK-07).

The engine keeps the same time by itself. This one is for a day on which its clock, or its rules, are late.
"""

from datetime import datetime, timedelta

from django.db import transaction

from brokers.models import Account
from brokers.services.stamps import touch
from risk.core.rules import Flat
from risk.core.schedule import is_flat_time
from syncgroups.models import ActivityKind, Request, Severity
from syncgroups.selectors.guardrails import rules_over
from syncgroups.services.activity import note
from tradehaven.domain.calendar import MarketState, market_state
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import Ask

ASKED_AGAIN = timedelta(seconds=60)
"""How long an engine has to answer before the same account is asked for once more."""


def close_what_is_due(now: datetime) -> list[int]:
    """Ask the engines to close every account that should be flat by now (UTC) and is not; return which."""
    held = Account.objects.filter(positions__net__lt=0) | Account.objects.filter(positions__net__gt=0)
    rows = held.distinct().select_related("connection", "risk__book")
    asked = []
    for account in rows.prefetch_related("positions", "follows__group__member_rules"):
        rules, _ = rules_over(account, [found.group for found in account.follows.all()], now)
        if rules.flat is not None and _all_due(account, rules.flat, now) and _ask(account, now):
            asked.append(account.pk)
    return asked


def _all_due(account: Account, flat: Flat, now: datetime) -> bool:
    """Tell whether every market that an account holds something in asks for it to be flat, and is open."""
    markets = {product_of(row.symbol).template for row in account.positions.all() if row.net}
    return all(
        market_state(now, market) is MarketState.OPEN and is_flat_time(flat, market, now)
        for market in markets
    )


@transaction.atomic
def _ask(account: Account, now: datetime) -> bool:
    owner = account.connection.owner_id
    mine = Request.objects.filter(owner_id=owner, ask=Ask.FLATTEN, subject=str(account.pk))
    if mine.filter(at__gt=now - ASKED_AGAIN).exists():
        return False
    Request.objects.create(owner_id=owner, ask=Ask.FLATTEN, subject=str(account.pk))
    text = f"{account} is past its time to be flat: the engine is asked to close it"
    note(owner, ActivityKind.GUARDRAIL, text, severity=Severity.WARNING, account=account)
    touch(owner)
    return True
