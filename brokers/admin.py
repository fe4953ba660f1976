"""Logins and accounts, for operators. Tokens are not among the fields and cannot be made to show."""

from typing import ClassVar

from django.contrib import admin

from brokers.models import Account, Connection, Fill, Lease, Order, Position
from tradehaven.admin_parts import ReadOnlyAdmin


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Logins without tokens."""

    list_display = ("name", "owner", "environment", "status", "link_up", "token_expires_at")
    list_filter = ("environment", "status", "link_up")
    search_fields = ("name", "owner__email")
    list_select_related = ("owner",)
    fields = (
        "owner",
        "environment",
        "broker_user_id",
        "name",
        "status",
        "status_reason",
        "token_expires_at",
        "link_up",
        "link_changed_at",
        "link_reason",
        "created_at",
    )


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts with the broker's figures."""

    list_display = ("name", "connection", "active", "cash", "realized", "balance_at")
    list_filter = ("connection__environment", "active")
    search_fields = ("name", "connection__owner__email")
    list_select_related = ("connection",)


@admin.register(Order, Fill, Position)
class StatedAdmin(ReadOnlyAdmin):
    """What the broker stated, newest first."""

    list_display = ("__str__", "account", "symbol")
    list_select_related = ("account",)
    search_fields = ("account__name", "symbol")
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    """Which engine runs which shard."""

    list_display = ("shard", "holder", "epoch", "seconds", "taken_at", "beat_at")
