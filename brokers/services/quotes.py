"""Prices become rows, so that every page reads the same one."""

from collections.abc import Iterable

from brokers.models import Quote
from brokers.ports import PriceSeen
from brokers.services.facts import moment
from tradehaven.domain.enums import Environment
from tradehaven.live.messages import Tick
from tradehaven.live.publish import publish_ticks


def record_prices(environment: Environment, prices: Iterable[PriceSeen]) -> None:
    """Store the latest prices (ticks) and tell them to the pages, which know who holds what."""
    seen = tuple(prices)
    rows = [
        Quote(
            environment=environment,
            symbol=price.symbol,
            bid=price.bid,
            ask=price.ask,
            last=price.last,
            quoted_at=moment(price.at),
        )
        for price in seen
    ]
    Quote.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["environment", "symbol"],
        update_fields=["bid", "ask", "last", "quoted_at"],
    )
    publish_ticks(
        [
            Tick(
                environment=environment,
                symbol=price.symbol,
                bid=price.bid,
                ask=price.ask,
                last=price.last,
                at=price.at,
            )
            for price in seen
        ]
    )
