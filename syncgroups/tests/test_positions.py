"""Positions find an account's own, and are not changed by a question."""

from collections import defaultdict

from syncgroups.core.positions import Positions
from syncgroups.tests.plans import ES, LEADER
from tradehaven.domain.ids import AccountId, Symbol

OTHER = AccountId(7)
NQ = Symbol("NQZ6")


def test_a_contract_that_nobody_spoke_of_is_flat_and_stays_unspoken_of() -> None:
    positions = Positions(defaultdict(dict))
    assert positions[LEADER, ES] == 0
    assert (dict(positions), positions.of(LEADER)) == ({}, {})


def test_each_account_has_its_own_contracts() -> None:
    positions = Positions(defaultdict(dict))
    positions[LEADER, ES] += 2
    positions[OTHER, NQ] -= 1
    positions[LEADER, ES] -= 2
    assert positions.of(LEADER) == {ES: 0}, "known to be flat"
    assert positions.of(OTHER) == {NQ: -1}
    del positions[LEADER, ES]
    assert (positions.of(LEADER), dict(positions)) == ({}, {(OTHER, NQ): -1})
