"""Gates and limits for tests."""

from factory.declarations import LazyAttribute, SubFactory
from factory.django import DjangoModelFactory

from brokers.tests.factories import AccountFactory
from risk.models import AccountRisk, Gate, GateKind


class GateFactory(DjangoModelFactory[Gate]):
    """An open gate over an account."""

    class Meta:
        model = Gate

    kind = GateKind.ACCOUNT


class AccountRiskFactory(DjangoModelFactory[AccountRisk]):
    """An account's gate, without limits."""

    class Meta:
        model = AccountRisk

    account = SubFactory(AccountFactory)
    gate = LazyAttribute(lambda risk: GateFactory(owner=risk.account.connection.owner))
