"""A trader with accounts, for the tests of services and pages."""

from accounts.models import User
from accounts.tests.factories import confirm
from brokers.models import Account
from brokers.tests.factories import AccountFactory, ConnectionFactory
from risk.tests.factories import AccountRiskFactory


def accounts(owner: User, *names: str, **login: object) -> list[Account]:
    """Return accounts of one login of a person, who is confirmed by it, each with its gate."""
    confirm(owner)
    connection = ConnectionFactory(owner=owner, **login)
    made = [AccountFactory(connection=connection, name=name) for name in names]
    for account in made:
        AccountRiskFactory(account=account)
    return made
