"""What is known of one order so far, and what of it has been told already."""

from collections.abc import Iterator

from brokers.tradovate import entities as e
from brokers.tradovate.mapping import side_of, spec_of, status_of
from tradehaven.domain.enums import OrderStatus
from tradehaven.domain.events import OrderChanged, OrderEnded, OrderFilled, OrderWorking
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.transitions import is_final

_ALIVE = frozenset({OrderStatus.WORKING, OrderStatus.PENDING_REPLACE, OrderStatus.PENDING_CANCEL})
_DONE = frozenset({OrderStatus.FILLED, OrderStatus.COMPLETED})


def is_worth_telling(order: e.Order) -> bool:
    """Say whether an order is one that comes to be told: it works, or it did all that it should."""
    return status_of(order.ordStatus) in _ALIVE | _DONE


class Track:
    """The parts of one order. `told` says what they amount to by now, each thing once."""

    def __init__(self, order_id: OrderId) -> None:
        self.order_id = order_id
        self.account: AccountId | None = None
        self.symbol: Symbol | None = None
        self.order: e.Order | None = None
        self.client_id: ClientOrderId | None = None
        self.versions: dict[int, e.OrderVersion] = {}
        self.changes: dict[int, bool | None] = {}
        self.commands: dict[int, ClientOrderId | None] = {}
        self.fills: dict[int, OrderFilled] = {}
        self.waiting_fills: list[e.Fill] = []
        self.reason = ""
        self._working_told = False
        self._version_told = 0
        self._fills_told: set[int] = set()
        self._end_told = False

    @property
    def version(self) -> e.OrderVersion | None:
        """Return the parameters in force: the latest whose change was not turned down or left open."""
        standing = [number for number in self.versions if self.changes.get(number, True)]
        return self.versions[max(standing)] if standing else None

    @property
    def is_told(self) -> bool:
        """Say whether it has been told that this order works or worked."""
        return self._working_told

    @property
    def filled(self) -> int:
        """Return the contracts that have traded."""
        return sum(fill.qty for fill in self.fills.values())

    @property
    def oco(self) -> OrderId | None:
        """Return the order that the broker ends when this one fills (protocol 11.2)."""
        other = self.order.ocoId if self.order is not None else None
        return OrderId(other) if other is not None else None

    def told(self, at: Nanos) -> Iterator[OrderWorking | OrderChanged | OrderFilled | OrderEnded]:
        """Yield what can be told now and has not been."""
        order, account, symbol, version = self.order, self.account, self.symbol, self.version
        if order is None or account is None or symbol is None or version is None:
            return
        status = status_of(order.ordStatus)
        if not self._working_told and (status in _ALIVE or status in _DONE or self.fills):
            self._working_told, self._version_told = True, version.id
            yield OrderWorking(
                account=account,
                order_id=self.order_id,
                client_order_id=self.client_id,
                symbol=symbol,
                side=side_of(order.action),
                spec=spec_of(symbol, version),
                oco=self.oco,
                at=at,
            )
        elif self._working_told and version.id != self._version_told:
            self._version_told = version.id
            yield OrderChanged(account=account, order_id=self.order_id, spec=spec_of(symbol, version), at=at)
        for number in sorted(set(self.fills) - self._fills_told):
            self._fills_told.add(number)
            yield self.fills[number]
        if is_final(status) and not self._end_told and not self._waits(status, version.orderQty):
            self._end_told = True
            yield self._ended(account, status, at)

    def _ended(self, account: AccountId, status: OrderStatus, at: Nanos) -> OrderEnded:
        return OrderEnded(
            account=account,
            order_id=self.order_id,
            client_order_id=self.client_id,
            status=status,
            reason=self.reason,
            at=at,
        )

    def _waits(self, status: OrderStatus, qty: int) -> bool:
        """Say whether the end must wait: for the last fill, or for the reason of a rejection."""
        if status in _DONE:
            return self.filled < qty
        return status is OrderStatus.REJECTED and not self.reason
