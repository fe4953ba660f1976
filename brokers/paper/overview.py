"""What the owner's page shows of the venue: markets, one order book, logins with their accounts.

Read-only. The page asks for its own logins by their ids; what the page makes of it stands elsewhere.
"""

from brokers.paper.catalogue import Listing
from brokers.paper.codec import Json, number
from brokers.paper.entities import Account, Position, User
from brokers.paper.exchange import Exchange
from brokers.paper.faults import Trouble
from brokers.paper.params import Params

_LEVELS = 5


def venue(exchange: Exchange, params: Params) -> Json:
    """Return markets that are open, the book of `symbol` (else of the first), and the logins of `userIds`."""
    markets = [_market(exchange, contract_id) for contract_id in exchange.floor.contract_ids()]
    symbol = params.text("symbol") or (markets[0]["symbol"] if markets else "")
    users = [exchange.state.records.get(User, user_id) for user_id in params.integers("userIds") or []]
    return {
        "paused": exchange.floor.paused,
        "markets": markets,
        "book": _book(exchange, symbol),
        "logins": [_login(exchange, user) for user in users if user is not None],
    }


def _market(exchange: Exchange, contract_id: int) -> Json:
    listing = exchange.state.listing(contract_id)
    entries = exchange.quote_of(contract_id)["entries"]
    return {
        "symbol": listing.name,
        "product": listing.spec.facts.name,
        "last": entries["Trade"]["price"],
        "bid": entries["Bid"]["price"],
        "offer": entries["Offer"]["price"],
        "decimals": _decimals(listing),
        "volume": entries["TotalTradeVolume"]["size"],
    }


def _book(exchange: Exchange, symbol: str) -> Json:
    listing = exchange.state.catalogue.find(symbol)
    if listing is None or not exchange.floor.known(listing.id):
        return {"symbol": symbol, "decimals": 0, "bids": [], "offers": []}
    shown = exchange.dom_of(listing.id)
    return {
        "symbol": listing.name,
        "decimals": _decimals(listing),
        "bids": shown["bids"][:_LEVELS],
        "offers": shown["offers"][:_LEVELS],
    }


def _decimals(listing: Listing) -> int:
    return max(0, -int(listing.spec.tick.as_tuple().exponent))


def _login(exchange: Exchange, user: User) -> Json:
    accounts = exchange.state.records.of_master(Account, user.id)
    return {
        "userId": user.id,
        "name": user.name,
        "sockets": len(exchange.hub.of_user(user.id)),
        "offline": user.id in exchange.faults.offline,
        "penalty": exchange.faults.armed(user.id, Trouble.PENALTY),
        "accounts": [_account(exchange, account) for account in accounts],
    }


def _account(exchange: Exchange, account: Account) -> Json:
    state = exchange.state
    cash, profit = state.cash(account.id).amount, state.open_profit(account.id)
    positions = [row for row in state.records.of_master(Position, account.id) if row.net_pos]
    return {
        "accountId": account.id,
        "name": account.name,
        "cash": number(cash),
        "openPnL": number(profit),
        "working": len(list(state.alive(account.id))),
        "positions": [
            {"symbol": state.listing(row.contract_id).name, "net": row.net_pos} for row in positions
        ],
        "reject": bool(state.next_rejects[account.id]),
        "partial": bool(state.next_parts[account.id]),
    }
