"""Gates, rules and locks, for operators, who look and do not turn: a person's gate is his own."""

from django.contrib import admin

from risk.models import AccountRisk, Gate, GateChange, Lockout, RuleBook, RuleChange
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

    list_display = ("account", "gate", "book", "max_position")
    list_select_related = ("account", "gate", "book")


@admin.register(RuleBook)
class RuleBookAdmin(ReadOnlyAdmin):
    """Rules as they are in force."""

    list_display = ("__str__", "owner", "scope", "preset", "preset_version", "version", "later_at")
    list_filter = ("scope", "preset")
    list_select_related = ("owner",)
    search_fields = ("owner__email",)


@admin.register(RuleChange)
class RuleChangeAdmin(ReadOnlyAdmin):
    """Every change of rules."""

    list_display = ("at", "book", "version", "by", "later_at", "text")
    list_select_related = ("book", "by")
    ordering = ("-pk",)


@admin.register(Lockout)
class LockoutAdmin(ReadOnlyAdmin):
    """Every lock that a rule or a person has set."""

    list_display = ("since", "account", "reason", "until", "flatten", "by")
    list_filter = ("reason",)
    list_select_related = ("account", "by")
    ordering = ("-since",)
