"""Settings for single products of a follower: the service, the page, and what the engine makes of them."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account
from risk.services.gates import halt
from syncgroups.engine.plans import settings_of
from syncgroups.models import Activity, Follower, ProductRule, SyncGroup
from syncgroups.services.products import ProductSettings, remove_product, set_product
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import SizingMode
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.ids import OwnerId


@pytest.fixture
def pair(alice: User) -> list[Account]:
    return accounts(alice, "A", "B")


@pytest.fixture
def follower(pair: list[Account]) -> Follower:
    group: SyncGroup = GroupFactory.create(leader=pair[0], name="Scalps")
    made: Follower = FollowerFactory.create(group=group, account=pair[1])
    return made


def _address(name: str, follower: Follower, *more: str) -> str:
    return reverse(f"syncgroups:{name}", args=[follower.group.public_id, follower.account_id, *more])


def test_a_rule_reaches_the_engines_plan(follower: Follower, alice: User):
    set_product(follower, settings=ProductSettings(product="ES", trades="MES", ratio=Decimal("0.5")))
    set_product(follower, settings=ProductSettings(product="NQ", copied=False))
    follower.reverse = True
    follower.save()
    (group,) = settings_of(OwnerId(alice.pk)).plan.groups
    (plan,) = group.followers
    mini = plan.for_product("ES")
    assert (mini.product, mini.ratio, mini.reverse) == ("MES", Fraction(1, 2), True)
    assert not plan.for_product("NQ").copies
    assert plan.for_product("CL").product is None
    assert plan.for_product("CL").copies


def test_figures_of_its_own_win_over_the_followers(follower: Follower, alice: User):
    rule = ProductSettings(product="ES", sizing=SizingMode.FIXED, fixed_qty=3, max_contracts=4)
    assert set_product(follower, settings=rule).size_in_words == "3 fixed"
    (group,) = settings_of(OwnerId(alice.pk)).plan.groups
    plan = group.followers[0].for_product("ES")
    assert (plan.sizing, plan.fixed_qty, plan.max_contracts) == (SizingMode.FIXED, 3, 4)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (ProductSettings(product="DOGE"), "product"),
        (ProductSettings(product="ES", trades="MNQ"), "trades"),
        (ProductSettings(product="ES", trades="DOGE"), "trades"),
        (ProductSettings(product="ES", ratio=Decimal(0)), "ratio"),
        (ProductSettings(product="ES", sizing=SizingMode.FIXED, fixed_qty=0), "fixed_qty"),
        (ProductSettings(product="ES", max_contracts=0), "max_contracts"),
    ],
)
def test_what_cannot_be_names_its_field(follower: Follower, settings: ProductSettings, field: str):
    with pytest.raises(InvalidInput) as caught:
        set_product(follower, settings=settings)
    assert caught.value.field == field
    assert not ProductRule.objects.exists()


def test_the_true_partner_is_named(follower: Follower):
    with pytest.raises(InvalidInput, match="that is SIL"):
        set_product(follower, settings=ProductSettings(product="SI", trades="MES"))


def test_a_product_traded_as_itself_needs_no_mapping(follower: Follower):
    rule = set_product(follower, settings=ProductSettings(product="ES", trades="ES", ratio=Decimal(2)))
    assert (rule.trades, rule.size_in_words) == ("", "ratio 2")


def test_a_second_setting_replaces_the_first_and_can_be_taken_back(follower: Follower):
    set_product(follower, settings=ProductSettings(product="ES", trades="MES"))
    set_product(follower, settings=ProductSettings(product="ES", sizing=SizingMode.BALANCE))
    (rule,) = follower.products.all()
    assert (rule.trades, rule.size_in_words) == ("", "by balance")
    remove_product(follower, root="ES")
    remove_product(follower, root="ES")
    assert not follower.products.exists()
    assert Activity.objects.filter(text__contains="like every other product").count() == 1


def test_the_page_sets_shows_and_removes(alice_client: Client, follower: Follower):
    answer = alice_client.post(
        _address("product-set", follower), {"product": "es", "trades": "mes", "copied": "on"}
    )
    assert answer.status_code == 302
    page = alice_client.get(reverse("syncgroups:detail", args=[follower.group.public_id])).content.decode()
    assert "<td>MES</td>" in page
    assert alice_client.post(_address("product-remove", follower, "ES")).status_code == 302
    assert not follower.products.exists()


def test_bad_input_is_told_and_changes_nothing(alice_client: Client, follower: Follower):
    address = _address("product-set", follower)
    answer = alice_client.post(address, {"product": ""}, follow=True)
    assert "Leader&#x27;s product" in answer.content.decode()
    answer = alice_client.post(address, {"product": "ES", "trades": "CL", "copied": "on"})
    assert answer.status_code == 400
    assert "CL is not another size of ES" in answer.content.decode()
    assert not ProductRule.objects.exists()


@pytest.mark.parametrize(("name", "more"), [("product-set", ()), ("product-remove", ("ES",))])
def test_strangers_find_nothing_and_reading_changes_nothing(
    alice_client: Client, bob_client: Client, follower: Follower, pair: list[Account], name: str, more
):
    set_product(follower, settings=ProductSettings(product="ES", trades="MES"))
    address = _address(name, follower, *more)
    assert bob_client.post(address, {"product": "NQ"}).status_code == 404
    assert alice_client.get(address).status_code == 405
    wrong = reverse(f"syncgroups:{name}", args=[follower.group.public_id, pair[0].pk, *more])
    assert alice_client.post(wrong, {"product": "NQ"}).status_code == 404
    assert follower.products.get().product == "ES"


def test_small_ratios_are_warned_of_where_they_come_to_nothing(alice_client: Client, follower: Follower):
    address = reverse("syncgroups:detail", args=[follower.group.public_id])
    assert "rounds down to none" not in alice_client.get(address).content.decode()
    Follower.objects.update(ratio=Decimal("0.5"))
    assert "rounds down to none" in alice_client.get(address).content.decode()
    SyncGroup.objects.update(mode="confirmed")
    assert "rounds down to none" not in alice_client.get(address).content.decode()


# -- the preview on the group's page ----------------------------------------------------------------


def _preview(client: Client, follower: Follower, **typed: Any):
    address = reverse("syncgroups:preview", args=[follower.group.public_id])
    asked: dict[str, Any] = {"side": "buy", "qty": 2, "symbol": "ESZ6"}
    return client.get(address, asked | typed)


def test_a_preview_names_each_followers_order(alice_client: Client, follower: Follower):
    set_product(follower, settings=ProductSettings(product="ES", trades="MES"))
    follower.account.connection.link_up = True
    follower.account.connection.save()
    page = _preview(alice_client, follower).content.decode()
    assert "BUY 20 MESZ6" in page
    assert "Nothing was sent" in page


def test_a_preview_says_why_somebody_is_left_out(alice_client: Client, follower: Follower):
    follower.account.connection.link_up = False
    follower.account.connection.save()
    assert "no connection to its broker" in _preview(alice_client, follower).content.decode()


@pytest.mark.parametrize(
    ("typed", "field"), [({"symbol": "DOGE"}, "symbol"), ({"qty": 0}, "qty"), ({"qty": 999_999}, "qty")]
)
def test_a_preview_of_nonsense_names_the_field(
    alice_client: Client, follower: Follower, typed: dict[str, Any], field: str
):
    answer = _preview(alice_client, follower, **typed)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_a_strangers_preview_does_not_exist(bob_client: Client, alice_client: Client, follower: Follower):
    assert _preview(bob_client, follower).status_code == 404
    address = reverse("syncgroups:preview", args=[follower.group.public_id])
    assert alice_client.post(address).status_code == 405


def test_a_preview_knows_gates_positions_and_balances(alice_client: Client, follower: Follower, alice: User):
    Follower.objects.update(sizing=SizingMode.BALANCE)
    account, leader = follower.account, follower.group.leader
    account.connection.link_up = True
    account.connection.save()
    Account.objects.filter(pk=account.pk).update(cash=Decimal(150_000))
    Account.objects.filter(pk=leader.pk).update(cash=Decimal(50_000))
    leader.positions.create(symbol="ESZ6", net=2, updated_at=timezone.now())
    assert "BUY 6 ESZ6" in _preview(alice_client, follower).content.decode()
    assert (
        "it holds nothing that this exit closes"
        in _preview(alice_client, follower, side="sell").content.decode()
    )
    halt(gate=account.risk.gate, by=alice, reason="test", flatten=False)
    assert "the kill switch is on" in _preview(alice_client, follower).content.decode()
