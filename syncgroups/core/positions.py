"""Positions by account and contract, so that one account's are found without a look at all others."""

from collections import defaultdict
from collections.abc import Collection

from tradehaven.domain.ids import AccountId, Symbol

PositionKey = tuple[AccountId, Symbol]


class Positions(dict[PositionKey, int]):
    """Signed contracts, long above 0. What nobody has spoken of is 0 and does not come in by being asked."""

    def __init__(self) -> None:
        super().__init__()
        self._symbols: defaultdict[AccountId, dict[Symbol, None]] = defaultdict(dict)

    def __missing__(self, key: PositionKey) -> int:
        return 0

    def __setitem__(self, key: PositionKey, net: int) -> None:
        super().__setitem__(key, net)
        self._symbols[key[0]][key[1]] = None

    def __delitem__(self, key: PositionKey) -> None:
        super().__delitem__(key)
        del self._symbols[key[0]][key[1]]

    def symbols_of(self, account: AccountId) -> Collection[Symbol]:
        """Return the contracts in which an account holds something, or is known to hold nothing any more."""
        return self._symbols.get(account, {}).keys()

    def of(self, account: AccountId) -> dict[Symbol, int]:
        """Return an account's positions by contract."""
        return {symbol: self[account, symbol] for symbol in self.symbols_of(account)}
