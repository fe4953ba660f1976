"""What may still trade in one account, by the broker's log: from the moment an order is written."""

from tests.drill.history import Amended, Arrived, Entry, Finished, Sent, Traded
from tests.drill.reading import Order, Reading
from tradehaven.domain.commands import ChangeOrder, Command, PlaceOrder
from tradehaven.domain.enums import Side
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol


class Tab:
    """Follows one account's orders of ours. Requests that never arrive count for nothing."""

    def __init__(self, reading: Reading, account: AccountId) -> None:
        self._account = account
        self._named = {o.first.client_id: o for o in reading.orders.values() if o.first.account == account}
        self._orders = reading.orders
        self._arrive = {
            entry.command.client_order_id
            for entry in reading.history.entries
            if isinstance(entry, Arrived) and not entry.refused
        }
        self._sizes: dict[OrderId, int] = {}
        self._filled: dict[OrderId, int] = {}
        self._changes: dict[ClientOrderId, tuple[OrderId, int]] = {}

    def note(self, entry: Entry) -> None:
        """Take the next entry of the history."""
        match entry:
            case Sent(command=PlaceOrder() as command) if command.client_order_id in self._named:
                self._sizes[self._named[command.client_order_id].first.order_id] = command.spec.qty
            case Sent(command=ChangeOrder() as command) if command.client_order_id in self._arrive:
                self._changes[command.client_order_id] = (command.order_id, command.spec.qty)
            case Arrived():
                self._changes.pop(entry.command.client_order_id, None)
            case Amended() if entry.order.order_id in self._sizes:
                self._sizes[entry.order.order_id] = entry.order.spec.qty
            case Traded() if entry.fill.order_id in self._sizes:
                order_id = entry.fill.order_id
                self._filled[order_id] = self._filled.get(order_id, 0) + entry.fill.qty
            case Finished():
                self._sizes.pop(entry.order.order_id, None)

    def order_of(self, command: Command) -> Order | None:
        """Return the broker's order that a request places or changes, if there ever is one."""
        if isinstance(command, PlaceOrder):
            return self._named.get(command.client_order_id)
        return self._orders.get(command.order_id) if isinstance(command, ChangeOrder) else None

    def grows(self, command: Command) -> bool:
        """Say whether a request lets more trade than before: a change to less never breaks a cap."""
        if isinstance(command, ChangeOrder):
            size = self._sizes.get(command.order_id)
            return size is not None and command.spec.qty > size
        return isinstance(command, PlaceOrder)

    def outstanding(self, symbol: Symbol, side: Side) -> int:
        """Return the contracts that may still trade on one side, each order at its largest."""
        total = 0
        for order_id, size in self._sizes.items():
            image = self._orders[order_id].first
            if image.account == self._account and image.symbol == symbol and image.side is side:
                asked = [qty for changed, qty in self._changes.values() if changed == order_id]
                total += max(0, max([size, *asked]) - self._filled.get(order_id, 0))
        return total
