"""An owner's settings as a frozen value: what is in force when, and who is watched."""

from dataclasses import replace
from typing import Any

import pytest

from risk.core.rules import NO_RULES, Caps, Rules
from syncgroups.core.plan import AccountPlan, TotalPlan
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.ids import AccountId, ConnectionId, GroupId, Nanos

ME, OTHER = AccountId(2), AccountId(3)
STRICT, LOOSE = Rules(caps=Caps(instrument=1)), Rules(caps=Caps(instrument=9))
LATER = Nanos(1_000)


def account(**settings: Any) -> AccountPlan:
    return AccountPlan(account=ME, connection=ConnectionId(1), gates=(gate_of(ME),), **settings)


@pytest.mark.parametrize(("now", "rules"), [(999, STRICT), (1_000, LOOSE), (1_001, LOOSE)])
def test_what_was_loosened_is_in_force_from_its_moment_on(now: int, rules: Rules) -> None:
    both = {"rules": STRICT, "later": (LATER, LOOSE)}
    assert account(**both).rules_at(Nanos(now)) is rules
    assert TotalPlan(name="all", accounts=(ME,), **both).rules_at(Nanos(now)) is rules  # type: ignore[arg-type]


def test_without_anything_to_come_the_rules_are_those_that_are() -> None:
    assert account(rules=STRICT).rules_at(Nanos(5_000)) is STRICT
    assert TotalPlan(name="all", accounts=(ME,), rules=STRICT).rules_at(Nanos(5_000)) is STRICT


def test_a_follower_has_the_terms_of_a_product_or_its_own() -> None:
    micro = follower(2, product="MES")
    mine = follower(2, products={"ES": micro})
    assert mine.for_product("ES") is micro
    assert mine.for_product("NQ") is mine
    assert micro.for_product("ES") is micro


def test_groups_are_found_by_their_leader_and_by_their_number() -> None:
    first, second = group_of(follower(2)), group_of(follower(3), leader=ME, group=GroupId(10))
    plan = plan_of(first, second)
    assert plan.led == {LEADER: first, ME: second}
    assert plan.numbered == {GROUP: first, GroupId(10): second}


def test_contracts_in_quarantine_are_known_with_group_and_account() -> None:
    plan = plan_of(group_of(follower(2, quarantined=frozenset({ES})), follower(3)))
    assert plan.quarantined == {(GROUP, ME, ES)}


def test_only_accounts_that_a_rule_asks_about_are_watched() -> None:
    plan = plan_of(group_of(follower(2), follower(3)))
    assert plan.watched == {}
    ruled = replace(plan.accounts[ME], rules=STRICT)
    assert replace(plan, accounts={**plan.accounts, ME: ruled}).watched == {ME: ()}
    coming = replace(plan.accounts[ME], rules=NO_RULES, later=(LATER, STRICT))
    assert replace(plan, accounts={**plan.accounts, ME: coming}).watched == {ME: ()}
    total = TotalPlan(name="all", accounts=(ME, OTHER), rules=STRICT)
    assert replace(plan, totals=(total,)).watched == {ME: (total,), OTHER: (total,)}
