"""Logins, accounts and what brokers state of them, for tests."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory

from accounts.tests.factories import UserFactory
from brokers.models import Account, Connection, ConnectionStatus, Fill, Lease, Position, Quote
from tradehaven.domain.calendar import trade_date
from tradehaven.domain.enums import Environment, Side
from tradehaven.domain.instruments import SessionTemplate


class ConnectionFactory(DjangoModelFactory[Connection]):
    """A login whose socket is up."""

    class Meta:
        model = Connection

    owner = SubFactory(UserFactory)
    environment = Environment.PAPER
    broker_user_id = Sequence(lambda number: 7000 + number)
    name = Sequence(lambda number: f"login{number}")
    status = ConnectionStatus.ACTIVE
    link_up = True
    link_changed_at = LazyFunction(timezone.now)
    token_expires_at = LazyFunction(lambda: timezone.now() + timedelta(hours=1))


class AccountFactory(DjangoModelFactory[Account]):
    """An account with money and no positions."""

    class Meta:
        model = Account

    connection = SubFactory(ConnectionFactory)
    broker_account_id = Sequence(lambda number: 8000 + number)
    name = Sequence(lambda number: f"ACC-{number}")
    cash = Decimal(50_000)
    realized = Decimal(0)
    balance_at = LazyFunction(timezone.now)


class PositionFactory(DjangoModelFactory[Position]):
    """Two contracts long."""

    class Meta:
        model = Position

    account = SubFactory(AccountFactory)
    symbol = "ESZ6"
    net = 2
    price = Decimal("5000.25")
    updated_at = LazyFunction(timezone.now)


class QuoteFactory(DjangoModelFactory[Quote]):
    """A price that was just said, in ticks of a quarter point."""

    class Meta:
        model = Quote

    environment = Environment.PAPER
    symbol = "ESZ6"
    bid = 20_005
    ask = 20_006
    last = 20_005
    quoted_at = LazyFunction(timezone.now)


class FillFactory(DjangoModelFactory[Fill]):
    """One contract bought now."""

    class Meta:
        model = Fill

    account = SubFactory(AccountFactory)
    broker_fill_id = Sequence(lambda number: 90_000 + number)
    broker_order_id = Sequence(lambda number: 80_000 + number)
    symbol = "ESZ6"
    side = Side.BUY
    qty = 1
    ticks = 20_001
    price = Decimal("5000.25")
    traded_at = LazyFunction(timezone.now)
    trade_date = LazyAttribute(lambda fill: trade_date(fill.traded_at, SessionTemplate.EQUITY))


class LeaseFactory(DjangoModelFactory[Lease]):
    """An engine that is alive."""

    class Meta:
        model = Lease
        django_get_or_create = ("shard",)

    shard = "main"
    holder = "test"
    beat_at = LazyFunction(timezone.now)
