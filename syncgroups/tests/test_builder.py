"""The builder: one form for a whole group, previewed without a write, saved in one piece or not at all."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from brokers.models import Account, Connection, StatedLimits
from brokers.tests.factories import QuoteFactory
from risk.core.rules import Caps, DayLimit, Rules
from risk.services.gates import ensure_account_risk, halt
from syncgroups.models import Activity, Follower, ProductRule, Quarantine, SyncGroup
from syncgroups.services import builder, groups, guardrails
from syncgroups.services.builder import GroupDraft, MemberDraft
from syncgroups.services.groups import FollowerSettings, GroupSettings
from syncgroups.services.products import ProductSettings
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from syncgroups.tests.test_guardrail_pages import standing_of
from tradehaven.domain.enums import SizingMode
from tradehaven.domain.errors import InvalidInput

NEW, PREVIEW = reverse("syncgroups:create"), reverse("syncgroups:preview")
RULES = {
    "mode": "immediate",
    "rest_after": 5,
    "rest_entries": "wait",
    "rest_exits": "market",
    "rest_slack": 4,
    "hours": "all",
    "drift_policy": "observe",
    "drift_cap": 1,
    "drift_ticks": 8,
    "imagined-side": "buy",
    "imagined-qty": 3,
    "imagined-symbol": "NQ",
}


@pytest.fixture
def three(alice: User) -> list[Account]:
    found = accounts(alice, "A", "B", "C")
    Connection.objects.update(link_up=True)
    return found


@pytest.fixture
def group(three: list[Account]) -> SyncGroup:
    made: SyncGroup = GroupFactory.create(leader=three[0], name="Scalps")
    FollowerFactory.create(group=made, account=three[1])
    return made


def typed(leader: Account, *followers: Account, **more: object) -> dict[str, object]:
    """Return the form of a group as a browser sends it."""
    form: dict[str, object] = RULES | {"name": "NQ", f"{leader.pk}-role": "leader"}
    for account in followers:
        form |= of(account, role="follower", sizing="ratio", ratio="1")
    return form | {name.replace("__", "-"): value for name, value in more.items()}


def of(account: Account, **fields: object) -> dict[str, object]:
    return {f"{account.pk}-{name.replace('__', '-')}": value for name, value in fields.items()}


def test_a_group_is_made_in_one_piece(alice_client: Client, three: list[Account]):
    form = typed(three[0], *three[1:], instruments="nq, MNQ", hours="rth", mode="confirmed", entry_slack=2)
    form |= of(three[1], sizing="fixed", fixed_qty=2, max_contracts=6)
    form |= of(three[2], ratio="0.5", reverse="on")
    form |= of(three[2], p0__product="nq", p0__copied="on", p0__trades="mnq", p0__ratio="2")
    form |= of(three[2], p1__product="", p1__copied="on")
    answer = alice_client.post(NEW, form)
    made = SyncGroup.objects.get()
    assert answer.headers["Location"] == reverse("syncgroups:detail", args=[made.public_id])
    assert (made.leader, made.instruments) == (three[0], ["MNQ", "NQ"])
    assert (made.hours, made.mode) == ("rth", "confirmed")
    assert (made.entry_slack, made.active) == (2, False)
    first, second = made.followers.all()
    assert (first.account, first.sizing, first.fixed_qty, first.max_contracts) == (three[1], "fixed", 2, 6)
    assert (second.ratio, second.reverse) == (Decimal("0.5"), True)
    rule = second.products.get()
    assert (rule.product, rule.trades, rule.ratio) == ("NQ", "MNQ", Decimal(2))


def test_a_group_is_changed_in_one_piece(alice_client: Client, group: SyncGroup, three: list[Account]):
    ProductRule.objects.create(follower=group.followers.get(), product="ES")
    form = typed(three[1], three[0], name="Renamed", hours="eth", rest_after=9, rest_entries="cancel")
    answer = alice_client.post(reverse("syncgroups:edit", args=[group.public_id]), form)
    assert answer.status_code == 302
    group.refresh_from_db()
    assert (group.name, group.leader, group.hours) == ("Renamed", three[1], "eth")
    assert (group.rest_after, group.rest_entries) == (9, "cancel")
    assert [row.account for row in group.followers.all()] == [three[0]]


def test_what_stays_is_not_written_again(alice_client: Client, group: SyncGroup, three: list[Account]):
    form = typed(three[0], three[1], name="Scalps")
    assert alice_client.post(reverse("syncgroups:edit", args=[group.public_id]), form).status_code == 302
    assert not Activity.objects.exists()
    form |= {f"{three[1].pk}-ratio": "2"}
    alice_client.post(reverse("syncgroups:edit", args=[group.public_id]), form)
    assert [line.text for line in Activity.objects.all()] == ["B has new sizing in group Scalps"]


def test_products_come_and_go(alice: User, group: SyncGroup, three: list[Account]):
    def save(*rules: ProductSettings) -> list[str]:
        member = MemberDraft(account=three[1], settings=FollowerSettings(), products=rules)
        draft = GroupDraft(leader=three[0], settings=groups.settings_of(group), members=(member,))
        builder.save_draft(alice, draft, group)
        return sorted(group.followers.get().products.values_list("product", flat=True))

    assert save(ProductSettings(product="ES"), ProductSettings(product="NQ", copied=False)) == ["ES", "NQ"]
    Activity.objects.all().delete()
    assert save(ProductSettings(product="ES"), ProductSettings(product="NQ", copied=False)) == ["ES", "NQ"]
    assert not Activity.objects.exists()
    assert save(ProductSettings(product="NQ", copied=False, sizing=SizingMode.FIXED)) == ["NQ"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instruments": "DOGE"}, "DOGE"),
        ({"rest_after": "0"}, "1 to 3600"),
        ({"rest_exits": "cancel"}, "After that, an exit"),
        ({"B-ratio": "0"}, "B: Ratio"),
        ({"B-ratio": "abc"}, "B: Ratio"),
        ({"B-ratio": ""}, "B: Ratio"),
        ({"B-max_contracts": "0"}, "B: Cap"),
        ({"B-sizing": "fixed", "B-fixed_qty": "0"}, "B: Fixed quantity"),
        ({"B-p0-product": "DOGE", "B-p0-copied": "on"}, "DOGE is not a product we know"),
        ({"B-p0-product": "NQ", "B-p0-trades": "ES"}, "not another size of NQ"),
        ({"B-p0-product": "NQ", "B-p0-ratio": "x"}, "B, NQ: Ratio"),
        ({"B-p0-product": "NQ", "B-p1-product": "nq"}, "NQ is named twice"),
        ({"A-role": ""}, "Choose one account that leads"),
        ({"B-role": "leader"}, "Choose one account that leads"),
    ],
)
def test_what_is_wrong_is_said_with_its_name_on_both_doors(
    alice_client: Client, three: list[Account], change: dict[str, object], said: str
):
    numbers = {account.name: str(account.pk) for account in three}
    form = typed(three[0], three[1])
    for name, value in change.items():
        whose, _, rest = name.partition("-")
        form[f"{numbers[whose]}-{rest}" if whose in numbers else name] = value
    answer = alice_client.post(NEW, form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert said in alice_client.post(PREVIEW, form).content.decode()
    assert not SyncGroup.objects.exists()


def test_a_name_is_needed_to_save_and_not_to_look(alice_client: Client, three: list[Account]):
    form = typed(three[0], three[1]) | {"name": " "}
    assert shown(alice_client, form)["B"].qty == 3
    answer = alice_client.post(NEW, form)
    assert answer.status_code == 422
    assert "This field is required" in answer.content.decode()


def test_a_loop_is_explained_before_it_is_saved(alice_client: Client, group: SyncGroup, three: list[Account]):
    form = typed(three[1], three[0])
    for url in (PREVIEW, NEW):
        page = alice_client.post(url, form).content.decode()
        assert "A → B → A" in page
        assert "Take one of these out" in page


def test_who_leads_elsewhere_cannot_lead_here_but_may_follow(
    alice_client: Client, group: SyncGroup, three: list[Account]
):
    assert "already leads Scalps" in alice_client.post(NEW, typed(three[0], three[2])).content.decode()
    assert alice_client.post(NEW, typed(three[2], three[0])).status_code == 302
    page = alice_client.get(NEW).content.decode()
    assert "Leads Scalps" in page


def test_a_strangers_account_or_group_is_out_of_reach(
    alice_client: Client, bob_client: Client, bob: User, group: SyncGroup, three: list[Account]
):
    (foreign,) = accounts(bob, "BOB-SECRET")
    page = alice_client.post(NEW, typed(foreign, three[1]))
    assert page.status_code == 422
    assert "BOB-SECRET" not in page.content.decode()
    form = typed(foreign) | {"group": group.public_id}
    assert bob_client.post(PREVIEW, form).status_code == 404
    draft = GroupDraft(leader=three[2], settings=GroupSettings(name="x"))
    with pytest.raises(InvalidInput, match="no such account"):
        builder.check_draft(bob, draft)
    member = MemberDraft(account=foreign, settings=FollowerSettings())
    with pytest.raises(InvalidInput) as caught:
        builder.check_draft(group.owner, replace(draft, members=(member,)))
    assert caught.value.field == f"{foreign.pk}-account"


def test_an_unconfirmed_person_is_told_what_to_do(alice_client: Client, alice: User, three: list[Account]):
    EmailAddress.objects.filter(user=alice).update(verified=False)
    answer = alice_client.post(NEW, typed(three[0], three[1]))
    assert answer.status_code == 403
    assert "Confirm your e-mail address" in answer.content.decode()


def test_a_leader_may_be_chosen_by_the_address(alice_client: Client, three: list[Account]):
    form = alice_client.get(NEW, {"leader": three[1].pk}).context["form"]
    assert [member.account for member in form.leaders] == [three[1]]
    for odd in ("x", "٣", "9" * 30):
        assert alice_client.get(NEW, {"leader": odd}).context["form"].leaders == []


def test_an_old_group_is_shown_as_it_is(alice_client: Client, group: SyncGroup, three: list[Account]):
    row = group.followers.get()
    Follower.objects.filter(pk=row.pk).update(ratio="0.25", max_contracts=3)
    ProductRule.objects.create(follower=row, product="NQ", trades="MNQ")
    Account.objects.filter(pk=three[1].pk).update(active=False)
    answer = alice_client.get(reverse("syncgroups:edit", args=[group.public_id]))
    form = answer.context["form"]
    assert [member.account.name for member in form.leaders] == ["A"]
    (member,) = form.followers
    assert (member["ratio"].value(), member["max_contracts"].value()) == ("0.25", 3)
    assert [rule.root for rule in member.rules] == ["NQ", ""]
    assert [found.account.name for found in form.available] == ["C"]
    assert "cannot trade" in answer.content.decode()


def shown(client: Client, form: dict[str, object]) -> dict[str, Any]:
    answer = client.post(PREVIEW, form)
    assert answer.status_code == 200
    preview = answer.context["preview"]
    assert preview is not None, answer.content.decode()
    return {row.name: row.share for row in preview.shares}


def test_a_preview_follows_what_is_typed(alice_client: Client, three: list[Account]):
    form = typed(three[0], *three[1:])
    before = shown(alice_client, form)
    assert {name: (share.qty, share.calls) for name, share in before.items()} == {"B": (3, 1), "C": (3, 1)}
    form |= of(three[1], ratio="0.5", max_contracts=1) | of(three[2], p0__product="NQ", p0__trades="MNQ")
    form[f"{three[2].pk}-p0-copied"] = "on"
    after = shown(alice_client, form)
    assert (after["B"].qty, after["B"].reason) == (1, None) or after["B"].qty <= 1
    assert after["C"].symbol.startswith("MNQ")
    assert after["C"].qty == 30
    skipped = shown(alice_client, form | of(three[1], ratio="0.1"))["B"]
    assert (skipped.qty, skipped.reason) == (0, "rounds_to_zero")


def test_a_preview_writes_nothing(alice_client: Client, group: SyncGroup, three: list[Account]):
    form = typed(three[0], *three[1:]) | {"group": group.public_id}
    with CaptureQueriesContext(connection) as asked:
        assert set(shown(alice_client, form)) == {"B", "C"}
    reads = ("SELECT", "SAVEPOINT", "RELEASE", 'UPDATE "usersessions')  # the last: when they were last seen
    written = [one["sql"] for one in asked if not one["sql"].startswith(reads)]
    assert written == []
    assert group.followers.count() == 1
    assert not Activity.objects.exists()
    assert not AuditEvent.objects.filter(action="group_changed").exists()


def test_a_saved_group_previews_as_it_will_copy(alice_client: Client, group: SyncGroup, three: list[Account]):
    form = typed(three[0], three[1]) | {"group": group.public_id}
    symbol = alice_client.post(PREVIEW, form).context["preview"].symbol
    Quarantine.objects.create(group=group, account=three[1], symbol=symbol)
    assert shown(alice_client, form)["B"].reason == "quarantined"
    Quarantine.objects.all().delete()
    group.gate.state = "halted"
    group.gate.save()
    assert shown(alice_client, form)["B"].reason == "kill_switch"


def test_who_joins_a_group_is_under_its_rules(
    alice_client: Client, alice: User, group: SyncGroup, three: list[Account]
):
    members, _ = guardrails.ensure_group_books(group)
    guardrails.change(book=members, wished=Rules(caps=Caps(instrument=2)), by=alice)
    form = typed(three[0], three[2]) | {"group": group.public_id}
    assert shown(alice_client, form)["C"].reason == "max_position"
    elsewhere = typed(three[1], three[2])
    assert shown(alice_client, elsewhere)["C"].qty == 3


def test_what_the_broker_has_locked_opens_nothing(alice_client: Client, three: list[Account]):
    form = typed(three[0], three[1])
    StatedLimits.objects.create(account=three[1], state="halted", because="daily loss", at=timezone.now())
    assert shown(alice_client, form)["B"].reason == "broker_lock"


def test_positions_balances_links_and_gates_are_todays(
    alice_client: Client, alice: User, three: list[Account]
):
    form = typed(three[0], three[1]) | of(three[1], sizing="balance")
    Account.objects.filter(pk=three[1].pk).update(cash=Decimal(150_000))
    Account.objects.filter(pk=three[0].pk).update(cash=Decimal(50_000))
    assert shown(alice_client, form)["B"].qty == 9
    symbol = shown(alice_client, form)["B"].symbol
    three[0].positions.create(symbol=symbol, net=2, updated_at=timezone.now())
    sold = shown(alice_client, form | {"imagined-side": "sell", "imagined-qty": 2})["B"]
    assert sold.reason == "nothing_to_reduce"
    halt(gate=three[1].risk.gate, by=alice, reason="test", flatten=False)
    assert shown(alice_client, form)["B"].reason == "kill_switch"
    Connection.objects.update(link_up=False)
    page = alice_client.post(PREVIEW, form).content.decode()
    assert "no connection to its broker" in page
    assert "Nothing is sent" in page


def test_who_has_a_daily_limit_is_previewed_by_where_the_day_stands(
    alice_client: Client, alice: User, three: list[Account]
):
    book = ensure_account_risk(three[1], alice.pk).book
    guardrails.change(book=book, wished=Rules(daily_loss=DayLimit(amount=Decimal(500))), by=alice)
    form = typed(three[0], three[1])
    assert shown(alice_client, form)["B"].reason == "standing_unknown"
    standing_of(three[1], -100)
    Account.objects.filter(pk=three[1].pk).update(cash=Decimal(49_900), balance_at=timezone.now())
    assert (shown(alice_client, form)["B"].qty, shown(alice_client, form)["B"].reason) == (3, None)
    symbol = shown(alice_client, form)["B"].symbol
    three[1].positions.create(symbol=symbol, net=1, price=Decimal(18_000), updated_at=timezone.now())
    assert shown(alice_client, form)["B"].reason == "standing_unknown"  # what it holds has no price
    QuoteFactory.create(environment="paper", symbol=symbol, bid=71_999, ask=72_001, last=72_000)
    assert shown(alice_client, form)["B"].reason is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"imagined-symbol": "NOSUCH"}, "NOSUCH"),
        ({"imagined-qty": "0"}, "Contracts"),
        ({"imagined-symbol": ""}, "Of"),
    ],
)
def test_an_imagined_order_that_cannot_be_is_named(
    alice_client: Client, three: list[Account], change: dict[str, object], said: str
):
    page = alice_client.post(PREVIEW, typed(three[0], three[1]) | change).content.decode()
    assert said in page
    assert "Nothing is sent" not in page


def test_a_dated_contract_is_previewed_as_it_is_named(alice_client: Client, three: list[Account]):
    form = typed(three[0], three[1]) | {"imagined-symbol": "esh7"}
    assert shown(alice_client, form)["B"].symbol == "ESH7"


def test_many_accounts_cost_no_more_questions(
    alice_client: Client, alice: User, group: SyncGroup, django_assert_max_num_queries: Any
):
    for account in accounts(alice, *[f"X{number}" for number in range(20)]):
        FollowerFactory.create(group=group, account=account)
    with django_assert_max_num_queries(14):
        alice_client.get(reverse("syncgroups:edit", args=[group.public_id]))
