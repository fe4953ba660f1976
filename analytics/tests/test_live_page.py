"""The live page: its numbers, its doors, and how often it asks the database."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from analytics.live.parts import ALL, parts_of, render_parts
from analytics.selectors import dashboard
from brokers.models import Account, Lease
from brokers.tests.factories import FillFactory, LeaseFactory, PositionFactory, QuoteFactory
from risk.services.gates import ensure_owner_gate, halt
from syncgroups.tests.factories import ActivityFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.live.messages import Topic

LIVE = reverse("analytics:live")


@pytest.fixture
def pair(alice: User) -> list[Account]:
    made = accounts(alice, "LEAD", "FOLLOW")
    LeaseFactory.create()
    return made


def test_realized_is_summed_over_today_only(alice: User, pair: list[Account]):
    Account.objects.filter(pk=pair[0].pk).update(realized=Decimal("120.50"))
    Account.objects.filter(pk=pair[1].pk).update(
        realized=Decimal(999), balance_at=timezone.now() - timedelta(days=5)
    )
    assert dashboard(alice).overview.realized == Decimal("120.50")


def test_open_positions_are_priced_by_fresh_quotes(alice: User, pair: list[Account]):
    PositionFactory.create(account=pair[0])
    QuoteFactory.create(environment="paper")
    live = dashboard(alice)
    assert live.overview.unrealized == Decimal(100)
    card = next(card for card in live.cards if card.account == pair[0])
    assert (card.unrealized, card.positions[0].now) == (Decimal(100), "5001.25")
    assert card.today == Decimal(100)


@pytest.mark.parametrize(
    "quote",
    [{"environment": "demo"}, {"quoted_at": timezone.now() - timedelta(minutes=1)}, {"symbol": "NQZ6"}],
)
def test_a_position_without_fresh_price_of_its_own_place_is_not_guessed(
    alice, pair, quote: dict[str, object]
):
    PositionFactory.create(account=pair[0])
    QuoteFactory.create(**({"environment": "paper"} | quote))
    live = dashboard(alice)
    assert (live.overview.unrealized, live.overview.unpriced) == (Decimal(0), 1)
    assert next(card for card in live.cards if card.account == pair[0]).today is None


def test_a_contract_that_we_do_not_know_is_shown_and_not_priced(alice: User, pair: list[Account]):
    PositionFactory.create(account=pair[0], symbol="WEIRDZ6", price=None)
    assert dashboard(alice).overview.unpriced == 1


def test_flat_positions_are_not_shown(alice: User, pair: list[Account]):
    PositionFactory.create(account=pair[0], net=0)
    assert all(not card.positions for card in dashboard(alice).cards)


def test_trades_and_active_groups_are_counted(alice: User, pair: list[Account]):
    FillFactory.create(account=pair[0])
    FillFactory.create(account=pair[1])
    FillFactory.create(account=pair[1], trade_date=timezone.now().date() - timedelta(days=9))
    GroupFactory.create(leader=pair[0], active=True)
    overview = dashboard(alice).overview
    assert (overview.trades, overview.groups_active, overview.groups) == (2, 1, 1)


def test_roles_and_colours_follow_the_groups(alice: User, pair: list[Account]):
    group = GroupFactory.create(leader=pair[0], active=True, name="Scalps")
    FollowerFactory.create(group=group, account=pair[1])
    cards = {card.account.name: card for card in dashboard(alice).cards}
    assert (cards["LEAD"].leads, cards["FOLLOW"].follows) == ("Scalps", ("Scalps",))
    assert {card.status.colour for card in cards.values()} == {"green"}
    halt(gate=ensure_owner_gate(alice.pk), by=alice, reason="", flatten=False)
    assert {card.status.word for card in dashboard(alice).cards} == {"Killed"}


@pytest.mark.parametrize(("age", "late"), [(0, False), (60, True), (None, True)])
def test_an_engine_that_is_silent_is_announced(alice: User, pair: list[Account], age: int | None, late: bool):
    beat = None if age is None else timezone.now() - timedelta(seconds=age)
    Lease.objects.update(beat_at=beat)
    assert dashboard(alice).overview.engine_late is late


def test_a_newcomer_is_shown_the_way(alice_client: Client):
    page = alice_client.get(LIVE).content.decode()
    assert "Confirm your e-mail address" in page
    assert "Connect an account" in page
    assert "Create a group" in page
    assert "engine is not running" not in page


def test_nothing_of_a_stranger_is_shown(alice: User, bob: User, pair: list[Account]):
    accounts(bob, "BOB-1")
    ActivityFactory.create(owner=bob, text="of bob")
    PositionFactory.create(account=pair[0])
    live = dashboard(bob)
    assert [card.account.name for card in live.cards] == ["BOB-1"]
    assert [line.text for line in live.activity.lines] == ["of bob"]
    assert live.overview.unpriced == 0


def test_the_page_asks_the_database_as_often_for_thirty_accounts_as_for_three(
    alice: User, pair: list[Account], django_assert_max_num_queries
):
    group = GroupFactory.create(leader=pair[0], active=True)
    for account in accounts(alice, *[f"X{number}" for number in range(30)]):
        PositionFactory.create(account=account)
        FollowerFactory.create(group=group, account=account)
    QuoteFactory.create(environment="paper")
    with django_assert_max_num_queries(21):
        render_parts(alice, ALL)


def test_times_are_those_of_the_readers_zone(alice: User):
    at = timezone.now().replace(hour=15, minute=30, second=0)
    ActivityFactory.create(owner=alice, at=at)
    alice.time_zone = "Asia/Tokyo"
    assert "00:30:00" in render_parts(alice, ["activity"])["activity"]


def test_older_lines_follow_without_gap_or_repeat(alice: User, alice_client: Client):
    now = timezone.now()
    for number in range(120):
        ActivityFactory.create(
            owner=alice, at=now - timedelta(seconds=number // 3), text=f"line {number:03d}."
        )
    seen: list[str] = []
    page = dashboard(alice).activity
    while True:
        seen += [line.text for line in page.lines]
        if page.older is None:
            break
        page = alice_client.get(reverse("analytics:older", args=[page.older])).context["page"]
    assert len(seen) == len(set(seen)) == 120


def test_a_strangers_cursor_shows_nothing_of_his(alice: User, alice_client: Client, bob: User):
    line = ActivityFactory.create(owner=bob, text="of bob")
    assert "of bob" not in alice_client.get(reverse("analytics:older", args=[line.pk])).content.decode()


def test_every_topic_has_parts_in_the_pages_order():
    assert parts_of(Topic) == ALL
    assert parts_of([Topic.ACCOUNTS]) == ("overview", "accounts")
    assert parts_of([Topic.GATE]) == ("overview", "accounts", "groups")
    assert parts_of([]) == ()


def test_each_part_is_one_element_with_its_id(alice: User, pair: list[Account]):
    for name, text in render_parts(alice, ALL).items():
        assert text.strip().startswith(f'<section id="{name}"')
        assert text.strip().endswith("</section>")


def test_doors(client: Client, alice_client: Client):
    assert client.get(LIVE).headers["Location"] == reverse("welcome")
    assert alice_client.post(LIVE).status_code == 405
    older = reverse("analytics:older", args=[1])
    assert client.get(older).status_code == 302
    assert alice_client.post(older).status_code == 405
