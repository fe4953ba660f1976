"""What one session of a login may tell the engine: the port's promises, kept over a network that keeps none.

An order is told working before its fills, once; parameters only go forward; an order is told filled after
the last of its fills (the promises of `brokers.tradovate.view`, made here a second time and otherwise).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from tests.drill.history import Image
from tests.drill.money import Cash
from tests.drill.venue import Holds
from tradehaven.domain.enums import OrderStatus
from tradehaven.domain.events import (
    AccountSnapshot,
    BalanceReported,
    Event,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderState,
    OrderWorking,
    PositionReported,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId
from tradehaven.domain.transitions import is_final, may_follow

OrderNews = OrderWorking | OrderChanged | OrderFilled | OrderEnded


@dataclass
class Known:
    """One order in this session: its latest image, its fills, and what of it was told."""

    image: Image
    fills: dict[FillId, OrderFilled] = field(default_factory=dict)
    working: bool = False
    version: int = 0
    told: set[FillId] = field(default_factory=set)
    ended: bool = False


class Joiner:
    """Joins images and fills into events, each of them once."""

    def __init__(self) -> None:
        self._orders: dict[OrderId, Known] = {}
        self._early: defaultdict[OrderId, list[OrderFilled]] = defaultdict(list)
        self._numbers = 0
        self._newest: dict[AccountId, int] = {}

    def load(self, images: Iterable[Image], fills: Iterable[OrderFilled]) -> None:
        """Take a snapshot as known and told."""
        for image in images:
            alive = image.status is not OrderStatus.REJECTED
            ended = is_final(image.status)
            self._orders[image.order_id] = Known(image, working=alive, version=image.version, ended=ended)
        for fill in fills:
            known = self._orders[fill.order_id]
            known.fills[fill.fill_id] = fill
            known.told.add(fill.fill_id)

    def image(self, image: Image, at: Nanos) -> Iterator[OrderNews]:
        """Yield what an order's image makes tellable."""
        known = self._orders.get(image.order_id)
        if known is None:
            known = self._orders[image.order_id] = Known(image)
            for fill in self._early.pop(image.order_id, []):
                known.fills[fill.fill_id] = fill
        latest = max(known.image, image, key=lambda found: found.version)
        status = image.status if may_follow(known.image.status, image.status) else known.image.status
        known.image = replace(latest, status=status, reason=image.reason or known.image.reason)
        yield from self._news(known, at)

    def fill(self, fill: OrderFilled, at: Nanos) -> Iterator[OrderNews]:
        """Yield what an execution makes tellable."""
        known = self._orders.get(fill.order_id)
        if known is None:
            self._early[fill.order_id].append(fill)
            return
        known.fills.setdefault(fill.fill_id, fill)
        yield from self._news(known, at)

    def untold(
        self, images: list[Image], fills: list[OrderFilled]
    ) -> list[tuple[Nanos, ClientOrderId | None]]:
        """Return when what was never told came about, and under which of our names."""
        names = {image.order_id: image.client_id for image in images}
        orders = [(one.created_at, one.client_id) for one in images if not self.has_told(one)]
        return orders + [(fill.at, names.get(fill.order_id)) for fill in fills if not self.has_counted(fill)]

    def number(self) -> int:
        """Return the place of what the broker says among all that it says."""
        self._numbers += 1
        return self._numbers

    def is_overtaken(self, news: Holds | Cash, number: int) -> bool:
        """Say whether newer cash of an account was told: by the time of its last change a gateway drops it.

        It does so with positions as well; the engine is to get on without that.
        """
        if isinstance(news, Holds):
            return False
        newest = self._newest.get(news.account, 0)
        self._newest[news.account] = max(newest, number)
        return number < newest

    def is_past(self, event: Event) -> bool:
        """Say whether an event tells of parameters that newer ones have replaced: a gateway drops it."""
        if not isinstance(event, OrderChanged) or event.order_id not in self._orders:
            return False
        return event.spec != self._orders[event.order_id].image.spec

    def has_told(self, image: Image) -> bool:
        """Say whether an order was told, or never will be: it came to nothing."""
        known = self._orders.get(image.order_id)
        dead = is_final(image.status) and image.status not in (OrderStatus.FILLED, OrderStatus.COMPLETED)
        return dead or (known is not None and known.working)

    def has_counted(self, fill: OrderFilled) -> bool:
        """Say whether an execution of an order that was told is known."""
        known = self._orders.get(fill.order_id)
        return known is None or not known.working or fill.fill_id in known.fills

    def client_ids(self) -> frozenset[ClientOrderId]:
        """Return every client order id that the broker has shown."""
        return frozenset(k.image.client_id for k in self._orders.values() if k.image.client_id)

    def _news(self, known: Known, at: Nanos) -> Iterator[OrderNews]:
        image = known.image
        if not known.working and image.status is not OrderStatus.REJECTED:
            known.working, known.version = True, image.version
            yield OrderWorking(
                account=image.account,
                order_id=image.order_id,
                client_order_id=image.client_id,
                symbol=image.symbol,
                side=image.side,
                spec=image.spec,
                at=at,
                oco=image.oco,
            )
        elif known.working and image.version > known.version:
            known.version = image.version
            yield OrderChanged(account=image.account, order_id=image.order_id, spec=image.spec, at=at)
        for number in sorted(set(known.fills) - known.told):
            known.told.add(number)
            yield replace(known.fills[number], at=at)
        filled = sum(fill.qty for fill in known.fills.values())
        held_back = image.status is OrderStatus.FILLED and filled < image.spec.qty
        if is_final(image.status) and not known.ended and not held_back:
            known.ended = True
            yield OrderEnded(
                account=image.account,
                order_id=image.order_id,
                client_order_id=image.client_id,
                status=image.status,
                reason=image.reason,
                at=at,
            )


def stated(
    account: AccountId,
    images: Collection[Image],
    fills: Iterable[OrderFilled],
    positions: Iterable[PositionReported],
    balance: BalanceReported,
) -> AccountSnapshot:
    """Return an account as a snapshot states it."""
    return AccountSnapshot(
        account=account,
        orders=tuple(
            OrderState(
                order_id=image.order_id,
                client_order_id=image.client_id,
                symbol=image.symbol,
                side=image.side,
                spec=image.spec,
                status=image.status,
                created_at=image.created_at,
                oco=image.oco,
            )
            for image in images
        ),
        fills=tuple(fills),
        positions=tuple(positions),
        balance=balance,
    )
