"""Every code has words, advice, and a form that is really there."""

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from syncgroups.core.remedies import REMEDIES, Place, remedy_for
from syncgroups.models import Activity
from syncgroups.templatetags.remedies import address_of, in_words, mend, points, slipped
from syncgroups.tests.factories import ActivityFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import RefusalReason


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_every_code_is_explained_and_says_what_to_do(reason: RefusalReason):
    remedy = REMEDIES[reason]
    assert remedy.words.endswith(".")
    assert remedy.advice.endswith(".")
    assert "_" not in remedy.words + remedy.advice
    assert bool(remedy.label) == (remedy.place is not Place.NOWHERE)


def test_a_code_of_another_time_has_no_row():
    assert remedy_for("") is None
    assert remedy_for("no_such_code") is None
    assert in_words("no_such_code") == "no such code"


@pytest.fixture
def line(alice: User) -> Activity:
    leader, follower = accounts(alice, "LEAD", "FOLLOW")
    group = GroupFactory.create(leader=leader)
    FollowerFactory.create(group=group, account=follower)
    made: Activity = ActivityFactory.create(
        owner=alice, group=group, account=follower, key="th-1", reason=RefusalReason.MAX_POSITION
    )
    return made


@pytest.mark.parametrize("place", list(Place))
@pytest.mark.parametrize("is_gone", [False, True], ids=["there", "gone"])
def test_every_place_is_a_page(alice_client: Client, line: Activity, place: Place, is_gone: bool):
    if is_gone:
        line.group, line.account, line.key = None, None, ""
    address = address_of(place, line)
    if place is Place.NOWHERE or (place is Place.ORDER and is_gone):
        assert address == ""
        return
    assert alice_client.get(address.partition("#")[0]).status_code == 200


def test_a_line_is_mended_where_its_figure_stands(line: Activity):
    mended = mend(line)
    assert mended is not None
    assert mended.href.endswith(f"/edit/#member-{line.account_id}")
    line.reason = ""
    assert mend(line) is None


def test_slippage_has_a_sign_and_no_idle_zeros():
    assert [slipped(Decimal(text)) for text in ("4.000", "-2.500", "0.000")] == ["+4", "−2.5", "0"]
    assert slipped(None) == "–"


def test_average_prices_line_up():
    written = [points(Decimal(text)) for text in ("5054", "17970.75", "5053.8333333")]
    assert written == ["5054.00", "17970.75", "5053.8333"]
    assert points(None) == "–"
