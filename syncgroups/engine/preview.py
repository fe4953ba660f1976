"""A preview from rows: what the engine would do, as far as the database knows what the engine knows."""

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from brokers.models import Account, Connection, Position, Quote, StatedLimits
from syncgroups.core import accounting
from syncgroups.core.book import Book
from syncgroups.core.folding import fold
from syncgroups.core.plan import GroupPlan, OwnerPlan
from syncgroups.core.preview import Preview, Previewed, preview
from syncgroups.engine.books import book_of
from syncgroups.engine.drafts import drafted
from syncgroups.engine.plans import Settings, nanos, settings_of
from syncgroups.models import SyncGroup
from syncgroups.services.builder import GroupDraft, check_draft
from tradehaven.domain.contracts import front, parse_contract
from tradehaven.domain.enums import Environment, OrderType, Side, TradingState
from tradehaven.domain.errors import InvalidInput, UnknownInstrument
from tradehaven.domain.events import (
    AccountSnapshot,
    BalanceReported,
    LimitsReported,
    PositionReported,
    PriceMoved,
)
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos, OwnerId, Symbol
from tradehaven.domain.instruments import product
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import MAX_ORDER_QTY, OrderSpec

_SAID = [found.name for found in fields(LimitsReported) if found.name not in ("account", "at", "state")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imagined:
    """A market order that a leader does not place. `symbol` may be a product alone: its front contract."""

    symbol: str
    side: Side
    qty: int


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


def preview_of_draft(
    owner: User, draft: GroupDraft, group: SyncGroup | None, order: Imagined, now: datetime
) -> NamedPreview:
    """Return what a market order would become in a group as drafted; raise `InvalidInput` as saving would.

    Nothing is written: the draft becomes a plan, and the engine's own code is asked with it.
    """
    check_draft(owner, draft, group)
    contract = _contract(order, now)
    settings = settings_of(OwnerId(owner.pk))
    plan, made = drafted(settings.plan, draft, group, now)
    return _named(_previewed(settings, plan, made, contract, order, now), contract)


def _contract(order: Imagined, now: datetime) -> Symbol:
    if not 0 < order.qty <= MAX_ORDER_QTY:
        raise InvalidInput("qty", f"A quantity is 1 to {MAX_ORDER_QTY} contracts.")
    text = order.symbol.strip().upper()
    try:
        return front(product(text), now.date()).code
    except UnknownInstrument:
        pass  # no product's name: then it is a contract's
    try:
        return parse_contract(text, now.date()).code
    except UnknownInstrument as error:
        raise InvalidInput("symbol", str(error)) from None


def _previewed(
    settings: Settings, plan: OwnerPlan, group: GroupPlan, contract: Symbol, order: Imagined, now: datetime
) -> Preview:
    book = _book_now(plan.owner, contract)
    for gate in settings.gates:
        fold(book, gate)
    spec = OrderSpec(order_type=OrderType.MARKET, qty=order.qty)
    at = Nanos(int(now.timestamp()) * 1_000_000_000)
    return preview(plan, book, group, contract, order.side, spec, at)


def _book_now(owner: OwnerId, contract: Symbol) -> Book:
    """Return the book as a start would make it, with what the brokers said last instead of snapshots."""
    book = book_of(owner)
    links = Connection.objects.filter(owner_id=owner, link_up=True).values_list("pk", flat=True)
    book.links.update(ConnectionId(link) for link in links)
    stated: dict[int, list[PositionReported]] = defaultdict(list)
    for row in Position.objects.filter(account__connection__owner_id=owner).exclude(net=0):
        held = _position(row)
        book.positions[held.account, held.symbol] = row.net
        stated[row.account_id].append(held)
    for account in Account.objects.filter(connection__owner_id=owner).exclude(cash=None):
        balance = _balance(account)
        book.sizing_balances[balance.account] = balance.cash
        known = AccountSnapshot(
            account=balance.account,
            orders=(),
            fills=(),
            positions=tuple(stated[account.pk]),
            balance=balance,
        )
        accounting.snapshot_taken(book, known)
    for said in StatedLimits.objects.filter(account__connection__owner_id=owner):
        fold(book, _limits(said))
    for quote in Quote.objects.filter(symbol__in={symbol for _, symbol in book.positions} | {contract}):
        fold(book, _price(quote))
    return book


def _position(row: Position) -> PositionReported:
    return PositionReported(
        account=AccountId(row.account_id),
        symbol=Symbol(row.symbol),
        net=row.net,
        price=row.price,
        at=nanos(row.updated_at),
    )


def _balance(account: Account) -> BalanceReported:
    return BalanceReported(
        account=AccountId(account.pk),
        cash=account.cash or Decimal(0),
        realized=account.realized,
        at=nanos(account.balance_at),
    )


def _limits(row: StatedLimits) -> LimitsReported:
    said = {name: getattr(row, name) for name in _SAID}
    state = TradingState(row.state)
    return LimitsReported(account=AccountId(row.account_id), at=nanos(row.at), state=state, **said)


def _price(quote: Quote) -> PriceMoved:
    bid, ask, last = (None if ticks is None else Ticks(ticks) for ticks in (quote.bid, quote.ask, quote.last))
    return PriceMoved(
        environment=Environment(quote.environment),
        symbol=Symbol(quote.symbol),
        bid=bid,
        ask=ask,
        last=last,
        at=nanos(quote.quoted_at),
    )


def _named(found: Preview, symbol: Symbol) -> NamedPreview:
    followers = [share.follower for share in found.shares]
    accounts = dict(Account.objects.filter(pk__in=followers).values_list("pk", "name"))
    logins = dict(Connection.objects.filter(pk__in=list(found.calls)).values_list("pk", "name"))
    return NamedPreview(
        symbol=symbol,
        shares=tuple(NamedShare(name=accounts[share.follower], share=share) for share in found.shares),
        calls=tuple((logins[login], count) for login, count in found.calls.items() if count),
    )
