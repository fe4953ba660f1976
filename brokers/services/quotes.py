"""Prices become rows, so that every page reads the same one."""

from collections.abc import Iterable

from brokers.models import Account, Quote
from brokers.ports import PriceSeen
from brokers.services.facts import moment
from tradehaven.domain.enums import Environment
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


def record_prices(environment: Environment, prices: Iterable[PriceSeen]) -> None:
    """Store the latest prices (ticks) and tell the pages of everybody who holds one of the contracts."""
    rows = [
        Quote(
            environment=environment,
            symbol=price.symbol,
            bid=price.bid,
            ask=price.ask,
            last=price.last,
            quoted_at=moment(price.at),
        )
        for price in prices
    ]
    Quote.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["environment", "symbol"],
        update_fields=["bid", "ask", "last", "quoted_at"],
    )
    holders = Account.objects.filter(
        connection__environment=environment, positions__symbol__in=[row.symbol for row in rows]
    ).exclude(positions__net=0)
    for owner in set(holders.values_list("connection__owner_id", flat=True)):
        publish(owner, [Topic.OVERVIEW, Topic.ACCOUNTS])
