"""One act for many accounts: of a group, of a tag, of a folder (COPY-13)."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.http import Http404
from django.test import Client
from django.urls import reverse

from accounts.access import NotAllowed
from accounts.models import User
from accounts.tests.factories import confirm
from brokers.models import Account, TagKind
from brokers.services.labels import label_account
from risk.models import Gate
from risk.services.gates import ensure_owner_gate
from syncgroups.models import Activity, Request, SyncGroup
from syncgroups.selectors.spans import reach_of
from syncgroups.services import batch, gates
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, InFlight, Press
from tradehaven.domain.enums import Ask, BatchAct, Environment, Span, TradingState
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.ids import AccountId, ClientOrderId

ACT = reverse("syncgroups:batch")


@pytest.fixture
def members(alice: User) -> list[Account]:
    """Return a leader and two followers; the followers are tagged and lie in a folder."""
    confirm(alice)
    found = accounts(alice, "LEAD", "ONE", "TWO")
    for account in found[1:]:
        label_account(account, folder="Evals", tags={TagKind.FIRM: ["prop"], TagKind.OTHER: ["prop"]})
    return found


@pytest.fixture
def group(members: list[Account]) -> SyncGroup:
    made = GroupFactory.create(leader=members[0], active=True, name="Scalps")
    for account in members[1:]:
        FollowerFactory.create(group=made, account=account)
    return made


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Press]:
    presses: list[Press] = []
    flying = (InFlight(account=AccountId(1), client_order_id=ClientOrderId("th1.x")),)

    def tell(press: Press) -> tuple[Heard, ...]:
        presses.append(press)
        return (Heard(engine="one", state=HeardState.OBEYED, in_flight=flying),)

    monkeypatch.setattr(direct, "tell", tell)
    return presses


def states(found: list[Account]) -> list[str]:
    return [Gate.objects.get(account_risk__account=account).state for account in found]


# -- what is reached -----------------------------------------------------------------------------------


def test_each_span_reaches_what_it_names(alice: User, members: list[Account], group: SyncGroup) -> None:
    lead, one, two = members
    everything = ensure_owner_gate(alice.pk)
    found = {
        span: reach_of(alice, span, subject)
        for span, subject in (
            (Span.ACCOUNT, str(one.pk)),
            (Span.GROUP, group.public_id),
            (Span.TAG, "prop"),
            (Span.FOLDER, "Evals"),
            (Span.EVERYTHING, ""),
        )
    }
    assert {span: reach.accounts for span, reach in found.items()} == {
        Span.ACCOUNT: (one,),
        Span.GROUP: (one, two),
        Span.TAG: (one, two),
        Span.FOLDER: (one, two),
        Span.EVERYTHING: (lead, one, two),
    }
    assert found[Span.GROUP].gates == (group.gate,)
    assert found[Span.EVERYTHING].gates == (everything,)
    assert set(found[Span.TAG].gates) == {one.risk.gate, two.risk.gate}
    assert [found[span].name for span in (Span.ACCOUNT, Span.GROUP, Span.TAG)] == [
        "account ONE",
        "group Scalps",
        "tag prop",
    ]


@pytest.mark.parametrize(
    ("span", "subject"),
    [
        (Span.ACCOUNT, "0"),
        (Span.ACCOUNT, ""),
        (Span.ACCOUNT, "x"),
        (Span.ACCOUNT, "９"),
        (Span.ACCOUNT, "9" * 30),
        (Span.GROUP, "none"),
        (Span.TAG, "none"),
        (Span.TAG, ""),
        (Span.FOLDER, ""),
        (Span.FOLDER, "evals"),
    ],
)
def test_what_is_not_there_is_not_found(
    alice: User, members: list[Account], span: Span, subject: str
) -> None:
    with pytest.raises(Http404):
        reach_of(alice, span, subject)


def test_a_strangers_things_are_not_reached(
    alice: User, bob: User, members: list[Account], group: SyncGroup
) -> None:
    ensure_owner_gate(alice.pk)
    for span, subject in (
        (Span.ACCOUNT, str(members[1].pk)),
        (Span.GROUP, group.public_id),
        (Span.TAG, "prop"),
        (Span.FOLDER, "Evals"),
    ):
        with pytest.raises(Http404):
            reach_of(bob, span, subject)
    nothing = reach_of(bob, Span.EVERYTHING, "")
    assert (nothing.gates, nothing.accounts) == ((), ())


def test_live_money_is_known_of_wherever_it_takes_part(
    alice: User, members: list[Account], group: SyncGroup
) -> None:
    assert not reach_of(alice, Span.GROUP, group.public_id).holds_live
    members[0].connection.environment = Environment.LIVE
    members[0].connection.save()
    assert reach_of(alice, Span.GROUP, group.public_id).holds_live
    assert reach_of(alice, Span.EVERYTHING, "").holds_live


# -- what is done --------------------------------------------------------------------------------------


def test_a_tag_is_stopped_with_one_word_to_the_engines(
    alice: User, members: list[Account], told: list[Press]
) -> None:
    done = batch.carry_out(BatchAct.STOP, reach_of(alice, Span.TAG, "prop"), by=alice, reason="news")
    assert states(members) == ["active", "halted", "halted"]
    (press,) = told
    assert set(press.gates) == {account.risk.gate_id for account in members[1:]}
    assert (press.flatten, press.reason, done.changed) == (False, "news", 1)
    assert Activity.objects.filter(owner=alice, text__contains="Kill switch on").count() == 2


def test_a_group_is_flattened_behind_its_own_gate(
    alice: User, members: list[Account], group: SyncGroup, told: list[Press]
) -> None:
    batch.carry_out(BatchAct.FLATTEN, reach_of(alice, Span.GROUP, group.public_id), by=alice)
    group.gate.refresh_from_db()
    assert (group.gate.is_halted, group.gate.flatten) == (True, True)
    assert states(members) == ["active"] * 3
    assert told[0].flatten


def test_closing_asks_for_each_account_and_stops_nothing(
    alice: User, members: list[Account], group: SyncGroup, told: list[Press]
) -> None:
    done = batch.carry_out(BatchAct.CLOSE, reach_of(alice, Span.GROUP, group.public_id), by=alice)
    asked = Request.objects.filter(owner=alice, ask=Ask.FLATTEN).order_by("pk")
    assert [row.subject for row in asked] == [str(account.pk) for account in members[1:]]
    assert done.text == "2 accounts of group Scalps asked to be made flat."
    assert not told
    assert states(members) == ["active"] * 3


def test_a_pause_lets_only_exits_pass_until_it_ends(alice: User, members: list[Account]) -> None:
    reach = reach_of(alice, Span.TAG, "prop")
    assert batch.carry_out(BatchAct.PAUSE, reach, by=alice).changed == 2
    assert states(members) == ["active", "reducing", "reducing"]
    assert batch.carry_out(BatchAct.PAUSE, reach, by=alice).changed == 0
    assert batch.carry_out(BatchAct.RESUME, reach, by=alice).changed == 2
    assert states(members) == ["active"] * 3
    assert batch.carry_out(BatchAct.RESUME, reach, by=alice).text == "Nothing was paused for tag prop."


def test_a_pause_does_not_soften_a_kill_and_its_end_does_not_disarm(
    alice: User, members: list[Account]
) -> None:
    gates.halt(gate=members[1].risk.gate, by=alice, reason="", flatten=False)
    reach = reach_of(alice, Span.TAG, "prop")
    assert batch.carry_out(BatchAct.PAUSE, reach, by=alice).changed == 1
    assert states(members)[1:] == ["halted", "reducing"]
    assert batch.carry_out(BatchAct.RESUME, reach, by=alice).changed == 1
    assert states(members)[1:] == ["halted", "active"]


def test_limits_of_all_are_set_or_of_none(alice: User, members: list[Account]) -> None:
    reach = reach_of(alice, Span.FOLDER, "Evals")
    assert batch.carry_out(BatchAct.LIMIT, reach, by=alice, qty=3).changed == 2
    assert [account.risk.max_position for account in Account.objects.order_by("pk")] == [None, 3, 3]
    with pytest.raises(InvalidInput):
        batch.carry_out(BatchAct.LIMIT, reach, by=alice, qty=0)
    assert batch.carry_out(BatchAct.LIMIT, reach, by=alice, qty=None).changed == 2


@pytest.mark.parametrize("act", list(BatchAct))
def test_nothing_is_not_acted_on(alice: User, act: BatchAct) -> None:
    confirm(alice)
    with pytest.raises(InvalidInput):
        batch.carry_out(act, reach_of(alice, Span.EVERYTHING, ""), by=alice, qty=1)


@pytest.mark.parametrize("act", [BatchAct.CLOSE, BatchAct.RESUME])
def test_who_is_not_confirmed_may_stop_and_no_more(alice: User, act: BatchAct) -> None:
    accounts(alice, "ONE")
    EmailAddress.objects.filter(user=alice).delete()
    reach = reach_of(alice, Span.ACCOUNT, str(Account.objects.get().pk))
    with pytest.raises(NotAllowed):
        batch.carry_out(act, reach, by=alice)
    batch.carry_out(BatchAct.STOP, reach, by=alice)


# -- the page ------------------------------------------------------------------------------------------


def body(span: Span, subject: str, act: BatchAct, **more: Any) -> dict[str, Any]:
    return {"span": span, "subject": subject, "act": act, **more}


def test_the_page_of_a_tag_stops_its_accounts(
    alice_client: Client, members: list[Account], told: list[Press]
) -> None:
    page = alice_client.get(reverse("syncgroups:connections"), {"tag": "prop"}).content.decode()
    assert "All of prop at once" in page
    answer = alice_client.post(ACT, body(Span.TAG, "prop", BatchAct.FLATTEN, qty="rubbish"))
    assert answer.headers["Location"] == reverse("syncgroups:connections")
    assert states(members)[1:] == ["halted", "halted"]


def test_the_page_says_what_was_on_its_way(
    alice_client: Client, members: list[Account], told: list[Press]
) -> None:
    url = reverse("syncgroups:halt", args=[members[1].risk.gate_id])
    answer = alice_client.post(url, headers={"HX-Request": "true"})
    assert "1 order had left before and may still trade" in answer.headers["HX-Trigger"]


def test_the_page_of_a_group_sets_limits(
    alice_client: Client, members: list[Account], group: SyncGroup
) -> None:
    url = reverse("syncgroups:detail", args=[group.public_id])
    assert "All of Scalps at once" in alice_client.get(url).content.decode()
    answer = alice_client.post(ACT, body(Span.GROUP, group.public_id, BatchAct.LIMIT, qty="2"))
    assert answer.headers["Location"] == url
    assert [account.risk.max_position for account in Account.objects.order_by("pk")] == [None, 2, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"span": "planet"},
        {"act": "dance"},
        {"act": BatchAct.LIMIT, "qty": "0"},
        {"qty": "x", "act": "limit"},
    ],
)
def test_what_makes_no_sense_is_refused(
    alice_client: Client, members: list[Account], wrong: dict[str, Any]
) -> None:
    sent = body(Span.TAG, "prop", BatchAct.STOP) | wrong if wrong else {}
    assert alice_client.post(ACT, sent).status_code == 400
    assert states(members) == ["active"] * 3


def test_doors_of_a_batch(
    alice_client: Client, bob_client: Client, client: Client, members: list[Account]
) -> None:
    sent = body(Span.TAG, "prop", BatchAct.STOP)
    assert bob_client.post(ACT, sent).status_code == 404
    assert client.post(ACT, sent).headers["Location"].startswith("/accounts/login/")
    assert alice_client.get(ACT).status_code == 405
    assert states(members) == ["active"] * 3


def test_resuming_live_money_asks_who_wants_to_be_asked(
    alice_client: Client, alice: User, members: list[Account], group: SyncGroup
) -> None:
    members[0].connection.environment = Environment.LIVE
    members[0].connection.save()
    User.objects.filter(pk=alice.pk).update(factor_for_live=True)
    alice_client.post(ACT, body(Span.GROUP, group.public_id, BatchAct.PAUSE))
    answer = alice_client.post(ACT, body(Span.GROUP, group.public_id, BatchAct.RESUME))
    assert answer.headers["Location"].startswith(reverse("mfa_reauthenticate"))
    group.gate.refresh_from_db()
    assert group.gate.state == TradingState.REDUCING


def test_every_act_is_in_the_owners_audit_log(
    alice: User, members: list[Account], group: SyncGroup, told: list[Press]
) -> None:
    reach: Callable[[], Any] = lambda: reach_of(alice, Span.GROUP, group.public_id)  # noqa: E731
    for act in (BatchAct.PAUSE, BatchAct.RESUME, BatchAct.CLOSE, BatchAct.FLATTEN, BatchAct.LIMIT):
        batch.carry_out(act, reach(), by=alice, qty=4)
    said = " ".join(alice.audit_events.values_list("subject", flat=True))
    for word in ("paused", "pass again", "without a stop", "Kill switch on", "Largest position"):
        assert word in said
