"""Groups, followers and copies for tests."""

from datetime import timedelta
from typing import Any

import msgspec
from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from brokers.tests.factories import AccountFactory
from risk.models import GateKind
from risk.tests.factories import GateFactory
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.differences import DriftKind
from syncgroups.models import Activity, ActivityKind, CopiedOrder, Drift, Follower, SyncGroup
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec


class GroupFactory(DjangoModelFactory[SyncGroup]):
    """A group that is off and has no followers."""

    class Meta:
        model = SyncGroup

    name = Sequence(lambda number: f"Group {number}")
    leader = SubFactory(AccountFactory)
    owner = SelfAttribute("leader.connection.owner")
    gate = LazyAttribute(lambda group: GateFactory.create(owner=group.owner, kind=GateKind.GROUP))


class FollowerFactory(DjangoModelFactory[Follower]):
    """A follower, one to one."""

    class Meta:
        model = Follower

    group = SubFactory(GroupFactory)
    account = LazyAttribute(lambda row: AccountFactory.create(connection=row.group.leader.connection))


def _body_of(row: Any) -> dict[str, Any]:
    """Return the engine's own record of a copy, from which a start or a preview makes its book."""
    spec = OrderSpec(order_type=OrderType.MARKET, qty=row.qty)
    copy = Copy(
        key=ClientOrderId(row.key),
        group=GroupId(row.group.pk if row.group is not None else 0),
        leader=AccountId(row.leader.pk),
        leader_order=OrderId(row.leader_order_id),
        follower=AccountId(row.follower.pk),
        symbol=Symbol(row.symbol),
        side=Side(row.side),
        target=spec,
        sent=spec,
        enters=row.qty,
        state=CopyState(row.state),
        filled=row.filled,
    )
    return dict(msgspec.to_builtins(copy))


class CopyFactory(DjangoModelFactory[CopiedOrder]):
    """A market order that was copied and filled in a few milliseconds."""

    class Meta:
        model = CopiedOrder

    key = Sequence(lambda number: f"th-{number:06d}")
    group = SubFactory(GroupFactory)
    owner = SelfAttribute("group.owner")
    leader = SelfAttribute("group.leader")
    leader_order_id = 501
    follower = LazyAttribute(lambda row: AccountFactory.create(connection=row.group.leader.connection))
    symbol = "ESZ6"
    side = Side.BUY
    order_type = OrderType.MARKET
    qty = 1
    filled = 1
    state = CopyState.ENDED
    outcome = "filled"
    body = LazyAttribute(lambda row: _body_of(row))
    received_at = LazyFunction(timezone.now)
    decided_at = LazyAttribute(lambda row: row.received_at + timedelta(microseconds=310))
    written_at = LazyAttribute(lambda row: row.received_at + timedelta(microseconds=620))
    acknowledged_at = LazyAttribute(lambda row: row.received_at + timedelta(milliseconds=48))
    filled_at = LazyAttribute(lambda row: row.received_at + timedelta(milliseconds=71))


class ActivityFactory(DjangoModelFactory[Activity]):
    """A line of the log."""

    class Meta:
        model = Activity

    at = LazyFunction(timezone.now)
    kind = ActivityKind.COPY_SENT
    text = Sequence(lambda number: f"Line {number}")


class DriftFactory(DjangoModelFactory[Drift]):
    """A follower that was left behind with two contracts."""

    class Meta:
        model = Drift

    group = SubFactory(GroupFactory)
    owner = LazyAttribute(lambda row: row.group.owner)
    account = LazyAttribute(lambda row: AccountFactory.create(connection=row.group.leader.connection))
    name = Sequence(lambda number: f"left_behind.g1.f{number}.ESZ6.o0")
    kind = DriftKind.LEFT_BEHIND
    symbol = "ESZ6"
    expected = 0
    actual = 2
    detail = "the leader is flat, the follower still holds +2"
    remedy = "sell 2 ESZ6 at the market; leaves it flat"
    since = LazyFunction(timezone.now)
