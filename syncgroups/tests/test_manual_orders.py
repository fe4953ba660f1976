"""Asking for a manual copy: whose accounts, which fields, one key for one order; and what became of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.access import NotAllowed
from accounts.models import User
from accounts.tests.factories import UserFactory, confirm
from brokers.models import Account, EngineStamp
from brokers.tests.factories import AccountFactory
from syncgroups.engine import plans
from syncgroups.models import Activity, ManualCopy
from syncgroups.selectors.manual import ManualStatus, manual_copies_of, manual_copy_for, results_of
from syncgroups.services.manual import Asked, copy_order
from syncgroups.tests.plans import LEADER
from syncgroups.tests.rows import THREE, TWO, settle_in
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TimeInForce
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.events import OrderAsked
from tradehaven.domain.ids import OwnerId

pytestmark = pytest.mark.django_db
BUY = Side.BUY


@pytest.fixture
def owner(alice: User) -> User:
    settle_in(alice)
    confirm(alice)
    return alice


def _account(number: int) -> Account:
    return Account.objects.get(pk=number)


def _ask(owner: User, *followers: int, key: str = "", leader: int = LEADER, **order: Any) -> ManualCopy:
    chosen = [_account(number) for number in followers or (TWO, THREE)]
    fields: dict[str, Any] = {"symbol": "ESZ6", "side": BUY, "qty": 2} | order
    asked = Asked(**fields)
    return copy_order(owner=owner, leader=_account(leader), followers=chosen, order=asked, key=key)


def test_an_order_is_a_row_that_the_engine_finds(owner: User) -> None:
    _ask(owner, TWO)
    before = EngineStamp.objects.get(owner=owner).version
    copy = _ask(owner, THREE, TWO, TWO, symbol="esz2026", stop_loss=20, take_profit=40)
    assert copy.public_id.startswith("cp_")
    assert EngineStamp.objects.get(owner=owner).version > before
    (_, asked) = plans.settings_of(OwnerId(owner.pk)).asked
    assert isinstance(asked, OrderAsked)
    assert (asked.number, asked.leader, asked.followers) == (copy.pk, LEADER, (TWO, THREE))
    assert (asked.symbol, asked.side, asked.spec.qty) == ("ESZ6", BUY, 2)
    assert (asked.stop_loss, asked.take_profit) == (20, 40)
    assert "Manual copy of buy 2 ESZ6 for" in Activity.objects.latest("pk").text


def test_an_order_that_is_found_late_is_never_sent_and_says_so(owner: User) -> None:
    copy = _ask(owner)
    now = timezone.now()
    assert {result.status for result in results_of(copy, now)} == {ManualStatus.WAITING}
    ManualCopy.objects.update(created_at=now - timedelta(seconds=61))
    assert plans.settings_of(OwnerId(owner.pk)).asked == ()
    copy.refresh_from_db()
    (first, _) = results_of(copy, now + timedelta(seconds=10))
    assert (first.status, first.code) == (ManualStatus.STALE, RefusalReason.STALE)
    assert (first.order_id, first.qty) == (None, 0)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"qty": 0}, "qty"),
        ({"qty": 100_001}, "qty"),
        ({"symbol": "NOPE"}, "symbol"),
        ({"symbol": "ES"}, "symbol"),
        ({"order_type": OrderType.LIMIT}, "limit"),
        ({"order_type": OrderType.STOP_LIMIT, "limit": 1}, "stop"),
        ({"order_type": OrderType.MIT, "stop": 1}, "order_type"),
        ({"limit": 20000}, "limit"),
        ({"stop": 20000}, "stop"),
        ({"tif": TimeInForce.GTD}, "tif"),
        ({"stop_loss": 0}, "stop_loss"),
        ({"take_profit": -5}, "take_profit"),
        ({"take_profit": 100_001}, "take_profit"),
        ({"key": "k" * 81}, "key"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_ordered(owner: User, order: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _ask(owner, **order)
    assert refused.value.field == field
    assert refused.value.message.endswith(".")
    assert not ManualCopy.objects.exists()


def test_resting_orders_keep_their_prices(owner: User) -> None:
    copy = _ask(owner, order_type=OrderType.STOP_LIMIT, stop=20010, limit=20012, tif=TimeInForce.GTC)
    spec = copy.spec
    assert (spec.order_type, spec.stop, spec.limit, spec.tif) == ("stop_limit", 20010, 20012, "gtc")


def test_only_followers_of_this_leader_can_be_chosen(owner: User) -> None:
    other = AccountFactory.create(pk=77, connection=_account(TWO).connection, name="SPARE")
    for chosen, told in (((TWO, other.pk), "SPARE does not follow"), ((TWO, LEADER), "does not follow")):
        with pytest.raises(InvalidInput, match=told) as refused:
            _ask(owner, *chosen)
        assert refused.value.field == "followers"
    with pytest.raises(InvalidInput, match="leads no group"):
        _ask(owner, leader=TWO)
    with pytest.raises(InvalidInput, match="at least one"):
        copy_order(
            owner=owner, leader=_account(LEADER), followers=[], order=Asked(symbol="ESZ6", side=BUY, qty=1)
        )


def test_a_strangers_accounts_are_nobodys_to_trade(owner: User, bob: User) -> None:
    strange = AccountFactory.create(pk=77, connection__owner=bob, name="SECRET")
    for chosen, leader, field in (((strange.pk,), LEADER, "followers"), ((TWO,), strange.pk, "leader")):
        with pytest.raises(InvalidInput) as refused:
            _ask(owner, *chosen, leader=leader)
        assert refused.value.field == field
        assert "SECRET" not in refused.value.message
    confirm(bob)
    with pytest.raises(InvalidInput):
        _ask(bob)
    assert not ManualCopy.objects.exists()


def test_an_unconfirmed_address_orders_nothing() -> None:
    person = UserFactory.create(verified=False)
    settle_in(person)
    with pytest.raises(NotAllowed):
        _ask(person)


def test_one_key_is_one_order(owner: User) -> None:
    first = _ask(owner, key="mine-1")
    assert _ask(owner, key="mine-1") == first
    assert ManualCopy.objects.count() == 1
    for other in ({"qty": 3}, {"stop_loss": 5}, {"side": Side.SELL}):
        with pytest.raises(InvalidInput, match=first.public_id) as refused:
            _ask(owner, key="mine-1", **other)
        assert refused.value.field == "key"
    with pytest.raises(InvalidInput):
        _ask(owner, TWO, key="mine-1")
    assert _ask(owner, key="mine-2") != first
    _account(TWO).follows.all().delete()
    assert _ask(owner, key="mine-1") == first
    with pytest.raises(InvalidInput, match="does not follow"):
        _ask(owner, key="mine-3")
    assert _ask(owner, THREE) != _ask(owner, THREE)


def test_a_copy_is_its_owners_alone(owner: User, bob: User) -> None:
    copy = _ask(owner)
    assert manual_copy_for(owner, copy.public_id) == copy
    assert list(manual_copies_of(owner)) == [copy]
    assert not manual_copies_of(bob).exists()
    with pytest.raises(Http404):
        manual_copy_for(bob, copy.public_id)
