"""A migration that moves data moves all of it, there and back."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("risk", "0003_presses_and_lockouts"), ("syncgroups", "0012_flatten_asked")]
AFTER = [("risk", "0006_rules_are_required"), BEFORE[1]]


def _at(target: list[tuple[str, str]]) -> Any:
    """Migrate these apps to their targets, and return the models of everything as of then."""
    executor = MigrationExecutor(connection)
    named = {app for app, _ in BEFORE}
    nodes = target + [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] not in named]
    executor.migrate(nodes)
    return MigrationExecutor(connection).loader.project_state(nodes).apps


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_the_largest_position_moves_into_the_rules_and_back() -> None:
    everything = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        old = _at(BEFORE)
        person = old.get_model("accounts", "User").objects.create(email="old@example.com")
        login = old.get_model("brokers", "Connection").objects.create(
            owner=person, name="one", broker_user_id=1
        )
        for number, most in ((1, 4), (2, None)):
            account = old.get_model("brokers", "Account").objects.create(
                connection=login, name=str(number), broker_account_id=number
            )
            gate = old.get_model("risk", "Gate").objects.create(owner=person, kind="account")
            old.get_model("risk", "AccountRisk").objects.create(account=account, gate=gate, max_position=most)
        new = _at(AFTER)
        rules = new.get_model("risk", "RuleBook").objects.order_by("pk").values_list("rules", flat=True)
        assert list(rules) == [{"caps": {"instrument": 4}}, {}]
        back = _at(BEFORE).get_model("risk", "AccountRisk").objects.order_by("pk")
        assert list(back.values_list("max_position", flat=True)) == [4, None]
    finally:
        MigrationExecutor(connection).migrate(everything)
