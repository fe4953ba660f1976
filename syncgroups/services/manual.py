"""One order for chosen followers, asked for by a person or a program (COPY-11).

The row is the order: the engine finds it as it finds a click, and one found later than a minute is never
sent. What became of it is `selectors.manual`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.access import require_verified
from accounts.models import User
from brokers.models import Account, EngineStamp
from brokers.services.stamps import touch
from syncgroups.models import ActivityKind, ManualCopy, ManualShare, SyncGroup
from syncgroups.services.activity import note
from syncgroups.services.plans import require_plan
from tradehaven.domain.contracts import parse_contract
from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.errors import InvalidInput, InvalidOrder, UnknownInstrument
from tradehaven.domain.ids import Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec, check_spec

WIDEST_OFFSET = 100_000
LONGEST_KEY = 80
TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT})
WAITS = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK})
LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a manual copy orders: prices in ticks of the leader's contract, offsets of each follower's."""

    symbol: str
    side: Side
    qty: int
    order_type: OrderType = OrderType.MARKET
    limit: int | None = None
    stop: int | None = None
    tif: TimeInForce = TimeInForce.DAY
    stop_loss: int | None = None
    take_profit: int | None = None


@transaction.atomic
def copy_order(
    *, owner: User, leader: Account, followers: Collection[Account], order: Asked, key: str = ""
) -> ManualCopy:
    """Order for these followers what their leader did not place; raise `InvalidInput` naming field and fix.

    The same `key` with the same order returns the copy that is there already. What each follower gets is
    decided by the engine within a second, by the rules of any copied entry.
    """
    require_verified(owner)
    # One at a time for each owner: two calls with one key at the same moment make one copy.
    EngineStamp.objects.get_or_create(owner=owner)
    EngineStamp.objects.select_for_update().get(owner=owner)
    if len(key) > LONGEST_KEY:
        raise InvalidInput("key", f"A key has at most {LONGEST_KEY} characters, this one has {len(key)}.")
    symbol = _symbol_of(order)
    _check(order)
    columns = _columns(order, symbol)
    known = ManualCopy.objects.filter(owner=owner, key=key).first() if key else None
    if known is not None:  # also where somebody has left the group since
        return _same(known, leader, followers, columns)
    require_plan(owner)
    group = _group_of(owner, leader)
    chosen = _chosen(group, leader, followers)
    made = ManualCopy.objects.create(owner=owner, group=group, leader=leader, key=key, **columns)
    ManualShare.objects.bulk_create([ManualShare(copy=made, account=account) for account in chosen])
    touch(owner.pk)
    text = f"Manual copy of {made} for {', '.join(str(account) for account in chosen)} asked for by {owner}"
    note(owner.pk, ActivityKind.GROUP, text[:300], group=group, account=leader)
    return made


def _symbol_of(order: Asked) -> Symbol:
    try:
        return parse_contract(order.symbol, timezone.now().date()).code
    except UnknownInstrument as error:
        raise InvalidInput("symbol", f"{error.message}.") from None


def _check(order: Asked) -> None:
    if order.order_type not in TYPES:
        raise InvalidInput("order_type", f"Use one of: {', '.join(sorted(TYPES))}.")
    if order.tif not in WAITS:
        raise InvalidInput("tif", f"Use one of: {', '.join(sorted(WAITS))}.")
    if order.limit is not None and order.order_type not in LIMITED:
        raise InvalidInput("limit", f"A {order.order_type} order has no limit price; leave it out.")
    if order.stop is not None and order.order_type not in STOPPED:
        raise InvalidInput("stop", f"A {order.order_type} order has no stop price; leave it out.")
    for field, offset in (("stop_loss", order.stop_loss), ("take_profit", order.take_profit)):
        if offset is not None and not 0 < offset <= WIDEST_OFFSET:
            raise InvalidInput(field, f"An offset is 1 to {WIDEST_OFFSET} ticks, got {offset}.")
    try:
        check_spec(_spec(order))
    except InvalidOrder as error:
        raise InvalidInput(error.field, f"{error.message[:1].upper()}{error.message[1:]}.") from None


def _spec(order: Asked) -> OrderSpec:
    return OrderSpec(
        order_type=order.order_type,
        qty=order.qty,
        limit=None if order.limit is None else Ticks(order.limit),
        stop=None if order.stop is None else Ticks(order.stop),
        tif=order.tif,
    )


def _columns(order: Asked, symbol: Symbol) -> dict[str, object]:
    return {
        "symbol": symbol,
        "side": order.side,
        "qty": order.qty,
        "order_type": order.order_type,
        "limit_ticks": order.limit,
        "stop_ticks": order.stop,
        "tif": order.tif,
        "stop_loss": order.stop_loss,
        "take_profit": order.take_profit,
    }


def _group_of(owner: User, leader: Account) -> SyncGroup:
    if leader.connection.owner_id != owner.pk:
        raise InvalidInput("leader", "This is none of your accounts; choose one of your own.")
    group = SyncGroup.objects.filter(owner=owner, leader=leader).first()
    if group is None:
        raise InvalidInput("leader", f"{leader} leads no group; choose an account that leads one.")
    return group


def _chosen(group: SyncGroup, leader: Account, followers: Collection[Account]) -> list[Account]:
    if not followers:
        raise InvalidInput("followers", "Choose at least one follower.")
    allowed = set(group.followers.values_list("account_id", flat=True))
    for account in followers:
        if account.connection.owner_id != group.owner_id:
            raise InvalidInput("followers", "One of these is none of your accounts; choose your own.")
        if account.pk not in allowed:
            raise InvalidInput("followers", f"{account} does not follow {leader}; add it to {group} first.")
    return sorted(set(followers), key=lambda account: account.pk)


def _same(
    known: ManualCopy, leader: Account, followers: Collection[Account], columns: dict[str, object]
) -> ManualCopy:
    """Return the copy that was made under a key before, if it is the same order."""
    accounts = set(known.shares.values_list("account_id", flat=True))
    alike = all(getattr(known, name) == value for name, value in columns.items())
    if not alike or known.leader_id != leader.pk or accounts != {account.pk for account in followers}:
        raise InvalidInput("key", f"This key was used for another order, {known.public_id}; use a new one.")
    return known
