"""Groups, copies and the log, for operators. Settings are changed by their owners, on the pages."""

from typing import Any

from django.contrib import admin

from syncgroups.models import Activity, CopiedOrder, Drift, Follower, Quarantine, SyncGroup
from tradehaven.admin_parts import ReadOnlyAdmin


class FollowerInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for the checker only
    """A group's followers."""

    model = Follower
    extra = 0
    can_delete = False

    def has_add_permission(self, *_args: Any) -> bool:
        """Refuse: members are changed by the owner."""
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        """Refuse: members are changed by the owner."""
        return False


@admin.register(SyncGroup)
class SyncGroupAdmin(ReadOnlyAdmin):
    """Groups with their members."""

    list_display = ("name", "owner", "leader", "active", "active_since")
    list_filter = ("active", "mode")
    list_select_related = ("owner", "leader")
    search_fields = ("name", "public_id", "owner__email")
    inlines = (FollowerInline,)


@admin.register(CopiedOrder)
class CopiedOrderAdmin(ReadOnlyAdmin):
    """Lineage."""

    list_display = ("key", "leader", "follower", "symbol", "side", "qty", "state", "received_at")
    list_filter = ("state", "order_type")
    list_select_related = ("leader", "follower")
    search_fields = ("key", "symbol", "owner__email")
    ordering = ("-received_at",)


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    """The activity log."""

    list_display = ("at", "owner", "kind", "severity", "text")
    list_filter = ("kind", "severity")
    list_select_related = ("owner",)
    ordering = ("-at",)


@admin.register(Drift)
class DriftAdmin(ReadOnlyAdmin):
    """What differed, and until when."""

    list_display = ("since", "owner", "account", "symbol", "kind", "expected", "actual", "closed_at")
    list_filter = ("kind", "ignored")
    list_select_related = ("owner", "account")


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    """Contracts of followers that may not be entered."""

    list_display = ("since", "group", "account", "symbol", "reason")
    list_select_related = ("group", "account")
