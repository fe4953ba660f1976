"""A preview from rows: what the engine would do, as far as the database knows what the engine knows."""

from dataclasses import dataclass
from datetime import datetime

from brokers.models import Account, Connection, Position
from syncgroups.core.book import Book
from syncgroups.core.folding import fold
from syncgroups.core.preview import Preview, Previewed, preview
from syncgroups.engine.books import book_of
from syncgroups.engine.plans import settings_of
from syncgroups.models import SyncGroup
from tradehaven.domain.contracts import parse_contract
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.errors import InvalidInput, UnknownInstrument
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos, OwnerId, Symbol
from tradehaven.domain.orders import MAX_ORDER_QTY, OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedShare:
    """A follower's share beside its name."""

    name: str
    share: Previewed


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPreview:
    """A preview with the names of accounts and logins, for a page."""

    symbol: Symbol
    shares: tuple[NamedShare, ...]
    calls: tuple[tuple[str, int], ...]


def preview_of(group: SyncGroup, *, symbol: str, side: Side, qty: int, now: datetime) -> NamedPreview:
    """Return what a market order of the group's leader would become now; raise `InvalidInput`."""
    if not 0 < qty <= MAX_ORDER_QTY:
        raise InvalidInput("qty", f"A quantity is 1 to {MAX_ORDER_QTY} contracts.")
    try:
        contract = parse_contract(symbol, now.date()).code
    except UnknownInstrument as error:
        raise InvalidInput("symbol", str(error)) from None
    owner = OwnerId(group.owner_id)
    settings = settings_of(owner)
    plan = next(found for found in settings.plan.groups if found.group == group.pk)
    book = _book_now(owner)
    for gate in settings.gates:
        fold(book, gate)
    spec = OrderSpec(order_type=OrderType.MARKET, qty=qty)
    at = Nanos(int(now.timestamp()) * 1_000_000_000)
    return _named(group, contract, preview(settings.plan, book, plan, contract, side, spec, at))


def _book_now(owner: OwnerId) -> Book:
    """Return the book as a start would make it, with what the brokers said last instead of snapshots."""
    book = book_of(owner)
    links = Connection.objects.filter(owner_id=owner, link_up=True).values_list("pk", flat=True)
    book.links.update(ConnectionId(link) for link in links)
    for row in Position.objects.filter(account__connection__owner_id=owner).exclude(net=0):
        book.positions[AccountId(row.account_id), Symbol(row.symbol)] = row.net
    for account in Account.objects.filter(connection__owner_id=owner).exclude(cash=None):
        book.sizing_balances[AccountId(account.pk)] = account.cash
    return book


def _named(group: SyncGroup, symbol: Symbol, found: Preview) -> NamedPreview:
    accounts = dict(Account.objects.filter(follows__group=group).values_list("pk", "name"))
    logins = dict(Connection.objects.filter(pk__in=list(found.calls)).values_list("pk", "name"))
    return NamedPreview(
        symbol=symbol,
        shares=tuple(NamedShare(name=accounts[share.follower], share=share) for share in found.shares),
        calls=tuple((logins[login], count) for login, count in found.calls.items() if count),
    )
