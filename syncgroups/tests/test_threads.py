"""Names of leader's orders, as the log and addresses carry them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.keys import (
    CopyKey,
    Leg,
    chase_id,
    client_order_id,
    command_id,
    entry_id,
    fill_key,
    leg_id,
    manual_id,
    repair_id,
    rest_id,
)
from syncgroups.core.threads import (
    LeaderOrderName,
    is_command,
    manual_thread,
    order_of_command,
    parse_thread,
    thread_of,
    thread_of_key,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId, Symbol

KEY = client_order_id(GroupId(3), AccountId(12), OrderId(501), AccountId(7))


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        fill_key(KEY, FillId(9)),
        entry_id(KEY),
        rest_id(KEY, 2),
        chase_id(KEY),
        command_id(KEY, 4),
        command_id(rest_id(fill_key(KEY, FillId(9)), 1), 2),
    ],
)
def test_every_order_that_answers_one_of_the_leaders_is_of_its_thread(key: ClientOrderId):
    assert thread_of_key(key) == "12-501"


def test_a_manual_copy_and_its_legs_are_one_thread():
    entry = manual_id(7, AccountId(12), AccountId(8), 20, 40)
    keys = [entry, leg_id(entry, Leg.STOP_LOSS, 0), leg_id(entry, Leg.TAKE_PROFIT, 2), command_id(entry, 3)]
    assert {thread_of_key(key) for key in keys} == {manual_thread(7)}


def test_a_repair_of_an_order_is_of_its_thread_and_one_of_none_is_alone():
    whose = CopyKey(group=GroupId(3), leader=AccountId(12), leader_order=OrderId(501), follower=AccountId(7))
    assert thread_of_key(repair_id(whose, Symbol("ESZ6"), Symbol("ESZ6"), 100)) == "12-501"
    alone = CopyKey(group=GroupId(3), leader=AccountId(12), leader_order=OrderId(0), follower=AccountId(7))
    key = repair_id(alone, Symbol("ESZ6"), Symbol("ESZ6"), 100)
    assert thread_of_key(key) == key
    assert thread_of_key(command_id(key, 1)) == key


@pytest.mark.parametrize("text", ["", "th-000001", "th1.g1", "12-501", "th1x.a3.ESZ6.1"])
def test_what_is_no_key_of_a_copy_has_no_thread(text: str):
    assert thread_of_key(text) == ""


@given(st.integers(1, 10**9), st.integers(1, 10**15))
def test_a_name_says_what_it_was_made_of(leader: int, order: int):
    assert parse_thread(thread_of(leader, order)) == LeaderOrderName(
        leader=AccountId(leader), order=OrderId(order)
    )
    assert parse_thread(manual_thread(order)) == LeaderOrderName(leader=None, order=OrderId(order))


@pytest.mark.parametrize(
    "text", ["", "12", "-501", "12-", "12-501-3", "m", "x7", KEY, "1" * 19 + "-1", "٣-٤"]
)
def test_another_text_is_no_name(text: str):
    assert parse_thread(text) is None


def test_commands_are_told_from_orders():
    assert is_command(command_id(KEY, 1))
    assert not is_command(KEY)
    assert order_of_command(command_id(KEY, 1)) == KEY
    assert order_of_command(KEY) == KEY
