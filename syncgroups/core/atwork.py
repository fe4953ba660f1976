"""What works in an account: sums and names that limits ask for at each order, kept as orders come and go.

Without them each order would walk all that rests in its account.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from syncgroups.core.copies import Copy
from tradehaven.domain.enums import Side
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol


class AtWork:
    """The copies' outstanding contracts by account, contract and side, and the orders that are no copies.

    `traded` grows by each account's contracts. `twins` are working orders that carry the name of another
    order of ours, each with when it was last told to go, 0 for not yet. `closed_at` says when an account that
    is made flat was last told to close a contract, `out_since` since when it is made flat. `caught_up` are
    fills of which the last snapshot was the first to tell.
    """

    def __init__(self, traded: defaultdict[AccountId, dict[Symbol, None]]) -> None:
        self._traded = traded
        self._copies: defaultdict[AccountId, dict[tuple[Symbol, Side], int]] = defaultdict(dict)
        self._others: defaultdict[AccountId, set[OrderId]] = defaultdict(set)
        self.twins: dict[tuple[AccountId, OrderId], Nanos] = {}
        self.closed_at: dict[tuple[AccountId, Symbol], Nanos] = {}
        self.out_since: dict[AccountId, Nanos] = {}
        self.caught_up: list[OrderFilled] = []

    def outstanding(self, account: AccountId, symbol: Symbol, side: Side) -> int:
        """Return the contracts that an account's copies may still trade on a side of a contract."""
        return self._copies[account].get((symbol, side), 0)

    def others_of(self, account: AccountId) -> Collection[OrderId]:
        """Return the account's working orders that are no copies: of other hands, and guards."""
        return self._others[account]

    def keep(self, before: Copy | None, copy: Copy) -> None:
        """Count a copy as it is now instead of what it was."""
        sums, where = self._copies[copy.follower], (copy.symbol, copy.side)
        more = copy.outstanding - (before.outstanding if before is not None else 0)
        sums[where] = sums.get(where, 0) + more
        self._traded[copy.follower][copy.symbol] = None
        if copy.order_id is not None:
            self._others[copy.follower].discard(copy.order_id)

    def show(self, account: AccountId, order_id: OrderId) -> None:
        """Note an order that works and is no copy as far as is known."""
        self._others[account].add(order_id)

    def end(self, account: AccountId, order_id: OrderId) -> None:
        """Note that an order works no more."""
        self._others[account].discard(order_id)
        self.twins.pop((account, order_id), None)

    def told(self, account: AccountId, order_id: OrderId, at: Nanos) -> bool:
        """Note that an order was told to go; say whether it is a twin."""
        is_twin = (account, order_id) in self.twins
        if is_twin:
            self.twins[account, order_id] = at
        return is_twin

    def made_flat(self, accounts: Iterable[AccountId], at: Nanos) -> None:
        """Note since when each of these accounts is made flat: since this second at the latest."""
        for account in accounts:
            self.out_since.setdefault(account, at)

    def forget(self, account: AccountId) -> None:
        """Forget an account's orders; its copies stay what they are."""
        self._others[account].clear()
        self.twins = {where: at for where, at in self.twins.items() if where[0] != account}
