"""The pages of guardrails: seen, changed, locked, and nobody else's."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from brokers.models import Account
from brokers.tests.factories import AccountFactory
from risk.core.days import begun
from risk.core.instants import nanos
from risk.core.presets import applied, presets
from risk.core.rules import DayLimit, Rules
from risk.core.standing import Money, Standing
from risk.core.written import read
from risk.models import AccountStanding, Lockout, RuleChange
from risk.services.gates import ensure_account_risk
from risk.tests.test_forms import typed
from syncgroups.engine.records import Stood
from syncgroups.models import Activity, ActivityKind
from syncgroups.services import guardrails
from syncgroups.tests.factories import FollowerFactory, GroupFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> Account:
    return AccountFactory.create(connection__owner=alice, name="PAPER-7")


def standing_of(account: Account, profit: int) -> None:
    now = nanos(timezone.now())
    standing = Standing(money=Money(balance=Decimal(50_000 + profit)), day=begun(Decimal(50_000), now))
    body = msgspec.to_builtins(Stood(standing=standing))
    AccountStanding.objects.create(account=account, body=body, at=timezone.now())


def test_a_limit_is_set_on_the_page_and_holds_at_once(alice_client: Client, account: Account) -> None:
    url = reverse("syncgroups:risk-account", args=[account.pk])
    answer = alice_client.post(url, typed(Rules(), daily_loss__amount="750", flat__at="15:10"), follow=True)
    assert "The rules hold now" in answer.content.decode()
    rules = read(account.risk.book.rules)
    assert rules.daily_loss is not None
    assert rules.daily_loss.amount == Decimal(750)
    assert rules.flat is not None
    assert Activity.objects.filter(kind=ActivityKind.GUARDRAIL, account=account).exists()
    assert AuditEvent.objects.filter(action="limits_changed").exists()


def test_what_loosens_waits_and_the_page_says_until_when(alice_client: Client, account: Account) -> None:
    url = reverse("syncgroups:risk-account", args=[account.pk])
    alice_client.post(url, typed(Rules(), daily_loss__amount="750"))
    answer = alice_client.post(url, typed(Rules(), daily_loss__amount="900"), follow=True)
    assert "what is looser from" in answer.content.decode()
    book = ensure_account_risk(account, account.connection.owner_id).book
    strict, loose = read(book.rules).daily_loss, read(book.later or {}).daily_loss
    assert strict is not None
    assert loose is not None
    assert (strict.amount, loose.amount) == (Decimal(750), Decimal(900))
    assert [change.version for change in RuleChange.objects.order_by("pk")] == [1, 2]


def test_a_wrong_value_stands_at_its_field_and_changes_nothing(
    alice_client: Client, account: Account
) -> None:
    url = reverse("syncgroups:risk-account", args=[account.pk])
    answer = alice_client.post(url, typed(Rules(), hours="8 to noon"))
    assert answer.status_code == 422
    assert answer.context["form"].errors["hours"]
    assert not RuleChange.objects.exists()


def test_a_firms_rule_set_is_shown_with_what_would_differ_and_then_taken(
    alice_client: Client, account: Account
) -> None:
    url = reverse("syncgroups:risk-account", args=[account.pk])
    name = next(name for name in presets() if name.startswith("topstep"))
    page = alice_client.get(url, {"preset": name}).content.decode()
    assert "What would be different" in page
    assert presets()[name].seen in page
    wished = applied(presets()[name], Rules())
    alice_client.post(url, typed(wished, preset=name))
    book = ensure_account_risk(account, account.connection.owner_id).book
    assert (book.preset, read(book.rules)) == (name, wished)
    assert book.preset_version == presets()[name].version


def test_gauges_say_what_is_left(alice_client: Client, alice: User, account: Account) -> None:
    book = ensure_account_risk(account, alice.pk).book
    guardrails.change(book=book, wished=Rules(daily_loss=DayLimit(amount=Decimal(1000))), by=alice)
    standing_of(account, -800)
    for name, args in (("risk", []), ("risk-account", [account.pk])):
        page = alice_client.get(reverse(f"syncgroups:{name}", args=args)).content.decode()
        assert "80%" in page
        assert "$200.00" in page
        assert "Danger" in page


def test_an_account_that_nobody_has_heard_of_is_no_blank_page(alice_client: Client, account: Account) -> None:
    page = alice_client.get(reverse("syncgroups:risk")).content.decode()
    assert "No rules yet" in page
    assert "PAPER-7" in page
    assert (
        "Nothing was refused"
        in alice_client.get(reverse("syncgroups:risk-account", args=[account.pk])).content.decode()
    )


def test_a_lock_by_hand_holds_and_cannot_be_shortened(alice_client: Client, account: Account) -> None:
    url = reverse("syncgroups:risk-lock", args=[account.pk])
    tomorrow = timezone.now() + timedelta(days=1)
    alice_client.post(url, {"until": tomorrow.strftime("%Y-%m-%dT%H:%M"), "reason": "enough"})
    (lock,) = Lockout.objects.all()
    assert (lock.reason, lock.detail) == ("locked_out", "enough")
    sooner = timezone.now() + timedelta(hours=1)
    answer = alice_client.post(url, {"until": sooner.strftime("%Y-%m-%dT%H:%M")}, follow=True)
    assert "no lock is shortened" in answer.content.decode()
    assert Lockout.objects.count() == 1
    for wrong in ({"until": "soon"}, {"until": "2020-01-01T00:00"}):
        alice_client.post(url, wrong)
    assert Lockout.objects.count() == 1
    assert "Locked" in alice_client.get(reverse("syncgroups:risk")).content.decode()


@pytest.mark.parametrize("span", ["followers", "sum"])
def test_a_group_asks_of_its_followers_and_of_their_sum(alice_client: Client, alice: User, span: str) -> None:
    group = GroupFactory.create(leader__connection__owner=alice)
    FollowerFactory.create(group=group)
    url = reverse(f"syncgroups:risk-{span}", args=[group.public_id])
    alice_client.post(url, typed(Rules(), daily_loss__amount="2000"))
    group.refresh_from_db()
    book = group.member_rules if span == "followers" else group.total_rules
    assert book is not None
    assert read(book.rules).daily_loss is not None


def test_the_sum_of_all_accounts_has_limits_too(alice_client: Client, alice: User) -> None:
    alice_client.post(reverse("syncgroups:risk-all"), typed(Rules(), daily_loss__amount="5000"))
    assert read(alice.rule_books.get(scope="owner").rules).daily_loss is not None


def test_a_stranger_finds_nothing(client: Client, bob: User, account: Account) -> None:
    client.force_login(bob)
    group = GroupFactory.create(leader=account)
    for name, args in (
        ("risk-account", [account.pk]),
        ("risk-lock", [account.pk]),
        ("risk-followers", [group.public_id]),
        ("risk-sum", [group.public_id]),
    ):
        assert client.post(reverse(f"syncgroups:{name}", args=args)).status_code == 404
