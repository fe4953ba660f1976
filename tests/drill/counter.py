"""The broker's counter in the drill: commands carried out, and what it states of what there is."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from tests.drill.history import Image
from tests.drill.joining import stated
from tests.drill.money import Cash, Purse, purse_of
from tests.drill.venue import Holds, Venue
from tests.drill.weather import Weather
from tradehaven.domain.commands import (
    CancelOrder,
    ChangeOrder,
    ClosePosition,
    Command,
    Confirmed,
    Denied,
    Outcome,
    PlaceOrder,
    Rejected,
    Unresolved,
)
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.events import AccountSnapshot, BalanceReported, OrderFilled, PositionReported
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol


def executed(venue: Venue, weather: Weather, command: Command) -> tuple[str, OrderId | None]:
    """Let the broker carry a command out; return why it would not, and a new order's name."""
    match command:
        case PlaceOrder():
            code = weather.refuses.get(command.account, "")
            what = (command.account, command.client_order_id, command.symbol, command.side, command.spec)
            if code == "afterwards":
                return "", venue.reject(*what)
            return (code, None) if code else ("", venue.place(*what))
        case ChangeOrder():
            return venue.change(command.order_id, command.spec), None
        case CancelOrder():
            return venue.cancel(command.order_id), None
        case ClosePosition():
            venue.liquidate(command.account, command.symbol, asked=True)
            return "", None


def denied(
    command: Command,
    text: str,
    at: Nanos,
    *,
    reason: RefusalReason = RefusalReason.RATE_LIMITED,
    retry_at: Nanos | None = None,
) -> Denied:
    """Return that a command was not sent, or not looked at."""
    return Denied(
        account=command.account,
        client_order_id=command.client_order_id,
        reason=reason,
        text=text,
        at=at,
        retry_at=retry_at,
    )


def unresolved(command: Command, text: str, at: Nanos) -> Unresolved:
    """Return that no answer came."""
    return Unresolved(account=command.account, client_order_id=command.client_order_id, text=text, at=at)


def outcome(command: Command, refused: str, order_id: OrderId | None, at: Nanos) -> Outcome:
    """Return how a command turned out that the broker has looked at."""
    if refused == "RiskCheckTimeout":
        return unresolved(command, refused, at)
    account, name = command.account, command.client_order_id
    if refused:
        return Rejected(account=account, client_order_id=name, code=refused, text="", at=at)
    return Confirmed(account=account, client_order_id=name, order_id=order_id, at=at)


Purses = Callable[[AccountId], Purse | None]


def _unpriced(_account: AccountId) -> Purse | None:
    return None


def held_by(
    nets: Mapping[tuple[AccountId, Symbol], int], at: Nanos, purses: Purses = _unpriced
) -> tuple[PositionReported, ...]:
    """Return positions as the broker states them: signed contracts, at an average where there is money."""
    return tuple(
        PositionReported(
            account=account,
            symbol=symbol,
            net=net,
            price=purse.average(symbol) if (purse := purses(account)) is not None else None,
            at=at,
        )
        for (account, symbol), net in nets.items()
    )


def nets_of(fills: Iterable[OrderFilled]) -> Counter[tuple[AccountId, Symbol]]:
    """Return what fills sum to, by account and contract."""
    nets: Counter[tuple[AccountId, Symbol]] = Counter()
    for fill in fills:
        nets[fill.account, fill.symbol] += fill.qty * fill.side.sign
    return nets


def purses_of(venue: Venue, fills: Mapping[AccountId, tuple[OrderFilled, ...]]) -> Purses:
    """Return everybody's money as these fills had made it: what a list states may be older than the truth."""
    if venue.purses is None:
        return _unpriced
    starts = {account: venue.purses[account].start for account in fills}
    return lambda account: purse_of(fills[account], starts[account])


def report_of(news: Holds | Cash, at: Nanos) -> PositionReported | BalanceReported:
    """Return what the broker says by itself of a position or of cash."""
    if isinstance(news, Cash):
        return BalanceReported(account=news.account, cash=news.cash, realized=news.realized, at=at)
    return PositionReported(account=news.account, symbol=news.symbol, net=news.net, price=news.price, at=at)


def cash_of(account: AccountId, weather: Weather, at: Nanos, purse: Purse | None) -> BalanceReported:
    """Return an account's cash as the broker states it."""
    if purse is not None:
        return BalanceReported(account=account, cash=purse.cash, realized=purse.realized, at=at)
    cash = weather.balances.get(account, Decimal(50_000))
    return BalanceReported(account=account, cash=cash, realized=Decimal(0), at=at)


def all_stated(
    taken: Mapping[AccountId, list[Image]],
    fills: Mapping[AccountId, tuple[OrderFilled, ...]],
    held: Mapping[tuple[AccountId, Symbol], int],
    weather: Weather,
    at: Nanos,
    purses: Purses = _unpriced,
) -> tuple[AccountSnapshot, ...]:
    """Return each account of a login as a snapshot states it."""
    return tuple(
        stated(
            account,
            taken[account],
            fills[account],
            list(held_by({key: net for key, net in held.items() if key[0] == account}, at, purses)),
            cash_of(account, weather, at, purses(account)),
        )
        for account in taken
    )
