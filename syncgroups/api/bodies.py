"""What the API takes and gives about groups and manual copies, under its documented names."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from accounts.api.fields import Moment, Price, Strict, Word
from accounts.api.words import worded
from syncgroups.selectors.snapshot import FollowerNow, GroupNow
from syncgroups.services.manual import TYPES, WAITS, WIDEST_OFFSET
from tradehaven.domain.enums import Side, SizingMode, TimeInForce
from tradehaven.domain.orders import MAX_ORDER_QTY

LARGEST_ID = 2**63 - 1
MOST_FOLLOWERS = 100
LOT_SIZING = {
    SizingMode.RATIO: "FixedRatio",
    SizingMode.FIXED: "FixedQuantity",
    SizingMode.BALANCE: "BalanceProportional",
}


def words_of(found: Iterable[str]) -> list[str]:
    """Return the API's words for some of ours."""
    return sorted(worded(word) for word in found)


class LotSizing(serializers.ChoiceField):
    """How a follower is sized, in the documented words."""

    def to_representation(self, value: Any) -> str:
        """Write a mode."""
        return LOT_SIZING[SizingMode(value)]


class OffsetBody(Strict):
    """How far from its entry a protective order waits."""

    offset = serializers.IntegerField(
        min_value=1, max_value=WIDEST_OFFSET, help_text="Ticks of the follower's contract."
    )


class CopyRequest(Strict):
    """One order for chosen followers of a leader."""

    leaderAccountId = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    followerAccountIds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        allow_empty=False,
        max_length=MOST_FOLLOWERS,
    )
    instrument = serializers.CharField(max_length=32, help_text="The leader's contract, such as NQH7.")
    side = serializers.ChoiceField(choices=words_of(Side))
    quantity = serializers.IntegerField(
        min_value=1, max_value=MAX_ORDER_QTY, help_text="As if the leader did it; followers are sized."
    )
    orderType = serializers.ChoiceField(choices=words_of(TYPES))
    limitPrice = Price(required=False)
    stopPrice = Price(required=False)
    timeInForce = serializers.ChoiceField(choices=words_of(WAITS), default=worded(TimeInForce.DAY))
    stopLoss = OffsetBody(required=False)
    takeProfit = OffsetBody(required=False)


class ResultBody(serializers.Serializer[Any]):
    """What one follower got. `submitted` is an order that the broker has taken."""

    followerAccountId = serializers.IntegerField()
    orderId = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(
        choices=["submitted", "skipped", "rejected", "unresolved", "waiting", "stale"]
    )
    quantity = serializers.IntegerField()
    reason = serializers.CharField(required=False, help_text="Why it was not submitted.")


class CopyBody(serializers.Serializer[Any]):
    """A manual copy."""

    copyId = serializers.CharField()
    results = ResultBody(many=True)


class CopyAnswer(serializers.Serializer[Any]):
    """What became of a manual copy."""

    status = serializers.ChoiceField(choices=["ok"])
    data = CopyBody()  # type: ignore[assignment]  # named by the API, not by the serializer


class LeaderBody(serializers.Serializer[GroupNow]):
    """A group's leader."""

    accountId = serializers.IntegerField(source="group.leader_id")
    connected = serializers.BooleanField()
    lastHeartbeat = Moment(source="heard_at", allow_null=True)


class FollowerBody(serializers.Serializer[FollowerNow]):
    """A follower and its copies."""

    accountId = serializers.IntegerField(source="row.account_id")
    connected = serializers.BooleanField()
    lastSyncTimestamp = Moment(source="synced_at", allow_null=True)
    pendingOrders = serializers.IntegerField(source="pending")
    lotSizingMode = LotSizing(source="row.sizing", choices=list(LOT_SIZING.values()))
    lotRatio = Price(source="ratio", allow_null=True, help_text="Null where the size is not a ratio.")


class GroupBody(serializers.Serializer[GroupNow]):
    """A group with its members."""

    id = serializers.CharField(source="group.public_id")
    name = serializers.CharField(source="group.name")
    syncMode = Word(source="group.mode")
    active = serializers.BooleanField(source="group.active")
    leader = LeaderBody(source="*")
    followers = FollowerBody(many=True)


class GroupsBody(serializers.Serializer[Any]):
    """All groups."""

    syncGroups = GroupBody(many=True)


class GroupsAnswer(serializers.Serializer[Any]):
    """All groups that the key reaches."""

    status = serializers.ChoiceField(choices=["ok"])
    data = GroupsBody()  # type: ignore[assignment]  # named by the API, not by the serializer
