"""What programs read: trades, the day's profit, and which accounts there are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import KeyRequest
from accounts.api.fields import Dollars, Moment, NoQuery, Price, Strict, Word, checked, enveloped, listed
from accounts.api.paging import PageInfo, PageQuery, page_of
from accounts.api.words import worded
from analytics.selectors import Snapshot, snapshots_of
from analytics.selectors.trades import Trade, fills_in, trades_of
from brokers.selectors import accounts_in_reach
from tradehaven.domain.enums import Environment, Side

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from brokers.models import Account

LARGEST_ID = 2**63 - 1


class AccountQuery(Strict):
    """Which account is asked for."""

    accountId = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class TradeQuery(PageQuery):
    """Which trades are asked for."""

    accountId = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    instrument = serializers.CharField(required=False, max_length=32, help_text="A contract, such as ESZ6.")
    side = serializers.ChoiceField(required=False, choices=[worded(side) for side in Side])

    def get_fields(self) -> dict[str, Any]:
        """Add the two whose names Python keeps for itself, or that belong beside it."""
        dates = {"from": "First trading day.", "to": "Last trading day."}
        return super().get_fields() | {
            name: serializers.DateField(required=False, help_text=text) for name, text in dates.items()
        }


class TradeBody(serializers.Serializer[Trade]):
    """One fill."""

    id = serializers.CharField(source="name")
    accountId = serializers.IntegerField(source="fill.account_id")
    instrument = serializers.CharField(source="fill.symbol")
    side = Word(source="fill.side")
    quantity = serializers.IntegerField(source="fill.qty")
    fillPrice = Price(source="fill.price")
    timestamp = Moment(source="fill.traded_at")
    realizedPnl = Dollars(source="realized", allow_null=True, help_text="Before fees; null for an entry.")
    orderType = Word(source="order_type", allow_null=True)
    syncGroupId = serializers.CharField(source="group", allow_null=True)


class SnapshotBody(serializers.Serializer[Snapshot]):
    """An account's day so far, in USD."""

    accountId = serializers.IntegerField(source="account.pk")
    realizedPnl = Dollars(source="realized")
    unrealizedPnl = Dollars(source="unrealized", allow_null=True, help_text="Null without a fresh price.")
    netPnl = Dollars(source="net", allow_null=True)
    openPositions = serializers.IntegerField(source="positions")
    tradesToday = serializers.IntegerField(source="trades")
    timestamp = Moment(source="at")
    dailyLossLimitRemaining = Dollars(source="limit_left", allow_null=True, help_text="Null without a limit.")
    killSwitchActive = serializers.BooleanField(source="halted")


class AccountBody(serializers.Serializer[Any]):
    """An account by the number that all other calls want."""

    accountId = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    environment = serializers.ChoiceField(source="connection.environment", choices=list(Environment))
    connected = serializers.BooleanField(source="connection.link_up")


class TradesAnswer(serializers.Serializer[Any]):
    """A page of trades."""

    status = serializers.ChoiceField(choices=["ok"])
    data = TradeBody(many=True)  # type: ignore[assignment]  # named by the API, not by the serializer
    pagination = PageInfo()


class SnapshotAnswer(serializers.Serializer[Any]):
    """The day of the account that was asked for."""

    status = serializers.ChoiceField(choices=["ok"])
    data = SnapshotBody()  # type: ignore[assignment]  # named by the API, not by the serializer


class SnapshotsAnswer(serializers.Serializer[Any]):
    """The day of every account."""

    status = serializers.ChoiceField(choices=["ok"])
    data = SnapshotBody(many=True)  # type: ignore[assignment]  # named by the API, not by the serializer


class AccountsAnswer(serializers.Serializer[Any]):
    """All accounts that the key reaches."""

    status = serializers.ChoiceField(choices=["ok"])
    data = AccountBody(many=True)  # type: ignore[assignment]  # named by the API, not by the serializer


class Trades(APIView):
    """Fills of all accounts."""

    @extend_schema(operation_id="listTrades", parameters=[TradeQuery], responses=TradesAnswer)
    def get(self, request: KeyRequest) -> Response:
        """Return fills, the newest first."""
        typed = checked(TradeQuery(data=request.query_params))
        fills = fills_in(
            reach(request),
            account=account_id(request, typed),
            symbol=typed.get("instrument", "").strip().upper(),
            side=Side(typed["side"].lower()) if "side" in typed else None,
            first=typed.get("from"),
            last=typed.get("to"),
        )
        page = page_of(fills, typed, "traded_at")
        return Response(enveloped(listed(TradeBody, trades_of(page.rows)), pagination=page.info))


class PnlSnapshot(APIView):
    """The trading day so far."""

    @extend_schema(
        operation_id="getPnlSnapshot",
        parameters=[AccountQuery],
        responses=PolymorphicProxySerializer(
            component_name="PnlAnswer",
            serializers=[SnapshotAnswer, SnapshotsAnswer],
            resource_type_field_name=None,
        ),
    )
    def get(self, request: KeyRequest) -> Response:
        """Return one account's day, or a list of all accounts' days where none is named."""
        wanted = account_id(request, checked(AccountQuery(data=request.query_params)))
        accounts = reach(request) if wanted is None else reach(request).filter(pk=wanted)
        days = listed(SnapshotBody, snapshots_of(request.user, accounts, timezone.now()))
        return Response(enveloped(days if wanted is None else days[0]))


class Accounts(APIView):
    """The accounts that a key reaches."""

    @extend_schema(operation_id="listAccounts", responses=AccountsAnswer)
    def get(self, request: KeyRequest) -> Response:
        """Return every account by name."""
        checked(NoQuery(data=request.query_params))
        return Response(enveloped(listed(AccountBody, reach(request))))


def reach(request: KeyRequest) -> "QuerySet[Account]":
    """Return the accounts that the request's key reaches."""
    return accounts_in_reach(request.user, real_money=not request.auth.is_paper)


def account_id(request: KeyRequest, typed: Mapping[str, Any]) -> int | None:
    """Return the account that was named, if it is within reach; raise `NotFound` naming the field."""
    wanted: int | None = typed.get("accountId")
    if wanted is not None and not reach(request).filter(pk=wanted).exists():
        raise NotFound({"accountId": ["There is no such account, or this key does not reach it."]})
    return wanted
