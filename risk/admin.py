"""Gates and their changes, for operators, who look and do not turn: a person's gate is his own."""

from django.contrib import admin

from risk.models import AccountRisk, Gate, GateChange
from tradehaven.admin_parts import ReadOnlyAdmin


@admin.register(Gate)
class GateAdmin(ReadOnlyAdmin):
    """Gates as they stand."""

    list_display = ("__str__", "owner", "kind", "state", "flatten", "version", "changed_at")
    list_filter = ("kind", "state")
    list_select_related = ("owner",)
    search_fields = ("owner__email",)


@admin.register(GateChange)
class GateChangeAdmin(ReadOnlyAdmin):
    """Every turn of a gate."""

    list_display = ("at", "gate", "state", "flatten", "version", "by", "reason")
    list_select_related = ("gate", "by")
    ordering = ("-pk",)


@admin.register(AccountRisk)
class AccountRiskAdmin(ReadOnlyAdmin):
    """Limits of accounts."""

    list_display = ("account", "gate", "max_position")
    list_select_related = ("account", "gate")
