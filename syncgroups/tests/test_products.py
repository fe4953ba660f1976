"""Settings for single products of a follower: the service, the page, and what the engine makes of them."""

from decimal import Decimal
from fractions import Fraction

import pytest
from django.urls import reverse

from accounts.models import User
from brokers.models import Account
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
