"""Gates and limits for tests."""

from factory.declarations import LazyAttribute, SubFactory
from factory.django import DjangoModelFactory

from brokers.tests.factories import AccountFactory
from risk.models import AccountRisk, Gate, GateKind, RuleBook, RuleScope


class GateFactory(DjangoModelFactory[Gate]):
    """An open gate over an account."""

    class Meta:
        model = Gate

    kind = GateKind.ACCOUNT


class RuleBookFactory(DjangoModelFactory[RuleBook]):
    """Rules that ask for nothing."""

    class Meta:
        model = RuleBook

    scope = RuleScope.ACCOUNT


class AccountRiskFactory(DjangoModelFactory[AccountRisk]):
    """An account's gate, without limits."""

    class Meta:
        model = AccountRisk

    account = SubFactory(AccountFactory)
    gate = LazyAttribute(lambda risk: GateFactory.create(owner=risk.account.connection.owner))
    book = LazyAttribute(lambda risk: RuleBookFactory.create(owner=risk.account.connection.owner))
