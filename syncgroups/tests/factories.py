"""Groups, followers and copies for tests."""

from datetime import timedelta

import factory
from django.utils import timezone

from brokers.tests.factories import AccountFactory
from risk.models import GateKind
from risk.tests.factories import GateFactory
from syncgroups.core.copies import CopyState
from syncgroups.models import Activity, ActivityKind, CopiedOrder, Follower, SyncGroup
from tradehaven.domain.enums import OrderType, Side


class GroupFactory(factory.django.DjangoModelFactory):
    """A group that is off and has no followers."""

    class Meta:
        model = SyncGroup

    name = factory.Sequence(lambda number: f"Group {number}")
    leader = factory.SubFactory(AccountFactory)
    owner = factory.SelfAttribute("leader.connection.owner")
    gate = factory.LazyAttribute(lambda group: GateFactory(owner=group.owner, kind=GateKind.GROUP))


class FollowerFactory(factory.django.DjangoModelFactory):
    """A follower, one to one."""

    class Meta:
        model = Follower

    group = factory.SubFactory(GroupFactory)
    account = factory.LazyAttribute(lambda row: AccountFactory(connection=row.group.leader.connection))


class CopyFactory(factory.django.DjangoModelFactory):
    """A market order that was copied and filled in a few milliseconds."""

    class Meta:
        model = CopiedOrder

    key = factory.Sequence(lambda number: f"th-{number:06d}")
    group = factory.SubFactory(GroupFactory)
    owner = factory.SelfAttribute("group.owner")
    leader = factory.SelfAttribute("group.leader")
    leader_order_id = 501
    follower = factory.LazyAttribute(lambda row: AccountFactory(connection=row.group.leader.connection))
    symbol = "ESZ6"
    side = Side.BUY
    order_type = OrderType.MARKET
    qty = 1
    filled = 1
    state = CopyState.ENDED
    outcome = "filled"
    body = factory.LazyFunction(dict)
    received_at = factory.LazyFunction(timezone.now)
    decided_at = factory.LazyAttribute(lambda row: row.received_at + timedelta(microseconds=310))
    written_at = factory.LazyAttribute(lambda row: row.received_at + timedelta(microseconds=620))
    acknowledged_at = factory.LazyAttribute(lambda row: row.received_at + timedelta(milliseconds=48))
    filled_at = factory.LazyAttribute(lambda row: row.received_at + timedelta(milliseconds=71))


class ActivityFactory(factory.django.DjangoModelFactory):
    """A line of the log."""

    class Meta:
        model = Activity

    at = factory.LazyFunction(timezone.now)
    kind = ActivityKind.COPY_SENT
    text = factory.Sequence(lambda number: f"Line {number}")
