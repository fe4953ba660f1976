"""Positions by account and contract, so that one account's are found without a look at all others."""

from collections import defaultdict

from tradehaven.domain.ids import AccountId, Symbol

PositionKey = tuple[AccountId, Symbol]


class Positions(dict[PositionKey, int]):
    """Signed contracts, long above 0. What nobody has spoken of is 0 and does not come in by being asked.

    `traded` grows by each account's contracts; what it says besides is no position.
    """

    def __init__(self, traded: defaultdict[AccountId, dict[Symbol, None]]) -> None:
        self._traded = traded

    def __missing__(self, key: PositionKey) -> int:
        return 0

    def __setitem__(self, key: PositionKey, net: int) -> None:
        dict.__setitem__(self, key, net)
        self._traded[key[0]][key[1]] = None

    def of(self, account: AccountId) -> dict[Symbol, int]:
        """Return an account's positions by contract; 0 where it is known to hold nothing any more."""
        found = ((symbol, self.get((account, symbol))) for symbol in self._traded.get(account, ()))
        return {symbol: net for symbol, net in found if net is not None}
