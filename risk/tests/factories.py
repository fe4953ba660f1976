"""Gates and limits for tests."""

import factory

from brokers.tests.factories import AccountFactory
from risk.models import AccountRisk, Gate, GateKind


class GateFactory(factory.django.DjangoModelFactory):
    """An open gate over an account."""

    class Meta:
        model = Gate

    kind = GateKind.ACCOUNT


class AccountRiskFactory(factory.django.DjangoModelFactory):
    """An account's gate, without limits."""

    class Meta:
        model = AccountRisk

    account = factory.SubFactory(AccountFactory)
    gate = factory.LazyAttribute(lambda risk: GateFactory(owner=risk.account.connection.owner))
